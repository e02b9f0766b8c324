"""Failures 11a (alerts that repeat) and 11b (alerts that cry wolf) of the field, against the clusters alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest

from nlp.contract import IssueChange, Voice
from nlp.detectors.deciding import Deciding
from nlp.detectors.settings import LEVELS, ClusterSettings
from nlp.training import own_corpus
from nlp.words import Words, office_dictionary

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WATER = [
    "滨河花园从昨晚开始停水，到现在没有人通知",
    "请问滨河花园什么时候来水？家里老人等着做饭",
    "滨河花园停水第二天了，物业电话打不通",
    "我家住滨河花园，水龙头一滴水都没有，停水",
    "滨河花园停水到底怎么了，上班族连脸都洗不了",
    "又是滨河花园停水，去年夏天也停过，供水公司给个说法",
]
DAILY = tuple(row.text for row in own_corpus() if row.kind != "comment")


@cache
def words() -> Words:
    return Words(office_dictionary(None))


def make() -> Deciding:
    return Deciding(None, words())


def voice(number: int, text: str, hours: float, **more: object) -> Voice:
    at = START + timedelta(hours=hours)
    return dataclasses.replace(Voice(f"r{number}", f"a{number}", text, at, "weibo", "临江区"), **more)  # type: ignore[arg-type]


def alerts(changes: Sequence[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


def daily(start: int, count: int, from_hour: float, step: float) -> list[Voice]:
    return [voice(start + n, DAILY[(start + n) % len(DAILY)], from_hour + n * step) for n in range(count)]


@pytest.mark.parametrize("step", [1.0, 0.1, 0.02])
def test_11b_a_burst_of_ordinary_letters_tells_nobody(step: float) -> None:
    """Two quiet weeks, then ten, a hundred, five hundred times as many letters an hour, about everything."""
    quiet, burst = daily(0, 34, 0.0, 10.0), daily(34, 110, 340.0, step)
    assert [change.title for change in alerts(make().take([*quiet, *burst]))] == []


PARKING = (
    "小区停车位不够，晚上回来没地方停车",
    "我们小区停车太乱，消防通道都停满了",
    "请问小区停车收费有没有标准，涨了一倍",
    "小区停车场的灯坏了，停车时刮了两次",
)


def told_of_parking(letters: int) -> list[IssueChange]:
    """Four people of one everyday matter within an hour in which so many others write about everything."""
    detector = make()
    detector.take(daily(2_000, 20, 0.0, 4.5))
    parking = [voice(9_000 + number, text, 100.1 + number / 4) for number, text in enumerate(PARKING)]
    others = daily(0, letters, 100.0, 1 / max(1, letters))
    return alerts(detector.take(sorted([*others, *parking], key=lambda one: (one.at, one.id))))


def test_11b_four_people_of_one_everyday_matter_tell_in_a_quiet_hour_and_not_when_everybody_writes() -> None:
    assert len(told_of_parking(0)) == 1
    assert told_of_parking(150) == []


def test_11b_a_flood_of_copies_among_ordinary_letters_tells_nobody() -> None:
    flood = [voice(5_000 + n, WATER[0] + "！" * (n % 3), 100.0 + n / 200) for n in range(400)]
    voices = sorted([*daily(0, 60, 0.0, 4.0), *flood], key=lambda one: (one.at, one.id))
    assert alerts(make().take(voices)) == []


def months(days: int) -> list[Voice]:
    """A told matter that goes on: a voice every eight hours, each in its own words."""
    return [voice(9_000 + n, f"{WATER[n % 6]}。第 {n * 7919} 号住户，{DAILY[n % len(DAILY)][:14]}", n * 8.0)
            for n in range(days * 3)]  # fmt: skip


@cache
def long_matter() -> tuple[IssueChange, ...]:
    return tuple(alerts(make().take(months(75))))


def test_11a_a_matter_that_goes_on_for_weeks_tells_once_in_a_pause_or_when_it_rises() -> None:
    told = long_matter()
    assert told and len({change.issue for change in told}) == 1
    for before, after in pairwise(told):
        rises = LEVELS.index(str(after.level)) > LEVELS.index(str(before.level))
        assert rises or after.at - before.at >= 30 * DAY
    assert len(told) <= 75 // 30 + 1 + len(LEVELS)
    restless = Deciding(ClusterSettings(cool_down_days=0.5), words())
    assert len(alerts(restless.take(months(75)))) > 20  # the pause does it, not the matter


@pytest.mark.parametrize("cut", [3, 12, 100, 180])
def test_11a_a_restart_from_the_saved_state_tells_nothing_again(cut: int) -> None:
    voices, before, after = months(75), make(), make()
    first = alerts(before.take(voices[:cut]))
    after.load(before.save())
    again = alerts(after.take(voices[max(0, cut - 20) :]))  # the last ones come once more, as after a crash
    assert (*first, *again) == long_matter()


def test_11a_the_same_voices_told_again_tell_nothing_again() -> None:
    detector, voices = make(), months(20)
    assert len(alerts(detector.take(voices))) >= 1
    assert detector.take(voices) == []
