"""Segmentation: nothing is lost, offsets are right, the fall-back agrees, an office's own words are kept whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.normal import normalise
from nlp.words import OwnWord, Words, read_dictionary

FAST = Words()
REFERENCE = Words(reference=True)
SENTENCES = [
    "临江区的老旧小区电梯坏了三个月没人修",
    "请问个体户注销要先去税务局还是先去政务中心",
    "昨天夜里工地又打桩，孩子被吵醒好几次",
    "公交车改线以后，我妈看病要走两公里去换乘",
]


@pytest.mark.parametrize("words", [FAST, REFERENCE], ids=["rjieba", "jieba"])
@given(text=st.text(st.characters(), max_size=120).map(normalise))
@settings(max_examples=60, deadline=None)
def test_the_words_cover_the_text_without_gap_or_overlap(words: Words, text: str) -> None:
    spans = words.spans(text)
    assert "".join(word for word, _, _ in spans) == text
    assert all(text[start:end] == word for word, start, end in spans)


OWN = [OwnWord("滨河花园西门", 100_000, "ns"), OwnWord("云溪"), OwnWord("A3栋", 50, "n"), OwnWord("𠀀𠀁")]
WITH_OWN = [Words(OWN), Words(OWN, reference=True)]
AROUND = ("滨河花园西门", "云溪", "A3栋", "𠀀𠀁", "的", "，", " ", "12", "x", "😀", "停水")


@pytest.mark.parametrize("words", WITH_OWN, ids=["rjieba", "jieba"])
@given(text=st.one_of(st.lists(st.sampled_from(AROUND), max_size=12).map("".join), st.text(max_size=60)))
@settings(max_examples=40, deadline=None)
def test_with_an_offices_own_words_too_the_words_cover_the_text(words: Words, text: str) -> None:
    spans = words.spans(text)
    assert "".join(word for word, _, _ in spans) == text
    assert [start for _, start, _ in spans] == [0, *(end for _, _, end in spans)][: len(spans)]
    assert all(word and text[start:end] == word for word, start, end in spans)


def test_the_fall_back_cuts_like_the_fast_one() -> None:
    ends = [({end for _, _, end in FAST.spans(s)}, {end for _, _, end in REFERENCE.spans(s)}) for s in SENTENCES]
    same = sum(len(one & other) for one, other in ends)
    assert 2 * same / sum(len(one) + len(other) for one, other in ends) > 0.95


@pytest.mark.parametrize("reference", [False, True])
def test_an_offices_own_word_is_cut_whole(reference: bool) -> None:
    text = "滨河花园西门外的路灯不亮"
    own = Words([OwnWord("滨河花园西门", 100_000, "ns")], reference=reference)
    assert "滨河花园西门" in own.cut(text)
    assert "滨河花园西门" not in Words(reference=reference).cut(text)


def test_a_dictionary_line_may_leave_out_frequency_and_tag() -> None:
    lines = ["# 说明", "", "云溪", "科创路 20", "临江区 5 ns:临江区", "青禾县 ns"]
    assert read_dictionary(lines) == [
        OwnWord("云溪"),
        OwnWord("科创路", 20),
        OwnWord("临江区", 5, "ns:临江区"),
        OwnWord("青禾县", 0, "ns"),
    ]


def test_rare_words_are_rarer_than_common_ones() -> None:
    assert FAST.rarity_of("没有") < FAST.rarity_of("小区") < FAST.rarity_of("扰民")
    assert FAST.rarity_of("从没见过的一个词") > 10
