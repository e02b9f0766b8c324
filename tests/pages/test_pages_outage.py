"""What pages say while nothing goes out by itself, and after: banners, and the first screen's question."""

from __future__ import annotations

from datetime import timedelta

from hub.clock import LATEST
from hub.desk.beating import beat
from hub.desk.publishing import Wish, schedule
from hub.domain.people import program
from tests.pages.desk_room import Room, room

__all__ = ["room"]
WORKER = program("worker")


async def test_without_a_worker_every_page_says_so_and_ready_is_red_until_one_lives_again(room: Room) -> None:
    editor, stranger = await room.as_("editor"), await room.stranger()
    assert "自动发布已停止" not in (await editor.get("/contents")).text
    room.office.clock.move(timedelta(seconds=31))
    assert "<b>自动发布已停止。</b>没有发布程序在运行，到点的不会自动发出。" in (await editor.get("/contents")).text
    answer = await editor.send("GET", "/ready")
    assert (answer.status_code, answer.json()["worker"]) == (503, "自动发布已停止")
    assert "自动发布已停止" not in (await stranger.get("/login")).text
    await beat(WORKER, room.desk)
    assert "自动发布已停止" not in (await editor.get("/contents")).text
    assert (await editor.send("GET", "/ready")).status_code == 200


# ---- quiet periods

TOMORROW = {"reason": "国家公祭日", "first": "2026-11-25", "last": "2026-11-25"}


async def test_a_reviewer_declares_a_day_and_every_page_that_gives_or_shows_a_time_says_so(room: Room) -> None:
    editor, reviewer = await room.as_("editor"), await room.as_("reviewer")
    assert (await reviewer.post("/quiet", TOMORROW)).headers["location"] == "/quiet?done=quiet_declared"
    page = (await editor.get("/quiet")).text
    assert "11 月 25 日 00:00 到 11 月 26 日 00:00　国家公祭日" in page and "照发的：都不发。" in page
    assert "解除</span>" not in page and "由审核人员设定和解除" in page
    assert 'data-tone="quiet">静默</b>' in (await editor.get("/calendar?month=2026-11")).text
    await room.office.write("c1", "新年音乐会", by=room.people["editor"].id)
    now = room.desk.clock.now()
    await room.desk.store.change("contents", {"_id": "c1"}, {"$set": {"updated_at": now, "created_at": now}})
    assert "静默时段内不发布：" in (await editor.get("/contents/c1/schedule")).text
    form = {"accounts": "site-main", "when": "at", "at": "2026-11-25T19:00", "late": "ask"}
    answer = await editor.post("/contents/c1/schedule", form)
    assert answer.headers["location"].endswith("done=planned_quiet")
    shown = (await editor.get("/publications?days=coming&open=c1:site-main:1")).text
    assert "静默到 11-26 00:00" in shown
    assert "静默时段内（国家公祭日），到 11 月 26 日 00:00 恢复；超过时限的按“迟了先问人”处理。" in shown
    moved = await editor.post("/publications/c1:site-main:1/move", {"at": "2026-11-25T20:00"})
    assert moved.headers["location"].endswith("done=moved_quiet")


async def test_a_period_holds_now_ends_by_a_press_and_urgent_is_marked_by_a_reviewer(room: Room) -> None:
    reviewer, editor = await room.as_("reviewer"), await room.as_("editor")
    form = {**TOMORROW, "first": "2026-11-24", "passes": "urgent"}
    await reviewer.post("/quiet", form)
    assert "静默时段内（国家公祭日），到 11 月 26 日 00:00 恢复" in (await editor.get("/")).text
    await room.post_out("c1", "台风预警")
    shown = (await reviewer.get("/publications?open=c1:site-main:1")).text
    assert "标为紧急，静默时段内也发" in shown
    assert "标为紧急" not in (await editor.get("/publications?open=c1:site-main:1")).text
    wrong = await reviewer.post("/publications/c1:site-main:1/urge", {"urgent": ""})
    assert wrong.status_code == 422 and "请写一句原因" in wrong.text
    await reviewer.post("/publications/c1:site-main:1/urge", {"urgent": "台风今晚登陆"})
    await room.dispatch()
    assert "已标为紧急：台风今晚登陆" in (await reviewer.get("/publications?open=c1:site-main:1")).text
    assert len(room.platforms["site-main"].posts) == 1
    (period,) = (await room.desk.store.get("switches", "hold_all") or {})["quiet"]
    ended = await reviewer.post(f"/quiet/{period['id']}/end")
    assert ended.headers["location"] == "/quiet?done=quiet_ended"
    page = (await reviewer.get("/quiet")).text
    assert "提前解除" in page and "静默时段内（" not in page


async def test_nights_are_declared_by_their_hours_and_what_is_wrong_is_said_beside_it(room: Room) -> None:
    reviewer, editor = await room.as_("reviewer"), await room.as_("editor")
    form = {"reason": "夜间不发", "nightly": "on", "from": "22:00", "to": "07:00", "first": "2026-11-24"}
    await reviewer.post("/quiet", form)
    assert "每天 22:00 到次日 07:00" in (await reviewer.get("/quiet")).text
    wrong = await reviewer.post("/quiet", {"reason": "", "first": "2026-11-20", "last": ""})
    assert wrong.status_code == 422 and "这段时间已经过去" in wrong.text and "请写一句原因" in wrong.text
    assert (await reviewer.post("/quiet", {"reason": "x", "first": "明天"})).status_code == 422
    assert (await reviewer.post("/quiet", {**TOMORROW, "from": "十点"})).status_code == 422
    assert (await editor.post("/quiet", TOMORROW)).status_code == 403


