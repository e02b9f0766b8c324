"""The 微信公众号 channel: its numbers, its token, drafts that are taken up again, and every verdict."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Accepted, Found, Page, Pending, Refused, Staged, Unknown, Who
from channels.exchange import Answer
from channels.surroundings import Token
from channels.wechat import wire
from channels.wechat.codes import CODES, TOKEN_CODES, Again
from channels.wechat.preparing import Cover, prepare
from channels.wechat.profile import Profile
from tests.contracts.channel_rooms import SHA, START, Room, pictures, variant, wechat
from tests.contracts.wechat_room import (
    ACT,
    DRAFT,
    LIST,
    SUBMIT,
    TOKEN,
    Bent,
    anew,
    another,
    answer_of,
    bent,
    drafts,
    publish,
    says,
    with_pictures,
)

# Numbers


@pytest.mark.parametrize("code", sorted(set(CODES) - TOKEN_CODES), ids=str)
async def test_every_number_after_a_publication_means_what_the_table_says(code: int) -> None:
    room = wechat()
    room.order("code", code)
    outcome = await publish(room)
    row = CODES[code]
    if row.again is Again.LOOK or not row.sure:
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.who) == (str(code), row.who)
        assert (outcome.retry_after is not None) is (row.who is Who.NOBODY)
    assert room.public() == []


@pytest.mark.parametrize("code", sorted(set(CODES) - TOKEN_CODES), ids=str)
async def test_every_number_while_staging_is_a_refusal_that_says_who_must_act(code: int) -> None:
    room = wechat()
    room.order("code", code, match=DRAFT)
    staged = await room.channel.stage(room.channel.prepare(variant()), "key-1", pictures)
    assert isinstance(staged, Refused)
    if code != 40007:
        assert (staged.code, staged.who) == (str(code), CODES[code].who)


@pytest.mark.parametrize("code", sorted(set(CODES) - TOKEN_CODES - {88001, 88002}), ids=str)
async def test_every_number_while_listening_is_a_refusal(code: int) -> None:
    room = wechat()
    post = (await room.published()).external_id
    room.order("code", code, match=LIST)
    polled = await room.channel.poll("", [post])
    assert isinstance(polled, Refused)
    assert polled.code == str(code)


@pytest.mark.parametrize("code", [1, 40066, 45005, 89999, 99999])
async def test_a_number_that_nobody_told_us_is_unknown_after_publishing_and_refused_elsewhere(code: int) -> None:
    room = wechat()
    bent(room, says(SUBMIT, {"errcode": code, "errmsg": "?"}))
    assert isinstance(await publish(room), Unknown)
    other = wechat()
    other.order("code", code, match=DRAFT)
    staged = await other.channel.stage(other.channel.prepare(variant()), "key-1", pictures)
    assert isinstance(staged, Refused)
    assert staged.who is Who.ADMINISTRATOR


async def test_busy_after_the_work_is_unknown_and_found_by_a_look() -> None:
    room = wechat()
    staged = await room.staged()
    bent(room, says(SUBMIT, {"errcode": -1, "errmsg": "system error"}))
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    room.later()
    assert isinstance(await room.channel.find_published("key-1", staged, START), Found)


def test_the_table_has_a_sentence_and_a_time_for_every_number() -> None:
    assert len(CODES) >= 55
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in code.reason) for code in CODES.values())
    assert all(code.after for code in CODES.values() if code.who is Who.NOBODY)


@pytest.mark.parametrize("path", ACT)
@pytest.mark.parametrize(("body", "status"), [({}, 200), ({"message": "forbidden"}, 403), ({"errcode": 0}, 404)])
async def test_only_the_platforms_own_yes_is_taken_for_one(path: str, body: Any, status: int) -> None:
    """An act answers errcode 0; a page of some proxy in between is nobody's yes."""
    room = wechat()
    post = await room.published()
    room.say(post.external_id, "什么时候修好？", "居民")
    page = await room.channel.poll("", [post.external_id])
    assert isinstance(page, Page)
    bent(room, says(path, body, status))
    message = {"FromUserName": "o-1", "CreateTime": str(int(START.timestamp()))}
    acts = {
        ACT[0]: lambda: publish(room, 2),
        ACT[1]: lambda: room.channel.withdraw(post.external_id, "有误", "key-w"),
        ACT[2]: lambda: room.channel.answer(page.heard[0].raw, "今晚。", "key-a"),
        ACT[3]: lambda: room.channel.answer(message, "今晚。", "key-a"),
    }
    assert isinstance(await acts[path](), Unknown)


