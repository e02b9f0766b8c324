"""Cases are opened from replies, alerts and demands, and merged: every reply is in one case, whoever comes at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.desk import casing, handling, inbox, issues
from hub.desk.board import live
from hub.desk.opening import merge, open_from_alert, open_from_reply
from hub.desk.replies import list_replies, reply, reveal
from hub.desk.searching import search
from hub.domain.errors import Conflict, HubError, Invalid, NotAllowed, NotFound
from hub.failpoints import NAMES, Stopped
from tests.domain.case_office import BOTH, EDITOR, HANDLER, HANDLER2, MONITOR, RECEIVER, Office, make_office


async def crowd(office: Office, *authors: str) -> str:
    """Comments of one issue with an alert; the alert's id."""
    for author in authors:
        id = await office.comment(author=author)
        await office.store.change("replies", {"_id": id}, {"$set": {"issue": "i-1", "state": "read"}})
    alert = {"_id": "al-1", "issue": "i-1", "title": "松苑街路灯不亮", "level": "yellow", "state": "new"}
    await office.store.insert("alerts", {**alert, "silent": False, "at": office.clock.now()})
    return "al-1"


async def test_a_case_from_a_reply_has_its_masked_words_its_number_and_a_clock_of_five_working_days() -> None:
    office = await make_office()
    id = await office.comment("电话 13912345678，路灯不亮")
    opened = await open_from_reply(MONITOR, office.desk, id)
    case = opened.case
    assert (case["number"], case["state"], case["people"]) == ("26-11-00001", "new", 1)
    assert "13912345678" not in repr(await office.rows("cases"))
    assert case["due_at"].isoformat() == "2026-11-24T02:36:00+00:00"
    assert (await office.row("replies", id))["case"] == case["_id"]
    with pytest.raises(Conflict, match="26-11-00001"):
        await open_from_reply(HANDLER, office.desk, id)


async def test_whoever_may_not_open_cases_opens_none_and_an_absent_reply_is_not_found() -> None:
    office = await make_office()
    id = await office.comment()
    with pytest.raises(NotAllowed):
        await open_from_reply(EDITOR, office.desk, id)
    with pytest.raises(NotFound):
        await open_from_reply(MONITOR, office.desk, "nothing")
    with pytest.raises(Invalid):
        await open_from_reply(MONITOR, office.desk, id, kind="gossip")


async def test_many_who_open_at_one_instant_open_one_case() -> None:
    office = await make_office()
    id = await office.comment()
    results = await asyncio.gather(
        *(open_from_reply(who, office.desk, id) for who in (MONITOR, HANDLER, HANDLER2, BOTH)), return_exceptions=True
    )
    assert len({one.case["_id"] for one in results if not isinstance(one, BaseException)}) == 1
    assert all(isinstance(one, HubError) for one in results if isinstance(one, BaseException))
    assert len(await office.rows("cases")) == 1


async def test_a_case_from_an_alert_gathers_everybody_who_spoke_each_person_once() -> None:
    office = await make_office()
    alert = await crowd(office, "王芳", "李明", "王芳", "赵静")
    opened = await open_from_alert(MONITOR, office.desk, alert)
    assert (opened.case["people"], opened.case["replies"], opened.joined) == (3, 4, 4)
    with pytest.raises(Conflict, match="已开工单"):
        await open_from_alert(HANDLER, office.desk, alert)


async def test_what_is_worked_on_elsewhere_stays_there_and_what_nobody_began_comes_in() -> None:
    office = await make_office()
    alert = await crowd(office, "王芳", "李明", "赵静")
    first, second, _ = [row["_id"] for row in await office.rows("replies")]
    begun = (await open_from_reply(MONITOR, office.desk, first)).case
    await handling.accept_case(MONITOR, office.desk, begun["_id"])
    untouched = (await open_from_reply(MONITOR, office.desk, second)).case
    opened = await open_from_alert(MONITOR, office.desk, alert)
    assert (opened.case["people"], opened.elsewhere) == (2, 1)
    assert (await office.row("cases", untouched["_id"]))["merged_into"] == opened.case["_id"]
    assert (await office.row("replies", first))["case"] == begun["_id"]


@pytest.mark.parametrize("point", ["case.claimed", "case.opened", "case.joined"])
async def test_a_killed_opening_is_finished_by_asking_again(point: str) -> None:
    assert point in NAMES
    office = await make_office()
    alert = await crowd(office, "王芳", "李明")
    broken = office.again(office.store, f"{point}:1:raise")
    with pytest.raises(Stopped):
        await open_from_alert(MONITOR, broken.desk, alert)
    after = office.again(office.store.crash())  # type: ignore[attr-defined]
    if point == "case.claimed":
        await open_from_alert(MONITOR, after.desk, alert)
    else:
        with pytest.raises(Conflict, match="已开工单"):
            await open_from_alert(MONITOR, after.desk, alert)
        await after.follow()
    (case,) = await after.rows("cases")
    assert case["people"] == 2
    assert {row["case"] for row in await after.rows("replies")} == {case["_id"]}


