"""The cluster detector: what becomes an alert and what does not, and that neither batches nor a restart change it."""

from __future__ import annotations

import dataclasses
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.contract import IssueChange, Voice
from nlp.detectors.chance import tail
from nlp.detectors.clusters import Detector
from nlp.detectors.kinds import DETECTORS
from nlp.detectors.settings import ClusterSettings
from nlp.training import own_corpus

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
DAILY = [row.text for row in own_corpus() if row.kind != "comment"]


def voice(number: int, text: str, hours: float, **more: object) -> Voice:
    at = START + timedelta(hours=hours)
    return dataclasses.replace(Voice(f"r{number}", f"a{number}", text, at, "weibo", "临江区"), **more)  # type: ignore[arg-type]


def alerts(changes: list[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


def noise(start: int, count: int, step: float) -> list[Voice]:
    return [voice(start + number, DAILY[number % len(DAILY)], number * step) for number in range(count)]


def mixed() -> list[Voice]:
    """A hundred unrelated texts over ten days, and one matter among them."""
    water = [voice(900 + number, text, 24.0 * number + 3.5) for number, text in enumerate(WATER)]
    return sorted([*noise(0, 100, 2.4), *water], key=lambda one: (one.at, one.id))


def test_a_slow_drip_about_one_place_alerts_by_the_fifth_voice() -> None:
    found = alerts(Detector().take(mixed()))
    about = [change for change in found if any("滨河花园" in term for term in change.terms)]
    assert len(about) == 1
    assert about[0].voices <= 5 and about[0].level == "yellow"
    assert set(about[0].reply_ids) <= {f"r{number}" for number in range(900, 908)}


def test_unrelated_texts_alert_nobody() -> None:
    assert alerts(Detector().take(noise(0, 150, 2.0))) == []


def test_one_text_by_two_hundred_accounts_is_spread_and_no_issue() -> None:
    flood = [voice(number, WATER[0], number / 60) for number in range(200)]
    changes = Detector().take(flood)
    assert alerts(changes) == []
    assert (changes[-1].voices, changes[-1].copies, changes[-1].level) == (1, 199, None)


def test_a_flood_of_slightly_changed_letters_is_no_issue_either() -> None:
    letter = "，".join(WATER)
    flood = [voice(number, f"{letter}{number}", number / 60) for number in range(100)]
    changes = Detector().take(flood)
    assert alerts(changes) == []
    assert changes[-1].copies > 90


def test_one_persons_many_texts_are_one_voice() -> None:
    own = [voice(number, text, number * 5.0, author="same") for number, text in enumerate(WATER[:-2])]
    others = [voice(50 + number, text, 40.0 + number) for number, text in enumerate(WATER[-2:])]
    assert len(own) > 3 and Detector().take(own) == []
    changes = Detector().take([*own, *others])
    assert alerts(changes) == []
    assert changes[-1].voices == 3


def test_praise_alerts_nobody() -> None:
    kind = [voice(number, text, number * 5.0, negative=0.05) for number, text in enumerate(WATER)]
    assert alerts(Detector().take(kind)) == []


def test_a_cool_down_holds_the_second_alert_and_ends() -> None:
    detector = Detector()
    first = [voice(number, text, number * 6.0) for number, text in enumerate(WATER)]
    again = [voice(50 + number, text + "，还是没修好", 200.0 + number * 6.0) for number, text in enumerate(WATER)]
    assert len(alerts(detector.take(first))) == 1
    assert alerts(detector.take(again)) == []


def test_the_explanation_says_the_numbers_in_words() -> None:
    voices = [voice(number, text, number * 5.0, negative=0.9) for number, text in enumerate(WATER[:6])]
    copies = [voice(60 + number, WATER[1], 31.0 + number) for number in range(3)]
    change = Detector().take([*voices, *copies])[-1]
    assert (change.voices, change.copies, change.negative) == (6, 3, 6)
    assert "14 天内有 6 人" in change.explanation and "同文 3 条" in change.explanation
    assert "临江区" in change.explanation


@given(cuts=st.lists(st.integers(1, 30), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None)
def test_batches_do_not_change_the_alerts(cuts: list[int]) -> None:
    voices, detector, found, at, number = mixed(), Detector(), [], 0, 0
    while at < len(voices):
        size = cuts[number % len(cuts)]
        found += alerts(detector.take(voices[at : at + size]))
        at, number = at + size, number + 1
    assert found == alerts(Detector().take(voices))


@given(cut=st.integers(0, 108))
@settings(max_examples=10, deadline=None)
def test_a_restart_from_the_saved_state_changes_nothing(cut: int) -> None:
    voices = mixed()
    before, after = Detector(), Detector()
    first = alerts(before.take(voices[:cut]))
    after.load(before.save())
    assert after.save() == before.save()
    assert [*first, *alerts(after.take(voices[cut:]))] == alerts(Detector().take(voices))


def test_a_voice_told_twice_counts_once() -> None:
    detector = Detector()
    voices = [voice(number, text, number * 5.0) for number, text in enumerate(WATER[:3])]
    detector.take(voices)
    assert detector.take(voices) == []


def test_an_empty_voice_and_one_of_the_past_are_harmless() -> None:
    detector = Detector()
    assert detector.take([voice(1, "", 0), voice(2, "？？", 1), voice(3, "的", 2)]) == []
    detector.take([voice(4, WATER[0], 900.0), voice(5, WATER[1], 0.0)])


def test_a_state_of_another_version_is_refused_in_words() -> None:
    state = Detector().save()
    detector = Detector()
    detector.load(state)
    with pytest.raises(ValueError, match="版本"):
        detector.load(zlib.compress(b'{"version": 99}'))


def test_the_detector_forgets_what_was_long_silent_and_stays_bounded() -> None:
    small = ClusterSettings(clusters=30, texts_counted=50)
    detector = Detector(small)
    detector.take(noise(0, 140, 2.0))
    assert len(detector.save()) < 120_000
    again = [voice(1000 + number, text, 24.0 * 120 + number) for number, text in enumerate(WATER[:4])]
    assert detector.take(again)[-1].voices == 4


def test_long_letters_of_one_matter_keep_the_clusters_terms_and_their_index_in_step() -> None:
    letters = [f"滨河花园停水。{one}{two}" for one, two in zip(DAILY[::2], DAILY[1::2], strict=False)]
    detector = Detector(ClusterSettings(likeness=0.01, terms_per_cluster=20))
    changes = detector.take([voice(number, text, number * 2.0) for number, text in enumerate(letters[:60])])
    assert max(change.voices for change in changes) > 20
    again = Detector(ClusterSettings(likeness=0.01, terms_per_cluster=20))
    again.load(detector.save())
    more = [voice(200 + number, text, 130.0 + number) for number, text in enumerate(letters[60:90])]
    assert again.take(more) == detector.take(more)


def test_chance_falls_with_voices_and_rises_with_what_is_usual() -> None:
    assert tail(0, 1.0, 0.0) == 1.0
    for history in (0.0, 5.0):
        falling = [tail(voices, 0.8, history) for voices in range(12)]
        assert falling == sorted(falling, reverse=True)
        assert tail(5, 0.5, history) < tail(5, 2.0, history)
    assert tail(6, 1.0, 5.0) > tail(6, 1.0, 0.0)


def test_every_detector_of_the_list_takes_saves_and_loads() -> None:
    for make in DETECTORS.values():
        detector = make()
        detector.load(detector.save())
        assert detector.take([]) == []
