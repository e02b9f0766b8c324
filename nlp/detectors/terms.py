"""A voice's terms as the detector weighs them: the reader's words, the matter, names that the cutter split."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from sys import intern

from nlp.detectors.matters import lines_in, matters, split_places
from nlp.detectors.settings import ClusterSettings
from nlp.terms import Terms
from nlp.words import UNKNOWN_RARITY, Words

_COMMON = 50.0  # texts that a fresh detector pretends to have read, so that its first words are not all rare
_UNKNOWN = 9.0  # what a word, or two run together, tells at most where the language's table does not hold it
_MATTER = 7.0  # what a matter tells at most: everybody has one
_KEPT = 20_000  # terms of which is remembered what they tell in the language


class Weights:
    """Weighs terms by their rarity in the language and in what people say here; counts what it has read."""

    def __init__(self, settings: ClusterSettings, words: Words) -> None:
        self._settings, self._words, self._terms = settings, words, Terms(words)
        self._is_place = self._terms.is_place
        self.counts: dict[str, int] = {}
        self.texts = 0
        self._told_of = lru_cache(maxsize=_KEPT)(self._fixed)

    def weigh(self, plain: str, said_matters: Iterable[str]) -> dict[str, float]:
        """Every term of a normalised text with its weight in the language; nothing is counted."""
        tokens = self._words.cut(plain)
        weighed = self._terms.weigh(tokens)
        for name in split_places(tokens):
            weighed[name] = UNKNOWN_RARITY
        lines = lines_in(plain)
        if lines:
            weighed |= dict.fromkeys(lines, UNKNOWN_RARITY)
        for matter in (*said_matters, *lines.values()):
            weighed[matter] = self._settings.matter_weight
        return weighed

    def unit(self, weighed: dict[str, float]) -> dict[str, float]:
        """The strongest of a text's terms as a vector of length one, strongest first; the text is counted.

        What was said before is the same string each time: clusters keep them by the hundred thousand.
        """
        ranked = self._ranked(weighed)
        self._count()
        ranked.sort()
        del ranked[self._settings.terms_per_text :]
        length = -math.sqrt(sum([weight * weight for weight, _, _ in ranked]))
        return {intern(term) if before else term: weight / length for weight, term, before in ranked} if length else {}

    def _ranked(self, weighed: dict[str, float]) -> list[tuple[float, str, int]]:
        """Weights, below zero, as they are here, their terms, and how often each was counted before this time."""
        counts, texts, place = self.counts, self.texts + _COMMON, self._settings.place_weight
        closings, is_place, log = self._terms.closings, self._is_place, math.log
        new, ranked = -log(texts / 2.0), []
        for term, weight in weighed.items():
            before = counts.get(term, 0)
            counts[term] = before + 1
            if before:
                rare = log(texts / (before + 2.0))
                weight *= -rare if rare > 0.05 else -0.05
            else:
                weight *= new
            ranked.append((weight * place if term[-1] in closings and is_place(term) else weight, term, before))
        return ranked

    def tells(self, term: str, ours: int) -> float:
        """How rare a term is (natural log), in the language and among the texts that are not `ours`."""
        rarity, common, bonus = self._told_of(term)
        others = max(0, self.counts.get(term, 0) - ours)
        known = max(1.0, self.texts - ours)
        return min(rarity, -math.log((others + common) / (known + _COMMON))) + bonus

    def _fixed(self, term: str) -> tuple[float, float, float]:
        """What no stream changes of a term: its rarity, how common it is taken for, its bonus."""
        rarity, bonus = self._rarity(term), self._settings.name_bonus if self.is_name(term) else 0.0
        return rarity, _COMMON * math.exp(-rarity), bonus

    def is_name(self, term: str) -> bool:
        """A place, a body, or a mark like K8: what tells one case of a matter from another."""
        mark = term.isascii() and any(map(str.isdigit, term)) and any(map(str.isalpha, term))
        return mark or self._is_place(term)

    def _rarity(self, term: str) -> float:
        if term in matters():
            return _MATTER
        if self.is_name(term):
            return UNKNOWN_RARITY
        return self._words.rarity.get(term, _UNKNOWN)

    def _count(self) -> None:
        self.texts += 1
        if self.texts > self._settings.texts_counted:
            self.texts //= 2
            self.counts = {term: count // 2 for term, count in self.counts.items() if count > 1}

