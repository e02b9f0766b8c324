"""The service directory: what an entry must hold, and which entries a citizen's everyday words mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Invalid
from hub.domain.services import check_service, find_services


def entry(id: str = "newborn", **changes: Any) -> dict[str, Any]:
    given = {"_id": id, "name": "新生儿落户", "aliases": ["上户口", "孩子户口"], "needs": "出生医学证明、户口簿",
             "where": "户籍派出所", "hours": "工作日 9:00—17:00", "phone": "12345",
             "link": "https://www.yunchuan.example/s/1", "department": "公安局", "public": True}  # fmt: skip
    return {**given, **changes}


DIRECTORY = [
    entry(),
    entry("idcard", name="居民身份证补领", aliases=["身份证丢了", "补身份证"]),
    entry("passport", name="普通护照申领", aliases=["办护照"]),
]


def ids(text: str) -> list[str]:
    return [str(service["_id"]) for service in find_services(text, DIRECTORY)]


def test_an_entry_in_canonical_form_stays_as_it_is() -> None:
    once = check_service(entry(name=" 新生儿\u200b落户 ", aliases="上户口，孩子户口\n上户口"))
    assert (once["name"], once["aliases"]) == ("新生儿落户", ["上户口", "孩子户口"])
    assert check_service(once) == once


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"_id": ""}, "_id"), ({"_id": "落户"}, "_id"), ({"_id": "1a"}, "_id"), ({"_id": "a" * 41}, "_id"),
        ({"name": ""}, "name"), ({"name": "长" * 41}, "name"), ({"needs": "长" * 401}, "needs"),
        ({"where": "长" * 201}, "where"), ({"hours": "长" * 101}, "hours"), ({"phone": "1" * 41}, "phone"),
        ({"link": "www.yunchuan.example"}, "link"), ({"link": "javascript:alert(1)"}, "link"),
        ({"needs": "", "where": "", "link": ""}, "needs"), ({"aliases": ["长" * 21]}, "aliases"),
        ({"aliases": [str(n) for n in range(31)]}, "aliases"),
    ],
)  # fmt: skip
def test_each_field_that_is_not_acceptable_has_its_sentence(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_service(entry(**changes))
    assert [each.field for each in caught.value.errors] == [field]
    assert caught.value.errors[0].message.endswith("。")


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        check_service({"_id": "", "name": "", "link": "x", "aliases": None})
    assert {each.field for each in caught.value.errors} == {"_id", "name", "link"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请问新生儿落户要带什么", ["newborn"]), ("孩子户口怎么办？", ["newborn"]), ("落户", ["newborn"]),
        ("身份证丢了，还要补身份证", ["idcard"]), ("办护照和上户口", ["newborn", "passport"]),
        ("暖气不热", []), ("", []),
        ("？！", []), ("户", []), ("Ｂ", []), ("身 份 证 丢 了", ["idcard"]), ("ＢＡＮ", []),
    ],
)  # fmt: skip
def test_everyday_words_lead_to_the_entry_they_mean(text: str, expected: list[str]) -> None:
    assert ids(text) == expected


def test_the_longest_match_comes_first_and_never_more_than_three() -> None:
    many = [entry(f"s{n}", name="供暖" + "缴费" * (n % 3), aliases=[]) for n in range(9)]
    found = find_services("供暖缴费缴费", many)
    assert [len(str(service["name"])) for service in found] == [6, 6, 6]
    assert [service["_id"] for service in found] == ["s2", "s5", "s8"]


def test_a_name_of_one_sign_or_of_none_is_found_by_nobody() -> None:
    assert find_services("水电气，？", [entry(name="水", aliases=["，", ""])]) == []


@given(st.text(max_size=60))
def test_blanks_and_punctuation_change_nothing_and_no_words_are_a_fault(text: str) -> None:
    assert find_services(text, DIRECTORY) == find_services(f"  {text}！", DIRECTORY)
    assert len(find_services(text, DIRECTORY)) <= 3


@given(st.dictionaries(st.sampled_from(sorted(entry())), st.none() | st.integers() | st.text(max_size=30) | st.lists(
    st.text(max_size=5) | st.none(), max_size=3)))  # fmt: skip
def test_whatever_is_typed_is_taken_or_explained(value: dict[str, Any]) -> None:
    try:
        checked = check_service(value)
    except Invalid as error:
        assert error.errors
        return
    assert check_service(checked) == checked
