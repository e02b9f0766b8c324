"""The 微信公众号 listening and answering: comments in pages and within a day's calls, messages within their window."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels.contract import Accepted, Heard, Page, Refused, Unknown, Who
from channels.exchange import Request, Result
from channels.kinds import connect
from channels.wechat import callback, wire
from channels.wechat.listening import Round
from channels.wechat.profile import Profile
from tests.contracts.channel_rooms import START, Room, wechat
from tests.contracts.wechat_room import (
    LIST,
    answer_of,
    bent,
    says,
)

# Comments


async def sweep(room: Room, ids: list[str], cursor: str = "") -> tuple[list[str], str]:
    heard: list[str] = []
    while True:
        page = await room.channel.poll(cursor, ids)
        assert isinstance(page, Page)
        heard += [one.external_id for one in page.heard]
        cursor = json.dumps(json.loads(page.cursor))
        if not page.more:
            return heard, cursor


async def test_more_comments_than_a_page_are_all_heard_and_no_page_is_larger_than_49() -> None:
    room = wechat()
    post = (await room.published()).external_id
    said = {room.say(post, f"不热 {n}", f"居民{n}") for n in range(120)}
    hand = bent(room)
    heard, cursor = await sweep(room, [post])
    assert {id.partition("-")[2] for id in heard} == said
    assert len(heard) == 120
    assert {body["count"] for body in hand.bodies(LIST)} == {49}
    assert [body["begin"] for body in hand.bodies(LIST)] == [0, 49, 98]
    room.clock.move(timedelta(minutes=6))
    more = {room.say(post, f"还不热 {n}", f"居民{n}") for n in range(3)}
    again, _ = await sweep(room, [post], cursor)
    assert more <= {id.partition("-")[2] for id in again}


async def test_a_busy_article_is_not_read_to_its_end_again_when_its_newest_page_is_known() -> None:
    """Else one article with thousands of comments would use up the day of all others."""
    room = wechat()
    post = (await room.published()).external_id
    for number in range(200):
        room.say(post, f"不热 {number}", f"居民{number}")
    hand = bent(room)
    _, cursor = await sweep(room, [post])
    first = hand.count(LIST)
    room.clock.move(timedelta(minutes=6))
    room.say(post, "还不热", "居民")
    heard, _ = await sweep(room, [post], cursor)
    assert (len(heard), hand.count(LIST) - first) == (1, 1)


async def test_comments_that_come_in_during_a_reading_are_heard_and_none_before_them_is_lost() -> None:
    room = wechat()
    post = (await room.published()).external_id
    said = {room.say(post, f"不热 {n}", f"居民{n}") for n in range(150)}
    heard: list[str] = []
    cursor, more = "", True
    while more:
        page = await room.channel.poll(cursor, [post])
        assert isinstance(page, Page)
        heard += [one.external_id for one in page.heard]
        cursor, more = page.cursor, page.more
        if len(said) < 300:
            room.clock.move(1)
            said |= {room.say(post, f"又不热 {len(said)} {n}", f"居民{n}") for n in range(50)}
    room.clock.move(timedelta(minutes=6))
    late, _ = await sweep(room, [post], cursor)
    assert {id.partition("-")[2] for id in [*heard, *late]} == said


@pytest.mark.parametrize("form", [{"content": "已派人。", "create_time": 1}, [{"content": "已派人。"}], [], None])
async def test_an_answer_below_a_comment_is_read_in_both_forms(form: Any) -> None:
    row = {"user_comment_id": 7, "content": "不热", "openid": "o-1", "create_time": 1, "reply": form}
    assert list(wire.office_replies(row)) == (["已派人。"] if form else [])


async def test_a_comment_of_somebody_without_a_number_is_heard_and_told_from_others() -> None:
    room = wechat()
    post = (await room.published()).external_id
    for text in ("一", "二"):
        room.stage.speak({"post": post.partition("~")[0], "text": text, "author": "视频号用户", "nameless": True})
    page = await room.channel.poll("", [post])
    assert isinstance(page, Page)
    assert len({one.author_id for one in page.heard}) == 2
    assert all(one.author_id and one.text in ("一", "二") for one in page.heard)


@pytest.mark.parametrize("code", [88001, 88002])
async def test_an_article_whose_comments_the_platform_does_not_give_rests_and_the_others_go_on(code: int) -> None:
    room = wechat()
    one, two = (await room.published(1)).external_id, (await room.published(2)).external_id
    said = room.say(two, "不热", "居民")
    asked_first = sorted([one, two])[0]
    if asked_first == two:
        one, two = two, one
        said = room.say(two, "也不热", "居民")
    room.order("code", code, match=LIST)
    heard, cursor = await sweep(room, [one, two])
    assert f"-{said}" in "".join(heard)
    before = room.asked(LIST)
    room.clock.move(timedelta(minutes=59))
    assert isinstance(await room.channel.poll(cursor, [one]), Page)
    assert room.asked(LIST) == before
    room.clock.move(timedelta(minutes=2))
    await room.channel.poll(cursor, [one])
    assert room.asked(LIST) == before + 1


async def looks_in(room: Room, post: str, cursor: str, minutes: int, step: int) -> tuple[int, str]:
    before = room.asked(LIST)
    for _ in range(minutes // step):
        page = await room.channel.poll(cursor, [post])
        assert isinstance(page, Page)
        cursor = page.cursor
        room.clock.move(timedelta(minutes=step))
    return room.asked(LIST) - before, cursor


async def test_the_rest_between_two_looks_grows_with_the_articles_age() -> None:
    room = wechat()
    post = (await room.published()).external_id
    young, cursor = await looks_in(room, post, "", 120, 1)
    fresh, cursor = await looks_in(room, post, cursor, 24 * 60, 10)
    room.clock.move(timedelta(days=2))
    old, cursor = await looks_in(room, post, cursor, 3 * 24 * 60, 30)
    assert 20 <= young <= 25
    assert 20 <= fresh <= 26
    assert 2 <= old <= 4


async def test_a_day_of_listening_stays_within_its_calls_and_goes_on_the_next_day_in_china() -> None:
    room = wechat({"comments_day": 3, "comments_page": 2})
    post = (await room.published()).external_id
    said = {room.say(post, f"不热 {n}", f"居民{n}") for n in range(10)}
    first, cursor = await sweep(room, [post])
    assert room.asked(LIST) == 3
    room.clock.move(timedelta(hours=14, minutes=59))  # 23:59 in China
    nothing, cursor = await sweep(room, [post], cursor)
    assert nothing == []
    room.clock.move(timedelta(minutes=2))
    rest, _ = await sweep(room, [post], cursor)
    assert {id.partition("-")[2] for id in [*first, *rest]} == said


async def test_articles_beyond_the_first_thirty_are_forgotten_and_begin_anew() -> None:
    room = wechat()
    posts = [(await room.published(number)).external_id for number in range(1, 34)]
    for post in posts:
        room.say(post, "不热", "居民")
    heard, cursor = await sweep(room, posts[:30])
    assert len(heard) == 30
    assert len(json.loads(cursor)["places"]) == 30
    room.clock.move(60)
    heard, cursor = await sweep(room, posts[3:], cursor)
    assert len(heard) == 3
    assert set(json.loads(cursor)["places"]) == set(posts[3:])


async def test_an_article_without_the_number_of_its_comments_is_never_asked() -> None:
    room = wechat()
    room.stage.order("account", {"returns_msg_data_id": False})
    post = (await room.published()).external_id
    page = await room.channel.poll("", [post])
    assert isinstance(page, Page)
    assert (list(page.heard), page.more, room.asked(LIST)) == ([], False, 0)


@pytest.mark.parametrize(
    "cursor", ["{", "[]", "7", "null", '{"places": {"a~1": {}}}', '{"places": 1, "day": "", "used": 0}']
)
async def test_a_cursor_that_is_none_of_ours_begins_anew(cursor: str) -> None:
    room = wechat()
    post = (await room.published()).external_id
    room.say(post, "不热", "居民")
    page = await room.channel.poll(cursor, [post])
    assert isinstance(page, Page)
    assert len(page.heard) == 1


async def test_whatever_order_the_platform_lists_comments_in_none_is_lost_within_a_day() -> None:
    room = wechat({"comments_page": 5})
    post = (await room.published()).external_id
    number = post.partition("~")[2]
    rows = [{"user_comment_id": n, "openid": f"o-{n}", "content": "不热", "create_time": 1} for n in range(1, 21)]

    def oldest_first(request: Request, result: Result) -> Result:
        if LIST not in request.path:
            return result
        begin, count = (json.loads(request.body)[name] for name in ("begin", "count"))
        return answer_of({"errcode": 0, "total": len(rows), "comment": rows[begin : begin + count]})

    bent(room, oldest_first)
    heard, cursor = await sweep(room, [post])
    for _ in range(40):
        room.clock.move(timedelta(hours=1))
        gone, come = rows.pop(3), {**rows[0], "user_comment_id": 100 + len(heard)}
        rows.append(come)
        more, cursor = await sweep(room, [post], cursor)
        heard += more
        assert gone
    room.clock.move(timedelta(days=1))
    heard += (await sweep(room, [post], cursor))[0]
    assert {f"{number}-{row['user_comment_id']}" for row in rows} <= set(heard)


def test_a_round_is_the_same_after_being_written_and_read() -> None:
    profile = Profile(comments_page=2)
    round_ = Round().among(["a~1", "b~2"], START).asked("a~1", ["1-1", "1-2"], 4, profile, START)
    assert Round.read(round_.write()) == round_
    assert Round.read(json.dumps(json.loads(round_.write()), indent=1)) == round_


# Answers


async def heard_comment(room: Room, text: str = "什么时候修好？") -> Heard:
    post = (await room.published()).external_id
    room.say(post, text, "居民")
    page = await room.channel.poll("", [post])
    assert isinstance(page, Page)
    return page.heard[0]


async def test_an_answer_below_an_article_is_given_once_and_a_repeated_call_is_the_same_answer() -> None:
    room = wechat()
    comment = await heard_comment(room)
    room.order("drop_after", match="/reply/add")
    assert isinstance(await room.channel.answer(comment.raw, "今晚八点前恢复。", "key-a"), Unknown)
    assert isinstance(await room.channel.answer(comment.raw, "今晚八点前恢复。", "key-a"), Accepted)
    assert len(room.stage.look("received")) == 1


async def test_somebody_elses_answer_is_not_taken_for_ours() -> None:
    room = wechat()
    comment = await heard_comment(room)
    await room.channel.answer(comment.raw, "别人先答了。", "key-a")
    outcome = await room.channel.answer(comment.raw, "今晚八点前恢复。", "key-b")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.who) == ("88005", Who.EDITOR)


async def test_an_answer_that_nobody_can_look_up_is_unknown() -> None:
    room = wechat()
    comment = await heard_comment(room)
    await room.channel.answer(comment.raw, "别人先答了。", "key-a")
    room.order("drop_before", match=LIST)
    assert isinstance(await room.channel.answer(comment.raw, "今晚。", "key-b"), Unknown)


@pytest.mark.parametrize(
    ("kind", "value", "type_"),
    [
        ("drop_before", 0, Unknown), ("drop_after", 0, Unknown), ("status", 502, Unknown), ("garbage", 0, Unknown),
        ("code", -1, Unknown), ("code", 29999, Unknown), ("code", 88004, Refused), ("code", 88008, Refused),
        ("code", 45009, Refused), ("code", 48001, Refused),
    ],
)  # fmt: skip
async def test_an_answer_to_a_citizen_has_the_same_outcomes(kind: str, value: int, type_: type) -> None:
    room = wechat()
    comment = await heard_comment(room)
    room.order(kind, value, match="/reply/add")
    assert isinstance(await room.channel.answer(comment.raw, "今晚。", "key-a"), type_)


def message(room: Room, author: str = "居民") -> dict[str, Any]:
    """What a citizen sent, as the platform posts it."""
    room.stage.order("callback", {"url": "https://www.yunchuan.example/c", "mode": "plain"})
    room.stage.speak({"message": "家里不热", "author": author})
    delivery = room.stage.due()[-1]
    known = room.stage.platform.accounts()[0]
    keys = callback.Keys(known["appid"], known["callback_token"])
    query = delivery.request().query
    return dict(callback.take_in(keys, query, delivery.body, room.clock.now()))


async def test_a_message_is_answered_within_forty_eight_hours_and_not_after() -> None:
    room = wechat()
    said = message(room)
    room.clock.move(timedelta(hours=47, minutes=59))
    assert isinstance(await room.channel.answer(said, "今晚恢复。", "key-a"), Accepted)
    before = room.asked("/custom/send")
    room.clock.move(timedelta(minutes=2))
    outcome = await room.channel.answer(said, "今晚恢复。", "key-a")
    assert isinstance(outcome, Refused)
    assert (outcome.code, room.asked("/custom/send")) == ("window_closed", before)


async def test_the_sixth_answer_finds_the_window_shut() -> None:
    room = wechat()
    said = message(room)
    outcomes = [await room.channel.answer(said, f"第 {n} 条", f"key-{n}") for n in range(6)]
    assert [type(one) for one in outcomes] == [Accepted] * 5 + [Refused]
    assert isinstance(outcomes[-1], Refused)
    assert outcomes[-1].code == "window_closed"


@pytest.mark.parametrize(
    ("kind", "value", "type_", "code"),
    [
        ("code", 45015, Refused, "window_closed"), ("code", 45047, Refused, "window_closed"),
        ("code", 43004, Refused, "window_closed"), ("code", 40003, Refused, "window_closed"),
        ("code", 48001, Refused, "48001"), ("code", 45009, Refused, "45009"), ("code", -1, Unknown, ""),
        ("code", 31415, Unknown, ""), ("drop_after", 0, Unknown, ""), ("drop_before", 0, Unknown, ""),
        ("garbage", 0, Unknown, ""), ("status_after", 502, Unknown, ""),
    ],
)  # fmt: skip
async def test_every_number_for_a_message_says_whether_another_way_is_needed(
    kind: str, value: int, type_: type, code: str
) -> None:
    room = wechat()
    said = message(room)
    bend = {"errcode": value, "errmsg": "x"}
    if kind == "code":
        bent(room, says("/custom/send", bend))
    else:
        room.order(kind, value, match="/custom/send")
    outcome = await room.channel.answer(said, "今晚。", "key-a")
    assert isinstance(outcome, type_)
    if isinstance(outcome, Refused):
        assert outcome.code == code


async def test_an_answer_that_is_too_long_is_not_sent() -> None:
    room = wechat()
    assert isinstance(await room.channel.answer(message(room), "长" * 683, "key-a"), Refused)
    comment = {"msg_data_id": "1", "user_comment_id": 1}
    assert isinstance(await room.channel.answer(comment, "长" * 601, "key-a"), Refused)
    assert room.asked("/custom/send") == room.asked("/reply/add") == 0


async def test_an_answer_to_nobody_is_refused_without_a_call() -> None:
    room = wechat()
    for to in ({}, {"FromUserName": "o-1"}, {"msg_data_id": "1"}, {"FromUserName": "o-1", "CreateTime": "x"}):
        assert isinstance(await room.channel.answer(to, "好", "key-a"), Refused)
    assert room.asked("/") == 0


def test_only_what_proves_posts_leaves_the_channel_and_never_the_secret() -> None:
    account = {"channel": "wechat", "settings": {"app_id": "wx1"}}
    secrets = {"secret": "S" * 32, "callback_token": "T", "aes_key": "K" * 43}
    channel = connect(account, secrets, bent(wechat()), lambda: START)
    assert channel.callback_keys() == {"app_id": "wx1", "token": "T", "aes_key": "K" * 43}  # type: ignore[attr-defined]
    silent = connect(account, {"secret": "S"}, bent(wechat()), lambda: START)
    assert silent.callback_keys() is None  # type: ignore[attr-defined]
