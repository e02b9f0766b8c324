"""What stands beside a case: service entries, earlier answers, cases like it, and the inbox in its orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk import handling, inbox, referring
from hub.desk.opening import open_from_reply
from hub.domain.errors import Invalid, NotAllowed, NotFound
from hub.domain.likeness import likeness
from hub.store.search import terms_of
from tests.domain.case_office import EDITOR, HANDLER, HANDLER2, MONITOR, Office, make_office

HEATING = {"_id": "heat", "name": "暖气报修", "aliases": ["暖气不热"], "department": "市住建局", "phone": "12345",
           "needs": "门牌号。", "where": "", "hours": "", "link": "", "public": True}  # fmt: skip
ANSWER = "陈先生，您好。7 栋的循环泵已换好，测温不达标的按天退热费。"


async def case_of(office: Office, title: str, author: str = "王芳", **fields: Any) -> str:
    """A new case with this title."""
    opened = await open_from_reply(MONITOR, office.desk, await office.comment(title, author=author), title=title)
    id = str(opened.case["_id"])
    if fields:
        await office.store.change("cases", {"_id": id}, {"$set": fields})
    return id


async def answered(office: Office, title: str, rated: int | None = 4, **fields: Any) -> str:
    """A case of the past that was answered with ANSWER, and rated."""
    past = {"state": "closed", "answered_at": office.clock.now(), "department": "市住建局", "topic": "供暖"}
    id = await case_of(office, title, author=f"某{title}", **{**past, "rated": rated, **fields})
    row = {"_id": f"{id}:1", "case": id, "round": 1, "state": "delivered", "text": ANSWER, "hash": id, "by": "u"}
    await office.store.insert("answers", row)
    return id


async def test_service_entries_by_everyday_names_and_earlier_answers_with_their_rating_stand_beside() -> None:
    office = await make_office()
    await office.store.insert("services", HEATING)
    await answered(office, "松苑小区7栋暖气不热")
    case = await case_of(office, "松苑小区暖气不热，没人来", topic="供暖")
    found = (await referring.beside(HANDLER, office.desk, case)).references
    assert [(one.title, one.note) for one in found] == [("暖气报修", "服务"), ("市住建局 11-17 答复", "满意")]
    assert found[0].text == "暖气报修。需要：门牌号。电话：12345。"
    assert found[1].text == "{称呼}，您好。7 栋的循环泵已换好，测温不达标的按天退热费。"
    for one in found:
        assert await referring.quoted(HANDLER, office.desk, case, one.key) == one.text


async def test_what_was_rated_badly_or_is_about_something_else_is_no_example() -> None:
    office = await make_office()
    await answered(office, "松苑小区9栋暖气不热", rated=1)
    await answered(office, "图书馆周一开不开门", topic="文化")
    case = await case_of(office, "松苑小区暖气不热", topic="供暖")
    assert (await referring.beside(HANDLER, office.desk, case)).references == []


async def test_of_confidential_cases_nothing_is_shown_and_beside_one_nothing_is_looked_for() -> None:
    office = await make_office()
    await office.store.insert("services", HEATING)
    secret = await answered(office, "松苑小区暖气不热有人收好处", confidential=True, kind="report", handlers=[])
    case = await case_of(office, "松苑小区暖气不热", topic="供暖")
    found = await referring.beside(HANDLER, office.desk, case)
    assert secret not in repr(found) and "好处" not in repr(found)
    assert await referring.quoted(HANDLER, office.desk, case, f"answer:{secret}") == ""
    fields = {"confidential": True, "kind": "report", "handlers": [HANDLER.id]}
    await office.store.change("cases", {"_id": case}, {"$set": fields})
    assert await referring.beside(HANDLER, office.desk, case) == referring.Beside([], [], [])
    with pytest.raises(NotFound):
        await referring.beside(HANDLER2, office.desk, case)
    with pytest.raises(NotAllowed):
        await referring.beside(EDITOR, office.desk, case)


async def test_open_cases_like_it_stand_with_their_per_cent_the_likest_first() -> None:
    office = await make_office()
    same = await case_of(office, "松苑小区3栋暖气温度低", author="李明", topic="供暖", district="北岭区")
    other = await case_of(office, "北苑路换热站停运", author="赵静", topic="供暖", district="北岭区")
    await case_of(office, "图书馆周一也开放", author="吴昊", topic="文化")
    case = await case_of(office, "松苑小区暖气温度低", topic="供暖", district="北岭区")
    found = (await referring.beside(HANDLER, office.desk, case)).similar
    assert [row["_id"] for row in found] == [same, other]
    assert [row["like"] for row in found] == [97, 45]


async def test_beside_a_case_few_rows_are_read_however_many_there_are() -> None:
    office = await make_office()
    for number in range(60):
        await case_of(office, f"松苑小区{number}栋暖气不热", author=f"市民{number}", topic="供暖")
    case = await case_of(office, "松苑小区暖气不热", topic="供暖")
    assert len((await referring.beside(HANDLER, office.desk, case)).similar) == referring.SIMILAR


async def test_a_persons_other_cases_are_known_but_no_confidential_one() -> None:
    office = await make_office()
    first = await case_of(office, "路灯不亮", state="closed", rated=4)
    secret = await case_of(office, "某科长收了好处", confidential=True, handlers=[])
    case = await case_of(office, "暖气不热")
    await case_of(office, "别人的事", author="李明")
    before = (await referring.beside(HANDLER, office.desk, case)).before
    assert [row["_id"] for row in before] == [first] and secret not in repr(before)


TITLE = st.text(alphabet="松苑小区暖气不热路灯图书馆", min_size=1, max_size=12)


@given(TITLE, TITLE, st.sampled_from(["供暖", None]), st.sampled_from(["北岭区", None]))
def test_likeness_is_the_same_both_ways_and_within_a_hundred(
    a: str, b: str, topic: str | None, place: str | None
) -> None:
    one, other = {"topic": topic, "district": place}, {"topic": "供暖", "district": "北岭区"}
    there = likeness(one, other, terms_of(a), terms_of(b))
    assert 0 <= there <= 100 and there == likeness(other, one, terms_of(b), terms_of(a))
    assert likeness(other, other, terms_of("暖气不热"), terms_of("暖气不热")) == 100
    assert likeness({"issue": "i"}, {"issue": "i"}, [], []) == 80


# ---- the inbox's orders


async def ordered(office: Office, sort: str, tab: str = "todo", mine: bool = False) -> list[str]:
    seen, cursor = [], ""
    while True:
        found = await inbox.list_cases(HANDLER, office.desk, tab=tab, sort=sort, mine=mine, cursor=cursor, limit=2)
        seen += [row["title"] for row in found.rows]
        if found.cursor is None:
            return seen
        cursor = found.cursor


async def test_each_order_pages_without_loss_over_all_states_of_its_tab() -> None:
    office = await make_office()
    kinds = (("new", 3), ("accepted", 9), ("objected", 3), ("reopened", 1), ("new", 9))
    for number, (state, people) in enumerate(kinds):
        await case_of(office, f"第{number}件", author=f"市民{number}", state=state, people=people)
        office.clock.move(60)
    await case_of(office, "办着的", author="李明", state="in_hand", owner=HANDLER.id)
    assert await ordered(office, "due") == ["第0件", "第1件", "第2件", "第3件", "第4件"]
    assert await ordered(office, "came") == ["第4件", "第3件", "第2件", "第1件", "第0件"]
    people = await ordered(office, "people")
    assert set(people[:2]) == {"第1件", "第4件"} and set(people[2:4]) == {"第0件", "第2件"} and people[4] == "第3件"
    assert len(await ordered(office, "changed", tab="all")) == 6


async def test_the_counts_of_the_tabs_are_those_of_their_lists_for_all_and_for_mine() -> None:
    office = await make_office()
    for number, state in enumerate(("new", "objected", "in_hand", "waiting_citizen", "answered", "closed")):
        owner = {"owner": HANDLER.id} if number % 2 else {}
        await case_of(office, f"第{number}件", author=f"市民{number}", state=state, **owner)
    for mine in (False, True):
        counts = await inbox.count_cases(HANDLER, office.desk, mine=mine)
        for tab in inbox.TABS:
            assert counts[tab] == len(await ordered(office, "", tab=tab, mine=mine)), (tab, mine)


@pytest.mark.parametrize("cursor", ["x", "9|", "2026-11-17|a", "-1|a", "9" * 12 + "|a", "|"])
async def test_a_cursor_of_another_order_or_of_nobody_is_said_to_be_wrong(cursor: str) -> None:
    office = await make_office()
    with pytest.raises(Invalid):
        await inbox.list_cases(HANDLER, office.desk, sort="people", cursor=cursor)


async def test_what_is_handed_back_waits_in_the_inbox_for_whoever_assigns() -> None:
    office = await make_office()
    office.clock.move(timedelta(minutes=1))
    case = await case_of(office, "路灯不亮")
    await handling.accept_case(MONITOR, office.desk, case)
    await office.store.change("cases", {"_id": case}, {"$set": {"state": "objected"}})
    assert (await inbox.count_cases(MONITOR, office.desk))["todo"] == 1
