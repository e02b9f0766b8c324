"""Deciding (归并、拆分、误报、属实): the cluster detector that obeys people; what it remembers of them is decided's."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from nlp.contract import IssueChange, Voice
from nlp.copies import Copies, marks_of
from nlp.detectors.cluster import Cluster
from nlp.detectors.clusters import Detector
from nlp.detectors.decided import Decision
from nlp.detectors.settings import LEVELS, ClusterSettings
from nlp.detectors.window import Window
from nlp.normal import letters, normalise


class Deciding(Detector):
    """The cluster detector with the ear of its office: decisions come in order among the voices, each once."""

    @property
    def decided(self) -> int:
        """The number of the last decision carried out."""
        return self._decided.number

    def decide(self, decision: Decision) -> list[IssueChange]:
        """What changed by it; nothing where it was carried out before, or where what it names is no longer there."""
        if decision.number <= self._decided.number:
            return []
        self._decided.number = decision.number
        if decision.kind == "merge":
            return self._merge(decision)
        if decision.kind == "split":
            return self._split(decision)
        if decision.kind == "doubt" and decision.until is not None:
            self._decided.doubt(decision.number, decision.pair, int(decision.until.timestamp() * 1000))
        elif decision.kind == "trust":
            self._decided.trust(decision.pair)
        return []

    def _merge(self, decision: Decision) -> list[IssueChange]:
        cluster, other = self._index.named(decision.issue), self._index.named(decision.into)
        if cluster is None or other is None or cluster is other:
            return []
        self._hand_on(cluster, other)
        return [self._go_over(cluster, other), *self._looked_at(other)]

    def _split(self, decision: Decision) -> list[IssueChange]:
        cluster = self._index.named(decision.issue)
        ids = {voice.id for voice in decision.voices}
        if cluster is None or self._index.named(decision.into) is not None or not _parts(cluster, ids):
            return []
        self._number += 1
        new = Cluster(self._number, decision.into, first_at=0, last_at=0)
        self._index.part(cluster, new, lambda old, fresh: part(old, fresh, decision.voices, self.settings))
        self._point_copies(cluster, new, decision.voices)
        if self._told.is_held(cluster):
            new.alerted_at, new.told, new.level = cluster.alerted_at, cluster.told, cluster.told
        self._decided.keep_apart(cluster.number, new.number, self._index)
        return [*self._looked_at(cluster), *self._looked_at(new)]

    def _looked_at(self, cluster: Cluster) -> list[IssueChange]:
        """The alert that the new numbers make, and the issue as it is now."""
        judgement = self._judgement(cluster)
        told = [self._change(cluster, judgement, alert=True)] if self._rises_to(cluster, judgement) else []
        return [*told, self._change(cluster, judgement, alert=False)]

    def _hand_on(self, cluster: Cluster, other: Cluster) -> None:
        """What was told of the one is told of the other, and its pause holds."""
        told = [each for each in (cluster, other) if self._told.is_held(each)]
        if told:
            other.alerted_at = max(each.alerted_at or 0 for each in told)
            other.told = max((each.told or LEVELS[0] for each in told), key=LEVELS.index)
            other.area = other.area or cluster.area

    def _point_copies(self, cluster: Cluster, new: Cluster, voices: Sequence[Voice]) -> None:
        """Copies of the voices that left will come to where these went."""
        moved = {marks_of(normalise(voice.text))[0] for voice in voices}
        copies = Copies()
        for key, name, mark in self._copies.rows():
            here = key in moved and self._told.number_now(int(name)) == cluster.number
            copies.keep(key, mark, str(new.number) if here else name)
        self._copies = copies


def _parts(cluster: Cluster, ids: Collection[str]) -> bool:
    """Whether these ids leave voices on both sides."""
    sides = {event.id in ids for event in cluster.events if not event.copy}
    return len(sides) == 2


def part(cluster: Cluster, new: Cluster, voices: Sequence[Voice], settings: ClusterSettings) -> None:
    """These voices leave the cluster for a new one, with what they weigh in it: of each term, the mean of its holders.

    What is usual for the matter, its past, stays where it is.
    """
    ids = {voice.id for voice in voices}
    mean = {term: weight / cluster.held(term) for term, weight in cluster.vector.items()}
    moved = [event for event in cluster.events if event.id in ids]
    for event in moved:
        if not event.copy:
            unit = {term: mean[term] for term in event.terms if term in mean}
            new.join(unit, settings.terms_per_cluster)
            _take_out(cluster, unit)
    cluster.norm = math.sqrt(sum(weight * weight for weight in cluster.vector.values()))
    cluster.reckon_anew()
    new.events = Window(moved)
    cluster.events = Window(event for event in list(cluster.events) if event.id not in ids)
    cluster.fresh, new.fresh = len(cluster.events), len(new.events)
    cluster.shown = new.shown = True
    new.lines = [line for line in cluster.lines if line[0] in ids]
    cluster.lines = [line for line in cluster.lines if line[0] not in ids]
    heads = [letters(normalise(voice.text)) for voice in voices]
    new.heads = [head for head in cluster.heads if head in heads]
    cluster.heads = [head for head in cluster.heads if head not in heads]
    _date(cluster, new)


def _take_out(cluster: Cluster, unit: dict[str, float]) -> None:
    cluster.members -= 1
    for term, weight in unit.items():
        left = cluster.held(term) - 1
        cluster.holders.pop(term, None)
        if left > 1:
            cluster.holders[term] = left
        if left:
            cluster.vector[term] -= weight
        else:
            del cluster.vector[term]


def _date(cluster: Cluster, new: Cluster) -> None:
    """First and last words of both, by the events that each has now."""
    new.first_at = new.faded_at = new.events.oldest().at
    new.last_at = max(event.at for event in new.events)
    cluster.last_at = max(event.at for event in cluster.events)
    if not cluster.past:
        cluster.first_at = cluster.events.oldest().at
