"""Term words (词的分量): what a word weighs as a term and what kind of word it is, looked up for many words at once; of
texts it knows nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from threading import Lock

import numpy as np
from numpy.typing import NDArray

# What kind of word it is: a term may begin, may end with it; it is of digits and Latin letters; it names a sort of
# place; it is another name of something.
BEGINS, ENDS, CODE, SORT_OF_PLACE, OTHER_NAME = 1, 2, 4, 8, 16
READABLE = BEGINS | ENDS
_KEPT = 100_000  # words beside the table's that are remembered

_NONE = -1  # instead of a row
Known = tuple[float, int]  # weight and kind


def kind_of(begins: bool, ends: bool, code: bool = False, sort_of_place: bool = False, other_name: bool = False) -> int:
    """The kind as one number."""
    return begins * BEGINS + ends * ENDS + code * CODE + sort_of_place * SORT_OF_PLACE + other_name * OTHER_NAME


class TermWords:
    """The words of a table, made ready, and others as they are met; threads may share it."""

    def __init__(
        self,
        rarity: Mapping[str, float],
        commonest: float,
        kinds: Mapping[str, int],
        odd: Iterable[str],
        look: Callable[[str], Known],
    ) -> None:
        """`rarity` is what a word weighs, but for those of no more than the `commonest`, which weigh nothing. `kinds`:
        of those words that are not just readable. The `odd` ones, and those that stand in no table, `look` knows."""
        words = list(dict.fromkeys([*rarity, *odd]))
        self._rows = dict(zip(words, range(len(words)), strict=True))
        self._weights = np.zeros(len(words) + _KEPT)
        self._weights[: len(rarity)] = np.fromiter(rarity.values(), float, len(rarity))
        self._weights[self._weights <= commonest] = 0.0
        self._kinds = np.full(len(words) + _KEPT, READABLE, dtype=np.uint8)
        self._kinds[[self._rows[word] for word in kinds]] = list(kinds.values())
        for word in odd:
            self._weights[self._rows[word]], self._kinds[self._rows[word]] = look(word)
        self._look, self._lock = look, Lock()
        self._near: dict[str, int] = {}  # rows of words met before: few, so that they lie near to the processor

    def look(self, words: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Weight and kind of each word."""
        rows = np.fromiter(map(self._near.get, words, repeat(_NONE)), np.intp, len(words))
        for place in np.flatnonzero(rows == _NONE).tolist():
            rows[place] = self._row(words[place])
        weights, kinds = self._weights[rows], self._kinds[rows]
        for place in np.flatnonzero(rows == _NONE).tolist():
            weights[place], kinds[place] = self._look(words[place])
        return weights, kinds

    def _row(self, word: str) -> int:
        """The row of a word, a new one if need be; none once a stream of made-up words has taken all there are."""
        with self._lock:
            row = self._rows.get(word, len(self._rows))
            if row == len(self._weights):
                return _NONE
            if row == len(self._rows):
                self._weights[row], self._kinds[row] = self._look(word)
                self._rows[word] = row
            if len(self._near) >= _KEPT:
                self._near.clear()
            self._near[word] = row
        return row
