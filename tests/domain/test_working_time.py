"""The office's clock: nights, noon, weekends and holidays do not count, make-up days do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import SHANGHAI, local
from hub.domain.working_time import Calendar, after, between, working_days

PLAIN = Calendar()
FEAST = Calendar(holidays=frozenset({date(2026, 10, 1), date(2026, 10, 2)}), made_up=frozenset({date(2026, 10, 10)}))
START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
LENGTHS = st.integers(0, 60 * 60 * 7 * 30).map(lambda seconds: timedelta(seconds=seconds))
CALENDARS = st.sampled_from([PLAIN, FEAST])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-17T10:36", 5, "2026-11-24T10:36"),  # over a weekend, to the same hour
        ("2026-11-20T17:00", 1, "2026-11-23T17:00"),
        ("2026-11-21T12:00", 1, "2026-11-23T17:30"),  # a Saturday begins on Monday at nine
        ("2026-11-17T12:30", 1, "2026-11-18T12:00"),  # the noon break counts for nothing
        ("2026-11-17T23:00", 1, "2026-11-18T17:30"),
    ],
)
def test_working_days_end_at_the_hour_people_expect(start: str, days: int, end: str) -> None:
    assert after(at(start), working_days(days, PLAIN), PLAIN) == at(end)


def test_holidays_are_out_and_make_up_saturdays_are_in() -> None:
    assert after(at("2026-09-30T17:00"), timedelta(hours=1), FEAST) == at("2026-10-05T09:30")
    assert after(at("2026-10-09T17:00"), timedelta(hours=1), FEAST) == at("2026-10-10T09:30")
    assert after(at("2026-10-09T17:00"), timedelta(hours=1), PLAIN) == at("2026-10-12T09:30")


def test_a_calendar_without_a_working_day_is_refused_instead_of_searched_for_ever() -> None:
    with pytest.raises(ValueError, match="without working days"):
        after(at("2026-11-17T10:00"), timedelta(hours=1), Calendar(hours=()))


@given(MOMENTS, LENGTHS, CALENDARS)
def test_what_is_added_lies_between(start: datetime, length: timedelta, calendar: Calendar) -> None:
    assert between(start, after(start, length, calendar), calendar) == length


@given(MOMENTS, LENGTHS, LENGTHS, CALENDARS)
def test_two_steps_are_one_long_step(start: datetime, one: timedelta, two: timedelta, calendar: Calendar) -> None:
    assert after(after(start, one, calendar), two, calendar) == after(start, one + two, calendar)


@given(MOMENTS, LENGTHS, CALENDARS)
def test_an_end_lies_in_working_hours_of_a_working_day(start: datetime, length: timedelta, calendar: Calendar) -> None:
    end = after(start, length + timedelta(seconds=1), calendar)
    assert calendar.works(local(end).date())
    assert any(begin < end <= close for begin, close in calendar.stretches(local(end).date()))


@given(MOMENTS, MOMENTS, CALENDARS)
def test_time_back_is_time_forth_with_its_sign_changed(one: datetime, two: datetime, calendar: Calendar) -> None:
    assert between(one, two, calendar) == -between(two, one, calendar)
    assert abs(between(one, two, calendar)) <= abs(two - one)
