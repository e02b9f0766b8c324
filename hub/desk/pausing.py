"""全部暂停: one switch that every sender reads before its call; what it is read against is decided in domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.desk import ledger
from hub.desk.desk import Desk
from hub.domain import holding, outbox
from hub.domain.errors import FieldError, Invalid
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document


@dataclass(frozen=True)
class Held:
    """全部暂停 is on: nothing else can begin to go out. `under_way` may still become public."""

    since: datetime
    under_way: Sequence[Document]


async def hold_all(actor: Actor, desk: Desk, reason: str) -> Held:
    """全部暂停, at once, for everybody. When this returns, only what it names may still become public.

    The switch is durable before `sending` is read, and a sender reads it after its own `sending` is durable: so each
    send is either in this list or sees the switch.
    """
    require(actor, "hold.all")
    if not reason.strip():
        raise Invalid("请写一句暂停的原因。", (FieldError("reason", "请写一句原因。"),))
    now = desk.clock.now()
    await _switch(desk, actor, "hold.all", True, reason.strip())
    fields = ("title", "account", "state", "kind")
    rows = await desk.store.find(ledger.PUBLICATIONS, {"state": "sending"}, limit=1_000, fields=fields)
    rows += await desk.store.find(ledger.OPERATIONS, {"state": "sending", "kind": "correct"}, limit=200, fields=fields)
    named = {"$set": {"under_way": [row["_id"] for row in rows]}}
    await desk.store.change("switches", {"_id": holding.HOLD_ALL, "on": True, "at": now}, named)
    return Held(now, rows)


async def under_way(actor: Actor, desk: Desk) -> list[Document]:
    """What was on its way to a platform when 全部暂停 was last pressed, as it stands now; empty while it is off."""
    require(actor, "hold.all")
    switch = await desk.store.get("switches", holding.HOLD_ALL) or {}
    ids = list(switch.get("under_way") or ()) if switch.get("on") else []
    if not ids:
        return []
    fields = ("title", "account", "state", "channel")
    named = {"_id": {"$in": ids}}
    return await desk.store.find(ledger.PUBLICATIONS, named, sort=[("account", 1)], limit=len(ids), fields=fields)


async def lift_hold_all(actor: Actor, desk: Desk, *, reason: str = "") -> None:
    """恢复发布: what came due meanwhile follows its own late rule."""
    require(actor, "hold.lift")
    if actor.kind == "program" and not reason.strip():
        raise Invalid("在服务器上解除全部暂停须写明原因：--reason。", (FieldError("reason", "请写一句原因。"),))
    await _switch(desk, actor, "hold.lift", False, reason.strip())


async def _switch(desk: Desk, actor: Actor, act: str, on: bool, reason: str) -> None:
    """Unconditional: of two who press at once both are right; the stretch noted may differ by their distance."""
    now, said = desk.clock.now(), mask_text(reason)[:200]
    before = await desk.store.get("switches", holding.HOLD_ALL) or {}
    fields = holding.switch_fields(before, on, reason, actor.id, now)
    who = "有人在服务器上" if actor.kind == "program" else actor.name
    text = f"{who}已全部暂停发布：{said}" if fields["on"] else f"{who}已恢复发布{'：' if said else '。'}{said}"
    row = desk.ids.new()
    rows = (
        outbox.audit(desk.ids.new(), actor, act, holding.HOLD_ALL, now, detail={"reason": said}),
        outbox.event(desk.ids.new(), "hold_all.changed", holding.HOLD_ALL, now),
        outbox.notice(row, act, holding.HOLD_ALL, now, people=["duty"], text=text, link="/publications", key=row),
    )
    await desk.store.change(
        "switches", {"_id": holding.HOLD_ALL}, outbox.noted({"$set": dict(fields)}, *rows), upsert=True
    )


async def hold_all_state(actor: Actor, desk: Desk) -> Document:
    """The switch as it stands; `on` False where nobody ever touched it."""
    require(actor, "publication.read")
    return await desk.store.get("switches", holding.HOLD_ALL) or {"on": False}
