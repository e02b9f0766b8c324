"""额度: the periods in which platforms count calls, and what is left in words, pure; the counts are kept by the desk.

Platforms count in the office's own time: a day begins at midnight in Shanghai.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.clock import SHANGHAI, local

PERIODS = ("minute", "hour", "day", "month")
WORDS = {"minute": "这一分钟", "hour": "这一小时", "day": "今天", "month": "本月"}
# A platform's word that nothing is left is believed this long, or to the period's end: its clock may stand a little
# before midnight when ours is past it, and an administrator may have had the count reset.
BELIEVED = timedelta(hours=1)
LOW = 0.1  # a share left below which people are told


@dataclass(frozen=True)
class Left:
    """What is left of one quota now. `shut`: the platform has said that nothing is, whatever our count."""

    quota: str
    name: str
    per: str
    act: str
    used: int
    limit: int
    until: datetime
    shut: bool = False

    @property
    def left(self) -> int:
        return 0 if self.shut else max(0, self.limit - self.used)

    @property
    def share(self) -> float:
        """Between 0 and 1; what allows nothing at all has nothing left."""
        return self.left / self.limit if self.limit else 0.0


def start_of(per: str, now: datetime) -> datetime:
    """When the period of this moment began, in UTC."""
    begun = local(now).replace(second=0, microsecond=0)
    if per != "minute":
        begun = begun.replace(minute=0)
    if per in ("day", "month"):
        begun = begun.replace(hour=0)
    return (begun.replace(day=1) if per == "month" else begun).astimezone(UTC)


def end_of(per: str, now: datetime) -> datetime:
    """When it is counted anew, in UTC."""
    start = local(start_of(per, now))
    if per == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1).astimezone(UTC)
    steps = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
    return (start + steps[per]).astimezone(UTC)


def row_of(account: str, quota: str, per: str, now: datetime) -> str:
    """The id of the row that counts this moment's calls."""
    shapes = {"minute": "%Y-%m-%dT%H:%M", "hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}
    return f"{account}:{quota}:{local(now).strftime(shapes[per])}"


def believed_until(per: str, now: datetime, wait: timedelta | None) -> datetime:
    """How long a platform's word that nothing is left holds: as long as it says, else a while."""
    return now + wait if wait is not None else min(end_of(per, now), now + BELIEVED)


def spent_words(left: Left, now: datetime) -> str:
    """Why nothing goes out now, and from when something may again."""
    said = "平台说次数已用完" if left.shut else f"{left.limit} 次已用完"
    return f"{WORDS[left.per]}的“{left.name}”{said}，{_when(left.until, now)}起重新计数。"


def _when(until: datetime, now: datetime) -> str:
    then, today = until.astimezone(SHANGHAI), local(now).date()
    days = {0: "", 1: "明天 "}.get((then.date() - today).days, f"{then.month} 月 {then.day} 日 ")
    return f"{days}{then.hour}:{then.minute:02d} "


def is_low(left: Left) -> bool:
    """Whether posts of the rest of this period are in danger."""
    return left.act in ("publish", "any") and left.per != "minute" and left.share <= LOW


def headline(lefts: Sequence[Left], most: int = 2) -> list[Left]:
    """What a line about an account says: posts first, then what is nearly used up, the least left first."""
    told = [one for one in lefts if one.act == "publish" or one.share <= LOW]
    return sorted(told, key=lambda one: (one.act != "publish", one.share))[:most]


def left_words(left: Left) -> str:
    """`余 59 / 100`."""
    return f"余 {left.left} / {left.limit}"
