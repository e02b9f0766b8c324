"""Turning a template and its values into a page: the one place that knows Jinja2; no route, no request, no store.

Used by the staff desk and the public site alike. Every value is escaped, whatever the template is called, and a name
that was not handed in is an error instead of an empty place on the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub import drawing, wording

HUB = Path(__file__).parent
TEMPLATES = HUB / "templates"
STATIC = HUB / "static"

FILTERS = {
    "day": wording.day,
    "full_day": wording.full_day,
    "weekday": wording.weekday,
    "short_day": wording.short_day,
    "iso_day": wording.iso_day,
    "hour": wording.hour,
    "clock_second": wording.second,
    "moment": wording.moment,
    "short_moment": wording.short_moment,
    "full_moment": wording.full_moment,
    "stamp": wording.stamp,
    "near": wording.near,
    "brief": wording.brief,
    "megabytes": wording.megabytes,
    "span": wording.span,
    "number": wording.number,
    "percent": wording.percent,
    "size": wording.size,
    "fingerprint": wording.fingerprint,
}

DRAWINGS = {
    "spark": drawing.spark,
    "line_plot": drawing.line_plot,
    "stack_plot": drawing.stack_plot,
    "columns_of": drawing.columns_of,
}

THEMES = ("light", "dark")
THEME_COOKIE = "look-theme"
ELDER_COOKIE = "look-elder"


@dataclass(frozen=True)
class Look:
    """How this reader wants pages drawn. Kept in two readable cookies, never in an account: it is not personal data.

    `theme` is light, dark, or empty to follow the device (the cookie then says device); `mourning` is the office's.
    """

    theme: str = ""
    elder: bool = False
    mourning: bool = False

    @classmethod
    def of(cls, cookies: Mapping[str, str], *, mourning: bool = False) -> Look:
        """The look these cookies ask for; anything unknown in them counts as no wish."""
        theme = cookies.get(THEME_COOKIE, "")
        return cls(theme if theme in THEMES else "", cookies.get(ELDER_COOKIE) == "on", mourning)


class Renderer:
    """The templates of one process, compiled once and shared by all requests."""

    def __init__(
        self, templates: Path | Sequence[Path] = TEMPLATES, static: Path = STATIC, *, static_prefix: str = "/static/"
    ) -> None:
        self._static = static
        self._prefix = static_prefix
        self._seen: dict[str, str] = {}
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(asset=self.asset, has_asset=self.has_asset, **DRAWINGS)

    def render(self, name: str, /, **values: Any) -> str:
        """The page of this template; raises jinja2.UndefinedError for a name that was forgotten."""
        return self._environment.get_template(name).render(values)

    def macros(self, name: str) -> Any:
        """The macros of one template, to be called from Python."""
        return self._environment.get_template(name).module

    def asset(self, name: str) -> str:
        """The address of a static file with its content's hash, so that it may be cached for a year."""
        if name not in self._seen:
            self._seen[name] = hashlib.sha256((self._static / name).read_bytes()).hexdigest()[:10]
        return f"{self._prefix}{name}?v={self._seen[name]}"

    def has_asset(self, name: str) -> bool:
        """Whether this file is there; what is fetched at installation (static/vendor) may be absent."""
        return (self._static / name).is_file()


@cache
def shared_renderer() -> Renderer:
    """The renderer over the project's own templates."""
    return Renderer()
