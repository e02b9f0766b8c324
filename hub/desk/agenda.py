"""日历: the posts of a stretch of days, each content once a minute, with what a day's head must say; bounded reads.

A stretch of an ordinary office is read row by row. A fuller one is counted by the store, and of each day only the
first rows are read, besides those that went wrong: what is drawn never grows with the archive or with a rush of posts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from hub.clock import local
from hub.desk import overview
from hub.desk.desk import Desk
from hub.desk.ledger import PUBLICATIONS
from hub.desk.preflighting import OPEN
from hub.domain import plan
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

MOST = 2_000  # publications that are read row by row
DRAWN = 60  # of one day of a fuller stretch
BATCH = 200  # contents read at a time
FIELDS = ("content", "title", "at", "state", "channel", "account", "correction", "reason", "revision",
          "concerns")  # fmt: skip
# how grave a state is: the worst of a post's channels stands for it
GRAVITY = (
    "refused",
    "unknown",
    "held",
    "sending",
    "pending",
    "staging",
    "waiting",
    "scheduled",
    "proposed",
    "corrected",
    "published",
    "withdrawn",
    "removed",
    "cancelled",
)


@dataclass(frozen=True)
class Choice:
    """What is looked at: one channel, one column, or (empty) all."""

    channel: str = ""
    column: str = ""


ALL = Choice()


@dataclass(frozen=True)
class Post:
    """One content at one minute: its publications, and the state that matters most among them."""

    rows: Sequence[Document]
    meets: bool

    @property
    def content(self) -> str:
        return str(self.rows[0]["content"])

    @property
    def worst(self) -> Document:
        return min(self.rows, key=lambda row: GRAVITY.index(row["seen"]))

    @property
    def state(self) -> str:
        return str(self.worst["seen"])

    @property
    def title(self) -> str:
        return str(self.worst["title"])

    @property
    def at(self) -> datetime:
        return plan.minute_of(self.rows[0]["at"])

    @property
    def day(self) -> date:
        """The office's day on which it stands."""
        return local(self.at).date()

    @property
    def movable(self) -> list[str]:
        """Its publications that can still be given another time."""
        return [str(row["_id"]) for row in self.rows if plan.may_move(row["state"])]

    @property
    def warned(self) -> bool:
        """Whether, as things stand, some of it will not go out."""
        return any(row.get("concerns") and row["state"] in OPEN for row in self.rows)

    @property
    def whole(self) -> bool:
        """Whether all that stands of it can: a post of which a part is out is not dragged about."""
        standing = [row["state"] for row in self.rows if row["state"] != "cancelled"]
        return bool(standing) and all(plan.may_move(state) for state in standing)


@dataclass(frozen=True)
class Day:
    """One day: posts to draw, by time; how many there are, in which states, and at how many minutes some meet."""

    posts: Sequence[Post] = ()
    count: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    meetings: int = 0
    warned: int = 0


NONE = Day()


async def days(actor: Actor, desk: Desk, start: date, count: int, choice: Choice = ALL) -> dict[date, Day]:
    """The days from `start` on that hold anything."""
    require(actor, "publication.read")
    where = _where(start, count, choice)
    sort = [("at", 1), ("_id", 1)]
    rows = await desk.store.find(PUBLICATIONS, where, sort=sort, limit=MOST + 1, fields=FIELDS)
    if len(rows) > MOST:
        return await _tallied(actor, desk, start, count, choice)
    contents = await _contents(actor, desk, _to_know(rows, choice))
    kept = [row for row in rows if not choice.column or _column(contents, row) == choice.column]
    posts = posts_of(_seen(kept, contents), plan.meetings(rows))
    return {day: _whole_day(of_day) for day, of_day in posts.items()}


def posts_of(rows: Iterable[Document], meetings: frozenset[plan.Meeting]) -> dict[date, list[Post]]:
    """The publications as posts by the office's day, in the order of their times."""
    grouped: dict[tuple[datetime, str], list[Document]] = defaultdict(list)
    for row in rows:
        grouped[(plan.minute_of(row["at"]), row["content"])].append(row)
    found: dict[date, list[Post]] = defaultdict(list)
    for (at, _), group in sorted(grouped.items(), key=lambda pair: pair[0]):
        meets = any((row["account"], row["at"]) in meetings and row["state"] in plan.AHEAD for row in group)
        found[local(at).date()].append(Post(group, meets))
    return found