json_parts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["²", "--1", "0", "7", "\ud800", "x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["errcode", "errmsg", "item", "content", "news_item", "article_id", "media_id", "update_time", "title",
             "comment", "user_comment_id", "openid", "create_time", "reply", "total", "publish_status", "publish_id",
             "article_detail", "article_url", "fail_idx", "access_token", "expires_in", "url"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=14,
)  # fmt: skip
NAMES = (
    "item", "comment", "total", "publish_status", "article_id", "article_detail", "expires_in", "access_token",
    "media_id", "url",
)  # fmt: skip
json_bodies = st.fixed_dictionaries(
    {},
    optional={
        "errcode": st.sampled_from([0, "0", "²", "--1", None, 1.5, 40007, 40001, 88005, True]),
        **dict.fromkeys(NAMES, json_parts),
    },
)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(body: bytes) -> None:
    said = wire.read(Answer(200, {}, body))
    assert said.body is None or isinstance(said.body, dict)


def test_a_very_deep_answer_is_unreadable_and_no_fault() -> None:
    assert wire.read(Answer(200, {}, b"[" * 100_000)).body is None


@settings(max_examples=150, deadline=None)
@given(json_parts | json_bodies)
async def test_whatever_json_the_platform_answers_no_call_raises(value: Any) -> None:
    room = wechat()
    staged = await room.staged()
    content = json.dumps(value).encode()
    bent(room, lambda _request, _result: Answer(200, {}, content))
    await room.channel.preflight()
    room.channel.line.hand = Token("t" * 10, START + timedelta(hours=1))  # type: ignore[attr-defined]
    outcomes = [
        await room.channel.publish(staged, "key-1"),
        await room.channel.check("1:2"),
        await room.channel.find_published("key-1", staged, START),
        await room.channel.stage(staged.prepared, "key-1", pictures),
        await room.channel.withdraw("a~1", "有误", "key-w"),
        await room.channel.poll("", ["a~1"]),
        await room.channel.answer({"msg_data_id": "1", "user_comment_id": 2}, "好", "key-a"),
    ]
    assert not isinstance(outcomes[0], Accepted)


# The token


def token_bodies(hand: Bent) -> list[dict[str, Any]]:
    return hand.bodies(TOKEN)


async def test_an_expired_token_is_renewed_in_good_time_and_nobody_notices() -> None:
    room = wechat()
    hand = bent(room)
    await room.staged()
    room.clock.move(timedelta(hours=3))
    assert isinstance(await room.settled(await publish(room, 2)), Accepted)
    assert hand.count(TOKEN) == 2


async def test_a_token_replaced_by_somebody_else_is_renewed_with_the_next_preparing_and_never_inside_publish() -> None:
    room = wechat()
    staged = await room.staged()
    hand = bent(room)
    known = room.stage.platform.accounts()[0]
    room.clock.move(60)
    protocol = wire.Wire("https://platform.example", known["appid"], known["secret"])
    await hand.inner.send(protocol.stable_token(force=True))
    refused = await room.channel.publish(staged, "key-1")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.who, hand.count(TOKEN), hand.count(SUBMIT)) == ("token_replaced", Who.NOBODY, 0, 1)
    again = await room.channel.stage(staged.prepared, "key-1", pictures)
    assert isinstance(again, Staged)
    assert isinstance(await room.channel.publish(again, "key-1"), Pending)
    assert token_bodies(hand)[0]["force_refresh"] is False
    assert (hand.count(TOKEN), hand.count(SUBMIT)) == (1, 2)


async def test_publish_waits_for_no_token_where_none_is_in_hand() -> None:
    room, other = wechat(), wechat()
    staged = await room.staged()
    hand = bent(other)
    refused = await other.channel.publish(staged, "key-1")
    assert isinstance(refused, Refused)
    assert (refused.who, hand.count(TOKEN), hand.count(SUBMIT)) == (Who.NOBODY, 0, 0)


@pytest.mark.parametrize("code", sorted(TOKEN_CODES), ids=str)
async def test_a_token_that_is_always_refused_costs_one_renewal_and_then_a_person_hears_of_it(code: int) -> None:
    room = wechat()
    staged = await room.staged()
    hand = bent(room)
    room.order("code", code, times=50)
    room.order("code", code, times=50, match="/cgi-bin/draft")
    assert isinstance(await room.channel.publish(staged, "key-1"), Refused)
    outcome = await room.channel.stage(staged.prepared, "key-1", pictures)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.who) == (str(code), Who.ADMINISTRATOR)
    assert hand.count(SUBMIT) == 1
    assert [body["force_refresh"] for body in token_bodies(hand)] == [False, True]
    assert room.public() == []


