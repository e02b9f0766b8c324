"""Features (特征): what a sentiment model sees of one normalised text; which of it matters is learned elsewhere."""

from __future__ import annotations

import math
import re

from nlp.lexicon_table import CLASSES, Hit

LONGEST = 1200  # characters of a text that are looked at; the matter of a letter stands in its first page
GRAMS = 3

SHAPE = ("length", "shout", "ask", "ask_end", "dots", "comma", "stop", "no_end", "digits", "tag", "latin")
LEXICAL = (*CLASSES, "negated_bad", "negated_good", "no_hit", "balance", "ends_bad", "ends_good")
_BAD = frozenset(CLASSES.index(name) for name in ("anger", "blame", "grief", "doubt", "frown"))
_GOOD = frozenset(CLASSES.index(name) for name in ("praise", "smile"))
_DIGITS = re.compile(r"\d")


def grams(text: str) -> set[str]:
    """The distinct runs of one to three characters."""
    text = text[:LONGEST]
    found = set(text)
    found.update(map(str.__add__, text, text[1:]))
    found.update([text[at : at + GRAMS] for at in range(len(text) - GRAMS + 1)])
    return found


def lexical(hits: list[Hit], length: int) -> list[float]:
    """How often each class of words occurs (damped), what was negated, how the text ends; in the order of LEXICAL."""
    counts = [0] * len(CLASSES)
    negated_bad = negated_good = 0
    for _, number, negated in hits:
        if negated and number in _BAD:
            negated_bad += 1
        elif negated and number in _GOOD:
            negated_good += 1
        else:
            counts[number] += 1
    bad = sum(counts[number] for number in _BAD)
    good = sum(counts[number] for number in _GOOD)
    scale = 1.0 / math.sqrt(1.0 + length / 40.0)  # a long letter holds more of everything
    last = hits[-1][1] if hits else -1
    values = [math.log1p(count) * scale for count in counts]
    values += [math.log1p(negated_bad) * scale, math.log1p(negated_good) * scale, float(not bad and not good)]
    values += [(bad - good) / (1.0 + bad + good), float(last in _BAD), float(last in _GOOD)]
    return values


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


def dense(text: str, hits: list[Hit], *, with_shape: bool) -> list[float]:
    """The features that are not runs of characters. `hits` are the words of the lexicon in the text."""
    text = text[:LONGEST]
    values = lexical(hits, len(text))
    return values + shape(text) if with_shape else values
