"""本周: what was published, said, answered and rated since Monday, beside the week before; for the home page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.clock import local
from hub.desk.board import counted_rows
from hub.desk.desk import Desk
from hub.domain.case import BAD
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

WEEK = timedelta(days=7)
OUT = ("published", "withdrawn", "removed")  # what was public at some time, whatever came of it


@dataclass(frozen=True)
class Week:
    """A count since Monday, the one of the same stretch before, and each of the last seven days, today last.

    `negative` and `negative_before` are shares of one; None where nothing was said, or where it means nothing.
    """

    since: datetime
    until: datetime
    count: int
    before: int
    days: tuple[int, ...]
    negative: float | None = None
    negative_before: float | None = None


def monday_of(now: datetime) -> datetime:
    """The last Monday's first moment, here."""
    here = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (here - timedelta(days=here.weekday())).astimezone(now.tzinfo)


def _seven_days(now: datetime) -> list[datetime]:
    here = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return [here - timedelta(days=back) for back in range(6, -1, -1)]


async def week_of_replies(actor: Actor, desk: Desk) -> Week:
    """Out of the roll-ups: whole days, and the hours of the day of last week that was as old as today is now."""
    require(actor, "board.read")
    now = desk.clock.now()
    monday, midnight = monday_of(now), _seven_days(now)[-1].astimezone(now.tzinfo)
    days = await counted_rows(actor, desk, "day", monday - WEEK, now)
    hours = await counted_rows(actor, desk, "hour", midnight - WEEK, now - WEEK)
    week = [row for row in days if row["at"] >= monday]
    before = [row for row in days if row["at"] < midnight - WEEK] + hours
    return Week(
        monday,
        now,
        _sum(week),
        _sum(before),
        tuple(_sum([row for row in days if row["at"] == day]) for day in _seven_days(now)),
        _share(week),
        _share(before),
    )


def _sum(rows: list[Document]) -> int:
    return sum(int(row["count"]) for row in rows)


def _share(rows: list[Document]) -> float | None:
    total = _sum(rows)
    return _sum([row for row in rows if row["sentiment"] == "neg"]) / total if total else None


async def week_of_publications(actor: Actor, desk: Desk) -> Week:
    """How many texts came out; one that went to several accounts counts once, on its first day."""
    require(actor, "publication.read")
    now = desk.clock.now()
    monday = monday_of(now)
    days = [f"{day:%Y-%m-%d}" for day in _seven_days(now)]
    first = await _first_days(desk, monday - WEEK, now)
    week = [day for day in first.values() if day >= f"{local(monday):%Y-%m-%d}"]
    before = await _first_days(desk, monday - WEEK, now - WEEK)
    return Week(monday, now, len(week), len(before), tuple(sum(day == one for day in first.values()) for one in days))


async def _first_days(desk: Desk, start: datetime, end: datetime) -> dict[str, str]:
    """Each text that came out in this stretch, with the local day on which it first did."""
    where = {"state": {"$in": list(OUT)}, "published_at": {"$gte": start, "$lt": end}}
    rows = await desk.store.tally("publications", where, ["content"], day="published_at")
    first: dict[str, str] = {}
    for row in rows:
        day = str(row["day"])
        first[str(row["content"])] = min(day, first.get(str(row["content"]), day))
    return first


@dataclass(frozen=True)
class Answered:
    """The cases answered since Monday, how many of them too late, the share in time (of one; None: none answered)."""

    since: datetime
    count: int
    late: int
    share: float | None
    share_before: float | None


@dataclass(frozen=True)
class Rated:
    """The ratings since Monday, their mean (1 to 5; None: nobody rated), and how many are to be called back."""

    since: datetime
    count: int
    mean: float | None
    bad: int


async def week_of_answers(actor: Actor, desk: Desk) -> Answered:
    """按期答复, of cases that everybody in the office may see; the first citizen reached decides, as for 已答复."""
    require(actor, "case.read")
    now = desk.clock.now()
    monday = monday_of(now)
    good, late = await _kept(desk, monday, now)
    before = await _kept(desk, monday - WEEK, now - WEEK)
    return Answered(monday, good + late, late, _part(good, late), _part(*before))


async def _kept(desk: Desk, start: datetime, end: datetime) -> tuple[int, int]:
    where = {"confidential": False, "answered_at": {"$gte": start, "$lte": end}}
    found = {row["on_time"]: int(row["count"]) for row in await desk.store.tally("cases", where, ["on_time"])}
    return found.get(True, 0), found.get(False, 0)


def _part(good: int, late: int) -> float | None:
    return good / (good + late) if good + late else None


async def week_of_ratings(actor: Actor, desk: Desk) -> Rated:
    """好差评, of the same cases."""
    require(actor, "case.read")
    monday = monday_of(desk.clock.now())
    where = {"state": "applied", "confidential": False, "at": {"$gte": monday}}
    levels = {int(row["level"]): int(row["count"]) for row in await desk.store.tally("ratings", where, ["level"])}
    count = sum(levels.values())
    mean = sum(level * many for level, many in levels.items()) / count if count else None
    return Rated(monday, count, mean, sum(many for level, many in levels.items() if level <= BAD))


async def still_planned(actor: Actor, desk: Desk) -> tuple[int, datetime | None]:
    """How many texts are planned for the coming seven days, and when the first is due."""
    require(actor, "publication.read")
    now = desk.clock.now()
    where = {"state": {"$in": ["scheduled", "waiting"]}, "at": {"$gte": now, "$lt": now + WEEK}}
    rows = await desk.store.find("publications", where, sort=[("at", 1)], limit=500, fields=["content", "at"])
    return len({row["content"] for row in rows}), rows[0]["at"] if rows else None
