"""Every page of the desk and the site in a real Chromium: accessible, inside its width, quiet, by keyboard alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from hub.pages import table
from hub.pages.routes import Route
from hub.site import serving
from tests.browser.clerk import Clerk
from tests.browser.household import ARTEFACTS, Household
from tests.browser.people import COLOURS, at_desk, axe, overflow, quarrels, until, who_may

pytestmark = pytest.mark.browser

PICTURES = ARTEFACTS / "pages"
WANTED = "PICTURES" in os.environ  # of every page, for people to look at, not only of one that is wrong
WIDTHS = (1440, 390)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# a list of the desk -> the first page behind it that has no address of its own
BEHIND: Mapping[str, str] = {
    "/contents": "main a[href^='/contents/']:not([href='/contents/new'])",
    "/reviews": "main a[href^='/reviews/']",
    "/issues": "main a[href^='/issues/']",
    "/replies": "main a[href^='/replies/']",
    "/copies": "main a[href^='/copies/']",
    "/cases": "main a[href^='/cases/']",
    "/canned": "main a[href^='/canned/']:not([href='/canned/new'])",
    "/watchwords": "main a[href^='/watchwords/']:not([href='/watchwords/new'])",
}
MORE_SITE = ("/search?q=通知", "/letters/new", "/no-such-page", "/mistakes/new?page=/")


def pages_of(routes: Any) -> list[Route]:
    return [route for route in routes if route.method == "GET" and route.form == "page" and "<" not in route.path]


DESK = pages_of(table.ROUTES)
SITE = [route.path for route in pages_of(serving.ROUTES)]


def by_person() -> dict[str, list[str]]:
    """Every page of the desk under a person who may see it; the empty name is nobody."""
    found: dict[str, list[str]] = {}
    for route in DESK:
        login = "" if route.right == "open" else who_may(route.right or "notice.read")
        found.setdefault(login, []).append(route.path)
    return found


def looked_at(page: Page, name: str, path: str) -> list[str]:
    """What is wrong with the page that is open, wide and narrow, light and dark; then, or where wanted, its picture.

    No layout of ours is made by script: a window made narrower shows what a narrow one would have.
    """
    wrong: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = overflow(page)
        wrong += [f"{path} at {width}: {wide} px too wide"] if wide > 0 else []
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            here = axe(page, COLOURS if theme == "dark" else ())  # dark differs from light in its colours alone
            wrong += here
            if here or wide > 0 or WANTED:
                picture(page, f"{name}-{width}-{theme}")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.emulate_media(color_scheme="light")
    return wrong


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)


def file_name(path: str) -> str:
    return path.strip("/").replace("/", "-").replace("?", "-") or "home"


def desk_pages(page: Page, base: str, paths: list[str]) -> Iterator[str]:
    """Opens each, and the first page behind each list; gives a word for it."""
    for path in paths:
        answer = page.goto(f"{base}{path}")
        assert answer is not None, path
        yield path if answer.status == 200 else f"{path} answered {answer.status}"
        link = BEHIND.get(path)
        if link:
            first = page.locator(link).first
            assert first.count(), f"{path} has no row to open"
            page.goto(f"{base}{first.get_attribute('href')}")
            yield f"{path}/one"


@pytest.fixture(scope="module", autouse=True)
def lived_in(house: Household) -> None:
    """The city has spoken: there are posts, letters, comments and an issue to look at."""
    until(lambda: house.posts(), 60, "the demonstration's first posts")
    monitor = Clerk(house, "monitor")
    monitor.sign_in()
    if not has_issue(monitor):  # the walk, which comes first, leaves one
        monitor.send("/demo/incident")
        until(lambda: has_issue(monitor), 150, "the incident's issue")
    until(lambda: 'href="/copies/' in monitor.get("/copies").text, 150, "words that somebody copied")


def has_issue(monitor: Clerk) -> bool:
    return 'href="/issues/' in monitor.get("/issues").text


@pytest.mark.timeout(400)  # dozens of pages, each looked at as a whole, beside another household
def test_every_page_of_the_desk_is_accessible_in_its_widths_and_quiet_under_its_policy(
    browser: Browser, house: Household
) -> None:
    wrong: list[str] = []
    for login, paths in by_person().items():
        if not login:
            continue
        with at_desk(browser, house, login) as page:
            wrong_here = quarrels(page)
            for name in desk_pages(page, house.desk_url, paths):
                wrong += [name] if " answered " in name else []
                wrong += looked_at(page, f"desk-{file_name(name)}", name)
            wrong += wrong_here
    assert wrong == []


@pytest.mark.timeout(240)
def test_every_page_before_sign_in_and_of_the_site_is_accessible_in_its_widths_and_quiet_under_its_policy(
    browser: Browser, house: Household
) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    said = quarrels(page)
    wrong: list[str] = []
    for path in by_person().get("", []):
        page.goto(f"{house.desk_url}{path}")
        wrong += looked_at(page, f"open-{file_name(path)}", path)
    article = first_article(page, house)
    for path in [*SITE, *MORE_SITE, article]:
        page.goto(f"{house.site_url}{path}")
        wrong += looked_at(page, f"site-{file_name('article' if path == article else path)}", path)
    context.close()
    # a browser itself reports each address that is not there
    assert wrong + [line for line in said if "404" not in line] == []


def first_article(page: Page, house: Household) -> str:
    page.goto(f"{house.site_url}/articles")
    return str(page.locator("main a[href^='/articles/']").first.get_attribute("href"))


def test_the_site_is_whole_without_script(browser: Browser, house: Household) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    article = first_article(page, house)
    for path in [*SITE, article]:
        answer = page.goto(f"{house.site_url}{path}")
        assert answer is not None and answer.status == 200, path
        assert page.locator("main h1").count() == 1, path
        assert page.locator("noscript").count() == 0, path
        if WANTED:
            picture(page, f"plain-{file_name(path[:20])}-390")
    context.close()


# ---- by keyboard alone


def tabbed_to(page: Page, selector: str, most: int = 120) -> bool:
    """Whether the tab key reaches this, with the place of the keyboard visible at every step."""
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """wanted => {
              const at = document.activeElement, look = getComputedStyle(at), place = at.getBoundingClientRect();
              return {found: at.matches(wanted), seen: look.outlineStyle !== 'none' || look.boxShadow !== 'none',
                      inside: place.width > 0 && place.height > 0, body: at === document.body, html: at.outerHTML};
            }""",
            selector,
        )
        if here["body"]:
            continue
        assert here["seen"], f"no focus to be seen on {here['html'][:200]}"
        if here["found"]:
            return True
    return False


MAIN_ACTS = (
    ("editor", "/contents/new", "#f-title"),
    ("editor", "/contents/new", "[data-save], button[type=submit]"),
    ("editor", "/contents", "a[href='/contents/new']"),
    ("reviewer1", "/reviews", "main a[href^='/reviews/']"),
    ("monitor", "/board", "form[action='/demo/incident'] button"),
    ("monitor", "/hold-all", "form[action='/hold-all'] button"),
    ("monitor", "/replies", "main a[href^='/replies/']"),
)


@pytest.mark.parametrize("login,path,act", MAIN_ACTS)
def test_the_main_acts_are_reached_by_the_tab_key(
    browser: Browser, house: Household, login: str, path: str, act: str
) -> None:
    with at_desk(browser, house, login) as page:
        page.goto(f"{house.desk_url}{path}")
        assert tabbed_to(page, act), f"{act} of {path} is not in the tab order"


def test_one_signs_in_by_keyboard_alone(browser: Browser, house: Household) -> None:
    from_keyboard = browser.new_page()
    from_keyboard.goto(f"{house.desk_url}/login")
    assert tabbed_to(from_keyboard, "#f-login")
    from_keyboard.keyboard.type("monitor")
    from_keyboard.keyboard.press("Tab")
    from_keyboard.keyboard.type("wrong words here")
    from_keyboard.keyboard.press("Enter")
    from_keyboard.wait_for_url("**/login?**problem=**")
    assert from_keyboard.locator("[role=alert]").count() >= 1
    from_keyboard.close()
