"""The detector in busy streams of comments: chatter stays silent, a planted matter is heard, nothing told twice."""

from __future__ import annotations

import dataclasses
import json
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from nlp.contract import IssueChange, Voice
from nlp.detectors.chance import tail, together, unhappy_tail
from nlp.detectors.clusters import Detector
from nlp.detectors.matters import apart, matters_in, split_places
from nlp.detectors.settings import ClusterSettings
from nlp.detectors.titles import title_of
from nlp.detectors.volume import Volume
from nlp.training import own_corpus

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
SMELL = [
    "柳河镇今晚一股臭味，窗户关着都进来",
    "在柳河镇，头疼，外面味道太大了",
    "柳河镇这边又臭了，化工厂还是养殖场？",
    "谁知道柳河镇的怪味从哪来，孩子一直咳",
    "柳河镇刺鼻得很，打了电话没人来",
    "柳河镇味道还没散，今夜怎么睡",
    "从柳河镇路过，隔着车窗都呛",
    "柳河镇的气味有毒吗，请给个检测结果",
]
STREETS = [
    "江东路停电了，电梯停在五楼",
    "松苑街这片没电，冰箱里的东西怎么办",
    "码头街突然断电，店里点着蜡烛",
    "北苑路跳闸了吗，整条街黑的",
    "鼓楼巷停电，孩子写不了作业",
    "文庙街也停电了，打供电热线占线",
    "书院街停电一个小时了，没人通知",
    "滨江大道停电，红绿灯都灭了",
]


def voice(number: int, text: str, minutes: float, **more: object) -> Voice:
    at = START + timedelta(minutes=minutes)
    return dataclasses.replace(Voice(f"r{number}", f"a{number}", text, at, "weibo", "", "", 0.7), **more)  # type: ignore[arg-type]


@cache
def chatter() -> tuple[Voice, ...]:
    """Every comment of the authors' own corpus, one in five minutes."""
    rows = [row for row in own_corpus() if row.kind == "comment"]
    marks = {"neg": 0.9, "neu": 0.4, "pos": 0.1}
    return tuple(
        voice(number, row.text, number * 5.0, negative=marks.get(row.label, 0.5)) for number, row in enumerate(rows)
    )


def with_planted(texts: list[str], start: float, step: float, **more: object) -> list[Voice]:
    planted = [voice(100_000 + number, text, start + number * step, **more) for number, text in enumerate(texts)]
    return sorted([*chatter(), *planted], key=lambda one: (one.at, one.id))


