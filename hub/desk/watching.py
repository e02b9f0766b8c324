"""看苗头: feeds what was read to the detector, writes issues and alerts; finding them is nlp.detectors'.

The detector is one object in one process, held under a lease. Its state is saved every few seconds; replies are marked
only once a state that knows them is saved. After a crash the next holder loads the last state and is fed the unmarked
replies again: the detector gives the same answers, and the unique keys of issues and alerts keep them single.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from hub.desk.alerting import reopen, unfinished
from hub.desk.desk import Desk
from hub.desk.remembering import keep, recall
from hub.domain import outbox
from hub.domain.alert import LEVEL_NAMES
from hub.domain.people import Actor
from hub.domain.reply import LIVE
from hub.domain.rights import require
from hub.store import leases
from hub.store.base import Document, Duplicate
from nlp.contract import IssueChange, Voice

BATCH = 500
LEASE = 60.0
SAVE_EVERY = 10.0  # seconds between two saved states, while texts come in; more where saving takes long:
SHARE = 20.0  # a saving that took a second is followed by twenty without
MOST_UNSAVED = 2_000  # replies that may have to be heard again after a crash
NEWEST = 200  # reply ids that an issue's document holds; the rest are found by the reply's own `issue`
OLD = timedelta(days=1)  # what was said longer ago than this wakes nobody


class Detector(Protocol):
    """What this duty needs of a detector."""

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...


class Watch:
    """The watch of one process: a detector per stream, and which replies the saved state does not know yet."""

    def __init__(self, make: Callable[[], Detector]) -> None:
        self._make = make
        self._detectors: dict[str, Detector] = {}
        self._unsaved: dict[str, list[str]] = {}
        self._versions: dict[str, int] = {}  # of the saved states that the detectors grew from
        self._number: int | None = None
        self._saved_at = -SAVE_EVERY
        self._rest = SAVE_EVERY

    async def tick(self, actor: Actor, desk: Desk) -> int:
        """One batch of each stream; how many replies went through a detector."""
        require(actor, "issue.watch")
        if not await self._hold(desk):
            return 0
        total = 0
        for stream in await _streams(desk):
            total += await self._feed(desk, stream)
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
        return self._number is not None

    def _forget(self) -> None:
        self._detectors, self._unsaved, self._versions = {}, {}, {}

    async def _detector(self, desk: Desk, stream: str) -> Detector:
        if stream not in self._detectors:
            detector = self._make()
            state, self._versions[stream] = await recall(desk, stream)
            if state is not None:
                await asyncio.to_thread(detector.load, state)
            self._detectors[stream] = detector
        return self._detectors[stream]

    async def _feed(self, desk: Desk, stream: str) -> int:
        unsaved = self._unsaved.setdefault(stream, [])
        waiting = {"stream": stream, "state": "read", "watched": False, "_id": {"$nin": unsaved}}
        rows = await desk.store.find("replies", waiting, sort=[("at", 1)], limit=BATCH)
        if stream != LIVE:
            rows = await _in_order(desk, stream, rows)
        if not rows:
            return 0
        detector = await self._detector(desk, stream)
        # In a thread: seconds of counting must not hold up what this worker sends and keeps alive meanwhile.
        for change in await asyncio.to_thread(detector.take, [voice_of(row) for row in rows]):
            await _write(desk, change, stream)
        unsaved += [row["_id"] for row in rows]
        if len(unsaved) >= MOST_UNSAVED:
            await self._save(desk, at_once=True)
        return len(rows)

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

    async def _save_state(self, desk: Desk, stream: str) -> bool:
        """False where another has saved since we loaded: we slept past our lease, and theirs holds what ours lacks."""
        state = await asyncio.to_thread(self._detectors[stream].save)
        kept = await keep(desk, stream, self._versions[stream], state)
        self._versions[stream] += 1
        return kept


async def _in_order(desk: Desk, stream: str, rows: list[Document]) -> list[Document]:
    """Of an imported past, only what is older than everything unread: a replay must not depend on who read faster."""
    unread = {"stream": stream, "state": "new", "watched": False}
    oldest = await desk.store.find("replies", unread, sort=[("at", 1)], limit=1, fields=["at"])
    return [row for row in rows if row["at"] <= oldest[0]["at"]] if oldest else rows


async def _streams(desk: Desk) -> list[str]:
    """The streams with something to watch: today's first, then one for each import of the past."""
    rows = await desk.store.tally("replies", {"state": "read", "watched": False}, ["stream"])
    return sorted((str(row["stream"] or LIVE) for row in rows), key=lambda stream: (stream != LIVE, stream))


