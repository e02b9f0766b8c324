"""发布前检查: what would keep a planned post from going out at its time, as pure judgements; the looking is the desk's.

A concern is found while it can still be mended: it says what is so, until when, and where the one step is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.contract import Health, Problem
from hub.clock import local
from hub.domain.moves import Document
from hub.domain.publication import Rules
from hub.domain.quota import WORDS, Left, end_of

RECHECK = timedelta(minutes=5)  # what was found wrong is looked at again this often, until it is mended or past
RECHECK_FAR = timedelta(hours=1)  # where there is more time than the office's half hour
LEASE = timedelta(minutes=2)  # for one look; whoever takes longer is gone
ACCOUNT = frozenset({"account", "token", "quota", "clock"})  # rules that concern every post of the account


@dataclass(frozen=True)
class Concern:
    """`rule` names it for ever, `text` is a Chinese sentence, `verb` and `href` the step that mends it."""

    rule: str
    text: str
    verb: str
    href: str

    def row(self) -> Document:
        return asdict(self)


# ---- the judgements


def of_account(account: Document) -> list[Concern]:
    """A held account lets nothing out."""
    if not account.get("held"):
        return []
    return [Concern("account", f"账号“{_name(account)}”已暂停。", "看账号", _place(account))]


def of_token(account: Document, health: Health, at: datetime, *, reauthorised: bool) -> list[Concern]:
    """Dead now, or at this post's time. Unreachable is a matter of the account: it is told there, and may pass."""
    place = f"{_place(account)}/authorise" if reauthorised else _place(account)
    verb = "重新授权" if reauthorised else "检查账号"
    if health.state in ("expired", "not_connected"):
        return [Concern("token", f"账号“{_name(account)}”现在发不出去：{health.reason}", verb, place)]
    if reauthorised and health.token_until is not None and health.token_until <= at:
        when = f"{local(health.token_until):%m 月 %d 日 %H:%M}"
        return [Concern("token", f"账号“{_name(account)}”的授权到 {when} 为止，早于发布时间。", verb, place)]
    return []


def of_quota(publication: Document, left: Left, before: int, now: datetime, rules: Rules) -> list[Concern]:
    """Fewer calls than posts planned until then. Where its late rule lets it wait for the next period, all is well.

    `left` is counted for the period of the post's time; `before`: posts planned in it that stand before this one.
    """
    room = left.left if not left.shut or left.until > publication["at"] else left.limit - left.used
    if before < room:
        return []
    wait = end_of(left.per, publication["at"]) - publication["at"]
    if publication.get("late") == "publish" or wait <= rules.late:
        return []
    day = WORDS[left.per] if end_of(left.per, now) == end_of(left.per, publication["at"]) else "那时"
    text = f"{day}“{left.name}”只能再用 {max(room, 0)} 次，这一条前面还排着 {before} 条，到时发不出去。"
    return [Concern("quota", text, "改时间", _open(publication))]


def of_problems(publication: Document, problems: Sequence[Problem]) -> list[Concern]:
    """What the platform would refuse of the text and its pictures, each by its own rule."""
    blocking = [one for one in problems if one.severity == "block"]
    href = f"/contents/{publication['content']}"
    return [Concern(one.rule, f"{one.message.rstrip('。')}。", "修改稿件", href) for one in blocking]


def of_pictures(publication: Document, gone: Sequence[str]) -> list[Concern]:
    """Pictures whose bytes are not there any more, by name."""
    href = f"/contents/{publication['content']}"
    return [Concern("picture_missing", f"{name}的文件不见了，请重新上传。", "修改稿件", href) for name in gone]


def of_approval(publication: Document, content: Document | None, package: str | None) -> list[Concern]:
    """The last approval was given to exactly this, or it does not go out."""
    if content is None or package is None:
        return [Concern("content", "稿件已不在。", "看这条发布", _open(publication))]
    if content.get("state") == "approved" and content.get("approved_hash") == package:
        return []
    text = "审过以后稿件又有改动，须重新审过。" if content.get("approved_hash") else "还没有终审通过。"
    if content.get("state") == "in_review":
        return [Concern("approval", text, "去审", f"/reviews/{content['_id']}")]
    return [Concern("approval", text, "送审", f"/contents/{content['_id']}")]


def of_link(publication: Document, awaited: Document | None) -> list[Concern]:
    """It carries the website's address, and the website's own post will not go out."""
    if publication.get("link") or not publication.get("waits_for"):
        return []
    if awaited is not None and awaited["state"] not in ("held", "refused", "cancelled", "removed"):
        return []
    href = f"/publications?open={awaited['_id']}" if awaited else _open(publication)
    text = "要带的网站地址不会有：网站上的同一篇没有发出。"
    return [Concern("link", text, "看网站那一条", href)]


def of_clock(account: Document, ahead: timedelta | None, most: timedelta) -> list[Concern]:
    """Our clock and the platform's, or another worker's, stand too far apart for a time to mean the same."""
    if ahead is None or abs(ahead) <= most:
        return []
    seconds = round(abs(ahead).total_seconds())
    minutes = f"{seconds // 60} 分 {seconds % 60} 秒" if seconds >= 60 else f"{seconds} 秒"
    said = "慢了" if ahead > timedelta(0) else "快了"
    text = f"服务器的时钟比平台{said} {minutes}，定时会不准。请系统管理员校准服务器的时间。"
    return [Concern("clock", text, "看账号", _place(account))]


def _name(account: Document) -> str:
    return str(account.get("name", account["_id"]))


def _place(account: Document) -> str:
    return f"/accounts/{account['_id']}"


def _open(publication: Document) -> str:
    return f"/publications?open={publication['_id']}"


# ---- when it is looked at, and who hears of it


def mark_of(
    publication: Document,
    content: Document | None,
    account: Document | None,
    awaited: Document | None,
    *,
    near: bool,
) -> str:
    """What the judgement rests on: it is made anew where any of this has changed, and once it is near."""
    content, account, awaited = content or {}, account or {}, awaited or {}
    health = account.get("health") or {}
    facts = (
        "near" if near else "far",
        publication["at"].isoformat(), content.get("state"), content.get("hash"), content.get("approved_hash"),
        account.get("held"), health.get("state"), account.get("authorised"), awaited.get("state"),
    )  # fmt: skip
    return "|".join(str(fact) for fact in facts)


def is_due(publication: Document, mark: str, now: datetime) -> bool:
    """Once for what it rests on; what was found wrong, again and again; what somebody is at, not now."""
    lease, again = publication.get("preflight_lease"), publication.get("preflight_at")
    if lease is not None and lease > now:
        return False
    return publication.get("preflight_mark") != mark or bool(again is not None and again <= now)


def new_ones(before: Sequence[Mapping[str, Any]], after: Sequence[Concern]) -> list[Concern]:
    """Those that were not there at the last look: each is told once, and again only after it was mended."""
    known = {row["rule"] for row in before}
    return [one for one in after if one.rule not in known]


def warning(publication: Document, account: str, concerns: Sequence[Concern], now: datetime) -> str:
    """One notice: which post, where, when, what is wrong, what to press."""
    when = local(publication["at"])
    day = "" if when.date() == local(now).date() else f"{when.month} 月 {when.day} 日 "
    said = "".join(one.text for one in concerns)
    press = "、".join(dict.fromkeys(f"“{one.verb}”" for one in concerns))
    head = f"《{publication.get('title', '')}》定于 {day}{when:%H:%M} 发往“{account}”，现在看来发不出去。"
    return f"{head}{said}请在那以前点{press}。"
