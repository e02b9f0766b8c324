"""分析: claims new replies, has them read in the pool, writes what was read, counts them; the reading itself is nlp's.

Two batches are in hand at most: while one is read, the other is written. What waits beyond them waits in the store,
kept and acknowledged, today's words before those of imports; a claim lapses with its holder. A reply whose reading
fails is tried again after a rest and set aside after the third time, so that one poisoned text never stops the others.
What is read are the masked words: no number or name can come back through terms or a summary.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.domain.people import Actor
from hub.domain.reply import LIVE, after_failure
from hub.domain.rights import require
from hub.domain.urgency import HINTED, HINTS
from hub.store import rollups
from hub.store.base import Document
from hub.store.search import terms_of
from nlp.contract import Analysis

BATCH = 200
LANES = 2  # batches in hand
LEASE = timedelta(seconds=30)
LONGEST = 5.0  # seconds of batches in one go
Progress = Callable[[int], Awaitable[None]]  # hears how many replies have been looked at


async def read_new(actor: Actor, desk: Desk) -> int:
    """Read until nothing waits, a while at most; how many replies were looked at."""
    require(actor, "reply.analyse")
    first = await _claim(desk)
    if not first:
        return 0
    round_ = _Round(desk, desk.clock.monotonic())
    more = LANES - 1 if len(first) == BATCH else 0
    lanes = [asyncio.ensure_future(work) for work in (round_.lane(first), *(round_.lane() for _ in range(more)))]
    try:
        return sum(await asyncio.gather(*lanes))
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


@dataclass
class _Round:
    """One go of this process: its lanes claim one after the other, and count one after the other."""

    desk: Desk
    began: float
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def lane(self, claimed: list[Document] | None = None) -> int:
        """One batch after the other, the claimed one first."""
        total = 0
        while claimed := claimed or await self._claim():
            total += await self._read(claimed)
            claimed = None
            if self.desk.clock.monotonic() - self.began > LONGEST:
                self.desk.bell.ring("read")
                break
        return total

    async def _claim(self) -> list[Document]:
        async with self.claiming:
            return await _claim(self.desk)

    async def _read(self, claimed: list[Document]) -> int:
        desk = self.desk
        await desk.failpoints.reach("analyse.claimed")
        rows = [{"text": _whole(reply), "kind": _kind(reply), "district": reply.get("district")} for reply in claimed]
        read = await _under_lease(desk, claimed, rows)
        done = await _write_all(desk, claimed, read)
        desk.bell.ring("watch")
        async with self.counting:
            await rollups.count_waiting(desk.store)
        await _tell(desk, [reply for reply in done if reply is not None])
        return len(done)


async def count_rest(actor: Actor, desk: Desk) -> int:
    """Count what is read but not counted yet, one batch; after a crash this also finishes the batch under way."""
    require(actor, "reply.analyse")
    return await rollups.count_waiting(desk.store)


async def verify_counts(actor: Actor, desk: Desk, progress: Progress) -> list[str]:
    """核对汇总: the roll-up rows that do not say what the replies say. While replies arrive, perhaps more."""
    require(actor, "reply.recount")
    return await rollups.verify(desk.store, progress)


async def recount(actor: Actor, desk: Desk, progress: Progress) -> int:
    """重建汇总: count all replies anew, also beside running workers; how many rows there are."""
    require(actor, "reply.recount")
    return await rollups.rebuild(desk.store, progress)


async def _claim(desk: Desk) -> list[Document]:
    """Up to a batch of replies under this process's lease; the token tells this claim from every other. Where another
    worker was faster with all of them, the next ones."""
    while True:
        now = desk.clock.now()
        free = {"state": "new", "$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]}
        ids = await _waiting(desk, free)
        if not ids:
            return []
        token = f"{desk.owner}:{desk.ids.new()}"
        mine = {"$set": {"lease_owner": token, "lease_until": now + LEASE}}
        await desk.store.change_many("replies", {"_id": {"$in": ids}, **free}, mine)
        ours = {"_id": {"$in": ids}, "lease_owner": token}
        if found := await desk.store.find("replies", ours, sort=[("at", 1)], limit=BATCH):
            return found


async def _waiting(desk: Desk, free: Document) -> list[str]:
    """Today's words first: they must not stand behind the years of an import. Each by the index of its own order."""
    live = {"watched": False, "stream": LIVE, **free}
    found = await desk.store.find("replies", live, sort=[("at", 1)], limit=BATCH, fields=["_id"])
    left = BATCH - len(found)
    if left:
        found += await desk.store.find("replies", free, sort=[("received_at", 1)], limit=BATCH, fields=["_id"])
    return list(dict.fromkeys(row["_id"] for row in found))[:BATCH]


