"""Rows in and out of the commands that read texts: JSON Lines or CSV, plain, gzipped or piped; no reading of texts."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from hub.domain.errors import Misconfigured

BAD_SHOWN = 20
Row = dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that could not be used: its line in the file, and why."""

    line: int
    reason: str


@dataclass
class Rows:
    """All usable rows of a file, in order, and the bad ones beside them."""

    rows: list[Row] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    encoding: str = "utf-8"

    def report(self) -> int:
        """Names the bad rows on the error stream; exit status 1 where there are any."""
        for bad in self.bad[:BAD_SHOWN]:
            print(f"第 {bad.line} 行没有用上：{bad.reason}", file=sys.stderr)
        if len(self.bad) > BAD_SHOWN:
            print(f"另有 {len(self.bad) - BAD_SHOWN} 行没有用上。", file=sys.stderr)
        if self.encoding != "utf-8":
            print(f"文件按 {self.encoding.upper()} 编码读入。", file=sys.stderr)
        return 1 if self.bad else 0


def read_rows(name: str, look: Callable[[Row], str | None]) -> Rows:
    """The rows of a file (`-` is standard input). `look` says what is wrong with a row, or None."""
    data = _bytes_of(name)
    text, encoding = _decoded(data)
    found = Rows(encoding=encoding)
    lines = _csv_rows(text) if _is_csv(name, text) else _json_rows(text)
    for number, row in lines:
        reason = row if isinstance(row, str) else look(row)
        if reason is not None or isinstance(row, str):
            found.bad.append(BadRow(number, str(reason)))
        else:
            found.rows.append(row)
    return found


def needs_text(row: Row) -> str | None:
    """What every row must have."""
    if "text" not in row:
        return "缺少 text"
    return None if isinstance(row["text"], str) else "text 应为文字"


@contextlib.contextmanager
def written_to(name: str | None) -> Iterator[TextIO]:
    """A place for JSON Lines: a file (gzipped where its name ends so), or standard output."""
    if name is None or name == "-":
        yield sys.stdout
        return
    try:
        opened = gzip.open(name, "wt", encoding="utf-8") if name.endswith(".gz") else open(name, "w", encoding="utf-8")  # noqa: SIM115
    except OSError as trouble:
        raise Misconfigured(f"写不了 {name}：文件夹不存在或无权写入。请换一个位置。") from trouble
    with opened as stream:
        yield stream


def _bytes_of(name: str) -> bytes:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError) as trouble:
        reason = "没有这个文件" if isinstance(trouble, FileNotFoundError) else "文件打不开或压缩不完整"
        raise Misconfigured(f"读不了 {name}：{reason}。请检查文件名。") from trouble


def _decoded(data: bytes) -> tuple[str, str]:
    """UTF-8 with or without its mark, else GB18030 as office programs write it."""
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace"), "gb18030"


def _is_csv(name: str, text: str) -> bool:
    """By its name, else by a first line that names the columns."""
    if name.removesuffix(".gz").endswith(".csv"):
        return True
    first = text.lstrip().split("\n", 1)[0].strip()
    return "{" not in first and "text" in [column.strip().strip('"') for column in first.split(",")]


def _json_rows(text: str) -> Iterator[tuple[int, Row | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "不是完整的 JSON"
            continue
        yield number, row if isinstance(row, dict) else "不是一个 JSON 对象"


def _csv_rows(text: str) -> Iterator[tuple[int, Row | str]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        for row in reader:
            yield reader.line_num, {key: value for key, value in row.items() if key is not None and value is not None}
    except csv.Error as trouble:
        yield reader.line_num, f"表格格式有误（{trouble}）"
