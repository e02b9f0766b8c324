"""What the app's programs ask: cards, services, and a phone that wants to be told; its pages live beside."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from sanic import HTTPResponse, Request

from hub.domain.errors import FieldError, Invalid
from hub.site.content_api import written
from hub.site.feeds import as_json, limit_of
from hub.site.items import Item, page_of
from hub.site.routes import Route, Site, address_of

DEVICE_BYTES = 4_000
PLATFORMS = ("android", "ios", "hmos", "quickapp", "web")
_REGISTRATION = re.compile(r"[A-Za-z0-9_-]{8,64}")


def districts_of(item: Item, known: tuple[str, ...]) -> list[str]:
    """The districts that a card is for: those it names, else those of this city that stand in its words."""
    card = item["card"]
    named = [name for name in card["districts"] if name in known]
    words = f"{card['title']}\n{card['digest']}"
    return named or [name for name in known if name in words]


def _listed(item: Item, site: Site) -> dict[str, Any]:
    card = item["card"]
    picture = f"{site.base_url}/media/{card['picture']}" if card["picture"] else None
    return {
        "id": item["id"], "title": card["title"], "digest": card["digest"], "kind": card["kind"],
        "column": card["column"], "source": card["source"], "districts": districts_of(item, site.facts.districts),
        "picture": picture, "alt": card["alt"], "article": card["article"], "link": card["link"],
        "published_at": written(item["published_at"]), "updated_at": written(item["updated_at"]),
        "corrected": bool(item["corrections"]), "url": page_of(item, site.base_url),
    }  # fmt: skip


async def list_cards(request: Request, site: Site) -> HTTPResponse:
    column, after = request.args.get("column") or "", request.args.get("cursor") or ""
    page = await site.shelf.newest(limit_of(request), column=column, after=after, of="card")
    rows = [_listed(item, site) for item in page.items]
    return as_json({"cards": rows, "cursor": page.cursor, "more": bool(page.cursor)})


async def list_services(request: Request, site: Site) -> HTTPResponse:
    """All of them: an office offers some dozens, not thousands."""
    return as_json({"services": await site.shelf.services()}, kept="public, max-age=300")


def read_device(body: bytes, districts: tuple[str, ...]) -> dict[str, Any]:
    """What a phone says of itself; Invalid names the fields that cannot be taken."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid("请求应是一个 JSON 对象。")
    id, platform, named = found.get("registration_id"), found.get("platform"), found.get("districts", [])
    errors = []
    if not isinstance(id, str) or not _REGISTRATION.fullmatch(id):
        said = "应是推送平台给这台手机的编号，8 到 64 个字母、数字、短横线或下划线。"
        errors.append(FieldError("registration_id", said))
    if platform not in PLATFORMS:
        errors.append(FieldError("platform", f"应是其中之一：{'、'.join(PLATFORMS)}。"))
    if not isinstance(named, list) or len(named) > len(districts) or any(name not in districts for name in named):
        errors.append(FieldError("districts", "请从本市的区县里选。"))
    if errors:
        raise Invalid("这台手机没有登记。", tuple(errors))
    return {"registration_id": id, "platform": platform, "districts": list(dict.fromkeys(named))}


async def register_device(request: Request, site: Site) -> HTTPResponse:
    """登记接收推送: sealed on arrival like a letter, since the number stands for one person's phone."""
    device = read_device(request.body, site.facts.districts)
    await site.windows.admit("device", address_of(request, site))
    await site.windows.admit("devices")
    await site.inbox.drop("device", site.ids.new(), json.dumps(device, ensure_ascii=False))
    return as_json({"status": "taken"}, 202, "no-store")


ROUTES = (
    Route("GET", "/public/v1/cards", list_cards, "api"),
    Route("GET", "/public/v1/services", list_services, "api"),
    Route("POST", "/public/v1/devices", register_device, "api", "origin", DEVICE_BYTES),
)
