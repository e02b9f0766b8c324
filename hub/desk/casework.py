"""工单 on the home page and beside the rail: what waits for this person there; the cases themselves are casing's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.desk.answering import list_waiting
from hub.desk.casing import TABLE
from hub.desk.desk import Desk
from hub.domain.almanac import CALENDAR
from hub.domain.case import OPEN, TODO, clock, sees
from hub.domain.people import Actor
from hub.domain.rights import may, require
from hub.store.base import Document

SHOWN = 6
MOST = 100  # extensions that may wait at once; nobody lets more lie
RUNNING = tuple(state for state in OPEN if state != "waiting_citizen")


async def my_cases(actor: Actor, desk: Desk) -> list[Mapping[str, Any]]:
    """This person's own open cases with a running clock, the shortest time first."""
    require(actor, "case.read")
    where = {"owner": actor.id, "state": {"$in": list(RUNNING)}}
    rows = await desk.store.find(TABLE, where, sort=[("rank_at", 1)], limit=SHOWN)
    now = desk.clock.now()
    return [_mine(row, now) for row in rows]


def _mine(row: Document, now: datetime) -> Mapping[str, Any]:
    return {
        "id": row["_id"], "number": row["number"], "title": row["title"], "due_at": row["due_at"],
        "clock": clock(row, now, CALENDAR).state, "confidential": row["confidential"], "reopened": row["round"] > 1,
        "people": row["people"],
    }  # fmt: skip


async def to_accept(actor: Actor, desk: Desk) -> tuple[int, datetime | None]:
    """How many cases nobody has accepted yet, and since when the oldest waits; for who accepts them."""
    if not may(actor, "case.accept"):
        return 0, None
    where = {"confidential": False, "state": "new"}
    oldest = await desk.store.find(TABLE, where, sort=[("rank_at", 1)], limit=1, fields=("opened_at",))
    return await desk.store.count(TABLE, where, ceiling=999), oldest[0]["opened_at"] if oldest else None


async def to_decide(actor: Actor, desk: Desk) -> list[Document]:
    """Extensions that wait for this person's word: not their own, and of a confidential case only what they see."""
    if not may(actor, "case.extend"):
        return []
    where = {"to_decide": True, "state": "in_hand"}
    rows = await desk.store.find(TABLE, where, limit=MOST, fields=("extension", "confidential", "handlers"))
    return [row for row in rows if sees(actor, row) and row["extension"]["by"] != actor.id]


async def to_review(actor: Actor, desk: Desk) -> list[Document]:
    """Answers in review that this person may judge."""
    if not may(actor, "answer.review"):
        return []
    return [row for row in await list_waiting(actor, desk, limit=SHOWN * 2) if row["mine"]][:SHOWN]


async def counts(actor: Actor, desk: Desk) -> tuple[int, int]:
    """(cases that wait for somebody, cases over their time), counted no further than a thousand."""
    require(actor, "case.read")
    where: dict[str, Any] = {"confidential": False, "state": {"$in": list(TODO)}}
    waiting = await desk.store.count(TABLE, where, ceiling=999)
    late = {"confidential": False, "state": {"$in": list(RUNNING)}, "rank_at": {"$lte": desk.clock.now()}}
    return waiting, await desk.store.count(TABLE, late, ceiling=999)
