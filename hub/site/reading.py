"""What citizens read: home, columns, articles, search, map, statements; forms and lists for machines live beside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from sanic import HTTPResponse, Request
from sanic.response import raw, redirect

from hub.domain import blocks
from hub.domain.errors import NotFound
from hub.rendering import ELDER_COOKIE, THEME_COOKIE, THEMES
from hub.site.items import WITHDRAWN
from hub.site.routes import FORM_BYTES, Route, Site, address_of
from hub.site.shelf import Page, body_of
from hub.site.surroundings import article_meta, show

PER_PAGE = 20
ON_HOME = 6
HOME_COLUMNS = 6
A_YEAR = 31_536_000
_PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif")
NOT_HERE = "没有找到这个页面，可能已移走或地址不完整。"


class Open(dict[str, Any]):
    """A block for the template: a field that is absent reads as None instead of an error."""

    def __missing__(self, name: str) -> None:
        return None


def opened(value: Any) -> Any:
    """The same blocks, each field of them optional."""
    if isinstance(value, Mapping):
        return Open({name: opened(each) for name, each in value.items()})
    return [opened(each) for each in value] if isinstance(value, list) else value


def leaves(link: str, own: Sequence[str]) -> bool:
    """Whether a link goes to something that is no government website."""
    try:
        host = (urlsplit(link).hostname or "").lower()
    except ValueError:  # no address at all
        return True
    return not any(host == domain.lstrip(".") or host.endswith("." + domain.lstrip(".")) for domain in own)


def marked(value: Any, own: Sequence[str]) -> Any:
    """The blocks, with a word behind every link that leaves government websites."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "text" in each for each in value):
        return _marked_runs(value, own)
    if isinstance(value, list):
        return [marked(each, own) for each in value]
    return {name: marked(each, own) for name, each in value.items()} if isinstance(value, dict) else value


