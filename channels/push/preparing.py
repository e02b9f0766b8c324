"""What a content becomes on a locked screen, and what the platform would refuse of it; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from channels.contract import Json, Prepared, Problem, Variant
from channels.push import wire
from channels.push.profile import Profile

_SENTENCE_END = "。！？；!?;"
_NAMES = {"android": "安卓", "ios": "苹果"}
_LINK_ROOM = 200  # bytes kept free for an address that is not known yet


def prepare(variant: Variant, profile: Profile) -> Prepared:
    """An override's `text` is taken whole, never cut, only found too long; a derived one is cut to fit."""
    given = variant.override or {}
    title = str(given.get("title") or variant.title).strip()
    extras = {"article": variant.content_id, "url": variant.link or ""}
    limits = {"android": profile.android_bytes, "ios": profile.ios_bytes}
    if given.get("text"):
        words = wire.notification(title, str(given["text"]).strip(), extras)
    else:
        words = _derived(title, str(given.get("digest") or variant.digest).strip(), extras, limits)
    spare = 0 if variant.link else _LINK_ROOM
    counts = {name: (used + spare, limits[name]) for name, used in wire.sizes(words).items()}
    return Prepared(
        body={"title": title, "text": words["alert"], "notification": words, "link": variant.link},
        counts=counts,
        problems=_problems(variant, title, counts),
        fingerprint=hashlib.sha256(wire.packed(words)).hexdigest(),
    )


def _derived(title: str, digest: str, extras: Json, limits: Mapping[str, int]) -> dict[str, Any]:
    """Title and digest. Without a digest the title is the alert, and the system puts the app's name above it."""
    if not digest:
        return wire.notification("", title, extras)
    spare = 0 if extras["url"] else _LINK_ROOM
    words, text = wire.notification(title, digest, extras), digest
    while text and any(used + spare > limits[name] for name, used in wire.sizes(words).items()):
        over = max(used + spare - limits[name] for name, used in wire.sizes(words).items())
        text = _shorter(text, max(1, over // 6))  # a 汉字 stands in two of the places that are counted
        words = wire.notification(title, text + "…", extras)
    end = max(text.rfind(sign) for sign in _SENTENCE_END)
    whole = text if text == digest else text[: end + 1] if end > 0 else text + "…"
    return wire.notification(title, whole, extras)


def _shorter(text: str, signs: int) -> str:
    return text[:-signs]


def _problems(variant: Variant, title: str, counts: Mapping[str, tuple[int, int]]) -> list[Problem]:
    found = [
        Problem(
            f"push_{name}", "block",
            f"推送内容超过{_NAMES[name]}手机的 {limit} 字节，请删去约 {(used - limit + 2) // 3} 个汉字", "text",
        )
        for name, (used, limit) in counts.items()
        if used > limit
    ]  # fmt: skip
    if not title:
        found.append(Problem("push_title", "block", "推送要有标题，请填写", "title"))
    if not variant.link:
        found.append(Problem("push_link", "hint", "推送前会自动带上网站上这篇稿件的地址", "link"))
    if variant.pictures:
        found.append(Problem("push_pictures", "hint", "推送不带图片，点开后在文章里看", "pictures"))
    return found
