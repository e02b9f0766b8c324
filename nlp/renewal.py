"""Renewal (重新训练): an office's labels parted into learnt and held back, a model of the first measured on the rest.

Nothing here decides what is kept. What the figures are made of is counts, so that whoever reads them later can reckon
every share anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nlp.copies import marks_of
from nlp.normal import normalise
from nlp.sentiment import Model, load_model, read_model, write_model
from nlp.training import Labelled, own_corpus, profile_of, train

HELD_OUT = 5  # every fifth text is held back


@dataclass(frozen=True)
class Trial:
    """试训: the figures of the model before and of the one tried, on the same texts; the one tried; what it was of."""

    before: dict[str, Any]
    after: dict[str, Any]
    tried: bytes
    labels: dict[str, int]
    own_texts: dict[str, int]


def is_held_back(text: str) -> bool:
    """Whether a text is for measuring only, now and in every later training.

    It hangs on the words alone: the same words under two replies never stand on both sides, and a model of last month
    has not learnt what it is measured on today.
    """
    return int(marks_of(normalise(text))[0], 16) % HELD_OUT == 0


def parted(labels: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """Labels to learn from, and those held back; of the same words the first counts."""
    known: dict[str, Labelled] = {}
    for label in labels:
        known.setdefault(marks_of(normalise(label.text))[0], label)
    return (
        [label for label in known.values() if not is_held_back(label.text)],
        [label for label in known.values() if is_held_back(label.text)],
    )


def try_out(
    labels: Sequence[Labelled], before: bytes | None, steps: Sequence[float], own: Sequence[Labelled] | None = None
) -> Trial:
    """A model that has not seen the held-back labels, measured on them beside the one before (None: the shipped one).

    `before` must not have seen them either; the tried model of an earlier renewal has not.
    """
    texts = own_corpus() if own is None else own
    learnt, held = parted(labels)
    tried = train([*texts, *learnt])
    old = load_model() if before is None else read_model(before)
    return Trial(
        measured(old, held, steps),
        measured(tried, held, steps),
        write_model(tried),
        _counted([*learnt, *held]),
        _counted(texts),
    )


def trained(labels: Sequence[Labelled], own: Sequence[Labelled] | None = None) -> bytes:
    """The model of all labels, held back or not, as a file."""
    learnt, held = parted(labels)
    return write_model(train([*(own_corpus() if own is None else own), *learnt, *held]))


def measured(model: Model, held: Sequence[Labelled], steps: Sequence[float]) -> dict[str, Any]:
    """How many texts, how many of them negative, and at each threshold: negatives missed, others called negative."""
    scorers = model.scorers()
    scores = [(label.label == "neg", _negative(scorers, label)) for label in held]
    return {
        "texts": len(scores),
        "negative": sum(bad for bad, _ in scores),
        "steps": [
            {
                "threshold": step,
                "missed": sum(bad and score < step for bad, score in scores),
                "false_alarms": sum(not bad and score >= step for bad, score in scores),
            }
            for step in steps
        ],
    }


def _negative(scorers: Any, label: Labelled) -> float:
    found: float = scorers[profile_of(label.kind)].probabilities(normalise(label.text))[0]
    return found


def _counted(rows: Sequence[Labelled]) -> dict[str, int]:
    """How many of each profile and label, as `comment_neg`."""
    return dict(sorted(Counter(f"{profile_of(row.kind)}_{row.label}" for row in rows).items()))
