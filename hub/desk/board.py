"""看板: what the opinion board shows, from roll-ups and bounded pages of rows; figures are made in domain."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.clock import local
from hub.desk.desk import Desk
from hub.desk.raising import HITS
from hub.desk.replies import OPEN_WORDS
from hub.domain import figures
from hub.domain.figures import Cell, Curve, Span
from hub.domain.people import Actor
from hub.domain.reply import LIVE
from hub.domain.rights import require
from hub.store.base import Document

LIVE_ROWS = 12
ISSUE_ROWS = 12
SAMPLE = 2_000  # newest replies whose terms are counted by people; said beside the list
TERMS = 12
LEVELS = ("red", "orange", "yellow", "watch")
WEEK = timedelta(days=7)
PAGE = 10_000
MOST_ROWS = 200_000  # roll-up rows of one stretch; more would mean that the roll-ups are too fine


@dataclass(frozen=True)
class Board:
    """Everything on the board for one stretch of time; each figure's rows can be opened by the same stretch."""

    span: Span
    curve: Curve
    total: int
    usual: float | None
    negative: float | None
    usual_negative: float | None
    heat: dict[str, dict[str, Cell]]
    issues: list[Document]
    open_issues: dict[str, int]
    alerts: int
    word_alerts: int
    false_alarms: int
    budget: int
    waiting: list[Document]
    terms: list[Document]
    terms_of: int
    live: list[Document]
    publications: list[Document]
    backlog: int
    backlog_past: int
    waiting_since: datetime | None  # when the one that waits longest to be read came in
    delay: float | None

    @property
    def issues_since(self) -> datetime:
        """An issue belongs to this board when its last word is not older than this."""
        return _issues_since(self.span)


def _issues_since(span: Span) -> datetime:
    """The start of the stretch, and of a short one the start of its week: an issue lives for days."""
    return min(span.start, span.end - WEEK)


async def board(
    actor: Actor,
    desk: Desk,
    *,
    until: datetime,
    hours: int,
    channels: list[str],
    districts: list[str],
    past: bool = False,
) -> Board:
    """The board for the `hours` before `until`. `past`: alerts are those of the whole stretch, not of the week."""
    require(actor, "board.read")
    span = figures.span_of(until, hours)
    rows = await _rollups(actor, desk, span)
    inside = [row for row in rows if span.start <= row["at"] < span.end]
    terms, sampled = await _terms(desk, span)
    alerts, words, false = await _alerts(desk, span.start if past else until - WEEK, until)
    new = {"state": "new"}
    return Board(
        span=span,
        curve=figures.curve(rows, span),
        total=sum(int(row["count"]) for row in inside),
        usual=figures.usual_total(rows, span),
        negative=figures.share(rows, span.start, span.end),
        usual_negative=figures.share(rows, span.before(figures.BEFORE).start, span.start),
        heat=figures.heat(rows, span, channels, districts),
        issues=await _issues(actor, desk, span),
        open_issues=await _levels(desk, span),
        alerts=alerts,
        word_alerts=words,
        false_alarms=false,
        budget=int(await desk.policies.value("alerts_a_week")),
        waiting=await desk.store.find("alerts", {"state": "new", "silent": False}, sort=[("at", 1)], limit=20),
        terms=terms,
        terms_of=sampled,
        live=await live(actor, desk, since=span.start, until=span.end),
        publications=await _publications(desk, span),
        backlog=await desk.store.count("replies", {**new, "stream": LIVE}, ceiling=100_000),
        backlog_past=await desk.store.count("replies", {**new, "stream": {"$ne": LIVE}}, ceiling=100_000),
        waiting_since=await _waiting_since(desk),
        delay=await _delay(desk),
    )


async def live(actor: Actor, desk: Desk, *, since: datetime, until: datetime, limit: int = LIVE_ROWS) -> list[Document]:
    """The newest replies of the stretch that have been read, masked, each with the title of its issue."""
    require(actor, "board.read")
    fields = ["channel", "district", "at", "text", "title", "sentiment", "issue", "kind", "state", "author", "topic"]
    where = {"state": "read", "at": {"$gte": since, "$lt": until}, **OPEN_WORDS}
    rows = await desk.store.find("replies", where, sort=[("at", -1)], limit=limit, fields=fields)
    ids = sorted({row["issue"] for row in rows if row.get("issue")})
    told = {"_id": {"$in": ids}, "level": {"$in": list(LEVELS)}}
    found = await desk.store.find("issues", told, limit=limit, fields=["title"]) if ids else []
    titles = {row["_id"]: row["title"] for row in found}
    return [{**row, "issue_title": titles.get(row.get("issue"), "")} for row in rows]


async def _rollups(actor: Actor, desk: Desk, span: Span) -> list[Document]:
    """The counted rows of the stretch and of the earlier ones: hours for short stretches, days for long ones."""
    period = "hour" if span.step < timedelta(days=1) else "day"
    rows: list[Document] = []
    for one in (span, *span.earlier()):
        rows += await counted_rows(actor, desk, period, one.start, one.end)
    return rows


async def counted_rows(actor: Actor, desk: Desk, period: str, start: datetime, end: datetime) -> list[Document]:
    """Every roll-up row of the stretch; a full page may have cut its last moment, so that one is asked again."""
    require(actor, "board.read")
    rows: list[Document] = []
    while len(rows) < MOST_ROWS:
        where = {"period": period, "at": {"$gte": start, "$lt": end}}
        page = await desk.store.find("rollups", where, sort=[("at", 1)], limit=PAGE)
        if len(page) < PAGE or page[0]["at"] == page[-1]["at"]:
            return rows + page
        start = page[-1]["at"]
        rows += [row for row in page if row["at"] < start]
    return rows


