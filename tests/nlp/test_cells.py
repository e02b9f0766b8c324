"""Cells: at any moment what counting anew would give, whatever comes late; bounded, and saved without a loss."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.detectors.baseline import DAY, Baseline, day_of
from nlp.detectors.cells import Cells
from nlp.detectors.rhythm import HOUR
from nlp.detectors.rise import Mention
from nlp.detectors.settings import ClusterSettings

START = 20_000 * DAY
SMALL = ClusterSettings(window_days=2.0, short_hours=(1.0, 6.0), half_life_days=3.0)
TIGHT = ClusterSettings(
    window_days=2.0, short_hours=(1.0, 6.0), half_life_days=3.0, cells=3, mentions=4, mentions_in_all=9
)
# Hours after the one before (some come late, by up to three days), who, how unhappy, on which channel, in which group.
ONE = st.tuples(
    st.integers(-72, 30), st.sampled_from("abcd"), st.sampled_from([0.1, 0.9]), st.sampled_from(["", "weibo", "site"]),
    st.sampled_from(["城东区", "城西区"]), st.sampled_from(["供水", "物业"]),
)  # fmt: skip
STREAM = st.lists(ONE, max_size=50)
Row = tuple[int, str, float, str, str, str]


def heard(stream: list[Row]) -> list[tuple[tuple[str, str], Mention, int]]:
    """Group, mention, and the newest time heard by then."""
    at = now = START
    found = []
    for number, (step, author, negative, channel, district, topic) in enumerate(stream):
        at = at + step * HOUR if step > 0 else now + step * HOUR
        now = max(now, at)
        found.append(((district, topic), Mention(at, f"r{number}", author, negative, channel, number), now))
    return found


@given(STREAM)
@settings(max_examples=150, deadline=None)
def test_each_window_holds_the_people_whom_counting_anew_would_find(stream: list[Row]) -> None:
    cells = Cells(SMALL)
    so_far: dict[tuple[str, str], list[Mention]] = {}
    for key, mention, now in heard(stream):
        group = cells.hear(key, mention, now)
        all_ = so_far.setdefault(key, [])
        all_.append(mention)
        kept = sorted((one for one in all_ if one.at >= now - 2 * DAY), key=lambda one: one.at)
        assert list(group.mentions) == kept
        for channel in ("", "weibo", "site"):
            here = [one for one in kept if channel in ("", one.channel)]
            assert group.people.get(channel, {}) == Counter(one.author for one in here)
            moments = [now - HOUR, now - 6 * HOUR, now - 2 * DAY]
            assert group.counts(moments, channel) == [len(authors(here, since)) for since in moments]
            assert list(group.since(now - 6 * HOUR, channel)) == [one for one in here if one.at >= now - 6 * HOUR][::-1]


def authors(mentions: list[Mention], since: int = 0) -> set[str]:
    return {one.author for one in mentions if one.at >= since}


@given(STREAM, st.integers(0, 6))
@settings(max_examples=150, deadline=None)
def test_usual_is_what_each_day_brought_faded_by_its_age_in_whatever_order_it_came(
    stream: list[Row], back: int
) -> None:
    since, today = day_of(START) - 1, day_of(START)
    baseline, days = Baseline(since, 3.0), []
    for _, mention, now in heard(stream):
        today = day_of(now)
        days.append((day_of(mention.at), int(mention.negative >= 0.5)))
        baseline.hear(*days[-1], today - 3)
    until = today - min(back, 3)
    known = [(0.5 ** ((until - day) / 3.0), unhappy) for day, unhappy in days if since <= day <= until]
    people, unhappy, whole = baseline.until(until)
    assert people == pytest.approx(sum(weight for weight, _ in known))
    assert unhappy == pytest.approx(sum(weight * sad for weight, sad in known))
    assert whole == pytest.approx(sum(0.5 ** (age / 3.0) for age in range(max(0, until - since + 1))))
    assert baseline.after(today - 3) == sum(day > today - 3 and day >= since for day, _ in days)


def test_a_person_counts_once_a_day_in_what_is_usual_and_once_in_a_window() -> None:
    cells = Cells(SMALL)
    cells.hear(("城东区", "供水"), Mention(START - 3 * DAY, "first", "z", 0.9, "site", 1), START - 3 * DAY)
    for number in range(40):
        at = START + number * HOUR
        group = cells.hear(("城东区", "供水"), Mention(at, f"r{number}", "a", 0.9, "site", 1), at)
    assert group.counts([at - HOUR, at - 6 * HOUR, at - 2 * DAY]) == [1, 1, 1]
    for channel in ("", "site"):
        assert group.baselines[channel].after(day_of(START) - 1) == len({day_of(START + n * HOUR) for n in range(40)})


def test_a_late_word_makes_nobody_new_to_a_day_on_which_they_spoke() -> None:
    cells = Cells(SMALL)
    for number, hours in enumerate((0, 72, 49, 73)):
        at = START + hours * HOUR
        group = cells.hear(("城东区", "供水"), Mention(at, f"r{number}", "a", 0.9, "site", 1), max(at, START))
    assert group.baselines[""].after(day_of(START + 72 * HOUR) - 1) == 1


@given(STREAM, st.data())
@settings(max_examples=100, deadline=None)
def test_saved_cells_go_on_as_if_nothing_had_been_and_stay_within_their_bounds(
    stream: list[Row], data: st.DataObject
) -> None:
    rows = heard(stream)
    cut = data.draw(st.integers(0, len(rows)))
    whole, before = Cells(TIGHT), Cells(TIGHT)
    for row in rows[:cut]:
        whole.hear(*row)
        before.hear(*row)
    after = Cells.from_state(json.loads(json.dumps(before.state())), TIGHT)
    for key, mention, now in rows[cut:]:
        one, other = whole.hear(key, mention, now), after.hear(key, mention, now)
        assert (one.mentions, one.people, one.cut_at) == (other.mentions, other.people, other.cut_at)
        groups = whole.state()["groups"]
        assert len(groups) <= 3 and sum(len(group["mentions"]) for group in groups) <= 9
        assert all(len(group["mentions"]) <= 4 for group in groups)
        assert len(whole) == sum(len(group["baselines"]) for group in groups)
    same = json.dumps(after.state()) == json.dumps(whole.state())
    assert same


def test_a_hundred_times_the_voices_take_no_more_room_than_the_newest_of_them() -> None:
    cells, sizes = Cells(TIGHT), []
    for number in range(4_000):
        key = (f"区{number % 7}", f"类{number % 11}")
        at = START + number * HOUR
        cells.hear(key, Mention(at, f"r{number}", f"a{number}", 0.5, "site", 1), at)
        if number in (39, 3_999):
            sizes.append(len(json.dumps(cells.state())))
    assert sizes[1] < 3 * sizes[0]


def test_a_group_that_had_to_go_is_known_anew_only_from_then_on() -> None:
    cells = Cells(ClusterSettings(mentions_in_all=2))
    first = cells.hear(("城东区", "供水"), Mention(START, "r1", "a", 0.5, "site", 1), START)
    later = START + 9 * DAY
    assert cells.hear(("城东区", "供水"), Mention(later, "r2", "b", 0.5, "site", 1), later) is first
    cells.hear(("城东区", "物业"), Mention(later, "r3", "b", 0.5, "site", 1), later)
    again = cells.hear(("城东区", "供水"), Mention(later + DAY, "r4", "c", 0.5, "site", 1), later + DAY)
    assert again is not first and first.baselines[""].since == day_of(START) + 1
    assert again.baselines[""].since > day_of(later)
