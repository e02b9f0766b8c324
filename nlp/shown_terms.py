"""Shown terms (主题词): of many texts at once the terms that nlp.terms shows of each; how words weigh is told there.

In a text that says no two characters twice, words need not be compared: a term stands inside another one where its
place does. Elsewhere equal terms are found by a number made of their characters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp.joined import Joined, Places
from nlp.places import LAST, looks_like_place
from nlp.term_words import BEGINS, CODE, ENDS, OTHER_NAME, SORT_OF_PLACE, TermWords
from nlp.terms import PLACED, SHOWN, TOGETHER, Terms
from nlp.words import Words

Mask = NDArray[np.bool_]
Weights = NDArray[np.float64]
Numbers = NDArray[np.uint64]
_BEHIND = 0xFFFF  # from here on no name of a place ends
_IS_LAST = np.zeros(_BEHIND + 1, dtype=bool)
_IS_LAST[list(map(ord, LAST))] = True
_MIX, _MIX_AGAIN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_BASE, _OF_TEXT = np.uint64(0x2545F4914F6CDD1D), np.uint64(0x165667B19E3779F9)


class ShownTerms:
    """Cuts texts and names their strongest terms."""

    def __init__(self, words: Words, terms: Terms) -> None:
        self._cut, self._terms = words.cut, terms
        self._words = terms.words()

    def of(self, joined: Joined) -> list[tuple[str, ...]]:
        """The terms of each text, strongest first: those of Terms.strongest, which reads what calls a thing by another
        name than its own."""
        tokens = _Tokens(self._cut(joined.text), joined, self._words)
        found = tokens.strongest()
        for text in tokens.with_other_names():
            found[text] = self._terms.strongest(tokens.of_text(text))
        return found


class _Tokens:
    """The words of all texts in a row, the marks among them.

    A slot is the place of a term: 2i of word i, 2i + 1 of the pair of word i and the next one. So the terms that hold a
    term where it stands, or stand inside it, are its neighbours.
    """

    def __init__(self, words: list[str], joined: Joined, known: TermWords) -> None:
        self._words, self._joined = words, joined
        self._lengths = np.fromiter(map(len, words), np.intp, len(words))
        self._ends = np.cumsum(self._lengths)
        self._starts = self._ends - self._lengths
        self._owners = joined.owners[self._starts]
        self._weights, self._kinds = known.look(words)
        self._weighs = self._weights > 0.0

    def with_other_names(self) -> set[int]:
        return set(self._owners[self._kinds & OTHER_NAME > 0].tolist())

    def of_text(self, text: int) -> list[str]:
        first, last = np.searchsorted(self._owners, (text, text + 1)).tolist()
        return self._words[first : last - 1]

    def strongest(self) -> list[tuple[str, ...]]:
        """Of each text the first terms that no stronger one holds or stands in."""
        twice = self._says_twice()
        slots, weights = self._candidates(twice)
        slots = self._ranked(slots, weights)
        bounds = np.searchsorted(self._owners[slots >> 1], np.arange(len(twice) + 1)).tolist()
        ways = [self._apart_by_words if so else self._apart_by_places for so in twice.tolist()]
        ranked = slots.tolist()
        return [way(ranked[start:end]) for way, (start, end) in zip(ways, pairwise(bounds), strict=True)]

    def _says_twice(self) -> Mask:
        """Which texts say two characters of a term twice."""
        codes, owners = self._joined.codes.astype(np.int64), self._joined.owners
        weigh = np.repeat(self._weighs, self._lengths)
        pairs = ((owners[:-1] << 21 | codes[:-1]) << 21 | codes[1:]) << 1 | (weigh[:-1] & weigh[1:])
        pairs.sort()
        same = (pairs[1:] >> 1 == pairs[:-1] >> 1) & ((pairs[1:] | pairs[:-1]) & 1 > 0)
        found = np.zeros(len(self._joined), dtype=bool)
        found[pairs[1:][same] >> 43] = True
        return found

    def _candidates(self, twice: Mask) -> tuple[Places, Weights]:
        """A slot for each term that may be shown, and what it weighs."""
        weights = np.zeros(2 * len(self._words))
        weights[::2], weights[1:-1:2] = self._weights, self._of_pairs()
        slots = np.flatnonzero(weights)
        again = twice[self._owners[slots >> 1]]
        once, more = slots[~again], slots[again]
        once = once[self._readable(once >> 1, (once + 1) >> 1)]
        if not len(more):
            return once, weights[once]
        more, of_more = self._told_again(more, weights, twice)
        return np.concatenate((once, more)), np.concatenate((weights[once], of_more))

    def _of_pairs(self) -> Weights:
        """What each word and the next one weigh as a pair; nothing where they are none."""
        pairs = self._weighs[:-1] & self._weighs[1:]
        placed = self._kinds[1:] & SORT_OF_PLACE > 0
        some = np.flatnonzero(pairs & ~placed)
        ending = np.minimum(self._joined.codes[self._ends[some + 1] - 1], _BEHIND)
        for at in some[_IS_LAST[ending]].tolist():
            placed[at] = looks_like_place(self._words[at] + self._words[at + 1])
        weights = (self._weights[:-1] + self._weights[1:]) * TOGETHER
        return np.where(pairs, np.where(placed, weights * PLACED, weights), 0.0)

    def _readable(self, first: Places, last: Places) -> Mask:
        """Whether people can read what begins and ends with these words, a word alone or a pair."""
        one, other = self._kinds[first], self._kinds[last]
        coded = (one & CODE == 0) & (other & CODE > 0)  # of a word alone it never is
        readable: Mask = (one & BEGINS > 0) & (other & ENDS > 0) & ~coded
        return readable

    def _told_again(self, slots: Places, weights: Weights, twice: Mask) -> tuple[Places, Weights]:
        """One slot for each different term of texts that say something twice: its last, and it weighs more the oftener
        it is said. What two words that follow each other can be read as, their one word is read as too."""
        numbers = self._numbers(slots >> 1, (slots + 1) >> 1)
        order = np.argsort(numbers, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(numbers[order]) > 0, True))
        counts = np.diff(ends, prepend=-1)
        slots, numbers = slots[order[ends]], numbers[order[ends]]
        found = weights[slots] * [1.0 + math.log(count) for count in counts.tolist()]
        first, last = self._read_as(slots, numbers, twice)
        shown = self._readable(first, last)
        return slots[shown], found[shown]

    def _read_as(self, slots: Places, numbers: Numbers, twice: Mask) -> tuple[Places, Places]:
        """The first and the last word of each term: of the last pair of neighbours that reads like it, or its own."""
        pairs = np.flatnonzero(twice[self._owners[:-1]] & (self._owners[:-1] == self._owners[1:]))
        of_pairs = self._numbers(pairs, pairs + 1)
        order = np.argsort(of_pairs, kind="stable")
        place = np.searchsorted(of_pairs[order], numbers, side="right") - 1
        pair = pairs[order[place]]
        is_pair = (place >= 0) & (of_pairs[order[place]] == numbers)
        return np.where(is_pair, pair, slots >> 1), np.where(is_pair, pair + 1, slots >> 1)

    def _numbers(self, first: Places, last: Places) -> Numbers:
        """A number for what stands from one word to another: the same for the same characters in one text."""
        start, (sums, powers) = self._starts[first], self._sums
        of_text = self._owners[first].astype(np.uint64) * _OF_TEXT
        found: Numbers = (sums[self._ends[last]] - sums[start]) * powers[len(powers) - 1 - start] + of_text
        return found

    @cached_property
    def _sums(self) -> tuple[Numbers, Numbers]:
        """Sums of mixed characters, each times a power of one number; and those powers."""
        signs = (self._joined.codes.astype(np.uint64) + np.uint64(1)) * _MIX
        signs = (signs ^ signs >> np.uint64(31)) * _MIX_AGAIN
        powers = np.full(len(signs) + 1, _BASE, dtype=np.uint64)
        np.cumprod(powers, out=powers)
        sums: Numbers = np.zeros(len(signs) + 1, dtype=np.uint64)
        np.cumsum(signs * powers[:-1], out=sums[1:])
        return sums, powers

    def _ranked(self, slots: Places, weights: Weights) -> Places:
        """Text by text the strongest first; what weighs the same stands in the order of its characters."""
        owners = self._owners[slots >> 1]
        order = np.lexsort((-weights, owners))
        same = (np.diff(weights[order]) == 0.0) & (np.diff(owners[order]) == 0)
        slots = slots[order]
        for first, end in _stretches(same):
            slots[first:end] = sorted(slots[first:end].tolist(), key=self._term)
        return slots

    def _term(self, slot: int) -> str:
        at = slot >> 1
        return self._words[at] + self._words[at + 1] if slot & 1 else self._words[at]

    def _apart_by_places(self, slots: Sequence[int]) -> tuple[str, ...]:
        kept: list[int] = []
        taken: set[int] = set()
        for slot in slots:
            if slot not in taken:
                kept.append(slot)
                taken.add(slot - 1)
                taken.add(slot + 1)
                if len(kept) == SHOWN:
                    break
        return tuple(map(self._term, kept))

    def _apart_by_words(self, slots: Sequence[int]) -> tuple[str, ...]:
        kept: list[str] = []
        for term in map(self._term, slots):
            for other in kept:
                if term in other or other in term:
                    break
            else:
                kept.append(term)
                if len(kept) == SHOWN:
                    break
        return tuple(kept)


def _stretches(same: Mask) -> Iterable[tuple[int, int]]:
    """Where things that equal the one before them stand in a row: begin and end, the first one among them."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False]))))
    return zip(edges[::2].tolist(), (edges[1::2] + 1).tolist(), strict=True)
