"""会话与锁定: when a session still holds, how long a failed sign-in makes wait; storing and comparing live elsewhere.

Three counts are kept of failures: the pair of login and address locks; the login over all addresses only slows down,
so that nobody can lock another out; the address alone is turned away for a while after many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

SLOW_AFTER = 5  # failures over the whole user before answers grow slow
SLOWEST = 8.0  # seconds
WINDOW = timedelta(minutes=15)
SECOND_TRIES = 5
SEEN_EVERY = timedelta(minutes=1)  # a session's last use is written no more often


class Count(StrEnum):
    """What failures are counted over."""

    PAIR = "pair"
    USER = "user"
    ADDRESS = "address"


@dataclass(frozen=True)
class Limits:
    """The policy's figures for sign-in and sessions."""

    failures: int = 5
    lock: timedelta = timedelta(minutes=15)
    address_failures: int = 30
    idle: timedelta = timedelta(minutes=30)
    whole: timedelta = timedelta(hours=12)
    confirmed: timedelta = timedelta(minutes=10)
    password_days: int = 90


def is_over(count: Mapping[str, Any] | None, now: datetime, window: timedelta) -> bool:
    """Whether these failures are too old to count."""
    return count is None or (count["at"] + window <= now and (count.get("until") or now) <= now)


def locked_for(count: Mapping[str, Any] | None, now: datetime) -> int:
    """Seconds until this lock opens; 0: it is open."""
    until = (count or {}).get("until")
    return 0 if until is None or until <= now else max(1, int((until - now).total_seconds()))


def allowed(kind: Count, limits: Limits) -> int | None:
    """How many failures this count bears; None: it never locks."""
    return {Count.PAIR: limits.failures, Count.USER: None, Count.ADDRESS: limits.address_failures}[kind]


def slow_by(failures: int) -> float:
    """Seconds to wait before the answer, after this many failures over the whole user."""
    return 0.0 if failures < SLOW_AFTER else min(SLOWEST, 0.5 * 2.0 ** (failures - SLOW_AFTER))


class Wants(StrEnum):
    """What a session lacks before it can be worked with."""

    SECOND = "second"  # the code of the second factor
    ENROL = "enrol"  # a second factor at all
    PASSWORD = "password"  # a new password  # noqa: S105


def holds(session: Mapping[str, Any], user: Mapping[str, Any] | None, now: datetime, limits: Limits) -> bool:
    """Whether the session still stands for its user; a changed password, role or state of the user ends it at once."""
    if user is None or user.get("disabled") or session.get("ended_at") is not None:
        return False
    if session["epoch"] != user.get("epoch", 0) or session["created_at"] > now + limits.idle:
        return False
    return bool(now - session["seen_at"] < limits.idle and now - session["created_at"] < limits.whole)


def wants(
    session: Mapping[str, Any], user: Mapping[str, Any], now: datetime, limits: Limits, *, second: bool
) -> Wants | None:
    """What is missing; `second`: whether the policy asks everybody for a second factor."""
    if user.get("totp") and not session.get("second"):
        return Wants.SECOND
    if user.get("must_change") or password_is_old(user, now, limits):
        return Wants.PASSWORD
    return Wants.ENROL if second and not user.get("totp") else None


def password_is_old(user: Mapping[str, Any], now: datetime, limits: Limits) -> bool:
    """Whether the policy asks for a new password by now."""
    at = user.get("password_at")
    return limits.password_days > 0 and at is not None and now - at >= timedelta(days=limits.password_days)


def is_confirmed(session: Mapping[str, Any], now: datetime, limits: Limits) -> bool:
    """Whether the password was given (again) a short while ago: asked before sensitive changes."""
    at = session.get("confirmed_at")
    return at is not None and bool(timedelta(0) <= now - at < limits.confirmed)


def to_be_seen(session: Mapping[str, Any], now: datetime) -> bool:
    """Whether this use is worth a write."""
    return bool(now - session["seen_at"] >= SEEN_EVERY)
