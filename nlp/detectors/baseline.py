"""Baseline (平时): what something brings a day, by whole local days whose weight fades; no windows and no chance."""

from __future__ import annotations

from collections import deque
from typing import Any

from nlp.detectors.rhythm import EAST, HOUR

DAY = 24 * HOUR


def day_of(at: int) -> int:
    """The local day of a moment (milliseconds), counted since 1970."""
    return (at + EAST * HOUR) // DAY


class Baseline:
    """People by day, and the unhappy of them. `since`: the first day that is known as a whole; what is told of days
    before it counts nowhere. Days up to `folded` are one faded sum, in whatever order they were told."""

    __slots__ = ("_days", "_fading", "_folded", "_past", "_sad", "since")

    def __init__(self, since: int, half_life_days: float) -> None:
        self.since, self._folded = since, since - 1
        self._fading: float = 0.5 ** (1.0 / half_life_days)
        self._past = self._sad = 0.0
        self._days: deque[list[int]] = deque()  # day, people, unhappy ones

    def hear(self, day: int, unhappy: int, fold: int) -> None:
        """One more on this day; days up to `fold` need no longer be told apart."""
        if self._days and self._days[0][0] <= fold:
            self._fold(fold)
        if day < self.since:
            return
        if day <= self._folded:
            weight = self._fading ** (self._folded - day)
            self._past, self._sad = self._past + weight, self._sad + weight * unhappy
            return
        row = self._days[-1] if self._days and self._days[-1][0] == day else self._row(day)
        row[1] += 1
        row[2] += unhappy

    def _row(self, day: int) -> list[int]:
        place = len(self._days)
        while place and self._days[place - 1][0] > day:
            place -= 1
        if not place or self._days[place - 1][0] != day:
            self._days.insert(place, [day, 0, 0])
            return self._days[place]
        return self._days[place - 1]

    def _fold(self, day: int) -> None:
        fade = self._fading ** (day - self._folded)
        self._past, self._sad, self._folded = self._past * fade, self._sad * fade, day
        while self._days and self._days[0][0] <= day:
            old, people, unhappy = self._days.popleft()
            weight = self._fading ** (day - old)
            self._past, self._sad = self._past + weight * people, self._sad + weight * unhappy

    def until(self, day: int) -> tuple[float, float, float]:
        """People, unhappy ones and days up to this day, which may be no earlier than what is folded; all faded."""
        fading = self._fading
        fade = fading ** max(0, day - self._folded)
        people, sad = self._past * fade, self._sad * fade
        for at, count, unhappy in self._days:
            if at > day:
                break
            weight = fading ** (day - at)
            people, sad = people + weight * count, sad + weight * unhappy
        return people, sad, self._faded(day)

    def _faded(self, day: int) -> float:
        known = max(0, day - self.since + 1)
        return (1.0 - self._fading**known) / (1.0 - self._fading)

    def after(self, day: int) -> int:
        """People told of after this day, which is not folded yet."""
        return sum(row[1] for row in self._days if row[0] > day)

    def state(self) -> list[Any]:
        return [self.since, self._folded, self._past, self._sad, list(self._days)]

    @classmethod
    def from_state(cls, row: list[Any], half_life_days: float) -> Baseline:
        """The baseline that gave this state."""
        found = cls(row[0], half_life_days)
        found._folded, found._past, found._sad = row[1], row[2], row[3]
        found._days = deque([day, people, unhappy] for day, people, unhappy in row[4])
        return found
