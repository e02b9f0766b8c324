"""The 微信公众号 channel: its numbers, its token, drafts that are taken up again, verdicts, comments and messages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Accepted, Found, Heard, Outcome, Page, Pending, Picture, Refused, Staged, Unknown, Who
from channels.exchange import Answer, Request, Result, Transport
from channels.kinds import connect
from channels.wechat import callback, rendering, wire
from channels.wechat.codes import CODES, TOKEN_CODES, Again
from channels.wechat.listening import Round
from channels.wechat.preparing import Cover, prepare
from channels.wechat.profile import Profile, profile_of
from channels.wechat.rendering import PICTURE, render, source_of, with_addresses
from hub.domain import blocks
from tests.contracts.channel_rooms import SHA, START, Room, pictures, variant, wechat

DRAFT, SUBMIT, LIST, TOKEN = "/draft/add", "/freepublish/submit", "/comment/list", "/stable_token"
ACT = ("/freepublish/submit", "/freepublish/delete", "/comment/reply/add", "/message/custom/send")


def answer_of(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body, ensure_ascii=False).encode())


@dataclass
class Bent:
    """The platform behind a hand that changes what it answers, or says, on some paths."""

    inner: Transport
    bend: Callable[[Request, Result], Result]
    asked: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Result:
        self.asked.append(request)
        await asyncio.sleep(0)
        return self.bend(request, await self.inner.send(request))

    def count(self, part: str) -> int:
        return sum(part in request.path for request in self.asked)

    def bodies(self, part: str) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.asked if part in request.path]


def bent(room: Room, bend: Callable[[Request, Result], Result] = lambda _request, result: result) -> Bent:
    hand = Bent(room.channel.transport, bend)  # type: ignore[attr-defined]
    room.channel.transport = hand  # type: ignore[attr-defined]
    return hand


def says(part: str, body: Any, status: int = 200) -> Callable[[Request, Result], Result]:
    """The work is done, and this is answered in place of what the platform said."""
    return lambda request, result: answer_of(body, status) if part in request.path else result


def anew(room: Room, **settings: Any) -> None:
    """The same account in a new process: nothing remembered."""
    old = room.channel
    known = room.stage.platform.accounts()[0]
    given = {"app_id": known["appid"], "base_url": "https://platform.example", "default_cover": SHA, **settings}
    account = {"channel": "wechat", "settings": given}
    room.channel = connect(account, {"secret": known["secret"]}, old.transport, room.clock.now)  # type: ignore[attr-defined]


async def publish(room: Room, number: int = 1, **more: Any) -> Outcome:
    return await room.channel.publish(await room.staged(number, **more), f"key-{number}")


def drafts(room: Room) -> list[str]:
    platform = room.stage.platform
    state = platform._state  # type: ignore[attr-defined]
    return [id for id in state.drafts if state.draft(id, room.clock.now())]


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
    room.channel.line.token = "t" * 10  # type: ignore[attr-defined]
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


async def test_a_token_replaced_by_somebody_else_is_renewed_once_and_the_call_is_made() -> None:
    room = wechat()
    staged = await room.staged()
    hand = bent(room)
    known = room.stage.platform.accounts()[0]
    room.clock.move(60)
    protocol = wire.Wire("https://platform.example", known["appid"], known["secret"])
    await hand.inner.send(protocol.stable_token(force=True))
    assert isinstance(await room.channel.publish(staged, "key-1"), Pending)
    assert token_bodies(hand)[0]["force_refresh"] is False
    assert (hand.count(TOKEN), hand.count(SUBMIT)) == (1, 2)


@pytest.mark.parametrize("code", sorted(TOKEN_CODES), ids=str)
async def test_a_token_that_is_always_refused_costs_one_renewal_and_then_a_person_hears_of_it(code: int) -> None:
    room = wechat()
    staged = await room.staged()
    hand = bent(room)
    room.order("code", code, times=50)
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.who) == (str(code), Who.ADMINISTRATOR)
    assert hand.count(SUBMIT) == 2
    assert [body["force_refresh"] for body in token_bodies(hand)] == [False, True]
    assert room.public() == []


async def test_two_tasks_whose_token_is_dead_renew_it_once() -> None:
    room = wechat()
    staged = [await room.staged(number) for number in range(1, 6)]
    room.clock.move(60)
    known = room.stage.platform.accounts()[0]
    hand = bent(room)
    protocol = wire.Wire("https://platform.example", known["appid"], known["secret"])
    await hand.inner.send(protocol.stable_token(force=True))
    outcomes = await asyncio.gather(*(room.channel.publish(one, f"key-{n}") for n, one in enumerate(staged, 1)))
    assert all(isinstance(one, Pending) for one in outcomes)
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
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.retry_after
    assert room.asked(SUBMIT) == 0
    assert isinstance(await room.channel.publish(staged, "key-1"), Pending)


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


def another(number: int) -> tuple[Picture, bytes]:
    content = b"\x89PNG\r\n\x1a\n" + str(number).encode() * 50
    return Picture(hashlib.sha256(content).hexdigest(), "image/png", 9, 9, len(content)), content


def with_pictures(*shown: Picture) -> Any:
    told = [{"kind": "img", "media": each.sha256, "alt": "图"} for each in shown]
    return replace(variant(), pictures=shown, blocks=[*variant().blocks, *told])


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
    assert refused.reason.startswith("第 3 张图：")
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


# Preparing


def test_what_is_exactly_as_long_as_the_platform_takes_is_taken_by_it_and_no_more() -> None:
    room = wechat()
    around = len(render([{"kind": "p", "runs": [{"text": "x"}]}])) - 1
    for extra, blocked in ((0, False), (1, True)):
        runs = [{"text": "长" * (20_000 - 1 - around + extra)}]
        prepared = room.channel.prepare(replace(variant(), blocks=[{"kind": "p", "runs": runs}]))
        assert [each.rule for each in prepared.problems] == (["wechat_content"] if blocked else [])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"title": "长" * 33}, "wechat_title"), ({"title": " "}, "wechat_title"), ({"digest": "长" * 129},
        "wechat_digest"), ({"meta": {"author": "长" * 17}}, "wechat_author"), ({"blocks": []}, "wechat_content"),
        ({"link": "https://www.yunchuan.example/" + "a" * 990}, "wechat_source"),
    ],
)  # fmt: skip
async def test_what_the_platform_would_refuse_is_said_before(changes: dict[str, Any], rule: str) -> None:
    room = wechat()
    prepared = room.channel.prepare(replace(variant(), **changes))
    assert [each.rule for each in prepared.problems if each.severity == "block"] == [rule]
    staged = await room.channel.stage(prepared, "key-1", pictures)
    assert isinstance(staged, Refused)


@pytest.mark.parametrize("length", [1009, 1010])
async def test_the_address_is_measured_with_the_mark_it_will_carry(length: int) -> None:
    room = wechat()
    link = ("https://www.yunchuan.example/" + "a" * 1024)[:length]
    prepared = room.channel.prepare(replace(variant(), link=link))
    staged = await room.channel.stage(prepared, "key-1", pictures)
    blocked = any(each.severity == "block" for each in prepared.problems)
    assert blocked is isinstance(staged, Refused)


def test_the_mark_is_the_same_for_a_key_and_another_for_another() -> None:
    link = "https://www.yunchuan.example/a#part"
    assert source_of(link, "k1") == source_of(link, "k1") != source_of(link, "k2")
    assert source_of(link, "k1").startswith("https://www.yunchuan.example/a#gh")
    assert source_of("", "k1") == ""


def test_wrong_figures_are_refused_with_a_sentence() -> None:
    for figures in ({"title": -1}, {"digest": "140"}):
        with pytest.raises(ValueError, match="公众号账号"):
            profile_of(figures)


# Rendering


RUN = {"text": "供暖&<b>恢复</b>", "marks": ["bold"]}
SAMPLES: dict[str, dict[str, Any]] = {
    "h2": {"runs": [RUN]}, "h3": {"runs": [RUN]}, "quote": {"runs": [RUN]}, "note": {"runs": [RUN]},
    "p": {"runs": [RUN], "role": "lead"}, "ul": {"items": [[RUN], [RUN]]}, "ol": {"items": [[RUN]]},
    "img": {"media": SHA, "alt": 'a" onerror="x', "caption": "说明", "source": "来源"},
    "images": {"items": [{"media": SHA}, {"media": "1" * 64, "caption": "<i>"}]},
    "table": {"rows": [[{"runs": [RUN], "head": True, "colspan": 2}], [{"runs": [RUN]}, {"runs": []}]],
              "caption": "表"},
    "video": {"media": SHA, "caption": "<视频>"}, "file": {"media": SHA, "name": "<通知>.pdf"},
    "footnote": {"mark": "1", "runs": [RUN]}, "hr": {},
}  # fmt: skip


def test_every_kind_of_block_has_a_rendering() -> None:
    assert rendering.KINDS == set(blocks.KINDS) == set(SAMPLES)
    for kind, fields in SAMPLES.items():
        assert render(blocks.check([{"kind": kind, **fields}])), kind


words = st.text(st.sampled_from("汉字ab <>&\"'/\n😀1;"), max_size=12)
run = st.fixed_dictionaries(
    {"text": words},
    optional={
        "marks": st.lists(st.sampled_from(["bold", "italic", "underline", "sup", "sub"]), unique=True),
        "link": st.sampled_from(["https://a.example/?x=1&y=<2>".replace("<", "").replace(">", ""), "http://b.example/"]),
    },
)
runs = st.lists(run, max_size=4)
said = st.builds(
    lambda kind, given: {"kind": kind, ("items" if kind in ("ul", "ol") else "runs"): given},
    st.just("p") | st.sampled_from(["h2", "h3", "quote", "note"]),
    runs,
) | st.builds(
    lambda kind, items: {"kind": kind, "items": items}, st.sampled_from(["ul", "ol"]), st.lists(runs, max_size=3)
)
tables = st.builds(
    lambda rows: {"kind": "table", "rows": rows},
    st.lists(st.lists(st.builds(lambda given: {"runs": given}, runs), min_size=1, max_size=3), max_size=3),
)


def plain_of(html: str) -> str:
    return "".join(unescape(re.sub(r"<sup>［\d+］</sup>|<[^>]*>", "", html)).split())


def said_in(given: Any) -> str:
    """Every text of every run, in order."""
    if isinstance(given, dict):
        return str(given["text"]) if "text" in given else "".join(said_in(value) for value in given.values())
    return "".join(map(said_in, given)) if isinstance(given, list) else ""


@given(st.lists(said | tables, max_size=5))
def test_the_words_of_the_blocks_are_the_words_of_the_article_in_order(given: list[dict[str, Any]]) -> None:
    expected = "".join(said_in([{k: v for k, v in block.items() if k != "kind"} for block in given]).split())
    assert plain_of(render(given)).startswith(expected)


TAGS = re.compile(r"</?(p|h2|h3|section|blockquote|ul|ol|li|strong|em|u|sup|sub|br|img|table|tr|th|td|hr)(?=[\s>])")


@given(st.lists(said | tables, max_size=5), words, words)
def test_nothing_of_peoples_text_becomes_markup(given: list[dict[str, Any]], caption: str, name: str) -> None:
    more = [
        {"kind": "img", "media": SHA, "alt": caption, "caption": name, "source": caption},
        {"kind": "video", "link": "https://v.example/1", "caption": caption},
        {"kind": "file", "media": SHA, "name": name},
        {"kind": "footnote", "mark": name, "runs": [{"text": caption}]},
        {"kind": "table", "rows": [], "caption": caption},
    ]
    html = render([*given, *more])
    assert html.count("<") == html.count(">")
    assert all(TAGS.match(html, place) for place in (found.start() for found in re.finditer("<", html)))
    assert set(re.findall(r' (\w+)="', html)) <= {"style", "src", "alt", "colspan", "rowspan"}
    assert len(re.findall(r"<img ", html)) == 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True))
def test_every_pictures_address_is_replaced(numbers: list[int]) -> None:
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers]
    html = render([{"kind": "img", "media": name} for name in names])
    assert all(PICTURE + name in html for name in names)
    replaced = with_addresses(html, {name: f"https://mmbiz.qpic.cn/{n}?a=1&b=2" for n, name in enumerate(names)})
    assert PICTURE not in replaced
    assert re.findall(r'src="([^"]*)"', replaced) == [
        f"https://mmbiz.qpic.cn/{n}?a=1&amp;b=2" for n in range(len(names))
    ]


def test_a_link_leads_nowhere_and_is_listed_once_under_the_text() -> None:
    linked = {"text": "这里", "link": "https://a.example/?x=1&y=2"}
    html = render([{"kind": "p", "runs": [linked, {"text": "和"}, linked]}])
    assert "<a" not in html
    assert html.count("https://a.example/?x=1&amp;y=2") == 1
    assert html.count("［1］") == 3


def test_what_an_article_looks_like_survives_the_platforms_rewriting() -> None:
    html = render([{"kind": "p", "runs": [{"text": "今天 5 < 6 & “供暖”\n恢复"}]}, {"kind": "img", "media": SHA}])
    rewritten = re.sub(r' style="[^"]*"', "", html).replace("govhub-picture:", "https://mmbiz.qpic.cn/")
    assert wire.mark_of({"title": "供暖 恢复", "content": html}) == wire.mark_of(
        {"title": "供暖恢复", "content": rewritten}
    )
    assert wire.mark_of({"title": "供暖", "content": html}) != wire.mark_of({"title": "供水", "content": html})


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


