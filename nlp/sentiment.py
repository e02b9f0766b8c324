"""Sentiment (情感): a text's score by a trained model, calibrated and with its reasons; training lives in nlp.training.

A model file holds two profiles, since people write differently under a post (comment) and of their own accord (post,
which letters and messages use too). Each is linear: runs of characters, words of the lexicon by class and, for
comments, length and punctuation.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Sentiment
from nlp.features import dense, looked_at, one_of_each
from nlp.joined import Joined, Places
from nlp.lexicon_table import Hits, Lexicon, civic_lexicon
from nlp.model_file import fitting, names, numbers, packed, unpacked
from nlp.reasons import Reasons, rounded, scale_of
from nlp.runs import Runs

SCHEMA = 2
PROFILES = ("comment", "post")
THRESHOLD = 0.5
DOUBT = 0.15  # nearer to the threshold than this is not sure
_LABELS = ("neg", "pos", "neu")
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


Array = NDArray[np.float64]


@dataclass
class Scorer:
    """A profile made ready for scoring; never changed after it is made. Many texts at once cost half of one by one, and
    a text's score is the same in any company."""

    profile: Profile
    lexicon: Lexicon
    threshold: float = THRESHOLD  # from which a text counts as negative; an office may move it
    _runs: Runs = field(init=False, repr=False)
    _reasons: Reasons = field(init=False, repr=False)

    def __post_init__(self) -> None:
        part = self.profile
        self._runs = Runs(part.vocabulary)
        self._squares = part.rarity.astype(float) ** 2
        self._moves = (part.rarity * part.weights).astype(float)
        self._dense = (part.dense_weights / part.spread).astype(float)
        self._bias = part.bias.astype(float) - self._dense @ part.mean.astype(float)
        alone = sum(map(mul, self._dense[0].tolist(), one_of_each(weak=part.weak)))  # what one word of a class moves
        self._reasons = Reasons(self._runs, self._moves[0], self._squares, self.lexicon, alone)

    def probabilities(self, text: str) -> tuple[float, float]:
        """Of one normalised text: how likely it is negative, and how likely positive."""
        joined = looked_at([text])
        negative, positive = self._weigh(joined, *self._runs.find(joined), self.lexicon.find(joined))
        return float(negative[0]), float(positive[0])

    def judge(self, text: str, *, with_reasons: bool = True) -> Sentiment:
        """情感 of one normalised text; `negative` at the threshold or above is negative, the rest is whichever of
        positive and neutral is likelier."""
        return self.judge_many([text], with_reasons=with_reasons)[0]

    def judge_many(self, plains: Sequence[str], *, with_reasons: bool = True) -> list[Sentiment]:
        """The same of each text."""
        joined = looked_at(plains)
        hits, (owners, runs) = self.lexicon.find(joined), self._runs.find(joined)
        negative, positive = self._weigh(joined, owners, runs, hits)
        why = self._reasons.tell(owners, runs, hits, len(joined)) if with_reasons else [()] * len(joined)
        labels = np.where(negative >= self.threshold, 0, np.where(positive >= (1.0 - negative) / 2, 1, 2))
        sure = np.abs(negative - self.threshold) >= DOUBT
        told = (map(_LABELS.__getitem__, labels.tolist()), rounded(negative, 4), sure.tolist(), why)
        return list(map(Sentiment, *told))

    def _weigh(self, joined: Joined, owners: Places, runs: Places, hits: Hits) -> list[Array]:
        """The two probabilities of each text. Sums go run by run and feature by feature, whatever the company."""
        scale = scale_of(owners, self._squares[runs], len(joined))
        features = dense(joined, hits, with_shape=self.profile.with_shape, weak=self.profile.weak)
        found = []
        for moves, weights, bias, slope in zip(self._moves, self._dense, self._bias, self.profile.slope, strict=True):
            first = np.bincount(owners, weights=moves[runs], minlength=len(joined)) * scale + bias
            score = np.cumsum(np.column_stack((first, features * weights)), axis=1)[:, -1]
            found.append(1.0 / (1.0 + np.exp(-np.clip(score * float(slope), -30.0, 30.0))))
        return found


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
    with fitting("情感模型"):
        profiles = {name: _profile(arrays, name, *features) for name, features in about["features"].items()}
        if not profiles or not set(profiles) <= set(PROFILES):
            raise ValueError(f"profiles {sorted(profiles)}")
    return Model(profiles, about)


def load_model(path: Path | None = None) -> Model:
    """The model of a file, by default the one that ships with the product."""
    return read_model((path or _SHIPPED).read_bytes())


def _profile(arrays: Mapping[str, NDArray[Any]], name: str, with_shape: bool, weak: float) -> Profile:
    vocabulary = names(arrays[f"{name}.vocabulary"])
    nothing = looked_at([""])
    hits = civic_lexicon().find(nothing)
    runs, others = len(vocabulary), dense(nothing, hits, with_shape=bool(with_shape), weak=float(weak)).shape[1]
    spread = arrays[f"{name}.spread"]
    if not (spread > 0.0).all():
        raise ValueError(f"{name}.spread")
    return Profile(
        vocabulary=vocabulary,
        rarity=numbers(arrays[f"{name}.rarity"], runs),
        weights=numbers(arrays[f"{name}.weights"], 2, runs),
        mean=numbers(arrays[f"{name}.mean"], others),
        spread=numbers(spread, others),
        dense_weights=numbers(arrays[f"{name}.dense_weights"], 2, others),
        bias=numbers(arrays[f"{name}.bias"], 2),
        slope=numbers(arrays[f"{name}.slope"], 2),
        with_shape=bool(with_shape),
        weak=float(weak),
    )


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

    def judge_many(self, plains: Sequence[str], *, with_reasons: bool = True) -> list[Sentiment]:
        """The same of each text."""
        return [self.judge(plain, with_reasons=with_reasons) for plain in plains]
