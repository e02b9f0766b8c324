"""The board's figures: sums that agree, bands out of earlier stretches, warmth only where it is unusual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import SHANGHAI
from hub.domain import figures
from hub.domain.figures import Span, span_of

NOON = datetime(2026, 11, 24, 4, 20, tzinfo=UTC)


def row(
    at: datetime, count: int = 1, *, sentiment: str = "neu", channel: str = "site", district: str | None = "临江区"
) -> Any:
    return {"at": at, "count": count, "sentiment": sentiment, "channel": channel, "district": district, "topic": None}


@pytest.mark.parametrize("hours", [24, 168, 720])
def test_a_span_ends_after_now_and_is_cut_into_whole_steps(hours: int) -> None:
    span = span_of(NOON, hours)
    assert span.end > NOON
    assert span.end - span.start == timedelta(hours=hours)
    assert len(span.buckets()) * span.step == timedelta(hours=hours)


@pytest.mark.parametrize("hours", [24, 168, 720])
def test_earlier_stretches_have_the_same_hours_and_weekdays_and_never_overlap(hours: int) -> None:
    span = span_of(NOON, hours)
    for later, earlier in zip([span, *span.earlier()], span.earlier(), strict=False):
        assert earlier.end <= later.start
        assert (later.start - earlier.start) % timedelta(weeks=1) == timedelta()


@given(st.lists(st.tuples(st.integers(-2000, 40), st.integers(1, 50), st.sampled_from(["neg", "neu", "pos"]))))
def test_the_curve_and_the_heat_sum_to_the_same_total(rows: list[tuple[int, int, str]]) -> None:
    span = span_of(NOON, 24)
    made = [row(NOON + timedelta(hours=hours), count, sentiment=word) for hours, count, word in rows]
    inside = sum(one["count"] for one in made if span.start <= one["at"] < span.end)
    cells = figures.heat(made, span, ["site"], ["临江区"])["site"].values()
    assert sum(figures.curve(made, span).total) == inside == sum(cell.count for cell in cells)


def test_the_band_is_what_the_same_hours_of_earlier_weeks_had() -> None:
    span = span_of(NOON, 24)
    rows = [row(NOON - timedelta(weeks=week), 10) for week in range(1, 5)]
    place = span.place(NOON)
    assert place is not None
    curve = figures.curve(rows, span)
    assert curve.low[place] < 10 < curve.high[place]
    assert curve.high[place] - curve.low[place] >= 2 * 10**0.5 - 1e-9


def test_what_is_unknown_of_earlier_weeks_is_said_to_be_unknown() -> None:
    span = span_of(NOON, 24)
    assert figures.usual_total([row(NOON)], span) is None
    assert figures.share([], span.start, span.end) is None


def test_a_cell_warms_only_when_it_is_far_above_its_usual() -> None:
    assert [figures.step_of(count, 4.0) for count in (2, 5, 7, 10, 20)] == [0, 0, 1, 2, 3]
    assert figures.step_of(2, 0.0) == 0


def test_what_names_no_district_stands_in_its_own_column() -> None:
    span = span_of(NOON, 24)
    cells = figures.heat([row(NOON, 3, district=None), row(NOON, 2, district="外地")], span, ["site"], ["临江区"])[
        "site"
    ]
    assert cells[figures.UNSAID].count == 5


def test_days_of_a_month_begin_at_local_midnight() -> None:
    span: Span = span_of(NOON, 720)
    assert {at.astimezone(SHANGHAI).hour for at in span.buckets()} == {0}


def test_a_day_that_is_over_ends_its_stretch_at_midnight_and_holds_nothing_of_the_next() -> None:
    midnight = datetime(2019, 4, 1, tzinfo=SHANGHAI)
    for hours in (24, 168, 720):
        assert span_of((midnight - timedelta(milliseconds=1)).astimezone(UTC), hours).end == midnight


@pytest.mark.parametrize(
    ("people", "of", "before", "of_before", "said"),
    [
        (5, 100, 0, 100, "新"),
        (30, 100, 10, 100, "升"),
        (10, 100, 30, 100, "降"),
        (10, 100, 10, 100, "平"),
        (20, 200, 10, 100, "平"),
        (5, 100, 0, 0, ""),
        (0, 0, 3, 10, ""),
    ],
)
def test_a_word_rises_by_its_share_and_is_new_only_where_something_came_before(
    people: int, of: int, before: int, of_before: int, said: str
) -> None:
    assert figures.direction(people, of, before, of_before) == said
