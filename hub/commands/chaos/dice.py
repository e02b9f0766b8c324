"""Choices out of a seeded chance: the same seed, the same row of them; what is chosen lives beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices, one after another."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.chance = chance

    def below(self, most: int) -> int:
        return int(self.chance() * most)

    def pick(self, things: Sequence[T]) -> T:
        return things[self.below(len(things))]

    def weighed(self, things: Sequence[tuple[float, T]]) -> T:
        """One of them, each as often as its weight says."""
        left = self.chance() * sum(weight for weight, _ in things)
        for weight, thing in things:
            left -= weight
            if left <= 0:
                return thing
        return things[-1][1]
