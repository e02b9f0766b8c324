"""实时: one tail of the events for all open pages of a process; what an event is lives in domain.outbox.

Events of several writers arrive a little out of order, so each look goes back a few seconds and passes over what was
seen. A page that does not read fast enough loses events, never the process: it is told to read everything anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from hub.desk.desk import Desk
from hub.store.base import Document, Unreachable

EVERY = 0.4  # seconds between two looks
BACK = timedelta(seconds=5)
WAITING = 200  # events that one page may have waiting
MOST = 1_000  # events of one look; where there are more, pages read everything anew
ASLEEP = timedelta(minutes=10)  # a tail that stood still so long may have missed events that are gone by now
EVERYTHING = {"name": "*", "subject": "", "detail": {}}

Queue = asyncio.Queue[Document]


class Tail:
    """Who listens in this process, and what has been passed on already."""

    def __init__(self) -> None:
        self._pages: set[Queue] = set()
        self._seen: dict[str, datetime] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Queue]:
        """A queue of everything that happens from now on."""
        queue: Queue = asyncio.Queue(WAITING)
        self._pages.add(queue)
        try:
            yield queue
        finally:
            self._pages.discard(queue)

    async def run(self, desk: Desk) -> None:
        """Look for ever; a store that does not answer is asked again."""
        since = desk.clock.now()
        while True:
            try:
                since = await self.look(desk, since)
            except Unreachable:
                self._give(EVERYTHING)
            await desk.clock.sleep(EVERY)

    async def look(self, desk: Desk, since: datetime) -> datetime:
        """Pass on what is new; the moment to go on from."""
        now = desk.clock.now()
        rows = await desk.store.find("events", {"at": {"$gte": since - BACK}}, sort=[("at", 1)], limit=MOST)
        if len(rows) == MOST or now - since > ASLEEP:
            self._give(EVERYTHING)
        for row in rows:
            if row["_id"] not in self._seen:
                self._seen[row["_id"]] = row["at"]
                self._give(row)
        self._seen = {id: at for id, at in self._seen.items() if at > now - 4 * BACK}
        return max(since, now)

    def _give(self, event: Document) -> None:
        for queue in self._pages:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                event = EVERYTHING
            queue.put_nowait(event)
