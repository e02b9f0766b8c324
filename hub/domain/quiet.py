"""静默时段: when nothing goes out, or nothing but what its words let through; pure, kept and read in desk.

A period is a document in the list `quiet` of the 全部暂停 switch, so that one read tells a sender of both:
`{id, since, until, reason, passes, by, at}`, once ended by hand with `ended_at`; a nightly one has `nightly`
(`{from, to}`, “22:00”) and holds every night from `since` on. `passes` names what goes out all the same: `urgent`, or
kinds of contents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub import wording
from hub.clock import LATEST, SHANGHAI, local
from hub.domain.content import KINDS
from hub.domain.errors import FieldError, Invalid
from hub.domain.moves import Document

URGENT = "urgent"
PASSES = {URGENT: "标为紧急的", **{key: f"{kind.name}" for key, kind in KINDS.items()}}
LONGEST = timedelta(days=92)
MOST = 60  # periods that are kept; ended ones of long ago give way
LINKED = 30  # periods that follow one another without a gap are one silence, up to so many
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Silence:
    """One stretch in which this does not go out: until when, and why."""

    since: datetime
    until: datetime
    reason: str

    @property
    def words(self) -> str:
        """Why nothing goes out and when it goes on, for a person who looks at one post."""
        end = f"到 {wording.moment(self.until)} 恢复" if self.until < LATEST else "由审核人员解除后恢复"
        return f"静默时段内（{self.reason}），{end}"


# ---- when


def end_of(period: Document) -> datetime:
    """When it ends or ended."""
    until: datetime = period["until"]
    return min(period.get("ended_at") or until, until)


def stretch_at(period: Document, at: datetime) -> tuple[datetime, datetime] | None:
    """The stretch of this period that holds this moment."""
    end = end_of(period)
    if at >= end or not (_is_begun(period) or period["since"] <= at):
        return None
    if not period.get("nightly"):
        return period["since"], end
    begin, close = _night(period["nightly"], at)
    return (max(begin, period["since"]), min(close, end)) if begin <= at < close else None


def _is_begun(period: Document) -> bool:
    """Whether it held from the moment it was declared: then it also holds for a sender whose clock is behind."""
    declared: datetime | None = period.get("at")
    return declared is not None and period["since"] <= declared


def _night(hours: Document, at: datetime) -> tuple[datetime, datetime]:
    """The night that this moment lies in or before whose beginning it lies, over midnight where it must."""
    first, last = time.fromisoformat(hours["from"]), time.fromisoformat(hours["to"])
    day = local(at).date()
    over = last <= first
    if over and local(at).time() < last:
        day -= DAY
    begin, close = _at(day, first), _at(day + DAY if over else day, last)
    return begin, close


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, SHANGHAI).astimezone(UTC)


def lets_pass(period: Document, row: Document) -> bool:
    """Whether this publication goes out all the same."""
    passes = period.get("passes") or ()
    return (URGENT in passes and bool(row.get("urgent"))) or row.get("content_kind") in passes


def silence_at(periods: Iterable[Document], at: datetime, row: Document) -> Silence | None:
    """What keeps this publication in at this moment, to the end of the last of periods that follow one another."""
    against = [period for period in periods if not lets_pass(period, row)]
    found = _longest(against, at)
    for _ in range(LINKED):
        onwards = _longest(against, found.until) if found else None
        if found is None or onwards is None:
            break
        found = Silence(found.since, onwards.until, found.reason)
    return found


def _longest(periods: Iterable[Document], at: datetime) -> Silence | None:
    found = [(stretch, period) for period in periods if (stretch := stretch_at(period, at))]
    if not found:
        return None
    (since, until), period = max(found, key=lambda pair: pair[0][1])
    return Silence(since, until, str(period["reason"]))


def is_shut(periods: Iterable[Document], now: datetime) -> bool:
    """Whether nothing at all goes out now, so that nothing need be taken up."""
    return any(stretch_at(period, now) and not period.get("passes") for period in periods)


def days_of(periods: Iterable[Document], first: date, count: int) -> dict[date, str]:
    """Which of these days are silent, and why; nights are every night's and mark no day."""
    found: dict[date, str] = {}
    for period in periods:
        if period.get("nightly"):
            continue
        for number in range(count):
            day = first + DAY * number
            if period["since"] < _at(day + DAY, time()) and end_of(period) > _at(day, time()):
                found.setdefault(day, str(period["reason"]))
    return found


