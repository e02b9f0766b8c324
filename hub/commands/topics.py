"""Topics for `train`, `evaluate` and `analyse`: trees and filed letters from files; how they are used lives in nlp."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hub.commands.files import placed, read_whole
from hub.commands.rows import BAD_SHOWN, Row, Rows, needs_words, quoted, read_rows, say
from hub.domain.errors import Misconfigured
from nlp.copies import marks_of
from nlp.evaluation import Figures, figures
from nlp.model_file import ModelFileError
from nlp.normal import normalise
from nlp.topic_model import TopicModel, read_topic_model
from nlp.topic_training import Filed, routed, train_topics, trained_topics, try_out_topics
from nlp.topic_tree import BadRow, Tree, civic_tree, decoded, read_tree
from nlp.topics import Topics

LEAST = 20  # labels from which holding out says anything
TREE_HELP = "主题：按这张分类表（CSV），不写文件则用随产品的分类；标注每行 title、text、topic"


def read_tree_file(name: str) -> tuple[Tree, list[BadRow]]:
    """The tree of a file and its bad rows; the product's own where no file is named."""
    if not name:
        return civic_tree(), []
    try:
        text = decoded(read_whole(name))
        if text.lstrip().startswith("{"):
            raise ValueError("这像是 JSON，不是表格。请换成分类表的 CSV。")
        tree, bad = read_tree(text)
    except ValueError as trouble:
        raise Misconfigured(f"分类表 {name} 用不了：{trouble}") from trouble
    if len(tree.branches) < 2:
        raise Misconfigured(f"分类表 {name} 里没有两个以上的一级分类。表头应为 一级分类,二级分类,三级分类。")
    return tree, bad


def report(name: str | None) -> int:
    """Names the rows of a tree that were not used on the error stream; exit status 1 where there are any."""
    bad = read_tree_file(name or "")[1]
    for row in bad[:BAD_SHOWN]:
        say(f"分类表第 {row.line} 行没有用上：{row.reason}。")
    if len(bad) > BAD_SHOWN:
        say(f"分类表另有 {len(bad) - BAD_SHOWN} 行没有用上。")
    return 1 if bad else 0


def topics_of(tree_name: str | None, model_name: str | None) -> Topics | None:
    """What `analyse` routes with; None: as the product comes."""
    if tree_name is None and model_name is None:
        return None
    tree = read_tree_file(tree_name or "")[0]
    return Topics(tree, _model(model_name, tree))


def _model(name: str | None, tree: Tree) -> TopicModel | None:
    if not name:
        return None
    try:
        model = read_topic_model(Path(name).read_bytes())
    except OSError as trouble:
        raise Misconfigured(f"读不了模型文件 {name}。请检查文件名和权限。") from trouble
    except ModelFileError as trouble:
        raise Misconfigured(str(trouble)) from trouble
    if not model.fits(tree):
        raise Misconfigured(f"{name} 是按另一张分类表训练的。请用那张分类表，或按这一张重新训练。")
    return model


def read_filed(name: str, tree: Tree) -> tuple[Rows, list[Filed]]:
    """The letters of a file with the first level of the topic each was filed under."""

    def look(row: Row) -> str | None:
        topic = row.get("topic")
        if topic in (None, ""):
            return "缺少 topic"
        if not isinstance(topic, str) or tree.find(topic) is None:
            return f"分类表里没有{quoted(topic, 40)}"
        return "title 应为文字" if not isinstance(row.get("title") or "", str) else needs_words(row)

    found = read_rows(name, look)
    if not found.rows:
        found.name_bad()
        some = "、".join(tree.branches[:8])
        raise Misconfigured(f"文件里没有一行可用的标注。每行应有 text 和 topic；topic 是分类表里的名称，如 {some}。")
    return found, [_filed(row, tree) for row in found.rows]


