"""日历的样子: which days an address means, and days as squares, hours and sums for templates; no store, no request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hub import wording
from hub.clock import SHANGHAI, local
from hub.desk.agenda import ALL, NONE, Choice, Day, Post
from hub.domain.almanac import CALENDAR, day_name
from hub.domain.errors import Invalid
from hub.store.base import Document

VIEWS = (("month", "月"), ("week", "周"), ("list", "列表"))
POSTS = 3  # posts of one day that the month's grid shows
LISTED = 20  # of one day in the list
HOURLY = 200  # of one day in the week
FIRST, LAST = date(2000, 1, 3), date(2199, 12, 1)
WEEK = timedelta(days=7)
# what a day's head must say, gravest first: state, word, tone
TROUBLE = (("refused", "被拒", "danger"), ("unknown", "待核对", "warn"), ("held", "暂停", "warn"))
MERGED = {"staging": "sending", "pending": "sending", "waiting": "scheduled", "removed": "withdrawn"}
MEETS = "meets"
SUMS = (
    "published",
    "corrected",
    "scheduled",
    "sending",
    "unknown",
    "held",
    MEETS,
    "refused",
    "withdrawn",
    "cancelled",
    "proposed",
)
GRAVE = frozenset(state for state, _, _ in TROUBLE)


# ---- which days


@dataclass(frozen=True)
class Place:
    """Where in the calendar one is: the view, its first of the month or Monday, what is chosen, and the open day."""

    view: str
    start: date
    choice: Choice
    day: date | None = None

    @property
    def first(self) -> date:
        """The first day that is drawn."""
        return grid_of(self.start)[0] if self.view == "month" else self.start

    @property
    def count(self) -> int:
        """How many days are drawn."""
        if self.view == "week":
            return 7
        return len(grid_of(self.start)) if self.view == "month" else (next_month(self.start, 1) - self.start).days

    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.count)]

    def holds(self, day: date) -> bool:
        return self.first <= day < self.first + timedelta(days=self.count)

    def at(self, day: date) -> Place:
        """The same view, moved only where it does not hold this day."""
        return self if self.holds(day) else replace(self, start=start_of(self.view, day))

    def step(self, step: int) -> Place:
        """The page before or after, with no day open."""
        start = self.start + WEEK * step if self.view == "week" else next_month(self.start, step)
        return replace(self, start=bounded(start), day=None)

    def seen_as(self, view: str, today: date) -> Place:
        """The other view of the same time: around the open day, else around today, else its middle or beginning."""
        middle = self.start + timedelta(days=3) if self.view == "week" else self.start
        around = self.day or (today if self.holds(today) else middle)
        return replace(self, view=view, start=start_of(view, around))

    def query(self) -> dict[str, str]:
        """The address's words, in their order; what is usual is left out."""
        when = {"week": self.start.isoformat()} if self.view == "week" else {"month": f"{self.start:%Y-%m}"}
        view = {} if self.view == "month" else {"view": self.view}
        chosen = {"channel": self.choice.channel, "column": self.choice.column}
        opened = {"day": self.day.isoformat()} if self.day else {}
        return {**view, **when, **{name: value for name, value in chosen.items() if value}, **opened}

    def href(self, path: str = "/calendar", **more: str) -> str:
        return f"{path}?{urlencode({**self.query(), **more})}"

    def bare(self) -> Place:
        """The same days with nothing left out."""
        return replace(self, choice=ALL)

    def opened(self, day: date | None) -> str:
        """The address with this day open beside."""
        return replace(self, day=day).href()


def place_of(asked: Mapping[str, str], choice: Choice, today: date) -> Place:
    """Where an address leads; Invalid where a date in it is none."""
    view = asked.get("view", "")
    view = view if view in dict(VIEWS) else "month"
    day = day_of(asked["day"]) if asked.get("day") else None
    if view == "week":
        around = day_of(asked["week"]) if asked.get("week") else day or today
    else:
        around = month_of(asked["month"]) if asked.get("month") else day or today
    return Place(view, start_of(view, around), choice, day)


def start_of(view: str, day: date) -> date:
    """The Monday of this day's week, or the first of its month."""
    return bounded(day - timedelta(days=day.weekday()) if view == "week" else day.replace(day=1))


def month_of(text: str) -> date:
    """The first day of the month that is asked for (`2026-11`)."""
    return _date_of(text[:7], "%Y-%m", "月份的写法是 2026-11。")


def day_of(text: str) -> date:
    """The day that is asked for (`2026-11-24`)."""
    return _date_of(text, "%Y-%m-%d", "日期的写法是 2026-11-24。")


def _date_of(text: str, form: str, sentence: str) -> date:
    try:
        return bounded(datetime.strptime(text, form).replace(tzinfo=SHANGHAI).date())
    except ValueError:
        raise Invalid(sentence) from None


def bounded(day: date) -> date:
    return min(max(day, FIRST), LAST)


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


