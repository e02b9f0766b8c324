"""静默时段: read inside the claim and once more before the call, what passes, what comes after, and who may."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import LATEST
from hub.desk import publishing, quieting
from hub.desk.carrying import carry
from hub.desk.dispatching import dispatch
from hub.desk.operating import operate
from hub.desk.publishing import Wish, schedule
from hub.desk.withdrawing import withdraw
from hub.domain import quiet
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.store.base import Document
from tests.domain.publishing_office import DISPATCHER, EDITOR, MONITOR, MORNING, REVIEWER, Office, make_office
from tests.domain.trust_office import CARRIER

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def planned(late: str = "ask", *, at: timedelta = timedelta(), kind: str = "news") -> Office:
    office = make_office()
    await office.account("site-main", "site")
    await office.write("c1", "元旦文艺演出")
    await office.store.change("contents", {"_id": "c1"}, {"$set": {"kind": kind}})
    await schedule(EDITOR, office.desk, "c1", [Wish("site-main", MORNING + at, late)])
    return office


async def mourning(office: Office, *passes: str, hours: float = 12) -> Document:
    until = office.clock.now() + HOUR * hours
    return await quieting.declare(
        REVIEWER, office.desk, since=office.clock.now(), until=until, reason="国家公祭日", passes=passes
    )


async def state(office: Office) -> str:
    return (await office.states())["site-main"]


async def minutes(office: Office, number: int) -> None:
    for _ in range(number):
        await dispatch(DISPATCHER, office.desk)
        office.clock.move(timedelta(minutes=1))
    await dispatch(DISPATCHER, office.desk)


# ---- sending


@pytest.mark.parametrize(("late", "after"), [("publish", "published"), ("hold", "held"), ("ask", "held")])
async def test_nothing_goes_out_in_a_quiet_period_and_afterwards_each_follows_its_own_late_rule(
    late: str, after: str
) -> None:
    office = await planned(late)
    await mourning(office, hours=2)
    await minutes(office, 119)
    assert await state(office) == "scheduled" and office.platforms["site-main"].posts == []
    await minutes(office, 2)
    assert await state(office) == after
    assert len(office.platforms["site-main"].posts) == (after == "published")


async def test_an_evening_notice_that_a_quiet_night_kept_in_does_not_go_out_in_the_morning() -> None:
    office = await planned(at=13 * HOUR)  # at ten in the evening
    await quieting.declare_nights(REVIEWER, office.desk, first="21:30", last="06:00", reason="夜间不发")
    office.clock.move(13 * HOUR)
    await minutes(office, 5)
    assert await state(office) == "scheduled"
    office.clock.move(8 * HOUR)
    await minutes(office, 1)
    row = (await office.store.find("publications", {}))[0]
    assert (row["state"], row["held_for"]) == ("held", "late") and office.platforms["site-main"].posts == []


async def test_a_post_that_was_tried_before_the_night_is_late_after_it_all_the_same() -> None:
    office = await planned(kind="news")
    office.platforms["site-main"].faults[:] = ["busy"]
    await dispatch(DISPATCHER, office.desk)
    await mourning(office, "urgent", hours=3)
    await minutes(office, 182)
    assert await state(office) == "held" and office.platforms["site-main"].posts == []


async def test_what_passes_goes_out_marked_urgent_or_of_the_named_kind() -> None:
    of_a_kind = await planned(kind="notice")
    await mourning(of_a_kind, "notice")
    await minutes(of_a_kind, 1)
    assert await state(of_a_kind) == "published"
    office = await planned()
    await mourning(office, "urgent")
    await minutes(office, 2)
    row = (await office.store.find("publications", {}))[0]
    assert row["state"] == "scheduled"
    assert row["reason"] == "静默时段内（国家公祭日），到 11 月 24 日 21:00 恢复"
    await quieting.mark_urgent(REVIEWER, office.desk, row["_id"], "台风预警")
    await minutes(office, 1)
    assert await state(office) == "published"


async def test_a_quiet_period_that_begins_between_intent_and_call_calls_the_send_off() -> None:
    office = await planned()
    began: list[Document] = []

    class Begins:
        async def reach(self, name: str) -> None:
            if name == "publish.intent_written" and not began:
                began.append(await mourning(office))

    desk = office.worker("worker-2")
    object.__setattr__(desk, "failpoints", Begins())
    await dispatch(DISPATCHER, desk)
    row = (await office.store.find("publications", {}))[0]
    assert began and row["state"] == "scheduled" and row["attempts"][-1]["outcome"] == "not_called"
    assert office.platforms["site-main"].posts == []


async def test_ended_early_it_goes_on_at_once_and_a_withdrawal_never_waits() -> None:
    office = await planned()
    await dispatch(DISPATCHER, office.desk)
    await office.write("c2", "通知")
    await schedule(EDITOR, office.desk, "c2", [Wish("site-main", office.clock.now())])
    period = await mourning(office, hours=24)
    await withdraw(MONITOR, office.desk, "c1", "公祭日不宜")
    await operate(DISPATCHER, office.desk)
    assert office.platforms["site-main"].posts[0].withdrawn
    await minutes(office, 3)
    await quieting.end_period(REVIEWER, office.desk, period["id"], reason="上级通知")
    await minutes(office, 1)
    assert (await office.store.get("publications", "c2:site-main:1") or {})["state"] == "published"
    with pytest.raises(Conflict):
        await quieting.end_period(REVIEWER, office.desk, period["id"])
    with pytest.raises(NotFound):
        await quieting.end_period(REVIEWER, office.desk, "no-such")


# ---- who may, what is said


async def test_only_a_reviewer_declares_and_duty_and_audit_hear_of_it() -> None:
    office = await planned()
    user = {"_id": "u1", "login": "monitor", "name": "值班", "roles": ["monitor"], "duty": True, "disabled": False}
    await office.store.insert("users", user)
    with pytest.raises(NotAllowed):
        await quieting.declare(EDITOR, office.desk, since=MORNING, until=MORNING + DAY, reason="公祭日")
    period = await mourning(office)
    await quieting.end_period(REVIEWER, office.desk, period["id"], reason="接电话通知")
    await carry(CARRIER, office.desk)
    told = [row["text"] for row in await office.store.find("notices", {"person": "u1"})]
    assert sorted(told) == [
        "审核乙解除了静默时段（国家公祭日）：接电话通知。",
        "审核乙设了静默时段：11 月 24 日 09:00 到 11 月 24 日 21:00，国家公祭日。这段时间里不发布；撤回不受影响。",
    ]
    acts = [row["act"] for row in await office.store.find("audit", {}, sort=[("number", 1)])]
    assert [act for act in acts if act.startswith("quiet")] == ["quiet.declare", "quiet.end"]


async def test_who_schedules_or_moves_into_one_is_told() -> None:
    office = make_office()
    await office.account("site-main", "site")
    await office.write("c1", "演出")
    at = MORNING + timedelta(days=3)
    await quieting.declare(REVIEWER, office.desk, since=at - HOUR, until=at + HOUR, reason="公祭日")
    done = await schedule(EDITOR, office.desk, "c1", [Wish("site-main", at)])
    assert list(done.notes) == [
        "这个时间在静默时段内（公祭日），到 11 月 27 日 10:00 恢复，到时按各自的迟发规则处理。"
    ]
    moved = await publishing.move(EDITOR, office.desk, "c1:site-main:1", at + DAY)
    assert await publishing.quiet_notes(office.desk, [moved]) == []


async def test_what_is_wrong_with_a_period_is_said_at_its_field() -> None:
    office = make_office()
    wrong = [
        ({"since": MORNING, "until": MORNING, "reason": ""}, {"reason", "until"}),
        ({"since": MORNING - DAY, "until": MORNING - HOUR, "reason": "x"}, {"until"}),
        ({"since": MORNING, "until": MORNING + 200 * DAY, "reason": "x"}, {"until"}),
        ({"since": MORNING, "until": MORNING + DAY, "reason": "x", "passes": ["everything"]}, {"passes"}),
    ]
    for given_, fields in wrong:
        with pytest.raises(Invalid) as said:
            await quieting.declare(REVIEWER, office.desk, **given_)  # type: ignore[arg-type]
        assert {error.field for error in said.value.errors} == fields
    with pytest.raises(Invalid):
        await quieting.declare_nights(REVIEWER, office.desk, first="22:00", last="22:00", reason="x")
    with pytest.raises(Invalid):
        await quieting.declare_nights(REVIEWER, office.desk, first="晚上", last="", reason="x")
    with pytest.raises(Invalid):
        await quieting.mark_urgent(REVIEWER, office.desk, "c1", " ")
    with pytest.raises(NotFound):
        await quieting.mark_urgent(REVIEWER, office.desk, "c1", "台风")


async def test_two_reviewers_at_once_lose_no_period() -> None:
    office = make_office()
    for _ in range(3):
        await mourning(office)
    found = await quieting.quiet_periods(EDITOR, office.desk)
    assert len({period["id"] for period in found}) == 3


# ---- the pure rules


def night(first: str, last: str, since: datetime = MORNING) -> Document:
    return {"since": since, "until": LATEST, "nightly": {"from": first, "to": last}, "reason": "夜里"}


@given(st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1), st.integers(0, 60 * 24 * 10))
def test_a_night_holds_exactly_its_own_hours_on_every_day(first: int, last: int, after: int) -> None:
    words = [f"{minute // 60:02}:{minute % 60:02}" for minute in (first, last)]
    at = datetime(2026, 12, 1, 16, tzinfo=UTC) + timedelta(minutes=after)
    minute = (after % (24 * 60)) or 0  # the beginning is midnight here
    inside = first <= minute < last if first < last else minute >= first or minute < last
    stretch = quiet.stretch_at(night(*words, since=at - 3 * DAY), at)
    if first == last:
        return
    assert (stretch is not None) == inside
    if stretch:
        assert stretch[0] <= at < stretch[1] and stretch[1] - stretch[0] <= DAY


def test_what_was_declared_for_now_also_holds_for_a_clock_that_is_behind() -> None:
    now = {"since": MORNING, "until": MORNING + HOUR, "reason": "甲", "at": MORNING}
    later = {**now, "at": MORNING - HOUR}
    assert quiet.silence_at([now], MORNING - HOUR, {}) is not None
    assert quiet.silence_at([later], MORNING - HOUR, {}) is None


def test_periods_that_follow_one_another_are_one_silence() -> None:
    one = {"since": MORNING, "until": MORNING + HOUR, "reason": "甲", "passes": []}
    two = {"since": MORNING + HOUR, "until": MORNING + 2 * HOUR, "reason": "乙", "passes": ["notice"]}
    found = quiet.silence_at([one, two], MORNING, {})
    assert found is not None and found.until == MORNING + 2 * HOUR and found.reason == "甲"
    passing = quiet.silence_at([one, two], MORNING, {"content_kind": "notice"})
    assert passing is not None and passing.until == MORNING + HOUR
    assert quiet.is_shut([one], MORNING) and not quiet.is_shut([two], MORNING + HOUR)


def test_days_are_marked_and_the_last_night_is_known() -> None:
    dated = {"since": MORNING, "until": MORNING + DAY, "reason": "公祭日"}
    assert list(quiet.days_of([dated, night("22:00", "06:00")], date(2026, 11, 20), 10)) == [
        date(2026, 11, 24), date(2026, 11, 25)
    ]  # fmt: skip
    assert quiet.last_ended(dated, MORNING) is None
    assert quiet.last_ended(dated, MORNING + 2 * DAY) == (MORNING, MORNING + DAY)
    assert quiet.last_ended(night("22:00", "06:00"), MORNING + HOUR) is None
    begin, close = quiet.last_ended(night("22:00", "06:00"), MORNING + DAY) or (MORNING, MORNING)
    assert (begin, close) == (MORNING + 13 * HOUR, MORNING + 21 * HOUR)
