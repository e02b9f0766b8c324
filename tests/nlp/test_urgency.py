"""可能紧急: a letter is read clause by clause; what is over or elsewhere is silent; the model is repeatable."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.contract import Urgency
from nlp.hints import MODEL
from nlp.model_file import ModelFileError
from nlp.normal import normalise
from nlp.reading import Reader
from nlp.urgency import (
    KINDS,
    LOOKED_AT,
    SHORT,
    UrgencyReader,
    read_urgency_model,
    stretches,
    write_urgency_model,
)
from nlp.urgency_training import LEAST_QUIET, Marked, own_marks, train_urgency
from nlp.urgency_words import CLASSES, UrgencyWords, tokens, urgency_words

PLAIN = "我想问一下办理老年卡要带什么材料，周末窗口开不开门。上次来的时候排队的人多，保安很客气，还给老人倒水。"
DANGER = "三楼的阳台整个裂开了，水泥块往下掉，下面全是放学的孩子"
SMALL = own_marks()[::12]
WIDEST = 2 * SHORT


@lru_cache(maxsize=1)
def reader() -> UrgencyReader:
    """A reader of all own texts, made anew."""
    return UrgencyReader(read_urgency_model(write_urgency_model(train_urgency(own_marks()))))


def said(text: str) -> Urgency | None:
    return reader().read(normalise(text))


@given(st.text(alphabet="火烟着了，。！？ ab\n、孩子", max_size=400))
def test_stretches_cover_a_text_in_order_and_none_is_wider_than_allowed(text: str) -> None:
    text = normalise(text)
    found = stretches(text)
    assert all(0 <= start < end <= len(text) and end - start <= WIDEST for start, end in found)
    assert found == sorted(found)
    covered = {at for start, end in found for at in range(start, end)}
    assert covered == set(range(len(text)))


def test_a_clause_without_any_break_is_cut_so_that_its_end_is_read_too() -> None:
    found = stretches("一" * 200)
    assert found[0][0] == 0 and found[-1][1] == 200 and len(found) >= 5


def test_the_one_clause_that_carries_the_danger_is_the_reason() -> None:
    found = said(f"{PLAIN}{DANGER}。{PLAIN}")
    assert found is not None and found.kind == "life"
    assert "水泥块往下掉" in found.clause and len(found.clause) <= WIDEST
    assert found.words and all(word in found.clause for word in found.words)


def test_around_it_nothing_is_said() -> None:
    assert said(PLAIN * 3) is None


@pytest.mark.parametrize(
    "text",
    ["", "，。！", "支持", "热死了热死了", "谢谢师傅，燃气修好了", "电影里那栋楼塌得真假",
     "下周三消防演练，烟是假的，请勿惊慌", "请问危房鉴定去哪里申请", "\x01a\x01b\x01c", "火锅真香"],
)  # fmt: skip
def test_what_is_nothing_over_elsewhere_or_asked_is_silent(text: str) -> None:
    assert said(text) is None


def test_what_is_said_is_one_of_the_kinds_and_danger_to_life_goes_first() -> None:
    assert KINDS[0] == "life"
    both = said("明天下午截止，窗口登不进去，现在楼里着火了，烟顺着楼梯往上灌，老人困在里面出不来")
    assert both is not None and both.kind == "life"


@given(st.text(max_size=300))
def test_any_text_is_read_and_twice_the_same(text: str) -> None:
    found = said(text)
    assert found == said(text)
    assert found is None or (found.kind in KINDS and found.clause in normalise(text))


@given(st.lists(st.one_of(st.sampled_from([DANGER, PLAIN, PLAIN * 3 + DANGER, ""]), st.text(max_size=80)), max_size=8))
def test_many_texts_are_read_as_each_by_itself(texts: list[str]) -> None:
    plains = [normalise(text) for text in texts]
    assert reader().read_many(plains) == [reader().read(plain) for plain in plains]


def test_beyond_what_is_looked_at_nothing_is_read() -> None:
    assert said("路灯不亮，请修一修。" * (LOOKED_AT // 9) + DANGER) is None


def test_an_analysis_carries_it_where_somebody_reads_for_it() -> None:
    text = f"{PLAIN}{DANGER}"
    found = Reader(urgency=reader()).read(text, "letter")
    assert found.urgency is not None and found.urgency.kind == "life"
    assert Reader(urgency=reader()).read("路灯不亮", "comment").urgency is None
    assert Reader().read(text, "letter").urgency is None


def test_words_are_found_with_their_class_and_what_stands_beside_counts_apart() -> None:
    words = UrgencyWords([("着火", "fire"), ("虚惊", "over"), ("着火了", "now")])
    found = words.find("着火了，一场虚惊")
    assert [(start, end) for start, end, _ in found] == [(0, 2), (0, 3), (6, 8)]
    fire, now, over = (chr(ord("a") + CLASSES.index(kind)) for kind in ("fire", "now", "over"))
    assert tokens(found, 0, 3) == {"\x01" + fire, "\x01" + now, "\x02" + over}
    assert tokens(found, 4, 8) == {"\x01" + over}


def test_every_class_has_words_and_no_line_is_there_twice() -> None:
    lines = (files("nlp") / "lexicon" / "urgency.tsv").read_text(encoding="utf-8").splitlines()[1:]
    pairs = [tuple(line.split("\t")) for line in lines]
    assert len(pairs) == len(set(pairs)) >= 1_500
    assert {kind for _, kind in pairs} == set(CLASSES)
    assert all(len(word) >= 2 and normalise(word) == word for word, _ in pairs)
    assert len(urgency_words().classes) >= 1_500


# ---- the model


def test_training_twice_gives_the_same_bytes_and_they_survive_reading() -> None:
    once = write_urgency_model(train_urgency(SMALL))
    assert write_urgency_model(train_urgency(SMALL)) == once
    assert write_urgency_model(read_urgency_model(once)) == once


def test_the_shipped_model_was_trained_on_the_shipped_texts() -> None:
    fresh, shipped = reader().model, read_urgency_model(MODEL.read_bytes())
    assert fresh.about["texts"] == shipped.about["texts"]
    assert fresh.vocabulary == shipped.vocabulary
    assert np.allclose(fresh.weights, shipped.weights, atol=1e-3)
    assert np.allclose(fresh.thresholds, shipped.thresholds, atol=1e-3)
    assert shipped.about["licence"] == "Apache-2.0" and MODEL.stat().st_size < 300_000


def test_a_model_counts_its_texts_and_is_small() -> None:
    marks = own_marks()
    texts = {kind: sum(kind in row.kinds for row in marks) for kind in KINDS}
    assert reader().model.about["texts"] == {**texts, "none": sum(not row.kinds for row in marks)}
    assert len(write_urgency_model(reader().model)) < 2_000_000


def test_what_was_altered_or_is_of_another_schema_is_refused() -> None:
    data = write_urgency_model(reader().model)
    with pytest.raises(ModelFileError):
        read_urgency_model(data[:-40])
    with pytest.raises(ModelFileError):
        read_urgency_model((files("nlp") / "models" / "sentiment.npz").read_bytes())


def test_on_situations_held_back_most_dangers_are_found_and_few_others_get_a_mark() -> None:
    """As the model's file says; each figure was counted by a model that had not seen the situation."""
    own = reader().model.about["own"]
    (there, found), (quiet, wrong) = own["life"], own["none"]
    assert found / there > 0.7
    assert wrong / quiet < 0.06
    assert reader().model.about["office"]["none"] == [0, 0]


