"""看板的数: sums, usual bands and steps of warmth out of counted rows; where the rows come from lives in the desk."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.clock import local

Row = Mapping[str, Any]

BEFORE = 4  # how many earlier stretches say what is usual
WARM, HOT, VERY_HOT = 1.0, 2.5, 5.0  # spreads above the usual at which a cell warms by a step
RISEN = 1.5  # how many times its earlier share a word must have to be called rising
UNSAID = "未写明"


@dataclass(frozen=True)
class Span:
    """A stretch of time [start, end) cut into buckets of `step`."""

    start: datetime
    end: datetime
    step: timedelta

    def buckets(self) -> list[datetime]:
        count = math.ceil((self.end - self.start) / self.step)
        return [self.start + self.step * number for number in range(count)]

    def place(self, at: datetime) -> int | None:
        """The number of the bucket that holds this moment; None outside."""
        return int((at - self.start) / self.step) if self.start <= at < self.end else None

    def before(self, times: int) -> Span:
        """The same stretch earlier by whole weeks, so that hours and weekdays fit; stretches never overlap."""
        back = timedelta(weeks=math.ceil((self.end - self.start) / timedelta(weeks=1))) * times
        return Span(self.start - back, self.end - back, self.step)

    def earlier(self) -> list[Span]:
        """The stretches that say what is usual."""
        return [self.before(times) for times in range(1, BEFORE + 1)]


@dataclass(frozen=True)
class Curve:
    """One line over the buckets with what is usual there: counts, negatives, and the band's two edges."""

    at: tuple[datetime, ...]
    total: tuple[int, ...]
    negative: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Cell:
    """One cell of the heat table: its count, what is usual, and its step 0..3 of warmth."""

    count: int
    usual: float
    step: int


def span_of(until: datetime, hours: int) -> Span:
    """The stretch that ends with the running hour: hours for a day, six hours for a week, days beyond."""
    step = timedelta(hours=1) if hours <= 24 else timedelta(hours=6) if hours <= 168 else timedelta(days=1)
    here = local(until).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if step > timedelta(hours=1):
        over = here.hour % 6 if step < timedelta(days=1) else here.hour
        here += step - timedelta(hours=over) if over else timedelta()
    end = here.astimezone(until.tzinfo)
    return Span(end - timedelta(hours=hours), end, step)


def _weight(row: Row) -> int:
    return int(row["count"])


def curve(rows: Iterable[Row], span: Span) -> Curve:
    """Counts per bucket, beside the mean and spread of the same buckets in the weeks before."""
    rows = list(rows)
    total, negative = _counts(rows, span), _counts([row for row in rows if row["sentiment"] == "neg"], span)
    earlier = [_counts(rows, before) for before in span.earlier()]
    known = [week for week in earlier if any(week)]
    bands = [_band([week[number] for week in known]) for number in range(len(total))]
    return Curve(
        tuple(span.buckets()), tuple(total), tuple(negative), tuple(b[0] for b in bands), tuple(b[1] for b in bands)
    )


def _counts(rows: Iterable[Row], span: Span) -> list[int]:
    counts = [0] * len(span.buckets())
    for row in rows:
        place = span.place(row["at"])
        if place is not None:
            counts[place] += _weight(row)
    return counts


def _band(earlier: Sequence[int]) -> tuple[float, float]:
    """Mean ± one spread, the spread never below that of chance alone (the root of the mean)."""
    if not earlier:
        return 0.0, 0.0
    mean = sum(earlier) / len(earlier)
    spread = max(math.sqrt(sum((count - mean) ** 2 for count in earlier) / len(earlier)), math.sqrt(mean))
    return max(0.0, mean - spread), mean + spread


def usual_total(rows: Iterable[Row], span: Span) -> float | None:
    """The mean count of the same stretch in the weeks before; None where nothing is known of them."""
    rows = list(rows)
    sums = [sum(_counts(rows, before)) for before in span.earlier()]
    known = [total for total in sums if total]
    return sum(known) / len(known) if known else None


def share(rows: Iterable[Row], start: datetime, end: datetime) -> float | None:
    """The negative part of what was said in this stretch; None where nothing was."""
    inside = [row for row in rows if start <= row["at"] < end]
    total = sum(map(_weight, inside))
    return sum(_weight(row) for row in inside if row["sentiment"] == "neg") / total if total else None


def step_of(count: int, usual: float) -> int:
    """How far above the usual, 0 usual, 1 a little, 2 high, 3 very high. Small counts stay cool."""
    if count < 3:
        return 0
    distance = (count - usual) / math.sqrt(max(usual, 1.0))
    return sum(distance >= edge for edge in (WARM, HOT, VERY_HOT))


def direction(people: int, of: int, before: int, of_before: int) -> str:
    """新、升、降、平: how a word's people changed, out of all replies looked at; empty where nothing came before."""
    if not of or not of_before:
        return ""
    if not before:
        return "新"
    change = (people / of) / (before / of_before)
    return "升" if change >= RISEN else "降" if change <= 1 / RISEN else "平"


def heat(
    rows: Iterable[Row], span: Span, channels: Sequence[str], districts: Sequence[str]
) -> dict[str, dict[str, Cell]]:
    """channel -> district -> cell; what names no district stands under 未写明, so that the sums agree."""
    rows = list(rows)
    now: dict[tuple[str, str], int] = defaultdict(int)
    then: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        district = row.get("district") if row.get("district") in districts else UNSAID
        place = now if span.start <= row["at"] < span.end else then if row["at"] < span.start else None
        if place is not None:
            place[(str(row["channel"]), str(district))] += _weight(row)
    known = max(1, sum(any(_counts(rows, before)) for before in span.earlier()))

    def cell(channel: str, district: str) -> Cell:
        count, usual = now[(channel, district)], then[(channel, district)] / known
        return Cell(count, usual, step_of(count, usual))

    return {channel: {district: cell(channel, district) for district in (*districts, UNSAID)} for channel in channels}
