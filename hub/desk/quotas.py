"""额度的计数: counts calls under each account's quotas, durably and before they are made, and says what is left.

One row per account, quota and period, taken by a compare-and-set below the limit: however many workers call, together
they never make more. Channels are handed a `StoredMeter` by the wiring and know nothing of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.contract import Quota
from channels.surroundings import Quotas, Spent
from hub.desk.desk import Desk, connected
from hub.domain.people import Actor
from hub.domain.quota import PERIODS, Left, believed_until, end_of, row_of, spent_words, start_of
from hub.domain.rights import require
from hub.store.base import Document, Unreachable, Unsure

TABLE = "quotas"
TO_GO = ("scheduled", "waiting", "staging", "sending")
APART = 5  # seconds by which a clock's distance changes before it is written anew
NOT_COUNTED = Spent("", "现在记不了平台的调用次数，稍后自动再试", timedelta(minutes=1))


@dataclass
class StoredMeter:
    """One account's counts in the store. A store that fails lets nothing out, and turns no answer into an error."""

    desk: Desk
    account: str
    ahead: int | None = None  # seconds of the platform's clock, as last written

    async def take(self, quotas: Quotas) -> Sequence[str] | Spent:
        taken: list[str] = []
        try:
            for name, quota in _narrow_first(quotas):
                found = await _take(self.desk, self.account, name, quota)
                if isinstance(found, Spent):
                    await self.give_back(taken)
                    return found
                taken.append(found)
        except (Unreachable, Unsure):
            return NOT_COUNTED
        return taken

    async def give_back(self, taken: Sequence[str]) -> None:
        try:
            for row in taken:
                await self.desk.store.change(TABLE, {"_id": row, "used": {"$gt": 0}}, {"$inc": {"used": -1}})
        except (Unreachable, Unsure):
            return  # counted too high until the period's end: on the safe side

    async def clock(self, ahead: timedelta) -> None:
        """Written only where it changes: clocks of platforms stand right nearly always."""
        seconds = round(ahead.total_seconds())
        if self.ahead is not None and abs(seconds - self.ahead) < APART:
            return
        try:
            fields = {"$set": {"clock_ahead": seconds}}
            await self.desk.store.change("accounts", {"_id": self.account, "clock_ahead": {"$ne": seconds}}, fields)
            self.ahead = seconds
        except (Unreachable, Unsure):
            return

    async def believe(self, quotas: Quotas, left: int, wait: timedelta | None) -> Spent:
        now, said = self.desk.clock.now(), NOT_COUNTED
        try:
            for name, quota in quotas.items():
                said = await _believe(self.desk, self.account, name, quota, left, wait)
        except (Unreachable, Unsure):
            return NOT_COUNTED
        return said if said.wait > timedelta(0) else Spent(said.quota, said.reason, end_of("minute", now) - now)


def _narrow_first(quotas: Quotas) -> list[tuple[str, Quota]]:
    return sorted(quotas.items(), key=lambda pair: PERIODS.index(pair[1].per))


async def _take(desk: Desk, account: str, name: str, quota: Quota) -> str | Spent:
    """One call of this quota; its row, or why there is none."""
    now = desk.clock.now()
    row = row_of(account, name, quota.per, now)
    open_ = {"$or": [{"shut_until": None}, {"shut_until": {"$lte": now}}]}
    free = {"_id": row, "used": {"$lt": quota.value}, **open_}
    for _ in range(2):  # the second time where another worker made the row between our look and our insert
        if await desk.store.change(TABLE, free, {"$inc": {"used": 1}}) is not None:
            return row
        if quota.value > 0 and (await desk.store.insert_new(TABLE, [_born(row, account, name, 1, now)])).new:
            return row
    return await _spent(desk, account, name, quota, now)


def _born(row: str, account: str, name: str, used: int, now: datetime) -> Document:
    return {"_id": row, "account": account, "quota": name, "used": used, "at": now}


async def _spent(desk: Desk, account: str, name: str, quota: Quota, now: datetime) -> Spent:
    found = (await _left(desk, account, {name: quota}, now))[0]
    return Spent(name, spent_words(found, now), max(found.until - now, timedelta(seconds=1)))


