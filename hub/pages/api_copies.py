"""/api/v1/copies: groups of texts that say the same, one group, and who said it when; finding them is the desk's."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from hub.desk import copies
from hub.domain.copy_group import drawn
from hub.pages.api_answers import API, answer, chosen, cursor_of, limit_of, listed, moment_in, one_of
from hub.pages.api_contents import LIST
from hub.pages.board import CHANNELS
from hub.pages.copies import rule_words, verdict_words
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of

WORDS = ("yes", "no")


async def list_groups(request: Request) -> HTTPResponse:
    """`issue`: the groups of that issue, at most 50 and without a cursor; the other filters do not count then."""
    given = chosen(request, "flood", "channel", "order", "past", "issue")
    actor, desk = actor_of(request), desk_of(request)
    if "issue" in given:
        return listed(await copies.groups_of_issue(actor, desk, given["issue"]), None)
    found = await copies.list_groups(
        actor,
        desk,
        flood=one_of("flood", given.get("flood", "no"), WORDS) == "yes",
        channel=one_of("channel", given["channel"], CHANNELS) if "channel" in given else "",
        since=moment_in(request, "from"),
        until=moment_in(request, "to"),
        order=one_of("order", given.get("order", "newest"), copies.ORDERS),
        past=one_of("past", given.get("past", "no"), WORDS) == "yes",
        cursor=cursor_of(request),
        limit=limit_of(request),
    )
    return listed(found.items, found.cursor)


async def one_group(request: Request, id: str) -> HTTPResponse:
    found = await copies.group(actor_of(request), desk_of(request), id, limit=1)
    said = {"verdict": verdict_words(found.group), "rule_words": rule_words(found.group["rule"])}
    return answer({**found.group, **said, "chart": drawn(found.group["bars"]), "issues": found.issues})


async def list_copies(request: Request, id: str) -> HTTPResponse:
    found = await copies.course(
        actor_of(request), desk_of(request), id, cursor=cursor_of(request), limit=limit_of(request)
    )
    return listed(found.items, found.cursor)


ROUTES = (
    Route("GET", f"{API}/copies", list_groups, "reply.read", "api", None, "同文列表",
          query=("flood", "channel", "from", "to", "order", "past", "issue", *LIST)),
    Route("GET", f"{API}/copies/<id:str>", one_group, "reply.read", "api", None, "一组同文，是否疑似刷屏"),
    Route("GET", f"{API}/copies/<id:str>/replies", list_copies, "reply.read", "api", None,
          "一组同文里的留言，先说的在前", query=LIST),
)  # fmt: skip
