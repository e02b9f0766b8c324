"""被错钟推远的时刻: what was put off by a clock that stood ahead, brought back by one that stands right.

Whatever puts a document off writes down how far, as its own clock measured it. A time that lies further ahead than that
was given by a wrong clock, and would hold a post, and by its place every later one of its account, for as long as that
clock stood ahead. Where our own clock is behind, everything looks too far: then what was put off is looked at sooner
than it need be, and put off again.
"""

from __future__ import annotations

from datetime import datetime

from hub.desk.desk import Desk
from hub.domain.putting_off import APART, ROUNDS, minutes_of
from hub.store.base import Document

MOST = 200
EVERY = 30.0  # seconds
NEXT = {"scheduled": "not_before", "unknown": "look_at", "pending": "look_at"}  # when each moves by itself


async def hasten(desk: Desk, table: str) -> int:
    """Make due what no right clock could have put off so far; how many. Looked for every half minute at most."""
    watch = desk.clock.monotonic()
    if watch - desk.hastened.get(table, -EVERY) < EVERY:
        return 0
    desk.hastened[table] = watch
    now, moved = desk.clock.now(), 0
    for step in ROUNDS:
        far = {"$gt": now + step + APART}
        either = [{"state": state, field: far} for state, field in NEXT.items()]
        for row in await desk.store.find(table, {"put_off": minutes_of(step), "$or": either}, limit=MOST):
            field = NEXT[row["state"]]
            as_seen = {"_id": row["_id"], "state": row["state"], field: row[field]}
            moved += await desk.store.change(table, as_seen, {"$set": _due(row, field, now)}) is not None
    return moved


def _due(row: Document, field: str, now: datetime) -> dict[str, datetime]:
    """Due now; and late from now on, too, however late the wrong clock expected it, but not from before its own time:
    where our clock is behind, what comes in time would be held for late."""
    expected = row.get("expected_at")
    return {field: now, **({"expected_at": max(row["at"], min(expected, now))} if expected else {})}
