"""Normalising: what is taken out, what is kept, and that no text breaks it; properties for any text."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.normal import LIMIT, RUN, letters, normalise
from tests.ending import must_end

ANY = st.text(st.characters(), max_size=300)  # half characters included


@given(ANY)
@settings(max_examples=150, deadline=None)
def test_normalising_twice_gives_the_same_as_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(ANY)
@settings(max_examples=150, deadline=None)
def test_what_is_left_can_be_written_as_utf_8_and_is_bounded(text: str) -> None:
    plain = normalise(text)
    plain.encode("utf-8")
    assert len(plain) <= LIMIT
    assert not any(plain[at : at + RUN + 1] == plain[at] * (RUN + 1) for at in range(len(plain) - RUN))


@given(st.lists(st.tuples(st.sampled_from("停水哈！a1😀"), st.integers(1, 6)), max_size=20))
@settings(max_examples=80, deadline=None)
def test_a_sign_said_often_is_said_three_times_and_a_shorter_run_stays(runs: list[tuple[str, int]]) -> None:
    text = "".join(sign * times for sign, times in runs)
    assert normalise(text) == "".join(sign * min(len(list(run)), RUN) for sign, run in groupby(text))


PIECES = (
    "停水了", "雲溪區", "@云川发布", "@", "//@张三:", "//", "回复@李四：", "回复@", "https://a.cn/b?c=1", "www.a.cn",
    "[赞]", "，", " ", "\u3000", "\u200b", "\ud800", "😀", "Ａ１", "哈", "。", "\n", "A3", "·", ":", "：",
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 4)), max_size=12), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_what_people_write_is_normalised_once_for_all_wherever_it_is_cut(
    parts: list[tuple[str, int]], most: int
) -> None:
    text = "".join(piece * times for piece, times in parts)
    once = normalise(text, most)
    assert len(once) <= most
    assert normalise(once, most) == once
    assert not set(once) & set("雲區Ａ１\u3000\u200b\ud800\n")


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
@settings(max_examples=60, deadline=None)
def test_wherever_a_text_is_cut_nothing_is_left_that_a_second_time_would_take(text: str) -> None:
    for most in range(1, len(text) + 2):
        once = normalise(text, most)
        assert normalise(once, most) == once


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join), st.integers(300, 3_000))
@settings(max_examples=12, deadline=None)
def test_a_long_text_is_cut_to_what_a_person_would_read_and_stays_so(piece: str, times: int) -> None:
    once = normalise(piece * times)
    assert len(once) <= LIMIT
    same = normalise(once) == once
    assert same


def test_traditional_script_wide_letters_and_unseen_characters_become_plain() -> None:
    assert normalise("雲溪區的電\u200b梯壞了，Ａ３棟１２樓\ud800") == "云溪区的电梯坏了，A3栋12楼"


def test_addresses_and_names_go_and_emoticons_stay() -> None:
    assert normalise("谢谢@云川发布 太好了[赞] https://example.cn/a?b=1") == "谢谢 太好了[赞]"


def test_of_a_repost_only_the_writers_own_words_count() -> None:
    assert normalise("说得对//@张三:垃圾物业//@李四:转") == "说得对"


def test_a_repost_without_own_words_says_what_it_passes_on() -> None:
    assert normalise("//@张三:路灯又坏了//@李四:转") == "路灯又坏了"


def test_an_answer_loses_the_name_it_answers_to() -> None:
    assert normalise("回复@临江小雨:明天就修好") == "明天就修好"


def test_letters_are_the_same_however_a_text_is_punctuated() -> None:
    assert letters(normalise("停水了！三天了。")) == letters(normalise("停水了，三天了……"))


def test_a_megabyte_of_anything_is_cleaned_to_its_end() -> None:
    poisons = ["a", "哈", "@", "//@", "[", "//@a:", "http://", "回复@", " ", "\ud800", "!?", "@@:", "www."]
    for poison in poisons:
        with must_end():
            normalise(poison * (1_000_000 // len(poison)))
