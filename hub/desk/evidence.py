"""证据的出处: what the desk knows beside a publication's document: its account's abilities and day, who was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from hub.clock import local
from hub.desk.desk import Desk, connected
from hub.desk.ledger import PUBLICATIONS
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

MANY = 999


@dataclass(frozen=True)
class Beside:
    """What stands beside one publication. `most` is None where the channel declares no figure for a day."""

    lookup: str = ""  # what “not there” is worth: trusted, hint, none; empty: the account is not connected
    settling: timedelta | None = None  # how long after a post a look-up may miss it
    posted: int = 0  # posts of this account that became public today
    most: int | None = None
    told: Sequence[str] = ()  # who was told that the result is unknown, by id


async def beside(actor: Actor, desk: Desk, publication: Document) -> Beside:
    """For the panel of one publication; nothing is asked of the platform."""
    require(actor, "publication.read")
    account = await desk.store.get("accounts", str(publication["account"]))
    channel = connected(desk, account) if account else ""
    posted = await _posted_today(desk, str(publication["account"]))
    told = await _told(desk, publication) if publication.get("lost_at") else []
    if isinstance(channel, str):
        return Beside(posted=posted, told=told)
    able = channel.capabilities
    most = able.quotas.get("posts_day") or able.quotas.get("publish_day")
    return Beside(able.lookup, able.settling, posted, most.value if most else None, told)


async def _posted_today(desk: Desk, account: str) -> int:
    start = local(desk.clock.now()).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    where = {"account": account, "published_at": {"$gte": start}}
    return await desk.store.count(PUBLICATIONS, where, ceiling=MANY)


async def _told(desk: Desk, publication: Document) -> list[str]:
    """Whose bell rang for it: the author's and those on duty; the notice's key carries the claim's number."""
    duty = await desk.store.find("users", {"duty": True}, limit=50, fields=("duty",))
    people = sorted({str(publication.get("by")), *(str(row["_id"]) for row in duty)})
    claim = await desk.store.get(PUBLICATIONS, str(publication["_id"]), fields=("lease_number",)) or {}
    keys = [f"{publication['_id']}:{event}:{claim.get('lease_number')}" for event in ("lose", "lapse")]
    where = {"person": {"$in": people}, "key": {"$in": keys}}
    rows = await desk.store.find("notices", where, limit=100, fields=("person",))
    return sorted({str(row["person"]) for row in rows})
