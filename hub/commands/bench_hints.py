"""`bench hints`: what the shipped reader of 可能紧急 says of marked texts, as counts only; no tuning, no text printed.

Rows: `text`, perhaps `title`; `marks` (or `urgent`): the kinds that somebody gave it, none where left out; `doubtful`:
whoever marked it was not sure. JSON Lines, CSV, or one JSON list.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hub.commands.rows import Row, needs_text, read_rows
from hub.domain.errors import Misconfigured
from hub.domain.urgency import KINDS
from nlp.hints import shipped_hints
from nlp.normal import normalise

TOGETHER = 100


@dataclass(frozen=True)
class Counted:
    """Counts of one file. By kind [how many there are, how many were found]; of those shown, how many were right, and
    the same two without the doubtful ones (`right_and_sure` of all shown: every doubtful one is wrong); of the rows
    without a mark [how many, how many got one], sure ones and doubtful ones. `seconds` of processor time in all."""

    rows: int
    kinds: dict[str, list[int]]
    shown: int
    right: int
    shown_sure: int
    right_and_sure: int
    unmarked: list[int]
    doubtful_unmarked: list[int]
    seconds: float


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="有标注的文本；- 为标准输入")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    for name in arguments.files:
        counted = count(_rows(name))
        print(json.dumps(asdict(counted), ensure_ascii=False) if arguments.json else "\n".join(_lines(name, counted)))
    return 0


def count(rows: Sequence[Row]) -> Counted:
    """What the shipped reader says of these rows, beside their marks."""
    texts = [normalise(f"{row['title']}\n{row['text']}" if row.get("title") else str(row["text"])) for row in rows]
    hints = shipped_hints()
    began = time.process_time()
    parts = [hints.read_many(texts[start : start + TOGETHER]) for start in range(0, len(texts), TOGETHER)]
    seconds = time.process_time() - began
    said = [hint.kind if hint else "" for part in parts for hint in part]
    marks = [set(row.get("marks") or row.get("urgent") or ()) for row in rows]
    sure = [not row.get("doubtful") for row in rows]
    every = list(zip(marks, said, sure, strict=True))
    quiet = [(bool(kind), certain) for given, kind, certain in every if not given]
    return Counted(
        rows=len(rows),
        kinds={kind: _shares(kind == one for given, one, _ in every if kind in given) for kind in KINDS},
        shown=sum(map(bool, said)),
        right=sum(kind in given for given, kind, _ in every if kind),
        shown_sure=sum(certain for _, kind, certain in every if kind),
        right_and_sure=sum(kind in given and certain for given, kind, certain in every if kind),
        unmarked=_shares(hinted for hinted, certain in quiet if certain),
        doubtful_unmarked=_shares(hinted for hinted, certain in quiet if not certain),
        seconds=round(seconds, 3),
    )


def _shares(found: Iterable[bool]) -> list[int]:
    every = list(found)
    return [len(every), sum(every)]


def _lines(name: str, found: Counted) -> list[str]:
    (quiet, wrong), (doubtful, doubted) = found.unmarked, found.doubtful_unmarked
    return [
        f"{Path(name).name}：{found.rows} 条，{found.seconds / max(1, found.rows) * 1e6:.1f} 微秒一条",
        *("  {}：{} 条，认出 {} 条".format(words, *found.kinds[kind]) for kind, words in KINDS.items()),
        f"  提示 {found.shown} 条，说对 {found.right} 条；拿不准的一律算错，说对 {found.right_and_sure} 条",
        f"  不算拿不准的：提示 {found.shown_sure} 条，说对 {found.right_and_sure} 条",
        f"  没有标的 {quiet} 条，提示了 {wrong} 条；没有标、拿不准的 {doubtful} 条，提示了 {doubted} 条",
    ]


def _rows(name: str) -> list[Row]:
    if (found := _one_list(name)) is not None:
        return found
    rows = read_rows(name, needs_text)
    if not rows.rows:
        rows.report()
        raise Misconfigured('文件里没有一行可用。每行应为 {"text": …, "marks": [...]}。')
    return rows.rows


def _one_list(name: str) -> list[Row] | None:
    """The rows of a file that is one JSON list; None where it is something else."""
    if not name.endswith(".json"):
        return None
    try:
        found: Any = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as trouble:
        raise Misconfigured(f"读不了 {name}：找不到、无权打开，或不是 JSON。") from trouble
    if not isinstance(found, list) or not all(isinstance(row, dict) and row.get("text") for row in found):
        raise Misconfigured(f"{name} 应是一个列表，每项有 text。")
    return found
