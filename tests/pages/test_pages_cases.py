"""The inbox of cases as people meet it: what is shown to whom, every form, what comes back, the hours of the clock."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.contract import Heard
from hub.desk import answering, handling, opening
from hub.desk.confirming import settle_deliveries
from hub.desk.delivering import deliver
from hub.desk.listening import take
from hub.domain.people import program
from hub.domain.working_time import Calendar, between
from hub.pages.case_view import span, strip
from tests.domain.listening_office import LISTENER
from tests.pages.desk_room import Room

PHONE = "13912345678"
SCRIPT = "<script>alert(1)</script>"
WORDS = "您好。松苑街的路灯昨晚已修好，如仍有不亮的，请再告诉我们。"
DELIVERER = program("deliverer")


async def said(room: Room, text: str, author: str = "王芳") -> str:
    """A comment on 微博; the reply's id."""
    id = f"c-{author}-{len(text)}"
    account = await room.desk.store.get("accounts", "weibo-main")
    assert account is not None
    heard = Heard(id, "comment", f"id-{author}", author, text, room.desk.clock.now(), None, {"id": id})
    await take(LISTENER, room.desk, account, [heard])
    return str((await room.desk.store.find("replies", {"external_id": id}, limit=1))[0]["_id"])


async def opened(room: Room, text: str = "松苑街路灯不亮", kind: str = "help", author: str = "王芳") -> str:
    reply = await said(room, text, author)
    return str((await opening.open_from_reply(room.people["monitor"], room.desk, reply, kind=kind)).case["_id"])


async def in_hand(room: Room) -> str:
    case = await opened(room)
    await handling.accept_case(room.people["monitor"], room.desk, case)
    await handling.take_case(room.people["handler"], room.desk, case)
    return case


# ---- what is shown


async def test_an_empty_inbox_says_honestly_what_will_stand_in_it(room: Room) -> None:
    page = (await (await room.as_("handler")).get("/cases")).text
    assert "没有等着办的工单" in page and "网站和应用的来信会自动成为工单" in page
    for tab in ("hand", "answered", "all", "confidential", "nonsense"):
        assert (await (await room.as_("handler")).get(f"/cases?tab={tab}")).status_code == 200


async def test_the_inbox_shows_masked_words_a_clock_and_who_has_it(room: Room) -> None:
    case = await opened(room, f"{SCRIPT}电话 {PHONE}，路灯不亮")
    handler = await room.as_("handler")
    for path in ("/cases", f"/cases/{case}", "/"):
        page = (await handler.get(path)).text
        assert PHONE not in page and SCRIPT not in page
    page = (await handler.get(f"/cases/{case}")).text
    assert "5 个工作日" in page and "首次答复" in page and "待受理" in page
    assert 'class="strip"' in page


async def test_a_case_says_on_which_channel_it_came(room: Room) -> None:
    case = await opened(room)
    page = (await (await room.as_("handler")).get(f"/cases/{case}")).text
    assert "微博留言" in page


async def test_a_case_is_found_under_the_tab_it_stands_in(room: Room) -> None:
    case = await in_hand(room)
    page = (await (await room.as_("handler")).get(f"/cases/{case}")).text
    assert re.search(r'aria-current="page">处理中', page)
    assert "罗平 正在回复" in page


async def test_others_see_who_is_answering_and_no_composer(room: Room) -> None:
    case = await in_hand(room)
    page = (await (await room.as_("monitor")).get(f"/cases/{case}")).text
    assert "正在回复这件工单" in page and "答复群众" not in page
    assert "写内部备注" in page
    assert (await (await room.as_("editor")).get(f"/cases/{case}")).status_code == 403


async def test_a_confidential_case_is_there_for_its_handlers_alone(room: Room) -> None:
    case = await opened(room, "某科长收了好处", kind="report")
    monitor, handler = await room.as_("monitor"), await room.as_("handler")
    assert "保密件" in (await monitor.get(f"/cases/{case}")).text
    absent, foreign = await handler.get("/cases/nothing"), await handler.get(f"/cases/{case}")
    assert (absent.status_code, foreign.status_code) == (404, 404)
    assert "好处" not in (await handler.get("/cases?tab=all")).text + (await handler.get("/replies")).text
    assert "保密件" not in (await handler.get("/cases")).text


async def test_buttons_open_a_case_from_a_reply_and_lead_to_it_afterwards(room: Room) -> None:
    reply = await said(room, "松苑街路灯不亮")
    monitor = await room.as_("monitor")
    assert "开工单" in (await monitor.get(f"/replies/{reply}")).text
    made = await monitor.post("/cases", {"reply": reply, "kind": "complaint"})
    assert made.status_code == 303 and made.headers["location"].startswith("/cases/")
    assert "投诉" in (await monitor.get(made.headers["location"])).text
    assert "已在工单里" in (await monitor.get(f"/replies/{reply}")).text
    assert (await monitor.post("/cases", {"reply": reply})).status_code == 409
    assert "开工单" not in (await (await room.as_("editor")).get(f"/replies/{reply}")).text


