"""`user add|list|passwd|disable`: the office's people from the console; what is allowed is decided in desk.staffing."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable

from hub.desk import staffing
from hub.desk.desk import Desk
from hub.domain.people import NAMES, Role, program
from hub.wording import moment

_ROLES = "、".join(f"{role.value}（{name}）" for role, name in NAMES.items())


def add(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="add|list|passwd|disable|enable")
    new = acts.add_parser("add", help="添加用户；口令从终端或标准输入读取")
    new.add_argument("login", help="登录名")
    new.add_argument("--name", required=True, help="姓名")
    new.add_argument("--role", action="append", required=True, choices=[role.value for role in Role], help=_ROLES)
    new.add_argument("--level", action="append", type=int, default=[], help="可审批的级别 1–3，可重复")
    new.add_argument("--department", help="部门")
    new.add_argument("--email", default="", help="接收通知的邮箱")
    new.add_argument("--duty", action="store_true", help="列入值班")
    shown = acts.add_parser("list", help="列出用户")
    shown.add_argument("--json", action="store_true")
    for act, help in (("passwd", "重设口令，下次登录须改"), ("disable", "停用"), ("enable", "重新启用")):
        acts.add_parser(act, help=help).add_argument("login", help="登录名")


def read_password() -> str:
    """From the terminal without echo, else one line of standard input; never from the command line."""
    if sys.stdin.isatty():
        return getpass.getpass("口令：")
    return sys.stdin.readline().rstrip("\r\n")


async def run(arguments: argparse.Namespace, desk: Desk, *, ask: Callable[[], str] = read_password) -> int:
    if arguments.act == "list":
        return await _list(arguments, desk)
    if arguments.act == "add":
        return await _add(arguments, desk, ask)
    actor = program("console")
    user = await staffing.user_named(actor, desk, arguments.login)
    if arguments.act == "passwd":
        await staffing.set_password(actor, desk, user["_id"], ask())
        print("口令已重设，此人须重新登录并改口令。")
        return 0
    await staffing.set_disabled(actor, desk, user["_id"], arguments.act == "disable")
    print("已停用，此人的登录立即失效。" if arguments.act == "disable" else "已启用。")
    return 0


async def _add(arguments: argparse.Namespace, desk: Desk, ask: Callable[[], str]) -> int:
    await staffing.add_user(
        program("console"),
        desk,
        login=arguments.login,
        name=arguments.name,
        roles=arguments.role,
        levels=arguments.level,
        department=arguments.department,
        email=arguments.email,
        duty=arguments.duty,
        password=ask(),
    )
    print(f"已添加 {arguments.login}。首次登录须改口令。")
    return 0


async def _list(arguments: argparse.Namespace, desk: Desk) -> int:
    actor, after = program("console"), ""
    rows = []
    while True:
        page, more = await staffing.list_users(actor, desk, after=after, limit=200)
        rows += page
        if more is None:
            break
        after = more
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False, default=lambda value: value.isoformat()))
        return 0
    for row in rows:
        roles = "、".join(NAMES[Role(role)] for role in row["roles"])
        marks = "".join(word for word, on in ((" 停用", row["disabled"]), (" 值班", row["duty"])) if on)
        print(f"{row['login']:<16}{row['name']}  {roles}{marks}  {moment(row['created_at'])} 添加")
    return 0
