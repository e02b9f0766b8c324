"""The real public site in a real Chromium: accessible, inside its width, quiet, usable by keyboard without script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser

from tests.pages.chromium import MARKS, overflow, quarrels, tidied
from tests.pages.site_office import PIXEL_NAME, Office, article, column, opened_site, paragraph, picture

pytestmark = MARKS

MISSING = ("/articles/gone", "/nothing")
PATHS = (
    "/", "/columns/yw", "/articles/a1", "/articles/gone", "/search?q=供暖", "/sitemap", "/accessibility", "/privacy",
    "/letters", "/letters/new", "/letters/sent", "/mistakes/new", "/nothing",
)  # fmt: skip
LONG = "关于进一步做好全市冬季供暖保障和老旧小区供热管网改造有关工作情况的通报" * 2


@asynccontextmanager
async def visited(browser: Browser) -> AsyncIterator[Office]:
    async with opened_site() as office, tidied(browser):
        await office.put("column", "yw", column())
        await office.put("file", PIXEL_NAME, picture())
        await office.put("article", "a2", article(LONG, source=LONG[:60]))
        blocks = [
            paragraph("清源路一带部分住户自来水发黄。"),
            {"kind": "table", "caption": "送水点", "rows": [[{"runs": [{"text": "地点"}], "head": True}] * 6] * 2},
            {"kind": "img", "media": PIXEL_NAME, "alt": "送水车"},
            paragraph("说明", link="https://water.example.org/a"),
        ]
        body = article(blocks=blocks, notice={"text": "放水五分钟再用。"})
        await office.put("article", "a1", body)
        await office.put("article", "a1", body, 2, correction={"note": "更正了时间"})
        await office.put("article", "gone", article())
        await office.ask("DELETE", "/items/article/gone?version=1&note=x&key=d")
        yield office


async def test_no_page_is_inaccessible_wider_than_its_window_or_loud(browser: Browser) -> None:
    async with visited(browser) as office:
        assert await quarrels(browser, f"http://127.0.0.1:{office.port}", {}, PATHS, missing=MISSING) == []


async def test_a_letter_goes_out_by_keyboard_alone_without_script(browser: Browser) -> None:
    async with visited(browser) as office:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{office.port}/letters/new")
        await page.focus("#f-title")
        for words in ("路灯不亮", "坏了三天。", "北苑路口", ""):
            await page.keyboard.type(words)
            await page.keyboard.press("Tab")
        await page.focus("#f-agreed")
        await page.keyboard.press("Space")
        assert await page.is_checked("#f-agreed")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/letters/sent")
        assert len((await office.ask("GET", "/inbox")).json["rows"]) == 1


async def test_large_type_and_dark_are_kept_without_script(browser: Browser) -> None:
    async with visited(browser) as office:
        context = await browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{office.port}/articles/a1")
        await page.click("button[name=elder]")
        assert page.url.endswith("/articles/a1")
        assert await page.locator("html[data-elder]").count() == 1


async def test_large_type_fits_a_phone_on_every_page(browser: Browser) -> None:
    wide = []
    async with visited(browser) as office:
        context = await browser.new_context(viewport={"width": 390, "height": 800})
        await context.add_cookies([{"name": "look-elder", "value": "on", "url": f"http://127.0.0.1:{office.port}"}])
        page = await context.new_page()
        for path in PATHS:
            await page.goto(f"http://127.0.0.1:{office.port}{path}")
            assert await page.locator("html[data-elder]").count() == 1
            wide += [path] if await overflow(page) > 0 else []
    assert wide == []
