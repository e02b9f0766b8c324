"""The calendar as a browser without script sees it: views, filters, figures, days' heads, moving a post by a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from hub.desk import agenda, columns
from hub.desk.agenda import ALL, Choice
from hub.desk.publishing import Wish, schedule
from hub.domain.errors import Invalid
from hub.pages.calendar_view import Place, grid_of, month_of, next_month, place_of
from hub.pages.publications import moment_of
from hub.store.base import Document
from tests.domain.publishing_office import EDITOR, WrappedStore
from tests.pages.calendar_month import BOTH, moment, post, row
from tests.pages.desk_room import COLUMN, CONSOLE, Room, Visitor

TODAY = date(2026, 11, 24)


async def page(room: Room, path: str, login: str = "editor") -> str:
    answer = await (await room.as_(login)).get(path)
    assert answer.status_code == 200, answer.text[:500]
    return answer.text


def day_of(text: str, day: str) -> str:
    """One day's square, as it stands in the page."""
    found = re.search(rf'<section [^>]*data-day="{day}".*?</section>', text, re.S)
    assert found, day
    return found[0]


def head_of(text: str) -> list[str]:
    """The figures above the grid."""
    return [re.sub(r"<[^>]+>", "", each) for each in re.findall(r'<span class="month-state".*?</span>', text, re.S)]


# ---- what a month shows


async def test_a_month_shows_each_content_once_with_its_gravest_state(room: Room) -> None:
    room.platforms["weibo-main"].faults.append("drop_before")
    await room.post_out("c1", "公交线路调整", BOTH)
    for number in range(4):
        await room.post_out(f"d{number}", f"早安云川{number}")
    text = await page(room, "/calendar?month=2026-11")
    assert "1 待核对" in text and "5 条" in text and "还有 2 条" in text
    assert text.count("公交线路调整：待核对") == 1


async def test_the_head_sums_the_month_by_state_and_the_days_name_what_is_wrong(room: Room) -> None:
    given = [("published", 3), ("held", 4), ("refused", 5), ("unknown", 6), ("scheduled", 25)]
    for number, (state, day) in enumerate(given):
        await post(room, f"c{number}", f"第 {number} 篇", moment(day, 9), state=state)
    await post(room, "d1", "大风解除", moment(20, 10), state="removed", reason="撤稿：误发")
    await post(room, "d2", "拟发一篇", moment(30, 16), approved=False)
    await post(room, "out", "上个月的", moment(31, 9, month=10), state="published")
    text = await page(room, "/calendar?month=2026-11")
    assert head_of(text) == [
        "已发布 1", "已排定 1", "待核对 1", "已暂停 1", "平台拒绝 1", "已撤回 1", "拟发 1",
    ]  # fmt: skip
    heads = {4: "1 暂停", 5: "1 被拒", 6: "1 待核对"}
    assert all(words in day_of(text, f"2026-11-{day:02}") for day, words in heads.items())
    assert 'data-state="withdrawn"' in day_of(text, "2026-11-20")
    assert "data-rest" in day_of(text, "2026-11-21") and "data-rest" not in day_of(text, "2026-11-23")
    assert "data-today" in day_of(text, "2026-11-24") and "data-out" in day_of(text, "2026-10-31")


async def test_two_posts_of_one_account_at_one_moment_are_named_in_the_head_and_both_marked(room: Room) -> None:
    await post(room, "c1", "新闻发布会预告", moment(27, 9), BOTH)
    await post(room, "c2", "低温天气提示", moment(27, 9))
    await post(room, "c3", "另一时刻", moment(27, 10))
    text = await page(room, "/calendar?month=2026-11")
    assert "同时段撞车 1" in head_of(text) and "已排定 3" in head_of(text)
    day = day_of(text, "2026-11-27")
    assert day.count('class="hidden">：已排定，撞车') == 2 and ">撞车</b>" in day


async def test_a_month_without_posts_says_so_and_offers_no_figures(room: Room) -> None:
    for view, words in (("month", "这个月还没有"), ("week", "这一周还没有排定的发布"), ("list", "这个月还没有")):
        text = await page(room, f"/calendar?view={view}&month=2027-03&week=2027-03-01")
        assert words in text and head_of(text) == []


