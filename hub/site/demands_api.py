"""/public/v1/demands: the same as the pages of 查进度, for the app and other programs of citizens; no page here."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import msgspec
from sanic import HTTPResponse, Request
from sanic.response import raw

from hub.domain.errors import FieldError, Invalid
from hub.site import demands
from hub.site.codes import Visit
from hub.site.letters import LETTER, admit, prose, read_letter, row_id, take_letter
from hub.site.routes import FORM_BYTES, Route, Site, address_of
from hub.site.visits import require_token, set_visit, visit_of


def _said(value: Any, status: int = 200) -> HTTPResponse:
    content = json.dumps(value, ensure_ascii=False).encode()
    return raw(content, status=status, headers={"Cache-Control": "no-store"}, content_type="application/json")


def _object(request: Request) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(request.body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("请求不是合格的 JSON（UTF-8）。") from None
    if not isinstance(found, dict):
        raise Invalid("请求应是一个 JSON 对象。")
    return found


def _text(found: dict[str, Any], name: str, most: int = 2_000) -> str:
    value = found.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Invalid("请求里有字段不对。", (FieldError(name, f"应为 {most} 字以内的文字。"),))
    return prose(value)


async def ask(request: Request, site: Site) -> HTTPResponse:
    """A demand, and its query code: shown here once, kept nowhere."""
    found = _object(request)
    unknown = sorted(set(found) - set(LETTER))
    if unknown:
        raise Invalid("请求里有字段不对。", (FieldError(unknown[0][:40], "没有这个字段，请去掉。"),))
    given = {name: _text(found, name) for name in LETTER if name != "agreed"}
    given["agreed"] = "on" if found.get("agreed") is True else ""
    draft = read_letter(given, site.facts.districts)
    if draft.errors:
        raise Invalid("还有几处没填好。", tuple(draft.errors))
    await admit(request, site)
    return _said({"query_code": await take_letter(site, draft)}, 201)


async def look_up(request: Request, site: Site) -> HTTPResponse:
    """The code for a cookie of half an hour, and the token that every later change carries (X-CSRF-Token)."""
    found = _object(request)
    code, proof = _text(found, "query_code", 60), _text(found, "proof", 60)
    visit = await demands.look_up(site, address_of(request, site), code, proof)
    cookie = site.codes.admit(visit.demand, proved=visit.proved)
    opened = site.codes.visit(cookie)
    answer = _said({"proved": visit.proved, "token": opened.token if opened else ""})
    return set_visit(answer, site, cookie)


async def show_mine(request: Request, site: Site) -> HTTPResponse:
    visit = visit_of(request, site)
    return _said({**asdict(await demands.progress(site, visit)), "proved": visit.proved, "token": visit.token})


def _changing(request: Request, site: Site) -> Visit:
    visit = visit_of(request, site)
    require_token(visit, request.headers.get("x-csrf-token") or "")
    return visit


async def say(request: Request, site: Site) -> HTTPResponse:
    visit, found = _changing(request, site), _object(request)
    text, key = _text(found, "text"), _text(found, "key", 80) or site.ids.new()
    row = row_id(f"{visit.demand}\0{key}", text)
    await demands.add_message(site, visit, text, row, unsolved=found.get("unsolved") is True)
    return _said({"done": True}, 201)


async def rate(request: Request, site: Site) -> HTTPResponse:
    visit, found = _changing(request, site), _object(request)
    level = found.get("level")
    number = level if isinstance(level, int) and not isinstance(level, bool) else 0
    await demands.rate(site, visit, _text(found, "answer", 80), number, _text(found, "reason"))
    return _said({"done": True}, 201)


ROUTES = (
    Route("POST", "/public/v1/demands", ask, "api", "origin", FORM_BYTES),
    Route("POST", "/public/v1/demands/lookup", look_up, "api", "origin", FORM_BYTES),
    Route("GET", "/public/v1/demands/mine", show_mine, "api"),
    Route("POST", "/public/v1/demands/mine/messages", say, "api", "origin", FORM_BYTES),
    Route("POST", "/public/v1/demands/mine/rating", rate, "api", "origin", FORM_BYTES),
)
