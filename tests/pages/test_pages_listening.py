"""The pages of those who listen: board, issues, alerts, replies, notices, home, and the button for 全部暂停."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from hub.commands.poisons import POISONS
from hub.desk.issues import FEW, bars
from hub.desk.listening import take
from hub.desk.reading import read_new
from hub.desk.watching import Watch
from tests.domain.listening_office import LISTENER, POISON, READER, WATCHER, Counting, Source
from tests.pages.desk_room import DISTRICTS, MORNING, Room

PHONE = "13912345678"
ISSUE: dict[str, Any] = {
    "_id": "i-1", "title": "清源路水不清", "level": "watch", "state": "open", "voices": 4, "usual": 0.4, "negative": 4,
    "copies": 0, "channels": ["site"], "districts": ["临江区"], "chance": 0.00002, "terms": ["水不清"],
    "explanation": "4 人说同一件事。", "first_at": MORNING, "last_at": MORNING, "outbox": [], "stream": "live",
}  # fmt: skip
SCRIPT = "<script>alert(1)</script>"


async def say(room: Room, *texts: str, days: int = 0) -> None:
    """Citizens speak on the website, and all is read and watched."""
    source = Source()
    for number, text in enumerate(texts):
        source.say(
            text, author=f"市民{number}", id=f"{text[:6]}-{number}", at=MORNING - timedelta(days=days, minutes=1)
        )
    account = await room.desk.store.get("accounts", "site-main")
    assert account is not None
    await take(LISTENER, room.desk, account, source.said)
    await read_new(READER, room.desk)
    await Watch(Counting).tick(WATCHER, room.desk)


async def first(room: Room, table: str) -> dict[str, Any]:
    return (await room.desk.store.find(table, {}, sort=[("_id", 1)], limit=1))[0]


@pytest.mark.parametrize(
    "path", ["/", "/board", "/board?hours=168", "/board?hours=720", "/issues", "/replies", "/notices"]
)
async def test_an_empty_office_says_what_will_stand_here(room: Room, path: str) -> None:
    answer = await (await room.as_("monitor")).get(path)
    assert answer.status_code == 200
    assert "没有" in answer.text


async def test_the_board_adds_up_and_every_figure_opens_its_rows(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4, "谢谢师傅")
    monitor = await room.as_("monitor")
    page = (await monitor.get("/board")).text
    assert "清源路水不清" in page
    assert "黄色" in page
    assert all(district in page for district in DISTRICTS)
    rows = await monitor.get("/replies?sentiment=neg")
    assert rows.text.count("清源路水不清</a></p>") == 4  # each also names its issue


async def test_the_board_leaves_out_a_channel_that_nobody_writes_on(room: Room) -> None:
    monitor = await room.as_("monitor")
    for page in ((await monitor.get("/board")).text, (await monitor.get("/replies")).text):
        assert "微博" in page
        assert "App 推送" not in page


async def test_a_board_of_the_past_is_asked_for_by_its_day(room: Room) -> None:
    await say(room, *["老早水不清"] * 4, days=400)
    monitor = await room.as_("monitor")
    day = (MORNING - timedelta(days=400)).date().isoformat()
    assert "老早水不清" in (await monitor.get(f"/board?hours=720&until={day}")).text
    assert "老早水不清" not in (await monitor.get("/board")).text
    assert (await monitor.get("/board?until=昨天")).status_code == 422


def opened(page: str, label: str) -> str:
    """Where the figure with this label leads."""
    found = re.search(rf"<dt>{label}</dt><dd><b><a href=\"([^\"]+)\"", page)
    assert found, label
    return html.unescape(found[1])


async def test_each_figure_of_the_board_leads_to_as_many_rows_as_it_says(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4, "谢谢师傅")
    monitor = await room.as_("monitor")
    page = (await monitor.get("/board")).text
    assert "共 5 条" in (await monitor.get(opened(page, "24 小时留言"))).text
    assert "共 4 条" in (await monitor.get(opened(page, "负面占比"))).text
    assert "清源路水不清" in (await monitor.get(opened(page, "苗头"))).text
    assert "未认领" in (await monitor.get(opened(page, "七天预警"))).text
    assert "未认领" in (await monitor.get(opened(page, "等待认领"))).text


async def test_what_names_no_district_can_be_opened_from_the_table_too(room: Room) -> None:
    await say(room, "水不清", "路灯不亮", "井盖不平")
    for text, district in (("水不清", DISTRICTS[0]), ("路灯不亮", "外地"), ("井盖不平", None)):
        await room.desk.store.change_many("replies", {"text": text}, {"$set": {"district": district}})
    monitor = await room.as_("monitor")
    unsaid = (await monitor.get("/replies?district=未写明&state=counted")).text
    assert "共 2 条" in unsaid
    assert "水不清" not in unsaid
    assert "水不清" in (await monitor.get(f"/replies?district={DISTRICTS[0]}")).text


async def test_the_board_counts_every_issue_and_says_how_many_it_does_not_show(room: Room) -> None:
    for number in range(14):
        await say(room, *[f"{number:02}号楼水不清"] * 4)
    page = (await (await room.as_("monitor")).get("/board")).text
    assert "黄色 14" in page
    assert "另有 2 个" in page


async def test_a_past_day_holds_nothing_of_the_day_after_and_no_figure_of_today(room: Room) -> None:
    await say(room, *["老早水不清"] * 4, days=400)
    monitor = await room.as_("monitor")
    day = (MORNING - timedelta(days=401)).date().isoformat()
    page = (await monitor.get(f"/board?hours=720&until={day}")).text
    assert "老早水不清" not in page
    assert "等待认领" not in page
    assert f"截至 {int(day[:4])} 年 {int(day[5:7])} 月 {int(day[8:])} 日" in page


async def test_issues_of_the_past_stand_apart_from_those_that_form_now(room: Room) -> None:
    await say(room, *["老早水不清"] * 4, days=400)
    monitor = await room.as_("monitor")
    assert "老早水不清" not in (await monitor.get("/issues")).text
    assert "老早水不清" in (await monitor.get("/issues?state=past")).text
    assert "往日，没有通知" in (await monitor.get("/issues?state=alerts")).text
    assert "没有等待认领的预警" in (await monitor.get("/issues?state=new")).text


async def test_the_board_says_who_took_an_alert_and_how_far_they_are(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4)
    monitor = await room.as_("monitor")
    alert = await first(room, "alerts")
    await monitor.post(f"/alerts/{alert['_id']}/acknowledge")
    name = (await room.desk.store.get("alerts", alert["_id"]) or {})["taken_name"]
    for path in ("/board", "/issues"):
        assert f"{name} 已认领" in (await monitor.get(path)).text


async def test_the_course_of_an_issue_says_when_enough_people_had_spoken(room: Room) -> None:
    await say(room, *["清源路水不清", "清源路水不清啊", "清源路水还是不清", "清源路的水不清"])
    rows = await room.desk.store.find("replies", {}, limit=10)
    for number, row in enumerate(sorted(rows, key=lambda row: str(row["_id"]))):
        seen = {"issue": "i-1", "analysis.copy_key": str(number), "at": MORNING + timedelta(minutes=number)}
        await room.desk.store.change("replies", {"_id": row["_id"]}, {"$set": seen})
    await room.desk.store.insert("issues", ISSUE)
    page = (await (await room.as_("monitor")).get("/issues/i-1")).text
    assert page.index("第一个人反映") < page.index("第 4 个人反映")
    assert "不足 4 人不预警" in page


def test_a_short_burst_is_drawn_by_the_minute_with_the_quiet_before_it_and_copies_apart() -> None:
    def row(number: int, who: str, key: str) -> dict[str, Any]:
        analysis = {"copy_key": key, "simhash": "0"}
        at = MORNING + timedelta(minutes=number)
        return {"_id": str(number), "at": at, "author_key": who, "analysis": analysis}

    rows = [row(0, "a", "x"), row(1, "b", "x"), row(2, "c", "y"), row(3, "a", "z")]
    at, people, others = bars(rows)
    assert len(at) == FEW
    assert (at[-1], at[1] - at[0]) == (MORNING + timedelta(minutes=3), timedelta(minutes=1))
    assert (people[-4:], others[-4:]) == ([1, 0, 1, 0], [0, 1, 0, 1])
    assert (sum(people), sum(others)) == (2, 2)


@pytest.mark.parametrize("days", [0.01, 0.5, 3, 20, 400])
def test_bars_of_any_length_hold_every_row_and_are_never_too_many(days: float) -> None:
    rows: list[dict[str, Any]] = [
        {"_id": str(number), "at": MORNING + timedelta(days=days) * number / 9} for number in range(10)
    ]
    at, people, others = bars(rows)
    assert FEW <= len(at) <= 37
    assert sum(people) + sum(others) == 10
    assert at[0] <= MORNING


async def test_an_alert_is_taken_on_its_issues_page_and_a_second_taker_is_told(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4)
    monitor = await room.as_("monitor")
    alert, issue = await first(room, "alerts"), await first(room, "issues")
    page = (await monitor.get(f"/issues/{issue['_id']}")).text
    assert "4 人说同一件事" in page
    assert "认领" in page
    taken = await monitor.post(f"/alerts/{alert['_id']}/acknowledge")
    assert taken.status_code == 303
    again = await monitor.post(f"/alerts/{alert['_id']}/acknowledge")
    assert again.status_code == 409
    assert "已认领" in again.text


async def test_a_false_alarm_without_a_sentence_stays_and_says_what_is_missing(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4)
    monitor = await room.as_("monitor")
    alert = await first(room, "alerts")
    answer = await monitor.post(f"/alerts/{alert['_id']}/false-alarm", {"remark": ""})
    assert answer.status_code == 422
    assert "须写一句说明" in answer.text


async def test_what_citizens_wrote_is_never_markup_and_never_plain(room: Room) -> None:
    await say(room, f"{SCRIPT}电话 {PHONE} 水不清")
    monitor = await room.as_("monitor")
    reply = await first(room, "replies")
    for path in ("/board", "/replies", f"/replies/{reply['_id']}"):
        page = (await monitor.get(path)).text
        assert SCRIPT not in page
        assert PHONE not in page


async def test_plain_words_are_shown_for_a_reason_and_the_look_is_audited(room: Room) -> None:
    await say(room, f"电话 {PHONE} 水不清")
    handler = await room.as_("handler")
    reply = await first(room, "replies")
    refused = await handler.post(f"/replies/{reply['_id']}/reveal", {"reason": ""})
    assert refused.status_code == 422
    assert PHONE not in refused.text
    shown = await handler.post(f"/replies/{reply['_id']}/reveal", {"reason": "回访来信人"})
    assert PHONE in shown.text
    assert shown.headers["cache-control"] == "no-store"
    outbox = (await room.desk.store.get("replies", reply["_id"]) or {})["outbox"]
    assert any(row["act"] == "reply.reveal" for parcel in outbox for row in parcel["rows"] if row["kind"] == "audit")


async def test_an_editor_sees_words_masked_and_cannot_open_them(room: Room) -> None:
    await say(room, f"电话 {PHONE} 水不清")
    editor = await room.as_("editor")
    reply = await first(room, "replies")
    assert "未遮盖" not in (await editor.get(f"/replies/{reply['_id']}")).text
    assert (await editor.post(f"/replies/{reply['_id']}/reveal", {"reason": "想看看"})).status_code == 403


async def test_a_label_is_kept_beside_what_was_read(room: Room) -> None:
    await say(room, "水不清")
    monitor = await room.as_("monitor")
    reply = await first(room, "replies")
    assert (await monitor.post(f"/replies/{reply['_id']}/label", {"label": "neu"})).status_code == 303
    kept = await room.desk.store.get("replies", reply["_id"]) or {}
    assert (kept["label"], kept["sentiment"]) == ("neu", "neg")


async def test_replies_are_found_by_words_and_paged(room: Room) -> None:
    await say(room, *[f"第 {number} 户水不清" for number in range(60)], "路灯不亮")
    monitor = await room.as_("monitor")
    assert "路灯不亮" in (await monitor.get("/replies?words=路灯")).text
    page = await monitor.get("/replies")
    assert "下一页" in page.text
    assert (await monitor.get("/replies?cursor=nonsense")).status_code == 422


async def test_what_a_search_finds_is_paged_like_every_list(room: Room) -> None:
    await say(room, *[f"第 {number} 户水不清" for number in range(60)])
    monitor = await room.as_("monitor")
    page = (await monitor.get("/replies?words=水不清")).text
    more = re.search(r'href="([^"]+)" rel="next"', page)
    assert more
    rest = (await monitor.get(html.unescape(more[1]))).text
    assert (page.count("户水不清</a>"), rest.count("户水不清</a>")) == (50, 10)


async def test_a_reply_names_its_issue_only_where_that_is_more_than_one_voice(room: Room) -> None:
    await say(room, "清源路水不清")
    reply = await first(room, "replies")
    await room.desk.store.change("replies", {"_id": reply["_id"]}, {"$set": {"issue": "i-1"}})
    await room.desk.store.insert("issues", {**ISSUE, "title": "清源路一带", "level": "none"})
    monitor = await room.as_("monitor")
    for path in ("/board", "/replies", f"/replies/{reply['_id']}"):
        assert "清源路一带" not in (await monitor.get(path)).text
    await room.desk.store.change("issues", {"_id": "i-1"}, {"$set": {"level": "watch"}})
    for path in ("/board", "/replies", f"/replies/{reply['_id']}"):
        assert "清源路一带" in (await monitor.get(path)).text


async def test_why_it_was_read_so_is_said_in_words_never_in_pieces(room: Room) -> None:
    await say(room, "水不清")
    reply = await first(room, "replies")
    why = [["了，", 0.9], ["不", 0.8], ["发黄", 0.7]]
    await room.desk.store.change("replies", {"_id": reply["_id"]}, {"$set": {"analysis.sentiment.why": why}})
    page = (await (await room.as_("monitor")).get(f"/replies/{reply['_id']}")).text
    assert "<b>发黄</b>" in page
    assert "<b>了，</b>" not in page
    assert "<b>不</b>" not in page


async def test_everything_is_held_with_a_reason_and_lifted_by_a_reviewer_only(room: Room) -> None:
    monitor, reviewer = await room.as_("monitor"), await room.as_("reviewer")
    assert (await monitor.post("/hold-all", {"reason": ""})).status_code == 422
    assert (await monitor.post("/hold-all", {"reason": "接上级电话通知"})).status_code == 303
    assert "全部暂停中" in (await reviewer.get("/")).text
    assert (await monitor.post("/hold-all/lift")).status_code == 403
    assert (await reviewer.post("/hold-all/lift")).status_code == 303
    assert "全部暂停中" not in (await reviewer.get("/")).text


async def test_home_begins_with_what_may_be_public_and_wrong(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4)
    sent = (await room.post_out("c1", "停水通知"))[0]
    await room.desk.store.change("publications", {"_id": sent["_id"]}, {"$set": {"state": "unknown"}})
    page = (await (await room.as_("monitor")).get("/")).text
    unknown, alert = page.index("是否发出，尚不清楚"), page.index("黄色预警")
    assert unknown < alert
    assert page.index("去核对") < page.index("认领")


async def test_home_names_channels_in_one_order_wherever_it_names_them(room: Room) -> None:
    await room.post_out("c1", "停水通知", accounts=("site-main", "weibo-main"))
    page = (await (await room.as_("editor")).get("/")).text
    accounts = page[page.index("账号</h2>") :]
    assert accounts.index("云川发布") < accounts.index("市政府网站")
    day = page[page.index('class="todays"') : page.index("账号</h2>")]
    assert re.findall(r">([博网])<", day) == ["博", "网"]


async def test_home_says_the_week_beside_the_one_before_and_opens_its_rows(room: Room) -> None:
    await say(room, *["清源路水不清"] * 4, "谢谢师傅")
    await say(room, "上周的水不清", days=7)
    await say(room, "上上周的水不清", days=14)
    await room.post_out("c1", "停水通知")
    monitor = await room.as_("monitor")
    page = (await monitor.get("/")).text
    assert "<dt>本周发布</dt>" in page
    assert "5 条" in page
    assert "上周同期 1 条" in page
    assert "共 5 条" in (await monitor.get(opened(page, "本周留言"))).text
    assert "共 4 条" in (await monitor.get(opened(page, "负面占比"))).text


async def test_home_shows_no_figures_to_whom_they_are_closed(room: Room) -> None:
    page = (await (await room.as_("auditor")).get("/")).text
    assert "本周留言" not in page


async def test_a_number_in_a_reason_is_masked_before_everybody_on_duty_reads_it(room: Room) -> None:
    monitor = await room.as_("monitor")
    await monitor.post("/hold-all", {"reason": f"接电话通知，请回 {PHONE}"})
    held = await room.desk.store.get("switches", "hold_all") or {}
    told = [row for parcel in held["outbox"] for row in parcel["rows"]]
    assert {row["kind"] for row in told} >= {"notice", "audit"}
    assert PHONE not in str(told)


async def test_a_reply_that_could_not_be_read_is_shown_whole_with_what_that_means(room: Room) -> None:
    await say(room, f"{POISON}[[[[//@a:", "谢谢师傅")
    await room.desk.store.change("replies", {"state": "new"}, {"$set": {"tries": 2, "lease_until": None}})
    await read_new(READER, room.desk)
    (row,) = await room.desk.store.find("replies", {"state": "set_aside"})
    monitor = await room.as_("monitor")
    page = (await monitor.get(f"/replies/{row['_id']}")).text
    assert "没能分析" in page and POISON in page and "排队" not in page
    listed = (await monitor.get("/replies?state=set_aside")).text
    assert POISON in listed and "谢谢师傅" not in listed


async def test_the_board_says_how_many_wait_to_be_read_and_how_long_the_first_has_waited(room: Room) -> None:
    source = Source()
    for number in range(3):
        source.say("水不清", id=f"w{number}", at=MORNING)
    account = await room.desk.store.get("accounts", "site-main")
    assert account is not None
    await take(LISTENER, room.desk, account, source.said)
    monitor = await room.as_("monitor")
    assert "积压 3 条<" in (await monitor.get("/board")).text
    room.office.clock.move(90)
    assert "积压 3 条，最久等了 1 分<" in (await monitor.get("/board")).text
    await read_new(READER, room.desk)
    assert "积压 0 条<" in (await monitor.get("/board")).text


@pytest.mark.parametrize("name", ["right to left", "Zalgo", "zeros among words", "halves among words", "flags"])
async def test_a_poisoned_reply_opens_as_a_page_and_stands_in_its_list_and_on_the_board(room: Room, name: str) -> None:
    await say(room, POISONS[name])
    row = await first(room, "replies")
    monitor = await room.as_("monitor")
    for path in (f"/replies/{row['_id']}", "/replies", "/board"):
        answer = await monitor.get(path)
        assert answer.status_code == 200
        assert "\0" not in answer.text
