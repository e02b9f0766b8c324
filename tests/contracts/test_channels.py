"""What every channel promises, against its platform with faults on order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import (
    Accepted,
    AnswerFinding,
    Found,
    Json,
    Outcome,
    Page,
    Pending,
    Refused,
    Staged,
    Unknown,
)
from channels.kinds import CHANNELS, DECLARED, connect
from channels.performance import InProcess
from tests.contracts.channel_rooms import ROOMS, START, Room, pictures, variant

BEFORE = [("drop_before", 0), ("status", 502), ("status", 504), ("status", 500)]
AFTER = [("drop_after", 0), ("close", 0), ("garbage", 0), ("status_after", 502), ("delay", 3600), ("drip", 0)]


@pytest.fixture(params=sorted(CHANNELS))
def room(request: pytest.FixtureRequest) -> Room:
    return ROOMS[request.param]()


def true_to(room: Room, outcome: Outcome) -> bool:
    """Whether the outcome may be said of what is public now."""
    public = bool(room.public())
    return {Accepted: public, Refused: not public, Pending: True, Unknown: True}[type(outcome)]


async def test_a_publication_is_accepted_with_its_id_and_address_and_is_public_once(room: Room) -> None:
    outcome = await room.channel.publish(await room.staged(), "key-1")
    assert isinstance(outcome, Accepted)
    assert outcome.url and outcome.url.startswith("https://")
    assert outcome.at == START
    assert [post["id"] for post in room.public()] == [outcome.external_id]


@pytest.mark.parametrize(("kind", "value"), BEFORE)
async def test_a_fault_before_the_work_is_unknown_and_nothing_is_found(room: Room, kind: str, value: int) -> None:
    staged = await room.staged()
    room.order(kind, value)
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    assert room.public() == []
    assert await room.channel.find_published("key-1", staged, START) is None


@pytest.mark.parametrize(("kind", "value"), AFTER)
async def test_a_lost_answer_is_unknown_and_found_by_a_look(room: Room, kind: str, value: int) -> None:
    staged = await room.staged()
    room.order(kind, value)
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    found = await room.channel.find_published("key-1", staged, START)
    assert isinstance(found, Found)
    assert [post["id"] for post in room.public()] == [found.external_id]
    assert found.url


async def test_a_slow_answer_within_the_limit_is_accepted(room: Room) -> None:
    staged = await room.staged()
    room.order("delay", 5)
    assert isinstance(await room.channel.publish(staged, "key-1"), Accepted)


async def test_a_repeated_key_makes_no_second_public_post(room: Room) -> None:
    staged = await room.staged()
    room.order("drop_after")
    await room.channel.publish(staged, "key-1")
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Accepted)
    assert len(room.public()) == 1


async def test_a_platform_that_nobody_finds_is_a_certain_refusal(room: Room) -> None:
    staged = await room.staged()
    room.channel.transport = InProcess({})  # type: ignore[attr-defined]
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Refused)
    assert outcome.retry_after
    assert isinstance(await room.channel.find_published("key-1", staged, START), Unknown)
    assert (await room.channel.preflight()).state == "unreachable"


async def test_a_look_that_cannot_be_made_is_unknown_and_not_absent(room: Room) -> None:
    staged = await room.staged()
    await room.channel.publish(staged, "key-1")
    for kind in ("drop_before", "status", "garbage"):
        room.order(kind, match="/")
        assert isinstance(await room.channel.find_published("key-1", staged, START), Unknown)


async def test_another_key_is_not_taken_for_ours(room: Room) -> None:
    await room.channel.publish(await room.staged(1), "key-1")
    other = await room.staged(2)
    assert await room.channel.find_published("key-2", other, START) is None


async def test_staging_is_invisible_and_repeatable(room: Room) -> None:
    first = await room.staged(picture=True)
    second = await room.staged(picture=True)
    assert first.prepared.fingerprint == second.prepared.fingerprint
    assert room.public() == []
    assert isinstance(await room.channel.publish(second, "key-1"), Accepted)


async def test_preparing_is_pure_and_names_changed_content(room: Room) -> None:
    once, twice = (room.channel.prepare(variant()) for _ in range(2))
    assert once == twice
    assert once.fingerprint != room.channel.prepare(variant(digest="另一段话。")).fingerprint
    assert not [problem for problem in once.problems if problem.severity == "block"]
    assert room.asked("/") == 0


async def test_preflight_of_a_connected_account_is_ok_and_changes_nothing(room: Room) -> None:
    assert (await room.channel.preflight()).state == "ok"
    assert room.public() == []


async def test_withdrawing_and_correcting_are_done_or_plainly_left_to_a_person(room: Room) -> None:
    outcome = await room.channel.publish(await room.staged(), "key-1")
    assert isinstance(outcome, Accepted)
    newer = await room.staged(revision=2, digest="更正后的摘要。")
    corrected = await room.channel.correct(outcome.external_id, newer, "更正了户数", "key-c")
    withdrawn = await room.channel.withdraw(outcome.external_id, "内容有误", "key-w")
    for can, result in (
        (room.channel.capabilities.can_correct, corrected),
        (room.channel.capabilities.can_withdraw, withdrawn),
    ):
        assert isinstance(result, Accepted if can else Refused)
    assert (room.public() == []) is room.channel.capabilities.can_withdraw


async def test_what_citizens_say_is_heard_once_with_the_cursor_and_again_without(room: Room) -> None:
    outcome = await room.channel.publish(await room.staged(), "key-1")
    assert isinstance(outcome, Accepted)
    said = [
        room.stage.speak({"post": outcome.external_id, "text": f"家里还不热{n}", "author": f"居民{n}"})
        for n in range(3)
    ]
    first = await room.channel.poll("", [outcome.external_id])
    assert isinstance(first, Page)
    assert sorted(one.external_id for one in first.heard) == sorted(said)
    room.clock.move(timedelta(hours=2))
    second = await room.channel.poll(first.cursor, [outcome.external_id])
    assert isinstance(second, Page)
    assert list(second.heard) == []
    room.stage.speak({"post": outcome.external_id, "text": "现在热了", "author": "居民9"})
    room.clock.move(timedelta(hours=2))
    third = await room.channel.poll(second.cursor, [outcome.external_id])
    assert isinstance(third, Page)
    assert len(third.heard) == 1


async def test_a_poll_that_fails_is_a_fault_and_loses_nothing(room: Room) -> None:
    outcome = await room.channel.publish(await room.staged(), "key-1")
    assert isinstance(outcome, Accepted)
    room.stage.speak({"post": outcome.external_id, "text": "水压低", "author": "居民"})
    for kind in ("drop_before", "drop_after", "garbage", "status"):
        room.order(kind, match="/")
        assert isinstance(await room.channel.poll("", []), Unknown)
    page = await room.channel.poll("", [])
    assert isinstance(page, Page)
    assert len(page.heard) == 1


async def heard(room: Room) -> Json:
    """Somebody speaks, and the platform's own record of it."""
    outcome = await room.channel.publish(await room.staged(), "key-1")
    assert isinstance(outcome, Accepted)
    room.stage.speak({"post": outcome.external_id, "text": "家里还不热", "author": "居民"})
    page = await room.channel.poll("", [outcome.external_id])
    assert isinstance(page, Page)
    return page.heard[0].raw


