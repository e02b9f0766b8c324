"""保管: what is thrown away when its time is over; retention of people's words comes with cases and the archive."""

from __future__ import annotations

from datetime import timedelta

from hub.desk.desk import Desk
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Filter

# table, field of its age, how long it is kept, and which rows
SHORT_LIVED: tuple[tuple[str, str, timedelta, Filter], ...] = (
    ("events", "at", timedelta(hours=1), {}),
    ("beats", "at", timedelta(days=1), {}),
    ("sessions", "seen_at", timedelta(days=2), {"outbox_open": {"$ne": True}}),
    ("lockouts", "at", timedelta(days=1), {"outbox_open": {"$ne": True}}),
    ("quotas", "at", timedelta(days=92), {}),
    ("copy_marks", "seen_at", timedelta(days=30), {}),
    ("copies", "heard_at", timedelta(days=730), {}),
    ("copy_groups", "heard_at", timedelta(days=730), {}),
    ("devices", "seen_at", timedelta(days=365), {}),
)


async def throw_away(actor: Actor, desk: Desk) -> int:
    """Purge what only served the moment; how many rows went. Sign-ins and refusals stay in the audit."""
    require(actor, "short_lived.purge")
    now = desk.clock.now()
    gone = 0
    for table, field, age, where in SHORT_LIVED:
        gone += await desk.store.purge(table, {**where, field: {"$lt": now - age}}, reason="its time is over")
    return gone
