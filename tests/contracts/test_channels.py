"""What every channel promises, against its platform with faults on order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import (
    Accepted,
    AnswerFinding,
    Found,
    Json,
    Missed,
    Outcome,
    Page,
    Pending,
    Refused,
    Staged,
    Unknown,
    Who,
)
from channels.exchange import Answer, Request, Result
from channels.kinds import CHANNELS, DECLARED, connect
from channels.performance import InProcess
from tests.contracts.channel_rooms import ROOMS, SECRETS, START, TROUBLES, Room, pictures, variant

BEFORE = [("drop_before", 0), ("status", 502), ("status", 504), ("status", 500)]
AFTER = [("drop_after", 0), ("close", 0), ("garbage", 0), ("status_after", 502), ("delay", 3600), ("drip", 0)]


@pytest.fixture(params=sorted(CHANNELS))
def room(request: pytest.FixtureRequest) -> Room:
    return ROOMS[request.param]()


def true_to(room: Room, outcome: Outcome) -> bool:
    """Whether the outcome may be said of what is public now."""
    public = bool(room.public())
    return {Accepted: public, Refused: not public, Pending: True, Unknown: True}[type(outcome)]


async def looked(room: Room, key: str, staged: Staged) -> Found | None:
    """What a look-up says; where a channel declares that there is none, it must say that it could not look."""
    found = await room.channel.find_published(key, staged, START)
    if room.channel.capabilities.lookup == "none":
        assert isinstance(found, Unknown)
        return None
    assert not isinstance(found, Unknown)
    return None if isinstance(found, Missed) else found


async def test_a_publication_is_accepted_with_its_id_and_address_and_is_public_once(room: Room) -> None:
    outcome = await room.published()
    if room.channel.capabilities.addressed:
        assert outcome.url and outcome.url.startswith(("https://", "http://"))
        assert outcome.at == START or room.channel.capabilities.confirms == "later"
    else:
        assert (outcome.url, outcome.at) == (None, None)
    assert [post["id"] for post in room.public()] == [outcome.external_id.partition("~")[0]]


@pytest.mark.parametrize(("kind", "value"), BEFORE)
async def test_a_fault_before_the_work_is_unknown_and_nothing_is_found(room: Room, kind: str, value: int) -> None:
    staged = await room.staged()
    room.order(kind, value)
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    assert room.public() == []
    assert await looked(room, "key-1", staged) is None


@pytest.mark.parametrize(("kind", "value"), AFTER)
async def test_a_lost_answer_is_unknown_and_found_by_a_look(room: Room, kind: str, value: int) -> None:
    staged = await room.staged()
    room.order(kind, value)
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    room.later()
    assert len(room.public()) == 1
    found = await looked(room, "key-1", staged)
    if room.channel.capabilities.lookup == "none":
        return
    assert isinstance(found, Found)
    assert [post["id"] for post in room.public()] == [found.external_id]
    assert found.url


@pytest.mark.parametrize("trouble", ["text", "quota", "login"])
@pytest.mark.parametrize("kind", sorted(CHANNELS))
async def test_what_a_platform_refuses_is_a_sentence_and_nothing_is_public(kind: str, trouble: str) -> None:
    room = ROOMS[kind]()
    staged = await room.staged()
    room.order("code", TROUBLES[kind][trouble], times=3)
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Refused), outcome
    assert re.search("[一-鿿]{2}", outcome.reason)
    assert (outcome.retry_after is not None) == (trouble == "quota")
    assert outcome.who is {"text": Who.EDITOR, "quota": Who.NOBODY, "login": Who.ADMINISTRATOR}[trouble]
    room.later()
    assert room.public() == []


async def test_a_slow_answer_within_the_limit_is_accepted(room: Room) -> None:
    staged = await room.staged()
    room.order("delay", 5)
    assert isinstance(await room.settled(await room.channel.publish(staged, "key-1")), Accepted)


async def test_a_repeated_key_makes_no_second_public_post(room: Room) -> None:
    staged = await room.staged()
    room.order("drop_after")
    await room.channel.publish(staged, "key-1")
    room.later()
    outcome = await room.channel.publish(staged, "key-1")
    assert isinstance(outcome, Accepted)
    assert len(room.public()) == 1


@dataclass
class Deep:
    """A road at whose end somebody answers JSON that no parser follows to its end."""

    async def send(self, request: Request) -> Result:
        return Answer(200, {}, b"[" * 100_000)


async def test_an_answer_that_is_too_deep_to_be_read_is_unknown_and_no_fault(room: Room) -> None:
    staged = await room.staged()
    room.channel.transport = Deep()  # type: ignore[attr-defined]
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    assert isinstance(await room.channel.find_published("key-1", staged, START), Unknown)


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
    await room.published(1)
    other = await room.staged(2)
    assert await looked(room, "key-2", other) is None


async def test_staging_is_invisible_and_repeatable(room: Room) -> None:
    first = await room.staged(picture=True)
    second = await room.staged(picture=True)
    assert first.prepared.fingerprint == second.prepared.fingerprint
    assert room.public() == []
    assert isinstance(await room.settled(await room.channel.publish(second, "key-1")), Accepted)


async def test_preparing_is_pure_and_names_changed_content(room: Room) -> None:
    once, twice = (room.channel.prepare(variant()) for _ in range(2))
    assert once == twice
    assert once.fingerprint != room.channel.prepare(variant(digest="另一段话。")).fingerprint
    assert not [problem for problem in once.problems if problem.severity == "block"]
    assert room.asked("/") == 0


async def test_a_post_that_must_carry_the_websites_address_waits_for_it(room: Room) -> None:
    bare = room.channel.prepare(replace(variant(), link=None))
    assert not [problem for problem in bare.problems if problem.severity == "block"]
    staged = await room.channel.stage(bare, "key-1", pictures)
    assert isinstance(staged, Staged)
    outcome = await room.channel.publish(staged, "key-1")
    if not room.channel.capabilities.needs_link:
        assert isinstance(await room.settled(outcome), Accepted)
        return
    assert isinstance(outcome, Refused)
    assert outcome.retry_after
    assert room.public() == []


async def test_preflight_of_a_connected_account_is_ok_and_changes_nothing(room: Room) -> None:
    assert (await room.channel.preflight()).state == "ok"
    assert room.public() == []


async def test_withdrawing_and_correcting_are_done_or_plainly_left_to_a_person(room: Room) -> None:
    outcome = await room.published()
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
    outcome = await room.published()
    if room.channel.capabilities.listens == "none":
        assert await room.channel.poll("c1", [outcome.external_id]) == Page((), "c1", False)
        return
    said = [room.say(outcome.external_id, f"家里还不热{n}", f"居民{n}") for n in range(3)]
    first = await room.channel.poll("", [outcome.external_id])
    assert isinstance(first, Page)
    heard = sorted(one.external_id for one in first.heard)
    assert all(id.endswith(given) for id, given in zip(heard, sorted(said), strict=True)), heard
    room.clock.move(timedelta(hours=2))
    second = await room.channel.poll(first.cursor, [outcome.external_id])
    assert isinstance(second, Page)
    assert list(second.heard) == []
    room.say(outcome.external_id, "现在热了", "居民9")
    room.clock.move(timedelta(hours=2))
    third = await room.channel.poll(second.cursor, [outcome.external_id])
    assert isinstance(third, Page)
    assert len(third.heard) == 1


async def test_a_poll_that_fails_is_a_fault_and_loses_nothing(room: Room) -> None:
    outcome = await room.published()
    if room.channel.capabilities.listens == "none":
        asked = room.asked("/")
        await room.channel.poll("", [outcome.external_id])
        assert room.asked("/") == asked
        return
    room.say(outcome.external_id, "水压低", "居民")
    for kind in ("drop_before", "drop_after", "garbage", "status"):
        room.order(kind, match="/")
        assert isinstance(await room.channel.poll("", [outcome.external_id]), Unknown)
    page = await room.channel.poll("", [outcome.external_id])
    assert isinstance(page, Page)
    assert len(page.heard) == 1


async def heard(room: Room) -> Json:
    """Somebody speaks, and the platform's own record of it; nothing where nobody can."""
    outcome = await room.published()
    if room.channel.capabilities.listens == "none":
        return {}
    room.say(outcome.external_id, "家里还不热", "居民")
    page = await room.channel.poll("", [outcome.external_id])
    assert isinstance(page, Page)
    return page.heard[0].raw


