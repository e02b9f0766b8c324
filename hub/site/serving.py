"""The public site put together: its routes, what the application needs of it, and how it is made from settings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from hub.clock import Clock
from hub.domain.errors import Misconfigured
from hub.identifiers import Identifiers
from hub.sealing import PublicSealer, key_from_file, make_key_file
from hub.settings import Settings
from hub.site import app_api, app_pages, callbacks, content_api, demands_api, feeds, letters, reading, visits
from hub.site.facts import demo_facts, read_facts, write_facts
from hub.site.routes import CONTENT_BYTES, Route, Site, wrap
from hub.site.surroundings import show_bare
from hub.store.base import Store
from hub.store.files import Files

_TABLES = (
    *reading.ROUTES, *letters.ROUTES, *visits.ROUTES, *demands_api.ROUTES, *feeds.ROUTES, *app_api.ROUTES,
    *app_pages.ROUTES,
)  # fmt: skip
# Probes ask with HEAD; Sanic sends the head of the same answer.
_HEADS = tuple(replace(route, method="HEAD") for route in _TABLES if route.method == "GET")
ROUTES: tuple[Route, ...] = (*_TABLES, *_HEADS, *content_api.ROUTES, *callbacks.ROUTES)
CODE_KEY = "codes.key"
LIBRARY_LIMIT = CONTENT_BYTES + 4_096  # each route has its own limit below this one

__all__ = ["ROUTES", "Site", "attach", "keys_of", "make_site", "show_error", "wrap"]


def keys_of(settings: Settings) -> tuple[str, ...]:
    """The content keys in force, the newest first."""
    keys = tuple(key.strip() for key in settings["HUB_CONTENT_KEY"].split(",") if key.strip())
    if not 1 <= len(keys) <= 2:
        raise Misconfigured("公众网需要一个内容接口密钥（HUB_CONTENT_KEY），轮换期两个，用逗号分开。")
    return keys


def _seal_key(settings: Settings) -> bytes:
    try:
        key = bytes.fromhex(settings["HUB_SITE_SEAL_KEY"])
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Misconfigured("公众网需要中心的公钥（HUB_SITE_SEAL_KEY，64 位十六进制），没有它不能接收来信。")
    return key


def _code_key(folder: Path) -> bytes:
    """The key of query codes, the site's own, made with its data folder: whoever loses it loses the codes, no word."""
    path = folder / CODE_KEY
    with suppress(FileExistsError):
        make_key_file(path)
    return key_from_file(path, outside=folder / "files")


def make_site(
    settings: Settings, store: Store, files: Files, clock: Clock, ids: Identifiers, *, mark: str, base_url: str
) -> Site:
    """The site over an open store. A demonstration writes the invented city's facts the first time."""
    if mark == "demo":
        write_facts(settings.data, demo_facts())
    return Site(
        store, files, PublicSealer(_seal_key(settings)), clock, ids, read_facts(settings.data), keys_of(settings),
        base_url, settings.number("HUB_PROXIES"), mark, _code_key(settings.data),
    )  # fmt: skip


def attach(app: Sanic[Any, Any], site: Site) -> None:
    """Hand the site to its application, whose error pages and body limit need it."""
    app.ctx.site = site
    app.config.REQUEST_MAX_SIZE = LIBRARY_LIMIT


def show_error(request: Request, status: int, title: str, message: str) -> HTTPResponse:
    """An error as a page of this site."""
    site: Any = request.app.ctx.site
    return show_bare(request, site, status, title, message)
