"""留言: finds, opens and labels what citizens said; taking it in lives in listening.py, reading it in reading.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.desk.paging import read_mark
from hub.domain import outbox
from hub.domain.case import sees
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.reply import NOBODYS
from hub.domain.rights import require
from hub.masking import mask_text
from hub.sealing import CITIZEN, Unsealable
from hub.store.base import Document
from hub.store.search import find_text

ORDER = (("at", -1), ("_id", -1))
LABELS = ("neg", "neu", "pos")
HIDDEN = ("sealed", "author_key", "terms", "outbox", "outbox_open", "outbox_count", "lease_owner", "lease_until")
OPEN_WORDS: Mapping[str, Any] = {"confidential": {"$ne": True}}  # what 举报 and 信访 say is in no list
COUNTED = "counted"  # the state of whatever stands in the figures of the board: read, or set aside after failing
MOST_COUNTED = 10_000  # beyond this a list only says that there are more
FILTERS = ("channel", "district", "sentiment", "issue", "kind", "state", "publication", "topic", "urgent")


@dataclass(frozen=True)
class Replies:
    """One page of replies, the cursor of the next (None: the end), and how many there are (None: not counted)."""

    items: list[Document]
    cursor: str | None
    total: int | None = None


async def list_replies(
    actor: Actor,
    desk: Desk,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    words: str = "",
    cursor: str = "",
    limit: int = 50,
    filters: Mapping[str, str] | None = None,
    outside: Sequence[str] = (),
    counted: bool = False,
) -> Replies:
    """The newest first. `words` searches the masked text; the cursor is the last row seen.

    `outside`: only those that name none of these districts. `counted`: say how many there are, up to MOST_COUNTED.
    """
    require(actor, "reply.read")
    where = {**_where(filters or {}, since, until), **OPEN_WORDS}
    if outside:
        where["district"] = {"$nin": list(outside)}
    size = max(1, min(limit, 200))
    words = words.strip()
    total = await desk.store.count("replies", where, ceiling=MOST_COUNTED) if counted and not words else None
    if cursor:
        where = {"$and": [where, _after(cursor)]}
    if words:
        found = await find_text(desk.store, "replies", words, where, size + 1, sort=ORDER)
    else:
        found = await desk.store.find("replies", where, sort=ORDER, limit=size + 1)
    last = found[size - 1] if len(found) > size else None
    after = f"{last['at'].isoformat()}|{last['_id']}" if last else None
    return Replies([shown(row) for row in found[:size]], after, total)


def _where(filters: Mapping[str, str], since: datetime | None, until: datetime | None) -> dict[str, Any]:
    where: dict[str, Any] = {name: value for name, value in filters.items() if name in FILTERS and value}
    if where.get("state") == COUNTED:
        where["state"] = {"$in": ["read", "set_aside"]}
    where.setdefault("state", {"$nin": list(NOBODYS)})
    between = {sign: moment for sign, moment in (("$gte", since), ("$lt", until)) if moment is not None}
    return {**where, "at": between} if between else where


def _after(cursor: str) -> dict[str, Any]:
    at, last = read_mark(cursor)
    return {"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": last}}]}


def shown(reply: Document) -> Document:
    """The reply as a page may show it: masked words, nothing sealed, no mark of the person."""
    return {name: value for name, value in reply.items() if name not in HIDDEN}


async def reply(actor: Actor, desk: Desk, id: str) -> Document:
    """One reply; NotFound where there is none."""
    require(actor, "reply.read")
    return shown(await _seen(actor, desk, id))


async def _seen(actor: Actor, desk: Desk, id: str) -> Document:
    """The reply; one of a confidential case is not there but for that case's handlers."""
    found = await desk.store.get("replies", id)
    if found is not None and found.get("confidential"):
        case = await desk.store.get("cases", str(found.get("case")))
        found = found if case is not None and sees(actor, case) else None
    if found is None:
        raise NotFound("没有这条留言，可能地址不完整。")
    return found


async def reveal(actor: Actor, desk: Desk, id: str, reason: str) -> dict[str, str]:
    """查看原文: the plain words, for a right and a reason; the audit entry is durable before anything is shown."""
    require(actor, "reply.reveal")
    if len(reason.strip()) < 4:
        raise Invalid("请写明为什么要看未遮盖的内容。", (FieldError("reason", "如：回访来信人，核对门牌号。"),))
    await _seen(actor, desk, id)
    said = mask_text(reason.strip())[:200]  # the person was told that it goes into the audit
    row = outbox.audit(desk.ids.new(), actor, "reply.reveal", id, desk.clock.now(), detail={"reason": said})
    found = await desk.store.change("replies", {"_id": id}, outbox.noted({"$set": {"revealed": True}}, row))
    if found is None:
        raise NotFound("没有这条留言，可能地址不完整。")
    sealed: dict[str, str] = found["sealed"]
    try:
        return {
            name: desk.sealer.open(value, table="replies", id=id, field=name, purpose=CITIZEN)
            for name, value in sealed.items()
            if name != "raw"
        }
    except Unsealable:
        raise Conflict("这条留言的原文现在打不开。请系统管理员核对主密钥。") from None


async def label(actor: Actor, desk: Desk, id: str, label: str) -> Document:
    """改正情感: what a person says it is; the reading keeps its own word beside it."""
    require(actor, "reply.write")
    if label not in LABELS:
        raise Invalid("只能标为 负面、中性 或 正面。", (FieldError("label", "请选一个。"),))
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, "reply.label", id, now, detail={"label": label})
    change = {"$set": {"label": label, "labelled_by": actor.id, "labelled_at": now}}
    found = await desk.store.change("replies", {"_id": id, "state": "read"}, outbox.noted(change, row))
    if found is None:
        raise Conflict("这条留言还没有分析完，请稍后再标。")
    return shown(found)
