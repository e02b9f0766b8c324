"""The week of cases on the home page: answered in time, rated, and the rows behind each figure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.desk.inbox import WEEKLY, list_since
from hub.desk.week import monday_of, week_of_answers, week_of_ratings
from hub.domain.case import clock, in_time
from hub.domain.errors import NotAllowed
from hub.domain.working_time import Calendar
from hub.failpoints import Stopped
from tests.domain.case_office import HANDLER, MONITOR, RECEIVER, Office, make_office
from tests.domain.test_handling_cases import answered, demanded


async def late(office: Office) -> str:
    """A case whose answer arrives after its time; the case."""
    _, case = await demanded(office)
    office.clock.move(await _until_due(office, case) + timedelta(seconds=1))
    await office.sent(case)
    await office.work()
    return case


async def _until_due(office: Office, case: str) -> timedelta:
    due: timedelta = (await office.row("cases", case))["due_at"] - office.clock.now()
    return due


async def test_a_week_without_an_answer_has_no_share() -> None:
    office = await make_office()
    week, rated = await week_of_answers(MONITOR, office.desk), await week_of_ratings(MONITOR, office.desk)
    assert (week.count, week.late, week.share, week.share_before) == (0, 0, None, None)
    assert (rated.count, rated.mean, rated.bad) == (0, None, 0)


async def test_an_answer_that_came_too_late_lowers_the_share_and_both_are_listed() -> None:
    office = await make_office()
    slow = await late(office)
    _, quick, _ = await answered(office)
    week = await week_of_answers(MONITOR, office.desk)
    assert (week.count, week.late, week.share) == (2, 1, 0.5)
    rows = (await list_since(MONITOR, office.desk, "answered", week.since)).rows
    assert {row["_id"]: row["on_time"] for row in rows} == {slow: False, quick: True}


async def test_an_answer_that_arrived_in_time_is_in_time_though_it_is_summed_up_after_a_crash_and_a_weekend() -> None:
    office = await make_office()
    _, case = await demanded(office)
    office.clock.move(await _until_due(office, case) - timedelta(seconds=1))
    await office.sent(case)
    with pytest.raises(Stopped):
        await office.again(office.store, "publish.outcome_written:1:raise").work()
    (delivery,) = await office.rows("deliveries", case=case)
    assert delivery["state"] == "published"
    assert (await office.row("cases", case))["state"] == "in_hand"
    office.clock.move(timedelta(days=3))
    await office.work()
    assert (await office.row("cases", case))["on_time"] is True


async def test_last_weeks_answers_stand_beside_this_weeks() -> None:
    office = await make_office()
    await answered(office)
    office.clock.move(timedelta(days=7))
    week = await week_of_answers(MONITOR, office.desk)
    assert (week.count, week.share, week.share_before) == (0, None, 1.0)
    assert (await list_since(MONITOR, office.desk, "answered", week.since)).rows == []


async def test_ratings_have_a_mean_and_the_bad_ones_are_counted() -> None:
    office = await make_office()
    cases = set()
    for level in (5, 2):
        _, case, key = await answered(office)
        await office.rate(key, level)
        cases.add(case)
    await office.follow()
    rated = await week_of_ratings(MONITOR, office.desk)
    assert (rated.count, rated.mean, rated.bad) == (2, 3.5, 1)
    assert {row["_id"] for row in (await list_since(MONITOR, office.desk, "rated", rated.since)).rows} == cases


async def test_a_confidential_case_is_in_no_figure_and_no_list() -> None:
    office = await make_office()
    _, case, key = await answered(office)
    await office.rate(key, 1)
    await office.store.change("cases", {"_id": case}, {"$set": {"confidential": True}})
    await office.follow()
    assert (await week_of_answers(MONITOR, office.desk)).count == 0
    assert (await week_of_ratings(MONITOR, office.desk)).count == 0
    for what in WEEKLY:
        assert (await list_since(MONITOR, office.desk, what, monday_of(office.clock.now()))).rows == []


@pytest.mark.parametrize("ask", [week_of_answers, week_of_ratings])
async def test_figures_of_cases_are_for_those_who_may_read_them(ask: Any) -> None:
    office = await make_office()
    with pytest.raises(NotAllowed):
        await ask(RECEIVER, office.desk)
    await ask(HANDLER, office.desk)


async def test_in_time_and_the_clock_say_the_same_up_to_the_last_second() -> None:
    office = await make_office()
    _, id = await demanded(office)
    case = await office.row("cases", id)
    for seconds in (-1, 0, 1):
        now = case["due_at"] + timedelta(seconds=seconds)
        assert in_time(case, now) == (clock(case, now, Calendar()).state != "overdue") == (seconds < 0)
    assert in_time({**case, "stopped_at": office.clock.now()}, case["due_at"] + timedelta(days=1))
