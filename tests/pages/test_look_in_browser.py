"""The sample pages in a real Chromium: accessible, inside their width, quiet under the policy, usable by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.rendering import Look
from tests.browser.people import COLOURS, axe, overflow
from tests.pages import style

pytestmark = pytest.mark.browser

NAMES = ("home", "publications", "board", "issue", "review", "parts", "site_home", "site_form", "login", "error")
WIDTHS = (1440, 390)
LOOKS = {"light": Look("light"), "dark": Look("dark")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with style.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    yield page
    page.close()


def _open(page: Page, name: str, look: Look | None = None) -> None:
    style.serve(page, look)
    page.goto(f"{style.ADDRESS}/{name}")


@pytest.mark.parametrize("theme", LOOKS)
def test_axe_finds_nothing_serious_on_any_page(page: Page, theme: str) -> None:
    rules = COLOURS if theme == "dark" else ()  # dark differs from light in its colours alone
    found: list[str] = []
    style.serve(page, LOOKS[theme])
    for name in NAMES:
        page.goto(f"{style.ADDRESS}/{name}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{name} at {width}: {each}" for each in axe(page, rules)]
    assert found == []


@pytest.mark.parametrize("elder", [False, True], ids=["usual", "large"])
def test_no_page_is_wider_than_its_window(page: Page, elder: bool) -> None:
    style.serve(page, Look(elder=elder))
    wide = {}
    for name in NAMES:
        page.goto(f"{style.ADDRESS}/{name}")
        for width in (1440, 1000, 600, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            wide[name, width] = overflow(page)
    assert {where: over for where, over in wide.items() if over > 0} == {}


def test_no_page_breaks_the_policy_or_throws(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    style.serve(page)
    for name in NAMES:
        page.goto(f"{style.ADDRESS}/{name}")
    assert said == []


def test_the_policy_of_the_test_really_blocks(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    _open(page, "home")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert any("Content Security Policy" in words for words in said)


def test_the_theme_is_chosen_at_once_and_kept(page: Page) -> None:
    _open(page, "home")
    page.locator(".person summary").click()
    page.get_by_role("button", name="深色").click()
    assert page.evaluate("getComputedStyle(document.body.querySelector('.stage')).backgroundColor") == "rgb(21, 27, 36)"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_large_type_is_a_quarter_larger_and_kept(page: Page) -> None:
    _open(page, "site_home")
    before = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    page.get_by_role("button", name="大字版").click()
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == before * 1.25
    page.reload()
    assert page.evaluate("document.documentElement.hasAttribute('data-elder')") is True


def test_the_first_tab_leads_to_the_skip_link_and_on_to_the_work(page: Page) -> None:
    _open(page, "publications")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "work"


def test_every_control_shows_where_the_keyboard_is(page: Page) -> None:
    _open(page, "publications")
    for _ in range(25):
        page.keyboard.press("Tab")
        shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
        assert shown, page.evaluate("document.activeElement.outerHTML")


def test_j_and_k_walk_the_rows_but_not_while_one_types(page: Page) -> None:
    _open(page, "publications")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator("[data-row][data-at]").inner_text().startswith("09:00")
    page.keyboard.press("k")
    assert page.locator("[data-row][data-at]").inner_text().startswith("08:40")
    page.locator("#search").focus()
    page.keyboard.type("jk")
    assert page.locator("#search").input_value() == "jk"


def test_the_palette_opens_from_inside_a_field_and_goes_where_one_says(page: Page) -> None:
    _open(page, "home")
    page.locator("#search").focus()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("日历")
    expect(page.locator("#palette [role=option]:visible")).to_have_count(1)
    with page.expect_request(f"{style.ADDRESS}/calendar"):
        page.keyboard.press("Enter")


def test_the_question_mark_shows_the_keys_and_escape_closes_them(page: Page) -> None:
    _open(page, "home")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_counter_follows_the_field_and_counts_half_width_signs_as_half(page: Page) -> None:
    _open(page, "parts")
    page.locator("#f-words").fill("停水ab")
    counter = page.locator("output[for=f-words]")
    expect(counter.locator("[data-counter-used]")).to_have_text("3")
    expect(counter).to_have_attribute("data-state", "enough")
    page.locator("#f-words").fill("水" * 141)
    expect(counter).to_contain_text("超 1 字")


def test_a_toast_waits_while_the_pointer_is_on_it(page: Page) -> None:
    page.clock.install()
    _open(page, "publications")
    toast = page.locator(".toast")
    toast.hover()
    page.clock.run_for(20_000)
    expect(toast).to_be_visible()
    page.mouse.move(0, 0)
    page.clock.run_for(9_000)
    expect(toast).to_have_count(0)


def test_an_error_never_goes_away_by_itself(page: Page) -> None:
    page.clock.install()
    _open(page, "home")
    page.evaluate("hub.toast('没有存上，请再试一次。', {error: true})")
    page.clock.run_for(600_000)
    expect(page.locator(".toast")).to_be_visible()
    page.get_by_role("button", name="关闭").click()
    expect(page.locator(".toast")).to_have_count(0)


def _live_board(page: Page, events: str, streams: int = 1) -> list[str]:
    """The board under a clock that stands, its first `streams` streams giving these events and ending, the next never
    answering; back when the first has ended. Gives the list of the fetches it makes, filled as they come."""
    page.clock.install(time=0)
    style.serve(page)
    asked: list[str] = []
    opened: list[str] = []
    board = style.pages()["board"]

    def answer(route: Any, request: Any) -> None:
        if request.headers.get("x-part") == "board":
            asked.append(request.headers["x-part"])
            route.fulfill(body=board.replace("每分钟 4 条", f"每分钟 {40 + len(asked)} 条"), content_type="text/html")
        else:
            route.fallback()

    def stream(route: Any) -> None:
        opened.append("stream")
        if len(opened) <= streams:
            route.fulfill(body=events, content_type="text/event-stream")

    page.route(f"{style.ADDRESS}/board", answer)
    page.route(f"{style.ADDRESS}/events", stream)
    page.clock.pause_at(1_000)
    page.goto(f"{style.ADDRESS}/board")
    expect(page.locator("[data-live-words]")).to_contain_text("连接断开")
    return asked


def _let_pass(page: Page, milliseconds: int) -> None:
    """Time passes on the page; back when every fetch begun by then has been seen."""
    page.clock.run_for(milliseconds)
    page.evaluate("fetch('/calendar').then((answer) => answer.text())")


def test_an_event_renews_the_part_that_asked_for_it(page: Page) -> None:
    asked = _live_board(page, "event: reply\ndata: {}\n\nevent: reply\ndata: {}\n\n")
    _let_pass(page, 2500)
    expect(page.locator("#board")).to_contain_text("每分钟 41 条")
    assert asked == ["board"]


def test_a_renewed_part_keeps_the_keyboard_and_what_was_open(page: Page) -> None:
    _live_board(page, "event: reply\ndata: {}\n\n")
    page.locator(".figures-table summary").first.click()
    page.locator("a[href='/issues']").focus()
    _let_pass(page, 2500)
    expect(page.locator("#board")).to_contain_text("每分钟 41 条")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/issues"
    assert page.locator(".figures-table").first.get_attribute("open") is not None


def test_nothing_is_renewed_under_somebody_who_writes(page: Page) -> None:
    asked = _live_board(page, "event: reply\ndata: {}\n\n")
    page.evaluate("document.querySelector('#board').append(document.createElement('textarea'))")
    page.locator("#board textarea").fill("写到一半")
    _let_pass(page, 4000)
    assert asked == []
    assert page.locator("#board textarea").input_value() == "写到一半"
    page.locator("#board textarea").blur()
    _let_pass(page, 4000)
    assert asked == ["board"]


def test_an_event_of_another_name_renews_nothing(page: Page) -> None:
    asked = _live_board(page, "event: weather\ndata: {}\n\n")
    _let_pass(page, 60_000)
    assert asked == []


def test_a_stream_that_comes_back_renews_what_was_missed(page: Page) -> None:
    asked = _live_board(page, "event: weather\ndata: {}\n\n", streams=2)
    for _ in range(40):
        if not asked:
            _let_pass(page, 500)  # the stream itself comes back in its own time
    assert asked == ["board"]


def test_a_paused_page_keeps_what_it_shows_and_says_so(page: Page) -> None:
    asked = _live_board(page, "event: reply\ndata: {}\n\n", streams=2)
    page.get_by_role("button", name="暂停").click()
    expect(page.locator("[data-live-words]")).to_contain_text("已暂停")
    _let_pass(page, 60_000)
    assert asked == []
    page.get_by_role("button", name="继续").click()
    expect(page.locator("[data-live-words]")).to_contain_text("连接断开")
    _let_pass(page, 1600)
    expect(page.locator("#board")).to_contain_text("每分钟 41 条")


def test_a_lost_stream_is_said_in_words(page: Page) -> None:
    style.serve(page)
    page.route(f"{style.ADDRESS}/events", lambda route: route.abort())
    page.goto(f"{style.ADDRESS}/board")
    expect(page.locator("[data-live-words]")).to_contain_text("连接断开")


def test_without_script_the_pages_stand_and_their_forms_are_plain(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    _open(page, "site_form")
    expect(page.locator("#f-place")).to_be_visible()
    _open(page, "home")
    page.locator(".bar-menu").click()
    expect(page.get_by_role("link", name="日历", exact=True)).to_be_visible()
    context.close()


def test_on_a_phone_every_cell_of_a_table_says_what_it_is(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    _open(page, "publications")
    assert page.locator(".table thead").is_hidden()
    label = page.evaluate("getComputedStyle(document.querySelector('.table td:nth-child(3)'), '::before').content")
    page.close()
    assert label == '"微博"'


def test_what_citizens_touch_is_at_least_forty_four_high(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    _open(page, "site_form")
    low = page.evaluate(
        """() => [...document.querySelectorAll('main .button, main .input, .option')]
          .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""
    )
    page.close()
    assert low == []


def test_names_twice_as_long_are_never_cut(page: Page) -> None:
    _open(page, "home")
    cut = page.evaluate(
        """() => {
          for (const e of document.querySelectorAll('.row-title, .row-detail, .chip, .button span, h1, h2'))
            if (!e.children.length) e.textContent += e.textContent;
          return [...document.querySelectorAll('.row-title, .row-detail, .chip, .button, h1, h2')]
            .filter(e => e.scrollWidth > e.clientWidth + 1 && e.offsetParent !== null)
            .filter(e => getComputedStyle(e).display !== 'inline')
            .map(e => e.outerHTML.slice(0, 80));
        }"""
    )
    assert cut == []
    assert overflow(page) == 0


def test_printed_there_is_only_the_work(page: Page) -> None:
    _open(page, "review")
    page.emulate_media(media="print")
    for gone in (".rail", ".bar", ".button"):
        assert page.locator(gone).first.is_hidden()
    assert page.locator("h1").is_visible()
