"""Hints (可能紧急的提示): what ships and reads on the first day; how each half of it reads is its own module's.

Short texts are read by the model of clauses made of the project's own texts, longer ones by words put together by hand:
in a long text a model of clauses has thirty chances to be wrong. Between the two both read, the words first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from nlp.contract import Urgency
from nlp.danger import danger_in
from nlp.urgency import UrgencyReader, read_urgency_model

MODEL = Path(__file__).parent / "models" / "urgency.npz"
BY_WORDS_FROM = 60  # characters: longer texts are read by words
BY_MODEL_TO = 120  # characters: longer texts are read by no model


class ShippedHints:
    """Reads texts for what may be urgent; never changed after it is made."""

    def __init__(self, clauses: UrgencyReader) -> None:
        self._clauses = clauses

    def read_many(self, texts: Sequence[str]) -> list[Urgency | None]:
        """What may be urgent in each of these normalised texts, in their order; None where nothing is."""
        found = [danger_in(text) if len(text) > BY_WORDS_FROM else None for text in texts]
        open_ = [place for place, text in enumerate(texts) if len(text) <= BY_MODEL_TO and found[place] is None]
        for place, hint in zip(open_, self._clauses.read_many([texts[place] for place in open_]), strict=True):
            found[place] = hint
        return found


@lru_cache(maxsize=1)
def shipped_hints() -> ShippedHints:
    """The shipped reader, made ready once per process. ModelFileError where its file was altered."""
    return ShippedHints(UrgencyReader(read_urgency_model(MODEL.read_bytes())))
