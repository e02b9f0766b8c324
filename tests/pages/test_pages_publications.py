"""The publications page and the search as a browser sees them, over a running desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hub.desk import reading
from hub.desk.publishing import Wish, schedule
from hub.domain.people import program
from hub.pages.course import course_of
from tests.domain.publishing_office import MORNING
from tests.pages.desk_room import Room

BOTH = ("site-main", "weibo-main")


async def test_each_channel_says_its_own_state_with_time_or_reason(room: Room) -> None:
    room.platforms["weibo-main"].faults.append("drop_before")
    await room.post_out("c1", "公交线路调整", BOTH)
    room.platforms["site-main"].faults.append("word")
    await room.post_out("c2", "停水范围", BOTH)
    page = (await (await room.as_("editor")).get("/publications")).text
    for words in ("待核对", "已发布", "平台拒绝", "等网站地址", "09:00:01", "含有平台不允许的词"):
        assert words in page, words
    assert "市政府网站拒绝了《停水范围》" in page and "微博在等网站地址，已一并暂停。" in page
    assert 'href="/contents/c2"' in page and "修改稿件" in page


async def test_what_is_scheduled_before_its_approval_is_only_proposed(room: Room) -> None:
    await room.office.write("c1", "拟发一篇", approved=False, by=room.people["editor"].id)
    at = room.desk.clock.now() + timedelta(hours=3)
    await schedule(room.people["editor"], room.desk, "c1", [Wish("site-main", at)])
    page = (await (await room.as_("editor")).get("/publications?tab=scheduled")).text
    assert "拟发" in page and "未审签" in page


async def test_the_tabs_hold_what_their_words_say(room: Room) -> None:
    room.platforms["weibo-main"].faults.append("drop_before")
    await room.post_out("c1", "甲篇待核对", BOTH)
    await room.post_out("c2", "乙篇已发布")
    visitor = await room.as_("editor")
    tabs = ("all", "todo", "published", "scheduled", "changes")
    pages = {tab: (await visitor.get(f"/publications?tab={tab}")).text for tab in tabs}
    shown = {tab: [title for title in ("甲篇", "乙篇") if f"<b>{title}" in page] for tab, page in pages.items()}
    assert shown == {
        "all": ["甲篇", "乙篇"], "todo": ["甲篇"], "published": ["甲篇", "乙篇"], "scheduled": [], "changes": [],
    }  # fmt: skip


async def test_an_unknown_post_asks_for_two_honest_answers_and_takes_either(room: Room) -> None:
    room.platforms["weibo-main"].faults.extend(["drop_before", "drop_before"])
    editor = await room.as_("editor")
    ids = [f"{content}:weibo-main:1" for content in ("c1", "c2")]
    await room.post_out("c1", "甲", BOTH)
    await room.post_out("c2", "乙", BOTH)
    panel = (await editor.get(f"/publications?open={ids[0]}")).text
    for words in ("是否发出，不清楚", "请勿重新发送", "已发出，填地址", "没有发出", "转为“待核对”", "正文校验值"):
        assert words in panel, words
    yes = {"outcome": "published", "url": "https://weibo-main.example/9", "evidence": "主页第一条，09:05 看到"}
    assert (await editor.post(f"/publications/{ids[0]}/resolve", yes)).status_code == 303
    no = {"outcome": "not_published", "evidence": "翻到昨天都没有"}
    assert (await editor.post(f"/publications/{ids[1]}/resolve", no)).status_code == 303
    states = {row["_id"]: row["state"] for row in await room.desk.store.find("publications", {}, limit=50)}
    assert (states[ids[0]], states[ids[1]]) == ("published", "held")
    assert "周敏 认定已发出" in (await editor.get(f"/publications?open={ids[0]}")).text


async def test_a_wrong_address_is_said_at_its_field_and_nothing_written_is_lost(room: Room) -> None:
    room.platforms["weibo-main"].faults.append("drop_before")
    await room.post_out("c1", "甲", BOTH)
    editor = await room.as_("editor")
    form = {"outcome": "published", "url": "https://elsewhere.example/9", "evidence": "看见了"}
    answer = await editor.post("/publications/c1:weibo-main:1/resolve", form)
    assert answer.status_code == 422
    assert "从平台上复制这一条的网址" in answer.text
    assert "https://elsewhere.example/9" in answer.text and "看见了" in answer.text


async def test_hold_release_move_and_cancel_do_what_their_buttons_say(room: Room) -> None:
    await room.office.write("c1", "甲", by=room.people["editor"].id)
    at = room.desk.clock.now() + timedelta(hours=3)
    await schedule(room.people["editor"], room.desk, "c1", [Wish("site-main", at)])
    editor, id = await room.as_("editor"), "c1:site-main:1"

    async def state() -> tuple[str, datetime]:
        row = await room.desk.store.get("publications", id)
        assert row is not None
        return row["state"], row["at"]

    await editor.post(f"/publications/{id}/hold", {"reason": "等领导回话"})
    assert (await state())[0] == "held"
    assert "等领导回话" in (await editor.get(f"/publications?open={id}")).text
    await editor.post(f"/publications/{id}/release")
    assert (await state())[0] == "scheduled"
    await editor.post(f"/publications/{id}/move", {"at": "2026-11-26T09:00"})
    assert await state() == ("scheduled", datetime(2026, 11, 26, 1, 0, tzinfo=UTC))
    past = await editor.post(f"/publications/{id}/move", {"at": "2020-01-01T09:00"})
    assert past.status_code == 422 and "请选以后的时间" in past.text
    await editor.post(f"/publications/{id}/cancel", {"reason": "不发了"})
    assert (await state())[0] == "cancelled"
    again = await editor.post(f"/publications/{id}/cancel")
    assert again.status_code == 409 and "已取消" in again.text


async def test_a_withdrawal_needs_its_reason_and_reaches_every_channel(room: Room) -> None:
    await room.post_out("c1", "甲", BOTH)
    editor = await room.as_("editor")
    bare = await editor.post("/publications/c1:site-main:1/withdraw", {"reason": "", "where": "all"})
    assert bare.status_code == 422
    done = await editor.post("/publications/c1:site-main:1/withdraw", {"reason": "内容有误", "where": "all"})
    assert done.status_code == 303
    operations = await room.desk.store.find("operations", {}, limit=10)
    assert sorted(row["account"] for row in operations) == sorted(BOTH)
    panel = (await editor.get("/publications?open=c1:site-main:1")).text
    assert "周敏 要求撤回" in panel and "内容有误" in panel
    assert "甲" in (await editor.get("/publications?tab=changes")).text


async def test_a_correction_without_a_change_of_the_text_is_refused_with_the_reason(room: Room) -> None:
    await room.post_out("c1", "甲")
    editor = await room.as_("editor")
    answer = await editor.post("/publications/c1:site-main:1/correct", {"note": "改时间", "where": "all"})
    assert answer.status_code == 422 and "没有新的改动" in answer.text and "改时间" in answer.text


async def test_the_addresses_in_notices_lead_to_the_open_panel(room: Room) -> None:
    await room.post_out("c1", "甲")
    editor = await room.as_("editor")
    answer = await editor.get("/publications/c1:site-main:1")
    assert answer.headers["location"] == "/publications?open=c1%3Asite-main%3A1"
    await editor.post("/publications/c1:site-main:1/withdraw", {"reason": "误发", "where": "here"})
    operation = (await room.desk.store.find("operations", {}, limit=1))[0]["_id"]
    assert (await editor.get(f"/operations/{operation}")).headers["location"] == answer.headers["location"]
    assert (await editor.get("/operations/c1:site-main:1:withdraw:9")).status_code == 404


async def test_a_person_without_the_right_sees_no_button_for_it(room: Room) -> None:
    room.platforms["weibo-main"].faults.append("drop_before")
    await room.post_out("c1", "甲", BOTH)
    page = (await (await room.as_("monitor")).get("/publications?open=c1:weibo-main:1")).text
    assert "您看到的是" not in page and "撤回" in page


async def test_many_contents_page_and_none_is_lost_or_shown_twice(room: Room) -> None:
    editor = room.people["editor"]
    for number in range(75):
        await room.office.write(f"c{number}", f"第{number:03d}篇", by=editor.id)
        at = MORNING + timedelta(hours=1, minutes=number % 7)
        await schedule(editor, room.desk, f"c{number}", [Wish(account, at) for account in BOTH])
    visitor, path, seen = await room.as_("editor"), "/publications?tab=all", []
    for _ in range(10):
        page = (await visitor.get(path)).text
        seen += re.findall(r"<b>第(\d{3})篇</b>", page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        if more is None:
            break
        path = more[1].replace("&amp;", "&")
    assert sorted(seen) == [f"{number:03d}" for number in range(75)]


async def test_no_word_of_a_title_or_reason_becomes_markup(room: Room) -> None:
    evil = '<img src=x onerror="1">'
    await room.post_out("c1", evil)
    visitor = await room.as_("editor")
    for path in ("/publications", "/publications?open=c1:site-main:1", "/calendar", f"/search?q={evil}"):
        assert evil not in (await visitor.get(path)).text, path


# ---- search


async def test_search_finds_titles_and_masked_words_and_only_what_one_may_see(room: Room) -> None:
    await room.post_out("c1", "公交线路调整")
    monitor = await room.as_("monitor")
    row = {"account": "site-main", "external_id": "e1", "author": "王芳", "text": "公交太少"}
    await monitor.api("POST", "/replies", [{**row, "at": "2026-11-24T08:00:00+08:00"}])
    await reading.read_new(program("reader"), room.desk)
    page = (await monitor.get("/search?q=公交")).text
    assert page.count("公交线路调整") == 2 and "公交太少" in page
    outsider = (await (await room.as_("secadmin")).get("/search?q=公交")).text
    assert "公交线路调整" not in outsider and "公交太少" not in outsider and "没有找到" in outsider


def test_what_a_person_said_is_one_step_of_the_course_and_not_the_platforms_word() -> None:
    at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    settled = {"outcome": "refused", "reason": "人工认定没有公开", "ended_at": at}
    attempt = {"number": 1, "at": at, "ended_at": at, "outcome": "unknown", "reason": "", "settled": settled}
    said = {"by": "u1", "at": at, "outcome": "not_published", "evidence": "翻看主页，没有"}
    titles = [step["title"] for step in course_of({"attempts": [attempt], "resolve": said}, {"u1": "周敏"})]
    assert "周敏 认定没有发出" in titles and not [title for title in titles if "平台没有接受" in title]


async def test_what_waits_for_its_hour_is_listed_with_the_version_that_will_go_out(room: Room) -> None:
    await room.office.write("c1", "停水范围")
    later = room.desk.clock.now() + timedelta(hours=3)
    await schedule(room.people["editor"], room.desk, "c1", [Wish("site-main", later)])
    await room.desk.store.change("contents", {"_id": "c1"}, {"$set": {"revision": 4}})
    assert "第 4 版" in (await (await room.as_("editor")).get("/publications")).text


def test_a_withdrawal_done_by_hand_says_who_confirmed_it_and_what_was_seen() -> None:
    at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    seen = {"by": "u2", "at": at, "evidence": "刷新主页，已不见"}
    order = {"kind": "withdraw", "by": "u1", "at": at, "cause": "时间写错", "state": "published", "changed_at": at}
    steps = course_of({"operations": [{**order, "resolve": seen}], "removed_at": at}, {"u1": "周敏", "u2": "田宁"})
    assert [(step["title"], step["text"]) for step in steps][1:] == [("田宁 确认撤回已手工完成", "刷新主页，已不见")]


def test_what_is_sent_again_does_not_pretend_to_have_been_planned_for_then() -> None:
    at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    row = {"created_at": at, "by": "u1", "at": at + timedelta(minutes=1), "attempts": []}
    assert "定于" in course_of(row, {})[0]["text"]
    tried = {"number": 1, "at": at, "outcome": "refused"}
    assert course_of({**row, "attempts": [tried]}, {})[0]["text"] == ""


async def test_a_post_that_waits_for_a_hand_withdrawal_says_so_beside_being_public(room: Room) -> None:
    sent = (await room.post_out("c-hand", "停水通知"))[0]
    operation = {"publication": sent["_id"], "content": "c-hand", "kind": "withdraw", "code": "by_hand", "key": "k"}
    at = room.desk.clock.now()
    await room.desk.store.insert("operations", {"_id": "o-hand", **operation, "state": "refused", "at": at})
    page = (await (await room.as_("reviewer")).get("/publications")).text
    assert "待人工撤回" in page
    await room.desk.store.change("operations", {"_id": "o-hand"}, {"$set": {"state": "published"}})
    assert "待人工撤回" not in (await (await room.as_("reviewer")).get("/publications")).text
