"""Runs (字串): which of the known runs of one to three characters stand in each of many texts; weighing is elsewhere.

All texts are looked at at once: a run becomes one number (21 bits a character), and the numbers are looked up in one
table. For a text alone that costs more than a set does, for a hundred a sixth of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 3  # characters of a run
_BITS = np.uint64(21)  # of one character
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ROOM = 4  # places of the table for each run: most looks meet at once what they seek, or nothing

Numbers = NDArray[np.uint64]
Places = NDArray[np.intp]


class Runs:
    """A vocabulary made ready for looking up; never changed after it is made."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self.number = {run: number for number, run in enumerate(self.vocabulary)}
        bits = max(4, (len(self.vocabulary) * _ROOM).bit_length())
        self._shift, self._last = np.uint64(64 - bits), np.intp((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, dtype=np.uint64)
        self._held = np.zeros(1 << bits, dtype=np.intp)
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
            return ((keys * _MIX) >> self._shift).astype(np.intp)

    def find(self, texts: Sequence[str]) -> tuple[Places, Places]:
        """Texts and runs by number: each run once for each text that holds it, by text and then by run."""
        keys, owners = _numbers(texts)
        found, known = self._look(keys)
        pairs = np.sort(owners[known] * len(self.vocabulary) + found)
        first = np.ones(len(pairs), dtype=bool)
        np.not_equal(pairs[1:], pairs[:-1], out=first[1:])  # np.unique takes twice as long
        return np.divmod(pairs[first], max(1, len(self.vocabulary)))

    def _look(self, keys: Numbers) -> tuple[Places, Places]:
        """The runs met, and where among the keys; a look ends at a free place."""
        at, left = self._at(keys), np.arange(len(keys))
        found, known = [], []
        while len(left):
            here = self._keys[at]
            hit = here == keys[left]
            found.append(self._held[at[hit]])
            known.append(left[hit])
            on = ~hit & (here != 0)
            at, left = (at[on] + 1) & self._last, left[on]
        return np.concatenate(found or [left]), np.concatenate(known or [left])


def _as_number(run: str) -> int:
    number = 0
    for sign in run:
        number = number << 21 | ord(sign) + 1  # no digit is nought: no two runs have one number, and none has 0
    return number


def _numbers(texts: Sequence[str]) -> tuple[Numbers, Places]:
    """Every run of each text as a number, and the text it stands in."""
    lengths = np.array([len(text) for text in texts], dtype=np.intp)
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    signs = codes.astype(np.uint64) + np.uint64(1)
    owners = np.repeat(np.arange(len(texts), dtype=np.intp), lengths)
    runs, holders = [signs], [owners]
    longer = signs
    for more in range(1, LONGEST):
        longer = longer[:-1] << _BITS | signs[more:]
        within = owners[:-more] == owners[more:]
        runs.append(longer[within])
        holders.append(owners[:-more][within])
    return np.concatenate(runs), np.concatenate(holders)
