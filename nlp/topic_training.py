"""Topic training (主题训练): labels and the names of a tree in, a model out, measured beside what routed before.

What is kept is decided elsewhere. Figures are counts, so that whoever reads them later can reckon every share anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.copies import marks_of
from nlp.normal import normalise
from nlp.solving import Array, ridge, rounded, sparse_rows
from nlp.topic_model import TopicModel, grams_with_title, read_topic_model, write_topic_model
from nlp.topic_tree import Tree, read_tree
from nlp.topics import Topics, title_length

# Found on the even rows of 297 letters (docs/benchmarks.md).
NAME_WEIGHT = 0.5  # of a name of the tree, beside a labelled text
PENALTY = 0.1  # pull of the weights towards zero
EVEN = 0.5  # how far first levels with few texts are brought up to the others
RAREST = 2  # a run of characters must stand in so many texts: what only one person wrote is not kept
FOLDS = 5  # every label measures once, with a model of the other four fifths
NONE = "—"  # what is said of a text that is left without a topic

Pair = tuple[str, str]  # where a person filed a text, and where it was routed


@dataclass(frozen=True)
class Filed:
    """One text with the first level under which a person filed it; the title, if any, is its first line."""

    text: str
    branch: str


@dataclass(frozen=True)
class TopicTrial:
    """试训: the figures of what routed before and of the model tried, on the same texts; the one tried; its labels."""

    before: dict[str, Any]
    after: dict[str, Any]
    tried: tuple[bytes, ...]  # one for each fold
    labels: dict[str, int]


def train_topics(tree: Tree, labels: Sequence[Filed]) -> TopicModel:
    """A model of these labels and the tree's names: one linear question for each first level, by least squares."""
    spoken = [topic for topic in tree.topics if not topic.is_rest]
    named = ((name, topic.branch) for topic in spoken for name in (topic.path[-1], *topic.names))
    names = list(dict.fromkeys(named))
    texts = [*(_grams_of(label.text) for label in labels), *(grams_with_title(name, 0) for name, _ in names)]
    counts = Counter(gram for told in texts for gram in told)
    vocabulary = tuple(sorted(gram for gram, count in counts.items() if count >= RAREST))
    rarity = np.array([math.log((1 + len(texts)) / (1 + counts[gram])) + 1.0 for gram in vocabulary])
    rows = sparse_rows(texts, {gram: number for number, gram in enumerate(vocabulary)}, rarity)
    numbers = {branch: number for number, branch in enumerate(tree.branches)}
    filed = np.array([numbers[label.branch] for label in labels] + [numbers[branch] for _, branch in names])
    weights = _evened(filed, np.array([1.0] * len(labels) + [NAME_WEIGHT] * len(names)))
    solved = [ridge(rows, np.where(filed == number, 1.0, -1.0), weights, PENALTY) for number in numbers.values()]
    return TopicModel(
        vocabulary=vocabulary,
        rarity=rounded(rarity),
        weights=rounded([answer[:-1] for answer in solved]).T.copy(),
        bias=rounded([answer[-1] for answer in solved]),
        branches=tree.branches,
        digest=tree.digest,
        about={"labels": len(labels), "names": len(names)},
    )


def _evened(filed: Any, weights: Array) -> Array:
    """The weights, so that a first level with few texts is heard beside one with many."""
    sums = np.bincount(filed, weights)
    middle = float(sums[sums > 0].mean())
    found: Array = weights * (middle / sums[filed]) ** EVEN
    return found


def _grams_of(text: str) -> dict[str, float]:
    plain = normalise(text)
    return grams_with_title(plain, title_length(text, plain))


def fold_of(text: str) -> int:
    """The fold of a text, for ever: it hangs on the words alone, so that the same words twice are in one."""
    return int(marks_of(normalise(text))[0], 16) % FOLDS


def once(labels: Sequence[Filed]) -> list[Filed]:
    """Of the same words only the first label."""
    known: dict[str, Filed] = {}
    for label in labels:
        known.setdefault(marks_of(normalise(label.text))[0], label)
    return list(known.values())


def try_out_topics(labels: Sequence[Filed], tree_text: str, before: Sequence[bytes] | None) -> TopicTrial:
    """Every label routed by a model that has not seen its fold, beside what routed before: the models that were tried
    then, fold by fold, or the names alone (None)."""
    tree = read_tree(tree_text)[0]
    kept = once(labels)
    folds = [fold_of(label.text) for label in kept]
    tried: list[bytes] = []
    old: list[Pair] = []
    new: list[Pair] = []
    for fold in range(FOLDS):
        model = train_topics(tree, [label for label, at in zip(kept, folds, strict=True) if at != fold])
        held = [label for label, at in zip(kept, folds, strict=True) if at == fold]
        known = read_topic_model(before[fold]) if before is not None else None
        old += _pairs(Topics(tree, known), held)
        new += _pairs(Topics(tree, model), held)
        tried.append(write_topic_model(model))
    counts = Counter(label.branch for label in kept)
    return TopicTrial(counted(old), counted(new), tuple(tried), dict(sorted(counts.items())))


def trained_topics(labels: Sequence[Filed], tree_text: str) -> bytes:
    """The model of all labels, as a file."""
    return write_topic_model(train_topics(read_tree(tree_text)[0], once(labels)))


def routed(topics: Topics, text: str) -> str:
    """The first level of one text as it comes, title first."""
    plain = normalise(text)
    found = topics.route(plain, title_length(text, plain))
    return found.branch if found else NONE


def _pairs(topics: Topics, held: Sequence[Filed]) -> list[Pair]:
    return [(label.branch, routed(topics, label.text)) for label in held]


def counted(found: Sequence[Pair]) -> dict[str, Any]:
    """Of each first level: how many texts people filed there, how many were routed there, and how many both."""
    there, said = Counter(true for true, _ in found), Counter(said for _, said in found)
    right = Counter(true for true, said in found if true == said)
    names = sorted({*there, *said} - {NONE})
    return {
        "texts": len(found),
        "branches": [{"name": n, "there": there[n], "routed": said[n], "right": right[n]} for n in names],
    }
