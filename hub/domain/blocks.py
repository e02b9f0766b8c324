"""内容块: the closed list of blocks v1, their one canonical form, hash and plain text; HTML is folded in fold.py.

A text is a list of blocks, each a plain JSON object. `runs` is a list of `{"text", "marks"?, "link"?}`; marks stand in
the order of MARKS; a line break inside a run is "\\n". Optional fields are absent where they say nothing.

    h2, h3, quote, note   runs
    p                     runs, align? (center, end), role? (salutation, lead, signature)
    ul, ol                items: list of runs
    img                   media (sha256), alt?, caption?, source?
    images                items: 2 to 9 of {media, alt?, caption?, source?}
    table                 rows: list of lists of {runs, head?: true, colspan?, rowspan?}, caption?
    video                 media (sha256) or link, cover? (sha256), caption?
    file                  media (sha256), name
    footnote              mark ("1"), runs
    hr                    nothing
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.errors import FieldError, Invalid
from hub.domain.runs import Run, is_media, line, read_link, read_runs, wrong

Json = dict[str, Any]
Path = tuple[str | int, ...]

NAMES = {
    "h2": "标题", "h3": "小标题", "p": "段落", "ul": "列表", "ol": "编号列表", "quote": "引文", "note": "提示",
    "img": "图片", "images": "图组", "table": "表格", "video": "视频", "file": "附件", "footnote": "脚注",
    "hr": "分隔线",
}  # fmt: skip
MOST_BLOCKS = 2_000
MOST_SIGNS = 200_000
MOST_ROWS = 1_000
MOST_CELLS = 60


# ---- fields: each reads a value to its canonical form; what comes out empty is left out


def _media(value: Any, where: str) -> str:
    if not is_media(value):
        raise wrong(where, "图片或附件要先上传到媒体库，再插入正文")
    return str(value)


def _words(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > 2_000:
        raise wrong(where, "说明文字应在 2000 字以内")
    return line(value)


def _one_of(*values: str) -> Callable[[Any, str], str]:
    def read(value: Any, where: str) -> str:
        if value not in (None, "", *values):
            raise wrong(where, f"只能是 {'、'.join(values)}")
        return str(value or "")

    return read


def _items(value: Any, where: str) -> list[list[Run]]:
    if not isinstance(value, list | tuple):
        raise wrong(where, "列表应由若干条组成")
    return [runs for number, item in enumerate(value) if (runs := read_runs(item, f"{where}[{number}]"))]


def _pictures(value: Any, where: str) -> list[Json]:
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= 9:
        raise wrong(where, "图组要有 2 到 9 张图")
    return [_fields(_PICTURE, item, f"{where}[{number}]") for number, item in enumerate(value)]


def _span(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_CELLS:
        raise wrong(where, f"合并的格数应在 1 到 {MOST_CELLS} 之间")
    return 0 if value == 1 else value


def _head(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise wrong(where, "表头只能是 true 或 false")
    return value


def _rows(value: Any, where: str) -> list[list[Json]]:
    if not isinstance(value, list | tuple) or len(value) > MOST_ROWS:
        raise wrong(where, f"表格最多 {MOST_ROWS} 行")
    rows: list[list[Json]] = []
    for number, row in enumerate(value):
        if not isinstance(row, list | tuple) or len(row) > MOST_CELLS:
            raise wrong(f"{where}[{number}]", f"表格第 {number + 1} 行最多 {MOST_CELLS} 格")
        cells = [_fields(_CELL, cell, f"{where}[{number}][{place}]") for place, cell in enumerate(row)]
        if cells:
            rows.append(cells)
    return rows


@dataclass(frozen=True)
class _Field:
    read: Callable[[Any, str], Any]
    needed: bool = False
    kept: bool = False  # stays in the canonical form even when empty


_CAPTIONS = {"alt": _Field(_words), "caption": _Field(_words), "source": _Field(_words)}
_PICTURE = {"media": _Field(_media, needed=True), **_CAPTIONS}
_SPANS = {"colspan": _Field(_span), "rowspan": _Field(_span)}
_CELL = {"runs": _Field(read_runs, kept=True), "head": _Field(_head), **_SPANS}
_TEXT = {"runs": _Field(read_runs)}
_LIST = {"items": _Field(_items)}
_KINDS: Mapping[str, Mapping[str, _Field]] = {
    "h2": _TEXT,
    "h3": _TEXT,
    "p": {
        "runs": _Field(read_runs),
        "align": _Field(_one_of("center", "end")),
        "role": _Field(_one_of("salutation", "lead", "signature")),
    },
    "ul": _LIST,
    "ol": _LIST,
    "quote": _TEXT,
    "note": _TEXT,
    "img": _PICTURE,
    "images": {"items": _Field(_pictures, needed=True)},
    "table": {"rows": _Field(_rows), "caption": _Field(_words)},
    "video": {"media": _Field(_media), "link": _Field(read_link), "cover": _Field(_media), "caption": _Field(_words)},
    "file": {"media": _Field(_media, needed=True), "name": _Field(_words, needed=True)},
    "footnote": {"mark": _Field(_words, needed=True), "runs": _Field(read_runs)},
    "hr": {},
}
KINDS = tuple(_KINDS)
_CARRIER = {"h2": "runs", "h3": "runs", "p": "runs", "quote": "runs", "note": "runs", "footnote": "runs", "ul": "items",
            "ol": "items", "table": "rows"}  # fmt: skip


def _fields(fields: Mapping[str, _Field], value: Any, where: str) -> Json:
    if not isinstance(value, Mapping):
        raise wrong(where, "写法不对，应是一组字段")
    if unknown := set(value) - set(fields) - {"kind"}:
        raise wrong(where, f"不认识的字段 {'、'.join(sorted(map(str, unknown)))[:60]}")
    result: Json = {}
    for name, field in fields.items():
        read = field.read(value[name], f"{where}.{name}") if value.get(name) is not None else None
        if field.needed and not read:
            raise wrong(f"{where}.{name}", f"缺少 {name}")
        if read or field.kept:
            result[name] = read if read is not None else []
    return result


def _block(value: Any, number: int) -> Json | None:
    """One block in canonical form, or None where nothing is in it."""
    where = f"blocks[{number}]"
    kind = str(value.get("kind")) if isinstance(value, Mapping) else ""
    if kind not in _KINDS:
        raise wrong(where, f"第 {number + 1} 块的种类不认识。可用的有：{'、'.join(NAMES.values())}。")
    try:
        block = {"kind": kind, **_fields(_KINDS[kind], value, where)}
    except Invalid as error:
        message = f"第 {number + 1} 块（{NAMES[kind]}）：{error.message}。"
        raise Invalid(message, tuple(FieldError(each.field, message) for each in error.errors)) from None
    if kind == "video" and ("media" in block) == ("link" in block):
        raise wrong(where, f"第 {number + 1} 块（视频）：视频文件和视频网址请给一个，不能都给或都不给。")
    return block if _CARRIER.get(kind, "kind") in block else None


def check(blocks: Any) -> list[Json]:
    """The blocks in canonical form; empty ones are left out. Raises Invalid naming the block and what to change."""
    if not isinstance(blocks, list | tuple):
        raise wrong("blocks", "正文应是内容块的列表。")
    if len(blocks) > MOST_BLOCKS:
        raise wrong("blocks", f"正文有 {len(blocks)} 块，超过 {MOST_BLOCKS} 块。请拆成几篇。")
    result = [block for number, value in enumerate(blocks) if (block := _block(value, number)) is not None]
    if (signs := length(result)) > MOST_SIGNS:
        raise wrong("blocks", f"正文有 {signs} 字，超过 {MOST_SIGNS} 字。请拆成几篇。")
    return result


# ---- canonical form and hash


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {unicodedata.normalize("NFC", str(key)): _normal(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(each) for each in value]
    return value


def canonical(value: Any) -> bytes:
    """The one canonical form for hashing: JSON in UTF-8, keys sorted, no blanks, texts in NFC, no NaN."""
    value = _normal(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def digest_of(value: Any) -> str:
    """sha256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


