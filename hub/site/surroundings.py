"""What stands around every public page: head, navigation, notice, foot, look; what a page says lives beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanic import HTTPResponse, Request
from sanic.response import html

from hub.rendering import Look
from hub.site.items import Item, page_of
from hub.site.routes import Site

NAV_COLUMNS = 5
Column = Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """An entry of the navigation or the foot; `key` says which page it is."""

    key: str
    label: str
    href: str


@dataclass(frozen=True)
class Act:
    """A button in the head."""

    label: str
    href: str
    icon: str
    main: bool = False


HOME = Link("home", "首页", "/")
LETTERS = Link("letters", "互动交流", "/letters")
FOOT = (
    Link("map", "网站地图", "/sitemap"),
    Link("app", "手机 App", "/app/"),
    Link("mistakes", "我要找错", "/mistakes/new"),
    Link("accessibility", "无障碍声明", "/accessibility"),
    Link("privacy", "个人信息说明", "/privacy"),
    Link("archive", "归档", "/articles"),
    Link("feed", "RSS 订阅", "/feed.xml"),
)
ACTS = (Act("我要说", "/letters/new", "say", main=True),)


@dataclass(frozen=True)
class Surroundings:
    """The `site` of templates/site.html."""

    name: str
    domain: str
    id_code: str
    description: str
    organiser: str
    undertaker: str
    phone: str
    address: str
    icp: str
    police: str
    today: datetime
    path: str
    nav: Sequence[Link]
    notice: Mapping[str, Any] | None = None
    rehearsal: bool = False
    mourning: bool = False
    weather: str = ""
    acts: Sequence[Act] = ACTS
    foot: Sequence[Link] = FOOT


def surroundings(site: Site, path: str, columns: Sequence[Column], pinned: Item | None) -> Surroundings:
    """The same for everybody who opens this path now."""
    facts = site.facts
    shown = [Link(column["id"], column["name"], f"/columns/{column['id']}") for column in columns[:NAV_COLUMNS]]
    return Surroundings(
        facts.name, facts.domain, facts.id_code, facts.description, facts.organiser, facts.undertaker, facts.phone,
        facts.address, facts.icp, facts.police, site.clock.now(), path, (HOME, *shown, LETTERS), _notice(pinned),
        site.mark == "demo",
    )  # fmt: skip


def _notice(pinned: Item | None) -> dict[str, Any] | None:
    if pinned is None:
        return None
    card = pinned["card"]
    return {"title": card["title"], "text": card["notice"], "href": f"/articles/{pinned['id']}",
            "link": "看全文", "at": pinned["updated_at"]}  # fmt: skip


def column_meta(column: Column | None) -> dict[str, str] | None:
    """The four tags of a column; None where there is none, so that no tag stands empty."""
    if column is None:
        return None
    words = ",".join(column["keywords"]) or column["name"]
    described = column["description"] or column["name"]
    return {"name": column["name"], "description": described, "keywords": words, "type": column["type"]}


def article_meta(item: Item, body: Mapping[str, Any], site: Site) -> dict[str, Any]:
    """The tags of an article. The date is the site's own first moment and cannot be set by anybody."""
    picture = next((each["sha256"] for each in body.get("pictures", ()) if isinstance(each, dict)), "")
    return {
        "title": body["title"],
        "published_at": item["published_at"],
        "source": body.get("source") or site.facts.organiser,
        "keywords": ",".join(body.get("keywords", ())),
        "author": body.get("author", ""),
        "description": body.get("digest", ""),
        "url": page_of(item, site.base_url),
        "image": f"{site.base_url}/media/{picture}" if picture else "",
    }


def _path(request: Request) -> str:
    return request.path + (f"?{request.query_string}" if request.query_string else "")


async def show(
    request: Request, site: Site, template: str, *, here: str = "", status: int = 200, kept: str = "",
    column: Mapping[str, Any] | None = None, article: Mapping[str, Any] | None = None, **values: Any,
) -> HTTPResponse:
    """A page as an answer. `kept` is its Cache-Control; without it browsers ask again every time."""
    columns, pinned = await site.shelf.columns(), await site.shelf.pinned()
    if pinned is not None and request.path == f"/articles/{pinned['id']}":
        pinned = None  # who reads it need not be sent there
    words = {
        "site": surroundings(site, _path(request), columns, pinned),
        "look": Look.of({name: request.cookies.get(name) or "" for name in ("look-theme", "look-elder")}),
        "meta": {"column": column_meta(column), "article": article},
        "here": here,
        "columns": columns,
        **values,
    }
    text = site.renderer.render(f"site/{template}.html", **words)
    return html(text, status=status, headers={"Cache-Control": kept or "no-cache", "Vary": "Cookie"})


def show_bare(request: Request, site: Site, status: int, title: str, message: str) -> HTTPResponse:
    """An error as a page, without asking the store anything: it may be the store that failed."""
    heading = "没有找到这一页" if status == 404 else title
    text = site.renderer.render(
        "site/error.html", site=surroundings(site, "/", (), None), look=Look.of({}), here="",
        meta={"column": None, "article": None}, heading=heading, message=message, status=status,
    )  # fmt: skip
    return html(text, status=status, headers={"Cache-Control": "no-store"})
