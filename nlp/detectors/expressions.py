"""Expressions (关注词的写法): `桥 + 塌|裂 - 游戏` read, said back in Chinese, and found in texts; nothing is counted.

`+` joins what must all be there, `|` what may stand for each other, `-` begins what must not be there. Full-width signs
are the same signs. Punctuation inside a word means nothing, neither here nor in a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from itertools import pairwise

from nlp.normal import normalise

LONGEST = 200  # characters of a line
MOST = 40  # words of a line
LONGEST_WORD = 30

_SIGNS = str.maketrans("＋﹢｜￨－﹣−–—", "++||-----")
_SIGN = re.compile(r"([+|-])")
_END = re.compile(r" *[。！？!?；;，,、：:…\n]+[。！？!?；;，,、：:… \n]*")
_MARK = re.compile(r"[^0-9a-z\u3400-\u9fff \n]+")
_SPACES = re.compile(r" {2,}")


class Misspelt(ValueError):
    """A line that cannot be read; the Chinese sentence says what to write instead."""


@dataclass(frozen=True)
class Expression:
    """What a line asks for: of each group at least one word, and none of `without`."""

    groups: tuple[tuple[str, ...], ...]
    without: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that must be looked for, once."""
        return tuple(dict.fromkeys([*(word for group in self.groups for word in group), *self.without]))

    def holds(self, found: Set[str]) -> bool:
        """Whether a text with these words, and no other of ours, is meant."""
        return all(any(word in found for word in group) for group in self.groups) and found.isdisjoint(self.without)

    def says(self) -> str:
        """How the line was understood: 有“桥”，并且有“塌”或“裂”；没有“游戏”."""
        wanted = "，并且".join("有" + _either(group) for group in self.groups)
        return wanted + (f"；没有{_either(self.without, '、')}" if self.without else "")

    def line(self) -> str:
        """The expression as a line that reads back as itself."""
        wanted = " + ".join("|".join(group) for group in self.groups)
        return wanted + (" - " + "|".join(self.without) if self.without else "")


def parse(line: str) -> Expression:
    """The expression of a line; Misspelt says in Chinese what is wrong with it."""
    if len(line) > LONGEST:
        raise Misspelt(f"这一行太长，请写在 {LONGEST} 字以内，或分成几个关注词。")
    pieces = ["+", *_SIGN.split(line.translate(_SIGNS))]
    if not plain(line):
        raise Misspelt("请写至少一个词，如 桥 + 塌|裂 - 游戏。")
    groups: list[list[str]] = []
    without: list[str] = []
    here = without
    for sign, said in zip(pieces[::2], pieces[1::2], strict=True):
        word = _word(sign, said, first=not groups and sign == "+")
        if sign == "+":
            here = []
            groups.append(here)
        here = without if sign == "-" else here
        here.append(word)
    return _checked(Expression(tuple(tuple(dict.fromkeys(group)) for group in groups), tuple(dict.fromkeys(without))))


def plain(text: str) -> str:
    """A text as words are looked for in it: simplified, small letters, no unseen characters, no marks between letters.

    A full stop, a comma or a blank between words ends a clause (a line break here), so that 过了桥，塌… is not 桥塌;
    between single characters (桥 塌 了) a blank is a trick to be overlooked.
    """
    said = _END.sub("\n", normalise(text).lower())
    said = _SPACES.sub(" ", _MARK.sub("", said)).strip(" \n")
    return _without_blanks(said) if " " in said else said


def _without_blanks(said: str) -> str:
    pieces = said.split(" ")
    joined = pieces[0]
    for left, right in pairwise(pieces):
        joined += _between(left.rpartition("\n")[2], right.partition("\n")[0]) + right
    return joined


def _between(left: str, right: str) -> str:
    """What stands for the blank between two pieces: a blank of two Latin words, an end of two Chinese clauses."""
    if not left or not right:
        return ""
    latin = left[-1].isascii(), right[0].isascii()
    if all(latin):
        return " "
    return "" if any(latin) or len(left) == 1 or len(right) == 1 else "\n"


class Lexicon:
    """Which of many words stand in a text, found by one pass over its pairs of letters."""

    def __init__(self, words: Iterable[str]) -> None:
        self._single: set[str] = set()
        self._by_pair: dict[str, list[str]] = {}
        self._edged: dict[str, re.Pattern[str]] = {}
        for word in dict.fromkeys(words):
            if len(word) == 1:
                self._single.add(word)
            else:
                self._by_pair.setdefault(word[:2], []).append(word)
            if word[0].isascii() or word[-1].isascii():
                self._edged[word] = _bordered(word)

    def found(self, text: str) -> set[str]:
        """Those of the words that stand in a text made by `plain`. 110 does not stand in 2110, nor app in happy."""
        pairs = {one + other for one, other in pairwise(text)} & self._by_pair.keys()
        found = {word for pair in pairs for word in self._by_pair[pair] if word in text}
        found |= self._single.intersection(text)
        return {word for word in found if word not in self._edged or self._edged[word].search(text)}


def _bordered(word: str) -> re.Pattern[str]:
    before = "(?<![0-9a-z])" if word[0].isascii() else ""
    after = "(?![0-9a-z])" if word[-1].isascii() else ""
    return re.compile(before + re.escape(word) + after)


def _word(sign: str, said: str, *, first: bool) -> str:
    word = plain(said).replace("\n", "")
    if not word:
        raise Misspelt(_missing(sign, said, first=first))
    if len(word) > LONGEST_WORD:
        raise Misspelt(f"“{word[:8]}…”太长，一个词请写在 {LONGEST_WORD} 字以内；要几样都有，用 + 连起来。")
    if len(word) == 1 and word.isascii():
        raise Misspelt(f"“{word}”太短，字母和数字至少写两个。")
    return word


def _missing(sign: str, said: str, *, first: bool) -> str:
    if said.strip():
        return f"“{said.strip()[:12]}”里没有认得的字，请写汉字、字母或数字。"
    if first:
        return "开头少一个词。请先写要找的词，再写 +、| 或 -。"
    return f"“{sign}”后面少一个词。请补上，或去掉这个“{sign}”。"


def _checked(expression: Expression) -> Expression:
    """Misspelt where there are too many words, or where no text could ever be meant."""
    if len(expression.words) > MOST:
        raise Misspelt(f"一行最多 {MOST} 个词，请分成几个关注词。")
    for group in expression.groups:
        barred = [_bar(word, expression.without) for word in group]
        if all(barred):
            raise Misspelt(f"“{group[0]}”里已有要排除的“{barred[0]}”，这一行永远不会命中。请去掉其中一个。")
    return expression


def _bar(word: str, without: Iterable[str]) -> str:
    """The excluded word that stands in this one wherever it stands."""
    return next((other for other in without if Lexicon([other]).found(word)), "")


def _either(words: Iterable[str], mark: str = "或") -> str:
    return mark.join(f"“{word}”" for word in words)
