"""The Sanic shell around the local platforms: sockets, faults that need them, control addresses; no platform's rules.

Loopback only. `/_rehearsal/*` needs the key as a bearer token; everything else is the platform itself.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from sanic import HTTPResponse, Sanic
from sanic import Request as SanicRequest
from sanic.response import html, json, raw

from channels import faults
from channels.exchange import Answer, Request
from channels.http import Caller, HttpTransport, PlatformPolicy, open_caller, origin
from channels.ledger import FileLedger
from channels.performance import Delivery, Performance, Platform, half
from channels.push.rehearsal import PushPlatform
from channels.wechat.rehearsal import WechatPlatform
from channels.weibo.rehearsal import WeiboPlatform

LOOPBACK = "127.0.0.1"
_LARGEST_BODY = 16 << 20
_PUSH_PAUSE = 0.2  # seconds between two looks for what is to be pushed
_PUSHES_AT_ONCE = 20
_KEPT_HEADERS = ("content-type", "authorization")
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


@dataclass(frozen=True)
class Stage:
    """One platform to serve: its name in the data folder, how far its port is from the first, how it is made."""

    name: str
    offset: int
    make: Callable[[str, Sequence[str]], Platform]  # seed, approved domains


STAGES = (
    Stage("weibo", 0, lambda seed, domains: WeiboPlatform(seed, domains)),
    Stage("wechat", 1, lambda seed, domains: WechatPlatform(seed)),
    Stage("push", 2, lambda seed, domains: PushPlatform(seed)),
)
SPREAD = 10  # ports from one account of a platform to the next


def stages(accounts: int) -> Sequence[Stage]:
    """Every platform as often as there are accounts of it: each copy is a platform of its own with one account."""
    return [_copy(stage, number) for number in range(accounts) for stage in STAGES]


def _copy(stage: Stage, number: int) -> Stage:
    """The first is the stage itself; a further one has its own name, port and made-up credentials."""
    if not number:
        return stage
    name, place = f"{stage.name}-{number + 1}", f"/{number + 1}"
    return Stage(name, stage.offset + SPREAD * number, lambda seed, domains: stage.make(seed + place, domains))


def open_performance(
    stage: Stage, data: Path, key: str, now: Callable[[], datetime], domains: Sequence[str]
) -> Performance:
    """The platform with everything that it remembers from before. The made-up credentials follow from the key."""
    ledger = FileLedger(data / "rehearsal" / f"{stage.name}.jsonl")
    return Performance(lambda: stage.make(key, domains), now, ledger)


def _problem(status: int, detail: str) -> HTTPResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return json(body, status=status, content_type="application/problem+json", ensure_ascii=False)


def _transport(request: SanicRequest) -> asyncio.Transport:
    """The connection under a request: faults write to it and cut it past the framework."""
    return cast(asyncio.Transport, request.transport)


async def _cut(request: SanicRequest) -> HTTPResponse:
    """Ends the connection without a word more."""
    _transport(request).abort()
    return raw(b"")


def _bytes(answer: Answer) -> bytes:
    """The answer as it stands on the wire."""
    headers = {**answer.headers, "content-length": str(len(answer.body)), "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n{lines}\r\n".encode() + answer.body


async def _halfway(request: SanicRequest, answer: Answer) -> HTTPResponse:
    """Sends head and half of the body, then cuts."""
    whole = _bytes(answer)
    _transport(request).write(whole[: len(whole) - len(answer.body) // 2 - 1])
    await asyncio.sleep(0.05)  # what was written must leave before the cut
    return await _cut(request)


async def _drip(request: SanicRequest, answer: Answer) -> HTTPResponse:
    """Sends the whole answer, one byte a second, as long as anybody listens."""
    for byte in _bytes(answer):
        if _transport(request).is_closing():
            break
        _transport(request).write(bytes((byte,)))
        await asyncio.sleep(1)
    return await _cut(request)


async def _given(request: SanicRequest, answer: Answer | None, fault: faults.Fault | None) -> HTTPResponse:
    """The answer with its fault carried out."""
    kind = fault.kind if fault else ""
    if answer is None or kind == "drop_after":
        return await _cut(request)
    if kind == "delay" and fault:
        await asyncio.sleep(fault.value)
    if kind == "close":
        return await _halfway(request, answer)
    if kind == "drip":
        return await _drip(request, answer)
    body = half(answer.body) if kind == "garbage" else answer.body
    headers = {name: value for name, value in answer.headers.items() if name != "content-type"}
    return HTTPResponse(body, answer.status, headers, answer.headers.get("content-type", "text/plain"))


def app_of(performance: Performance, key: str, name: str = "rehearsal") -> Sanic[Any, Any]:
    """The server of one platform."""
    app: Sanic[Any, Any] = Sanic(name, configure_logging=False)
    app.config.REQUEST_MAX_SIZE = _LARGEST_BODY
    app.config.RESPONSE_TIMEOUT = 3600
    app.config.ACCESS_LOG = False
    app.config.MOTD = False
    app.config.TOUCHUP = False  # Sanic rewrites its own methods once a process; here several apps share one
    app.config.FALLBACK_ERROR_FORMAT = "json"
    _add_control(app, performance, key)
    _add_platform(app, performance)
    return app


def _add_platform(app: Sanic[Any, Any], performance: Performance) -> None:
    async def page(_request: SanicRequest) -> HTTPResponse:
        return html(performance.platform.page(performance.moment()))

    async def platform(request: SanicRequest, path: str = "") -> HTTPResponse:
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        headers["x-real-ip"] = request.ip
        url = f"http://{request.host}{request.raw_url.decode('ascii', 'replace')}"
        played = performance.play(Request(request.method, url, headers, request.body))
        return await _given(request, played.answer, played.fault)

    app.add_route(page, "/", methods=["GET"], name="page")
    app.add_route(page, r"/<uid:[0-9]+>/<post:[0-9A-Za-z]+>", methods=["GET"], name="post", unquote=True)
    app.add_route(platform, "/<path:path>", methods=list(_METHODS), name="platform")


def _add_control(app: Sanic[Any, Any], performance: Performance, key: str) -> None:
    """The addresses by which tests and demos look and meddle."""

    async def control(request: SanicRequest, what: str) -> HTTPResponse:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {key}".encode()):
            return _problem(401, "控制地址需要启动时显示的密钥")
        try:
            done = _controlled(performance, request.method, what, request.json if request.body else {})
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            return _problem(422, str(fault) if isinstance(fault, ValueError) else "请求的写法有误")
        return _problem(404, "没有这个控制地址") if done is None else json(done, ensure_ascii=False)

    app.add_route(control, "/_rehearsal/<what:str>", methods=["GET", "POST"], name="control")


def _controlled(performance: Performance, method: str, what: str, body: Any) -> Any:
    if method == "GET":
        looks: dict[str, Callable[[], Any]] = {
            "accounts": performance.platform.accounts,
            "posts": lambda: performance.platform.posts(performance.moment()),
            "requests": lambda: list(performance.requests),
        }
        return looks[what]() if what in looks else performance.look(what)
    if what == "faults":
        for order in _several(body):
            performance.orders.add(faults.parse(order))
    elif what == "replies":
        return {"ids": [performance.speak(said) for said in _several(body)]}
    elif what == "clock":
        performance.move_clock(_shift(performance, body))
    elif what == "reset":
        performance.reset()
    elif not performance.order(what, body):
        return None
    return {"at": performance.moment().isoformat()}


def _several(body: Any) -> list[dict[str, Any]]:
    return body if isinstance(body, list) else [body]


def _shift(performance: Performance, body: dict[str, Any]) -> float:
    """Seconds from the true time: `{"shift": seconds}`, or `{"at": RFC 3339}` for a moment."""
    if "at" in body:
        return (datetime.fromisoformat(body["at"]) - performance.now()).total_seconds()
    return float(body["shift"])


@dataclass
class Courier:
    """Sends what one platform wants to push, each push in a task of its own, until it is cancelled."""

    performance: Performance
    caller: Caller

    def __post_init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._roads: dict[str, HttpTransport] = {}

    async def run(self) -> None:
        while True:
            for delivery in self.performance.due():
                if delivery.id not in self._under_way and len(self._under_way) < _PUSHES_AT_ONCE:
                    self._under_way[delivery.id] = asyncio.create_task(self._send(delivery))
            await asyncio.sleep(_PUSH_PAUSE)

    async def _send(self, delivery: Delivery) -> None:
        try:
            result = await self._road(delivery.url).send(delivery.request())
            self.performance.delivered(delivery.id, result)
        finally:
            del self._under_way[delivery.id]

    def _road(self, url: str) -> HttpTransport:
        """The transport to the one callback address that was ordered."""
        there = origin(url)
        if there not in self._roads:
            self._roads[there] = self.caller.transport(PlatformPolicy.of(url))
        return self._roads[there]


def serve(
    port: int,
    data: Path,
    key: str,
    now: Callable[[], datetime],
    domains: Sequence[str] = ("www.yunchuan.example", "localhost", LOOPBACK),
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Serve every platform, 微博 on `port`, until the process is told to stop. OSError when a port is taken."""
    asyncio.run(_serve(port, data, key, now, domains, stages))


async def _serve(
    port: int,
    data: Path,
    key: str,
    now: Callable[[], datetime],
    domains: Sequence[str],
    stages: Sequence[Stage],
) -> None:
    performances = [open_performance(stage, data, key, now, domains) for stage in stages]
    servers = []
    for stage, performance in zip(stages, performances, strict=True):
        app = app_of(performance, key, f"rehearsal-{stage.name}")
        server = await app.create_server(host=LOOPBACK, port=port + stage.offset, return_asyncio_server=True)
        if server is not None:
            await server.startup()  # type: ignore[no-untyped-call]
            servers.append(server)
    async with open_caller() as caller:
        couriers = [Courier(performance, caller).run() for performance in performances]
        await asyncio.gather(*(server.serve_forever() for server in servers), *couriers)  # type: ignore[no-untyped-call]
