"""The service directory and what a 公众号 answers by itself, as the office meets them, over a running desk."""

from __future__ import annotations

import pytest

from tests.pages.desk_room import Room, Visitor

CARD = {
    "known": "0", "slug": "social-card", "name": "补办社保卡", "aliases": "社保卡丢了\n换社保卡", "needs": "带身份证。",
    "where": "社保窗口", "public": "on", "icon": "card", "order": "10",
}  # fmt: skip


@pytest.fixture
async def editor(room: Room) -> Visitor:
    return await room.as_("editor")


async def wechat(room: Room) -> None:
    account = {"_id": "wechat-main", "channel": "wechat", "name": "云川发布公众号", "settings": {}, "held": False}
    await room.desk.store.insert("accounts", account)


async def test_an_entry_is_written_found_again_and_changed(room: Room, editor: Visitor) -> None:
    assert "还没有服务事项" in (await editor.get("/services")).text
    assert (await editor.post("/services", CARD)).headers["location"] == "/services?done=saved"
    page = (await editor.get("/services")).text
    assert "补办社保卡" in page and "社保卡丢了、换社保卡" in page
    assert "带身份证。" in (await editor.get("/services/social-card")).text
    await editor.post("/services", {**CARD, "known": "1", "needs": "带身份证和照片。"})
    row = await room.desk.store.get("services", "social-card")
    assert row is not None and (row["version"], row["needs"]) == (2, "带身份证和照片。")


async def test_what_is_wrong_is_said_beside_its_field_and_what_was_written_stays(editor: Visitor) -> None:
    await editor.post("/services", CARD)
    twice = await editor.post("/services", CARD)
    assert twice.status_code == 422 and "这个代号已有事项" in twice.text and "社保窗口" in twice.text
    bare = await editor.post("/services", {"known": "0", "slug": "x y", "name": ""})
    assert bare.status_code == 422
    assert "请写事项名称" in bare.text and "代号用小写字母开头" in bare.text and "请至少写明" in bare.text


async def test_the_list_pages(room: Room, editor: Visitor) -> None:
    for number in range(101):
        await room.desk.store.insert(
            "services", {**dict.fromkeys(("needs", "where", "link", "department"), ""), "_id": f"s{number:03}",
                         "name": f"事项{number}", "aliases": [], "public": True, "version": 1, "icon": "list",
                         "order": 1}
        )  # fmt: skip
    first = (await editor.get("/services")).text
    assert "事项99<" in first and "事项100<" not in first and "/services?after=s099" in first
    second = (await editor.get("/services?after=s099")).text
    assert "事项100<" in second and "回到第一页" in second


async def test_keyword_answers_come_back_as_they_were_written(room: Room, editor: Visitor) -> None:
    await wechat(room)
    rules = "停水、没水：请回复小区名和楼号。\n图书馆：晚上九点关门：周一不开。"
    said = await editor.post("/first-answers/wechat-main", {"welcome": "欢迎", "rules": rules})
    assert said.headers["location"] == "/first-answers/wechat-main?done=saved"
    page = (await editor.get("/first-answers/wechat-main")).text
    assert "停水、没水：请回复小区名和楼号。" in page and "图书馆：晚上九点关门：周一不开。" in page and "欢迎" in page
    wrong = await editor.post("/first-answers/wechat-main", {"welcome": "", "rules": "只有词没有答复"})
    assert wrong.status_code == 422 and "第 1 条要有关键词" in wrong.text and "只有词没有答复" in wrong.text


async def test_an_account_without_a_menu_says_so_and_an_unknown_one_is_not_there(room: Room, editor: Visitor) -> None:
    assert (await editor.post("/first-answers/weibo-main/menu")).status_code == 409
    assert (await editor.post("/first-answers/nobody", {"welcome": "", "rules": ""})).status_code == 404


@pytest.mark.parametrize("login", ["monitor", "handler"])
async def test_who_only_reads_the_directory_may_not_change_it(room: Room, login: str) -> None:
    visitor = await room.as_(login)
    page = await visitor.get("/services")
    assert page.status_code == 200 and "新事项" not in page.text
    assert (await visitor.post("/services", CARD)).status_code == 403


async def test_the_api_lists_and_writes_the_same_entries(room: Room, editor: Visitor) -> None:
    body = {"name": "办居住证", "aliases": ["暂住证"], "needs": "租房合同"}
    assert (await editor.api("PUT", "/services/residence-permit", body)).status_code == 200
    rows = (await editor.api("GET", "/services?limit=1")).json()
    assert [row["_id"] if "_id" in row else row["id"] for row in rows["items"]] == ["residence-permit"]
    wrong = await editor.api("PUT", "/services/residence-permit", {"name": ""})
    assert wrong.status_code == 422 and "请写事项名称" in wrong.text
