"""The links and forms of our own templates: every path that stands in one is a page, in the route table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.access import ROUTES as SESSION_ROUTES
from hub.pages import table
from hub.site import serving
from tests.house import house

LINK = re.compile(r'(?:href|action)="(/(?:[^"{]|\{\{.*?\}\})*)"')
ANY = "*"  # what is only known when the page is drawn


def linked() -> Iterator[tuple[str, str]]:
    """The templates' names and the paths in them; each expression is one unknown part."""
    for path in sorted((house.ROOT / "hub" / "templates").rglob("*.html")):
        for found in LINK.findall(path.read_text("utf-8")):
            yield path.name, re.sub(r"\{\{.*?\}\}", ANY, found).partition("?")[0].partition("#")[0]


def fits(path: str, route: str) -> bool:
    parts, names = path.strip("/").split("/"), route.strip("/").split("/")
    if len(parts) != len(names):
        return False
    return all(ANY in part or name.startswith("<") or part == name for part, name in zip(parts, names, strict=True))


def test_a_path_fits_its_route_and_no_other() -> None:
    assert fits("/issues/*", "/issues/<id:str>") and fits("/publications/p1/*", "/publications/<id:str>/hold")
    assert not fits("/keys", "/me") and not fits("/issues/*/x", "/issues/<id:str>")


def test_every_link_and_form_of_a_template_leads_to_a_page() -> None:
    routes = [route.path for route in (*SESSION_ROUTES, *table.ROUTES, *serving.ROUTES)]
    found = list(linked())
    assert len(found) > 100
    assert [(name, path) for name, path in found if not any(fits(path, route) for route in routes)] == []