# ---- plain text


@dataclass(frozen=True)
class Piece:
    """One string of the blocks and where it stands in the plain text; `path`: (2, "items", 0, 1, "text")."""

    start: int
    end: int
    path: Path


@dataclass(frozen=True)
class Place:
    """Where an offset of the plain text stands: block number, path to the string, offset in that string."""

    block: int
    path: Path
    offset: int


@dataclass(frozen=True)
class PlainText:
    """The text of the blocks, a line per paragraph, item or cell, with the way back to each string."""

    text: str
    pieces: tuple[Piece, ...]

    def place(self, offset: int) -> Place | None:
        """Where this offset comes from; None in an empty text. A sign between two strings belongs to the one before."""
        if not self.pieces:
            return None
        number = max(0, bisect_right([piece.start for piece in self.pieces], offset) - 1)
        piece = self.pieces[number]
        inside = min(max(offset - piece.start, 0), piece.end - piece.start)
        return Place(int(piece.path[0]), piece.path, inside)


def _lines(block: Json, number: int) -> Iterable[list[tuple[str, Path]]]:
    """The block's lines, each a list of strings with the path to each."""

    def ofread_runs(runs: Sequence[Run], path: Path) -> list[tuple[str, Path]]:
        return [(run["text"], (*path, place, "text")) for place, run in enumerate(runs)]

    if "runs" in block:
        yield ofread_runs(block["runs"], (number, "runs"))
    for place, item in enumerate(block.get("items", ())):
        if isinstance(item, list):
            yield ofread_runs(item, (number, "items", place))
        else:
            yield from _captions(item, (number, "items", place))
    for row, cells in enumerate(block.get("rows", ())):
        for column, cell in enumerate(cells):
            yield ofread_runs(cell["runs"], (number, "rows", row, column, "runs"))
    yield from _captions(block, (number,))


def _captions(block: Json, path: Path) -> Iterable[list[tuple[str, Path]]]:
    for name in ("alt", "caption", "source", "name"):
        if block.get(name):
            yield [(block[name], (*path, name))]


def text_of(blocks: Sequence[Json]) -> PlainText:
    """The plain text of checked blocks and the map back; alt texts, captions and file names are part of it."""
    texts: list[str] = []
    pieces: list[Piece] = []
    at = 0
    for number, block in enumerate(blocks):
        for strings in _lines(block, number):
            if not any(text for text, _ in strings):
                continue
            if texts:
                texts.append("\n")
                at += 1
            for text, path in strings:
                pieces.append(Piece(at, at + len(text), path))
                texts.append(text)
                at += len(text)
    return PlainText("".join(texts), tuple(pieces))


def length(blocks: Sequence[Json]) -> int:
    """How many signs the plain text has, blanks and breaks not counted."""
    return len("".join(text_of(blocks).text.split()))


def media_of(blocks: Sequence[Json]) -> tuple[str, ...]:
    """Every stored file the blocks name, each once, in order."""
    found: dict[str, None] = {}
    for block in blocks:
        pictures = [item for item in block.get("items", ()) if isinstance(item, dict)]
        for holder in (block, *pictures):
            for name in ("media", "cover"):
                if name in holder:
                    found.setdefault(holder[name])
    return tuple(found)
