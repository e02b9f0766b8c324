"""The list of detectors by name; each has take, save and load, and can be made without a word about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from nlp.contract import IssueChange, Voice
from nlp.detectors.deciding import Deciding
from nlp.detectors.ensemble import Ensemble
from nlp.detectors.watchwords import WatchWords


class AnyDetector(Protocol):
    """What every detector can do."""

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...


DETECTORS: dict[str, Callable[..., AnyDetector]] = {
    "clusters": Deciding,
    "watchwords": WatchWords,
    "ensemble": Ensemble,
}
