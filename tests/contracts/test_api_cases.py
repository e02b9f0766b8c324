"""Cases and answers over the API: the whole road by programs and people, and who may not go it."""

from __future__ import annotations

import json
from datetime import timedelta

from hub.desk.delivering import deliver
from tests.pages.desk_room import Room
from tests.pages.test_pages_cases import DELIVERER, PHONE, WORDS, opened, said


async def test_a_case_is_opened_handled_answered_reviewed_and_sent(room: Room) -> None:
    reply = await said(room, f"松苑街路灯不亮，电话 {PHONE}")
    monitor, handler, reviewer = [await room.as_(login) for login in ("monitor", "handler", "reviewer")]
    made = await monitor.api("POST", "/cases", {"reply": reply, "kind": "complaint", "title": "路灯不亮"})
    assert made.status_code == 201
    case = made.json()
    assert (case["state"], case["joined"], case["days"]) == ("new", 1, 7)
    path = f"/cases/{case['id']}"
    assert (await monitor.api("POST", f"{path}/accept")).json()["state"] == "accepted"
    assert (await monitor.api("POST", f"{path}/assign", {"department": "城管局"})).json()["state"] == "assigned"
    assert (await handler.api("POST", f"{path}/take")).json()["owner_name"] == "罗平"
    waiting = await handler.api("POST", f"{path}/wait", {"remark": "请说明是哪一盏。"})
    assert waiting.json()["state"] == "waiting_citizen"
    assert (await handler.api("POST", f"{path}/resume")).json()["state"] == "in_hand"
    assert (await monitor.api("POST", f"{path}/notes", {"note": "已请路灯所看"})).status_code == 200
    answer = (await handler.api("POST", f"{path}/answer", {"text": WORDS, "submit": True})).json()
    assert answer["state"] == "in_review"
    where = f"/answers/{answer['id']}"
    assert (await handler.api("POST", f"{where}/send")).status_code == 409
    stale = await reviewer.api("POST", f"{where}/reviews", {"verdict": "pass", "hash": "0" * 64})
    assert stale.status_code == 409
    words = {"verdict": "pass", "hash": answer["hash"]}
    assert (await handler.api("POST", f"{where}/reviews", words)).status_code == 403
    assert (await reviewer.api("POST", f"{where}/reviews", words)).json()["state"] == "approved"
    assert (await handler.api("POST", f"{where}/send")).json()["state"] == "delivering"
    await deliver(DELIVERER, room.desk)
    found = (await handler.api("GET", path)).json()
    assert found["answers"][0]["state"] == "failed" and found["deliveries"][0]["state"] == "refused"
    delivery = f"/deliveries/{found['deliveries'][0]['id']}"
    told = await handler.api("POST", f"{delivery}/resolve", {"outcome": "delivered", "evidence": "已电话告知"})
    assert told.json()["state"] == "published"
    assert PHONE not in json.dumps(found, ensure_ascii=False) and "citizen" not in json.dumps(found["deliveries"])


async def test_more_time_is_asked_granted_and_told_and_what_is_not_ours_goes_back(room: Room) -> None:
    case = await opened(room)
    monitor, handler, reviewer = [await room.as_(login) for login in ("monitor", "handler", "reviewer")]
    path = f"/cases/{case}"
    await monitor.api("POST", f"{path}/accept")
    await monitor.api("POST", f"{path}/assign", {"department": "城管局"})
    words = {"remark": "这一段归高新区管委会管。"}
    assert (await monitor.api("POST", f"{path}/object", words)).status_code == 403
    assert (await handler.api("POST", f"{path}/object", {"remark": ""})).status_code == 422
    assert (await handler.api("POST", f"{path}/object", words)).json()["state"] == "objected"
    assert (await handler.api("POST", f"{path}/object", words)).status_code == 409
    await handler.api("POST", f"{path}/take")
    asked = {"until": "2026-12-01", "reason": "配件 12 月初才到货。"}
    wrong = await handler.api("POST", f"{path}/extend", {**asked, "until": "2026-11-29"})
    assert wrong.json()["errors"][0]["field"] == "until"
    assert (await handler.api("POST", f"{path}/extend", asked)).json()["extension"]["state"] == "asked"
    assert (await monitor.api("POST", f"{path}/ask")).status_code == 200
    assert (await handler.api("POST", f"{path}/extension", {"verdict": "pass"})).status_code == 403
    assert (await reviewer.api("POST", f"{path}/extension", {"verdict": "maybe"})).status_code == 422
    assert (await reviewer.api("POST", f"{path}/extension", {"verdict": "pass"})).json()["days"] > 5
    program = await room.program("monitor", "case.read", "case.accept")
    assert (await program.api("POST", f"{path}/extension", {"verdict": "pass"})).status_code == 403


