"""The cluster detector: voices in, changes of issues out, in the order given; no clock, no chance, no store.

Each text joins the live cluster it is most like (cosine over its strongest terms), or leads a new one. A copy joins
the cluster of its original and counts as spread, never as a voice. A cluster whose voices share two terms and are more
than chance brings in so many texts becomes yellow and tells once; a cool-down holds the next telling, a cluster about
a matter that is told already goes over to it, and beyond a few alerts a week each further one must be ten times
surer. The same voices in the same order give the same alerts however they are cut into batches.

Memory: about 2 kB for each text of the last window, about 100 bytes for each term counted (bounded by
`texts_counted`), 40 bytes for each five minutes of a channel, and `capacity` marks of copies; a million texts cost no
more than the newest ones of them.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from hashlib import blake2b

from nlp.contract import IssueChange, Voice
from nlp.copies import Copies
from nlp.detectors.areas import Areas, Burst, Key
from nlp.detectors.cells import Cells
from nlp.detectors.cluster import CARRIERS, Cluster
from nlp.detectors.decided import Decided
from nlp.detectors.explaining import explain, merged
from nlp.detectors.index import Index
from nlp.detectors.judging import Judge, Judgement, Pair
from nlp.detectors.matters import matter_of, sudden
from nlp.detectors.rises import Carrier, Rises
from nlp.detectors.said import Said, heard
from nlp.detectors.settings import DAY, LEVELS, ClusterSettings
from nlp.detectors.states import pack, unpack
from nlp.detectors.terms import Weights
from nlp.detectors.titles import title_of
from nlp.detectors.told import Told
from nlp.detectors.volume import STEP, Volume
from nlp.detectors.window import Event
from nlp.words import Words, office_dictionary

_SEEN = 20_000  # ids remembered, against voices that are told twice


class Detector:
    """Finds issues among voices. Feed it in order of time; one object belongs to one thread."""

    def __init__(self, settings: ClusterSettings | None = None, words: Words | None = None) -> None:
        self.settings = settings or ClusterSettings()
        self._weights = Weights(self.settings, words or _demo_words())
        self._index = Index(self.settings)
        self._volume = Volume()
        self._areas = Areas(self.settings, self._volume)
        self._judge = Judge(self.settings, self._volume, self._weights.tells)
        self._copies = Copies()
        self._number = 0
        self._now = 0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._told = Told(self.settings, self._index)
        self._decided = Decided()
        self._watch_cells(Cells(self.settings))

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        """What changed by these voices: every alert as it was when raised, then each issue touched as it is now.

        Clusters of a few voices that share nothing, and are not copied, are not spoken of.
        """
        told: list[IssueChange] = []
        touched: dict[int, Judgement | None] = {}  # None: not judged, since nothing in it could be told
        saids = heard(voices)
        for said, weighed in zip(saids, self._weighed(saids), strict=True):
            cluster = self._hear(said, weighed)
            if cluster is not None:
                told += self._heed(cluster, touched)
                told += self._rises.heed(self._carrier, self._now)
        found = [(self._index.get(number), judgement) for number, judgement in touched.items()]
        now = [self._say(cluster, judgement) for cluster, judgement in found if cluster is not None]
        return [*told, *(change for change in now if change is not None), *self._rises.standing()]

    def _weighed(self, saids: Sequence[Said]) -> list[dict[str, float] | None]:
        """The terms of all texts, one after the other: each by itself would find the processor's memory full of
        clusters. Of what seems a copy, and is not asked for its terms, none."""
        first = {said.key: place for place, said in reversed(list(enumerate(saids)))}
        weigh, known = self._weights.weigh, self._copies
        return [
            weigh(said.plain, said.matters) if first[said.key] == place and said.key not in known else None
            for place, said in enumerate(saids)
        ]

    def _say(self, cluster: Cluster, judgement: Judgement | None) -> IssueChange | None:
        """How it stands now; None where there is nothing to see and was nothing before."""
        copied = cluster.events.copies >= self.settings.watch_voices
        if judgement is None and (copied or cluster.shown or self._judge.may_watch(cluster)):
            judgement = self._stand(cluster)
        before, cluster.shown = cluster.shown, judgement is not None and (copied or cluster.level is not None)
        if judgement is None or not (before or cluster.shown):
            return None
        return self._change(cluster, judgement, alert=False)

    def _heed(self, cluster: Cluster, touched: dict[int, Judgement | None]) -> list[IssueChange]:
        """After one more voice in it: what of this cluster must be told, or goes over to another."""
        changes: list[IssueChange] = []
        burst = self._burst(cluster)
        target = self._gathering(burst) if burst else None
        if burst and target:
            cluster, changes = target, self._gather(burst, target)
        judgement = None
        if target or self._may_rise(cluster):
            judgement = self._judgement(cluster, burst if target else None)
            other = self._same_matter(cluster, judgement)
            if other is not None:
                changes.append(self._go_over(cluster, other))
                cluster, judgement = other, self._judgement(other)
            if self._rises_to(cluster, judgement):
                changes.append(self._change(cluster, judgement, alert=True))
        touched.pop(cluster.number, None)
        touched[cluster.number] = judgement
        return changes

    @property
    def live(self) -> int:
        """How many clusters it holds."""
        return len(self._index)

    def save(self) -> bytes:
        """All that the detector remembers; one of the same settings that loads it goes on as if nothing had been."""
        return pack(
            {
                "clusters": self._index.state(),
                "copies": self._copies.rows(),
                "counts": self._weights.counts,
                "texts": self._weights.texts,
                "volume": self._volume.state(),
                "areas": self._areas.state(),
                "cells": self._rises.cells.state(),
                "number": self._number,
                "now": self._now,
                "seen": list(self._seen),
                **self._told.state(),
                "decided": self._decided.state(),
            }
        )

    def load(self, state: bytes) -> None:
        """Forget everything and go on from a saved state. ValueError where the state is of an unknown version."""
        found = unpack(state)
        self._index = Index.from_state(found["clusters"], self.settings)
        self._copies = Copies()
        for key, name, mark in ((row[0], row[1], int(row[2])) for row in found["copies"]):
            self._copies.keep(key, mark, name)
        self._weights.counts, self._weights.texts = found["counts"], found["texts"]
        self._volume = Volume.from_state(found["volume"])
        self._areas = Areas.from_state(found["areas"], self.settings, self._volume)
        self._judge = Judge(self.settings, self._volume, self._weights.tells)
        self._number, self._now = found["number"], found["now"]
        self._seen = OrderedDict.fromkeys(found["seen"])
        self._told = Told.from_state(found, self.settings, self._index)
        self._decided = Decided.from_state(found.get("decided", {}))
        self._watch_cells(Cells.from_state(found.get("cells", {}), self.settings))

    def _watch_cells(self, cells: Cells) -> None:
        self._rises = Rises(self.settings, cells, self._volume.rhythm, self._told, self._decided)

    # one voice

    def _hear(self, said: Said, weighed: dict[str, float] | None) -> Cluster | None:
        if said.voice.id in self._seen:
            return None
        self._remember(said.voice.id)
        self._now = max(self._now, said.at)
        self._forget()
        cluster = self._original(said.key, said.mark)
        if cluster is not None:
            self._add(cluster, said, ())
            return cluster
        if weighed is None:
            weighed = self._weights.weigh(said.plain, said.matters)
        unit = self._weights.unit(weighed)
        return self._place(said, unit) if unit else None

    def _original(self, key: str, mark: int) -> Cluster | None:
        """The live cluster of the voice that this text copies."""
        name = self._copies.original(key, mark)
        return self._told.alive(int(name)) if name is not None else None

    def _place(self, said: Said, unit: dict[str, float]) -> Cluster:
        """The voice in the cluster it is most like, or as the first of a new one; or as a copy with other ends."""
        voice, live = said.voice, len(self._index)
        keys = [(voice.district, matter) for matter in sudden(unit)] if voice.district else []
        cluster = (self._told.of_area(keys, self._now) if keys else None) or self._index.nearest(unit, said.at)
        cluster = cluster or self._told.named_by(unit, self._weights.counts, self._now)
        cluster = self._decided.nearest(cluster, unit, self._index)
        if cluster is not None and cluster.repeats(said.head, self.settings.same):
            self._add(cluster, said, ())
            self._copies.keep(said.key, said.mark, str(cluster.number))
            return cluster
        channel = self._volume.channel(voice.channel)
        channel.hear(said.at, voice.negative, self.settings.window // STEP + 1)
        channel.look(live, joined=cluster is not None)
        self._volume.rhythm.hear(said.at)
        cluster = cluster or self._lead(said)
        cluster.remember(said, self.settings.heads)
        self._index.join(cluster, unit)
        self._add(cluster, said, tuple(unit))
        self._copies.keep(said.key, said.mark, str(cluster.number))
        for key in keys:
            mention = (said.at, voice.author, round(voice.negative, 3), voice.channel, cluster.number)
            self._areas.hear(key, mention)
        if voice.district:
            self._rises.hear(voice, said.at, voice.topic or matter_of(unit), cluster.number, self._now)
        return cluster

    def _add(self, cluster: Cluster, said: Said, terms: tuple[str, ...]) -> None:
        """A voice has terms, a copy has none."""
        voice = said.voice
        negative = round(voice.negative, 3)
        event = Event(said.at, voice.id, voice.author, not terms, voice.channel, voice.district, negative, terms)
        self._index.hear(cluster, event)

    def _lead(self, said: Said) -> Cluster:
        self._number += 1
        name = "issue-" + blake2b(said.voice.id.encode("utf-8", "replace"), digest_size=8).hexdigest()
        cluster = Cluster(self._number, name, first_at=said.at, last_at=said.at, faded_at=said.at)
        self._index.add(cluster)
        return cluster

    # levels

    def _judgement(self, cluster: Cluster, burst: Burst | None = None) -> Judgement:
        found = self._judge.judge(cluster, len(self._index))
        if burst is None or burst.chance >= found.chance:
            return found
        level = self._judge.grade(cluster, burst.chance)
        return found._replace(
            level=level, hours=burst.hours, voices=burst.voices, usual=burst.usual, chance=burst.chance,
            usual_long=burst.usual_long, pair=Pair(burst.key, 0.0), area=burst.key[0],
        )  # fmt: skip

    def _may_rise(self, cluster: Cluster) -> bool:
        """Whether any judgement could tell of it now; most voices change nothing, and judging is the dear part."""
        if self._told.is_held(cluster):
            return self._judge.may_rise(cluster)
        return self._judge.may_tell(cluster)

    def _stand(self, cluster: Cluster) -> Judgement:
        """How a cluster stands that could not be told: its level is set."""
        judgement = self._judgement(cluster)
        low = judgement.level if judgement.level not in LEVELS else "watch"
        cluster.level = cluster.told if self._told.is_held(cluster) else low
        return judgement

    def _rises_to(self, cluster: Cluster, judgement: Judgement) -> bool:
        """Sets the cluster's level; True where this must be told. What was told stays so for the cool-down, and is told
        again only when it rises."""
        level, chance = self._decided.weighed(cluster, judgement, self._judge, self.settings, self._now)
        if self._told.is_held(cluster):
            higher = level in LEVELS and LEVELS.index(level) > LEVELS.index(cluster.told or LEVELS[0])
            cluster.told = cluster.level = level if higher else cluster.told
            return higher
        cluster.level = level
        if level not in LEVELS:
            return False
        if not self._told.enough(chance, self._now):
            cluster.level = "watch"
            return False
        cluster.alerted_at, cluster.told = cluster.last_at, level
        cluster.area = self._area(cluster, judgement)
        self._told.add(self._now, cluster.number)
        return True

    def _area(self, cluster: Cluster, judgement: Judgement) -> Key | None:
        """District and sudden matter of what is told, where it has both."""
        found = sudden(judgement.pair.terms if judgement.pair else ())
        districts = cluster.events.named("district")
        return (districts[0], found[0]) if found and districts else None

    # one matter, several clusters

    def _burst(self, cluster: Cluster) -> Burst | None:
        """What the newest voice's district suddenly speaks of, if that is enough to tell and not told yet."""
        event = cluster.events.latest
        if event is None or event.copy or not event.district or self._told.is_held(cluster):
            return None
        found = [self._areas.burst((event.district, matter), self._now) for matter in sudden(event.terms)]
        enough = [burst for burst in found if burst is not None and self._told.enough(burst.chance, self._now)]
        return min(enough, key=lambda burst: burst.chance, default=None)

    def _gathering(self, burst: Burst) -> Cluster | None:
        """Where a burst's voices come together: its biggest cluster; None where half of them are in what is told."""
        found = [cluster for cluster in map(self._told.alive, burst.clusters) if cluster is not None]
        if 2 * sum(map(self._told.is_held, found)) >= len(found):
            return None
        about = [cluster for cluster in found if self._is_about(cluster, burst)]
        return max(about, key=lambda cluster: (cluster.members, -cluster.number), default=None)

    def _gather(self, burst: Burst, target: Cluster) -> list[IssueChange]:
        """The other clusters that speak mostly of a burst's matter go over to its biggest."""
        others = [self._index.get(number) for number in sorted(set(map(self._told.number_now, burst.clusters)))]
        gone = [other for other in others if other and other is not target and self._is_about(other, burst)]
        return [self._go_over(other, target) for other in gone if not self._decided.are_apart(other, target)]

    def _is_about(self, cluster: Cluster, burst: Burst) -> bool:
        """Not told yet, mostly of the burst's district, and half its voices speak of the burst's matter."""
        district, matter = burst.key
        here = district in cluster.events.named("district")[:1]
        return here and not self._told.is_held(cluster) and 2 * cluster.held(matter) >= cluster.members

    def _carrier(self, people: Sequence[tuple[str, int]]) -> Carrier | None:
        """The issue in which half of these people (with the clusters they came to last) speak: one that was told, or
        of those clusters one that stands on the board by itself."""
        told = [cluster for cluster in self._told.newest() if self._told.is_held(cluster)]
        known = Counter(one.number for author, _ in people if (one := _where(author, told)) is not None)
        if known and 2 * known.total() >= len(people):
            return self._carried_by(max(told, key=lambda one: known[one.number]))
        number, count = Counter(self._told.number_now(number) for _, number in people).most_common(1)[0]
        cluster = self._index.get(number)
        if cluster is None or 2 * count < len(people) or not self._judge.may_watch(cluster):
            return None
        return self._carried_by(cluster) if self._judgement(cluster).level else None

    def _carried_by(self, cluster: Cluster) -> Carrier:
        return Carrier(cluster.name, partial(self._named, cluster), self._told.is_held(cluster))

    def _named(self, cluster: Cluster) -> str:
        return self._title(cluster, self._judgement(cluster))

    def _same_matter(self, cluster: Cluster, judgement: Judgement) -> Cluster | None:
        """For a cluster that would tell: one that has told already and shares a name and more, or half the carriers."""
        if judgement.level not in LEVELS or self._told.is_held(cluster):
            return None
        ours = self._signs(cluster)
        for other in self._told.newest():
            if other is cluster or other.last_at < self._now - self.settings.window_days * DAY:
                continue
            if self._decided.are_apart(cluster, other):
                continue
            common = ours & self._signs(other)
            if len(common) * 2 >= len(ours) or (len(common) > 1 and any(map(self._weights.is_name, common))):
                return other
        return None

    def _signs(self, cluster: Cluster) -> set[str]:
        return set(cluster.carriers())

    def _go_over(self, cluster: Cluster, other: Cluster) -> IssueChange:
        """The cluster's voices become the other's; the last word on it."""
        self._index.merge(cluster, other)
        self._told.went_over(cluster.number, other.number)
        self._decided.went_over(cluster.number, other.number)
        cluster.level = None
        cluster.events.clear()
        gone = self._change(cluster, self._judgement(cluster), alert=False)
        return merged(gone, self._title(other, self._judgement(other)), other.name)

    def _title(self, cluster: Cluster, judgement: Judgement) -> str:
        carriers = [*(judgement.pair.terms if judgement.pair else ()), *cluster.carriers()[:4]]
        return title_of([line for _, line in cluster.lines], carriers)

    def _change(self, cluster: Cluster, judgement: Judgement, *, alert: bool) -> IssueChange:
        pair = judgement.pair.terms if judgement.pair else ()
        doubt = self._decided.doubt_of(judgement.pair, self._now)
        change = IssueChange(
            issue=cluster.name,
            at=_moment(cluster.last_at),
            level=cluster.level,
            alert=alert,
            title=self._title(cluster, judgement),
            voices=cluster.events.people,
            copies=cluster.events.copies,
            negative=cluster.events.unhappy,
            channels=cluster.events.named("channel"),
            districts=cluster.events.named("district"),
            usual=round(judgement.usual_long, 3),
            chance=judgement.chance,
            terms=tuple(dict.fromkeys([*pair, *cluster.carriers()]))[:CARRIERS],
            reply_ids=cluster.untold(self.settings.ids),
            first_at=_moment(cluster.first_at),
            explanation="",
            doubt=doubt.number if doubt else 0,
        )
        return explain(change, judgement, self.settings)

    # memory

    def _remember(self, voice: str) -> None:
        self._seen[voice] = None
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _forget(self) -> None:
        """Drop clusters silent for long, the most silent of too many, and alerts older than their pause."""
        self._told.forget(self._now, self._index.forget(self._now))


@lru_cache(maxsize=1)
def _demo_words() -> Words:
    """The words of the demo city, made once per process."""
    return Words(office_dictionary(None))


def _where(author: str, clusters: Sequence[Cluster]) -> Cluster | None:
    """The first of these in which this person speaks."""
    return next((cluster for cluster in clusters if cluster.events.hears(author)), None)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
