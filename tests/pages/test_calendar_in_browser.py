"""The calendar in a real Chromium: a post dragged, moved by keys, taken back; accessible, inside its window, quiet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.pages.calendar_month import BOTH, moment, post
from tests.pages.chromium import MARKS, quarrels, tidied
from tests.pages.desk_room import Room, open_room

pytestmark = MARKS

VIEWS = ("?month=2026-11", "?view=week&week=2026-11-23", "?view=list&month=2026-11", "?day=2026-11-27")


async def fill(room: Room) -> None:
    """Some of everything that a month can hold."""
    states = ("published", "unknown", "refused", "held", "removed", "cancelled", "scheduled", "waiting", "sending")
    for number, state in enumerate(states):
        await post(room, f"s{number}", f"{state} 的一条，题目很长很长很长", moment(24, 10, number), BOTH, state=state)
    await post(room, "c1", "供暖服务电话一览", moment(25, 9), BOTH)
    await post(room, "c2", "低温天气提示", moment(27, 9), ("weibo-main",))
    await post(room, "c3", "十二月活动清单", moment(27, 9), approved=False)


@asynccontextmanager
async def opened(browser: Browser, **more: Any) -> AsyncIterator[tuple[Room, Page]]:
    """The editor's November, filled."""
    async with open_room() as room, tidied(browser):
        await fill(room)
        visitor = await room.as_("editor")
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, **more)
        cookies = [{"name": name, "value": value, "url": room.base} for name, value in visitor.client.cookies.items()]
        await context.add_cookies(cookies)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(f"{room.base}/calendar?month=2026-11")
        yield room, page


async def times(room: Room, content: str = "c1") -> set[Any]:
    rows = await room.desk.store.find("publications", {"content": content}, limit=9)
    return {row["at"] for row in rows}


def toast(page: Page, words: str) -> Any:
    return page.locator(".toast", has_text=words)


async def test_a_post_is_dragged_to_another_day_and_the_toast_takes_it_back(browser: Browser) -> None:
    async with opened(browser) as (room, page):
        await page.drag_and_drop("text=供暖服务电话一览", '[data-day="2026-11-26"]')
        await expect(toast(page, "已改到 11 月 26 日 09:00（星期四）。当日 1 条，无撞车。")).to_be_visible()
        await expect(page.locator('[data-day="2026-11-26"][data-chosen] [data-lit]')).to_have_count(1)
        assert await times(room) == {moment(26, 9)}
        await page.get_by_role("button", name="撤销").click()
        await expect(toast(page, "已改回 11 月 25 日 09:00（星期三）")).to_be_visible()
        await expect(page.locator('[data-day="2026-11-25"] [data-lit]')).to_have_count(1)
        assert await times(room) == {moment(25, 9)}


async def test_a_focused_post_goes_by_alt_and_arrows_with_the_keyboard_on_it_and_back_by_ctrl_z(
    browser: Browser,
) -> None:
    async with opened(browser) as (room, page):
        await page.locator("text=供暖服务电话一览").locator("xpath=ancestor::a").focus()
        await page.keyboard.press("Alt+ArrowRight")
        await page.keyboard.press("Alt+ArrowRight")  # at once: two presses are two days
        await expect(toast(page, "11 月 27 日 09:00（星期五）。当日 3 条，撞车：09:00 ")).to_be_visible()
        await expect(page.locator(":focus")).to_contain_text("供暖服务电话一览")
        await page.keyboard.press("Alt+ArrowDown")
        await expect(toast(page, "12 月 4 日 09:00（星期五）。当日 1 条")).to_be_visible()
        await expect(page.locator(".toast")).to_have_count(1)
        assert await times(room) == {moment(4, 9, month=12)}
        await page.keyboard.press("Control+z")
        await expect(toast(page, "已改回 11 月 27 日")).to_be_visible()
        assert await times(room) == {moment(27, 9)}


async def test_what_cannot_be_moved_says_why_and_stays_where_it_is(browser: Browser) -> None:
    async with opened(browser) as (room, page):
        await page.drag_and_drop("text=供暖服务电话一览", '[data-day="2026-11-20"]')
        problem = toast(page, "11 月 20 日 09:00 已经过去，时间没有改。")
        await expect(problem).to_be_visible()
        await expect(problem).to_have_attribute("role", "alert")
        await expect(page.locator(":focus")).to_contain_text("供暖服务电话一览")
        assert await times(room) == {moment(25, 9)}
        await page.locator("a[data-state=unknown]").focus()
        await page.keyboard.press("Alt+ArrowRight")
        await expect(toast(page, "这一条是“待核对”，不能在这里改日期。")).to_be_visible()
        assert page.url.endswith("/calendar?month=2026-11")


async def test_a_post_moved_by_somebody_else_meanwhile_is_not_moved_again(browser: Browser) -> None:
    async with opened(browser) as (room, page):
        form = {"id": [f"c1:{account}:1" for account in BOTH], "seen": "2026-11-25T09:00", "day": "2026-12-01"}
        await page.evaluate("document.getElementById('calendar').removeAttribute('data-live-on')")  # an old page
        await (await room.as_("reviewer")).post("/calendar/move", form)
        await page.drag_and_drop("text=供暖服务电话一览", '[data-day="2026-11-26"]')
        await expect(toast(page, "《供暖服务电话一览》刚才已被改到 12 月 1 日 09:00")).to_be_visible()
        await expect(page.locator('[data-day="2026-12-01"]')).to_contain_text("供暖服务电话一览")
        assert await times(room) == {moment(1, 9, month=12)}


async def test_in_the_week_a_post_is_dragged_to_a_day_and_keeps_its_hour(browser: Browser) -> None:
    async with opened(browser) as (room, page):
        await page.get_by_role("link", name="周", exact=True).click()
        await page.drag_and_drop("text=供暖服务电话一览", '[data-day="2026-11-28"]', target_position={"x": 40, "y": 20})
        await expect(toast(page, "已改到 11 月 28 日 09:00（星期六）")).to_be_visible()
        assert await times(room) == {moment(28, 9)} and "view=week" in page.url


async def test_a_chosen_filter_takes_effect_at_once_and_without_script_by_its_button(browser: Browser) -> None:
    async with opened(browser) as (_, page):
        await page.select_option("#f-channel", "site")
        await expect(page.locator(".calendar")).not_to_contain_text("低温天气提示")
        await expect(page.locator("[data-calendar-go]")).to_be_hidden()
    async with opened(browser, java_script_enabled=False) as (_, page):
        await page.select_option("#f-channel", "site")
        await page.get_by_role("button", name="筛选").click()
        assert "channel=site" in page.url and "低温天气提示" not in await page.inner_text(".calendar")
        assert not await page.is_visible(".calendar-hint")


async def test_the_calendar_is_accessible_inside_its_window_and_quiet(browser: Browser) -> None:
    async with open_room() as room, tidied(browser):
        await fill(room)
        cookies = dict((await room.as_("editor")).client.cookies)
        assert await quarrels(browser, room.base, cookies, [f"/calendar{view}" for view in VIEWS]) == []
