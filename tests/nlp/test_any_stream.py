"""The detector over any stream: neither how it is cut nor a restart in its middle changes anything it says or knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.contract import IssueChange, Voice
from nlp.detectors.clusters import Detector
from nlp.detectors.settings import ClusterSettings
from nlp.detectors.states import unpack
from nlp.words import Words, office_dictionary
from tests.nlp.inside import inside

WORDS = Words(office_dictionary(None))
START = datetime(2026, 3, 2, 1, tzinfo=UTC)
SMALL = ClusterSettings(clusters=6, texts_counted=30, terms_per_cluster=12, events=6, heads=3, cool_down_days=1.0)
QUICK = ClusterSettings(  # a day of it is a fortnight elsewhere, so that topics rise and end within a stream
    window_days=1.0, short_hours=(1.0, 6.0), cell_voices=2, least_voices=1, watch_chance=2.0, chance=0.9,
    cells=3, mentions=5, mentions_in_all=11, cool_down_days=2.0, half_life_days=2.0, likeness=0.9,
)  # fmt: skip
KINDS = st.sampled_from([SMALL, QUICK])
SAID = (
    "滨河花园停水三天了没人管", "滨河花园的水龙头一滴水都没有", "滨河花园停水，物业电话打不通", "清源路停电了",
    "清源路又没电，电梯停了", "松苑里暖气不热", "谢谢师傅", "柳河镇一股臭味", "柳河镇的怪味呛人", "K8路末班车取消了",
    "", "？？", "\ud83d", "水" * 300, "滨河花园停水三天了没人管！！", "//@a:转",
)  # fmt: skip
ONE = st.tuples(
    st.sampled_from(SAID), st.integers(0, 5), st.integers(-600, 60_000), st.sampled_from(["", "临江区", "北岭区"]),
    st.sampled_from(["weibo", "site", ""]), st.sampled_from([0.05, 0.5, 0.95]), st.sampled_from(["", "供水", "物业"]),
)  # fmt: skip
Row = tuple[str, int, int, str, str, float, str]
ANY = st.lists(ONE, min_size=1, max_size=40)
SLOW = st.tuples(
    st.sampled_from(SAID), st.integers(0, 5), st.integers(20_000, 60_000), st.just("临江区"), st.just("weibo"),
    st.just(0.5), st.sampled_from(["供水", "物业"]),
)  # fmt: skip
FAST = st.tuples(
    st.text(alphabet="水路灯车站桥公园东西", min_size=9, max_size=14), st.integers(0, 9), st.integers(-300, 600),
    st.just("临江区"), st.sampled_from(["weibo", "site"]), st.sampled_from([0.4, 0.9]), st.just("供水"),
)  # fmt: skip
BURSTS = st.tuples(
    st.lists(SLOW, min_size=6, max_size=12), st.lists(FAST, min_size=4, max_size=14), st.lists(SLOW, max_size=5),
    st.lists(FAST, max_size=8),
).map(lambda parts: [row for part in parts for row in part])  # fmt: skip
STREAM = st.one_of(ANY, BURSTS)
LONG = st.lists(ONE, min_size=30, max_size=45)  # so that clusters go over to others, and cells have to go


def voices(stream: list[Row]) -> list[Voice]:
    """In the order of their arrival, which is not always the order of their times; some come a second time."""
    at, found = START, []
    for number, (text, author, step, district, channel, negative, topic) in enumerate(stream):
        at += timedelta(seconds=step)
        id = f"r{number - 1 if number and step == 7 else number}"
        found.append(Voice(id, f"a{author}", text, at, channel, district, topic, negative))
    return found


def detector(kind: ClusterSettings) -> Detector:
    return Detector(kind, WORDS)


def alerts(changes: list[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


@given(STREAM, KINDS, st.data())
@settings(max_examples=40, deadline=None)
def test_a_state_saved_anywhere_goes_on_as_if_nothing_had_been(
    stream: list[Row], kind: ClusterSettings, data: st.DataObject
) -> None:
    said = voices(stream)
    cut = data.draw(st.integers(0, len(said)))
    unbroken, before, after = detector(kind), detector(kind), detector(kind)
    unbroken.take(said[:cut])
    before.take(said[:cut])
    after.load(before.save())
    assert after.take(said[cut:]) == unbroken.take(said[cut:])
    same = after.save() == unbroken.save()
    assert same


@given(st.one_of(LONG, BURSTS), KINDS)
@settings(max_examples=40, deadline=None)
def test_a_loaded_detector_holds_all_that_the_saved_one_held_also_what_no_state_says(
    stream: list[Row], kind: ClusterSettings
) -> None:
    saved, loaded = detector(kind), detector(kind)
    saved.take(voices(stream))
    loaded.take(voices(stream)[::2])  # and nothing of what it held before
    loaded.load(saved.save())
    assert inside(loaded) == inside(saved)


@given(STREAM, st.lists(st.integers(1, 9), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_however_a_stream_is_cut_the_same_is_told_and_the_same_is_known(
    stream: list[Row], cuts: list[int]
) -> None:
    said, whole = voices(stream), detector(SMALL)
    told, pieces = in_pieces(said, cuts, SMALL)
    assert told == alerts(whole.take(said))
    same = pieces.save() == whole.save()
    assert same


@given(BURSTS, st.lists(st.integers(1, 9), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_however_a_stream_is_cut_the_same_topics_rise_and_the_same_is_known_of_them(
    stream: list[Row], cuts: list[int]
) -> None:
    said, whole = voices(stream), detector(QUICK)
    told, pieces = in_pieces(said, cuts, QUICK)
    assert told == alerts(whole.take(said))
    same = unpack(pieces.save())["cells"] == unpack(whole.save())["cells"]
    assert same


def in_pieces(said: list[Voice], cuts: list[int], kind: ClusterSettings) -> tuple[list[IssueChange], Detector]:
    told, pieces, at = [], detector(kind), 0
    for number in range(len(said)):
        size = cuts[number % len(cuts)]
        told += alerts(pieces.take(said[at : at + size]))
        at += size
    return told, pieces


@given(STREAM, KINDS)
@settings(max_examples=25, deadline=None)
def test_what_is_told_again_changes_nothing_and_the_figures_hold_together(
    stream: list[Row], kind: ClusterSettings
) -> None:
    said, heard = voices(stream), detector(kind)
    for change in heard.take(said):
        assert 0 <= change.negative <= change.voices and 0 <= change.copies <= len(said)
        assert 0.0 <= change.chance <= 1.0 and set(change.reply_ids) <= {one.id for one in said}
        assert not change.alert or change.level in ("yellow", "orange", "red")
    state = heard.save()
    assert heard.take(said) == []
    same = heard.save() == state
    assert same
