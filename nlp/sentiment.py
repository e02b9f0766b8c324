"""Sentiment (情感): a text's score by a trained model, calibrated and with its reasons; training lives in nlp.training.

A model file holds two profiles, since people write differently under a post (comment) and of their own accord (post,
which letters and messages use too). Each is linear: runs of characters, words of the lexicon by class and, for
comments, length and punctuation.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Reason, Sentiment
from nlp.features import LONGEST, dense, grams, lexical
from nlp.lexicon_table import CLASSES, Hit, Lexicon, civic_lexicon
from nlp.model_file import packed, unpacked

SCHEMA = 2
PROFILES = ("comment", "post")
THRESHOLD = 0.5
DOUBT = 0.15  # nearer to the threshold than this is not sure
REASONS = 5
_SHIPPED = Path(__file__).parent / "models" / "sentiment.npz"
_ARRAYS = ("vocabulary", "rarity", "weights", "mean", "spread", "dense_weights", "bias", "slope")


@dataclass(frozen=True)
class Profile:
    """One trained profile: two linear questions, "negative?" (row 0) and "positive?" (row 1).

    vocabulary V runs of characters; rarity (V,); weights (2, V); mean, spread (K,) and dense_weights (2, K) for the
    other features; bias (2,); slope (2,): the score times the slope is the log-odds. `with_shape` and `weak` say which
    other features there are (nlp.features).
    """

    vocabulary: tuple[str, ...]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    dense_weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float32]
    with_shape: bool
    weak: float

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is written to the file."""
        found = {name: getattr(self, name) for name in _ARRAYS if name != "vocabulary"}
        return {"vocabulary": np.array(self.vocabulary, dtype="<U3"), **found}


_Row = tuple[float, float, float]  # of a run of characters: its rarity squared, and what it moves each question by


@dataclass
class Scorer:
    """A profile made ready for scoring one text after another; never changed after it is made."""

    profile: Profile
    lexicon: Lexicon
    threshold: float = THRESHOLD  # from which a text counts as negative; an office may move it
    _table: dict[str, _Row] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        part = self.profile
        squares = (part.rarity.astype(float) ** 2).tolist()
        negative = (part.rarity * part.weights[0]).astype(float).tolist()
        positive = (part.rarity * part.weights[1]).astype(float).tolist()
        self._table = dict(zip(part.vocabulary, zip(squares, negative, positive, strict=True), strict=True))
        dense_weights = (part.dense_weights / part.spread).astype(float)
        self._dense = [tuple(row) for row in dense_weights.tolist()]
        self._bias = (part.bias.astype(float) - dense_weights @ part.mean.astype(float)).tolist()
        self._slope = part.slope.astype(float).tolist()
        alone = [lexical([("", number, False)], 0, weak=part.weak) for number in range(len(CLASSES))]
        self._alone = [sum(map(mul, self._dense[0], values)) for values in alone]  # what one word of a class moves

    def probabilities(self, text: str) -> tuple[float, float]:
        """Of one normalised text: how likely it is negative, and how likely positive."""
        return self._weigh(text, self._known(text), self.lexicon.find(text[:LONGEST]))

    def judge(self, text: str, *, with_reasons: bool = True) -> Sentiment:
        """情感 of one normalised text; `negative` at the threshold or above is negative, the rest is whichever of
        positive and neutral is likelier."""
        known, hits = self._known(text), self.lexicon.find(text[:LONGEST])
        negative, positive = self._weigh(text, known, hits)
        label = "neg" if negative >= self.threshold else "pos" if positive >= (1.0 - negative) / 2 else "neu"
        why = self._reasons(known, hits) if with_reasons else ()
        return Sentiment(label, round(negative, 4), abs(negative - self.threshold) >= DOUBT, why)

    def _known(self, text: str) -> dict[str, _Row]:
        """The runs of characters that training has seen."""
        table = self._table
        return {gram: table[gram] for gram in table.keys() & grams(text)}

    def _weigh(self, text: str, known: dict[str, _Row], hits: list[Hit]) -> tuple[float, float]:
        squares = negative = positive = 0.0
        for square, bad, good in known.values():
            squares += square
            negative += bad
            positive += good
        scale = 1.0 / math.sqrt(squares) if squares else 0.0
        values = dense(text, hits, with_shape=self.profile.with_shape, weak=self.profile.weak)
        return self._probability(0, negative * scale, values), self._probability(1, positive * scale, values)

    def _probability(self, question: int, grams_score: float, values: list[float]) -> float:
        score = grams_score + self._bias[question] + sum(map(mul, self._dense[question], values))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score * self._slope[question]))))

    def _reasons(self, known: dict[str, _Row], hits: list[Hit]) -> tuple[Reason, ...]:
        """The pieces of the text that weighed most: words of the lexicon, runs of characters known from training."""
        runs = [(gram, row) for gram, row in known.items() if len(gram) > 1]
        scale = 1.0 / math.sqrt(sum([row[0] for _, row in runs]) or 1.0)
        moved = {gram: row[1] * scale for gram, row in runs}
        for word, number, negated in hits:
            moved[word] = moved.get(word, 0.0) + (0.0 if negated else self._alone[number])
        best = sorted([(-abs(weight), piece) for piece, weight in moved.items()])[: REASONS * 3]
        kept = _without_parts([piece for _, piece in best])[:REASONS]
        return tuple([Reason(piece, round(moved[piece], 3)) for piece in kept])


