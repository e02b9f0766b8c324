"""One machine's household: what its desk, site, workers and platforms are started with; making things real: wiring."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub import wiring
from hub.domain.errors import Misconfigured
from hub.processes import listening
from hub.settings import Settings

DEMO_LOGINS = ("editor", "reviewer1", "reviewer2", "reviewer3", "monitor", "handler", "handler2", "sysadmin",
               "secadmin", "auditor")
MAIL_OFFSET = 9  # how far the rehearsal mail server's port stands behind the first platform's


@dataclass(frozen=True)
class Whole:
    """What the processes of one machine are started with, and what people are told."""

    desk_environment: Mapping[str, str]
    site_environment: Mapping[str, str]
    desk_url: str
    site_url: str
    ports: Sequence[int]
    rehearsal_port: int
    demo: bool
    demo_password: str
    logins: Sequence[str] = DEMO_LOGINS

    async def wait_until_up(self) -> None:
        """Until both answer, at most a minute."""
        for port in self.ports:
            await listening(port, wiring.CLOCK, 60)


def prepare(settings: Settings, port: int, public_port: int, *, rehearsal: bool) -> Whole:
    """Look at or begin the data folder, and work out each child's own environment."""
    mark = asyncio.run(wiring.mark_of(settings))
    if mark == "production" and rehearsal:
        raise Misconfigured("这是正式环境的数据，不能用 --rehearsal。演练请另设 HUB_DATA。")
    if mark is None and not rehearsal:
        raise Misconfigured("还没有数据。正式环境请先运行 python -m hub init --production；演练请加 --rehearsal。")
    if mark is None:
        asyncio.run(wiring.birth(settings, "demo"))
    asyncio.run(wiring.check_desk(settings, settings["HUB_HOST"]))
    demo = mark != "production"
    password, told = demo_password(settings) if demo else ("", "")
    site_url = settings["HUB_SITE_URL"] or f"http://localhost:{public_port}"
    desk_url = settings["HUB_DESK_URL"] or f"http://127.0.0.1:{port}"
    inner = {
        **settings.environment("desk"),
        "HUB_SITE_URL": site_url,
        "HUB_DESK_URL": desk_url,
        "HUB_SITE_API": settings["HUB_SITE_API"] or f"http://127.0.0.1:{public_port}",
        "HUB_DEMO_PASSWORD": password,
    }
    outer = {
        "HUB_SITE_DATA": str(settings.data / "site"),
        "HUB_SITE_URL": site_url,
        "HUB_CONTENT_KEY": wiring.content_key(settings),
        "HUB_SITE_SEAL_KEY": wiring.sealer_of(settings).box_public().hex(),
        "HUB_PROXIES": settings["HUB_PROXIES"],
        "HUB_SITE_MARK": "demo" if demo else "production",
    }
    if rehearsal and not settings["HUB_MAIL_SERVER"]:
        inner["HUB_MAIL_SERVER"] = f"127.0.0.1:{settings.number('HUB_REHEARSAL_PORT') + MAIL_OFFSET}"
        inner["HUB_MAIL_FROM"] = "tongzhi@yunchuan.example"
    _write_down(settings, {"HUB_SITE_URL": site_url, "HUB_SITE_API": inner["HUB_SITE_API"]})
    ports = (port, public_port)
    return Whole(inner, outer, desk_url, site_url, ports, settings.number("HUB_REHEARSAL_PORT"), demo, told)


def _write_down(settings: Settings, addresses: Mapping[str, str]) -> None:
    """Leave word of where this household listens, for commands that are run beside it."""
    (settings.data / "serving.json").write_text(json.dumps(dict(addresses)), "utf-8")


def beside(settings: Settings) -> Settings:
    """The settings with the addresses of the household that serves this folder, where none are given."""
    path = settings.data / "serving.json"
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    added = {name: value for name, value in known.items() if not settings[name]}
    return Settings({**settings.values, **added}, {**settings.sources, **dict.fromkeys(added, path.name)})


def demo_password(settings: Settings) -> tuple[str, str]:
    """(the demo users' password for the child that makes them, what people are told).

    It follows from the secret key, so that a first start that was cut off goes on with the same one; told once.
    """
    if settings["HUB_DEMO_PASSWORD"]:
        return settings["HUB_DEMO_PASSWORD"], "为 HUB_DEMO_PASSWORD 所设"
    made = wiring.sealer_of(settings).mac(b"demo users", purpose="demo-password").hex()
    password = f"{made[:4]}-{made[4:8]}-{made[8:12]}-Yc"
    shown = settings.data / "demo.shown"
    if shown.exists():
        return password, "首次启动时已显示；忘记时删除数据文件夹重新演练"
    shown.touch()
    return password, f"{password}（只显示这一次）"
