"""Evaluation (评测): a judge's answers beside people's labels, as figures; no training, no printing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp.contract import Sentiment

BANDS = 10


@dataclass(frozen=True)
class Figures:
    """One yes-or-no question (negative?) over some texts. `recall` is per class: of that class, how many were found."""

    texts: int
    accuracy: float
    macro_f1: float
    recall: dict[str, float]


@dataclass(frozen=True)
class Band:
    """Calibration (校准): of the texts scored in [low, high), how many there are, their mean score and true share."""

    low: float
    high: float
    texts: int
    said: float
    true: float


@dataclass(frozen=True)
class Report:
    """`against_positive` leaves neutral texts out, `against_rest` counts them as not negative."""

    against_positive: Figures
    against_rest: Figures
    labels: Figures
    calibration: tuple[Band, ...]
    unsure: float


def figures(truth: Sequence[str], said: Sequence[str]) -> Figures:
    """Accuracy, macro-F1 over the classes that occur in the truth, and their recalls."""
    classes = sorted(set(truth))
    recalls, scores = {}, []
    for name in classes:
        right = sum(t == s == name for t, s in zip(truth, said, strict=True))
        there, found = sum(t == name for t in truth), sum(s == name for s in said)
        recalls[name] = round(right / there, 4)
        scores.append(2 * right / (there + found))
    correct = sum(t == s for t, s in zip(truth, said, strict=True))
    count = len(truth)
    macro = sum(scores) / len(scores) if scores else 0.0
    return Figures(count, round(correct / count, 4) if count else 0.0, round(macro, 4), recalls)


def report(truth: Sequence[str], answers: Sequence[Sentiment]) -> Report:
    """The whole report; every row is decided at the default threshold, sure or not."""
    said = ["neg" if answer.label == "neg" else "rest" for answer in answers]
    kept = [number for number, label in enumerate(truth) if label != "neu"]
    positive = figures(
        ["neg" if truth[number] == "neg" else "pos" for number in kept],
        ["neg" if said[number] == "neg" else "pos" for number in kept],
    )
    rest = figures(["neg" if label == "neg" else "rest" for label in truth], said)
    labels = figures(truth, [answer.label for answer in answers])
    bands = calibration([label == "neg" for label in truth], [answer.negative for answer in answers])
    unsure = sum(not answer.sure for answer in answers) / len(answers) if answers else 0.0
    return Report(positive, rest, labels, bands, round(unsure, 4))


def calibration(truth: Iterable[bool], scores: Iterable[float]) -> tuple[Band, ...]:
    """Ten bands of the score; empty ones are left out."""
    bands: list[list[tuple[float, bool]]] = [[] for _ in range(BANDS)]
    for true, score in zip(truth, scores, strict=True):
        bands[min(BANDS - 1, int(score * BANDS))].append((score, true))
    return tuple(
        Band(
            low=number / BANDS,
            high=(number + 1) / BANDS,
            texts=len(rows),
            said=round(sum(score for score, _ in rows) / len(rows), 3),
            true=round(sum(true for _, true in rows) / len(rows), 3),
        )
        for number, rows in enumerate(bands)
        if rows
    )
