"""按日期: the days that a list shows, read from its address and said in words; which rows they hold is desk's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sanic import Request

from hub import wording
from hub.clock import SHANGHAI, local
from hub.desk.overview import Stretch
from hub.domain.errors import FieldError, Invalid

LONGEST = 366  # days
DAY = timedelta(days=1)
TODAY, TWO, COMING, CHOSEN = "today", "two", "coming", "chosen"
WORDS = {TODAY: "今天", TWO: "昨天至今天", COMING: "今天起"}


@dataclass(frozen=True)
class Days:
    """Whole days of the office: from the first to the last; no last: open. `kind` is the entry that was chosen."""

    kind: str
    first: date
    last: date | None
    usual: bool = True  # the page's own choice, which needs no words in the address

    @property
    def stretch(self) -> Stretch:
        return Stretch(_midnight(self.first), _midnight(self.last + DAY) if self.last else None)

    @property
    def words(self) -> str:
        """“11 月 23 日—24 日”."""
        if self.last is None:
            return f"{wording.day(self.first)}起"
        if self.first == self.last:
            return wording.day(self.first)
        same = (self.first.year, self.first.month) == (self.last.year, self.last.month)
        return f"{wording.day(self.first)}—{f'{self.last.day} 日' if same else wording.day(self.last)}"

    @property
    def kept(self) -> Mapping[str, str]:
        """What the address says of it; nothing where it is the page's own choice."""
        if self.usual:
            return {}
        if self.kind != CHOSEN or self.last is None:
            return {"days": self.kind}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def days_of(request: Request, now: datetime, usual: str = TWO) -> Days:
    """What the address asks for: `from` and `to`, or `days`; else the usual one. Invalid for what is no date."""
    today = local(now).date()
    given = [request.args.get(name) or "" for name in ("from", "to")]
    if any(given):
        first, last = (_day(text, name) for text, name in zip(given, ("from", "to"), strict=True))
        return _chosen(first or last or today, last or first or today)
    kind = request.args.get("days") or ""
    found = named(kind if kind in WORDS else usual, today)
    return Days(found.kind, found.first, found.last, usual=kind not in WORDS or kind == usual)


def named(kind: str, today: date) -> Days:
    first = today - DAY if kind == TWO else today
    return Days(kind, first, None if kind == COMING else today, usual=False)


def _chosen(first: date, last: date) -> Days:
    first, last = sorted((first, last))
    if (last - first).days >= LONGEST:
        raise Invalid("一次最多看一年。", (FieldError("from", "两个日期相隔请不超过一年。"),))
    return Days(CHOSEN, first, last, usual=False)


def _day(text: str, name: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
        _midnight(found + DAY)
    except (ValueError, OverflowError):
        raise Invalid("日期的写法是 2026-11-24。", (FieldError(name, "日期的写法是 2026-11-24。"),)) from None
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def moment_of(text: str) -> datetime:
    """What a field of date and time holds, meant as the office's own time; Invalid where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("请选一个日期和时间。", (FieldError("at", "请选日期和时间，如 2026-11-24 09:00。"),)) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        raise Invalid("请选一个日期和时间。", (FieldError("at", "这个日期太远了。"),)) from None
