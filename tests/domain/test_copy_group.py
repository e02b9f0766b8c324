"""A copy group's figures: the same in whatever order and batches its copies arrive; and when it is 疑似刷屏."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.copy_group import (
    DRAWN,
    FEWEST,
    MOST_BARS,
    NAMES,
    NEW,
    FloodRule,
    added,
    busiest,
    drawn,
    is_new,
    summed,
)

NINE = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
RULE = FloodRule(minutes=10, accounts=10, new_percent=70)
Copy = dict[str, Any]


def copy(number: int, minute: float, *, author: str = "", known_days: float = 0, **more: Any) -> Copy:
    at = NINE + timedelta(minutes=minute)
    fields = {"channel": "weibo", "account": "weibo-main", "district": "临江区", "near": False}
    return {
        "_id": f"r{number:04d}", "author_key": author or f"a{number}", "at": at,
        "known_since": at - timedelta(days=known_days), **fields, **more,
    }  # fmt: skip


@st.composite
def copies(draw: st.DrawFn) -> list[Copy]:
    """Few authors and few minutes, so that accounts come back and stretches meet."""
    count = draw(st.integers(1, 30))
    return [
        copy(
            number,
            draw(st.integers(0, 45)),
            author=draw(st.sampled_from("甲乙丙丁戊己庚辛壬癸")),
            known_days=draw(st.sampled_from((0, 0.5, 1, 3))),
            channel=draw(st.sampled_from(("weibo", "site"))),
            district=draw(st.sampled_from(("临江区", "北岭区", ""))),
            near=draw(st.booleans()),
        )
        for number in range(count)
    ]


def in_batches(batches: Sequence[Sequence[Copy]], rule: FloodRule) -> Copy:
    """The figures as the duty comes to them: each batch with what it must read of those before."""
    group, before = None, list[Copy]()
    for batch in batches:
        earlier: dict[str, Copy] = {}
        for one in sorted(before, key=lambda one: (one["at"], one["_id"])):
            earlier.setdefault(one["author_key"], one)
        around = timedelta(minutes=rule.minutes)
        near = [one for one in before if any(abs(one["at"] - new["at"]) < around for new in batch)]
        group = added(group, batch, earlier, near, rule)
        before += batch
    assert group is not None
    return group


@given(st.data(), copies(), st.builds(FloodRule, st.integers(1, 20), st.integers(2, 6), st.integers(30, 100)))
@settings(max_examples=300, deadline=None)
def test_neither_the_order_of_arrival_nor_the_batches_change_a_figure(
    data: st.DataObject, rows: list[Copy], rule: FloodRule
) -> None:
    order = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(rows) - 1)), max_size=5)))
    batches = [order[low:high] for low, high in zip([0, *cuts], [*cuts, len(order)], strict=True) if low < high]
    assert in_batches(batches, rule) == summed(rows, rule)


@given(copies(), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_the_busiest_stretch_is_the_best_of_all_that_one_can_count_by_hand(rows: list[Copy], minutes: int) -> None:
    best = []
    for start in {row["at"] for row in rows}:
        inside = [row for row in rows if start <= row["at"] < start + timedelta(minutes=minutes)]
        new = {row["author_key"] for row in inside if is_new(row)}
        best.append((len(new), len({row["author_key"] for row in inside}), -start.timestamp()))
    found = busiest(rows, minutes)
    assert (found["new"], found["accounts"], -found["at"].timestamp()) == max(best)


@given(copies())
@settings(max_examples=100, deadline=None)
def test_the_figures_are_those_of_the_copies(rows: list[Copy]) -> None:
    group = summed(rows, RULE)
    assert group["count"] == len(rows) == sum(count for _, count in group["channels"])
    assert group["accounts"] == len({row["author_key"] for row in rows}) >= group["new_accounts"]
    assert sum(count for _, count in group["districts"]) == len(rows)
    assert sum(count for _, count, _ in group["bars"]["counts"]) == len(rows)
    assert group["first_at"] == group["first"]["at"] == min(row["at"] for row in rows)


def test_the_first_source_is_the_earliest_by_its_own_time_though_it_arrives_last() -> None:
    late = copy(9, -90, author="老王")
    group = in_batches([[copy(1, 0), copy(2, 1)], [late]], RULE)
    assert (group["first"]["reply"], group["first_at"]) == ("r0009", late["at"])


def test_two_hundred_new_accounts_with_one_text_in_ten_minutes_are_suspected() -> None:
    group = summed([copy(number, number / 25) for number in range(200)], RULE)
    assert group["flood"]
    assert group["peak"] == {"at": NINE, "accounts": 200, "new": 200}
    assert "flood" in group["terms"]


def test_two_hundred_accounts_that_we_know_passing_something_on_are_not() -> None:
    rows = [copy(number, number / 25, known_days=30 if number % 5 else 0) for number in range(200)]
    group = summed(rows, RULE)
    assert (group["peak"]["accounts"], group["peak"]["new"], group["flood"]) == (200, 40, False)


def test_new_accounts_over_a_whole_day_are_not() -> None:
    assert not summed([copy(number, number * 7) for number in range(200)], RULE)["flood"]


def test_one_account_that_says_it_fifty_times_is_one_account() -> None:
    group = summed([copy(number, number / 10, author="一个人") for number in range(50)], RULE)
    assert (group["accounts"], group["peak"]["accounts"], group["flood"]) == (1, 1, False)


def test_a_rule_of_other_minutes_looks_at_all_copies_again() -> None:
    rows = [copy(number, number) for number in range(12)]
    before = summed(rows[:11], FloodRule(5, 10, 70))
    assert (before["peak"]["accounts"], before["flood"]) == (5, False)
    after = added(before, rows[11:], {}, rows[:11], RULE)
    assert (after["peak"]["accounts"], after["flood"], after["rule"]) == (10, True, RULE.written())


def test_an_account_is_new_for_a_day() -> None:
    assert is_new(copy(1, 0, known_days=0.99))
    assert not is_new(copy(1, 0, known_days=NEW / timedelta(days=1)))


def test_however_long_a_text_is_said_its_counts_stay_few_and_complete() -> None:
    rows = [copy(number, number * 97) for number in range(2_000)]
    whole, group = summed(rows, RULE), in_batches([rows[1_000:], rows[:700], rows[700:1_000]], RULE)
    assert len(group["bars"]["counts"]) <= MOST_BARS
    assert group["bars"] == whole["bars"]
    assert sum(count for _, count, _ in group["bars"]["counts"]) == 2_000


def test_of_very_many_districts_those_that_are_kept_are_counted_whole() -> None:
    rows = [copy(number, number, district=f"{number % 300:03d}号区") for number in range(900)]
    group = in_batches([rows[600:], rows[:600]], RULE)
    assert group["districts"] == [[f"{number:03d}号区", 3] for number in range(NAMES)]


def test_a_drawing_has_neither_gaps_nor_more_bars_than_one_can_tell_apart() -> None:
    short = drawn(summed([copy(1, 0), copy(2, 3, known_days=9)], RULE)["bars"])
    assert (short.step, len(short.at), sum(short.new), sum(short.others)) == (1, FEWEST, 1, 1)
    long = drawn(summed([copy(1, 0), copy(2, 60 * 24 * 9)], RULE)["bars"])
    assert len(long.at) <= DRAWN + 1
    assert {later - sooner for sooner, later in zip(long.at, long.at[1:], strict=False)} == {
        timedelta(minutes=long.step)
    }
