"""Chance (偶然): how likely so many voices, or so many unhappy ones, are by themselves; no clusters, no time."""

from __future__ import annotations

import math
from functools import lru_cache

SPREAD = 4.0  # how much counts of one matter swing round their mean; infinite would be Poisson
LEARNED = 2.0  # windows of history from which the swing is believed
_FIRM = 8.0  # voices that the stream's own share of unhappy ones weighs as much as


def tail(voices: int, usual: float, history: float, spread: float = SPREAD) -> float:
    """The chance of `voices` or more in a window where `usual` are expected.

    Exact Poisson while less than LEARNED windows of history are known, then negative binomial, which allows for more:
    the smaller `spread`, the more.
    """
    if voices <= 0:
        return 1.0
    poisson = history < LEARNED
    share = usual if poisson else usual / (usual + spread)
    term = math.exp(-usual) if poisson else math.exp(-spread * math.log1p(usual / spread))
    for count in range(1, voices + 1):
        term *= share / count if poisson else share * (spread + count - 1) / count
    # Summed from `voices` on upwards: 1 minus what lies below loses everything under 1e-16.
    above, count = 0.0, voices
    while count < voices + 2000:
        above += term
        count += 1
        term *= share / count if poisson else share * (spread + count - 1) / count
        if term < above * 1e-12 and count > usual:
            break
    return min(1.0, max(0.0, above))


def unhappy_tail(unhappy: int, voices: int, share: float) -> float:
    """The chance of so many unhappy voices or more where the stream's `share` is unhappy (beta-binomial)."""
    if unhappy <= 0 or voices <= 0:
        return 1.0
    return _unhappy_tail(unhappy, voices, round(min(0.98, max(0.02, share)), 2))


@lru_cache(maxsize=20_000)
def _unhappy_tail(unhappy: int, voices: int, share: float) -> float:
    one, other = share * _FIRM, (1.0 - share) * _FIRM
    return min(1.0, sum(_beta_binomial(count, voices, one, other) for count in range(unhappy, voices + 1)))


def together(one: float, other: float) -> float:
    """Two independent chances as one (Fisher's method)."""
    product = max(1e-300, min(1.0, one) * min(1.0, other))
    return min(1.0, product * (1.0 - math.log(product)))


def _beta_binomial(count: int, voices: int, one: float, other: float) -> float:
    log = (
        math.lgamma(voices + 1)
        - math.lgamma(count + 1)
        - math.lgamma(voices - count + 1)
        + _log_beta(count + one, voices - count + other)
        - _log_beta(one, other)
    )
    return math.exp(log)


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)
