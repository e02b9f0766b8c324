"""Rows of the files that commands read: JSON Lines or CSV, good ones as they come, bad ones by line and reason."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from hub.commands.files import LONGEST_LINE, Line, Lines
from hub.domain.errors import Misconfigured
from hub.masking import mask_text

BAD_SHOWN = 20
_MOST_LINES = 1_000  # of one row of a table: a quote that is open for longer was never closed
_DEEPEST = 100  # brackets in brackets: what is deeper cannot be written again
_NAMED = (".csv", ".tsv"), (".jsonl", ".json", ".ndjson")
_QUOTES = "引号不成对：带引号的格要前后各一个引号，格里的引号写成两个"
Row = dict[str, Any]

csv.field_size_limit(LONGEST_LINE)


@dataclass(frozen=True)
class BadRow:
    """A row that could not be used: its line in the file, and why."""

    line: int
    reason: str


@dataclass
class Rows:
    """The usable rows of a file, in order, and the bad ones beside them."""

    rows: list[Row] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    encoding: str = "utf-8"
    is_table: bool = False
    used: int = 0

    def report(self) -> int:
        """Says on the error stream what a person must know of the file; exit status 1 where rows were bad."""
        self.name_bad()
        if not self.used:
            say(self._empty())
        if self.encoding != "utf-8":
            say(f"文件按 {self.encoding.upper()} 编码读入。")
        return 1 if self.bad else 0

    def name_bad(self) -> None:
        """The first of the bad rows by line and reason, and how many more there are."""
        for bad in self.bad[:BAD_SHOWN]:
            say(f"第 {bad.line} 行没有用上：{bad.reason}。")
        if len(self.bad) > BAD_SHOWN:
            say(f"另有 {len(self.bad) - BAD_SHOWN} 行没有用上。")

    def _empty(self) -> str:
        if not self.bad:
            return "文件是空的，没有可读的行。"
        if self.is_table:
            return "没有一行用得上。表格的第一行应写列名，格与格之间用逗号隔开。"
        if any("JSON" in bad.reason for bad in self.bad):
            return '没有一行用得上。每行应是一个 JSON 对象，如 {"text": "停水了"}，不用方括号，行末不加逗号。'
        return "没有一行用得上。"


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def quoted(value: object, most: int = 20) -> str:
    """A value of a file as a sentence may hold it: short, and with nothing of a person."""
    text = mask_text(str(value)[: most * 5])
    return f"“{text[:most]}…”" if len(text) > most else f"“{text}”"


def read_rows(name: str, look: Callable[[Row], str | None]) -> Rows:
    """The rows of a file (`-` is standard input). `look` says what is wrong with a row, or None."""
    found = Rows()
    found.rows.extend(each_row(Lines(name), look, found))
    return found


def each_row(lines: Lines, look: Callable[[Row], str | None], found: Rows) -> Iterator[Row]:
    """The usable rows as they are read; bad ones, and what the file turned out to be, are noted in `found`."""
    for number, row in numbered_rows(lines, found):
        reason = row if isinstance(row, str) else look(row)
        if isinstance(row, str) or reason is not None:
            found.bad.append(BadRow(number, str(reason)))
        else:
            found.used += 1
            yield row
    found.encoding = lines.encoding


def numbered_rows(lines: Lines, found: Rows) -> Iterator[tuple[int, Row | str]]:
    """Each row with the number of its line, or why it is none; blank ones are left out."""
    each = iter(lines)
    first = next((line for line in each if line.wrong or line.text.strip()), None)
    if first is not None:
        found.is_table = _is_table(lines.name, first.text)
        yield from (_table_rows if found.is_table else _json_rows)(chain([first], each))


def needs_text(row: Row) -> str | None:
    """What every row must have."""
    if "text" not in row:
        return "缺少 text"
    return None if isinstance(row["text"], str) else "text 应为文字"


def needs_words(row: Row) -> str | None:
    """What a row must have of which something is learnt."""
    return needs_text(row) or (None if row["text"].strip() else "text 是空的")


def _is_table(name: str, first: str) -> bool:
    """By its name, else by a first line that names columns."""
    name = name.lower().removesuffix(".gz")
    if name.endswith(_NAMED[0]):
        return True
    columns = [column.strip().strip('"') for column in first.split(_between(first))]
    if first.lstrip().startswith(("{", "[")):
        return False
    return "text" in columns or (len(columns) > 1 and not name.endswith(_NAMED[1]))


# ---- JSON Lines


def _json_rows(lines: Iterator[Line]) -> Iterator[tuple[int, Row | str]]:
    for line in lines:
        if line.wrong:
            yield line.number, line.wrong
        elif line.text.strip():
            yield line.number, _json_row(line.text)


def _json_row(text: str) -> Row | str:
    try:
        row = json.loads(text, parse_constant=_no_number, parse_float=_number)
    except json.JSONDecodeError:
        return "不是完整的 JSON"
    except ValueError:
        return "有一个数读不了，请写成普通的数"
    except RecursionError:
        return "括号套得太深"
    if not isinstance(row, dict):
        return "不是一个 JSON 对象"
    return "括号套得太深" if text.count("[") + text.count("{") > _DEEPEST and _is_deep(row) else row


def _no_number(name: str) -> float:
    raise ValueError(name)


def _number(text: str) -> float:
    """No number of JSON is endless: what is read as such could not be written again."""
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _is_deep(row: Row) -> bool:
    level: list[Any] = [row]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


# ---- tables


def _table_rows(lines: Iterator[Line]) -> Iterator[tuple[int, Row | str]]:
    first = next(lines)
    records = _records(chain([first], lines), _between(first.text))
    names: list[str] | None = None
    for number, cells in records:
        if isinstance(cells, str):
            yield number, cells
        elif any(cell.strip() for cell in cells):
            if names is None:
                names = _head(cells)
            else:
                yield number, _row(names, cells)


def _between(first: str) -> str:
    """What stands between the cells: a comma, or what office programs write instead."""
    return max(",", "\t", ";", key=first.count)


def _head(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        raise Misconfigured(f"表头里有两列都叫{quoted(twice[0])}。请改名或删去一列再试。")
    return names


def _row(names: list[str], cells: list[str]) -> Row | str:
    more = [cell for cell in cells[len(names) :] if cell.strip()]
    if more:
        return f"比表头多出 {len(more)} 格：文字里有逗号的，整格要用引号括起来"
    return dict(zip(names, cells, strict=False))


def _records(lines: Iterator[Line], between: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row of a table with the number of its first line, or why it is none. A quote that is left open costs its own
    line; those behind it are read again."""
    waiting: deque[Line] = deque()
    while True:
        taken: list[Line] = []
        try:
            cells = next(csv.reader(_texts(waiting, lines, taken), delimiter=between, strict=True), None)
        except csv.Error:
            yield taken[0].number, taken[0].wrong or _QUOTES
            waiting.extendleft(reversed(taken[1:]))
            continue
        if cells is None:
            return
        yield taken[0].number, cells


def _texts(waiting: deque[Line], lines: Iterator[Line], taken: list[Line]) -> Iterator[str]:
    while line := waiting.popleft() if waiting else next(lines, None):
        taken.append(line)
        if line.wrong or len(taken) > _MOST_LINES:
            raise csv.Error
        yield line.text
