"""What a content becomes on 微博 and what 微博 would refuse of it; pure, and the same text that is then sent."""

from __future__ import annotations

from collections.abc import Sequence

from channels import pictures
from channels.contract import Picture, Prepared, Problem, Variant
from channels.weibo import wire
from channels.weibo.profile import Profile, capabilities


def prepare(variant: Variant, profile: Profile, domain: str) -> Prepared:
    """An override's `text` is taken whole, never cut, only found too long; else title and digest make the text."""
    words = _words(variant, profile)
    link = next((url for url in wire.links(words) if wire.on_domain(url, domain)), variant.link)
    text = words if not link or link in words else f"{words} {link}"
    used = wire.count(text, profile.link_halves) + (0 if link else (profile.link_halves + 2) // 2)
    picture = variant.pictures[0] if variant.pictures else None
    problems = [
        *_of_text(words, used, profile),
        *_of_link(link, domain),
        *_of_pictures(variant.pictures, profile),
    ]
    body = {
        "text": text,
        "link": link,
        "picture": picture.sha256 if picture else "",
        "picture_type": picture.type if picture else "",
    }
    return Prepared(
        body=body,
        counts={"text": (used, profile.text)},
        problems=problems,
        fingerprint=wire.fingerprint(text, body["picture"] or ""),
        pictures=(picture,) if picture else (),
    )


def _words(variant: Variant, profile: Profile) -> str:
    given = variant.override or {}
    if given.get("text"):
        return str(given["text"]).strip()
    title, digest = str(given.get("title") or variant.title), str(given.get("digest") or variant.digest)
    return wire.derived(title, digest, profile.text, profile.link_halves)


def _of_text(words: str, used: int, profile: Profile) -> list[Problem]:
    found = []
    if used > profile.text:
        over = used - profile.text
        message = f"微博正文连同链接超过 {profile.text} 字，请删去 {over} 字"
        found.append(Problem("weibo_length", "block", message, "text"))
    if wire.topics(words):
        message = "开放接口发的微博不能带 #话题#，请去掉话题，或改为手工发布"
        found.append(Problem("weibo_topic", "block", message, "text"))
    return found


def _of_link(link: str | None, domain: str) -> list[Problem]:
    if link is None:
        return [Problem("weibo_link", "hint", "发布前会自动加上网站上这篇稿件的地址", "link")]
    if not wire.on_domain(link, domain):
        return [Problem("weibo_domain", "block", f"微博要求链接在已备案的域名 {domain} 之下，请更换链接", "link")]
    return []


def _of_pictures(shown: Sequence[Picture], profile: Profile) -> list[Problem]:
    """Only the first goes along, so only the first can be refused."""
    found = []
    if len(shown) > 1:
        message = f"开放接口一次只能带一张图片，稿件有 {len(shown)} 张，将只发第一张"
        found.append(Problem("weibo_pictures", "hint", message, "pictures"))
    return [*found, *pictures.problems(shown[:1], capabilities(profile), "weibo")]