def alerts(changes: list[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


def replay(voices: list[Voice], settings: ClusterSettings | None = None) -> list[IssueChange]:
    detector = Detector(settings)
    return [change for one in voices for change in detector.take([one])]


def planted_in(change: IssueChange) -> int:
    return sum(id.startswith("r100") and len(id) == 7 for id in change.reply_ids)


def test_hundreds_of_ordinary_comments_a_day_tell_nobody() -> None:
    assert len(chatter()) > 500
    assert [change.title for change in alerts(Detector().take(list(chatter())))] == []


@pytest.mark.parametrize("step", [4.0, 30.0, 150.0])
def test_a_matter_of_one_place_is_heard_among_them_by_the_fifth_voice(step: float) -> None:
    found = alerts(replay(with_planted(SMELL, 3000.0, step)))
    assert len(found) == 1
    assert planted_in(found[0]) <= 5 and planted_in(found[0]) * 2 > len(found[0].reply_ids)
    assert "柳河镇" in found[0].title and "柳河镇" in found[0].terms


def test_a_sudden_matter_over_many_streets_is_one_alert_and_takes_the_later_streets_in() -> None:
    changes = replay(with_planted(STREETS, 3000.0, 6.0, district="临江区", negative=0.9))
    found = alerts(changes)
    assert len(found) == 1 and planted_in(found[0]) <= 6
    last = [change for change in changes if change.issue == found[0].issue][-1]
    assert {f"r10000{number}" for number in range(4, len(STREETS))} <= set(last.reply_ids)
    assert planted_in(last) >= len(STREETS) - 2 and last.level == "yellow"  # others say 断电 or 跳闸
    assert last.usual < last.voices and found[0].usual < found[0].voices
    assert "停电" in found[0].terms and "临江区" in found[0].explanation


def test_clusters_that_went_over_say_so_and_keep_nothing() -> None:
    changes = replay(with_planted(STREETS, 3000.0, 6.0, district="临江区", negative=0.9))
    gone = [change for change in changes if "已并入" in change.explanation]
    assert gone
    for change in gone:
        assert (change.level, change.voices, change.reply_ids, change.alert) == (None, 0, (), False)


def test_busy_streams_give_the_same_alerts_in_batches_and_after_a_restart() -> None:
    voices = with_planted(STREETS, 3000.0, 6.0, district="临江区", negative=0.9)
    once = alerts(Detector().take(voices))
    assert once == alerts(replay(voices))
    for cut in (605, 606, 609):
        before, after = Detector(), Detector()
        first = alerts(before.take(voices[:cut]))
        after.load(before.save())
        assert after.save() == before.save()
        assert [*first, *alerts(after.take(voices[cut:]))] == once


def test_copies_with_another_ending_are_copies_and_no_voices() -> None:
    text = "听说老街下月要拆了，赶快转发，再不转就来不及了，我们的童年都没了"
    endings = ["", "转", "！！转起来", "大家快看", "求扩散", "[怒]", "是真的吗", "顶"]
    changes = Detector().take([voice(number, text + end, number * 3.0) for number, end in enumerate(endings)])
    assert alerts(changes) == []
    assert (changes[-1].voices, changes[-1].copies) == (1, len(endings) - 1)


def test_beyond_the_weeks_budget_an_alert_must_be_surer() -> None:
    voices = with_planted(SMELL, 3000.0, 150.0)
    assert len(alerts(replay(voices))) == 1
    assert alerts(replay(voices, ClusterSettings(alerts_a_week=-40))) == []


def test_the_state_of_the_first_version_is_read_and_its_issues_go_on() -> None:
    at = int(START.timestamp() * 1000)
    rows = [[at + number, f"r{number}", f"a{number}", False, "weibo", "", 0.9] for number in range(4)]
    cluster = {
        "number": 1, "name": "issue-1", "first_at": at, "last_at": at + 3, "title": SMELL[0], "title_likeness": 0.3,
        "vector": {"柳河镇": 3.0, "臭味": 1.0}, "holders": {"柳河镇": 4, "臭味": 2}, "members": 4, "past": 0.0,
        "past_windows": 0.0, "faded_at": at, "level": "yellow", "alerted_at": at + 3, "norm": 3.2, "events": rows,
    }  # fmt: skip
    state = {
        "version": 1, "clusters": [cluster], "copies": [], "counts": {"柳河镇": 4}, "texts": 4, "number": 1,
        "now": at + 3, "seen": [],
    }  # fmt: skip
    detector = Detector()
    detector.load(zlib.compress(json.dumps(state).encode()))
    changes = detector.take([voice(50, SMELL[4], 30.0)])
    assert [(change.issue, change.voices, change.alert) for change in changes] == [("issue-1", 5, False)]
    assert changes[0].level == "yellow" and changes[0].title


def test_the_title_names_matter_and_place_and_does_not_change_with_the_newest_voice() -> None:
    detector = Detector()
    titles = [change.title for one in with_planted(SMELL, 3000.0, 4.0) for change in detector.take([one])]
    named = [title for title in titles if "柳河镇" in title]
    assert named and all(len(title) <= 30 for title in titles)
    assert len(set(named[3:])) <= 2


def test_a_title_is_the_line_that_holds_the_carriers_and_a_long_line_is_cut_to_them() -> None:
    long = "领导您好，我是一名普通市民，想反映一个困扰大家很久的问题，柳河镇臭味扰民，希望尽快处理，谢谢，祝工作顺利"
    assert title_of(["又来了", long], ["柳河镇", "异味"]) == "柳河镇臭味扰民"
    assert title_of(["柳河镇今晚很臭", "柳河镇"], ["柳河镇"]) == "柳河镇"
    assert title_of([], ["柳河镇"]) == ""


def test_one_matter_has_many_wordings_and_a_split_name_is_put_together() -> None:
    for text in ("水黄得像茶", "接出来的是黄水", "自来水是浑的", "水发黄了"):
        assert "水质" in matters_in(text)
    assert "停水" not in matters_in("自来水公司在哪")
    assert split_places(["清水", "镇", "家里", "里", "和平", "里"]) == ["清水镇", "和平里"]
    assert apart(("水质", "自来水", "汽车南站", "南站过渡", "清源路")) == ("水质", "汽车南站", "清源路")


def test_chances_are_chances_and_even_the_smallest_is_above_nothing() -> None:
    assert 0 < tail(60, 0.5, 0.0) < tail(20, 0.5, 0.0) < 1e-15
    assert tail(3, 5.0, 0.0) == pytest.approx(0.8753, abs=1e-3)
    assert unhappy_tail(0, 5, 0.5) == 1.0
    assert unhappy_tail(5, 5, 0.3) < unhappy_tail(5, 5, 0.7) < unhappy_tail(3, 5, 0.7) <= 1.0
    assert together(1.0, 1.0) == 1.0 and together(0.05, 0.05) < 0.05 < together(0.05, 1.0)


def test_volume_counts_any_window_keeps_its_bound_and_learns_how_often_texts_stray() -> None:
    volume = Volume()
    channel = volume.channel("weibo")
    for number in range(5000):
        channel.hear(number * 600_000, 0.9, 100)
        channel.look(50, joined=number % 2 == 0)
    assert len(channel.steps) <= 200
    assert volume.texts(4989 * 600_000) == 10 and 100 <= volume.texts(0) <= 200
    assert channel.rate(0.001) == pytest.approx(0.01, rel=0.2) and channel.share(0.5) > 0.8
    again = Volume.from_state(json.loads(json.dumps(volume.state())))
    assert again.heard(4900 * 600_000, 4950 * 600_000, 0.001) == volume.heard(4900 * 600_000, 4950 * 600_000, 0.001)
