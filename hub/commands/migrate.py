"""`migrate`: brings the store to this version's schema; the steps themselves live in hub.store.migrations."""

from __future__ import annotations

import argparse
import asyncio
import os

from hub import settings as settings_room
from hub import wiring


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="只看要做哪些步骤；有未做的以 1 退出")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_room.read(os.environ, "desk")
    open_steps = asyncio.run(wiring.migrate(settings, only_look=arguments.check))
    for line in open_steps:
        print(("待做：" if arguments.check else "已做：") + line)
    if not open_steps:
        print("数据已是这一版的格式。")
    return 1 if arguments.check and open_steps else 0
