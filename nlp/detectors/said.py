"""Said (所说): voices made ready for the detector, many at once; nothing here depends on what was heard before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.contract import Voice
from nlp.copies import copy_key, simhashes
from nlp.normal import letters, normalise

_LINE = 160  # characters of a voice's first line


@dataclass(frozen=True, slots=True)
class Said:
    """A voice, its time in milliseconds since 1970, its normalised text, that text's letters and its marks."""

    voice: Voice
    at: int
    plain: str
    head: str
    key: str
    mark: int

    def line(self) -> str:
        """The first line."""
        first, more, _ = self.voice.text.lstrip().partition("\n")
        return (normalise(first, _LINE) if more else "") or self.plain[:_LINE]


def heard(voices: Sequence[Voice]) -> list[Said]:
    """The voices in their order."""
    plains = [normalise(voice.text) for voice in voices]
    heads = [letters(plain) for plain in plains]
    return [
        Said(voice, int(voice.at.timestamp() * 1000), plain, head, copy_key(head or plain), mark)
        for voice, plain, head, mark in zip(voices, plains, heads, simhashes(heads), strict=True)
    ]
