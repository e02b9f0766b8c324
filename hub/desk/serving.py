"""服务事项: the office's service directory, and what a 公众号 answers by itself; the websites' copies: mirroring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.contract import Accepted, Menus
from hub.desk.desk import Desk, connected
from hub.domain import outbox
from hub.domain.errors import Conflict, NotFound
from hub.domain.first_answer import MENU, check_table
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.domain.services import check_service
from hub.store.base import Document

MOST = 500


async def save_service(actor: Actor, desk: Desk, value: Mapping[str, Any]) -> Document:
    """A new entry, or an old one changed; the websites get it within seconds."""
    require(actor, "service.write")
    service = check_service(value)
    id = service.pop("_id")
    return await _saved(actor, desk, "services", id, service, "service.save")


async def list_services(actor: Actor, desk: Desk, *, after: str = "", limit: int = MOST) -> list[Document]:
    """The entries in the order of their ids; `after` is the last id of the page before."""
    require(actor, "service.read")
    where = {"_id": {"$gt": after}} if after else {}
    return await desk.store.find("services", where, sort=[("_id", 1)], limit=max(1, min(limit, MOST)))


async def service(actor: Actor, desk: Desk, id: str) -> Document:
    """One entry; NotFound where there is none."""
    require(actor, "service.read")
    found = await desk.store.get("services", id)
    if found is None:
        raise NotFound("没有这个服务事项。")
    return found


async def save_first_answers(actor: Actor, desk: Desk, account: str, value: Mapping[str, Any]) -> Document:
    """自动答复 of one account: its welcome, and answers by keyword."""
    require(actor, "service.write")
    if await desk.store.get("accounts", account) is None:
        raise NotFound("没有这个账号。")
    return await _saved(actor, desk, "first_answers", account, check_table(value), "first_answers.save")


async def first_answers(actor: Actor, desk: Desk, account: str) -> Document:
    """What is written for this account; empty where nobody has written anything."""
    require(actor, "service.read")
    return await desk.store.get("first_answers", account) or {"_id": account, "welcome": "", "rules": []}


async def publish_menu(actor: Actor, desk: Desk, account: str) -> Document:
    """更新菜单 of one 公众号; what came of it stands with the account. Repeatable."""
    require(actor, "service.write")
    found = await desk.store.get("accounts", account)
    channel = connected(desk, found) if found else "没有这个账号。"
    if isinstance(channel, str) or not isinstance(channel, Menus):
        raise Conflict(channel if isinstance(channel, str) else "这个账号没有菜单。")
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, "menu.publish", account, now)
    await desk.store.change("accounts", {"_id": account}, outbox.noted({"$set": {"menu.asked_at": now}}, row))
    outcome = await channel.set_menu(MENU)
    said = {"done": isinstance(outcome, Accepted), "reason": getattr(outcome, "reason", "")}
    at = {f"menu.{name}": value for name, value in {**said, "at": desk.clock.now()}.items()}
    return await desk.store.change("accounts", {"_id": account}, {"$set": at}) or {}


async def _saved(actor: Actor, desk: Desk, table: str, id: str, fields: Mapping[str, Any], act: str) -> Document:
    now = desk.clock.now()
    update = {"$set": {**fields, "changed_at": now}, "$inc": {"version": 1}}
    row = outbox.audit(desk.ids.new(), actor, act, id, now)
    return await desk.store.change(table, {"_id": id}, outbox.noted(update, row), upsert=True) or {}
