"""Training (训练): own texts and an office's labels in, a model out, the same bytes every time; no scoring."""

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

from nlp.features import dense, grams, looked_at
from nlp.lexicon_table import civic_lexicon
from nlp.normal import normalise
from nlp.sentiment import PROFILES, Model, Profile
from nlp.solving import Array, Sparse, logistic, rounded, sparse_rows

LABELS = ("neg", "neu", "pos")
FOLDS = 5


@dataclass(frozen=True)
class Labelled:
    """One text with what a person says of it; `office`: a person of the office that uses the model."""

    text: str
    label: str
    kind: str = "comment"
    office: bool = False


@dataclass(frozen=True)
class Recipe:
    """How one profile is trained: found on the development halves, the same for every office."""

    penalty: float = 1.0  # pull of the weights towards zero
    dense_scale: float = 0.5  # how freely the other features may weigh, beside the runs of characters
    other_kind: float = 0.35  # weight of a text of the other kind
    rarest: int = 2  # a run of characters must stand in so many texts
    negative_share: float = 0.45  # of all weight, whatever the texts at hand: keeps the threshold where it was
    positive_share: float = 0.3  # the same for the question whether a text is positive
    with_shape: bool = False
    weak: float = 0.0  # how much of a bad word a tear, a call and a harm are


RECIPES = {
    "comment": Recipe(penalty=4.0, dense_scale=0.15, other_kind=0.0, negative_share=0.52, with_shape=True),
    "post": Recipe(other_kind=0.6, negative_share=0.64, weak=0.25),
}


# An office's labels beside the own texts (found on civic comments): one counts as four own texts, beyond 2,000 of them
# ever more, so that what was written by strangers and the pull to zero hold an office that has labelled much back less.
_OFFICE_WEIGHT, _MANY_LABELS = 4.0, 2000
# The share of negative ones moves from the recipe's to the labels' own as they become more than these; a little beyond,
# since a missed complaint costs more than a false one.
_LABELS_TO_MOVE, _LEAN = 1000, 0.06


def own_corpus() -> list[Labelled]:
    """The texts written for this project."""
    lines = (files("nlp") / "corpus" / "civic.jsonl").read_text(encoding="utf-8").splitlines()
    return [Labelled(row["text"], row["label"], row["kind"]) for row in map(json.loads, lines)]


def profile_of(kind: str | None) -> str:
    """Which profile reads a kind of text."""
    return "comment" if kind == "comment" else "post"


def train(rows: Sequence[Labelled], *, about: dict[str, Any] | None = None) -> Model:
    """A model of both profiles."""
    profiles = {name: train_profile(rows, name) for name in PROFILES}
    counts = Counter(f"{profile_of(row.kind)}.{row.label}" for row in rows)
    return Model(profiles, {"texts": dict(sorted(counts.items())), **(about or {})})


def train_profile(rows: Sequence[Labelled], name: str, recipe: Recipe | None = None) -> Profile:
    """One profile: its own kind of text in full, the other kind for less."""
    recipe = recipe or RECIPES[name]
    texts = [normalise(row.text) for row in rows]
    table = _Table.of(texts, recipe)
    weights = _weights(rows, name, recipe)
    shares = {"neg": _negative_share(rows, name, recipe), "pos": recipe.positive_share}
    asked = [(np.array([row.label == label for row in rows]), share) for label, share in shares.items()]
    questions = [(yes.astype(np.float64), _shared(weights, yes, share)) for yes, share in asked]
    solved = [logistic(table.sparse, table.dense, target, own, recipe.penalty) for target, own in questions]
    slopes = [_slope(table, target, own, recipe) for target, own in questions]
    return table.profile(solved, slopes, recipe)


