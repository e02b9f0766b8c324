"""关注词: how a line is read, what it finds, and how few alerts come of it; failures 11a and 11b of the field."""

from __future__ import annotations

import dataclasses
import json
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.contract import IssueChange, Voice
from nlp.detectors.ensemble import Ensemble
from nlp.detectors.expressions import LONGEST, MOST, Expression, Lexicon, Misspelt, parse, plain
from nlp.detectors.watchwords import HEARD, WatchWord, WatchWords
from nlp.training import own_corpus

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
BRIDGE = WatchWord("w1", "桥梁安全", "桥 + 塌|裂 - 游戏")
SAID = [
    "滨河大桥的护栏裂了一道口子",
    "谁管管滨河大桥，桥面塌下去一块",
    "路过滨河大桥看见裂缝有手掌宽",
    "大桥是不是要塌，天天走的人心慌",
    "老桥引桥那段裂得更厉害了",
]

hanzi = st.text(st.sampled_from("桥塌裂路灯水臭学校楼盘欠薪垃圾分类口罩"), min_size=1, max_size=5)
latin = st.text(st.sampled_from("abcxyz0189"), min_size=2, max_size=6)
# as a line keeps it: 0000 says no more than 000
word = st.one_of(hanzi, latin).filter(lambda text: plain(text) == text)


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """What a sensible line means: no word that can never be meant."""
    groups = draw(st.lists(st.lists(word, min_size=1, max_size=3, unique=True), min_size=1, max_size=3))
    wanted = {one for group in groups for one in group}
    without = draw(st.lists(word, max_size=3, unique=True))
    barred = [one for one in without if not any(Lexicon([one]).found(each) for each in wanted)]
    return Expression(tuple(tuple(group) for group in groups), tuple(barred))


def voice(number: int, text: str, hours: float = 0.0, **more: object) -> Voice:
    at = START + timedelta(hours=hours)
    return dataclasses.replace(Voice(f"r{number}", f"a{number}", text, at, "weibo", "临江区"), **more)  # type: ignore[arg-type]


def alerts(changes: list[IssueChange]) -> list[IssueChange]:
    return [change for change in changes if change.alert]


# ---- how a line is read


@given(expressions())
@settings(deadline=None)
def test_a_line_reads_back_as_the_expression_that_wrote_it(expression: Expression) -> None:
    assert parse(expression.line()) == expression


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_line_is_read_or_refused_in_a_chinese_sentence(line: str) -> None:
    try:
        found = parse(line)
    except Misspelt as error:
        assert str(error).endswith("。")
        assert any("\u4e00" <= sign <= "\u9fff" for sign in str(error))
    else:
        assert parse(found.line()) == found
        assert found.groups and all(found.groups)


