"""日期词: dates, weekdays and words like 明天 as tokens, and the day each means; judging is date_weekday's."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from hub.domain.personal import plain_signs

WEEKDAYS = "一二三四五六日"
_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "两": 2}
_RELATIVE = {"大前天": -3, "前天": -2, "前日": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1, "明日": 1,
             "后天": 2, "大后天": 3}  # fmt: skip
_YEARS = {"前年": -2, "去年": -1, "上年": -1, "今年": 0, "本年": 0, "明年": 1, "来年": 1, "后年": 2}
_MONTHS = {"上月": -1, "上个月": -1, "本月": 0, "这个月": 0, "当月": 0, "下月": 1, "下个月": 1}
_WEEKS = {"上": -1, "本": 0, "这": 0, "下": 1, "": None}

_N = r"(?:\d{1,3}|[〇零一二三四五六七八九十廿]{1,4})"
_TOKEN = re.compile(
    rf"""(?P<date>(?:(?P<year>\d{{4}}|[〇零○一二三四五六七八九]{{4}})年|(?P<word>{"|".join(_YEARS)})的?)?[ ]?
              (?P<month>(?<![\d.\-第个零一二三四五六七八九十]){_N})[ ]?月[ ]?(?P<day>{_N})[ ]?[日号](?!线|楼|院|店|门))
      |(?P<plain>(?<![\d.\-/])(?P<pyear>(?:19|20)\d\d)(?P<sep>[-./])(?P<pmonth>\d{{1,2}})(?P=sep)
              (?P<pday>\d{{1,2}})(?![\d.\-/]))
      |(?P<only>(?:(?P<mword>{"|".join(_MONTHS)})[ ]?)?(?<![\d.\-第零一二三四五六七八九十])
              (?P<oday>{_N})[ ]?[日号](?!线|楼|院|店|门))
      |(?P<week>(?P<which>[上本这下])?个?(?P<prefix>星期|礼拜|周)(?P<weekday>[一二三四五六日天])(?![年报刊期]))
      |(?P<relative>{"|".join(sorted(_RELATIVE, key=len, reverse=True))})""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One date (`year` None: not written), weekday or relative day, with its place in the text."""

    kind: str  # date, week, relative
    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int = 0
    shift: int | None = None  # of months (本月 0), weeks (本周 0) or days (明天 1)
    weekday: int = 0  # Monday 0
    prefix: str = ""


def number(text: str) -> int:
    """A number below 100 in digits or Chinese signs."""
    if text.isdigit() and text.isascii():
        return int(text)
    text = text.replace("廿", "二十")
    if "十" in text:
        tens, _, ones = text.partition("十")
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones[:1], 0) if ones else 0)
    return int("".join(str(_DIGITS[sign]) for sign in text))


def _date(match: re.Match[str], day: date) -> Token:
    year: int | None = None
    if match["year"]:
        year = number(match["year"])
    elif match["word"]:
        year = day.year + _YEARS[match["word"]]
    return Token("date", match.start(), match.end(), year, number(match["month"]), number(match["day"]))


def _token(match: re.Match[str], day: date) -> Token:
    start, end = match.span()
    if match["date"]:
        return _date(match, day)
    if match["plain"]:
        return Token("date", start, end, int(match["pyear"]), int(match["pmonth"]), int(match["pday"]))
    if match["only"]:
        shift = _MONTHS[match["mword"]] if match["mword"] else None
        return Token("date", start, end, day=number(match["oday"]), shift=shift)
    if match["week"]:
        weekday = WEEKDAYS.index(match["weekday"].replace("天", "日"))
        week = _WEEKS[match["which"] or ""]
        return Token("week", start, end, shift=week, weekday=weekday, prefix=match["prefix"])
    return Token("relative", start, end, shift=_RELATIVE[match["relative"]])


def tokens_of(text: str, day: date) -> list[Token]:
    """Every date word of the text in order; `day` is the day of writing."""
    return [_token(match, day) for match in _TOKEN.finditer(plain_signs(text))]


def possible(year: int, month: int, day: int) -> bool:
    """Whether there is such a day."""
    return 1 <= month <= 12 and 1 <= year <= 9999 and 1 <= day <= monthrange(year, month)[1]


def nearest(month: int, day: int, to: date) -> date | None:
    """The day of this month and date that lies nearest to `to`; None where there is none in three years."""
    days = [date(year, month, day) for year in (to.year - 1, to.year, to.year + 1) if possible(year, month, day)]
    return min(days, key=lambda each: abs((each - to).days), default=None)


def month_of(shift: int, to: date) -> tuple[int, int]:
    """Year and month, so many months from `to`."""
    months = to.year * 12 + to.month - 1 + shift
    return months // 12, months % 12 + 1


def week_day(shift: int, weekday: int, to: date) -> date:
    """The weekday of the week that lies `shift` weeks from that of `to` (weeks begin on Monday)."""
    return to - timedelta(days=to.weekday()) + timedelta(days=7 * shift + weekday)
