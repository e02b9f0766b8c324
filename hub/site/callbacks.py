"""平台回调: what platforms post about an account, proved, kept sealed for the hub, and answered at once; no page here.

Nothing is done for a post that does not prove itself. It is kept durably before it is acknowledged, since the platform
repeats what it got no answer to and never what it did. This side can prove such posts and write as nobody.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sanic import HTTPResponse, Request
from sanic.exceptions import PayloadTooLarge
from sanic.response import raw, text

from channels.wechat import callback
from hub.domain.first_answer import Said, Table, answer_button, answer_words, greet
from hub.site.routes import Route, Site, take_body
from hub.site.shelf import body_of
from hub.store.base import Duplicate

KIND = "callback"
_ACCOUNT = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
_TOLD = frozenset({"publishjobfinish", "masssendjobfinish"})  # events that the hub hears of; of others nothing is kept
DONE = "success"  # what the platform takes for an acknowledgement
Fields = Mapping[str, Any]


async def show_echo(request: Request, site: Site, account: str) -> HTTPResponse:
    """The platform asks whether this address is the account's."""
    keys = await _keys(site, account)
    if keys is None:
        return text("not found", status=404)
    try:
        return text(callback.check_echo(keys, _query(request), site.clock.now()))
    except callback.BadCallback:
        return text("refused", status=403)


async def take(request: Request, site: Site, account: str) -> HTTPResponse:
    """A message or an event: kept once, then acknowledged, with an automatic answer where there is one."""
    keys = await _keys(site, account)
    if keys is None:
        return text("not found", status=404)
    query, now = _query(request), site.clock.now()
    try:
        await take_body(request, callback.LARGEST)
        fields = callback.take_in(keys, query, request.body, now)
    except PayloadTooLarge:
        return text("too large", status=413)
    except callback.BadCallback:
        return text("refused", status=403)
    if not await _first_or_same(site, account, query, request.body):
        return text("refused", status=403)
    said = await _answer(site, account, fields)
    await _keep(site, account, fields, said)
    return _reply(site, keys, query, fields, said)


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in request.args.items() if values}


async def _keys(site: Site, account: str) -> callback.Keys | None:
    """What proves this account's posts, as the hub has told; None for any other address."""
    if not _ACCOUNT.fullmatch(account):
        return None
    item = await site.shelf.read(KIND, account)
    if item is None or item["state"] != "public":
        return None
    body = body_of(item)
    return callback.Keys(**{name: str(body.get(name) or "") for name in ("app_id", "token", "aes_key")})


async def _first_or_same(site: Site, account: str, query: Mapping[str, str], body: bytes) -> bool:
    """A stamp, nonce and signature that were seen with another body are somebody's who copied them."""
    words = "\n".join([account, *(query.get(name, "") for name in ("timestamp", "nonce", "signature"))])
    id, digest = "cb-" + hashlib.sha256(words.encode()).hexdigest()[:40], hashlib.sha256(body).hexdigest()
    try:
        await site.store.insert("used_ids", {"_id": id, "at": site.clock.now(), "body": digest})
    except Duplicate:
        known = await site.store.get("used_ids", id)
        return known is None or known.get("body") == digest
    return True


# ---- keeping


async def _keep(site: Site, account: str, fields: Fields, said: Said | None) -> None:
    event = callback.event_of(fields)
    if event and event not in _TOLD:
        return
    first = {"text": said.text, "found": said.found} if said else None
    plain = json.dumps({"fields": fields, "first": first}, ensure_ascii=False)
    await site.inbox.drop(KIND, f"{account}.{callback.identity(fields)}", plain, about=account)


# ---- answering


async def _answer(site: Site, account: str, fields: Fields) -> Said | None:
    """The automatic answer, from what the hub has put here."""
    event = callback.event_of(fields)
    if event == "subscribe":
        return greet(await _table(site, account))
    if event == "click":
        key = str(fields.get("EventKey") or "")
        return answer_button(key, await site.shelf.services(), await _table(site, account))
    if event:
        return None
    words = str(fields.get("Content") or fields.get("Recognition") or "")
    return answer_words(words, await site.shelf.services(), await _table(site, account))


async def _table(site: Site, account: str) -> Table:
    item = await site.shelf.read("autoreply", account)
    body = body_of(item) if item is not None and item["state"] == "public" else {}
    rules = [rule for rule in body.get("rules") or () if isinstance(rule, dict)]
    return Table(site.base_url, str(body.get("welcome") or ""), rules)


def _reply(
    site: Site, keys: callback.Keys, query: Mapping[str, str], fields: Fields, said: Said | None
) -> HTTPResponse:
    if said is None or not said.text:
        return text(DONE)
    now = site.clock.now()
    xml = callback.passive_text(fields, said.text, now)
    if keys.aes_key and query.get("encrypt_type") == "aes":
        xml = callback.sealed_reply(keys, xml, now, site.ids.secret(16), site.ids.new())
    return raw(xml.encode(), content_type="application/xml; charset=utf-8")


ROUTES = (
    Route("GET", "/callbacks/wechat/<account:str>", show_echo, "api"),
    Route("POST", "/callbacks/wechat/<account:str>", take, "api", "signature", callback.LARGEST),
)
