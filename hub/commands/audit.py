"""`audit verify|export`: the audit chain from the console; how it is verified lives in desk.auditing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hub.desk import auditing
from hub.desk.desk import Desk
from hub.domain.people import program
from hub.store.heads import read_heads


def add(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="verify|export")
    check = acts.add_parser("verify", help="从第一条起核对审计链，指出断在哪里")
    check.add_argument("--heads", type=Path, metavar="文件", help="存放在别处的链头文件；有它才能看出末尾被截")
    check.add_argument("--json", action="store_true")
    acts.add_parser("export", help="按次序输出全部条目，每行一个 JSON")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    actor = program("console")
    if arguments.act == "export":
        async for entry in auditing.export(actor, desk):
            print(json.dumps(entry, ensure_ascii=False, default=lambda value: value.isoformat()))
        return 0
    heads = None if arguments.heads is None else read_heads(arguments.heads)
    verdict = await auditing.verify(actor, desk, heads)
    if arguments.json:
        fault = verdict.fault and {"number": verdict.fault.number, "kind": verdict.fault.kind}
        said = {"ok": verdict.fault is None, "entries": verdict.entries, "fault": fault, "outside": verdict.outside}
        print(json.dumps({**said, "sentence": verdict.sentence}, ensure_ascii=False))
    else:
        print(verdict.sentence)
    return 0 if verdict.fault is None else 1
