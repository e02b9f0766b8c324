"""How times, spans and figures are written for people, in Chinese and in the office's time zone; no template, no page.

Every moment handed in is aware; it is turned to Asia/Shanghai here and nowhere later.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import ceil

from hub.clock import SHANGHAI, local

WEEKDAYS = "一二三四五六日"
SIZE_UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))
NOTHING = "—"  # what stands where there is no value


def day(moment: datetime | date) -> str:
    """“11 月 24 日”; the year is left to `full_day`, because on a desk it is nearly always this one."""
    when = _local_date(moment)
    return f"{when.month} 月 {when.day} 日"


def full_day(moment: datetime | date) -> str:
    """“2026 年 11 月 24 日”."""
    when = _local_date(moment)
    return f"{when.year} 年 {day(when)}"


def weekday(moment: datetime | date) -> str:
    """“星期二”."""
    return f"星期{WEEKDAYS[_local_date(moment).weekday()]}"


def short_day(moment: datetime | date) -> str:
    """“11-24”, for the narrow column of a list."""
    return _local_date(moment).strftime("%m-%d")


def iso_day(moment: datetime | date) -> str:
    """“2026-11-24”, for meta tags and citizens' pages."""
    return _local_date(moment).isoformat()


def hour(moment: datetime) -> str:
    """“09:16”."""
    return local(moment).strftime("%H:%M")


def second(moment: datetime) -> str:
    """“09:16:20”."""
    return local(moment).strftime("%H:%M:%S")


def moment(value: datetime) -> str:
    """“11 月 24 日 09:16”."""
    return f"{day(value)} {hour(value)}"


def short_moment(value: datetime) -> str:
    """“11-24 09:16”."""
    return f"{short_day(value)} {hour(value)}"


def full_moment(value: datetime) -> str:
    """“2026-11-24 09:16”, what a published page shows and what the government meta tag PubDate wants."""
    return f"{iso_day(value)} {hour(value)}"


def stamp(value: datetime) -> str:
    """The machine-readable form for <time datetime>, with the office's offset."""
    return local(value).isoformat(timespec="seconds")


def near(value: datetime, now: datetime) -> str:
    """The shortest form that is still clear beside `now`: “09:16”, “昨天 17:06”, “11-20 15:12”, “2025-11-20 15:12”."""
    apart = (_local_date(now) - _local_date(value)).days
    words = {0: "", 1: "昨天 ", -1: "明天 "}
    if apart in words:
        return f"{words[apart]}{hour(value)}"
    same_year = _local_date(now).year == _local_date(value).year
    return short_moment(value) if same_year else full_moment(value)


def brief(value: datetime, now: datetime) -> str:
    """`near` for a narrow column: “08:30”, “昨 17:00”, “明 09:00”, “11-20 15:12”."""
    return near(value, now).replace("昨天", "昨").replace("明天", "明")


def megabytes(octets: int) -> str:
    """“12.4 MB”, “640 KB”: in the units that platforms state limits of pictures in (1 MB = 1024 KB), rounded up."""
    if octets >= 1 << 20:
        return f"{ceil(octets * 10 / (1 << 20)) / 10:.1f} MB"
    return f"{ceil(octets / 1024)} KB"


def span(value: timedelta | float, *, most: int = 2) -> str:
    """“4 时 44 分”: the two largest units that say something, seconds only under a minute; no sign."""
    seconds = int(abs(value.total_seconds() if isinstance(value, timedelta) else value))
    if seconds < 60:
        return f"{seconds} 秒"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "天"), (hours, "时"), (rest // 60, "分")]
    said = [f"{count} {unit}" for count, unit in _from_first(parts)[:most] if count]
    return " ".join(said)


def number(value: float | None, digits: int = 0) -> str:
    """“1,286”; with `digits` decimals when asked."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one as “33.2%”."""
    return NOTHING if share is None else f"{share * 100:.{digits}f}%"


def size(octets: int) -> str:
    """“12.4 MB”, in the decimal units that platforms state their limits in."""
    for unit, name in SIZE_UNITS:
        if octets >= unit:
            return f"{octets / unit:.1f} {name}".replace(".0 ", " ")
    return f"{octets} 字节"


def fingerprint(digest: str) -> str:
    """The first twelve signs of a hash in groups of four, enough to compare two by eye."""
    return " ".join(digest[start : start + 4] for start in range(0, min(len(digest), 12), 4))


def _from_first(parts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return parts[first:]


def _local_date(value: datetime | date) -> date:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment without an offset means nothing")
        return value.astimezone(SHANGHAI).date()
    return value
