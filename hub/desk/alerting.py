"""预警处置: who takes an alert and what comes of it; how it arose lives in watching.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.alert import decide
from hub.domain.errors import Conflict, NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document


async def alert(actor: Actor, desk: Desk, id: str) -> Document:
    """One alert; NotFound where there is none."""
    require(actor, "issue.read")
    found = await desk.store.get("alerts", id)
    if found is None:
        raise NotFound("没有这条预警，可能地址不完整。")
    return found


async def list_alerts(
    actor: Actor,
    desk: Desk,
    *,
    state: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    silent: bool | None = None,
    before: str = "",
    limit: int = 50,
) -> list[Document]:
    """The newest alerts first; `before` is the `_id` of the last row seen. `silent`: those that woke nobody, or not."""
    require(actor, "issue.read")
    where: dict[str, Any] = {"state": state} if state else {}
    if silent is not None:
        where["silent"] = silent
    if since or until:
        where["at"] = {sign: at for sign, at in (("$gte", since), ("$lte", until)) if at}
    if before:
        last = await alert(actor, desk, before)
        where["$or"] = [{"at": {"$lt": last["at"]}}, {"at": last["at"], "_id": {"$lt": before}}]
    return await desk.store.find("alerts", where, sort=[("at", -1), ("_id", -1)], limit=limit)


async def handle_alert(actor: Actor, desk: Desk, id: str, act: str, remark: str = "") -> Document:
    """认领、研判、处置、办结、误报: one legal move, written with who did it and why; Conflict if someone was faster."""
    require(actor, "alert.act")
    found = await alert(actor, desk, id)
    move = decide(act, found["state"], remark)
    now = desk.clock.now()
    note = {"act": act, "by": actor.id, "name": actor.name, "at": now, "remark": remark.strip()[:500]}
    change: dict[str, Any] = {"$set": {"state": move.after, "changed_at": now}, "$push": {"history": note}}
    if act == "acknowledge":
        change["$set"] |= {"taken_by": actor.id, "taken_name": actor.name, "taken_at": now}
    rows = (
        outbox.audit(desk.ids.new(), actor, f"alert.{act}", id, now),
        outbox.event(desk.ids.new(), "alert", id, now, detail={"state": move.after}),
    )
    changed = await desk.store.change("alerts", {"_id": id, "state": found["state"]}, outbox.noted(change, *rows))
    if changed is None:
        raise Conflict("另一位同事刚处理过这条预警。请刷新后再看。")
    await _settle_issue(desk, changed)
    return changed


async def _settle_issue(desk: Desk, changed: Document) -> None:
    """An issue follows its alert: done with, or taken for what it was not."""
    state = {"closed": "closed", "false_alarm": "false_alarm"}.get(changed["state"])
    if state:
        await desk.store.change("issues", {"_id": changed["issue"]}, {"$set": {"state": state}})
