"""停发: stretches in which nothing could go out by itself, and when somebody hears of one; pure, looking is in desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub import wording
from hub.domain.moves import Document

WORKERS = "workers"  # in `switches`: when no worker lived, and who has been told
SILENCE = timedelta(seconds=30)  # after so long without a beat, publishing has stopped
SOON = timedelta(hours=1)  # silence matters to somebody where something is due within this
AGAIN = timedelta(hours=1)  # told once more when it still lasts
KEPT = 20  # stretches that are remembered
RECENT = timedelta(days=14)  # what was missed is asked about so long


@dataclass(frozen=True)
class Ahead:
    """What is due now or soon: how many, and the first of them with its account's name."""

    count: int
    title: str = ""
    account: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Telling:
    """What the desk says about its workers now, what it writes down with it, and for which outage and time."""

    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""


def is_silent(beat: datetime | None, now: datetime) -> bool:
    """Whether no worker has said for half a minute that it lives."""
    return beat is None or now - beat >= SILENCE


def decide_telling(record: Document, beat: datetime | None, now: datetime, ahead: Ahead) -> Telling | None:
    """Once when an outage begins to matter, once more after an hour, and once when it is over; None: nothing to say."""
    told, silent = int(record.get("told") or 0), is_silent(beat, now)
    if not silent:
        return _over(record, now) if told else None
    if not told and ahead.count:
        since = beat or now
        fields = {"told": 1, "told_at": now, "silent_since": since}
        return Telling(_begun(since, ahead), fields, f"workers:{since.isoformat()}:1")
    if told == 1 and now - record["told_at"] >= AGAIN:
        since = record["silent_since"]
        lasting = f"自动发布停了 {wording.span(now - since)}，还没有恢复。{_stake(ahead)}{_TURN}"
        return Telling(lasting, {"told": 2, "told_at": now}, f"workers:{since.isoformat()}:2")
    return None


_TURN = "请系统管理员启动发布程序；恢复以前，紧急的请到平台上手工发布。"


def _begun(since: datetime, ahead: Ahead) -> str:
    return f"自动发布已停止：{wording.moment(since)} 以后没有发布程序在运行。{_stake(ahead)}{_TURN}"


def _stake(ahead: Ahead) -> str:
    if not ahead.count or ahead.at is None:
        return "一小时内没有要发的。"
    first = f"最早的是 {wording.moment(ahead.at)} 的《{ahead.title}》（{ahead.account}）"
    return f"已到点和一小时内要发的有 {ahead.count} 条，都不会自动发出；{first}。"


def _over(record: Document, now: datetime) -> Telling:
    since = record["silent_since"]
    lasted = f"{wording.moment(since)} 起停了 {wording.span(now - since)}"
    text = f"自动发布已恢复：{lasted}。错过的按各自的迟发规则处理，要您决定的列在首页和“发布”页。"
    return Telling(text, {"told": 0, "told_at": now}, f"workers:{since.isoformat()}:over")


@dataclass(frozen=True)
class Outage:
    """A stretch that is over, in which nothing could go out by itself, and why."""

    since: datetime
    until: datetime
    why: str

    @property
    def words(self) -> str:
        return f"{wording.moment(self.since)} 到 {wording.moment(self.until)}，{self.why}"


def outages_of(records: Iterable[Document], quiet_stops: Iterable[Outage], now: datetime) -> list[Outage]:
    """The stretches that are over and not long ago, the newest first."""
    noted = [Outage(**stop) for record in records for stop in record.get("stops") or ()]
    found = [outage for outage in (*noted, *quiet_stops) if now - RECENT <= outage.until <= now]
    return sorted(found, key=lambda outage: outage.until, reverse=True)


def outage_of(row: Document, outages: Iterable[Outage], late: timedelta) -> Outage | None:
    """The outage in which this one's time lay, or so shortly before that a second try fell into it."""
    return next((one for one in outages if one.since - late <= row["at"] < one.until), None)


def with_stop(record: Document, since: datetime, until: datetime, why: str) -> list[dict[str, Any]]:
    """The record's stretches with this one, the newest few."""
    before: Sequence[dict[str, Any]] = record.get("stops") or ()
    return [*before, {"since": since, "until": until, "why": why}][-KEPT:]
