"""What a content becomes as a 微信 article and what 微信 would refuse of it; pure, and the same as is then drafted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from channels.contract import Picture, Prepared, Problem, Variant
from channels.pictures import problems as picture_problems
from channels.wechat.profile import Profile, capabilities
from channels.wechat.rendering import pictures_in, render, source_of

_COVERS = frozenset({"image/jpeg", "image/png", "image/gif", "image/bmp"})
_NAMES = {"title": "标题", "author": "作者", "digest": "摘要", "content": "正文"}


@dataclass(frozen=True)
class Cover:
    """The account's own cover for texts without a picture: its content address in our files."""

    sha256: str = ""


def prepare(variant: Variant, profile: Profile, cover: Cover = Cover()) -> Prepared:
    """An override's title, digest and blocks are taken as they are, never cut, only found too long."""
    given = variant.override or {}
    article = {
        "title": str(given.get("title") or variant.title).strip(),
        "author": str(variant.meta.get("author") or "").strip(),
        "digest": str(given.get("digest") or variant.digest).strip(),
        "html": render(given.get("blocks") or variant.blocks),
        "source_url": variant.link or "",
        "cover": variant.pictures[0].sha256 if variant.pictures else cover.sha256,
        "cover_type": variant.pictures[0].type if variant.pictures else "",
        "pictures": [
            {"sha256": each.sha256, "type": each.type, "place": place}
            for place, each in _first_places(variant.pictures).values()
        ],
        "comments": bool(profile.comments),
    }
    counts = {
        name: (len(str(article["html" if name == "content" else name])), getattr(profile, name)) for name in _NAMES
    }
    problems = [*_of_lengths(article, counts, profile), *_of_pictures(variant.pictures, article, profile)]
    once = tuple(each for _, each in _first_places(variant.pictures).values())
    return Prepared(article, counts, problems, _fingerprint(article), once)


def _first_places(pictures: Sequence[Picture]) -> dict[str, tuple[int, Picture]]:
    """Each picture once, with its first place in the text from 1: the same bytes are uploaded once."""
    found: dict[str, tuple[int, Picture]] = {}
    for place, each in enumerate(pictures, 1):
        found.setdefault(each.sha256, (place, each))
    return found


def _fingerprint(article: Mapping[str, Any]) -> str:
    """Over what becomes public; the link to the website is added late and is no other text."""
    public = {name: value for name, value in article.items() if name not in ("source_url", "comments")}
    body = json.dumps(public, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()


def _of_lengths(article: Mapping[str, Any], counts: Mapping[str, tuple[int, int]], profile: Profile) -> list[Problem]:
    found = [
        Problem(f"wechat_{name}", "block", f"公众号{_NAMES[name]}最多 {limit} 字，请删去 {used - limit} 字", name)
        for name, (used, limit) in counts.items()
        if used > limit
    ]
    if not article["title"]:
        found.append(Problem("wechat_title", "block", "公众号文章要有标题，请填写", "title"))
    if not article["html"]:
        found.append(Problem("wechat_content", "block", "公众号文章要有正文，请填写", "content"))
    if len(str(article["html"]).encode("utf-8", "replace")) >= profile.content_bytes:
        found.append(Problem("wechat_content", "block", "公众号正文连同排版超过 1 MB，请缩短", "content"))
    if len(source_of(str(article["source_url"]), "").encode()) > profile.source_url:
        found.append(Problem("wechat_source", "block", "“阅读原文”的网址太长，请管理员检查网站地址", "link"))
    if not article["source_url"]:
        found.append(Problem("wechat_source", "hint", "网站先发出后，文末会带上“阅读原文”", "link"))
    return found


def _of_pictures(pictures: Sequence[Picture], article: Mapping[str, Any], profile: Profile) -> list[Problem]:
    """Each by its place in the text, so that nobody searches for the bad one."""
    found = picture_problems(pictures, capabilities(profile), "wechat", name="公众号正文")
    known = {each.sha256 for each in pictures}
    for place, sha256 in enumerate(pictures_in(str(article["html"])), 1):
        if sha256 not in known:  # the platform would leave it out without a word
            message = f"第 {place} 张图已不在媒体库里，请重新上传或从正文里删去"
            found.append(Problem("wechat_picture_gone", "block", message, f"pictures[{place - 1}]"))
    if not article["cover"]:
        message = "公众号文章要有封面：请在正文里放一张图片，或请系统管理员为账号设一张默认封面"
        found.append(Problem("wechat_cover", "block", message, "pictures"))
    elif article["cover_type"] and article["cover_type"] not in _COVERS:
        found.append(Problem("wechat_cover", "block", "封面图的格式公众号不收，请换成 JPG 或 PNG", "pictures"))
    return found
