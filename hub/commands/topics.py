"""Topics for `train`, `evaluate` and `analyse`: trees and filed letters from files; how they are used lives in nlp."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hub.commands.rows import BAD_SHOWN, Row, Rows, needs_text, read_rows
from hub.domain.errors import Misconfigured
from nlp.evaluation import Figures, figures
from nlp.model_file import ModelFileError
from nlp.topic_model import TopicModel, read_topic_model, write_topic_model
from nlp.topic_training import Filed, routed, train_topics, try_out_topics
from nlp.topic_tree import BadRow, Tree, civic_tree, decoded, read_tree
from nlp.topics import Topics

LEAST = 20  # labels from which holding out says anything
TREE_HELP = "主题：按这张分类表（CSV），不写文件则用随产品的分类；标注每行 title、text、topic"


def tree_of(name: str) -> Tree:
    """The tree of a file, its bad rows named on the error stream; the product's own where no file is named."""
    if not name:
        return civic_tree()
    try:
        tree, bad = read_tree(decoded(Path(name).read_bytes()))
    except OSError as trouble:
        raise Misconfigured(f"读不了分类表 {name}：找不到或无权打开。") from trouble
    except ValueError as trouble:
        raise Misconfigured(f"分类表 {name} 用不了：{trouble}") from trouble
    if len(tree.branches) < 2:
        raise Misconfigured(f"分类表 {name} 里没有两个以上的一级分类。表头应为 一级分类,二级分类,三级分类。")
    print_bad(bad)
    return tree


def print_bad(bad: Sequence[BadRow]) -> None:
    """The rows of a tree that were not used."""
    for row in bad[:BAD_SHOWN]:
        print(f"分类表第 {row.line} 行没有用上：{row.reason}。", file=sys.stderr)
    if len(bad) > BAD_SHOWN:
        print(f"分类表另有 {len(bad) - BAD_SHOWN} 行没有用上。", file=sys.stderr)


def topics_of(tree_name: str | None, model_name: str | None) -> Topics | None:
    """What `analyse` routes with; None: as the product comes."""
    if tree_name is None and model_name is None:
        return None
    tree = tree_of(tree_name or "")
    return Topics(tree, _model(model_name, tree))


def _model(name: str | None, tree: Tree) -> TopicModel | None:
    if not name:
        return None
    try:
        model = read_topic_model(Path(name).read_bytes())
    except OSError as trouble:
        raise Misconfigured(f"读不了模型文件 {name}：找不到或无权打开。") from trouble
    except ModelFileError as trouble:
        raise Misconfigured(str(trouble)) from trouble
    if not model.fits(tree):
        raise Misconfigured(f"{name} 是按另一张分类表训练的。请用那张分类表，或按这一张重新训练。")
    return model


def read_filed(name: str, tree: Tree) -> tuple[Rows, list[Filed]]:
    """The letters of a file with the first level of the topic each was filed under."""

    def look(row: Row) -> str | None:
        topic = row.get("topic")
        if not isinstance(topic, str) or tree.find(topic) is None:
            return f"分类表里没有“{str(topic)[:40]}”"
        return needs_text(row)

    found = read_rows(name, look)
    if not found.rows:
        found.report()
        raise Misconfigured('文件里没有一行可用的标注。每行应为 {"title": …, "text": …, "topic": "分类表里的名称"}。')
    return found, [_filed(row, tree) for row in found.rows]


def _filed(row: Row, tree: Tree) -> Filed:
    topic = tree.find(row["topic"])
    title = str(row.get("title") or "")
    return Filed(f"{title}\n{row['text']}" if title else row["text"], topic.branch if topic else "")


def train(arguments: argparse.Namespace) -> int:
    """`train LABELS --topics [TREE] --out M`."""
    tree = tree_of(arguments.topics)
    found, labels = read_filed(arguments.file, tree)
    sides: dict[str, Any] = {}
    if len(labels) >= LEAST:
        trial = try_out_topics(labels, tree.written(), None)
        sides = {"before": trial.before, "after": trial.after}
    try:
        Path(arguments.out).write_bytes(write_topic_model(train_topics(tree, labels)))
    except OSError as trouble:
        raise Misconfigured(f"写不了 {arguments.out}：文件夹不存在或无权写入。请换一个位置。") from trouble
    if arguments.json:
        print(json.dumps({"out": arguments.out, "labels": len(labels), **sides}, ensure_ascii=False))
        return found.report()
    print(f"用了 {len(labels)} 条标注和分类表的名称，主题模型写到 {arguments.out}。")
    for side, words in (("before", "只靠名称（五折）"), ("after", "训练后（同一批）")):
        if side in sides:
            right = sum(row["right"] for row in sides[side]["branches"])
            print(f"{words}：{sides[side]['texts']} 条，分对 {right} 条")
    return found.report()


def evaluate(arguments: argparse.Namespace) -> int:
    """`evaluate LABELS --topics [TREE] [--model M | --folds N]`: the first level, on all rows and on each half."""
    tree = tree_of(arguments.topics)
    found, labels = read_filed(arguments.file, tree)
    if arguments.folds:
        said = fold_by_fold(tree, labels, arguments.folds)
    else:
        topics = Topics(tree, _model(arguments.model, tree))
        said = [routed(topics, label.text) for label in tqdm(labels, unit="条", file=sys.stderr)]
    truth = [label.branch for label in labels]
    report = {
        "all": figures(truth, said),
        "even_rows": figures(truth[::2], said[::2]),
        "odd_rows": figures(truth[1::2], said[1::2]),
    }
    if arguments.json:
        print(json.dumps({name: asdict(part) for name, part in report.items()}, ensure_ascii=False))
    else:
        print("\n".join(_lines(report)))
    return found.report()


def fold_by_fold(tree: Tree, labels: list[Filed], folds: int) -> list[str]:
    """Each row routed by a model of the rows that are not in its fold: row number modulo the number of folds."""
    said = [""] * len(labels)
    for fold in tqdm(range(folds), unit="折", file=sys.stderr):
        learnt = [label for number, label in enumerate(labels) if number % folds != fold]
        topics = Topics(tree, train_topics(tree, learnt))
        for number in range(fold, len(labels), folds):
            said[number] = routed(topics, labels[number].text)
    return said


def _lines(report: dict[str, Figures]) -> list[str]:
    names = {"all": "全部", "even_rows": "从 0 数的双数行", "odd_rows": "单数行"}
    lines = [
        f"{names[key]}：{part.texts} 条，准确率 {part.accuracy:.3f}，宏 F1 {part.macro_f1:.3f}"
        for key, part in report.items()
    ]
    recalls = "，".join(f"{name} {value:.3f}" for name, value in report["all"].recall.items())
    return [*lines, f"各大类查全：{recalls}"]
