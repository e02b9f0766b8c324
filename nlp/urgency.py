"""Urgency (紧急): which of four marks a text bears, each with the words that weigh most; a hint, never a decision.

A text is scored by one linear question a mark, over the runs of characters that sentiment reads as well. How the weights
and thresholds are found: nlp.urgency_training.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Urgent
from nlp.features import LONGEST, grams
from nlp.model_file import pack, unpack

MARKS = ("life", "gathering", "deadline", "vulnerable")  # 危及人身, 聚集, 逾期, 困境
SCHEMA = 1
SHOWN = 40  # characters of a reason
_SHIPPED = Path(__file__).parent / "models" / "urgency.npz"
_ARRAYS = ("vocabulary", "rarity", "weights", "bias", "thresholds")
_CLAUSE = re.compile(r"[^，,。！？!?；;…\s]+[，,。！？!?；;…\s]*")
_EDGE = "，,。；;、 \n"


@dataclass(frozen=True)
class UrgencyModel:
    """vocabulary V runs of characters; rarity (V,); weights (4, V), bias (4,) and thresholds (4,) in the order of MARKS.
    A text bears a mark whose score reaches its threshold."""

    vocabulary: tuple[str, ...]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    about: Mapping[str, Any]


@dataclass
class Urgency:
    """A model made ready for one text after another; never changed after it is made."""

    model: UrgencyModel
    _table: dict[str, tuple[float, float, float, float, float]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        part = self.model
        columns = [(part.rarity.astype(float) ** 2).tolist()]
        columns += [(part.rarity * row).astype(float).tolist() for row in part.weights]
        self._table = dict(zip(part.vocabulary, zip(*columns, strict=True), strict=True))
        self._least = (part.thresholds - part.bias).astype(float).tolist()

    def judge(self, text: str, found: set[str] | None = None) -> tuple[Urgent, ...]:
        """The marks of one normalised text, mostly none. `found`: its grams, where somebody has them already."""
        squares = life = gathering = deadline = vulnerable = 0.0
        for known in map(self._table.get, grams(text) if found is None else found):
            if known is not None:
                squares += known[0]
                life += known[1]
                gathering += known[2]
                deadline += known[3]
                vulnerable += known[4]
        length = math.sqrt(squares) or 1.0
        sums = (life, gathering, deadline, vulnerable)
        over = [total / length - least for total, least in zip(sums, self._least, strict=True)]
        return tuple(
            Urgent(mark, self._reason(text, number), round(over[number], 3))
            for number, mark in enumerate(MARKS)
            if over[number] >= 0.0 and squares
        )

    def _reason(self, text: str, number: int) -> str:
        """The clause, or two neighbours that have room together, whose runs weigh most for a mark."""
        clauses = [(found.start(), found.end()) for found in _CLAUSE.finditer(text[:LONGEST])]
        spans = clauses + [(one[0], other[1]) for one, other in zip(clauses, clauses[1:], strict=False)]
        fit = [span for span in spans if span[1] - span[0] <= SHOWN] or spans or [(0, len(text))]
        start, end = max(fit, key=lambda span: self._weight(text[slice(*span)], number))
        return text[start : min(end, start + SHOWN)].strip(_EDGE) + ("…" if end - start > SHOWN else "")

    def _weight(self, piece: str, number: int) -> float:
        return sum(self._table[gram][number + 1] for gram in grams(piece) if gram in self._table)


def write_urgency(model: UrgencyModel) -> bytes:
    """The model's file: equal models give equal bytes."""
    arrays = {name: getattr(model, name) for name in _ARRAYS if name != "vocabulary"}
    arrays["vocabulary"] = np.array(model.vocabulary, dtype="<U3")
    return pack(arrays, {**model.about, "schema": SCHEMA})


def read_urgency(data: bytes) -> UrgencyModel:
    """The model in these bytes, after its digest and schema were looked at."""
    arrays, about = unpack(data, SCHEMA, "紧急模型")
    parts = {name: arrays[name] for name in _ARRAYS if name != "vocabulary"}
    return UrgencyModel(tuple(str(gram) for gram in arrays["vocabulary"].tolist()), **parts, about=about)


def load_urgency() -> UrgencyModel:
    """The model that ships with the product."""
    return read_urgency(_SHIPPED.read_bytes())
