"""Accounts, columns, people, rules, tokens and the audit as their administrators meet them, over a running desk."""

from __future__ import annotations

import json
import re

import pytest

from channels.contract import Health
from hub.desk.carrying import carry
from hub.domain.people import program
from hub.domain.rights import RIGHTS
from hub.pages.act_words import RIGHT_WORDS, act_word
from tests.pages.desk_room import Room, Visitor

WEAK, STRONG = "abc", "River-runs-under-3-bridges"


async def administrator(room: Room, login: str) -> Visitor:
    visitor = await room.as_(login)
    await visitor.confirm()
    return visitor


# ---- accounts


async def test_an_ill_account_says_why_and_trying_it_asks_the_platform(room: Room) -> None:
    room.platforms["weibo-main"].health = Health("expired", "授权已失效，请重新授权", None, {"发博": 12})
    visitor = await room.as_("editor")
    answer = await visitor.post("/accounts/weibo-main/test")
    assert answer.headers["location"] == "/accounts/weibo-main?done=tested"
    for path in ("/accounts", "/accounts/weibo-main"):
        page = (await visitor.get(path)).text
        assert "已失效" in page and "授权已失效，请重新授权" in page and "12" in page


async def test_an_account_is_held_for_a_reason_and_released(room: Room) -> None:
    editor = await room.as_("editor")
    bare = await editor.post("/accounts/weibo-main/hold", {"reason": ""})
    assert bare.status_code == 422 and "请写一句原因" in bare.text
    await editor.post("/accounts/weibo-main/hold", {"reason": "平台核实身份"})
    assert "平台核实身份" in (await editor.get("/accounts/weibo-main")).text
    await editor.post("/accounts/weibo-main/release")
    assert "平台核实身份" not in (await editor.get("/accounts/weibo-main")).text


async def test_connecting_asks_for_what_is_missing_and_keeps_what_was_written_but_no_secret(room: Room) -> None:
    visitor = await administrator(room, "sysadmin")
    form = {"channel": "weibo", "key": "weibo-two", "name": "云川文旅", "s_domain": "www.yunchuan.example"}
    answer = await visitor.post("/accounts", {**form, "c_access_token": "very-secret"})
    assert answer.status_code == 422 and "请填写服务器的出口地址" in answer.text and "云川文旅" in answer.text
    assert "very-secret" not in answer.text
    whole = {**form, "s_rip": "203.0.113.8", "c_access_token": "very-secret"}
    assert (await visitor.post("/accounts", whole)).headers["location"] == "/accounts/weibo-two?done=connected"
    row = await room.desk.store.get("accounts", "weibo-two")
    assert row is not None and "very-secret" not in json.dumps(row, default=str)
    assert "very-secret" not in (await visitor.get("/accounts/weibo-two/edit")).text


async def test_a_new_account_never_overwrites_another_and_a_change_keeps_what_it_does_not_ask(room: Room) -> None:
    visitor = await administrator(room, "sysadmin")
    form = {"channel": "site", "key": "site-main", "name": "别的网站", "s_base_url": "https://a.example"}
    form |= {"c_keys": "k1"}
    assert "已有账号" in (await visitor.post("/accounts", form)).text
    before = await room.desk.store.get("accounts", "site-main")
    assert (await visitor.post("/accounts", {**form, "known": "1", "name": "市政府网站"})).status_code == 303
    after = await room.desk.store.get("accounts", "site-main")
    assert before and after and after["settings"]["page_url"] == before["settings"]["page_url"]


# ---- columns


