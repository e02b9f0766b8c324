"""The style page: every part and state with invented figures, rendered through the real templates; it tests nothing.

`python -m tests.pages.style FOLDER [NAME…]` takes each page's picture at 1440 and 390, light and dark.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup
from playwright.sync_api import Browser, sync_playwright

from hub.pages.rendering import Person, Shell
from hub.rendering import STATIC, TEMPLATES, Look, Renderer

SAMPLES = Path(__file__).parent / "samples"
FIGURES: dict[str, Any] = json.loads((SAMPLES / "figures.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 24, 1, 16, 20, tzinfo=UTC)
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
ADDRESS = "http://style.test"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; frame-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CHANNELS = (("博", "微博"), ("微", "微信"), ("网", "网站"), ("端", "应用"))
DESK_PAGES = {
    "home": "home",
    "publications": "publications",
    "board": "board",
    "issue": "board",
    "review": "reviews",
    "parts": "",
}
META = SimpleNamespace(column=None, article=None)
SHELL = Shell(
    office="云川市新闻办",
    person=Person("周敏", "编辑"),
    csrf="sample",
    hours="09:00–12:00 13:30–17:30",
    unread=2,
).counted({"reviews": 3, "replies": 12}, {"publications": 2, "board": 1})


def site(**changes: Any) -> SimpleNamespace:
    """A public site's furniture with invented numbers."""
    given = {**FIGURES["site"], "today": NOW, "notice": {**FIGURES["site"]["notice"], "at": NOW}}
    return SimpleNamespace(**{**given, **changes})


def icon_names() -> list[str]:
    """The names of the sprite, marks left out."""
    names = re.findall(r'<symbol id="([a-z-]+)"', (STATIC / "icons" / "sprite.svg").read_text(encoding="utf-8"))
    return [name for name in names if not name.startswith("mark-")]


@cache
def pages(look: Look | None = None) -> dict[str, str]:
    """Every sample page by name, as HTML."""
    renderer = _renderer()
    look = look or Look()
    made = {name: _desk_page(renderer, look, name) for name in DESK_PAGES}
    for name in ("site_home", "site_form"):
        values = {"site": site(), "look": look, "here": "home", "meta": META, "news": FIGURES["news"]}
        made[name] = renderer.render(f"{name}.html", **values)
    shell = Shell("云川市新闻办", None, "sample", look=look)
    made["login"] = renderer.render("login.html", desk=shell, errors=(), login="", step="password", next="/")
    made["error"] = renderer.render("errors/404.html", request_id="0192-sample")
    return made


@cache
def _renderer() -> Renderer:
    return Renderer([SAMPLES, TEMPLATES])


def _desk_page(renderer: Renderer, look: Look, name: str) -> str:
    shell = replace(
        SHELL,
        current=DESK_PAGES[name],
        look=look,
        narrow=name == "review",
        rehearsal=name == "parts",
        toast=FIGURES["toast"] if name == "publications" else None,
    )
    values = {key: value for key, value in FIGURES.items() if key not in ("site", "toast")}
    values |= {"series": [FIGURES["all"], FIGURES["negative"]], "signs": _signs(renderer), "icon_names": icon_names()}
    values |= {"loop_first": lambda row: row is FIGURES["rows"][0], "now": NOW}
    return renderer.render(f"{name}.html", desk=shell, **values)


def _signs(renderer: Renderer) -> Callable[[Sequence[str]], Markup]:
    sign = renderer.macros("parts/chips.html").sign

    def signs(states: Sequence[str]) -> Markup:
        return Markup("").join(sign(*channel, state) for channel, state in zip(CHANNELS, states, strict=False))

    return signs


def serve(page: Any, look: Look | None = None) -> list[str]:
    """Answer for ADDRESS inside this browser page, under the real content security policy; gives the names."""
    made = pages(look)

    def answer(route: Any, request: Any) -> None:
        path = request.url.removeprefix(ADDRESS).split("?")[0].split("#")[0]
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        elif path.strip("/") in made:
            html = "text/html; charset=utf-8"
            route.fulfill(body=made[path.strip("/")], content_type=html, headers={"Content-Security-Policy": POLICY})
        elif path == "/events":
            route.fulfill(body=": quiet\n\n", content_type="text/event-stream")
        else:
            route.fulfill(status=204, body="")

    page.route(f"{ADDRESS}/**", answer)
    return list(made)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, without its errands to the network."""
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def main(folder: Path, wanted: Sequence[str]) -> None:
    """Writes the pictures of the wanted pages, or of all."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for theme, width in product(("light", "dark"), (1440, 390)):
            page = browser.new_page(viewport={"width": width, "height": 900})
            for name in serve(page, Look(theme)):
                if not wanted or name in wanted:
                    page.goto(f"{ADDRESS}/{name}")
                    page.screenshot(path=str(folder / f"{name}-{width}-{theme}.png"), full_page=True)
            page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