@pytest.mark.parametrize("point", ["case.claimed", "case.opened"])
async def test_a_demand_whose_case_was_cut_off_gets_exactly_one(point: str) -> None:
    office = await make_office()
    demand = await office.demand()
    broken = office.again(office.store, f"{point}:1:raise")
    with pytest.raises(Stopped):
        await broken.follow()
    after = office.again(office.store.crash())  # type: ignore[attr-defined]
    case = await after.case_of(demand)
    assert [row["_id"] for row in await after.rows("cases")] == [case["_id"]]


# ---- merging


async def test_merged_people_are_answered_with_the_other_case_and_the_earliest_start_counts() -> None:
    office = await make_office()
    one = (await open_from_reply(MONITOR, office.desk, await office.comment(author="王芳"))).case
    office.clock.move(3600)
    two = (await open_from_reply(MONITOR, office.desk, await office.comment(author="李明"))).case
    target = await merge(MONITOR, office.desk, one["_id"], two["_id"])
    assert target["people"] == 2
    assert (target["started_at"], target["due_at"]) == (one["started_at"], one["due_at"])
    assert (await office.row("cases", one["_id"]))["state"] == "merged"
    again = await merge(MONITOR, office.desk, one["_id"], two["_id"])
    assert [step["act"] for step in again["history"]].count("joined") == 1
    with pytest.raises(Invalid):
        await merge(MONITOR, office.desk, two["_id"], two["_id"])


async def test_a_merge_that_was_cut_off_is_finished_by_the_next_round() -> None:
    office = await make_office()
    one = (await open_from_reply(MONITOR, office.desk, await office.comment(author="王芳"))).case
    two = (await open_from_reply(MONITOR, office.desk, await office.comment(author="李明"))).case
    broken = office.again(office.store, "case.joined:1:raise")
    with pytest.raises(Stopped):
        await merge(MONITOR, broken.desk, one["_id"], two["_id"])
    after = office.again(office.store.crash())  # type: ignore[attr-defined]
    await after.follow()
    assert (await after.row("cases", two["_id"]))["people"] == 2
    assert {row["case"] for row in await after.rows("replies")} == {two["_id"]}


@pytest.mark.parametrize("kind", ["report", "petition"])
async def test_what_is_confidential_is_never_merged(kind: str) -> None:
    office = await make_office()
    plain = (await open_from_reply(MONITOR, office.desk, await office.comment(author="王芳"))).case
    secret = (await open_from_reply(MONITOR, office.desk, await office.comment(author="李明"), kind=kind)).case
    for one, two in ((plain, secret), (secret, plain)):
        with pytest.raises(Conflict, match="不能归并"):
            await merge(MONITOR, office.desk, one["_id"], two["_id"])
    with pytest.raises(Invalid):
        await open_from_alert(MONITOR, office.desk, await crowd(office, "赵静"), kind=kind)


# ---- confidential words


SECRET = "某科长收了好处"


async def secret_case(office: Office) -> dict[str, Any]:
    return await office.case_of(await office.demand(SECRET, kind="report", title="反映收好处"))


async def test_a_report_is_seen_by_its_named_handlers_alone_in_no_list_no_search_and_no_reading() -> None:
    office = await make_office()
    case = await secret_case(office)
    (row,) = await office.rows("replies")
    assert (case["handlers"], row["state"]) == ([MONITOR.id], "confidential")
    for stranger in (HANDLER, BOTH):
        assert (await list_replies(stranger, office.desk)).items == []
        assert (await search(stranger, office.desk, "好处")).count == 0
        assert sum((await inbox.count_cases(stranger, office.desk)).values()) == 0
        for verb in (casing.seen_case(stranger, office.desk, case["_id"]), reply(stranger, office.desk, row["_id"]),
                     reveal(stranger, office.desk, row["_id"], "我想看看"),
                     open_from_reply(stranger, office.desk, row["_id"]),
                     handling.note_case(stranger, office.desk, case["_id"], "备注")):  # fmt: skip
            with pytest.raises(NotFound):
                await verb
    assert (await inbox.list_cases(MONITOR, office.desk, tab="confidential")).rows[0]["_id"] == case["_id"]
    assert (await list_replies(MONITOR, office.desk)).items == []
    assert (await reply(MONITOR, office.desk, row["_id"]))["text"] == SECRET
    assert SECRET in (await reveal(MONITOR, office.desk, row["_id"], "核对线索"))["text"]