async def test_a_month_of_thousands_is_counted_by_the_store_and_drawn_with_few_rows(room: Room) -> None:
    for number in range(2_400):
        at = moment(1 + number % 10, 9, number % 50)
        given = {**row(f"c{number}", "民生实事", "site-main", at, "published"), "_id": f"p{number}"}
        await room.desk.store.insert("publications", given)
    late = moment(3, 23, 59)
    await post(room, "bad", "最后一条出了错", late, state="refused")
    await post(room, "w1", "甲", moment(28, 9), BOTH)
    await post(room, "w2", "乙", moment(28, 9))

    class Counting(WrappedStore):
        async def find(self, *given: Any, **more: Any) -> list[Document]:
            found: list[Document] = await self.inner.find(*given, **more)
            read.append(len(found))
            return found

    read: list[int] = []
    desk = replace(room.desk, store=Counting(room.desk.store))
    days = await agenda.days(EDITOR, desk, date(2026, 10, 26), 42)
    assert sum(read) <= agenda.MOST + 1 + 11 * 2 * agenda.DRAWN
    assert [days[date(2026, 11, day)].count for day in (1, 3, 28)] == [240, 241, 2]
    assert days[date(2026, 11, 3)].states == {"published": 240, "refused": 1}
    assert days[date(2026, 11, 28)].meetings == 1
    text = await page(room, "/calendar?month=2026-11")
    assert "最后一条出了错" in day_of(text, "2026-11-03") and "还有 238 条" in day_of(text, "2026-11-03")
    assert "已发布 2,400" in head_of(text)
    assert len(await agenda.days(EDITOR, desk, date(2026, 11, 1), 30, Choice("site", "yaowen"))) == 2


# ---- views and filters


async def test_a_week_shows_every_post_of_its_days_in_the_hours_that_are_needed(room: Room) -> None:
    for number in range(9):
        await post(room, f"c{number}", f"当日第 {number} 条", moment(26, 9, number))
    await post(room, "late", "晚间天气", moment(29, 18, 5))
    await post(room, "next", "下一周的", moment(30, 9))
    text = await page(room, "/calendar?view=week&week=2026-11-25")
    assert "2026 年 11 月 23 日至 29 日" in text and "下一周的" not in text
    assert all(f"当日第 {number} 条" in day_of(text, "2026-11-26") for number in range(9))
    assert re.findall(r"<span>(\d\d:00)</span>", text) == ["09:00", "18:00"]
    assert "下一周的" in await page(room, "/calendar?view=week&week=2026-11-30")


async def test_a_list_holds_the_days_that_have_something_with_each_state_in_words(room: Room) -> None:
    await post(room, "c1", "供暖电话", moment(26, 9), BOTH)
    await post(room, "c2", "早安云川", moment(3, 7, 30), state="published")
    text = await page(room, "/calendar?view=list&month=2026-11")
    assert re.findall(r'data-day="([^"]+)"', text) == ["2026-11-03", "2026-11-26"]
    assert "已排定" in day_of(text, "2026-11-26") and "微博：已排定" in day_of(text, "2026-11-26")


async def test_filters_stay_in_every_address_of_the_page_and_the_form_works_by_itself(room: Room) -> None:
    await columns.save_column(CONSOLE, room.desk, {**COLUMN, "_id": "minsheng", "name": "民生"})
    await post(room, "c1", "微博上的", moment(26, 9), ("weibo-main",), column="minsheng")
    await post(room, "c2", "网站上的", moment(26, 10))
    await post(room, "c3", "别栏的", moment(26, 11), ("weibo-main",))
    text = await page(room, "/calendar?month=2026-11&channel=weibo&column=minsheng")
    assert [title in text for title in ("微博上的", "网站上的", "别栏的")] == [True, False, False]
    for goal in ("month=2026-10", "month=2026-12", "view=week&amp;week=2026-11-23", "view=list&amp;month=2026-11"):
        assert f"/calendar?{goal}&amp;channel=weibo&amp;column=minsheng" in text, goal
    assert '<option value="weibo" selected>微博</option>' in text and '<option value="minsheng" selected>' in text
    assert re.search(r'<form [^>]*method="get" action="/calendar".*?name="month" value="2026-11".*?>筛选<', text, re.S)
    none = await page(room, "/calendar?month=2027-01&channel=weibo")
    assert "没有符合筛选的发布" in none and 'href="/calendar?month=2027-01">看全部' in none
    assert "别栏的" in await page(room, "/calendar?month=2026-11&channel=nothing&column=nothing")


