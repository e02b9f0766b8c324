"""历: which days the State Council made free or working, and the lunar day beside a date; the tables are libraries'.

The holidays of a year are known once they are announced, in the autumn before. After `KNOWN_UNTIL` only weekends are
free, until the library is brought up to date.
"""

from __future__ import annotations

from datetime import date

from borax.calendars.lunardate import LunarDate
from chinese_calendar import holidays, workdays

from hub.domain.working_time import Calendar

CALENDAR = Calendar(holidays=frozenset(holidays), made_up=frozenset(workdays))
KNOWN_UNTIL = date(max(holidays).year, 12, 31)


def day_name(day: date) -> str:
    """What stands beside a day's number: its solar term, else the lunar day, on a first the month; "" beyond 2100."""
    lunar = _lunar(day)
    return str(lunar.term or lunar.cn_day_calendar) if lunar else ""


def lunar_date(day: date) -> str:
    """“农历十月十六”; "" beyond 2100."""
    lunar = _lunar(day)
    return f"农历{'闰' if lunar.leap else ''}{lunar.cn_month}月{lunar.cn_day}" if lunar else ""


def _lunar(day: date) -> LunarDate | None:
    try:
        return LunarDate.from_solar(day)
    except ValueError:  # outside the library's table
        return None