def _without_parts(pieces: list[str]) -> list[str]:
    """A piece inside a stronger one, or around it, says nothing new."""
    kept: list[str] = []
    for piece in pieces:
        if not any(piece in other or other in piece for other in kept):
            kept.append(piece)
    return kept


@dataclass(frozen=True)
class Model:
    """A model file's contents: its profiles by name, and what is known of how it was made."""

    profiles: Mapping[str, Profile]
    about: Mapping[str, Any]

    def scorers(self, threshold: float = THRESHOLD) -> dict[str, Scorer]:
        """A scorer per profile; a profile that the model lacks is served by the other one."""
        made = {name: Scorer(part, civic_lexicon(), threshold) for name, part in self.profiles.items()}
        return {name: made.get(name) or next(iter(made.values())) for name in PROFILES}


def write_model(model: Model) -> bytes:
    """The model as a file: equal models give equal bytes."""
    arrays = {f"{name}.{key}": value for name, part in model.profiles.items() for key, value in part.arrays().items()}
    features = {name: [part.with_shape, part.weak] for name, part in model.profiles.items()}
    return packed(arrays, {**model.about, "schema": SCHEMA, "features": features})


def read_model(data: bytes) -> Model:
    """The model in these bytes; ModelFileError where they are none."""
    arrays, about = unpacked(data, "情感模型", SCHEMA)
    profiles = {name: _profile(arrays, name, *features) for name, features in about["features"].items()}
    return Model(profiles, about)


def load_model(path: Path | None = None) -> Model:
    """The model of a file, by default the one that ships with the product."""
    return read_model((path or _SHIPPED).read_bytes())


def _profile(arrays: Mapping[str, NDArray[Any]], name: str, with_shape: bool, weak: float) -> Profile:
    parts = {key: arrays[f"{name}.{key}"] for key in _ARRAYS if key != "vocabulary"}
    vocabulary = tuple(str(gram) for gram in arrays[f"{name}.vocabulary"].tolist())
    return Profile(vocabulary=vocabulary, with_shape=bool(with_shape), weak=float(weak), **parts)


class Snownlp:
    """snownlp as installed, for comparison: its own segmenter and its model of shopping reviews."""

    def __init__(self) -> None:
        # By name and only here: importing it reads every one of its models, seconds that no other reader should pay.
        self._make: Any = importlib.import_module("snownlp").SnowNLP

    def judge(self, text: str, *, with_reasons: bool = True) -> Sentiment:
        """Its positive score turned round; it knows no neutral texts and gives no reasons."""
        positive = float(self._make(text).sentiments) if text.strip() else 0.5
        negative = 1.0 - positive
        sure = abs(negative - THRESHOLD) >= DOUBT
        return Sentiment("neg" if negative >= THRESHOLD else "pos", round(negative, 4), sure)
