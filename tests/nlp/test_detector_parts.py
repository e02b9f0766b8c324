"""The detector's parts: a cluster's window, the rhythm of a stream, late voices, and marks made many at once."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.contract import IssueChange, Voice
from nlp.copies import simhash, simhashes
from nlp.detectors.cluster import Cluster
from nlp.detectors.clusters import Detector
from nlp.detectors.index import Index
from nlp.detectors.judging import Judge
from nlp.detectors.matters import LOOKED_AT, matters, matters_in, matters_in_many
from nlp.detectors.rhythm import HOUR, Rhythm
from nlp.detectors.settings import DAY, ClusterSettings
from nlp.detectors.states import unpack
from nlp.detectors.volume import STEP, Volume
from nlp.detectors.window import Event, Window
from nlp.normal import letters, normalise
from nlp.training import own_corpus
from nlp.words import Words, office_dictionary

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
WATER = [
    "滨河花园从昨晚开始停水，到现在没有人通知",
    "请问滨河花园什么时候来水？家里老人等着做饭",
    "滨河花园停水第二天了，物业电话打不通",
    "我家住滨河花园七栋，水龙头一滴水都没有",
    "滨河花园的水到底怎么了，上班族连脸都洗不了",
    "又是滨河花园停水，去年夏天也停过，供水公司给个说法",
]
ORDINARY = [row.text for row in own_corpus() if row.kind != "comment"]
TEXTS = st.lists(st.text(alphabet="停水电路今天甲乙丙，。 abc\ud800😀", max_size=60), max_size=12)


def voice(number: int, text: str, hours: float) -> Voice:
    return Voice(f"r{number}", f"a{number}", text, START + timedelta(hours=hours), "weibo", "临江区", "", 0.7)


def alerts(changes: list[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


def event(number: int, at: int, author: str, copy: bool, negative: float) -> Event:
    return Event(at, f"r{number}", author, copy, "weibo" if number % 2 else "site", "", negative, ())


events_of = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from("abcd"), st.booleans(), st.sampled_from([0.1, 0.5, 0.9])),
    max_size=30,
)


@given(rows=events_of, dropped=st.integers(0, 30))
@settings(max_examples=120, deadline=None)
def test_a_window_knows_at_any_moment_what_counting_it_anew_would_give(
    rows: list[tuple[int, str, bool, float]], dropped: int
) -> None:
    window = Window(event(number, *row) for number, row in enumerate(rows))
    kept = sorted((event(number, *row) for number, row in enumerate(rows)), key=lambda each: each.at)
    for _ in range(min(dropped, len(rows))):
        assert window.drop() == kept.pop(0)
    newest: dict[str, Event] = {}
    for each in kept:
        if not each.copy:
            newest[each.author] = each
    assert list(window) == kept and window.ids(3) == tuple(each.id for each in kept[-3:])
    assert sorted(window.voices(), key=lambda each: each.author) == [newest[name] for name in sorted(newest)]
    assert [each.at for each in window.voices()] == sorted(each.at for each in newest.values())
    assert window.people_since([40, 20, 0]) == [sum(one.at >= at for one in newest.values()) for at in (40, 20, 0)]
    assert (window.people, window.copies) == (len(newest), sum(each.copy for each in kept))
    assert window.unhappy == sum(each.negative >= 0.5 for each in newest.values())
    assert window.thousandths == sum(round(each.negative * 1000) for each in newest.values())
    assert sum(window.spoken.values()) == len(newest)


@given(steps=st.lists(st.integers(0, 60), min_size=1, max_size=60), chance=st.randoms())
@settings(max_examples=100, deadline=None)
def test_volume_counts_every_stretch_alike_whatever_the_order_in_which_texts_come(
    steps: list[int], chance: random.Random
) -> None:
    mixed = chance.sample(steps, len(steps))
    sorted_, shuffled = Volume(), Volume()
    for volume, order in ((sorted_, sorted(steps)), (shuffled, mixed)):
        for step in order:
            volume.channel("site").hear(step * STEP, 0.5, 1000)
    for since in range(-1, 62, 7):
        for until in range(since, 62, 9):
            assert shuffled.heard(since * STEP, until * STEP, 0.1)[0] == sum(since < step <= until for step in steps)
    moments = [step * STEP for step in (40, 17, -1)]
    assert shuffled.heard_since(moments, 50 * STEP, 0.1) == [shuffled.heard(at, 50 * STEP, 0.1) for at in moments]
    assert sorted_.texts(-STEP) == shuffled.texts(-STEP) == len(steps)


@given(begin=st.integers(0, 400), first=st.floats(0, 60), second=st.floats(0, 60), chance=st.randoms())
@settings(max_examples=60, deadline=None)
def test_stretches_of_the_rhythm_add_up_and_a_week_is_a_week(
    begin: int, first: float, second: float, chance: random.Random
) -> None:
    rhythm = Rhythm()
    for _ in range(500):
        rhythm.hear(chance.choice((9, 19, 20, 20, 21)) * HOUR + chance.randrange(40) * DAY)
    one, two = begin * HOUR + int(first * HOUR), begin * HOUR + int(first * HOUR) + int(second * HOUR)
    parts = rhythm.hours(begin * HOUR, one) + rhythm.hours(one, two)
    assert parts == pytest.approx(rhythm.hours(begin * HOUR, two))
    assert rhythm.hours(begin * HOUR, begin * HOUR + 7 * DAY) == pytest.approx(168.0)
    moments = [two - HOUR, one, begin * HOUR]
    assert rhythm.hours_since(moments, two) == [rhythm.hours(at, two) for at in moments]
    again = Rhythm.from_state(json.loads(json.dumps(rhythm.state())))
    assert again.hours(0, two) == rhythm.hours(0, two)


def test_the_same_four_people_are_less_of_a_surprise_in_the_busy_evening_than_at_night_or_on_a_quiet_sunday() -> None:
    volume = Volume()
    monday = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1000
    for day in range(60):
        for number in range(2 if day % 7 == 6 else 20):
            volume.rhythm.hear(monday + day * DAY + 12 * HOUR + number * HOUR // 10)  # eight in the evening there
    judge = Judge(ClusterSettings(), volume, lambda term, ours: 8.0)
    chances = [judge.judge(talk(monday + hours * HOUR), 1).chance for hours in (70 * 24 + 14, 70 * 24 + 20)]
    assert chances[0] > 5 * chances[1]
    sunday, tuesday = (judge.judge(talk(monday + day * DAY + 14 * HOUR), 1).chance for day in (76, 71))
    assert tuesday > 5 * sunday


def talk(last: int) -> Cluster:
    """A cluster that for months brought ten voices a fortnight, and four now."""
    found = Cluster(1, "issue", last - 60 * DAY, last, past=50.0, past_windows=4.0, faded_at=last - 14 * DAY)
    for number in range(4):
        said = Event(last - number * 60_000, f"r{number}", f"a{number}", False, "site", "", 0.3, ("广场", "跳舞"))
        found.join({"广场": 0.7, "跳舞": 0.7}, 80)
        found.add(said, ClusterSettings())
    found.last_at = last
    return found


def test_voices_that_come_late_and_backwards_are_told_as_if_they_had_come_in_time() -> None:
    ordinary = [voice(number, text, number * 2.4) for number, text in enumerate(ORDINARY[:100])]
    water = [voice(900 + number, text, 100.0 + number * 5) for number, text in enumerate(WATER)]
    in_time = Detector().take(sorted([*ordinary, *water], key=lambda one: one.at))
    late = Detector().take([*ordinary, *reversed(water)])
    assert [len(alerts(changes)) for changes in (in_time, late)] == [1, 1]
    assert alerts(late)[0].voices <= 5 and alerts(late)[0].at == water[-1].at
    assert late[-1].first_at == in_time[-1].first_at == water[0].at
    assert late[-1].reply_ids == in_time[-1].reply_ids == tuple(one.id for one in water)


@given(chance=st.randoms())
@settings(max_examples=6, deadline=None)
def test_voices_out_of_order_by_an_hour_tell_the_same_matter_once(chance: random.Random) -> None:
    ordinary = [voice(number, text, number * 1.2) for number, text in enumerate(ORDINARY[:60])]
    water = [voice(900 + number, text, 30.0 + number * 2) for number, text in enumerate(WATER)]
    mixed = sorted([*ordinary, *water], key=lambda one: one.at + timedelta(minutes=chance.uniform(0, 60)))
    found = alerts(Detector().take(mixed))
    assert len(found) == 1 and found[0].voices <= 5
    assert all(id.startswith("r90") for id in found[0].reply_ids)


@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_the_nearest_cluster_is_the_one_that_comparing_with_every_single_one_finds(chance: random.Random) -> None:
    figures = ClusterSettings(terms_per_cluster=3, clusters=30, likeness=0.5)
    index = Index(figures)
    for number in range(1, 150):
        unit = unit_of(chance.sample("甲乙丙丁戊己庚辛壬癸子丑寅卯", chance.randint(1, 5)), chance)
        at = (number + chance.randint(-5, 5)) * DAY
        best = index.nearest(unit, at)
        assert best is compared_with_all(index, unit, at, figures)
        cluster = best or Cluster(number, f"issue-{number}", at, at, faded_at=at)
        if best is None:
            index.add(cluster)
        index.join(cluster, unit)
        index.hear(cluster, event(number, at, f"a{number}", False, 0.5))
        others = [each for each in index._clusters.values() if each is not cluster]
        if others and chance.random() < 0.05:
            index.merge(chance.choice(others), cluster)
        index.forget(at)


def unit_of(terms: list[str], chance: random.Random) -> dict[str, float]:
    """So many terms as a vector of length one, the strongest first."""
    weights = sorted((chance.uniform(0.1, 1.0) for _ in terms), reverse=True)
    length = math.hypot(*weights)
    return {term: weight / length for term, weight in zip(terms, weights, strict=True)}


def compared_with_all(index: Index, unit: dict[str, float], at: int, figures: ClusterSettings) -> Cluster | None:
    """The cluster most like the text, the older on a tie."""
    alive = [one for one in index._clusters.values() if one.last_at >= at - figures.window]
    cosines = {one.number: sum(unit[term] * one.vector.get(term, 0.0) for term in unit) / one.norm for one in alive}
    found = [one for one in alive if cosines[one.number] >= figures.likeness]
    return max(found, key=lambda one: (cosines[one.number], -one.number), default=None)


@given(texts=TEXTS)
@settings(max_examples=100, deadline=None)
def test_marks_made_together_are_those_made_one_by_one(texts: list[str]) -> None:
    assert simhashes(texts) == [simhash(text) for text in texts]


def test_marks_of_many_letters_made_together_are_those_made_one_by_one() -> None:
    texts = [letters(normalise(row.text)) for row in own_corpus()]
    assert simhashes(texts) == [simhash(text) for text in texts]


def test_no_matter_is_missed_by_looking_only_where_its_first_characters_stand() -> None:
    wordings = [row.text for row in own_corpus()] + [matter.pattern.pattern for matter in matters().values()]
    for text in map(normalise, wordings):
        searched = [matter.name for matter in matters().values() if matter.pattern.search(text[:LOOKED_AT])]
        assert matters_in(text) == searched


@given(texts=st.lists(st.text(alphabet="停水来自黄大机没电呛这味路线37三十，a\n\ud800😀", max_size=20), max_size=12))
@settings(max_examples=200, deadline=None)
def test_matters_of_many_texts_are_those_that_their_patterns_find_in_each(texts: list[str]) -> None:
    searched = [tuple(one.name for one in matters().values() if one.pattern.search(text)) for text in texts]
    assert matters_in_many(texts) == searched


def test_ordinary_voices_are_not_spoken_of_and_a_matter_is_with_all_that_was_said_of_it() -> None:
    detector = Detector(ClusterSettings(ids=2))
    assert detector.take([voice(number, text, number * 3.0) for number, text in enumerate(ORDINARY[:40])]) == []
    water = [voice(900 + number, text, 121.0 + number) for number, text in enumerate(WATER)]
    assert detector.take(water[:2]) == []
    seen = detector.take(water[2:5])[-1]
    assert (seen.level, seen.voices, len(seen.reply_ids)) == ("yellow", 5, 2)
    assert set(detector.take(water[2:5])) == set()
    alone = Detector(ClusterSettings(ids=2))
    first = alone.take(water[:5])
    assert {id for change in first for id in change.reply_ids} == {one.id for one in water[:5]}


def test_people_who_call_a_school_by_two_names_speak_of_one_matter() -> None:
    own = office_dictionary("云川市第一中学 0 ns:临江区\n一中 0 ns=云川市第一中学")
    said = [
        "一中食堂的菜里吃出虫子",
        "云川市第一中学食堂昨天有学生拉肚子",
        "孩子在一中，食堂的饭发霉了",
        "云川市第一中学的食堂能不能查一查",
        "一中食堂涨价还不新鲜",
    ]
    detector = Detector(words=Words(own))
    changes = detector.take([voice(900 + number, text, number * 5.0) for number, text in enumerate(said)])
    assert [change.voices for change in alerts(changes)] == [4] and changes[-1].voices == 5
    assert "云川市第一中学" in changes[-1].terms


def test_all_clusters_together_hold_so_many_voices_and_no_more_whatever_comes() -> None:
    detector = Detector(ClusterSettings(events_in_all=30))
    for start in range(0, 120, 20):
        detector.take([voice(number, ORDINARY[number], number * 0.5) for number in range(start, start + 20)])
        held = sum(len(row["events"]) for row in unpack(detector.save())["clusters"])
        assert 0 < held <= 30
    again = Detector(ClusterSettings(events_in_all=30))
    again.load(detector.save())
    again.take([voice(number, ORDINARY[number], number * 0.5) for number in range(120, 140)])
    assert sum(len(row["events"]) for row in unpack(again.save())["clusters"]) <= 30
