"""Urgency words (紧急词表): own words of danger and of what takes it back, by class; what a class weighs is learned."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

# 塌落 火 气与毒 电 水 伤病 轻生 伤害 被困 失联 急救 动物 道路 设施, 聚众, 日子, 弱者, 缺; 眼下 求救; 已过 设想 别处
# 夸张 问 谢; 谁
CLASSES = (
    "fall", "fire", "gas", "elec", "water", "body", "self", "viol", "trap", "lost", "med", "beast", "road", "work",
    "crowd", "date", "weak", "lack", "now", "help", "over", "hypo", "else", "idiom", "ask", "thanks", "me",
)  # fmt: skip
NEAR = frozenset({"over", "hypo", "else", "idiom", "ask", "thanks"})  # these count from beside a clause, too
REACH = 40  # characters to each side that are beside it

Found = tuple[int, int, tuple[str, ...]]  # where a word begins and ends, and the tokens of its classes


class UrgencyWords:
    """Words by class. Finding costs one look per character and known length; words may overlap."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        classes: dict[str, tuple[str, ...]] = {}
        for word, kind in entries:
            classes[word] = (*classes.get(word, ()), chr(ord("a") + CLASSES.index(kind)))
        self.classes = classes
        lengths: dict[str, set[int]] = {}
        for word in classes:
            lengths.setdefault(word[:2], set()).add(len(word))
        self._lengths = {start: tuple(sorted(found)) for start, found in lengths.items()}

    def find(self, text: str) -> list[Found]:
        """The words in order of their beginning."""
        found: list[Found] = []
        for start, pair in enumerate(map(str.__add__, text, text[1:])):
            for length in self._lengths.get(pair, ()):
                kinds = self.classes.get(text[start : start + length])
                if kinds:
                    found.append((start, start + length, kinds))
        return found


_NEAR = frozenset(chr(ord("a") + CLASSES.index(kind)) for kind in NEAR)


def tokens(found: Iterable[Found], start: int, end: int) -> set[str]:
    """What the words say of the stretch: a token a class in it, and another for what stands beside it.

    A token begins with a control character, which no normalised text holds, so it is never taken for a run of
    characters.
    """
    said: set[str] = set()
    for first, last, kinds in found:
        if start <= first and last <= end:
            said.update("\x01" + kind for kind in kinds)
        elif start - REACH <= first and last <= end + REACH:
            said.update("\x02" + kind for kind in kinds if kind in _NEAR)
    return said


@lru_cache(maxsize=1)
def urgency_words() -> UrgencyWords:
    """The words written for this project, read once."""
    lines = (files("nlp") / "lexicon" / "urgency.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return UrgencyWords((word, kind) for word, kind in pairs)
