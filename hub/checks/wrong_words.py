"""错别字: wrong forms with their right one, from the table beside this file and the office's own; matched exactly.

A row of the table: the wrong form, the right one, a severity, and right words that happen to contain the wrong form.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hub.checks.finding import ACKNOWLEDGE, BLOCK, HINT, Context, Finding
from nlp.finder import Finder

RULE = "wrong_words"
TABLE = Path(__file__).parent / "tables" / "wrong_words.csv"


@dataclass(frozen=True)
class Word:
    """One wrong form; `unless` are right words in which it stands by chance."""

    wrong: str
    right: str
    severity: str = ACKNOWLEDGE
    unless: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def shipped() -> tuple[Word, ...]:
    """The product's own table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Word(row["wrong"], row["right"], row["severity"], tuple(filter(None, row["unless"].split("|")))) for row in rows
    )


class _Matcher:
    """The words of one table, ready to be found; right words stand in the same automaton, so that they win."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        self.words = list(words.values())
        guards = dict.fromkeys(guard for word in self.words for guard in word.unless)
        self.guards = list(guards)
        self.wrong = Finder(word.wrong for word in self.words)
        self.right = Finder(self.guards, overlapping=True)

    def guarded(self, text: str) -> list[tuple[int, int]]:
        """Where a right word stands that contains a wrong form."""
        return [(start, end) for _, start, end in self.right.matches(text)]

    def find(self, text: str) -> Iterator[tuple[Word, int, int]]:
        guards = self.guarded(text)
        covered = bytearray(len(text) + 1)
        for start, end in guards:
            covered[start:end] = b"\x01" * (end - start)
        for number, start, end in self.wrong.matches(text):
            word = self.words[number]
            if word.unless and all(covered[start:end]) and self._inside(text, word, start, end):
                continue
            yield word, start, end

    @staticmethod
    def _inside(text: str, word: Word, start: int, end: int) -> bool:
        for guard in word.unless:
            at = guard.find(word.wrong)
            if at >= 0 and text.startswith(guard, start - at) and start - at >= 0:
                return True
        return False


@lru_cache(maxsize=8)
def _matcher(own: tuple[tuple[str, str], ...]) -> _Matcher:
    words = {word.wrong: word for word in shipped()}
    words.update({wrong: Word(wrong, right) for wrong, right in own if wrong and wrong != right})
    return _Matcher(words)


def _message(word: Word) -> str:
    if word.severity == BLOCK:
        return f"“{word.wrong}”应写作“{word.right}”。"
    if word.severity == HINT:
        return f"“{word.wrong}”是旧称或不规范的写法，现在写作“{word.right}”。写历史时可以保留。"
    return f"“{word.wrong}”一般应写作“{word.right}”。确实无误的，请写明理由。"


def check(text: str, context: Context) -> Iterator[Finding]:
    """One finding per wrong form; the longest form at a place wins."""
    for word, start, end in _matcher(tuple(sorted(context.words.items()))).find(text):
        yield Finding(RULE, word.severity, start, end, text[start:end], _message(word), word.right)
