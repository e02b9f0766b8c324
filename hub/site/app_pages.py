"""App: the installable web app's pages, its manifest and its worker; what programs ask stands in app_api.py.

The pages are plain and the same for everybody. What belongs to one person (the district, letters sent from this phone,
a draft) is kept on the phone by app.js and never reaches a page that is cached.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request
from sanic.response import raw, redirect

from hub.domain import blocks
from hub.domain.errors import NotFound, TooMany
from hub.rendering import STATIC
from hub.site import letters
from hub.site.app_api import districts_of
from hub.site.items import WITHDRAWN, Item
from hub.site.reading import NOT_HERE, PER_PAGE, marked, opened
from hub.site.routes import FORM_BYTES, Route, Site
from hub.site.shelf import body_of
from hub.site.surroundings import show

ON_HOME = 12
SERVICES_ON_HOME = 8
NOTICES = 3
FRESH = timedelta(days=3)  # how long a notice stands above the news; after that it is found among them
WORKER = STATIC / "js" / "app-worker.js"
SHELL = (
    "css/tokens.css", "css/base.css", "css/parts.css", "css/site.css", "css/app.css",
    "js/look.js", "js/app.js", "js/counter.js", "icons/sprite.svg", "icons/mountain.svg", "icons/app-192.png",
)  # fmt: skip
FIRST_PAGES = ("/app/", "/app/cards", "/app/services", "/app/say", "/app/mine", "/app/offline")
THEME = "#1b4586"
READ = "public, max-age=30"


@dataclass(frozen=True)
class Tab:
    """One of the four places of the app."""

    key: str
    label: str
    href: str
    icon: str


TABS = (
    Tab("home", "首页", "/app/", "home"),
    Tab("services", "服务", "/app/services", "list"),
    Tab("say", "我要说", "/app/say", "say"),
    Tab("mine", "我的", "/app/mine", "user"),
)


def shell_of(site: Site) -> list[str]:
    """The addresses of everything that the app needs to be drawn."""
    return [site.renderer.asset(name) for name in SHELL]


@cache
def worker() -> bytes:
    """The worker's script."""
    return WORKER.read_bytes()


def version_of(site: Site) -> str:
    """Another word whenever a file of the app, or its worker, is another."""
    words = "\n".join(shell_of(site)).encode() + worker()
    return hashlib.sha256(words).hexdigest()[:12]


async def _page(request: Request, site: Site, template: str, here: str, **values: Any) -> HTTPResponse:
    name = site.facts.app_name or site.facts.name
    values = {"kept": READ, "tabs": TABS, "app_name": name, "version": version_of(site), **values}
    return await show(request, site, f"app_{template}", here=here, **values)


# ---- reading


@dataclass(frozen=True)
class Notice:
    """One thing that people of some districts should know today."""

    item: Item
    districts: Sequence[str]


async def show_home(request: Request, site: Site) -> HTTPResponse:
    if request.path == "/app":  # the worker's scope begins with the slash
        return redirect("/app/", status=308)
    page = await site.shelf.newest(ON_HOME, of="card")
    chosen = request.args.get("district") or ""
    chosen = chosen if chosen in site.facts.districts else ""
    # what concerns the whole city stands among the news, or is pinned above every page: colour is for what is near
    near = [each for each in await _notices(site) if each.districts and (not chosen or chosen in each.districts)]
    return await _page(
        request, site, "home", "home", items=page.items, more=bool(page.cursor),
        notices=near, chosen=chosen, most=NOTICES,
        services=(await site.shelf.services())[:SERVICES_ON_HOME], now=site.clock.now(),
    )  # fmt: skip


async def _notices(site: Site) -> list[Notice]:
    since = site.clock.now() - FRESH
    found = (await site.shelf.newest(PER_PAGE, of="card", kind="notice", since=since)).items
    return [Notice(item, districts_of(item, site.facts.districts)) for item in found]


async def show_cards(request: Request, site: Site) -> HTTPResponse:
    after = request.args.get("after") or ""
    page = await site.shelf.newest(PER_PAGE, after=after, of="card")
    more = f"/app/cards?{urlencode({'after': page.cursor})}" if page.cursor else ""
    return await _page(
        request, site, "cards", "home", items=page.items, more=more, back="/app/cards" if after else "",
        now=site.clock.now(),
    )  # fmt: skip


async def show_card(request: Request, site: Site, id: str) -> HTTPResponse:
    """The article of a card where this site has it, else the card's own words and the way to the article."""
    item = await site.shelf.read("card", id)
    if item is None:
        raise NotFound(NOT_HERE)
    article = await site.shelf.read("article", item["card"]["article"]) if item["card"]["article"] else None
    gone = next((each for each in (item, article) if each and each["state"] == WITHDRAWN), None)
    if gone is not None:
        return await _page(request, site, "withdrawn", "home", kept="no-store", status=410, item=gone)
    body = body_of(article) if article else {}
    own = (*site.facts.own_domains, site.facts.domain)
    text = opened(marked(blocks.check(body["blocks"]), own)) if body else None
    return await _page(request, site, "card", "home", item=item, article_item=article, body=opened(body), text=text)


