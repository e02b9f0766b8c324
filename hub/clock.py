"""The clock: now, waiting and the office's local time; working hours and holidays live in hub.domain.

Every other module is handed a clock. Nothing else in the project asks the machine for the time, so that a test, the
simulation and a replay can move it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def to_milliseconds(moment: datetime) -> datetime:
    """The moment in UTC, cut to whole milliseconds: the one precision that every store keeps."""
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset means nothing")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """A moment that came from outside, in UTC; ValueError without an offset, or in a year none of our records has.

    The bounds leave room on both sides: no time zone, day's start or month of a page carries such a moment off the
    calendar, which would raise in every list that holds it.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset means nothing")
    try:
        found = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment beyond the calendar") from None
    if not EARLIEST <= found < LATEST:
        raise ValueError("a moment in no year of ours")
    return found


def local(moment: datetime) -> datetime:
    """The moment as the office's people read it (Asia/Shanghai)."""
    return moment.astimezone(SHANGHAI)


class Clock(Protocol):
    """What the project knows of time."""

    def now(self) -> datetime:
        """This moment, aware, in UTC, whole milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give way to others for this long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return to_milliseconds(datetime.now(UTC))

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class PacedClock:
    """Time that passes `rate` times as quickly: at the machine's second `since` it was `shown` (seconds since 1970).

    The same for every process that is given the same three numbers; for demonstrations that must not wait for life.
    """

    def __init__(self, rate: float, since: float, shown: float) -> None:
        self._rate, self._since, self._shown = rate, since, shown

    @classmethod
    def of(cls, pace: str) -> PacedClock:
        """`rate@since=shown`; ValueError where it is none."""
        rate, _, moments = pace.partition("@")
        since, _, shown = moments.partition("=")
        if not 1 <= float(rate) <= 1000:
            raise ValueError("a pace is from 1 to 1000")
        return cls(float(rate), float(since), float(shown))

    def now(self) -> datetime:
        return to_milliseconds(datetime.fromtimestamp(self._shown + (time.time() - self._since) * self._rate, UTC))

    def monotonic(self) -> float:
        return time.monotonic() * self._rate

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self._rate)


class SetClock:
    """A clock that stands still until it is moved; for tests, replays and demonstrations."""

    def __init__(self, at: datetime) -> None:
        self._now = to_milliseconds(at)
        self._elapsed = 0.0
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        self._waiting.append((self._elapsed + seconds, event))
        await event.wait()

    def move(self, by: timedelta | float) -> None:
        """Let time pass, and wake whoever waited for less than this."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._now = to_milliseconds(self._now + step)
        self._elapsed += step.total_seconds()
        due = [event for at, event in self._waiting if at <= self._elapsed]
        self._waiting = [(at, event) for at, event in self._waiting if at > self._elapsed]
        for event in due:
            event.set()

    def jump(self, to: datetime) -> None:
        """Set the wall clock alone, forwards or back, as an administrator or a time server would."""
        self._now = to_milliseconds(to)
