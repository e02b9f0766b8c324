"""Rhythm (作息): how a stream's texts spread over the hours of the day and the days of the week; no clusters.

What a cluster usually brings in an hour is more at eight in the evening than at four in the morning, and less on a
Sunday where people write to an office on workdays. All of China keeps one time, eight hours before UTC.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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

    def weights(self, begin: int, end: int) -> list[float]:
        """How much each hour (counted since 1970, local) usually brings, where 1 is the mean of all."""
        whole = self._texts + _FLAT
        by_hour = [(count + _FLAT / 24) * 24 / whole for count in self._hours]
        by_day = [(count + _FLAT / 7) * 7 / whole for count in self._days]
        return [by_hour[hour % 24] * by_day[(hour // 24 + _THURSDAY) % 7] for hour in range(begin, end)]

    def hours(self, since: int, until: int) -> float:
        """A stretch in mean hours: an hour of the evening counts as several, one of the night as a part of one."""
        return self.hours_since([since], until)[0]

    def hours_since(self, moments: Sequence[int], until: int) -> list[float]:
        """The same of several stretches that end together."""
        begin, last = int(min(moments) / HOUR + EAST), until / HOUR + EAST
        weights = self.weights(begin, math.ceil(last))
        return [_weighed(since / HOUR + EAST, last, weights, begin) for since in moments]

    def state(self) -> dict[str, Any]:
        return {"hours": self._hours, "days": self._days, "texts": self._texts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Rhythm:
        found = cls()
        found._hours, found._days, found._texts = list(state["hours"]), list(state["days"]), state["texts"]
        return found


def _weighed(first: float, last: float, weights: Sequence[float], begin: int) -> float:
    """A stretch of hours, each by its weight; the first weight is that of the hour `begin`."""
    hour, end = int(first), begin + len(weights) - 1
    if hour > end:
        return 0.0
    total = weights[hour - begin] * (min(last, hour + 1) - max(first, hour))
    for weight in weights[hour - begin + 1 : -1]:
        total += weight
    return total + weights[-1] * (last - end) if hour < end else total
