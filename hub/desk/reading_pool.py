"""The pool of reading processes: texts in, analyses out, poisoned texts found by halving; reading is nlp's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from hub.desk.model import ModelNow, Reading
from hub.desk.topics import Filing, FilingNow
from hub.orphans import end_with_parent
from nlp.contract import Analysis
from nlp.reading import Reader
from nlp.sentiment import read_model
from nlp.topic_model import read_topic_model
from nlp.topic_tree import civic_tree, read_tree
from nlp.topics import Topics

Row = Mapping[str, Any]

_READER: list[Reader] = []  # one per process of the pool, loaded when the process starts


def _load(office_words: str, reading: Reading, filing: Filing) -> None:
    end_with_parent()
    model = read_model(reading.content) if reading.content is not None else None
    words = office_words or None
    topics = topics_with(filing)
    _READER[:] = [Reader(words, model=model, threshold=reading.threshold, name=reading.model, topics=topics)]


def topics_with(filing: Filing) -> Topics:
    """What routes: a model of another tree than the one in force is left out, the names route."""
    tree = civic_tree() if filing.tree is None else read_tree(filing.tree)[0]
    model = read_topic_model(filing.model) if filing.model is not None else None
    return Topics(tree, model if model is not None and model.fits(tree) else None)


def _read(rows: Sequence[Row]) -> list[Analysis | None]:
    reader = _READER[0]
    return [_read_one(reader, row) for row in rows]


def _read_one(reader: Reader, row: Row) -> Analysis | None:
    try:
        return reader.read(str(row["text"]), kind=row.get("kind"), district=row.get("district"))
    except Exception:
        return None


class ReadingPool:
    """Some processes with a loaded reader each. `limit` is the time one batch may take, in seconds; `model` and
    `topics` say before each batch what is in force (left out: what is shipped, always)."""

    def __init__(
        self,
        processes: int = 1,
        *,
        office_words: str = "",
        limit: float = 30.0,
        model: ModelNow | None = None,
        topics: FilingNow | None = None,
    ) -> None:
        self._processes = processes
        self._office_words = office_words
        self._limit = limit
        self._model = model
        self._topics = topics
        self._in_force = (Reading(), Filing())
        self._pool: ProcessPoolExecutor | None = None

    async def read(self, rows: Sequence[Row]) -> list[Analysis | None]:
        """The analyses in the order of the rows; None where a text could not be read."""
        reading = await self._model() if self._model is not None else Reading()
        self._take_up((reading, await self._topics() if self._topics is not None else Filing()))
        return await self._read(rows)

    def _take_up(self, in_force: tuple[Reading, Filing]) -> None:
        """Another model, threshold or tree: new processes for the next batch, the old ones end with theirs."""
        if in_force == self._in_force:
            return
        self._in_force = in_force
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)

    async def _read(self, rows: Sequence[Row]) -> list[Analysis | None]:
        if not rows:
            return []
        try:
            return await asyncio.wait_for(self._submit(rows), self._limit)
        except (BrokenProcessPool, TimeoutError):
            self._restart()
        if len(rows) == 1:
            return [None]
        middle = len(rows) // 2
        return [*await self._read(rows[:middle]), *await self._read(rows[middle:])]

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _submit(self, rows: Sequence[Row]) -> asyncio.Future[list[Analysis | None]]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=get_context("spawn"),
                initializer=_load,
                initargs=(self._office_words, *self._in_force),
            )
        return asyncio.get_running_loop().run_in_executor(self._pool, _read, list(rows))

    def _restart(self) -> None:
        """Leave a broken or stuck pool: its processes are killed, since a text may hold one for ever."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list(getattr(pool, "_processes", {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