async def _believe(
    desk: Desk, account: str, name: str, quota: Quota, left: int, wait: timedelta | None
) -> Spent:
    """Written for this period and, where the platform's own reaches into the next, for that one too."""
    now = desk.clock.now()
    if left > 0:
        row = row_of(account, name, quota.per, now)
        born = {"account": account, "quota": name, "at": now}
        used: dict[str, dict[str, object]] = {"$max": {"used": max(0, quota.value - left)}, "$setOnInsert": born}
        await desk.store.change(TABLE, {"_id": row}, used, upsert=True)
        return Spent(name, "", timedelta(0))
    until = believed_until(quota.per, now, wait)
    for row in sorted({row_of(account, name, quota.per, at) for at in (now, until - timedelta(milliseconds=1))}):
        born = {"account": account, "quota": name, "at": now, "used": 0}
        shut: dict[str, dict[str, object]] = {"$max": {"shut_until": until}, "$setOnInsert": born}
        await desk.store.change(TABLE, {"_id": row}, shut, upsert=True)
    return await _spent(desk, account, name, quota, now)


# ---- what is left


async def _left(desk: Desk, account: str, quotas: Mapping[str, Quota], now: datetime) -> list[Left]:
    ids = {name: row_of(account, name, quota.per, now) for name, quota in quotas.items()}
    found = await desk.store.find(TABLE, {"_id": {"$in": sorted(ids.values())}}, limit=max(1, len(ids)))
    rows = {row["_id"]: row for row in found}
    return [_one(name, quota, rows.get(ids[name], {}), now) for name, quota in quotas.items()]


def _one(name: str, quota: Quota, row: Mapping[str, object], now: datetime) -> Left:
    shut_until, used = row.get("shut_until"), row.get("used")
    counted = used if isinstance(used, int) else 0
    shut = isinstance(shut_until, datetime) and shut_until > now
    until = shut_until if shut and isinstance(shut_until, datetime) else end_of(quota.per, now)
    return Left(name, quota.name, quota.per, quota.act, counted, quota.value, until, shut)


async def left_of(desk: Desk, account: Document) -> list[Left]:
    """What is left of each of this account's quotas; nothing where its channel cannot be had or declares none."""
    channel = connected(desk, account)
    if isinstance(channel, str) or not channel.capabilities.quotas:
        return []
    return await _left(desk, str(account["_id"]), channel.capabilities.quotas, desk.clock.now())


async def spent(desk: Desk, account: Document, act: str) -> Left | None:
    """The quota for this act of which nothing is left, the one that lasts longest; None where the act may be done."""
    none_left = [one for one in await left_of(desk, account) if _stops(one, act) and not one.left]
    return max(none_left, key=lambda one: one.until, default=None)


def _stops(left: Left, act: str) -> bool:
    return left.act in (act, "any")


async def ahead_of(desk: Desk, account: Document, publication: Document) -> list[tuple[Left, int]]:
    """What the quotas for posts will have given at this publication's time: each as counted for that period, and how
    many posts planned in it stand before this one."""
    channel = connected(desk, account)
    if isinstance(channel, str):
        return []
    asked = {
        name: quota
        for name, quota in channel.capabilities.quotas.items()
        if quota.act == "publish" and quota.per != "minute"
    }
    found = []
    for one in await _left(desk, str(account["_id"]), asked, publication["at"]) if asked else []:
        found.append((one, await _before(desk, publication, start_of(one.per, publication["at"]))))
    return found


async def _before(desk: Desk, publication: Document, since: datetime) -> int:
    mine, at = str(publication["_id"]), publication["at"]
    planned = {"account": publication["account"], "state": {"$in": list(TO_GO)}, "_id": {"$ne": mine}}
    earlier = [{"at": {"$gte": since, "$lt": at}}, {"at": at, "_id": {"$lt": mine}}]
    return await desk.store.count("publications", {**planned, "$or": earlier}, ceiling=10_000)


async def left_today(actor: Actor, desk: Desk, ids: Sequence[str]) -> dict[str, list[Left]]:
    """余额 of these accounts, for the pages that show it: what has the least left first."""
    require(actor, "account.read")
    rows = await desk.store.find("accounts", {"_id": {"$in": sorted(set(ids))}}, limit=max(1, len(ids))) if ids else []
    return {row["_id"]: sorted(await left_of(desk, row), key=lambda one: one.share) for row in rows}
