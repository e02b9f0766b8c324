"""日期与星期: a date whose weekday is another one, a day that does not exist, 明天 that is not tomorrow's date.

A date without a year is the one nearest to the day of writing, unless a year stands before it in the same sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from hub.checks.calendar import WEEKDAYS, Token, month_of, nearest, possible, tokens_of, week_day
from hub.checks.finding import ACKNOWLEDGE, BLOCK, Context, Finding
from hub.domain.personal import plain_signs

RULE = "date_weekday"

_BETWEEN = re.compile(r"[ ]?(?:至|到|-|—|――|~|、|和|及|与|,|或)[ ]?")
_OPEN = re.compile(
    r"[ ]?(?:[上下中]午|晚上?|早上|晨|夜间)?[ ]?[(\[【]?[ ]?"
    r"|,?(?:也就是|就是|即|正好是|恰好是|恰逢|正值|又是|是|为|当天是)[ ]?"
)
_CLAUSE = re.compile(r"[ ]?[,、][ ]?")
_ENDED = re.compile(r"[ ]?(?:[,。;)]|$)")
_SENTENCE = re.compile(r"[。;！!？?\n]")


class _Reading:
    """The days that the dates of one text mean, each read after the ones before it."""

    def __init__(self, text: str, day: date) -> None:
        self.text = plain_signs(text)
        self.day = day
        self.tokens = tokens_of(text, day)
        self.days: dict[Token, date | None] = {}
        self.impossible: list[Token] = []
        before: Token | None = None
        for token in self.tokens:
            if token.kind == "date":
                self._resolve(token, before)
                before = token

    def gap(self, first: Token, second: Token) -> str:
        return self.text[first.end : second.start]

    def _resolve(self, token: Token, before: Token | None) -> None:
        near = before is not None and not _SENTENCE.search(self.gap(before, token))
        last = self.days.get(before) if before is not None and near else None
        if token.month is None:
            self._set(token, self._day_only(token, before if near else None, last))
        elif token.year is not None:
            self._set(token, (token.year, token.month, token.day))
        elif last is not None and before is not None and before.year is not None:
            year = last.year + (1 if token.month < last.month else 0)
            self._set(token, (year, token.month, token.day))
        else:
            day = nearest(token.month, token.day, self.day) if 1 <= token.month <= 12 else None
            self._set(token, (day.year, day.month, day.day) if day else (self.day.year, token.month, token.day))

    def _day_only(self, token: Token, before: Token | None, last: date | None) -> tuple[int, int, int] | None:
        """A day without a month: of the named month, of the date before it, or of the month of writing."""
        if token.shift is not None:
            return (*month_of(token.shift, self.day), token.day)
        if last is not None:
            return (last.year, last.month, token.day)
        if before is not None and before.month is not None:
            return None
        if 1 <= token.day <= 31:
            months = [month_of(shift, self.day) for shift in (-1, 0, 1)]
            days = [date(year, month, token.day) for year, month in months if possible(year, month, token.day)]
            close = min(days, key=lambda each: abs((each - self.day).days), default=None)
            return (close.year, close.month, close.day) if close else None
        return None

    def _set(self, token: Token, parts: tuple[int, int, int] | None) -> None:
        if parts is None:
            self.days[token] = None
        elif possible(*parts):
            self.days[token] = date(*parts)
        else:
            self.days[token] = None
            if "." not in self.text[token.start : token.end]:  # 2026.13.1 may be a version
                self.impossible.append(token)

    # -- which weekday speaks of which date

    def pairs(self) -> Iterator[tuple[Token, Token]]:
        """Each weekday with its date: behind it, in a row of as many, or before it."""
        place = 0
        while place < len(self.tokens):
            dates = self._row(place, "date")
            if not dates:
                yield from self._week_first(place)
                place += 1
                continue
            place += len(dates)
            weeks = self._row(place, "week") if self._joined(dates, place) else []
            if len(weeks) == len(dates):
                yield from zip(dates, weeks, strict=True)
                place += len(weeks)
            elif weeks:
                yield dates[-1], weeks[0]
                place += 1

    def _row(self, place: int, kind: str) -> list[Token]:
        row: list[Token] = []
        for at in range(place, len(self.tokens)):
            token = self.tokens[at]
            if token.kind != kind or (row and not _BETWEEN.fullmatch(self.gap(row[-1], token))):
                break
            row.append(token)
        return row

    def _joined(self, dates: Sequence[Token], place: int) -> bool:
        if place >= len(self.tokens) or self.tokens[place].kind != "week":
            return False
        gap = self.gap(dates[-1], self.tokens[place])
        inside = self.text[max(0, dates[0].start - 1) : dates[0].start] in ("(", "【", "[")
        closed = inside or _ENDED.match(self.text, self.tokens[place].end)
        return bool(_OPEN.fullmatch(gap) or (closed and _CLAUSE.fullmatch(gap)))

    def _week_first(self, place: int) -> Iterator[tuple[Token, Token]]:
        week, rest = self.tokens[place], self.tokens[place + 1 : place + 3]
        if week.kind != "week" or not rest or rest[0].kind != "date":
            return
        gap = self.gap(week, rest[0])
        ranged = place > 0 and _BETWEEN.fullmatch(self.gap(self.tokens[place - 1], week)) is not None
        bracket = re.fullmatch(r"[ ]?[(\[【][ ]?", gap)
        clause = _CLAUSE.fullmatch(gap) and not ranged and not self._has_week(rest)
        if bracket or clause:
            yield rest[0], week

    def _has_week(self, rest: Sequence[Token]) -> bool:
        return len(rest) > 1 and rest[1].kind == "week" and bool(_OPEN.fullmatch(self.gap(rest[0], rest[1])))


def _words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _weekday(text: str, pair: tuple[Token, Token], day: date | None) -> Finding | None:
    week = pair[1]
    if day is None or day.weekday() == week.weekday:
        return None
    right = f"{week.prefix}{WEEKDAYS[day.weekday()]}"
    start = week.end - len(week.prefix) - 1
    named = f"{right}（{week.prefix}天）" if right.endswith("日") else right
    message = f"{_words(day)}是{named}，不是{text[start : week.end]}。请核对日期和星期。"
    return Finding(RULE, BLOCK, start, week.end, text[start : week.end], message, right)


def _impossible(text: str, token: Token) -> Finding:
    piece = text[token.start : token.end]
    return Finding(RULE, BLOCK, token.start, token.end, piece, f"没有“{piece}”这一天。请核对日期。")


def _relative(text: str, reading: _Reading) -> Iterator[Finding]:
    """明天（11月25日）, 本周五（11月27日）: the date in brackets must be that day."""
    for first, second in zip(reading.tokens, reading.tokens[1:], strict=False):
        if second.kind != "date" or first.kind == "date" or first.shift is None or second.month is None:
            continue
        day = reading.days.get(second)
        if day is None or not re.fullmatch(r"[ ]?[(\[【][ ]?", reading.gap(first, second)):
            continue
        if first.kind == "relative":
            right = reading.day + timedelta(days=first.shift)
        else:
            right = week_day(first.shift, first.weekday, reading.day)
        same_weekday = first.kind == "relative" or day.weekday() == first.weekday
        if right != day and same_weekday:
            named, piece = text[first.start : first.end], text[second.start : second.end]
            wanted = f"{right.month}月{right.day}日"
            message = f"按写稿日期，{named}是{wanted}，不是{piece}。请核对。"
            yield Finding(RULE, ACKNOWLEDGE, second.start, second.end, piece, message, wanted)


def check(text: str, context: Context) -> Iterator[Finding]:
    """Findings in the order of their kinds: impossible days, weekdays, words like 明天."""
    reading = _Reading(text, context.day)
    for token in reading.impossible:
        yield _impossible(text, token)
    for pair in reading.pairs():
        if finding := _weekday(text, pair, reading.days.get(pair[0])):
            yield finding
    yield from _relative(text, reading)
