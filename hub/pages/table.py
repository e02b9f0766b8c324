"""Every address of the desk in one list, and how a handler is wrapped with its right; a new page is one line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote

from sanic import HTTPResponse, Request
from sanic.response import BaseHTTPResponse, html

from hub.domain.rights import require
from hub.pages import (
    accounts,
    audit,
    board,
    calendar,
    canned,
    case_forms,
    cases,
    columns,
    concerns,
    contents,
    copies,
    deciding,
    dictionary,
    editor,
    entry,
    home,
    issues,
    media,
    missed,
    model,
    openapi,
    policies,
    preview,
    publication_acts,
    publication_export,
    publications,
    quiet,
    replies,
    reviews,
    search,
    services,
    settings,
    stream,
    tasks,
    topics,
    watchwords,
)
from hub.pages.routes import Route, take_body
from hub.pages.shell import actor_of
from hub.rendering import shared_renderer

ROUTES: tuple[Route, ...] = (
    *entry.ROUTES,
    *home.ROUTES,
    *board.ROUTES,
    *issues.ROUTES,
    *deciding.ROUTES,
    *watchwords.ROUTES,
    *replies.ROUTES,
    *copies.ROUTES,
    *model.ROUTES,
    *dictionary.ROUTES,
    *topics.ROUTES,
    *cases.ROUTES,
    *case_forms.ROUTES,
    *canned.ROUTES,
    *tasks.ROUTES,
    *editor.ROUTES,
    *preview.ROUTES,
    *contents.ROUTES,
    *media.ROUTES,
    *reviews.ROUTES,
    *publications.ROUTES,
    *concerns.ROUTES,
    *publication_acts.ROUTES,
    *publication_export.ROUTES,
    *quiet.ROUTES,
    *missed.ROUTES,
    *calendar.ROUTES,
    *accounts.ROUTES,
    *columns.ROUTES,
    *services.ROUTES,
    *settings.ROUTES,
    *policies.ROUTES,
    *audit.ROUTES,
    *search.ROUTES,
    *openapi.ROUTES,
    *openapi.DESCRIBED,
    *stream.ROUTES,
)
ERROR_PAGES = {403: "403", 404: "404", 409: "409", 429: "429"}

Handler = Callable[..., Coroutine[Any, Any, BaseHTTPResponse]]


def wrap(route: Route) -> Handler:
    """The route's handler behind its right: asked here before anything is read, and by the desk's verb once more."""

    async def handle(request: Request, **parts: str) -> BaseHTTPResponse:
        if route.right not in (None, "open"):
            require(actor_of(request), str(route.right))
        if route.most_bytes:
            await take_body(request, route.most_bytes)
        plain = {name: unquote(part) if isinstance(part, str) else part for name, part in parts.items()}
        return await route.handle(request, **plain)

    if route.most_bytes:
        handle.is_stream = True  # type: ignore[attr-defined]  # Sanic leaves the body unread for such a handler
    return handle


def show_error(request: Request, status: int, title: str, message: str) -> HTTPResponse:
    """An error as a page without anything of the person's work on it."""
    name = ERROR_PAGES.get(status, "500" if status >= 500 else "page")
    words = {"kind": "error", "title": title, "text": message, "message": message}
    body = shared_renderer().render(f"errors/{name}.html", **words, request_id=getattr(request.ctx, "id", ""))
    return html(body, status=status, headers={"Cache-Control": "no-store"})
