"""发件箱的搬运: moves outbox rows to audit chain, events and notices; what stands in a row lives in domain.outbox.

Repeatable at every step: rows have ids, the chain and the tables take an id once, and a box is emptied only if nothing
came in since it was read. A kill between any two steps costs a repetition, never a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.desk import auditing
from hub.desk.desk import Desk
from hub.domain.notice import notices
from hub.domain.outbox import Row
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store import leases
from hub.store.tables import TABLES

LEASE_SECONDS = 15.0
BATCH = 50  # documents of one table in one round
PEOPLE = 2_000  # the largest office


@dataclass(frozen=True)
class _Box:
    table: str
    id: str
    count: int
    rows: Sequence[Row]


async def carry(actor: Actor, desk: Desk) -> int:
    """One round, if no other worker holds the duty; how many boxes were emptied."""
    require(actor, "outbox.carry")
    held = await leases.take(desk.store, "carrier", desk.owner, desk.clock.now(), LEASE_SECONDS)
    if held is None:
        return 0
    boxes = await _open_boxes(desk)
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
    users = await desk.store.find("users", {}, limit=PEOPLE, fields=fields)
    documents = [document for row in rows for document in notices(row, users, mail=desk.mail is not None)]
    await desk.store.insert_new("notices", documents)


async def _move_events(desk: Desk, rows: Sequence[Row]) -> None:
    """Events keep a number that only grows, also after all older ones were purged, so that a tail never misses one."""
    moved = [row for row in rows if row["kind"] in ("event", "notice")]
    if not moved:
        return
    last = await desk.store.find("events", {}, sort=[("number", -1)], limit=1, fields=("number",))
    floor = int(last[0]["number"]) + 1 if last else 0
    first = max(int(desk.clock.now().timestamp() * 1000) * 1000, floor)
    await desk.store.insert_new("events", [_event(row, first + place) for place, row in enumerate(moved)])


def _event(row: Row, number: int) -> dict[str, object]:
    """An event's document; a notice rings the bell of whoever is signed in, and each page asks for its own."""
    if row["kind"] == "notice":
        return {"_id": f"{row['id']}.bell", "number": number, "name": "notice.new", "subject": row["subject"],
                "at": row["at"], "detail": {}}
    return {"_id": row["id"], "number": number, "name": row["name"], "subject": row["subject"], "at": row["at"],
            "detail": row["detail"]}
