"""The automatic first answer: from the account's table, the directory, or a receipt; never empty, never too long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import first_answer
from hub.domain.first_answer import Said, Table, answer_button, answer_words, greet
from tests.domain.test_services import DIRECTORY, entry

SITE = "https://www.yunchuan.example"
EMPTY = Table(SITE)
MOST_BYTES = 2048  # the platform's limit of one message


def good(said: Said | None) -> bool:
    return said is not None and bool(said.text.strip()) and len(said.text.encode()) <= MOST_BYTES


def test_the_accounts_own_table_comes_before_the_directory() -> None:
    table = Table(SITE, rules=({"words": ["落户"], "text": "请到政务大厅三楼。"},))
    assert answer_words("新生儿落户", DIRECTORY, table) == Said("请到政务大厅三楼。", True)
    assert "出生医学证明" in answer_words("新生儿落户", DIRECTORY, EMPTY).text


def test_an_entry_is_told_whole_and_says_how_to_reach_a_person() -> None:
    said = answer_words("孩子户口", DIRECTORY, EMPTY)
    assert said.found
    for words in ("新生儿落户", "出生医学证明", "户籍派出所", "9:00", "12345", f"{SITE}/s/1", "没解决"):
        assert words in said.text


def test_where_nothing_is_found_the_citizen_gets_a_receipt_and_learns_who_answers() -> None:
    said = answer_words("暖气不热三天了", DIRECTORY, EMPTY)
    assert not said.found
    assert "已经收到" in said.text
    assert "工作人员" in said.text


def test_what_holds_no_words_is_received_too() -> None:
    assert good(answer_words("", DIRECTORY, EMPTY))
    assert good(answer_words("😀？", DIRECTORY, EMPTY))
    assert not answer_words("", DIRECTORY, EMPTY).found


def test_the_three_buttons_answer_and_any_other_says_nothing() -> None:
    assert good(answer_button(first_answer.ASK, DIRECTORY, EMPTY))
    progress = answer_button(first_answer.PROGRESS, DIRECTORY, EMPTY)
    assert progress is not None
    assert f"{SITE}/letters" in progress.text
    listed = answer_button(first_answer.SERVICES, DIRECTORY, EMPTY)
    assert listed is not None
    assert all(str(service["name"]) in listed.text for service in DIRECTORY)
    assert good(answer_button(first_answer.SERVICES, [], EMPTY))
    assert answer_button("theirs", DIRECTORY, EMPTY) is None


@pytest.mark.parametrize("welcome", ["", " ", "\n\u3000", "欢迎来到云川发布。"])
def test_a_greeting_is_the_accounts_own_or_ours_and_never_blank(welcome: str) -> None:
    said = greet(Table(SITE, welcome))
    assert good(said)
    assert said.text == (welcome if welcome.strip() else first_answer.WELCOME)


@pytest.mark.parametrize(
    "rule",
    [
        {"words": ["供暖"], "text": ""}, {"words": ["供暖"], "text": " "}, {"words": ["供暖"]},
        {"words": [""], "text": "x"},
        {"words": ["，"], "text": "x"}, {}, {"words": None, "text": "x"}, {"words": 3, "text": "x"},
        {"words": ["供暖"], "text": None}, {"words": ["供暖"], "text": ["x"]},
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_is_passed_over(rule: dict[str, Any]) -> None:
    said = answer_words("供暖什么时候开始", [], Table(SITE, rules=(rule,)))
    assert (said.found, good(said)) == (False, True)
    after = Table(SITE, rules=(rule, {"words": ["供暖"], "text": "十五日开始。"}))
    assert answer_words("供暖什么时候开始", [], after).text == "十五日开始。"


def test_words_of_a_rule_that_came_as_one_text_are_not_taken_letter_by_letter() -> None:
    table = Table(SITE, rules=({"words": "供暖", "text": "十五日开始。"},))
    assert not answer_words("暖阳公园在哪", [], table).found


def test_an_address_is_told_whole_or_not_at_all() -> None:
    long = entry(needs="长" * 400, where="远" * 60, hours="时" * 50, link=f"{SITE}/{'a' * 200}")
    said = answer_words("新生儿落户", [long], EMPTY)
    assert good(said)
    assert "https://" not in said.text or f"{SITE}/{'a' * 200}" in said.text
    assert said.text.endswith(first_answer.END)


wide = st.text(st.sampled_from("供暖😀𠮷a \n"), max_size=900)


@given(wide, wide, wide, wide)
def test_no_answer_is_empty_or_longer_than_the_platform_takes(text: str, welcome: str, ruled: str, name: str) -> None:
    directory = [
        entry(f"s{n}", name=(name[:39] + str(n)), aliases=["供暖"], needs=name[:400], where=name[:200])
        for n in range(20)
    ]
    table = Table(SITE, welcome, ({"words": ["𠮷"], "text": ruled},))
    said = [greet(table), answer_words(text, directory, table), answer_words(text, directory, EMPTY)]
    said += [answer_button(key, directory, table) for key in (first_answer.ASK, first_answer.SERVICES,
                                                              first_answer.PROGRESS)]  # fmt: skip
    assert all(good(one) for one in said), [one for one in said if not good(one)]