async def test_who_spoke_is_answered_where_the_channel_says_that_it_answers(room: Room) -> None:
    raw = await heard(room)
    outcome = await room.channel.answer(raw, "今天下午派人上门看。", "a" * 26)
    assert isinstance(outcome, Accepted if room.channel.capabilities.answers else Refused)


@pytest.mark.parametrize(("kind", "value"), [*BEFORE, ("drop_after", 0), ("garbage", 0)])
async def test_an_answer_whose_answer_is_lost_is_unknown_and_found_only_where_it_arrived(
    room: Room, kind: str, value: int
) -> None:
    raw = await heard(room)
    room.order(kind, value, match="/")
    assert isinstance(await room.channel.answer(raw, "今天下午派人上门看。", "a" * 26), Unknown)
    if isinstance(room.channel, AnswerFinding):
        seen = await room.channel.find_answer(raw, "a" * 26)
        assert (seen is None) == ((kind, value) in BEFORE), seen
        room.order("garbage", match="/")
        assert isinstance(await room.channel.find_answer(raw, "a" * 26), Unknown)


async def test_an_answer_that_never_left_is_refused_and_may_be_tried_again(room: Room) -> None:
    raw = await heard(room)
    room.channel.transport = InProcess({})  # type: ignore[attr-defined]
    outcome = await room.channel.answer(raw, "今天下午派人上门看。", "a" * 26)
    assert isinstance(outcome, Refused) and outcome.retry_after


FAULTS = st.lists(st.sampled_from([("", 0), ("drop_before", 0), ("status", 503), *AFTER]), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(CHANNELS)), faults=FAULTS)
async def test_however_often_a_key_is_sent_through_faults_it_is_public_at_most_once(
    kind: str, faults: list[tuple[str, int]]
) -> None:
    room = ROOMS[kind]()
    staged = await room.staged()
    for fault, value in faults:
        if fault:
            room.order(fault, value)
        outcome = await room.channel.publish(staged, "key-1")
        assert len(room.public()) <= 1
        assert true_to(room, outcome)
        room.clock.move(1)


async def test_every_limit_names_its_source_and_day() -> None:
    for kind, declared in DECLARED.items():
        assert declared.kind == kind
        for limit in (*declared.limits.values(), *declared.quotas.values()):
            assert limit.source
            assert limit.read_on == "2026-11-24"


async def test_an_account_without_its_settings_is_refused_with_a_sentence() -> None:
    for kind in [*CHANNELS, "carrier-pigeon"]:
        with pytest.raises(ValueError, match=r"[一-鿿]"):
            connect({"channel": kind, "settings": {}}, {}, InProcess({}), lambda: START)


async def test_a_channel_says_nothing_of_its_secrets(room: Room) -> None:
    staged = await room.staged()
    room.order("garbage", times=2)
    seen = [repr(room.channel), repr(await room.channel.publish(staged, "key-1")), repr(list(room.stage.requests))]
    secrets = [row.get("access_token") or row["keys"][0] for row in room.stage.platform.accounts()]
    assert not [secret for secret in secrets for text in seen if secret in text]


async def test_staged_is_plain_and_pictures_come_from_the_hub_alone(room: Room) -> None:
    found = await room.channel.stage(room.channel.prepare(variant(picture=True)), "key-1", pictures)
    assert isinstance(found, Staged)
    assert all(isinstance(value, str | list) for value in found.refs.values())
