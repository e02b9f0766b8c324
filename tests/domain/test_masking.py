"""Masking: one policy, all occurrences, nothing slow, nothing masked twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.personal import find_personal, id_card_holds, luhn_holds
from hub.masking import mask_bank_card, mask_email, mask_id_card, mask_mobile, mask_name, mask_plate, mask_text
from tests.ending import must_end

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "examinations" / "masking.jsonl").read_text("utf-8").splitlines()
]


def test_each_kind_shows_exactly_what_the_policy_lets_show() -> None:
    assert mask_mobile("13800001234") == "138****1234"
    assert mask_mobile("138 0000 1234") == "138 **** 1234"
    assert mask_id_card("350102199003071234") == "35*************234"
    assert mask_bank_card("6217 9900 0022 2233") == "**** **** **** 2233"
    assert mask_email("zhang@qq.com") == "z***@qq.com"
    assert mask_plate("冀X62K90") == "冀X*****"
    assert (mask_name("张伟民"), mask_name("欧阳小敏"), mask_name("李"), mask_name(" ")) == (
        "张**",
        "欧阳**",
        "李**",
        "",
    )


def test_the_examination_of_masking_is_passed() -> None:
    wrong = [
        row["id"] for row in ROWS if mask_text(row["text"], row["names"]) not in (row["masked"], *row.get("also", ()))
    ]
    print(f"masking: {len(ROWS) - len(wrong)} of {len(ROWS)}")
    assert len(wrong) / len(ROWS) <= 0.02


def test_every_occurrence_is_masked_also_in_full_width_and_across_lines() -> None:
    text = "13800001234\n１３８００００１２３４，张伟民说：找张伟民"
    assert mask_text(text, ["张伟民"]) == "138****1234\n１３８****１２３４，张**说：找张**"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_masking_twice_changes_nothing_more(row: dict[str, object]) -> None:
    names = list(row["names"])  # type: ignore[call-overload]
    once = mask_text(str(row["text"]), names)
    assert mask_text(once, names) == once


NUMBERS = st.one_of(
    st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
    st.from_regex(r"1[3-9]\d[ -]\d{4}[ -]\d{4}", fullmatch=True),
)


@settings(max_examples=200, deadline=None)
@given(
    NUMBERS,
    st.text(st.sampled_from("请电话是，。在 打给"), max_size=6),
    st.text(st.sampled_from("，。；谢 "), max_size=6),
)
def test_no_mobile_number_survives_wherever_it_stands(number: str, before: str, after: str) -> None:
    assert number not in mask_text(before + number + after)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    mask_text(text, ["张伟民"])
    for found in find_personal(text):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    "worst",
    ["1" * 100_000, "138-" * 25_000, "a@" * 50_000, "a." * 50_000, "京A" * 50_000, "镇" * 100_000, "王" * 100_000,
     "村1栋" * 33_000, "区一号" * 33_000, "姓名：" * 33_000, "王先" * 50_000, "1-1-" * 25_000, "里" * 100_000],
)  # fmt: skip
def test_100_kb_of_the_worst_text_is_masked_to_its_end(worst: str) -> None:
    with must_end():
        mask_text(worst, ["王王"])


def test_check_digits_are_those_of_the_standards() -> None:
    assert id_card_holds("11010519491231002X")
    assert not id_card_holds("110105194912310021")
    assert not id_card_holds("11010519491331002X")
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")
