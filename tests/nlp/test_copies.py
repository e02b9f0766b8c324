"""Copies: exact and near ones are found, different texts are not, and the memory stays bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.copies import ALIKE, NEAR, Copies, distance, is_telling, likeness, marks_of, simhash
from nlp.normal import letters, normalise

LETTER = (
    "我们是滨河花园的业主，小区西侧的搅拌站昼夜生产，粉尘落满阳台，家里老人孩子反复咳嗽，"
    "已经向街道和环保部门反映多次，每次都说正在整改，可是夜里照样开工，请上级派人来实地看一看。"
)
OTHER = (
    "县客运站到李家坪的班车上周突然停开，没有贴任何公告，赶集的老人冒雨等到天黑才知道没有车，"
    "最后是走山路回去的，请交通部门说明停开的原因，并尽快恢复班次，或者换成小车也可以。"
)


@given(st.text(st.characters(), max_size=200))
@settings(max_examples=100, deadline=None)
def test_a_text_is_a_copy_of_itself(text: str) -> None:
    memory = Copies()
    key, mark = marks_of(normalise(text))
    memory.keep(key, mark, "first")
    assert memory.original(key, mark) == "first"


@given(
    st.text("停水了三天物业不管请来看一看路灯坏了没人修", min_size=20, max_size=60),
    st.sampled_from(["！", " ", "……", "，"]),
)
@settings(max_examples=60, deadline=None)
def test_punctuation_makes_no_other_text(text: str, mark: str) -> None:
    middle = len(text) // 2
    assert marks_of(text)[0] == marks_of(text[:middle] + mark + text[middle:] + mark)[0]


MARKS = st.text("，。！？；：、…“”（） \n~.,!?-", max_size=4)
SIGNS = "停水了三天物业不管请来看一看路灯坏没人修A3abＢ"
WORD64 = st.integers(0, (1 << 64) - 1)


@given(st.lists(st.tuples(st.sampled_from(SIGNS), MARKS, MARKS), min_size=1, max_size=40))
@settings(max_examples=80, deadline=None)
def test_one_text_is_one_group_wherever_and_however_it_is_punctuated(signs: list[tuple[str, str, str]]) -> None:
    """Signs that stand apart, so that no run is shortened."""
    kept = [each for number, each in enumerate(signs) if number == 0 or each[0].lower() != signs[number - 1][0].lower()]
    one = "".join(sign + before for sign, before, _ in kept)
    other = "".join(sign.swapcase() + after for sign, _, after in kept)
    assert marks_of(normalise(one)) == marks_of(normalise(other))


@given(WORD64, WORD64, WORD64)
@settings(max_examples=60, deadline=None)
def test_the_distance_of_two_marks_is_a_distance(one: int, other: int, third: int) -> None:
    assert distance(one, other) == distance(other, one) <= 64
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, third) <= distance(one, other) + distance(other, third)


@given(WORD64.filter(bool), st.sets(st.integers(0, 63), max_size=8))
@settings(max_examples=80, deadline=None)
def test_marks_that_differ_in_few_bits_are_one_group_and_in_more_are_not(mark: int, bits: set[int]) -> None:
    memory = Copies()
    memory.keep("one", mark, "first")
    other = mark ^ sum(1 << bit for bit in bits)
    assert memory.original("two", other) == ("first" if other and len(bits) <= NEAR else None)


@given(WORD64.filter(bool), st.permutations(range(4)), st.lists(st.integers(0, 15), min_size=NEAR, max_size=NEAR))
@settings(max_examples=80, deadline=None)
def test_a_near_copy_is_found_whichever_bits_are_other(mark: int, bands: list[int], places: list[int]) -> None:
    """The worst case: each of the bits in a band of its own, and one band left."""
    other = mark ^ sum(1 << (16 * band + place) for band, place in zip(bands, places, strict=False))
    memory = Copies()
    memory.keep("one", mark, "first")
    assert other == 0 or memory.original("two", other) == "first"


KEPT = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 40).map(lambda step: step << 30)), max_size=60)


@given(KEPT, st.integers(1, 6), KEPT)
@settings(max_examples=80, deadline=None)
def test_the_memory_keeps_its_bound_and_its_rows_make_the_same_memory(
    first: list[tuple[str, int]], capacity: int, later: list[tuple[str, int]]
) -> None:
    memory, again = Copies(capacity), Copies(capacity)
    for key, mark in first:
        if memory.original(key, mark) is None:
            memory.keep(key, mark, f"of {key}")
        assert len(memory) <= capacity
    for key, name, mark in memory.rows():
        again.keep(key, mark, name)
    for key, mark in later:
        assert again.original(key, mark) == memory.original(key, mark)
        for each in (memory, again):
            each.keep(key, mark, f"later {key}")
        assert again.rows() == memory.rows()


NEARBY = st.integers(1, 63)  # any two differ in few bits, so that several originals are near to one text


@given(st.lists(st.tuples(st.sampled_from("abcdef"), NEARBY, st.booleans()), max_size=40), st.lists(NEARBY, min_size=8))
@settings(max_examples=80, deadline=None)
def test_of_several_near_originals_a_memory_made_from_its_rows_names_the_same_one(
    steps: list[tuple[str, int, bool]], asked: list[int]
) -> None:
    memory, again = Copies(), Copies()
    for key, mark, is_seen in steps:
        if is_seen:
            memory.original(key, mark)
        else:
            memory.keep(key, mark, f"of {key}")
    for key, name, mark in memory.rows():
        again.keep(key, mark, name)
    assert [again.original("?", mark) for mark in asked] == [memory.original("?", mark) for mark in asked]


def test_a_letter_with_a_changed_word_is_a_near_copy_and_another_letter_is_not() -> None:
    first = simhash(LETTER)
    assert distance(first, simhash(LETTER + "谢谢")) <= NEAR
    assert distance(first, simhash(OTHER)) > 10


def test_near_copies_are_found_by_their_bands() -> None:
    memory = Copies()
    memory.keep("one", 0xF0F0_1234_5678_9ABC, "first")
    assert memory.original("two", 0xF0F0_1234_5678_9ABC ^ 0b1_0000_0000_0001_0000_0001) == "first"
    assert memory.original("two", 0xF0F0_1234_5678_9ABC ^ 0b1111) is None


def test_short_texts_have_no_near_copies() -> None:
    assert simhash("停水了没人管") == 0


def test_what_everybody_says_is_no_copy_and_a_sentence_of_ones_own_is() -> None:
    for words in ("支持", "谢谢！！！", "辛苦了，辛苦了", "[赞][赞][赞]", "感谢政府为民办实事"):
        assert not is_telling(normalise(words)), words
    assert is_telling(normalise("转运站建在学校门口，谁批的？"))


def test_words_tell_apart_what_marks_take_for_copies() -> None:
    one, other = "今晚聊天庆功哈哈哈哈哈哈哈哈哈哈哈哈我在", "我只说重点关键的请务必带上我哈哈哈哈哈哈哈哈哈哈哈哈"
    assert distance(simhash(one), simhash(other)) <= NEAR
    assert likeness(one, other) < ALIKE
    letter = letters(LETTER)
    assert likeness(letter, letter.replace("粉尘", "灰尘")) > ALIKE
    assert likeness(letter, letter) == 1
    assert likeness("", "") == 1


def test_the_memory_forgets_what_was_longest_unseen() -> None:
    memory = Copies(capacity=2)
    memory.keep("a", 1, "a")
    memory.keep("b", 1 << 40, "b")
    assert memory.original("a", 1) == "a"
    memory.keep("c", 1 << 50, "c")
    assert len(memory) == 2
    assert memory.original("b", 1 << 40 | 0xFFFF) is None
    assert memory.original("a", 1) == "a"


def test_a_memory_made_from_its_rows_is_the_same() -> None:
    memory = Copies()
    for number, text in enumerate((LETTER, OTHER)):
        memory.keep(*marks_of(text), str(number))
    again = Copies()
    for key, name, mark in memory.rows():
        again.keep(key, mark, name)
    assert again.rows() == memory.rows()
    assert again.original(*marks_of(OTHER)) == "1"
