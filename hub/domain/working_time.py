"""工作时间: which hours a clock of the office counts, as pure arithmetic; whose clock runs lives in case.py.

Nights, the noon break, weekends and holidays are out, make-up working days (调休) are in. Everything is reckoned on the
office's own calendar (Asia/Shanghai) and given back in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from hub.clock import SHANGHAI, local

HOURS = ((time(9), time(12)), (time(13, 30), time(17, 30)))
FARTHEST = 3_660  # days that a clock is followed; longer means that the calendar leaves no working day at all


@dataclass(frozen=True)
class Calendar:
    """The office's year: its hours of a day, days off beside weekends, and weekends that are worked."""

    hours: tuple[tuple[time, time], ...] = HOURS
    holidays: frozenset[date] = field(default_factory=frozenset)
    made_up: frozenset[date] = field(default_factory=frozenset)

    def works(self, day: date) -> bool:
        """Whether this is a working day; a make-up day wins over everything."""
        return day in self.made_up or (day.weekday() < 5 and day not in self.holidays)

    def stretches(self, day: date) -> list[tuple[datetime, datetime]]:
        """The counted hours of this day, in UTC; none on a day off."""
        if not self.works(day):
            return []
        return [(_at(day, start), _at(day, end)) for start, end in self.hours]

    @property
    def day_length(self) -> timedelta:
        """How much one working day counts."""
        return sum(((_at(date(2026, 1, 5), end) - _at(date(2026, 1, 5), start)) for start, end in self.hours),
                   timedelta())  # fmt: skip


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, SHANGHAI).astimezone(UTC)


def _from(calendar: Calendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The counted stretches from this moment on, the first cut at its front."""
    day = local(start).date()
    for _ in range(FARTHEST):
        for begin, end in calendar.stretches(day):
            if end >= start:  # at closing time no time has to pass
                yield max(begin, start), end
        day += timedelta(days=1)
    raise ValueError("a calendar without working days")


def after(start: datetime, length: timedelta, calendar: Calendar) -> datetime:
    """The moment when this much working time has passed since `start`."""
    left = length
    for begin, end in _from(calendar, start):
        if left <= end - begin:
            return begin + left
        left -= end - begin
    raise ValueError("a calendar without working days")


def between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """How much working time lies between two moments; negative where the second is the earlier one."""
    if end < start:
        return -between(end, start, calendar)
    passed = timedelta()
    day = local(start).date()
    while day <= local(end).date():
        for begin, close in calendar.stretches(day):
            passed += max(min(close, end) - max(begin, start), timedelta())
        day += timedelta(days=1)
    return passed


def working_days(count: float, calendar: Calendar) -> timedelta:
    """This many working days as working time: five days from 10:36 end at 10:36."""
    return calendar.day_length * count
