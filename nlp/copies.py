"""Copies (同文): marks that exact and near copies share, and a bounded memory of them; no judgement of intent."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

import numpy as np

from nlp.normal import letters

NEAR = 3  # bits of 64 in which two near copies may differ
SHINGLE = 4  # characters
SHORTEST = 16  # letters: below this every word changes the mark, so only exact copies count

_MIX = np.uint64(0x9E3779B97F4A7C15)
_STEPS = tuple(np.uint64(step) for step in (0x100000001B3, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5))


def copy_key(plain: str) -> str:
    """The same for texts that differ in punctuation and case only. `plain` is `letters(...)` of a normalised text."""
    return blake2b(plain.encode("utf-8", "replace"), digest_size=8).hexdigest()


def simhash(plain: str) -> int:
    """A 64-bit mark in which near copies differ little; 0 for texts too short to have one."""
    if len(plain) < SHORTEST:
        return 0
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    with np.errstate(over="ignore"):
        marks = codes[: len(codes) - SHINGLE + 1] * _STEPS[0]
        for step in range(1, SHINGLE):
            marks = marks + codes[step : len(codes) - SHINGLE + 1 + step] * _STEPS[step]
        marks ^= marks >> np.uint64(31)
        marks *= _MIX
        marks ^= marks >> np.uint64(29)
    ones = np.unpackbits(marks.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=0, dtype=np.int64)
    return int.from_bytes(np.packbits(ones * 2 > len(marks)).tobytes(), "big")


def marks_of(text: str) -> tuple[str, int]:
    """Copy key and simhash of a normalised text."""
    plain = letters(text)
    return copy_key(plain or text), simhash(plain)


def distance(one: int, other: int) -> int:
    """In how many of their 64 bits two marks differ."""
    return (one ^ other).bit_count()


class Copies:
    """Remembers the newest `capacity` originals; answers which of them a text is a copy of."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._exact: OrderedDict[str, tuple[str, int]] = OrderedDict()
        # in the order of `_exact`, always: a memory made from its rows must answer as this one does
        self._bands: dict[tuple[int, int], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._exact)

    def original(self, key: str, mark: int) -> str | None:
        """The name under which this text, or one nearly like it, was kept."""
        if key in self._exact:
            return self._seen_again(key)
        if not mark:
            return None
        for band in _bands(mark):
            for other in self._bands.get(band, ()):
                name, seen = self._exact[other]
                if distance(mark, seen) <= NEAR:
                    return name
        return None

    def _seen_again(self, key: str) -> str:
        self._exact.move_to_end(key)
        name, mark = self._exact[key]
        for band in _bands(mark) if mark else ():
            self._bands[band][key] = self._bands[band].pop(key)
        return name

    def keep(self, key: str, mark: int, name: str) -> None:
        """Remembers an original under a name; the one longest unseen is forgotten when there are too many."""
        if key in self._exact:
            return
        self._exact[key] = (name, mark)
        for band in _bands(mark) if mark else ():
            self._bands.setdefault(band, {})[key] = None
        if len(self._exact) > self._capacity:
            self._forget(next(iter(self._exact)))

    def rows(self) -> list[tuple[str, str, int]]:
        """What is remembered, oldest first, as (key, name, mark); `keep` in this order gives the same memory back."""
        return [(key, name, mark) for key, (name, mark) in self._exact.items()]

    def _forget(self, key: str) -> None:
        _, mark = self._exact.pop(key)
        for band in _bands(mark) if mark else ():
            left = self._bands[band]
            del left[key]
            if not left:
                del self._bands[band]


def _bands(mark: int) -> tuple[tuple[int, int], ...]:
    """Four bands of 16 bits: marks that differ in at most three bits agree in one of them."""
    return tuple((band, (mark >> (16 * band)) & 0xFFFF) for band in range(4))
