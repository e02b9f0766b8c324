"""Sentiment (情感): a text's score by a trained model, calibrated and with its reasons; training lives in nlp.training.

A model file holds two profiles, since people write differently under a post (comment) and of their own accord (post,
which letters and messages use too). Each is linear: runs of characters, words of the lexicon by class and, for
comments, length and punctuation.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.contract import Reason, Sentiment
from nlp.features import LONGEST, dense, lexical
from nlp.lexicon_table import CLASSES, Hit, Lexicon, civic_lexicon
from nlp.model_file import fitting, names, numbers, packed, unpacked
from nlp.runs import Places, Runs

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


Array = NDArray[np.float64]


@dataclass
class Scorer:
    """A profile made ready for scoring; never changed after it is made. Many texts at once cost half of one by one, and
    a text's score is the same in any company."""

    profile: Profile
    lexicon: Lexicon
    threshold: float = THRESHOLD  # from which a text counts as negative; an office may move it
    _runs: Runs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        part = self.profile
        self._runs = Runs(part.vocabulary)
        self._squares = part.rarity.astype(float) ** 2
        self._moves = (part.rarity * part.weights).astype(float)
        self._long = np.array([len(run) > 1 for run in part.vocabulary], dtype=bool)
        self._dense = (part.dense_weights / part.spread).astype(float)
        self._bias = part.bias.astype(float) - self._dense @ part.mean.astype(float)
        alone = [lexical([("", number, False)], 0, weak=part.weak) for number in range(len(CLASSES))]
        negative = self._dense[0].tolist()
        self._alone = [sum(map(mul, negative, values)) for values in alone]  # what one word of a class moves

    def probabilities(self, text: str) -> tuple[float, float]:
        """Of one normalised text: how likely it is negative, and how likely positive."""
        texts, hits = self._looked_at([text])
        negative, positive = self._weigh(texts, *self._runs.find(texts), hits)
        return float(negative[0]), float(positive[0])

    def judge(self, text: str, *, with_reasons: bool = True) -> Sentiment:
        """情感 of one normalised text; `negative` at the threshold or above is negative, the rest is whichever of
        positive and neutral is likelier."""
        return self.judge_many([text], with_reasons=with_reasons)[0]

    def judge_many(self, plains: Sequence[str], *, with_reasons: bool = True) -> list[Sentiment]:
        """The same of each text."""
        texts, hits = self._looked_at(plains)
        owners, runs = self._runs.find(texts)
        scores = [row.tolist() for row in self._weigh(texts, owners, runs, hits)]
        why = self._reasons(owners, runs, hits) if with_reasons else [()] * len(texts)
        return [self._sentiment(*each) for each in zip(*scores, why, strict=True)]

    def _looked_at(self, plains: Sequence[str]) -> tuple[list[str], list[list[Hit]]]:
        texts = [plain[:LONGEST] for plain in plains]
        return texts, list(map(self.lexicon.find, texts))

    def _sentiment(self, negative: float, positive: float, why: tuple[Reason, ...]) -> Sentiment:
        label = "neg" if negative >= self.threshold else "pos" if positive >= (1.0 - negative) / 2 else "neu"
        return Sentiment(label, round(negative, 4), abs(negative - self.threshold) >= DOUBT, why)

    def _weigh(self, texts: list[str], owners: Places, runs: Places, hits: list[list[Hit]]) -> list[Array]:
        """The two probabilities of each text. Sums go run by run and feature by feature, whatever the company."""
        scale = _scale(owners, self._squares[runs], len(texts))
        look = partial(dense, with_shape=self.profile.with_shape, weak=self.profile.weak)
        features = np.array(list(map(look, texts, hits)), dtype=float).reshape(len(texts), -1)
        found = []
        for moves, weights, bias, slope in zip(self._moves, self._dense, self._bias, self.profile.slope, strict=True):
            score = np.bincount(owners, weights=moves[runs], minlength=len(texts)) * scale + bias
            for feature, weight in zip(features.T, weights, strict=True):
                score = score + feature * weight
            found.append(1.0 / (1.0 + np.exp(-np.clip(score * float(slope), -30.0, 30.0))))
        return found

    def _reasons(self, owners: Places, runs: Places, hits: list[list[Hit]]) -> list[tuple[Reason, ...]]:
        """The pieces of each text that weighed most: words of the lexicon, runs of characters known from training."""
        long = self._long[runs]
        owners, runs = owners[long], runs[long]
        scale = _scale(owners, self._squares[runs], len(hits))
        moved = self._moves[0][runs] * scale[owners]
        order = np.lexsort((-np.abs(moved), owners))  # of equal ones the first in the vocabulary stays the first
        ends = np.cumsum(np.bincount(owners, minlength=len(hits))).tolist()
        ranked, weights = runs[order].tolist(), moved[order].tolist()
        found, start = [], 0
        for text, end in enumerate(ends):
            stop = min(end, start + REASONS * 3 + len(hits[text]))
            names = map(self.profile.vocabulary.__getitem__, ranked[start:stop])
            found.append(self._told(dict(zip(names, weights[start:stop], strict=True)), hits[text], float(scale[text])))
            start = end
        return found

    def _told(self, moved: dict[str, float], hits: list[Hit], scale: float) -> tuple[Reason, ...]:
        """The strongest pieces of one text; a word of the lexicon adds to what its run of characters moved."""
        for word, number, negated in hits:
            before = moved.get(word)
            known = self._runs.number.get(word) if before is None and len(word) > 1 else None
            before = float(self._moves[0][known]) * scale if known is not None else before or 0.0
            moved[word] = before + (0.0 if negated else self._alone[number])
        best = sorted([(-abs(weight), piece) for piece, weight in moved.items()])[: REASONS * 3]
        return tuple([Reason(piece, round(moved[piece], 3)) for piece in _apart(piece for _, piece in best)])


def _scale(owners: Places, squares: Array, texts: int) -> Array:
    """One over the length of each text's vector; 0 where it has none."""
    lengths = np.sqrt(np.bincount(owners, weights=squares, minlength=texts))
    return np.divide(1.0, lengths, out=np.zeros(texts), where=lengths > 0.0)


def _apart(pieces: Iterable[str]) -> list[str]:
    """The first REASONS pieces; one inside a stronger one, or around it, says nothing new."""
    kept: list[str] = []
    for piece in pieces:
        for other in kept:
            if piece in other or other in piece:
                break
        else:
            kept.append(piece)
            if len(kept) == REASONS:
                break
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
    runs, others = len(vocabulary), len(dense("", [], with_shape=bool(with_shape), weak=float(weak)))
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
