"""Urgency training (紧急提示的训练): marked texts in, a model out, the same bytes every time; no reading.

A mark is of a whole text, and one stretch of it carries the danger: which one, the model of the round before says.
Thresholds are fixed on texts held back by situation, so that of texts without a mark only a fixed share gets one.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Urgency
from nlp.normal import normalise
from nlp.solving import Array, Sparse, logistic, rounded, sparse_rows
from nlp.urgency import KINDS, LOOKED_AT, MANY, UrgencyModel, UrgencyReader, runs, stretches
from nlp.urgency_words import urgency_words

FOLDS = 5
ROUNDS = 2
PULL = 0.2
MARKED_WEIGHT = 2.0  # of a marked stretch; one without a mark weighs one
OFFICE_WEIGHT = 4.0  # of a stretch of the office's own texts, beside one of ours
LEAST_QUIET = 200  # of the office's texts without a mark, from which on they alone fix a threshold
RAREST = 5  # a run must stand in so many stretches
# Of texts without a mark, the share that may get one: of short texts and of long ones, by the kinds of KINDS. What a
# letter says in thirty clauses gives thirty chances to be wrong, so long texts have thresholds of their own.
QUIET_SHORT, QUIET_LONG = (0.035, 0.002, 0.002, 0.002), (0.015, 0.0015, 0.0015, 0.0015)
MISSED = 0.05  # of the stretches that say something, the share that the gate may keep out


@dataclass(frozen=True)
class Marked:
    """One text with the kinds that people gave it (none: not urgent). Texts of one situation are never parted.
    `office`: it came to the office that uses the model."""

    text: str
    kinds: frozenset[str]
    situation: str
    office: bool = False


def own_marks() -> list[Marked]:
    """The texts written for this project; what is doubtful in the civic ones is left out."""
    found = [Marked(row["text"], frozenset(row["urgent"]), row["situation"]) for row in _rows("urgency.jsonl")]
    for number, row in enumerate(_rows("civic.jsonl")):
        marks = row.get("urgent", [])
        if marks is not None:
            found.append(Marked(row["text"], frozenset(marks), f"civic {number}"))
    return found


def _rows(name: str) -> list[dict[str, Any]]:
    lines = (files("nlp") / "corpus" / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def train_urgency(marks: Sequence[Marked], *, about: dict[str, Any] | None = None) -> UrgencyModel:
    """A model of all texts; its thresholds and its figures from models that had not seen the text's situation."""
    table = _Table.of(marks)
    questions = [np.array([kind in row.kinds for row in marks]) for kind in KINDS]
    held = np.stack([_held_back(table, yes) for yes in questions])
    answers = np.stack([_solved(table, yes, np.ones(len(marks))) for yes in questions])
    said = _said(table, held)
    model = UrgencyModel(
        vocabulary=table.vocabulary,
        rarity=rounded(table.rarity),
        weights=rounded(answers[:, :-1]),
        bias=rounded(answers[:, -1]),
        thresholds=rounded(_thresholds(table, held, np.ones(len(marks), dtype=np.bool_))),
        gate=-math.inf,
        about={
            "texts": _counted(marks),
            "own": _figures(marks, said, ~table.office),
            "office": _figures(marks, said, table.office),
            **(about or {}),
        },
    )
    return _gated(model, marks)


def measured(marks: Sequence[Marked], said: Sequence[Urgency | None]) -> dict[str, Any]:
    """The figures of any reader of hints on marked texts: what it said of each of them."""
    numbers = np.array([KINDS.index(hint.kind) if hint else -1 for hint in said], dtype=np.int64)
    return _figures(marks, numbers, np.ones(len(marks), dtype=np.bool_))


def _counted(marks: Sequence[Marked]) -> dict[str, int]:
    counts = Counter(kind for row in marks for kind in row.kinds)
    return {**dict(sorted(counts.items())), "none": sum(not row.kinds for row in marks)}


@dataclass(frozen=True)
class _Table:
    """All stretches of all texts as numbers; `owner` names the text of each. By text: its fold, whether it is long,
    whether it is without a mark, whether it is the office's."""

    vocabulary: tuple[str, ...]
    rarity: Array
    sparse: Sparse
    owner: NDArray[np.int64]
    fold: NDArray[np.int64]
    is_long: NDArray[np.bool_]
    quiet: NDArray[np.bool_]
    office: NDArray[np.bool_]

    @classmethod
    def of(cls, marks: Sequence[Marked]) -> _Table:
        sets: list[set[str]] = []
        owner: list[int] = []
        for number, row in enumerate(marks):
            text = normalise(row.text)[:LOOKED_AT]
            found = urgency_words().find(text)
            parts = [runs(text, found, stretch) for stretch in stretches(text)]
            sets += parts
            owner += [number] * len(parts)
        counts = Counter(run for part in sets for run in part)
        vocabulary = tuple(sorted(run for run, count in counts.items() if count >= RAREST))
        rarity = np.array([math.log((1 + len(sets)) / (1 + counts[run])) + 1.0 for run in vocabulary])
        column = {run: number for number, run in enumerate(vocabulary)}
        sparse = sparse_rows((dict.fromkeys(part, 1.0) for part in sets), column, rarity)
        owners = np.array(owner, dtype=np.int64)
        is_long = np.bincount(owners, minlength=len(marks)) >= MANY
        quiet, office = (np.array(part) for part in zip(*((not row.kinds, row.office) for row in marks), strict=True))
        return cls(vocabulary, rarity, sparse, owners, np.array([_fold(row) for row in marks]), is_long, quiet, office)

    def scores(self, answer: Array) -> Array:
        found: Array = self.sparse.times(answer[:-1]) + answer[-1]
        return found

    def strongest(self, scores: Array) -> Array:
        """Of each text the highest score of its stretches."""
        best = np.full(len(self.fold), -np.inf)
        np.maximum.at(best, self.owner, scores)
        return best


