"""被错钟推远的时刻: what a clock that stood ahead put off is brought back; what a right clock put off stays put off."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Unknown
from hub.clock import SetClock
from hub.desk import hastening, ledger, publishing
from hub.desk.desk import Desk
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish
from hub.desk.settling import settle
from hub.domain import holding
from hub.domain.publication import Decision, Rules, decide_staged
from hub.domain.putting_off import APART, ROUNDS, minutes_of, round_of
from hub.store.base import Document
from tests.domain.publishing_office import DISPATCHER, EDITOR, MORNING, SETTLER, Office, make_office

AHEAD = timedelta(hours=3)


async def two_due_posts() -> Office:
    """One account with two posts that are due, a minute after the second."""
    office = make_office()
    await office.account("a-main", "site")
    for number, name in enumerate(("c1", "c2")):
        await office.write(name, f"通报{number}")
        await publishing.schedule(EDITOR, office.desk, name, [Wish("a-main", MORNING + timedelta(seconds=number))])
    office.clock.move(60)
    return office


async def rows(office: Office) -> list[Document]:
    return await office.store.find("publications", {}, sort=[("at", 1)])


async def put_back(desk: Desk, pause: timedelta) -> None:
    """What this worker does with the first post while everything is paused, or after a failed try."""
    first = await ledger.claim(desk, ledger.PUBLICATIONS, {}, Rules())
    assert first is not None
    decision = holding.give_back(desk.clock.now(), pause, holding.ALL_HELD)
    assert await ledger.move(desk, DISPATCHER, ledger.PUBLICATIONS, first, decision) is not None


async def test_what_a_clock_three_hours_ahead_put_back_blocks_its_account_for_one_round_only() -> None:
    office = await two_due_posts()
    await put_back(office.worker("worker-2", clock=SetClock(office.clock.now() + AHEAD)), timedelta(seconds=1))
    await dispatch(DISPATCHER, office.desk)
    assert [row["state"] for row in await rows(office)] == ["scheduled", "scheduled"]
    await settle(SETTLER, office.desk)
    office.clock.move(2)
    await dispatch(DISPATCHER, office.desk)
    assert [row["state"] for row in await rows(office)] == ["published", "published"]


async def test_a_try_that_a_clock_ahead_put_off_is_late_from_when_it_was_brought_back() -> None:
    office = await two_due_posts()
    wrong = office.worker("worker-2", clock=SetClock(office.clock.now() + AHEAD))
    first = await ledger.claim(wrong, ledger.PUBLICATIONS, {}, Rules())
    assert first is not None
    failed = decide_staged(first, Unknown("没有答复"), wrong.clock.now(), 0.5, Rules())
    assert await ledger.move(wrong, DISPATCHER, ledger.PUBLICATIONS, first, failed) is not None
    await settle(SETTLER, office.desk)
    office.clock.move(40 * 60)  # and nobody works meanwhile
    await dispatch(DISPATCHER, office.desk)
    assert [row["state"] for row in await rows(office)] == ["held", "held"]


async def test_a_try_that_a_clock_behind_brought_back_is_not_late_for_that() -> None:
    office = await two_due_posts()
    first = await ledger.claim(office.desk, ledger.PUBLICATIONS, {}, Rules())
    assert first is not None
    failed = decide_staged(first, Unknown("没有答复"), office.clock.now(), 0.5, Rules())
    assert await ledger.move(office.desk, DISPATCHER, ledger.PUBLICATIONS, first, failed) is not None
    behind = office.worker("worker-2", clock=SetClock(office.clock.now() - AHEAD))
    assert await hastening.hasten(behind, ledger.PUBLICATIONS) == 1
    office.clock.move(2)
    await dispatch(DISPATCHER, office.desk)
    assert [row["state"] for row in await rows(office)] == ["published", "published"]


async def test_what_a_right_clock_put_off_is_left_until_its_time() -> None:
    for pause in (timedelta(seconds=1), timedelta(minutes=20), timedelta(hours=9)):
        office = await two_due_posts()
        await put_back(office.desk, pause)
        until = (await rows(office))[0]["not_before"]
        assert await hastening.hasten(office.desk, ledger.PUBLICATIONS) == 0
        assert (await rows(office))[0]["not_before"] == until


async def test_a_time_that_a_person_set_for_next_week_is_theirs() -> None:
    office = await two_due_posts()
    first = (await rows(office))[0]
    week = office.clock.now() + timedelta(days=7)
    await publishing.move(EDITOR, office.desk, first["_id"], week)
    assert await hastening.hasten(office.desk, ledger.PUBLICATIONS) == 0
    assert (await office.store.get("publications", first["_id"]) or {})["not_before"] == week


async def test_a_look_that_a_clock_ahead_put_off_is_taken_soon() -> None:
    office = await two_due_posts()
    wrong = office.worker("worker-2", clock=SetClock(office.clock.now() + AHEAD))
    first = await ledger.claim(wrong, ledger.PUBLICATIONS, {}, Rules())
    assert first is not None
    sent = await ledger.move(wrong, DISPATCHER, ledger.PUBLICATIONS, first, Decision("intend", {}))
    assert sent is not None
    later = {"look_at": wrong.clock.now() + timedelta(minutes=2)}
    assert await ledger.move(wrong, DISPATCHER, ledger.PUBLICATIONS, sent, Decision("lose", later)) is not None
    assert await hastening.hasten(wrong, ledger.PUBLICATIONS) == 0
    assert await hastening.hasten(office.desk, ledger.PUBLICATIONS) == 1
    assert (await rows(office))[0]["look_at"] == office.clock.now()


async def test_what_is_out_is_put_off_no_more() -> None:
    office = await two_due_posts()
    await put_back(office.desk, timedelta(seconds=1))
    office.clock.move(2)
    await dispatch(DISPATCHER, office.desk)
    assert all("put_off" not in row for row in await rows(office))


@given(st.timedeltas(timedelta(days=-1), timedelta(days=3)), st.timedeltas(timedelta(minutes=-4), timedelta(minutes=4)))
def test_no_clock_within_a_few_minutes_of_the_other_finds_its_round_too_far(wait: timedelta, apart: timedelta) -> None:
    gave, looks = datetime.fromisoformat("2026-11-29T08:00:00+00:00"), {minutes_of(step): step for step in ROUNDS}
    found = round_of(gave + wait, gave)
    assert (found is None) == (wait > ROUNDS[-1])
    assert found is None or gave + wait <= gave + apart + looks[found] + APART
