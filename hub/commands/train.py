"""`train`: an office's labels into a model file, of sentiment or of topics; how it is trained lives in nlp."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hub.commands import topics
from hub.commands.labels import as_lines, as_plain, measure, read_labels
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
        return topics.train(arguments)
    found, labels = read_labels(arguments.file, arguments.kind)
    base = [] if arguments.alone else own_corpus()
    figures = _before_and_after(base, labels)
    about = {"labels": len(labels), "own_texts": len(base)}
    try:
        Path(arguments.out).write_bytes(write_model(train([*base, *labels], about=about)))
    except OSError as trouble:
        raise Misconfigured(f"写不了 {arguments.out}：文件夹不存在或无权写入。请换一个位置。") from trouble
    if arguments.json:
        plain = {name: as_plain(part) for name, part in figures.items()}
        print(json.dumps({"out": arguments.out, **about, **plain}, ensure_ascii=False))
    else:
        print(f"用了 {len(labels)} 条标注和 {len(base)} 条自带语料，模型写到 {arguments.out}。")
        for name, part in figures.items():
            print({"before": "训练前（留出的标注上）", "after": "训练后（同一批）"}[name])
            print("\n".join("  " + line for line in as_lines(part)))
    return found.report()


def _before_and_after(base: list[Labelled], labels: list[Labelled]) -> dict[str, Report]:
    """Figures on held-out labels without and with the others; nothing where there are too few to say anything."""
    if len(labels) < _LEAST:
        return {}
    held = labels[::_HELD_OUT]
    rest = [label for number, label in enumerate(labels) if number % _HELD_OUT]
    figures = {"before": measure(train(base), held)} if base else {}
    return {**figures, "after": measure(train([*base, *rest]), held)}
