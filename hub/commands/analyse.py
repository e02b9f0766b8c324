"""`analyse`: reads texts of a file one by one and writes the rows back with what was read; the reading lives in nlp."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import Any

from tqdm import tqdm

from hub.commands import office_words, topics
from hub.commands.files import Lines, written_to
from hub.commands.rows import Row, Rows, each_row, needs_text, quoted
from hub.domain.errors import Misconfigured
from hub.orphans import end_with_parent
from nlp.contract import Analysis
from nlp.model_file import ModelFileError
from nlp.reading import KINDS, Asked, Reader

_BATCH = 200
_AHEAD = 4  # batches that wait for each process: more would only fill the memory
_MOST_WORKERS = 64
_READER: list[Reader] = []  # one per process
Batch = list[tuple[str, str | None]]
Means = tuple[str | None, str | None, str | None, str | None]  # model, tree, topic model, the office's words


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="JSON Lines 或 CSV，可以 .gz 结尾，- 为标准输入；每行至少有 text")
    parser.add_argument("--out", metavar="F", help="写到这个文件（默认标准输出）")
    parser.add_argument("--model", metavar="M", help="用这个模型文件；snownlp 为原样的 snownlp，供对照")
    parser.add_argument("--kind", choices=KINDS, help="没有写明种类的行按这一种读；不给则从文字猜")
    parser.add_argument("--topics", nargs="?", const="", metavar="TREE", help=topics.TREE_HELP)
    parser.add_argument("--topic-model", metavar="M", help="按这个主题模型分类（与 --topics 是同一张分类表）")
    parser.add_argument("--dictionary", metavar="F", help=office_words.WORDS_HELP)
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="用几个进程（默认 1）")
    parser.add_argument("--json", action="store_true", help="结果本来就是 JSON Lines；此项只为各命令一致")


def _workers(said: str) -> int:
    if not said.isdecimal() or not 1 <= int(said[:9]) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"应为 1 到 {_MOST_WORKERS} 的整数")
    return int(said)


def run(arguments: argparse.Namespace) -> int:
    tables = max(topics.report(arguments.topics), office_words.report(arguments.dictionary))
    words = office_words.words_of(arguments.dictionary)[0]
    means = (arguments.model, arguments.topics, arguments.topic_model, words)
    _load(*means)  # here too, so that a wrong model is said once and at once
    lines, found = Lines(arguments.file), Rows()
    with written_to(arguments.out) as stream, tqdm(total=lines.count(), unit="条", file=sys.stderr) as bar:
        read = 0
        for number, (row, analysis) in enumerate(_analyses(each_row(lines, _look, found), arguments, means), 1):
            stream.write(json.dumps({**row, "analysis": analysis}, ensure_ascii=False) + "\n")
            read = _moved(bar, read, number + len(found.bad))
        _moved(bar, read, bar.total or 0)
    return max(found.report(), tables)


def _moved(bar: Any, before: int, now: int) -> int:
    bar.update(max(0, now - before))
    return max(before, now)


def _look(row: Row) -> str | None:
    kind = row.get("kind")
    if kind not in (None, "", *KINDS):
        return f"kind 应为 {'、'.join(KINDS)} 之一，不是{quoted(kind)}"
    return needs_text(row)


def _analyses(
    rows: Iterator[Row], arguments: argparse.Namespace, means: Means
) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Each row with its analysis, in the order of the rows, over as many processes as asked for."""
    if arguments.workers == 1:
        for some in _cut(rows):
            yield from zip(some, _read(_asked(some, arguments.kind)), strict=True)
        return
    with ProcessPoolExecutor(arguments.workers, get_context("spawn"), _begin, means) as pool:
        try:
            with _keyboard_unheard():
                for _ in range(arguments.workers):
                    pool.submit(int)  # each starts a process while none is idle
            yield from _spread(pool, rows, arguments)
        except BrokenProcessPool as trouble:
            raise Misconfigured("一个读文字的进程没了，多半是内存不够。请减少 --workers 再试。") from trouble
        finally:
            pool.shutdown(cancel_futures=True)


def _spread(
    pool: ProcessPoolExecutor, rows: Iterator[Row], arguments: argparse.Namespace
) -> Iterator[tuple[Row, dict[str, Any]]]:
    waiting: deque[tuple[list[Row], Future[list[dict[str, Any]]]]] = deque()
    for some in _cut(rows):
        waiting.append((some, pool.submit(_read, _asked(some, arguments.kind))))
        if len(waiting) > arguments.workers * _AHEAD:
            first, done = waiting.popleft()
            yield from zip(first, done.result(), strict=True)
    for some, done in waiting:
        yield from zip(some, done.result(), strict=True)


def _cut(rows: Iterator[Row]) -> Iterable[list[Row]]:
    return iter(lambda: list(islice(rows, _BATCH)), [])


def _asked(rows: list[Row], kind: str | None) -> Batch:
    return [(row["text"], row.get("kind") or kind) for row in rows]


@contextmanager
def _keyboard_unheard() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal; those that are started here leave it to their parent."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(*means: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    _load(*means)


def _load(model: str | None, tree: str | None, topic_model: str | None, words: str | None) -> None:
    try:
        _READER[:] = [Reader(words, model=model, topics=topics.topics_of(tree, topic_model))]
    except OSError as trouble:
        raise Misconfigured(f"读不了模型文件 {model or '（随产品的）'}。请检查文件名和权限。") from trouble
    except ModelFileError as trouble:
        raise Misconfigured(str(trouble)) from trouble


def _read(batch: Batch) -> list[dict[str, Any]]:
    return list(map(_plain, _READER[0].read_many([Asked(text, kind) for text, kind in batch])))


def _plain(analysis: Analysis) -> dict[str, Any]:
    found = analysis.plain()
    found["simhash"] = f"{found['simhash']:016x}"  # as text: 64 bits do not survive every reader of JSON
    return found
