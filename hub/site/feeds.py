"""What machines read: RSS, sitemap.xml, robots.txt, the public JSON lists, health; pages for people live beside."""

from __future__ import annotations

import json
import re
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree

from sanic import HTTPResponse, Request
from sanic.response import raw, text

from hub.domain.errors import NotFound
from hub.site.content_api import last_beat, written
from hub.site.items import WITHDRAWN, Item, page_of
from hub.site.limits import is_loopback
from hub.site.routes import Route, Site, address_of
from hub.site.shelf import Page, body_of

IN_FEED = 50
IN_SITEMAP = 45_000  # the format allows 50,000 addresses in one file
STEP = 500  # between steps others are served
KEPT = 60.0  # seconds
STILL = 30  # seconds without a beat after which publishing counts as stopped
_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHORT = {"Cache-Control": "public, max-age=60"}


def _put(parent: ElementTree.Element, name: str, words: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = _NOT_XML.sub("", words)


def _written(root: ElementTree.Element) -> bytes:
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


async def show_feed(request: Request, site: Site) -> HTTPResponse:
    """RSS 2.0 of the newest articles. A guid is the article's id: it stays when the site's address changes."""
    ElementTree.register_namespace("atom", _ATOM)
    root = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(root, "channel")
    facts, names = site.facts, {column["id"]: column["name"] for column in await site.shelf.columns()}
    for name, words in (
        ("title", facts.name), ("link", f"{site.base_url}/"), ("description", facts.description or facts.name),
        ("language", "zh-cn"), ("generator", "govhub"),
    ):  # fmt: skip
        _put(channel, name, words)
    address = {"href": f"{site.base_url}/feed.xml", "rel": "self", "type": "application/rss+xml"}
    ElementTree.SubElement(channel, f"{{{_ATOM}}}link", address)
    items = (await site.shelf.newest(IN_FEED)).items
    if items:
        newest = max(item["updated_at"] for item in items)
        _put(channel, "lastBuildDate", format_datetime(newest, usegmt=True))
    for item in items:
        _feed_item(channel, item, names, site)
    return raw(_written(root), headers=_SHORT, content_type="application/rss+xml; charset=utf-8")


def _feed_item(channel: ElementTree.Element, item: Item, names: dict[str, str], site: Site) -> None:
    entry, card = ElementTree.SubElement(channel, "item"), item["card"]
    _put(entry, "title", card["title"])
    _put(entry, "link", str(page_of(item, site.base_url)))
    _put(entry, "guid", item["id"], isPermaLink="false")
    _put(entry, "pubDate", format_datetime(item["published_at"], usegmt=True))
    if card["digest"]:
        _put(entry, "description", card["digest"])
    if item["column"] in names:
        _put(entry, "category", names[item["column"]])


async def show_sitemap(request: Request, site: Site) -> HTTPResponse:
    """The whole site for search engines. Ten thousand articles take half a second to write down, so the file is kept
    for a minute, and less long where this process changes an item."""
    writes, now = site.shelf.writes, site.clock.monotonic()
    kept = site.kept.get("sitemap")
    if kept is None or kept[0] != writes or now - kept[1] > KEPT:
        kept = site.kept["sitemap"] = (writes, now, await _sitemap(site))
    return raw(kept[2], headers=_SHORT, content_type="application/xml; charset=utf-8")


async def _sitemap(site: Site) -> bytes:
    root = ElementTree.Element("urlset", xmlns=_SITEMAP)
    for path in ("/", "/letters", "/sitemap", "/accessibility", "/privacy", "/articles"):
        _put(ElementTree.SubElement(root, "url"), "loc", site.base_url + path)
    for column in await site.shelf.columns():
        _put(ElementTree.SubElement(root, "url"), "loc", f"{site.base_url}/columns/{column['id']}")
    after, count = "", 0
    while count < IN_SITEMAP:
        page = await site.shelf.newest(STEP, after=after)
        for item in page.items:
            entry = ElementTree.SubElement(root, "url")
            _put(entry, "loc", str(page_of(item, site.base_url)))
            _put(entry, "lastmod", item["updated_at"].isoformat(timespec="seconds"))
        after, count = page.cursor, count + len(page.items)
        if not after:
            break
    return _written(root)


async def show_robots(request: Request, site: Site) -> HTTPResponse:
    closed = ("/search", "/letters/", "/mistakes/", "/content/", "/public/", "/look")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "", f"Sitemap: {site.base_url}/sitemap.xml"]
    return text("\n".join(lines) + "\n", headers=_SHORT)