async def test_a_token_that_is_refused_all_day_leaves_the_days_forced_renewals_and_its_cause_visible() -> None:
    room = wechat()
    hand = bent(room, says("/draft/count", {"errcode": 40001, "errmsg": "invalid credential rid: 1-2-3"}))
    states = set()
    for _ in range(24 * 20):
        states.add((await room.channel.preflight()).state)
        room.clock.move(timedelta(minutes=3))
    assert states == {"not_connected"}
    assert sum(body["force_refresh"] for body in token_bodies(hand)) <= 12


async def test_two_tasks_whose_token_is_dead_renew_it_once() -> None:
    room = wechat()
    staged = [await room.staged(number) for number in range(1, 6)]
    room.clock.move(60)
    known = room.stage.platform.accounts()[0]
    hand = bent(room)
    protocol = wire.Wire("https://platform.example", known["appid"], known["secret"])
    await hand.inner.send(protocol.stable_token(force=True))
    outcomes = await asyncio.gather(
        *(room.channel.stage(one.prepared, f"key-{n}", pictures) for n, one in enumerate(staged, 1))
    )
    assert all(isinstance(one, Staged) for one in outcomes)
    assert hand.count(TOKEN) == 1


async def test_two_tasks_without_a_token_fetch_it_once() -> None:
    room = wechat()
    hand = bent(room)
    await asyncio.gather(*(room.channel.preflight() for _ in range(5)))
    assert hand.count(TOKEN) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "garbage", "status"])
async def test_a_lost_answer_of_the_token_call_is_a_certain_refusal_and_tried_again(kind: str) -> None:
    room = wechat()
    staged = await room.staged()
    room.clock.move(timedelta(hours=3))
    room.order(kind, match=TOKEN)
    outcome = await room.channel.stage(staged.prepared, "key-1", pictures)
    assert isinstance(outcome, Refused)
    assert outcome.retry_after
    assert isinstance(await room.channel.stage(staged.prepared, "key-1", pictures), Staged)


async def test_an_address_outside_the_whitelist_is_shown_to_the_administrator() -> None:
    room = wechat()
    room.stage.order("account", {"whitelist": ["203.0.113.7"]})
    health = await room.channel.preflight()
    assert health.state == "not_connected"
    assert "127.0.0.1" in health.reason
    staged = await room.channel.stage(room.channel.prepare(variant()), "key-1", pictures)
    assert isinstance(staged, Refused)
    assert (staged.code, staged.who) == ("40164", Who.ADMINISTRATOR)
    assert "127.0.0.1" in staged.reason


async def test_a_wrong_secret_is_said_and_asks_for_no_more_tokens() -> None:
    room = wechat()
    hand = bent(room, says(TOKEN, {"errcode": 40125, "errmsg": "invalid appsecret rid: 1-2-3"}))
    health = await room.channel.preflight()
    assert (health.state, hand.count(TOKEN)) == ("not_connected", 1)
    assert "AppSecret" in health.reason


async def test_an_account_that_may_not_publish_is_told_when_it_is_connected_and_not_at_the_first_article() -> None:
    room = wechat()
    room.stage.order("account", {"certified": False})
    health = await room.channel.preflight()
    assert health.state == "not_connected"
    assert "认证" in health.reason


async def test_an_account_without_comments_is_told_to_switch_them_off() -> None:
    room = wechat()
    room.stage.order("account", {"comment_privilege": False})
    assert "留言" in (await room.channel.preflight()).reason
    quiet = wechat({"comments": 0})
    quiet.stage.order("account", {"comment_privilege": False})
    assert (await quiet.channel.preflight()).state == "ok"
    assert isinstance(await quiet.settled(await publish(quiet)), Accepted)


# Staging