@pytest.mark.parametrize(
    ("month", "days", "first"),
    [
        (date(2026, 11, 1), 42, date(2026, 10, 26)),
        (date(2027, 2, 1), 28, date(2027, 2, 1)),
        (date(2026, 12, 1), 35, date(2026, 11, 30)),
    ],
)
def test_a_month_is_whole_weeks_from_monday(month: date, days: int, first: date) -> None:
    grid = grid_of(month)
    assert (len(grid), grid[0]) == (days, first) and {day.weekday() for day in grid[::7]} == {0}
    assert next_month(next_month(month, 1), -1) == month


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ({}, "/calendar?month=2026-11"),
        ({"day": "2026-12-03"}, "/calendar?month=2026-12&day=2026-12-03"),
        ({"month": "2026-11", "day": "2026-12-03"}, "/calendar?month=2026-11&day=2026-12-03"),
        ({"view": "week"}, "/calendar?view=week&week=2026-11-23"),
        ({"view": "week", "week": "2026-12-06"}, "/calendar?view=week&week=2026-11-30"),
        ({"view": "decade"}, "/calendar?month=2026-11"),
        ({"view": "list", "month": "2199-12"}, "/calendar?view=list&month=2199-12"),
    ],
)
def test_an_address_leads_to_one_place_that_has_one_address(asked: dict[str, str], address: str) -> None:
    place = place_of(asked, ALL, TODAY)
    assert place.href() == address
    query = dict(pair.split("=") for pair in address.partition("?")[2].split("&"))
    assert place_of(query, ALL, TODAY) == place


def test_from_one_view_to_another_the_time_stays_in_sight() -> None:
    november = Place("month", date(2026, 11, 1), ALL)
    assert november.seen_as("week", TODAY).start == date(2026, 11, 23)
    assert november.step(1).seen_as("week", TODAY).start == date(2026, 11, 30)
    turn = Place("week", date(2026, 11, 30), ALL)
    assert turn.seen_as("month", TODAY).start == date(2026, 12, 1)
    assert replace(turn, day=date(2026, 11, 30)).seen_as("month", TODAY).start == date(2026, 11, 1)


def test_a_month_or_time_that_is_none_is_refused_in_words() -> None:
    for text in ("2026", "2026-13", "x"):
        with pytest.raises(Invalid):
            month_of(text)
    for text in ("", "x", "0001-01-01T00:00+14:00"):
        with pytest.raises(Invalid):
            moment_of(text)


# ---- moving


def form_of(text: str, name: str) -> dict[str, Any]:
    """The fields of the open day's first form that has a field of this name."""
    forms = re.findall(r'<form class="panel-form".*?</form>', text, re.S)
    found = next(form for form in forms if f'name="{name}"' in form)
    fields: dict[str, Any] = {"id": re.findall(r'name="id" value="([^"]+)"', found)}
    return fields | {"seen": unescape(re.findall(r'name="seen" value="([^"]+)"', found)[0])}


async def times(room: Room, ids: Sequence[str]) -> set[datetime]:
    rows = await room.desk.store.find("publications", {"_id": {"$in": list(ids)}}, limit=9)
    return {each["at"] for each in rows}


async def send(visitor: Visitor, path: str, form: dict[str, Any]) -> str:
    """A form that is done; the address it leads to."""
    answer = await visitor.post(path, form)
    assert answer.status_code == 303, answer.text[:800]
    return str(answer.headers["location"])


async def test_the_open_day_moves_every_channel_to_another_day_and_back_by_plain_forms(room: Room) -> None:
    await room.office.write("c1", "供暖电话", by=room.people["editor"].id)
    at = room.desk.clock.now() + timedelta(hours=3)
    await schedule(room.people["editor"], room.desk, "c1", [Wish(account, at) for account in BOTH])
    editor = await room.as_("editor")
    fields = form_of(await page(room, "/calendar?day=2026-11-24"), "day")
    assert sorted(fields["id"]) == [f"c1:{account}:1" for account in BOTH]
    goal = await send(editor, "/calendar/move?month=2026-11&day=2026-11-24", {**fields, "day": "2026-11-26"})
    assert goal == "/calendar?month=2026-11&day=2026-11-26&moved=c1%3Asite-main%3A1"
    assert await times(room, fields["id"]) == {datetime(2026, 11, 26, 4, 0, tzinfo=UTC)}
    text = await page(room, goal)
    assert "已改到 11 月 26 日 12:00（星期四）。当日 1 条，无撞车。" in text
    assert "data-chosen" in day_of(text, "2026-11-26")
    undo = re.search(r'<form method="post" action="(/calendar/undo[^"]*)">(.*?)</form>', text, re.S)
    assert undo and "撤销" in undo[2]
    back = {"id": re.findall(r'name="id" value="([^"]+)"', undo[2])}
    seen = unescape(re.findall(r'name="seen" value="([^"]+)"', undo[2])[0])
    goal = await send(editor, unescape(undo[1]), {**back, "seen": seen})
    assert "已改回 11 月 24 日 12:00（星期二）。" in await page(room, goal) and await times(room, back["id"]) == {at}
    assert "/calendar/undo" not in await page(room, goal)


