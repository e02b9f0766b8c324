"""搜索: one question, what was found of each kind; finding it is the desk's."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from hub.desk.searching import LOOKED, search
from hub.domain.content import STATES
from hub.pages.board import CHANNELS, FEELINGS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, show


async def show_search(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    phrase = (request.args.get("q") or "").strip()[:100]
    hits = await search(actor, desk, phrase)
    return await show(
        request,
        "desk/search.html",
        "home",
        phrase=phrase,
        hits=hits,
        looked=LOOKED,
        states=STATES,
        channels=CHANNELS,
        feelings=FEELINGS,
        now=desk.clock.now(),
    )


ROUTES = (Route("GET", "/search", show_search, "notice.read"),)