# --- /public/v1


def as_json(value: Any, status: int = 200, kept: str = "public, max-age=30") -> HTTPResponse:
    """A JSON answer; `kept` is its Cache-Control."""
    content = json.dumps(value, ensure_ascii=False).encode()
    return raw(content, status=status, headers={"Cache-Control": kept}, content_type="application/json")


def _listed(item: Item, site: Site) -> dict[str, Any]:
    card = item["card"]
    return {
        "id": item["id"], "title": card["title"], "digest": card["digest"], "column": item["column"],
        "kind": card["kind"], "source": card["source"], "published_at": written(item["published_at"]),
        "updated_at": written(item["updated_at"]), "corrected": bool(item["corrections"]),
        "url": page_of(item, site.base_url),
    }  # fmt: skip


def limit_of(request: Request) -> int:
    """How many rows are asked for: 1 to 200, 50 where nothing sensible is."""
    given = request.args.get("limit") or "50"
    return min(max(int(given), 1), 200) if given.isascii() and given.isdecimal() and len(given) < 6 else 50


def _page(page: Page, site: Site) -> HTTPResponse:
    rows = [_listed(item, site) for item in page.items]
    return as_json({"articles": rows, "cursor": page.cursor, "more": bool(page.cursor)})


async def list_articles(request: Request, site: Site) -> HTTPResponse:
    column, after = request.args.get("column") or "", request.args.get("cursor") or ""
    return _page(await site.shelf.newest(limit_of(request), column=column, after=after), site)


async def read_article(request: Request, site: Site, id: str) -> HTTPResponse:
    item = await site.shelf.read("article", id)
    if item is None:
        raise NotFound("没有这篇文章。")
    if item["state"] == WITHDRAWN:
        when = written(item["withdrawn_at"])
        gone = {"type": "about:blank", "title": "该文已撤稿", "status": 410, "detail": item["note"]}
        return as_json({**gone, "withdrawn_at": when}, 410, "no-store")
    body = body_of(item)
    known = ("blocks", "keywords", "author", "number", "original_url", "pictures")
    corrections = [{"at": written(each["at"]), "note": each["note"]} for each in item["corrections"]]
    kept = {name: body[name] for name in known if name in body}
    return as_json({**_listed(item, site), **kept, "corrections": corrections})


async def search_articles(request: Request, site: Site) -> HTTPResponse:
    await site.windows.admit("search", address_of(request, site))
    query = " ".join((request.args.get("q") or "").split())[:60]
    after = request.args.get("cursor") or ""
    return _page(await site.shelf.search(query, limit_of(request), after=after), site)


# --- health


async def show_health(request: Request, site: Site) -> HTTPResponse:
    return as_json({"status": "ok"}, kept="no-store")


async def show_ready(request: Request, site: Site) -> HTTPResponse:
    """For the office's own watch on this machine: red when nothing is published any more (自动发布已停止)."""
    through = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    if through or not is_loopback(request.ip or ""):
        raise NotFound("没有找到这个页面，可能已移走或地址不完整。")
    at, waiting = await last_beat(site), await site.inbox.waiting()
    still = at is None or (site.clock.now() - at).total_seconds() > STILL
    words = "自动发布已停止" if still else "正常"
    found = {"status": words, "last_beat": written(at) if at else None, "letters_waiting": waiting.count}
    return as_json(found, 503 if still else 200, "no-store")


ROUTES = (
    Route("GET", "/feed.xml", show_feed, "file"),
    Route("GET", "/sitemap.xml", show_sitemap, "file"),
    Route("GET", "/robots.txt", show_robots, "file"),
    Route("GET", "/public/v1/articles", list_articles, "api"),
    Route("GET", "/public/v1/articles/<id:str>", read_article, "api"),
    Route("GET", "/public/v1/search", search_articles, "api"),
    Route("GET", "/health", show_health, "api"),
    Route("GET", "/ready", show_ready, "api"),
)
