"""What 演练微信 makes of an article's HTML: scripts and foreign pictures out, plain text, pictures of its own page."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from urllib.parse import urlsplit

from channels.wechat.rehearsal_rules import ARTICLE_HOST, PICTURE_HOST

Attributes = list[tuple[str, str | None]]

_DROPPED = frozenset(
    {"script", "style", "iframe", "object", "embed", "form", "input", "button", "link", "meta", "base"}
)
_SILENT = frozenset({"script", "style", "iframe", "object", "form"})  # gone with everything inside
_FOREIGN = re.compile(r"url\s*\(", re.I)


class _Rewriter(HTMLParser):
    """Writes what it reads, as far as each tag is kept."""

    def __init__(self, keep: Callable[[str, Attributes], Attributes | None]) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._keep = keep
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        kept = None if self._silent or tag in _DROPPED else self._keep(tag, attrs)
        if kept is not None:
            told = "".join(f' {name}="{html.escape(value or "")}"' for name, value in kept)
            self.out.append(f"<{tag}{told}>")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent and self._silent.pop() != tag:
                pass
        elif not self._silent and tag not in _DROPPED:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(data.replace("<", "&lt;"))

    def handle_entityref(self, name: str) -> None:
        self.handle_charref_text(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_charref_text(f"&#{name};")

    def handle_charref_text(self, text: str) -> None:
        if not self._silent:
            self.out.append(text)


def _rewritten(content: str, keep: Callable[[str, Attributes], Attributes | None]) -> str:
    rewriter = _Rewriter(keep)
    rewriter.feed(content)
    rewriter.close()
    return "".join(rewriter.out)


def is_own_picture(url: str) -> bool:
    return urlsplit(url).hostname == PICTURE_HOST


def filtered(content: str) -> str:
    """The content as the platform keeps it: no script, no handler, no picture but its own; nobody is told."""

    def keep(tag: str, attrs: Attributes) -> Attributes | None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img" and not is_own_picture(given.get("src") or given.get("data-src") or ""):
            return None
        return [
            (name, value)
            for name, value in given.items()
            if not name.startswith("on")
            and name != "id"
            and "javascript:" not in re.sub(r"\s", "", html.unescape(value)).lower()
            and not (name == "style" and _FOREIGN.search(value))
        ]

    return _rewritten(content, keep)


def foreign_links(content: str, domains: Sequence[str]) -> list[str]:
    """Links that lead neither to an article of the platform nor to a host in `domains`."""
    found: list[str] = []

    def keep(tag: str, attrs: Attributes) -> Attributes | None:
        target = dict(attrs).get("href") or ""
        host = urlsplit(target).hostname or ""
        if tag == "a" and host and host != ARTICLE_HOST and host not in domains:
            found.append(target)
        return attrs

    _rewritten(content, keep)
    return found


def without_links(content: str) -> str:
    """The content with every link as plain text."""
    return _rewritten(
        content, lambda tag, attrs: [(name, value) for name, value in attrs if tag != "a" or name != "href"]
    )


def local_pictures(content: str) -> str:
    """The content for the rehearsal's own page: its pictures come from the rehearsal, none from outside."""

    def keep(tag: str, attrs: Attributes) -> Attributes | None:
        if tag != "img":
            return attrs
        given = dict(attrs)
        url = given.get("src") or given.get("data-src") or ""
        return [("src", urlsplit(url).path), ("alt", given.get("alt") or "")]

    return _rewritten(content, keep)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in ("p", "br", "li", "h1", "h2", "h3", "h4", "section", "div", "tr"):
            self.parts.append("\n")


def text_of(content: str) -> str:
    """The words of filtered content, one line for each paragraph."""
    reader = _Text()
    reader.feed(content)
    reader.close()
    return "\n".join(line.strip() for line in "".join(reader.parts).split("\n") if line.strip())