async def test_a_column_is_added_changed_and_refused_with_reasons(room: Room) -> None:
    visitor = await room.as_("sysadmin")
    form = {
        "slug": "tongzhi", "name": "通知公告", "description": "停水停气通知", "keywords": "通知、公告",
        "type": "通知公告", "order": "20", "levels": "1", "public": "on",
    }  # fmt: skip
    assert (await visitor.post("/columns", form)).headers["location"] == "/columns?done=saved"
    twice = await visitor.post("/columns", form)
    assert twice.status_code == 422 and "已有栏目" in twice.text
    wrong = await visitor.post("/columns", {**form, "known": "1", "levels": "0", "name": ""})
    assert wrong.status_code == 422 and "不能不审" in wrong.text and "请写栏目名称" in wrong.text
    assert (await visitor.post("/columns", {**form, "known": "1", "levels": "3"})).status_code == 303
    row = await room.desk.store.get("columns", "tongzhi")
    assert row is not None and row["levels"] == 3 and row["keywords"] == ["通知", "公告"]


# ---- people


async def test_a_new_user_is_added_and_the_three_offices_stay_apart(room: Room) -> None:
    visitor = await administrator(room, "secadmin")
    form = {"login": "newone", "name": "钱程", "roles": ["editor", "auditor"], "password": STRONG}
    mixed = await visitor.post("/settings/users", form)
    assert mixed.status_code == 422 and "三员分立" in mixed.text and "钱程" in mixed.text and STRONG not in mixed.text
    weak = await visitor.post("/settings/users", {**form, "roles": ["editor"], "password": WEAK})
    assert weak.status_code == 422
    done = await visitor.post("/settings/users", {**form, "roles": ["editor"]})
    assert done.headers["location"] == "/settings/users/newone?done=user_added"
    again = await visitor.post("/settings/users", {**form, "roles": ["editor"]})
    assert again.status_code == 422 and "已有人用" in again.text


async def test_a_person_is_changed_and_nobody_changes_or_stops_themselves(room: Room) -> None:
    visitor = await administrator(room, "secadmin")
    base = "/settings/users/editor2"
    for act, form in (
        ("roles", {"roles": ["reviewer"], "levels": ["2"]}),
        ("on-duty", {}),
        ("password", {"password": STRONG}),
        ("disable", {}),
    ):
        assert (await visitor.post(f"{base}/{act}", form)).status_code == 303, act
    row = (await room.desk.store.find("users", {"login": "editor2"}, limit=1))[0]
    assert (row["roles"], row["levels"], row["duty"], row["disabled"]) == (["reviewer"], [2], True, True)
    for act in ("roles", "disable"):
        answer = await visitor.post(f"/settings/users/secadmin/{act}", {"roles": ["editor"]})
        assert answer.status_code == 403 and "另一位安全管理员" in answer.text


async def test_a_browser_is_asked_for_the_password_before_it_sees_the_form(room: Room) -> None:
    visitor = await room.as_("secadmin")
    room.office.clock.move(11 * 60)
    answer = await visitor.get("/settings/users/new")
    assert answer.headers["location"] == "/account/confirm?next=/settings/users/new"
    await visitor.confirm()
    assert (await visitor.get("/settings/users/new")).status_code == 200


# ---- rules


async def test_a_rule_is_changed_within_its_limits_with_its_source_beside_it(room: Room) -> None:
    visitor = await administrator(room, "secadmin")
    page = (await visitor.get("/settings/policies/late_minutes")).text
    assert "GB/T 22239-2019 三级" in page and "过点多久仍可自动补发" in page
    for value, words in (("0", "不能低于 1"), ("x", "应为整数"), ("1e9", "应为整数")):
        answer = await visitor.post("/settings/policies/late_minutes", {"value": value})
        assert answer.status_code == 422 and words in answer.text
    await visitor.post("/settings/policies/late_minutes", {"value": "45"})
    assert "<b>45</b>" in (await visitor.get("/settings/policies")).text


