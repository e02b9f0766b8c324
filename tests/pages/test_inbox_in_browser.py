"""Writing an answer in a real Chromium: `/` and its list, an input method, quotations, a draft that saves itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, expect

from hub.desk import canned, extending, handling
from hub.domain.almanac import CALENDAR
from hub.domain.extension import choices
from tests.pages.chromium import MARKS, overflow, quarrels, tidied
from tests.pages.desk_room import Room, open_room
from tests.pages.test_pages_cases import in_hand, opened

pytestmark = MARKS

CALM = "您好。路灯今晚修好。"
LAMP = {"_id": "lamp", "name": "路灯报修", "aliases": ["路灯不亮"], "phone": "12319", "public": True}
KEPT = (
    ("受理说明", "{称呼}，您好。您反映的情况已收到，编号 {工单号}。"),
    ("请补充地点", "您好。请写明小区、楼栋，或最近的路口，我们马上派人。"),
    ("转办说明", "您好。有疑问请拨打 {电话}，由他们答复您。"),
)


async def furnished(room: Room) -> str:
    """Canned answers, a service entry, and a case in hand; its id."""
    for title, text in KEPT:
        await canned.save_canned(room.people["handler"], room.desk, title=title, text=text)
    await room.desk.store.insert("services", LAMP)
    return await in_hand(room)


@asynccontextmanager
async def writing(
    browser: Browser, *, script: bool = True, width: int = 1440
) -> AsyncIterator[tuple[Room, Page, str]]:
    """The handler's browser on a case in hand: (room, page, case)."""
    async with open_room() as room, tidied(browser):
        case = await furnished(room)
        visitor = await room.as_("handler")
        context = await browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
        own = visitor.client.cookies.items()
        cookies: Any = [{"name": name, "value": value, "url": room.base} for name, value in own]
        await context.add_cookies(cookies)
        page = await context.new_page()
        await page.goto(f"{room.base}/cases/{case}")
        yield room, page, case


async def test_a_stroke_opens_the_canned_answers_which_are_filtered_chosen_and_put_in_by_keys_alone(
    browser: Browser,
) -> None:
    async with writing(browser) as (_, page, _case):
        field, options = page.locator("#f-text"), page.locator("#canned-list [role=option]")
        await field.focus()
        await page.keyboard.type("/")
        await expect(options).to_have_count(3)
        box = await options.first.bounding_box()
        assert box is not None
        at = [box["x"] + 20, box["y"] + 8]  # nothing lies over the list or cuts it off
        assert await page.evaluate("([x, y]) => !!document.elementFromPoint(x, y)?.closest('#canned-list')", at)
        await expect(page.locator("[data-canned-open]")).to_contain_text("3 条常用答复")
        await page.keyboard.press("ArrowDown")
        await expect(field).to_have_attribute("aria-activedescendant", "canned-1")
        await page.keyboard.type("转办")
        await expect(options).to_have_count(1)
        await page.keyboard.press("Enter")
        await expect(field).to_have_value("您好。有疑问请拨打 {电话}，由他们答复您。")
        assert await page.evaluate("getSelection().toString()") == "{电话}"  # what is written next takes its place
        await page.keyboard.type("12319")
        await expect(field).to_have_value("您好。有疑问请拨打 12319，由他们答复您。")


async def test_escape_closes_the_list_and_a_stroke_inside_words_or_numbers_opens_none(browser: Browser) -> None:
    async with writing(browser) as (_, page, _case):
        field, room = page.locator("#f-text"), page.locator("#canned-list")
        await field.focus()
        await page.keyboard.type("您好。/")
        await expect(room).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(room).to_be_hidden()
        for said in ("11/24", "和/或", "http://", "甲、乙"):
            await field.fill("")
            await page.keyboard.type(said)
            await expect(room).to_be_hidden()


async def test_while_an_input_method_composes_neither_its_enter_nor_its_stroke_is_taken(browser: Browser) -> None:
    async with writing(browser) as (_, page, _case):
        field, room = page.locator("#f-text"), page.locator("#canned-list")
        await field.focus()
        input_ = """(field, [value, composing]) => {
            field.value = value;
            field.setSelectionRange(value.length, value.length);
            field.dispatchEvent(new InputEvent("input", { bubbles: true, isComposing: composing }));
        }"""
        await field.dispatch_event("compositionstart")
        await field.evaluate(input_, ["/shou", True])
        await expect(room).to_be_hidden()
        await field.evaluate(input_, ["/受理", True])
        await field.dispatch_event("compositionend")
        await expect(room).to_be_visible()
        key = "{key: 'Enter', isComposing: true, bubbles: true}"
        await field.evaluate(f"field => field.dispatchEvent(new KeyboardEvent('keydown', {key}))")
        await expect(field).to_have_value("/受理")
        await page.keyboard.press("Enter")
        await expect(field).to_have_value("市民朋友，您好。您反映的情况已收到，编号 26-11-00001。")


