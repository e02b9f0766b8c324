"""紧急标记: what a person says of a reply's urgency stands, once, with who and when; danger to life rings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk.carrying import carry
from hub.desk.listening import take
from hub.desk.reading import read_new
from hub.desk.replies import list_replies
from hub.desk.urgency import agreement_on_marks, mark_urgency
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.domain.notice import waits_for_morning
from hub.domain.people import Actor, Role, program
from hub.domain.urgency import HINTED, HINTS, KINDS, MARKED, MATTER, NONE, WORDS, check_mark, marked, number_of
from hub.store.base import Document
from nlp.contract import Analysis, Urgency
from tests.domain.listening_office import (
    EDITOR,
    LISTENER,
    MONITOR,
    MORNING,
    READER,
    Defaults,
    Office,
    make_office,
    read,
)

CARRIER = program("carrier")


async def said(office: Office, **more: Any) -> str:
    id = office.desk.ids.new()
    await office.desk.store.insert("replies", {
        "_id": id, "account": "site-main", "external_id": id, "kind": "letter", "channel": "site", "title": "",
        "text": "三楼的阳台裂了，栏杆往外斜", "state": "read", "at": MORNING, "sealed": {},
        "district": "临江区", **more,
    })  # fmt: skip
    return id


async def stored(office: Office, id: str) -> Document:
    found = await office.desk.store.get("replies", id)
    assert found is not None
    return found


def rows_of(reply: Document, kind: str) -> list[Document]:
    return [row for parcel in reply["outbox"] for row in parcel["rows"] if row["kind"] == kind]


async def listed(office: Office, urgent: str) -> list[str]:
    found = await list_replies(MONITOR, office.desk, filters={"urgent": urgent})
    return [row["_id"] for row in found.items]


async def test_a_mark_says_which_kind_who_and_when_and_stands_in_the_audit() -> None:
    office = await make_office()
    id = await said(office)
    await mark_urgency(EDITOR, office.desk, id, "vulnerable", 0)
    found = await stored(office, id)
    assert found["urgency"] == {"kind": "vulnerable", "by": EDITOR.id, "at": office.clock.now(), "number": 1}
    assert found["urgent"] == MARKED
    audit = rows_of(found, "audit")
    assert [(row["act"], row["actor"], row["detail"]) for row in audit] == [
        ("reply.urgency", EDITOR.id, {"kind": "vulnerable"})
    ]


@pytest.mark.parametrize("kind", WORDS)
async def test_only_danger_to_life_rings_and_it_names_no_word_of_the_citizen(kind: str) -> None:
    office = await make_office()
    id = await said(office)
    await mark_urgency(MONITOR, office.desk, id, kind, 0)
    rings = rows_of(await stored(office, id), "notice")
    assert [row["matter"] for row in rings] == ([MATTER] if kind == "life" else [])
    assert all(row["people"] == ["duty"] and "栏杆" not in row["text"] and "120" in row["text"] for row in rings)


async def test_whoever_is_on_duty_finds_the_danger_in_the_bell() -> None:
    office = await make_office()
    await office.desk.store.insert("users", {"_id": "u-duty", "login": "d", "name": "罗平", "roles": [], "duty": True})
    id = await said(office)
    await mark_urgency(MONITOR, office.desk, id, "life", 0)
    await carry(CARRIER, office.desk)
    bells = await office.desk.store.find("notices", {"person": "u-duty"})
    assert [(bell["matter"], bell["link"]) for bell in bells] == [(MATTER, f"/replies/{id}")]


def test_a_danger_to_life_waits_for_no_morning() -> None:
    midnight = MORNING.replace(hour=16)
    assert not waits_for_morning(MATTER, midnight, 22, 7)
    assert waits_for_morning("case.late", midnight, 22, 7)


async def test_danger_that_was_taken_back_and_said_again_rings_again() -> None:
    office = await make_office()
    id = await said(office)
    for number, kind in enumerate(("life", NONE, "life")):
        await mark_urgency(MONITOR, office.desk, id, kind, number)
    keys = [row["key"] for row in rows_of(await stored(office, id), "notice")]
    assert len(keys) == len(set(keys)) == 2


async def test_of_two_who_mark_at_once_one_is_told_that_the_other_was_faster() -> None:
    office = await make_office()
    id = await said(office)
    both = await asyncio.gather(
        mark_urgency(MONITOR, office.desk, id, "life", 0), mark_urgency(EDITOR, office.desk, id, NONE, 0),
        return_exceptions=True,
    )  # fmt: skip
    assert [type(one) for one in both].count(Conflict) == 1
    assert number_of(await stored(office, id)) == 1


async def test_what_one_has_not_seen_one_does_not_overwrite() -> None:
    office = await make_office()
    id = await said(office)
    await mark_urgency(MONITOR, office.desk, id, "life", 0)
    with pytest.raises(Conflict, match="别人标过"):
        await mark_urgency(EDITOR, office.desk, id, NONE, 0)
    await mark_urgency(EDITOR, office.desk, id, NONE, 1)
    assert (await stored(office, id))["urgent"] is None


async def test_the_inbox_finds_what_is_marked_and_what_is_only_hinted_at() -> None:
    office = await make_office()
    one, two, three = await said(office), await said(office, urgent=HINTED), await said(office)
    await mark_urgency(MONITOR, office.desk, one, "gathering", 0)
    assert (await listed(office, MARKED), await listed(office, HINTED)) == ([one], [two])
    await mark_urgency(MONITOR, office.desk, two, NONE, 0)
    assert await listed(office, HINTED) == []
    assert set(await listed(office, "")) == {one, two, three}


async def test_marks_are_laid_beside_what_the_reading_took_for_possible() -> None:
    office = await make_office()
    for kind, guess in (("life", "life"), ("life", None), (NONE, "life"), (NONE, None), ("gathering", "deadline")):
        analysis = {"urgency": {"kind": guess, "clause": "栏杆往外斜", "words": []} if guess else None}
        await mark_urgency(MONITOR, office.desk, await said(office, analysis=analysis), kind, 0)
    old = await said(office, analysis={"terms": []})  # read before there were hints
    await mark_urgency(MONITOR, office.desk, old, "life", 0)
    secret = await said(office)
    await mark_urgency(MONITOR, office.desk, secret, "deadline", 0)
    await office.desk.store.change("replies", {"_id": secret}, {"$set": {"confidential": True}})
    found = await agreement_on_marks(MONITOR, office.desk)
    assert found.marked == {"life": 3, "gathering": 1, "deadline": 0, "vulnerable": 0, "none": 2}
    assert (found.found["life"], found.found["gathering"]) == (1, 0)
    assert (found.hinted, found.right) == (3, 1)


# ---- hints


class Hinting(Defaults):
    """An office that wants to see what the reading takes for possible."""

    async def value(self, name: str) -> Any:
        return True if name == HINTS else await super().value(name)


async def hearing(text: str, *, hints: bool = True) -> Office:
    """An office to which somebody said this, and whose reading takes it for a danger."""
    office = await make_office()

    async def read_danger(rows: Sequence[Mapping[str, Any]]) -> list[Analysis | None]:
        found = await read(rows)
        return [one and one._replace(urgency=Urgency("life", text[:6], (text[:2],))) for one in found]

    desk = replace(office.desk, read=read_danger, policies=Hinting() if hints else Defaults())
    account = await desk.store.get("accounts", "site-main")
    assert account is not None
    await take(LISTENER, desk, account, [office.source.say(text)])
    return replace(office, desk=desk)


async def only(office: Office) -> Document:
    return (await office.desk.store.find("replies", {}, limit=2))[0]


async def test_the_hint_stands_with_the_analysis_and_is_found_in_the_inbox() -> None:
    office = await hearing("阳台塌了")
    assert await read_new(READER, office.desk) == 1
    found = await only(office)
    assert found["analysis"]["urgency"] == {"kind": "life", "clause": "阳台塌了", "words": ["阳台"]}
    assert (found["urgent"], found.get("urgency")) == (HINTED, None)
    assert await listed(office, HINTED) == [found["_id"]]


async def test_a_hint_rings_for_nobody() -> None:
    office = await hearing("阳台塌了")
    await read_new(READER, office.desk)
    assert "outbox" not in await only(office)
    assert await office.desk.store.count("notices", {}) == 0


async def test_where_hints_are_off_the_reading_is_kept_for_comparing_and_shown_nowhere() -> None:
    office = await hearing("阳台塌了", hints=False)
    await read_new(READER, office.desk)
    found = await only(office)
    assert found["analysis"]["urgency"]["kind"] == "life" and found.get("urgent") is None
    assert await listed(office, HINTED) == []


@pytest.mark.parametrize("kind", ["gathering", NONE])
async def test_a_mark_given_while_the_reply_is_read_is_not_overwritten_by_a_hint(kind: str) -> None:
    office = await hearing("阳台塌了")
    await mark_urgency(MONITOR, office.desk, (await only(office))["_id"], kind, 0)
    await read_new(READER, office.desk)
    found = await only(office)
    assert found["state"] == "read" and found["urgency"]["kind"] == kind
    assert found["urgent"] == (MARKED if kind in KINDS else None)


async def test_what_nobody_can_read_and_what_is_confidential_is_not_marked_here() -> None:
    office = await make_office()
    with pytest.raises(Conflict, match="打不开"):
        await mark_urgency(MONITOR, office.desk, await said(office, state="unopened"), "life", 0)
    with pytest.raises(NotFound):
        await mark_urgency(MONITOR, office.desk, await said(office, confidential=True, case="c1"), "life", 0)
    with pytest.raises(Conflict, match="工单"):
        check_mark({"state": "read", "confidential": True}, "life", 0)


async def test_an_unknown_kind_is_refused_with_the_kinds_there_are() -> None:
    office = await make_office()
    with pytest.raises(Invalid) as caught:
        await mark_urgency(MONITOR, office.desk, await said(office), "fire", 0)
    assert "危及人身" in caught.value.errors[0].message


async def test_an_auditor_and_a_program_mark_nothing() -> None:
    office = await make_office()
    id = await said(office)
    for actor in (Actor("u-a", "沈明", frozenset({Role.AUDITOR})), program("reader")):
        with pytest.raises(NotAllowed):
            await mark_urgency(actor, office.desk, id, "life", 0)


@given(st.lists(st.tuples(st.sampled_from(sorted(WORDS)), st.integers(0, 6)), max_size=12))
def test_however_marks_come_the_last_one_taken_stands_and_each_counts_one(said: list[tuple[str, int]]) -> None:
    reply: Document = {"state": "read"}
    taken: list[str] = []
    for kind, seen in said:
        try:
            check_mark(reply, kind, seen)
        except Conflict:
            assert seen != number_of(reply)
            continue
        reply |= marked(kind, MONITOR, MORNING, seen)
        taken.append(kind)
    assert number_of(reply) == len(taken)
    assert (reply.get("urgent") == MARKED) is bool(taken and taken[-1] in KINDS)
