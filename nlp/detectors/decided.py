"""Decided (人的决定): what people decided about issues, as far as a detector must know it; it is obeyed in deciding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nlp.contract import Voice
from nlp.detectors.cluster import Cluster
from nlp.detectors.index import Index
from nlp.detectors.judging import Judge, Judgement, Pair
from nlp.detectors.settings import LEVELS, ClusterSettings

MOST_APART = 200  # pairs of clusters kept apart, the oldest go first
MOST_DOUBTS = 200
TIMES = 10.0  # so many times smaller must the chance be of what was a false alarm before


@dataclass(frozen=True)
class Decision:
    """A person's decision. `number`: its place among all of one stream, from 1 on without a gap.

    `merge`: the voices of `issue` go over to `into`. `split`: these `voices` of `issue` become the new issue `into`.
    `doubt` (误报): what shares this `pair` of terms must be surer until then. `trust` (属实): it need not any more.
    """

    number: int
    kind: str
    issue: str = ""
    into: str = ""
    voices: tuple[Voice, ...] = ()
    pair: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class Doubt:
    """误报 of a matter: which decision said so, the two terms, until when (milliseconds)."""

    number: int
    pair: frozenset[str]
    until: int


@dataclass
class Decided:
    """The last decision carried out, clusters (by number) that must not join by themselves, matters in doubt."""

    number: int = 0
    apart: list[tuple[int, int]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def keep_apart(self, one: int, other: int, index: Index) -> None:
        """From now on these two do not join by themselves."""
        alive = [pair for pair in self.apart if index.get(pair[0]) and index.get(pair[1])]
        self.apart = [*alive, (one, other)][-MOST_APART:]

    def are_apart(self, one: Cluster, other: Cluster) -> bool:
        """Whether a person parted these two."""
        return bool(self.apart) and any(set(pair) == {one.number, other.number} for pair in self.apart)

    def went_over(self, old: int, new: int) -> None:
        """A cluster became part of another: what must not join the one must not join the other."""
        moved = [(new if one == old else one, new if other == old else other) for one, other in self.apart]
        self.apart = [pair for pair in moved if pair[0] != pair[1]]

    def nearest(self, cluster: Cluster | None, unit: dict[str, float], index: Index) -> Cluster | None:
        """Where a text goes: of clusters that a person parted, to the one it is most like."""
        if cluster is None or not self.apart:
            return cluster
        numbers = {cluster.number, *(number for pair in self.apart if cluster.number in pair for number in pair)}
        found = [one for one in map(index.get, sorted(numbers)) if one is not None]
        return max(found, key=lambda one: (_likeness(one, unit), one is cluster), default=cluster)

    def doubt(self, number: int, pair: Sequence[str], until: int) -> None:
        """This matter was a false alarm; of each matter the newest word counts."""
        self.trust(pair)
        self.doubts = [*self.doubts, Doubt(number, frozenset(pair), until)][-MOST_DOUBTS:]

    def trust(self, pair: Sequence[str]) -> None:
        """This matter was real."""
        self.doubts = [doubt for doubt in self.doubts if doubt.pair != frozenset(pair)]

    def doubt_of(self, pair: Pair | None, now: int) -> Doubt | None:
        """The false alarm that this pair of terms stands under at this time."""
        if pair is None or not self.doubts:
            return None
        terms = frozenset(pair.terms)
        return next((doubt for doubt in self.doubts if doubt.pair == terms and now < doubt.until), None)

    def weighed(
        self, cluster: Cluster, found: Judgement, judge: Judge, settings: ClusterSettings, now: int
    ) -> tuple[str | None, float]:
        """Level and chance as they count for telling: of a matter in doubt, with ten times the chance."""
        if found.level not in LEVELS or self.doubt_of(found.pair, now) is None:
            return found.level, found.chance
        chance = min(1.0, found.chance * TIMES)
        return judge.grade(cluster, chance) if chance < settings.chance else "watch", chance

    def state(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        doubts = [[doubt.number, sorted(doubt.pair), doubt.until] for doubt in self.doubts]
        return {"number": self.number, "apart": self.apart, "doubts": doubts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Decided:
        """What gave this state; nothing decided where an older state knows nothing of it."""
        apart = [(pair[0], pair[1]) for pair in state.get("apart", [])]
        doubts = [Doubt(number, frozenset(pair), until) for number, pair, until in state.get("doubts", [])]
        return cls(state.get("number", 0), apart, doubts)


def _likeness(cluster: Cluster, unit: dict[str, float]) -> float:
    """Cosine of a text and a cluster."""
    common = sum(weight * cluster.vector.get(term, 0.0) for term, weight in unit.items())
    return common / cluster.norm if cluster.norm else 0.0
