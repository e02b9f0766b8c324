"""`analyse`: reads texts of a file one by one and writes the rows back with what was read; the reading lives in nlp."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from tqdm import tqdm

from hub.commands import topics
from hub.commands.rows import Row, needs_text, read_rows, written_to
from hub.domain.errors import Misconfigured
from nlp.contract import Analysis
from nlp.model_file import ModelFileError
from nlp.reading import KINDS, Asked, Reader

_BATCH = 200
_READER: list[Reader] = []  # one per process


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="JSON Lines 或 CSV，可以 .gz 结尾，- 为标准输入；每行至少有 text")
    parser.add_argument("--out", metavar="F", help="写到这个文件（默认标准输出）")
    parser.add_argument("--model", metavar="M", help="用这个模型文件；snownlp 为原样的 snownlp，供对照")
    parser.add_argument("--kind", choices=KINDS, help="没有写明种类的行按这一种读；不给则从文字猜")
    parser.add_argument("--topics", nargs="?", const="", metavar="TREE", help=topics.TREE_HELP)
    parser.add_argument("--topic-model", metavar="M", help="按这个主题模型分类（与 --topics 是同一张分类表）")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="用几个进程（默认 1）")
    parser.add_argument("--json", action="store_true", help="结果本来就是 JSON Lines；此项只为各命令一致")


def run(arguments: argparse.Namespace) -> int:
    found = read_rows(arguments.file, _look)
    with written_to(arguments.out) as stream:
        done = tqdm(_analyses(found.rows, arguments), total=len(found.rows), unit="条", file=sys.stderr)
        for row, analysis in zip(found.rows, done, strict=True):
            stream.write(json.dumps({**row, "analysis": analysis}, ensure_ascii=False) + "\n")
    return found.report()


def _look(row: Row) -> str | None:
    kind = row.get("kind")
    if kind not in (None, "", *KINDS):
        return f"kind 不认识“{kind}”，应为 {'、'.join(KINDS)} 之一"
    return needs_text(row)


def _analyses(rows: list[Row], arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The analyses in the order of the rows, over as many processes as asked for."""
    batches = [[(row["text"], row.get("kind") or arguments.kind) for row in part] for part in _cut(rows)]
    named = (arguments.model, arguments.topics, arguments.topic_model)
    if arguments.workers <= 1:
        _load(*named)
        for batch in batches:
            yield from _read(batch)
        return
    _load(*named)  # here too, so that a wrong model is said once and at once
    with ProcessPoolExecutor(arguments.workers, get_context("spawn"), _load, named) as pool:
        for part in pool.map(_read, batches):
            yield from part


def _cut(rows: list[Row]) -> Iterable[list[Row]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))


def _load(model: str | None, tree: str | None = None, topic_model: str | None = None) -> None:
    try:
        _READER[:] = [Reader(model=model, topics=topics.topics_of(tree, topic_model))]
    except OSError as trouble:
        raise Misconfigured(f"读不了模型文件 {model}：找不到或无权打开。") from trouble
    except ModelFileError as trouble:
        raise Misconfigured(str(trouble)) from trouble


def _read(batch: list[tuple[str, str | None]]) -> list[dict[str, Any]]:
    return list(map(_plain, _READER[0].read_many([Asked(text, kind) for text, kind in batch])))


def _plain(analysis: Analysis) -> dict[str, Any]:
    found = analysis.plain()
    found["simhash"] = f"{found['simhash']:016x}"  # as text: 64 bits do not survive every reader of JSON
    return found
