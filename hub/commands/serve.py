"""`serve`: starts desk, site and workers as children by command, or is one of them; pages live elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from hub import settings as settings_room
from hub.clock import SystemClock
from hub.processes import Child, hold_lifeline, refuse_taken, supervise
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.household import Whole

PLATFORMS = 3  # 微博, 微信 and push, each on its own port
KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "SSL_CERT_FILE")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", choices=("all", "desk", "site", "worker"), default="all", help="只启动其中一个")
    parser.add_argument("--port", type=int, default=8000, help="采编端端口")
    parser.add_argument("--public-port", type=int, default=8001, help="公众网端口")
    parser.add_argument("--rehearsal", action="store_true", help="演练：同时启动演练平台，首次填入演练内容")
    parser.add_argument("--workers", type=int, default=1, help="后台任务进程数")
    parser.add_argument("--empty", action="store_true", help="演练时不填演练内容")


def run(arguments: argparse.Namespace) -> int:
    if arguments.role in ("site", "desk"):
        hold_lifeline(os.environ)
        return _serve_pages(arguments)
    settings = settings_room.read(os.environ, "desk")
    if arguments.role == "worker":
        os.execv(sys.executable, [sys.executable, "-m", "scheduler"])  # noqa: S606 - by command, never by import
    return _serve_all(settings, arguments)


def _room(name: str) -> Any:
    """A role's own module, opened as the door opens commands: importing all of them takes longer than their work."""
    return importlib.import_module(name)


def _serve_pages(arguments: argparse.Namespace) -> int:
    if arguments.role == "site":
        refuse_taken(arguments.public_port, "公众网", "--public-port")
        settings = settings_room.read(os.environ, "site")
    else:
        settings = settings_room.read(os.environ, "desk")
        refuse_taken(arguments.port, "采编端", "--port")
    serving = _room("hub.serving")
    if arguments.role == "site":
        return int(serving.serve_site(settings, arguments.public_port))
    return int(serving.serve_desk(settings, arguments.port))


def _serve_all(settings: Settings, arguments: argparse.Namespace) -> int:
    refuse_taken(arguments.port, "采编端", "--port")
    refuse_taken(arguments.public_port, "公众网", "--public-port")
    if arguments.rehearsal:
        for place in range(PLATFORMS):
            refuse_taken(settings.number("HUB_REHEARSAL_PORT") + place, "演练平台", "HUB_REHEARSAL_PORT")
    household = _room("hub.household")
    whole: Whole = household.prepare(settings, arguments.port, arguments.public_port, rehearsal=arguments.rehearsal)
    return asyncio.run(supervise(_children(whole, arguments), SystemClock(), lambda: _announce(whole)))


def _children(whole: Whole, arguments: argparse.Namespace) -> list[Child]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    inner, outer = {**kept, **whole.desk_environment}, {**kept, **whole.site_environment}
    base = ["-m", "hub"]
    children = [
        Child("公众网", [*base, "serve", "--role", "site", "--public-port", str(arguments.public_port)], outer),
        Child("采编端", [*base, "serve", "--role", "desk", "--port", str(arguments.port)], inner),
    ]
    children += [Child("后台任务", [*base, "serve", "--role", "worker"], inner) for _ in range(arguments.workers)]
    if arguments.rehearsal:
        children.insert(0, Child("演练平台", [*base, "rehearsal", "--port", str(whole.rehearsal_port)], inner))
    if arguments.rehearsal and not arguments.empty:
        children.append(Child("演练群众", [*base, "demo", "--crowd"], inner))
    return children


async def _announce(whole: Whole) -> None:
    """The two addresses, once both answer, and how a demonstration is entered."""
    await whole.wait_until_up()
    lines = ["", f"采编端  {whole.desk_url}", f"公众网  {whole.site_url}"]
    if whole.demo:
        lines.append(f"演练用户 {'、'.join(whole.logins)}；口令 {whole.demo_password}")
    lines += ["按 Ctrl-C 全部停止；再次启动时数据还在。", ""]
    print("\n".join(lines), file=sys.stdout, flush=True)