# ---- the road by forms alone


async def test_a_case_goes_from_new_to_answered_by_forms_alone(room: Room) -> None:
    case = await opened(room)
    monitor, handler, reviewer = [await room.as_(login) for login in ("monitor", "handler", "reviewer")]
    assert "1 件新工单等受理" in (await monitor.get("/")).text
    assert (await monitor.post(f"/cases/{case}/accept")).status_code == 303
    person = room.people["handler"].id
    assert (await monitor.post(f"/cases/{case}/assign", {"person": person, "department": "城管局"})).status_code == 303
    assert "工单：松苑街路灯不亮" in (await handler.get("/")).text
    assert (await handler.post(f"/cases/{case}/take")).status_code == 303
    short = await handler.post(f"/cases/{case}/answer", {"text": "短", "submit": "on"})
    assert short.status_code == 422 and "10 到 2000 字" in short.text and ">短</textarea>" in short.text
    assert (await handler.post(f"/cases/{case}/answer", {"text": WORDS, "submit": "off"})).status_code == 303
    assert WORDS in (await handler.get(f"/cases/{case}")).text
    assert (await handler.post(f"/cases/{case}/answer", {"text": WORDS, "submit": "on"})).status_code == 303
    assert "待审答复" in (await reviewer.get("/")).text
    page = (await reviewer.get(f"/cases/{case}")).text
    seal = re.search(r'name="hash" value="([0-9a-f]{64})"', page)
    assert seal and WORDS in page
    answer = f"{case}:1"
    refused = await reviewer.post(f"/answers/{answer}/reviews", {"verdict": "return", "hash": seal[1], "remark": ""})
    assert refused.status_code == 422 and "退回请写明" in refused.text
    passed = await reviewer.post(f"/answers/{answer}/reviews", {"verdict": "pass", "hash": seal[1]})
    assert passed.status_code == 303
    assert "送出，给 1 人" in (await handler.get(f"/cases/{case}")).text
    assert (await handler.post(f"/answers/{answer}/send")).status_code == 303
    await deliver(DELIVERER, room.desk)
    page = (await handler.get(f"/cases/{case}")).text
    assert "没能送到 1 人" in page and "这个平台不能回复" in page and "看每一次" in page


async def test_the_home_page_counts_what_was_answered_and_rated_and_opens_its_rows(room: Room) -> None:
    handler = await room.as_("handler")
    page = (await handler.get("/")).text
    assert "本周还没有答复的" in page and "本周还没有评价" in page
    case, other = await in_hand(room), await opened(room, "松苑街又停水了", author="李强")
    now = room.desk.clock.now()
    done = {"state": "answered", "answered_at": now, "on_time": False, "rated": 2, "rated_at": now}
    await room.desk.store.change("cases", {"_id": case}, {"$set": done})
    page = (await handler.get("/")).text
    assert "0.0%" in page and "本周 1 件，1 件超时" in page
    for address in ("/cases?week=answered", "/cases?week=rated"):
        assert html.escape(address) in page
        rows = (await handler.get(address)).text
        assert case in rows and other not in rows
    assert "超时答复" in rows and "看全部" in rows
    assert (await handler.get("/cases?week=nonsense")).status_code == 200


async def failed(room: Room) -> tuple[str, str]:
    """A case whose answer could not be brought: (case, delivery)."""
    case = await in_hand(room)
    handler, reviewer = room.people["handler"], room.people["reviewer"]
    answer = await answering.submit_answer(handler, room.desk, case, WORDS)
    await answering.review_answer(reviewer, room.desk, answer["_id"], verdict="pass", hash=answer["hash"])
    await answering.send_answer(handler, room.desk, answer["_id"])
    await deliver(DELIVERER, room.desk)
    await settle_deliveries(DELIVERER, room.desk)
    return case, str((await room.desk.store.find("deliveries", {}, limit=1))[0]["_id"])


async def test_who_could_not_be_reached_is_told_by_a_person_and_the_task_says_so(room: Room) -> None:
    case, delivery = await failed(room)
    handler = await room.as_("handler")
    assert "核对答复是否送到：工单 26-11-00001" in (await handler.get("/")).text
    gap = await handler.post(f"/deliveries/{delivery}/resolve", {"outcome": "delivered", "delivery": delivery})
    assert gap.status_code == 422 and "写明怎么核对的" in gap.text
    done = await handler.post(f"/deliveries/{delivery}/resolve", {"outcome": "delivered", "evidence": "已电话告知"})
    assert done.headers["location"].startswith(f"/cases/{case}")
    assert "已人工告知" in (await handler.get(f"/cases/{case}")).text
    again = await handler.post(f"/deliveries/{delivery}/again")
    assert again.status_code == 409