async def test_each_picture_is_uploaded_once_however_often_it_stands_in_the_text_and_is_tried() -> None:
    room = wechat()
    (one, first), (two, second) = another(1), another(2)
    contents = {one.sha256: first, two.sha256: second}

    async def give(sha256: str) -> bytes:
        return contents[sha256]

    prepared = room.channel.prepare(with_pictures(one, two, one))
    for _ in range(3):
        assert isinstance(await room.channel.stage(prepared, "key-1", give), Staged)
    assert (room.asked("/uploadimg"), room.asked("/add_material"), room.asked(DRAFT)) == (2, 1, 1)
    assert isinstance(await room.settled(await room.channel.publish(await staged_with(room, prepared, give), "key-1")),
                      Accepted)  # fmt: skip
    assert [post["pictures"] for post in room.public()] == [3]


async def staged_with(room: Room, prepared: Any, give: Any) -> Staged:
    found = await room.channel.stage(prepared, "key-1", give)
    assert isinstance(found, Staged)
    return found


async def test_a_refused_picture_is_named_by_its_place_in_the_text() -> None:
    room = wechat()
    (one, first), (bad, second) = another(1), another(2)
    contents = {one.sha256: first, bad.sha256: second}

    async def give(sha256: str) -> bytes:
        return contents[sha256]

    prepared = room.channel.prepare(with_pictures(one, one, bad))
    hand = bent(room)
    hand.bend = (
        lambda request, result: answer_of({"errcode": 40005, "errmsg": "x"}) if second in request.body else result
    )
    refused = await room.channel.stage(prepared, "key-1", give)
    assert isinstance(refused, Refused)
    assert (refused.part, refused.code) == ("第 3 张图", "40005")
    assert refused.reason.startswith("第 3 张图 1 KB：") and refused.picture == bad.sha256
    assert room.asked(DRAFT) == 0


def test_a_picture_that_is_not_in_the_library_any_more_is_said_and_never_left_out_in_silence() -> None:
    (one, _), (two, _) = another(1), another(2)
    prepared = prepare(replace(with_pictures(one, two), pictures=(one,)), Profile(), Cover(SHA))
    assert [(each.rule, each.severity, each.field) for each in prepared.problems] == [
        ("wechat_picture_gone", "block", "pictures[1]")
    ]


def test_an_article_without_picture_and_without_the_accounts_cover_is_blocked() -> None:
    problems = prepare(variant(), Profile()).problems
    assert [each.rule for each in problems] == ["wechat_cover"]
    assert prepare(variant(), Profile(), Cover(SHA)).problems == []


@pytest.mark.parametrize("code", [40005, 40009, 45001])
async def test_a_cover_that_is_refused_is_named(code: int) -> None:
    room = wechat()
    room.order("code", code, match="/add_material")
    refused = await room.channel.stage(room.channel.prepare(variant()), "key-1", pictures)
    assert isinstance(refused, Refused)
    assert refused.part == "封面图"


async def test_a_cover_that_is_gone_from_the_library_is_uploaded_again_with_the_next_try() -> None:
    room = wechat()
    await room.staged(1)
    state = room.stage.platform._state  # type: ignore[attr-defined]
    for media_id in list(state.media):
        room.stage.record([{"kind": "media_removed", "media_id": media_id}])
    refused = await room.channel.stage(room.channel.prepare(variant(2)), "key-2", pictures)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.who) == ("cover_gone", Who.NOBODY)
    assert refused.retry_after
    assert isinstance(await room.channel.stage(room.channel.prepare(variant(2)), "key-2", pictures), Staged)
    assert room.asked("/add_material") == 2


async def test_after_a_crash_the_draft_of_the_earlier_try_is_taken_up_again() -> None:
    room = wechat()
    first = await room.staged()
    anew(room)
    second = await room.staged()
    assert first.refs == second.refs
    assert len(drafts(room)) == 1


@pytest.mark.parametrize("kind", ["drop_after", "close", "garbage", "status_after"])
async def test_a_draft_whose_answer_was_lost_is_found_by_the_next_try(kind: str) -> None:
    room = wechat()
    room.order(kind, match=DRAFT)
    assert isinstance(await room.channel.stage(room.channel.prepare(variant()), "key-1", pictures), Unknown)
    await room.staged()
    assert len(drafts(room)) == 1


async def test_however_often_a_key_is_staged_one_draft_lies_in_the_box() -> None:
    room = wechat()
    for number in range(12):
        if number % 3 == 1:
            room.order("drop_after", match=DRAFT)
        if number % 4 == 2:
            room.order("drop_before", match="/draft/batchget")
        if number % 4 == 3:
            anew(room)
        await room.channel.stage(room.channel.prepare(variant()), "key-1", pictures)
    assert len(drafts(room)) == 1


