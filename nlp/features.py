"""Features (特征): what a sentiment model sees of one normalised text; which of it matters is learned elsewhere."""

from __future__ import annotations

import math
import re

from nlp.lexicon_table import CLASSES, Hit

LONGEST = 1200  # characters of a text that are looked at; the matter of a letter stands in its first page

SHAPE = ("length", "shout", "ask", "ask_end", "dots", "comma", "stop", "no_end", "digits", "tag", "latin")
LEXICAL = ("balance", "grief", "harm")
_BAD = frozenset(CLASSES.index(name) for name in ("anger", "blame", "grief", "doubt", "frown"))
_GOOD = frozenset(CLASSES.index(name) for name in ("praise", "smile"))
_WEAK = frozenset(CLASSES.index(name) for name in ("tear", "call", "harm"))
_GRIEF, _HARM = CLASSES.index("grief"), CLASSES.index("harm")
_DIGITS = re.compile(r"\d")


def grams(text: str) -> set[str]:
    """The distinct runs of one to three characters."""
    text = text[:LONGEST]
    pairs = list(map(str.__add__, text, text[1:]))
    return {*text, *pairs, *map(str.__add__, pairs, text[2:])}


def lexical(hits: list[Hit], length: int, *, weak: float) -> list[float]:
    """What the words of the lexicon say, in the order of LEXICAL: how bad words outweigh good ones (-1 to 1), and how
    much grief and harm there is. What is negated says nothing. `weak`: how much of a bad word a tear, a call and a harm
    are in the balance.

    So few on purpose: own texts are full of the words that their authors listed, and each class as a feature of its
    own learns the authors' habits; the balance alone reads strangers better (docs/benchmarks.md).
    """
    bad = good = 0.0
    grief = harm = 0
    for _, number, negated in hits:
        if not negated:
            bad += 1.0 if number in _BAD else weak if number in _WEAK else 0.0
            good += number in _GOOD
            grief += number == _GRIEF
            harm += number == _HARM
    scale = 1.0 / math.sqrt(1.0 + length / 40.0)  # a long letter holds more of everything
    return [(bad - good) / (1.0 + bad + good), math.log1p(grief) * scale, math.log1p(harm) * scale]


def shape(text: str) -> list[float]:
    """Length and punctuation, in the order of SHAPE."""
    length = len(text)
    shout = text.count("!") + text.count("！")
    ask = text.count("?") + text.count("？")
    ending = text[-1:] or " "
    return [
        math.log1p(length),
        math.log1p(shout),
        math.log1p(ask),
        float(ending in "?？"),
        math.log1p(text.count("…") + text.count("...")),
        math.log1p(text.count("，") + text.count(",")),
        math.log1p(text.count("。")),
        float(ending.isalnum()),
        math.log1p(len(_DIGITS.findall(text))),
        math.log1p(text.count("#") + text.count("【")),
        float(text.isascii()),
    ]


def dense(text: str, hits: list[Hit], *, with_shape: bool, weak: float) -> list[float]:
    """The features that are not runs of characters. `hits` are the words of the lexicon in the text."""
    text = text[:LONGEST]
    values = lexical(hits, len(text), weak=weak)
    return values + shape(text) if with_shape else values
