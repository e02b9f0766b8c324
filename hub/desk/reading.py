"""分析: claims new replies, has them read in the pool, writes what was read, counts them; the reading itself is nlp's.

A reply whose reading fails is tried again and set aside after the third time, so that one poisoned text never stops the
others. What is read are the masked words: no number or name can come back through terms
or a summary.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.domain.people import Actor
from hub.domain.reply import after_failure
from hub.domain.rights import require
from hub.store import rollups
from hub.store.base import Document
from hub.store.search import terms_of
from nlp.contract import Analysis

BATCH = 200
LEASE = timedelta(seconds=60)
Progress = Callable[[int], Awaitable[None]]  # hears how many replies have been looked at


async def read_new(actor: Actor, desk: Desk) -> int:
    """Read one batch; how many replies are done with (read or set aside)."""
    require(actor, "reply.analyse")
    claimed = await _claim(desk)
    if not claimed:
        return 0
    await desk.failpoints.reach("analyse.claimed")
    rows = [{"text": _whole(reply), "kind": _kind(reply), "district": reply.get("district")} for reply in claimed]
    read = await _under_lease(desk, claimed, rows)
    done = await _write_all(desk, claimed, read)
    await count_rest(actor, desk)
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
    """Up to a batch of replies under this process's lease; the token tells this claim from every other."""
    now = desk.clock.now()
    free = {"state": "new", "$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]}
    found = await desk.store.find("replies", free, sort=[("received_at", 1)], limit=BATCH, fields=["_id"])
    if not found:
        return []
    token = f"{desk.owner}:{desk.ids.new()}"
    mine = {"$set": {"lease_owner": token, "lease_until": now + LEASE}}
    await desk.store.change_many("replies", {"_id": {"$in": [row["_id"] for row in found]}, **free}, mine)
    ids = [row["_id"] for row in found]
    return await desk.store.find("replies", {"_id": {"$in": ids}, "lease_owner": token}, sort=[("at", 1)], limit=BATCH)


async def _under_lease(desk: Desk, claimed: list[Document], rows: list[dict[str, Any]]) -> list[Analysis | None]:
    """Read, and keep the claim meanwhile: a poisoned text makes a batch slow, and none may read it beside us."""
    reading = asyncio.ensure_future(desk.read(rows))
    mine = {"_id": {"$in": [reply["_id"] for reply in claimed]}, "lease_owner": claimed[0]["lease_owner"]}
    try:
        while not reading.done():
            bell = asyncio.ensure_future(desk.clock.sleep(LEASE.total_seconds() / 3))
            await asyncio.wait({reading, bell}, return_when=asyncio.FIRST_COMPLETED)
            bell.cancel()
            if not reading.done():
                await desk.store.change_many("replies", mine, {"$set": {"lease_until": desk.clock.now() + LEASE}})
        return reading.result()
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
    writes = (_write(desk, reply, analysis) for reply, analysis in zip(claimed, read, strict=True))
    done = await asyncio.gather(*writes, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


async def _write(desk: Desk, reply: Document, analysis: Analysis | None) -> Document | None:
    """One compare-and-set: what was read, if the claim is still ours; None where another worker was faster."""
    mine = {"_id": reply["_id"], "state": "new", "lease_owner": reply["lease_owner"]}
    if analysis is None:
        return await desk.store.change("replies", mine, after_failure(reply))
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
    changed = await desk.store.change("replies", mine, {"$set": seen})
    await desk.failpoints.reach("analyse.written")
    return changed


def _plain(analysis: Analysis) -> Document:
    plain: dict[str, Any] = asdict(analysis)
    plain["simhash"] = f"{analysis.simhash:016x}"
    plain["sentiment"]["why"] = [[reason.piece, reason.weight] for reason in analysis.sentiment.why]
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
