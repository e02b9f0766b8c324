"""`train`: an office's labels into a model file, of sentiment or of topics; how it is trained lives in nlp."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from tqdm import tqdm

from hub.commands import topics
from hub.commands.files import placed
from hub.commands.labels import as_lines, as_plain, measure, once, read_labels
from hub.commands.rows import say
from hub.domain.errors import Misconfigured
from nlp.evaluation import Report
from nlp.reading import KINDS
from nlp.sentiment import write_model
from nlp.training import Labelled, own_corpus, train

_HELD_OUT = 5  # every fifth label is kept for the figures before and after
_LEAST = 20  # labels from which holding out says anything


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="LABELS", help="标注：每行 text、label（neg、neu、pos），可有 kind")
    parser.add_argument("--topics", nargs="?", const="", metavar="TREE", help=topics.TREE_HELP)
    parser.add_argument("--out", required=True, metavar="M", help="模型文件写到哪里")
    parser.add_argument("--kind", choices=KINDS, help="没有写明种类的行算哪一种（默认 comment）")
    parser.add_argument("--alone", action="store_true", help="只用这些标注，不加自带语料")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    if arguments.topics is not None:
        if arguments.alone or arguments.kind:
            raise Misconfigured("--alone 和 --kind 只用于情感模型，和 --topics 不能一起用。")
        return topics.train(arguments)
    with placed(arguments.out) as part:
        found, labels = read_labels(arguments.file, arguments.kind)
        single = once(labels)
        base = [] if arguments.alone else own_corpus()
        _need_both_sides([*base, *single.labels])
        about = {"labels": len(single.labels), "own_texts": len(base)}
        with tqdm(total=3, desc="训练", unit="步", file=sys.stderr) as bar:
            figures = _before_and_after(base, single.labels, bar.update)
            part.write_bytes(write_model(train([*base, *single.labels], about=about)))
            bar.update(bar.total - bar.n)
    _say(arguments, about, figures)
    if single.again:
        say(f"有 {single.again} 条与前面的文字相同，只算第一条；其中 {single.other} 条标注与前面不同，请核对。")
    return found.report()


def _need_both_sides(labels: list[Labelled]) -> None:
    if len({label.label == "neg" for label in labels}) < 2:
        raise Misconfigured("只用这些标注训练，负面的和不是负面的至少各要有一条。请补标注，或去掉 --alone。")


def _say(arguments: argparse.Namespace, about: dict[str, int], figures: dict[str, Report]) -> None:
    if arguments.json:
        plain = {name: as_plain(part) for name, part in figures.items()}
        print(json.dumps({"out": arguments.out, **about, **plain}, ensure_ascii=False))
        return
    print(f"用了 {about['labels']} 条标注和 {about['own_texts']} 条自带语料，模型写到 {arguments.out}。")
    for name, part in figures.items():
        print({"before": "训练前（留出的标注上）", "after": "训练后（同一批）"}[name])
        print("\n".join("  " + line for line in as_lines(part)))
    if not figures:
        print(f"标注不到 {_LEAST} 条，没有留出来测量。")


def _before_and_after(
    base: list[Labelled], labels: list[Labelled], done: Callable[[], object]
) -> dict[str, Report]:
    """Figures on held-out labels without and with the others; nothing where there are too few to say anything."""
    if len(labels) < _LEAST:
        return {}
    held = labels[::_HELD_OUT]
    rest = [label for number, label in enumerate(labels) if number % _HELD_OUT]
    figures = {"before": measure(train(base), held)} if base else {}
    done()
    figures["after"] = measure(train([*base, *rest]), held)
    done()
    return figures