def _weights(rows: Sequence[Labelled], name: str, recipe: Recipe) -> Array:
    """What each text weighs: own texts of the other kind less, an office's labels more, and only in their profile."""
    mine = np.array([profile_of(row.kind) == name for row in rows])
    office = np.array([row.office for row in rows])
    other = recipe.other_kind if (mine & ~office).any() else 1.0
    label = _OFFICE_WEIGHT * max(1.0, int((mine & office).sum()) / _MANY_LABELS)
    found: Array = np.where(mine, np.where(office, label, 1.0), np.where(office, 0.0, other))
    return found


def _negative_share(rows: Sequence[Labelled], name: str, recipe: Recipe) -> float:
    labels = [row.label == "neg" for row in rows if row.office and profile_of(row.kind) == name]
    own = sum(labels) / len(labels) + _LEAN if labels else 0.0
    share = (recipe.negative_share * _LABELS_TO_MOVE + own * len(labels)) / (_LABELS_TO_MOVE + len(labels))
    return min(max(share, 0.2), 0.8)


def _shared(weights: Array, yes: NDArray[np.bool_], share: float) -> Array:
    """The weights, so that those of the yes are together a fixed share of all."""
    total, part = float(weights.sum()), float(weights[yes].sum())
    if not 0.0 < part < total:
        return weights
    found: Array = np.where(yes, weights * share * total / part, weights * (1.0 - share) * total / (total - part))
    return found


@dataclass(frozen=True)
class _Table:
    """All texts as numbers."""

    vocabulary: tuple[str, ...]
    rarity: Array
    sparse: Sparse
    dense: Array
    mean: Array
    spread: Array

    @classmethod
    def of(cls, texts: Sequence[str], recipe: Recipe) -> _Table:
        sets = [grams(text) for text in texts]
        counts = Counter(gram for found in sets for gram in found)
        vocabulary = tuple(sorted(gram for gram, count in counts.items() if count >= recipe.rarest))
        column = {gram: number for number, gram in enumerate(vocabulary)}
        rarity = np.array([math.log((1 + len(texts)) / (1 + counts[gram])) + 1.0 for gram in vocabulary])
        joined = looked_at(texts)
        hits = civic_lexicon().find(joined)
        values = dense(joined, hits, with_shape=recipe.with_shape, weak=recipe.weak)
        mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-3
        scaled = (values - mean) / spread * recipe.dense_scale
        sparse = sparse_rows((dict.fromkeys(found, 1.0) for found in sets), column, rarity)
        return cls(vocabulary, rarity, sparse, scaled, mean, spread)

    def profile(self, solved: list[Array], slopes: list[float], recipe: Recipe) -> Profile:
        size = len(self.vocabulary)

        return Profile(
            vocabulary=self.vocabulary,
            rarity=rounded(self.rarity),
            weights=rounded([answer[:size] for answer in solved]),
            mean=rounded(self.mean),
            spread=rounded(self.spread),
            dense_weights=rounded([answer[size:-1] * recipe.dense_scale for answer in solved]),
            bias=rounded([answer[-1] for answer in solved]),
            slope=rounded(slopes),
            with_shape=recipe.with_shape,
            weak=recipe.weak,
        )


def _slope(table: _Table, target: Array, weights: Array, recipe: Recipe) -> float:
    """Calibration (校准): how far scores of unseen texts must be stretched to be log-odds; never shifted.

    Each fifth of the texts is scored by a model of the other four; the stretch is the one of least loss.
    """
    fold = np.arange(len(target)) % FOLDS
    scores = np.zeros(len(target))
    for number in range(FOLDS):
        training = np.where(fold == number, 0.0, weights)
        answer = logistic(table.sparse, table.dense, target, training, recipe.penalty)
        size = table.sparse.size[1]
        all_scores = table.sparse.times(answer[:size]) + table.dense @ answer[size:-1] + answer[-1]
        scores = np.where(fold == number, all_scores, scores)
    stretches = np.geomspace(0.3, 4.0, 60)
    losses = [float((weights * (np.logaddexp(0.0, scores * s) - target * scores * s)).sum()) for s in stretches]
    return float(stretches[int(np.argmin(losses))])
