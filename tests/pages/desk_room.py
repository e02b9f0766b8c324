"""A desk as pages and programs meet it: a real application on a loopback port over a store in memory, people of every
role, a website, a 微博 account and the platforms behind them. `open_room` for one test, the fixture `room` for many.
"""

from __future__ import annotations

import gc
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sanic import Sanic

from hub.access import Argon2Proofs, attach
from hub.app import add_routes, add_static, bare
from hub.desk import columns, dispatching, staffing
from hub.desk.desk import Desk
from hub.desk.governing import StoredPolicies
from hub.desk.publishing import Wish, schedule
from hub.desk.tailing import Tail
from hub.domain.people import Actor, Role, actor_of, program
from hub.pages import table
from hub.store.base import Document
from tests.domain.listening_office import read
from tests.domain.publishing_office import DISPATCHER, MORNING, Office, Platform, make_office

__all__ = ["DISTRICTS", "LOGINS", "MORNING", "PASSWORD", "Room", "Visitor", "open_room", "room"]

CONSOLE = program("console")
PASSWORD = "Crane-over-7-hills"
DISTRICTS = ["临江区", "北岭区", "高新区", "云溪区", "青禾县", "石桥县"]
# login -> name, roles, approval levels; the first person of each role carries the role's own name
LOGINS: Mapping[str, tuple[str, tuple[Role, ...], tuple[int, ...]]] = {
    "editor": ("周敏", (Role.EDITOR,), ()),
    "editor2": ("方晴", (Role.EDITOR,), ()),
    "reviewer": ("陈立", (Role.REVIEWER,), (1,)),
    "reviewer2": ("吴江", (Role.REVIEWER,), (2,)),
    "monitor": ("何静", (Role.MONITOR,), ()),
    "handler": ("罗平", (Role.HANDLER,), ()),
    "sysadmin": ("石磊", (Role.SYSADMIN,), ()),
    "secadmin": ("安宁", (Role.SECADMIN,), ()),
    "secadmin2": ("安可", (Role.SECADMIN,), ()),
    "auditor": ("沈明", (Role.AUDITOR,), ()),
}
COLUMN = {
    "_id": "yaowen",
    "name": "要闻动态",
    "description": "市政府和各部门近期的重要工作",
    "keywords": ["要闻"],
    "type": "要闻动态",
    "order": 10,
    "levels": 2,
    "public": True,
}
TRUST = ssl.create_default_context()  # once: each client would read all authorities, and none is asked here
_numbers = count(1)


