"""内容接口: the signed addresses by which the hub publishes, compares and fetches letters; no page, no item's rule."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sanic import HTTPResponse, Request
from sanic.exceptions import PayloadTooLarge
from sanic.response import raw

from channels.webhooks import BadSignature, answer_headers, check_request
from hub.domain.errors import Invalid
from hub.site.bodies import KINDS
from hub.site.inbox import BeyondTheLast
from hub.site.items import WITHDRAWN, Item, Put, Refusal, page_of
from hub.site.routes import CONTENT_BYTES, Route, Site, take_body
from hub.site.shelf import Crowded, body_of
from hub.store.base import Duplicate

API = 1
USED_KEPT = timedelta(minutes=20)  # twice as long as a signature can be believed, either way of its time
BEAT = "hub"
MOST_WAIT = 20
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_TITLES = {
    400: "请求格式不对", 401: "签名不对", 404: "没有这一项", 409: "与网站现状不符", 413: "太大", 422: "内容不能接收",
}  # fmt: skip
Answer = tuple[int, dict[str, Any]]


@dataclass(eq=False)
class Problem(Exception):
    """An answer that says no, as a problem document."""

    status: int
    code: str
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        title = _TITLES.get(self.status, "没有处理")
        return {
            "type": "about:blank", "title": title, "status": self.status, "detail": self.detail, "code": self.code,
            **self.more,
        }  # fmt: skip


def written(at: datetime) -> str:
    """The one form of a moment in this interface."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- every request: size, signature, once only; every answer: signed


def signed(work: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[HTTPResponse]]:
    """The handler around a piece of work: nothing is done for a request that does not prove its sender."""

    async def handle(request: Request, site: Site, **words: str) -> HTTPResponse:
        try:
            await _prove(request, site)
            status, body = await work(request, site, **words)
        except Problem as problem:
            status, body = problem.status, problem.body
        except Crowded:
            status, body = 503, Problem(503, "busy", "同一项内容正被多处改动，结果不能保证，请先查询。").body
        return _answer(request, site, status, body)

    return handle


async def _prove(request: Request, site: Site) -> None:
    try:
        await take_body(request, CONTENT_BYTES)
    except PayloadTooLarge:
        raise Problem(413, "too_large", "请求超过 16 MiB，没有收下。") from None
    target, now = request.raw_url.decode("ascii", "replace"), site.clock.now()
    try:
        id = check_request(site.keys, _only_headers(request), request.method, target, request.body, now)
    except BadSignature:
        raise Problem(401, "bad_signature", "签名缺失、不符或已过期，没有处理。请核对两边的密钥与时钟。") from None
    await _once(site, id, now)


