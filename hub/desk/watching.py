"""看苗头: feeds what was read to the detector, writes issues and alerts; finding them is nlp.detectors'.

The detector is one object in one process, held under a lease. Its state is saved every few seconds; replies are marked
only once a state that knows them is saved. After a crash the next holder loads the last state and is fed the unmarked
replies again: the detector gives the same answers, and the unique keys of issues and alerts keep them single.

A person's decision (归并、拆分 …) has its place after every reply that had been read when it was made: those are fed
and saved first, then it is carried out, then the state that obeyed it is saved, then it is marked as done. Whoever
starts again in between comes to the same place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from hub.desk.desk import Desk
from hub.desk.obeying import as_decision, carry_out, finish, next_decision, teach, undecided
from hub.desk.raising import voice_of, write
from hub.desk.remembering import keep, recall
from hub.desk.watchwords import words_in_force, words_mark
from hub.domain.people import Actor
from hub.domain.reply import LIVE
from hub.domain.rights import require
from hub.store import leases
from hub.store.base import Document
from nlp.contract import IssueChange, Voice
from nlp.detectors.decided import Decision
from nlp.detectors.watchwords import WatchWord

BATCH = 500
LEASE = 60.0
SAVE_EVERY = 10.0  # seconds between two saved states, while texts come in; more where saving takes long:
SHARE = 20.0  # a saving that took a second is followed by twenty without
MOST_UNSAVED = 2_000  # replies that may have to be heard again after a crash


class Detector(Protocol):
    """What this duty needs of a detector."""

    @property
    def decided(self) -> int: ...

    def decide(self, decision: Decision) -> list[IssueChange]: ...
    def use(self, words: Iterable[WatchWord]) -> None: ...
    def take(self, voices: Sequence[Voice]) -> list[IssueChange]: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...


Fit = Callable[[], Awaitable[tuple[object, Callable[[], Detector]]]]


class Watch:
    """The watch of one process: a detector per stream, and which replies the saved state does not know yet."""

    def __init__(self, make: Callable[[], Detector], fit: Fit | None = None) -> None:
        """`fit` says how detectors are made now, and a mark of what they are made with; left out: always by `make`."""
        self._make, self._fit = make, fit
        self._made_with: object = None
        self._detectors: dict[str, Detector] = {}
        self._unsaved: dict[str, list[str]] = {}
        self._versions: dict[str, int] = {}  # of the saved states that the detectors grew from
        self._number: int | None = None
        self._saved_at = -SAVE_EVERY
        self._rest = SAVE_EVERY
        self._words = WordList()

    async def tick(self, actor: Actor, desk: Desk) -> int:
        """One batch of each stream; how many replies went through a detector."""
        require(actor, "issue.watch")
        if not await self._hold(desk):
            return 0
        await teach(desk)
        waiting = await undecided(desk)
        total = 0
        for stream in sorted({*await _streams(desk), *waiting}, key=lambda stream: (stream != LIVE, stream)):
            total += await self._feed(desk, stream, await next_decision(desk, stream) if stream in waiting else None)
        await self._save(desk, at_once=False)
        return total

    async def close(self, desk: Desk) -> None:
        """Save what is not saved yet, and give the lease back."""
        if self._number is None:
            return
        await self._save(desk, at_once=True)
        await leases.release(desk.store, "watch", desk.owner, self._number, desk.clock.now())
        self._number = None

    async def _hold(self, desk: Desk) -> bool:
        """Keep or take the lease; on taking it anew, forget what this process knew and load what is saved."""
        now = desk.clock.now()
        if self._number is not None and await leases.renew(desk.store, "watch", desk.owner, self._number, now, LEASE):
            return True
        self._number = await leases.take(desk.store, "watch", desk.owner, now, LEASE)
        self._forget()
        if self._number is not None:
            await self._refit()
        return self._number is not None

    def _forget(self) -> None:
        self._detectors, self._unsaved, self._versions = {}, {}, {}
        self._words = WordList()

    async def _detector(self, desk: Desk, stream: str) -> Detector:
        if stream not in self._detectors:
            detector = self._make()
            state, self._versions[stream] = await recall(desk, stream)
            if state is not None:
                await asyncio.to_thread(detector.load, state)
            self._detectors[stream] = detector
        return self._detectors[stream]

    async def _feed(self, desk: Desk, stream: str, decision: Document | None) -> int:
        """One batch; of what was read before the decision, and where nothing of that is left, the decision."""
        unsaved = self._unsaved.setdefault(stream, [])
        before = {"read_at": {"$lte": decision["at"]}} if decision else {}
        waiting = {"stream": stream, "state": "read", "watched": False, "_id": {"$nin": unsaved}, **before}
        found = await desk.store.find("replies", waiting, sort=[("at", 1)], limit=BATCH)
        if decision is not None and not found:
            await self._obey(desk, stream, decision)
        rows = found if stream == LIVE else await _in_order(desk, stream, found)
        if not rows:
            return 0
        detector = await self._detector(desk, stream)
        await self._use_words(desk, stream, detector)
        # In a thread: seconds of counting must not hold up what this worker sends and keeps alive meanwhile.
        for change in await asyncio.to_thread(detector.take, [voice_of(row) for row in rows]):
            await write(desk, change, stream)
        unsaved += [row["_id"] for row in rows]
        if len(unsaved) >= MOST_UNSAVED:
            await self._save(desk, at_once=True)
        return len(rows)

    async def _obey(self, desk: Desk, stream: str, row: Document) -> None:
        """One decision, after all that it knew of is saved; what a killed process left of it is only finished."""
        detector = await self._detector(desk, stream)
        if row["number"] > detector.decided:
            await self._save(desk, at_once=True)
            if self._detectors.get(stream) is not detector:  # another has saved since: this one was asleep
                return
            changes = await asyncio.to_thread(detector.decide, await as_decision(desk, row))
            await carry_out(desk, row, moved=bool(changes))
            for change in changes:
                await write(desk, change, stream)
            await desk.failpoints.reach("decide.carried")
            if not await self._save_state(desk, stream):
                self._forget()
                return
            await desk.failpoints.reach("decide.saved")
        await finish(desk, row)

    async def _use_words(self, desk: Desk, stream: str, detector: Detector) -> None:
        """The watch words in force; they hear today's words alone, the past is looked at before one is saved."""
        if stream == LIVE and await self._words.look(desk):
            await asyncio.to_thread(detector.use, self._words.words)

    async def _save(self, desk: Desk, *, at_once: bool) -> None:
        """Write the states, then mark the replies that they know."""
        began = desk.clock.monotonic()
        if not at_once and began - self._saved_at < self._rest:
            return
        for stream, ids in self._unsaved.items():
            if not ids:
                continue
            if not await self._save_state(desk, stream):
                self._forget()
                return
            await desk.store.change_many("replies", {"_id": {"$in": ids}}, {"$set": {"watched": True}})
            self._unsaved[stream] = []
        self._saved_at = desk.clock.monotonic()
        self._rest = max(SAVE_EVERY, SHARE * (self._saved_at - began))
        await self._refit()

    async def _refit(self) -> None:
        """Where the office's figures or its dictionary changed, detectors are made anew, of the state just saved."""
        if self._fit is None:
            return
        made_with, make = await self._fit()
        if made_with != self._made_with:
            self._made_with, self._make = made_with, make
            self._forget()

    async def _save_state(self, desk: Desk, stream: str) -> bool:
        """False where another has saved since we loaded: we slept past our lease, and theirs holds what ours lacks."""
        state = await asyncio.to_thread(self._detectors[stream].save)
        kept = await keep(desk, stream, self._versions[stream], state)
        self._versions[stream] += 1
        return kept


class WordList:
    """The watch words as this process knows them; the list is read again only where it was changed."""

    def __init__(self) -> None:
        self.words: list[WatchWord] = []
        self._mark: tuple[object, ...] | None = None

    async def look(self, desk: Desk) -> bool:
        """Whether it is another list than at the last look."""
        mark = await words_mark(desk)
        if mark == self._mark:
            return False
        self.words, self._mark = await words_in_force(desk), mark
        return True


async def _in_order(desk: Desk, stream: str, rows: list[Document]) -> list[Document]:
    """Of an imported past, only what is older than everything unread: a replay must not depend on who read faster."""
    unread = {"stream": stream, "state": "new", "watched": False}
    oldest = await desk.store.find("replies", unread, sort=[("at", 1)], limit=1, fields=["at"])
    return [row for row in rows if row["at"] <= oldest[0]["at"]] if oldest else rows


async def _streams(desk: Desk) -> list[str]:
    """The streams with something to watch: today's, and one for each import of the past."""
    rows = await desk.store.tally("replies", {"state": "read", "watched": False}, ["stream"])
    return [str(row["stream"] or LIVE) for row in rows]
