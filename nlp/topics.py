"""Topics (主题): routes a text by the names of a topic tree alone, so that it works on the first day; no learning."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

LEAST = 1.0  # evidence below which a text is left without a topic
_PART = 0.25  # what a piece of a name says, beside the whole name
_LOOKED_AT = 600  # characters
_EARLY = 40  # a title, or a first sentence
_Index = dict[str, set[int]]  # names to numbers of topics


@dataclass(frozen=True)
class Topic:
    """One leaf of the tree: the name of its branch, its own, and how people speak of it."""

    branch: str
    name: str
    names: tuple[str, ...]


def read_tree(lines: Iterable[str]) -> list[Topic]:
    """Lines `branch<tab>name<tab>names`; lines that begin with # are remarks."""
    rows = (line.rstrip("\n").split("\t") for line in lines if line.strip() and not line.startswith("#"))
    return [Topic(row[0], row[1], tuple(row[2].split()) if len(row) > 2 else ()) for row in rows]


class Topics:
    """A tree made ready: every whole name, and every pair of characters in one, points to its topics."""

    def __init__(self, tree: Iterable[Topic]) -> None:
        self.tree = tuple(tree)
        self.branches = {topic.name: topic.branch for topic in self.tree}
        spoken: dict[str, set[int]] = {}
        pieces: dict[str, set[int]] = {}
        for number, topic in enumerate(self.tree):
            for name in (topic.name, *topic.names):
                spoken.setdefault(name, set()).add(number)
                for at in range(len(name) - 1):
                    pieces.setdefault(name[at : at + 2], set()).add(number)
        self._signs = self._weighed(spoken, pieces)
        longer: dict[str, set[int]] = {}
        for sign in self._signs:
            longer.setdefault(sign[:2], set()).add(len(sign))
        self._lengths = {pair: tuple(sorted(lengths)) for pair, lengths in longer.items()}

    def _weighed(self, spoken: _Index, pieces: _Index) -> dict[str, tuple[tuple[int, float], ...]]:
        """A name says more the longer it is and the fewer topics share it."""
        signs: dict[str, dict[int, float]] = {}
        for index, share in ((pieces, _PART), (spoken, 1.0)):
            for sign, numbers in index.items():
                weight = share * math.sqrt(len(sign) / 2) / len(numbers)
                here = signs.setdefault(sign, {})
                here.update({number: max(here.get(number, 0.0), weight) for number in numbers})
        return {sign: tuple(sorted(found.items())) for sign, found in signs.items() if len(sign) >= 2}

    def scores(self, text: str) -> dict[int, float]:
        """Evidence by number of topic; a sign counts once, and less the later it stands in a long text."""
        text = text[:_LOOKED_AT]
        found: dict[int, float] = {}
        seen: set[str] = set()
        for at, lengths in enumerate(map(self._lengths.get, map(str.__add__, text, text[1:]))):
            for length in lengths or ():
                sign = text[at : at + length]
                hits = self._signs.get(sign)
                if hits is None or sign in seen:
                    continue
                seen.add(sign)
                early = 1.0 if at < _EARLY else 0.6
                for number, weight in hits:
                    found[number] = found.get(number, 0.0) + weight * early
        return found

    def route(self, text: str) -> str | None:
        """The topic's name, or None where too little speaks for any."""
        found = self.scores(text)
        if not found:
            return None
        best = max(found, key=lambda number: (found[number], -number))
        return self.tree[best].name if found[best] >= LEAST else None


@lru_cache(maxsize=1)
def civic_topics() -> Topics:
    """The tree written for this project, read once per process."""
    text = (files("nlp") / "lexicon" / "topics.tsv").read_text(encoding="utf-8")
    return Topics(read_tree(text.splitlines()))
