"""Tasks: they stand on the home page of whoever must act, and the one who withdrew does not review it."""

from __future__ import annotations

from datetime import timedelta

from hub.desk.withdrawing import withdraw
from tests.pages.desk_room import Room


async def withdrawn(room: Room, by: str) -> str:
    """A published text that this person withdraws; the task that follows from it."""
    await room.post_out("c1", "停水通知")
    await withdraw(room.people[by], room.desk, "c1", accounts=["site-main"], reason="时间写错")
    found = await room.desk.store.find("tasks", {"kind": "withdrawal.review"}, limit=1)
    return str(found[0]["_id"])


async def test_a_withdrawal_is_reviewed_by_another_person_with_a_sentence(room: Room) -> None:
    task = await withdrawn(room, "reviewer")
    own, other = await room.as_("reviewer"), await room.as_("reviewer2")
    assert "复核撤稿" in (await other.get("/")).text
    assert "另一位审核" in (await own.get(f"/tasks/{task}")).text
    assert (await own.post(f"/tasks/{task}/finish", {"remark": "我自己看过了"})).status_code == 403
    assert (await other.post(f"/tasks/{task}/finish", {"remark": ""})).status_code == 422
    assert (await other.post(f"/tasks/{task}/finish", {"remark": "撤得对，已请更正后重发"})).status_code == 303
    assert "复核撤稿" not in (await other.get("/")).text
    closed = await room.desk.store.get("tasks", task) or {}
    assert (closed["state"], closed["done_by"]) == ("done", room.people["reviewer2"].id)


async def test_a_task_over_its_time_is_said_first_and_a_foreign_one_is_not_found(room: Room) -> None:
    task = await withdrawn(room, "reviewer")
    room.office.clock.move(timedelta(minutes=20))
    await room.desk.store.change("tasks", {"_id": task}, {"$set": {"due": room.desk.clock.now() - timedelta(hours=1)}})
    assert 'data-tone="danger"' in (await (await room.as_("reviewer2")).get("/")).text
    assert (await (await room.as_("editor")).get(f"/tasks/{task}")).status_code == 404


async def test_what_a_person_does_by_hand_is_named_with_its_post_and_its_account(room: Room) -> None:
    await room.post_out("c1", "停水通知", ("site-main", "weibo-main"))
    [operation] = await withdraw(room.people["editor"], room.desk, "c1", accounts=["weibo-main"], reason="时间写错")
    key = f"{operation['_id']}:by_hand"
    task = {"_id": key, "key": key, "kind": "operation.by_hand", "about": operation["publication"], "state": "open"}
    due = {"owner": room.people["editor"].id, "due": room.desk.clock.now() + timedelta(hours=1), "text": "时间写错"}
    await room.desk.store.insert("tasks", {**task, **due})
    page = (await (await room.as_("editor")).get("/")).text
    assert "请到“云川发布”手工撤下《停水通知》" in page and " 前<" in page
    assert "复核撤稿：《停水通知》" in (await (await room.as_("reviewer2")).get("/")).text
