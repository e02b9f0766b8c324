"""When a new model is kept, how sure its figures are, where the threshold may stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.renewal import MIDDLE, Held, at_threshold, likely, threshold_for, verdict

BEFORE = Held(texts=100, negative=40, missed=10, false_alarms=10)


def test_a_model_that_is_better_is_kept() -> None:
    assert verdict(BEFORE, Held(100, 40, 8, 9)).keep


def test_a_tie_keeps_the_old_one_and_says_so() -> None:
    found = verdict(BEFORE, BEFORE)
    assert not found.keep
    assert "一样好" in found.why


def test_a_worse_model_is_refused() -> None:
    found = verdict(BEFORE, Held(100, 40, 10, 12))
    assert not found.keep
    assert "不如现在的" in found.why


def test_a_model_that_misses_more_complaints_is_refused_however_quiet_it_is() -> None:
    quiet = Held(100, 40, missed=11, false_alarms=0)
    assert quiet.macro_f1 > BEFORE.macro_f1
    found = verdict(BEFORE, quiet)
    assert not found.keep
    assert "漏掉" in found.why


def test_a_recall_that_falls_by_no_more_than_two_hundredths_does_not_matter() -> None:
    before, after = Held(1000, 400, 100, 100), Held(1000, 400, 107, 60)
    assert verdict(before, after).keep


@pytest.mark.parametrize("held", [Held(10, 0, 0, 0), Held(10, 10, 0, 0), Held(0, 0, 0, 0)])
def test_labels_of_one_kind_only_measure_nothing(held: Held) -> None:
    found = verdict(Held(held.texts, held.negative, 0, 0), held)
    assert not found.keep
    assert "只有一种" in found.why


counted = st.integers(0, 300)


@given(counted, counted, st.data())
def test_what_is_kept_is_never_worse_in_either_way(negative: int, others: int, data: st.DataObject) -> None:
    before, after = (
        Held(
            negative + others,
            negative,
            data.draw(st.integers(0, negative)),
            data.draw(st.integers(0, others)),
        )
        for _ in range(2)
    )
    if verdict(before, after).keep:
        assert after.macro_f1 > before.macro_f1
        assert after.recall >= before.recall - 0.02 - 1e-9


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_likely_span_holds_what_was_counted_and_narrows_with_more(part: int, whole: int) -> None:
    part = min(part, whole)
    low, high = likely(part, whole)
    assert 0.0 <= low <= part / whole + 1e-9 and part / whole - 1e-9 <= high <= 1.0
    more = likely(part * 10, whole * 10)
    assert more[1] - more[0] < high - low


def test_nothing_counted_is_nothing_known() -> None:
    assert likely(0, 0) == (0.0, 1.0)


def test_the_threshold_stays_in_the_middle_on_few_labels_and_on_a_step_that_is_none() -> None:
    assert threshold_for(0.7, 299) == MIDDLE
    assert threshold_for(0.7, 300) == 0.7
    assert threshold_for(0.55, 3_000) == MIDDLE


def test_figures_are_read_at_the_step_asked_for() -> None:
    steps = [{"threshold": 0.5, "missed": 3, "false_alarms": 4}, {"threshold": 0.7, "missed": 6, "false_alarms": 1}]
    found = {"texts": 50, "negative": 20, "steps": steps}
    assert at_threshold(found, 0.7) == Held(50, 20, 6, 1)
    assert at_threshold(found, 0.3) == Held(50, 20, 3, 4)
    assert at_threshold(found, 0.7).right == 43
