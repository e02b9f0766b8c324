"""Rises: a topic of which a district speaks more than usual is shown, hardly ever told, never instead of a cluster."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from nlp.contract import IssueChange, Voice
from nlp.detectors.cells import Cells
from nlp.detectors.decided import Decided, Decision
from nlp.detectors.deciding import Deciding
from nlp.detectors.index import Index
from nlp.detectors.rhythm import HOUR, Rhythm
from nlp.detectors.rise import Mention
from nlp.detectors.rises import Carrier, Carry, Rises
from nlp.detectors.settings import ClusterSettings
from nlp.detectors.surprise import Surprises
from nlp.detectors.told import Told
from nlp.training import own_corpus

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
USUAL = ClusterSettings()
DISTRICTS, TOPICS = ("城东区", "城西区"), ("供水", "物业", "停车", "道路", "公交")


def said(name: str, day: float, district: str = "城东区", topic: str = "供水", **more: object) -> Voice:
    at = START + timedelta(days=day)
    return dataclasses.replace(Voice(name, f"a-{name}", name, at, "site", district, topic, 0.5), **more)  # type: ignore[arg-type]


def quiet(days: int = 50, every: float = 3.0, districts: Sequence[str] = DISTRICTS) -> list[Voice]:
    """A town in which each topic of each district has one voice in so many days, some of them unhappy."""
    places = [(district, topic) for district in districts for topic in TOPICS]
    return [
        said(f"q{number}-{place}", number * every + place * every / len(places), district, topic,
             negative=0.9 if number % 3 else 0.1)
        for place, (district, topic) in enumerate(places)
        for number in range(int(days / every))
    ]  # fmt: skip


def burst(count: int, day: float = 45.0, hours: float = 20.0, name: str = "b", **more: object) -> list[Voice]:
    more = {"negative": 0.9, **more}
    return [said(f"{name}{number}", day + number * hours / 24 / count, **more) for number in range(count)]  # type: ignore[arg-type]


def nobody(people: Sequence[tuple[str, int]]) -> Carrier | None:
    return None


def water() -> str:
    return "停水"


class Watch:
    """Rises alone, each voice a cluster of its own; `carry` says which of them are carried by an issue."""

    def __init__(self, figures: ClusterSettings = USUAL, carry: Carry = nobody) -> None:
        self.decided, self.rhythm, self.carry = Decided(), Rhythm(), carry
        told = Told(figures, Index(figures))
        self.rises = Rises(figures, Cells(figures), self.rhythm, told, self.decided)
        self.now = 0

    def take(self, voices: Iterable[Voice]) -> list[IssueChange]:
        found = []
        for number, voice in enumerate(voices):
            at = int(voice.at.timestamp() * 1000)
            self.now = max(self.now, at)
            self.rhythm.hear(at)
            self.rises.hear(voice, at, voice.topic, number, self.now)
            found += self.rises.heed(self.carry, self.now)
            found += self.rises.standing()
        return found


def shown(voices: Iterable[Voice], figures: ClusterSettings = USUAL) -> list[IssueChange]:
    return Watch(figures).take(sorted(voices, key=lambda voice: voice.at))


def test_a_topic_of_which_a_district_speaks_more_than_usual_is_shown_with_all_its_words() -> None:
    found = shown([*quiet(), *burst(6, channel="weibo")])
    assert {change.title for change in found} == {"城东区 · 供水 较平时多"}
    assert not any(change.alert for change in found)
    last = found[-1]
    assert (last.level, last.voices, last.negative, last.copies) == ("watch", len(last.reply_ids), 6, 0)
    assert {f"b{number}" for number in range(6)} <= set(last.reply_ids) and last.terms == ("城东区", "供水")
    assert last.cell == "城东区 · 供水" and last.districts == ("城东区",) and "weibo" in last.channels
    assert last.usual < 1.0 and "24 小时内城东区“供水”" in last.explanation and "6 人不满" in last.explanation


def test_every_person_of_the_window_that_it_is_told_by_stands_in_its_rows() -> None:
    early = burst(5, day=45.0, hours=10.0, name="e")
    found = shown([*quiet(), *early, *burst(9, day=45.7, hours=1.0)])
    ids = {id for change in found for id in change.reply_ids}
    for change in found:
        said = re.search("内城东区“供水”([0-9]+) 人", change.explanation)
        assert said and int(said[1]) <= change.voices <= len(ids)
    assert {voice.id for voice in early} <= ids


def test_what_it_is_told_by_may_have_begun_before_what_it_was_shown_by() -> None:
    before, later = burst(2, day=45.7, hours=1.0, name="p"), burst(6, day=46.4, hours=3.0, name="l")
    found = shown([*quiet(every=1.0), *before, *burst(6, day=46.05, hours=3.0), *later])
    first, told = found[0], next(change for change in found if change.alert)
    assert "6 小时内" in first.explanation and "24 小时内" in told.explanation
    assert "p0" not in first.reply_ids and "p0" in told.reply_ids and told.voices == len(told.reply_ids)


def test_unhappy_people_where_most_were_content_are_less_of_a_chance() -> None:
    calm = [dataclasses.replace(voice, negative=0.1) for voice in quiet()]
    chances = [shown([*calm, *burst(7, negative=negative)])[0].chance for negative in (0.9, 0.4)]
    assert chances[0] < chances[1]


def test_five_people_are_too_few_though_they_share_a_topic() -> None:
    assert shown([*quiet(), *burst(4)]) == []


def test_with_twice_the_people_and_most_of_them_unhappy_it_tells_once() -> None:
    found = shown([*quiet(), *burst(14)])
    told = [change for change in found if change.alert]
    assert [change.level for change in told] == ["yellow"] and 8 <= told[0].voices <= 10
    assert found[-1].level == "yellow" and found[-1].voices >= 14
    assert "黄色预警：8 人以上" in told[0].explanation


NOWHERE: list[dict[str, object]] = [
    {"negative": 0.3}, {"author": "a-one"}, {"confidential": True}, {"district": ""}, {"topic": ""}, {"negative": 0.0}
]  # fmt: skip


@pytest.mark.parametrize("more", NOWHERE)
def test_content_people_one_person_and_words_that_belong_nowhere_tell_nobody(more: dict[str, object]) -> None:
    found = shown([*quiet(), *burst(14, **more)])
    assert not any(change.alert for change in found)
    assert bool(found) == (more == {"negative": 0.3})


def test_a_district_that_has_more_of_everything_has_no_topic_that_rises() -> None:
    busy = [voice for topic in TOPICS for voice in burst(9, name=f"b{topic}", topic=topic)]
    calm = [voice for topic in TOPICS for voice in burst(9, name=f"b{topic}", topic=topic, district="城西区")]
    assert shown([*quiet(), *busy, *calm]) == []
    assert len({change.issue for change in shown([*quiet(), *burst(9)])}) == 1


def test_what_has_been_heard_for_less_than_a_fortnight_has_no_usual() -> None:
    assert shown([*quiet(), *burst(9, day=12.0)]) == []
    for new in ({"topic": "新主题"}, {"district": "新区"}, {"channel": "app"}):
        assert not any(change.cell.startswith("新") for change in shown([*quiet(), *burst(9, **new)]))
        seen = burst(3, day=2.0, hours=24 * 40, name="s", **new)
        assert shown([*quiet(), *seen, *burst(9, **new)]) != []


def test_a_busy_hour_of_every_day_is_usual_and_the_same_at_four_in_the_morning_is_not() -> None:
    evening = [
        said(f"e{day}-{number}", day + 10.9 / 24 + number / 1000)
        for day in range(50) for number in range(6)
    ]  # fmt: skip
    assert shown([*quiet(), *evening]) == []
    watch = Watch()
    watch.take(sorted([*quiet(), *evening], key=lambda voice: voice.at))
    at = [int((START + timedelta(days=44, hours=hour)).timestamp() * 1000) for hour in (12, 20)]
    group = watch.rises.cells.hear(("城东区", "供水"), Mention(watch.now, "last", "z", 0.5, "site", 0), watch.now)
    surprises = Surprises(USUAL, watch.rises.cells, watch.rhythm)
    busy, still = (surprises.usual(group, "", moment - HOUR, moment) or 0.0 for moment in at)
    assert busy > 2 * still > 0.0
    night = burst(16, day=45.8, hours=0.9, name="n")
    assert shown([*quiet(), *evening, *night]) != []


def test_a_growth_over_months_becomes_usual() -> None:
    voices = [
        said(f"g{day}-{number}", day + number / 40) for day in range(150) for number in range(1 + day // 12)
    ]
    assert shown([*quiet(150), *voices]) == []


def test_it_ends_when_the_topic_is_as_usual_again_and_rises_no_second_time_within_the_pause() -> None:
    first, second = burst(7, day=40.0, negative=0.4), burst(7, day=55.0, name="c", negative=0.4)
    found = shown([*quiet(80), *first, *second])
    assert len({change.issue for change in found}) == 1
    assert max(change.at for change in found) < START + timedelta(days=48)
    later = burst(7, day=80.0, name="c", negative=0.4)
    assert len({change.issue for change in shown([*quiet(90), *first, *later])}) == 2
    assert [change.alert for change in shown([*quiet(80), *first, *burst(16, day=55.0, name="c")])].count(True) == 1


def test_beyond_the_weeks_budget_it_is_shown_and_tells_nobody() -> None:
    found = shown([*quiet(), *burst(10)], dataclasses.replace(USUAL, alerts_a_week=-40))
    assert found and {change.level for change in found} == {"watch"}


def test_a_topic_that_was_a_false_alarm_must_be_surer() -> None:
    stream = sorted([*quiet(every=0.5), *burst(40)], key=lambda voice: voice.at)
    watch, doubting = Watch(), Watch()
    doubting.decided.doubt(1, ("城东区", "供水"), 2**50)
    plain, doubted = watch.take(stream), doubting.take(stream)
    first = [next(change for change in found if change.alert) for found in (plain, doubted)]
    assert first[0].voices < first[1].voices and first[0].doubt == 0 and first[1].doubt == 1


def test_where_an_issue_carries_half_of_the_people_the_topic_says_nothing_of_its_own() -> None:
    stream = sorted([*quiet(), *burst(14)], key=lambda voice: voice.at)
    for told in (True, False):
        assert Watch(carry=lambda people, told=told: Carrier("issue-1", water, told)).take(stream) == []


def test_what_is_told_later_takes_the_rise_over() -> None:
    stream = sorted([*quiet(), *burst(9, negative=0.3)], key=lambda voice: voice.at)
    found = Watch(carry=lambda people: Carrier("issue-1", water, True) if len(people) > 8 else None).take(stream)
    assert (found[-1].into, found[-1].level, found[-1].voices, found[-1].reply_ids) == ("issue-1", None, 0, ())
    assert "停水" in found[-1].explanation and found[0].level == "watch"


# with the clusters


@cache
def texts() -> list[str]:
    """Texts of many small things: clauses of the authors' own corpus, mixed."""
    parts = [part for row in own_corpus() for part in re.split("[，。！？；]", row.text) if 4 <= len(part) <= 24]
    chance = random.Random(1)  # noqa: S311
    return ["，".join(chance.sample(parts, 3)) for _ in range(500)]


