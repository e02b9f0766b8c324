"""People at their browsers, for tests: signing in, forms as they stand on the page, what axe and the console say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from hub.domain.people import Actor, Role
from hub.domain.rights import may
from tests.browser.household import AXE, PASSWORD, ROOT, Household

USERS: list[dict[str, Any]] = json.loads((ROOT / "hub" / "demo" / "city.json").read_text("utf-8"))["users"]
LOGINS = tuple(str(user["login"]) for user in USERS)


def actor(login: str) -> Actor:
    """This demonstration user as the rights see them."""
    user = next(user for user in USERS if user["login"] == login)
    roles = frozenset(Role(role) for role in user["roles"])
    return Actor(login, user["name"], roles, frozenset(user.get("levels", ())), user.get("department"))


def who_may(right: str) -> str:
    """The first demonstration user who may do this."""
    return next(login for login in LOGINS if may(actor(login), right))


def sign_in(page: Page, house: Household, login: str) -> None:
    """Through the sign-in page. Right after the start the users may still be on their way: then once more."""
    for _ in range(30):
        page.goto(f"{house.desk_url}/login")
        page.fill("#f-login", login)
        page.fill("#f-password", PASSWORD)
        page.click("form[action='/session'] button")
        if "/login" not in page.url:
            return
        time.sleep(1)
    raise AssertionError(f"{login} cannot sign in: {page.inner_text('main')}\n{house.said()[-2000:]}")


@contextmanager
def at_desk(browser: Browser, house: Household, login: str, **options: Any) -> Iterator[Page]:
    """This person, signed in, in a browser of their own; whoever has signed in here before comes with that session."""
    kept = house.sessions.get(login)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
    context.set_default_timeout(15_000)
    context.add_cookies(kept or [])
    page = context.new_page()
    try:
        if kept:
            page.goto(f"{house.desk_url}/")
        if not kept or "/login" in page.url:
            sign_in(page, house, login)
            house.sessions[login] = context.cookies()
        yield page
    finally:
        context.close()


def quarrels(page: Page) -> list[str]:
    """A list that fills with everything the browser complains about from now on."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("console", lambda line: said.append(f"{page.url}: {line.text}") if line.type == "error" else None)
    return said


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


COLOURS = ["color-contrast", "link-in-text-block"]  # the rules whose answer changes with the theme


def axe(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds serious or critical, by these rules or all. It comes by the debugger, past the page's policy."""
    if not page.evaluate("Boolean(window.axe)"):
        assert AXE.is_file(), "运行 python -m hub vendor --dev 取回 axe-core"
        page.evaluate(AXE.read_text("utf-8"))
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    result: Any = page.evaluate("given => axe.run(document, given)", {"resultTypes": ["violations"], **only})
    assert len(result["passes"]) > (0 if rules else 5)
    return [
        f"{page.url}: {each['id']} {each['nodes'][0]['target']} {each['nodes'][0].get('failureSummary', '')}"
        for each in result["violations"]
        if each["impact"] in ("serious", "critical")
    ]


def until(ask: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer within this many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < end, f"after {seconds} s still not: {what}"
        time.sleep(0.3)
