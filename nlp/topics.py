"""Topics (主题): which node of a tree a text belongs to, by the tree's names alone or by a model; no learning."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from nlp.finder import Finder, Match
from nlp.joined import Joined
from nlp.topic_model import TopicModel
from nlp.topic_tree import Tree, civic_tree

LEAST = 1.0  # evidence below which a text is left without a topic: many comments are about nothing in particular
LEAST_TITLED = 0.25  # the same for a text with a title: a letter is about something
LEAST_BELOW = 0.5  # the same for a node below the first level
LEAST_LEARNT = -0.7  # a model's score (a certain no is -1, a certain yes 1) below which it knows nothing
BESIDE = 0.6  # what the names say together, beside a model's score
LEAST_READ = 60  # characters from which a text without a title says enough for a model; shorter ones go by names
_PART = 0.25  # what a piece of a name says, beside the whole name
_MIDDLE = 0.7  # what the name of a level between says
_OF_ABOVE = 0.5  # what the level above says for a node that something speaks for
_LOOKED_AT = 600  # characters
_EARLY = 40  # the first words of a text without a title
_TITLE, _FIRST, _LATER = 4.0, 1.0, 0.6
_LONGEST_TITLE = 60
_JOINT = re.compile("[与和及或的、，（）()／ ]")  # a pair across one of these is no piece of a word
_Hits = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Route:
    """Where a text belongs: the first level, and the deepest node that something speaks for (perhaps the same)."""

    branch: str
    topic: str


@dataclass(frozen=True)
class _Sign:
    """What a name, or a pair of its characters, says: for first levels, and for nodes."""

    branches: _Hits
    nodes: _Hits


class Topics:
    """A tree made ready: every whole name, and every pair of characters in one, points to where it stands."""

    def __init__(self, tree: Tree, model: TopicModel | None = None) -> None:
        """A model of another tree is refused by `TopicModel.fits`; whoever loads one asks."""
        self.tree = tree
        self.model = model
        self._topics = tree.topics
        numbers = {name: number for number, name in enumerate(tree.branches)}
        self._of = [numbers[topic.branch] for topic in tree.topics]
        at = {topic.path: number for number, topic in enumerate(tree.topics)}
        self._above = [at[topic.path[:-1]] if len(topic.path) > 2 else -1 for topic in tree.topics]
        signs = self._made()
        self._signs = tuple(signs.values())
        self._finder = Finder(signs, overlapping=True)

    def _made(self) -> dict[str, _Sign]:
        spoken: dict[str, dict[int, float]] = {}
        pieces: dict[str, dict[int, float]] = {}
        inner = {topic.path[:-1] for topic in self._topics}
        for number, topic in enumerate(self._topics):
            if topic.is_rest:
                continue
            weight = _MIDDLE if len(topic.path) == 2 and topic.path in inner else 1.0
            for name in dict.fromkeys((topic.path[-1], *topic.names)):
                if len(name) >= 2:
                    spoken.setdefault(name, {})[number] = weight
                for at in range(len(name) - 1):
                    if not _JOINT.search(name[at : at + 2]):
                        pieces.setdefault(name[at : at + 2], {})[number] = 1.0
        made: dict[str, _Sign] = {}
        for sign in {**spoken, **pieces}:
            whole, part = spoken.get(sign, {}), pieces.get(sign, {})
            made[sign] = _Sign(self._for_branches(sign, whole, part), _for_nodes(sign, whole, part))
        return made

    def _for_branches(self, sign: str, whole: dict[int, float], part: dict[int, float]) -> _Hits:
        """A name says more the longer it is and the fewer first levels share it; a piece is shared out by how often
        each uses it."""
        said: dict[int, float] = {}
        used: dict[int, set[str]] = {}
        for number, weight in whole.items():
            branch = self._of[number]
            said[branch] = max(said.get(branch, 0.0), weight)
        said = {branch: weight * math.sqrt(len(sign) / 2) / len(said) for branch, weight in said.items()}
        for number in part:
            used.setdefault(self._of[number], set()).add(self._topics[number].path[-1])
        total = sum(map(len, used.values()))
        for branch, names in used.items():
            said[branch] = max(said.get(branch, 0.0), _PART * len(names) / total)
        return tuple(sorted(said.items()))

    def _said(self, found: Iterable[Match], title: int) -> list[tuple[_Sign, float]]:
        """The signs that stand in a text, with what each counts.

        A sign counts once: most where the title has it, less the later it stands in a long text.
        """
        said: dict[int, float] = {}
        for sign, at, end in sorted(found, key=itemgetter(1, 2)):
            if end <= title + _LOOKED_AT and sign not in said:
                said[sign] = _TITLE if at < title else _FIRST if at - title < _EARLY else _LATER
        return [(self._signs[sign], weight) for sign, weight in said.items()]

    def route(self, plain: str, title: int = 0) -> Route | None:
        """Where a normalised text belongs, or None where too little speaks for anything. `title`: how many characters
        at the beginning are one."""
        return self.route_many(Joined([plain]), [title])[0]

    def route_many(self, joined: Joined, titles: Sequence[int]) -> list[Route | None]:
        """The same of each text."""
        found = self._finder.by_text(joined)
        routes: list[Route | None] = [None] * len(joined)
        for text, (plain, title) in enumerate(zip(joined.texts, titles, strict=True)):
            model = self.model if title or len(plain) >= LEAST_READ else None
            if model or text in found:
                routes[text] = self._route(plain, title, found.get(text, ()), model)
        return routes

    def _route(self, plain: str, title: int, found: Sequence[Match], model: TopicModel | None) -> Route | None:
        said = self._said(found, title)
        first = [0.0] * len(self.tree.branches)
        for sign, weight in said:
            for branch, share in sign.branches:
                first[branch] += share * weight
        learnt = _beside(model.scores(plain, title).tolist(), first) if model else None
        if learnt is None and max(first, default=0.0) < (LEAST_TITLED if title else LEAST):
            return None
        scores = first if learnt is None else learnt
        branch = scores.index(max(scores))
        return Route(self.tree.branches[branch], self._deepest(branch, _of_nodes(said)))

    def _deepest(self, branch: int, nodes: dict[int, float]) -> str:
        """The node of this first level that most speaks for; what is above a node speaks for it too."""
        best, most = self.tree.branches[branch], LEAST_BELOW
        for node in sorted(nodes):
            if self._of[node] == branch and len(self._topics[node].path) > 1:
                evidence = nodes[node] + _OF_ABOVE * nodes.get(self._above[node], 0.0)
                if evidence > most:
                    best, most = self._topics[node].name, evidence
        return best


def _of_nodes(said: Iterable[tuple[_Sign, float]]) -> dict[int, float]:
    """Evidence by number of node."""
    nodes: dict[int, float] = {}
    for sign, weight in said:
        for node, share in sign.nodes:
            nodes[node] = nodes.get(node, 0.0) + share * weight
    return nodes


def _beside(found: list[float], first: list[float]) -> list[float] | None:
    """What a model says, with what the names say beside it; None where neither knows anything of the text."""
    if max(first) < LEAST_TITLED and max(found) < LEAST_LEARNT:
        return None
    scale = BESIDE / (math.sqrt(sum(share * share for share in first)) or 1.0)
    return [score + share * scale for score, share in zip(found, first, strict=True)]


def _for_nodes(sign: str, whole: dict[int, float], part: dict[int, float]) -> _Hits:
    """The same for nodes: a sign is worth less the more nodes share it."""
    said = {number: _PART / len(part) for number in part}
    for number, weight in whole.items():
        said[number] = max(said.get(number, 0.0), weight * math.sqrt(len(sign) / 2) / len(whole))
    return tuple(sorted(said.items()))


def title_length(text: str, plain: str) -> int:
    """How many characters of the normalised text are its title: a short first line with more under it, else none."""
    line, more, _ = text.partition("\n")
    size = len(line.strip())
    return min(size, len(plain)) if more and 0 < size <= _LONGEST_TITLE and len(plain) > size else 0


@lru_cache(maxsize=1)
def civic_topics() -> Topics:
    """The tree written for this project, made ready once per process."""
    return Topics(civic_tree())