async def test_a_quotation_and_a_chosen_answer_come_in_without_a_reload_and_the_draft_saves_itself(
    browser: Browser,
) -> None:
    async with writing(browser) as (room, page, case):
        await page.evaluate("window.same = true")
        await page.fill("#f-text", CALM)
        await page.click("[data-quote]")
        await page.select_option("#f-canned", label="请补充地点")
        await page.click("[name=insert]")
        said = f"{CALM}\n路灯报修。电话：12319。\n{KEPT[1][1]}"
        await expect(page.locator("#f-text")).to_have_value(said)
        await expect(page.locator("[data-saved]")).to_contain_text("已保存", timeout=15_000)
        assert await page.evaluate("window.same")
        assert ((await room.desk.store.get("answers", f"{case}:1")) or {})["text"] == said


async def test_without_script_the_same_is_done_by_a_choice_and_by_buttons(browser: Browser) -> None:
    async with writing(browser, script=False) as (_, page, _case):
        await page.fill("#f-text", CALM)
        await page.select_option("#f-canned", label="请补充地点")
        await page.click("[name=insert]")
        await page.click("button[name=quote]")
        assert await page.input_value("#f-text") == f"{CALM}\n{KEPT[1][1]}\n路灯报修。电话：12319。"
        assert not await page.is_visible("#f-notes")
        await page.click("label[for=say-note]")
        assert await page.is_visible("#f-notes") and not await page.is_visible("#f-text")


async def test_orders_notes_and_more_time_are_reached_by_keyboard_alone(browser: Browser) -> None:
    async with writing(browser) as (room, page, case):
        await page.focus(".case-list-head summary")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/cases?tab=hand&sort=came")
        await page.goto(f"{room.base}/cases/{case}")
        await page.focus("#say-answer")
        await page.keyboard.press("ArrowRight")
        assert await page.is_visible("#f-notes")
        await page.focus(".case-menu summary >> nth=0")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        assert not await page.is_visible("#f-until")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Tab")
        await page.keyboard.type("配件还没有到货。")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**done=case_extend")
        assert "罗平 申请延到" in await page.inner_text(".case-thread")


async def odd_ones(room: Room) -> list[str]:
    """The pages of canned answers, a case whose extension waits, one handed back, and the list in another order."""
    case = await furnished(room)
    row = await room.desk.store.get("cases", case) or {}
    until = choices(row, 15, CALENDAR)[0][1].date()
    await extending.extend_case(room.people["handler"], room.desk, case, until=until, reason="配件还没有到货。")
    back = await opened(room, "图书馆周一也开放" * 6, author="欧阳春华" * 3)
    await handling.accept_case(room.people["monitor"], room.desk, back)
    await handling.assign_case(room.people["monitor"], room.desk, back, department="市教育局和其他很长的单位名称" * 2)
    await extending.object_case(room.people["handler"], room.desk, back, "不归我们管，归文旅局管。" * 8)
    first = (await canned.list_canned(room.people["handler"], room.desk))[0]["_id"]
    return ["/canned", f"/canned/{first}", f"/cases/{case}", f"/cases/{back}", "/cases?tab=all&sort=people"]


async def test_the_new_pages_and_states_are_accessible_inside_their_window_and_quiet(browser: Browser) -> None:
    async with open_room() as room, tidied(browser):
        paths = await odd_ones(room)
        wrong = []
        for login, seen in (("handler", paths), ("monitor", paths[3:4]), ("reviewer", paths[2:3])):
            visitor = await room.as_(login)
            wrong += await quarrels(browser, room.base, dict(visitor.client.cookies), seen)
    assert wrong == []


async def test_on_a_phone_every_form_of_the_head_opens_inside_the_window(browser: Browser) -> None:
    async with writing(browser, width=390) as (_, page, _case):
        for number in range(await page.locator(".case-menu").count()):
            await page.click(f".case-menu >> nth={number}")
            over = await overflow(page)
            box = await page.locator(f".case-menu >> nth={number} >> .menu-body").bounding_box()
            assert over <= 0 and box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
            await page.keyboard.press("Escape")
