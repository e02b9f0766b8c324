"""Answers on their way: every outcome, every way, every kill; each citizen hears the words at most once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from channels.contract import Accepted, Pending, Unknown
from hub.desk import confirming, handling
from hub.desk.answering import review_answer, send_answer, submit_answer
from hub.desk.opening import merge, open_from_reply
from hub.desk.pausing import hold_all, lift_hold_all
from hub.desk.tasks import my_tasks
from hub.domain.errors import Conflict, Invalid, NotAllowed
from hub.failpoints import NAMES, Stopped
from tests.domain.case_office import (
    EDITOR,
    HANDLER,
    HANDLER2,
    LATER,
    MONITOR,
    REFUSED,
    REVIEWER,
    WORDS,
    Office,
    make_office,
)


async def delivered(office: Office, case: str) -> list[str]:
    return sorted(row["state"] for row in await office.rows("deliveries", case=case))


async def test_everybody_of_a_case_hears_the_answer_once_each_however_often_they_spoke() -> None:
    office = await make_office()
    case = await office.in_hand("王芳", "李明", "王芳", "赵静")
    await office.sent(case)
    await office.work(2)
    assert sorted(id for id, _, _ in office.weibo.calls) == ["c2", "c3", "c4"]  # of two words the newer is answered
    assert {text for _, text, _ in office.weibo.calls} == {WORDS}
    answer, found = (await office.rows("answers"))[0], await office.row("cases", case)
    assert (answer["state"], answer["people"], found["state"]) == ("delivered", 3, "answered")
    assert "leaving" not in found


async def test_a_short_form_is_said_where_the_platform_is_short_and_the_whole_where_it_is_not() -> None:
    office = await make_office()
    demand = await office.demand()
    case = (await office.case_of(demand))["_id"]
    comment = await office.comment()
    await office.store.change("replies", {"_id": comment}, {"$set": {"case": case}})
    await handling.accept_case(MONITOR, office.desk, case)
    await handling.take_case(HANDLER, office.desk, case)
    short = "路灯已修好，详情请看网站。"
    answer = await submit_answer(HANDLER, office.desk, case, WORDS, short)
    await review_answer(REVIEWER, office.desk, answer["_id"], verdict="pass", hash=answer["hash"])
    await send_answer(REVIEWER, office.desk, answer["_id"])
    await office.work(2)
    assert [text for _, text, _ in office.weibo.calls] == [short]
    assert [text for _, text, _ in office.site.calls] == [WORDS]


# ---- outcomes


async def test_a_refusal_that_passes_is_tried_again_under_the_same_key() -> None:
    office = await make_office()
    office.weibo.plan = [LATER, LATER]
    case = await office.in_hand()
    await office.sent(case)
    await office.work(6, minutes=2)
    assert await delivered(office, case) == ["published"]
    assert len(office.weibo.calls) == 3
    assert len({key for _, _, key in office.weibo.calls}) == 1


async def test_a_refusal_for_good_goes_on_by_the_next_way_and_all_ways_stand_in_the_record() -> None:
    office = await make_office()
    office.weibo.plan = [REFUSED]
    case = await office.in_hand()
    await office.sent(case)
    await office.work(2)
    (row,) = await office.rows("deliveries")
    assert row["state"] == "refused"
    assert [(each["way"], each["reason"]) for each in row["passed"]] == [
        ("used", "超过可以回复的时间"),
        ("chosen", "群众没有另选渠道"),
        ("sms", "还没有接入短信"),
        ("code", "没有查询码"),
    ]
    assert row["attempts"][0]["code"] == "window_closed"
    assert (await office.rows("answers"))[0]["state"] == "failed"
    found = await office.row("cases", case)
    assert found["state"] == "in_hand" and "leaving" not in found
    (task,) = await my_tasks(HANDLER, office.desk)
    assert task["kind"] == "delivery.check"


async def test_a_refusal_falls_back_on_the_channel_that_the_citizen_chose_under_a_key_of_its_own() -> None:
    office = await make_office()
    office.weibo.plan = [REFUSED]
    case = await office.in_hand()
    await office.sent(case)
    await _spread(office)
    (row,) = await office.rows("deliveries")
    chosen = [{**way, "account": "site-main"} if way["name"] == "chosen" else way for way in row["ways"]]
    await office.store.change("deliveries", {"_id": row["_id"]}, {"$set": {"ways": chosen}})
    await office.work(2, minutes=1)
    (after,) = await office.rows("deliveries")
    assert (after["state"], after["account"]) == ("published", "site-main")
    assert after["ways"][after["way"]]["name"] == "chosen"
    assert office.weibo.calls[0][2] != office.site.calls[0][2]


async def _spread(office: Office) -> None:
    """Only as far as that the deliveries exist: nothing may go out meanwhile."""
    await hold_all(MONITOR, office.desk, "演练")
    await office.work()
    await lift_hold_all(REVIEWER, office.desk, reason="演练")


async def test_partly_arrived_says_so_and_the_case_is_answered() -> None:
    office = await make_office()
    office.weibo.plan = [Accepted("a"), REFUSED]
    case = await office.in_hand("王芳", "李明")
    await office.sent(case)
    await office.work(2)
    assert await delivered(office, case) == ["published", "refused"]
    assert (await office.rows("answers"))[0]["state"] == "partly"
    assert (await office.row("cases", case))["state"] == "answered"


async def test_an_unknown_delivery_is_never_sent_again_by_a_program() -> None:
    office = await make_office()
    office.weibo.plan = [Unknown("没有答复")]
    office.weibo.arrives = False
    case = await office.in_hand()
    await office.sent(case)
    await office.work(200, minutes=30)
    assert await delivered(office, case) == ["unknown"]
    assert len(office.weibo.calls) == 1
    assert [row["kind"] for row in await my_tasks(HANDLER, office.desk)] == ["delivery.check"]


async def answered_demand(office: Office) -> str:
    demand = await office.demand()
    case = (await office.case_of(demand))["_id"]
    await handling.accept_case(MONITOR, office.desk, case)
    await handling.take_case(HANDLER, office.desk, case)
    await office.sent(case)
    return case


async def test_where_the_channel_can_say_a_lost_answer_is_found_by_a_look() -> None:
    office = await make_office()
    office.site.plan = [Unknown("没有答复")]
    case = await answered_demand(office)
    await office.work(2, minutes=1)
    assert await delivered(office, case) == ["published"]
    assert len(office.site.calls) == 1
    assert (await office.rows("answers"))[0]["state"] == "delivered"


async def test_an_answer_that_is_looked_for_and_not_there_waits_for_a_person_all_the_same() -> None:
    office = await make_office()
    office.site.plan = [Unknown("没有答复")]
    office.site.arrives = False
    case = await answered_demand(office)
    await office.work(100, minutes=30)
    assert await delivered(office, case) == ["unknown"]
    assert len(office.site.calls) == 1


async def test_a_verdict_that_comes_later_is_asked_for() -> None:
    office = await make_office()

    async def check(ticket: str) -> Accepted:
        return Accepted(ticket)

    office.weibo.check = check  # type: ignore[attr-defined]
    office.weibo.plan = [Pending("t-1", "audit", timedelta(minutes=2))]
    case = await office.in_hand()
    await office.sent(case)
    await office.work()
    assert await delivered(office, case) == ["pending"]
    await office.work(3, minutes=2)
    assert await delivered(office, case) == ["published"]


# ---- a person's word


async def test_a_person_says_what_became_of_it_and_a_second_act_sends_it_again() -> None:
    office = await make_office()
    office.weibo.plan = [Unknown("没有答复")]
    office.weibo.arrives = False
    case = await office.in_hand()
    await office.sent(case)
    await office.work(2)
    (row,) = await office.rows("deliveries")
    with pytest.raises(NotAllowed):
        await confirming.resolve_delivery(MONITOR, office.desk, row["_id"], "delivered", "看到了")
    with pytest.raises(Invalid):
        await confirming.resolve_delivery(HANDLER, office.desk, row["_id"], "delivered", "")
    with pytest.raises(Conflict):
        await confirming.send_again(HANDLER, office.desk, row["_id"])
    await confirming.resolve_delivery(HANDLER, office.desk, row["_id"], "not_delivered", "在微博上没有看到这条回复")
    await office.work(2, minutes=5)
    assert len(office.weibo.calls) == 1, "a word that it is not there sends nothing by itself"
    await confirming.send_again(HANDLER, office.desk, row["_id"])
    await office.work(2)
    assert await delivered(office, case) == ["published"]
    assert len({key for _, _, key in office.weibo.calls}) == 2


async def test_who_was_told_by_telephone_counts_as_answered() -> None:
    office = await make_office()
    office.weibo.plan = [REFUSED]
    case = await office.in_hand()
    await office.sent(case)
    await office.work(2)
    (row,) = await office.rows("deliveries")
    after = await confirming.resolve_delivery(HANDLER, office.desk, row["_id"], "delivered", "已打电话告知本人")
    assert after["state"] == "published"
    with pytest.raises(Conflict):
        await confirming.resolve_delivery(HANDLER, office.desk, row["_id"], "delivered", "已打电话告知本人")


async def test_what_failed_is_sent_again_by_a_person_and_its_answer_comes_to_a_new_end() -> None:
    office = await make_office()
    office.weibo.plan = [REFUSED]
    case = await office.in_hand()
    await office.sent(case)
    await office.work(2)
    (row,) = await office.rows("deliveries")
    await confirming.send_again(HANDLER, office.desk, row["_id"])
    await office.work(2)
    assert (await office.rows("answers"))[0]["state"] == "delivered"
    assert (await office.row("cases", case))["state"] == "answered"


# ---- holding, taking over, merging while it leaves


async def test_while_everything_is_held_no_answer_leaves() -> None:
    office = await make_office()
    case = await office.in_hand()
    await office.sent(case)
    await hold_all(MONITOR, office.desk, "接上级电话通知")
    await office.work(3)
    assert office.weibo.calls == []
    await lift_hold_all(REVIEWER, office.desk, reason="已核实")
    await office.work(2)
    assert len(office.weibo.calls) == 1


async def test_while_an_answer_leaves_the_case_is_neither_merged_nor_taken_over_nor_closed() -> None:
    office = await make_office()
    case = await office.in_hand()
    other = (await open_from_reply(MONITOR, office.desk, await office.comment(author="李明"))).case["_id"]
    await office.sent(case)
    for verb in (
        handling.take_case(HANDLER2, office.desk, case),
        merge(MONITOR, office.desk, case, other),
        merge(MONITOR, office.desk, other, case),
        handling.close_case(MONITOR, office.desk, case),
    ):
        with pytest.raises(Conflict):
            await verb
    await office.work(2)
    await handling.close_case(MONITOR, office.desk, case)


async def test_words_changed_in_the_store_after_their_approval_do_not_leave() -> None:
    office = await make_office()
    case = await office.in_hand()
    id = await office.sent(case)
    await office.store.change("answers", {"_id": id}, {"$set": {"text": "换成了别的话，没有人审过。"}})
    await office.work(3)
    assert office.weibo.calls == []
    assert await delivered(office, case) == ["held"]


async def test_an_account_with_a_bug_does_not_stop_the_others() -> None:
    office = await make_office()

    async def broken(*_: object) -> None:
        raise RuntimeError("bug")

    office.weibo.answer = broken  # type: ignore[assignment]
    case = await office.in_hand()
    await office.sent(case)
    await answered_demand(office)
    await office.work(2)
    assert len(office.site.calls) == 1
    assert await delivered(office, case) == ["unknown"]


async def test_only_its_own_duty_delivers() -> None:
    office = await make_office()
    for actor in (HANDLER, REVIEWER, EDITOR):
        with pytest.raises(NotAllowed):
            await confirming.settle_deliveries(actor, office.desk)


# ---- two workers, and kills


async def test_two_workers_at_once_bring_each_answer_once() -> None:
    office = await make_office()
    case = await office.in_hand(*(f"市民{number}" for number in range(12)))
    await office.sent(case)
    other = office.again(office.store)
    await asyncio.gather(office.work(3), other.work(3))
    to = [id for id, _, _ in office.weibo.calls]
    assert len(to) == len(set(to)) == 12
    assert (await office.rows("answers"))[0]["state"] == "delivered"


POINTS = ("deliver.claimed", "publish.intent_written", "publish.answered", "publish.outcome_written")
KILLS = [(point, nth) for point in POINTS for nth in (1, 2, 3)] + [("deliver.spread", 1), ("deliver.summed", 1)]


@pytest.mark.parametrize(("point", "nth"), KILLS)
async def test_killed_anywhere_each_citizen_hears_it_at_most_once_and_the_end_is_true(point: str, nth: int) -> None:
    assert point in NAMES
    office = await make_office()
    case = await office.in_hand("王芳", "李明", "赵静")
    await office.sent(case)
    broken = office.again(office.store, f"{point}:{nth}:raise")
    with pytest.raises(Stopped):
        await broken.work(3)
    after = office.again(office.store.crash())  # type: ignore[attr-defined]
    await after.work(8, minutes=3)
    to = [id for id, _, _ in office.weibo.calls]
    assert len(to) == len(set(to)), "somebody was answered twice"
    states = {row["reply"]: row for row in await after.rows("deliveries", case=case)}
    assert len(states) == 3
    public = {id for id, _ in office.weibo.public.values()}
    for row in states.values():
        reply = await after.row("replies", row["reply"])
        arrived = reply["external_id"] in public
        assert row["state"] in (("published", "unknown") if arrived else ("unknown",))
    if all(row["state"] == "published" for row in states.values()):
        assert (await after.rows("answers"))[0]["state"] == "delivered"
        assert "leaving" not in await after.row("cases", case)
    else:
        assert [row["kind"] for row in await my_tasks(HANDLER, after.desk)] == ["delivery.check"]


async def test_a_sending_cut_off_between_case_and_answer_goes_on_when_asked_again() -> None:
    office = await make_office()
    case = await office.in_hand()
    id = await office.approved(case)
    broken = office.again(office.store, "deliver.asked:1:raise")
    with pytest.raises(Stopped):
        await send_answer(REVIEWER, broken.desk, id)
    after = office.again(office.store.crash())  # type: ignore[attr-defined]
    await after.work()
    assert office.weibo.calls == []
    await send_answer(REVIEWER, after.desk, id)
    await after.work(2)
    assert len(office.weibo.calls) == 1