@dataclass
class Visitor:
    """A browser or a program at the desk. Unsafe requests carry our own Origin and the session's form token."""

    client: httpx.AsyncClient
    base: str
    csrf: str = ""
    bearer: str = ""

    async def sign_in(self, login: str, password: str = PASSWORD) -> Visitor:
        body = {"login": login, "password": password}
        answer = await self.client.post("/api/v1/session", json=body, headers={"Origin": self.base})
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json()["csrf"]
        return self

    async def confirm(self, password: str = PASSWORD) -> None:
        """The password again, before what is sensitive."""
        answer = await self.send("POST", "/api/v1/session/confirm", json={"password": password})
        assert answer.status_code == 200, answer.text

    @property
    def own(self) -> dict[str, str]:
        if self.bearer:
            return {"Authorization": f"Bearer {self.bearer}"}
        return {"Origin": self.base, **({"X-CSRF-Token": self.csrf} if self.csrf else {})}

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any request, with what our own pages would send; `headers` given here come on top."""
        headers = {**self.own, **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """A page, as a browser asks for one."""
        return await self.send("GET", path, headers={"Accept": "text/html", **more.pop("headers", {})}, **more)

    async def post(self, path: str, form: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A form of our own page."""
        return await self.send("POST", path, data={"csrf": self.csrf, **(form or {})}, **more)

    async def api(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """A call of the API, `path` without its `/api/v1`."""
        sent = {} if body is None else {"json": body}
        return await self.send(method, f"/api/v1{path}", **sent, **more)


@dataclass
class Room:
    """The running desk, its office behind it, and its people as actors by login."""

    app: Sanic[Any, Any]
    base: str
    office: Office
    people: Mapping[str, Actor]
    stack: AsyncExitStack
    visitors: dict[str, Visitor] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        return self.office.desk

    @property
    def platforms(self) -> dict[str, Platform]:
        return self.office.platforms

    async def stranger(self) -> Visitor:
        """Somebody who is not signed in."""
        client = httpx.AsyncClient(base_url=self.base, trust_env=False, timeout=20, verify=TRUST)
        return Visitor(await self.stack.enter_async_context(client), self.base)

    async def as_(self, login: str) -> Visitor:
        """This person's browser, signed in once for the whole test."""
        if login not in self.visitors:
            self.visitors[login] = await (await self.stranger()).sign_in(login)
        return self.visitors[login]

    async def program(self, login: str, *scopes: str) -> Visitor:
        """A program with a token that speaks for this person within these acts."""
        owner = self.people[login].id
        token = await staffing.create_token(
            self.people["secadmin"], self.desk, name="程序", user=owner, scopes=scopes, days=30
        )
        visitor = await self.stranger()
        visitor.bearer = token
        return visitor

    async def post_out(self, content: str, title: str, accounts: Sequence[str] = ("site-main",)) -> list[Document]:
        """A content written, approved, scheduled for now and dispatched; its publications as they stand then."""
        now = self.desk.clock.now()
        await self.office.write(content, title, by=self.people["editor"].id)
        await self.desk.store.change("contents", {"_id": content}, {"$set": {"updated_at": now, "created_at": now}})
        wishes = [Wish(account, self.desk.clock.now(), "publish") for account in accounts]
        await schedule(self.people["editor"], self.desk, content, wishes)
        await self.dispatch()
        return await self.desk.store.find("publications", {"content": content}, sort=[("account", 1)])

    async def dispatch(self) -> None:
        """The worker's turns until nothing more goes out."""
        for _ in range(5):
            self.office.clock.move(timedelta(seconds=1))
            moved = await dispatching.dispatch(DISPATCHER, self.desk)
            if not moved + await dispatching.wake_waiting(DISPATCHER, self.desk):
                return


async def _people(desk: Desk) -> dict[str, Actor]:
    for login, (name, roles, levels) in LOGINS.items():
        await staffing.add_user(
            CONSOLE,
            desk,
            login=login,
            name=name,
            roles=[role.value for role in roles],
            levels=levels,
            password=PASSWORD,
            must_change=False,
            duty=login == "monitor",
        )
    return {row["login"]: actor_of(row) for row in await desk.store.find("users", {}, limit=50)}


async def _office() -> tuple[Office, dict[str, Actor]]:
    office = make_office()
    desk = replace(
        office.desk,
        read=read,
        policies=StoredPolicies(office.store, office.clock),
        proofs=Argon2Proofs(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
    )
    office = replace(office, desk=desk)
    await columns.save_column(CONSOLE, desk, COLUMN)
    await desk.store.insert("beats", {"_id": "worker-1", "at": desk.clock.now(), "host": "here"})
    await office.account("site-main", "site", name="市政府网站", listening=True)
    await office.account("weibo-main", "weibo", name="云川发布", waits_for="site-main", fallback_minutes=10)
    return office, await _people(desk)


def build(desk: Desk, name: str) -> Sanic[Any, Any]:
    """The desk's application as `serve` makes it, over this desk."""
    app = bare(name, desk.clock, desk.ids, table.show_error)
    app.config.TOUCHUP = False  # Sanic rewrites its own methods once a process; here many applications share one
    attach(app, desk)
    add_routes(app, table.ROUTES, table.wrap)
    add_static(app)
    app.ctx.facts = {"office": "云川市新闻办", "districts": DISTRICTS, "channels": ["weibo", "site", "push"]}
    app.ctx.desk = desk
    app.ctx.tail = Tail()
    return app


@asynccontextmanager
async def open_room() -> AsyncIterator[Room]:
    """The desk, served on a free port of this machine until the block ends."""
    gc.collect()  # a socket left by somebody else must not be found while Sanic compiles its routes
    office, people = await _office()
    app = build(office.desk, f"desk_room_{next(_numbers)}")
    door = socket.create_server(("127.0.0.1", 0))
    server = await app.create_server(sock=door, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    try:
        async with AsyncExitStack() as stack:
            yield Room(app, f"http://127.0.0.1:{door.getsockname()[1]}", office, people, stack)
    finally:
        server.close()
        await server.wait_closed()
        Sanic._app_registry.pop(app.name, None)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    """A fresh desk for one test; tests in pages and contracts have it by name."""
    async with open_room() as opened:
        yield opened
