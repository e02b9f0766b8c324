"""Settings of the detectors: every figure with its meaning, as data; an office's policies may replace them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterSettings:
    """Figures of the cluster detector, found on half a year of letters to a city of millions."""

    window_days: float = 14.0  # voices are counted over so long
    least_voices: int = 4  # distinct people, whatever the chance
    watch_voices: int = 3  # from so many on an issue stands on the board
    chance: float = 0.01  # an alert needs a chance below this
    likeness: float = 0.12  # cosine from which a text belongs to a cluster
    shared: float = 0.5  # share of the voices that must hold the same two terms: a place alone is no matter
    place_weight: float = 1.5  # what a place's name weighs beside another word
    cool_down_days: float = 30.0  # no second alert of a cluster within
    forget_days: float = 45.0  # a cluster with no voice for so long is forgotten
    half_life_days: float = 30.0  # of the baseline
    prior: float = 0.4  # voices per window that a matter has before anything is known of it
    terms_per_text: int = 40
    terms_per_cluster: int = 80
    clusters: int = 20_000  # live ones, the oldest go first
    texts_counted: int = 10_000  # texts over which the commonness of terms is counted
    crowded: int = 200  # a term in more clusters than this points to none
    ids: int = 200  # newest reply ids told
    events: int = 2_000  # newest voices and copies that a cluster remembers
    kindly: float = 0.2  # mean of `negative` below which people only praise: no alert
