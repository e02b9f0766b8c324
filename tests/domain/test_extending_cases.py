"""延期 and 异议: asked by one and granted by another, handed back once and in time, and what the citizen reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk import handling
from hub.desk.answering import write_answer
from hub.desk.extending import decide_extension, extend_case, object_case
from hub.desk.opening import open_from_reply
from hub.desk.telling import tell
from hub.domain.case import OPEN, STATES, due
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.domain.extension import choices, chosen
from hub.domain.working_time import Calendar, between, working_days
from tests.domain.case_office import BOTH, HANDLER, HANDLER2, MONITOR, RECEIVER, REVIEWER, WORDS, Office, make_office

REASON = "循环泵的配件 12 月初才到，到货当天安装。"
UNTIL = date(2026, 12, 1)  # the tenth working day from Tuesday, 17 November
AT = datetime(2026, 11, 17, 2, 36, tzinfo=UTC)
CALENDAR = Calendar()


async def demanded(office: Office) -> tuple[str, str]:
    """A demand whose case is in hand: (demand, case)."""
    demand = await office.demand()
    case = await office.case_of(demand)
    await handling.accept_case(MONITOR, office.desk, case["_id"])
    await handling.take_case(HANDLER, office.desk, case["_id"])
    return demand, case["_id"]


async def asked(office: Office) -> tuple[str, str]:
    demand, case = await demanded(office)
    await extend_case(HANDLER, office.desk, case, until=UNTIL, reason=REASON)
    return demand, case


# ---- 延期


async def test_an_extension_runs_only_once_somebody_else_has_granted_it_and_the_citizen_reads_why() -> None:
    office = await make_office()
    demand, case = await asked(office)
    before = await office.row("cases", case)
    assert (before["due_at"].isoformat(), before["days"]) == ("2026-11-24T02:36:00+00:00", 5)
    await tell(RECEIVER, office.desk)
    assert REASON not in repr(office.site.told[demand][1])
    await decide_extension(REVIEWER, office.desk, case, verdict="pass")
    after = await office.row("cases", case)
    assert (after["due_at"].isoformat(), after["rank_at"], after["days"]) == (
        "2026-12-01T02:36:00+00:00", after["due_at"], 10,
    )  # fmt: skip
    await tell(RECEIVER, office.desk)
    step = office.site.told[demand][1]["steps"][-1]
    assert (step["title"], step["text"]) == ("延长办理时限，到 12 月 1 日前答复", REASON)
    assert office.site.told[demand][1]["due"].startswith("2026-12-01")


async def test_a_refused_extension_changes_no_clock_and_its_remark_stays_inside() -> None:
    office = await make_office()
    demand, case = await asked(office)
    with pytest.raises(Invalid):
        await decide_extension(MONITOR, office.desk, case, verdict="return")
    await decide_extension(MONITOR, office.desk, case, verdict="return", remark="配件本地有货，不必等。")
    after = await office.row("cases", case)
    assert after["due_at"].isoformat() == "2026-11-24T02:36:00+00:00"
    await tell(RECEIVER, office.desk)
    assert "配件" not in repr(office.site.told[demand][1]["steps"])
    await extend_case(HANDLER, office.desk, case, until=UNTIL, reason=REASON)


async def test_nobody_grants_their_own_extension_and_only_whoever_has_the_case_asks() -> None:
    office = await make_office()
    _, case = await demanded(office)
    with pytest.raises(Conflict, match="罗平"):
        await extend_case(HANDLER2, office.desk, case, until=UNTIL, reason=REASON)
    for stranger in (MONITOR, REVIEWER):
        with pytest.raises(NotAllowed):
            await extend_case(stranger, office.desk, case, until=UNTIL, reason=REASON)
    await handling.take_case(BOTH, office.desk, case)
    await extend_case(BOTH, office.desk, case, until=UNTIL, reason=REASON)
    with pytest.raises(NotAllowed, match="另一位"):
        await decide_extension(BOTH, office.desk, case, verdict="pass")
    with pytest.raises(NotAllowed):
        await decide_extension(HANDLER, office.desk, case, verdict="pass")


async def test_time_is_put_off_once_before_it_is_over_and_no_further_than_the_rule() -> None:
    office = await make_office()
    _, case = await demanded(office)
    for wrong in (None, date(2026, 11, 24), date(2026, 11, 29), date(2026, 12, 9)):  # none, now, Sunday, the 16th day
        with pytest.raises(Invalid) as said:
            await extend_case(HANDLER, office.desk, case, until=wrong, reason=REASON)
        assert said.value.errors[0].field == "until"
    with pytest.raises(Invalid):
        await extend_case(HANDLER, office.desk, case, until=UNTIL, reason="等")
    await extend_case(HANDLER, office.desk, case, until=UNTIL, reason=REASON)
    with pytest.raises(Conflict, match="等人定"):
        await extend_case(HANDLER, office.desk, case, until=UNTIL, reason=REASON)
    await decide_extension(REVIEWER, office.desk, case, verdict="pass")
    with pytest.raises(Conflict, match="延过一次"):
        await extend_case(HANDLER, office.desk, case, until=date(2026, 12, 4), reason=REASON)
    with pytest.raises(Conflict, match="没有等着定"):
        await decide_extension(REVIEWER, office.desk, case, verdict="pass")


async def test_what_is_overdue_or_stands_is_not_extended() -> None:
    office = await make_office()
    _, case = await demanded(office)
    await handling.wait_case(HANDLER, office.desk, case, "请告诉我们是哪一盏灯。")
    with pytest.raises(Conflict):
        await extend_case(HANDLER, office.desk, case, until=UNTIL, reason=REASON)
    await handling.resume_case(HANDLER, office.desk, case)
    office.clock.move(timedelta(days=8))
    with pytest.raises(Conflict, match="已过时限"):
        await extend_case(HANDLER, office.desk, case, until=UNTIL, reason=REASON)


async def test_whoever_is_given_the_case_asks_anew_and_a_new_round_has_a_time_of_its_own() -> None:
    office = await make_office()
    _, case = await asked(office)
    await handling.assign_case(MONITOR, office.desk, case, person=HANDLER2.id)
    assert "extension" not in await office.row("cases", case)
    with pytest.raises(Conflict):
        await decide_extension(REVIEWER, office.desk, case, verdict="pass")


async def test_those_who_may_grant_hear_of_it_and_the_one_who_asked_hears_what_came() -> None:
    office = await make_office()
    _, case = await asked(office)
    box = (await office.row("cases", case))["outbox"][-1]["rows"]
    assert {"case.extend"} == {row["matter"] for row in box if row["kind"] == "notice"}
    assert [row["people"] for row in box if row["kind"] == "notice"] == [["role:monitor", "role:reviewer"]]
    await decide_extension(REVIEWER, office.desk, case, verdict="pass")
    box = (await office.row("cases", case))["outbox"][-1]["rows"]
    assert [row["people"] for row in box if row["kind"] == "notice"] == [[HANDLER.id]]
    assert [row["act"] for row in box if row["kind"] == "audit"] == ["case.extended"]


@given(st.integers(1, 14), st.integers(0, 60 * 24 * 4))
def test_every_day_that_is_offered_adds_whole_working_days_and_is_found_again(days: int, waited: int) -> None:
    start = AT + timedelta(minutes=waited)
    case: dict[str, Any] = {"state": "in_hand", "days": days, "due_at": due(start, days, CALENDAR), "history": []}
    found = choices(case, 15, CALENDAR)
    assert [whole for whole, _ in found] == list(range(days + 1, 16))
    for whole, at in found:
        assert between(case["due_at"], at, CALENDAR) == working_days(whole - days, CALENDAR)
        assert chosen(case, (at + timedelta(hours=8)).date(), 15, CALENDAR) == (whole, at)


# ---- 异议


async def assigned(office: Office, **whom: str) -> tuple[str, str]:
    demand = await office.demand()
    case = await office.case_of(demand)
    await handling.accept_case(MONITOR, office.desk, case["_id"])
    await handling.assign_case(MONITOR, office.desk, case["_id"], **(whom or {"department": "市城管局"}))
    return demand, case["_id"]


NOT_OURS = "这一段路灯由高新区管委会管，不归我们。"


async def test_an_objection_brings_the_case_back_to_whoever_assigned_it_and_the_citizen_hears_nothing() -> None:
    office = await make_office()
    demand, case = await assigned(office)
    found = await object_case(HANDLER, office.desk, case, NOT_OURS)
    assert (found["state"], found.get("department"), found.get("owner")) == ("objected", None, None)
    rows = (await office.row("cases", case))["outbox"][-1]["rows"]
    assert [(row["matter"], row["people"]) for row in rows if row["kind"] == "notice"] == [
        ("case.objected", [MONITOR.id])
    ]
    assert [row["act"] for row in rows if row["kind"] == "audit"] == ["case.object"]
    await tell(RECEIVER, office.desk)
    body = office.site.told[demand][1]
    assert body["said"] == "已受理" and "异议" not in repr(body) and NOT_OURS not in repr(body)
    again = await handling.assign_case(MONITOR, office.desk, case, department="高新区管委会")
    assert again["state"] == "assigned" and "objection" not in again


async def test_a_department_objects_once_and_another_one_may_again() -> None:
    office = await make_office()
    _, case = await assigned(office)
    await object_case(HANDLER, office.desk, case, NOT_OURS)
    await handling.assign_case(MONITOR, office.desk, case, department="市城管局")
    with pytest.raises(Conflict, match="一次异议"):
        await object_case(HANDLER, office.desk, case, NOT_OURS)
    await handling.assign_case(MONITOR, office.desk, case, department="市住建局")
    assert (await object_case(HANDLER, office.desk, case, NOT_OURS))["state"] == "objected"
    assert (await handling.take_case(HANDLER, office.desk, case))["state"] == "in_hand"


async def test_what_was_given_to_a_person_is_handed_back_by_that_person_with_a_reason() -> None:
    office = await make_office()
    _, case = await assigned(office, person=HANDLER2.id)
    with pytest.raises(NotAllowed, match="马强"):
        await object_case(HANDLER, office.desk, case, NOT_OURS)
    with pytest.raises(NotAllowed):
        await object_case(MONITOR, office.desk, case, NOT_OURS)
    with pytest.raises(Invalid):
        await object_case(HANDLER2, office.desk, case, "不")
    assert (await object_case(HANDLER2, office.desk, case, NOT_OURS))["state"] == "objected"


async def test_a_day_of_the_office_is_the_time_to_object_and_a_weekend_takes_nobodys_word_away() -> None:
    office = await make_office()
    office.clock.move(timedelta(days=3))  # Friday, 10:36
    _, case = await assigned(office)
    office.clock.move(timedelta(days=3))  # Monday, 10:36
    assert (await object_case(HANDLER, office.desk, case, NOT_OURS))["state"] == "objected"
    await handling.assign_case(MONITOR, office.desk, case, department="市住建局")
    office.clock.move(timedelta(days=1, minutes=1))
    with pytest.raises(Conflict, match="超过 24 小时"):
        await object_case(HANDLER, office.desk, case, NOT_OURS)


async def test_a_case_in_hand_is_not_handed_back_any_more_and_a_foreign_one_is_not_there() -> None:
    office = await make_office()
    _, case = await demanded(office)
    with pytest.raises(Conflict):
        await object_case(HANDLER, office.desk, case, NOT_OURS)
    secret = await open_from_reply(MONITOR, office.desk, await office.comment(), kind="report")
    for verb in (object_case(HANDLER, office.desk, secret.case["_id"], NOT_OURS),
                 extend_case(HANDLER, office.desk, secret.case["_id"], until=UNTIL, reason=REASON),
                 decide_extension(REVIEWER, office.desk, secret.case["_id"], verdict="pass")):  # fmt: skip
        with pytest.raises(NotFound):
            await verb


def test_what_is_objected_to_is_still_open() -> None:
    assert "objected" in OPEN and STATES["objected"] == "有异议"


# ---- 问他一声


async def test_whoever_has_it_in_hand_is_asked_at_most_once_an_hour_by_the_same_person() -> None:
    office = await make_office()
    _, case = await demanded(office)
    await handling.ask_case(MONITOR, office.desk, case)
    await handling.ask_case(MONITOR, office.desk, case)
    boxes = [row for parcel in (await office.row("cases", case))["outbox"] for row in parcel["rows"]]
    asks = [row for row in boxes if row["kind"] == "notice" and row["matter"] == "case.asked"]
    assert {row["key"] for row in asks} == {f"{case}:asked:{MONITOR.id}:2026111702"}
    assert asks[0]["people"] == [HANDLER.id]
    with pytest.raises(Conflict):
        await handling.ask_case(HANDLER, office.desk, case)
    await write_answer(HANDLER, office.desk, case, WORDS)
