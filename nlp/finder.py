"""Finder (查找): where known words stand in a text, found in one look whatever their number; the only room of
ahocorasick_rs. What a word means is for whoever asks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import chain

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind

from nlp.joined import Joined, Places

Match = tuple[int, int, int]  # number of the word, where it begins and ends
_HALF = str.maketrans(dict.fromkeys(range(0xD800, 0xE000), "\x00"))  # half characters are none, and no word holds one


class Finder:
    """Words made ready for finding; never changed after it is made. Words are numbered in the order they were given."""

    def __init__(self, words: Iterable[str], *, overlapping: bool = False) -> None:
        """The longest word at each place and then what follows it, or with `overlapping` every word there is."""
        words = list(words)
        kind = MatchKind.Standard if overlapping else MatchKind.LeftmostLongest
        self._automaton = AhoCorasick(words, matchkind=kind) if words else None
        self._overlapping = overlapping

    def matches(self, text: str) -> list[Match]:
        """Where words stand, in order of their ends."""
        if self._automaton is None:
            return []
        try:
            found: list[Match] = self._automaton.find_matches_as_indexes(text, overlapping=self._overlapping)
        except UnicodeEncodeError:
            return self.matches(text.translate(_HALF))
        return found

    def find(self, text: str) -> tuple[Places, Places, Places]:
        """The same as three arrays: numbers of words, beginnings, ends."""
        found = self.matches(text)
        flat = np.fromiter(chain.from_iterable(found), np.intp, 3 * len(found))
        return flat[::3], flat[1::3], flat[2::3]

    def by_text(self, joined: Joined) -> dict[int, list[Match]]:
        """The same for each text that holds a word, by its number and in its own places."""
        found: dict[int, list[Match]] = {}
        starts = joined.starts.tolist()
        for word, start, end in self.matches(joined.text):
            text = bisect_right(starts, start) - 1
            found.setdefault(text, []).append((word, start - starts[text], end - starts[text]))
        return found
