"""日历: the posts of a month, a week or a list on the server's own grid, one day in full, moving a post by a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import local
from hub.desk import agenda, columns, publishing, quieting, rescheduling
from hub.desk.agenda import NONE, Choice, Day, Post
from hub.desk.rescheduling import Moved
from hub.domain import quiet
from hub.domain.errors import HubError
from hub.domain.rights import may
from hub.pages import calendar_view as view
from hub.pages.board import CHANNELS
from hub.pages.calendar_view import VIEWS, Place
from hub.pages.publications import moment_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

OPENED = 100  # posts of the open day that stand beside the grid


async def show_calendar(request: Request) -> HTTPResponse:
    return await _calendar(request)


async def _calendar(request: Request, *, problem: str = "", status: int = 200) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    today = local(desk.clock.now()).date()
    shelves = [(row["_id"], row["name"]) for row in await columns.list_columns(actor, desk)]
    place = _place(request, today, dict(shelves))
    days = await agenda.days(actor, desk, place.first, place.count, place.choice)
    moved = await _just_moved(request)
    lit = local(moved[0]["at"]).date() if moved else None
    periods = await quieting.quiet_periods(actor, desk)
    drawn = view.squares(place, days, today, lit, quiet.days_of(periods, place.first, place.count))
    return await show(
        request,
        "desk/calendar.html",
        "calendar",
        status=status,
        toast=await _toast(request, place, moved),
        place=place,
        title=view.title_of(place),
        views=[(key, words, place.seen_as(key, today).href()) for key, words in VIEWS],
        now=replace(place, start=view.start_of(place.view, today), day=None).href(),
        squares=drawn,
        sums=view.sums(drawn),
        hours=view.hours_of(drawn),
        in_hour=view.in_hour,
        lit=[str(row["_id"]) for row in moved],
        weekdays=wording.WEEKDAYS,
        opened=await _opened(request, place),
        problem=problem,
        channels=CHANNELS,
        known_channels=[(key, words) for key, (_, words) in CHANNELS.items() if key in _known(request)],
        columns=shelves,
        may_move=may(actor, "content.schedule"),
        may_write=may(actor, "content.write"),
    )


def _place(request: Request, today: date, shelves: Mapping[str, str]) -> Place:
    """What the address asks for; a channel or column that the office does not have is no wish."""
    channel, column = (request.args.get(name) or "" for name in ("channel", "column"))
    choice = Choice(channel if channel in CHANNELS else "", column if column in shelves else "")
    asked = {name: request.args.get(name) or "" for name in ("view", "month", "week", "day")}
    return view.place_of(asked, choice, today)


def _known(request: Request) -> Sequence[str]:
    known: Sequence[str] = request.app.ctx.facts["channels"]
    return known


async def _opened(request: Request, place: Place) -> Mapping[str, Any] | None:
    """The open day: each post with its channels, and what of it can be moved."""
    if place.day is None:
        return None
    day = await _day(request, place.day, place.choice)
    posts = [_full(post) for post in day.posts[:OPENED]]
    words = f"{wording.day(place.day)} {wording.weekday(place.day)}"
    periods = await quieting.quiet_periods(actor_of(request), desk_of(request))
    silent = quiet.days_of(periods, place.day, 1).get(place.day, "")
    found = {"date": place.day, "words": words, "count": day.count, "posts": posts, "quiet": silent}
    return {**found, "more": day.count - len(posts)}


async def _day(request: Request, day: date, choice: Choice) -> Day:
    return (await agenda.days(actor_of(request), desk_of(request), day, 1, choice)).get(day, NONE)


def _full(post: Post) -> Mapping[str, Any]:
    return {"post": post, "open": post.worst["_id"], "at": view.field_of(post.at)}


# ---- moving


async def _just_moved(request: Request) -> list[Document]:
    """What this person has moved a moment ago; the address only names it, the store says whether that is so."""
    id = request.args.get("moved") or ""
    return await rescheduling.last_move(actor_of(request), desk_of(request), id) if id else []


async def _toast(request: Request, place: Place, moved: Sequence[Document]) -> Mapping[str, Any] | None:
    if not moved:
        return None
    day = await _day(request, local(moved[0]["at"]).date(), agenda.ALL)
    notes = await publishing.quiet_notes(desk_of(request), moved)
    return view.toast_of(view.moved_words(moved, day, CHANNELS) + "".join(notes), moved, place)


Act = Callable[[Request, Sequence[str], datetime], Awaitable[Moved]]


def _form(act: Act) -> Callable[[Request], Awaitable[HTTPResponse]]:
    """A form that moves one post: on to where it stands now, or the page again with what was in the way."""

    async def handle(request: Request) -> HTTPResponse:
        try:
            moved = await act(request, _ids(request), moment_of(field(request, "seen", 40)))
        except HubError as error:
            if error.status not in (409, 422):
                raise
            return await _calendar(request, problem=error.message, status=error.status)
        if moved.left:
            said = f"已改 {len(moved.rows)} 个渠道，{len(moved.left)} 个没有改：{moved.left[0]}"
            return await _calendar(request, problem=said, status=409)
        return go(_then(request, moved))

    return handle


def _ids(request: Request) -> list[str]:
    return [str(each) for each in (request.form.getlist("id") or [])][: rescheduling.MOST] if request.form else []


def _then(request: Request, moved: Moved) -> str:
    """The same view, where the post stands now; the open day goes with it."""
    today = local(desk_of(request).clock.now()).date()
    given = {str(request.args.get("column") or ""): ""}
    place, day = _place(request, today, given), local(moved.rows[0]["at"]).date()
    goal = replace(place.at(day), day=day if place.day else None)
    return goal.href(moved=str(moved.rows[0]["_id"]))


async def _move(request: Request, ids: Sequence[str], seen: datetime) -> Moved:
    to = field(request, "day", 10)
    goal = view.day_of(to) if to else moment_of(field(request, "at", 20))
    return await rescheduling.reschedule(actor_of(request), desk_of(request), ids, seen=seen, to=goal)


async def _undo(request: Request, ids: Sequence[str], seen: datetime) -> Moved:
    return await rescheduling.move_back(actor_of(request), desk_of(request), ids, seen=seen)


ROUTES = (
    Route("GET", "/calendar", show_calendar, "publication.read"),
    Route("POST", "/calendar/move", _form(_move), "content.schedule", "form"),
    Route("POST", "/calendar/undo", _form(_undo), "content.schedule", "form"),
)
