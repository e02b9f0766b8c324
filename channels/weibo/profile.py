"""微博's figures as data: limits, tiers and the day's budget of calls, with source and date; only added up here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from channels.contract import Capabilities, Limit, Quota

READ_ON = "2026-11-24"
SHARE_PAGE = "open.weibo.com/wiki/2/statuses/share"
RATE_PAGE = "open.weibo.com/wiki/Rate-limiting"
OPEN = "未经文档证实，可在账号设置中调整"
OURS = "本系统的分配"


@dataclass(frozen=True)
class Profile:
    """What one account may use; `account["profile"]` replaces single figures by name.

    A day of calls is divided: posts, one read-back for each, looks for posts in doubt, checks of posts that are not to
    be seen yet, answers to comments; what is left goes to reading comments.
    """

    tier: str = "base"
    calls_day: int = 100
    posts_hour: int = 30
    posts_day: int = 30
    readbacks_day: int = 30
    reconciliation_day: int = 8
    checks_day: int = 6
    answers_day: int = 5
    text: int = 140
    link_halves: int = 20
    picture_bytes: int = 5 << 20
    timeline: int = 5
    comments_page: int = 50
    poll_seconds: int = 60  # comments are never asked for more often
    skew_seconds: int = 30  # how far the platform's clock may be from ours

    @property
    def comments_day(self) -> int:
        """Calls left for comments."""
        held = self.posts_day + self.readbacks_day + self.reconciliation_day + self.checks_day + self.answers_day
        return max(0, self.calls_day - held)


TIERS: Mapping[str, Profile] = {
    "base": Profile(),
    # open.weibo.com/wiki/Rate-limiting, older revisions: up to 1000 calls an hour per user of a partner's app
    "partner": Profile(
        tier="partner", calls_day=24000, posts_hour=1000, posts_day=3000, readbacks_day=3000,
        reconciliation_day=1000, checks_day=100, answers_day=400, poll_seconds=5,
    ),
}  # fmt: skip
_NAMES = frozenset(field.name for field in fields(Profile)) - {"tier"}


def profile_of(given: Mapping[str, Any]) -> Profile:
    """The tier's figures with the account's own in their place; ValueError (Chinese) for a wrong one."""
    tier = str(given.get("tier") or "base")
    if tier not in TIERS:
        raise ValueError("微博账号的 tier 应为以下之一：" + "、".join(TIERS))
    own = {name: value for name, value in given.items() if name in _NAMES and value is not None}
    if any(not isinstance(value, int) or value < 0 for value in own.values()):
        raise ValueError("微博账号的各项限额应为非负整数")
    return replace(TIERS[tier], **own)


def capabilities(profile: Profile) -> Capabilities:
    """The channel's abilities with this account's figures."""
    return Capabilities(
        kind="weibo",
        name="微博",
        sign="博",
        limits={
            "text": Limit(profile.text, "汉字（两个半角算一个，链接按固定长度）", SHARE_PAGE, READ_ON),
            "link": Limit(profile.link_halves, "每个链接占的半角数", OPEN, READ_ON),
            "pictures": Limit(1, "张", SHARE_PAGE, READ_ON),
            "picture_bytes": Limit(profile.picture_bytes, "字节以内", SHARE_PAGE, READ_ON),
            "timeline": Limit(profile.timeline, "条（查找已发微博时看得到的最近条数）", OPEN, READ_ON),
            "answer": Limit(profile.text, "汉字", "open.weibo.com/wiki/2/comments/reply", READ_ON),
        },
        confirms="at_once",
        lookup="hint",
        honours_key=False,
        can_withdraw=False,
        can_correct=False,
        listens="poll",
        answers=True,
        needs_link=True,
        reauthorised=True,
        picture_types=("image/jpeg", "image/png", "image/gif"),
        settling=timedelta(minutes=2),
        quotas={
            "posts_hour": Quota(profile.posts_hour, "条/用户/小时", RATE_PAGE, READ_ON, "发微博", "hour", "publish"),
            "posts_day": Quota(profile.posts_day, "条/日（预算）", OURS, READ_ON, "发微博", "day", "publish"),
            "calls_day": Quota(profile.calls_day, "次/用户/日", RATE_PAGE, READ_ON, "全部调用", "day", "any"),
            "readbacks_day": Quota(profile.readbacks_day, "次/日（预算）", OURS, READ_ON, "发后回看", "day"),
            "reconciliation_day": Quota(
                profile.reconciliation_day, "次/日（预算）", OURS, READ_ON, "核对结果", "day", "find"
            ),
            "checks_day": Quota(profile.checks_day, "次/日（预算）", OURS, READ_ON, "查审核结果", "day", "check"),
            "answers_day": Quota(profile.answers_day, "次/日（预算）", OURS, READ_ON, "回复评论", "day", "answer"),
            "comments_day": Quota(profile.comments_day, "次/日（预算）", OURS, READ_ON, "读评论", "day", "listen"),
        },
    )
