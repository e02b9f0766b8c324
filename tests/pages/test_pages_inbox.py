"""The inbox by forms: canned answers, references, orders and tabs, 延期 and 异议, who answers, whose name it is."""

from __future__ import annotations

import html
import re

from hub.desk import canned, extending, handling
from hub.domain.almanac import CALENDAR
from hub.domain.extension import choices
from tests.pages.desk_room import Room
from tests.pages.test_pages_cases import WORDS, in_hand, opened

TEXT = "{称呼}，您好。您反映的情况已收到，编号 {工单号}，有疑问请拨打 {电话}。"
REASON = "循环泵的配件 12 月初才到，到货当天安装。"
NOT_OURS = "这一段路灯由高新区管委会管，不归我们。"


async def kept(room: Room, title: str = "受理说明", text: str = TEXT) -> str:
    return str((await canned.save_canned(room.people["handler"], room.desk, title=title, text=text))["_id"])


def area(page: str) -> str:
    found = re.search(r'<textarea[^>]*id="f-text"[^>]*>(.*?)</textarea>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


# ---- 常用答复


async def test_canned_answers_are_written_changed_retired_and_brought_back_by_forms(room: Room) -> None:
    handler, monitor = await room.as_("handler"), await room.as_("monitor")
    assert "还没有常用答复" in (await handler.get("/canned")).text
    wrong = await handler.post("/canned", {"title": "受理", "text": "您好，{市长}已知道了，请放心。"})
    assert wrong.status_code == 422 and "没有 {市长} 这样的变量" in wrong.text and "您好，{市长}已知道了" in wrong.text
    assert (await handler.post("/canned", {"title": "受理说明", "text": TEXT})).status_code == 303
    (row,) = await canned.list_canned(room.people["handler"], room.desk)
    assert "受理说明" in (await monitor.get("/canned")).text
    assert 'name="text"' not in (await monitor.get(f"/canned/{row['_id']}")).text
    stale = {"id": row["_id"], "version": "9", "title": "受理", "text": TEXT}
    assert (await handler.post("/canned", stale)).status_code == 409
    assert (await handler.post("/canned", {**stale, "version": "1"})).status_code == 303
    assert (await handler.post(f"/canned/{row['_id']}/retire")).status_code == 303
    assert "还没有常用答复" in (await handler.get("/canned")).text
    assert row["_id"] in (await handler.get("/canned?tab=retired")).text
    assert (await handler.post(f"/canned/{row['_id']}/restore")).status_code == 303
    assert (await (await room.as_("editor")).get("/canned")).status_code == 403


async def test_without_script_a_choice_and_a_button_put_a_filled_answer_behind_what_was_typed(room: Room) -> None:
    id, case = await kept(room), await in_hand(room)
    handler = await room.as_("handler")
    page = await handler.post(f"/cases/{case}/answer", {"text": "先说一句。", "insert": "on", "canned": id})
    assert page.status_code == 200
    assert area(page.text) == "先说一句。\n市民朋友，您好。您反映的情况已收到，编号 26-11-00001，有疑问请拨打 {电话}。"
    none = await handler.post(f"/cases/{case}/answer", {"text": "先说一句。", "insert": "on", "canned": ""})
    assert none.status_code == 422 and area(none.text) == "先说一句。"
    sent = await handler.post(f"/cases/{case}/answer", {"text": area(page.text), "submit": "on"})
    assert sent.status_code == 422 and "还有 {电话} 没有填" in sent.text and "{电话}" in area(sent.text)


async def test_a_draft_that_saves_itself_says_when_and_what_is_wrong(room: Room) -> None:
    case, handler = await in_hand(room), await room.as_("handler")
    data = {"Accept": "application/json"}
    saved = await handler.post(f"/cases/{case}/answer", {"text": WORDS}, headers=data)
    assert saved.json()["state"] == "draft" and re.fullmatch(r"\d\d:\d\d", saved.json()["saved_at"])
    assert f"已保存 {saved.json()['saved_at']}" in (await handler.get(f"/cases/{case}")).text
    wrong = await handler.post(f"/cases/{case}/answer", {"text": "短"}, headers=data)
    assert wrong.status_code == 422 and wrong.json()["sentence"]


async def test_what_waits_for_approval_is_never_saved_by_itself(room: Room) -> None:
    case, handler = await in_hand(room), await room.as_("handler")
    assert "data-autosave" in (await handler.get(f"/cases/{case}")).text
    await handler.post(f"/cases/{case}/answer", {"text": WORDS, "submit": "on"})
    assert "data-autosave" not in (await handler.get(f"/cases/{case}")).text


# ---- 可以参考


async def test_a_service_entry_is_quoted_into_the_answer_with_one_press_and_nothing_typed_is_lost(room: Room) -> None:
    service = {"_id": "lamp", "name": "路灯报修", "aliases": ["路灯不亮"], "phone": "12319", "public": True}
    await room.desk.store.insert("services", service)
    case, handler = await in_hand(room), await room.as_("handler")
    page = (await handler.get(f"/cases/{case}")).text
    assert "可以参考" in page and 'href="/services/lamp"' in page and 'value="service:lamp"' in page
    quoted = await handler.post(f"/cases/{case}/answer", {"text": "您好。", "quote": "service:lamp"})
    assert area(quoted.text) == "您好。\n路灯报修。电话：12319。"
    assert (await handler.post(f"/cases/{case}/answer", {"text": "您好。", "quote": "answer:none"})).status_code == 422
    assert "引用到答复" not in (await (await room.as_("monitor")).get(f"/cases/{case}")).text


# ---- orders, tabs, who has it


async def test_an_order_stands_in_the_address_and_in_every_link_of_the_list(room: Room) -> None:
    case, handler = await opened(room), await room.as_("handler")
    page = (await handler.get("/cases?tab=todo&sort=people")).text
    assert "按反映人数" in page and f"/cases/{case}?tab=todo&amp;sort=people" in page
    assert "/cases?tab=todo&amp;sort=came" in page and "/cases?tab=todo&amp;sort=people&amp;mine=1" in page
    assert (await handler.get("/cases?sort=nonsense")).status_code == 200
    assert "这里没有您的工单" in (await handler.get("/cases?mine=1")).text


async def test_the_tabs_count_what_they_list_also_for_ones_own(room: Room) -> None:
    await in_hand(room)
    await opened(room, "松苑街又停水了", author="李强")
    handler = await room.as_("handler")
    page = (await handler.get("/cases")).text
    assert re.search(r'待办 <span class="tab-count">1<', page) and re.search(r'处理中 <span class="tab-count">1<', page)
    mine = (await handler.get("/cases?mine=1")).text
    assert re.search(r'待办 <span class="tab-count">0<', mine) and re.search(r'处理中 <span class="tab-count">1<', mine)


async def test_whoever_has_it_in_hand_is_asked_with_one_press_and_the_draft_is_there_to_read(room: Room) -> None:
    case, handler, monitor = await in_hand(room), await room.as_("handler"), await room.as_("monitor")
    page = (await monitor.get(f"/cases/{case}")).text
    assert "问他一声" in page and "接手" not in page and "答复由他写" in page
    assert (await monitor.post(f"/cases/{case}/ask")).status_code == 303
    assert "何静 问了罗平一声" in (await handler.get(f"/cases/{case}")).text
    assert (await handler.post(f"/cases/{case}/ask")).status_code == 409


async def test_the_whole_name_is_shown_once_on_the_case_for_a_reason_that_is_kept(room: Room) -> None:
    case, handler = await in_hand(room), await room.as_("handler")
    refused = await handler.post(f"/cases/{case}/reveal", {"form": "reveal", "reason": ""})
    assert refused.status_code == 422 and "王芳" not in refused.text
    shown = await handler.post(f"/cases/{case}/reveal", {"reason": "回访来信人"})
    assert shown.status_code == 200 and "王芳" in shown.text and "已记入审计" in shown.text
    assert "王芳" not in (await handler.get(f"/cases/{case}")).text
    assert (await (await room.as_("reviewer")).post(f"/cases/{case}/reveal", {"reason": "看看"})).status_code == 403


# ---- 延期, 异议, 归并


async def test_more_time_is_asked_for_on_the_page_and_granted_by_a_reviewer_there(room: Room) -> None:
    case = await in_hand(room)
    handler, reviewer = await room.as_("handler"), await room.as_("reviewer")
    page = (await handler.get(f"/cases/{case}")).text
    until = re.findall(r'<option value="(2026-\d\d-\d\d)">[^<]*第 10 个工作日', page)[0]
    gap = await handler.post(f"/cases/{case}/extend", {"form": "extend", "until": until, "remark": "等"})
    assert gap.status_code == 422 and "请写一句说明" in gap.text
    await handler.post(f"/cases/{case}/extend", {"form": "extend", "until": until, "remark": REASON})
    waits = (await handler.get(f"/cases/{case}")).text
    assert "罗平 申请延到" in waits and "准予延期" not in waits and "延期待定" in waits
    assert "准予延期" in (await reviewer.get(f"/cases/{case}")).text
    back = await reviewer.post(f"/cases/{case}/extension", {"form": "extension", "verdict": "return", "remark": ""})
    assert back.status_code == 422
    assert (await reviewer.post(f"/cases/{case}/extension", {"verdict": "pass"})).status_code == 303
    page = (await handler.get(f"/cases/{case}")).text
    assert "10 个工作日，已延期" in page and "陈立 准予延期" in page


async def test_a_case_that_is_not_ours_goes_back_with_its_reason_and_is_assigned_anew(room: Room) -> None:
    case = await opened(room)
    handler, monitor = await room.as_("handler"), await room.as_("monitor")
    await handling.accept_case(room.people["monitor"], room.desk, case)
    await handling.assign_case(room.people["monitor"], room.desk, case, department="市城管局")
    assert f'action="/cases/{case}/object"' in (await handler.get(f"/cases/{case}")).text
    assert (await handler.post(f"/cases/{case}/object", {"form": "object", "remark": ""})).status_code == 422
    assert (await handler.post(f"/cases/{case}/object", {"remark": NOT_OURS})).status_code == 303
    page = (await monitor.get(f"/cases/{case}")).text
    assert "市城管局 " in page and NOT_OURS in page and "请重新派办" in page and "有异议，待重派" in page
    assert (await monitor.post(f"/cases/{case}/assign", {"department": "高新区管委会"})).status_code == 303
    assert "请重新派办" not in (await monitor.get(f"/cases/{case}")).text


async def test_what_was_refused_may_be_asked_again_and_what_another_was_given_is_theirs_to_refuse(
    room: Room,
) -> None:
    case = await in_hand(room)
    handler, monitor = await room.as_("handler"), await room.as_("monitor")
    row = await room.desk.store.get("cases", case) or {}
    until = choices(row, 15, CALENDAR)[0][1].date()
    await extending.extend_case(room.people["handler"], room.desk, case, until=until, reason=REASON)
    form = f'action="/cases/{case}/extend"'
    assert form not in (await handler.get(f"/cases/{case}")).text
    await monitor.post(f"/cases/{case}/extension", {"verdict": "return", "remark": "配件本地有货。"})
    assert form in (await handler.get(f"/cases/{case}")).text
    other = {"state": "assigned", "owner": "u-other", "owner_name": "马强"}
    await room.desk.store.change("cases", {"_id": case}, {"$set": other})
    assert f'action="/cases/{case}/object"' not in (await handler.get(f"/cases/{case}")).text


async def test_chosen_cases_come_into_this_one_and_this_one_goes_into_another_by_its_number(room: Room) -> None:
    first, second = await opened(room), await opened(room, "松苑街路灯一直不亮", author="李明")
    third = await opened(room, "松苑街的灯坏了", author="赵静")
    for case in (first, second, third):
        await room.desk.store.change("cases", {"_id": case}, {"$set": {"topic": "路灯", "district": "北岭区"}})
    monitor = await room.as_("monitor")
    page = (await monitor.get(f"/cases/{first}")).text
    assert re.search(r"\d+% 相近", page) and f'name="from" value="{second}"' in page
    gathered = await monitor.post(f"/cases/{first}/merge", {"from": second})
    assert gathered.headers["location"].startswith(f"/cases/{first}")
    assert "2 人反映" in (await monitor.get(f"/cases/{first}")).text
    number = (await room.desk.store.get("cases", first) or {})["number"]
    merged = await monitor.post(f"/cases/{third}/merge", {"into": number})
    assert merged.headers["location"].startswith(f"/cases/{first}")
    page = (await monitor.get(f"/cases/{first}")).text
    assert "3 人反映" in page


async def test_one_answer_says_how_many_it_reaches_and_on_which_channels(room: Room) -> None:
    case, handler = await in_hand(room), await room.as_("handler")
    reach = {"people": 6, "reach": {"weibo": 1, "app": 3, "wechat": 2}}
    await room.desk.store.change("cases", {"_id": case}, {"$set": reach})
    assert "将送达 6 人：应用 3、微信 2、微博 1" in (await handler.get(f"/cases/{case}")).text
    await room.desk.store.change("cases", {"_id": case}, {"$set": {"reach": {}}})
    assert "将送达 6 人<" in (await handler.get(f"/cases/{case}")).text


async def test_an_extension_that_waits_stands_on_the_home_page_of_those_who_decide(room: Room) -> None:
    case = await in_hand(room)
    row = await room.desk.store.get("cases", case)
    assert row is not None
    until = choices(row, 15, CALENDAR)[0][1].date()
    await extending.extend_case(room.people["handler"], room.desk, case, until=until, reason=REASON)
    assert "1 件延期等您定" in (await (await room.as_("reviewer")).get("/")).text
    assert "延期等您定" not in (await (await room.as_("handler")).get("/")).text
