"""`rehearsal`: the local platforms alone; how they behave lives in channels."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading

from channels import rehearsal
from channels.notice.rehearsal import MailRehearsal
from hub import household, wiring
from hub import settings as settings_room
from hub.processes import hold_lifeline, refuse_taken
from hub.settings import Settings

MAIL = household.MAIL_OFFSET  # the mail server's port stands so far behind the first


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8010, help="微博的端口，其余依次加一")
    parser.add_argument("--accounts", type=int, default=1, help="每个平台几个账号；每多一组，端口加十")


def run(arguments: argparse.Namespace) -> int:
    hold_lifeline(os.environ)
    settings = settings_room.read(os.environ, "desk")
    stages = rehearsal.stages(arguments.accounts)
    for stage in stages:
        refuse_taken(arguments.port + stage.offset, f"演练平台 {stage.name} ", "--port")
    refuse_taken(arguments.port + MAIL, "演练邮件", "--port")
    mail = threading.Thread(target=_serve_mail, args=(settings, arguments.port + MAIL), daemon=True)
    mail.start()
    key = wiring.rehearsal_key(settings)
    if sys.stdout.isatty():
        print(f"演练平台已启动。控制接口的钥匙：{key}", flush=True)
    rehearsal.serve(arguments.port, settings.data, key, wiring.clock_of(settings).now, stages=stages)
    return 0


def _serve_mail(settings: Settings, port: int) -> None:
    """A mail server that keeps what it takes in the data folder, in a loop of its own, until the process ends."""

    async def serve() -> None:
        server = MailRehearsal(settings.data / "rehearsal" / "mail")
        await server.start(port)
        await asyncio.Event().wait()

    asyncio.run(serve())
