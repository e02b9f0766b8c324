"""授权的期限: when a person is warned that an account's authorisation ends, and in which words; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

WARNINGS = (7, 3, 1)  # days before its end, each told once
ENDED = 0


def step_of(until: datetime | None, now: datetime) -> int | None:
    """The warning that this moment falls under: 7, 3, 1, or 0 once it has ended; None where there is time."""
    if until is None:
        return None
    left = until - now
    if left <= timedelta(0):
        return ENDED
    return min((days for days in WARNINGS if left <= timedelta(days=days)), default=None)


def is_new(step: int | None, warned: int | None) -> bool:
    """Whether this warning has not been given yet; a later one takes the place of those that were slept through."""
    return step is not None and (warned is None or step < warned)


def left_in_words(until: datetime, now: datetime) -> str:
    """还剩 2 天 3 小时."""
    left = max(until - now, timedelta(0))
    days, hours = left.days, left.seconds // 3600
    if not days:
        return f"还剩 {hours} 小时" if hours else "不到 1 小时"
    return f"还剩 {days} 天 {hours} 小时" if hours else f"还剩 {days} 天"
