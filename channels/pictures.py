"""Pictures against a platform's limits: how a picture is named to people, and which ones it would refuse; pure.

A refusal names its picture by place and file, so that nobody searches for the bad one, and by its content address, so
that the hub can offer a smaller rendition of exactly that picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from channels.contract import Capabilities, Picture, Problem, Refused

_MEGABYTE, _KILOBYTE = 1 << 20, 1 << 10
_WORDS = {"image/jpeg": "JPG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WebP", "image/bmp": "BMP"}


def named(place: int, picture: Picture) -> str:
    """“第 3 张图“送水点分布图.png””; `place` counts from 0."""
    return picture.named(place + 1)


def size_words(octets: int) -> str:
    """“12.4 MB”, in the unit that platforms state limits in; rounded up, so that what is over never reads as even."""
    if octets >= _MEGABYTE:
        return f"{ceil(octets * 10 / _MEGABYTE) / 10:.1f}".removesuffix(".0") + " MB"
    return f"{ceil(octets / _KILOBYTE)} KB"


def problems(
    pictures: Sequence[Picture], able: Capabilities, prefix: str, *, name: str = "", strictly: bool = True
) -> list[Problem]:
    """What this platform would refuse of each picture: its kind, its bytes, its pixels, as far as it declares limits.

    `name` is the platform in the sentence, where another word than its own is used; `strictly`: below the limit.
    """
    found: list[Problem] = []
    for place, picture in enumerate(pictures):
        said = _wrong(picture, able, name or able.name, strictly)
        if said:
            rule, words = said
            message = f"{named(place, picture)}{words}"
            found.append(Problem(f"{prefix}_{rule}", "block", message, f"pictures[{place}]", picture.sha256))
    return found


def _wrong(picture: Picture, able: Capabilities, name: str, strictly: bool) -> tuple[str, str] | None:
    most, pixels = able.limits.get("picture_bytes"), able.limits.get("picture_pixels")
    if able.picture_types and picture.type not in able.picture_types:
        kinds = "、".join(_WORDS.get(type, type) for type in able.picture_types)
        own = _WORDS.get(picture.type, picture.type.removeprefix("image/"))
        return "picture_type", f"是 {own} 格式，{name}只收 {kinds}"
    if most and (picture.size >= most.value if strictly else picture.size > most.value):
        return "picture_size", f" {size_words(picture.size)}，超过{name}的 {size_words(most.value)}"
    if pixels and picture.width * picture.height > pixels.value:
        own_pixels = f"{picture.width}×{picture.height}"
        return "picture_pixels", f"有 {own_pixels} 点，超过{name}的 {pixels.value // 10_000} 万点"
    return None


def refused_for(refusal: Refused, place: int, picture: Picture) -> Refused:
    """A platform's refusal of a picture, with the picture's name and address in it."""
    part = named(place, picture)
    reason = f"{part} {size_words(picture.size)}：{refusal.reason}"
    return replace(refusal, reason=reason, part=part, picture=picture.sha256)