def _whole_day(posts: Sequence[Post]) -> Day:
    met, warned = {post.at for post in posts if post.meets}, sum(post.warned for post in posts)
    return Day(posts, len(posts), Counter(post.state for post in posts), len(met), warned)


def _where(start: date, count: int, choice: Choice) -> dict[str, Any]:
    between = {"$gte": plan.midnight(start), "$lt": plan.midnight(start + timedelta(days=count))}
    return {"at": between, **({"channel": choice.channel} if choice.channel else {})}


def _to_know(rows: Iterable[Mapping[str, Any]], choice: Choice) -> set[str]:
    """The contents whose own state or column is needed."""
    return {row["content"] for row in rows if choice.column or row["state"] in ("scheduled", "waiting")}


async def _contents(actor: Actor, desk: Desk, ids: set[str]) -> dict[str, Document]:
    known: dict[str, Document] = {}
    wanted = sorted(ids)
    for begin in range(0, len(wanted), BATCH):
        known |= await overview.states_of(actor, desk, wanted[begin : begin + BATCH])
    return known


def _column(contents: Mapping[str, Document], row: Mapping[str, Any]) -> str:
    return str(contents.get(row["content"], {}).get("column", ""))


def _seen(rows: Iterable[Document], contents: Mapping[str, Document]) -> list[Document]:
    return [{**row, "seen": overview.seen_state(row, contents.get(row["content"], {}))} for row in rows]


# ---- a stretch that is too full to be read


async def _tallied(actor: Actor, desk: Desk, start: date, count: int, choice: Choice) -> dict[date, Day]:
    where = _where(start, count, choice)
    groups = await desk.store.tally(PUBLICATIONS, where, ["content", "state"], day="at")
    ahead = {**where, "state": {"$in": list(plan.AHEAD)}}
    moments = await desk.store.tally(PUBLICATIONS, ahead, ["account", "at"])
    meetings = frozenset((row["account"], row["at"]) for row in moments if row["count"] > 1)
    contents = await _contents(actor, desk, _to_know(groups, choice))
    states = _states(groups, contents, choice)
    return {
        day: await _counted_day(desk, day, choice, of_day, meetings, contents) for day, of_day in sorted(states.items())
    }


def _states(
    groups: Sequence[Document], contents: Mapping[str, Document], choice: Choice
) -> dict[date, dict[str, str]]:
    """For each day the worst state of each content; what was corrected or withdrawn stays published or removed here."""
    found: dict[date, dict[str, str]] = defaultdict(dict)
    for row in groups:
        if choice.column and _column(contents, row) != choice.column:
            continue
        day, content = date.fromisoformat(row["day"]), row["content"]
        state = overview.seen_state(row, contents.get(content, {}))
        found[day][content] = min(found[day].get(content, state), state, key=GRAVITY.index)
    return found


async def _counted_day(
    desk: Desk,
    day: date,
    choice: Choice,
    states: Mapping[str, str],
    meetings: frozenset[plan.Meeting],
    contents: Mapping[str, Document],
) -> Day:
    where = _where(day, 1, choice)
    if choice.column:
        where["content"] = {"$in": sorted(states)[:BATCH]}
    wrong = {**where, "state": {"$in": list(overview.TROUBLE)}}
    doubted = {**where, "state": {"$in": list(OPEN)}, "preflight_at": {"$exists": True}}
    sort = [("at", 1), ("_id", 1)]
    rows = await desk.store.find(PUBLICATIONS, where, sort=sort, limit=DRAWN, fields=FIELDS)
    for asked in (wrong, doubted):
        rows += await desk.store.find(PUBLICATIONS, asked, sort=sort, limit=DRAWN, fields=FIELDS)
    once = sorted({row["_id"]: row for row in rows}.values(), key=lambda row: (row["at"], row["_id"]))
    posts = posts_of(_seen(once, contents), meetings).get(day, [])
    met = {at for _, at in meetings if local(at).date() == day}
    return Day(posts, len(states), Counter(states.values()), len(met), sum(post.warned for post in posts))
