"""心跳: each worker says that it lives; desk and site show 自动发布已停止 where none does; ticking is in scheduler.

The first beat after a silence writes down from when to when nobody lived: what was missed then is asked about.
"""

from __future__ import annotations

from datetime import datetime

from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.outage import SILENCE, WORKERS, is_silent, with_stop
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

TABLE = "beats"
SWITCHES = "switches"


async def beat(actor: Actor, desk: Desk) -> int:
    """This worker lives: one row, its own, written anew."""
    require(actor, "beat.write")
    now = desk.clock.now()
    before = await last_beat(desk)
    if before is not None and is_silent(before, now):
        await _note_silence(desk, before, now)
    await desk.store.change(TABLE, {"_id": desk.owner}, {"$set": {"at": now, "host": _host(desk.owner)}}, upsert=True)
    return 1


async def _note_silence(desk: Desk, since: datetime, now: datetime) -> None:
    """Nobody lived from then till now; of several workers that wake together one writes it."""
    await desk.store.insert_new(SWITCHES, [{"_id": WORKERS}])
    record = await desk.store.get(SWITCHES, WORKERS) or {}
    unwritten = {"_id": WORKERS, "$or": [{"noted": {"$lt": since}}, {"noted": None}]}
    fields = {"noted": since, "stops": with_stop(record, since, now, "没有发布程序在运行")}
    row = outbox.event(desk.ids.new(), "workers.changed", WORKERS, now)
    await desk.store.change(SWITCHES, unwritten, outbox.noted({"$set": fields}, row))


async def stop_beating(actor: Actor, desk: Desk) -> None:
    """This worker ends in good order: it is not missed."""
    require(actor, "beat.write")
    await desk.store.change(TABLE, {"_id": desk.owner}, {"$set": {"ended_at": desk.clock.now()}})


async def is_publishing(desk: Desk) -> bool:
    """Whether any worker has lived within the last half minute. Asked by pages and `/ready`; tells nothing else."""
    since = desk.clock.now() - SILENCE
    return await desk.store.count(TABLE, {"at": {"$gt": since}, "ended_at": {"$exists": False}}, ceiling=1) > 0


async def last_beat(desk: Desk) -> datetime | None:
    """When a worker last said that it lives, whichever; None: never, as far as anybody remembers."""
    rows: list[Document] = await desk.store.find(TABLE, {}, sort=[("at", -1)], limit=1)
    return rows[0]["at"] if rows else None


def _host(owner: str) -> str:
    return owner.partition(":")[0]