def spoken(voices: Iterable[Voice]) -> list[Voice]:
    ordered = sorted(voices, key=lambda voice: voice.at)
    return [dataclasses.replace(voice, text=text) for voice, text in zip(ordered, texts(), strict=False)]


def test_one_matter_is_told_by_its_cluster_and_the_topic_keeps_silent() -> None:
    water = [
        "滨河花园停水三天了没人管", "滨河花园的水龙头一滴水都没有", "滨河花园停水，物业电话打不通",
        "请问滨河花园什么时候来水", "滨河花园七栋又停水", "滨河花园停水到现在没有通知", "滨河花园的供水几点恢复",
        "滨河花园还在停水，老人等着做饭", "滨河花园没水，上班族脸都洗不了",
    ]  # fmt: skip
    matter = [dataclasses.replace(voice, text=text) for voice, text in zip(burst(9), water, strict=True)]
    stream = sorted([*spoken(quiet()), *matter], key=lambda voice: voice.at)
    changes = Deciding().take(stream)
    assert [change.voices for change in changes if change.alert] == [4]
    assert [change for change in changes if change.cell and change.level] == []


def test_many_small_things_are_shown_by_their_topic_and_a_saved_state_goes_on_with_them() -> None:
    stream = spoken([*quiet(), *burst(10)])
    unbroken = Deciding()
    changes = [change for voice in stream for change in unbroken.take([voice])]
    rises = [change for change in changes if change.cell]
    assert rises and {change.title for change in rises} == {"城东区 · 供水 较平时多"}
    told = [change for change in changes if change.alert]
    for cut in range(stream.index(next(v for v in stream if v.id == rises[0].reply_ids[-1])) - 2, len(stream), 3):
        before, after = Deciding(), Deciding()
        first = [change for change in before.take(stream[:cut]) if change.alert]
        after.load(before.save())
        assert [*first, *(change for change in after.take(stream[cut:]) if change.alert)] == told
        same = after.save() == unbroken.save()
        assert same


def test_a_false_alarm_of_a_topic_is_remembered_by_the_detector_that_people_decide_for() -> None:
    stream = spoken([*quiet(), *burst(10)])
    detector = Deciding()
    detector.decide(Decision(1, "doubt", pair=("城东区", "供水"), until=START + timedelta(days=200)))
    found = [change for voice in stream for change in detector.take([voice]) if change.cell]
    assert found and {change.doubt for change in found} == {1}
