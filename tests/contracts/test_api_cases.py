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


async def test_lists_page_and_name_wrong_tabs_and_bodies(room: Room) -> None:
    for number in range(5):
        await opened(room, f"第 {number} 盏灯不亮", author=f"市民{number}")
        room.office.clock.move(timedelta(minutes=1))
    handler = await room.as_("handler")
    first = (await handler.api("GET", "/cases?limit=2")).json()
    second = (await handler.api("GET", f"/cases?limit=2&cursor={first['cursor']}")).json()
    assert len({row["id"] for row in (*first["items"], *second["items"])}) == 4
    assert (await handler.api("GET", "/cases?tab=none")).json()["errors"][0]["field"] == "tab"
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
        ("POST", "/kind", {"kind": "help"}),
    ):  # fmt: skip
        foreign = await handler.api(method, f"/cases/{case}{path}", body)
        absent = await handler.api(method, f"/cases/nothing{path}", body)
        assert (foreign.status_code, foreign.json()["detail"]) == (absent.status_code, absent.json()["detail"]), path
        assert foreign.status_code == 404
    assert (await handler.api("GET", "/cases?tab=all")).json()["items"] == []
    assert (await handler.api("GET", "/cases?tab=confidential")).json()["items"] == []
