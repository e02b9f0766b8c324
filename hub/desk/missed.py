"""停发之后: what was missed while nothing could go out by itself, and one decision for all of it or for each.

A post is asked about while it is held because its time had passed in an outage; it leaves the list when somebody
decides, here or on its own page. What its late rule sent meanwhile stands beside it, as news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.desk import ledger, publishing
from hub.desk.beating import SWITCHES
from hub.desk.desk import Desk
from hub.domain import plan, quiet
from hub.domain.errors import FieldError, Invalid
from hub.domain.holding import HOLD_ALL
from hub.domain.matters import named
from hub.domain.outage import WORKERS, Outage, outage_of, outages_of
from hub.domain.people import Actor
from hub.domain.publication import Decision
from hub.domain.rights import may, require
from hub.store.base import Document

MOST = 200  # publications that are asked about at once
CHOICES = ("now", "move", "cancel")
FIELDS = ("content", "title", "account", "channel", "at", "late", "state", "published_at", "held_for")


@dataclass(frozen=True)
class Post:
    """One content at one time: its publications that were missed alike, and what its late rule did."""

    title: str
    at: datetime
    late: str
    did: str  # held, asked, sent
    rows: Sequence[Document]

    @property
    def ids(self) -> list[str]:
        return [str(row["_id"]) for row in self.rows]


@dataclass(frozen=True)
class Missed:
    """What is to be decided, what went out late by its own rule, and the outages it all lay in."""

    outages: Sequence[Outage]
    waiting: Sequence[Post]
    sent: Sequence[Post]

    @property
    def count(self) -> int:
        return sum(len(post.rows) for post in self.waiting)


async def missed(actor: Actor, desk: Desk) -> Missed | None:
    """What was missed and waits for a decision; None where nothing does, or this person decides nothing."""
    if not may(actor, "publication.release"):
        return None
    late = timedelta(minutes=await desk.policies.value("late_minutes"))
    outages = await _outages(desk)
    if not outages:
        return None
    began = min(outage.since for outage in outages) - late
    where = {"state": "held", "held_for": "late", "at": {"$gte": began}}
    rows = await _found(desk, where, outages, late)
    if not rows:
        return None
    touched = {outage for row in rows if (outage := outage_of(row, outages, late))}
    sent = await _sent(desk, sorted(touched, key=lambda outage: outage.since), late)
    return Missed(sorted(touched, key=lambda one: one.since), _posts(rows), _posts(sent))


async def _outages(desk: Desk) -> list[Outage]:
    now = desk.clock.now()
    records = [await desk.store.get(SWITCHES, name) or {} for name in (WORKERS, HOLD_ALL)]
    periods = [(period, quiet.last_ended(period, now)) for period in records[1].get("quiet") or ()]
    silent = [Outage(*stretch, f"静默时段：{period['reason']}") for period, stretch in periods if stretch]
    return outages_of(records, silent, now)


async def _found(desk: Desk, where: dict[str, Any], outages: Sequence[Outage], late: timedelta) -> list[Document]:
    rows = await desk.store.find(ledger.PUBLICATIONS, where, sort=[("at", 1)], limit=MOST, fields=FIELDS)
    return [row for row in rows if outage_of(row, outages, late)]


async def _sent(desk: Desk, outages: Sequence[Outage], late: timedelta) -> list[Document]:
    """What its own rule sent after the outage was over."""
    where = {"state": "published", "late": "publish", "at": {"$gte": outages[0].since, "$lt": outages[-1].until}}
    rows = await _found(desk, where, outages, late)
    return [row for row in rows if (one := outage_of(row, outages, late)) and row["published_at"] >= one.until]


def _posts(rows: Sequence[Document]) -> list[Post]:
    groups: dict[tuple[str, datetime, str], list[Document]] = {}
    for row in rows:
        groups.setdefault((str(row["content"]), row["at"], str(row["late"])), []).append(row)
    return [_post(late, at, group) for (_, at, late), group in groups.items()]


def _post(late: str, at: datetime, rows: Sequence[Document]) -> Post:
    did = "sent" if rows[0]["state"] == "published" else {"ask": "asked"}.get(late, "held")
    return Post(str(rows[0]["title"]), at, late, did, rows)


# ---- deciding


@dataclass(frozen=True)
class Decided:
    """How many were decided, and a sentence for each that somebody else had decided before."""

    done: int
    left: Sequence[str]


async def decide_missed(
    actor: Actor, desk: Desk, ids: Sequence[str], choice: str, *, at: datetime | None = None
) -> Decided:
    """现在发, 改到 or 取消 what was missed; each is one change that names the state it was shown in.

    Those that go out now keep the order of their times on each account.
    """
    require(actor, "publication.release")
    now = desk.clock.now()
    _check(actor, ids, choice, at, now)
    rows = await desk.store.find(ledger.PUBLICATIONS, {"_id": {"$in": sorted(set(ids))}}, sort=[("at", 1)], limit=MOST)
    left: list[str] = []
    for place, row in enumerate(rows):
        fresh = max(at or now, now) + timedelta(milliseconds=place)
        decision = _decision(choice, fresh, now)
        if not await _decided(actor, desk, row, decision, choice):
            left.append(f"{named(row)}刚才已由别人处理。")
    return Decided(len(rows) - len(left), left)


def _check(actor: Actor, ids: Sequence[str], choice: str, at: datetime | None, now: datetime) -> None:
    if choice not in CHOICES:
        raise Invalid("请选“现在发”“改到”或“取消”。", (FieldError("choice", "请选一种办法。"),))
    if not 0 < len(set(ids)) <= MOST:
        raise Invalid("请先选要处理的发布。", (FieldError("ids", "请先选要处理的发布。"),))
    if choice == "move" and (at is None or at < now - plan.GRACE):
        raise Invalid("请选以后的时间。", (FieldError("at", "请选以后的时间。"),))
    if choice == "cancel":
        require(actor, "content.schedule")


def _decision(choice: str, at: datetime, now: datetime) -> Decision:
    if choice == "cancel":
        return Decision("cancel", {"reason": "停发期间错过，决定不发了", "held_for": None})
    return Decision("release", {**publishing.released(at, now), "pinned": None})


async def _decided(actor: Actor, desk: Desk, row: Document, decision: Decision, choice: str) -> bool:
    if row["state"] != "held" or row.get("held_for") != "late":
        return False
    detail = {"choice": choice, "at": row["at"].isoformat()}
    return await ledger.move(desk, actor, ledger.PUBLICATIONS, row, decision, detail=detail) is not None
