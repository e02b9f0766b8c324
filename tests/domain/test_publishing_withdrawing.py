"""更正 and 撤稿: the website first, one right and a reason, and what a platform cannot do becomes a person's task."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.desk import pausing, publishing, settling
from hub.desk.dispatching import dispatch
from hub.desk.operating import operate, settle_operations
from hub.desk.publishing import Wish
from hub.desk.withdrawing import confirm_by_hand, correct, withdraw
from hub.domain.errors import Conflict, Invalid, NotAllowed
from tests.domain.publishing_office import DISPATCHER, EDITOR, MONITOR, REVIEWER, SETTLER, SYSADMIN, Office, make_office


async def public() -> Office:
    """One content public on the website, on a trusted platform and on 微博."""
    office = make_office()
    await office.account("site-main", "site")
    await office.account("trusted-main", "trusted")
    await office.account("weibo-main", "weibo", waits_for="site-main")
    await office.write("c1", "供热开始")
    accounts = ("site-main", "trusted-main", "weibo-main")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish(one, office.clock.now()) for one in accounts])
    for _ in range(3):
        await dispatch(DISPATCHER, office.desk)
        office.clock.move(1)
    assert set((await office.states()).values()) == {"published"}
    return office


async def rounds(office: Office, number: int = 10, seconds: float = 2) -> None:
    for _ in range(number):
        await operate(DISPATCHER, office.desk)
        await settle_operations(SETTLER, office.desk)
        office.clock.move(seconds)


async def test_a_withdrawal_is_one_act_by_one_person_with_a_reason_and_at_once() -> None:
    office = await public()
    with pytest.raises(Invalid):
        await withdraw(MONITOR, office.desk, "c1", "  ")
    with pytest.raises(NotAllowed):
        await withdraw(SYSADMIN, office.desk, "c1", "数字有误")
    operations = await withdraw(MONITOR, office.desk, "c1", "数字有误")
    assert len(operations) == 3
    await rounds(office, 3)
    states = await office.states()
    assert (states["site-main"], states["trusted-main"]) == ("removed", "removed")
    assert office.platforms["site-main"].posts[0].withdrawn


async def test_what_cannot_withdraw_stays_published_and_becomes_a_task() -> None:
    office = await public()
    await withdraw(EDITOR, office.desk, "c1", "数字有误")
    await rounds(office)
    assert (await office.states())["weibo-main"] == "published"
    tasks = await office.store.find("tasks", {"kind": "operation.by_hand"})
    assert [(task["owner"], task["state"]) for task in tasks] == [("u-editor", "open")]
    [operation] = await office.store.find("operations", {"account": "weibo-main"})
    await confirm_by_hand(EDITOR, office.desk, operation["_id"], "已在微博删除，15:20")
    assert (await office.states())["weibo-main"] == "removed"
    assert await office.store.count("tasks", {"kind": "operation.by_hand", "state": "open"}) == 0


async def test_every_withdrawal_leaves_a_review_due_within_a_day() -> None:
    office = await public()
    await withdraw(EDITOR, office.desk, "c1", "数字有误")
    reviews = await office.store.find("tasks", {"kind": "withdrawal.review"})
    assert len(reviews) == 3
    assert all(task["due"] - office.clock.now() == timedelta(hours=24) for task in reviews)


async def test_pressing_withdraw_twice_makes_one_operation_each() -> None:
    office = await public()
    first = await withdraw(EDITOR, office.desk, "c1", "数字有误")
    second = await withdraw(MONITOR, office.desk, "c1", "数字有误")
    assert [one["_id"] for one in first] == [one["_id"] for one in second]


async def test_the_website_goes_first() -> None:
    office = await public()
    await withdraw(EDITOR, office.desk, "c1", "数字有误")
    busy = {"$set": {"state": "sending", "lease_until": office.clock.now() + timedelta(minutes=5)}}
    await office.store.change("operations", {"account": "site-main"}, busy)
    await rounds(office, 20)
    assert "withdraw" not in office.platforms["trusted-main"].calls
    await rounds(office, 20)  # but not for ever: after a minute the others go without it
    assert "withdraw" in office.platforms["trusted-main"].calls


async def test_what_was_not_out_yet_is_cancelled_by_a_withdrawal() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", office.clock.now() + timedelta(hours=1))])
    assert await withdraw(EDITOR, office.desk, "c1", "不发了") == []
    assert (await office.states())["a-main"] == "cancelled"


async def test_a_withdrawal_also_goes_through_while_everything_is_paused() -> None:
    office = await public()
    await pausing.hold_all(EDITOR, office.desk, "上级来电")
    await withdraw(EDITOR, office.desk, "c1", "数字有误")
    await rounds(office, 3)
    assert (await office.states())["site-main"] == "removed"


async def test_a_lost_answer_to_a_withdrawal_is_looked_up_and_settled() -> None:
    for fault in ("drop_before", "drop_after"):
        office = await public()
        office.platforms["site-main"].faults = [fault]
        await withdraw(EDITOR, office.desk, "c1", "数字有误", accounts=["site-main"])
        await rounds(office, 30, 10)
        assert (await office.states())["site-main"] == "removed"
        assert office.platforms["site-main"].posts[0].withdrawn


async def test_what_comes_back_from_unknown_is_not_sent_after_a_withdrawal() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", office.clock.now())])
    office.platforms["a-main"].faults = ["drop_before"]
    await dispatch(DISPATCHER, office.desk)
    await withdraw(EDITOR, office.desk, "c1", "不发了")
    for _ in range(20):
        office.clock.move(60)
        await settling.settle(SETTLER, office.desk)
        await dispatch(DISPATCHER, office.desk)
        await operate(DISPATCHER, office.desk)
    assert (await office.states())["a-main"] == "cancelled"
    assert office.platforms["a-main"].posts == []
    assert [row["state"] for row in await office.store.find("operations", {})] == ["cancelled"]


@pytest.mark.parametrize("ends", ["refused", "not published"])
async def test_what_turns_out_never_to_have_been_public_cannot_be_released_after_its_withdrawal(ends: str) -> None:
    office = make_office()
    await office.account("a-main", "weibo")
    await office.write("c1", "供热开始")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", office.clock.now())])
    office.platforms["a-main"].faults = ["pending" if ends == "refused" else "drop_before"]
    await dispatch(DISPATCHER, office.desk)
    await withdraw(EDITOR, office.desk, "c1", "不发了")
    if ends == "refused":
        key = next(iter(office.platforms["a-main"].pending))
        office.platforms["a-main"].pending[key] = "refused"
        office.clock.move(60)
        await settling.settle(SETTLER, office.desk)
    else:
        await settling.resolve(REVIEWER, office.desk, "c1:a-main:1", "not_published", evidence="主页上没有")
    for _ in range(3):
        office.clock.move(60)
        await operate(DISPATCHER, office.desk)
    assert (await office.states())["a-main"] == "cancelled"
    with pytest.raises(Conflict):
        await publishing.release(REVIEWER, office.desk, "c1:a-main:1")


async def test_a_correction_waits_for_one_approval_by_somebody_who_did_not_write_it() -> None:
    office = await public()
    with pytest.raises(Invalid):
        await correct(EDITOR, office.desk, "c1", "改正时间", accounts=["site-main"])
    package = await office.write("c1", "供热推迟", number=2, approved=False)
    await correct(EDITOR, office.desk, "c1", "改正时间", accounts=["site-main"])
    await rounds(office, 5)
    assert office.platforms["site-main"].posts[0].corrected == []
    review = {"_id": "r1", "content": "c1", "revision": 2, "hash": package, "kind": "approval", "verdict": "pass",
              "level": 1, "void": False, "at": office.clock.now()}  # fmt: skip
    await office.store.insert("reviews", {**review, "by": "u-editor"})
    await rounds(office, 5)
    assert office.platforms["site-main"].posts[0].corrected == []
    await office.store.insert("reviews", {**review, "_id": "r2", "by": REVIEWER.id})
    await rounds(office, 5)
    assert office.platforms["site-main"].posts[0].corrected == ["改正时间"]
    assert "供热推迟" in office.platforms["site-main"].posts[0].text
    row = await office.store.get("publications", "c1:site-main:1")
    assert row is not None
    assert (row["state"], row["correction"]["state"], row["revision"]) == ("published", "done", 2)


async def test_a_later_edit_does_not_slip_into_an_approved_correction() -> None:
    office = await public()
    package = await office.write("c1", "供热推迟", number=2, approved=False)
    await correct(EDITOR, office.desk, "c1", "改正时间", accounts=["site-main"])
    review = {"_id": "r1", "content": "c1", "revision": 2, "hash": package, "kind": "approval", "verdict": "pass"}
    await office.store.insert("reviews", {**review, "level": 1, "by": REVIEWER.id, "at": office.clock.now()})
    await office.write("c1", "没有人看过", number=3, approved=False)
    await rounds(office, 5)
    assert "供热推迟" in office.platforms["site-main"].posts[0].text


async def test_what_a_person_declared_public_has_no_platform_id_and_is_withdrawn_by_hand() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    await office.write("c1", "供热开始")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", office.clock.now())])
    office.platforms["a-main"].faults = ["drop_after"]
    await dispatch(DISPATCHER, office.desk)
    seen = "https://a-main.example/p1"
    await settling.resolve(REVIEWER, office.desk, "c1:a-main:1", "published", url=seen, evidence="在主页看到")
    await withdraw(EDITOR, office.desk, "c1", "数字有误")
    await rounds(office, 5)
    assert (await office.states())["a-main"] == "published"
    assert "withdraw" not in office.platforms["a-main"].calls
    assert await office.store.count("tasks", {"kind": "operation.by_hand"}) == 1
