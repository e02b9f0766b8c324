"""来件箱: what citizens sent, sealed before it is written, numbered without gaps until the hub has it; no form here.

A row exists only when every smaller number exists already, so a reader who saw number 13 has seen 12. The newest row
stays when all are erased: the next number is counted from it, and none is given twice.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.clock import Clock
from hub.sealing import PublicSealer
from hub.store.base import Document, Duplicate, Store

TABLE, NUMBERS, NAME = "inbox", "numbers", "inbox"
KEPT = timedelta(days=7)  # how long the empty row of a letter stays after the hub took it
TRIES = 50
FIELDS = ("id", "number", "kind", "at", "sealed", "about")


class BeyondTheLast(Exception):
    """An acknowledgement of rows that were never given."""


@dataclass(frozen=True)
class Waiting:
    """What the hub has not taken yet."""

    count: int
    oldest_at: Any = None


class Inbox:
    """The site's letter box. Nobody on this side can open what lies in it."""

    def __init__(self, store: Store, sealer: PublicSealer, clock: Clock) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock
        self._one = asyncio.Lock()  # spares the writers of one process the races that the unique number settles
        self._arrived = asyncio.Event()

    async def drop(self, kind: str, id: str, plain: str, about: str = "") -> bool:
        """Seal the words and keep them durably; the same id again is the same letter and is kept once (False)."""
        sealed = self._sealer.seal(plain, table=TABLE, id=id, field="sealed")
        row = {"_id": id, "id": id, "kind": kind, "at": self._clock.now(), "sealed": sealed, "acked": False}
        if about:
            row["about"] = about
        async with self._one:
            new = await self._number(row)
        self._arrived.set()
        self._arrived = asyncio.Event()
        return new

    async def _number(self, row: Document) -> bool:
        for _ in range(TRIES):
            last = await self.last()
            try:
                await self._store.insert(TABLE, {**row, "number": last + 1})
            except Duplicate as held:
                if held.key == "_id":
                    return False
                continue
            return True
        raise RuntimeError("no number was free")

    async def last(self) -> int:
        """The newest number given; 0 before the first."""
        found = await self._store.find(TABLE, {}, sort=[("number", -1)], limit=1, fields=("number",))
        return int(found[0]["number"]) if found else 0

    async def rows(self, after: int | None, limit: int) -> list[Document]:
        """What has not been acknowledged, oldest first, behind this number."""
        where: dict[str, Any] = {"acked": False}
        if after is not None:
            where["number"] = {"$gt": after}
        return await self._store.find(TABLE, where, sort=[("number", 1)], limit=limit, fields=FIELDS)

    async def rows_within(self, after: int | None, limit: int, seconds: float) -> list[Document]:
        """The same, waiting at most this long for a first one; another process's letters are seen within a second."""
        until = self._clock.monotonic() + seconds
        while True:
            arrived = self._arrived
            rows = await self.rows(after, limit)
            left = until - self._clock.monotonic()
            if rows or left <= 0:
                return rows
            await self._first_of(arrived, min(1.0, left))

    async def _first_of(self, arrived: asyncio.Event, seconds: float) -> None:
        waits = [asyncio.ensure_future(arrived.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def acknowledge(self, number: int) -> tuple[int, int]:
        """Erase what the hub has stored; (the last number acknowledged, how many still wait)."""
        if number > await self.last():
            raise BeyondTheLast
        now = self._clock.now()
        taken = {"acked": False, "number": {"$lte": number}}
        await self._store.change_many(TABLE, taken, {"$set": {"acked": True, "acked_at": now, "sealed": ""}})
        heads = await self._store.change(NUMBERS, {"_id": NAME}, {"$max": {"acked": number}}, upsert=True)
        await self._sweep()
        return int((heads or {"acked": number})["acked"]), (await self.waiting()).count

    async def _sweep(self) -> None:
        """Empty rows go after a week, but never the newest, from which the next number is counted."""
        old = {"acked": True, "acked_at": {"$lt": self._clock.now() - KEPT}, "number": {"$lt": await self.last()}}
        if await self._store.count(TABLE, old, ceiling=1):
            await self._store.purge(TABLE, old, reason="taken by the hub")

    async def waiting(self) -> Waiting:
        rows = await self._store.find(TABLE, {"acked": False}, sort=[("number", 1)], limit=1, fields=("at",))
        if not rows:
            return Waiting(0)
        return Waiting(await self._store.count(TABLE, {"acked": False}), rows[0]["at"])
