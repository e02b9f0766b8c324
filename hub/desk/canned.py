"""常用答复: kept by those who write and judge answers, retired instead of deleted, and filled for one case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub import wording
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.canned import check_canned, fill
from hub.domain.case import require_sight
from hub.domain.errors import Conflict, NotFound
from hub.domain.people import Actor
from hub.domain.rights import may, require
from hub.store.base import Document

TABLE = "canned"
MOST = 200  # that an office uses; a list to choose from must stay one
FASTER = "另一位同事刚改过这条常用答复。请刷新后再看。"


async def list_canned(actor: Actor, desk: Desk, *, retired: bool = False) -> list[Document]:
    """Those in use, or those that were retired, by title."""
    require(actor, "canned.read")
    return await desk.store.find(TABLE, {"retired": retired}, sort=[("title", 1)], limit=MOST)


async def canned(actor: Actor, desk: Desk, id: str) -> Document:
    """One of them; NotFound where there is none."""
    require(actor, "canned.read")
    return await _one(desk, id)


async def _one(desk: Desk, id: str) -> Document:
    found = await desk.store.get(TABLE, id)
    if found is None:
        raise NotFound("没有这条常用答复，可能地址不完整。")
    return found


async def save_canned(
    actor: Actor, desk: Desk, *, title: str, text: str, id: str = "", version: int | None = None
) -> Document:
    """A new one, or one changed; `version` is what the writer had before them, Conflict where it has changed since."""
    require(actor, "canned.write")
    title, text = check_canned(title, text)
    fields = {"title": title, "text": text, "by": actor.id, "by_name": actor.name}
    if id:
        return await _changed(actor, desk, await _one(desk, id), "save", fields, version)
    if await desk.store.count(TABLE, {"retired": False}, ceiling=MOST) >= MOST:
        raise Conflict(f"常用答复已有 {MOST} 条。请先停用不常用的。")
    now = desk.clock.now()
    first = {"retired": False, "created_at": now, "changed_at": now, "version": 1}
    born: Document = {"_id": desk.ids.new(), **fields, **first}
    row = outbox.audit(desk.ids.new(), actor, "canned.save", born["_id"], now)
    await desk.store.insert_new(TABLE, [outbox.born(born, row)])
    return born


async def retire_canned(actor: Actor, desk: Desk, id: str) -> Document:
    """停用: it is offered no more; what was written with it stays."""
    require(actor, "canned.write")
    return await _changed(actor, desk, await _one(desk, id), "retire", {"retired": True})


async def restore_canned(actor: Actor, desk: Desk, id: str) -> Document:
    """恢复使用."""
    require(actor, "canned.write")
    return await _changed(actor, desk, await _one(desk, id), "restore", {"retired": False})


async def offered(actor: Actor, desk: Desk, case_id: str) -> list[Document]:
    """Those in use as they read for this case: `text` is filled, what nobody knows stands open."""
    require(actor, "canned.read")
    case = require_sight(actor, await desk.store.get("cases", case_id))
    services = await _phones(desk) if may(actor, "service.read") else []
    values = values_of(case, services)
    return [{**row, "text": fill(row["text"], values)} for row in await list_canned(actor, desk)]


async def _phones(desk: Desk) -> list[Document]:
    return await desk.store.find("services", {}, sort=[("_id", 1)], limit=500, fields=("department", "phone"))


def values_of(case: Mapping[str, Any], services: Sequence[Document] = ()) -> dict[str, str]:
    """What a case knows. No citizen's name: a masked one is no greeting, and an answer goes to everybody in it."""
    department = str(case.get("department") or "")
    phones = [str(row["phone"]) for row in services if row.get("phone") and row.get("department") == department]
    return {
        "称呼": "各位市民" if int(case["people"]) > 1 else "市民朋友",
        "工单号": str(case["number"]),
        "部门": department,
        "时限": wording.day(case["due_at"]) if case.get("due_at") else "",
        "电话": phones[0] if department and phones else "",
    }


async def _changed(
    actor: Actor, desk: Desk, found: Document, act: str, fields: Mapping[str, Any], version: int | None = None
) -> Document:
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, f"canned.{act}", found["_id"], now)
    update = {"$set": {**fields, "changed_at": now}, "$inc": {"version": 1}}
    mine = {"_id": found["_id"], "version": found["version"] if version is None else version}
    after = await desk.store.change(TABLE, mine, outbox.noted(update, row))
    if after is None:
        raise Conflict(FASTER)
    return after
