"""The cluster detector: voices in, changes of issues out, in the order given; no clock, no chance, no store.

Each text joins the live cluster it is most like (cosine over its strongest terms), or leads a new one. A copy joins
the cluster of its original and counts as spread, never as a voice. A cluster whose distinct voices in the window are
too many for what is usual becomes yellow and tells once; a cool-down holds the next telling. The same voices in the
same order give the same alerts however they are cut into batches.

Memory: about 2 kB for each text of the last window, about 100 bytes for each term counted (bounded by
`texts_counted`), and `capacity` marks of copies; a million texts cost no more than the newest ones of them.
"""

from __future__ import annotations

import json
import math
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from nlp.contract import IssueChange, Voice
from nlp.copies import Copies, marks_of
from nlp.detectors.chance import tail
from nlp.detectors.cluster import DAY, Cluster, Event
from nlp.detectors.explaining import explain
from nlp.detectors.settings import ClusterSettings
from nlp.normal import normalise
from nlp.terms import Terms
from nlp.words import Words, office_dictionary

VERSION = 1
_TITLE = 40  # characters
_COMMON = 50.0  # texts that a fresh detector pretends to have read, so that its first words are not all rare
_SEEN = 20_000  # ids remembered, against voices that are told twice


class Detector:
    """Finds issues among voices. Feed it in order of time; one object belongs to one thread."""

    def __init__(self, settings: ClusterSettings | None = None, words: Words | None = None) -> None:
        self.settings = settings or ClusterSettings()
        self._words = words or Words(office_dictionary(None))
        self._terms = Terms(self._words)
        self._clusters: OrderedDict[int, Cluster] = OrderedDict()  # the one longest silent first
        self._where: dict[str, dict[int, float]] = {}  # term -> clusters that hold it, and what it weighs there
        self._copies = Copies()
        self._counts: dict[str, int] = {}
        self._texts = 0
        self._number = 0
        self._now = 0
        self._seen: OrderedDict[str, None] = OrderedDict()

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        """What changed by these voices: every alert as it was when raised, then each touched issue as it is now."""
        alerts: list[IssueChange] = []
        touched: dict[int, Cluster] = {}
        for voice in voices:
            cluster = self._hear(voice)
            if cluster is not None:
                touched[cluster.number] = cluster
                if self._rises(cluster):
                    alerts.append(self._change(cluster, alert=True))
        now = [self._change(cluster, alert=False) for cluster in touched.values() if len(cluster.events) > 1]
        return alerts + now

    def save(self) -> bytes:
        """All that the detector remembers; one of the same settings that loads it goes on as if nothing had been."""
        state = {
            "version": VERSION,
            "clusters": [cluster.state() for cluster in self._clusters.values()],
            "copies": self._copies.rows(),
            "counts": self._counts,
            "texts": self._texts,
            "number": self._number,
            "now": self._now,
            "seen": list(self._seen),
        }
        return zlib.compress(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode(), 3)

    def load(self, state: bytes) -> None:
        """Forget everything and go on from a saved state. ValueError where the state is of another version."""
        found = json.loads(zlib.decompress(state))
        if found.get("version") != VERSION:
            raise ValueError(f"监测状态的版本是 {found.get('version')}，这一版只认 {VERSION}。请从留言重新监测。")
        clusters = [Cluster.from_state(row) for row in found["clusters"]]
        self._clusters = OrderedDict((cluster.number, cluster) for cluster in clusters)
        self._where = {}
        for cluster in clusters:
            self._point(cluster, cluster.vector)
        self._copies = Copies()
        for key, name, mark in ((row[0], row[1], int(row[2])) for row in found["copies"]):
            self._copies.keep(key, mark, name)
        self._counts, self._texts = found["counts"], found["texts"]
        self._number, self._now = found["number"], found["now"]
        self._seen = OrderedDict.fromkeys(found["seen"])

    # one voice

    def _hear(self, voice: Voice) -> Cluster | None:
        if voice.id in self._seen:
            return None
        self._remember(voice.id)
        at = int(voice.at.timestamp() * 1000)
        self._now = max(self._now, at)
        self._forget()
        plain = normalise(voice.text)
        key, mark = marks_of(plain)
        original = self._copies.original(key, mark)
        cluster = self._clusters.get(int(original)) if original is not None else None
        if cluster is not None:
            self._add(cluster, voice, at, copy=True)
            return cluster
        unit = self._unit(plain)
        if not unit:
            return None
        cluster, likeness = self._nearest(unit, at)
        cluster = cluster or self._lead(voice, at)
        self._join(cluster, unit, _first_line(voice.text), likeness)
        self._add(cluster, voice, at, copy=False)
        self._copies.keep(key, mark, str(cluster.number))
        return cluster

    def _add(self, cluster: Cluster, voice: Voice, at: int, *, copy: bool) -> None:
        event = Event(at, voice.id, voice.author, copy, voice.channel, voice.district, round(voice.negative, 3))
        cluster.add(event, self.settings)
        self._clusters.move_to_end(cluster.number)

    def _unit(self, plain: str) -> dict[str, float]:
        """The text's strongest terms as a vector of length one: rare in the language and in what people say here."""
        weighed = self._terms.weigh(self._words.cut(plain))
        for term in weighed:
            common = self._counts[term] = self._counts.get(term, 0) + 1
            here = math.log((self._texts + _COMMON) / (common + 1.0))
            place = self.settings.place_weight if self._terms.is_place(term) else 1.0
            weighed[term] *= max(0.05, here) * place
        self._texts += 1
        if self._texts > self.settings.texts_counted:
            self._texts //= 2
            self._counts = {term: count // 2 for term, count in self._counts.items() if count > 1}
        strongest = sorted(weighed, key=lambda term: (-weighed[term], term))[: self.settings.terms_per_text]
        length = math.sqrt(sum(weighed[term] ** 2 for term in strongest))
        return {term: weighed[term] / length for term in strongest} if length else {}

    def _nearest(self, unit: dict[str, float], at: int) -> tuple[Cluster | None, float]:
        """The live cluster most like the text, if it is like enough."""
        scores: dict[int, float] = {}
        get = scores.get
        for term, weight in unit.items():
            held = self._where.get(term)
            if held is None or len(held) > self.settings.crowded:
                continue
            for number, other in held.items():
                scores[number] = get(number, 0.0) + weight * other
        best, likeness = None, self.settings.likeness
        oldest = at - self.settings.window_days * DAY
        for number, score in scores.items():
            cluster = self._clusters[number]
            cosine = score / cluster.norm
            if (
                cosine >= likeness
                and cluster.last_at >= oldest
                and not (best and cosine == likeness and number > best.number)
            ):
                best, likeness = cluster, cosine
        return best, likeness

    def _lead(self, voice: Voice, at: int) -> Cluster:
        self._number += 1
        name = "issue-" + blake2b(voice.id.encode("utf-8", "replace"), digest_size=8).hexdigest()
        cluster = Cluster(self._number, name, first_at=at, last_at=at, faded_at=at)
        self._clusters[self._number] = cluster
        return cluster

    def _join(self, cluster: Cluster, unit: dict[str, float], line: str, likeness: float) -> None:
        before = cluster.vector
        cluster.join(unit, self.settings.terms_per_cluster)
        if cluster.vector is not before:  # it grew too long and was cut
            self._unpoint(cluster, {term for term in before if term not in cluster.vector})
        self._point(cluster, (term for term in unit if term in cluster.vector))
        if not cluster.title or likeness > cluster.title_likeness >= 0.0:
            cluster.title = line[:_TITLE] + ("…" if len(line) > _TITLE else "")
            cluster.title_likeness = 0.0 if cluster.members == 1 else likeness

    # levels

    def _rises(self, cluster: Cluster) -> bool:
        """Sets the cluster's level; True where this must be told."""
        voices = cluster.voices()
        cluster.level = self._level(cluster, voices)
        if cluster.level != "yellow":
            return False
        pause = self.settings.cool_down_days * DAY
        if cluster.alerted_at is not None and cluster.last_at - cluster.alerted_at < pause:
            return False
        cluster.alerted_at = cluster.last_at
        return True

    def _level(self, cluster: Cluster, voices: list[Event]) -> str | None:
        settings = self.settings
        if len(voices) < min(settings.watch_voices, settings.least_voices):
            return None
        kind = sum(event.negative for event in voices) / len(voices) < settings.kindly
        shared = len(_apart([term for term, share in cluster.carriers()[:12] if share >= settings.shared])) > 1
        chance = tail(len(voices), cluster.usual(settings), cluster.past_windows)
        if len(voices) >= settings.least_voices and chance < settings.chance and shared and not kind:
            return "yellow"
        return "watch"

    def _change(self, cluster: Cluster, *, alert: bool) -> IssueChange:
        voices = cluster.voices()
        usual = cluster.usual(self.settings)
        change = IssueChange(
            issue=cluster.name,
            at=_moment(cluster.last_at),
            level=cluster.level,
            alert=alert,
            title=cluster.title,
            voices=len(voices),
            copies=cluster.copies(),
            negative=sum(event.negative >= 0.5 for event in voices),
            channels=cluster.named("channel"),
            districts=cluster.named("district"),
            usual=round(usual, 2),
            chance=tail(len(voices), usual, cluster.past_windows),
            terms=tuple(term for term, _ in cluster.carriers()[:8]),
            reply_ids=tuple(event.id for event in cluster.events)[-self.settings.ids :],
            first_at=_moment(cluster.first_at),
            explanation="",
        )
        return explain(change, self.settings)

    # memory

    def _remember(self, voice: str) -> None:
        self._seen[voice] = None
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _forget(self) -> None:
        """Drop clusters that were silent for long, and the most silent where there are too many."""
        oldest = self._now - self.settings.forget_days * DAY
        while self._clusters:
            number, cluster = next(iter(self._clusters.items()))
            if cluster.last_at >= oldest and len(self._clusters) <= self.settings.clusters:
                return
            self._unpoint(cluster, set(cluster.vector))
            del self._clusters[number]

    def _point(self, cluster: Cluster, terms: Iterable[str]) -> None:
        for term in terms:
            self._where.setdefault(term, {})[cluster.number] = cluster.vector[term]

    def _unpoint(self, cluster: Cluster, terms: Iterable[str]) -> None:
        for term in terms:
            held = self._where.get(term, {})
            if held.pop(cluster.number, None) is not None and not held:
                del self._where[term]


def _apart(terms: list[str]) -> list[str]:
    """Of terms that lie in one another only the first: 南站 and 汽车南站 are one thing, 停水 is another."""
    kept: list[str] = []
    for term in terms:
        if not any(term in other or other in term for other in kept):
            kept.append(term)
    return kept


def _first_line(text: str) -> str:
    """What a person would read first: a letter's title, or the beginning of a comment."""
    return normalise(text.lstrip().split("\n", 1)[0], 4 * _TITLE) or normalise(text, 4 * _TITLE)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
