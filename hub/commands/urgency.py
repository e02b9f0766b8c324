"""`urgency show|train|off`: the reader of hints made of the office's marks; how it is learnt lives in desk.hinting."""

from __future__ import annotations

import argparse
import json
from typing import Any

from hub import wording
from hub.desk.desk import Desk
from hub.desk.hinting import drop_hints, hints_in_force, train_hints
from hub.domain.people import program
from hub.domain.urgency import SHIPPED, figure_words


def add(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="show|train|off")
    for name, words in (
        ("show", "现在用的是哪一版，检验时多准"),
        ("train", "用自带语料和本单位标的紧急训练一版，够准才启用；约一分钟"),
        ("off", "停用本单位训练的一版，改用随附的；标过的不变"),
    ):
        acts.add_parser(name, help=words).add_argument("--json", action="store_true", help="以 JSON 输出")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    actor = program("console")
    if arguments.act == "off":
        await drop_hints(actor, desk)
        return _say(arguments, {"off": True}, ["已停用，改用随附的一版。"])
    if arguments.act == "show":
        named = await hints_in_force(actor, desk)
        if not named["sha256"]:
            return _say(arguments, {"in_force": None}, [SHIPPED])
        since = f"{wording.full_moment(named['since'])} 起用本单位训练的一版。训练时的检验："
        return _say(arguments, {"in_force": named["figures"]}, [since, *figure_words(named["figures"])])
    tried = await train_hints(actor, desk)
    plain = {"kept": tried.verdict.keep, "why": tried.verdict.why, "figures": dict(tried.figures)}
    lines = ["检验（每条都由没有学过它的一版来读，没有标紧急的算不紧急）：", *figure_words(tried.figures)]
    return _say(arguments, plain, [*lines, tried.verdict.why])


def _say(arguments: argparse.Namespace, plain: dict[str, Any], lines: list[str]) -> int:
    print(json.dumps(plain, ensure_ascii=False) if arguments.json else "\n".join(lines))
    return 0
