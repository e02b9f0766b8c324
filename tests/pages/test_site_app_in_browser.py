"""The app in a real Chromium: installable, read offline after one visit, accessible, quiet, usable by keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.pages.app_office import fill
from tests.pages.chromium import MARKS, quarrels, tidied
from tests.pages.site_office import Office, article, opened_site

pytestmark = MARKS

PATHS = (
    "/app/", "/app/?district=临江区", "/app/cards", "/app/cards/c5", "/app/cards/c1", "/app/cards/c3", "/app/services",
    "/app/say", "/app/mine", "/app/offline",
)  # fmt: skip


@asynccontextmanager
async def visited(browser: Browser) -> AsyncIterator[Office]:
    async with opened_site() as office, tidied(browser):
        await fill(office)
        yield office


def at(office: Office, path: str) -> str:
    return f"http://127.0.0.1:{office.port}{path}"


async def phone(browser: Browser, **more: Any) -> tuple[BrowserContext, Page]:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, **more)
    return context, await context.new_page()


async def installed(page: Page) -> None:
    """Until the worker has taken over and kept what it keeps first."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.wait_for_function("!!navigator.serviceWorker.controller")


async def kept(page: Page) -> dict[str, list[str]]:
    """Every cache's addresses."""
    return dict(await page.evaluate(
        "(async () => { const found = {}; for (const name of await caches.keys()) found[name] = "
        "(await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname); return found; })()"
    ))  # fmt: skip


async def test_no_page_of_the_app_is_inaccessible_too_wide_or_loud(browser: Browser) -> None:
    async with visited(browser) as office:
        assert await quarrels(browser, at(office, ""), {}, PATHS) == []


async def test_no_page_of_the_app_breaks_the_policy_or_throws(browser: Browser) -> None:
    said: list[str] = []
    async with visited(browser) as office:
        _, page = await phone(browser)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
        for path in PATHS:
            await page.goto(at(office, path))
        await installed(page)
    assert said == []


async def test_what_a_finger_must_hit_is_48_pixels_high_also_in_large_type(browser: Browser) -> None:
    small = []
    async with visited(browser) as office:
        context, page = await phone(browser)
        for elder in (False, True):
            if elder:
                await context.add_cookies([{"name": "look-elder", "value": "on", "url": at(office, "/")}])
            for path in PATHS:
                await page.goto(at(office, path))
                over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                small += [f"{path}: {over} px too wide"] if over > 0 else []
                small += await page.evaluate(
                    "[...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]"
                    ".filter((one) => one.offsetParent && !one.matches('.skip, p a, .prose a, input[type=checkbox]'))"
                    ".filter((one) => one.getBoundingClientRect().height < 47.5)"
                    ".map((one) => location.pathname + ' ' + one.outerHTML.slice(0, 90))"
                )
    assert small == []


async def test_a_browser_finds_the_app_installable(browser: Browser) -> None:
    async with visited(browser) as office:
        context, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        tool = await context.new_cdp_session(page)
        found = await tool.send("Page.getAppManifest")
        assert found["errors"] == []
        assert found["url"] == at(office, "/app/manifest.webmanifest")
        problems = await tool.send("Page.getInstallabilityErrors")
        # a fresh context is a private window, in which no app can be installed; nothing else may stand in the way
        assert [each["errorId"] for each in problems["installabilityErrors"]] in ([], ["in-incognito"])


