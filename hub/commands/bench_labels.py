"""`bench labels`: the shipped models on all labelled rows and on their halves, and what an office's own labels add."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from hub.commands.bench_analyse import official_replies, read_sets
from hub.commands.labels import measure
from hub.commands.topics import fold_by_fold, read_filed, read_tree_file
from nlp.evaluation import Band, figures
from nlp.sentiment import Model, load_model
from nlp.topic_training import routed
from nlp.topics import Topics
from nlp.training import Labelled, own_corpus, train

LABELS = (100, 300, 1000, 8000)
DRAWS = 3  # of so many labels each
_TESTED = 5  # every fifth row is for measuring, whatever is learnt from the others
_FOLDS = 5
_OFFICE = "civic_comments"  # the set whose rows stand for an office's labels
_LETTERS, _TREE = "routing/labelled_letters.jsonl.gz", "routing/topic_tree.csv"


@dataclass(frozen=True)
class Result:
    """One model on some rows. `accuracy` is of topics, `negative_recall` of sentiment."""

    set: str
    rows: str
    texts: int
    macro_f1: float | None
    negative_recall: float | None = None
    called_negative: float | None = None
    accuracy: float | None = None


def add(parser: argparse.ArgumentParser) -> None:
    data = os.environ.get("HUB_BENCH_DATA", "")
    parser.add_argument("--data", metavar="DIR", default=data, help="带标注的数据文件夹（默认 HUB_BENCH_DATA）")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.data) if arguments.data else None
    sets = read_sets(folder, None) if folder else {}
    model = load_model()
    if not sets:
        print("没有带标注的数据文件夹，改用自带语料：五分之四训练，五分之一测。", file=sys.stderr)
        corpus = own_corpus()
        model = train([row for number, row in enumerate(corpus) if number % _TESTED])
        sets = {"自带语料（留出部分）": corpus[::_TESTED]}
    results = [result for name, rows in sets.items() for result in _halves(name, model, rows)]
    results += _replies(folder, model) if folder else []
    results += _with_labels(sets.get(_OFFICE, []))
    results += _topics(folder) if folder else []
    bands = {name: measure(model, rows).calibration for name, rows in sets.items()}
    _print(results, bands, as_json=arguments.json)
    return 0


def _halves(name: str, model: Model, rows: list[Labelled]) -> Iterator[Result]:
    middle = len(rows) // 2
    for half, some in (("前一半", rows[:middle]), ("后一半", rows[middle:]), ("全部", rows)):
        yield _result(name, half, model, some)


def _result(name: str, which: str, model: Model, rows: list[Labelled]) -> Result:
    part = measure(model, rows).against_positive
    return Result(name, which, part.texts, part.macro_f1, part.recall.get("neg"))


def _replies(folder: Path, model: Model) -> list[Result]:
    """How many of the office's own answers the model calls negative."""
    texts = official_replies(folder)
    score = model.scorers()["post"].judge
    called = sum(score(text, with_reasons=False).label == "neg" for text in texts)
    return [Result("官方答复", "全部", len(texts), None, None, round(called / len(texts), 3))] if texts else []


def _with_labels(rows: list[Labelled]) -> list[Result]:
    """The own texts with so many labels of an office, measured on rows that none of them is learnt from."""
    tested = rows[::_TESTED]
    pool = [row for number, row in enumerate(rows) if number % _TESTED]
    plans = [(count, draw) for count in LABELS for draw in range(min(DRAWS, len(pool) // count))]
    results = []
    for count, draw in tqdm(plans, desc="加上单位的标注", unit="次", file=sys.stderr):
        drawn = pool[draw :: len(pool) // count][:count]
        learnt = [Labelled(row.text, row.label, row.kind, office=True) for row in drawn]
        model = train([*own_corpus(), *learnt])
        results.append(_result(_OFFICE, f"加 {count:,} 条标注，第 {draw + 1} 次抽取", model, tested))
    return results


def _topics(folder: Path) -> list[Result]:
    """First levels of an office's tree by its names alone, then by a model of the other folds' labels."""
    if not (folder / _LETTERS).exists():
        return []
    tree = read_tree_file(str(folder / _TREE))[0]
    _, labels = read_filed(str(folder / _LETTERS), tree)
    truth, topics = [label.branch for label in labels], Topics(tree)
    by_names = [routed(topics, label.text) for label in labels]
    by_model = fold_by_fold(tree, labels, _FOLDS)
    found = []
    for way, said in (("只靠名称", by_names), (f"名称加标注，{_FOLDS} 折", by_model)):
        for half, part in (("双数行", slice(0, None, 2)), ("单数行", slice(1, None, 2)), ("全部", slice(None))):
            own = figures(truth[part], said[part])
            found.append(Result(f"主题：{way}", half, own.texts, own.macro_f1, accuracy=own.accuracy))
    return found


def _print(results: list[Result], bands: dict[str, tuple[Band, ...]], *, as_json: bool) -> None:
    if as_json:
        calibration = {name: [asdict(band) for band in found] for name, found in bands.items()}
        plain = {"results": [asdict(result) for result in results], "calibration": calibration}
        print(json.dumps(plain, ensure_ascii=False))
        return
    print("数据集\t哪些行\t条数\t宏 F1\t负面查全\t判为负面\t准确率")
    for row in results:
        values = (row.macro_f1, row.negative_recall, row.called_negative, row.accuracy)
        shown = "\t".join("–" if value is None else f"{value:.3f}" for value in values)
        print(f"{row.set}\t{row.rows}\t{row.texts:,}\t{shown}")
    print("\n校准\t分数段\t条数\t平均分数\t实际负面占比")
    for name, found in bands.items():
        for band in found:
            print(f"{name}\t{band.low:.1f}–{band.high:.1f}\t{band.texts:,}\t{band.said:.3f}\t{band.true:.3f}")