def test_the_gate_keeps_out_little_of_what_would_be_said() -> None:
    gateless = UrgencyReader(replace(reader().model, gate=-1e9))
    texts = [normalise(row.text) for row in own_marks() if row.kinds]
    open_to_all = [text for text in texts if gateless.read(text)]
    assert sum(reader().read(text) is not None for text in open_to_all) / len(open_to_all) > 0.93


def test_a_mark_teaches_what_the_own_texts_never_named() -> None:
    marks = [Marked(f"{number}号泊位的系缆桩要崩", frozenset({"life"}), f"码头 {number}", True) for number in range(40)]
    before, after = UrgencyReader(train_urgency(SMALL)), UrgencyReader(train_urgency([*SMALL, *marks]))
    text = "七号泊位的系缆桩要崩"
    assert after.scores(text)[0] > before.scores(text)[0] + 1.0


def test_doubtful_texts_are_left_out_and_every_mark_is_a_known_kind() -> None:
    marks = own_marks()
    rows = (files("nlp") / "corpus" / "civic.jsonl").read_text(encoding="utf-8").splitlines()
    doubtful = {row["text"] for row in map(json.loads, rows) if row.get("urgent", []) is None}
    assert doubtful and not doubtful & {row.text for row in marks}
    assert all(row.kinds <= set(KINDS) for row in marks)


def test_enough_replies_of_an_office_fix_its_thresholds_and_have_figures_of_their_own() -> None:
    life = frozenset({"life"})
    quiet = [Marked(f"{number}号泊位几点开船", frozenset(), f"问 {number}", True) for number in range(260)]
    danger = [Marked(f"{number}号泊位的系缆桩要崩", life, f"码头 {number}", True) for number in range(30)]
    few = train_urgency([*SMALL, *quiet[: LEAST_QUIET - 50], *danger])
    many = train_urgency([*SMALL, *quiet, *danger])
    assert many.thresholds[0][0] < few.thresholds[0][0] - 2.0  # nothing of the harbour looks like a danger
    assert many.about["office"]["life"] == [30, 30] and many.about["office"]["none"][0] == 260
    assert many.about["own"]["none"][0] == sum(not row.kinds for row in SMALL)