async def show_services(request: Request, site: Site) -> HTTPResponse:
    return await _page(request, site, "services", "services", services=await site.shelf.services())


async def show_mine(request: Request, site: Site) -> HTTPResponse:
    notices = await _notices(site)
    return await _page(request, site, "mine", "mine", notices=notices, districts=site.facts.districts)


async def show_offline(request: Request, site: Site) -> HTTPResponse:
    return await _page(request, site, "offline", "")


# ---- 我要说


async def show_say(request: Request, site: Site) -> HTTPResponse:
    empty = letters.Draft(dict.fromkeys(letters.LETTER, "") | {"key": site.ids.new()})
    return await _form(request, site, empty, kept="no-cache")


async def _form(
    request: Request, site: Site, draft: letters.Draft, *, status: int = 200, sentence: str = "", kept: str = "no-store"
) -> HTTPResponse:
    districts = [("", "不清楚"), *((name, name) for name in site.facts.districts)]
    return await _page(
        request, site, "say", "say", kept=kept, status=status, draft=draft, values=draft.values, sentence=sentence,
        districts=districts, most=letters.MOST_TEXT,
    )  # fmt: skip


async def hand_in(request: Request, site: Site, draft: letters.Draft) -> str:
    """诉求 handed in: the one place that says where it goes. The query code it got."""
    await letters.admit(request, site)
    return await letters.take_letter(site, draft, "app")


async def send_say(request: Request, site: Site) -> HTTPResponse:
    """Taken, or back with everything that was written. The answer to a POST is the page: no code in any address."""
    draft = letters.read_letter(letters.given(request, letters.LETTER), site.facts.districts)
    if draft.errors:
        return await _form(request, site, draft, status=422)
    try:
        code = await hand_in(request, site, draft)
    except TooMany as error:
        answer = await _form(request, site, draft, status=429, sentence=error.message)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return await _page(
        request, site, "said", "say", kept="no-store", title=draft.values["title"], code=code, at=site.clock.now()
    )


# ---- what a phone asks


def manifest_of(site: Site) -> dict[str, Any]:
    """What a phone shows of the app (W3C Web Application Manifest)."""
    name = site.facts.app_name or site.facts.name

    def icon(file: str, sizes: str, type: str, purpose: str = "any") -> Mapping[str, str]:
        return {"src": site.renderer.asset(f"icons/{file}"), "sizes": sizes, "type": type, "purpose": purpose}

    return {
        "id": "/app/", "name": f"{name} · {site.facts.name}" if name != site.facts.name else name, "short_name": name,
        "description": site.facts.description, "lang": "zh-CN", "dir": "ltr", "start_url": "/app/", "scope": "/app/",
        "display": "standalone", "background_color": "#ffffff", "theme_color": THEME,
        "icons": [
            icon("mountain.svg", "any", "image/svg+xml"), icon("app-192.png", "192x192", "image/png"),
            icon("app-512.png", "512x512", "image/png"),
            icon("app-maskable-512.png", "512x512", "image/png", "maskable"),
        ],
        "shortcuts": [{"name": tab.label, "url": tab.href} for tab in TABS[1:]],
    }  # fmt: skip


async def show_manifest(request: Request, site: Site) -> HTTPResponse:
    content = json.dumps(manifest_of(site), ensure_ascii=False).encode()
    return raw(content, headers={"Cache-Control": "public, max-age=300"}, content_type="application/manifest+json")


async def show_shell(request: Request, site: Site) -> HTTPResponse:
    found = {"version": version_of(site), "files": shell_of(site), "pages": FIRST_PAGES}
    return raw(json.dumps(found).encode(), headers={"Cache-Control": "no-cache"}, content_type="application/json")


async def show_worker(request: Request, site: Site) -> HTTPResponse:
    """The worker stands under /app/, so it can reach nothing else of the site's pages."""
    return raw(worker(), headers={"Cache-Control": "no-cache"}, content_type="text/javascript")


ROUTES = (
    Route("GET", "/app/", show_home),
    Route("GET", "/app/cards", show_cards),
    Route("GET", "/app/cards/<id:str>", show_card),
    Route("GET", "/app/services", show_services),
    Route("GET", "/app/say", show_say),
    Route("POST", "/app/say", send_say, "form", "origin", FORM_BYTES),
    Route("GET", "/app/mine", show_mine),
    Route("GET", "/app/offline", show_offline),
    Route("GET", "/app/manifest.webmanifest", show_manifest, "file"),
    Route("GET", "/app/shell.json", show_shell, "file"),
    Route("GET", "/app/worker.js", show_worker, "file"),
)
