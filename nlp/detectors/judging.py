"""Judging (研判): whether the voices of one cluster are more than chance brings in so many texts; nothing is changed.

What chance brings is counted, not assumed: how many texts each channel had in the window, times how often one of its
texts falls on a given cluster, times how common the two terms are that the voices share. What the cluster itself had
before is added. All clusters and windows looked at together share one chance, and the voices' being unhappier than
their channel is weighed with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from nlp.detectors.chance import tail, together, unhappy_tail
from nlp.detectors.cluster import DAY, Cluster, Event
from nlp.detectors.matters import apart
from nlp.detectors.settings import LEVELS, ClusterSettings
from nlp.detectors.volume import Volume

HOUR = 3_600_000  # milliseconds
_DISTRICT = 5.0  # information of a district's name: one of a handful, and no word of the talk itself
_LOOKED_AT = 14  # carriers among which the shared pair is sought
_LOOKED_BACK = 80  # newest voices in which it is sought: a bound on what one text can cost


@dataclass(frozen=True)
class Pair:
    """Two terms that most voices hold together, with what they tell (natural log of how rare they are)."""

    terms: tuple[str, str]
    information: float


@dataclass(frozen=True)
class Judgement:
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
        voices = cluster.voices()
        pair = self.pair(cluster, voices[-_LOOKED_BACK:]) if len(voices) > 1 else None
        factor = self._factor(pair)
        looks = [self._window(cluster, voices, hours, factor, live) for hours in (*settings.short_hours, long)]
        chance, hours, count, usual = min(looks, key=lambda look: (look[0], -look[1]))
        chance = min(1.0, chance * len(looks))
        # Two ways of looking, by numbers alone and with the unhappiness: twice the chance pays for choosing.
        chance = min(1.0, 2.0 * min(chance, together(chance, self._unhappiness(voices))))
        level = self._level(voices, pair, chance)
        if level == "yellow":
            level = self.grade(cluster, voices, chance)
        return Judgement(level, hours, count, usual, looks[-1][3], chance, pair)

    def grade(self, cluster: Cluster, voices: Sequence[Event], chance: float) -> str:
        """How high what is told stands: by people, unhappiness, spread and haste, each with its own number."""
        unhappy = sum(event.negative >= 0.5 for event in voices)
        spreads = max(len(cluster.named("channel")), len(cluster.named("district"))) > 1
        day = sum(event.at > cluster.last_at - DAY for event in voices)
        level = LEVELS[0]
        for grade in self._settings.grades:
            marks = (spreads, day >= grade.quick)
            enough = len(voices) >= grade.voices and unhappy >= grade.unhappy * len(voices) and chance < grade.chance
            if enough and (any(marks) if grade.either else all(marks)):
                level = grade.level
        return level

    def _window(
        self, cluster: Cluster, voices: Sequence[Event], hours: float, factor: float, live: int
    ) -> tuple[float, float, int, float]:
        """Chance, hours, voices and what is usual of one window."""
        since = cluster.last_at - int(hours * HOUR)
        count = sum(event.at >= since for event in voices)
        part = hours * HOUR / (self._settings.window_days * DAY)
        usual = self._volume.strays(since, self._settings.stray) * factor + cluster.own_rate() * part
        looked = max(1, min(live, self._volume.texts(since)))
        return tail(count, usual, cluster.past_windows) * looked, hours, count, usual

    def _unhappiness(self, voices: Sequence[Event]) -> float:
        channels = Counter(event.channel for event in voices)
        shares = sum(self._volume.channel(name).share(self._settings.unhappy) * n for name, n in channels.items())
        unhappy = sum(event.negative >= 0.5 for event in voices)
        return unhappy_tail(unhappy, len(voices), shares / max(1, len(voices)))

    def _level(self, voices: Sequence[Event], pair: Pair | None, chance: float) -> str | None:
        settings = self._settings
        if len(voices) < min(settings.watch_voices, settings.least_voices):
            return None
        kind = sum(event.negative for event in voices) / len(voices) < settings.kindly
        if len(voices) >= settings.least_voices and chance < settings.chance and pair is not None and not kind:
            return "yellow"
        return "watch" if pair is not None and chance < settings.watch_chance else None

    def pair(self, cluster: Cluster, voices: Sequence[Event]) -> Pair | None:
        """The two terms apart that tell most, among those that enough voices hold together."""
        strong = apart(term for term, share in cluster.carriers()[:_LOOKED_AT] if share >= self._settings.shared)
        need = max(2, math.ceil(self._settings.shared * len(voices)))
        holders = dict.fromkeys(strong, 0)  # a bit for each voice
        for place, event in enumerate(voices):
            for term in holders.keys() & event.terms:
                holders[term] |= 1 << place
        tells = {term: self._tells(term, cluster.holders[term]) for term in strong}
        pairs = [
            Pair((one, other), tells[one] + tells[other])
            for one, other in combinations(strong, 2)
            if (holders[one] & holders[other]).bit_count() >= need
        ]
        found = max(pairs, key=lambda pair: pair.information, default=None)
        if found is None and cluster.area is not None:
            told = self._tells(cluster.area[1], cluster.holders.get(cluster.area[1], 0))
            return Pair(cluster.area, told + _DISTRICT)
        return found

    def _factor(self, pair: Pair | None) -> float:
        settings = self._settings
        if pair is None:
            return settings.commonest
        factor = math.exp((settings.plain_pair - pair.information) / settings.pair_scale)
        return min(settings.commonest, max(settings.rarest, factor))
