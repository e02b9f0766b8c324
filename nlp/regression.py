"""Regression (回归): sparse rows of runs of characters, and logistic regression over them; no texts, no labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

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


def sparse_rows(sets: Iterable[set[str]], column: dict[str, int], rarity: Array) -> Sparse:
    """Every row of length one."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[Array] = []
    number = -1
    for number, found in enumerate(sets):
        known = sorted(column[gram] for gram in found if gram in column)
        part = rarity[known]
        values.append(part / (math.sqrt(float((part**2).sum())) or 1.0))
        columns += known
        rows += [number] * len(known)
    value = np.concatenate(values) if values else np.zeros(0)
    return Sparse(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), value, (number + 1, len(column)))


def fit(sparse: Sparse, other: Array, target: Array, weights: Array, penalty: float) -> Array:
    """Logistic regression by Newton steps with conjugate gradients: runs, then other features, then the bias."""
    size = sparse.size[1]
    pull = np.full(size + other.shape[1] + 1, penalty)
    pull[-1] = 1e-4

    def score(answer: Array) -> Array:
        found: Array = sparse.times(answer[:size]) + other @ answer[size:-1] + answer[-1]
        return found

    def turned(vector: Array) -> Array:
        return np.concatenate([sparse.turned_times(vector), other.T @ vector, [vector.sum()]])

    def loss(answer: Array) -> float:
        value = score(answer)
        return float((weights * (np.logaddexp(0.0, value) - target * value)).sum() + 0.5 * (pull * answer**2).sum())

    answer = np.zeros(len(pull))
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-score(answer)))
        gradient = turned(weights * (chance - target)) + pull * answer
        if float(np.abs(gradient).max(initial=0.0)) < 1e-3:
            break
        curve = weights * chance * (1.0 - chance)
        step = _conjugate(partial(_bend, curve=curve, score=score, turned=turned, penalty=pull), -gradient)
        answer = _walk(loss, answer, step)
    return answer


def _bend(
    way: Array, curve: Array, score: Callable[[Array], Array], turned: Callable[[Array], Array], penalty: Array
) -> Array:
    """How the gradient changes along a way (the second derivative, by its product only)."""
    return turned(curve * score(way)) + penalty * way


def _conjugate(times: Callable[[Array], Array], goal: Array) -> Array:
    """Solves times(x) = goal for a positive matrix that is known by its products only."""
    solution, rest = np.zeros_like(goal), goal.copy()
    way, norm = rest.copy(), float(rest @ rest)
    enough = norm * 1e-4
    for _ in range(60):
        if norm <= enough:
            break
        product = times(way)
        share = norm / float(way @ product)
        solution += share * way
        rest -= share * product
        new = float(rest @ rest)
        way = rest + (new / norm) * way
        norm = new
    return solution


def _walk(loss: Callable[[Array], float], answer: Array, step: Array) -> Array:
    """Half the step until the loss falls."""
    before, length = loss(answer), 1.0
    while loss(answer + length * step) > before and length > 1e-4:
        length /= 2
    return answer + length * step
