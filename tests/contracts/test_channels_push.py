"""App 推送 beyond the common contract: the cid and its life, words and bytes, what each number means, one phone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Accepted, Outcome, Prepared, Refused, Staged, Unknown, Who
from channels.exchange import Answer
from channels.push import wire
from channels.push.codes import CODES
from channels.push.preparing import prepare
from channels.push.profile import Profile, profile_of
from tests.contracts.channel_rooms import Room, pictures, push, variant


async def staged(room: Room, prepared: Prepared | None = None, key: str = "key-1") -> Staged:
    found = await room.channel.stage(prepared or room.channel.prepare(variant()), key, pictures)
    assert isinstance(found, Staged)
    return found


async def again(room: Room, first: Staged) -> Staged:
    """The same key prepared anew, with what the hub wrote down of the first attempt."""
    return await staged(room, replace(room.channel.prepare(variant()), kept=first.refs))


async def test_a_cid_that_was_kept_is_used_again_and_no_other_is_asked_for() -> None:
    room = push()
    first = await staged(room)
    room.order("drop_after")
    assert isinstance(await room.channel.publish(first, "key-1"), Unknown)
    second = await again(room, first)
    assert second.refs == first.refs
    assert room.asked("/cid") == 1
    assert isinstance(await room.channel.publish(second, "key-1"), Accepted)
    assert len(room.public()) == 1


async def test_without_what_was_kept_the_same_key_would_be_pushed_twice() -> None:
    room = push()
    first, second = await staged(room), await staged(room)
    await room.channel.publish(first, "key-1")
    await room.channel.publish(second, "key-1")
    assert len(room.public()) == 2


async def test_a_cid_near_its_end_is_replaced_before_a_push_and_never_used() -> None:
    room = push()
    first = await staged(room)
    room.clock.move(timedelta(hours=23))
    outcome = await room.channel.publish(first, "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.retry_after is not None
    assert room.public() == []
    assert (await again(room, first)).refs["cid"] != first.refs["cid"]


@pytest.mark.parametrize("kept", [{}, {"cid": "x"}, {"cid": "x", "cid_at": "yesterday"}, {"cid": "", "cid_at": ""},
                                  {"cid": "x", "cid_at": "2026-11-24T01:00:00"}])  # fmt: skip
async def test_odd_refs_of_before_lead_to_a_new_cid(kept: dict[str, Any]) -> None:
    room = push()
    found = await staged(room, replace(room.channel.prepare(variant()), kept=kept))
    assert str(found.refs["cid"]).startswith(room.stage.platform.accounts()[0]["app_key"])


async def test_a_push_says_what_it_is_and_where_to_read_on() -> None:
    room = push()
    await room.channel.publish(await staged(room), "key-1")
    [post] = room.stage.platform.posts(room.clock.now())
    assert post["title"] == variant().title
    assert post["text"] == variant().digest
    assert post["extras"] == {"article": "content-1", "url": variant().link}
    assert post["phones"] == 3


async def test_nobody_there_is_a_certain_refusal_that_asks_nothing_of_anybody() -> None:
    room = push(phones=0)
    outcome = await room.channel.publish(await staged(room), "key-1")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.who, outcome.retry_after) == ("1011", Who.NOBODY, None)
    assert "暂无可达设备" in outcome.reason
    health = await room.channel.preflight()
    assert (health.state, health.reason) == ("ok", "连接正常，暂无可达设备")


async def test_too_many_pushes_wait_as_long_as_the_platform_says() -> None:
    room = push()
    one = await staged(room)
    room.clock.move(20)
    room.order("code", 2002)
    outcome = await room.channel.publish(one, "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.retry_after == timedelta(seconds=40)


@pytest.mark.parametrize("number", sorted(CODES))
async def test_each_number_is_what_the_table_says_of_it(number: int) -> None:
    room = push()
    one = await staged(room)
    room.order("code", number)
    outcome = await room.channel.publish(one, "key-1")
    assert isinstance(outcome, Refused if CODES[number].sure else Unknown)
    assert room.public() == []


async def test_a_number_that_nobody_knows_is_unknown_after_a_push() -> None:
    room = push()
    one = await staged(room)
    room.order("code", 9999)
    assert isinstance(await room.channel.publish(one, "key-1"), Unknown)


@pytest.mark.parametrize("number", [1004, 1008, 2003])
async def test_a_wrong_key_is_not_connected(number: int) -> None:
    room = push()
    room.order("code", number, match="/validate")
    assert (await room.channel.preflight()).state == "not_connected"


async def test_an_account_near_its_rate_says_so() -> None:
    room = push()
    for _ in range(591):
        await room.channel.preflight()
    health = await room.channel.preflight()
    assert (health.state, health.quota_left) == ("quota_low", {"本分钟可推送": 8})


async def test_a_post_without_its_address_waits_for_it() -> None:
    room = push()
    prepared = room.channel.prepare(replace(variant(), link=None))
    assert [problem.rule for problem in prepared.problems] == ["push_link"]
    outcome = await room.channel.publish(await staged(room, prepared), "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.code == "no_link"
    assert room.public() == []


async def test_an_answer_goes_to_the_one_phone_and_is_refused_without_one() -> None:
    room = push()
    app = room.stage.platform.accounts()[0]["app_key"]
    room.stage.speak({"app": app, "alias": "li"})
    done = await room.channel.answer({"alias": "li"}, "路灯已修好，请您看看。", "a-1")
    assert isinstance(done, Accepted)
    assert room.stage.platform.posts(room.clock.now())[-1]["phones"] == 1
    for to in ({}, {"alias": ""}, {"alias": 7}):
        refused = await room.channel.answer(to, "已修好", "a-2")
        assert isinstance(refused, Refused) and refused.who is Who.EDITOR
    for text in ("", "长" * 2000):
        assert isinstance(await room.channel.answer({"alias": "li"}, text, "a-3"), Refused)
    assert len(room.public()) == 1


# Words and bytes


@given(digest=st.text(st.sampled_from("暖气。！a \U0001f525\\\"\n"), max_size=1500), linked=st.booleans())
def test_a_derived_push_always_fits_and_is_never_longer_than_the_digest(digest: str, linked: bool) -> None:
    given = replace(variant(), digest=digest, link=variant().link if linked else None)
    found = prepare(given, Profile())
    assert all(used <= limit for used, limit in found.counts.values())
    assert not [problem for problem in found.problems if problem.severity == "block"]
    alert = found.body["notification"]["alert"]
    assert alert.removesuffix("…") in digest or not digest.strip()
    assert alert


def test_a_cut_ends_with_a_sentence_where_there_is_one() -> None:
    found = prepare(replace(variant(), digest="今天恢复供暖。" * 200), Profile())
    assert found.body["notification"]["alert"].endswith("供暖。")


def test_words_written_by_hand_go_out_whole_or_are_found_too_long() -> None:
    by_hand = replace(variant(), override={"title": "停水通知", "text": "今晚八点起停水。"})
    found = prepare(by_hand, Profile())
    assert found.body["notification"]["ios"]["alert"] == {"title": "停水通知", "body": "今晚八点起停水。"}
    long = prepare(replace(variant(), override={"text": "长" * 700}), Profile())
    assert [problem.rule for problem in long.problems] == ["push_ios"]
    assert long.body["notification"]["alert"] == "长" * 700


def test_bytes_are_counted_as_they_are_sent() -> None:
    words = wire.notification("标题", "暖", {})
    used, _ = prepare(replace(variant(), override={"text": "暖"}), Profile()).counts["android"]
    assert used == len(json.dumps({**words["android"], "title": variant().title,
                                   "extras": {"article": "content-1", "url": variant().link}},
                                  ensure_ascii=False, separators=(",", ":")).encode())  # fmt: skip


def test_a_picture_is_left_out_and_said_to_be() -> None:
    assert [each.rule for each in prepare(variant(picture=True), Profile()).problems] == ["push_pictures"]


# The wire


@pytest.mark.parametrize("name", ["x-rate-limit-limit", "x-rate-limit-quota"])
def test_the_rate_is_read_under_either_name(name: str) -> None:
    said = wire.read(Answer(200, {name: "600", "x-rate-limit-remaining": "7", "x-rate-limit-reset": "30"}, b"{}"))
    assert (said.limit, said.left, said.reset) == (600, 7, timedelta(seconds=30))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b'{"error": 5}', b'{"error": {"code": "x"}}', b"\xff"])
def test_an_answer_that_is_none_is_sure_of_nothing(body: bytes) -> None:
    said = wire.read(Answer(502, {"x-rate-limit-reset": "soon"}, body))
    assert (said.body, said.code, said.reset) == (None, None, None)


@pytest.mark.parametrize("said", [{}, {"msg_id": ""}, {"msg_id": "abc"}, {"msg_id": None}])
async def test_a_success_without_a_number_is_unknown(said: dict[str, Any]) -> None:
    room = push()
    one = await staged(room)

    class Vague:
        async def send(self, request: Any) -> Answer:
            return Answer(200, {}, json.dumps(said).encode())

    room.channel.transport = Vague()  # type: ignore[attr-defined]
    outcome: Outcome = await room.channel.publish(one, "key-1")
    assert isinstance(outcome, Unknown)


def test_a_wrong_figure_in_the_profile_is_refused() -> None:
    assert profile_of({"ios_bytes": 1500}).ios_bytes == 1500
    with pytest.raises(ValueError, match="非负整数"):
        profile_of({"ios_bytes": "many"})
