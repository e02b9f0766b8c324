"""An office's dictionary as a file: both shapes, what is wrong with a line, and that nothing is lost on the way."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.dictionary import HEAD, KINDS, LONGEST, lines_of, read, table_of
from nlp.reading import Reader
from nlp.words import OwnWord

TABLE = """词,类别,区县,正式名称
云川市第一中学,地名,临江区,
一中,地名,,云川市第一中学
供水集团,机构,,
王建国,人名,,
居住证签注,事项,,
"""
name = st.text(alphabet="云川市第一中学路街ABC12", min_size=2, max_size=8)


def test_a_table_of_an_office_gives_its_words_with_their_tags() -> None:
    words, problems = read(TABLE)
    assert problems == []
    assert [(word.word, word.tag) for word in words] == [
        ("云川市第一中学", "ns:临江区"), ("一中", "ns=云川市第一中学"), ("供水集团", "nt"), ("王建国", "nr"),
        ("居住证签注", "n"),
    ]  # fmt: skip
    assert read("\ufeff" + TABLE.split("\n", 1)[1])[0] == read(TABLE.replace(",", "，"))[0] == words


def test_lines_of_jieba_are_read_as_they_are() -> None:
    words, problems = read("# 地名\n滨河花园 0 ns:临江区\n\n供水集团 5\n老水厂")
    assert problems == []
    assert words == [OwnWord("滨河花园", 0, "ns:临江区"), OwnWord("供水集团", 5, ""), OwnWord("老水厂")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("词,类别\n水,地名", 2, "至少两个字"),
        ("词,类别\n一中,学校", 2, "类别“学校”不认识"),
        (f"词\n{'长' * (LONGEST + 1)},", 2, f"超过 {LONGEST} 个字"),
        ("一中,地名,,一中", 1, "和词一样"),
        ("一中,地名,,第一中学\n第一中学,地名,,云川市第一中学\n云川市第一中学,地名", 1, "自己也是别的名称的简称"),
        ("一中,地名,临江区\n一中,地名,北岭区", 2, "与第 1 行是同一个词"),
        ("=HYPERLINK,地名", 1, "以文字或数字开头"),
        ("老 水厂 5 n", 1, "三项"),
        ("一中," + "长" * 400, 1, "超过 300 个字"),
    ],
)
def test_a_line_that_cannot_be_taken_says_what_to_do_and_stops_no_other(text: str, line: int, said: str) -> None:
    words, problems = read(f"{text}\n" + ("新水厂,地名" if "," in text else "新水厂"))
    assert problems[0].line == line and said in problems[0].reason
    assert "新水厂" in [word.word for word in words]


@given(rows=st.lists(st.tuples(name, st.sampled_from(list(KINDS)), st.sampled_from(["", "临江区"])), max_size=12))
@settings(max_examples=80, deadline=None)
def test_what_was_taken_is_the_same_after_it_went_out_and_came_back(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, *((word, kind, district, "") for word, kind, district in rows)])
    words, _ = read(out.getvalue())
    assert read(lines_of(words)) == (words, [])
    again = io.StringIO()
    csv.writer(again).writerows([HEAD, *table_of(words)])
    assert read(again.getvalue()) == (words, [])


@given(text=st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_file_is_read_to_its_end(text: str) -> None:
    words, _ = read(text)
    assert read(lines_of(words))[0] == words


def test_a_letter_is_read_with_the_words_of_the_file() -> None:
    reader = Reader(lines_of(read(TABLE)[0]))
    assert reader.read("一中门口的路灯坏了").places == ("云川市第一中学",)
    assert reader.read("王建国收了供水集团的钱").terms[:2] != ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them_and_an_open_quote_swallows_none(end: str) -> None:
    words, problems = read(end.join(["词,类别", "一中,地名", '二中,"地名', "三中,地名"]))
    assert [word.word for word in words] == ["一中", "二中", "三中"]
    assert problems == []


@given(text=st.text(alphabet='词一中水厂,，"\r\n\x00地名= #', max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_table_however_broken_stops_the_reading(text: str) -> None:
    words, problems = read(text)
    assert read(lines_of(words))[0] == words
    assert len({problem.line for problem in problems}) <= text.count("\n") + text.count("\r") + 1
