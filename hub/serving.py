"""Runs the web applications as processes: opens what they stand on when they start, closes it when they stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sanic import Sanic

from hub import access, wiring
from hub.app import add_routes, add_static, bare
from hub.clock import SystemClock
from hub.desk.guarding import Guard
from hub.desk.tailing import Tail
from hub.domain.errors import Misconfigured
from hub.identifiers import RandomIdentifiers
from hub.journal import open_journal
from hub.pages import table
from hub.settings import Settings
from hub.site import serving as site_serving

CLOCK = SystemClock()
CITY = Path(__file__).parent / "demo" / "city.json"


def office_facts(settings: Settings, *, demo: bool) -> dict[str, Any]:
    """What pages say of this office: its name, its districts, the channels it can speak on. The invented city's own
    name and districts stand nowhere but in a demonstration."""
    city = json.loads(CITY.read_text("utf-8")) if demo else {"office": "新闻办", "districts": []}
    named = [name.strip() for name in settings["HUB_DISTRICTS"].replace("，", ",").replace("、", ",").split(",")]
    districts = [name for name in named if name] or city["districts"]
    office = settings["HUB_OFFICE"] or city["office"]
    return {"office": office, "districts": districts, "channels": list(wiring.CHANNEL_KINDS)}


def desk_app(settings: Settings) -> Sanic[Any, Any]:
    """The desk's application; its desk is opened in its own loop when it starts."""
    app = bare("govhub-desk", CLOCK, RandomIdentifiers(CLOCK), table.show_error)
    secure = settings["HUB_DESK_URL"].startswith("https://")
    origins = [settings["HUB_DESK_URL"]] if secure else []
    access.attach(app, secure=secure, origins=origins, proxies=settings.number("HUB_PROXIES"))
    add_routes(app, table.ROUTES, table.wrap)
    add_static(app)
    stack = AsyncExitStack()

    async def open_all(app: Sanic[Any, Any]) -> None:
        app.ctx.desk = await stack.enter_async_context(wiring.open_desk(settings))
        app.ctx.facts = office_facts(settings, demo=app.ctx.desk.demo)
        app.ctx.tail = Tail()
        app.ctx.tailing = asyncio.create_task(app.ctx.tail.run(app.ctx.desk))
        app.ctx.guarding = asyncio.create_task(Guard().run(app.ctx.desk))

    async def close_all(app: Sanic[Any, Any]) -> None:
        app.ctx.tailing.cancel()
        app.ctx.guarding.cancel()
        if drawing := getattr(app.ctx, "drawing", None):  # the processes that draw uploaded pictures
            drawing.close()
        await stack.aclose()

    app.before_server_start(open_all)
    app.after_server_stop(close_all)
    return app


def site_app(settings: Settings) -> Sanic[Any, Any]:
    """The public site's application, over its own store and nothing of the desk's."""
    app = bare("govhub-site", CLOCK, RandomIdentifiers(CLOCK), site_serving.show_error)
    store = wiring.site_store(settings)
    site = wiring.make_site(settings, store)
    site_serving.attach(app, site)
    add_routes(app, site_serving.ROUTES, site_serving.wrap(site))
    add_static(app)
    stack = AsyncExitStack()

    async def open_all(_app: Sanic[Any, Any]) -> None:
        await stack.enter_async_context(wiring.opened(store))

    async def close_all(_app: Sanic[Any, Any]) -> None:
        await stack.aclose()

    app.before_server_start(open_all)
    app.after_server_stop(close_all)
    return app


def run(make: Callable[[Settings], Sanic[Any, Any]], settings: Settings, host: str, port: int, role: str) -> int:
    """Serve until a signal; 2 where it cannot start."""
    open_journal(role)
    app = make(settings)
    app.run(host=host, port=port, single_process=True, access_log=False, motd=False)
    return 0


def serve_desk(settings: Settings, port: int) -> int:
    """One desk on this folder; a second one is refused."""
    host = settings["HUB_HOST"]
    asyncio.run(wiring.check_desk(settings, host))
    with wiring.hold_folder(settings.data / "desk", "采编端"):
        return run(desk_app, settings, host, port, "desk")


def serve_site(settings: Settings, port: int) -> int:
    """One site on this folder; a second one is refused."""
    if not settings["HUB_CONTENT_KEY"]:
        raise Misconfigured("公众网缺少内容接口密钥 HUB_CONTENT_KEY。请在 site.toml 里填写，与采编端一致。")
    with wiring.hold_folder(settings.data, "公众网"):
        return run(site_app, settings, settings["HUB_SITE_HOST"], port, "site")
