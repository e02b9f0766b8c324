"""Holidays, make-up days and lunar days: dates that the State Council and every printed calendar name."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import SHANGHAI
from hub.domain.almanac import CALENDAR, KNOWN_UNTIL, day_name, lunar_date
from hub.domain.working_time import after


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2025-10-01", False),  # 国办发明电〔2024〕12 号: 10 月 1 日至 8 日放假，9 月 28 日、10 月 11 日上班
        ("2025-10-08", False),
        ("2025-10-09", True),
        ("2025-09-28", True),  # a Sunday
        ("2025-10-11", True),  # a Saturday
        ("2026-11-24", True),
        ("2026-11-28", False),
    ],
)
def test_the_announced_days_are_free_and_the_made_up_ones_are_worked(day: str, works: bool) -> None:
    assert CALENDAR.works(date.fromisoformat(day)) is works


def test_five_working_days_from_before_a_long_holiday_end_after_it() -> None:
    start = datetime(2025, 9, 29, 10, tzinfo=SHANGHAI)
    end = after(start, 5 * CALENDAR.day_length, CALENDAR)
    assert end.astimezone(SHANGHAI) == datetime(2025, 10, 13, 10, tzinfo=SHANGHAI)  # 30, 9, 10, 11 (a Saturday), 13


@pytest.mark.parametrize(
    ("day", "name", "whole"),
    [
        ("2026-11-24", "十六", "农历十月十六"),
        ("2026-11-09", "十月", "农历十月初一"),
        ("2026-11-07", "立冬", "农历九月廿九"),
        ("2026-11-22", "小雪", "农历十月十四"),
        ("2026-02-17", "正月", "农历正月初一"),
        ("2025-07-26", "初二", "农历闰六月初二"),
    ],
)
def test_a_day_has_its_term_or_its_lunar_day(day: str, name: str, whole: str) -> None:
    found = date.fromisoformat(day)
    assert (day_name(found), lunar_date(found)) == (name, whole)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_every_day_that_the_calendar_can_show_has_a_name_or_none(day: date) -> None:
    assert len(day_name(day)) <= 4
    assert bool(lunar_date(day)) == bool(day_name(day))
    assert day_name(day) or day.year > 2100


def test_after_the_last_known_year_weekends_alone_are_free() -> None:
    later = [KNOWN_UNTIL + timedelta(days=number) for number in range(1, 400)]
    assert [CALENDAR.works(day) for day in later] == [day.weekday() < 5 for day in later]