def last_ended(period: Document, now: datetime) -> tuple[datetime, datetime] | None:
    """Its newest stretch that is over; None where it has not ended yet."""
    if not period.get("nightly"):
        return (period["since"], end_of(period)) if period["since"] < end_of(period) <= now else None
    before = min(now, end_of(period))
    begin, close = _night(period["nightly"], before)
    if close > before:
        begin, close = begin - DAY, close - DAY
    begin = max(begin, period["since"])
    return (begin, close) if begin < close else None


# ---- taking one in


def check_period(since: datetime, until: datetime, reason: str, passes: Sequence[str], now: datetime) -> Document:
    """The fields of a dated period; Invalid names what must change."""
    errors = _errors(reason, passes)
    if until <= since:
        errors.append(FieldError("until", "结束要在开始之后。"))
    elif until <= now:
        errors.append(FieldError("until", "这段时间已经过去。"))
    elif until - since > LONGEST:
        errors.append(FieldError("until", f"一段最长 {LONGEST.days} 天。"))
    if errors:
        raise Invalid("静默时段有几处要修改。", tuple(errors))
    return {"since": max(since, now), "until": until, "reason": reason.strip(), "passes": sorted(set(passes))}


def check_nights(first: str, last: str, reason: str, passes: Sequence[str], now: datetime) -> Document:
    """The fields of a nightly one, which holds until somebody ends it."""
    errors = _errors(reason, passes)
    hours = [_hour(first, "from", errors), _hour(last, "to", errors)]
    if hours[0] == hours[1] and hours[0]:
        errors.append(FieldError("to", "开始和结束不能是同一时刻。"))
    if errors:
        raise Invalid("静默时段有几处要修改。", tuple(errors))
    nightly = {"from": hours[0], "to": hours[1]}
    fields = {"reason": reason.strip(), "passes": sorted(set(passes))}
    return {"since": now, "until": LATEST, "nightly": nightly, **fields}


def _errors(reason: str, passes: Sequence[str]) -> list[FieldError]:
    errors = [] if reason.strip() else [FieldError("reason", "请写一句原因，如：国家公祭日。")]
    return errors + ([] if set(passes) <= set(PASSES) else [FieldError("passes", "请从列出的里面选。")])


def _hour(text: str, name: str, errors: list[FieldError]) -> str:
    try:
        return f"{time.fromisoformat(text):%H:%M}"
    except ValueError:
        errors.append(FieldError(name, "时间的写法是 22:00。"))
        return ""


# ---- in words


def span_words(period: Document) -> str:
    """“12 月 13 日 00:00 到 12 月 14 日 00:00”, “每天 22:00 到次日 07:00”."""
    if period.get("nightly"):
        first, last = period["nightly"]["from"], period["nightly"]["to"]
        return f"每天 {first} 到{'次日' if last <= first else ''} {last}"
    return f"{wording.moment(period['since'])} 到 {wording.moment(end_of(period))}"


def passes_words(period: Document) -> str:
    """What goes out all the same."""
    words = [PASSES[key] for key in period.get("passes") or () if key in PASSES]
    return "、".join(words) if words else "都不发"


def is_over(period: Document, now: datetime) -> bool:
    return end_of(period) <= now


def with_period(periods: Sequence[Document], new: Document) -> list[dict[str, Any]]:
    """The list with this one; the oldest that are over give way."""
    kept = sorted([dict(each) for each in periods], key=end_of)[-(MOST - 1) :]
    return [*kept, dict(new)]