# ---- after an outage


async def missed_room(room: Room) -> None:
    for number, late in enumerate(("ask", "hold", "publish")):
        await room.office.write(f"c{number}", f"第{number}篇", by=room.people["editor"].id)
        now = room.desk.clock.now()
        dated = {"$set": {"updated_at": now, "created_at": now}}
        await room.desk.store.change("contents", {"_id": f"c{number}"}, dated)
        wish = Wish("site-main", now + timedelta(minutes=10 + number), late)
        await schedule(room.people["editor"], room.desk, f"c{number}", [wish])
    room.office.clock.move(timedelta(hours=2))
    await beat(WORKER, room.desk)
    await room.dispatch()
    room.office.clock.move(1)
    await room.dispatch()


async def test_the_first_screen_after_an_outage_lists_what_was_missed_and_asks_until_all_is_decided(room: Room) -> None:
    await missed_room(room)
    editor, monitor = await room.as_("editor"), await room.as_("monitor")
    for path in ("/", "/publications"):
        page = (await editor.get(path)).text
        assert "停发期间错过 2 条，请您决定" in page
        assert "市政府网站，原定 09:10，迟了先问人：已停下来问您" in page
        assert "市政府网站，原定 09:11，迟了就暂停：已暂停" in page
        assert "迟了也发：已在 11:00 补发，不用管。" in page
        assert "停发期间错过" not in (await monitor.get(path)).text
    assert "暂停，等您决定" not in (await editor.get("/")).text, "asked once, not twice"
    assert "暂停，等您决定" in (await monitor.get("/")).text
    one = await editor.post("/missed", {"one": "now c0:site-main:1", "next": "/"})
    assert one.headers["location"] == "/?done=missed_now"
    assert "停发期间错过 1 条" in (await editor.get("/")).text
    wrong = await editor.post("/missed", {"ids": "c1:site-main:1", "choice": "move", "at": "2026-11-20T09:00"})
    assert wrong.headers["location"] == "/?done=missed_time"
    assert (await editor.post("/missed", {"choice": "now"})).headers["location"] == "/?done=missed_none"
    late = await editor.post("/missed", {"ids": "c0:site-main:1", "choice": "cancel"})
    assert late.headers["location"] == "/?done=missed_some"
    form = {"ids": "c1:site-main:1", "choice": "move", "at": "2026-11-25T09:00", "next": "/publications?tab=all"}
    done = await editor.post("/missed", form)
    assert done.headers["location"] == "/publications?tab=all&done=missed_move"
    assert "停发期间错过" not in (await editor.get("/")).text
    assert (await monitor.post("/missed", form)).status_code == 403


# ---- 全部暂停


async def test_who_presses_hold_all_sees_what_was_on_its_way_by_name_and_how_it_ended(room: Room) -> None:
    editor = await room.as_("editor")
    (row,) = await room.post_out("c1", "供暖提前")
    await room.desk.store.change("publications", {"_id": row["_id"]}, {"$set": {"state": "sending"}})
    pressed = await editor.post("/hold-all", {"reason": "接上级电话"})
    assert pressed.headers["location"] == "/hold-all?done=held"
    page = (await editor.get("/hold-all")).text
    assert "按下时正在送往平台的有 1 条" in page and "供暖提前" in page and "市政府网站" in page and "发送中" in page
    await room.desk.store.change("publications", {"_id": row["_id"]}, {"$set": {"state": "published"}})
    assert "已发布" in (await editor.get("/hold-all")).text
    await (await room.as_("reviewer")).post("/hold-all/lift", {"reason": "已核实"})
    await editor.post("/hold-all", {"reason": "再停一次"})
    assert "按下时没有正在送往平台的发布。" in (await editor.get("/hold-all")).text


# ---- drafts that will never be published


async def test_the_accounts_page_lists_the_drafts_that_will_be_thrown_away_and_those_left_to_a_person(
    room: Room,
) -> None:
    now = room.desk.clock.now()
    left = {"refs": {"media_id": "m1"}, "why": "cancelled", "at": now}
    for number, again in enumerate((now + timedelta(minutes=30), LATEST)):
        row = {"_id": f"c{number}:site-main:1", "account": "site-main", "title": f"第{number}篇", "state": "cancelled",
               "key": f"k{number}", "leftovers": [left], "leftover_at": again, "at": now, "content": f"c{number}",
               "leftover_said": "连不上平台" if number else None}  # fmt: skip
        await room.desk.store.insert("publications", row)
    page = (await (await room.as_("sysadmin")).get("/accounts/site-main")).text
    assert "不再发布的草稿" in page and "2 份" in page and "已取消，不再发布；上次没有删成：连不上平台" in page
    assert "09:30 以后删" in page and "请到平台上手工删" in page
    assert "/publications?open=c0" not in page, "an administrator sees no publications"
    assert "/publications?open=c0" in (await (await room.as_("editor")).get("/accounts/site-main")).text
    assert "不再发布的草稿" not in (await (await room.as_("editor")).get("/accounts/weibo-main")).text
