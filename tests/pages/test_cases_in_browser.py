"""One case and one demand in a real Chromium, light and dark, wide and narrow: accessible, inside the window, quiet."""

from __future__ import annotations

from playwright.async_api import Browser

from tests.pages.chromium import MARKS, quarrels, tidied
from tests.pages.desk_room import Room, open_room
from tests.pages.site_office import opened_site
from tests.pages.test_pages_cases import failed, in_hand, opened
from tests.pages.test_site_demands import Citizen, answer, demand_of
from tests.pages.test_site_letters import PHONE

pytestmark = MARKS


async def cases_of(room: Room) -> list[str]:
    """A case that failed to arrive, one in hand, one new and confidential, each with its page."""
    first, _ = await failed(room)
    second = await opened(room, "松苑小区的暖气一点也不热已经十天了" * 4, author="欧阳春华" * 3)
    secret = await opened(room, "某科长收了好处", kind="report", author="李明")
    return ["/cases", f"/cases/{first}", f"/cases/{second}", f"/cases/{secret}"]


async def test_cases_are_accessible_inside_their_window_and_quiet(browser: Browser) -> None:
    async with open_room() as room, tidied(browser):
        paths = await cases_of(room)
        wrong = []
        for login, seen in (("monitor", paths), ("handler", paths[:3]), ("reviewer", paths[:3])):
            visitor = await room.as_(login)
            wrong += await quarrels(browser, room.base, dict(visitor.client.cookies), seen)
    assert wrong == []


async def test_a_demands_pages_are_accessible_inside_their_window_and_quiet(browser: Browser) -> None:
    async with opened_site() as office, tidied(browser):
        citizen = Citizen(office)
        code = await citizen.ask()
        await citizen.look(code, PHONE[-4:])
        await answer(office, await demand_of(office))
        base, own = f"http://127.0.0.1:{office.port}", {"demand": citizen.cookie, "demand-code": code}
        paths = ["/demands", "/demands/mine", "/letters/sent", "/letters", "/letters/new"]
        wrong = await quarrels(browser, base, own, paths)
    assert wrong == []


async def test_the_code_behind_the_sign_goes_into_the_field_and_out_of_the_bar(browser: Browser) -> None:
    async with opened_site() as office, tidied(browser):
        code = await Citizen(office).ask()
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{office.port}/demands#{code}")
        assert await page.input_value("#f-query_code") == code
        assert "#" not in page.url


async def test_a_demand_is_looked_up_rated_and_said_to_be_unsolved_by_keyboard_without_script(browser: Browser) -> None:
    async with opened_site() as office, tidied(browser):
        code = await Citizen(office).ask()
        await answer(office, await demand_of(office))
        page = await (await browser.new_context(java_script_enabled=False)).new_page()
        await page.goto(f"http://127.0.0.1:{office.port}/demands")
        await page.focus("#f-query_code")
        await page.keyboard.type(code)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PHONE[-4:])
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/demands/mine")
        await page.focus("#f-level")
        await page.keyboard.press("Space")
        await page.focus("text=提交评价")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/demands/mine?done=rated")
        assert "您的评价：非常满意" in await page.inner_text("main")
        await page.focus(".demand-say summary")
        await page.keyboard.press("Enter")
        await page.focus("#f-text")
        await page.keyboard.type("还有一盏不亮")
        await page.focus(".demand-say button")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/demands/mine?done=again")


async def test_in_hand_and_in_a_narrow_window_the_list_gives_way_to_the_case(browser: Browser) -> None:
    async with open_room() as room, tidied(browser):
        case = await in_hand(room)
        visitor = await room.as_("handler")
        context = await browser.new_context(viewport={"width": 390, "height": 800})
        cookies = [{"name": name, "value": value, "url": room.base} for name, value in visitor.client.cookies.items()]
        await context.add_cookies(cookies)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(f"{room.base}/cases/{case}")
        assert not await page.is_visible("#case-list") and await page.is_visible("#f-text")
        await page.click(".case-head .head-back")
        assert await page.is_visible("#case-list")
