"""`init --production`: a new production data folder and its first administrators; rights live in the domain."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable

from hub import settings as settings_room
from hub import wiring
from hub.domain.errors import Misconfigured

ADMINISTRATORS = (("sysadmin", "系统管理员"), ("secadmin", "安全管理员"), ("auditor", "审计员"))


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--production", action="store_true", required=True, help="建立正式环境（建成后不能改为演练）")
    parser.add_argument("--names", nargs=3, metavar=("系统", "安全", "审计"), help="三位管理员的姓名，三人不得兼任")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_room.read(os.environ, "desk")
    if asyncio.run(wiring.mark_of(settings)) is not None:
        raise Misconfigured(f"{settings.data} 里已有数据，没有改动。要另建一个，请换一个数据文件夹 HUB_DATA。")
    names = arguments.names or [_ask(f"{title}的姓名：", input) for _, title in ADMINISTRATORS]
    if len({name.strip() for name in names}) < len(ADMINISTRATORS):
        raise Misconfigured("三位管理员必须是三个不同的人（三员分立）。请重新填写姓名。")
    people = []
    for (login, title), name in zip(ADMINISTRATORS, names, strict=True):
        password = _ask(f"{title} {name} 的初始口令（至少 10 个字符、三类字符）：", getpass.getpass)
        people.append((login, name, password))
    asyncio.run(wiring.give_birth(settings, "production", people))
    print(f"正式环境已建立：{settings.data}。三位管理员首次登录时须改口令并绑定第二重验证。")
    return 0


def _ask(question: str, reader: Callable[[str], str]) -> str:
    """One answer from the terminal or, in a script, one line of standard input."""
    if not sys.stdin.isatty():
        print(question, file=sys.stderr)
        line = sys.stdin.readline()
        if not line:
            raise Misconfigured("缺少管理员的姓名或口令。请在终端里运行，或从标准输入逐行给出。")
        return line.rstrip("\n")
    return reader(question)
