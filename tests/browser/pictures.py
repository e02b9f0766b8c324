"""The README's pictures, taken from a running demonstration with its incident; it tests nothing.

`python -m tests.browser.pictures FOLDER` starts a household of its own, lets the city speak, and stops it again.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.household import Household, chromium, household
from tests.browser.people import at_desk, until

# name, who, path, what to follow from there, theme, width
Picture = tuple[str, str, str, str, Any, int]
DESK: Sequence[Picture] = (
    ("board", "monitor", "/board", "", "light", 1440),
    ("issue", "monitor", "/issues", "main a[href^='/issues/']", "light", 1440),
    ("home", "reviewer1", "/", "", "light", 1440),
    ("editor", "editor", "/contents?state=draft", "main td a[href^='/contents/']", "light", 1440),
    ("review", "reviewer1", "/reviews", "main a[href^='/reviews/']", "light", 1440),
    ("calendar", "editor", "/calendar", "", "light", 1440),
    ("publications", "editor", "/publications", "main td a", "dark", 1440),
    ("case", "handler", "/cases", "main a[href^='/cases/']", "light", 1440),
    ("board-390", "monitor", "/board", "", "dark", 390),
)
SITE = (("site", "/", 1440), ("site-390", "/", 390), ("letter-390", "/letters/new", 390), ("app-390", "/app/", 390))


def main(folder: Path) -> None:
    """Takes all of them into this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, household(Path(temporary)) as house, chromium() as browser:
        until(lambda: len(house.posts()) > 5, 60, "the demonstration's posts")
        start_incident(browser, house)
        for picture in DESK:
            take(browser, house, folder, picture)
        for name, path, width in SITE:
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(f"{house.site_url}{path}")
            page.screenshot(path=str(folder / f"{name}.png"))
            page.close()


def start_incident(browser: Browser, house: Household) -> None:
    """From the board, as people do; until the watch has something to say of it."""
    with at_desk(browser, house, "monitor") as page:
        page.goto(f"{house.desk_url}/board")
        page.locator("form[action='/demo/incident'] button").click()
        until(lambda: alerted(page, house), 150, "the incident's alert")


def alerted(page: Page, house: Household) -> bool:
    page.goto(f"{house.desk_url}/me")
    return page.locator(".rail a[href='/board'] .badge").count() > 0


def take(browser: Browser, house: Household, folder: Path, picture: Picture) -> None:
    name, login, path, follow, theme, width = picture
    with at_desk(browser, house, login, color_scheme=theme) as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{house.desk_url}{path}")
        if follow:
            page.locator(follow).first.click()
            page.wait_for_load_state()
        page.wait_for_timeout(1_200)
        page.screenshot(path=str(folder / f"{name}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
