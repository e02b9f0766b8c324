"""Terms (主题词): the words and word pairs that carry a text's matter, by tf-idf; what texts share is for detectors."""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.resources import files

from nlp.keywords import Keywords
from nlp.places import GENERIC, LAST, PLACE_TAG, is_generic, looks_like_place
from nlp.words import UNKNOWN_RARITY, Words

SHOWN = 8  # terms an analysis names
_PLACE = 1.5  # a place says more of the matter than another word
_MIXED = 9.0  # rarity of a word of digits and letters: A3, 12号线
_COMMONEST = 3.5
_KEPT = 100_000  # words whose weight is remembered
_PLACED = LAST | {word[-1] for word in GENERIC}  # what the second word of a pair that names a place ends with
_AREA = 3.0  # the city and its districts: everybody names them


@lru_cache(maxsize=1)
def stopwords() -> frozenset[str]:
    """Words that never carry a matter, read once per process."""
    lines = (files("nlp") / "lexicon" / "stopwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


class Terms:
    """Weighs the words of one text."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._stop = stopwords()
        self._keywords = Keywords(words)
        self._same = {word.word: word.same_as for word in words.own if word.same_as}  # 一中: 云川市第一中学
        places = {word.word: word.district for word in words.own if word.kind == PLACE_TAG and not word.same_as}
        districts = set(places.values()) - {""}
        self._places = frozenset(places)
        self.closings = LAST | {place[-1] for place in places}  # characters that a place may end with, and no other
        self._known: dict[str, float] = {}  # weights of words met before: a few thousand make up nearly all of a stream
        self._areas = frozenset(
            name for name, district in places.items() if not district or any(d.startswith(name) for d in districts)
        )

    def weigh(self, tokens: list[str]) -> dict[str, float]:
        """Terms with their tf-idf: words of two characters and more, and pairs of neighbours (weighed by both)."""
        weights: dict[str, float] = {}
        repeated: dict[str, int] = {}
        before, before_weight = "", 0.0
        known = self._known
        named = self._named(tokens)
        for token, weight in zip(named, map(known.get, named), strict=True):
            if weight is None:
                weight = self._met(token)
            if not weight:
                before = ""
                continue
            if token in weights:
                repeated[token] = repeated.get(token, 1) + 1
            weights[token] = weight
            if before:
                pair = before + token
                if pair in weights:
                    repeated[pair] = repeated.get(pair, 1) + 1
                together = (before_weight + weight) * 0.6
                weights[pair] = together * _PLACE if token[-1] in _PLACED and _is_placed(pair, token) else together
            before, before_weight = token, weight
        for term, count in repeated.items():
            weights[term] *= 1.0 + math.log(count)
        return weights

    def strongest(self, tokens: list[str], count: int = SHOWN) -> tuple[str, ...]:
        """The terms to show, strongest first; of a word and a pair around it only the stronger one."""
        tokens = self._named(tokens)
        weighed = self.weigh(tokens)
        firsts = dict(zip(map(str.__add__, tokens, tokens[1:]), tokens, strict=False))
        is_shown = self._keywords.is_shown
        ranked = sorted([(-weight, term) for term, weight in weighed.items()])
        kept: list[str] = []
        for _, term in ranked:
            if not is_shown(term, firsts.get(term, term)):
                continue
            for other in kept:
                if term in other or other in term:
                    break
            else:
                kept.append(term)
                if len(kept) == count:
                    break
        return tuple(kept)

    def _named(self, tokens: list[str]) -> list[str]:
        """Every place by its one name."""
        return tokens if self._same.keys().isdisjoint(tokens) else [self._same.get(token, token) for token in tokens]

    def is_place(self, term: str) -> bool:
        """A place of the gazetteer, or what ends like one."""
        ends = term[-1:] in LAST  # most words are known by their last character to be none
        return (term in self._places or (ends and looks_like_place(term))) and term not in self._areas

    def _met(self, token: str) -> float:
        """A word's weight, remembered; no stream of made-up words makes it remember more than KEPT."""
        if len(self._known) >= _KEPT:
            self._known.clear()
        weight = self._known[token] = self._weight(token)
        return weight

    def _weight(self, token: str) -> float:
        if len(token) < 2 or token in self._stop:
            return 0.0
        if token in self._areas:
            return _AREA
        if token in self._places:
            return UNKNOWN_RARITY * _PLACE
        if token.isascii():
            return _MIXED if token.isalnum() and not token.isdecimal() else 0.0
        rarity = self._words.rarity_of(token)
        return rarity if rarity > _COMMONEST and token[0].isalnum() else 0.0


def _is_placed(pair: str, last: str) -> bool:
    """Whether a pair names a place, as the name of one or by its kind."""
    return is_generic(last) or (last[-1] in LAST and looks_like_place(pair))
