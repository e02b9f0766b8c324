"""The 微博 channel: its table of numbers, its counting, its budget, and what stays unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Accepted, Found, Missed, Outcome, Page, Pending, Picture, Refused, Staged, Unknown, Who
from channels.exchange import Answer
from channels.weibo import wire
from channels.weibo.codes import CODES, Again
from channels.weibo.listening import Place
from channels.weibo.profile import TIERS, profile_of
from channels.weibo.rehearsal_rules import length
from tests.contracts.channel_rooms import SHA, START, Room, pictures, variant, weibo

FIXTURES = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parents[1] / "fixtures/weibo").glob("*.json"))
}


async def publish(room: Room, number: int = 1, **more: Any) -> Outcome:
    return await room.channel.publish(await room.staged(number, **more), f"key-{number}")


async def accepted(room: Room, number: int = 1, **more: Any) -> Accepted:
    outcome = await publish(room, number, **more)
    assert isinstance(outcome, Accepted)
    return outcome


# Numbers


@pytest.mark.parametrize("code", sorted(set(CODES)), ids=str)
async def test_every_number_means_what_the_table_says(code: int) -> None:
    room = weibo()
    room.order("code", code)
    outcome = await publish(room)
    row = CODES[code]
    if row.again is Again.DONE:
        assert isinstance(outcome, Pending)
    elif row.again is Again.LOOK or not row.sure:
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.who) == (str(code), row.who)
        assert (outcome.retry_after is not None) is (row.who is Who.NOBODY)
    assert (room.public() == []) is (row.again is not Again.DONE)


@pytest.mark.parametrize("code", [1, 10099, 20502, 29999])
async def test_a_number_that_nobody_told_us_is_unknown_after_publishing_and_refused_elsewhere(code: int) -> None:
    room = weibo()
    room.order("code", code)
    assert isinstance(await publish(room), Unknown)
    room.order("code", code, match="/comments/to_me")
    polled = await room.channel.poll("", [])
    assert isinstance(polled, Refused)
    assert polled.who is Who.ADMINISTRATOR


def test_the_table_holds_every_number_of_the_page_once_with_a_sentence() -> None:
    assert len(CODES) >= 75
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in code.reason) for code in CODES.values())
    assert all(code.after for code in CODES.values() if code.who is Who.NOBODY)


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_each_documented_answer_is_read(name: str) -> None:
    fixture = FIXTURES[name]
    assert fixture["source"]
    assert fixture["read_on"] == "2026-11-24"
    said = wire.read(Answer(fixture["status"], {}, json.dumps(fixture["body"]).encode()))
    if "error_code" in fixture["body"]:
        assert said.code == int(fixture["body"]["error_code"])
    else:
        assert said.body == fixture["body"]


def test_the_documented_post_and_comment_keep_all_their_digits() -> None:
    post = wire.status(FIXTURES["share_accepted"]["body"])
    assert post is not None
    assert (post.id, post.at) == ("9200000000000017", datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    rows = wire.comment_rows(FIXTURES["comments_to_me"]["body"])
    assert rows
    said = wire.heard(rows[0], START)
    assert (said.external_id, said.in_reply_to, said.author_name) == (
        "9200000000000031",
        "9200000000000017",
        "北岭老张",
    )


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(body: bytes) -> None:
    said = wire.read(Answer(200, {}, body))
    assert said.body is None or isinstance(said.body, dict)


plain = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda s: st.lists(s, max_size=3))
names = st.sampled_from(["idstr", "id", "mid", "user", "created_at", "text", "status", "comments", "statuses"])


@given(st.recursive(plain, lambda inner: st.dictionaries(names, inner, max_size=5), max_leaves=12))
def test_no_json_makes_the_readers_fail(value: Any) -> None:
    said = wire.read(Answer(200, {}, json.dumps(value).encode()))
    if said.body is not None:
        wire.status(said.body)
        wire.statuses(said.body)
        for row in wire.comment_rows(said.body) or []:
            assert wire.heard(row, START).external_id


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Wed Oct 24 23:49:17 +0800 2012", datetime(2012, 10, 24, 15, 49, 17, tzinfo=UTC)),
        ("Sun Jan 01 00:00:00 -0330 2023", datetime(2023, 1, 1, 3, 30, tzinfo=UTC)),
    ],
)
def test_the_platforms_dates_are_read_in_any_locale(text: str, at: datetime) -> None:
    assert wire.moment(text) == at


@pytest.mark.parametrize("text", ["", "Wed Okt 24 23:49:17 +0800 2012", "2012-10-24", "Wed Feb 31 00:00:00 +0800 2012"])
def test_another_date_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.moment(text)


# Texts


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("", 0),
        ("汉", 1),
        ("ab", 1),
        ("abc", 2),
        ("云川 12345", 5),
        ("😀", 2),
        ("，。", 2),
        ("汉http://a.example/x 字", 13),
    ],
)
def test_text_is_counted_as_the_platform_counts(text: str, long: int) -> None:
    assert wire.count(text, 20) == long


@given(st.text(st.sampled_from("汉字ab 1，。😀é")).map(lambda text: text + " https://www.yunchuan.example/a"))
def test_the_connector_never_counts_less_than_the_rehearsal(text: str) -> None:
    assert wire.count(text, 20) >= length(text, 20)


@given(st.text(max_size=300), st.text(max_size=600))
def test_a_derived_text_always_fits_with_its_link(title: str, digest: str) -> None:
    text = wire.derived(title, digest, 140, 20)
    if not wire.links(text):
        assert wire.count(text + " https://www.yunchuan.example/articles/content-1", 20) <= 140


def test_a_long_digest_fills_the_text_to_the_last_place() -> None:
    text = wire.derived("供暖恢复", "暖" * 300, 140, 20) + " https://www.yunchuan.example/articles/content-1"
    assert wire.count(text, 20) == 140


def test_a_long_digest_is_cut_at_the_end_of_a_sentence() -> None:
    assert wire.derived("供暖恢复", "三区已恢复供暖。" + "暖" * 300, 140, 20) == "【供暖恢复】三区已恢复供暖。"


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ({"text": "供暖#民生#到家"}, "weibo_topic"),
        ({"text": "长" * 130}, "weibo_length"),
        ({"text": "见链接"}, None),
        ({"text": "页内链接 https://www.yunchuan.example/a#top"}, None),
    ],
)
def test_what_the_platform_would_refuse_is_said_before(override: dict[str, Any], rule: str | None) -> None:
    problems = weibo().channel.prepare(replace(variant(), override=override)).problems
    assert [problem.rule for problem in problems if problem.severity == "block"] == ([rule] if rule else [])


def test_a_title_and_digest_written_for_this_channel_make_the_text() -> None:
    own = replace(variant(), override={"title": "暖起来了", "digest": "三百户。"})
    assert str(weibo().channel.prepare(own).body["text"]).startswith("【暖起来了】三百户。 https://")


def test_of_several_pictures_the_first_goes_and_the_officer_is_told() -> None:
    shown = [Picture(str(n) * 64, "image/png", 9, 9, 9) for n in range(3)]
    prepared = weibo().channel.prepare(replace(variant(), pictures=shown))
    assert [problem.rule for problem in prepared.problems] == ["weibo_pictures"]
    assert list(prepared.pictures) == shown[:1]


@pytest.mark.parametrize(
    ("picture", "rule"),
    [
        (Picture(SHA, "image/webp", 9, 9, 9), "weibo_picture_type"),
        (Picture(SHA, "image/png", 9, 9, 5 << 20), "weibo_picture_size"),
    ],
)
def test_a_picture_that_would_be_refused_is_said_before(picture: Picture, rule: str) -> None:
    problems = weibo().channel.prepare(replace(variant(), pictures=(picture,))).problems
    assert [problem.rule for problem in problems] == [rule]


async def test_without_the_websites_address_nothing_is_sent() -> None:
    room = weibo()
    prepared = room.channel.prepare(replace(variant(), link=None))
    assert [problem.severity for problem in prepared.problems] == ["hint"]
    outcome = await room.channel.publish(Staged(prepared, {}), "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.retry_after
    assert room.asked("/") == 0


async def test_a_link_outside_the_approved_domain_is_blocked_and_refused() -> None:
    room = weibo()
    prepared = room.channel.prepare(replace(variant(), link="https://other.example/1"))
    assert [problem.rule for problem in prepared.problems] == ["weibo_domain"]
    outcome = await room.channel.publish(Staged(prepared, {}), "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.code == "10017"


async def test_a_picture_goes_out_with_the_post() -> None:
    room = weibo()
    await accepted(room, picture=True)
    assert [post["picture"] for post in room.public()] == [True]


async def test_pictures_of_posts_that_never_went_out_do_not_pile_up() -> None:
    room = weibo()
    staged = await room.staged(picture=True)

    async def any_picture(_sha256: str) -> bytes:
        return b"picture"

    for number in range(20):
        body = {**staged.prepared.body, "picture": f"{number:064x}"}
        await room.channel.stage(replace(staged.prepared, body=body), "key-1", any_picture)
    assert len(room.channel.kept) <= 4


async def test_a_picture_that_was_not_kept_is_asked_for_again() -> None:
    room, other = weibo(), weibo()
    staged = await other.staged(picture=True)
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.retry_after == timedelta()
    again = await room.channel.stage(staged.prepared, "key-1", pictures)
    assert isinstance(again, Staged)
    assert isinstance(await room.channel.publish(again, "key-1"), Accepted)


# Looking


@pytest.mark.parametrize("code", [20017, 20019, 20111])
async def test_a_repeated_text_is_accepted_only_when_this_call_is_seen_to_have_made_it(code: int) -> None:
    room = weibo()
    staged = await room.staged()
    room.order("drop_after")
    await room.channel.publish(staged, "key-1")
    room.order("code", code)
    assert isinstance(await room.channel.publish(staged, "key-1"), Accepted)
    assert len(room.public()) == 1


async def test_an_earlier_post_of_the_same_words_is_not_taken_for_this_one() -> None:
    room = weibo()
    await accepted(room)
    room.clock.move(timedelta(hours=1))
    assert isinstance(await room.channel.publish(await room.staged(), "key-2"), Unknown)
    assert len(room.public()) == 1


async def test_a_repeated_text_that_cannot_be_looked_up_stays_unknown() -> None:
    room = weibo()
    room.order("code", 20019)
    room.order("drop_before", match="user_timeline")
    assert isinstance(await publish(room), Unknown)


async def test_a_delayed_post_is_pending_until_it_can_be_seen() -> None:
    room = weibo()
    room.order("code", 20032)
    pending = await publish(room)
    assert isinstance(pending, Pending)
    assert isinstance(await room.channel.check(pending.ticket), Pending)
    room.clock.move(timedelta(minutes=3))
    seen = await room.channel.check(pending.ticket)
    assert isinstance(seen, Accepted)
    assert [post["id"] for post in room.public()] == [seen.external_id]


async def test_a_post_that_is_kept_from_view_is_pending_and_then_accepted() -> None:
    room = weibo()
    room.order("code", 20101, match="/statuses/show")
    pending = await publish(room)
    assert isinstance(pending, Pending)
    assert isinstance(await room.channel.check(pending.ticket), Accepted)


async def test_a_read_back_that_fails_does_not_unsay_the_acceptance() -> None:
    for kind in ("drop_before", "status", "garbage"):
        room = weibo()
        room.order(kind, match="/statuses/show")
        await accepted(room)


async def test_a_short_timeline_that_does_not_reach_back_is_unknown() -> None:
    room = weibo()
    lost = await room.staged()
    for number in range(2, 9):
        await accepted(room, number)
    assert isinstance(await room.channel.find_published("key-1", lost, START), Unknown)
    room.clock.move(timedelta(minutes=10))
    missed = await room.channel.find_published("key-1", lost, room.clock.now())
    assert isinstance(missed, Missed) and missed.newest and missed.newest_at


async def test_a_find_before_the_settling_time_misses_what_is_not_visible_yet() -> None:
    room = weibo()
    room.order("code", 20032)
    staged = await room.staged()
    await room.channel.publish(staged, "key-1")
    assert isinstance(await room.channel.find_published("key-1", staged, START), Missed)
    room.clock.move(room.channel.capabilities.settling)
    assert isinstance(await room.channel.find_published("key-1", staged, START), Found)


# Accounts and quotas


@pytest.mark.parametrize(
    ("days", "state"), [(0, "ok"), (22.9, "ok"), (24, "expiring"), (29.9, "expiring"), (30, "expired"), (40, "expired")]
)
async def test_the_end_of_a_token_is_told_a_week_before(days: float, state: str) -> None:
    room = weibo()
    room.clock.move(timedelta(days=days))
    health = await room.channel.preflight()
    assert health.state == state
    assert health.reason


async def test_an_expired_token_is_a_certain_refusal_for_the_administrator() -> None:
    room = weibo()
    room.clock.move(timedelta(days=31))
    outcome = await publish(room)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.who) == ("21327", Who.ADMINISTRATOR)
    assert room.public() == []


async def test_a_day_without_calls_left_is_refused_until_the_next() -> None:
    room = weibo("base")
    staged = await room.staged()
    for _ in range(100):
        await room.channel.find_published("key-1", staged, START)
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.code == "10023"
    assert outcome.retry_after
    room.clock.move(timedelta(days=1))
    assert isinstance(await room.channel.publish(staged, "key-1"), Accepted)


async def test_thirty_posts_an_hour_and_then_a_wait() -> None:
    room = weibo("base", {"readbacks_day": 0})
    for number in range(1, 31):
        await accepted(room, number)
    outcome = await publish(room, 31)
    assert isinstance(outcome, Refused)
    assert outcome.code == "10024"


def test_the_budget_of_a_day_adds_up_to_the_platforms_limit() -> None:
    for profile in TIERS.values():
        held = profile.posts_day + profile.readbacks_day + profile.reconciliation_day + profile.checks_day
        held += profile.answers_day
        assert held + profile.comments_day == profile.calls_day
        assert profile.comments_day > 0


async def test_a_whole_day_of_polling_stays_within_the_budget() -> None:
    room = weibo("base")
    cursor = ""
    for _ in range(24 * 60):
        page = await room.channel.poll(cursor, ["1"])
        assert isinstance(page, Page)
        cursor = page.cursor
        room.clock.move(60)
    assert 20 <= room.asked("/comments/to_me") <= 2 * TIERS["base"].comments_day


async def test_a_sweep_longer_than_the_budget_stops_and_goes_on_the_next_day() -> None:
    room = weibo("base", {"comments_page": 1})
    post = (await accepted(room)).external_id
    said = [room.stage.speak({"post": post, "text": f"不热 {n}"}) for n in range(40)]
    first, cursor = await sweep(room)
    assert room.asked("/comments/to_me") == TIERS["base"].comments_day == len(first)
    room.clock.move(timedelta(days=1))
    rest, _ = await sweep(room, cursor)
    assert sorted(first + rest) == sorted(said)


def test_wrong_figures_are_refused_with_a_sentence() -> None:
    for figures in ({"tier": "golden"}, {"calls_day": -1}, {"text": "140"}):
        with pytest.raises(ValueError, match="微博账号"):
            profile_of(figures)


# Listening


async def sweep(room: Room, cursor: str = "") -> tuple[list[str], str]:
    """Pages until there are no more, and the cursor after them."""
    heard: list[str] = []
    while True:
        page = await room.channel.poll(cursor, ["1"])
        assert isinstance(page, Page)
        heard += [one.external_id for one in page.heard]
        cursor = page.cursor
        if not page.more:
            return heard, cursor


async def test_more_comments_than_a_page_are_all_heard_once() -> None:
    room = weibo(profile={"comments_page": 7})
    post = (await accepted(room)).external_id
    said = [room.stage.speak({"post": post, "text": f"不热 {n}", "author": f"居民{n}"}) for n in range(50)]
    heard, cursor = await sweep(room)
    assert sorted(heard) == sorted(said)
    more = [room.stage.speak({"post": post, "text": f"还不热 {n}", "author": f"居民{n}"}) for n in range(30)]
    room.clock.move(timedelta(minutes=5))
    assert sorted((await sweep(room, cursor))[0]) == sorted(more)


async def test_a_comment_that_comes_in_while_a_sweep_is_under_way_is_heard_by_the_next() -> None:
    room = weibo(profile={"comments_page": 7})
    post = (await accepted(room)).external_id
    said = {room.stage.speak({"post": post, "text": f"不热 {n}"}) for n in range(20)}
    first = await room.channel.poll("", [post])
    assert isinstance(first, Page)
    said.add(room.stage.speak({"post": post, "text": "刚刚来的"}))
    rest, cursor = await sweep(room, first.cursor)
    room.clock.move(timedelta(minutes=5))
    late, _ = await sweep(room, cursor)
    assert {*(one.external_id for one in first.heard), *rest, *late} == said


def test_a_comment_with_an_older_number_that_turns_up_late_is_still_seen() -> None:
    place = Place().advanced([str(n) for n in range(100, 80, -1)], 50, TIERS["partner"], START, True)
    assert place.since == "81"
    assert Place.read(place.write()) == place


async def test_our_own_answers_are_not_heard_as_citizens() -> None:
    room = weibo()
    post = (await accepted(room)).external_id
    room.stage.speak({"post": post, "text": "什么时候修好？", "author": "居民"})
    page = await room.channel.poll("", [post])
    assert isinstance(page, Page)
    answered = await room.channel.answer(page.heard[0].raw, "今晚八点前恢复。", "key-a")
    assert isinstance(answered, Accepted)
    room.clock.move(timedelta(minutes=5))
    heard, _ = await sweep(room, page.cursor)
    assert heard == []


@pytest.mark.parametrize(
    ("kind", "value", "type_"),
    [
        ("drop_before", 0, Unknown), ("drop_after", 0, Unknown), ("status", 502, Unknown), ("garbage", 0, Unknown),
        ("code", 20201, Refused), ("code", 20206, Refused), ("code", 10001, Unknown), ("code", 29999, Unknown),
        ("code", 20019, Unknown),
    ],
)  # fmt: skip
async def test_an_answer_to_a_citizen_has_the_same_outcomes(kind: str, value: int, type_: type) -> None:
    room = weibo()
    post = (await accepted(room)).external_id
    room.stage.speak({"post": post, "text": "什么时候修好？"})
    page = await room.channel.poll("", [post])
    assert isinstance(page, Page)
    room.order(kind, value, match="/comments/reply")
    assert isinstance(await room.channel.answer(page.heard[0].raw, "今晚。", "key-a"), type_)


async def test_an_answer_that_is_too_long_is_not_sent() -> None:
    room = weibo()
    outcome = await room.channel.answer({"idstr": "1"}, "长" * 141, "key-a")
    assert isinstance(outcome, Refused)
    assert room.asked("/comments/reply") == 0


def test_a_posts_address_is_made_from_its_number() -> None:
    assert wire.address("https://weibo.com", "1", "3501756485200075") == "https://weibo.com/1/z0JH2lOMb"


@pytest.mark.parametrize("link", ["http://[待定]", "http://[x/", "https://[::1", "http://[]"])
def test_a_link_that_is_no_address_is_text_and_no_fault(link: str) -> None:
    prepared = weibo().channel.prepare(replace(variant(), title=f"请登录 {link} 查询"))
    assert all(each.rule and each.message for each in prepared.problems)
    assert not wire.on_domain(link, "example.com")
