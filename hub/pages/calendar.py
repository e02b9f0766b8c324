"""日历: a month of publications on the server's own grid, one day in full, and moving one by a form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import SHANGHAI, local
from hub.desk import overview, publishing
from hub.domain.almanac import CALENDAR, day_name
from hub.domain.errors import HubError, Invalid
from hub.domain.rights import may
from hub.pages.board import CHANNELS
from hub.pages.publications import moment_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

POSTS = 3  # posts of one day that the grid shows
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 1)
# how grave a state is: the worst of a content's channels stands for it, and the day's head names what is wrong
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
WORDS = {"refused": "被拒", "unknown": "待核对", "held": "暂停"}
MERGED = {"staging": "sending", "pending": "sending", "waiting": "scheduled", "removed": "withdrawn"}


@dataclass(frozen=True)
class Post:
    """One content on one day: its first time, and the state that matters most among its channels."""

    content: str
    id: str
    title: str
    at: datetime
    state: str
    movable: bool
    warned: bool = False  # as things stand it will not go out


@dataclass(frozen=True)
class Day:
    """One square of the grid."""

    date: date
    posts: Sequence[Post]
    trouble: str
    out: bool
    rest: bool
    today: bool
    chosen: bool
    name: str

    @property
    def first(self) -> Sequence[Post]:
        """Those that are drawn, by time; what went wrong is always among them."""
        grave = sorted(self.posts, key=lambda post: (post.state not in WORDS, post.at))[:POSTS]
        return sorted(grave, key=lambda post: post.at)

    @property
    def more(self) -> int:
        return max(0, len(self.posts) - POSTS)


def month_of(text: str, now: datetime) -> date:
    """The first day of the month that is asked for (`2026-11`), else of this one."""
    if not text:
        return local(now).date().replace(day=1)
    try:
        month = datetime.strptime(text[:7], "%Y-%m").replace(tzinfo=SHANGHAI).date()
    except ValueError:
        raise Invalid("月份的写法是 2026-11。") from None
    return min(max(month, FIRST), LAST)


def next_month(month: date, step: int) -> date:
    """The first day of the month `step` months on."""
    number = month.year * 12 + month.month - 1 + step
    return date(number // 12, number % 12 + 1, 1)


def grid_of(month: date) -> list[date]:
    """Whole weeks, Monday first, that hold this month."""
    start = month - timedelta(days=month.weekday())
    end = next_month(month, 1)
    weeks = -(-(end - start).days // 7)
    return [start + timedelta(days=number) for number in range(weeks * 7)]


def posts_of(rows: Sequence[Document]) -> dict[date, list[Post]]:
    """The publications as posts by the office's day, in the order of their times."""
    grouped: dict[tuple[date, str], list[Document]] = defaultdict(list)
    for row in rows:
        grouped[(local(row["at"]).date(), row["content"])].append(row)
    days: dict[date, list[Post]] = defaultdict(list)
    for (day, content), group in grouped.items():
        worst = min(group, key=lambda row: GRAVITY.index(row["seen"]))
        movable = any(row["state"] in ("scheduled", "waiting") for row in group)
        warned = any(row.get("concerns") and row["state"] in ("scheduled", "waiting") for row in group)
        days[day].append(Post(content, worst["_id"], worst["title"], group[0]["at"], worst["seen"], movable, warned))
    return days


def _at_midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


async def show_calendar(request: Request) -> HTTPResponse:
    return await _calendar(request)


async def _calendar(request: Request, *, problem: str = "", status: int = 200) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    now = desk.clock.now()
    chosen = _chosen(request.args.get("day") or "")
    month = chosen.replace(day=1) if chosen else month_of(request.args.get("month") or "", now)
    grid = grid_of(month)
    rows, cut = await overview.between(
        actor, desk, _at_midnight(grid[0]), _at_midnight(grid[-1] + timedelta(days=1))
    )
    days = posts_of(rows)
    inside = [post for day in grid if day.month == month.month for post in days.get(day, ())]
    return await show(
        request,
        "desk/calendar.html",
        "calendar",
        status=status,
        month=month,
        title=f"{month.year} 年 {month.month} 月",
        weekdays=wording.WEEKDAYS,
        days=[_day(day, days.get(day, []), month, local(now).date(), chosen) for day in grid],
        sums=_sums(inside),
        before=f"/calendar?month={next_month(month, -1):%Y-%m}",
        after_month=f"/calendar?month={next_month(month, 1):%Y-%m}",
        chosen=chosen,
        chosen_words=f"{wording.day(chosen)} {wording.weekday(chosen)}" if chosen else "",
        posts=[_full(post, rows) for post in days.get(chosen, [])] if chosen else [],
        cut=cut,
        problem=problem,
        channels=CHANNELS,
        may_move=may(actor, "content.schedule"),
        may_write=may(actor, "content.write"),
    )


def _chosen(text: str) -> date | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=SHANGHAI).date()
    except ValueError:
        raise Invalid("日期的写法是 2026-11-24。") from None
    return min(max(day, FIRST), LAST)


def _day(day: date, posts: list[Post], month: date, today: date, chosen: date | None) -> Day:
    counts = Counter(post.state for post in posts)
    trouble = "，".join(f"{counts[state]} {WORDS[state]}" for state in WORDS if counts[state])
    warned = sum(post.warned for post in posts)
    trouble = "，".join(filter(None, (trouble, f"{warned} 将发不出" if warned else "")))
    rest, out = not CALENDAR.works(day), day.month != month.month
    return Day(day, posts, trouble, out, rest, day == today, day == chosen, day_name(day))


def _sums(posts: Sequence[Post]) -> list[tuple[str, int]]:
    """The month in states, from the gravest to the most harmless."""
    counts = Counter(MERGED.get(post.state, post.state) for post in posts)
    return [(state, counts[state]) for state in GRAVITY if counts[state]]


def _full(post: Post, rows: Sequence[Document]) -> Mapping[str, Any]:
    """The chosen day's row: each channel with its own state and time."""
    own = [row for row in rows if row["content"] == post.content and local(row["at"]).date() == local(post.at).date()]
    movable = [row["_id"] for row in own if row["state"] in ("scheduled", "waiting")]
    return {"post": post, "rows": own, "movable": movable, "at": f"{local(post.at):%Y-%m-%dT%H:%M}"}


async def move_post(request: Request) -> HTTPResponse:
    """All channels of one content that have not begun, to another time; the page says where the first one stopped."""
    desk, actor = desk_of(request), actor_of(request)
    ids = [str(each) for each in (request.form.getlist("id") or [])][:50] if request.form else []
    moved = 0
    try:
        at = moment_of(field(request, "at", 20))
        for id in ids:
            await publishing.move(actor, desk, id, at)
            moved += 1
    except HubError as error:
        if error.status not in (409, 422):
            raise
        said = f"已改 {moved} 个渠道。" if moved else ""
        return await _calendar(request, problem=f"{said}{error.message}", status=error.status)
    return go(f"/calendar?day={local(at):%Y-%m-%d}", "moved")


ROUTES = (
    Route("GET", "/calendar", show_calendar, "publication.read"),
    Route("POST", "/calendar/move", move_post, "content.schedule", "form"),
)
