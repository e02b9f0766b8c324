"""Keywords (关键词): which terms of a text a person can read as words of their own; weighing them lives in terms.py."""

from __future__ import annotations

import re

from nlp.words import Words, words_tagged

# jieba's tags of words that carry no matter alone: adverbs, conjunctions, prepositions, pronouns, particles, numbers,
# measures, states, exclamations; and of places beside something (两旁), which may begin a pair (地下车库).
_EMPTY_TAGS = frozenset({"d", "dg", "c", "p", "r", "rr", "rz", "u", "m", "mq", "q", "z", "zg", "y", "e", "o"})
_BESIDE_TAGS = frozenset({"f"})
_DIGITS = "0-9一二三四五六七八九十百千万亿两零〇几数半多余"
_NUMBER_BEGINS = frozenset("第0123456789" + _DIGITS)
_UNITS = "个名位条次天日月年岁人户家元块米里公斤吨号楼层栋幢期圈道方点分钟小时左右倍成"
_NUMBER = re.compile(f"^第?[{_DIGITS}]+[{_DIGITS}{_UNITS}]*$")
# Characters at which an unknown word was cut wrongly: no short noun begins, or ends, with one.
_OPENS = frozenset(
    "的地得了着过只有没未不尚且才就也又再将需被把与及或若现最很都还已曾正在从向往对于由因使让给每该此这那各某何怎要可能"
    "会应想请叫"
)
_CLOSES = frozenset("的地得了着过就也又再将需被把与及或若很都还已曾正在从向往于由因使让给该此这那是吗呢吧啊和等且先")
_OFFICES = frozenset("省市区县镇乡州旗")
_KEPT = 100_000


class Keywords:
    """Says of a word, and of a pair, whether it can be shown; what it was asked once it knows."""

    def __init__(self, words: Words) -> None:
        self._rarity = words.rarity
        self._own = frozenset(word.word for word in words.own)
        tagged = words_tagged(_EMPTY_TAGS | _BESIDE_TAGS)
        self._empty = frozenset(word for word, tag in tagged.items() if tag in _EMPTY_TAGS)
        self._beside = frozenset(tagged.keys() - self._empty)
        self._known: dict[str, tuple[bool, bool]] = {}

    def is_shown(self, term: str, first: str) -> bool:
        """Whether a term can be shown; `first` is the first of its two words, or the whole term."""
        last = term[len(first) :]
        if not last:
            return all(self.edges(term))
        coded = last.isascii() and not first.isascii()  # 投诉A3: what stands before a number is not its name
        return self.edges(first)[0] and self.edges(last)[1] and not coded

    def edges_of_table(self) -> dict[str, tuple[bool, bool]]:
        """The edges of those words of the table of rarity that may not be both; all others of it may."""
        known = self._rarity.keys()
        numbers = {word for word in known if word[0] in _NUMBER_BEGINS and _NUMBER.match(word)}
        found = dict.fromkeys(known & self._beside, (True, False))
        found |= dict.fromkeys(numbers | (known & self._empty), (False, False))
        return {word: edges for word, edges in found.items() if word not in self._own}

    def edges(self, word: str) -> tuple[bool, bool]:
        """Whether a term may begin, and may end, with this word."""
        found = self._known.get(word)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[word] = self._looked_at(word)
        return found

    def _looked_at(self, word: str) -> tuple[bool, bool]:
        if word in self._own:
            return True, True
        if word in self._empty or _NUMBER.match(word):
            return False, False
        if word in self._beside:
            return True, False
        if word in self._rarity or word.isascii():
            return True, True
        if word[0] in _OFFICES:  # 区某某: a leftover of the name before it
            return False, False
        short = len(word) <= 3
        return not (short and word[0] in _OPENS), not (short and word[-1] in _CLOSES)
