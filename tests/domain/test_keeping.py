"""What only served the moment goes when its time is over, and nothing else does."""

from __future__ import annotations

from datetime import timedelta

from hub.desk.keeping import throw_away
from hub.domain.people import program
from tests.domain.listening_office import make_office


async def test_old_events_and_sessions_go_and_young_ones_and_open_outboxes_stay() -> None:
    office = await make_office()
    now = office.clock.now()
    store = office.desk.store
    for name, age in (("old", 2), ("young", 0)):
        await store.insert("events", {"_id": name, "name": "x", "at": now - timedelta(hours=age)})
    session = {"user": "u", "seen_at": now - timedelta(days=3)}
    await store.insert("sessions", {"_id": "over", **session})
    await store.insert("sessions", {"_id": "untold", **session, "outbox_open": True, "outbox": [], "outbox_count": 1})
    assert await throw_away(program("keeper"), office.desk) == 2
    assert [row["_id"] for row in await store.find("events", {})] == ["young"]
    assert [row["_id"] for row in await store.find("sessions", {})] == ["untold"]