def voice_of(reply: Document) -> Voice:
    """The reply as the detector hears it: masked words and a keyed mark instead of a person."""
    analysis: dict[str, Any] = reply.get("analysis") or {}
    title = reply.get("title") or ""
    return Voice(
        id=reply["_id"],
        author=reply["author_key"] or reply["_id"],
        text=f"{title}\n{reply['text']}" if title else str(reply["text"]),
        at=reply["at"],
        channel=reply["channel"],
        district=reply.get("district") or "",
        topic=reply.get("topic") or "",
        negative=float((analysis.get("sentiment") or {}).get("negative", 0.5)),
    )


async def _write(desk: Desk, change: IssueChange, stream: str) -> None:
    """The issue as it is now, its replies' mark, and an alert where people must be told; each step repeatable."""
    issue = _issue_id(stream, change.issue)
    if not change.voices:  # its words went into another issue, whose own change follows
        gone = {"$set": {"state": "merged", "level": "none", "explanation": change.explanation}}
        await desk.store.change("issues", {"_id": issue, "state": "open"}, gone)
        return
    await desk.store.change("issues", {"_id": issue}, _update(desk, change, stream), upsert=True)
    marked = {"_id": {"$in": list(change.reply_ids)}, "issue": {"$ne": issue}}
    await desk.store.change_many("replies", marked, {"$set": {"issue": issue}})
    if change.alert and change.level:
        await _alert(desk, change, issue, change.level)


def _issue_id(stream: str, issue: str) -> str:
    return issue if stream == LIVE else f"{stream}:{issue}"


def _update(desk: Desk, change: IssueChange, stream: str) -> Document:
    now = desk.clock.now()
    seen = {
        "stream": stream,
        "title": change.title,
        "level": change.level or "none",
        "voices": change.voices,
        "copies": change.copies,
        "negative": change.negative,
        "channels": list(change.channels),
        "districts": list(change.districts),
        "usual": change.usual,
        "chance": change.chance,
        "terms": list(change.terms),
        "reply_ids": list(change.reply_ids)[-NEWEST:],
        "explanation": change.explanation,
        "first_at": change.first_at,
        "last_at": change.at,
        "seen_at": now,
    }
    row = outbox.event(desk.ids.new(), "issue", _issue_id(stream, change.issue), now, detail={"level": seen["level"]})
    update = {"$set": seen, "$setOnInsert": {"state": "open", "created_at": now}}
    return outbox.noted(update, row) if change.level else update


async def _alert(desk: Desk, change: IssueChange, issue: str, level: str) -> None:
    """One alert per issue, level and day of its cause, ever; old causes (imports) wake nobody."""
    silent = desk.clock.now() - change.at > OLD
    id = f"{issue}:{level}:{change.at:%Y%m%d}"
    document = {
        "_id": id,
        "issue": issue,
        "level": level,
        "title": change.title,
        "at": change.at,
        "state": "new",
        "silent": silent,
        "explanation": change.explanation,
        "numbers": {
            "voices": change.voices,
            "usual": change.usual,
            "negative": change.negative,
            "copies": change.copies,
        },
        "history": [],
        "taken_by": None,
    }
    try:
        await desk.store.insert("alerts", outbox.born(document, *_rows(desk, change, issue, id, level, silent)))
    except Duplicate:  # known, or left by a killed process that had not come to the next line
        if not await unfinished(desk, issue):
            return
    await reopen(desk, issue)
    desk.bell.ring("carry")


def usual_words(usual: float) -> str:
    """How many people usually say this, in words that do not read as nobody."""
    return "不到 0.1 人" if usual < 0.1 else f" {usual:.1f} 人"


def _rows(desk: Desk, change: IssueChange, issue: str, id: str, level: str, silent: bool) -> list[outbox.Row]:
    now = desk.clock.now()
    rows = [outbox.event(desk.ids.new(), "alert", id, now, detail={"level": level})]
    if not silent:
        usual = usual_words(change.usual)
        text = f"{LEVEL_NAMES[level]}预警：{change.title}。{change.voices} 人反映，平时{usual}。请认领。"
        link = f"/issues/{issue}"
        rows.append(
            outbox.notice(desk.ids.new(), "alert", id, now, people=["duty"], text=text, link=link, key=f"alert:{id}")
        )
    return rows
