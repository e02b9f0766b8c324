"""The pool of reading processes: texts in, analyses out, in chunks of so many characters; reading is nlp's.

A process reads a hundred texts together and gives back one analysis after the other. Where it dies, or gives
nothing for too long, one of those that were to come next was the cause: a new process reads these one by one, and the
text at which it falls too comes back as None. So a poisoned text costs two processes, and its neighbours a moment.
Where no process comes up at all, nothing is said about any text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from hub.desk.hinting import HintsNow
from hub.desk.model import ModelNow, Reading
from hub.desk.topics import Filing, FilingNow
from hub.orphans import end_with_parent
from nlp.contract import Analysis
from nlp.hints import shipped_hints
from nlp.normal import LOOKED_AT
from nlp.reading import Asked, Reader
from nlp.sentiment import read_model
from nlp.topic_model import read_topic_model
from nlp.topic_tree import civic_tree, read_tree
from nlp.topics import Topics
from nlp.urgency import UrgencyReader, read_urgency_model

Row = Mapping[str, Any]
Read = list[Analysis | None]


class Reads(Protocol):
    """What a reading process needs of a reader."""

    def read_many(self, asked: Sequence[Asked]) -> list[Analysis]: ...


@dataclass(frozen=True)
class InUse:
    """What a process reads with: sentiment model, tree and model of topics, the office's dictionary (None: the
    demonstration's), and the office's own file that reads hints of urgency (None: what ships reads them)."""

    reading: Reading = field(default_factory=Reading)
    filing: Filing = field(default_factory=Filing)
    words: str | None = None
    hints: bytes | None = None


WordsNow = Callable[[], Awaitable[str | None]]
MakeReader = Callable[[InUse], Reads]  # a module's own function: it is sent over

CHUNK = 40_000  # characters sent at once: some 400 comments, or a third of a second
MOST = 200  # texts sent at once
TOGETHER = 100  # texts read at once: twice as fast as one by one, and twice as many would be hardly faster
LOADING = 120.0  # seconds in which a new process must be ready
STARTS = 3  # processes that may fail to come up, one after the other
_SPAWNED = get_context("spawn")


class NoReaders(RuntimeError):
    """No reading process comes up (memory short, a broken installation); the texts are as they were."""


class _Fell(Exception):
    """A process died, or gave nothing for too long."""


# ---- in the reading process


def make_reader(using: InUse) -> Reader:
    """The reader of one process."""
    reading = using.reading
    model = read_model(reading.content) if reading.content is not None else None
    topics = topics_with(using.filing)
    urgency = UrgencyReader(read_urgency_model(using.hints)) if using.hints is not None else shipped_hints()
    return Reader(
        using.words, model=model, threshold=reading.threshold, name=reading.model, topics=topics, urgency=urgency
    )


def topics_with(filing: Filing) -> Topics:
    """What routes: a model of another tree than the one in force is left out, the names route."""
    tree = civic_tree() if filing.tree is None else read_tree(filing.tree)[0]
    model = read_topic_model(filing.model) if filing.model is not None else None
    return Topics(tree, model if model is not None and model.fits(tree) else None)


def _serve(line: Connection, make: MakeReader, using: InUse) -> None:
    """Chunks in, one analysis after the other out, until the other end is closed."""
    end_with_parent()
    reader = make(using)
    line.send("ready")
    with suppress(EOFError, OSError):
        while True:
            rows, step = line.recv()
            for start in range(0, len(rows), step):
                for analysis in _read_together(reader, rows[start : start + step]):
                    line.send(analysis)


def _read_together(reader: Reads, rows: Sequence[Row]) -> Read:
    """Where one of them cannot be read, each by itself."""
    try:
        return list(reader.read_many([Asked(str(row["text"]), row.get("kind"), row.get("district")) for row in rows]))
    except Exception:
        return [None] if len(rows) == 1 else [one for row in rows for one in _read_together(reader, [row])]


# ---- beside it


@dataclass(frozen=True)
class _Process:
    """One reading process, our end of its line, and what it reads with."""

    process: SpawnProcess
    line: Connection
    using: InUse

    @classmethod
    async def start(cls, make: MakeReader, using: InUse) -> _Process:
        """One that is ready; _Fell where it does not become so."""
        ours, theirs = _SPAWNED.Pipe()
        process = _SPAWNED.Process(target=_serve, args=(theirs, make, using), daemon=True)
        process.start()
        theirs.close()
        found = cls(process, ours, using)
        try:
            await found._next(LOADING)
        except BaseException:
            found.end()
            raise
        return found

    async def read(self, rows: Sequence[Row], found: Read, limit: float, *, step: int) -> None:
        """Add the analyses of a chunk to `found` as they come, `step` texts at once; _Fell at those to come next."""
        with suppress(OSError):  # it is gone: the line says so at once
            self.line.send((list(rows), step))
        while len(found) < len(rows):
            found.append(await self._next(limit))

    async def _next(self, limit: float) -> Any:
        if not self.line.poll() and not await _readable(self.line, limit):
            raise _Fell
        try:
            return self.line.recv()
        except (EOFError, OSError):
            raise _Fell from None

    def end(self) -> None:
        """At once, whatever it is at: it writes nothing anywhere."""
        self.line.close()
        self.process.kill()
        self.process.join()
        self.process.close()


async def _readable(line: Connection, seconds: float) -> bool:
    """Whether the line has something to say, or has ended, within this time."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(line.fileno(), said.set)
    try:
        await asyncio.wait_for(said.wait(), seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(line.fileno())
    return True


def chunks(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows in their order, cut so that no chunk of several texts has more than CHUNK characters; of a text only
    what is looked at goes along."""
    found: list[list[Row]] = []
    size = 0
    for row in rows:
        text = str(row["text"])[:LOOKED_AT]
        if not found or size + len(text) > CHUNK or len(found[-1]) == MOST:
            found.append([])
            size = 0
        found[-1].append({**row, "text": text})
        size += len(text)
    return found


class ReadingPool:
    """Some processes with a loaded reader each. `limit` is the time one text may take, in seconds; `model`, `topics`,
    `words` and `hints` say before each batch what is in force (left out: what is shipped, always)."""

    def __init__(
        self,
        processes: int = 1,
        *,
        limit: float = 10.0,
        model: ModelNow | None = None,
        topics: FilingNow | None = None,
        words: WordsNow | None = None,
        hints: HintsNow | None = None,
        make: MakeReader = make_reader,
    ) -> None:
        self._make, self._limit = make, limit
        self._model, self._topics, self._words, self._hints = model, topics, words, hints
        self._using = InUse()
        self._turns = asyncio.Semaphore(processes)
        self._free: list[_Process] = []

    @property
    def processes(self) -> list[int]:
        """Ids of the processes that wait for work."""
        return [each.process.pid or 0 for each in self._free]

    async def read(self, rows: Sequence[Row]) -> Read:
        """The analyses in the order of the rows; None where a text could not be read. NoReaders where nobody reads."""
        self._using = InUse(
            await self._model() if self._model is not None else Reading(),
            await self._topics() if self._topics is not None else Filing(),
            await self._words() if self._words is not None else None,
            await self._hints() if self._hints is not None else None,
        )
        parts = [asyncio.ensure_future(self._read(chunk)) for chunk in chunks(rows)]
        try:
            return [one for part in await asyncio.gather(*parts) for one in part]
        finally:
            for part in parts:
                part.cancel()

    async def _read(self, rows: Sequence[Row]) -> Read:
        """One chunk, by as many processes one after the other as its texts end."""
        found: Read = []
        doubtful = 0  # of the texts to come: one of them ended a process
        while len(found) < len(rows):
            left = rows[len(found) :]
            read, fell = await self._read_some(left[:doubtful] or left, step=1 if doubtful else TOGETHER)
            if fell and doubtful:
                read.append(None)
            doubtful = max(0, doubtful - len(read)) if doubtful else TOGETHER * fell
            found += read
        return found

    async def _read_some(self, rows: Sequence[Row], *, step: int) -> tuple[Read, bool]:
        """What a process gave back, and whether it fell at what comes next."""
        read: Read = []
        async with self._turns:
            process = await self._process()
            try:
                await process.read(rows, read, self._limit, step=step)
            except _Fell:
                process.end()
                return read, True
            except BaseException:  # told to stop while it is in the middle of something
                process.end()
                raise
            self._free.append(process)
        return read, False

    async def _process(self) -> _Process:
        """One that waits and reads with what is in force, else a new one; those that read with another thing end."""
        while self._free:
            process = self._free.pop()
            if process.using == self._using and process.process.is_alive():
                return process
            process.end()
        for _ in range(STARTS):
            with suppress(_Fell, OSError):
                return await _Process.start(self._make, self._using)
        raise NoReaders

    def close(self) -> None:
        """End the processes."""
        while self._free:
            self._free.pop().end()
