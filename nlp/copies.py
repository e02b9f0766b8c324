"""Copies (同文): marks that exact and near copies share, and a bounded memory of them; no judgement of intent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from nlp.normal import letters

NEAR = 3  # bits of 64 in which two near copies may differ
SHINGLE = 4  # characters
_TOGETHER = 2_000  # letters marked at once: more would not stay in the processor's own memory
SHORTEST = 16  # letters: below this every word changes the mark, so only exact copies count
ALIKE = 0.6  # of the different shingles of two near copies, the share that both have
LEAST = 12  # letters: what is shorter (支持, 谢谢师傅们) is said alike by people who never met, and is nobody's copy

Band = dict[int, str | dict[str, None]]  # by 16 bits of a mark the key of its original, or in order those of several

_MIX = np.uint64(0x9E3779B97F4A7C15)
_STEPS = tuple(np.uint64(step) for step in (0x100000001B3, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5))


def copy_key(plain: str) -> str:
    """The same for texts that differ in punctuation and case only. `plain` is `letters(...)` of a normalised text."""
    return blake2b(plain.encode("utf-8", "replace"), digest_size=8).hexdigest()


def simhash(plain: str) -> int:
    """A 64-bit mark in which near copies differ little; 0 for texts too short to have one."""
    if len(plain) < SHORTEST:
        return 0
    bits = np.unpackbits(_shingles(plain).view(np.uint8).reshape(-1, 8), axis=1)
    ones = bits.sum(axis=0, dtype=np.int64)
    return int.from_bytes(np.packbits(ones * 2 > len(bits)).tobytes(), "big")


def simhashes(plains: Sequence[str]) -> list[int]:
    """The marks of several texts at once: of short texts the calls cost more than the counting."""
    found = [0] * len(plains)
    some: list[int] = []
    length = 0
    for place, plain in enumerate(plains):
        if len(plain) < SHORTEST:
            continue
        if some and length + len(plain) > _TOGETHER:
            _fill(found, some, plains)
            some, length = [], 0
        some.append(place)
        length += len(plain)
    if some:
        _fill(found, some, plains)
    return found


def _fill(found: list[int], places: Sequence[int], plains: Sequence[str]) -> None:
    for place, mark in zip(places, _marks([plains[place] for place in places]), strict=True):
        found[place] = mark


def _marks(plains: Sequence[str]) -> list[int]:
    """All texts stand in one row; the shingles that reach over an end are left out."""
    lengths = np.array([len(plain) for plain in plains])
    ends = np.cumsum(lengths)
    marks = _shingles("".join(plains))
    within = np.ones(len(marks), dtype=bool)
    for step in range(1, SHINGLE):
        within[(ends - step)[ends - step < len(marks)]] = False
    bits = np.unpackbits(marks[within].view(np.uint8).reshape(-1, 8), axis=1)
    shingles = lengths - SHINGLE + 1
    starts = np.concatenate(([0], np.cumsum(shingles)[:-1]))
    ones = np.add.reduceat(bits, starts, axis=0, dtype=np.uint32)
    packed = np.packbits(ones * 2 > shingles[:, None], axis=1)
    return [int.from_bytes(row.tobytes(), "big") for row in packed]


def _shingles(plain: str) -> npt.NDArray[np.uint64]:
    """One well-mixed number for each run of SHINGLE characters."""
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    last = len(codes) - SHINGLE + 1
    with np.errstate(over="ignore"):
        marks = codes[:last] * _STEPS[0]
        for step in range(1, SHINGLE):
            marks = marks + codes[step : last + step] * _STEPS[step]
        marks ^= marks >> np.uint64(31)
        marks *= _MIX
        marks ^= marks >> np.uint64(29)
    return marks


def marks_of(text: str) -> tuple[str, int]:
    """Copy key and simhash of a normalised text."""
    plain = letters(text)
    return copy_key(plain or text), simhash(plain)


def marks_of_many(texts: Sequence[str]) -> list[tuple[str, int]]:
    """The same of each text."""
    plains = list(map(letters, texts))
    keys = [copy_key(plain or text) for plain, text in zip(plains, texts, strict=True)]
    return list(zip(keys, simhashes(plains), strict=True))


def is_telling(text: str) -> bool:
    """Whether a normalised text is long enough for an equal one to be its copy."""
    return len(letters(text)) >= LEAST


def distance(one: int, other: int) -> int:
    """In how many of their 64 bits two marks differ."""
    return (one ^ other).bit_count()


def likeness(one: str, other: str) -> float:
    """Of the different shingles of two texts (`letters(...)` of them), the share that stands in both.

    What marks alone take for a copy may be none: in 哈哈哈哈哈哈 one shingle outweighs all others of a short text.
    """
    ours, theirs = _runs(one), _runs(other)
    return len(ours & theirs) / len(ours | theirs)


def _runs(plain: str) -> set[str]:
    return {plain[at : at + SHINGLE] for at in range(max(1, len(plain) - SHINGLE + 1))}


class Copies:
    """Remembers the newest `capacity` originals; answers which of them a text is a copy of."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._exact: OrderedDict[str, tuple[str, int]] = OrderedDict()
        # in the order of `_exact`, always: a memory made from its rows must answer as this one does
        self._bands: tuple[Band, ...] = ({}, {}, {}, {})

    def __len__(self) -> int:
        return len(self._exact)

    def __contains__(self, key: object) -> bool:
        """Whether exactly this text is remembered."""
        return key in self._exact

    def original(self, key: str, mark: int) -> str | None:
        """The name under which this text, or one nearly like it, was kept."""
        if key in self._exact:
            return self._seen_again(key)
        if not mark:
            return None
        for band, bits in zip(self._bands, _bits_of(mark), strict=True):
            found = band.get(bits, ())
            for other in (found,) if isinstance(found, str) else found:
                name, seen = self._exact[other]
                if distance(mark, seen) <= NEAR:
                    return name
        return None

    def _seen_again(self, key: str) -> str:
        self._exact.move_to_end(key)
        name, mark = self._exact[key]
        for band, bits in self._places(mark):
            found = band[bits]
            if isinstance(found, dict):
                found[key] = found.pop(key)
        return name

    def keep(self, key: str, mark: int, name: str) -> None:
        """Remembers an original under a name; the one longest unseen is forgotten when there are too many."""
        if key in self._exact:
            return
        self._exact[key] = (name, mark)
        for band, bits in self._places(mark):
            found = band.get(bits)
            if found is None:
                band[bits] = key
            elif isinstance(found, str):
                band[bits] = {found: None, key: None}
            else:
                found[key] = None
        if len(self._exact) > self._capacity:
            self._forget(next(iter(self._exact)))

    def rows(self) -> list[tuple[str, str, int]]:
        """What is remembered, oldest first, as (key, name, mark); `keep` in this order gives the same memory back."""
        return [(key, name, mark) for key, (name, mark) in self._exact.items()]

    def _forget(self, key: str) -> None:
        _, mark = self._exact.pop(key)
        for band, bits in self._places(mark):
            found = band[bits]
            if isinstance(found, str):
                del band[bits]
                continue
            del found[key]
            if len(found) == 1:
                band[bits] = next(iter(found))

    def _places(self, mark: int) -> Iterable[tuple[Band, int]]:
        """Where a mark stands: of each band the table and its key; nowhere without a mark."""
        return zip(self._bands, _bits_of(mark), strict=True) if mark else ()


def bands_of(mark: int) -> tuple[tuple[int, int], ...]:
    """Four bands of 16 bits: marks that differ in at most three bits agree in one of them."""
    return tuple(enumerate(_bits_of(mark)))


def _bits_of(mark: int) -> tuple[int, int, int, int]:
    return mark & 0xFFFF, mark >> 16 & 0xFFFF, mark >> 32 & 0xFFFF, mark >> 48 & 0xFFFF
