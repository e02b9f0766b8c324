"""心跳: each worker says that it lives; desk and site show 自动发布已停止 where none does; ticking is in scheduler."""

from __future__ import annotations

from datetime import timedelta

from hub.desk.desk import Desk
from hub.domain.people import Actor
from hub.domain.rights import require

TABLE = "beats"
SILENCE = timedelta(seconds=30)  # after so long without a beat, publishing is shown as stopped


async def beat(actor: Actor, desk: Desk) -> int:
    """This worker lives: one row, its own, written anew."""
    require(actor, "beat.write")
    await desk.store.change(
        TABLE, {"_id": desk.owner}, {"$set": {"at": desk.clock.now(), "host": _host(desk.owner)}}, upsert=True
    )
    return 1


async def stop_beating(actor: Actor, desk: Desk) -> None:
    """This worker ends in good order: it is not missed."""
    require(actor, "beat.write")
    await desk.store.change(TABLE, {"_id": desk.owner}, {"$set": {"ended_at": desk.clock.now()}})


async def is_publishing(desk: Desk) -> bool:
    """Whether any worker has lived within the last half minute. Asked by pages and `/ready`; tells nothing else."""
    since = desk.clock.now() - SILENCE
    return await desk.store.count(TABLE, {"at": {"$gt": since}, "ended_at": {"$exists": False}}, ceiling=1) > 0


def _host(owner: str) -> str:
    return owner.partition(":")[0]