def _fold(row: Marked) -> int:
    return int.from_bytes(blake2b(row.situation.encode(), digest_size=4).digest(), "big") % FOLDS


def _solved(table: _Table, yes: NDArray[np.bool_], texts: Array) -> Array:
    """The weights of one question. First each stretch of a marked text counts its share, then only the strongest."""
    target, learnt = yes[table.owner], (texts * np.where(table.office, OFFICE_WEIGHT, 1.0))[table.owner]
    sizes = np.bincount(table.owner, minlength=len(yes))[table.owner]
    marked = MARKED_WEIGHT / sizes
    nothing = np.zeros((len(target), 0))
    answer = np.zeros(table.sparse.size[1] + 1)
    for _ in range(ROUNDS):
        weights = np.where(target, marked, 1.0) * learnt
        answer = logistic(table.sparse, nothing, target.astype(np.float64), weights, PULL, answer)
        scores = table.scores(answer)
        marked = np.where(scores >= table.strongest(scores)[table.owner], MARKED_WEIGHT, 0.0)
    return answer


def _held_back(table: _Table, yes: NDArray[np.bool_]) -> Array:
    """Of each text the highest score, by a model of the other situations."""
    found = np.zeros(len(yes))
    for fold in range(FOLDS):
        answer = _solved(table, yes, (table.fold != fold).astype(np.float64))
        found = np.where(table.fold == fold, table.strongest(table.scores(answer)), found)
    return found


def _thresholds(table: _Table, held: Array, among: NDArray[np.bool_]) -> Array:
    """(2, 4): of short texts and of long ones, by the texts without a mark among these; the office's own where there
    are enough, since nobody writes as its people do."""
    return np.array(
        [
            [_quantile(held[kind][_fixing(table, among & (table.is_long == is_long))], share)
             for kind, share in enumerate(shares)]
            for is_long, shares in ((False, QUIET_SHORT), (True, QUIET_LONG))
        ]
    )  # fmt: skip


def _fixing(table: _Table, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    quiet: NDArray[np.bool_] = among & table.quiet
    own: NDArray[np.bool_] = quiet & table.office
    return own if own.sum() >= LEAST_QUIET else quiet


def _said(table: _Table, held: Array) -> NDArray[np.int64]:
    """Of each text the number of the kind that would be said, or -1: by weights and thresholds of other folds alone."""
    said = np.full(len(table.fold), -1)
    for fold in range(FOLDS):
        thresholds = _thresholds(table, held, table.fold != fold)
        over = held - np.where(table.is_long, thresholds[1][:, None], thresholds[0][:, None])
        kind = np.where(over[0] >= 0.0, 0, over.argmax(axis=0))
        found = np.where(over.max(axis=0) >= 0.0, kind, -1)
        said = np.where(table.fold == fold, found, said)
    return said


def _quantile(scores: Array, share: float) -> float:
    return float(np.quantile(scores, 1.0 - share)) if len(scores) else 0.0


def _gated(model: UrgencyModel, marks: Sequence[Marked]) -> UrgencyModel:
    """The same with its gate: so high that all but a few of the stretches that say something still pass."""
    reader = UrgencyReader(model)
    texts = [normalise(row.text)[:LOOKED_AT] for row in marks if row.kinds]
    parts = [text[slice(*stretch)] for text in texts for stretch in stretches(text)]
    seen = [reader.at_the_gate(part) for part in parts if reader.read(part)]
    return replace(model, gate=round(_quantile(np.array(seen), 1.0 - MISSED), 4))


def _figures(marks: Sequence[Marked], said: NDArray[np.int64], part: NDArray[np.bool_]) -> dict[str, Any]:
    """Counts on held-back texts: by kind [how many there are, how many were found]; of those without a mark [how many,
    how many got any]; [how many were said, how many of these rightly]."""
    every = zip(marks, said, part, strict=True)
    rows = [(row.kinds, KINDS[kind] if kind >= 0 else "") for row, kind, mine in every if mine]
    found = {kind: [sum(kind in kinds for kinds, _ in rows), sum(kind in kinds and kind == one for kinds, one in rows)]
             for kind in KINDS}  # fmt: skip
    quiet = [one for kinds, one in rows if not kinds]
    spoken = [one in kinds for kinds, one in rows if one]
    return {**found, "none": [len(quiet), sum(map(bool, quiet))], "said": [len(spoken), sum(spoken)]}
