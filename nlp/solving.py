"""Solving (求解): texts as rows of runs of characters, and linear equations over them; what is asked is training's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sparse:
    """Rows of runs of characters: for each entry its row, column and value; (rows, columns) is the size."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Array
    size: tuple[int, int]

    def times(self, vector: Array) -> Array:
        found: Array = np.bincount(self.row, self.value * vector[self.column], self.size[0]).astype(np.float64)
        return found

    def turned_times(self, vector: Array) -> Array:
        found: Array = np.bincount(self.column, self.value * vector[self.row], self.size[1]).astype(np.float64)
        return found


def sparse_rows(texts: Iterable[Mapping[str, float]], column: Mapping[str, int], rarity: Array) -> Sparse:
    """Every text as a row of length one; a run of characters weighs its rarity times what stands beside it."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[Array] = []
    number = -1
    for number, found in enumerate(texts):
        known = sorted((column[gram], weight) for gram, weight in found.items() if gram in column)
        places = [place for place, _ in known]
        part = rarity[places] * np.array([weight for _, weight in known])
        values.append(part / (math.sqrt(float((part**2).sum())) or 1.0))
        columns += places
        rows += [number] * len(places)
    value = np.concatenate(values) if values else np.zeros(0)
    return Sparse(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), value, (number + 1, len(column)))


def ridge(sparse: Sparse, target: Array, weights: Array, penalty: float) -> Array:
    """Weights of the columns and, last, the bias, of least weighted squared error; the pull to zero is `penalty`."""
    size = sparse.size[1]

    def score(answer: Array) -> Array:
        found: Array = sparse.times(answer[:size]) + answer[-1]
        return found

    def turned(vector: Array) -> Array:
        return np.concatenate([sparse.turned_times(vector), [vector.sum()]])

    def bend(way: Array) -> Array:
        found: Array = turned(weights * score(way)) + penalty * way
        return found

    return conjugate(bend, turned(weights * target), rounds=200, enough=1e-8)


def logistic(
    sparse: Sparse, other: Array, target: Array, weights: Array, pull: float, start: Array | None = None
) -> Array:
    """Logistic regression by Newton steps with conjugate gradients: the weights of the runs, then of the other
    features, then the bias. `pull` draws them towards zero; `start` is an answer that is near already."""
    size = sparse.size[1]
    penalty = np.full(size + other.shape[1] + 1, pull)
    penalty[-1] = 1e-4

    def score(answer: Array) -> Array:
        found: Array = sparse.times(answer[:size]) + other @ answer[size:-1] + answer[-1]
        return found

    def turned(vector: Array) -> Array:
        return np.concatenate([sparse.turned_times(vector), other.T @ vector, [vector.sum()]])

    def loss(answer: Array) -> float:
        value = score(answer)
        return float((weights * (np.logaddexp(0.0, value) - target * value)).sum() + 0.5 * (penalty * answer**2).sum())

    answer = np.zeros(len(penalty)) if start is None else start
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-score(answer)))
        gradient = turned(weights * (chance - target)) + penalty * answer
        if float(np.abs(gradient).max(initial=0.0)) < 1e-3:
            break
        curve = weights * chance * (1.0 - chance)
        step = conjugate(partial(_bend, curve=curve, score=score, turned=turned, penalty=penalty), -gradient)
        answer = _walk(loss, answer, step)
    return answer


def _bend(
    way: Array, curve: Array, score: Callable[[Array], Array], turned: Callable[[Array], Array], penalty: Array
) -> Array:
    """How the gradient changes along a way (the second derivative, by its product only)."""
    return turned(curve * score(way)) + penalty * way


def _walk(loss: Callable[[Array], float], answer: Array, step: Array) -> Array:
    """Half the step until the loss falls."""
    before, length = loss(answer), 1.0
    while loss(answer + length * step) > before and length > 1e-4:
        length /= 2
    return answer + length * step


def conjugate(times: Callable[[Array], Array], goal: Array, *, rounds: int = 60, enough: float = 1e-4) -> Array:
    """Solves times(x) = goal for a positive matrix that is known by its products only, until of the squared length of
    what is missing only the share `enough` is left."""
    solution, rest = np.zeros_like(goal), goal.copy()
    way, norm = rest.copy(), float(rest @ rest)
    least = norm * enough
    for _ in range(rounds):
        if norm <= least:
            break
        product = times(way)
        share = norm / float(way @ product)
        solution += share * way
        rest -= share * product
        new = float(rest @ rest)
        way = rest + (new / norm) * way
        norm = new
    return solution


def rounded(values: Any) -> NDArray[np.float32]:
    """As a model file holds them: the same on machines that differ in the last digit."""
    return np.round(np.asarray(values, dtype=np.float64), 5).astype(np.float32)
