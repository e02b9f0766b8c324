"""锁定: counting failed sign-ins so that a password cannot be guessed; the rules stand in domain.session.

A try is counted before the password is looked at, so that many tries at one instant are still only as many as allowed.
Logins and addresses are kept as keyed fingerprints only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.domain.errors import TooMany
from hub.domain.session import WINDOW, Count, Limits, allowed, is_over, locked_for, slow_by
from hub.store.base import Document

TABLE = "lockouts"
_SLOW_WINDOW = WINDOW * 16


def fingerprint(desk: Desk, kind: Count, *parts: str) -> str:
    """The lockouts id of this count."""
    return desk.sealer.index("\0".join((kind, *parts)), purpose="lockout")


def _counts(desk: Desk, login: str, address: str) -> dict[Count, str]:
    return {
        Count.ADDRESS: fingerprint(desk, Count.ADDRESS, address),
        Count.PAIR: fingerprint(desk, Count.PAIR, login, address),
        Count.USER: fingerprint(desk, Count.USER, login),
    }


async def admit(desk: Desk, login: str, address: str, limits: Limits) -> None:
    """Count one try; raises TooMany where a count is full, and waits where the whole user has failed often."""
    counts = _counts(desk, login, address)
    for kind, id in counts.items():
        seconds = locked_for(await desk.store.get(TABLE, id), desk.clock.now())
        if seconds:
            raise _locked(kind, seconds)
    failures = 0
    for kind, id in counts.items():
        count = await _count(desk, id, kind)
        failures = int(count["failures"])
        await _lock_when_full(desk, kind, count, limits)
    if failures > 1:
        await desk.clock.sleep(slow_by(failures - 1))


def _locked(kind: Count, seconds: int) -> TooMany:
    minutes = max(1, round(seconds / 60))
    if kind is Count.PAIR:
        return TooMany(f"连续输错次数过多，请 {minutes} 分钟后再试，或请安全管理员重设口令。", seconds)
    return TooMany(f"这里的登录失败次数过多，请 {minutes} 分钟后再试。", seconds)


async def _count(desk: Desk, id: str, kind: Count) -> Document:
    now = desk.clock.now()
    window = _SLOW_WINDOW if kind is Count.USER else WINDOW
    old = await desk.store.get(TABLE, id)
    if old is not None and is_over(old, now, window):
        same = {"_id": id, "at": old["at"]}
        await desk.store.change(TABLE, same, {"$set": {"failures": 0, "until": None, "at": now}})
    born: dict[str, Any] = {"kind": kind.value, "until": None}
    update: dict[str, dict[str, Any]] = {"$inc": {"failures": 1}, "$set": {"at": now}, "$setOnInsert": born}
    counted = await desk.store.change(TABLE, {"_id": id}, update, upsert=True)
    if counted is None:
        raise RuntimeError("an upsert gave nothing back")
    return counted


async def _lock_when_full(desk: Desk, kind: Count, count: Document, limits: Limits) -> None:
    """Lock at the last allowed try already: if it succeeds, `forgive` opens again; beyond it, refuse."""
    bears = allowed(kind, limits)
    if bears is None or count["failures"] < bears:
        return
    now: datetime = desk.clock.now()
    until = now + limits.lock
    await desk.store.change(TABLE, {"_id": count["_id"], "until": None}, {"$set": {"until": until}})
    if count["failures"] > bears:
        raise _locked(kind, int(limits.lock.total_seconds()))


async def forgive(desk: Desk, login: str, address: str) -> None:
    """The try succeeded: pair and user start anew, the address gets this one back."""
    counts = _counts(desk, login, address)
    clean: dict[str, Any] = {"failures": 0, "until": None}
    for kind in (Count.PAIR, Count.USER):
        await desk.store.change(TABLE, {"_id": counts[kind]}, {"$set": clean})
    back: dict[str, dict[str, Any]] = {"$inc": {"failures": -1}, "$set": {"until": None}}
    await desk.store.change(TABLE, {"_id": counts[Count.ADDRESS], "failures": {"$gt": 0}}, back)
