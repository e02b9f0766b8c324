"""Urgency (可能紧急): reads a text clause by clause, says which kind the strongest one may be and why; no training.

A danger stands in one clause of a long letter. So each clause is scored together with the next one, by four linear
questions over runs of characters and classes of words, and the text is as urgent as its strongest stretch. What is
said is a possibility for a person to look at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Urgency
from nlp.features import grams
from nlp.model_file import fitting, names, numbers, packed, unpacked
from nlp.urgency_words import Found, tokens, urgency_words

SCHEMA = "urgency-1"
KINDS = ("life", "gathering", "deadline", "vulnerable")
LOOKED_AT = 2_000  # characters of a text
SHORTEST, LONGEST = 5, 30  # letters of a clause: a shorter one joins the next, a longer one is cut
SHORT = LONGEST + SHORTEST  # letters of a text that is one stretch, whatever its clauses
MANY = 6  # stretches: a text of so many is long
SLOTS, FINENESS = 1 << 18, 1_000  # of the gate: room for pairs of characters, and parts of one
WORDS = 4  # how many words are named as what moved it
_BREAK = re.compile(r"[，,。！？!?；;…～~：:\s]+")
_EDGES = "，,。！？!?；;…～~：: "

Stretch = tuple[int, int]
_Row = tuple[float, ...]  # of a run: its rarity squared, and what it moves each question by


def stretches(text: str) -> list[Stretch]:
    """Each clause with the next one, as (begin, end); a short text, or one of one clause, is one stretch."""
    if len(text) <= SHORT:
        return [(0, len(text))] if text else []
    clauses = _clauses(text)
    if len(clauses) < 2:
        return clauses
    return [(first[0], second[1]) for first, second in pairwise(clauses)]


def _clauses(text: str) -> list[Stretch]:
    found: list[Stretch] = []
    start = 0
    for match in _BREAK.finditer(text):
        if match.start() - start >= SHORTEST:
            found += _cut(start, match.end())
            start = match.end()
    if start < len(text):
        short_end = found and len(text) - start < SHORTEST
        found = [*found[:-1], (found[-1][0], len(text))] if short_end else found + _cut(start, len(text))
    return found


def _cut(start: int, end: int) -> list[Stretch]:
    """A clause without any break, in pieces that one can score."""
    pieces = list(range(start, end, LONGEST))
    if len(pieces) > 1 and end - pieces[-1] < SHORTEST:
        pieces.pop()
    return list(zip(pieces, [*pieces[1:], end], strict=True))


def runs(text: str, found: list[Found], stretch: Stretch) -> set[str]:
    """What a model sees of one stretch: runs of one to three characters, and the classes of its words."""
    start, end = stretch
    return grams(text[start:end]) | tokens(found, start, end)


@dataclass(frozen=True)
class UrgencyModel:
    """vocabulary V runs; rarity (V,); weights (4, V) and bias (4,) of the questions of KINDS; `thresholds` (2, 4): from
    which score on a kind is said, of a short text and of a long one. `gate`: how much the pairs of characters of
    a stretch must speak for any kind, taken together, before it is worth scoring."""

    vocabulary: tuple[str, ...]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    gate: float
    about: Mapping[str, Any]


@dataclass
class UrgencyReader:
    """A model made ready for reading one text after another; never changed after it is made."""

    model: UrgencyModel
    _table: dict[str, _Row] = field(init=False, repr=False)
    _moves: NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        part = self.model
        squares = (part.rarity.astype(float) ** 2).tolist()
        moves = (part.rarity * part.weights).astype(float).T.tolist()
        rows = zip(squares, *zip(*moves, strict=True), strict=True)
        self._table = dict(zip(part.vocabulary, rows, strict=True))
        pairs = {run: max(row[1:]) for run, row in self._table.items() if len(run) == 2 and run[0] > "\x02"}
        self._moves = _moves_of(pairs)
        self._bias = tuple(part.bias.astype(float).tolist())
        self._thresholds = part.thresholds.astype(float).tolist()

    def read(self, text: str) -> Urgency | None:
        """What may be urgent in a normalised text; None where nothing is. Danger to life goes before the rest."""
        return self.read_many([text])[0]

    def read_many(self, texts: Sequence[str]) -> list[Urgency | None]:
        """The same of many texts, in their order; what the gate keeps out costs next to nothing."""
        texts = [text[:LOOKED_AT] for text in texts]
        return [
            self._read(text, worth) if worth else None
            for text, worth in zip(texts, self._past_the_gate(texts), strict=True)
        ]

    def scores(self, text: str) -> tuple[float, ...]:
        """The highest score of each question over all stretches, whatever the gate says."""
        text = text[:LOOKED_AT]
        best = self._best(text, urgency_words().find(text), stretches(text))
        return tuple(score for score, _ in best) or self._bias

    def at_the_gate(self, stretch: str) -> float:
        """What the gate sees of a stretch."""
        sums = self._sums(stretch)
        return float(sums[-1]) / math.sqrt(max(1, len(stretch) - 1)) / FINENESS

    def _sums(self, text: str) -> NDArray[np.int64]:
        """By how much the pairs of characters up to each place speak for a kind: the differences are those of a part.
        Whole numbers, so that it does not hang on what stands before."""
        sums: NDArray[np.int64] = np.concatenate(([0], np.cumsum(self._moves[_slots(text)])))
        return sums

    def _past_the_gate(self, texts: Sequence[str]) -> list[list[Stretch]]:
        """Of each text the stretches that are worth scoring."""
        sums = self._sums("".join(texts) + "  ").tolist()
        least, found, start = self.model.gate * FINENESS, [], 0
        for text in texts:
            each = [(0, len(text))] if 0 < len(text) <= SHORT else stretches(text)
            found.append(
                [(first, end) for first, end in each
                 if sums[start + end - 1] - sums[start + first] >= least * math.sqrt(max(1, end - 1 - first))]
            )  # fmt: skip
            start += len(text)
        return found

    def _read(self, text: str, worth: list[Stretch]) -> Urgency | None:
        found = urgency_words().find(text)
        best = self._best(text, found, worth)
        thresholds = self._thresholds[len(stretches(text)) >= MANY]
        said = [kind for kind, (score, _) in enumerate(best) if score >= thresholds[kind]]
        if not said:
            return None
        kind = 0 if 0 in said else max(said, key=lambda one: best[one][0] - thresholds[one])
        start, end = best[kind][1]
        why = self._words(text, found, (start, end), kind)
        return Urgency(KINDS[kind], text[start:end].strip(_EDGES), why)

    def _best(self, text: str, found: list[Found], worth: list[Stretch]) -> list[tuple[float, Stretch]]:
        """Of each question the strongest stretch."""
        scored = [(self._score(text, found, stretch), stretch) for stretch in worth]
        return [max((scores[kind], stretch) for scores, stretch in scored) for kind in range(len(KINDS)) if scored]

    def _score(self, text: str, found: list[Found], stretch: Stretch) -> tuple[float, ...]:
        known = list(filter(None, map(self._table.get, runs(text, found, stretch))))
        if not known:
            return self._bias
        squares, *sums = map(sum, zip(*known, strict=True))
        scale = 1.0 / math.sqrt(squares)
        return tuple([total * scale + bias for total, bias in zip(sums, self._bias, strict=True)])

    def _words(self, text: str, found: list[Found], stretch: Stretch, kind: int) -> tuple[str, ...]:
        """The words of the table that stand there and the runs that moved it most; a piece of another says no more."""
        start, end = stretch
        moved = {run: self._table[run][kind + 1] for run in grams(text[start:end]) if run in self._table}
        pieces = {run: move for run, move in moved.items() if len(run) > 1 and run.isalnum()}
        for first, last, _ in found:
            if start <= first and last <= end:
                word = text[first:last]
                pieces[word] = sum([move for run, move in moved.items() if run in word])
        kept: list[str] = []
        for piece in sorted(pieces, key=lambda one: (-pieces[one], one)):
            if pieces[piece] > 0.0 and not any(piece in other or other in piece for other in kept):
                kept.append(piece)
        return tuple(kept[:WORDS])


def _slots(text: str) -> NDArray[np.int64]:
    """A number below SLOTS for each pair of neighbours; two pairs may share one."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.int64)
    return (codes[:-1] * 40_503 + codes[1:]) % SLOTS


