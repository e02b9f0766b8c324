"""Chance (偶然): how likely so many voices are by themselves, given what is usual; no clusters, no time."""

from __future__ import annotations

import math

SPREAD = 4.0  # how much counts of one matter swing round their mean; infinite would be Poisson
LEARNED = 2.0  # windows of history from which the swing is believed


def tail(voices: int, usual: float, history: float) -> float:
    """The chance of `voices` or more in a window where `usual` are expected.

    Exact Poisson while less than LEARNED windows of history are known, then negative binomial, which allows for more.
    """
    if voices <= 0:
        return 1.0
    return _poisson(voices, usual) if history < LEARNED else _negative_binomial(voices, usual)


def _poisson(voices: int, usual: float) -> float:
    term = math.exp(-usual)
    below = term
    for count in range(1, voices):
        term *= usual / count
        below += term
    return min(1.0, max(0.0, 1.0 - below))


def _negative_binomial(voices: int, usual: float) -> float:
    share = usual / (usual + SPREAD)
    term = math.exp(-SPREAD * math.log1p(usual / SPREAD))
    below = term
    for count in range(1, voices):
        term *= share * (SPREAD + count - 1) / count
        below += term
    return min(1.0, max(0.0, 1.0 - below))
