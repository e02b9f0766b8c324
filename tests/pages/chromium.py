"""One Chromium for the tests of this folder, and what browser, axe and a ruler say of a page; it tests nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.household import AXE
from tests.browser.people import COLOURS
from tests.pages.style import CHROMIUM, QUIET

WIDTHS = (1440, 390)
# the tests share the browser's event loop: a browser cannot be taken from one loop into another
MARKS = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """The machine's Chromium; for all tests of a process, each in windows (contexts) of its own."""
    async with async_playwright() as tool:
        browser = await tool.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def tidied(browser: Browser) -> AsyncIterator[Browser]:
    """The browser for one test, which leaves no window behind."""
    try:
        yield browser
    finally:
        for context in browser.contexts:
            await context.close()


async def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


async def axe(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds serious or critical, by these rules or all. It comes by the debugger, past the page's policy."""
    if not await page.evaluate("Boolean(window.axe)"):
        assert AXE.is_file(), "运行 python -m hub vendor --dev 取回 axe-core"
        await page.evaluate(AXE.read_text("utf-8"))
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    result: Any = await page.evaluate("given => axe.run(document, given)", {"resultTypes": ["violations"], **only})
    assert len(result["passes"]) > (0 if rules else 5)
    return [
        f"{each['id']} {each['nodes'][0]['target']} {each['nodes'][0].get('failureSummary', '')}"
        for each in result["violations"]
        if each["impact"] in ("serious", "critical")
    ]


async def quarrels(
    browser: Browser, base: str, cookies: Mapping[str, str], paths: Sequence[str], missing: Sequence[str] = ()
) -> list[str]:
    """What is wrong with these pages, wide and narrow, light and dark; `missing` are answered with 404 or 410.

    A browser itself reports each address that is not there; anything else it says is a fault, the policy's too.
    """
    context = await browser.new_context()
    await context.add_cookies([{"name": name, "value": value, "url": base} for name, value in cookies.items()])
    page = await context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("console", lambda line: said.append(f"{page.url}: {line.text}") if line.type == "error" else None)
    wrong: list[str] = []
    for path in paths:
        answer = await page.goto(f"{base}{path}")
        assert answer is not None and (answer.status in (404, 410) if path in missing else answer.status == 200), path
        wrong += [f"{path} at {each}" for width in WIDTHS for each in await _looked_at(page, width)]
    await context.close()
    return wrong + [line for line in said if not (missing and "status of 4" in line)]


async def _looked_at(page: Page, width: int) -> list[str]:
    """No layout of ours is made by script: a window made narrower shows what a narrow one would have."""
    await page.set_viewport_size({"width": width, "height": 900})
    await page.emulate_media(color_scheme="light")
    over = await overflow(page)
    wrong = [f"{width}: {over} px too wide"] if over > 0 else []
    wrong += [f"{width}: {each}" for each in await axe(page)]
    await page.emulate_media(color_scheme="dark")
    return wrong + [f"{width}, dark: {each}" for each in await axe(page, COLOURS)]
