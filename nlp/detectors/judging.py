"""Judging (研判): whether the voices of one cluster are more than chance brings in so many texts; nothing is changed.

What chance brings is counted, not assumed: how many texts each channel had in the window, times how often one of its
texts falls on a given cluster, times how common the two terms are that the voices share. What the cluster itself had
before is added. All clusters and windows looked at together share one chance, and the voices' being unhappier than
their channel is weighed with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

from nlp.detectors.chance import tail, together, unhappy_tail
from nlp.detectors.cluster import Cluster
from nlp.detectors.matters import apart
from nlp.detectors.settings import DAY, LEVELS, ClusterSettings, Grade
from nlp.detectors.volume import Volume

HOUR = 3_600_000  # milliseconds
_DISTRICT = 5.0  # information of a district's name: one of a handful, and no word of the talk itself
_LOOKED_AT = 14  # carriers among which the shared pair is sought
_LOOKED_BACK = 80  # newest voices in which it is sought: a bound on what one text can cost


class Pair(NamedTuple):
    """Two terms that most voices hold together, with what they tell (natural log of how rare they are)."""

    terms: tuple[str, str]
    information: float


class Look(NamedTuple):
    """One window of a cluster: its people, what strays into it, what is its own, and how many are looked at with it."""

    hours: float
    people: int
    strays: float
    own: float
    looked: int

    def usual(self, factor: float) -> float:
        """How many people are expected; `factor`: how common the pair is that they share."""
        return self.strays * factor + self.own


class Judgement(NamedTuple):
    """The level, and the numbers of the window that speaks loudest; `chance` is over all that was looked at."""

    level: str | None
    hours: float
    voices: int
    usual: float
    usual_long: float
    chance: float
    pair: Pair | None
    area: str = ""  # the district, where its burst is what speaks loudest


class Judge:
    """Weighs clusters of one stream. `tells` says what a term tells in this stream, given how many of ours hold it."""

    def __init__(self, settings: ClusterSettings, volume: Volume, tells: Callable[[str, int], float]) -> None:
        self._settings, self._volume, self._tells = settings, volume, tells

    def judge(self, cluster: Cluster, live: int) -> Judgement:
        """What is to be said of this cluster among so many live ones."""
        settings = self._settings
        long = settings.window_days * 24.0
        if cluster.members < settings.watch_voices and cluster.members < settings.least_voices:
            return Judgement(None, long, cluster.members, 0.0, 0.0, 1.0, None)  # so few people are told of by nobody
        pair = self.pair(cluster)
        factor = self._factor(pair)
        looks = self._looks(cluster, live)
        chances = self._chances(cluster, looks, factor)
        chance, best = min(zip(chances, looks, strict=True), key=lambda found: (found[0], -found[1].hours))
        chance = self._together(chance * len(looks), cluster)
        level = self._level(cluster, pair, chance)
        if level == "yellow":
            level = self.grade(cluster, chance)
        return Judgement(level, best.hours, best.people, best.usual(factor), looks[-1].usual(factor), chance, pair)

    def may_tell(self, cluster: Cluster) -> bool:
        """Whether this cluster has what no chance makes up for: people, who do not only praise, and a shared pair."""
        if cluster.events.people < self._settings.least_voices or self._is_kind(cluster):
            return False
        return self._may_pair(cluster)

    def may_watch(self, cluster: Cluster) -> bool:
        """Whether it could stand on the board."""
        least = min(self._settings.watch_voices, self._settings.least_voices)
        return cluster.events.people >= least and self._may_pair(cluster)

    def _may_pair(self, cluster: Cluster) -> bool:
        return cluster.area is not None or cluster.shares(self._settings.shared)

    def may_rise(self, cluster: Cluster) -> bool:
        """Whether a cluster that is told already has the people for a higher level."""
        told = LEVELS.index(cluster.told or LEVELS[0])
        grades = (grade for grade in self._settings.grades if LEVELS.index(grade.level) > told)
        return any(self._has_people(cluster, grade) for grade in grades)

    def grade(self, cluster: Cluster, chance: float) -> str:
        """How high what is told stands: by people, unhappiness, spread and haste, each with its own number."""
        spreads = max(len(cluster.events.named("channel")), len(cluster.events.named("district"))) > 1
        day = cluster.events.people_since([cluster.last_at - DAY + 1])[0]
        level = LEVELS[0]
        for grade in self._settings.grades:
            marks = (spreads, day >= grade.quick)
            enough = self._has_people(cluster, grade) and chance < grade.chance
            if enough and (any(marks) if grade.either else all(marks)):
                level = grade.level
        return level

    def _has_people(self, cluster: Cluster, grade: Grade) -> bool:
        people = cluster.events.people
        return people >= grade.voices and cluster.events.unhappy >= grade.unhappy * people

    def _looks(self, cluster: Cluster, live: int) -> list[Look]:
        """The short windows and the long one, as they stand whatever the pair."""
        settings, last, events = self._settings, cluster.last_at, cluster.events
        long, rate, spans = settings.window_days * 24.0, cluster.own_rate(), sorted(settings.short_hours)
        moments = [last - int(hours * HOUR) for hours in spans]
        people = [*events.people_since(moments), events.people]
        parts = self._volume.rhythm.hours_since(moments, last) if rate and moments else [0.0] * len(spans)
        heard = self._volume.heard_since([*moments, last - int(long * HOUR)], last, settings.stray)
        return [
            Look(
                hours,
                count if hours < long else events.people,
                strays,
                rate * (part / long if hours < long else 1.0),
                max(1, min(live, texts)),
            )
            for hours, count, part, (texts, strays) in zip((*spans, long), people, (*parts, long), heard, strict=True)
        ]

    def _chances(self, cluster: Cluster, looks: Sequence[Look], factor: float) -> list[float]:
        """How likely so many people are in each window, all that is looked at together; where no more came than are
        expected, nobody acts on the figure and none is worked out."""
        return [
            tail(look.people, usual, cluster.past_windows) * look.looked
            if look.people > (usual := look.usual(factor))
            else 1.0
            for look in looks
        ]

    def _together(self, chance: float, cluster: Cluster) -> float:
        """By numbers alone, or with the unhappiness: twice the chance pays for choosing."""
        chance = min(1.0, chance)
        return min(1.0, 2.0 * min(chance, together(chance, self._unhappiness(cluster))))

    def _unhappiness(self, cluster: Cluster) -> float:
        events, channel, prior = cluster.events, self._volume.channel, self._settings.unhappy
        shares = sum([channel(name).share(prior) * count for name, count in sorted(events.spoken.items())])
        return unhappy_tail(events.unhappy, events.people, shares / max(1, events.people))

    def _is_kind(self, cluster: Cluster) -> bool:
        return cluster.events.thousandths < 1000 * self._settings.kindly * cluster.events.people

    def _level(self, cluster: Cluster, pair: Pair | None, chance: float) -> str | None:
        settings, people = self._settings, cluster.events.people
        if people < min(settings.watch_voices, settings.least_voices):
            return None
        kind = self._is_kind(cluster)
        if people >= settings.least_voices and chance < settings.chance and pair is not None and not kind:
            return "yellow"
        return "watch" if pair is not None and chance < settings.watch_chance else None

    def pair(self, cluster: Cluster) -> Pair | None:
        """The two terms apart that tell most, among those that enough voices hold together."""
        if cluster.events.people < 2:
            return None
        common = cluster.shared(self._settings.shared)
        found = self._told_together(cluster, apart(tuple(common[:_LOOKED_AT]))) if len(common) > 1 else None
        if found is None and cluster.area is not None:
            told = self._tells(cluster.area[1], cluster.held(cluster.area[1]))
            return Pair(cluster.area, told + _DISTRICT)
        return found

    def _told_together(self, cluster: Cluster, strong: Sequence[str]) -> Pair | None:
        if len(strong) < 2:
            return None
        need = max(2, math.ceil(self._settings.shared * min(cluster.events.people, _LOOKED_BACK)))
        holders, bit = dict.fromkeys(strong, 0), 1  # a bit for each voice
        for terms in cluster.events.said_lately(_LOOKED_BACK):
            for term in terms:
                if term in holders:
                    holders[term] |= bit
            bit <<= 1
        pairs = [
            (one, other)
            for one, other in combinations(strong, 2)
            if (holders[one] & holders[other]).bit_count() >= need
        ]
        tells = {term: self._tells(term, cluster.holders[term]) for pair in pairs for term in pair}
        best = max(pairs, key=lambda pair: tells[pair[0]] + tells[pair[1]], default=None)
        return Pair(best, tells[best[0]] + tells[best[1]]) if best else None

    def _factor(self, pair: Pair | None) -> float:
        settings = self._settings
        if pair is None:
            return settings.commonest
        factor = math.exp((settings.plain_pair - pair.information) / settings.pair_scale)
        return min(settings.commonest, max(settings.rarest, factor))
