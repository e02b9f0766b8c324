"""险情: a letter is read by words put together; what is asked, supposed, over or in passing is silent; all is named."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.contract import Urgency
from nlp.danger import (
    BACK,
    BESIDES,
    FAILURES,
    LEAST,
    LOOKED_AT,
    PLANNED,
    WIDEST,
    WORDS,
    danger_in,
    danger_words,
)
from nlp.danger_words import WordTable, entries_of
from nlp.normal import normalise

PLAIN = "我想问一下办理老年卡要带什么材料，周末窗口开不开门。上次来的时候排队的人多，保安很客气，还给大家倒水。"
DANGER = "我家屋后的护坡昨晚开始垮塌，一家老小不敢住在里面。"
OWN = Path(__file__).parent / "danger_letters.jsonl"
LETTERS = [json.loads(line) for line in OWN.read_text("utf-8").splitlines()]
TABLE = (files("nlp") / "lexicon" / "danger.tsv").read_text(encoding="utf-8")
ENTRIES = list(entries_of(TABLE))
PIECES = st.sampled_from([*(word for _, word in ENTRIES), *"，。！？ 一的了", "", "\n"])


def said(text: str) -> Urgency | None:
    return danger_in(normalise(text))


def kind(letter: dict[str, Any]) -> str:
    found = said(f"{letter['title']}\n{letter['text']}")
    return found.kind if found else ""


def test_of_own_letters_with_a_danger_nearly_all_are_found_and_few_others_get_one() -> None:
    """They were written before the rule was widened, and it was widened after them: this holds what was reached."""
    told = {
        mark: [kind(row) for row in LETTERS if "".join(row["urgent"]) == mark] for mark in ("life", "gathering", "")
    }
    assert len(told["life"]) >= 50 and len(told[""]) >= 40
    assert told["life"].count("life") >= 0.9 * len(told["life"])
    assert told["gathering"].count("gathering") == len(told["gathering"])
    assert told[""].count("") >= 0.95 * len(told[""])


def test_the_one_sentence_that_carries_the_danger_is_shown_with_its_words() -> None:
    found = said(f"{PLAIN}{PLAIN}{DANGER}{PLAIN}")
    assert found is not None and found.kind == "life"
    assert found.clause == DANGER.strip("。")
    assert found.words[:2] == ("垮塌", "护坡") and {"昨晚", "不敢住"} <= set(found.words)


def test_without_it_nothing_is_said() -> None:
    assert said(PLAIN * 5) is None


@pytest.mark.parametrize(
    "text",
    [
        "建议在护坡顶上修截水沟，以免以后垮塌，影响下面的居民。",
        "早几年我家屋后的护坡曾经垮塌过一次，一家人都搬走了。",
        "我家屋后的护坡垮塌，已修好了，一家老小现在住得安心。",
        "听说外地有个小区的护坡垮塌，居民吓得不轻。",
        "一旦护坡垮塌，居民怎么办？",
        "请住建部门把资金倾斜到我们这样的老房子上，干部下沉到居民家里。",
        "开发商资金链断裂，房子成了烂尾楼，业主随时可能断供。",
    ],
)
def test_what_is_supposed_over_mended_elsewhere_or_only_written_alike_is_silent(text: str) -> None:
    assert said(text) is None


def test_a_failure_weighs_by_what_fails() -> None:
    assert said("昨天我们小学的围墙突然倾斜，学生每天从下面走。") is not None
    assert said("昨天我们小学的时间表突然倾斜，学生每天从下面走。") is None


def test_who_is_there_makes_the_difference() -> None:
    assert said("广告牌松脱了") is None
    assert said("街口的广告牌松脱了，大风一吹随时掉下来，差点砸中放学的孩子") is not None


def test_told_first_it_weighs_more_than_told_at_the_end() -> None:
    told = "小区的围墙开始歪斜"
    more = "路灯也有几盏不亮，垃圾桶满了没有人清，门口的小店占道，请城管来看一看，谢谢各位领导。"
    assert said(f"{told}。{more}{more}") is not None
    assert said(f"{more}{more}{told}。") is None


def test_a_list_of_complaints_about_a_new_flat_is_no_danger() -> None:
    complaint = "开发商虚假宣传，收房时物业费、停车费都涨了，绿化和沙盘不符，精装的墙面有裂缝，阳台渗水，验收也没有。"
    assert said(f"{PLAIN}{complaint}") is None


def test_danger_to_life_goes_before_a_crowd() -> None:
    crowd = "业主准备明天去静坐。"
    assert (found := said(PLAIN + crowd)) is not None and found.kind == "gathering"
    assert (found := said(PLAIN + crowd + DANGER)) is not None and found.kind == "life"


def test_beyond_what_is_looked_at_nothing_is_read() -> None:
    assert said("路灯不亮，请修一修。" * (LOOKED_AT // 9) + DANGER) is None


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_any_text_is_read_twice_the_same_and_every_reason_stands_in_it(text: str) -> None:
    plain = normalise(text)
    found = danger_in(plain)
    assert found == danger_in(plain)
    if found is not None:
        assert found.kind in LEAST and found.clause and found.clause in plain and len(found.clause) <= WIDEST + 20
        assert 0 < len(found.words) <= WORDS and all(word in plain for word in found.words)
        assert found.words[0] in found.clause


# ---- the table


def test_the_longest_word_wins_and_what_only_looks_alike_is_no_word() -> None:
    table = WordTable([("fall", "塌"), ("fall", "坍塌"), ("nothing", "一塌糊涂"), ("now", "坍塌")])
    assert table.find("墙坍塌，账一塌糊涂，塌") == [(1, 3, ("fall", "now")), (10, 11, ("fall",))]


def test_every_class_of_the_table_is_weighed_and_every_weighed_class_has_words() -> None:
    things = {thing for weights in FAILURES.values() for thing in weights if thing}
    others = {"crowd", "nothing", "done", "flat", "ask", "list", "present"}
    assert {name for name, _ in ENTRIES} == {*FAILURES, *things, *BESIDES, *PLANNED, *BACK, *others}


def test_no_word_stands_twice_in_a_class_or_is_nothing_and_something() -> None:
    assert len(ENTRIES) == len(set(ENTRIES)) >= 2_300
    classes = [kinds for table in danger_words() for kinds in table.classes.values()]
    assert not [kinds for kinds in classes if "nothing" in kinds and len(kinds) > 1]


def test_every_word_is_one_that_a_normalised_text_can_hold() -> None:
    assert [word for _, word in ENTRIES if normalise(word) != word] == []
    assert {word for _, word in ENTRIES if len(word) < 2} <= {"塌", "癌", "桥", "曾", "若", "将", "逼", "《", "》"}
