"""JPush's figures as data: sizes, lifetimes, rates, with source and date; only read here, decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from channels.contract import Capabilities, Limit, Quota

READ_ON = "2026-11-24"
PUSH_PAGE = "docs.jiguang.cn/jpush/server/push/rest_api_v3_push"
CID_PAGE = "docs.jiguang.cn/jpush/server/push/rest_api_v3_push_advanced"
RATE_PAGE = "github.com/jpush/jpush-docs"
OURS = "本系统的分配"
ADDRESSES: Mapping[str, str] = {"base_url": "https://api.jpush.cn"}


@dataclass(frozen=True)
class Profile:
    """What one app may do; `account["profile"]` replaces single figures by name."""

    android_bytes: int = 4000
    ios_bytes: int = 2000
    live_seconds: int = 86_400  # how long the platform keeps a push for a device that is off
    cid_hours: int = 24
    cid_spare_hours: int = 1  # before its end a cid is not used any more: the two clocks may differ
    pushes_minute: int = 600

    @property
    def cid_life(self) -> timedelta:
        """How long after it was fetched a cid still protects from a second push."""
        return timedelta(hours=self.cid_hours - self.cid_spare_hours)


_NAMES = frozenset(field.name for field in fields(Profile))


def profile_of(given: Mapping[str, Any]) -> Profile:
    """The figures with the account's own in their place; ValueError (Chinese) for a wrong one."""
    own = {name: value for name, value in given.items() if name in _NAMES and value is not None}
    if any(not isinstance(value, int) or value < 0 for value in own.values()):
        raise ValueError("推送账号的各项限额应为非负整数")
    return replace(Profile(), **own)


def capabilities(profile: Profile) -> Capabilities:
    """The channel's abilities with this account's figures.

    `honours_key` holds for a day, the life of a cid. There is no way to ask for pushes by key or by words, so a look
    is worth nothing.
    """
    return Capabilities(
        kind="push",
        name="App 推送",
        sign="推",
        limits={
            "android": Limit(profile.android_bytes, "字节（安卓通知，一个汉字 3 字节）", PUSH_PAGE, READ_ON),
            "ios": Limit(profile.ios_bytes, "字节（苹果通知，一个汉字 3 字节）", PUSH_PAGE, READ_ON),
            "live_seconds": Limit(profile.live_seconds, "秒（设备不在线时保留）", PUSH_PAGE, READ_ON),
            "cid_hours": Limit(profile.cid_hours, "小时（防重编号的有效期）", CID_PAGE, READ_ON),
        },
        confirms="at_once",
        lookup="none",
        honours_key=True,
        can_withdraw=False,
        can_correct=False,
        listens="none",
        answers=True,
        needs_link=True,
        addressed=False,
        quotas={
            "pushes_minute": Quota(profile.pushes_minute, "次/分钟", RATE_PAGE, READ_ON, "推送", "minute", "publish")
        },
    )
