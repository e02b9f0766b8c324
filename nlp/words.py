"""Words (分词): cuts a text, knows the office's own words and how rare a word is; the only room of jieba and rjieba.

rjieba cuts; jieba gives the dictionary format, the table of rarity, the reference in tests, and does the cutting where
no rjieba wheel exists.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import jieba

try:
    import rjieba
except ImportError:  # no wheel for this machine
    rjieba = None  # type: ignore[assignment]

jieba.setLogLevel(logging.WARNING)
UNKNOWN_RARITY = 12.0  # rarity of a word that the table does not hold, about its median


@dataclass(frozen=True)
class OwnWord:
    """One line of a user dictionary in jieba's format: word, frequency (0: chosen so that it is cut whole), tag.

    A tag is `kind`, `kind:district`, and for another name of the same thing `kind=name` or `kind:district=name`: 一中
    is `ns=云川市第一中学`.
    """

    word: str
    frequency: int = 0
    tag: str = ""

    @property
    def kind(self) -> str:
        """Part of speech; `ns` is a place."""
        return self.tag.partition("=")[0].partition(":")[0]

    @property
    def district(self) -> str:
        return self.tag.partition("=")[0].partition(":")[2]

    @property
    def same_as(self) -> str:
        """The name that this one stands for."""
        return self.tag.partition("=")[2]


class _Cutter(Protocol):
    def cut(self, text: str) -> Any: ...


def read_dictionary(lines: Iterable[str]) -> list[OwnWord]:
    """Lines `word [frequency] [tag]`; blank lines and lines that begin with # are left out."""
    words = []
    for line in lines:
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        numbers = [int(part) for part in parts[1:] if part.isdecimal()]
        tags = [part for part in parts[1:] if not part.isdecimal()]
        words.append(OwnWord(parts[0], numbers[0] if numbers else 0, tags[0] if tags else ""))
    return words


def office_dictionary(text: str | None) -> list[OwnWord]:
    """The words of an office's dictionary (its text); those of the demo city where there is none."""
    if text is None:
        text = (files("nlp") / "lexicon" / "yunchuan.txt").read_text(encoding="utf-8")
    return read_dictionary(text.splitlines())


class Words:
    """A cutter with an office's own words. Made once; cutting changes nothing, so threads may share it."""

    def __init__(self, own: Iterable[OwnWord] = (), *, reference: bool = False) -> None:
        """`reference` takes jieba itself even where rjieba is at hand."""
        self.own = _with_names(tuple(own))
        self._cutter: _Cutter = _jieba_cutter(self.own) if reference or rjieba is None else _rjieba_cutter(self.own)
        self.rarity = rarity_table()

    def cut(self, text: str) -> list[str]:
        """The words in order; joined they give the text back."""
        return list(self._cutter.cut(text))

    def spans(self, text: str) -> list[tuple[str, int, int]]:
        """The words with their places in the text, start and end in characters."""
        found, start = [], 0
        for word in self.cut(text):
            found.append((word, start, start + len(word)))
            start += len(word)
        return found

    def rarity_of(self, word: str) -> float:
        """Inverse document frequency in general Chinese (natural logarithm), about 3 for 没有 and 10 for 扰民."""
        return self.rarity.get(word, UNKNOWN_RARITY)


def _with_names(own: tuple[OwnWord, ...]) -> tuple[OwnWord, ...]:
    """The names that others stand for are words too, also where no line lists them."""
    listed = {word.word for word in own}
    named = {word.same_as: word for word in own if word.same_as and word.same_as not in listed}
    return (*own, *(OwnWord(name, 0, word.tag.partition("=")[0]) for name, word in named.items()))


def _rjieba_cutter(own: tuple[OwnWord, ...]) -> _Cutter:
    cutter = rjieba.Jieba()
    for word in own:
        cutter.add_word(word.word, word.frequency or None, word.tag or None)
    return cutter


def _jieba_cutter(own: tuple[OwnWord, ...]) -> _Cutter:
    cutter = jieba.Tokenizer()
    for word in own:
        cutter.add_word(word.word, word.frequency or None, word.tag or None)
    return cutter  # type: ignore[no-any-return]


@lru_cache(maxsize=4)
def words_tagged(tags: frozenset[str]) -> dict[str, str]:
    """The words of jieba's dictionary, of two characters and more, with one of these tags, and their tag; read once per
    process."""
    parts = (Path(str(jieba.__file__)).parent / "dict.txt").read_text(encoding="utf-8").split()
    return {word: tag for word, tag in zip(parts[::3], parts[2::3], strict=True) if tag in tags and len(word) >= 2}


@lru_cache(maxsize=1)
def rarity_table() -> dict[str, float]:
    """jieba's table of inverse document frequencies, words of two characters and more, read once per process."""
    path = Path(str(jieba.__file__)).parent / "analyse" / "idf.txt"
    parts = path.read_text(encoding="utf-8").split()
    rows = zip(parts[::2], map(float, parts[1::2]), strict=True)
    table = {word: value for word, value in rows if 2 <= len(word) <= 6}
    return table if math.isfinite(sum(table.values())) else {}
