"""The lexicon (情感词表): own words with their class, found longest first; what a class weighs is learned elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from nlp.finder import Finder
from nlp.joined import Joined, Places

# 骂, 责, 哀惧, 反问与反话, 夸, 办事与事实, 否定, 程度, 表情 (tear: moved as often as sad), 呼吁, 受害与损坏
CLASSES = (
    "anger",
    "blame",
    "grief",
    "doubt",
    "praise",
    "fact",
    "negator",
    "strong",
    "smile",
    "frown",
    "tear",
    "call",
    "harm",
)
_NEGATOR = CLASSES.index("negator")
_REACH = 1  # letters that may stand between a negator and the word it turns round


@dataclass(frozen=True, slots=True)
class Hits:
    """Words of the lexicon in many texts, in their order, as arrays: the text, the word and its class by number, and
    whether a negator turns it round."""

    owners: Places
    words: Places
    kinds: Places
    negated: NDArray[np.bool_]


class Lexicon:
    """Words by class."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self.classes = {word: CLASSES.index(kind) for word, kind in entries}
        self.words = tuple(self.classes)
        self._kinds = np.array(list(self.classes.values()), dtype=np.intp)
        self._finder = Finder(self.words)

    def find(self, joined: Joined) -> Hits:
        """The words of each text in order, without overlap, the longest first at each place."""
        words, starts, ends = self._finder.find(joined.text)
        kinds = self._kinds[words]
        return Hits(joined.owners[starts], words, kinds, _negated(joined.text, kinds, starts, ends))


def _negated(text: str, kinds: Places, starts: Places, ends: Places) -> NDArray[np.bool_]:
    """Whether the last negator before a word reaches it; over the end of a text none does."""
    negators = np.flatnonzero(kinds == _NEGATOR)
    reach = [end + _REACH if text[end].isalnum() else end for end in ends[negators].tolist()]
    last = np.searchsorted(negators, np.arange(len(kinds))) - 1  # of the negators, the one before each word
    return (last >= 0) & (starts <= np.array([-1, *reach])[last + 1])


def read_entries(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Lines `word<tab>class`; lines that begin with # are remarks. An unknown class is an error of the file."""
    entries = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            word, kind = line.rstrip("\n").split("\t")
            if kind not in CLASSES:
                raise ValueError(f"情感词表里没有“{kind}”这一类")
            entries.append((word, kind))
    return entries


@lru_cache(maxsize=1)
def civic_lexicon() -> Lexicon:
    """The lexicon written for this project, read once per process."""
    text = (files("nlp") / "lexicon" / "civic.tsv").read_text(encoding="utf-8")
    return Lexicon(read_entries(text.splitlines()))
