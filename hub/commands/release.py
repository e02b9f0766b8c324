"""`release`: ends the hold of one account, or with --all 全部暂停; what it does lives in hub.desk."""

from __future__ import annotations

import argparse
import json

from hub.desk.accounts import release_account
from hub.desk.desk import Desk
from hub.desk.pausing import lift_hold_all
from hub.domain.people import program


def add(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("account", nargs="?", help="账号代号，例如 weibo-main")
    which.add_argument("--all", action="store_true", help="解除全部暂停")
    parser.add_argument("--reason", default="", help="说明，写进审计")
    parser.add_argument("--json", action="store_true", help="输出 JSON")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    """What came due meanwhile follows its own late rule."""
    actor = program("console")
    if arguments.all:
        await lift_hold_all(actor, desk, reason=arguments.reason)
        said = {"released": "all"}
    else:
        account = await release_account(actor, desk, arguments.account)
        said = {"released": str(account["_id"])}
    print(json.dumps(said, ensure_ascii=False) if arguments.json else "已恢复发布。")
    return 0
