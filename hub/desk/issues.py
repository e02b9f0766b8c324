"""苗头: one issue with its numbers, alerts and words, and the list of them; how it is found lives in watching.py."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.clock import local
from hub.desk.deciding import decisions_of, doubt_behind
from hub.desk.desk import Desk
from hub.desk.paging import read_mark
from hub.desk.raising import HITS
from hub.desk.replies import OPEN_WORDS, shown
from hub.desk.watchwords import hits
from hub.domain.alert import LEVELS, LOOSE
from hub.domain.errors import NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document
from nlp.copies import Copies

BARS = 36  # most bars of the people-and-copies chart
FEW = 12  # fewest
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 10, 30, 60, 180, 360, 720, 1440))
WORDS = 12  # newest words on the page; all of them are one click away
HITS_DRAWN = 200  # replies that a watch word or a topic gathered, which are drawn
ROWS = 2_000  # replies of one issue that are drawn; more are counted in its numbers


@dataclass(frozen=True)
class IssuePage:
    """An issue, its alerts (newest first), its newest words, and its people and copies over time.

    `said`: how many replies there are; `least`: people that must
    speak before anybody is told; `reached`: when that many had; `doubt`: the false alarm it stands under.
    """

    issue: Document
    alerts: list[Document]
    words: list[Document]
    bars_at: list[datetime]
    people: list[int]
    copies: list[int]
    marks: list[tuple[int, str]]
    publications: list[Document]
    said: int
    least: int
    reached: datetime | None
    decisions: list[Document]
    doubt: Document | None


async def issue(actor: Actor, desk: Desk, id: str) -> IssuePage:
    """Everything of one issue; NotFound where there is none."""
    require(actor, "issue.read")
    found = await headed(actor, desk, id)
    alerts = await desk.store.find("alerts", {"issue": id}, sort=[("at", -1)], limit=20)
    rows = await _said(actor, desk, found)
    at, people, copies = bars(rows)
    least = int(await desk.policies.value("alert_voices"))
    reached = _milestone(rows, least) if len(rows) < ROWS and found.get("source") not in LOOSE else None
    return IssuePage(
        issue=found,
        alerts=alerts,
        words=[shown(row) for row in reversed(rows[-WORDS:])],
        bars_at=at,
        people=people,
        copies=copies,
        marks=_marks(alerts, at, least, reached),
        publications=await _publications(desk, rows),
        said=await _how_many(desk, found),
        least=least,
        reached=reached,
        decisions=await decisions_of(actor, desk, id),
        doubt=await doubt_behind(actor, desk, found),
    )


async def _said(actor: Actor, desk: Desk, found: Document) -> list[Document]:
    """Its newest replies, oldest first: those that belong to it, or that a watch word or a topic gathered."""
    if found.get("source") in LOOSE:
        rows, _ = await hits(actor, desk, found["_id"], limit=HITS_DRAWN)
    else:
        where = {"issue": found["_id"], **OPEN_WORDS}
        rows = await desk.store.find("replies", where, sort=[("at", -1)], limit=ROWS)
    return rows[::-1]


async def _how_many(desk: Desk, found: Document) -> int:
    if found.get("source") in LOOSE:
        return await desk.store.count(HITS, {"issue": found["_id"]}, ceiling=100_000)
    return await desk.store.count("replies", {"issue": found["_id"], **OPEN_WORDS}, ceiling=100_000)


async def headed(actor: Actor, desk: Desk, id: str) -> Document:
    """The issue alone; NotFound where there is none."""
    require(actor, "issue.read")
    found = await desk.store.get("issues", id)
    if found is None:
        raise NotFound("没有这个苗头，可能已归并或地址不完整。")
    return found


def bars(rows: list[Document]) -> tuple[list[datetime], list[int], list[int]]:
    """Equal stretches up to the last word: people heard for the first time in words of their own, and everything else.

    The stretches begin at whole minutes or hours, are never more than BARS, and of a short burst never fewer than FEW:
    what was quiet before is part of the picture.
    """
    if not rows:
        return [], [], []
    first, last = rows[0]["at"], rows[-1]["at"]
    step = next((step for step in STEPS if (last - first) / step < BARS - 1), (last - first) / (BARS - 2))
    day = local(first).replace(hour=0, minute=0, second=0, microsecond=0)
    start = (day + step * int((local(first) - day) / step)).astimezone(first.tzinfo)
    count = int((last - start) / step) + 1
    if count < FEW:
        start, count = start - step * (FEW - count), FEW
    people, others = [0] * count, [0] * count
    for row, new in zip(rows, _own_words_first(rows), strict=True):
        (people if new else others)[int((row["at"] - start) / step)] += 1
    return [start + step * number for number in range(count)], people, others


def _own_words_first(rows: list[Document]) -> list[bool]:
    """Of each row, whether somebody new says something that is not a copy of what stands before it."""
    known, seen, answers = Copies(), set(), []
    for row in rows:
        analysis: dict[str, Any] = row.get("analysis") or {}
        key, mark = str(analysis.get("copy_key") or row["_id"]), int(analysis.get("simhash") or "0", 16)
        who = row.get("author_key") or row["_id"]
        own = known.original(key, mark) is None
        answers.append(own and who not in seen)
        if own:
            known.keep(key, mark, row["_id"])
            seen.add(who)
    return answers


def _milestone(rows: list[Document], least: int) -> datetime | None:
    """When the person spoke who made it as many as are needed for any alert; None while there are fewer."""
    new = [row["at"] for row, own in zip(rows, _own_words_first(rows), strict=True) if own]
    return new[least - 1] if len(new) >= least else None


def _marks(alerts: list[Document], at: list[datetime], least: int, reached: datetime | None) -> list[tuple[int, str]]:
    """The thresholds on the time axis; those of one bar share one mark."""
    names = {"yellow": "黄色", "orange": "橙色", "red": "红色"}
    steps = [(reached, f"第 {least} 人")] if reached else []
    steps += [(alert["at"], names.get(alert["level"], "观察")) for alert in reversed(alerts)]
    places: dict[int, list[str]] = {}
    for moment, name in steps:
        here = [number for number, start in enumerate(at) if start <= moment]
        if here:
            places.setdefault(here[-1], []).append(name)
    return [(place, "、".join(said)) for place, said in sorted(places.items())]


async def _publications(desk: Desk, rows: list[Document]) -> list[Document]:
    """Our publications that these words stand under, the most answered first."""
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.get("publication"):
            counts[row["publication"]] += 1
    ids = sorted(counts, key=lambda id: -counts[id])[:6]
    fields = ["title", "published_at", "channel", "content", "state"]
    found = await desk.store.find("publications", {"_id": {"$in": ids}}, limit=6, fields=fields) if ids else []
    return [{**row, "answers": counts[row["_id"]]} for row in sorted(found, key=lambda row: -counts[row["_id"]])]


async def titles(actor: Actor, desk: Desk, ids: list[str]) -> dict[str, str]:
    """What these issues are about, by id; left out are those that are gone, and those that are no more than a voice."""
    require(actor, "issue.read")
    told = {"_id": {"$in": ids}, "level": {"$in": list(LEVELS)}}
    rows = await desk.store.find("issues", told, limit=200, fields=["title"]) if ids else []
    return {row["_id"]: str(row["title"]) for row in rows}


async def list_issues(
    actor: Actor,
    desk: Desk,
    *,
    state: str = "open",
    since: datetime | None = None,
    before: datetime | None = None,
    until: datetime | None = None,
    cursor: str = "",
    limit: int = 50,
) -> tuple[list[Document], str | None]:
    """The last heard first; the cursor is the last row seen.

    `since` and `before` bound the last word (a matter still alive, or one of the past), `until` the first.
    """
    require(actor, "issue.read")
    where: dict[str, Any] = {"state": state, "level": {"$in": list(LEVELS)}}
    if since or before:
        where["last_at"] = {sign: at for sign, at in (("$gte", since), ("$lt", before)) if at}
    if until:
        where["first_at"] = {"$lt": until}
    if cursor:
        at, last = read_mark(cursor)
        where["$or"] = [{"last_at": {"$lt": at}}, {"last_at": at, "_id": {"$lt": last}}]
    size = max(1, min(limit, 200))
    found = await desk.store.find("issues", where, sort=[("last_at", -1), ("_id", -1)], limit=size + 1)
    more = found[size - 1] if len(found) > size else None
    return found[:size], f"{more['last_at'].isoformat()}|{more['_id']}" if more else None