def _filed(row: Row, tree: Tree) -> Filed:
    topic = tree.find(row["topic"])
    title = row.get("title") or ""
    return Filed(f"{title}\n{row['text']}" if title else row["text"], topic.branch if topic else "")


def train(arguments: argparse.Namespace) -> int:
    """`train LABELS --topics [TREE] --out M`."""
    tree, status = read_tree_file(arguments.topics)[0], report(arguments.topics)
    with placed(arguments.out) as part:
        found, labels = read_filed(arguments.file, tree)
        with tqdm(total=2, desc="训练", unit="步", file=sys.stderr) as bar:
            sides: dict[str, Any] = {}
            if len(labels) >= LEAST:
                trial = try_out_topics(labels, tree.written(), None)
                sides = {"before": trial.before, "after": trial.after}
            bar.update()
            part.write_bytes(trained_topics(labels, tree.written()))
            bar.update()
    _say_trained(arguments, len(labels), sides)
    return max(found.report(), status)


def _say_trained(arguments: argparse.Namespace, labels: int, sides: dict[str, Any]) -> None:
    if arguments.json:
        print(json.dumps({"out": arguments.out, "labels": labels, **sides}, ensure_ascii=False))
        return
    print(f"用了 {labels} 条标注和分类表的名称，主题模型写到 {arguments.out}。")
    for side, words in (("before", "只靠名称（五折）"), ("after", "训练后（同一批）")):
        if side in sides:
            right = sum(row["right"] for row in sides[side]["branches"])
            print(f"{words}：{sides[side]['texts']} 条，分对 {right} 条")
    if not sides:
        print(f"标注不到 {LEAST} 条，没有留出来测量。")


def evaluate(arguments: argparse.Namespace) -> int:
    """`evaluate LABELS --topics [TREE] [--model M | --folds N]`: the first level, on all rows and on each half."""
    tree, status = read_tree_file(arguments.topics)[0], report(arguments.topics)
    routes = Topics(tree, _model(arguments.model, tree))
    found, labels = read_filed(arguments.file, tree)
    if arguments.folds:
        said = fold_by_fold(tree, labels, arguments.folds)
    else:
        said = [routed(routes, label.text) for label in tqdm(labels, unit="条", file=sys.stderr)]
    truth = [label.branch for label in labels]
    report_of = {
        "all": figures(truth, said),
        "even_rows": figures(truth[::2], said[::2]),
        "odd_rows": figures(truth[1::2], said[1::2]),
    }
    if arguments.json:
        print(json.dumps({name: asdict(part) for name, part in report_of.items()}, ensure_ascii=False))
    else:
        print("\n".join(_lines(report_of)))
    return max(found.report(), status)


def fold_by_fold(tree: Tree, labels: list[Filed], folds: int) -> list[str]:
    """Each row routed by a model of the rows that are not in its fold: row number modulo the number of folds, of the
    same words the first one's, so that no text is measured by a model that has learnt it."""
    said = [""] * len(labels)
    first: dict[str, int] = {}
    at = [first.setdefault(marks_of(normalise(label.text))[0], number) % folds for number, label in enumerate(labels)]
    for fold in tqdm(range(folds), unit="折", file=sys.stderr):
        learnt = [label for label, own in zip(labels, at, strict=True) if own != fold]
        topics = Topics(tree, train_topics(tree, learnt))
        for number in (number for number, own in enumerate(at) if own == fold):
            said[number] = routed(topics, labels[number].text)
    return said


def _lines(report_of: dict[str, Figures]) -> list[str]:
    names = {"all": "全部", "even_rows": "从 0 数的双数行", "odd_rows": "单数行"}
    lines = [
        f"{names[key]}：{part.texts} 条，准确率 {part.accuracy:.3f}，宏 F1 {part.macro_f1:.3f}"
        for key, part in report_of.items()
    ]
    recalls = "，".join(f"{name} {value:.3f}" for name, value in report_of["all"].recall.items())
    return [*lines, f"各大类查全：{recalls}"]
