"""The group writer: one thread that writes for all, many jobs in one durable transaction; no SQL here but its frame.

It takes every job that waits, runs each between savepoints in one transaction, and answers them all once that
transaction is on the disk: many writers share one sync, and a job that fails takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from hub.store.base import Unreachable, Unsure

T = TypeVar("T")
_log = logging.getLogger(__name__)
GROUP = 256  # jobs of one transaction


class Connection(Protocol):
    """What the writer needs of a connection."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, statement: str, /) -> Any: ...

    def close(self) -> None: ...


class Faults(NamedTuple):
    """Errors of disk and file, apart from errors of one job; `busy` surely wrote nothing."""

    all: tuple[type[Exception], ...]
    busy: type[Exception]


class _Job(NamedTuple):
    work: Callable[[Any], Any]
    answer: asyncio.Future[Any]


class _Answer(NamedTuple):
    future: asyncio.Future[Any]
    value: Any
    error: Exception | None


class GroupWriter:
    """The thread, its queue and its one connection (made by `prepare` inside the thread)."""

    def __init__(self, prepare: Callable[[], Connection], faults: Faults) -> None:
        self._prepare, self._faults = prepare, faults
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def open(self) -> None:
        """Start; raises what `prepare` raised, Unreachable for faults."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(loop, opened), name="store-writer", daemon=True)
        self._thread.start()
        await opened

    async def close(self) -> None:
        """Finish what waits, then stop."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def write(self, work: Callable[[Any], T]) -> T:
        """Run one job; returns once it is durable. Unreachable: nothing was written. Unsure: nobody can say."""
        if self._thread is None or not self._thread.is_alive():
            raise Unreachable("the store is not open")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, answer))
        return await answer

    def _run(self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[None]) -> None:
        try:
            connection = self._prepare()
        except Exception as error:
            fault = isinstance(error, (OSError, *self._faults.all))
            _deliver(loop, [_Answer(opened, None, _unreachable(error) if fault else error)])
            return
        _deliver(loop, [_Answer(opened, None, None)])
        while (batch := self._next_batch()) is not None:
            _deliver(loop, self._answered(connection, batch))
        connection.close()

    def _answered(self, connection: Connection, batch: Sequence[_Job]) -> list[_Answer]:
        """The group's answers, whatever happens: if this thread fell, all who write would wait for ever."""
        try:
            return self._group(connection, batch)
        except Exception as error:
            _log.error("a group of writes failed: %s", type(error).__name__)
            self._abandon(connection)
            return [_Answer(job.answer, None, Unsure(f"store: {type(error).__name__}")) for job in batch]

    def _next_batch(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < GROUP and not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _group(self, connection: Connection, batch: Sequence[_Job]) -> list[_Answer]:
        """Before COMMIT a fault has written nothing; in COMMIT only a busy one has."""
        self._abandon(connection)  # what the last group could not roll back, as long as its disk was ill
        try:
            connection.execute("BEGIN IMMEDIATE")
            answers = [self._one(connection, job) for job in batch]
        except self._faults.all as error:
            self._abandon(connection)
            return [_Answer(job.answer, None, _unreachable(error)) for job in batch]
        try:
            connection.execute("COMMIT")
        except self._faults.all as error:
            self._abandon(connection)
            failure = _unreachable(error) if isinstance(error, self._faults.busy) else Unsure(type(error).__name__)
            return [_Answer(job.answer, None, failure) for job in batch]
        return answers

    def _one(self, connection: Connection, job: _Job) -> _Answer:
        connection.execute("SAVEPOINT job")
        try:
            answer = _Answer(job.answer, job.work(connection), None)
        except self._faults.all:
            raise
        except Exception as error:
            connection.execute("ROLLBACK TO job")
            answer = _Answer(job.answer, None, error)
        connection.execute("RELEASE job")
        return answer

    def _abandon(self, connection: Connection) -> None:
        """End a transaction that failed; the database may have ended it by itself already."""
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except Exception as error:
                _log.warning("a failed transaction could not be rolled back at once: %s", type(error).__name__)


def _unreachable(error: Exception) -> Unreachable:
    return Unreachable(f"store: {type(error).__name__}")


def _deliver(loop: asyncio.AbstractEventLoop, answers: Sequence[_Answer]) -> None:
    try:
        loop.call_soon_threadsafe(_resolve, answers)
    except RuntimeError:
        return  # the loop is closed: nobody waits for an answer any more


def _resolve(answers: Sequence[_Answer]) -> None:
    for future, value, error in answers:
        if future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
