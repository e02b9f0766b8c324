"""正文的纯文本写法: blocks as lines a person can type into a plain field, and back; no route, no HTML.

One line is one paragraph. `## ` and `### ` begin headings, `- ` and `1. ` list items, `> ` a quotation, `---` a rule,
`↵` is a line break inside a paragraph. What lines cannot hold (tables, pictures, tips, files) stands as
【第 3 块：表格】 and is taken again from the text as it was; a line nobody touched keeps its bold words and links too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.domain.blocks import NAMES

Block = Mapping[str, Any]

_SIGNS = {"h2": "## ", "h3": "### ", "quote": "> "}
_HELD = re.compile(r"【第 (\d{1,4}) 块：[^】]{1,8}】")
_NUMBERED = re.compile(r"\d{1,3}[.、]\s*(.*)")
_BULLET = re.compile(r"[-·•]\s+(.*)")
BREAK = "↵"


def _words(runs: Sequence[Mapping[str, Any]]) -> str:
    return "".join(run["text"] for run in runs).replace("\n", BREAK)


def _line_of(block: Block, number: int) -> str:
    """The block as one or more lines."""
    kind = block["kind"]
    if kind == "p":
        return _words(block["runs"])
    if kind in _SIGNS:
        return _SIGNS[kind] + _words(block["runs"])
    if kind in ("ul", "ol"):
        marks = ("- " if kind == "ul" else f"{place}. " for place in range(1, len(block["items"]) + 1))
        return "\n".join(mark + _words(item) for mark, item in zip(marks, block["items"], strict=True))
    return "---" if kind == "hr" else f"【第 {number + 1} 块：{NAMES[kind]}】"


def write(blocks: Sequence[Block]) -> str:
    """The blocks as lines, an empty line between two."""
    return "\n\n".join(_line_of(block, number) for number, block in enumerate(blocks))


def read(text: str, before: Sequence[Block] = ()) -> list[dict[str, Any]]:
    """The lines as blocks. `before` are the blocks the field was filled from."""
    known: dict[str, list[dict[str, Any]]] = {}
    for number, block in enumerate(before):
        line = "\n".join(part.strip() for part in _line_of(block, number).split("\n"))
        known.setdefault(line, []).append(dict(block))
    read: list[dict[str, Any]] = []
    for lines in _groups(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        same = known.get("\n".join(lines))
        if same:
            read.append(same.pop(0) if len(same) > 1 else same[0])
        else:
            read.extend(_blocks(lines, before))
    return read


def _groups(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines that make one block: list items of one kind that follow each other, anything else alone."""
    group: list[str] = []
    for raw in [*lines, ""]:
        line = raw.strip()
        if group and not (line and _item(line) and _item(line) == _item(group[0])):
            yield group
            group = []
        if line:
            group.append(line)


def _item(line: str) -> str:
    return "ol" if _NUMBERED.fullmatch(line) else "ul" if _BULLET.fullmatch(line) else ""


def _runs(line: str) -> list[dict[str, Any]]:
    return [{"text": line.replace(BREAK, "\n")}]


def _blocks(lines: Sequence[str], before: Sequence[Block]) -> Iterator[dict[str, Any]]:
    first = lines[0]
    held = _HELD.fullmatch(first)
    if held and 0 < int(held[1]) <= len(before):
        yield dict(before[int(held[1]) - 1])
    elif kind := _item(first):
        pattern = _NUMBERED if kind == "ol" else _BULLET
        texts = [match[1] for line in lines if (match := pattern.fullmatch(line))]
        yield {"kind": kind, "items": [_runs(text) for text in texts if text]}
    elif re.fullmatch(r"-{3,}", first):
        yield {"kind": "hr"}
    else:
        kind, sign = next(((kind, sign) for kind, sign in _SIGNS.items() if first.startswith(sign)), ("p", ""))
        yield {"kind": kind, "runs": _runs(first[len(sign) :])}
