"""紧急标记 on the pages: marked with one press, shown with who and when, found in the inbox, not overwritten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.pages.desk_room import MORNING, Room

WORDS = "三楼阳台裂了，栏杆往外斜"


async def letter(room: Room, id: str = "r1", **more: Any) -> str:
    await room.desk.store.insert("replies", {
        "_id": id, "account": "site-main", "external_id": id, "kind": "letter", "channel": "site", "title": "阳台",
        "text": WORDS, "state": "read", "at": MORNING, "received_at": MORNING, "sentiment": "neg", "sealed": {},
        "author": "李**", "district": None,
        "analysis": {"sentiment": {"label": "neg", "negative": 0.9, "sure": True, "why": []}, "terms": ["阳台"],
                     "places": [], "topic": None},
        **more,
    })  # fmt: skip
    return id


async def test_a_reply_is_marked_with_one_press_and_says_who_did_and_when(room: Room) -> None:
    await letter(room)
    editor = await room.as_("editor")
    assert "危及人身" in (await editor.get("/replies/r1")).text
    answer = await editor.post("/replies/r1/urgency", {"kind": "life", "seen": "0"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/replies/r1?done=urgency_life")
    text = (await (await room.as_("monitor")).get("/replies/r1")).text
    assert "紧急：危及人身" in text
    assert "周敏" in text and "标为：危及人身" in text


async def test_the_inbox_shows_the_mark_on_its_row_and_filters_by_it(room: Room) -> None:
    await letter(room)
    await letter(room, "r2", text="路灯不亮")
    monitor = await room.as_("monitor")
    await monitor.post("/replies/r1/urgency", {"kind": "deadline", "seen": "0"})
    assert "紧急：期限将至" in (await monitor.get("/replies")).text
    found = (await monitor.get("/replies?urgent=marked")).text
    assert WORDS in found and "路灯不亮" not in found and "共 1 条" in found


async def test_who_comes_too_late_sees_the_other_mark_and_a_sentence(room: Room) -> None:
    await letter(room)
    monitor, editor = await room.as_("monitor"), await room.as_("editor")
    await monitor.post("/replies/r1/urgency", {"kind": "gathering", "seen": "0"})
    answer = await editor.post("/replies/r1/urgency", {"kind": "none", "seen": "0"})
    assert answer.status_code == 409
    assert "刚被别人标过" in answer.text and "何静" in answer.text and "标为：聚集" in answer.text
    again = await editor.post("/replies/r1/urgency", {"kind": "none", "seen": "1"})
    assert again.headers["location"] == "/replies/r1?done=urgency_none"
    assert "紧急：聚集" not in (await editor.get("/replies/r1")).text


async def test_a_kind_that_is_none_and_a_number_that_is_none_are_refused_in_words(room: Room) -> None:
    await letter(room)
    monitor = await room.as_("monitor")
    assert (await monitor.post("/replies/r1/urgency", {"kind": "fire", "seen": "0"})).status_code == 422
    for seen in ("", "九", "-1", "0.5"):
        assert (await monitor.post("/replies/r1/urgency", {"kind": "life", "seen": seen})).status_code == 409


HINT = {"kind": "life", "clause": "栏杆往外斜", "words": ["栏杆"]}


async def hinted(room: Room, id: str = "r1") -> str:
    await letter(room, id, urgent="hinted")
    await room.desk.store.change("replies", {"_id": id}, {"$set": {"analysis.urgency": HINT}})
    return id


async def switch_on(room: Room) -> None:
    await room.desk.store.insert_new("policies", [{
        "_id": "urgency_hints", "value": True, "from": MORNING - timedelta(days=1), "version": 1, "by": "u",
    }])  # fmt: skip


async def test_a_hint_is_worded_as_a_possibility_with_the_clause_it_leans_on(room: Room) -> None:
    await hinted(room)
    await switch_on(room)
    monitor = await room.as_("monitor")
    text = (await monitor.get("/replies/r1")).text
    assert "可能紧急：危及人身" in text and "“栏杆往外斜”" in text and "系统的猜测" in text
    assert "可能紧急：危及人身" in (await monitor.get("/replies")).text
    assert "共 1 条" in (await monitor.get("/replies?urgent=hinted")).text


async def test_whoever_says_that_it_is_not_urgent_takes_the_hint_away(room: Room) -> None:
    await hinted(room)
    await switch_on(room)
    monitor = await room.as_("monitor")
    await monitor.post("/replies/r1/urgency", {"kind": "none", "seen": "0"})
    assert "可能紧急：" not in (await monitor.get("/replies/r1")).text
    assert "可能紧急：" not in (await monitor.get("/replies")).text
    assert "没有这样的留言" in (await monitor.get("/replies?urgent=hinted")).text


async def test_where_hints_are_off_no_page_names_one(room: Room) -> None:
    await hinted(room)
    monitor = await room.as_("monitor")
    for path in ("/replies", "/replies/r1"):
        assert "可能紧急" not in (await monitor.get(path)).text


async def test_beside_the_switch_stands_how_good_the_hints_are(room: Room) -> None:
    await hinted(room)
    await (await room.as_("monitor")).post("/replies/r1/urgency", {"kind": "life", "seen": "0"})
    admin = await room.as_("secadmin")
    await admin.confirm()
    text = (await admin.get("/settings/policies/urgency_hints")).text
    assert "改之前，先看准不准" in text
    assert "危及人身 1 条认出 1 条" in text and "提示过的 1 条里说对 1 条" in text
    assert "改之前" not in (await admin.get("/settings/policies/mail_tries")).text


async def test_where_nothing_was_hinted_yet_marks_are_counted_and_compared_with_nothing(room: Room) -> None:
    await letter(room)
    await (await room.as_("monitor")).post("/replies/r1/urgency", {"kind": "life", "seen": "0"})
    admin = await room.as_("secadmin")
    await admin.confirm()
    text = (await admin.get("/settings/policies/urgency_hints")).text
    assert "危及人身 1 条。" in text and "和标注比" not in text and "认出 0 条" not in text


async def test_a_letter_that_nobody_can_open_offers_no_mark(room: Room) -> None:
    await letter(room, state="unopened", text="")
    assert "标紧急" not in (await (await room.as_("monitor")).get("/replies/r1")).text


async def test_a_program_marks_by_the_same_rules(room: Room) -> None:
    await letter(room)
    robot = await room.program("monitor", "reply.read", "urgency.write")
    answer = await robot.api("POST", "/replies/r1/urgency", {"kind": "life", "seen": 0})
    assert answer.status_code == 200 and answer.json()["urgency"]["kind"] == "life"
    assert (await robot.api("POST", "/replies/r1/urgency", {"kind": "none", "seen": 0})).status_code == 409
    assert (await robot.api("POST", "/replies/r1/urgency", {"kind": "fire"})).status_code == 422
    assert len((await robot.api("GET", "/replies?urgent=marked")).json()["items"]) == 1
