"""The topic model (主题模型): which first level of a tree a text belongs to, as learnt from labels; no training.

It is linear over runs of characters, and of one tree: of another it says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.features import grams
from nlp.model_file import fitting, names, numbers, packed, unpacked
from nlp.topic_tree import Tree

SCHEMA = "topics-1"
LOOKED_AT = 400  # characters: what a letter is about stands at its beginning
TITLE = 5.0  # what a run of characters weighs that stands in the title


@dataclass(frozen=True)
class TopicModel:
    """vocabulary V runs of characters; rarity (V,); weights (V, B) and bias (B,) for the B first levels of the tree
    with this `digest`."""

    vocabulary: tuple[str, ...]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    branches: tuple[str, ...]
    digest: str
    about: Mapping[str, Any]
    _at: dict[str, int] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._at.update({gram: number for number, gram in enumerate(self.vocabulary)})

    def fits(self, tree: Tree) -> bool:
        return self.digest == tree.digest and self.branches == tree.branches

    def scores(self, plain: str, title: int = 0) -> NDArray[np.float32]:
        """A score for each first level: about 1 where it is surely that, about -1 where surely not."""
        at = self._at.get
        places = [place for place in map(at, grams(plain[:LOOKED_AT])) if place is not None]
        values = self.rarity[places]
        if title:
            in_title = {place for place in map(at, grams(plain[:title])) if place is not None}
            values *= np.array([TITLE if place in in_title else 1.0 for place in places], dtype=np.float32)
        length = math.sqrt(float(values @ values)) or 1.0
        found: NDArray[np.float32] = values @ self.weights[places] / np.float32(length) + self.bias
        return found


def grams_with_title(plain: str, title: int) -> dict[str, float]:
    """The distinct runs of one to three characters of a text, those of its title weighed more."""
    told = dict.fromkeys(grams(plain[:LOOKED_AT]), 1.0)
    if title:
        told.update(dict.fromkeys(grams(plain[:title]), TITLE))
    return told


def write_topic_model(model: TopicModel) -> bytes:
    """The model as a file: equal models give equal bytes."""
    arrays = {
        "vocabulary": np.array(model.vocabulary, dtype="<U3"),
        "rarity": model.rarity,
        "weights": model.weights,
        "bias": model.bias,
        "branches": np.array(model.branches, dtype=np.str_),
    }
    return packed(arrays, {**model.about, "schema": SCHEMA, "tree": model.digest})


def read_topic_model(data: bytes) -> TopicModel:
    """The model in these bytes; ModelFileError where they are none."""
    arrays, about = unpacked(data, "主题模型", SCHEMA)
    with fitting("主题模型"):
        vocabulary, branches = names(arrays["vocabulary"]), names(arrays["branches"])
        return TopicModel(
            vocabulary=vocabulary,
            rarity=numbers(arrays["rarity"], len(vocabulary)),
            weights=numbers(arrays["weights"], len(vocabulary), len(branches)),
            bias=numbers(arrays["bias"], len(branches)),
            branches=branches,
            digest=str(about["tree"]),
            about=about,
        )
