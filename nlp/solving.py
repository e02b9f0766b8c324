"""Solving (求解): texts as rows of runs of characters, and linear equations over them; what is asked is training's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
