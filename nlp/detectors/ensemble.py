"""Ensemble: the detectors of one stream as one, with one state, so that no crash can part what they heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nlp.contract import IssueChange, Voice
from nlp.detectors.decided import Decision
from nlp.detectors.deciding import Deciding
from nlp.detectors.watchwords import WatchWord, WatchWords

_MARK = b"ens1"  # a saved state without it is the cluster detector's alone


class Ensemble:
    """苗头 and 关注词 over the same voices. Feed it in order of time; one object belongs to one thread."""

    def __init__(self, make: Callable[[], Deciding] = Deciding) -> None:
        self._clusters = make()
        self._words = WatchWords()

    @property
    def decided(self) -> int:
        """The number of the last decision carried out."""
        return self._clusters.decided

    def decide(self, decision: Decision) -> list[IssueChange]:
        """What changed by a person's decision."""
        return self._clusters.decide(decision)

    def use(self, words: Iterable[WatchWord]) -> None:
        """From now on these watch words, and no others."""
        self._words.use(words)

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        """What changed by these voices: of the clusters, then of the watch words."""
        return [*self._clusters.take(voices), *self._words.take(voices)]

    def save(self) -> bytes:
        """Both states; what loads them goes on as if nothing had been."""
        clusters = self._clusters.save()
        return _MARK + len(clusters).to_bytes(8, "big") + clusters + self._words.save()

    def load(self, state: bytes) -> None:
        """Go on from a saved state, also from one of the clusters alone."""
        if not state.startswith(_MARK):
            self._clusters.load(state)
            return
        start = len(_MARK) + 8
        end = start + int.from_bytes(state[len(_MARK) : start], "big")
        self._clusters.load(state[start:end])
        self._words.load(state[end:])