async def test_an_equal_draft_of_another_publication_is_never_taken() -> None:
    room = wechat()
    prepared = room.channel.prepare(variant())
    one = await room.channel.stage(prepared, "key-1", pictures)
    two = await room.channel.stage(prepared, "key-2", pictures)
    assert isinstance(one, Staged)
    assert isinstance(two, Staged)
    assert one.refs["media_id"] != two.refs["media_id"]


async def test_without_the_websites_address_no_draft_is_taken_for_ours() -> None:
    room = wechat()
    prepared = room.channel.prepare(replace(variant(), link=None))
    one, two = [await room.channel.stage(prepared, "key-1", pictures) for _ in range(2)]
    assert isinstance(one, Staged)
    assert isinstance(two, Staged)
    assert one.refs["media_id"] != two.refs["media_id"]


async def test_a_draft_that_somebody_changed_by_hand_is_not_taken_up_again() -> None:
    room = wechat()
    first = await room.staged()
    state = room.stage.platform._state  # type: ignore[attr-defined]
    draft = state.drafts[first.refs["media_id"]]
    changed = {**draft, "articles": [{**draft["articles"][0], "content": "<p>改过的话</p>"}]}
    room.stage.record([{**changed, "kind": "draft"}])
    assert (await room.staged()).refs["media_id"] != first.refs["media_id"]


# Publishing


async def test_a_lost_answer_is_found_by_a_look() -> None:
    room = wechat()
    staged = await room.staged()
    room.order("drop_after")
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    still = await room.channel.find_published("key-1", staged, START)
    assert isinstance(still, Unknown), "submitted, and not among the articles yet"
    room.later()
    assert isinstance(await room.channel.find_published("key-1", staged, START), Found)


async def test_a_draft_still_in_the_box_was_certainly_not_published() -> None:
    room = wechat()
    staged = await room.staged()
    room.order("drop_before")
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    assert await room.channel.find_published("key-1", staged, START) is None


async def test_a_box_that_cannot_be_asked_is_unknown_and_not_absent() -> None:
    for kind in ("drop_before", "status", "garbage"):
        room = wechat()
        staged = await room.staged()
        room.order(kind, match="/draft/get")
        assert isinstance(await room.channel.find_published("key-1", staged, START), Unknown)


async def test_a_second_submission_publishes_nothing_and_is_accepted_only_where_the_first_is_seen() -> None:
    room = wechat()
    staged = await room.staged()
    assert isinstance(await room.channel.publish(staged, "key-1"), Pending)
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown), "not among the articles yet"
    room.later()
    assert isinstance(await room.channel.publish(staged, "key-1"), Accepted)
    assert len(room.public()) == 1


@pytest.mark.parametrize(
    ("status", "type_"), [(0, Accepted), (1, Pending), (2, Refused), (3, Refused), (4, Refused), (5, Refused),
                          (6, Refused), (7, Unknown), (99, Unknown)],
)  # fmt: skip
@pytest.mark.parametrize("text", [False, True])
async def test_every_verdict_has_its_outcome_and_a_new_one_is_unknown(status: int, type_: type, text: bool) -> None:
    room = wechat()
    pending = await publish(room)
    assert isinstance(pending, Pending)
    room.later()
    said: dict[str, Any] = {"publish_id": "1", "publish_status": str(status) if text else status, "fail_idx": [1, 3]}
    if status == 0:
        said |= {"article_id": "A-1", "article_detail": {"count": 1, "item": [{"idx": 1, "article_url": "https://x/s"}]}}
    bent(room, says("/freepublish/get", said))
    outcome = await room.channel.check(pending.ticket)
    assert isinstance(outcome, type_)
    if isinstance(outcome, Refused):
        assert outcome.who is Who.EDITOR
        assert "第 1、3 篇" in outcome.reason
    if isinstance(outcome, Accepted):
        assert (outcome.external_id.partition("~")[0], outcome.url) == ("A-1", "https://x/s")


@pytest.mark.parametrize("status", [2, 3, 4])
async def test_an_article_that_failed_is_refused_and_its_draft_can_be_published_later(status: int) -> None:
    room = wechat()
    room.stage.order("verdict", {"status": status, "fail_idx": [1]})
    outcome = await room.settled(await publish(room))
    assert isinstance(outcome, Refused)
    assert outcome.code == f"status_{status}"
    assert room.public() == []
    assert isinstance(await room.settled(await publish(room)), Accepted)
    assert len(room.public()) == 1


