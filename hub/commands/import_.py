"""`import replies|dictionary|topics`: reads a file and takes it in through the desk; what a row must hold: domain.rows,
nlp."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from hub.commands.files import Lines, read_whole
from hub.commands.rows import Row as Values
from hub.commands.rows import Rows, numbered_rows
from hub.desk.desk import Desk
from hub.desk.dictionary import save_dictionary
from hub.desk.importing import import_replies
from hub.desk.topics import bring_tree, checked_tree
from hub.domain.errors import Invalid
from hub.domain.people import program
from hub.domain.rows import Row, in_order, read_map, read_row
from nlp.dictionary import read

KINDS = {"replies": "留言", "dictionary": "词典（换掉原来的）", "topics": "主题分类表"}
SHOWN = 20  # bad rows that are printed; the rest is counted


def add(parser: argparse.ArgumentParser) -> None:
    words = "，".join(f"{kind} {name}" for kind, name in KINDS.items())
    parser.add_argument("kind", choices=tuple(KINDS), help=f"导入什么：{words}")
    parser.add_argument("file", help="JSON Lines 或 CSV，可用 .gz；- 为标准输入")
    parser.add_argument("--account", default="", metavar="KEY", help="留言记在哪个账号名下")
    parser.add_argument("--map", default="", help="字段对应：letters，或 id=external_id,created_at=at,…")
    parser.add_argument("--skip-bad", action="store_true", help="跳过有误的行；不加则一行有误就全不导入")
    parser.add_argument("--dry-run", action="store_true", help="只检查，不导入")
    parser.add_argument("--json", action="store_true", help="结果以 JSON 输出")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    if arguments.kind == "dictionary":
        return await _dictionary(arguments, desk)
    return await (_topics if arguments.kind == "topics" else _replies)(arguments, desk)


async def _topics(arguments: argparse.Namespace, desk: Desk) -> int:
    """The office's own tree of topics, in force at once; bad rows as with replies."""
    data = read_whole(arguments.file)
    tree, bad = checked_tree(data)
    _print_bad([(row.line, row.reason) for row in bad])
    if (bad and not arguments.skip_bad) or arguments.dry_run:
        print(f"检查完：{len(tree.topics)} 个分类可用，{len(bad)} 行有误，没有导入。", file=sys.stderr)
        return 1 if bad else 0
    found = await bring_tree(program("console"), desk, data, Path(arguments.file).name)
    levels = found.tree["levels"]
    if arguments.json:
        print(json.dumps({"tree": found.tree["_id"], "levels": levels, "bad": len(bad)}, ensure_ascii=False))
    else:
        print(f"分类表已换：各级 {'、'.join(map(str, levels))} 个，跳过有误 {len(bad)} 行。新到的留言按它来分。")
    return 1 if bad else 0


async def _replies(arguments: argparse.Namespace, desk: Desk) -> int:
    if not arguments.account:
        raise Invalid("请用 --account 写明留言记在哪个账号名下。")
    names, lines = read_map(arguments.map), Lines(arguments.file)
    rows: list[Row] = []
    bad: list[tuple[int, str]] = []
    for line, values in numbered_rows(lines, Rows()):
        try:
            rows.append(read_row(_object(values), names))
        except Invalid as error:
            bad.append((line, error.message))
    encoding = lines.encoding
    _print_bad(bad)
    if (bad and not arguments.skip_bad) or arguments.dry_run:
        print(f"检查完：{len(rows)} 行可用，{len(bad)} 行有误，没有导入。", file=sys.stderr)
        return 1 if bad else 0
    with tqdm(total=len(rows), unit="条", desc="导入", disable=not rows) as bar:
        taken = await import_replies(program("console"), desk, arguments.account, in_order(rows), bar.update)
    if arguments.json:
        print(json.dumps({**asdict(taken), "bad": len(bad), "encoding": encoding}, ensure_ascii=False))
    else:
        print(f"导入完：新 {taken.new} 条，已有 {taken.known} 条，跳过有误 {len(bad)} 行（按 {encoding} 读入）。")
    return 1 if bad else 0


async def _dictionary(arguments: argparse.Namespace, desk: Desk) -> int:
    text, encoding = _text(arguments.file)
    words, problems = read(text)
    _print_bad([(problem.line, problem.reason) for problem in problems])
    if (problems and not arguments.skip_bad) or arguments.dry_run:
        print(f"检查完：{len(words)} 个词可用，{len(problems)} 行有误，没有导入。", file=sys.stderr)
        return 1 if problems else 0
    saved, _ = await save_dictionary(program("console"), desk, text, skip_bad=True)
    if arguments.json:
        print(json.dumps({"words": saved["words"], "bad": len(problems), "encoding": encoding}, ensure_ascii=False))
    else:
        print(f"词典换好了：{saved['words']} 个词，跳过有误 {len(problems)} 行（按 {encoding} 读入）。")
    return 1 if problems else 0


def _object(values: Values | str) -> Values:
    """The row, or Invalid with the reason why the file gives none there."""
    if isinstance(values, str):
        raise Invalid(values)
    return values


def _text(name: str) -> tuple[str, str]:
    """The file's text and the encoding it was read in."""
    content = read_whole(name)
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
    raise Invalid("文件既不是 UTF-8 也不是 GB18030，请另存为 UTF-8 后再导入。")


def _print_bad(bad: list[tuple[int, str]]) -> None:
    for line, reason in bad[:SHOWN]:
        print(f"第 {line} 行：{reason}", file=sys.stderr)
    if len(bad) > SHOWN:
        print(f"另有 {len(bad) - SHOWN} 行有误。", file=sys.stderr)