async def test_a_guarded_rule_waits_for_a_second_person(room: Room) -> None:
    first, second = await administrator(room, "secadmin"), await administrator(room, "sysadmin")
    done = await first.post("/settings/policies/approval_levels", {"value": "3"})
    assert done.headers["location"] == "/settings/policies?done=proposed"
    assert "安宁提出改为 <b>3</b>" in (await second.get("/settings/policies")).text
    own = await first.post("/settings/policies/approval_levels/confirm", {"value": "3"})
    assert own.status_code == 403
    stale = await second.post("/settings/policies/approval_levels/confirm", {"value": "1"})
    assert stale.status_code == 409
    assert (await second.post("/settings/policies/approval_levels/confirm", {"value": "3"})).status_code == 303
    assert "2026-11-25 00:00 起" in (await second.get("/settings/policies")).text


# ---- tokens and audit


async def test_a_token_is_shown_once_and_ends_when_it_is_revoked(room: Room) -> None:
    visitor = await administrator(room, "secadmin")
    form = {"name": "统计程序", "user": room.people["editor"].id, "scopes": ["content.read"], "days": "30"}
    none = await visitor.post("/settings/tokens", {**form, "scopes": []})
    assert none.status_code == 422 and "至少一项" in none.text
    page = (await visitor.post("/settings/tokens", form)).text
    found = re.search(r'class="once">([^<]+)<', page)
    assert found is not None
    program_ = await room.stranger()
    program_.bearer = found[1]
    assert (await program_.api("GET", "/contents")).status_code == 200
    listed = (await visitor.get("/settings/tokens")).text
    assert found[1] not in listed and "统计程序" in listed
    action = re.search(r"/settings/tokens/[^\"]+/revoke", listed)
    assert action is not None
    await visitor.post(action[0])
    assert (await program_.api("GET", "/contents")).status_code == 401


async def test_the_auditor_reads_filters_verifies_and_takes_the_chain_out(room: Room) -> None:
    await room.post_out("c1", "=HYPERLINK(甲)")
    await carry(program("carrier"), room.desk)
    auditor = await room.as_("auditor")
    page = (await auditor.get("/audit")).text
    assert "系统（命令行）" in page and "角色 " in page and "program:" not in re.sub(r"<[^>]*>", "", page)
    assert "publication.schedule" in page and "周敏" in page
    narrowed = (await auditor.get("/audit?act=publication.schedule")).text
    assert "publication.accept" not in narrowed.split("</form>", 3)[-1]
    assert "审计链" in (await auditor.post("/audit/verify")).text
    table = await auditor.post("/audit/export", {"form": "csv"})
    assert table.text.startswith("\ufeffnumber,at,actor") and "attachment" in table.headers["content-disposition"]
    assert not [line for line in table.text.splitlines() if re.search(r'(^|,)"?[=+@]', line)]
    rows = [json.loads(line) for line in (await auditor.post("/audit/export", {"form": "jsonl"})).text.splitlines()]
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1)) and rows[0]["hash"]


@pytest.mark.parametrize("query", ["since=2026-13-01", "since=x"])
async def test_a_wrong_date_is_said_and_breaks_nothing(room: Room, query: str) -> None:
    answer = await (await room.as_("auditor")).get(f"/audit?{query}")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ("editor", {"规则", "账号", "服务事项"}),
        ("sysadmin", {"规则", "账号", "栏目", "服务事项", "情感模型", "主题分类", "词典"}),
        ("secadmin", {"用户", "规则", "令牌"}),
        ("auditor", {"用户", "规则", "审计"}),
    ],
)
async def test_the_settings_page_offers_what_each_may_open(room: Room, login: str, words: set[str]) -> None:
    page = (await (await room.as_(login)).get("/settings")).text
    shown = set(re.findall(r'class="row-title"><a href="[^"]+">([^<]+)</a>', page))
    assert shown == words


def test_every_right_has_a_word_and_a_move_is_named_by_the_state_it_found() -> None:
    assert set(RIGHT_WORDS) == set(RIGHTS)
    assert act_word("publication.refuse", "sending") == "发布：平台拒绝"
    assert act_word("publication.refuse", "pending") == "发布：平台未通过"
    assert act_word("publication.schedule") == "排期" and act_word("publication.nothing", "sending") == ""
