"""在用的: the documents that name which model is in force, and the training asked for there, claimed under a lease.

Whoever changes a pointer names the version that they saw. What is trained, and when it is kept, is for whoever asks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

from hub.desk.desk import Desk
from hub.domain import outbox
from hub.orphans import end_with_parent
from hub.store.base import Document, Store

SWITCHES = "switches"
LEASE = timedelta(seconds=60)
LONGEST = 30 * 60.0  # seconds that one training may take


@dataclass(frozen=True)
class Pointer:
    """One document of the switches, as it is `born`; open pages hear of each change by the event of this name.

    `asked` in it is the training under way: id, by, at, tries, lease_until, lease_owner.
    """

    id: str
    born: Mapping[str, Any]
    event: str

    async def now(self, store: Store) -> Document:
        """The pointer, as it is before anybody changed it too."""
        found = await store.get(SWITCHES, self.id) or {}
        return {**self.born, **found}

    async def change(
        self, desk: Desk, seen: Mapping[str, Any], fields: Mapping[str, Any], *rows: outbox.Row, **where: Any
    ) -> Document | None:
        """One compare-and-set on the version that was seen; None where somebody was faster."""
        if not seen["version"]:
            await desk.store.insert_new(SWITCHES, [dict(self.born)])
        unchanged = {"_id": self.id, "version": seen["version"], **where}
        event = outbox.event(desk.ids.new(), self.event, self.id, desk.clock.now())
        update = outbox.noted({"$set": {**fields, "version": seen["version"] + 1}}, event, *rows)
        return await desk.store.change(SWITCHES, unchanged, update)

    async def claim(self, desk: Desk) -> Document | None:
        """The pointer with the training that is ours now; None where none is asked for or another worker is at it."""
        seen = await self.now(desk.store)
        run, now = seen["asked"], desk.clock.now()
        if not run or (run["lease_until"] and run["lease_until"] > now):
            return None
        mine = {"lease_owner": f"{desk.owner}:{desk.ids.new()}", "lease_until": now + LEASE, "tries": run["tries"] + 1}
        return await self.change(desk, seen, {"asked": {**run, **mine}})

    async def under_lease(self, desk: Desk, run: Mapping[str, Any], work: Awaitable[Document]) -> Document | None:
        """Train, and keep the claim meanwhile; None where the training was taken back, and is given up."""
        working = asyncio.ensure_future(work)
        try:
            while not working.done():
                bell = asyncio.ensure_future(desk.clock.sleep(LEASE.total_seconds() / 3))
                await asyncio.wait({working, bell}, return_when=asyncio.FIRST_COMPLETED)
                bell.cancel()
                if not working.done() and not await self._renewed(desk, run):
                    return None
            return working.result()
        finally:
            working.cancel()

    async def _renewed(self, desk: Desk, run: Mapping[str, Any]) -> bool:
        mine = {"_id": self.id, "asked.id": run["id"], "asked.lease_owner": run["lease_owner"]}
        until = {"asked.lease_until": desk.clock.now() + LEASE}
        return await desk.store.change(SWITCHES, mine, {"$set": until}) is not None


def _begin() -> None:
    """In the new process: it ends with the worker, and lets everything else go first."""
    end_with_parent()
    os.nice(10)


async def in_own_process(work: Callable[..., Any], *given: Any) -> Any:
    """Run it in a process that is there for this alone and yields to everybody: training takes a core for a while."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(pool, work, *given), LONGEST)
    finally:
        for process in list(getattr(pool, "_processes", {}).values()):
            process.kill()  # also where the training was given up
        pool.shutdown(wait=False, cancel_futures=True)