def _marked_runs(runs: list[dict[str, Any]], own: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for run, following in zip(runs, [*runs[1:], {}], strict=True):
        found.append(run)
        link = run.get("link")
        if link and following.get("link") != link and leaves(link, own):
            found.append({"text": "（站外链接）"})
    return found


# --- pages


async def show_home(request: Request, site: Site) -> HTTPResponse:
    columns = (await site.shelf.columns())[:HOME_COLUMNS]
    lists = [(column, (await site.shelf.newest(ON_HOME, column=column["id"])).items) for column in columns]
    shown = [(column, items) for column, items in lists if items]
    newest = (await site.shelf.newest(ON_HOME)).items if not shown else []
    return await show(
        request, site, "home", here="home", kept="public, max-age=30", lists=shown, newest=newest,
        words=site.facts.words, query="",
    )  # fmt: skip


def _paging(request: Request, path: str, page: Page, **words: str) -> dict[str, Any]:
    """Where the next page and the beginning are."""
    more = f"{path}?{urlencode({**words, 'after': page.cursor})}" if page.cursor else ""
    start = f"{path}?{urlencode(words)}" if words else path
    return {"more": more, "back": start if request.args.get("after") else ""}


async def show_column(request: Request, site: Site, column: str) -> HTTPResponse:
    found = next((each for each in await site.shelf.columns() if each["id"] == column), None)
    if found is None:
        raise NotFound(NOT_HERE)
    page = await site.shelf.newest(PER_PAGE, column=column, after=request.args.get("after") or "")
    return await show(
        request, site, "list", here=column, kept="public, max-age=30", column=found, heading=found["name"],
        sub=found["description"], items=page.items, **_paging(request, f"/columns/{column}", page),
    )  # fmt: skip


async def show_all(request: Request, site: Site) -> HTTPResponse:
    page = await site.shelf.newest(PER_PAGE, after=request.args.get("after") or "")
    return await show(
        request, site, "list", here="archive", kept="public, max-age=30", heading="归档",
        sub="本网站公开的全部文章，新的在前。", items=page.items, **_paging(request, "/articles", page),
    )  # fmt: skip


async def show_article(request: Request, site: Site, id: str) -> HTTPResponse:
    item = await site.shelf.read("article", id)
    if item is None:
        raise NotFound(NOT_HERE)
    column = next((each for each in await site.shelf.columns() if each["id"] == item["column"]), None)
    if item["state"] == WITHDRAWN:
        return await show(request, site, "withdrawn", status=410, item=item, column=column)
    body = body_of(item)
    text = opened(marked(blocks.check(body["blocks"]), (*site.facts.own_domains, site.facts.domain)))
    return await show(
        request, site, "article", here=item["column"], kept="public, max-age=30", column=column,
        article=article_meta(item, body, site), item=item, body=opened(body), text=text, place=column,
        elsewhere=_elsewhere(body, site),
    )  # fmt: skip


def _elsewhere(body: Mapping[str, Any], site: Site) -> dict[str, Any] | None:
    """转载 names where it comes from."""
    address = str(body.get("original_url", ""))
    if not re.match(r"https?://[^/\s]", address):
        return None
    return {"href": address, "leaves": leaves(address, (*site.facts.own_domains, site.facts.domain))}


async def search(request: Request, site: Site) -> HTTPResponse:
    query = " ".join((request.args.get("q") or "").split())[:60]
    page, short = Page([]), len(query) == 1
    near: list[Any] = []
    if query and not short:
        await site.windows.admit("search", address_of(request, site))
        page = await site.shelf.search(query, PER_PAGE, after=request.args.get("after") or "")
        if not page.items and not request.args.get("after"):
            near = await site.shelf.near(query, ON_HOME)
    return await show(
        request, site, "search", here="search", query=query, short=short, items=page.items, near=near,
        words=site.facts.words,
        **_paging(request, "/search", page, q=query),
    )  # fmt: skip


async def show_map(request: Request, site: Site) -> HTTPResponse:
    return await show(request, site, "map", here="map", kept="public, max-age=300")


async def show_accessibility(request: Request, site: Site) -> HTTPResponse:
    return await show(request, site, "accessibility", here="accessibility", kept="public, max-age=300")


async def show_privacy(request: Request, site: Site) -> HTTPResponse:
    return await show(request, site, "privacy", here="privacy", kept="public, max-age=300")


# --- files and the reader's look


def _disposition(name: str, type: str) -> str:
    """Pictures are shown, all else is saved under its own name (RFC 6266)."""
    kind = "inline" if type in _PICTURES else "attachment"
    clean = re.sub(r"[\x00-\x1f\x7f/\\]", "", name)
    return f"{kind}; filename*=UTF-8''{quote(clean, safe='')}" if clean else kind


async def serve_media(request: Request, site: Site, sha256: str) -> HTTPResponse:
    found = await site.shelf.media(sha256) if re.fullmatch(r"[0-9a-f]{64}", sha256) else None
    if found is None:
        raise NotFound(NOT_HERE)
    item, content = found
    headers = {
        "Content-Disposition": _disposition(item["card"]["name"], item["card"]["type"]),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "public, max-age=300",  # a withdrawn file is gone from browsers soon
        "ETag": f'"{sha256}"',
        "Last-Modified": format_datetime(item["updated_at"], usegmt=True),
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return raw(b"", status=304, headers=headers)
    return raw(content, headers=headers, content_type=item["card"]["type"])


async def set_look(request: Request, site: Site) -> HTTPResponse:
    """Theme and large type without script: two readable cookies, then back to the page."""
    form: Any = request.form or {}
    following = str(form.get("next") or "/")
    own = following.startswith("/") and not following.startswith("//") and "\\" not in following
    answer = redirect(following if own and following.isprintable() else "/", status=303)
    secure = site.base_url.startswith("https://")
    theme, elder = form.get("theme"), form.get("elder")
    if theme in THEMES:
        answer.add_cookie(THEME_COOKIE, theme, max_age=A_YEAR, secure=secure, httponly=False, samesite="Lax")
    if elder in ("on", "off"):
        answer.add_cookie(ELDER_COOKIE, elder, max_age=A_YEAR, secure=secure, httponly=False, samesite="Lax")
    return answer


ROUTES = (
    Route("GET", "/", show_home),
    Route("GET", "/columns/<column:str>", show_column),
    Route("GET", "/articles", show_all),
    Route("GET", "/articles/<id:str>", show_article),
    Route("GET", "/search", search),
    Route("GET", "/sitemap", show_map),
    Route("GET", "/accessibility", show_accessibility),
    Route("GET", "/privacy", show_privacy),
    Route("GET", "/media/<sha256:str>", serve_media, "file"),
    Route("POST", "/look", set_look, "form", "origin", FORM_BYTES),
)
