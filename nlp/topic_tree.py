"""Topic trees (主题树): an office's own classification, read from its table row by row; routing lives in topics.py."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

SEPARATOR = "/"
LEVELS = ("一级分类", "二级分类", "三级分类")
SPOKEN = "常用说法"
MOST_ROWS = 5_000
LONGEST_NAME = 40
LONGEST_LINE = 4_000  # characters
_REST = frozenset({"其他", "其它", "其他类", "综合"})  # where the rest goes: no text names it
_HEADS = frozenset({*LEVELS, SPOKEN, "一级", "二级", "三级", "大类", "小类", "细类", "主题"})
_Path = tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """One node of a tree, of any level: its way from the first level on, and how people speak of it.

    `name` is what people read, and unique in its tree: the node's own word, with as much of its way as that needs.
    """

    path: _Path
    name: str
    names: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        return self.path[0]

    @property
    def whole(self) -> str:
        """The way as one text, by which a label names it."""
        return SEPARATOR.join(self.path)

    @property
    def is_rest(self) -> bool:
        return self.path[-1] in _REST


@dataclass(frozen=True)
class BadRow:
    """A row of a table that could not be used: its line, and why."""

    line: int
    reason: str


class Tree:
    """A whole tree: its nodes in the order of the table, each first level before what is under it."""

    def __init__(self, rows: Iterable[tuple[_Path, tuple[str, ...]]]) -> None:
        spoken: dict[_Path, tuple[str, ...]] = {}
        for path, names in rows:
            for depth in range(1, len(path)):
                spoken.setdefault(path[:depth], ())
            spoken[path] = names or spoken.get(path, ())
        named = _named(spoken)
        self.topics = tuple(Topic(path, named[path], names) for path, names in sorted_by_branch(spoken.items()))
        self.branches = tuple(topic.name for topic in self.topics if len(topic.path) == 1)
        self._found = {topic.whole: topic for topic in self.topics}
        for topic in self.topics:
            self._found.setdefault(topic.name, topic)
        self._inner = {topic.path[:-1] for topic in self.topics}
        self.leaves = tuple(topic for topic in self.topics if topic.path not in self._inner)

    @property
    def levels(self) -> tuple[int, ...]:
        """How many nodes each level has."""
        depths = Counter(len(topic.path) for topic in self.topics)
        return tuple(depths[depth] for depth in sorted(depths))

    def find(self, said: str) -> Topic | None:
        """The node of this name, or of this whole way."""
        return self._found.get(said.strip())

    def written(self) -> str:
        """The tree as a table that `read_tree` gives back whole; equal trees are equal texts."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow((*LEVELS, SPOKEN))
        for topic in self.topics:
            if topic.path not in self._inner or topic.names:
                table.writerow((*topic.path, *[""] * (len(LEVELS) - len(topic.path)), " ".join(topic.names)))
        return out.getvalue()

    @property
    def digest(self) -> str:
        return sha256(self.written().encode()).hexdigest()


def sorted_by_branch(nodes: Iterable[tuple[_Path, tuple[str, ...]]]) -> list[tuple[_Path, tuple[str, ...]]]:
    """Nodes in the order of the table, but what belongs together beside each other."""
    order: dict[_Path, int] = {}
    kept = list(nodes)
    for path, _ in kept:
        order.setdefault(path, len(order))
    return sorted(kept, key=lambda node: [order[node[0][:depth]] for depth in range(1, len(node[0]) + 1)])


def _named(spoken: Iterable[_Path]) -> dict[_Path, str]:
    """Each node's own word where only one has it, else with the level above, else the whole way."""
    paths = list(spoken)
    named: dict[_Path, str] = {}
    for size in (1, 2, 3):
        counts = Counter(path[-size:] for path in paths)
        for path in paths:
            if path not in named and counts[path[-size:]] == 1 and (size > 1 or path[-1] not in _REST):
                named[path] = SEPARATOR.join(path[-size:])
    taken = Counter(named.values())
    return {path: named[path] if taken[named[path]] == 1 else SEPARATOR.join(path) for path in paths}


# ---- reading a table


def decoded(data: bytes) -> str:
    """The words of a table: UTF-8 with or without its mark, else GB18030; ValueError where it is neither."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ValueError("这不是文字表格。请在表格软件里另存为 CSV 再导入。")


def read_tree(text: str) -> tuple[Tree, list[BadRow]]:
    """The tree of a table, and the rows that could not be used.

    A table is CSV (一级分类,二级分类,三级分类 and, if wanted, 常用说法 with blanks between), two or three levels; or
    lines `branch<tab>name<tab>how people say it`, as this project's own. Lines that begin with # are remarks.
    """
    rows: dict[_Path, tuple[str, ...]] = {}
    lines: dict[_Path, int] = {}
    bad: list[BadRow] = []
    for line, levels, spoken in _rows(text):
        reason = _wrong(levels, len(rows))
        path = tuple(level for level in levels if level)
        if not reason and path in rows:
            reason = f"与第 {lines[path]} 行相同"
        if reason:
            bad.append(BadRow(line, reason))
        else:
            rows[path], lines[path] = spoken, line
    return Tree(rows.items()), bad


def _rows(text: str) -> Iterator[tuple[int, list[str], tuple[str, ...]]]:
    """Line, levels and spoken names of every row that is not empty, a remark or the head."""
    lines = text.removeprefix("\ufeff").splitlines()
    own = any("\t" in line for line in lines if not line.startswith("#"))
    spoken_at = 2 if own else -1
    head = True
    for number, line in enumerate(lines, 1):
        cells = [_clean(cell) for cell in _cells(line[:LONGEST_LINE], "\t" if own else ",")]
        while cells and not cells[-1]:
            cells.pop()
        if not cells or cells[0].startswith("#"):
            continue
        if head and set(cells) <= _HEADS:
            spoken_at = cells.index(SPOKEN) if SPOKEN in cells else -1
        else:
            spoken = cells.pop(spoken_at) if 0 <= spoken_at < len(cells) else ""
            while cells and not cells[-1]:
                cells.pop()
            yield number, cells, tuple(spoken.split())
        head = False


def _cells(line: str, between: str) -> list[str]:
    """One line alone: a quote that is never closed must not swallow the rest of the table."""
    return next(csv.reader([line], delimiter=between), [])


def _clean(cell: str) -> str:
    """A cell without edges; a stroke in a name would look like a step of the way."""
    return " ".join(cell.split()).replace(SEPARATOR, "／")


def _wrong(levels: list[str], so_far: int) -> str:
    """Why a row cannot be used; nothing where it can."""
    if not levels or not levels[0]:
        return "没有一级分类。合并过的单元格请先取消合并，每一行都填满"
    if len(levels) > len(LEVELS):
        return f"有 {len(levels)} 列，最多 {len(LEVELS)} 级分类"
    if len(levels) == 3 and not levels[1]:
        return "有三级分类，却没有二级分类"
    long = next((level for level in levels if len(level) > LONGEST_NAME), "")
    if long:
        return f"“{long[:12]}…”有 {len(long)} 个字，名称最多 {LONGEST_NAME} 个字"
    return f"超过 {MOST_ROWS} 行，后面的没有用" if so_far >= MOST_ROWS else ""


@lru_cache(maxsize=1)
def civic_tree() -> Tree:
    """The tree written for this project, read once per process."""
    return read_tree((files("nlp") / "lexicon" / "topics.tsv").read_text(encoding="utf-8"))[0]
