"""Keywords as people read them: no number words, no cut-off verbs, no pair across an empty word; names stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.keywords import Keywords
from nlp.normal import normalise
from nlp.terms import Terms
from nlp.words import Words, office_dictionary

WORDS = Words(office_dictionary(None))
KEYWORDS = Keywords(WORDS)
TERMS = Terms(WORDS)


@pytest.mark.parametrize("word", ["一十七", "十几分钟", "二期", "三十多万元", "第六栋", "几十年", "第18条"])
def test_a_number_with_its_measure_is_no_keyword(word: str) -> None:
    assert not KEYWORDS.is_shown(word, word)


@pytest.mark.parametrize("word", ["要证", "现未", "且泉", "局等", "只收", "依然", "同样", "任何", "区星蓝湾"])
def test_what_was_cut_off_or_carries_no_matter_is_no_keyword(word: str) -> None:
    assert not KEYWORDS.is_shown(word, word)


@pytest.mark.parametrize("word", ["不动产", "自来水", "只读", "要塞", "区政府", "市政", "万科", "物业", "A3"])
def test_a_word_that_people_know_stays_whatever_it_begins_with(word: str) -> None:
    assert KEYWORDS.is_shown(word, word)


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("地下", "车库", True), ("垃圾", "清运", True), ("培训", "依然", False), ("现未", "得到", False),
     ("投诉", "A3", False), ("中间", "两旁", False), ("一期", "业主", False)],
)  # fmt: skip
def test_a_pair_begins_and_ends_with_words_that_carry_something(first: str, last: str, shown: bool) -> None:
    assert KEYWORDS.is_shown(first + last, first) is shown


def test_an_offices_own_word_is_always_shown() -> None:
    own = Keywords(Words(office_dictionary("要证通 0 nz\n")))
    assert own.is_shown("要证通", "要证通")
    assert not KEYWORDS.is_shown("要证", "要证")


@given(st.text("一二三十百号楼要证只的区市水电路", min_size=1, max_size=40))
def test_no_shown_term_is_a_bare_number_word(text: str) -> None:
    shown = TERMS.strongest(WORDS.cut(normalise(text)))
    assert all(not set(term) <= set("一二三十百") for term in shown)
