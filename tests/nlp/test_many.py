"""Many texts looked through at once: each is read as the plain rule for one text says, to the last bit."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.copies import marks_of, marks_of_many
from nlp.features import LONGEST, dense, looked_at
from nlp.finder import Finder
from nlp.joined import MARK, Joined
from nlp.lexicon_table import CLASSES, Lexicon, civic_lexicon
from nlp.normal import letters, letters_of_many, normalise, normalise_many
from nlp.places import Places
from nlp.reading import Asked, Reader
from nlp.reasons import rounded
from nlp.shown_terms import ShownTerms
from nlp.terms import Terms
from nlp.training import own_corpus
from nlp.words import OwnWord, Words, office_dictionary

SIGNS = "停水电不没 a1。…\x00\ue000\ue001\ud800🎉\U0010ffff"
texts = st.lists(st.text(SIGNS, max_size=14), max_size=8)
READER = Reader()
CORPUS = [normalise(row.text) for row in own_corpus()[::7]]


@given(st.lists(st.text(max_size=8) | st.text(SIGNS, max_size=8), max_size=6))
def test_joined_texts_keep_their_places_whatever_they_hold(some: list[str]) -> None:
    joined = Joined(some)
    spans = zip(joined.starts.tolist(), joined.ends.tolist(), strict=True)
    assert [joined.text[start:end] for start, end in spans] == some
    assert joined.text.count(joined.mark) == len(some)
    assert joined.owners.tolist() == [number for number, text in enumerate(some) for _ in text + "."]
    assert [code for code in joined.codes.tolist() if code < 0x110000] == [ord(sign) for sign in "".join(some)]


words = st.lists(st.text("停水电不ab", min_size=1, max_size=4), unique=True, max_size=12)


def longest_first(known: list[str], text: str) -> list[tuple[int, int, int]]:
    found, start = [], 0
    while start < len(text):
        here = max((word for word in known if text.startswith(word, start)), key=len, default="")
        if here:
            found.append((known.index(here), start, start + len(here)))
        start += len(here) or 1
    return found


@given(words, st.text("停水电不ab。\ud800", max_size=20))
def test_the_longest_word_at_each_place_is_found_and_then_what_follows_it(known: list[str], text: str) -> None:
    assert Finder(known).matches(text) == longest_first(known, text)


@given(words, st.text("停水电不ab。\ud800", max_size=20))
def test_words_that_overlap_are_all_found(known: list[str], text: str) -> None:
    every = [
        (number, at, at + len(word))
        for number, word in enumerate(known)
        for at in range(len(text))
        if text.startswith(word, at)
    ]
    assert sorted(Finder(known, overlapping=True).matches(text)) == sorted(every)


ENTRIES = [
    ("停水", "harm"), ("停", "fact"), ("水电停", "blame"), ("不", "negator"), ("没", "negator"), ("a1", "praise"),
]  # fmt: skip


def said_of(text: str) -> list[tuple[str, str, bool]]:
    """Words with their class, and whether the last negator before reaches them over one letter at most."""
    known, found, until = [word for word, _ in ENTRIES], [], -1
    for number, start, end in longest_first(known, text):
        word, kind = ENTRIES[number]
        found.append((word, kind, start <= until))
        if kind == "negator":
            until = end + text[end : end + 1].isalnum()
    return found


@given(texts)
def test_the_words_of_the_lexicon_are_those_of_each_text_alone(some: list[str]) -> None:
    lexicon = Lexicon(ENTRIES)
    hits = lexicon.find(Joined(some))
    found: list[list[tuple[str, str, bool]]] = [[] for _ in some]
    rows = (hits.owners, hits.words, hits.kinds, hits.negated)
    for text, word, kind, negated in zip(*(row.tolist() for row in rows), strict=True):
        found[text].append((lexicon.words[word], CLASSES[kind], negated))
    assert found == list(map(said_of, some))


def plain_shape(text: str) -> list[float]:
    def count(*signs: str) -> float:
        return math.log1p(sum(map(text.count, signs)))

    return [
        math.log1p(len(text)), count("!", "！"), count("?", "？"), float(text.endswith(("?", "？"))),
        count("…", "..."), count("，", ","), count("。"), float(text[-1:].isalnum()),
        math.log1p(len(re.findall(r"\d", text))), count("#", "【"), float(text.isascii()),
    ]  # fmt: skip


@given(st.lists(st.text(max_size=30) | st.text("!?！？….，,。#【1٣９𝟘ab停\x00", max_size=30), max_size=6))
def test_length_and_punctuation_are_counted_as_in_each_text_alone(some: list[str]) -> None:
    joined = looked_at(some)
    found = dense(joined, civic_lexicon().find(joined), with_shape=True, weak=0.0)
    assert [row[3:] for row in found.tolist()] == list(map(plain_shape, some))


def test_of_a_long_text_the_features_are_those_of_its_beginning() -> None:
    long = "停水了，" * LONGEST
    joined = looked_at([long, long[:LONGEST]])
    one, other = dense(joined, civic_lexicon().find(joined), with_shape=True, weak=0.25).tolist()
    assert one == other and max(one) == math.log1p(LONGEST)


PIECES = [
    "@", "//", "//@甲：", "@乙 ", "回复@丙:", "http://a.cn/b", "www.a.cn", "頭髮", "哈哈哈哈哈", "\u200b", "\ue000",
    "\ue001", "\ue000\ue001", "\x00", "  ", "１２", "[泪]", "\n", "停水", "a", "。。。。。", "\ud800",
]  # fmt: skip
raw = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=20)


@given(st.lists(raw, max_size=6))
@settings(max_examples=300)
def test_texts_are_brought_to_one_form_together_as_each_alone(some: list[str]) -> None:
    assert normalise_many(some) == list(map(normalise, some))


def test_latin_letters_stay_as_they_are_beside_other_texts() -> None:
    signs = "".join(map(chr, range(0x20, 0x7F)))
    assert normalise_many([signs, "頭髮", *signs]) == [normalise(signs), "头发", *map(normalise, signs)]


@given(texts)
def test_letters_and_marks_are_those_of_each_text_alone(some: list[str]) -> None:
    assert letters_of_many(Joined(some)) == list(map(letters, some))
    plains = list(map(normalise, some))
    assert marks_of_many(Joined(plains)) == list(map(marks_of, plains))


def test_marks_of_long_texts_are_counted_beyond_what_a_byte_holds() -> None:
    some = [*CORPUS, "".join(CORPUS)[:6000], "水" * 700, "停水三天了没人管" * 40]
    assert marks_of_many(Joined(some)) == list(map(marks_of, some))


OWN = [
    *office_dictionary(None),
    OwnWord("一中", 0, "ns=云川市第一中学"),
    OwnWord("云川市第一中学", 0, "ns:临江区"),
    OwnWord("要证通", 0, "nz"),
]
WORDS = Words(OWN)
TERMS = Terms(WORDS)
SHOWN = ShownTerms(WORDS, TERMS)
SAID = [
    "电梯", "停水", "物业", "小区", "滨河花园", "路口", "A3", "12号线", "一中", "要证通", "投诉", "第六栋", "依然",
    "两旁", "地下", "的", "，", "自来水", "公司", "没有", "派", "出所", "人民", "路", "x",
]  # fmt: skip
said = st.lists(st.lists(st.sampled_from(SAID), max_size=12).map("".join), max_size=6)


@given(said)
@settings(max_examples=300, deadline=None)
def test_the_terms_of_many_texts_are_those_of_each_alone(some: list[str]) -> None:
    alone = [TERMS.strongest(WORDS.cut(text)) for text in some]
    assert SHOWN.of(Joined(some)) == alone


@pytest.mark.parametrize("reference", [False, True], ids=["rjieba", "jieba"])
def test_the_terms_of_the_own_texts_are_those_of_each_alone(reference: bool) -> None:
    words = Words(OWN, reference=reference)
    terms = Terms(words)
    some = CORPUS if not reference else CORPUS[::10]
    assert ShownTerms(words, terms).of(Joined(some)) == [terms.strongest(words.cut(text)) for text in some]


def test_of_two_terms_that_weigh_the_same_the_first_in_order_of_writing_stands_first() -> None:
    reader = Reader("乙坎泉 0 nz\n甲坤岭 0 nz\n")
    assert reader.read("见乙坎泉和甲坤岭").terms == ("乙坎泉", "甲坤岭")
    assert reader.read("见甲坤岭和乙坎泉").terms == ("乙坎泉", "甲坤岭")


@given(st.lists(st.text("江临区桥北", max_size=12), max_size=5))
def test_places_are_found_longest_first_in_each_text(some: list[str]) -> None:
    own = [OwnWord("临江", 0, "ns:一区"), OwnWord("临江区桥", 0, "ns:二区"), OwnWord("桥北", 0, "ns=北桥")]
    names = [word.word for word in own]
    expected = [
        tuple(dict.fromkeys(own[word].same_as or own[word].word for word, _, _ in longest_first(names, text)))
        for text in some
    ]
    assert [found for found, _ in Places(own).find_many(Joined(some))] == expected


@given(st.lists(st.floats(-50, 50) | st.integers(-60_000, 60_000).map(lambda half: half / 2000), max_size=20))
def test_weights_are_rounded_as_each_alone(values: list[float]) -> None:
    found = rounded(np.array(values, dtype=float), 3)
    assert list(map(repr, found)) == [repr(round(value, 3)) for value in values]


@given(st.lists(st.tuples(raw, st.sampled_from([None, "comment", "letter"])), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_texts_are_read_together_as_each_alone(some: list[tuple[str, str | None]]) -> None:
    asked = [Asked(text, kind) for text, kind in some]
    assert READER.read_many(asked) == [READER.read(one.text, one.kind) for one in asked]


def test_no_normalised_text_holds_the_mark() -> None:
    assert MARK not in normalise(f"停{MARK}水")
