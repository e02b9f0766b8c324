"""One cluster (苗头): who said it when, its terms, what is usual for it; which text joins it is decided in clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from nlp.detectors.said import Said
from nlp.detectors.settings import DAY, ClusterSettings
from nlp.detectors.window import Event, Window

SHORT = 120  # letters up to which a voice's wording is kept to know its copies by; longer ones have a mark of their own
CARRIERS = 8  # terms that stand for a cluster
_PIECE = 3
_SAMPLES = 5  # and one more pieces of a wording are looked for before all are compared
_SHORTEST = 12  # letters: below this people use the same words without copying


@dataclass
class Cluster:
    """Texts about one matter. `vector`: the sum of its voices' unit vectors; `holders`: how many voices hold a term,
    where more than one does (most clusters are one voice, and most terms one voice's)."""

    number: int
    name: str
    first_at: int
    last_at: int
    lines: list[tuple[str, str]] = field(default_factory=list)  # ids and first lines of voices, for the title
    heads: list[str] = field(default_factory=list)
    vector: dict[str, float] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)
    members: int = 0
    events: Window = field(default_factory=Window)
    past: float = 0.0  # voices older than the window, faded
    past_windows: float = 0.0  # windows they come from, faded alike
    faded_at: int = 0
    level: str | None = None
    alerted_at: int | None = None
    told: str | None = None  # the highest level told within the cool-down
    norm: float = 0.0
    shown: bool = False  # stood on the board when it was last spoken of
    fresh: int = 0  # events since then
    area: tuple[str, str] | None = None  # district and sudden matter that this issue was told about
    _shared: list[str] | None = field(init=False, repr=False, compare=False)
    _carriers: list[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.reckon_anew()

    def join(self, unit: dict[str, float], limit: int) -> None:
        """Another voice's terms; only the heaviest `limit` are kept."""
        self.reckon_anew()
        self.members += 1
        vector, holders, square = self.vector, self.holders, self.norm * self.norm
        for term, weight in unit.items():
            before = vector.get(term)
            if before:
                vector[term] = now = before + weight
                holders[term] = holders.get(term, 1) + 1
                square += now * now - before * before
            else:
                vector[term] = weight
                square += weight * weight
        self.norm = math.sqrt(square)
        if len(vector) > limit * 2:
            self._trim(limit)

    def absorb(self, other: Cluster, settings: ClusterSettings) -> None:
        """Another cluster about the same matter: its voices, terms and past become this one's."""
        self.reckon_anew()
        self.members += other.members
        for term, weight in other.vector.items():
            if term in self.vector or term in other.holders:
                self.holders[term] = self.held(term) + other.held(term)
            self.vector[term] = self.vector.get(term, 0.0) + weight
        self._trim(settings.terms_per_cluster)
        self.first_at, self.last_at = min(self.first_at, other.first_at), max(self.last_at, other.last_at)
        self.past, self.past_windows = self.past + other.past, max(self.past_windows, other.past_windows)
        merged = sorted([*self.events, *other.events], key=lambda event: event.at)
        self.events = Window(merged[-settings.events :])
        self.lines = (self.lines + other.lines)[: settings.heads]
        self.heads = (self.heads + other.heads)[-settings.heads :]
        self.fresh = len(self.events)

    def _trim(self, limit: int) -> None:
        """Of too many terms only the heaviest stay."""
        if len(self.vector) > limit * 2:
            kept = sorted(self.vector, key=lambda term: (-self.vector[term], term))[:limit]
            self.vector = {term: self.vector[term] for term in kept}
            self.holders = {term: self.holders[term] for term in kept if term in self.holders}
        self.norm = math.sqrt(sum(weight * weight for weight in self.vector.values()))

    def add(self, event: Event, settings: ClusterSettings) -> int:
        """Another voice or copy at its time; those that leave the window become the past. How many more it holds."""
        held, at = self.events.held, event.at
        before = len(held)
        self.events.add(event)
        self.fresh += 1
        if at < self.first_at:
            self.first_at = at
        if at > self.last_at:
            self.last_at = at
        if self.last_at - settings.window > self.first_at or self.first_at > self.faded_at:
            self._age(settings)
        while len(held) > settings.events:
            self.events.drop()
        return len(held) - before

    def _age(self, settings: ClusterSettings) -> None:
        """Fade the past by its half-life and move into it what is older than the window."""
        held, since = self.events.held, self.last_at - settings.window
        start = max(self.first_at, since)
        if start > self.faded_at:
            fade = 0.5 ** ((start - self.faded_at) / (settings.half_life_days * DAY))
            self.past *= fade
            self.past_windows = self.past_windows * fade + (start - self.faded_at) / settings.window
            self.faded_at = start
        while held and held[0].at < since:
            self.past += not self.events.drop().copy

    def own_rate(self) -> float:
        """Voices that a long window of this cluster has had as a rule."""
        return self.past / (1.0 + self.past_windows)

    def voices(self) -> list[Event]:
        """The newest event of each person in the window who did not merely copy, the one longest silent first."""
        return self.events.voices()

    def repeats(self, head: str, least: float) -> bool:
        """The wording is nearly that of a voice heard lately, longer or shorter by a word or two."""
        if not _SHORTEST <= len(head) <= SHORT:
            return False
        size, shortest = len(head) - _PIECE + 1, least * (len(head) - _PIECE + 1)
        sizes = [len(other) - _PIECE + 1 for other in self.heads]  # what is nearly the same is about as long
        near = [other for other, its in zip(self.heads, sizes, strict=True) if its >= shortest and size >= least * its]
        if not near:
            return False
        samples = _samples(head)
        near = [other for other in near if any(map(other.__contains__, samples))]
        pieces = _pieces(head) if near else set()
        return any(_alike(pieces, _pieces(other)) >= least for other in near)

    def remember(self, said: Said, keep: int) -> None:
        """The wording and the first line of a voice; the first lines stay, the wordings are the newest."""
        if len(said.head) <= SHORT:
            self.heads.append(said.head)
            del self.heads[:-keep]
        if len(self.lines) < keep:
            self.lines.append((said.voice.id, said.line()))

    def untold(self, least: int) -> tuple[str, ...]:
        """The newest ids, `least` of them or all since they were last told; they are told now."""
        count, self.fresh = max(least, self.fresh), 0
        return self.events.ids(count)

    def held(self, term: str) -> int:
        """How many voices hold a term."""
        return self.holders.get(term) or int(term in self.vector)

    def shared(self, least: float) -> list[str]:
        """Terms that at least this share of the voices hold, and more than one does, the strongest first."""
        if self._shared is None:
            need = max(2.0, least * self.members)
            found = [term for term, count in self.holders.items() if count >= need]
            self._shared = sorted(found, key=self._strength)
        return self._shared

    def shares(self, least: float) -> bool:
        """Whether there are two such terms."""
        if self._shared is not None:
            return len(self._shared) > 1
        need, found = max(2.0, least * self.members), 0
        for count in self.holders.values():
            if count >= need:
                found += 1
                if found > 1:
                    return True
        return False

    def carriers(self) -> list[str]:
        """The strongest terms that more than one voice holds, CARRIERS at most."""
        if self._carriers is None:
            self._carriers = nsmallest(CARRIERS, self.holders or self.vector, key=self._strength)
        return self._carriers

    def _strength(self, term: str) -> tuple[float, str]:
        return -self.vector[term], term

    def reckon_anew(self) -> None:
        """Its terms have changed: what was worked out from them holds no more."""
        self._shared = self._carriers = None

    def state(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        kept = {name: value for name, value in self.__dict__.items() if name != "events" and name[0] != "_"}
        return {**kept, "events": [event.row() for event in self.events]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Cluster:
        """The cluster that gave this state."""
        lines = [(row[0], row[1]) for row in state["lines"]]
        area = (state["area"][0], state["area"][1]) if state["area"] else None
        events = Window(Event.from_row(row) for row in state["events"])
        return cls(**{**state, "lines": lines, "area": area, "events": events})


def _pieces(head: str) -> set[str]:
    return {head[at : at + _PIECE] for at in range(len(head) - _PIECE + 1)}


def _samples(head: str) -> tuple[str, ...]:
    """Pieces from all over a wording: some of them stands in one that is nearly the same."""
    last = len(head) - _PIECE
    return tuple(head[last * part // _SAMPLES : last * part // _SAMPLES + _PIECE] for part in range(_SAMPLES + 1))


def _alike(one: set[str], other: set[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0
