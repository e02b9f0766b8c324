"""`token create|list|revoke`: programs' keys from the console; what they may be for is decided in desk.staffing."""

from __future__ import annotations

import argparse
import json
from typing import Any

from hub.desk import staffing
from hub.desk.desk import Desk
from hub.domain.people import program
from hub.wording import full_moment


def add(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="create|list|revoke")
    new = acts.add_parser("create", help="新建令牌；只显示这一次")
    new.add_argument("name", help="令牌名，说明给谁用")
    new.add_argument("--user", required=True, metavar="登录名", help="代表哪个用户")
    new.add_argument("--scope", action="append", required=True, metavar="事项", help="事项，如 reply.read，可重复")
    new.add_argument("--days", type=int, default=90, help="有效天数")
    acts.add_parser("list", help="列出令牌").add_argument("--json", action="store_true")
    acts.add_parser("revoke", help="吊销令牌").add_argument("id", help="令牌编号，至少前 12 位")


async def run(arguments: argparse.Namespace, desk: Desk) -> int:
    actor = program("console")
    if arguments.act == "create":
        user = await staffing.user_named(actor, desk, arguments.user)
        token = await staffing.create_token(
            actor, desk, name=arguments.name, user=user["_id"], scopes=arguments.scope, days=arguments.days
        )
        print(token)
        return 0
    if arguments.act == "revoke":
        await staffing.revoke_token(actor, desk, arguments.id)
        print("令牌已吊销，立即失效。")
        return 0
    return await _list(arguments, desk)


async def _list(arguments: argparse.Namespace, desk: Desk) -> int:
    rows: list[dict[str, Any]] = []
    after = ""
    while page := await staffing.list_tokens(program("console"), desk, after=after, limit=200):
        rows += page
        after = page[-1]["_id"]
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False, default=lambda value: value.isoformat()))
        return 0
    for row in rows:
        end = "已吊销" if row["revoked_at"] else f"{full_moment(row['expires_at'])} 到期"
        print(f"{row['_id'][:12]}  {row['name']}  {'、'.join(row['scopes'])}  {end}")
    return 0
