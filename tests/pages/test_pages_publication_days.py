"""The publications page by days, its export, and the one press on a refused picture, as a browser meets them."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hub.desk.carrying import carry
from hub.desk.mending import Smaller
from hub.desk.picturing import Drawing, upload
from hub.desk.publishing import Wish, schedule
from hub.domain.errors import Invalid
from hub.domain.people import program
from hub.pages.course import course_of, short_link
from hub.pages.days import COMING, Days, days_of
from hub.pages.proof import evidence_of
from hub.pages.publication_words import banner, mend_words, second_line
from hub.pages.sheets import cell
from hub.wording import brief, megabytes
from tests.domain.publishing_office import MORNING
from tests.domain.test_mending import noise
from tests.pages.desk_room import Room

BOTH = ("site-main", "weibo-main")
LONG = {"from": "2026-10-30", "to": "2026-11-02"}
NINETY = timedelta(minutes=90)
MIDNIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # of the 24th, in the office


def asked(**given: str) -> Any:
    return SimpleNamespace(args=given)


def titles(page: str) -> list[str]:
    return re.findall(r"<b>(\w篇)</b>", page)


async def days_of_posts(room: Room) -> None:
    """甲篇 today, 乙篇 yesterday, 丙篇 a week ago, 丁篇 a month ago and never settled, 戊篇 tomorrow."""
    room.platforms["weibo-main"].faults.append("drop_before")
    await room.post_out("c4", "丁篇", BOTH)
    for id, title in (("c1", "甲篇"), ("c2", "乙篇"), ("c3", "丙篇")):
        await room.post_out(id, title)
    for id, back in (("c2", timedelta(days=1)), ("c3", timedelta(days=7)), ("c4", timedelta(days=30))):
        await room.desk.store.change_many("publications", {"content": id}, {"$set": {"at": MORNING - back}})
    await room.office.write("c5", "戊篇", by=room.people["editor"].id)
    await schedule(room.people["editor"], room.desk, "c5", [Wish("site-main", MORNING + timedelta(days=1))])


async def test_the_page_shows_yesterday_and_today_and_always_what_needs_a_person(room: Room) -> None:
    await days_of_posts(room)
    editor = await room.as_("editor")
    page = (await editor.get("/publications")).text
    assert titles(page) == ["丁篇", "甲篇", "乙篇"]
    assert "11 月 23 日—24 日" in page and "显示 3 条，共 3 条" in page
    for words in ("昨 09:00", "10-25 09:00"):
        assert words in page, words
    assert titles((await editor.get("/publications?days=today")).text) == ["丁篇", "甲篇"]
    assert titles((await editor.get("/publications?from=2026-11-17&to=2026-11-17")).text) == ["丁篇", "丙篇"]
    assert titles((await editor.get("/publications?tab=todo")).text) == ["丁篇"]


async def test_what_is_scheduled_is_shown_from_today_on_without_asking_for_days(room: Room) -> None:
    await days_of_posts(room)
    editor = await room.as_("editor")
    page = (await editor.get("/publications?tab=scheduled")).text
    assert titles(page) == ["戊篇"] and "明 09:00" in page and "11 月 24 日起" in page
    assert titles((await editor.get("/publications?tab=published&from=2026-10-25&to=2026-11-24")).text) == [
        "甲篇", "乙篇", "丙篇", "丁篇",
    ]  # fmt: skip


async def test_the_chosen_days_stay_in_every_address_of_the_page(room: Room) -> None:
    await days_of_posts(room)
    editor = await room.as_("editor")
    page = (await editor.get("/publications?from=2026-11-17&to=2026-11-18")).text
    for path in ("tab=published&amp;from=2026-11-17&amp;to=2026-11-18", "export?tab=all&amp;from=2026-11-17"):
        assert path in page, path
    assert 'value="2026-11-17"' in page and "11 月 17 日—18 日" in page
    row = re.search(r'<a href="(/publications\?[^"]+open=c3[^"]*)"', page)
    assert row and "from=2026-11-17" in row[1]


async def test_a_wrong_day_is_said_in_words_and_nothing_breaks(room: Room) -> None:
    editor = await room.as_("editor")
    for path in ("from=gestern", "to=2026-13-01", "from=2020-01-01&to=2026-01-01", "from=9999-12-31"):
        answer = await editor.get(f"/publications?{path}")
        assert answer.status_code == 422 and ("日期的写法" in answer.text or "最多看一年" in answer.text), path
    assert (await editor.get("/publications?days=never&before=x&tab=none")).status_code == 200


async def test_pages_say_how_many_there_are_and_how_many_come_next(room: Room) -> None:
    editor = room.people["editor"]
    for number in range(35):
        await room.office.write(f"c{number}", f"第{number:03d}篇", by=editor.id)
        await schedule(editor, room.desk, f"c{number}", [Wish("site-main", MORNING + timedelta(minutes=number))])
    visitor = await room.as_("editor")
    first = (await visitor.get("/publications")).text
    assert "显示 30 条，共 35 条" in first and "再看 5 条" in first
    more = re.search(r'href="([^"]+)" rel="next"', first)
    assert more is not None
    second = (await visitor.get(more[1].replace("&amp;", "&"))).text
    assert "显示 35 条，共 35 条" in second and "再看" not in second and "回到开头" in second


async def test_an_empty_page_and_a_page_of_one_say_so(room: Room) -> None:
    editor = await room.as_("editor")
    assert "这几天没有发布" in (await editor.get("/publications")).text
    await room.post_out("c1", "甲篇")
    assert "显示 1 条，共 1 条" in (await editor.get("/publications")).text


async def test_ten_thousand_posts_of_one_day_are_counted_and_paged_without_reading_them_all(room: Room) -> None:
    rows = [
        {
            "_id": f"n{number}:site-main:1", "content": f"n{number}", "account": "site-main", "channel": "site",
            "title": f"第 {number} 篇", "revision": 1, "at": MIDNIGHT + timedelta(seconds=number), "state": "published",
            "published_at": MORNING, "key": f"k{number}", "attempts": [], "tries": 0, "lease_number": 1,
        }
        for number in range(10_000)
    ]  # fmt: skip
    for start in range(0, len(rows), 1_000):
        await room.desk.store.insert_new("publications", rows[start : start + 1_000])
    page = (await (await room.as_("editor")).get("/publications")).text
    assert "显示 30 条，共 10,000 条" in page and "再看 30 条" in page and page.count("data-row") == 30


# ---- export


async def test_the_export_holds_the_rows_of_the_chosen_days_and_says_so_in_the_audit(room: Room) -> None:
    await days_of_posts(room)
    editor = await room.as_("editor")
    answer = await editor.post("/publications/export?tab=all&days=today")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf") and "2026-11-24" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["稿件"], row["渠道"], row["状态"]) for row in rows] == [
        ("甲篇", "网站", "已发布"), ("丁篇", "微博", "待核对"),
    ]  # fmt: skip
    assert rows[0]["账号"] == "市政府网站" and rows[0]["尝试次数"] == "1" and rows[0]["时间"].startswith("2026-11-24 ")
    for _ in range(3):
        await carry(program("carrier"), room.desk)
    [noted] = await room.desk.store.find("audit", {"act": "publication.export"}, limit=5)
    assert noted["actor"] == room.people["editor"].id and noted["detail"]["tab"] == "all"


async def test_the_export_holds_no_person_and_no_formula(room: Room) -> None:
    await room.post_out("c1", "=HYPERLINK(1)")
    editor = await room.as_("editor")
    held = {"$set": {"state": "held", "reason": "请找王工 13912345678", "resolve": {"by": "x", "evidence": "秘密"}}}
    await room.desk.store.change("publications", {"content": "c1"}, held)
    text = (await editor.post("/publications/export")).content.decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    for word in ("13912345678", "周敏", "秘密", room.people["editor"].id):
        assert word not in text, word
    assert [cell(words)[0] for words in ("=1", "+1", "-1", "@x", "\tx", "\rx")] == ["'"] * 6


async def test_operations_are_exported_with_the_title_of_what_they_change(room: Room) -> None:
    await room.post_out("c1", "甲篇")
    editor = await room.as_("editor")
    await editor.post("/publications/c1:site-main:1/withdraw", {"reason": "误发", "where": "here"})
    text = (await editor.post("/publications/export?tab=changes")).content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["稿件"], row["事项"]) == ("甲篇", "撤回")


async def test_only_who_may_read_publications_may_take_them_out(room: Room) -> None:
    for login in ("handler", "sysadmin", "auditor"):
        assert (await (await room.as_(login)).post("/publications/export")).status_code == 403
    assert (await (await room.as_("monitor")).post("/publications/export")).status_code == 200
    assert (await (await room.as_("monitor")).get("/publications/export")).status_code in (404, 405)


# ---- the one press


async def refused_for_a_picture(room: Room, drawing: Drawing) -> None:
    media = await upload(room.people["editor"], room.desk, drawing, noise(500), "送水点分布图.png")
    await room.office.write("c1", "停水范围和送水点", by=room.people["editor"].id, picture=media["_id"])
    wishes = [Wish(account, room.desk.clock.now(), "publish") for account in BOTH]
    await schedule(room.people["editor"], room.desk, "c1", wishes)
    await room.desk.store.change("accounts", {"_id": "site-main"}, {"$set": {"profile": {"picture_bytes": 200_000}}})
    await room.dispatch()


async def test_a_refused_picture_is_named_and_one_press_sends_it_again_smaller(room: Room) -> None:
    drawing = room.app.ctx.drawing = Drawing(longest=60.0)
    try:
        await refused_for_a_picture(room, drawing)
        editor, id = await room.as_("editor"), "c1:site-main:1"
        page = (await editor.get("/publications")).text
        assert "市政府网站拒绝了《停水范围和送水点》" in page and "第 1 张图“送水点分布图.png”" in page
        assert "微博在等网站地址" in page and "图片过大" in page and "压缩图片并重发" in page
        await Smaller(drawing).tick(program("renderer"), room.desk)
        page = (await editor.get(f"/publications?open={id}")).text
        found = re.search(r"压缩到 (\d+) KB 并重发", page)
        assert found and int(found[1]) < 200_000 / 1024 and "内容不改，不用再审" in page
        monitor = (await (await room.as_("monitor")).get(f"/publications?open={id}")).text
        assert "并重发" not in monitor
        assert (await (await room.as_("monitor")).post(f"/publications/{id}/mend")).status_code == 403
        done = await editor.post(f"/publications/{id}/mend?days=today")
        assert done.status_code == 303 and "days=today" in done.headers["location"]
        await room.dispatch()
        page = (await editor.get(f"/publications?open={id}")).text
        assert "周敏 压缩图片并重发" in page and "准备时被拒绝，没有公开" in page and "原图" in page
        assert (await room.desk.store.get("publications", id) or {})["state"] == "published"
        again = await editor.post(f"/publications/{id}/mend")
        assert again.status_code == 409 and "确定没有公开" in again.text
    finally:
        drawing.close()


# ---- words


@pytest.mark.parametrize(
    ("given", "words", "kept"),
    [
        ({}, "11 月 23 日—24 日", {}),
        ({"days": "today"}, "11 月 24 日", {"days": "today"}),
        ({"days": "coming"}, "11 月 24 日起", {"days": "coming"}),
        (LONG, "10 月 30 日—11 月 2 日", LONG),
        ({"from": LONG["to"], "to": LONG["from"]}, "10 月 30 日—11 月 2 日", LONG),
        ({"to": "2026-11-02"}, "11 月 2 日", {"from": "2026-11-02", "to": "2026-11-02"}),
    ],
)  # fmt: skip
def test_days_are_read_from_the_address_and_said_in_words(given: dict[str, str], words: str, kept: Any) -> None:
    found = days_of(asked(**given), MORNING)
    assert (found.words, dict(found.kept)) == (words, kept)


def test_a_day_is_the_offices_own_from_midnight_to_midnight() -> None:
    found = days_of(asked(days="today"), MORNING).stretch
    assert (found.start, found.end) == (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    assert Days(COMING, date(2026, 11, 24), None).stretch.end is None
    with pytest.raises(Invalid):
        days_of(asked(**{"from": "x"}), MORNING)


def test_times_and_sizes_are_as_short_as_they_can_be() -> None:
    assert [brief(MORNING - timedelta(hours=back), MORNING) for back in (1, 20, 200)] == [
        "08:00", "昨 13:00", "11-16 01:00",
    ]  # fmt: skip
    assert [megabytes(size) for size in (13_000_000, 1_153_000, 655_360, 10)] == ["12.4 MB", "1.1 MB", "640 KB", "1 KB"]
    assert short_link("https://www.yunchuan.example/articles/5521?x=1") == "yunchuan.example/articles/5521"


def test_the_banner_says_what_hangs_what_does_not_and_why_it_cannot_be_made_smaller() -> None:
    row = {
        "_id": "p", "account": "s", "channel": "site", "title": "停水", "state": "refused", "picture": "a",
        "reason": "第 3 张图“送水点分布图.png” 12.4 MB，超过网站的 5 MB",
        "offer": {"failed": "这张图压到最小仍然太大。"},
        "siblings": [
            {"channel": "weibo", "hangs": True, "state": "held"},
            {"channel": "wechat", "hangs": False, "state": "pending"},
            {"channel": "app", "hangs": False, "state": "published"},
        ],
    }  # fmt: skip
    said = banner(row, {"s": {"name": "网站"}})
    assert said["title"] == "网站拒绝了《停水》"
    assert said["text"] == (
        "第 3 张图“送水点分布图.png” 12.4 MB，超过网站的 5 MB。微博在等网站地址，已一并暂停。微信、应用不受影响。"
        "不能压缩后重发：这张图压到最小仍然太大。"
    )
    assert mend_words(row) == ""
    made = [{"of": "a", "size": 1_153_000, "place": 3}]
    assert mend_words({**row, "offer": {"renditions": made}}) == "压缩到 1.1 MB 并重发"
    assert mend_words({**row, "state": "unknown"}) == mend_words({**row, "picture": None}) == ""


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"seen": "refused", "picture": "a", "reason": "第 1 张图 6 MB，超过网站的 5 MB"}, "图片过大"),
        ({"seen": "refused", "picture": "a", "reason": "第 1 张图是 WebP 格式，公众号只收 JPG"}, "图片格式不收"),
        ({"seen": "refused", "reason": "含有平台不允许的词"}, "含有平台不允许的词"),
        ({"seen": "held", "held_for": "address", "reason": "很长很长很长很长很长的原因"}, "等网站地址"),
        ({"seen": "held", "held_for": "late"}, "过时，等您定"),
        ({"seen": "unknown", "lost_at": MORNING - timedelta(minutes=46)}, "46 分"),
    ],
)  # fmt: skip
def test_the_second_line_of_a_cell_is_a_time_or_a_short_reason(row: dict[str, Any], words: str) -> None:
    assert second_line(row, MORNING) == words


def test_a_lost_answer_reads_as_what_happened_and_what_was_looked_up() -> None:
    at = MORNING - timedelta(minutes=30)
    attempt = {
        "number": 1, "step": "publish", "at": at + timedelta(seconds=2), "began": at, "bytes": 1204, "pictures": 1,
        "link": "https://yunchuan.example/5521", "outcome": "unknown", "reason": "等待对方答复超时",
        "ended_at": at + timedelta(seconds=32),
    }  # fmt: skip
    looks = [
        {"at": at + timedelta(minutes=minutes), "seen": "missing", "newest": "早安云川", "newest_at": MORNING - NINETY}
        for minutes in (1, 5)
    ]  # fmt: skip
    lost = at + timedelta(seconds=32)
    row = {"channel": "weibo", "attempts": [attempt], "lost_at": lost, "looked": looks, "looks": 2}
    said = [(step["at"], step["title"], step["text"]) for step in course_of(row, {}, MORNING)]
    assert said == [
        ("08:30:00", "开始发送", "先记录、后调用，第 1 次尝试"),
        ("08:30:02", "请求已送出", "内容 1,204 字节，1 张图，含链接 yunchuan.example/5521"),
        ("08:30:32", "30 秒无应答，连接断开", "平台可能已收下"),
        ("08:30:32", "转为“待核对”", "已通知作者和值班人员；不会自动重发"),
        ("08:31 08:35", "查了 2 次账号时间线", "未见相同内容"),
    ]
    assert ("时间线最近一条", "07:30 早安云川") in evidence_of(row, {}, MORNING)
    assert ("平台返回", "无（超时）") in evidence_of(row, {}, MORNING)


def test_what_never_left_the_house_is_not_called_sent() -> None:
    base = {"number": 1, "at": MORNING, "began": MORNING, "ended_at": MORNING}
    for more, words in (
        ({"outcome": "refused", "code": "not_sent"}, "没有连上平台"),
        ({"outcome": "not_called"}, "没有送出"),
    ):
        found = [step["title"] for step in course_of({"attempts": [{**base, **more}]}, {}, MORNING)]
        assert words in found and "请求已送出" not in found
