"""`evaluate`: a model's answers beside people's labels; the figures live in nlp.evaluation."""

from __future__ import annotations

import argparse
import json
import sys

from tqdm import tqdm

from hub.commands import topics
from hub.commands.labels import as_lines, as_plain, read_labels
from hub.domain.errors import Misconfigured
from nlp.evaluation import report
from nlp.model_file import ModelFileError
from nlp.reading import KINDS, Reader

_MOST_FOLDS = 100


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="LABELS", help="标注：每行 text、label（neg、neu、pos），可有 kind")
    parser.add_argument("--topics", nargs="?", const="", metavar="TREE", help=topics.TREE_HELP)
    parser.add_argument("--folds", type=_folds, metavar="N", help="主题：不用模型文件，分 N 折训练并测量")
    parser.add_argument("--model", metavar="M", help="用这个模型文件；snownlp 为原样的 snownlp，供对照")
    parser.add_argument("--kind", choices=KINDS, help="没有写明种类的行算哪一种（默认 comment）")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    _need_fitting_options(arguments)
    if arguments.topics is not None:
        return topics.evaluate(arguments)
    try:
        reader = Reader(model=arguments.model, with_reasons=False)
    except OSError as trouble:
        name = arguments.model or "（随产品的）"
        raise Misconfigured(f"读不了模型文件 {name}。请检查文件名和权限。") from trouble
    except ModelFileError as trouble:
        raise Misconfigured(str(trouble)) from trouble
    found, labels = read_labels(arguments.file, arguments.kind)
    answers = [reader.sentiment(row.text, row.kind) for row in tqdm(labels, unit="条", file=sys.stderr)]
    result = report([row.label for row in labels], answers)
    print(json.dumps(as_plain(result), ensure_ascii=False) if arguments.json else "\n".join(as_lines(result)))
    return found.report()


def _need_fitting_options(arguments: argparse.Namespace) -> None:
    if arguments.topics is None and arguments.folds is not None:
        raise Misconfigured("--folds 只用于主题。请加上 --topics，或去掉 --folds。")
    if arguments.topics is not None and arguments.kind:
        raise Misconfigured("--kind 只用于情感。请去掉 --kind 或 --topics。")
    if arguments.model and arguments.folds is not None:
        raise Misconfigured("--folds 是边训练边测，--model 是测一个现成的模型，两样只能要一样。")


def _folds(said: str) -> int:
    if not said.isdecimal() or not 2 <= int(said[:9]) <= _MOST_FOLDS:
        raise argparse.ArgumentTypeError(f"应为 2 到 {_MOST_FOLDS} 的整数")
    return int(said)
