"""停发之后: the first screen's question as home and publications show it, and the form that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sanic import HTTPResponse, Request

from hub.access.requests import own_path
from hub.clock import local
from hub.desk.accounts import list_accounts
from hub.desk.missed import Missed, decide_missed, missed
from hub.desk.working import Work, page_of
from hub.domain.errors import Invalid
from hub.pages.days import moment_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go


async def asked_of(request: Request) -> Mapping[str, Any]:
    """What the template needs of what was missed; empty where nobody need be asked."""
    desk, actor = desk_of(request), actor_of(request)
    found = await missed(actor, desk)
    if found is None:
        return {"missed": None}
    names = {row["_id"]: row["name"] for row in await list_accounts(actor, desk, limit=200)}
    tomorrow = local(desk.clock.now()).replace(hour=9, minute=0) + timedelta(days=1)
    return {"missed": found, "missed_names": names, "missed_tomorrow": f"{tomorrow:%Y-%m-%dT%H:%M}"}


def beside(rows: Sequence[Work], asked: Mapping[str, Any]) -> list[Work]:
    """The work that is not asked about already."""
    found: Missed | None = asked["missed"]
    hrefs = {page_of(id) for post in found.waiting for id in post.ids} if found else set()
    return [row for row in rows if row.href not in hrefs]


async def decide(request: Request) -> HTTPResponse:
    """All that is ticked, or one with its own button; back to where it was asked."""
    back = own_path(field(request, "next"))
    choice, ids = _answer(request)
    try:
        at = _moment(request) if choice == "move" else None
        done = await decide_missed(actor_of(request), desk_of(request), ids, choice, at=at)
    except Invalid as error:
        return go(back, "missed_time" if any(one.field == "at" for one in error.errors) else "missed_none")
    return go(back, "missed_some" if done.left else f"missed_{choice}")


def _answer(request: Request) -> tuple[str, list[str]]:
    one = field(request, "one", 20_000).split()
    if one:
        return one[0], one[1:]
    given = request.form.getlist("ids") or [] if request.form else []
    return field(request, "choice", 10), [id for each in given for id in str(each).split()]


def _moment(request: Request) -> datetime:
    return moment_of(field(request, "at", 20))


ROUTES = (Route("POST", "/missed", decide, "publication.release", "form"),)
