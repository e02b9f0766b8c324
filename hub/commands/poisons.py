"""Poisoned texts: what a program trips over and a person sends all the same, each with its name."""

from __future__ import annotations

import base64
from collections.abc import Mapping

MEGABYTE = 1_000_000


def _filled(piece: str, length: int = MEGABYTE) -> str:
    return (piece * (length // len(piece) + 1))[:length]


def _mixed() -> str:
    """A million signs of everything: Han, Latin, emoji, marks, halves; the same in every run."""
    ranges = ((0x4E00, 0x9FFF), (0x20, 0x7E), (0x1F300, 0x1F6FF), (0x300, 0x36F), (0xD800, 0xDFFF), (0x3000, 0x303F))
    signs, state = [], 7
    for _ in range(5_000):
        state = state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407 & (1 << 64) - 1
        first, last = ranges[(state >> 60) % len(ranges)]
        signs.append(chr(first + (state >> 32) % (last - first + 1)))
    return _filled("".join(signs))


POISONS: Mapping[str, str] = {
    "one Latin letter": _filled("a"),
    "one Han sign": _filled("水"),
    "a Han sign and an emoji": _filled("水😀"),
    "lone halves": _filled("\ud83d"),
    "halves among words": _filled("停水\udc00了"),
    "a storm of zero width": _filled("停\u200b\u200c\u200d\u2060\ufeff", 300_000),
    "right to left": _filled("\u202e水\u202c\u2067停\u2069\u200f", 300_000),
    "brackets in brackets": _filled("["),
    "reposts of reposts": _filled("//@a:", 500_000),
    "answers to answers": _filled("回复@甲：", 500_000),
    "combining marks": _filled("a\u0301", 300_000),
    "Zalgo": _filled("水\u0335\u0321\u034f\u0489\u0330", 300_000),
    "nothing but zeros": _filled("\0"),
    "zeros among words": _filled("停水\0", 100_000),
    "nothing but marks": _filled("，。！？；…"),
    "one base64 line": base64.b64encode(bytes(range(256)) * 2_930).decode(),
    "an endless address": "https://www.example.cn/" + _filled("a=%E6%B0%B4&", 200_000),
    "an endless www": _filled("www."),
    "Han of the second plane": _filled("𠀀𠀁𠀂𪚥"),
    "flags": _filled("🇨🇳🇺🇸", 300_000),
    "one number": _filled("1234567890"),
    "numbers of telephones": _filled("13912345678 ", 300_000),
    "numbers of identity": _filled("11010519491231002X", 300_000),
    "mail boxes": _filled("a@b.cn,", 300_000),
    "doors behind doors": _filled("某街道12号楼3单元", 300_000),
    "names behind names": _filled("我是张三，", 300_000),
    "wide letters": _filled("ＡＢ１２", 300_000),
    "one ligature of eighteen": _filled("\ufdfa", 100_000),
    "clauses": _filled("停水，", 300_000),
    "sentences": _filled("停水。", 300_000),
    "traditional script": _filled("雲溪區電梯壞了", 300_000),
    "bus lines": _filled("十路一百零一路", 300_000),
    "topics in topics": _filled("#【[", 300_000),
    "nothing but lines": _filled("\r\n"),
    "all of it": _mixed(),
}
