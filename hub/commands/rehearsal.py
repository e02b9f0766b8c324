"""`rehearsal`: the local platforms alone; how they behave lives in channels."""

from __future__ import annotations

import argparse
import os
import sys

from channels import rehearsal
from hub import settings as settings_room
from hub import wiring
from hub.clock import SystemClock
from hub.processes import refuse_taken


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8010, help="微博的端口，其余依次加一")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_room.read(os.environ, "desk")
    for stage in rehearsal.STAGES:
        refuse_taken(arguments.port + stage.offset, f"演练平台 {stage.name} ", "--port")
    key = wiring.rehearsal_key(settings)
    if sys.stdout.isatty():
        print(f"演练平台已启动。控制接口的钥匙：{key}", flush=True)
    rehearsal.serve(arguments.port, settings.data, key, SystemClock().now)
    return 0