def _only_headers(request: Request) -> dict[str, str]:
    """The signature's headers, where each stands exactly once."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {name: found[0] for name in names if len(found := request.headers.getall(name, [])) == 1}


async def _once(site: Site, id: str, now: datetime) -> None:
    """Write the id down before the work; it outlives a restart."""
    try:
        await site.store.insert("used_ids", {"_id": id, "at": now})
    except Duplicate:
        raise Problem(401, "repeated_id", "这个请求编号用过了；第一次是否已处理，请查询。") from None
    old = {"at": {"$lt": now - USED_KEPT}}
    if await site.store.count("used_ids", old, ceiling=1_000) >= 1_000:
        await site.store.purge("used_ids", old, reason="too old to be believed again")


def _answer(request: Request, site: Site, status: int, body: Mapping[str, Any]) -> HTTPResponse:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Cache-Control": "no-store"}
    id = request.headers.get("webhook-id", "")
    if _REQUEST_ID.fullmatch(id) and site.keys:
        target = request.raw_url.decode("ascii", "replace")
        headers |= answer_headers(site.keys, id, site.clock.now(), status, request.method, target, content)
    form = "application/problem+json" if status >= 400 else "application/json"
    return raw(content, status=status, headers=headers, content_type=form)


# --- reading what was asked


def _errors(error: Invalid) -> dict[str, Any]:
    return {"errors": [{"field": each.field, "message": each.message} for each in error.errors]}


def _malformed(name: str, message: str) -> Problem:
    more = {"errors": [{"field": name, "message": message}]}
    return Problem(400, "malformed", "请求的格式不对，没有处理。", more)


def _object(request: Request) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _malformed("body", "不是合格的 JSON（UTF-8）") from None
    if not isinstance(found, dict):
        raise _malformed("body", "应是一个 JSON 对象")
    return found


def _text(found: Mapping[str, Any], name: str, most: int, *, needed: bool) -> str:
    value = found.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise _malformed(name, f"应是 1 到 {most} 字的文本")
    return value


def _whole(value: Any, name: str, least: int, most: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _malformed(name, f"应是 {least} 到 {most} 的整数")
    return value


def _named(kind: str, id: str = "x") -> None:
    if kind not in KINDS:
        raise Problem(404, "not_found", f"没有“{kind[:40]}”这一类内容。" if kind.isascii() else "没有这一类内容。")
    if not _ID.fullmatch(id):
        raise _malformed("id", "编号只能由字母、数字、下划线和短横线组成，80 个以内")


def _read_put(request: Request, kind: str, id: str) -> tuple[Put, dict[str, Any]]:
    found = _object(request)
    body = found.get("body")
    if not isinstance(body, dict):
        raise _malformed("body", "应是一个 JSON 对象")
    correction = found.get("correction")
    if correction is not None and not isinstance(correction, dict):
        raise _malformed("correction", "应是一个 JSON 对象")
    version = found.get("version")
    if isinstance(version, str):
        raise _malformed("version", "应是整数")
    put = Put(
        kind, id, _whole(version, "version", 1, 2**53),
        _text(found, "key", 80, needed=kind in ("article", "card")),
        hashlib.sha256(request.body).hexdigest(),
        _text(correction, "note", 200, needed=True) if correction is not None else "",
    )  # fmt: skip
    return put, body


# --- items


def _shown(item: Item, site: Site) -> dict[str, Any]:
    """The item as every answer names it."""
    moments = {name: written(item[name]) for name in ("published_at", "updated_at")}
    found = {"kind": item["kind"], "id": item["id"], "version": item["version"], "state": item["state"], **moments}
    if item["state"] == WITHDRAWN:
        found |= {"withdrawn_at": written(item["withdrawn_at"]), "note": item["note"]}
    return {**found, "url": page_of(item, site.base_url)}


def _settled(result: tuple[int, Item] | Refusal, site: Site) -> Answer:
    if isinstance(result, Refusal):
        more = {} if result.version is None else {"version": result.version}
        raise Problem(result.status, result.code, result.detail, more)
    return result[0], _shown(result[1], site)


async def put_item(request: Request, site: Site, kind: str, id: str) -> Answer:
    _named(kind, id)
    put, body = _read_put(request, kind, id)
    try:
        return _settled(await site.shelf.put(put, body), site)
    except Invalid as error:
        raise Problem(422, "invalid", error.message, _errors(error)) from None


async def delete_item(request: Request, site: Site, kind: str, id: str) -> Answer:
    _named(kind, id)
    version = _whole(request.args.get("version"), "version", 1, 2**53)
    note = _text({"note": request.args.get("note")}, "note", 200, needed=True)
    return _settled(await site.shelf.withdraw(kind, id, version, note), site)


async def get_item(request: Request, site: Site, kind: str, id: str) -> Answer:
    _named(kind, id)
    item = await site.shelf.read(kind, id)
    if item is None:
        raise Problem(404, "not_found", "网站上没有这一项。")
    corrections = [{"at": written(each["at"]), "note": each["note"]} for each in item["corrections"]]
    keys = [{"key": each["key"], "version": each["version"]} for each in item["keys"]]
    return 200, {**_shown(item, site), "body": body_of(item), "corrections": corrections, "keys": keys}


async def list_items(request: Request, site: Site, kind: str) -> Answer:
    _named(kind)
    after, limit = request.args.get("after") or "", _whole(request.args.get("limit") or 200, "limit", 1, 200)
    if after and not _ID.fullmatch(after):
        raise _malformed("after", "不是本接口给出的游标")
    found = await site.shelf.compare(kind, after, limit + 1)
    rows = [
        {
            "id": item["id"], "version": item["version"], "state": item["state"],
            "published_at": written(item["published_at"]), "updated_at": written(item["updated_at"]),
            "url": page_of(item, site.base_url), "sha256": item["hash"],
        }
        for item in found[:limit]
    ]  # fmt: skip
    return 200, {"items": rows, "cursor": rows[-1]["id"] if rows else after, "more": len(found) > limit}


# --- letters, beats, status


async def get_inbox(request: Request, site: Site) -> Answer:
    after = request.args.get("after")
    number = None if after in (None, "") else _whole(after, "after", 0, 2**53)
    limit = _whole(request.args.get("limit") or 100, "limit", 1, 200)
    wait = _whole(request.args.get("wait") or 0, "wait", 0, MOST_WAIT)
    found = await site.inbox.rows_within(number, limit + 1, wait)
    rows = [{name: row[name] for name in ("number", "id", "kind", "at", "sealed", "about") if name in row}
            for row in found[:limit]]  # fmt: skip
    for row in rows:
        row["at"] = written(row["at"])
    cursor = str(rows[-1]["number"]) if rows else str(number or 0)
    return 200, {"rows": rows, "cursor": cursor, "more": len(found) > limit}


async def ack_inbox(request: Request, site: Site) -> Answer:
    cursor = _text(_object(request), "cursor", 20, needed=True)
    try:
        last, waiting = await site.inbox.acknowledge(_whole(cursor, "cursor", 0, 2**53))
    except BeyondTheLast:
        raise Problem(422, "invalid", "游标超出已给出的最后一行，没有改动。") from None
    return 200, {"cursor": str(last), "waiting": waiting}


async def beat(request: Request, site: Site) -> Answer:
    found = _object(request)
    worker, now = _text(found, "worker", 200, needed=True), site.clock.now()
    await site.store.change("beats", {"_id": BEAT}, {"$set": {"at": now, "worker": worker}}, upsert=True)
    return 200, {"at": written(now)}


async def last_beat(site: Site) -> datetime | None:
    found = await site.store.get("beats", BEAT)
    at: datetime | None = found["at"] if found else None
    return at


async def show_status(request: Request, site: Site) -> Answer:
    waiting, at = await site.inbox.waiting(), await last_beat(site)
    return 200, {
        "at": written(site.clock.now()), "name": site.facts.name, "base_url": site.base_url, "api": API,
        "mark": site.mark, "items": await site.shelf.counts(),
        "inbox": {"waiting": waiting.count, "oldest_at": written(waiting.oldest_at) if waiting.count else None},
        "last_beat": written(at) if at else None,
    }  # fmt: skip


def _route(method: str, path: str, work: Callable[..., Awaitable[Answer]]) -> Route:
    return Route(method, f"/content/v1{path}", signed(work), "api", "signature", CONTENT_BYTES)


ROUTES = (
    _route("PUT", "/items/<kind:str>/<id:str>", put_item),
    _route("DELETE", "/items/<kind:str>/<id:str>", delete_item),
    _route("GET", "/items/<kind:str>/<id:str>", get_item),
    _route("GET", "/items/<kind:str>", list_items),
    _route("GET", "/inbox", get_inbox),
    _route("POST", "/inbox/ack", ack_inbox),
    _route("POST", "/beat", beat),
    _route("GET", "/status", show_status),
)