async def test_after_one_visit_the_app_is_read_without_a_network(browser: Browser) -> None:
    async with visited(browser) as office:
        context, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        await page.goto(at(office, "/app/cards/c5"))
        await expect(page.locator("img").last).to_be_visible()
        await context.set_offline(True)
        await page.goto(at(office, "/app/cards/c5"))
        await expect(page.locator(".prose")).to_contain_text("正在冲洗管道")
        await expect(page.locator("[data-offline]")).to_be_visible()
        assert await page.evaluate("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
        for path, words in (("/app/", "要闻"), ("/app/services", "办社保卡"), ("/app/mine", "我的诉求"),
                            ("/app/say", "有什么事要说")):  # fmt: skip
            await page.goto(at(office, path))
            await expect(page.locator("main")).to_contain_text(words)
            await expect(page.locator("[data-offline]")).to_contain_text("现在没有网络，显示 12:06 的内容。")
            colour = await page.evaluate("getComputedStyle(document.querySelector('.app-tabs')).position")
            assert colour == "fixed"
        await page.goto(at(office, "/app/cards/c1"))
        await expect(page.locator("h1")).to_have_text("这一页还没有在这部手机上打开过")
        await context.set_offline(False)
        await page.goto(at(office, "/app/"))
        await expect(page.locator("[data-offline]")).to_be_hidden()


async def test_the_card_by_which_one_came_is_kept_although_there_was_no_worker_yet(browser: Browser) -> None:
    async with visited(browser) as office:
        context, page = await phone(browser)
        await page.goto(at(office, "/app/cards/c5"))
        await installed(page)
        for _ in range(100):
            if "/app/cards/c5" in (await kept(page)).get("app-read", []):
                break
            await asyncio.sleep(0.05)
        await context.set_offline(True)
        await page.goto(at(office, "/app/cards/c5"))
        await expect(page.locator(".prose")).to_contain_text("正在冲洗管道")


async def test_what_was_taken_back_is_gone_from_the_phone_once_it_has_a_network(browser: Browser) -> None:
    async with visited(browser) as office:
        context, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        await page.goto(at(office, "/app/cards/c5"))
        await office.ask("DELETE", "/items/card/c5?version=1&note=x&key=d")
        await page.goto(at(office, "/app/cards/c5"))
        await expect(page.locator("h1")).to_have_text("这一条已撤下")
        await context.set_offline(True)
        await page.goto(at(office, "/app/cards/c5"))
        await expect(page.locator("h1")).to_have_text("这一页还没有在这部手机上打开过")


async def test_a_newer_text_is_shown_and_kept_at_the_next_reading(browser: Browser) -> None:
    async with visited(browser) as office:
        context, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        await page.goto(at(office, "/app/cards/c5"))
        await office.put("article", "a1", article("清源路通报", "供水已恢复。"), 2)
        office.clock.move(60)
        await page.goto(at(office, "/app/mine"))
        await page.goto(at(office, "/app/cards/c5"))
        await page.reload()
        await expect(page.locator(".prose")).to_contain_text("供水已恢复")
        await context.set_offline(True)
        await page.reload()
        await expect(page.locator(".prose")).to_contain_text("供水已恢复")


WORDS = ("松苑街路灯不亮", "坏了三天，晚上看不见路。", "松苑街口", "李女士", "13900001111")


async def write(page: Page) -> None:
    for name, words in zip(("title", "text", "place", "author", "contact"), WORDS, strict=True):
        await page.fill(f"#f-{name}", words)
    await page.check("#f-agreed")


async def test_a_demand_is_kept_on_the_phone_and_nothing_of_it_in_any_cache(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        await page.goto(at(office, "/app/say"))
        await write(page)
        await page.click("form[data-say] button[data-kind=main]")
        await expect(page.locator("main")).to_contain_text("已送达")
        assert len((await office.ask("GET", "/inbox")).json["rows"]) == 1
        await page.goto(at(office, "/app/"))
        await expect(page.locator("[data-demand]")).to_contain_text("松苑街路灯不亮")
        await page.goto(at(office, "/app/mine"))
        await expect(page.locator("ul[data-demands]")).to_contain_text("2026-11-24 送出")
        texts = await page.evaluate(
            """async () => {
              const found = [];
              for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const one of await cache.keys()) found.push(await (await cache.match(one)).text());
              }
              return found.join(" ");
            }"""
        )
        assert "要闻" in texts
        assert [words for words in WORDS if words in texts] == []
        memory = await page.evaluate("JSON.stringify(localStorage)")
        assert "松苑街路灯不亮" in memory
        assert [words for words in WORDS[1:] if words in memory] == []
        await page.click("[data-remove]")
        await expect(page.locator("[data-demands-empty]")).to_have_text("这部手机上还没有送出过诉求。")
        assert "松苑街路灯不亮" not in await page.evaluate("JSON.stringify(localStorage)")


async def test_what_is_written_without_a_network_waits_on_the_phone_and_goes_out_later(browser: Browser) -> None:
    async with visited(browser) as office:
        context, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        await context.set_offline(True)
        await page.goto(at(office, "/app/say"))
        await write(page)
        await page.click("form[data-say] button[data-kind=main]")
        await expect(page.locator("[data-unsent]")).to_be_visible()
        assert "/app/say" in page.url
        await context.set_offline(False)
        await page.goto(at(office, "/app/say"))
        await expect(page.locator("[data-kept]")).to_be_visible()
        assert await page.input_value("#f-text") == WORDS[1]
        assert await page.input_value("#f-contact") == ""
        await page.check("#f-agreed")
        await page.click("form[data-say] button[data-kind=main]")
        await expect(page.locator("main")).to_contain_text("已送达")
        await page.goto(at(office, "/app/say"))
        assert await page.input_value("#f-text") == ""
        assert len((await office.ask("GET", "/inbox")).json["rows"]) == 1


async def test_the_notice_of_my_district_stands_first_and_others_are_away(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser)
        await page.goto(at(office, "/app/mine"))
        await page.select_option("#f-district", "北岭区")
        await page.click("[data-district] button")
        await page.wait_for_url("**/app/")
        shown = page.locator("[data-notices] li:visible")
        await expect(shown).to_have_count(1)
        await expect(shown).to_contain_text("您在的北岭区今晚停水检修")
        await expect(page.locator("[data-place]")).to_have_text("北岭区")
        await page.goto(at(office, "/app/mine"))
        await page.select_option("#f-district", "石桥县")
        await page.click("[data-district] button")
        await page.wait_for_url("**/app/")
        await expect(page.locator("[data-notices]")).to_be_hidden()
        await page.goto(at(office, "/app/mine"))
        await expect(page.locator("[data-messages-empty]")).to_be_visible()


async def test_a_query_code_is_kept_as_it_is_read_and_a_short_one_is_not(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser)
        await page.goto(at(office, "/app/mine"))
        await page.fill("#f-code", "7k4m 29qx")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-add-said]")).to_contain_text("13 个字母和数字")
        await page.fill("#f-code", "7k4m 29qx 11abc")
        await page.keyboard.press("Enter")
        await expect(page.locator("ul[data-demands]")).to_contain_text("7K4M-29QX-11AB-C")


async def test_odd_words_in_the_phones_memory_stop_nothing(browser: Browser) -> None:
    async with visited(browser) as office:
        wrong: list[str] = []
        _, page = await phone(browser)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(at(office, "/app/mine"))
        for words in ("not json", "7", '[null, 5, {"title": 3}]', '[{"title": "<b>x</b>", "at": "never"}]'):
            await page.evaluate("(words) => { for (const name of ['demands', 'draft', 'district'])"
                                " localStorage.setItem('app-' + name, words); }", words)  # fmt: skip
            for path in ("/app/", "/app/say", "/app/mine"):
                await page.goto(at(office, path))
        await expect(page.locator("ul[data-demands]")).to_contain_text("<b>x</b>")
        assert wrong == []


async def test_a_new_version_takes_over_and_the_old_files_go(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        before = await kept(page)
        await page.evaluate(
            "navigator.serviceWorker.register('/app/worker.js?v=another', {scope: '/app/'}).then(() => new Promise("
            "(done) => navigator.serviceWorker.addEventListener('controllerchange', done)))"
        )
        for _ in range(100):
            after = await kept(page)
            if len([name for name in after if name.startswith("app-shell-")]) == 1:
                break
            await asyncio.sleep(0.05)
        assert "app-shell-another" in after
        assert [name for name in before if name.startswith("app-shell-") and name in after] == []
        assert "/app/" in after["app-read"]


async def test_the_worker_leaves_the_rest_of_the_site_alone(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await installed(page)
        await page.goto(at(office, "/articles/a1"))
        assert not await page.evaluate("!!navigator.serviceWorker.controller")
        assert all(not path.startswith(("/articles", "/letters")) for paths in (await kept(page)).values()
                   for path in paths)  # fmt: skip


async def test_the_app_is_used_by_keyboard_alone(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser)
        await page.goto(at(office, "/app/"))
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "跳到正文"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "work"
        reached = set()
        for _ in range(60):
            await page.keyboard.press("Tab")
            shown = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
            reached.add(await page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.id"))
            assert shown, await page.evaluate("document.activeElement.outerHTML")
            if "/app/mine" in reached:
                break
        assert {"/app/", "/app/services", "/app/say", "/app/mine", "/app/cards/c5"} <= reached
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/app/mine")


async def test_the_app_works_as_plain_pages_without_script(browser: Browser) -> None:
    async with visited(browser) as office:
        _, page = await phone(browser, java_script_enabled=False)
        await page.goto(at(office, "/app/mine"))
        await expect(page.locator("[data-demands-empty]")).to_contain_text("只记在这部手机上")
        await page.select_option("#f-district", "临江区")
        await page.click("[data-district] button")
        await expect(page.locator("main")).to_contain_text("您在的临江区：自来水发黄")
        await page.goto(at(office, "/app/say"))
        await write(page)
        await page.click("form[data-say] button[data-kind=main]")
        await expect(page.locator("main")).to_contain_text("已送达")
        assert len((await office.ask("GET", "/inbox")).json["rows"]) == 1
