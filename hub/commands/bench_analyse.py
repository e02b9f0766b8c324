"""`bench analyse`: the analysis beside snownlp as installed and jieba, speed and accuracy in one run; no tuning."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from hub.desk.reading_pool import TOGETHER
from nlp.contract import Sentiment
from nlp.evaluation import report
from nlp.reading import Asked, Reader
from nlp.sentiment import Model, Snownlp
from nlp.training import Labelled, own_corpus, train

ROWS = 2000
_SETS = {
    "civic_comments": ("comment", "sentiment/civic_comments.jsonl.gz"),
    "epidemic_weibo": ("post", "sentiment/epidemic_weibo.jsonl.gz"),
    "general_weibo": ("post", "sentiment/general_weibo.jsonl.gz"),
}
_REPLIES = "letters/with_official_replies.jsonl.gz"
_FOLD = 5


@dataclass(frozen=True)
class Result:
    """One method on one set. The speed is of the whole analysis; for snownlp of its sentiment alone.

    It counts the time of this one process, so that a busy machine slows nobody's figure.
    """

    set: str
    method: str
    texts: int
    texts_per_second: float
    macro_f1: float | None
    negative_recall: float | None
    called_negative: float | None = None


@dataclass(frozen=True)
class Method:
    """A way to read texts, each with its kind: its name and how it answers."""

    name: str
    sentiments: Callable[[Sequence[tuple[str, str]]], list[Sentiment]]


def add(parser: argparse.ArgumentParser) -> None:
    data = os.environ.get("HUB_BENCH_DATA", "")
    parser.add_argument("--data", metavar="DIR", default=data, help="带标注的数据文件夹（默认 HUB_BENCH_DATA）")
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"每个数据集用多少条（默认 {ROWS}）")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.data) if arguments.data else None
    sets = read_sets(folder, arguments.rows) if folder else {}
    model: Model | None = None
    if not sets:
        print("没有带标注的数据文件夹，改用自带语料：五分之四训练，五分之一测。", file=sys.stderr)
        corpus = own_corpus()
        model = train([row for number, row in enumerate(corpus) if number % _FOLD])
        sets = {"自带语料（留出部分）": corpus[::_FOLD]}
    methods = _methods(model)
    results = [_measure(name, rows, method) for name, rows in sets.items() for method in methods]
    results += _official(folder, arguments.rows, methods)
    _print(results, as_json=arguments.json)
    return 0


def _methods(model: Model | None) -> list[Method]:
    ours, with_jieba = Reader(model=model), Reader(model=model, reference=True)
    with_jieba.words.cut("先读词典，再计时")
    snownlp = Snownlp()
    return [
        Method("snownlp 原样（只判情感）", lambda texts: [snownlp.judge(text) for text, _ in texts]),
        Method("jieba 加线性模型", partial(_read_by, with_jieba)),
        Method("本系统", partial(_read_by, ours)),
    ]


def _read_by(reader: Reader, texts: Sequence[tuple[str, str]]) -> list[Sentiment]:
    return [one.sentiment for one in reader.read_many([Asked(text, kind) for text, kind in texts])]


def read_sets(folder: Path, rows: int | None) -> dict[str, list[Labelled]]:
    """The labelled sets of a folder without their neutral rows, so many rows of each or all."""
    sets = {}
    for name, (kind, file) in _SETS.items():
        if (folder / file).exists():
            found = [Labelled(row["text"], row["label"], kind) for row in _lines(folder / file)]
            sets[name] = [row for row in found if row.label != "neu"][:rows]
    return sets


def _lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _measure(name: str, rows: list[Labelled], method: Method) -> Result:
    answers, speed = _timed(f"{name} · {method.name}", [(row.text, row.kind) for row in rows], method)
    against = report([row.label for row in rows], answers)
    part = against.against_positive
    return Result(name, method.name, len(rows), speed, part.macro_f1, part.recall.get("neg"))


def _official(folder: Path | None, rows: int, methods: list[Method]) -> list[Result]:
    """How many of the office's own answers a method calls negative."""
    texts = [(text, "letter") for text in official_replies(folder)][:rows] if folder else []
    results = []
    for method in methods if texts else []:
        answers, speed = _timed(f"官方答复 · {method.name}", texts, method)
        share = sum(answer.label == "neg" for answer in answers) / len(answers)
        results.append(Result("官方答复", method.name, len(texts), speed, None, None, round(share, 3)))
    return results


def official_replies(folder: Path) -> list[str]:
    """The office's own answers, where the folder has them."""
    path = folder / _REPLIES
    return [row["reply"] for row in _lines(path)] if path.exists() else []


def _timed(title: str, texts: list[tuple[str, str]], method: Method) -> tuple[list[Sentiment], float]:
    """In batches as the office reads; one by one costs two to two and a half times as much."""
    start, answers = time.process_time(), []
    with tqdm(total=len(texts), desc=title, unit="条", file=sys.stderr) as bar:
        for first in range(0, len(texts), TOGETHER):
            some = texts[first : first + TOGETHER]
            answers += method.sentiments(some)
            bar.update(len(some))
    return answers, round(len(texts) / (time.process_time() - start), 1)


def _print(results: list[Result], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(result) for result in results], ensure_ascii=False))
        return
    print("数据集\t方法\t条数\t条/秒\t宏 F1\t负面查全\t判为负面")
    for row in results:
        figures = (row.macro_f1, row.negative_recall, row.called_negative)
        shown = "\t".join("–" if value is None else f"{value:.3f}" for value in figures)
        print(f"{row.set}\t{row.method}\t{row.texts}\t{row.texts_per_second:,.0f}\t{shown}")
