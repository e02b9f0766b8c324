"""What the blocks of a content become in a 微信 article: plain HTML with styles of its own, since 微信 knows no others.

Links to other hosts are not allowed in an article: they are listed under the text, and 阅读原文 leads to the website.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

Json = Mapping[str, Any]

PICTURE = "govhub-picture:"  # stands in a picture's address until its upload gave one
_PICTURES = re.compile(f'<img src="{PICTURE}([^"]*)"')
_TEXT = "margin:0 0 1em;line-height:1.75;font-size:16px;color:#17202d;text-align:{align}"
_STYLES = {
    "h2": "margin:1.6em 0 .8em;line-height:1.5;font-size:18px;font-weight:bold;color:#1b4586",
    "h3": "margin:1.4em 0 .6em;line-height:1.5;font-size:16px;font-weight:bold;color:#17202d",
    "quote": "margin:0 0 1em;padding:.2em 0 .2em 1em;border-left:3px solid #a9bdd8;line-height:1.75;color:#465164",
    "note": "margin:0 0 1em;padding:.8em 1em;background-color:#fcf1dc;line-height:1.75;color:#17202d",
    "list": "margin:0 0 1em;padding-left:1.6em;line-height:1.75;font-size:16px;color:#17202d",
    "figure": "margin:0 0 1em;text-align:center",
    "img": "max-width:100%;height:auto",
    "caption": "margin:.4em 0 0;font-size:13px;line-height:1.5;color:#616c7d;text-align:center",
    "table": "width:100%;margin:0 0 1em;border-collapse:collapse;font-size:14px;line-height:1.6",
    "th": "border:1px solid #a9bdd8;padding:.4em .6em;background-color:#e8eef8;font-weight:bold;text-align:left",
    "td": "border:1px solid #a9bdd8;padding:.4em .6em;text-align:left",
    "small": "margin:0 0 .4em;font-size:13px;line-height:1.6;color:#616c7d",
    "hr": "margin:1.6em 0;border:0;border-top:1px solid #a9bdd8",
}
_TAGS = {"bold": "strong", "italic": "em", "underline": "u", "sup": "sup", "sub": "sub"}
_ALIGN = {"center": "center", "end": "right"}


class Article:
    """Renders one content's blocks; `links` gathers the addresses that an article may not lead to."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.has_files = False

    def html(self, blocks: Sequence[Json]) -> str:
        """The whole body, with what stands under it."""
        body = "".join(self._block(block) for block in blocks)
        return body + "".join(self._tail())

    def _tail(self) -> Iterator[str]:
        if self.has_files:
            yield _element("p", "small", "附件请点文末“阅读原文”，在网站上下载。")
        for number, link in enumerate(self.links, 1):
            yield _element("p", "small", f"［{number}］{escape(link)}")

    def _block(self, block: Json) -> str:
        make = _BLOCKS.get(str(block.get("kind")))
        return make(self, block) if make else ""

    def runs(self, runs: Sequence[Json]) -> str:
        return "".join(self._run(run) for run in runs)

    def _run(self, run: Json) -> str:
        text = escape(str(run.get("text", ""))).replace("\n", "<br>")
        for mark in run.get("marks", ()):
            tag = _TAGS.get(str(mark))
            text = f"<{tag}>{text}</{tag}>" if tag else text
        return text + self._reference(str(run["link"])) if run.get("link") else text

    def _reference(self, link: str) -> str:
        if link not in self.links:
            self.links.append(link)
        return f"<sup>［{self.links.index(link) + 1}］</sup>"


def _element(tag: str, style: str, inside: str) -> str:
    return f'<{tag} style="{_STYLES[style]}">{inside}</{tag}>' if inside else ""


def _paragraph(article: Article, block: Json) -> str:
    role = block.get("role")
    align = "right" if role == "signature" else _ALIGN.get(str(block.get("align")), "left")
    inside = article.runs(block.get("runs", ()))
    inside = f"<strong>{inside}</strong>" if role == "lead" and inside else inside
    return f'<p style="{_TEXT.format(align=align)}">{inside}</p>' if inside else ""


def _list(article: Article, block: Json) -> str:
    inside = "".join(f"<li>{article.runs(item)}</li>" for item in block.get("items", ()))
    return _element(str(block["kind"]), "list", inside)


def _figure(_article: Article, block: Json) -> str:
    said = "　".join(escape(str(block[name])) for name in ("caption", "source") if block.get(name))
    picture = f'<img src="{PICTURE}{escape(str(block["media"]))}" alt="{escape(str(block.get("alt", "")))}"'
    return _element("section", "figure", f'{picture} style="{_STYLES["img"]}">' + _element("p", "caption", said))


def _figures(article: Article, block: Json) -> str:
    return "".join(_figure(article, item) for item in block.get("items", ()))


def _table(article: Article, block: Json) -> str:
    rows = "".join(f"<tr>{''.join(_cell(article, cell) for cell in row)}</tr>" for row in block.get("rows", ()))
    return _element("table", "table", rows) + _element("p", "caption", escape(str(block.get("caption", ""))))


def _cell(article: Article, cell: Json) -> str:
    tag = "th" if cell.get("head") else "td"
    spans = "".join(f' {name}="{int(cell[name])}"' for name in ("colspan", "rowspan") if cell.get(name))
    return f'<{tag}{spans} style="{_STYLES[tag]}">{article.runs(cell.get("runs", ()))}</{tag}>'


def _video(article: Article, block: Json) -> str:
    said = escape(str(block.get("caption") or "视频"))
    where = article._reference(str(block["link"])) if block.get("link") else "（请点文末“阅读原文”观看）"
    return _element("p", "small", f"视频：{said}{where}")


def _file(article: Article, block: Json) -> str:
    article.has_files = True
    return _element("p", "small", f"附件：{escape(str(block.get('name', '')))}")


def _footnote(article: Article, block: Json) -> str:
    return _element("p", "small", f"{escape(str(block.get('mark', '')))}　{article.runs(block.get('runs', ()))}")


def _styled(tag: str, style: str) -> Callable[[Article, Json], str]:
    return lambda article, block: _element(tag, style, article.runs(block.get("runs", ())))


_BLOCKS: Mapping[str, Callable[[Article, Json], str]] = {
    "h2": _styled("h2", "h2"),
    "h3": _styled("h3", "h3"),
    "p": _paragraph,
    "ul": _list,
    "ol": _list,
    "quote": _styled("blockquote", "quote"),
    "note": _styled("section", "note"),
    "img": _figure,
    "images": _figures,
    "table": _table,
    "video": _video,
    "file": _file,
    "footnote": _footnote,
    "hr": lambda _article, _block: f'<hr style="{_STYLES["hr"]}">',
}
KINDS = frozenset(_BLOCKS)


def render(blocks: Sequence[Json]) -> str:
    """The article's HTML, with `PICTURE` and the content address in place of each picture's address."""
    return Article().html(blocks)


def source_of(link: str, key: str) -> str:
    """阅读原文: the website's address with a mark of this publication behind it; nothing while there is no address."""
    return f"{link.partition('#')[0]}#gh{hashlib.sha256(key.encode()).hexdigest()[:12]}" if link else ""


def pictures_in(html: str) -> list[str]:
    """The content addresses of the pictures that a rendered article names, in their order."""
    return _PICTURES.findall(html)


def with_addresses(html: str, addresses: Mapping[str, str]) -> str:
    """The same with the addresses that the uploads gave, by content address."""
    for sha256, address in addresses.items():
        html = html.replace(PICTURE + sha256, escape(address))
    return html