async def test_a_page_that_shows_one_channel_does_not_tear_a_post_apart(room: Room) -> None:
    ids = await post(room, "c1", "供暖电话", moment(26, 9), BOTH)
    fields = form_of(await page(room, "/calendar?day=2026-11-26&channel=site"), "day")
    assert fields["id"] == ids[:1]
    await send(await room.as_("editor"), "/calendar/move?channel=site", {**fields, "day": "2026-11-27"})
    assert await times(room, ids) == {moment(27, 9)}


async def test_a_move_by_date_and_time_asks_for_both_and_says_what_is_missing(room: Room) -> None:
    ids = await post(room, "c1", "供暖电话", moment(26, 9), BOTH)
    editor = await room.as_("editor")
    fields = form_of(await page(room, "/calendar?day=2026-11-26"), "at")
    assert await send(editor, "/calendar/move?view=week&week=2026-11-23", {**fields, "at": "2026-12-02T10:30"}) == (
        "/calendar?view=week&week=2026-11-30&moved=c1%3Asite-main%3A1"
    )
    assert await times(room, ids) == {moment(2, 10, 30, month=12)}
    for form in ({**fields, "at": "bald"}, {**fields, "day": "2026-13-01"}, {"id": ids, "day": "2026-12-05"}):
        wrong = await editor.post("/calendar/move", form)
        assert wrong.status_code == 422 and 'role="alert"' in wrong.text


async def test_a_move_onto_another_post_of_the_account_is_named_with_it(room: Room) -> None:
    ids = await post(room, "c1", "供暖电话", moment(26, 9), BOTH)
    await post(room, "c2", "低温天气提示", moment(27, 9), ("weibo-main",))
    form = {"id": ids, "seen": "2026-11-26T09:00", "day": "2026-11-27"}
    goal = await send(await room.as_("editor"), "/calendar/move?month=2026-11", form)
    assert "当日 2 条，撞车：09:00 微博还有《低温天气提示》。" in await page(room, goal)


async def test_who_comes_second_is_told_and_nothing_of_theirs_is_done(room: Room) -> None:
    ids = await post(room, "c1", "供暖电话", moment(26, 9), BOTH)
    form, editor = {"id": ids, "seen": "2026-11-26T09:00"}, await room.as_("editor")
    await send(await room.as_("reviewer"), "/calendar/move", {**form, "day": "2026-11-27"})
    late = await editor.post("/calendar/move?view=list&month=2026-11", {**form, "day": "2026-11-28"})
    assert late.status_code == 409 and "《供暖电话》刚才已被改到 11 月 27 日 09:00" in late.text
    assert await times(room, ids) == {moment(27, 9)}
    past = await editor.post("/calendar/move", {"id": ids, "seen": "2026-11-27T09:00", "day": "2026-11-20"})
    assert past.status_code == 422 and "11 月 20 日 09:00 已经过去" in past.text


async def test_the_address_alone_says_of_no_post_that_it_was_moved(room: Room) -> None:
    ids = await post(room, "c1", "供暖电话", moment(26, 9))
    assert "已改到" not in await page(room, f"/calendar?moved={ids[0]}")
    await send(await room.as_("editor"), "/calendar/move", {"id": ids, "seen": "2026-11-26T09:00", "day": "2026-11-27"})
    assert "已改到" in await page(room, f"/calendar?moved={ids[0]}")
    assert "已改到" not in await page(room, f"/calendar?moved={ids[0]}", "reviewer")
    room.office.clock.move(timedelta(minutes=2))
    assert "已改到" not in await page(room, f"/calendar?moved={ids[0]}")


async def test_who_may_not_schedule_is_offered_no_move(room: Room) -> None:
    ids = await post(room, "c1", "供暖电话", moment(26, 9))
    text = await page(room, "/calendar?day=2026-11-26", "monitor")
    assert "改期" not in text and "data-ids" not in text and "写稿件" not in text
    monitor = await room.as_("monitor")
    form = {"id": ids, "seen": "2026-11-26T09:00", "day": "2026-11-27"}
    for path in ("/calendar/move", "/calendar/undo"):
        assert (await monitor.post(path, form)).status_code == 403
    assert await times(room, ids) == {moment(26, 9)}


async def test_a_post_that_is_partly_out_is_not_dragged_and_its_rest_is_moved_from_the_open_day(room: Room) -> None:
    await post(room, "c1", "公交调整", moment(26, 9))
    await room.desk.store.change("publications", {"_id": "c1:site-main:1"}, {"$set": {"state": "published"}})
    await room.desk.store.insert(
        "publications", {**row("c1", "公交调整", "weibo-main", moment(26, 9), "waiting"), "_id": "c1:weibo-main:1"}
    )
    text = await page(room, "/calendar?day=2026-11-26")
    assert "data-ids" not in day_of(text, "2026-11-26") and form_of(text, "day")["id"] == ["c1:weibo-main:1"]
