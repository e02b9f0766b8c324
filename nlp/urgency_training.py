"""Urgency training (紧急的训练): own texts in, four linear questions out, the same bytes every time; no scoring.

A threshold is the lowest one that keeps the precision asked for on texts of situations that were held back, so that no
text is judged by a model that knows its neighbour.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.features import grams
from nlp.normal import normalise
from nlp.regression import Array, Sparse, fit, sparse_rows
from nlp.urgency import MARKS, UrgencyModel

FOLDS = 10
PRECISION = 0.7  # of a mark, on the held-back texts of urgency.jsonl
_PENALTY, _RAREST = 0.2, 2
_SHARE = 0.4  # of all weight that the texts of a mark have together
_BACKGROUND = 0.7  # what a civic text weighs beside one written for the matter


@dataclass(frozen=True)
class UrgentText:
    """One text with its marks; `situation` is empty for the background, the civic texts."""

    text: str
    marks: tuple[str, ...]
    situation: str = ""


def urgent_texts() -> list[UrgentText]:
    """The texts written for this matter."""
    return [UrgentText(row["text"], tuple(row["urgent"]), row["situation"]) for row in _rows("urgency.jsonl")]


def background() -> list[UrgentText]:
    """The civic texts; those that a person found doubtful (`null`) are left out."""
    rows = [(row["text"], row.get("urgent", [])) for row in _rows("civic.jsonl")]
    return [UrgentText(text, tuple(marks)) for text, marks in rows if marks is not None]


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (files("nlp") / "corpus" / name).read_text(encoding="utf-8").splitlines()]


def train_urgency(rows: Sequence[UrgentText], *, about: dict[str, Any] | None = None) -> UrgencyModel:
    """The model, with what was measured on held-back situations in `about`."""
    table = _Table.of(rows)
    parts = [_question(table, mark) for mark in MARKS]
    size = len(table.vocabulary)
    known = {mark: part.measured for mark, part in zip(MARKS, parts, strict=True)}
    return UrgencyModel(
        vocabulary=table.vocabulary,
        rarity=_small(table.rarity),
        weights=_small([part.answer[:size] for part in parts]),
        bias=_small([part.answer[-1] for part in parts]),
        thresholds=_small([part.threshold for part in parts]),
        about={**(about or {}), "texts": len(rows), "held_back": known},
    )


@dataclass(frozen=True)
class _Table:
    """All texts as numbers; `own` tells those of urgency.jsonl."""

    rows: Sequence[UrgentText]
    vocabulary: tuple[str, ...]
    rarity: Array
    sparse: Sparse
    own: NDArray[np.bool_]
    fold: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[UrgentText]) -> _Table:
        sets = [grams(normalise(row.text)) for row in rows]
        counts = Counter(gram for found in sets for gram in found)
        vocabulary = tuple(sorted(gram for gram, count in counts.items() if count >= _RAREST))
        rarity = np.array([math.log((1 + len(rows)) / (1 + counts[gram])) + 1.0 for gram in vocabulary])
        column = {gram: number for number, gram in enumerate(vocabulary)}
        own = np.array([bool(row.situation) for row in rows])
        return cls(rows, vocabulary, rarity, sparse_rows(sets, column, rarity), own, _folds(rows))

    def answer(self, target: Array, held_back: int | None) -> Array:
        """Weights and bias, learnt from all folds but one."""
        weights = np.where(self.own, 1.0, _BACKGROUND) * (self.fold != held_back)
        yes, no = float(weights[target > 0].sum()) or 1.0, float(weights[target < 1].sum()) or 1.0
        weights = weights * np.where(target > 0, _SHARE / yes, (1.0 - _SHARE) / no) * (yes + no)
        return fit(self.sparse, np.zeros((len(target), 0)), target, weights, _PENALTY)


@dataclass(frozen=True)
class _Question:
    answer: Array
    threshold: float
    measured: dict[str, float]


def _question(table: _Table, mark: str) -> _Question:
    target = np.array([float(mark in row.marks) for row in table.rows])
    scores = np.zeros(len(target))
    for number in range(FOLDS):
        answer = table.answer(target, number)
        scores = np.where(table.fold == number, table.sparse.times(answer[:-1]) + answer[-1], scores)
    threshold = _threshold(scores[table.own], target[table.own])
    none = np.array([not row.marks for row in table.rows])
    measured = {
        "recall": _share(scores[table.own & (target > 0)], threshold),
        "false_own": _share(scores[table.own & none], threshold),
        "false_background": _share(scores[~table.own & none], threshold),
    }
    return _Question(table.answer(target, None), threshold, measured)


def _threshold(scores: Array, target: Array) -> float:
    """The lowest score from which on the precision asked for is kept; the highest score where it never is."""
    order = np.argsort(-scores, kind="stable")
    precision = np.cumsum(target[order]) / np.arange(1, len(order) + 1)
    enough = np.nonzero(precision >= PRECISION)[0]
    return float(scores[order][enough[-1] if len(enough) else 0])


def _share(scores: Array, threshold: float) -> float:
    return round(float((scores >= threshold).mean()), 3) if len(scores) else 0.0


def _folds(rows: Sequence[UrgentText]) -> NDArray[np.int64]:
    """The fold of each text: a situation's texts together, the background one after another."""
    order = {name: number for number, name in enumerate(sorted({row.situation for row in rows if row.situation}))}
    return np.array([order.get(row.situation, number) % FOLDS for number, row in enumerate(rows)], dtype=np.int64)


def _small(values: Any) -> NDArray[np.float32]:
    return np.round(np.asarray(values, dtype=np.float64), 5).astype(np.float32)
