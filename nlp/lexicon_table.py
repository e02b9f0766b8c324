"""The lexicon (情感词表): own words with their class, found longest first; what a class weighs is learned elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

# 骂, 责, 哀惧, 反问与反话, 夸, 办事与事实, 否定, 程度, 表情 (tear: moved as often as sad), 呼吁, 受害与损坏
CLASSES = (
    "anger",
    "blame",
    "grief",
    "doubt",
    "praise",
    "fact",
    "negator",
    "strong",
    "smile",
    "frown",
    "tear",
    "call",
    "harm",
)
_REACH = 1  # letters that may stand between a negator and the word it turns round


Hit = tuple[str, int, bool]  # word, number of its class, negated


class Lexicon:
    """Words by class. Finding costs one look per character and known length."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self.classes = {word: CLASSES.index(kind) for word, kind in entries}
        lengths: dict[str, set[int]] = {}
        for word in self.classes:
            lengths.setdefault(word[:2], set()).add(len(word))
        self._lengths = {start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()}

    def find(self, text: str) -> list[Hit]:
        """The words in order, without overlap, the longest first at each place."""
        found: list[Hit] = []
        classes, lengths, negator = self.classes, self._lengths, CLASSES.index("negator")
        end, negated_until = 0, -1
        for start, pair in enumerate(map(str.__add__, text, text[1:] + " ")):
            if start < end:
                continue
            for length in lengths.get(pair, ()):
                word = text[start : start + length]
                if word in classes:
                    break
            else:
                word = text[start]
                if word not in classes:
                    continue
            number = classes[word]
            found.append((word, number, start <= negated_until))
            end = start + len(word)
            if number == negator:
                negated_until = end + _REACH if text[end : end + 1].isalnum() else end
        return found


def read_entries(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Lines `word<tab>class`; lines that begin with # are remarks. An unknown class is an error of the file."""
    entries = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            word, kind = line.rstrip("\n").split("\t")
            if kind not in CLASSES:
                raise ValueError(f"情感词表里没有“{kind}”这一类")
            entries.append((word, kind))
    return entries


@lru_cache(maxsize=1)
def civic_lexicon() -> Lexicon:
    """The lexicon written for this project, read once per process."""
    text = (files("nlp") / "lexicon" / "civic.tsv").read_text(encoding="utf-8")
    return Lexicon(read_entries(text.splitlines()))
