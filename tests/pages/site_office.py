"""A public site as tests meet it: a real application on a loopback port over a store in memory, with the hub's pen."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from sanic import Sanic

from channels.webhooks import check_answer, key_text, request_headers
from hub.app import add_routes, add_static, bare
from hub.clock import SetClock
from hub.identifiers import SeededIdentifiers
from hub.sealing import PublicSealer, Sealer
from hub.site.facts import demo_facts
from hub.site.serving import ROUTES, Site, attach, show_error, wrap
from hub.store.base import Store
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore
from hub.store.tables import SITE_TABLES

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
KEY, OLD_KEY = key_text(b"k" * 32), key_text(b"o" * 32)
HUB = Sealer(b"h" * 32)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PIXEL_NAME = hashlib.sha256(PIXEL).hexdigest()


def paragraph(text: str, **more: Any) -> dict[str, Any]:
    return {"kind": "p", "runs": [{"text": text, **more}]}


def article(title: str = "全市供暖准备就绪", text: str = "十一月十五日起供暖。", **more: Any) -> dict[str, Any]:
    body = {
        "title": title,
        "digest": "供暖准备情况",
        "blocks": [paragraph(text)],
        "column": "yw",
        "kind": "news",
        "source": "云川市住建局",
        "author": "林溪",
        "keywords": ["供暖", "冬季"],
        "pictures": [],
    }
    return {**body, **more}


def column(name: str = "要闻动态", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"{name}的文章",
        "keywords": [name],
        "type": "要闻动态",
        "order": 10,
        "public": True,
        **more,
    }


def picture() -> dict[str, Any]:
    return {
        "type": "image/png",
        "name": "点.png",
        "width": 1,
        "height": 1,
        "size": len(PIXEL),
        "data": base64.b64encode(PIXEL).decode(),
    }


@dataclass
class Said:
    """An answer: status, headers, bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Office:
    """The site and those who speak to it: `get` and `post` as a citizen, `ask` as the hub."""

    site: Site
    clock: SetClock
    port: int
    session: aiohttp.ClientSession
    sent: int = 0
    extra: dict[str, str] = field(default_factory=dict)

    async def request(self, method: str, path: str, **words: Any) -> Said:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, allow_redirects=False, **words) as answer:
            return Said(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **headers: str) -> Said:
        return await self.request("GET", path, headers=headers)

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Said:
        return await self.request("POST", path, data=form, headers=headers)

    def signed(self, method: str, path: str, content: bytes, *, id: str = "", key: str = KEY) -> dict[str, str]:
        self.sent += 1
        return request_headers([key], id or f"request-{self.sent:06}", self.clock.now(), method, path, content)

    async def ask(self, method: str, path: str, value: Any = None, *, id: str = "", key: str = KEY) -> Said:
        """A signed request of the hub's; the answer's own signature is checked."""
        path = "/content/v1" + path
        content = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
        headers = self.signed(method, path, content, id=id, key=key)
        said = await self.request(method, path, data=io.BytesIO(content) if content else None, headers=headers)
        check_answer([KEY], said.headers, headers["webhook-id"], said.status, method, path, said.content,
                     self.clock.now())  # fmt: skip
        return said

    async def put(self, kind: str, id: str, body: Any, version: int = 1, key: str = "", **more: Any) -> Said:
        value = {"version": version, "key": key or f"{id}-{version}", "body": body, **more}
        return await self.ask("PUT", f"/items/{kind}/{id}", value)


def fresh_store() -> MemoryStore:
    return MemoryStore(SITE_TABLES)


@asynccontextmanager
async def opened_site(
    store: Store | None = None,
    *,
    at: datetime = NOON,
    keys: tuple[str, ...] = (KEY,),
    proxies: int = 0,
    mark: str = "demo",
    files: Any = None,
) -> AsyncIterator[Office]:
    """The site on a free loopback port."""
    Sanic.test_mode = True
    clock = SetClock(at)
    ids = SeededIdentifiers(clock, 7)
    site = Site(
        store or fresh_store(), files or FilesInMemory(), PublicSealer(HUB.box_public()), clock, ids, demo_facts(),
        keys, "https://www.yunchuan.example", proxies, mark, b"c" * 32,
    )  # fmt: skip
    app = bare("site-under-test", clock, ids, show_error)
    attach(app, site)
    add_routes(app, ROUTES, wrap(site))
    add_static(app)
    door = socket.create_server(("127.0.0.1", 0))
    server = await app.create_server(sock=door, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()
    await server.start_serving()
    port = door.getsockname()[1]
    async with aiohttp.ClientSession() as session:
        try:
            yield Office(site, clock, port, session)
        finally:
            await server.close()
            Sanic._app_registry.clear()
