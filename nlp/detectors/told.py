"""Told (已提醒): what was told lately, where merged clusters went, and what a week still bears; no levels here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from nlp.detectors.areas import HOUR, Key
from nlp.detectors.cluster import Cluster
from nlp.detectors.index import Index
from nlp.detectors.settings import DAY, ClusterSettings

NO_CLUSTER = 0  # the number under which an alert stands that no cluster made


class Told:
    """Alerts within the cool-down, by time and number of their cluster; and the clusters that went over to others."""

    def __init__(self, settings: ClusterSettings, index: Index) -> None:
        self._settings, self._index = settings, index
        self._alerts: list[tuple[int, int]] = []
        self._gone: dict[int, int] = {}
        self._numbers: frozenset[int] = frozenset()  # of the clusters in which they are now

    def add(self, now: int, number: int) -> None:
        """An alert was made."""
        self._alerts.append((now, number))
        self._number()

    def enough(self, chance: float, now: int) -> bool:
        """Small enough to tell: beyond the week's budget each further alert must be ten times surer."""
        week = sum(at > now - 7 * DAY for at, _ in self._alerts)
        return chance < self._settings.chance * 0.1 ** max(0, week + 1 - self._settings.alerts_a_week)

    def is_held(self, cluster: Cluster) -> bool:
        """Told already, within the cool-down."""
        if cluster.alerted_at is None:
            return False
        return cluster.last_at - cluster.alerted_at < self._settings.cool_down_days * DAY

    def newest(self) -> Iterator[Cluster]:
        """What was told and lives, the last told first."""
        found = (self.alive(number) for _, number in reversed(self._alerts))
        return (cluster for cluster in found if cluster is not None)

    def of_area(self, keys: Sequence[Key], now: int) -> Cluster | None:
        """The issue told lately about this sudden matter in this district."""
        return next((one for one in self._fresh(now) if one.area in keys), None)

    def named_by(self, unit: Mapping[str, float], counts: Mapping[str, int], now: int) -> Cluster | None:
        """The issue told lately that a word of this text stands for: half of its voices say the word, and half of all
        who say it are its voices. An uproar is told of in ever new words, but by one name."""
        known = self._index.among(self._numbers, unit) if self._numbers else ()
        for cluster in self._fresh(now) if known else ():
            if cluster.number not in known:
                continue
            vector, least = cluster.vector, cluster.members
            for term in unit:
                if term in vector and 2 * cluster.held(term) >= max(least, counts.get(term, 0)):
                    return cluster
        return None

    def _fresh(self, now: int) -> Iterator[Cluster]:
        since = now - self._settings.area_hours * HOUR
        return (cluster for cluster in self.newest() if cluster.last_at > since)

    def went_over(self, old: int, new: int) -> None:
        """A cluster became part of another."""
        self._gone = {one: new if other == old else other for one, other in self._gone.items()}
        self._gone[old] = new
        self._number()

    def number_now(self, number: int) -> int:
        """The cluster that a number stands for by now."""
        return self._gone.get(number, number)

    def alive(self, number: int) -> Cluster | None:
        """The same, where it lives."""
        return self._index.get(self.number_now(number))

    def forget(self, now: int, dropped: Collection[int]) -> None:
        """Alerts older than their pause go, and what went over to clusters that are no more."""
        oldest = now - max(7.0, self._settings.cool_down_days) * DAY if self._alerts else 0.0
        while self._alerts and self._alerts[0][0] < oldest:
            self._alerts.pop(0)
            self._number()
        if dropped:
            gone = {old: new for old, new in self._gone.items() if new not in dropped}
            if len(gone) < len(self._gone):
                self._gone = gone
                self._number()

    def _number(self) -> None:
        self._numbers = frozenset(self.number_now(number) for _, number in self._alerts)

    def state(self) -> dict[str, Any]:
        return {"told": self._alerts, "gone": list(self._gone.items())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], settings: ClusterSettings, index: Index) -> Told:
        """What gave this state."""
        found = cls(settings, index)
        found._alerts = [(row[0], row[1]) for row in state["told"]]
        found._gone = {row[0]: row[1] for row in state["gone"]}
        found._number()
        return found