@given(expressions(), st.data())
@settings(deadline=None)
def test_blanks_and_full_width_signs_change_nothing(expression: Expression, data: st.DataObject) -> None:
    signs = {"+": ("+", "＋", " + "), "|": ("|", "｜", " | "), "-": ("-", "－", "—", " - ")}
    line = "".join(data.draw(st.sampled_from(signs[sign])) if sign in signs else sign for sign in expression.line())
    assert parse(line) == expression


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "至少一个词"),
        ("  ，。 ", "至少一个词"),
        ("桥 + ", "“+”后面少一个词"),
        ("桥 || 塌", "“|”后面少一个词"),
        ("- 游戏", "开头少一个词"),
        ("桥 + 。。", "没有认得的字"),
        ("a + 桥", "太短"),
        ("桥 - 桥", "永远不会命中"),
        ("塌方 | 塌陷 - 塌", "永远不会命中"),
        ("+".join(["桥"] * (LONGEST // 2 + 1)), "太长"),
        ("滨河大桥塌了一块" * 5, "太长"),
        ("|".join(f"{number:02d}" for number in range(MOST + 1)), "最多"),
    ],
)
def test_a_line_that_cannot_be_meant_says_what_is_wrong(line: str, said: str) -> None:
    with pytest.raises(Misspelt, match=said.replace("|", r"\|").replace("+", r"\+")):
        parse(line)


def test_a_line_is_said_back_in_words() -> None:
    assert parse("桥+塌|裂-游戏").says() == "有“桥”，并且有“塌”或“裂”；没有“游戏”"


# ---- what it finds


@pytest.mark.parametrize(
    ("line", "text", "is_hit"),
    [
        ("桥塌", "滨河大桥塌了", True),
        ("桥塌", "滨河大橋塌了", True),
        ("桥塌", "滨河大桥\u200b塌\ufeff了", True),
        ("桥塌", "滨河大桥*塌·了", True),
        ("桥塌", "滨河大 桥 塌 了", True),
        ("桥塌", "过了桥，塌下来一块广告牌", False),
        ("桥塌", "昨天过桥\n塌下来一块广告牌", False),
        ("桥 + 塌", "过了桥，塌下来一块广告牌", True),
        ("5G信号", "小区的 5g 信号一直没有", True),
        ("5G信号", "小区的５Ｇ信号一直没有", True),
        ("app", "新的APP打不开", True),
        ("app", "I am happy", False),
        ("110", "打了110没人接", True),
        ("110", "工单号 21103", False),
        ("new york", "在 New York 的同乡", True),
        ("塌 - 游戏", "游戏里的桥塌了", False),
        ("游戏", "//@某人：这个游戏", True),
    ],
)
def test_a_word_is_found_however_it_is_written_and_only_where_it_stands(line: str, text: str, is_hit: bool) -> None:
    expression = parse(line)
    assert expression.holds(Lexicon(expression.words).found(plain(text))) is is_hit


@settings(deadline=None)
@given(st.lists(word, min_size=1, max_size=60, unique=True), st.lists(st.one_of(word, st.just("，")), max_size=12))
def test_one_pass_finds_the_same_words_as_looking_for_each_alone(words: list[str], parts: list[str]) -> None:
    text = plain("".join(parts))
    assert Lexicon(words).found(text) == {one for one in words if Lexicon([one]).found(text)}
    assert {one for one in words if not one[0].isascii() and not one[-1].isascii() and one in text} <= Lexicon(
        words
    ).found(text)


def test_five_hundred_words_are_heard_by_looking_at_few_of_them() -> None:
    """The cost of a text follows its own pairs of letters, not the length of the list."""
    corpus = [row.text for row in own_corpus()]
    many = Lexicon([*[text[:3] for text in map(plain, corpus) if len(text) > 3][:500], "滨河大桥"])
    text = plain("滨河大桥的护栏裂了")
    assert many.found(text) == {"滨河大桥"}
    assert len([at for at in range(len(text)) if text[at : at + 2] in many._by_pair]) < 5


# ---- what comes of it


def test_one_person_is_enough_by_default_and_the_alert_says_the_rule() -> None:
    found = alerts(WatchWords([BRIDGE]).take([voice(1, SAID[0], negative=0.9)]))
    assert [(change.word, change.voices, change.level, change.telling) for change in found] == [("w1", 1, "yellow", 1)]
    assert found[0].title == "桥梁安全：滨河大桥的护栏裂了一道口子"
    assert "“桥梁安全”" in found[0].explanation and "24 小时内满 1 人" in found[0].explanation
    assert "3 天内" in found[0].explanation


def test_channels_districts_and_the_last_day_bound_what_is_heard() -> None:
    until = START + timedelta(days=1)
    bounded = dataclasses.replace(BRIDGE, channels=("wechat",), districts=("北岭区",), until=until)
    here = {"channel": "wechat", "district": "北岭区"}
    deaf = [
        voice(1, SAID[0]),
        voice(2, SAID[1], district="北岭区"),
        voice(3, SAID[2], channel="wechat"),
        voice(4, SAID[3], 24.1, **here),
    ]
    assert WatchWords([bounded]).take(deaf) == []
    assert len(alerts(WatchWords([bounded]).take([voice(5, SAID[4], 23.9, **here)]))) == 1


def test_so_many_people_within_so_many_hours_and_not_one_less() -> None:
    three = dataclasses.replace(BRIDGE, people=3, hours=6.0)
    slow = [voice(number, text, 4.0 * number) for number, text in enumerate(SAID)]
    quick = [voice(number, text, 2.0 * number) for number, text in enumerate(SAID)]
    own = [voice(number, text, 1.0 * number, author="same") for number, text in enumerate(SAID)]
    assert alerts(WatchWords([three]).take(slow)) == []
    assert alerts(WatchWords([three]).take(own)) == []
    assert [change.voices for change in alerts(WatchWords([three]).take(quick))] == [3]


def test_11b_a_flood_of_copies_is_one_person_and_pushes_nobody_out() -> None:
    three = dataclasses.replace(BRIDGE, people=3)
    flood = [voice(number, SAID[0], number / 60) for number in range(HEARD + 300)]
    words = WatchWords([three])
    assert alerts(words.take([voice(9001, SAID[1]), *flood])) == []
    found = alerts(words.take([voice(9002, SAID[2], 14.0)]))
    assert [change.voices for change in found] == [3]
    assert found[0].copies >= HEARD - 10


def test_11a_further_hits_gather_in_the_one_alert_until_the_pause_is_over() -> None:
    words = WatchWords([BRIDGE])
    first = words.take([voice(number, text, 10.0 * number) for number, text in enumerate(SAID)])
    assert len(alerts(first)) == 1
    assert (first[-1].voices, first[-1].issue) == (5, alerts(first)[0].issue)
    again = alerts(words.take([voice(50, "滨河大桥又裂了", 72.1)]))
    assert [change.voices for change in again] == [1]
    assert again[0].issue != alerts(first)[0].issue


def test_11a_a_matter_that_goes_on_for_weeks_tells_once_in_each_pause() -> None:
    month = [voice(number, f"{SAID[number % 5]}，第 {number} 天", 24.0 * number, author=f"a{number % 7}")
             for number in range(30)]  # fmt: skip
    assert len(alerts(WatchWords([BRIDGE]).take(month))) == 10


def test_11a_ten_times_as_many_people_are_told_of_once_more_in_the_same_alert() -> None:
    many = [voice(number, f"{SAID[number % 5]}，我是第 {number * 7919} 个说的人", number / 100) for number in range(99)]
    found = alerts(WatchWords([BRIDGE]).take(many))
    assert [(change.voices, change.telling) for change in found] == [(1, 1), (10, 2)]
    assert len({change.issue for change in found}) == 1
    assert "10 倍" in found[1].explanation


def test_11a_a_voice_told_twice_is_one_hit() -> None:
    words = WatchWords([BRIDGE])
    words.take([voice(1, SAID[0])])
    assert words.take([voice(1, SAID[0])]) == []


def ordinary() -> list[Voice]:
    rows = [row.text for row in own_corpus()]
    return [voice(number, rows[number % len(rows)], number / 50) for number in range(len(rows) * 2)]


def test_11b_ordinary_letters_however_many_tell_nobody() -> None:
    bridge = dataclasses.replace(BRIDGE, people=3)  # two such letters stand in the corpus, and each comes twice
    watched = [bridge, WatchWord("w2", "群体", "聚集|上街 + 讨薪"), WatchWord("w3", "爆炸", "爆炸 + 化工|燃气")]
    assert WatchWords(watched).take(ordinary()) == []


def stream() -> list[Voice]:
    """Hits of three words among letters, copies and people who come back."""
    said = [*SAID, SAID[0], "路灯不亮", "工地欠薪，工人围了售楼处", "欠薪半年", "这座桥的游戏裂了", SAID[2]]
    return [
        voice(n, f"{said[n % len(said)]}{'' if n % 3 else n}", n * 1.7, author=f"a{n % 9}") for n in range(120)
    ]


WATCHED = [
    BRIDGE,
    WatchWord("w2", "欠薪", "欠薪", people=2, hours=12.0, pause_hours=24.0, level="orange"),
    WatchWord("w3", "路灯", "路灯", people=1, pause_hours=6.0),
]


@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_11a_batches_do_not_change_the_alerts(cuts: list[int]) -> None:
    voices, words, found, at, number = stream(), WatchWords(WATCHED), [], 0, 0
    while at < len(voices):
        step = cuts[number % len(cuts)]
        found += alerts(words.take(voices[at : at + step]))
        at, number = at + step, number + 1
    once = alerts(WatchWords(WATCHED).take(voices))
    assert found == once and len(once) > 6


@given(cut=st.integers(0, 120))
@settings(max_examples=40, deadline=None)
def test_11a_a_restart_anywhere_changes_nothing(cut: int) -> None:
    voices, before, after = stream(), WatchWords(WATCHED), WatchWords()
    first = alerts(before.take(voices[:cut]))
    after.load(before.save())
    after.use(WATCHED)
    assert after.save() == before.save()
    assert [*first, *alerts(after.take(voices[cut:]))] == alerts(WatchWords(WATCHED).take(voices))


def test_11a_a_new_name_or_threshold_keeps_the_pause_and_another_meaning_begins_anew() -> None:
    words = WatchWords([BRIDGE])
    words.take([voice(1, SAID[0])])
    words.use([dataclasses.replace(BRIDGE, name="大桥", people=2)])
    assert alerts(words.take([voice(2, SAID[1], 1.0), voice(3, SAID[2], 1.1)])) == []
    words.use([dataclasses.replace(BRIDGE, line="桥 + 裂")])
    assert len(alerts(words.take([voice(4, SAID[4], 2.0)]))) == 1


def test_a_state_of_another_version_is_refused() -> None:
    other = WatchWords([BRIDGE])
    state = json.loads(zlib.decompress(other.save())) | {"version": 99}
    with pytest.raises(ValueError, match="版本"):
        other.load(zlib.compress(json.dumps(state).encode()))


def test_both_detectors_hear_the_same_voices_and_keep_one_state() -> None:
    both, again = Ensemble(), Ensemble()
    both.use([BRIDGE])
    first = both.take([voice(1, SAID[0])])
    assert [change.word for change in alerts(first)] == ["w1"]
    again.load(both.save())
    again.use([BRIDGE])
    more = [voice(number, text, number) for number, text in enumerate(SAID, 2)]
    assert again.take(more) == both.take(more)
    assert again.save() == both.save()
