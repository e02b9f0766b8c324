"""Said (所说): voices made ready for the detector, many at once; nothing here depends on what was heard before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlp.contract import Voice
from nlp.copies import copy_key, simhashes
from nlp.detectors.matters import matters_in_many
from nlp.normal import letters, normalise

_LINE = 160  # characters of a voice's first line


class Said(NamedTuple):
    """A voice, its time in milliseconds since 1970, its normalised text, that text's letters, its marks and matters."""

    voice: Voice
    at: int
    plain: str
    head: str
    key: str
    mark: int
    matters: tuple[str, ...]

    def line(self) -> str:
        """The first line."""
        first, more, _ = self.voice.text.lstrip().partition("\n")
        return (normalise(first, _LINE) if more else "") or self.plain[:_LINE]


def heard(voices: Sequence[Voice]) -> list[Said]:
    """The voices in their order."""
    plains = [normalise(voice.text) for voice in voices]
    heads = [letters(plain) for plain in plains]
    parts = (voices, plains, heads, simhashes(heads), matters_in_many(plains))
    return [
        Said(voice, int(voice.at.timestamp() * 1000), plain, head, copy_key(head or plain), mark, matters)
        for voice, plain, head, mark, matters in zip(*parts, strict=True)
    ]
