"""What people decide about issues, and how the cluster detector obeys: merging, parting, false alarms; 11a and 11b."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.contract import IssueChange, Voice
from nlp.detectors.clusters import Detector
from nlp.detectors.decided import Decision
from nlp.detectors.deciding import Deciding
from nlp.detectors.settings import ClusterSettings
from nlp.training import own_corpus
from nlp.words import Words, office_dictionary
from tests.nlp.inside import inside

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
WATER = [
    "滨河花园从昨晚开始停水，到现在没有人通知",
    "请问滨河花园什么时候来水？家里老人等着做饭",
    "滨河花园停水第二天了，物业电话打不通",
    "我家住滨河花园七栋，水龙头一滴水都没有",
    "滨河花园的水到底怎么了，上班族连脸都洗不了",
    "又是滨河花园停水，去年夏天也停过，供水公司给个说法",
    "滨河花园停水，孩子泡奶粉都得去超市买矿泉水",
    "投诉滨河花园二次供水泵房，坏了没人修",
]
LIFT = [
    "松苑小区三栋电梯又坏了，老人下不了楼",
    "松苑小区的电梯困人，维保单位是谁",
    "松苑小区电梯停运一周，物业不管",
    "松苑小区电梯门夹人，谁来负责",
]
DAILY = tuple(row.text for row in own_corpus() if row.kind != "comment")


def voice(number: int, text: str, hours: float, **more: object) -> Voice:
    at = START + timedelta(hours=hours)
    return dataclasses.replace(Voice(f"r{number}", f"a{number}", text, at, "weibo", "临江区"), **more)  # type: ignore[arg-type]


@cache
def words() -> Words:
    return Words(office_dictionary(None))


def make(settings: ClusterSettings | None = None) -> Deciding:
    return Deciding(settings, words())


@cache
def alone() -> tuple[IssueChange, ...]:
    """The town as the detector hears it where nobody decides anything."""
    return tuple(heard(make(), town()))


def alerts(changes: Sequence[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


@cache
def town() -> tuple[Voice, ...]:
    """Sixty unrelated texts, and two matters among them."""
    noise = [voice(number, DAILY[number], number * 4.0) for number in range(60)]
    water = [voice(900 + number, text, 24.0 * number + 3.5) for number, text in enumerate(WATER)]
    lift = [voice(800 + number, text, 30.0 * number + 9.0) for number, text in enumerate(LIFT)]
    return tuple(sorted([*noise, *water, *lift], key=lambda one: (one.at, one.id)))


def issue_of(changes: Sequence[IssueChange], id: str) -> IssueChange:
    """The newest word on the issue that holds this voice."""
    return [change for change in changes if id in change.reply_ids and not change.alert][-1]


def heard(detector: Detector, voices: Sequence[Voice]) -> list[IssueChange]:
    return [change for one in voices for change in detector.take([one])]


@cache
def lived() -> tuple[bytes, IssueChange, IssueChange]:
    detector = make()
    changes = heard(detector, town())
    return detector.save(), issue_of(changes, "r907"), issue_of(changes, "r801")


def water_and_lift() -> tuple[Deciding, IssueChange, IssueChange]:
    """A detector that has told of the water, and has an issue of the lift beside it."""
    detector = make()
    detector.load(lived()[0])
    return detector, *lived()[1:]


def merge(number: int, one: IssueChange, other: IssueChange) -> Decision:
    return Decision(number, "merge", one.issue, other.issue)


# ---- merging


def test_a_merge_brings_the_voices_of_both_together_and_says_where_they_went() -> None:
    detector, water, lift = water_and_lift()
    changes = detector.decide(merge(1, lift, water))
    assert (changes[0].issue, changes[0].voices, changes[0].into) == (lift.issue, 0, water.issue)
    assert {*water.reply_ids, *lift.reply_ids} == set(changes[-1].reply_ids)
    assert (changes[-1].issue, detector.decided) == (water.issue, 1)


def test_later_voices_and_copies_of_either_go_to_the_target() -> None:
    detector, water, lift = water_and_lift()
    detector.decide(merge(1, lift, water))
    after = heard(detector, [voice(700, "松苑小区电梯还没修好，等了两周", 250.0), voice(701, LIFT[1], 251.0)])
    assert {change.issue for change in after} == {water.issue}
    assert {"r700", "r701"} <= set(after[-1].reply_ids)


def test_11a_what_was_told_of_the_merged_issue_is_not_told_again_of_its_target() -> None:
    detector, water, lift = water_and_lift()
    assert water.level == "yellow"
    changes = detector.decide(merge(1, water, lift))
    later = heard(detector, [voice(710 + n, f"{text}，第 {n} 次说", 200.0 + n) for n, text in enumerate(WATER)])
    assert alerts([*changes, *later]) == []
    assert changes[-1].issue == lift.issue and changes[-1].level == "yellow"


def test_11a_two_told_issues_that_are_merged_tell_once_more_only_when_the_level_rises() -> None:
    detector, water, lift = water_and_lift()
    detector.decide(merge(1, lift, water))
    many = [voice(2000 + n, f"滨河花园停水，我是第 {n * 7919} 户，{DAILY[n][:12]}", 240.0 + n / 10, negative=0.95)
            for n in range(25)]  # fmt: skip
    found = alerts(heard(detector, many))
    assert [change.level for change in found] in ([], ["orange"])


@pytest.mark.parametrize("name", ["issue-none", ""])
def test_a_decision_about_what_is_not_there_changes_nothing_and_is_not_tried_again(name: str) -> None:
    detector, water, _ = water_and_lift()
    assert detector.decide(Decision(1, "merge", name, water.issue)) == []
    assert detector.decide(Decision(2, "merge", water.issue, water.issue)) == []
    assert detector.decide(Decision(3, "split", water.issue, "issue-new", voices=())) == []
    assert detector.decided == 3


def test_a_decision_is_carried_out_once() -> None:
    detector, water, lift = water_and_lift()
    assert detector.decide(merge(1, lift, water))
    assert detector.decide(merge(1, lift, water)) == []


# ---- parting


def by_id(ids: Sequence[str]) -> tuple[Voice, ...]:
    return tuple(one for one in town() if one.id in ids)


def undone() -> tuple[Deciding, IssueChange, IssueChange]:
    """A merge of the two and its undoing."""
    detector, water, lift = water_and_lift()
    detector.decide(merge(1, lift, water))
    detector.decide(Decision(2, "split", water.issue, lift.issue, voices=by_id(lift.reply_ids)))
    return detector, water, lift


def test_a_split_moves_the_voices_named_and_no_others() -> None:
    detector, water, lift = water_and_lift()
    detector.decide(merge(1, lift, water))
    changes = detector.decide(Decision(2, "split", water.issue, "issue-new", voices=by_id(lift.reply_ids)))
    last = {change.issue: change for change in changes}
    assert set(last["issue-new"].reply_ids) == set(lift.reply_ids)
    assert set(last[water.issue].reply_ids) == set(water.reply_ids)
    assert alerts(changes) == []


def test_after_an_undone_merge_each_issue_hears_its_own_again() -> None:
    detector, water, lift = undone()
    after = heard(detector, [voice(700, "松苑小区电梯还没修好，等了两周", 250.0), voice(701, LIFT[1], 251.0),
                             voice(702, "滨河花园停水还没有说法", 252.0)])  # fmt: skip
    where = {id: change.issue for change in after for id in change.reply_ids[-1:]}
    assert (where["r700"], where["r701"], where["r702"]) == (lift.issue, lift.issue, water.issue)


def test_what_people_parted_is_not_joined_by_itself_again() -> None:
    """The same stream with and without the person: alone, the second cluster of the matter goes over."""
    detector, water, _ = water_and_lift()
    half = by_id(water.reply_ids[::2])
    detector.decide(Decision(1, "split", water.issue, "issue-half", voices=half))
    later = [voice(3000 + n, f"{text}，请给说法，第 {n} 天", 240.0 + n * 3.0, negative=0.9) for n, text in
             enumerate([*WATER, *WATER])]  # fmt: skip
    changes = heard(detector, later)
    assert not [change for change in changes if change.into]
    assert {change.issue for change in changes} >= {water.issue, "issue-half"}


def test_11a_a_split_of_a_told_issue_keeps_the_pause_on_both_sides() -> None:
    detector, water, _ = water_and_lift()
    changes = detector.decide(Decision(1, "split", water.issue, "issue-half", voices=by_id(water.reply_ids[::2])))
    later = heard(detector, [voice(3000 + n, f"{text}，还是没水", 200.0 + n) for n, text in enumerate(WATER)])
    assert alerts([*changes, *later]) == []


@given(st.sets(st.integers(0, 7)))
@settings(max_examples=30, deadline=None)
def test_a_split_loses_no_voice_and_no_weight_below_nothing(chosen: set[int]) -> None:
    detector, water, _ = water_and_lift()
    ids = [f"r90{number}" for number in chosen]
    changes = detector.decide(Decision(1, "split", water.issue, "issue-new", voices=by_id(ids)))
    if not changes:
        assert not set(ids) & set(water.reply_ids) or set(water.reply_ids) <= set(ids)
        return
    kept = {id for change in changes for id in change.reply_ids}
    assert kept == set(water.reply_ids)
    for cluster in detector._index._clusters.values():
        assert cluster.members == sum(not event.copy for event in cluster.events) + round(cluster.past)
        assert all(weight > -1e-9 for weight in cluster.vector.values())
        assert all(count > 1 for count in cluster.holders.values())
        assert set(cluster.holders) <= set(cluster.vector)


# ---- restarts and batches


PLACES = {40: "merge", 55: "split", 62: "doubt"}


def play(cuts: Sequence[int], restart: int | None) -> list[IssueChange]:
    """The town with decisions at fixed places, in batches, once restarted from its saved state."""
    detector, found, at, number = make(), [], 0, 0
    ends = sorted({*PLACES, len(town()), *([restart] if restart is not None else [])})
    for end in ends:
        while at < end:
            step = min(cuts[number % len(cuts)], end - at)
            found += alerts(detector.take(town()[at : at + step]))
            at, number = at + step, number + 1
        if end == restart:
            detector, before = make(), detector
            detector.load(before.save())
            assert detector.save() == before.save() and inside(detector) == inside(before)
        if end in PLACES:
            found += alerts(detector.decide(decision_at(end, detector)))
    return found


def decision_at(place: int, detector: Deciding) -> Decision:
    names = sorted((cluster.name for cluster in detector._index._clusters.values()), key=str)
    water = next(c for c in detector._index._clusters.values() if any(e.id.startswith("r90") for e in c.events))
    other = next(name for name in names if name != water.name)
    kind = PLACES[place]
    if kind == "merge":
        return Decision(1, kind, other, water.name)
    if kind == "split":
        return Decision(2, kind, water.name, "issue-new", voices=by_id([e.id for e in water.events][::2]))
    return Decision(3, kind, pair=("松苑小区", "电梯"), until=START + timedelta(days=300))


@given(cuts=st.lists(st.integers(1, 30), min_size=1, max_size=6), restart=st.integers(0, 71))
@settings(max_examples=12, deadline=None)
def test_11a_the_same_decisions_at_the_same_places_give_the_same_alerts(cuts: list[int], restart: int) -> None:
    assert play(cuts, restart) == play([1000], None)


def test_a_state_saved_before_anybody_decided_is_read() -> None:
    detector, again = Detector(None, words()), make()
    detector.take(town()[:30])
    again.load(detector.save())
    assert again.decided == 0
    assert alerts(again.take(town()[30:])) == alerts(detector.take(town()[30:]))


# ---- what an alert's end teaches


def told_pair() -> tuple[str, ...]:
    return next(change.terms[:2] for change in alerts(alone()) if "r902" in change.reply_ids)


def with_doubt(
    pair: Sequence[str], days: float, *more: Decision, settings: ClusterSettings | None = None
) -> list[IssueChange]:
    detector = make(settings)
    detector.decide(Decision(1, "doubt", pair=tuple(pair), until=START + timedelta(days=days)))
    for decision in more:
        detector.decide(decision)
    return heard(detector, town())


def about(changes: Sequence[IssueChange]) -> list[IssueChange]:
    return [change for change in alerts(changes) if any("滨河花园" in term for term in change.terms)]


def test_11b_a_matter_that_was_a_false_alarm_must_be_ten_times_surer() -> None:
    strict = ClusterSettings(chance=about(alone())[0].chance * 5)
    plain, changes = about(heard(make(strict), town())), with_doubt(told_pair(), 300, settings=strict)
    doubted = about(changes)
    assert len(plain) == 1 and plain[0].voices == 4
    assert all(change.voices > 4 and change.chance * 10 < strict.chance for change in doubted)
    assert {change.doubt for change in changes} == {0, 1}
    assert next(change.level for change in changes if change.doubt) == "watch"


def test_a_false_alarm_holds_for_its_days_and_for_its_own_matter_only() -> None:
    assert alerts(with_doubt(told_pair(), -1)) == alerts(alone())
    assert alerts(with_doubt(("别处", "别事"), 300)) == alerts(alone())


def test_what_proved_real_afterwards_is_in_doubt_no_more() -> None:
    assert alerts(with_doubt(told_pair(), 300, Decision(2, "trust", pair=told_pair()[::-1]))) == alerts(alone())


def test_without_any_feedback_nothing_changes() -> None:
    assert list(alone()) == heard(Detector(None, words()), town())
