"""Rhythm (作息): how a stream's texts spread over the hours of the day and the days of the week; no clusters.

What a cluster usually brings in an hour is more at eight in the evening than at four in the morning, and less on a
Sunday where people write to an office on workdays. All of China keeps one time, eight hours before UTC.
"""

from __future__ import annotations

from typing import Any

HOUR = 3_600_000  # milliseconds
EAST = 8  # hours
_THURSDAY = 3  # the first day of 1970, from Monday
_FLAT = 240.0  # texts that an even spread weighs beside what was heard
_KEPT = 20_000.0  # texts after which what was heard before counts half


class Rhythm:
    """Counts by hour and by weekday; the two are taken as independent, so that a month of letters is enough."""

    def __init__(self) -> None:
        self._hours = [0.0] * 24
        self._days = [0.0] * 7
        self._texts = 0.0

    def hear(self, at: int) -> None:
        """One more text, by its own time."""
        if self._texts >= _KEPT:
            self._hours = [count / 2 for count in self._hours]
            self._days = [count / 2 for count in self._days]
            self._texts /= 2
        hour = at // HOUR + EAST
        self._hours[hour % 24] += 1.0
        self._days[(hour // 24 + _THURSDAY) % 7] += 1.0
        self._texts += 1.0

    def weight(self, hour: int) -> float:
        """How much an hour (counted since 1970, local) usually brings, where 1 is the mean of all."""
        whole = self._texts + _FLAT
        by_hour = (self._hours[hour % 24] + _FLAT / 24) * 24 / whole
        by_day = (self._days[(hour // 24 + _THURSDAY) % 7] + _FLAT / 7) * 7 / whole
        return by_hour * by_day

    def hours(self, since: int, until: int) -> float:
        """A stretch in mean hours: an hour of the evening counts as several, one of the night as a part of one."""
        first, last = since / HOUR + EAST, until / HOUR + EAST
        total, hour = 0.0, int(first)
        while hour < last:
            total += self.weight(hour) * (min(last, hour + 1) - max(first, hour))
            hour += 1
        return total

    def state(self) -> dict[str, Any]:
        return {"hours": self._hours, "days": self._days, "texts": self._texts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Rhythm:
        found = cls()
        found._hours, found._days, found._texts = list(state["hours"]), list(state["days"]), state["texts"]
        return found