def _moves_of(pairs: Mapping[str, float]) -> NDArray[np.int64]:
    """What each slot moves, in thousandths; of pairs that share one the stronger counts."""
    found = np.zeros(SLOTS, dtype=np.int64)
    for pair, move in pairs.items():
        slot = int(_slots(pair)[0])
        if abs(move) * FINENESS > abs(found[slot]):
            found[slot] = round(move * FINENESS)
    return found


def write_urgency_model(model: UrgencyModel) -> bytes:
    """The model as a file: equal models give equal bytes."""
    arrays = {
        "vocabulary": np.array(model.vocabulary, dtype="<U3"),
        "rarity": model.rarity,
        "weights": model.weights,
        "bias": model.bias,
        "thresholds": model.thresholds,
        "gate": np.array([model.gate], dtype=np.float32),
    }
    return packed(arrays, {**model.about, "schema": SCHEMA})


def read_urgency_model(data: bytes) -> UrgencyModel:
    """The model in these bytes; ModelFileError where they are none."""
    arrays, about = unpacked(data, "紧急提示模型", SCHEMA)
    with fitting("紧急提示模型"):
        vocabulary = names(arrays["vocabulary"])
        return UrgencyModel(
            vocabulary=vocabulary,
            rarity=numbers(arrays["rarity"], len(vocabulary)),
            weights=numbers(arrays["weights"], len(KINDS), len(vocabulary)),
            bias=numbers(arrays["bias"], len(KINDS)),
            thresholds=numbers(arrays["thresholds"], 2, len(KINDS)),
            gate=float(numbers(arrays["gate"], 1)[0]),
            about=about,
        )