def title_of(place: Place) -> str:
    """“2026 年 11 月”, “2026 年 11 月 23 日至 29 日”."""
    if place.view != "week":
        return f"{place.start.year} 年 {place.start.month} 月"
    end = place.start + timedelta(days=6)
    last = f"{end.day} 日" if end.month == place.start.month else wording.day(end)
    return f"{wording.full_day(place.start)}至 {last}"


# ---- what is drawn


@dataclass(frozen=True)
class Square:
    """One day as it is drawn; `lit` are the posts to draw, by time."""

    date: date
    held: Day
    lit: Sequence[Post]
    out: bool
    today: bool
    chosen: bool
    quiet: str = ""  # why nothing goes out on this day, or during some of it

    @property
    def rest(self) -> bool:
        return not CALENDAR.works(self.date)

    @property
    def name(self) -> str:
        return day_name(self.date)

    @property
    def more(self) -> int:
        return max(0, self.held.count - len(self.lit))

    @property
    def trouble(self) -> list[tuple[str, str]]:
        """What the day's head says, with its tone."""
        found = [(f"{self.held.states[key]} {word}", tone) for key, word, tone in TROUBLE if self.held.states.get(key)]
        found += [(f"{self.held.warned} 将发不出", "warn")] if self.held.warned else []
        places = f"{self.held.meetings} 处" if self.held.meetings > 1 else ""
        silent = [("静默", "quiet")] if self.quiet else []
        return found + ([(f"{places}撞车", "warn")] if self.held.meetings else []) + silent


def squares(
    place: Place, days: Mapping[date, Day], today: date, lit: date | None, quiet: Mapping[date, str]
) -> list[Square]:
    """The days of the view. `lit` is the day that something was just moved to."""
    most = {"month": POSTS, "week": HOURLY, "list": LISTED}[place.view]
    return [
        Square(
            day,
            days.get(day, NONE),
            gravest(days.get(day, NONE).posts, most),
            place.view == "month" and day.month != place.start.month,
            day == today,
            day in (place.day, lit),
            quiet.get(day, ""),
        )
        for day in place.dates()
    ]


def gravest(posts: Sequence[Post], most: int) -> list[Post]:
    """So many of a day's posts, by time; what went wrong, or meets another, is always among them."""
    grave = sorted(posts, key=lambda post: (post.state not in GRAVE, not post.meets, post.at))[:most]
    return sorted(grave, key=lambda post: (post.at, post.content))


def sums(drawn: Iterable[Square]) -> list[tuple[str, int]]:
    """The page in states, as its head tells them; what meets is told besides its state."""
    inside = [square.held for square in drawn if not square.out]
    counts: Counter[str] = Counter()
    for day in inside:
        for state, count in day.states.items():
            counts[MERGED.get(state, state)] += count
    counts[MEETS] = sum(day.meetings for day in inside)
    return [(state, counts[state]) for state in SUMS if counts[state]]


def hours_of(drawn: Sequence[Square]) -> list[int]:
    """The hours of a week that hold anything."""
    return sorted({local(post.at).hour for square in drawn for post in square.lit})


def in_hour(square: Square, hour: int) -> list[Post]:
    return [post for post in square.lit if local(post.at).hour == hour]


def field_of(at: datetime) -> str:
    """A moment as a field of date and time holds it."""
    return f"{local(at):%Y-%m-%dT%H:%M}"


# ---- what a move says


def moved_words(rows: Sequence[Document], day: Day, channels: Mapping[str, tuple[str, str]]) -> str:
    """“已改到 11 月 26 日 09:00（星期四）。当日 4 条，无撞车。”"""
    at = rows[0]["at"]
    done = "已改回" if rows[0]["moved"]["back"] else "已改到"
    return f"{done} {wording.moment(at)}（{wording.weekday(at)}）。当日 {day.count} 条，{_met(rows, day, channels)}"


def _met(rows: Sequence[Document], day: Day, channels: Mapping[str, tuple[str, str]]) -> str:
    own = {(row["account"], row["at"]) for row in rows}
    found = [
        (row["channel"], row["title"])
        for post in day.posts
        if post.meets and post.content != rows[0]["content"]
        for row in post.rows
        if (row["account"], row["at"]) in own
    ]
    if not found:
        return "无撞车。"
    where = "、".join(dict.fromkeys(channels[channel][1] if channel in channels else channel for channel, _ in found))
    return f"撞车：{wording.hour(rows[0]['at'])} {where}还有《{found[0][1]}》。"


def toast_of(text: str, rows: Sequence[Document], place: Place) -> dict[str, Any]:
    """The toast of a move, with the form that takes it back."""
    if rows[0]["moved"]["back"]:
        return {"text": text}
    given = {"id": [row["_id"] for row in rows], "seen": [wording.stamp(rows[0]["at"])]}
    return {"text": text, "undo": {"action": place.href("/calendar/undo"), "hidden": given}}
