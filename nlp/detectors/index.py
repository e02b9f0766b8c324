"""Index (索引): the live clusters and which of them hold a term; what a cluster is lives in cluster."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Set
from typing import Any

from nlp.detectors.cluster import Cluster
from nlp.detectors.settings import DAY, ClusterSettings
from nlp.detectors.window import Event

Alone = tuple[int, float]  # where one cluster holds a term, as most are held: a table for each would be most of memory
_NEARLY = 1.0 - 1e-9  # no rounding makes a bound cut off what reaches it


class Index:
    """Live clusters by number, the one longest silent first."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._clusters: OrderedDict[int, Cluster] = OrderedDict()
        self._events = 0  # of all clusters
        self._short: dict[int, float] = {}  # clusters whose vector is shorter than one text's, and its length
        self._where: dict[str, Alone | dict[int, float]] = {}  # term -> clusters that hold it, and what it weighs there

    def __len__(self) -> int:
        return len(self._clusters)

    def get(self, number: int) -> Cluster | None:
        return self._clusters.get(number)

    def add(self, cluster: Cluster) -> None:
        self._clusters[cluster.number] = cluster

    def hear(self, cluster: Cluster, event: Event) -> None:
        """One more voice or copy in the cluster, which was heard of just now."""
        self._events += cluster.add(event, self._settings)
        self._clusters.move_to_end(cluster.number)

    def nearest(self, unit: dict[str, float], at: int) -> Cluster | None:
        """The live cluster most like the text, if it is like enough."""
        clusters, likeness = self._clusters, self._settings.likeness
        least = min(self._short.values(), default=1.0) * _NEARLY**2
        best, oldest = None, at - self._settings.window_days * DAY
        for number, score in self._scores(unit).items():
            if score < likeness * least:  # a cluster as short as the shortest would not be like enough
                continue
            cluster = clusters[number]
            cosine = score / cluster.norm
            if (
                cosine >= likeness
                and cluster.last_at >= oldest
                and not (best and cosine == likeness and number > best.number)
            ):
                best, likeness = cluster, cosine
        return best

    def _scores(self, unit: dict[str, float]) -> dict[int, float]:
        """The products of the text with clusters: all that could be like enough are among them."""
        known = self._known(unit)
        left, enough = sum([weight * weight for weight, _ in known]), self._settings.likeness**2
        scores: dict[int, float] = {}
        for weight, held in known:
            # A cluster that holds none of the terms so far cannot be like enough by the rest of them alone.
            if isinstance(held, tuple):
                number, there = held
                if left >= enough or number in scores:
                    scores[number] = scores.get(number, 0.0) + weight * there
            elif left < enough:
                for number in held.keys() & scores.keys():
                    scores[number] += weight * held[number]
            else:
                for number, there in held.items():
                    scores[number] = scores.get(number, 0.0) + weight * there
            left -= weight * weight
        return scores

    def _known(self, unit: dict[str, float]) -> list[tuple[float, Alone | dict[int, float]]]:
        """The text's weights of terms that clusters hold, and what these are; without what points to too many."""
        where, crowded = self._where, self._settings.crowded
        found = [(weight, held) for term, weight in unit.items() if (held := where.get(term)) is not None]
        return [(weight, held) for weight, held in found if isinstance(held, tuple) or len(held) <= crowded]

    def among(self, numbers: Set[int], terms: Iterable[str]) -> set[int]:
        """Those of the clusters that hold one of the terms."""
        found: set[int] = set()
        for term in terms:
            held = self._where.get(term)
            if isinstance(held, tuple):
                if held[0] in numbers:
                    found.add(held[0])
            elif held is not None:
                found |= held.keys() & numbers
        return found

    def join(self, cluster: Cluster, unit: dict[str, float]) -> None:
        """Another voice's terms in the cluster."""
        before = cluster.vector
        cluster.join(unit, self._settings.terms_per_cluster)
        if cluster.vector is before:
            self._point(cluster, unit)
        else:  # it grew too long and was cut
            self._unpoint(cluster, {term for term in before if term not in cluster.vector})
            self._point(cluster, (term for term in unit if term in cluster.vector))

    def merge(self, cluster: Cluster, other: Cluster) -> None:
        """The cluster goes over to the other and is no longer found."""
        for each in (cluster, other):
            self._unpoint(each, each.vector)
            self._events -= len(each.events)
        del self._clusters[cluster.number]
        self._short.pop(cluster.number, None)
        other.absorb(cluster, self._settings)
        self._events += len(other.events)
        self._point(other, other.vector)
        self._clusters.move_to_end(other.number)

    def named(self, name: str) -> Cluster | None:
        """The live cluster of this name: a walk over all of them, for what a person asks now and then."""
        return next((cluster for cluster in self._clusters.values() if cluster.name == name), None)

    def part(self, cluster: Cluster, new: Cluster, leave: Callable[[Cluster, Cluster], None]) -> None:
        """A new cluster out of one that some voices leave; `leave` moves them."""
        self._unpoint(cluster, cluster.vector)
        leave(cluster, new)
        self._point(cluster, cluster.vector)
        self.add(new)
        self._point(new, new.vector)

    def forget(self, now: int) -> set[int]:
        """Drop clusters silent for long, and the most silent where there are too many; their numbers."""
        settings, oldest = self._settings, now - self._settings.forget_days * DAY
        dropped: set[int] = set()
        while self._clusters:
            cluster = next(iter(self._clusters.values()))
            many = len(self._clusters) > settings.clusters or self._events >= settings.events_in_all
            if cluster.last_at >= oldest and not many:
                break
            self._events -= len(cluster.events)
            self._unpoint(cluster, cluster.vector)
            del self._clusters[cluster.number]
            self._short.pop(cluster.number, None)
            dropped.add(cluster.number)
        return dropped

    def state(self) -> list[dict[str, Any]]:
        return [cluster.state() for cluster in self._clusters.values()]

    @classmethod
    def from_state(cls, rows: list[dict[str, Any]], settings: ClusterSettings) -> Index:
        """The index that gave this state."""
        found = cls(settings)
        for row in rows:
            cluster = Cluster.from_state(row)
            found.add(cluster)
            found._events += len(cluster.events)
            found._point(cluster, cluster.vector)
        return found

    def _point(self, cluster: Cluster, terms: Iterable[str]) -> None:
        where, number, vector = self._where, cluster.number, cluster.vector
        if cluster.norm < _NEARLY:
            self._short[number] = cluster.norm
        elif self._short:
            self._short.pop(number, None)
        for term in terms:
            held = where.get(term)
            if held is None or (isinstance(held, tuple) and held[0] == number):
                where[term] = number, vector[term]
            elif isinstance(held, tuple):
                where[term] = {held[0]: held[1], number: vector[term]}
            else:
                held[number] = vector[term]

    def _unpoint(self, cluster: Cluster, terms: Iterable[str]) -> None:
        where, number = self._where, cluster.number
        for term in terms:
            held = where.get(term)
            if held is None:
                continue
            if isinstance(held, tuple):
                if held[0] == number:
                    del where[term]
            elif held.pop(number, None) is not None and len(held) == 1:
                where[term] = next(iter(held.items()))
