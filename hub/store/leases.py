"""租约: one holder of a single duty at a time, by one compare-and-set; claims of queue rows live with their duty.

The number grows with every new holder. Who holds a lease hands its number along with what they write, so that a holder
who slept through the end of the lease is recognised by a lower number (fencing).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hub.store.base import Duplicate, Store

TABLE = "leases"


async def take(store: Store, name: str, owner: str, now: datetime, seconds: float) -> int | None:
    """Hold the lease until `seconds` from now, if nobody does; its number, or None while another holds it.

    Taking one's own living lease again is a new holding with a new number: the process may have restarted.
    """
    until = now + timedelta(seconds=seconds)
    free = {"_id": name, "$or": [{"until": {"$lte": now}}, {"owner": owner}]}
    update: dict[str, dict[str, Any]] = {"$set": {"owner": owner, "until": until}, "$inc": {"number": 1}}
    lease = await store.change(TABLE, free, update)
    if lease is not None:
        return int(lease["number"])
    if await store.get(TABLE, name) is not None:
        return None
    return await _first(store, name, owner, until)


async def _first(store: Store, name: str, owner: str, until: datetime) -> int | None:
    try:
        await store.insert(TABLE, {"_id": name, "owner": owner, "until": until, "number": 1})
    except Duplicate:
        return None
    return 1


async def renew(store: Store, name: str, owner: str, number: int, now: datetime, seconds: float) -> bool:
    """Hold it longer; False where it ran out or another holds it: then stop at once."""
    mine = {"_id": name, "owner": owner, "number": number, "until": {"$gt": now}}
    until = now + timedelta(seconds=seconds)
    return await store.change(TABLE, mine, {"$set": {"until": until}}) is not None


async def release(store: Store, name: str, owner: str, number: int, now: datetime) -> None:
    """Give it back early. The row stays, because its number must go on growing."""
    await store.change(TABLE, {"_id": name, "owner": owner, "number": number}, {"$set": {"until": now, "owner": ""}})
