"""推迟: how far a document's next move was put off, in rounds, so that a time that no right clock gives is seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

APART = timedelta(minutes=5)  # how far two right clocks may stand apart, and a round of looks besides
# A turn or a pause, a failed try, a quota of the hour, one of the day. Rounds and not the span itself: what is too far
# is then found along an index.
ROUNDS = (timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24))


def put_off(fields: Mapping[str, Any], now: datetime) -> dict[str, int | None]:
    """What to write beside a next try (`not_before`) or a next look (`look_at`); where neither is set, nothing is put
    off any more."""
    next_one = fields.get("look_at") or fields.get("not_before")
    return {"put_off": None if next_one is None else round_of(next_one, now)}


def look_in(wait: timedelta, now: datetime) -> dict[str, Any]:
    """The next look, so far away."""
    return {"look_at": now + wait, "put_off": round_of(now + wait, now)}


def round_of(next_one: datetime, now: datetime) -> int | None:
    """The round in minutes, by the one clock that gave both moments; None beyond the last: a time that a person set."""
    return next((minutes_of(step) for step in ROUNDS if next_one - now <= step), None)


def minutes_of(step: timedelta) -> int:
    return int(step.total_seconds() // 60)
