"""Joined (连文): many texts as one with a mark behind each, so that whoever looks through them looks once for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MARK = "\x00"  # no normalised text holds it
BEYOND = 0x110000  # in place of the mark among the codes: no character has this number

Places = NDArray[np.intp]


class Joined:
    """Texts in one row; a place is counted in characters from the beginning of the first."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.mark, self.text = _joined(texts)
        self.lengths: Places = np.fromiter(map(len, texts), np.intp, len(texts))
        self.ends: Places = np.cumsum(self.lengths + 1) - 1  # where each text's mark stands
        self.starts: Places = self.ends - self.lengths

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def owners(self) -> Places:
        """The text of each place, by its number; a mark belongs to the text before it."""
        return np.repeat(np.arange(len(self.texts), dtype=np.intp), self.lengths + 1)

    @cached_property
    def codes(self) -> NDArray[np.uint32]:
        """The number of each character; BEYOND at the marks."""
        codes = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype="<u4").copy()
        codes[self.ends] = BEYOND
        return codes


def _joined(texts: Sequence[str]) -> tuple[str, str]:
    """A mark that stands in no text, and the texts with it."""
    for mark in _marks():
        text = mark.join([*texts, ""])
        if text.count(mark) == len(texts):
            return mark, text
    raise ValueError("texts that hold every character there is")


def _marks() -> Iterator[str]:
    yield MARK
    yield from map(chr, range(0xE000, 0xF900))  # of no meaning to anybody
    yield from map(chr, range(0xF0000, 0x110000))