async def test_canned_answers_are_kept_by_programs_and_read_filled_for_a_case(room: Room) -> None:
    case, program = await opened(room), await room.program("handler", "canned.read", "canned.write")
    text = "{称呼}，您好。编号 {工单号}，请拨打 {电话}。"
    made = await program.api("POST", "/canned", {"title": "受理说明", "text": text})
    assert made.status_code == 201
    id = made.json()["id"]
    (row,) = (await program.api("GET", f"/cases/{case}/canned")).json()["items"]
    assert row["text"] == "市民朋友，您好。编号 26-11-00001，请拨打 {电话}。"
    changed = {"id": id, "version": 1, "title": "受理", "text": "您好，情况已收到，正在办理。"}
    assert (await program.api("POST", "/canned", changed)).json()["version"] == 2
    assert (await program.api("POST", "/canned", changed)).status_code == 409
    assert (await program.api("POST", "/canned", {"title": "受理", "text": "{市长}，情况已收到。"})).status_code == 422
    assert (await program.api("POST", f"/canned/{id}/retire")).json()["retired"] is True
    assert (await program.api("GET", "/canned")).json()["items"] == []
    assert [row["id"] for row in (await program.api("GET", "/canned?retired=1")).json()["items"]] == [id]
    assert (await program.api("POST", f"/canned/{id}/restore")).json()["retired"] is False


async def test_lists_page_and_name_wrong_tabs_and_bodies(room: Room) -> None:
    for number in range(5):
        await opened(room, f"第 {number} 盏灯不亮", author=f"市民{number}")
        room.office.clock.move(timedelta(minutes=1))
    handler = await room.as_("handler")
    first = (await handler.api("GET", "/cases?limit=2")).json()
    second = (await handler.api("GET", f"/cases?limit=2&cursor={first['cursor']}")).json()
    assert len({row["id"] for row in (*first["items"], *second["items"])}) == 4
    assert (await handler.api("GET", "/cases?tab=none")).json()["errors"][0]["field"] == "tab"
    assert (await handler.api("GET", "/cases?sort=none")).json()["errors"][0]["field"] == "sort"
    assert (await handler.api("GET", "/cases?tab=all&sort=due")).json()["errors"][0]["field"] == "sort"
    for sort in ("due", "came", "people", "changed"):
        assert len((await handler.api("GET", f"/cases?sort={sort}")).json()["items"]) == 5
    monitor = await room.as_("monitor")
    for body in ({}, {"reply": "a", "alert": "b"}, {"reply": "a", "kind": "gossip"}, {"reply": "a", "state": "closed"}):
        assert (await monitor.api("POST", "/cases", body)).status_code == 422, body


async def test_a_program_may_open_and_write_but_approves_and_sends_nothing(room: Room) -> None:
    reply = await said(room, "松苑街路灯不亮")
    program = await room.program("handler", "case.open", "case.accept", "case.handle", "case.read")
    case = (await program.api("POST", "/cases", {"reply": reply})).json()["id"]
    for act in ("accept", "take"):
        assert (await program.api("POST", f"/cases/{case}/{act}")).status_code == 200
    answer = (await program.api("POST", f"/cases/{case}/answer", {"text": WORDS, "submit": True})).json()
    for path, body in (("reviews", {"verdict": "pass", "hash": answer["hash"]}), ("send", None)):
        assert (await program.api("POST", f"/answers/{answer['id']}/{path}", body)).status_code == 403


async def test_a_confidential_case_is_answered_like_none_at_every_address(room: Room) -> None:
    case = await opened(room, "某科长收了好处", kind="report")
    handler = await room.as_("handler")
    for method, path, body in (
        ("GET", "", None), ("POST", "/take", None), ("POST", "/accept", None), ("POST", "/notes", {"note": "看看"}),
        ("POST", "/merge", {"into": case}), ("POST", "/answer", {"text": WORDS}), ("POST", "/close", {}),
        ("POST", "/kind", {"kind": "help"}), ("POST", "/object", {"remark": "不归我们管"}), ("POST", "/ask", None),
        ("POST", "/extend", {"until": "2026-12-01", "reason": "等配件到货"}), ("GET", "/canned", None),
    ):  # fmt: skip
        foreign = await handler.api(method, f"/cases/{case}{path}", body)
        absent = await handler.api(method, f"/cases/nothing{path}", body)
        assert (foreign.status_code, foreign.json()["detail"]) == (absent.status_code, absent.json()["detail"]), path
        assert foreign.status_code == 404
    assert (await handler.api("GET", "/cases?tab=all")).json()["items"] == []
    assert (await handler.api("GET", "/cases?tab=confidential")).json()["items"] == []
