"""发件箱的搬运: moves outbox rows to audit chain, events and notices; what stands in a row lives in domain.outbox.

Repeatable at every step: rows have ids, the chain and the tables take an id once, and a box is emptied only if nothing
came in since it was read. A kill between any two steps costs a repetition, never a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.desk import auditing
from hub.desk.desk import Desk
from hub.desk.staffing import everybody
from hub.domain.notice import notices
from hub.domain.outbox import Row
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store import leases
from hub.store.base import Filter
from hub.store.tables import TABLES

LEASE_SECONDS = 15.0
LONGEST = 5.0  # seconds of rounds under one lease
BATCH = 50  # documents of one table in one round
_EVENTS = "events"  # in `cursors`: the highest number ever given


@dataclass(frozen=True)
class _Box:
    table: str
    id: str
    count: int
    rows: Sequence[Row]


async def carry(actor: Actor, desk: Desk) -> int:
    """Rounds until nothing waits, a while at most, if no other worker has the duty; how many boxes were emptied."""
    require(actor, "outbox.carry")
    held = await leases.take(desk.store, "carrier", desk.owner, desk.clock.now(), LEASE_SECONDS)
    if held is None:
        return 0
    began, emptied = desk.clock.monotonic(), 0
    while (one := await _round(desk)) and desk.clock.monotonic() - began < LONGEST:
        emptied += one
    return emptied + one


async def _round(desk: Desk) -> int:
    boxes = await _open_boxes(desk)
    if not boxes:
        return 0
    rows = sorted((row for box in boxes for row in box.rows), key=lambda row: row["at"])
    await auditing.chain(desk, [row for row in rows if row["kind"] == "audit"])
    await _move_notices(desk, [row for row in rows if row["kind"] == "notice"])
    await _move_events(desk, rows)
    await desk.failpoints.reach("outbox.moved")
    emptied = 0
    for box in boxes:
        emptied += await _empty(desk, box)
    return emptied


async def _open_boxes(desk: Desk) -> list[_Box]:
    boxes: list[_Box] = []
    for table in TABLES:
        if not table.outbox:
            continue
        found = await desk.store.find(
            table.name, {"outbox_open": True}, sort=[("_id", 1)], limit=BATCH, fields=("outbox", "outbox_count")
        )
        for document in found:
            rows = [row for parcel in document.get("outbox", ()) for row in parcel["rows"]]
            boxes.append(_Box(table.name, document["_id"], int(document["outbox_count"]), rows))
    return boxes


async def _empty(desk: Desk, box: _Box) -> int:
    unchanged = {"_id": box.id, "outbox_open": True, "outbox_count": box.count}
    update = {"$set": {"outbox": [], "outbox_open": False}}
    return 0 if await desk.store.change(box.table, unchanged, update) is None else 1


async def _move_notices(desk: Desk, rows: Sequence[Row]) -> None:
    if not rows:
        return
    fields = ("roles", "duty", "disabled", "email")
    users = await everybody(desk, fields=fields)
    documents = [document for row in rows for document in notices(row, users, mail=desk.mail is not None)]
    await desk.store.insert_new("notices", documents)


async def _move_events(desk: Desk, rows: Sequence[Row]) -> None:
    """Events have numbers that only grow, whatever was purged and wherever the clock went, so that a tail reads on."""
    moved = [row for row in rows if row["kind"] in ("event", "notice")]
    if not moved:
        return
    numbered: Filter = {"number": {"$gte": 0}}  # what the readers of texts write themselves has no number
    last = await desk.store.find("events", numbered, sort=[("number", -1)], limit=1, fields=("number",))
    mark = await desk.store.get("cursors", _EVENTS)
    floor = max([0, *(int(row["number"]) + 1 for row in (*last, *([mark] if mark else [])))])
    first = max(int(desk.clock.now().timestamp() * 1000) * 1000, floor)
    await desk.store.change(
        "cursors", {"_id": _EVENTS}, {"$max": {"number": first + len(moved) - 1}}, upsert=True
    )
    now = desk.clock.now()
    await desk.store.insert_new("events", [_event(row, first + place, now) for place, row in enumerate(moved)])


def _event(row: Row, number: int, now: datetime) -> dict[str, object]:
    """An event's document, dated when it is passed on: a tail that looks back a little misses none that came late.

    A notice rings the bell of whoever is signed in, and each page asks for its own.
    """
    if row["kind"] == "notice":
        return {"_id": f"{row['id']}.bell", "number": number, "name": "notice.new", "subject": row["subject"],
                "at": now, "detail": {}}
    return {"_id": row["id"], "number": number, "name": row["name"], "subject": row["subject"], "at": now,
            "detail": row["detail"]}
