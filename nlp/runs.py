"""Runs (字串): which of the known runs of one to three characters stand in each of many texts; weighing is elsewhere.

All texts are looked at at once: a run becomes one number (21 bits a character), and the numbers are looked up in one
table. For a text alone that costs more than a set does, for a hundred a tenth of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.joined import Joined, Places

LONGEST = 3  # characters of a run
_BITS = np.uint64(21)  # of one character
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ROOM = 4  # places of the table for each run: most looks meet at once what they seek, or nothing

Numbers = NDArray[np.uint64]


class Runs:
    """A vocabulary made ready for looking up; never changed after it is made."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self.number = {run: number for number, run in enumerate(self.vocabulary)}
        self._width = max(1, (len(self.vocabulary) - 1).bit_length())  # bits of a run's number
        bits = max(4, (len(self.vocabulary) * _ROOM).bit_length())
        self._shift, self._last = np.uint64(64 - bits), np.intp((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, dtype=np.uint64)
        self._held = np.zeros(1 << bits, dtype=np.int32)
        self._fill(np.array([_as_number(run) for run in self.vocabulary], dtype=np.uint64))

    def _fill(self, keys: Numbers) -> None:
        """Each run at the first free place from its own on: those that find theirs taken try the next one together."""
        left, at = np.arange(len(keys)), self._at(keys)
        while len(left):
            free = self._keys[at] == 0
            at, left = self._settled(keys, left, at, free)

    def _settled(self, keys: Numbers, left: Places, at: Places, free: NDArray[np.bool_]) -> tuple[Places, Places]:
        _, first = np.unique(at, return_index=True)
        wins = np.zeros(len(at), dtype=bool)
        wins[first] = True
        wins &= free
        self._keys[at[wins]], self._held[at[wins]] = keys[left[wins]], left[wins]
        return (at[~wins] + 1) & self._last, left[~wins]

    def _at(self, keys: Numbers) -> Places:
        with np.errstate(over="ignore"):
            return ((keys * _MIX) >> self._shift).view(np.intp)

    def find(self, joined: Joined) -> tuple[Places, Places]:
        """Texts and runs by number: each run once for each text that holds it, by text and then by run."""
        keys, owners = _numbers(joined)
        found, known = self._look(keys)
        pairs = owners[known] << self._width | found
        pairs.sort()
        first = np.ones(len(pairs), dtype=bool)
        np.not_equal(pairs[1:], pairs[:-1], out=first[1:])  # np.unique takes twice as long
        pairs = pairs[first]
        return pairs >> self._width, pairs & ((1 << self._width) - 1)

    def _look(self, keys: Numbers) -> tuple[Places, Places]:
        """The runs met, and where among the keys; a look ends at a free place."""
        at, left = self._at(keys), np.arange(len(keys))
        found, known = [], []
        while len(left):
            here = self._keys[at]
            same = here == keys
            hit, on = np.flatnonzero(same), np.flatnonzero((here != 0) & ~same)
            found.append(self._held[at[hit]].astype(np.intp))
            known.append(left[hit])
            at, keys, left = (at[on] + 1) & self._last, keys[on], left[on]
        return np.concatenate(found or [left]), np.concatenate(known or [left])


def _as_number(run: str) -> int:
    number = 0
    for sign in run:
        number = number << 21 | ord(sign) + 1  # no digit is nought: no two runs have one number, and none has 0
    return number


def _numbers(joined: Joined) -> tuple[Numbers, Places]:
    """Every run of each text as a number, and the text it stands in; one with a mark in it is no known run's."""
    signs = joined.codes.astype(np.uint64) + np.uint64(1)
    runs, holders = [signs], [joined.owners]
    for more in range(1, LONGEST):
        runs.append(runs[-1][:-1] << _BITS | signs[more:])
        holders.append(joined.owners[:-more])
    return np.concatenate(runs), np.concatenate(holders)
