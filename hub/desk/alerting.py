"""预警处置: who takes an alert and what comes of it; how it arose lives in watching.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.alert import ENDS, LEVELS, decide
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
    if found["state"] in ENDS:
        await _follow(desk, found)  # what a killed process may have left between the two writes
    move = decide(act, found["state"], remark)
    now = desk.clock.now()
    note = {"act": act, "by": actor.id, "name": actor.name, "at": now, "remark": remark.strip()[:500]}
    change: dict[str, Any] = {"$set": {"state": move.after, "changed_at": now}, "$push": {"history": note}}
    if move.after in ENDS and found.get("source") != "word":
        change["$set"]["to_teach"] = True  # the watch makes a decision of it (obeying.py)
    if act == "acknowledge":
        change["$set"] |= {"taken_by": actor.id, "taken_name": actor.name, "taken_at": now}
    rows = (
        outbox.audit(desk.ids.new(), actor, f"alert.{act}", id, now),
        outbox.event(desk.ids.new(), "alert", id, now, detail={"state": move.after}),
    )
    changed = await desk.store.change("alerts", {"_id": id, "state": found["state"]}, outbox.noted(change, *rows))
    if changed is None:
        raise Conflict("另一位同事刚处理过这条预警。请刷新后再看。")
    await _follow(desk, changed)
    return changed


async def _follow(desk: Desk, changed: Document) -> None:
    """Earlier alerts of the issue go where this one went (people see the newest alone); so does the issue at its end.

    Looked at before and after: an alert that arises meanwhile opens the issue, and must not find it closed behind it.
    """
    id, state = changed["issue"], changed["state"]
    waiting = {"issue": id, "state": {"$nin": list(ENDS)}}
    graver = [level for level in LEVELS if LEVELS.index(level) > LEVELS.index(changed["level"])]
    before = [{"at": {"$lt": changed["at"]}}, {"at": changed["at"], "level": {"$nin": graver}}]
    earlier = {**waiting, "_id": {"$ne": changed["_id"]}, "$or": before}
    same = {name: changed.get(name) for name in ("state", "changed_at", "taken_by", "taken_name", "taken_at")}
    await desk.store.change_many("alerts", earlier, {"$set": same})
    if state not in ENDS or await unfinished(desk, id):
        return
    await desk.store.change("issues", {"_id": id, "state": "open"}, {"$set": {"state": state}})
    if await unfinished(desk, id):
        await reopen(desk, id)


async def unfinished(desk: Desk, issue: str) -> bool:
    """Whether an alert of this issue still waits for somebody."""
    where = {"issue": issue, "state": {"$nin": list(ENDS)}}
    return bool(await desk.store.find("alerts", where, limit=1, fields=("state",)))


async def reopen(desk: Desk, issue: str) -> None:
    """Somebody must look at it once more; what was merged into another issue stays merged."""
    again = {"_id": issue, "state": {"$in": list(ENDS)}}
    await desk.store.change("issues", again, {"$set": {"state": "open"}})
