"""Shown terms (主题词): of many texts at once the terms that nlp.terms shows of each; how words weigh is told there.

In a text that says no two characters twice, words need not be compared: a term stands inside another one where its
place does. What does say something twice is left to nlp.terms, text by text.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from nlp.joined import Joined, Places
from nlp.places import LAST, looks_like_place
from nlp.term_words import BEGINS, CODE, ENDS, OTHER_NAME, READABLE, SORT_OF_PLACE, TermWords
from nlp.terms import PLACED, SHOWN, TOGETHER, Terms
from nlp.words import Words

Mask = NDArray[np.bool_]
Weights = NDArray[np.float64]
_LAST = np.array(sorted(map(ord, LAST)))


class ShownTerms:
    """Cuts texts and names their strongest terms."""

    def __init__(self, words: Words, terms: Terms) -> None:
        self._cut, self._terms = words.cut, terms
        self._words = terms.words()

    def of(self, joined: Joined) -> list[tuple[str, ...]]:
        """The terms of each text, strongest first: those of Terms.strongest."""
        tokens = _Tokens(self._cut(joined.text), joined, self._words)
        alone = tokens.says_twice()
        found = [tuple(map(tokens.term, slots[:SHOWN])) for slots in tokens.apart(tokens.ranked(~alone))]
        for text in np.flatnonzero(alone).tolist():
            found[text] = self._terms.strongest(tokens.of_text(text))
        return found


class _Tokens:
    """The words of all texts in a row, the marks among them.

    A slot is the place of a term: 2i of word i, 2i + 1 of the pair of word i and the next one. So the terms that hold a
    term, or stand inside it, are its neighbours.
    """

    def __init__(self, words: list[str], joined: Joined, known: TermWords) -> None:
        self._words, self._joined = words, joined
        self._lengths = np.fromiter(map(len, words), np.intp, len(words))
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._owners = joined.owners[self._starts]
        self._weights, self._kinds = known.look(words, self._lengths)
        self._weighs = self._weights > 0.0

    def term(self, slot: int) -> str:
        at = slot >> 1
        return self._words[at] + self._words[at + 1] if slot & 1 else self._words[at]

    def of_text(self, text: int) -> list[str]:
        first, last = np.searchsorted(self._owners, (text, text + 1)).tolist()
        return self._words[first : last - 1]

    def says_twice(self) -> Mask:
        """Which texts say two characters of a term twice, or call something by another name than its own."""
        codes, owners = self._joined.codes.astype(np.int64), self._joined.owners
        weigh = np.repeat(self._weighs, self._lengths)
        pairs = ((owners[:-1] << 21 | codes[:-1]) << 21 | codes[1:]) << 1 | (weigh[:-1] & weigh[1:])
        pairs.sort()
        same = (pairs[1:] >> 1 == pairs[:-1] >> 1) & ((pairs[1:] | pairs[:-1]) & 1 > 0)
        found = np.zeros(len(self._joined), dtype=bool)
        found[pairs[1:][same] >> 43] = True
        found[self._owners[self._kinds & OTHER_NAME > 0]] = True
        return found

    def ranked(self, texts: Mask) -> Places:
        """The slots of all terms that these texts may show, text by text and the strongest first."""
        weights, can_be_shown = self._slots()
        slots = np.flatnonzero(can_be_shown & np.repeat(texts[self._owners], 2))
        owners, weights = self._owners[slots >> 1], weights[slots]
        order = np.lexsort((-weights, owners))
        same = (np.diff(weights[order]) == 0.0) & (np.diff(owners[order]) == 0)
        slots = slots[order]
        for first, end in _stretches(same):
            slots[first:end] = sorted(slots[first:end].tolist(), key=self.term)
        return slots

    def _slots(self) -> tuple[Weights, Mask]:
        """For each slot what its term weighs, and whether a person can read it."""
        first, last = self._kinds[:-1], self._kinds[1:]
        pairs = self._weighs[:-1] & self._weighs[1:]
        coded = (last & CODE > 0) & (first & CODE == 0)
        weights, shown = np.zeros(2 * len(self._words)), np.zeros(2 * len(self._words), dtype=bool)
        weights[::2], weights[1:-1:2] = self._weights, self._of_pairs(pairs)
        shown[::2] = self._weighs & (self._kinds & READABLE == READABLE)
        shown[1:-1:2] = pairs & (first & BEGINS > 0) & (last & ENDS > 0) & ~coded
        return weights, shown

    def _of_pairs(self, pairs: Mask) -> Weights:
        """What each pair of neighbours weighs, where it is one."""
        weights = (self._weights[:-1] + self._weights[1:]) * TOGETHER
        placed = self._kinds[1:] & SORT_OF_PLACE > 0
        some = np.flatnonzero(pairs & ~placed)
        ending = self._joined.codes[self._starts[some + 1] + self._lengths[some + 1] - 1]
        for at in some[np.isin(ending, _LAST)].tolist():
            placed[at] = looks_like_place(self.term(2 * at + 1))
        return np.where(placed, weights * PLACED, weights)

    def apart(self, ranked: Places) -> list[list[int]]:
        """Of each text the slots that no stronger one holds or stands in."""
        found: list[list[int]] = [[] for _ in self._joined.texts]
        taken = bytearray(2 * len(self._words) + 1)
        for slot, text in zip(ranked.tolist(), self._owners[ranked >> 1].tolist(), strict=True):
            if not taken[slot]:
                taken[slot - 1] = taken[slot + 1] = 1
                found[text].append(slot)
        return found


def _stretches(same: Mask) -> Iterable[tuple[int, int]]:
    """Where things that equal the one before them stand in a row: begin and end, the first one among them."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False]))))
    return zip(edges[::2].tolist(), (edges[1::2] + 1).tolist(), strict=True)
