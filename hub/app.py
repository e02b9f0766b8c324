"""Builds the two web applications from their route tables: request ids, headers, error pages; no page lives here."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Protocol

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import SanicException
from sanic.response import BaseHTTPResponse, raw

from hub.clock import Clock
from hub.domain.errors import HubError, Invalid, TooMany
from hub.identifiers import Identifiers

LOG = logging.getLogger("hub.web")
STATIC = Path(__file__).parent / "static"

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; frame-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]|%(?:0[0-9a-fA-F]|1[0-9a-fA-F]|7[fF])")
_SENTENCES = {
    400: "这个请求的格式不对，没有处理。",
    404: "没有找到这个页面，可能已移走或地址不完整。",
    405: "这个地址不接受这种请求方式。",
    413: "内容太大，没有收下。请减少后重试。",
    429: "操作过于频繁，请稍后再试。",
    503: "系统正忙，请稍后再试。",
}
_BROKEN = "系统出了差错，刚才的内容没有丢。请稍后再试；若再出现，请把编号告诉管理员。"


class Shown(Protocol):
    """Renders an error as a page of this application."""

    def __call__(self, request: Request, status: int, title: str, message: str) -> HTTPResponse: ...


Wrap = Callable[[Any], Callable[..., Any]]


def bare(name: str, clock: Clock, ids: Identifiers, show: Shown) -> Sanic[Any, Any]:
    """An application with request ids, security headers, strict hosts and error pages, and no route yet."""
    app: Sanic[Any, Any] = Sanic(name, configure_logging=False, strict_slashes=False)
    app.config.update(
        REQUEST_TIMEOUT=10,
        RESPONSE_TIMEOUT=3600,
        KEEP_ALIVE_TIMEOUT=15,
        REQUEST_MAX_SIZE=12_000_000,
        REQUEST_MAX_HEADER_SIZE=16_384,
        FALLBACK_ERROR_FORMAT="text",
        AUTO_EXTEND=False,
        OAS=False,
        ACCESS_LOG=False,
        MOTD=False,
    )
    app.ctx.clock = clock
    app.ctx.ids = ids
    app.register_middleware(_receive, "request", priority=100)
    app.register_middleware(_finish, "response", priority=100)
    app.exception(Exception)(_answer_error(show))
    return app


def add_routes(app: Sanic[Any, Any], routes: Sequence[Any], wrap: Wrap) -> None:
    """Put a route table into the application; each handler goes through `wrap` (rights, surroundings)."""
    for route in routes:
        named = {"name": route.name, "ctx_route": route}
        # `text` as everywhere here: left open, Sanic would read and parse each handler's source to guess one
        app.add_route(wrap(route), route.path, methods=[route.method], error_format="text", **named)


def add_static(app: Sanic[Any, Any]) -> None:
    """Own and vendored front-end files, by name; their content hash in the address lets browsers keep them."""

    async def serve(request: Request, path: str) -> HTTPResponse:
        wanted = (STATIC / path).resolve()
        if not wanted.is_relative_to(STATIC.resolve()) or not wanted.is_file():
            raise SanicException("", status_code=404)
        kept = "public, max-age=31536000, immutable" if "v" in request.args else "public, max-age=300"
        # read whole in a thread: who goes away meanwhile leaves no file open behind them, and none is large
        content = await asyncio.to_thread(wanted.read_bytes)
        return raw(content, headers={"Cache-Control": kept}, content_type=_type_of(wanted.name))

    app.add_route(serve, "/static/<path:path>", methods=["GET"], name="static_files")


def _type_of(name: str) -> str:
    kind = guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


async def _receive(request: Request) -> HTTPResponse | None:
    """Give the request its id, and turn away what no honest browser sends before anything reads it."""
    request.ctx.id = request.app.ctx.ids.new()
    request.ctx.began = request.app.ctx.clock.monotonic()
    hosts = request.headers.getall("host", [])
    target = request.raw_url.decode("latin-1")
    if len(hosts) != 1 or not hosts[0].strip() or _CONTROL.search(target) or _smuggled(request):
        if request.stream is not None:
            request.stream.keep_alive = False  # type: ignore[attr-defined]  # the rest is never read as a request
        return _problem(request, 400, "请求有误", _SENTENCES[400])
    if request.method == "TRACE":
        return _problem(request, 405, "不支持", _SENTENCES[405])
    return None


def _smuggled(request: Request) -> bool:
    """Chunks, or a header name that ends in white space: two servers in a row may read them as different requests.

    No browser sends a request in chunks, and Sanic takes chunk sizes that others refuse.
    """
    if request.headers.get("transfer-encoding"):
        return True
    head = getattr(request, "head", b"") or b""
    return any(re.match(rb"[!-9;-~]+[ \t]+:", line) for line in bytes(head).split(b"\r\n")[1:])


async def _finish(request: Request, response: BaseHTTPResponse) -> None:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if getattr(request.ctx, "signed", None) or getattr(request.ctx, "actor", None):
        headers.setdefault("Cache-Control", "no-store")  # what one person may see stays in no cache
    if request.scheme == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    headers["X-Request-Id"] = getattr(request.ctx, "id", "")
    _log(request, response.status)


def _log(request: Request, status: int) -> None:
    """One line a request: the route's name, never the address as sent, since addresses can carry people's data."""
    began = getattr(request.ctx, "began", None)
    name = request.route.name if request.route else "none"
    spent = (request.app.ctx.clock.monotonic() - began) * 1000 if began is not None else 0.0
    LOG.info("%s %s %s %d %.1fms", getattr(request.ctx, "id", "-"), request.method, name, status, spent)


def wants_json(request: Request) -> bool:
    """API addresses are answered with problem documents, pages with pages."""
    path = request.path
    return path.startswith(
        ("/api/", "/public/", "/content/", "/callbacks/", "/docs/")
    ) or "json" in request.headers.get("accept", "")


def _problem(
    request: Request, status: int, title: str, detail: str, errors: Sequence[dict[str, str]] = ()
) -> HTTPResponse:
    """An RFC 9457 problem document in Chinese."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": list(errors)}
    body["instance"] = f"urn:request:{getattr(request.ctx, 'id', '')}"
    return raw(json.dumps(body, ensure_ascii=False).encode(), status=status, content_type="application/problem+json")


def _answer_error(show: Shown) -> Callable[[Request, Exception], Awaitable[HTTPResponse]]:
    async def answer(request: Request, error: Exception) -> HTTPResponse:
        status, title, message, errors = _explain(request, error)
        json_wanted = wants_json(request)
        response = (
            _problem(request, status, title, message, errors) if json_wanted else show(request, status, title, message)
        )
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    return answer


def _explain(request: Request, error: Exception) -> tuple[int, str, str, list[dict[str, str]]]:
    """(status, title, sentence, fields) of whatever went wrong; an unforeseen error tells its number only."""
    if isinstance(error, HubError) and error.status < 500:
        fields = error.errors if isinstance(error, Invalid) else ()
        return error.status, error.title, error.message, [{"field": f.field, "message": f.message} for f in fields]
    if isinstance(error, SanicException) and error.status_code < 500:
        status = error.status_code
        return status, "没有处理", _SENTENCES.get(status, _SENTENCES[400]), []
    LOG.error("%s failed: %s", getattr(request.ctx, "id", "-"), type(error).__name__, exc_info=error)
    return 500, "系统出错", f"{_BROKEN}编号 {getattr(request.ctx, 'id', '')[:26]}", []