@pytest.mark.parametrize("said", [{}, {"publish_status": None}, {"publish_status": "²"}, {"publish_status": 0}])
async def test_a_verdict_that_says_nothing_is_waited_for(said: Any) -> None:
    room = wechat()
    pending = await publish(room)
    assert isinstance(pending, Pending)
    bent(room, says("/freepublish/get", said))
    assert isinstance(await room.channel.check(pending.ticket), Pending)


async def test_a_look_at_the_verdict_that_fails_is_waited_for() -> None:
    room = wechat()
    pending = await publish(room)
    assert isinstance(pending, Pending)
    for kind, value in (("drop_before", 0), ("status", 502), ("code", 45009), ("code", 40164), ("code", 12345)):
        room.order(kind, value, match="/freepublish/get")
        assert isinstance(await room.channel.check(pending.ticket), Pending)


async def test_an_article_deleted_by_hand_is_not_found_as_ours() -> None:
    room = wechat()
    staged = await room.staged()
    outcome = await room.settled(await room.channel.publish(staged, "key-1"))
    assert isinstance(outcome, Accepted)
    assert isinstance(await room.channel.withdraw(outcome.external_id, "有误", "key-w"), Accepted)
    assert isinstance(await room.channel.find_published("key-1", staged, START), Unknown)


async def test_two_publications_of_the_same_words_are_never_taken_for_each_other() -> None:
    room = wechat()
    prepared = room.channel.prepare(variant())
    one = await room.channel.stage(prepared, "key-1", pictures)
    two = await room.channel.stage(prepared, "key-2", pictures)
    assert isinstance(one, Staged)
    assert isinstance(two, Staged)
    first = await room.settled(await room.channel.publish(one, "key-1"))
    assert await room.channel.find_published("key-2", two, START) is None
    second = await room.settled(await room.channel.publish(two, "key-2"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    for key, staged, outcome in (("key-1", one, first), ("key-2", two, second)):
        found = await room.channel.find_published(key, staged, START)
        assert isinstance(found, Found)
        assert found.external_id == outcome.external_id.partition("~")[0]


async def test_without_the_websites_address_an_older_article_of_the_same_words_is_not_ours() -> None:
    room = wechat()
    prepared = room.channel.prepare(replace(variant(), link=None))
    old = await room.channel.stage(prepared, "key-1", pictures)
    assert isinstance(old, Staged)
    await room.settled(await room.channel.publish(old, "key-1"))
    room.clock.move(timedelta(days=2))
    new = await room.channel.stage(prepared, "key-2", pictures)
    assert isinstance(new, Staged)
    assert await room.channel.find_published("key-2", new, room.clock.now()) is None
    room.order("drop_after")
    await room.channel.publish(new, "key-2")
    room.later()
    assert isinstance(await room.channel.find_published("key-2", new, room.clock.now() - timedelta(hours=1)), Found)


async def test_two_equal_articles_without_an_address_are_left_to_a_person() -> None:
    room = wechat()
    prepared = room.channel.prepare(replace(variant(), link=None))
    for key in ("key-1", "key-2"):
        staged = await room.channel.stage(prepared, key, pictures)
        assert isinstance(staged, Staged)
        await room.settled(await room.channel.publish(staged, key))
    assert isinstance(await room.channel.find_published("key-2", staged, START), Unknown)


async def test_what_was_staged_without_a_number_is_prepared_again() -> None:
    room = wechat()
    outcome = await room.channel.publish(Staged(room.channel.prepare(variant()), {}), "key-1")
    assert isinstance(outcome, Refused)
    assert (outcome.retry_after, room.asked(SUBMIT)) == (timedelta(), 0)


async def test_a_deletion_names_the_first_article_and_never_all() -> None:
    room = wechat()
    post = await room.published()
    hand = bent(room)
    await room.channel.withdraw(post.external_id, "有误", "key-w")
    assert [body["index"] for body in hand.bodies("/freepublish/delete")] == [1]


async def test_a_deletion_whose_answer_is_lost_is_unknown_and_one_of_nothing_is_refused() -> None:
    room = wechat()
    post = await room.published()
    for kind in ("drop_after", "garbage", "status_after"):
        room.order(kind, match="/freepublish/delete")
        assert isinstance(await room.channel.withdraw(post.external_id, "有误", "key-w"), Unknown)
    assert isinstance(await room.channel.withdraw("none~1", "有误", "key-w"), Refused)