def _lived(span: Span) -> dict[str, Any]:
    return {"state": "open", "last_at": {"$gte": _issues_since(span)}, "first_at": {"$lt": span.end}}


async def _issues(actor: Actor, desk: Desk, span: Span) -> list[Document]:
    """Open issues that lived in this stretch, the gravest first, each with its seven days and its newest alert."""
    found: list[Document] = []
    for level in LEVELS:
        left = ISSUE_ROWS - len(found)
        if left:
            where = {**_lived(span), "level": level}
            rows = await desk.store.find("issues", where, sort=[("last_at", -1)], limit=left)
            found += sorted(rows, key=lambda issue: -int(issue["voices"]))
    ids = [issue["_id"] for issue in found]
    days, alerts = await _days(desk, ids, span.end), await newest_alerts(actor, desk, ids)
    return [{**one, "days": days.get(one["_id"], [0] * 7), "alert": alerts.get(one["_id"])} for one in found]


async def newest_alerts(actor: Actor, desk: Desk, issues: list[str]) -> dict[str, Document]:
    """The newest alert of each of these issues that has one: who took it, and how far they are."""
    require(actor, "board.read")
    fields = ["issue", "level", "state", "taken_name", "silent", "at"]
    where = {"issue": {"$in": issues}}
    rows = await desk.store.find("alerts", where, sort=[("at", -1)], limit=400, fields=fields) if issues else []
    return {row["issue"]: row for row in reversed(rows)}


async def _days(desk: Desk, issues: list[str], end: datetime) -> dict[str, list[int]]:
    """Replies per issue, and hits per watch word's alert, on each of the last seven local days."""
    if not issues:
        return {}
    where = {"issue": {"$in": issues}, "at": {"$gte": end - timedelta(days=7), "$lt": end}}
    rows = await desk.store.tally("replies", where, ["issue"], day="at")
    rows += await desk.store.tally(HITS, where, ["issue"], day="at")
    names = [f"{local(end - timedelta(days=back)):%Y-%m-%d}" for back in range(6, -1, -1)]
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        counts[str(row["issue"])][str(row["day"])] = int(row["count"])
    return {issue: [counts[issue].get(name, 0) for name in names] for issue in counts}


async def _levels(desk: Desk, span: Span) -> dict[str, int]:
    """How many issues of each level lived in this stretch, the gravest first; all of them, not only those shown."""
    rows = await desk.store.tally("issues", {**_lived(span), "level": {"$in": list(LEVELS)}}, ["level"])
    counts = {str(row["level"]): int(row["count"]) for row in rows}
    return {level: counts[level] for level in LEVELS if level in counts}


async def _alerts(desk: Desk, since: datetime, until: datetime) -> tuple[int, int, int]:
    """All alerts of the stretch, those of watch words among them, and those that were false."""
    between = {"at": {"$gte": since, "$lte": until}}
    return (
        await desk.store.count("alerts", between),
        await desk.store.count("alerts", {**between, "source": "word"}),
        await desk.store.count("alerts", {**between, "state": "false_alarm"}),
    )


async def _terms(desk: Desk, span: Span) -> tuple[list[Document], int]:
    """What is being talked about, by people, beside the same stretch a week or more before; and of how many replies."""
    people, of = await _people_by_term(desk, span)
    before, of_before = await _people_by_term(desk, span.before(1))
    ranked = sorted(people.items(), key=lambda item: (-item[1], item[0]))[:TERMS]
    return [
        {"term": term, "people": count, "note": figures.direction(count, of, before.get(term, 0), of_before)}
        for term, count in ranked
        if count > 1
    ], of


async def _people_by_term(desk: Desk, span: Span) -> tuple[dict[str, int], int]:
    """Each person counts once a term; among the newest replies of the stretch, and how many those are."""
    where = {"state": "read", "at": {"$gte": span.start, "$lt": span.end}, **OPEN_WORDS}
    fields = ["analysis", "author_key"]
    rows = await desk.store.find("replies", where, sort=[("at", -1)], limit=SAMPLE, fields=fields)
    people: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for term in (row.get("analysis") or {}).get("terms", [])[:8]:
            people[term].add(row.get("author_key") or row["_id"])
    return {term: len(who) for term, who in people.items()}, len(rows)


async def _publications(desk: Desk, span: Span) -> list[Document]:
    """Our own publications in this stretch: people want to see what the words answer to."""
    where = {"state": "published", "published_at": {"$gte": span.start, "$lt": span.end}}
    fields = ["title", "published_at", "channel", "content"]
    rows = await desk.store.find("publications", where, sort=[("published_at", -1)], limit=40, fields=fields)
    firsts: dict[str, Document] = {}
    for row in reversed(rows):
        firsts.setdefault(row["content"], row)
    return list(firsts.values())[-6:]


async def _waiting_since(desk: Desk) -> datetime | None:
    """What came in first and is not read yet, looked for among the earliest said: those came first, or nearly."""
    new = {"watched": False, "state": "new", "stream": LIVE}
    rows = await desk.store.find("replies", new, sort=[("at", 1)], limit=20, fields=["received_at"])
    return min((row["received_at"] for row in rows), default=None)


async def _delay(desk: Desk) -> float | None:
    """Seconds from receipt to reading, the median of the last fifty."""
    fields: list[str] = ["received_at", "read_at"]
    rows: list[dict[str, Any]] = await desk.store.find(
        "replies", {"state": "read", "stream": "live"}, sort=[("received_at", -1)], limit=50, fields=fields
    )
    waits = sorted((row["read_at"] - row["received_at"]).total_seconds() for row in rows if row.get("read_at"))
    return waits[len(waits) // 2] if waits else None
