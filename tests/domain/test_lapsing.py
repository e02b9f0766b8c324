"""失效的认领: a claim is over when its lease is, or when it was watched for a whole lease, whatever clock gave it."""

from __future__ import annotations

from datetime import timedelta

from hub.clock import SetClock
from hub.desk import ledger, publishing
from hub.desk.publishing import Wish
from hub.desk.settling import settle
from hub.domain.publication import Rules
from tests.domain.publishing_office import EDITOR, MORNING, SETTLER, Office, make_office

LEASE = Rules().lease


async def claimed_by_a_clock_ahead(ahead: timedelta) -> Office:
    office = make_office()
    await office.account("a-main", "site")
    await office.write("c1", "供热开始")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", office.clock.now())])
    wrong = office.worker("worker-2", clock=SetClock(MORNING + ahead))
    assert await ledger.claim(wrong, ledger.PUBLICATIONS, {}, Rules()) is not None
    return office


async def state(office: Office) -> str:
    return (await office.states())["a-main"]


async def test_a_claim_of_a_clock_two_hours_ahead_ends_after_one_lease_by_our_own_watch() -> None:
    office = await claimed_by_a_clock_ahead(timedelta(hours=2))
    await settle(SETTLER, office.desk)
    office.clock.move(LEASE - timedelta(seconds=1))
    await settle(SETTLER, office.desk)
    assert await state(office) == "staging"
    office.clock.move(2)
    await settle(SETTLER, office.desk)
    assert await state(office) == "scheduled"


async def test_a_watcher_whose_own_clock_is_behind_takes_nobody_s_living_claim() -> None:
    office = await claimed_by_a_clock_ahead(timedelta(0))
    slow = office.worker("worker-3", clock=SetClock(MORNING - timedelta(hours=1)))
    for _ in range(3):
        await settle(SETTLER, slow)
        assert await state(office) == "staging"


async def test_a_new_claim_is_watched_anew() -> None:
    office = await claimed_by_a_clock_ahead(timedelta(hours=2))
    await settle(SETTLER, office.desk)
    office.clock.move(LEASE + timedelta(seconds=1))
    await office.store.change("publications", {}, {"$inc": {"lease_number": 1}})
    await settle(SETTLER, office.desk)
    assert await state(office) == "staging"
    assert len(office.desk.watched) == 1