async def test_who_spoke_is_answered_where_the_channel_says_that_it_answers(room: Room) -> None:
    raw = await heard(room)
    outcome = await room.channel.answer(raw, "今天下午派人上门看。", "a" * 26)
    assert isinstance(outcome, Accepted if raw and room.channel.capabilities.answers else Refused)


@pytest.mark.parametrize(("kind", "value"), [*BEFORE, ("drop_after", 0), ("garbage", 0)])
async def test_an_answer_whose_answer_is_lost_is_unknown_and_found_only_where_it_arrived(
    room: Room, kind: str, value: int
) -> None:
    raw = await heard(room)
    if not raw:  # nobody to answer: nothing leaves
        assert isinstance(await room.channel.answer(raw, "今天下午派人上门看。", "a" * 26), Refused)
        return
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
    assert isinstance(outcome, Refused) and (outcome.retry_after or not raw)


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
    rows = room.stage.platform.accounts()
    secrets = [text for row in rows for name in SECRETS for text in _texts(row.get(name))]
    assert secrets
    assert not [secret for secret in secrets for text in seen if secret in text]


def _texts(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


async def test_staged_is_plain_and_pictures_come_from_the_hub_alone(room: Room) -> None:
    found = await room.channel.stage(room.channel.prepare(variant(picture=True)), "key-1", pictures)
    assert isinstance(found, Staged)
    assert all(isinstance(value, str | list) for value in found.refs.values())
