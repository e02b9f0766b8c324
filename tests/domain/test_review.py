"""Review: no sequence of calls approves a text without the approvals of exactly that text by different people."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Prepared
from hub.clock import SetClock
from hub.desk import reviewing, writing
from hub.desk.desk import Desk
from hub.domain.content import MOVES, STATES, Draft, move
from hub.domain.errors import HubError, Invalid
from hub.domain.people import Actor, Role
from hub.domain.review import review_id, standing
from hub.identifiers import SeededIdentifiers
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
BOTH = frozenset({Role.EDITOR, Role.REVIEWER})
PEOPLE = [Actor(id=name, name=name, roles=BOTH, levels=frozenset({1, 2})) for name in ("an", "bo", "cai", "du")]
PASSED = {"revision": 1, "round": 1, "kind": "approval", "verdict": "pass", "at": NOON, "void": False}


class Two:
    async def value(self, name: str) -> Any:
        return 2


def desk_in_memory() -> Desk:
    clock, nothing = SetClock(NOON), None
    ids = SeededIdentifiers(clock, 3)
    return Desk(MemoryStore(), FilesInMemory(), clock, ids, nothing, lambda account: Plain(), nothing, Two())  # type: ignore[arg-type, return-value]


class Plain:
    """A channel that refuses nothing."""

    def prepare(self, variant: Any) -> Prepared:
        return Prepared({}, {}, [], "f")


def text(number: int) -> Draft:
    blocks = [{"kind": "p", "runs": [{"text": f"第{number}段"}]}]
    return Draft("news", "yaowen", f"标题{number}", "", blocks, (), {"source": "云川市"})


PERSON = st.integers(0, 3)
STEP = st.one_of(
    st.tuples(st.just("save"), PERSON, st.integers(0, 2)),
    st.tuples(st.just("submit"), PERSON, st.just(0)),
    st.tuples(st.sampled_from(["pass", "return"]), PERSON, st.integers(1, 2)),
    st.tuples(st.just("stale"), PERSON, st.integers(1, 2)),
    st.tuples(st.just("variant"), PERSON, st.integers(0, 1)),
)


async def take(desk: Desk, id: str, step: tuple[str, int, int], hashes: list[str]) -> None:
    what, number, detail = step
    person = PEOPLE[number]
    content = await writing.content_of(desk, id)
    hashes.append(content["hash"])
    if what == "save":
        await writing.save(person, desk, id, text(detail), revision=content["revision"])
    elif what == "submit":
        await writing.submit(person, desk, id, revision=content["revision"])
    elif what == "variant":
        await writing.set_variant(person, desk, id, "weibo-main", {"text": f"短{detail}"}, revision=content["revision"])
    else:
        verdict = "pass" if what == "stale" else what
        seen = hashes[0] if what == "stale" else content["hash"]
        await reviewing.review(person, desk, id, level=detail, verdict=verdict, hash=seen, remark="看过")


async def walk(steps: list[tuple[str, int, int]]) -> None:
    desk = desk_in_memory()
    await desk.store.insert("columns", {"_id": "yaowen", "name": "要闻", "levels": 2})
    await desk.store.insert("accounts", {"_id": "weibo-main", "channel": "weibo", "settings": {}})
    content = await writing.start(PEOPLE[0], desk, text(0))
    id, hashes = content["_id"], [content["hash"]]
    for step in steps:
        try:
            await take(desk, id, step, hashes)
        except HubError:
            continue
        finally:
            await hold(desk, id)


async def hold(desk: Desk, id: str) -> None:
    """Approved means: two levels, this hash, two people, none of whom wrote any of it."""
    content = await writing.content_of(desk, id)
    assert (content["state"] == "approved") == ("approved_hash" in content)
    if content["state"] != "approved":
        return
    assert content["approved_hash"] == content["hash"]
    rows = [row for row in await reviewing.reviews_of(desk, id) if row["hash"] == content["hash"] and not row["void"]]
    passed = {row["level"]: row["by"] for row in rows if row["verdict"] == "pass" and row["round"] == content["round"]}
    assert set(passed) == {1, 2}
    assert len(set(passed.values())) == 2
    assert not set(passed.values()) & set(content["writers"])


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=14))
def test_no_sequence_of_acts_approves_a_text_without_two_others_approving_exactly_it(
    steps: list[tuple[str, int, int]],
) -> None:
    asyncio.run(walk(steps))


def test_the_straight_way_does_reach_approval() -> None:
    async def straight() -> str:
        desk = desk_in_memory()
        await desk.store.insert("columns", {"_id": "yaowen", "name": "要闻", "levels": 2})
        content = await writing.start(PEOPLE[0], desk, text(0))
        for step in (("submit", 0, 0), ("pass", 1, 1), ("pass", 2, 2)):
            await take(desk, content["_id"], step, [])
        await hold(desk, content["_id"])
        return str((await writing.content_of(desk, content["_id"]))["state"])

    assert asyncio.run(straight()) == "approved"


def content(**more: Any) -> dict[str, Any]:
    return {"_id": "c", "author": "an", "hash": "h", "round": 1, "state": "in_review", **more}


def review(level: int, by: str, **more: Any) -> dict[str, Any]:
    return {"_id": review_id("c", 1, level, "pass", by), "level": level, "by": by, "hash": "h", **PASSED, **more}


def test_an_approval_of_level_two_alone_counts_for_nothing() -> None:
    assert standing([review(2, "bo")], content(), 2).next_level == 1


@pytest.mark.parametrize("change", [{"hash": "other"}, {"round": 0}, {"void": True}, {"verdict": "return"}])
def test_an_approval_of_something_else_does_not_count(change: dict[str, Any]) -> None:
    assert not standing([review(1, "bo", **change), review(2, "cai")], content(), 2).complete


def test_a_return_in_this_round_keeps_a_text_from_being_complete() -> None:
    back = review(2, "du", _id="r", verdict="return")
    assert not standing([review(1, "bo"), review(2, "cai"), back], content(), 2).complete


def test_proofs_and_secrecy_reviews_have_their_place_but_do_not_approve() -> None:
    assert standing([review(1, "bo", kind="proof"), review(1, "bo", kind="secrecy")], content(), 1).next_level == 1


def test_every_move_is_between_known_states_and_no_event_is_double() -> None:
    assert {each.state for each in MOVES} | {each.to for each in MOVES} == set(STATES)
    assert len({(each.state, each.event) for each in MOVES}) == len(MOVES)


@pytest.mark.parametrize(
    ("state", "event"), [("draft", "approve"), ("draft", "pass"), ("approved", "submit"), ("x", "edit")]
)
def test_a_move_that_is_not_in_the_table_is_refused(state: str, event: str) -> None:
    with pytest.raises(Invalid):
        move(state, event)
