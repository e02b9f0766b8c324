"""汇总: counts of replies by hour or day, channel, district, topic and sentiment, each reply once; boards read them.

There is no transaction over replies and roll-up rows, so replies are counted in numbered batches. The one document
`batches/rollups` holds the batch under way: number, replies, and what it adds to each row. It moves on only by
compare-and-set, and in this order:

1. done → open: the next number, with replies that were uncounted after the last batch was done;
2. each row takes the addition only if its own `batch` is lower than this number, and keeps the number;
3. the replies are marked `counted`;
4. open → done.

Whoever finds an open batch, after a crash or beside a slow worker, carries out the same steps again: rows that have
the addition refuse it. A worker that slept finds that step 1 no longer fits, or higher numbers on the rows.

Why not a set of reply ids inside each row: it would have to be emptied some day, and a worker slower than that day
would count twice; numbers never forget, and a batch writes each row once instead of once a reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from hub.clock import local
from hub.store.base import Document, Duplicate, Store

BATCH = 500
PAGE = 5_000
HEAD = "rollups"
PERIODS = ("hour", "day")
BY = ("channel", "district", "topic", "sentiment")
READ = {"state": {"$in": ["read", "set_aside"]}}
UNCOUNTED = {**READ, "counted": {"$in": [False, None]}}
_FIELDS = ("at", "state", "counted", *BY)


def row_of(reply: Document, period: str) -> Document:
    """The row a reply is counted in, without its count. A reply that could not be read has the sentiment None."""
    start = _start(reply["at"], period)
    kinds = {name: reply.get(name) for name in BY}
    written = "\x1f".join("" if value is None else str(value) for value in kinds.values())
    name = hashlib.sha256(written.encode()).hexdigest()[:16]
    return {"_id": f"{period}:{start:%Y%m%d%H}:{name}", "period": period, "at": start, **kinds}


def _start(at: datetime, period: str) -> datetime:
    place = local(at).replace(minute=0, second=0, microsecond=0)
    return (place if period == "hour" else place.replace(hour=0)).astimezone(UTC)


def sums(replies: Iterable[Document]) -> dict[str, Document]:
    """The rows that these replies add up to, by id."""
    rows: dict[str, Document] = {}
    for reply in replies:
        for period in PERIODS:
            row = row_of(reply, period)
            rows.setdefault(row["_id"], {**row, "count": 0})["count"] += 1
    return rows


async def count_waiting(store: Store, limit: int = BATCH) -> int:
    """Finish the batch under way, then count one more; how many replies that was."""
    done = await _settled(store)
    replies = await store.find("replies", UNCOUNTED, limit=limit, fields=_FIELDS)
    if not replies or not await _count(store, done, replies):
        return 0
    return len(replies)


async def _settled(store: Store) -> int:
    """The number of the last batch, once it is done."""
    head = await store.get("batches", HEAD)
    if head is None:
        await store.insert_new("batches", [{"_id": HEAD, "number": 0, "state": "done"}])
        return 0
    if head["state"] == "open":
        await _carry_out(store, head)
    elif head["state"] == "rebuilding":
        await _rebuild(store, head["number"], _silent)
    return int(head["number"])


async def _count(store: Store, done: int, replies: Sequence[Document]) -> bool:
    batch = {
        "number": done + 1,
        "state": "open",
        "replies": [reply["_id"] for reply in replies],
        "rows": list(sums(replies).values()),
    }
    head = await store.change("batches", {"_id": HEAD, "number": done, "state": "done"}, {"$set": batch})
    if head is None:
        return False
    await _carry_out(store, head)
    return True


async def _carry_out(store: Store, head: Document) -> None:
    await asyncio.gather(*(_add(store, row, head["number"]) for row in head["rows"]))  # made durable together
    await store.change_many("replies", {"_id": {"$in": head["replies"]}}, {"$set": {"counted": True}})
    mine = {"_id": HEAD, "number": head["number"], "state": "open"}
    await store.change("batches", mine, {"$set": {"state": "done", "replies": [], "rows": []}})


async def _add(store: Store, row: Document, number: int) -> None:
    kinds = {name: value for name, value in row.items() if name not in ("_id", "count")}
    update: dict[str, dict[str, Any]] = {
        "$inc": {"count": row["count"]}, "$set": {"batch": number}, "$setOnInsert": kinds,
    }
    try:
        await store.change("rollups", {"_id": row["_id"], "batch": {"$lt": number}}, update, upsert=True)
    except Duplicate:
        return  # the row stands and has this number or a higher one: the addition is in it


async def _silent(_number: int) -> None:
    return None


async def rebuild(store: Store, progress: Callable[[int], Awaitable[None]] = _silent) -> int:
    """Count everything anew from the replies; nothing else is counted meanwhile. Returns the number of rows."""
    while True:
        done = await _settled(store)
        free = {"_id": HEAD, "number": done, "state": "done"}
        if await store.change("batches", free, {"$set": {"state": "rebuilding", "number": done + 1}}) is not None:
            return await _rebuild(store, done + 1, progress)


async def _rebuild(store: Store, number: int, progress: Callable[[int], Awaitable[None]]) -> int:
    """Two that do this at once write the same: whole counts, not additions; rows without a reply go last."""
    rows = await _summed(store, progress)
    for row in rows.values():
        await _put(store, row, number)
    await store.purge("rollups", {"batch": {"$lt": number}}, reason="roll-ups rebuilt")
    mine = {"_id": HEAD, "number": number, "state": "rebuilding"}
    await store.change("batches", mine, {"$set": {"state": "done"}})
    return len(rows)


async def _put(store: Store, row: Document, number: int) -> None:
    """Only over what this number has not reached: one that slept meanwhile takes back nothing that came later."""
    whole = {name: value for name, value in row.items() if name != "_id"}
    update = {"$set": {**whole, "batch": number}}
    with contextlib.suppress(Duplicate):
        await store.change("rollups", {"_id": row["_id"], "batch": {"$lt": number}}, update, upsert=True)


async def verify(store: Store, progress: Callable[[int], Awaitable[None]] = _silent) -> list[str]:
    """The ids of rows that do not say what the counted replies say; meaningful while nothing is being counted."""
    await _settled(store)
    meant = {id: row["count"] for id, row in (await _summed(store, progress)).items()}
    after, wrong = "", []
    while True:
        rows = await store.find("rollups", {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=PAGE, fields=["count"])
        wrong += [row["_id"] for row in rows if meant.pop(row["_id"], 0) != row["count"]]
        if len(rows) < PAGE:
            return wrong + sorted(meant)
        after = rows[-1]["_id"]


async def _summed(store: Store, progress: Callable[[int], Awaitable[None]]) -> dict[str, Document]:
    """The rows of all counted replies, read in pages; `progress` hears how many replies have been read."""
    after, rows, seen = "", dict[str, Document](), 0
    while True:
        where = {"_id": {"$gt": after}}
        replies = await store.find("replies", where, sort=[("_id", 1)], limit=PAGE, fields=_FIELDS)
        for id, row in sums(reply for reply in replies if reply.get("counted")).items():
            rows.setdefault(id, {**row, "count": 0})["count"] += row["count"]
        seen += len(replies)
        await progress(seen)
        if len(replies) < PAGE:
            return rows
        after = replies[-1]["_id"]