async def test_a_confidential_case_goes_to_a_person_who_sees_it_from_then_on_and_nobody_else_hears_of_it() -> None:
    office = await make_office()
    case = await secret_case(office)
    await handling.accept_case(MONITOR, office.desk, case["_id"])
    with pytest.raises(Invalid, match="具体的人"):
        await handling.assign_case(MONITOR, office.desk, case["_id"], department="纪检组")
    await handling.assign_case(MONITOR, office.desk, case["_id"], person=HANDLER.id)
    assert (await casing.seen_case(HANDLER, office.desk, case["_id"]))["owner"] == HANDLER.id
    with pytest.raises(NotFound):
        await casing.seen_case(HANDLER2, office.desk, case["_id"])
    box = (await office.row("cases", case["_id"]))["outbox"]
    told = [row for parcel in box for row in parcel["rows"] if row["kind"] == "notice"]
    assert {person for row in told for person in row["people"]} == {MONITOR.id, HANDLER.id}
    assert not [row for row in told if "好处" in row["text"]]
    assert SECRET not in repr(box)


async def test_a_case_that_turns_out_to_be_a_report_takes_its_words_out_of_every_list() -> None:
    office = await make_office()
    id = await office.comment(SECRET)
    case = (await open_from_reply(MONITOR, office.desk, id)).case
    assert (await list_replies(HANDLER, office.desk)).items
    sorted_case = await handling.sort_case(MONITOR, office.desk, case["_id"], "report")
    assert sorted_case["confidential"]
    assert (await list_replies(HANDLER, office.desk)).items == []
    back = await handling.sort_case(MONITOR, office.desk, case["_id"], "help")
    assert back["confidential"], "what was seen cannot be unseen, and what was closed is not opened again"


async def test_words_that_turned_confidential_stand_on_no_board_and_no_issue() -> None:
    office = await make_office()
    id = await office.comment(SECRET)
    await office.store.change("replies", {"_id": id}, {"$set": {"state": "read", "issue": "i-1"}})
    issue = {"_id": "i-1", "title": "某事", "level": "none", "state": "open", "last_at": office.clock.now()}
    await office.store.insert("issues", issue)
    case = (await open_from_reply(MONITOR, office.desk, id)).case
    since, until = office.clock.now() - timedelta(hours=1), office.clock.now() + timedelta(hours=1)
    assert len(await live(HANDLER, office.desk, since=since, until=until)) == 1
    await handling.sort_case(MONITOR, office.desk, case["_id"], "petition")
    assert await live(HANDLER, office.desk, since=since, until=until) == []
    assert issues.bars((await issues.issue(HANDLER, office.desk, "i-1")).words)[0] == []


async def test_a_report_in_an_office_with_nobody_on_duty_is_seen_by_who_may_assign_it() -> None:
    office = await make_office()
    await office.store.change_many("users", {}, {"$set": {"duty": False}})
    case = await secret_case(office)
    assert case["handlers"] == [MONITOR.id]
    await office.store.change("users", {"_id": MONITOR.id}, {"$set": {"disabled": True}})
    second = await office.case_of(await office.demand(SECRET + "，还有别的", kind="report"))
    assert set(second["handlers"]) == {HANDLER.id, HANDLER2.id, BOTH.id}


async def test_what_is_added_to_a_report_is_as_confidential_as_the_report() -> None:
    office = await make_office()
    demand = await office.demand(SECRET, kind="report")
    await office.add(demand, "他的电话我也知道")
    await office.case_of(demand)
    await office.follow()
    rows = await office.rows("replies")
    assert [row["state"] for row in rows] == ["confidential", "confidential"]
    assert len({row["case"] for row in rows}) == len({row["author_key"] for row in rows}) == 1


# ---- lists


async def test_the_inbox_is_in_the_order_of_time_left_and_pages_without_loss() -> None:
    office = await make_office()
    ids = []
    for number in range(7):
        opened = await open_from_reply(MONITOR, office.desk, await office.comment(author=f"市民{number}"))
        ids.append(opened.case["_id"])
        office.clock.move(60)
    seen, cursor = [], ""
    while True:
        found = await inbox.list_cases(HANDLER, office.desk, tab="todo", cursor=cursor, limit=3)
        seen += [row["_id"] for row in found.rows]
        if found.cursor is None:
            break
        cursor = found.cursor
    assert seen == ids
    assert (await inbox.count_cases(HANDLER, office.desk))["todo"] == 7


async def test_numbers_of_a_month_are_given_once() -> None:
    office = await make_office()
    demands = [await office.demand(f"第 {number} 件") for number in range(5)]
    for demand in demands:
        await office.case_of(demand)
    numbers = [row["number"] for row in await office.rows("cases")]
    assert len(set(numbers)) == 5
    assert RECEIVER.id == (await office.rows("cases"))[0]["opened_by"]
