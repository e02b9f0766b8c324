"""Features (特征): what a sentiment model sees of one normalised text; which of it matters is learned elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.joined import Joined, Places
from nlp.lexicon_table import CLASSES, Hits

LONGEST = 1200  # characters of a text that are looked at; the matter of a letter stands in its first page

SHAPE = ("length", "shout", "ask", "ask_end", "dots", "comma", "stop", "no_end", "digits", "tag", "latin")
LEXICAL = ("balance", "grief", "harm")
_BAD, _GOOD, _WEAK = (
    np.array([name in some for name in CLASSES])
    for some in (
        {"anger", "blame", "grief", "doubt", "frown"},
        {"praise", "smile"},
        {"tear", "call", "harm"},
    )
)
_GRIEF, _HARM = CLASSES.index("grief"), CLASSES.index("harm")
_LOG = np.array([math.log1p(count) for count in range(LONGEST + 1)])  # numpy's own may differ in the last bit
_COUNTED = ("!！", "?？", "…", "，,", "。", "", "#【")  # signs that are counted together; the empty one: digits
_ASK, _DOTS, _DIGITS = 1, 2, 5
_LAST_PLANE = 0x1FFFF  # beyond it stands no digit and none of the signs

Array = NDArray[np.float64]


def _group_of() -> NDArray[np.uint8]:
    """For each character the number of its group in _COUNTED from 1 on, 0 for all that are not counted."""
    signs = np.arange(_LAST_PLANE, dtype="<u4").view("<U1")
    found = np.append(np.where(np.strings.isdecimal(signs), _DIGITS + 1, 0), 0).astype(np.uint8)
    for number, group in enumerate(_COUNTED, 1):
        found[list(map(ord, group))] = number
    return found


_GROUP_OF = _group_of()


def grams(text: str) -> set[str]:
    """The distinct runs of one to three characters."""
    text = text[:LONGEST]
    pairs = list(map(str.__add__, text, text[1:]))
    return {*text, *pairs, *map(str.__add__, pairs, text[2:])}


def looked_at(texts: Sequence[str]) -> Joined:
    """What is looked at of each text."""
    return Joined([text[:LONGEST] for text in texts])


def dense(joined: Joined, hits: Hits, *, with_shape: bool, weak: float) -> Array:
    """The features that are not runs of characters, a row for each text that is `looked_at`. `hits` are the words of
    the lexicon in them."""
    values = lexical(joined.lengths, hits, weak=weak)
    return np.column_stack([*values, *shape(joined)] if with_shape else values)


def lexical(lengths: Places, hits: Hits, *, weak: float) -> list[Array]:
    """What the words of the lexicon say, in the order of LEXICAL: how bad words outweigh good ones (-1 to 1), and how
    much grief and harm there is. What is negated says nothing. `weak`: how much of a bad word a tear, a call and a harm
    are in the balance.

    So few on purpose: own texts are full of the words that their authors listed, and each class as a feature of its
    own learns the authors' habits; the balance alone reads strangers better (docs/benchmarks.md).
    """
    texts, heard = len(lengths), ~hits.negated
    owners, kinds = hits.owners[heard], hits.kinds[heard]
    bad = np.bincount(owners, weights=badness(weak)[kinds], minlength=texts)
    good = np.bincount(owners[_GOOD[kinds]], minlength=texts)
    scale = 1.0 / np.sqrt(1.0 + lengths / 40.0)  # a long letter holds more of everything
    grief, harm = (_LOG[np.bincount(owners[kinds == kind], minlength=texts)] for kind in (_GRIEF, _HARM))
    return [(bad - good) / (1.0 + bad + good), grief * scale, harm * scale]


def one_of_each(*, weak: float) -> list[Array]:
    """What one word alone says, a column for each class."""
    each = np.arange(len(CLASSES))
    return lexical(np.zeros_like(each), Hits(each, each, each, np.zeros(len(each), dtype=bool)), weak=weak)


def badness(weak: float) -> Array:
    """How much of a bad word a word of each class is in the balance."""
    found: Array = np.where(_BAD, 1.0, np.where(_WEAK, weak, 0.0))
    return found


def shape(joined: Joined) -> list[Array]:
    """Length and punctuation, in the order of SHAPE."""
    groups = _GROUP_OF[np.minimum(joined.codes, _LAST_PLANE)]
    shout, ask, dots, comma, stop, digits, tag = _LOG[_counts(joined, groups)]
    ask_end = groups[joined.ends - 1] == _ASK + 1
    no_end = [text[-1:].isalnum() for text in joined.texts]
    latin = [text.isascii() for text in joined.texts]
    return [_LOG[joined.lengths], shout, ask, ask_end, dots, comma, stop, no_end, digits, tag, latin]


def _counts(joined: Joined, groups: NDArray[np.uint8]) -> Places:
    """How many signs of each group (rows) stand in each text."""
    places = np.flatnonzero(groups)
    cells = (groups[places] - np.intp(1)) * len(joined) + joined.owners[places]
    counts = np.bincount(cells, minlength=len(_COUNTED) * len(joined)).reshape(len(_COUNTED), -1)
    if "..." in joined.text:
        counts[_DOTS] += [text.count("...") for text in joined.texts]
    return counts
