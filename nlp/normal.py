"""Normalising (归一): one text brought to one form before anything reads it; no segmentation, no judgement."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import opencc

from nlp.joined import BEYOND, Joined

LIMIT = 6000  # characters kept of one text: what a person would read of it, and a bound on the time it can cost
LOOKED_AT = LIMIT * 2  # of a text as it came: runs, addresses and what nobody sees are in it
_BETWEEN = "\ue000\ue001"  # between texts: of no meaning to anybody, and no character repeated however often it stands
RUN = 3  # a character repeated more often than this says no more

_to_simplified = opencc.OpenCC("t2s").convert

_LETTERS = re.compile(r"[^0-9A-Za-z\u3400-\u9fff]+")
_BEHIND = 0xA000  # from here on there is no letter
_IS_LETTER = np.zeros(_BEHIND + 1, dtype=bool)
for _first, _last in ("09", "AZ", "az", "\u3400\u9fff"):
    _IS_LETTER[ord(_first) : ord(_last) + 1] = True
_ADDRESS = re.compile(r"https?://[0-9A-Za-z._~:/?#@!$&'()*+,;=%\-]{1,2000}|www\.[0-9A-Za-z._/\-]{3,200}")
_NAME = re.compile(r"@[0-9A-Za-z_\-\u3400-\u9fff·]{1,30}[:：]?")
_ANSWER_TO = re.compile(r"^\s*回复\s*@[^\s:：]{1,30}\s*[:：]")
_CHAIN = re.compile(r"//\s?@[^\s:：]{1,30}\s?[:：]?")
_RUN = re.compile(r"(.)\1{" + str(RUN) + r",}", re.DOTALL)
_SPACE = re.compile(r"\s+")
# Nothing a reader sees: controls, soft hyphen, zero width, direction marks, variation selectors, half characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)
_WIDE = re.compile("[\u3000\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_WIDE_CODES = (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
_NARROW = {0x3000: " "} | {code: code - 0xFEE0 for code in _WIDE_CODES}


def normalise(text: str, limit: int = LIMIT) -> str:
    """The text in simplified script, without addresses, @names, foreign parts of a repost and unseen characters.

    [表情] stay as they are. Normalising twice gives the same as once.
    """
    return _own_words(_squeeze(_clean(text[: limit * 2])), limit)


def normalise_many(texts: Sequence[str]) -> list[str]:
    """The same of each text."""
    joined = _BETWEEN.join([text[:LOOKED_AT] for text in texts])
    if any(joined.count(sign) >= len(texts) for sign in _BETWEEN):
        return list(map(normalise, texts))
    cleaned = _SPACE.sub(" ", _clean(joined))
    parts = (_shortened(cleaned) if _has_run(cleaned) else cleaned).split(_BETWEEN)
    return [_own_words(part.strip(), LIMIT) for part in parts]


def letters(text: str) -> str:
    """Only letters and digits of a normalised text: what two copies share however they are punctuated."""
    return _LETTERS.sub("", text).lower()


def letters_of_many(joined: Joined) -> list[str]:
    """The same of each text."""
    kept = _IS_LETTER[np.minimum(joined.codes, _BEHIND)]
    kept[joined.ends] = True
    codes = joined.codes[kept]
    codes[codes == BEYOND] = ord(joined.mark)
    return codes.tobytes().decode("utf-32-le").lower().split(joined.mark)[:-1]


def _own_words(text: str, limit: int) -> str:
    if "@" in text:
        text = _squeeze(_without_people(text))
    if "//" in text or "www." in text:
        text = _squeeze(_ADDRESS.sub(" ", text))
    return text[:limit].strip()


def _clean(text: str) -> str:
    text = _UNSEEN.sub("", text)
    if _WIDE.search(text):
        text = text.translate(_NARROW)
    return text if text.isascii() else _to_simplified(text)


def _squeeze(text: str) -> str:
    """Long runs of one character and of blanks shortened: first, so that no later step sees a megabyte of one thing."""
    return _shortened(_SPACE.sub(" ", text)).strip()


def _shortened(text: str) -> str:
    return _RUN.sub(lambda run: run.group(1) * RUN, text)


def _has_run(text: str) -> bool:
    """Whether there is one at all: of many texts together that is found sooner than where."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    same = codes[1:] == codes[:-1]
    for _ in range(RUN - 1):
        same = same[1:] & same[:-1]
    return bool(same.any())


def _without_people(text: str) -> str:
    """The writer's own words; where the writer added none, what was passed on is what they say."""
    text = _ANSWER_TO.sub("", text)
    for part in _CHAIN.split(text, maxsplit=8):
        own = _NAME.sub(" ", _ADDRESS.sub(" ", part))
        if _LETTERS.sub("", own):
            return own
    return _NAME.sub(" ", _CHAIN.sub(" ", text))
