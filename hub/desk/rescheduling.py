"""改期: one post of the calendar to another day or time, on all its channels, and back again; the rule: domain/plan.py.

Each channel is one compare-and-set on state, claim and time as they were read. All are looked at before any is
changed, and everybody begins with the same one: of two people who move a post, whoever is second there stops before
anything of it has moved. Only what happens to a later channel in that moment splits a post, and is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hub.desk import ledger
from hub.desk.desk import Desk
from hub.domain import plan
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.publication import Decision
from hub.domain.rights import require
from hub.store.base import Document

TABLE = ledger.PUBLICATIONS
MOST = 50  # channels of one post


@dataclass(frozen=True)
class Moved:
    """What was moved, as it stands now, and a sentence for each channel where somebody was faster."""

    rows: Sequence[Document]
    left: Sequence[str] = ()


async def reschedule(actor: Actor, desk: Desk, ids: Sequence[str], *, seen: datetime, to: date | datetime) -> Moved:
    """改期: these publications of one content, which the page showed at `seen`, to this day or exactly this moment.

    What was planned with them and can still be moved goes along: a page that shows one channel must not tear a post
    apart. A day keeps each one's time of day. Conflict or Invalid where nothing was moved.
    """
    require(actor, "content.schedule")
    now, rows = desk.clock.now(), await _together(desk, await _found(desk, ids), seen)
    goals = {row["_id"]: plan.goal_of(row, seen, to, now) for row in rows}
    return await _carried(actor, desk, rows, goals, seen, back=False)


async def move_back(actor: Actor, desk: Desk, ids: Sequence[str], *, seen: datetime) -> Moved:
    """撤销改期: to where they stood before this person's last move, unless anything has happened since."""
    require(actor, "content.schedule")
    now, rows = desk.clock.now(), await _found(desk, ids)
    goals = {row["_id"]: plan.way_back(row, seen, actor.id, now) for row in rows}
    return await _carried(actor, desk, rows, goals, seen, back=True)


async def last_move(actor: Actor, desk: Desk, id: str) -> list[Document]:
    """What this person moved together with this one just now; empty where that was not them, or is over."""
    require(actor, "publication.read")
    row, now = await desk.store.get(TABLE, id), desk.clock.now()
    if row is None or not plan.is_told(row, actor.id, now):
        return []
    rows = await desk.store.find(TABLE, {"content": row["content"]}, sort=[("at", -1)], limit=200)
    same = [each for each in rows if (each.get("moved") or {}).get("order") == row["moved"]["order"]]
    return [each for each in same if plan.is_told(each, actor.id, now)]


async def _found(desk: Desk, ids: Sequence[str]) -> list[Document]:
    wanted = sorted(set(ids))
    if not 0 < len(wanted) <= MOST:
        raise Invalid("请先选一条发布。")
    rows = await desk.store.find(TABLE, {"_id": {"$in": wanted}}, limit=MOST)
    if len(rows) < len(wanted):
        raise NotFound("没有找到这条发布。")
    if len({row["content"] for row in rows}) > 1:
        raise Invalid("一次只改一篇稿件的时间。")
    return sorted(rows, key=lambda row: str(row["_id"]))


async def _together(desk: Desk, rows: Sequence[Document], seen: datetime) -> list[Document]:
    known = {row["_id"] for row in rows}
    every = await desk.store.find(TABLE, {"content": rows[0]["content"]}, sort=[("at", -1)], limit=200)
    others = [row for row in every if row["_id"] not in known and plan.is_as_seen(row, seen)]
    return sorted([*rows, *others], key=lambda row: str(row["_id"]))


async def _carried(
    actor: Actor, desk: Desk, rows: Sequence[Document], goals: Mapping[str, datetime], seen: datetime, *, back: bool
) -> Moved:
    order, moved, left = desk.ids.new(), list[Document](), list[str]()
    for row in rows:
        mark = plan.mark(order, actor.id, row["at"], goals[row["_id"]], desk.clock.now(), back=back)
        try:
            moved.append(await _moved(actor, desk, row, mark, seen))
        except Conflict as error:
            if not moved:
                raise
            left.append(error.message)
    return Moved(moved, left)


async def _moved(
    actor: Actor, desk: Desk, row: Document, mark: Mapping[str, Any], seen: datetime
) -> Document:
    told = {"was": mark["before"].isoformat(), "at": mark["after"].isoformat()}
    decision = Decision("move", {**plan.fresh(mark["after"]), "moved": mark})
    for _ in range(5):  # the clockwork may claim it and put it back between our read and our change
        after = await ledger.move(desk, actor, TABLE, row, decision, where={"at": mark["before"]}, detail=told)
        if after is not None:
            return after
        row = await desk.store.get(TABLE, row["_id"]) or row
        plan.check_as_seen(row, seen)
    raise Conflict("这条发布正在变化，请稍后再试。")
