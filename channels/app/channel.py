"""App as a Channel: a card on the shelf of a site of ours, by the site's own exchanges; no call is made here.

A card leads to the article on the website, so it waits for the website's address. What citizens send through the app
comes in with the website's inbox, so this channel listens to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from channels.contract import Json, Limit, Picture, Problem, Variant
from channels.exchange import Transport
from channels.site import channel as site
from channels.site import wire

_AGREED, _AGREED_ON = "docs/channels/app.md", "2026-11-24"

CAPABILITIES = replace(
    site.CAPABILITIES,
    kind="app",
    name="App",
    sign="端",
    limits={
        "title": Limit(60, "字", _AGREED, _AGREED_ON),
        "digest": Limit(200, "字", _AGREED, _AGREED_ON),
        "picture_bytes": Limit(10 << 20, "字节", _AGREED, _AGREED_ON),
        "note": Limit(200, "字（更正、撤稿说明）", _AGREED, _AGREED_ON),
    },
    listens="none",
    needs_link=True,
)
_NAMES = {"title": "标题", "digest": "摘要"}


def card(variant: Variant) -> dict[str, Any]:
    """The body of a card: what a list shows, and where to read on."""
    given, meta = variant.override or {}, variant.meta
    words = given.get("text") or given.get("digest") or variant.digest
    body: dict[str, Any] = {
        "title": str(given.get("title") or variant.title),
        "digest": str(words),
        "kind": str(meta.get("kind") or "news"),
        "column": str(meta.get("column") or ""),
        "source": str(meta.get("source") or ""),
        "article": variant.content_id,
        "link": variant.link or "",
        "districts": [str(name) for name in meta.get("districts") or ()],
        "pictures": [wire.picture_fields(picture) for picture in _cover(variant)],
    }
    return body


def _cover(variant: Variant) -> Sequence[Picture]:
    return variant.pictures[:1]


def _problems(body: Json, variant: Variant, counts: site.Counts) -> list[Problem]:
    found = [
        Problem(f"app_{name}", "block", f"App 卡片的{_NAMES[name]}超过 {limit} 字，请缩短", name)
        for name, (used, limit) in counts.items()
        if used > limit
    ]
    if not body["title"]:
        found.append(Problem("app_no_title", "block", "App 卡片要有标题，请填写", "title"))
    if not body["link"]:
        found.append(Problem("app_link", "hint", "发布前会自动带上网站上这篇稿件的地址", "link"))
    for picture in _cover(variant):
        if not picture.alt:
            found.append(Problem("app_alt", "acknowledge", "图片没有替代文字，请补上", "pictures[0]"))
    return found


def _shown(body: Json) -> Mapping[str, Any]:
    return {"title": body["title"], "text": body["digest"], "link": body["link"]}


CARD = site.Form("card", card, _cover, lambda variant: {}, _problems, _shown)


def connect(
    account: Mapping[str, Any], credentials: Mapping[str, Any], transport: Transport, now: Callable[[], datetime]
) -> site.Site:
    """The channel of one app.

    settings: base_url (the site's inner one); credentials: keys (one or two whsec_ texts). ValueError (Chinese) when
    something is missing.
    """
    return site.opened(account, credentials, transport, now, CARD, CAPABILITIES)
