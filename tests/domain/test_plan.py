"""The rule of moving a planned post, for any post, moment and person; the store's part: test_rescheduling."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import local
from hub.domain import plan
from hub.domain.errors import Conflict, HubError, Invalid
from hub.domain.moves import State

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
moments = st.integers(-3_000 * 86_400, 1_000 * 86_400).map(lambda seconds: NOON + timedelta(seconds=seconds))
days = st.dates(date(2019, 1, 1), date(2031, 1, 1))
states = st.sampled_from([state.value for state in State])


def row(at: datetime, state: str = "scheduled", **more: Any) -> dict[str, Any]:
    return {"_id": "c1:a:1", "account": "a", "title": "供暖电话", "at": at, "state": state, **more}


@given(moments, days)
def test_a_move_to_another_day_keeps_the_time_of_day_that_the_office_reads(at: datetime, day: date) -> None:
    goal = local(plan.on_day(at, day))
    assert goal.date() == day and goal.time() == local(at).time()


@given(moments, states, moments, st.one_of(days, moments), moments)
def test_whatever_is_asked_nothing_goes_into_the_past_and_only_what_has_not_begun_moves(
    at: datetime, state: str, seen: datetime, to: date | datetime, now: datetime
) -> None:
    try:
        goal = plan.goal_of(row(at, state), seen, to, now)
    except HubError as error:
        assert isinstance(error, Conflict | Invalid) and error.message
        return
    assert goal >= now and state in ("scheduled", "waiting")
    assert plan.minute_of(at) == plan.minute_of(seen)


@given(moments, st.sampled_from(["scheduled", "waiting"]), days)
def test_a_move_and_its_way_back_leave_a_post_where_it_stood(at: datetime, state: str, day: date) -> None:
    now = min(at, plan.on_day(at, day)) - timedelta(hours=1)
    goal = plan.goal_of(row(at, state), at, day, now)
    moved = row(goal, moved=plan.mark("o1", "u1", at, goal, now))
    assert plan.way_back(moved, goal, "u1", now) == at


@pytest.mark.parametrize("state", [state.value for state in State if state.value not in ("scheduled", "waiting")])
def test_what_has_begun_or_is_held_is_named_with_its_state(state: str) -> None:
    with pytest.raises(Conflict) as caught:
        plan.goal_of(row(NOON, state), NOON, date(2026, 12, 1), NOON)
    assert "《供暖电话》现在是" in caught.value.message and "没有改" in caught.value.message


def test_a_way_back_is_nobody_elses_and_only_the_last_ones_and_never_into_the_past() -> None:
    before, after = NOON + timedelta(hours=1), NOON + timedelta(days=1)
    mark = plan.mark("o1", "u1", before, after, NOON)
    for by, moved in (("u2", mark), ("u1", {**mark, "back": True}), ("u1", {**mark, "after": before}), ("u1", None)):
        with pytest.raises(Conflict):
            plan.way_back(row(after, moved=moved), after, by, NOON)
    with pytest.raises(Invalid) as caught:
        plan.way_back(row(after, moved=mark), after, "u1", before + timedelta(seconds=1))
    assert "已经过去" in caught.value.message and "仍定在 11 月 25 日 12:00" in caught.value.message


def test_a_time_just_past_that_is_named_by_itself_is_meant_as_now() -> None:
    late = NOON + timedelta(hours=2)
    assert plan.goal_of(row(late), late, NOON - timedelta(seconds=20), NOON) == NOON
    with pytest.raises(Invalid):
        plan.goal_of(row(late), late, NOON - timedelta(minutes=6), NOON)


def test_two_posts_meet_where_one_account_would_send_both_at_one_moment() -> None:
    other = NOON + timedelta(minutes=1)
    rows = [row(NOON), row(NOON, "waiting"), {**row(NOON), "account": "b"}, row(other), row(other, "published")]
    assert plan.meetings(rows) == {("a", NOON)}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), states), max_size=12))
def test_meetings_do_not_hang_on_the_order_of_the_rows(given_rows: list[tuple[str, int, str]]) -> None:
    rows = [{**row(NOON + timedelta(minutes=n), state), "account": account} for account, n, state in given_rows]
    assert plan.meetings(rows) == plan.meetings(list(reversed(rows)))
    assert all(at in {each["at"] for each in rows} for _, at in plan.meetings(rows))
