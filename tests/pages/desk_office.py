"""A desk's web application in memory for page tests: real routes, real gate, people of every role, two accounts.

The two channels are real ones over a transport that reaches nobody: pages prepare texts, they never send.
"""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sanic import Sanic

from channels.exchange import NotSent, Request, Result
from channels.kinds import connect as connect_kind
from hub import access
from hub.app import add_routes, bare
from hub.clock import SetClock
from hub.desk.desk import Desk
from hub.domain.people import Role
from hub.pages import table
from hub.store.base import Document
from tests.domain.trust_office import MORNING, PASSWORD, make_desk, person

FACTS = {"office": "云川市新闻办", "districts": ["临江区", "北岭区"], "channels": ["weibo", "site"]}
PEOPLE: Mapping[str, tuple[Sequence[Role], Sequence[int]]] = {
    "editor": ((Role.EDITOR,), ()),
    "reviewer1": ((Role.REVIEWER,), (1,)),
    "reviewer2": ((Role.REVIEWER,), (2,)),
    "monitor": ((Role.MONITOR,), ()),
    "handler": ((Role.HANDLER,), ()),
    "sysadmin": ((Role.SYSADMIN,), ()),
    "secadmin": ((Role.SECADMIN,), ()),
    "auditor": ((Role.AUDITOR,), ()),
}
SITE: Document = {
    "_id": "site-main",
    "channel": "site",
    "name": "市政府网站",
    "settings": {"base_url": "http://127.0.0.1:1"},
    "profile": {},
    "health": {"state": "ok"},
}
WEIBO: Document = {
    "_id": "weibo-main",
    "channel": "weibo",
    "name": "云川发布",
    "settings": {
        "base_url": "http://127.0.0.1:1",
        "page_url": "http://127.0.0.1:1",
        "domain": "www.example.cn",
        "rip": "127.0.0.1",
    },
    "profile": {"tier": "partner"},
    "waits_for": "site-main",
    "health": {"state": "ok"},
}
SECRETS: Mapping[str, Mapping[str, Any]] = {
    "site": {"keys": ["whsec_" + "c2VjcmV0" * 4]},
    "weibo": {"access_token": "t"},
    "app": {"keys": ["whsec_" + "c2VjcmV0" * 4]},
    "push": {"app_key": "k", "master_secret": "s"},
}


class Silent:
    """A transport without a network: nothing ever leaves the machine."""

    async def send(self, request: Request) -> Result:
        return NotSent("没有网络")


def _connect(account: Document) -> Any:
    return connect_kind(account, SECRETS[account["channel"]], Silent(), lambda: MORNING)


@dataclass
class Office:
    """The running application and one browser per person."""

    desk: Desk
    base: str
    clock: SetClock
    ids: dict[str, str] = field(default_factory=dict)
    browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def _browser(self, login: str) -> httpx.AsyncClient:
        if login not in self.browsers:
            client = httpx.AsyncClient(base_url=self.base, trust_env=False, timeout=30)
            self.browsers[login] = client
            given = {"login": login, "password": PASSWORD}
            answer = await client.post("/api/v1/session", json=given, headers={"Origin": self.base})
            assert answer.status_code == 200, answer.text
            self.tokens[login] = answer.json()["csrf"]
        return self.browsers[login]

    async def get(self, login: str, path: str) -> httpx.Response:
        return await (await self._browser(login)).get(path, headers={"Accept": "text/html"})

    async def post(self, login: str, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A form of this person's own page; the answer is not followed."""
        client = await self._browser(login)
        headers = {"Origin": self.base, "Accept": "text/html", **more.pop("headers", {})}
        given = {"csrf": self.tokens[login], **(data or {})}
        return await client.post(path, data=given, headers=headers, **more)

    async def token(self, login: str) -> str:
        """The form token of this person's session."""
        await self._browser(login)
        return self.tokens[login]

    async def cookie(self, login: str) -> str:
        """The session cookie of this person's browser, as a header says it."""
        client = await self._browser(login)
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@asynccontextmanager
async def running(name: str) -> AsyncIterator[Office]:
    """The office's application on a loopback port."""
    desk = make_desk(connect=_connect)
    app = bare(re.sub(r"\W", "_", name)[-60:], desk.clock, desk.ids, table.show_error)
    app.config.TOUCHUP = False
    access.attach(app, desk)
    app.ctx.desk, app.ctx.facts = desk, FACTS
    add_routes(app, table.ROUTES, table.wrap)
    door = socket.create_server(("127.0.0.1", 0))
    office = Office(desk, f"http://127.0.0.1:{door.getsockname()[1]}", desk.clock)  # type: ignore[arg-type]
    for login, (roles, levels) in PEOPLE.items():
        office.ids[login] = await person(desk, login, *roles, levels=list(levels))
    for account in (SITE, WEIBO):
        await desk.store.insert("accounts", {"held": False, "rehearsal": True, **account})
    column = {"_id": "yaowen", "name": "要闻动态", "type": "要闻动态", "order": 1, "levels": 2, "public": True}
    await desk.store.insert("columns", column)
    server = await app.create_server(sock=door, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    try:
        yield office
    finally:
        for client in office.browsers.values():
            await client.aclose()
        server.close()
        await server.wait_closed()
        if drawing := getattr(app.ctx, "drawing", None):
            drawing.close()
        Sanic._app_registry.pop(app.name, None)
