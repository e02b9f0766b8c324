"""Handling: who has a case in hand, what the citizen is asked, the clock that stands, notes, and what citizens send."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.desk import handling
from hub.desk.answering import write_answer
from hub.desk.tasks import finish_task, my_tasks
from hub.desk.telling import tell
from hub.domain.errors import Conflict, Invalid, NotAllowed
from tests.domain.case_office import (
    HANDLER,
    HANDLER2,
    MONITOR,
    RECEIVER,
    REVIEWER,
    WORDS,
    Office,
    make_office,
)


async def demanded(office: Office) -> tuple[str, str]:
    """A demand whose case is in hand: (demand, case)."""
    demand = await office.demand()
    case = await office.case_of(demand)
    await handling.accept_case(MONITOR, office.desk, case["_id"])
    await handling.take_case(HANDLER, office.desk, case["_id"])
    return demand, case["_id"]


async def test_a_second_handler_is_told_who_is_answering_and_since_when() -> None:
    office = await make_office()
    case = await office.in_hand()
    with pytest.raises(Conflict, match="罗平10:36 起正在回复"):
        await write_answer(HANDLER2, office.desk, case, WORDS)
    await handling.note_case(HANDLER2, office.desk, case, "热力公司说配件 23 日到。")
    await handling.take_case(HANDLER2, office.desk, case)
    with pytest.raises(Conflict, match="马强"):
        await write_answer(HANDLER, office.desk, case, WORDS)
    assert (await office.row("cases", case))["owner_name"] == "马强"


async def test_a_monitor_accepts_and_assigns_but_does_not_answer_and_a_reviewer_only_reads() -> None:
    office = await make_office()
    case = await office.in_hand()
    for actor in (MONITOR, REVIEWER):
        with pytest.raises(NotAllowed):
            await handling.take_case(actor, office.desk, case)
        with pytest.raises(NotAllowed):
            await write_answer(actor, office.desk, case, WORDS)
    with pytest.raises(NotAllowed):
        await handling.accept_case(REVIEWER, office.desk, case)


async def test_assigning_names_a_person_who_handles_or_a_department() -> None:
    office = await make_office()
    case = await office.in_hand()
    for words in ({}, {"person": MONITOR.id}, {"person": "nobody"}):
        with pytest.raises(Invalid):
            await handling.assign_case(MONITOR, office.desk, case, **words)
    assigned = await handling.assign_case(MONITOR, office.desk, case, person=HANDLER2.id, department="市城管局")
    assert (assigned["state"], assigned["owner"], assigned["department"]) == ("assigned", HANDLER2.id, "市城管局")


async def test_while_the_citizen_is_asked_the_clock_stands_and_their_answer_starts_it_again() -> None:
    office = await make_office()
    demand, case = await demanded(office)
    office.clock.move(timedelta(hours=1))
    waiting = await handling.wait_case(HANDLER, office.desk, case, "请告诉我们是哪一盏灯。")
    assert "due_at" not in waiting
    office.clock.move(timedelta(days=3))
    await office.add(demand, "北头第三盏")
    await office.follow()
    again = await office.row("cases", case)
    assert again["state"] == "in_hand"
    assert again["due_at"].isoformat() == "2026-11-27T02:36:00+00:00"  # 24 November, 10:36, and three days
    assert "wanted" not in again


async def test_a_number_in_a_note_is_masked_and_an_empty_note_is_none() -> None:
    office = await make_office()
    case = await office.in_hand()
    await handling.note_case(MONITOR, office.desk, case, "打他电话 13912345678")
    assert "13912345678" not in repr(await office.row("cases", case))
    with pytest.raises(Invalid):
        await handling.note_case(MONITOR, office.desk, case, "  ")


async def test_two_who_act_on_what_they_saw_before_are_told_that_somebody_was_faster() -> None:
    office = await make_office()
    demand = await office.demand()
    case = await office.case_of(demand)
    await handling.accept_case(MONITOR, office.desk, case["_id"])
    with pytest.raises(Conflict):
        await handling.accept_case(HANDLER, office.desk, case["_id"])


async def test_declining_says_why_and_the_citizen_reads_it() -> None:
    office = await make_office()
    demand = await office.demand()
    case = await office.case_of(demand)
    with pytest.raises(Invalid):
        await handling.decline_case(MONITOR, office.desk, case["_id"], "")
    await handling.decline_case(MONITOR, office.desk, case["_id"], "这段路由邻市管理，请向邻市反映。")
    await tell(RECEIVER, office.desk)
    body = office.site.told[demand][1]
    assert body["steps"][-1]["text"] == "这段路由邻市管理，请向邻市反映。"


# ---- what the citizen is told and says


async def test_a_demand_is_told_as_received_at_once_and_every_change_after_it() -> None:
    office = await make_office()
    demand = await office.demand("电话 13912345678，路灯不亮")
    case = await office.case_of(demand)
    await tell(RECEIVER, office.desk)
    version, body = office.site.told[demand]
    assert (body["said"], body["number"]) == ("已收到", case["number"])
    assert "13912345678" not in repr(body) and "138" not in body["own"]["text"]
    await handling.accept_case(MONITOR, office.desk, case["_id"])
    await tell(RECEIVER, office.desk)
    newer, body = office.site.told[demand]
    assert newer > version
    assert body["said"] == "已受理"


async def test_a_site_that_is_away_is_told_later() -> None:
    office = await make_office()
    demand = await office.demand()
    await office.case_of(demand)
    office.site.down = True
    assert await tell(RECEIVER, office.desk) == 0
    office.site.down = False
    assert await tell(RECEIVER, office.desk) == 1
    assert await tell(RECEIVER, office.desk) == 0
    assert demand in office.site.told


async def answered(office: Office) -> tuple[str, str, str]:
    """An answered demand: (demand, case, key of its delivery)."""
    demand, case = await demanded(office)
    await office.sent(case)
    await office.work()
    (delivery,) = await office.rows("deliveries", case=case)
    return demand, case, delivery["key"]


async def test_a_bad_rating_becomes_work_of_whoever_answered_and_is_called_back_within_five_working_days() -> None:
    office = await make_office()
    demand, case, key = await answered(office)
    await office.rate(key, 2, "没修好，电话 13912345678")
    await office.follow()
    await tell(RECEIVER, office.desk)
    (task,) = await my_tasks(HANDLER, office.desk)
    assert (task["kind"], task["about"]) == ("rating.bad", case)
    assert task["due"] == office.clock.now() + timedelta(days=7)
    assert (await office.row("cases", case))["rated"] == 2
    assert office.site.told[demand][1]["said"] == "已评价"
    assert "13912345678" not in repr(await office.rows("ratings"))
    await finish_task(HANDLER, office.desk, task["_id"], "已上门看过，换了灯泡。")
    assert await my_tasks(HANDLER, office.desk) == []


async def test_a_good_rating_is_written_down_and_makes_no_work() -> None:
    office = await make_office()
    _, case, key = await answered(office)
    await office.rate(key, 5)
    await office.follow()
    assert (await office.row("cases", case))["rated"] == 5
    assert await my_tasks(HANDLER, office.desk) == []


async def test_one_answer_is_rated_once_however_often_it_is_sent() -> None:
    office = await make_office()
    _, case, key = await answered(office)
    for level in (1, 5, 5):
        await office.rate(key, level)
        await office.follow()
    assert (await office.row("cases", case))["rated"] == 1
    states = {row["external_id"]: row["state"] for row in await office.rows("ratings")}
    assert [states[id] for id in sorted(states)] == ["applied", "repeated", "repeated"]


async def test_a_rating_of_no_answer_of_ours_waits_sealed_and_is_set_aside_after_a_week() -> None:
    office = await make_office()
    await answered(office)
    await office.rate("no-such-answer", 1)
    await office.follow()
    assert (await office.rows("ratings"))[0]["state"] == "new"
    office.clock.move(timedelta(days=8))
    await office.follow()
    assert (await office.rows("ratings"))[0]["state"] == "astray"


async def test_what_is_not_solved_begins_once_more_with_a_new_clock_and_a_new_answer() -> None:
    office = await make_office()
    demand, case, _ = await answered(office)
    await office.add(demand, "还是不亮", unsolved=True)
    await office.follow()
    again = await office.row("cases", case)
    assert (again["state"], again["round"], again["owner"]) == ("reopened", 2, HANDLER.id)
    assert again["due_at"] == office.clock.now() + timedelta(days=7)
    await handling.take_case(HANDLER, office.desk, case)
    await office.sent(case, "您好。今天上午已换新灯，麻烦您晚上再看一眼。")
    await office.work()
    assert len(await office.rows("deliveries", case=case)) == 2
    assert len(office.site.public) == 2
    await tell(RECEIVER, office.desk)
    assert len(office.site.told[demand][1]["answers"]) == 2


async def test_the_same_message_heard_twice_reaches_its_case_once() -> None:
    office = await make_office()
    demand, case, _ = await answered(office)
    await office.add(demand, "还是不亮", unsolved=True)
    await office.follow()
    (message,) = await office.rows("replies", kind="message")
    await office.store.change("replies", {"_id": message["_id"]}, {"$set": {"to_follow": True}})
    await office.follow()
    assert [step["act"] for step in (await office.row("cases", case))["history"]].count("reopen") == 1


async def test_a_supplement_whose_demand_never_came_is_read_like_any_message_after_a_week() -> None:
    office = await make_office()
    await office.add("no-such-demand", "北头第三盏")
    await office.follow()
    assert (await office.rows("replies"))[0]["state"] == "follows"
    office.clock.move(timedelta(days=8))
    await office.follow()
    (row,) = await office.rows("replies")
    assert row["state"] == "new" and "to_follow" not in row


async def test_a_word_of_thanks_after_the_answer_reopens_nothing() -> None:
    office = await make_office()
    demand, case, _ = await answered(office)
    await office.add(demand, "谢谢")
    await office.follow()
    assert (await office.row("cases", case))["state"] == "answered"
    assert (await office.row("cases", case))["replies"] == 2