def _held(claimed: Sequence[Document]) -> Document:
    return {"_id": {"$in": [reply["_id"] for reply in claimed]}, "lease_owner": claimed[0]["lease_owner"]}


async def _under_lease(desk: Desk, claimed: list[Document], rows: list[dict[str, Any]]) -> list[Analysis | None]:
    """Read, and keep the claim meanwhile: a poisoned text makes a batch slow, and none may read it beside us."""
    reading, mine = asyncio.ensure_future(desk.read(rows)), _held(claimed)
    try:
        while not reading.done():
            bell = asyncio.ensure_future(desk.clock.sleep(LEASE.total_seconds() / 3))
            await asyncio.wait({reading, bell}, return_when=asyncio.FIRST_COMPLETED)
            bell.cancel()
            if not reading.done():
                await desk.store.change_many("replies", mine, {"$set": {"lease_until": desk.clock.now() + LEASE}})
        return reading.result()
    except Exception:  # nobody could read at all: that says nothing about these texts, and others may take them
        await desk.store.change_many("replies", mine, {"$set": {"lease_owner": None, "lease_until": None}})
        raise
    finally:
        reading.cancel()


def _whole(reply: Document) -> str:
    return f"{reply['title']}\n{reply['text']}" if reply.get("title") else str(reply["text"])


def _kind(reply: Document) -> str:
    """The profile of the reading: what stands under a post is a comment, a letter is a letter."""
    return {"comment": "comment", "letter": "letter", "message": "message"}.get(reply["kind"], "post")


async def _write_all(
    desk: Desk, claimed: Sequence[Document], read: Sequence[Analysis | None]
) -> list[Document | None]:
    """All of a batch at once, so that the store makes them durable together; the first fault is raised at the end."""
    hints = bool(await desk.policies.value(HINTS))
    writes = (_write(desk, reply, analysis, hints=hints) for reply, analysis in zip(claimed, read, strict=True))
    done = await asyncio.gather(*writes, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


async def _write(desk: Desk, reply: Document, analysis: Analysis | None, *, hints: bool) -> Document | None:
    """One compare-and-set: what was read, if the claim is still ours; None where another worker was faster.

    A hint is set only where nobody has marked the reply meanwhile: then it is written without one, by a second try.
    """
    mine = {"_id": reply["_id"], "state": "new", "lease_owner": reply["lease_owner"]}
    if analysis is None:
        return await desk.store.change("replies", mine, after_failure(reply, desk.clock.now()))
    seen = {
        "analysis": _plain(analysis),
        "terms": terms_of(_whole(reply)),
        "sentiment": analysis.sentiment.label,
        "topic": analysis.topic,
        "branch": analysis.branch,
        "district": reply.get("district") or analysis.district,
        "state": "read",
        "read_at": desk.clock.now(),
        "lease_owner": None,
        "lease_until": None,
    }
    changed = None
    if hints and analysis.urgency is not None:
        hinted = {"$set": {**seen, "urgent": HINTED}}
        changed = await desk.store.change("replies", {**mine, "urgency.number": None}, hinted)
    changed = changed or await desk.store.change("replies", mine, {"$set": seen})
    await desk.failpoints.reach("analyse.written")
    return changed


def _plain(analysis: Analysis) -> Document:
    plain = analysis.plain()
    plain["simhash"] = f"{analysis.simhash:016x}"
    plain["sentiment"]["why"] = [[reason.piece, reason.weight] for reason in analysis.sentiment.why]
    if analysis.urgency is not None:
        plain["urgency"]["words"] = list(analysis.urgency.words)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


async def _tell(desk: Desk, read: list[Document]) -> None:
    """Wake the open boards; they read the rows they may see by themselves."""
    if not read:
        return
    now = desk.clock.now()
    event = {
        "_id": desk.ids.new(),
        "name": "replies",
        "subject": read[-1]["_id"],
        "at": now,
        "detail": {"count": len(read)},
    }
    await desk.store.insert("events", event)
