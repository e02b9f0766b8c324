"""Reasons (理由): the pieces of each text that moved its score most, and by how much; scoring is nlp.sentiment's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Reason
from nlp.joined import Places
from nlp.lexicon_table import Hits, Lexicon
from nlp.runs import Runs

SHOWN = 5
_LOOKED_AT = SHOWN * 3  # pieces of a text, the strongest first, of which those are shown that say something new
_DOUBTFUL = 1e-6  # of a last digit: so near the middle between two, Python's own rounding decides

Array = NDArray[np.float64]


class Reasons:
    """Runs of characters and words of the lexicon with what they move, made ready for naming; never changed after."""

    def __init__(self, runs: Runs, moves: Array, squares: Array, lexicon: Lexicon, alone: Array) -> None:
        """`moves` and `squares` (V,) of the runs: what each moves, and its rarity squared. `alone`: what one word of
        each class moves."""
        words = [word for word in lexicon.words if len(word) < 2 or word not in runs.number]
        numbers = runs.number | {word: len(runs.number) + place for place, word in enumerate(words)}
        self._of_word = np.array([numbers[word] for word in lexicon.words], dtype=np.intp)
        self._pieces = np.array([*runs.vocabulary, *words], dtype=object)
        self._width = max(1, (len(self._pieces) - 1).bit_length())  # bits of a piece's number
        self._rank = np.argsort(np.argsort(self._pieces))  # pieces that moved as much stand in their own order
        self._runs, self._alone = len(runs.number), alone
        self._moves, self._squares = moves, squares
        self._is_long = np.array([len(run) > 1 for run in runs.vocabulary], dtype=bool)

    def tell(self, owners: Places, runs: Places, hits: Hits, texts: int) -> list[tuple[Reason, ...]]:
        """Of each text the strongest pieces. `owners` and `runs`: by number and in order, the texts and their runs."""
        keys, moved = self._moved(owners, runs, hits, texts)
        owners, pieces = keys >> self._width, keys & ((1 << self._width) - 1)
        order = np.lexsort((self._rank[pieces], -np.abs(moved), owners))
        counts = np.bincount(owners, minlength=texts)
        place = np.arange(len(keys)) - np.repeat(np.cumsum(counts) - counts, counts)
        best = order[place < _LOOKED_AT]
        names, ends = self._pieces[pieces[best]].tolist(), np.cumsum(np.minimum(counts, _LOOKED_AT)).tolist()
        kept = [_apart(names, start, end) for start, end in pairwise([0, *ends])]
        shown = list(chain.from_iterable(kept))
        reasons = list(map(Reason, [names[at] for at in shown], rounded(moved[best[shown]], 3)))
        bounds = pairwise(accumulate(map(len, kept), initial=0))
        return [tuple(reasons[start:end]) for start, end in bounds]

    def _moved(self, owners: Places, runs: Places, hits: Hits, texts: int) -> tuple[Places, Array]:
        """Every piece of each text as one number (text and piece), and what it moved. A word of the lexicon adds to
        what its run of characters moved."""
        is_long = self._is_long[runs]
        owners, runs = owners[is_long], runs[is_long]
        moved = self._moves[runs] * scale_of(owners, self._squares[runs], texts)[owners]
        keys = owners << self._width | runs
        words, added = self._of_word[hits.words], np.where(hits.negated, 0.0, self._alone[hits.kinds])
        sought, is_run = hits.owners << self._width | words, words < self._runs
        np.add.at(moved, np.searchsorted(keys, sought[is_run]), added[is_run])
        others, which = np.unique(sought[~is_run], return_inverse=True)
        more = np.bincount(which, weights=added[~is_run], minlength=len(others))
        return np.concatenate((keys, others)), np.concatenate((moved, more))


def scale_of(owners: Places, squares: Array, texts: int) -> Array:
    """One over the length of each text's vector; 0 where it has none."""
    lengths = np.sqrt(np.bincount(owners, weights=squares, minlength=texts))
    return np.divide(1.0, lengths, out=np.zeros(texts), where=lengths > 0.0)


def rounded(values: Array, digits: int) -> list[float]:
    """The same as Python's own rounding of each, which is slow."""
    scaled = values * 10.0**digits
    found = np.rint(scaled) / 10.0**digits
    doubtful = np.abs(np.abs(scaled - np.rint(scaled)) - 0.5) < _DOUBTFUL
    found[doubtful] = [round(value, digits) for value in values[doubtful].tolist()]
    told: list[float] = found.tolist()
    return told


def _apart(pieces: Sequence[str], start: int, end: int) -> list[int]:
    """The places of the first SHOWN of these pieces; one inside a stronger one, or around it, says nothing new."""
    kept: list[int] = []
    for at in range(start, end):
        piece = pieces[at]
        for before in kept:
            other = pieces[before]
            if piece in other or other in piece:
                break
        else:
            kept.append(at)
            if len(kept) == SHOWN:
                break
    return kept
