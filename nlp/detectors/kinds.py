"""The list of detectors by name; each has take, save and load, and is made from its settings."""

from __future__ import annotations

from collections.abc import Callable

from nlp.detectors.clusters import Detector

DETECTORS: dict[str, Callable[..., Detector]] = {"clusters": Detector}