async def test_what_was_typed_comes_back_in_its_own_form_with_what_is_missing(room: Room) -> None:
    case = await in_hand(room)
    handler, monitor = await room.as_("handler"), await room.as_("monitor")
    for visitor, path, form, sentence in (
        (handler, "wait", {"form": "wait", "remark": "哪"}, "请写一句说明"),
        (monitor, "notes", {"form": "notes", "note": ""}, "请写备注"),
        (monitor, "assign", {"form": "assign"}, "请选人或写单位"),
        (monitor, "merge", {}, "请选要并入的工单"),
    ):
        answer = await visitor.post(f"/cases/{case}/{path}", form)
        assert answer.status_code == 422 and sentence in answer.text, path
    assert ">哪</textarea>" in (await handler.post(f"/cases/{case}/wait", {"form": "wait", "remark": "哪"})).text


async def test_asking_the_citizen_stops_the_clock_on_the_page_and_going_on_starts_it(room: Room) -> None:
    case = await in_hand(room)
    handler = await room.as_("handler")
    await handler.post(f"/cases/{case}/wait", {"remark": "请告诉我们是哪一盏灯。"})
    page = (await handler.get(f"/cases/{case}")).text
    assert "已停" in page and "等群众补充" in page and 'class="strip"' not in page
    await handler.post(f"/cases/{case}/resume")
    assert 'class="strip"' in (await handler.get(f"/cases/{case}")).text


async def test_a_case_like_another_is_merged_from_its_side(room: Room) -> None:
    first, second = await opened(room), await opened(room, "松苑街路灯一直不亮", author="李明")
    for case in (first, second):
        await room.desk.store.change("cases", {"_id": case}, {"$set": {"topic": "路灯", "district": "北岭区"}})
    monitor = await room.as_("monitor")
    assert "相近工单" in (await monitor.get(f"/cases/{first}")).text
    merged = await monitor.post(f"/cases/{first}/merge", {"into": second})
    assert merged.headers["location"].startswith(f"/cases/{second}")
    assert "2 人反映" in (await monitor.get(f"/cases/{second}")).text


async def test_a_number_typed_into_any_sentence_of_a_case_is_masked_before_it_is_kept(room: Room) -> None:
    case = await in_hand(room)
    handler, monitor = await room.as_("handler"), await room.as_("monitor")
    await monitor.post(f"/cases/{case}/notes", {"note": f"他的电话 {PHONE}"})
    await handler.post(f"/cases/{case}/wait", {"remark": f"请打 {PHONE} 告诉我们"})
    kept = repr([await room.desk.store.find(table, {}, limit=100) for table in ("cases", "answers", "tasks")])
    assert PHONE not in kept
    refused = await handler.post(f"/cases/{case}/answer", {"text": f"{WORDS}请打 {PHONE}。"})
    assert refused.status_code in (409, 422)


# ---- the strip of hours


AT = datetime(2026, 11, 17, 2, 36, tzinfo=UTC)


def timed(**more: Any) -> dict[str, Any]:
    due = datetime(2026, 11, 24, 2, 36, tzinfo=UTC)
    return {"state": "in_hand", "started_at": AT, "due_at": due, **more}


@pytest.mark.parametrize("days", [0, 0.5, 1, 3.2, 6, 7, 30])
def test_the_strip_shows_as_many_hours_used_and_left_as_the_clock_counts(days: float) -> None:
    now, calendar = AT + timedelta(days=days), Calendar()
    found = strip(timed(), now, calendar)
    hours = {state: sum(width for day in found for _, width, kind in day["pieces"] if kind == state) * 8.5 / 100
             for state in ("used", "left")}  # fmt: skip
    used = between(AT, min(now, timed()["due_at"]), calendar).total_seconds() / 3600
    assert hours["used"] == pytest.approx(used, abs=0.02)
    assert hours["used"] + hours["left"] == pytest.approx(35, abs=0.02)
    assert [day["label"] for day in found if day["off"]] == ["21 休", "22 休"]
    assert sum(day["now"] is not None for day in found) <= 1


def test_working_time_is_said_in_the_offices_days() -> None:
    assert span(timedelta(hours=7)) == "1 天"
    assert span(timedelta(hours=1, minutes=20)) == "1 时 20 分"
    assert span(timedelta(hours=-16)) == "2 天 2 时"
    assert span(timedelta(seconds=20)) == "不到 1 分"
