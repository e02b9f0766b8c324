"""The clockwork: APScheduler as a clock, one tick a duty, never the queue; what a duty does lives in hub.desk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hub.desk.desk import Desk
from hub.domain.people import program
from hub.store import leases
from scheduler.jobs import JOBS, Job

log = logging.getLogger(__name__)

# A tick that comes late still counts (no misfire limit), several missed ones count once, and a duty that is still
# running is not started beside itself.
TICK = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


class Clockwork:
    """One worker's duties, from `start` until `stop`."""

    def __init__(self, desk: Desk, jobs: Sequence[Job] = JOBS) -> None:
        self._desk = desk
        self._jobs = jobs
        self._running: set[asyncio.Task[None]] = set()
        self._busy: dict[str, asyncio.Lock] = {}
        self._answering: list[asyncio.Task[None]] = []
        self._stopping = False
        self._scheduler = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
            job_defaults=TICK,
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin to tick; must be called inside the running loop."""
        for job in self._jobs:
            self._scheduler.add_job(self._tick, "interval", seconds=job.every, args=(job,), id=job.name)
        self._scheduler.start()
        self._answering = [asyncio.ensure_future(self._answer(job)) for job in self._jobs if job.rung]

    async def _answer(self, job: Job) -> None:
        """Do the duty whenever it is rung for, one time after the other; rings that come meanwhile are one."""
        while True:
            await self._desk.bell.heard(job.name)
            async with self._busy.setdefault(job.name, asyncio.Lock()):
                await self.tick(job)

    async def _tick(self, job: Job) -> None:
        """The clock's own tick: not beside the same duty that a ring began."""
        lock = self._busy.setdefault(job.name, asyncio.Lock())
        if not lock.locked():
            async with lock:
                await self.tick(job)

    async def tick(self, job: Job) -> None:
        """Do one duty once. An edge: whatever it raises ends this tick, not the worker; the next tick tries again."""
        if self._stopping:
            return
        task = asyncio.ensure_future(self._do(job))
        self._running.add(task)
        try:
            await asyncio.shield(task)
        except Exception as error:  # the job's edge
            log.error("duty %s failed: %s", job.name, type(error).__name__)
        finally:
            self._running.discard(task)

    async def _do(self, job: Job) -> None:
        actor = program(job.actor)
        if not job.lease:
            await job.duty(actor, self._desk)
            return
        store, clock, name = self._desk.store, self._desk.clock, f"job:{job.name}"
        number = await leases.take(store, name, self._desk.owner, clock.now(), job.hold)
        if number is None:
            return
        try:
            await job.duty(actor, self._desk)
        finally:
            await leases.release(store, name, self._desk.owner, number, clock.now())

    async def stop(self, patience: float) -> bool:
        """No new ticks; what is under way is let come to its end within `patience` seconds. False where some did not.

        What is cut off then is no worse than a kill: its claims lapse and are settled by others.
        """
        self._stopping = True
        self._scheduler.shutdown(wait=False)
        for answering in self._answering:
            answering.cancel()
        left = set(self._running)
        if left:
            _, left = await asyncio.wait(left, timeout=patience)
        for task in left:
            task.cancel()
        return not left
