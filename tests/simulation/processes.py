"""One simulated process: what it awaits takes time, stands still while it is frozen, and ends where it is killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from channels.exchange import Answer, MaybeSent, NotSent, Request, Result
from channels.faults import Fault
from channels.performance import Performance, as_seen
from hub.clock import to_milliseconds
from hub.store.base import Document, Filter, Inserted, Sort, Store, Unreachable, Unsure, Update

T = TypeVar("T")
BORN = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


class Killed(BaseException):
    """This process is no more: it passes every `except Exception`, as a kill does."""


class Process:
    """Everything that runs in it goes through `pause`; `kill` ends all of it at once, in the middle of whatever."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, seed: str, skew: float = 0.0) -> None:
        self.loop, self.name, self.skew, self.fastest = loop, name, skew, max(skew, 0.0)
        self.chance = random.Random(f"{seed}/{name}")  # noqa: S311 - repeatable on purpose
        self.alive = True
        self.on_kill: Callable[[], None] | None = None
        self.steps_left: int | None = None
        self._frozen_until = 0.0
        self._waiting: set[asyncio.Future[None]] = set()

    def kill(self) -> None:
        self.alive = False
        if self.on_kill is not None:
            self.on_kill()
        for future in [each for each in self._waiting if not each.done()]:
            future.set_exception(Killed(self.name))

    def kill_after(self, steps: int) -> None:
        """Killed when it has awaited so many times more."""
        self.steps_left = steps

    def jump(self, seconds: float) -> None:
        """Its wall clock is set by so much, forwards or back."""
        self.skew += seconds
        self.fastest = max(self.fastest, self.skew)

    def freeze(self, seconds: float) -> None:
        """Stopped by the machine: it goes on later as if nothing had been."""
        self._frozen_until = max(self._frozen_until, self.loop.time() + seconds)

    async def pause(self, seconds: float) -> None:
        """So much time passes, more where it is frozen."""
        self._count()
        until = self.loop.time() + seconds
        while True:
            await self._wait(until)
            if self.loop.time() >= self._frozen_until:
                return
            until = self._frozen_until

    def _count(self) -> None:
        if self.alive and self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left <= 0:
                self.kill()
        if not self.alive:
            raise Killed(self.name)

    async def _wait(self, until: float) -> None:
        future: asyncio.Future[None] = self.loop.create_future()
        handle = self.loop.call_at(until, _ring, future)
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            handle.cancel()

    async def outlived(self, work: Coroutine[Any, Any, T]) -> T:
        """What somebody else does for it, and goes on doing when it is dead."""
        task = self.loop.create_task(work)
        future: asyncio.Future[None] = self.loop.create_future()
        task.add_done_callback(lambda _: _ring(future))
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            task.add_done_callback(_looked_at)
        return task.result()


def _ring(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _looked_at(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


class ClockOf:
    """A process's clock: its own error of the wall clock, the world's flow of time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def now(self) -> datetime:
        return to_milliseconds(BORN + timedelta(seconds=self._process.loop.time() + self._process.skew))

    def monotonic(self) -> float:
        return self._process.loop.time()

    async def sleep(self, seconds: float) -> None:
        await self._process.pause(seconds)


class StoreOf(Store):
    """The office's store as one process reaches it: a little later, and with faults where `trouble` says so."""

    def __init__(
        self, process: Process, store: Callable[[], Store], trouble: Callable[[Process], str], durable_later: bool
    ) -> None:
        self._process, self._store, self._trouble, self._later = process, store, trouble, durable_later

    async def _read(self, ask: Callable[[Store], Awaitable[T]]) -> T:
        await self._process.pause(self._process.chance.uniform(0.0005, 0.01))
        return await ask(self._store())

    async def _write(self, act: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        fault = self._trouble(self._process)
        await self._process.pause(self._process.chance.uniform(0.0005, 0.01))
        if fault == "refused":
            raise Unreachable("store: a fault of the simulation")
        if fault == "lost":
            raise Unsure("store: a fault of the simulation")
        work = act(self._store())
        done = await self._process.outlived(work) if self._later else await work
        await self._process.pause(self._process.chance.uniform(0.0005, 0.01))
        if fault == "silent":
            raise Unsure("store: a fault of the simulation")
        return done

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def get(self, table: str, id: str, *, fields: Any = ()) -> Document | None:
        return await self._read(lambda store: store.get(table, id, fields=fields))

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Any = ()
    ) -> list[Document]:
        return await self._read(lambda store: store.find(table, where, sort=sort, limit=limit, fields=fields))

    async def count(self, table: str, where: Filter, *, ceiling: int = 10_000) -> int:
        return await self._read(lambda store: store.count(table, where, ceiling=ceiling))

    async def tally(self, table: str, where: Filter, by: Any, *, day: str | None = None) -> list[Document]:
        return await self._read(lambda store: store.tally(table, where, by, day=day))

    async def insert(self, table: str, document: Document) -> None:
        await self._write(lambda store: store.insert(table, document))  # type: ignore[arg-type]

    async def insert_new(self, table: str, documents: Any) -> Inserted:
        return await self._write(lambda store: store.insert_new(table, documents))  # type: ignore[arg-type]

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        return await self._write(
            lambda store: store.change(table, where, update, upsert=upsert, sort=sort)  # type: ignore[arg-type]
        )

    async def change_many(self, table: str, where: Filter, update: Update) -> int:
        return await self._write(lambda store: store.change_many(table, where, update))  # type: ignore[arg-type]

    async def purge(self, table: str, where: Filter, *, reason: str) -> int:
        return await self._write(lambda store: store.purge(table, where, reason=reason))  # type: ignore[arg-type]


class Wire:
    """The transport of one process: requests are under way for a while, and may arrive after their sender has died,
    or long after it has given up waiting."""

    def __init__(
        self,
        process: Process,
        stages: dict[str, Performance],
        trouble: Callable[[str, Request], Fault | None],
        arrived: Callable[[str, Request], None],
    ) -> None:
        self._process, self._stages, self._trouble, self._arrived = process, stages, trouble, arrived

    async def send(self, request: Request) -> Result:
        process, chance = self._process, self._process.chance
        fault = self._trouble(request.host, request)
        if fault and fault.kind == "unreachable":
            await process.pause(chance.uniform(0.01, 8.0))
            return NotSent("连接不上对方服务器")
        if fault and fault.kind == "late":
            process.loop.call_later(chance.uniform(0.0, 60.0), self._play, request, None)
            await process.pause(request.seconds)
            return MaybeSent("等待对方答复超时")
        leaves, lag = chance.random() < 0.5, chance.uniform(0.0, 5.0)
        try:
            await process.pause(chance.uniform(0.005, 0.3))
        except BaseException:
            if leaves:
                process.loop.call_later(lag, self._play, request, None)
            raise
        seen = self._play(request, fault)
        await process.pause(_seconds(fault, request, chance))
        return seen

    def _play(self, request: Request, fault: Fault | None) -> Result:
        stage = self._stages[request.host]
        if fault is not None:
            stage.orders.add(Fault(request.path, fault.kind, 1, fault.value))
        seen = as_seen(stage.play(request), request)
        self._arrived(request.host, request)
        return seen


def _seconds(fault: Fault | None, request: Request, chance: random.Random) -> float:
    """How long the answer takes."""
    if fault is not None and fault.kind == "delay":
        return min(float(fault.value), request.seconds)
    if fault is not None and fault.kind in ("drip", "drop_before"):
        return request.seconds
    return chance.uniform(0.005, 0.3)


def is_answer(result: Result) -> bool:
    return isinstance(result, Answer)
