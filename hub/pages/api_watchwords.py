"""/api/v1/watchwords and decisions about issues: kept, tried out, joined and parted by programs; the desk decides."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import deciding, watchwords
from hub.domain import watchword as rules
from hub.pages.api_answers import API, answer, cursor_of, limit_of, listed, utc
from hub.pages.api_contents import LIST, Key, Moment, Short
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of
from hub.pages.watchwords import places_of

Places = Annotated[list[Annotated[str, msgspec.Meta(max_length=20)]], msgspec.Meta(max_length=60)]


class TriedBody(Body):
    """A line like 桥 + 塌|裂 - 游戏 and its rule; `until`: nothing said later is a hit."""

    line: Annotated[str, msgspec.Meta(min_length=1, max_length=rules.LONGEST_LINE)]
    channels: Places = msgspec.field(default_factory=list)
    districts: Places = msgspec.field(default_factory=list)
    people: Annotated[int, msgspec.Meta(ge=1, le=rules.MOST_PEOPLE)] = 1
    hours: Annotated[int, msgspec.Meta(ge=1, le=rules.MOST_HOURS)] = 24
    pause_hours: Annotated[int, msgspec.Meta(ge=1, le=rules.MOST_PAUSE)] = 72


class WatchWordBody(TriedBody):
    """A new one, or with `id` an old one changed; with `version` only if it is still the one that was read."""

    name: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_NAME)] = ""
    level: Literal["yellow", "orange", "red"] = "yellow"
    night: bool = False
    until: Moment | None = None
    id: Key | None = None
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


class MergeBody(Body):
    """归并到: the other issue, and why."""

    into: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    reason: Short


class SplitBody(Body):
    """拆分: the replies that speak of something else, and why."""

    replies: Annotated[list[Key], msgspec.Meta(min_length=1, max_length=deciding.MOST_PARTED)]
    reason: Short


class ReasonBody(Body):
    reason: Short


async def list_watchwords(request: Request) -> HTTPResponse:
    retired = request.args.get("retired") == "1"
    return listed(await watchwords.list_watchwords(actor_of(request), desk_of(request), retired=retired), None)


async def one_watchword(request: Request, id: str) -> HTTPResponse:
    return answer(await watchwords.watchword(actor_of(request), desk_of(request), id))


async def save_watchword(request: Request) -> HTTPResponse:
    body: WatchWordBody = take(request, WatchWordBody)
    said = {**_said(body), "name": body.name, "level": body.level, "night": body.night,
            "until": utc(body.until, "until") if body.until else None}  # fmt: skip
    found = await watchwords.save_watchword(
        actor_of(request), desk_of(request), said, places_of(request), id=body.id or "", version=body.version
    )
    return answer(found, status=200 if body.id else 201)


async def try_watchword(request: Request) -> HTTPResponse:
    """How loud it would have been in the last thirty days; nothing is kept."""
    body: TriedBody = take(request, TriedBody)
    return answer(await watchwords.preview(actor_of(request), desk_of(request), _said(body), places_of(request)))


def _said(body: TriedBody) -> dict[str, Any]:
    names = ("line", "channels", "districts", "people", "hours", "pause_hours")
    return {name: getattr(body, name) for name in names}


async def retire_watchword(request: Request, id: str) -> HTTPResponse:
    return answer(await watchwords.retire_watchword(actor_of(request), desk_of(request), id))


async def restore_watchword(request: Request, id: str) -> HTTPResponse:
    return answer(await watchwords.restore_watchword(actor_of(request), desk_of(request), id))


async def list_hits(request: Request, id: str) -> HTTPResponse:
    rows, more = await watchwords.hits(
        actor_of(request), desk_of(request), id, cursor=cursor_of(request), limit=limit_of(request)
    )
    return listed(rows, more)


async def likely(request: Request, id: str) -> HTTPResponse:
    words = (request.args.get("words") or "")[:50]
    return listed(await deciding.likely(actor_of(request), desk_of(request), id, words), None)


async def merge(request: Request, id: str) -> HTTPResponse:
    """Written down at once; the watch carries it out within seconds."""
    body: MergeBody = take(request, MergeBody)
    found = await deciding.merge_issue(actor_of(request), desk_of(request), id, body.into, body.reason)
    return answer(found, status=202)


async def split(request: Request, id: str) -> HTTPResponse:
    """Written down at once; `into` is the new issue, which is there within seconds."""
    body: SplitBody = take(request, SplitBody)
    found = await deciding.split_issue(actor_of(request), desk_of(request), id, body.replies, body.reason)
    return answer(found, status=202)


async def undo(request: Request, id: str) -> HTTPResponse:
    body: ReasonBody = take(request, ReasonBody)
    return answer(await deciding.undo_merge(actor_of(request), desk_of(request), id, body.reason), status=202)


_WORD = f"{API}/watchwords/<id:str>"
_ISSUE = f"{API}/issues/<id:str>"
ROUTES = (
    Route("GET", f"{API}/watchwords", list_watchwords, "watchword.read", "api", None, "关注词", query=("retired",)),
    Route("POST", f"{API}/watchwords", save_watchword, "watchword.write", "api", WatchWordBody, "写或改一个关注词"),
    Route("POST", f"{API}/watchword-previews", try_watchword, "watchword.read", "api", TriedBody,
          "试一试：过去 30 天会命中多少"),
    Route("GET", _WORD, one_watchword, "watchword.read", "api", None, "一个关注词"),
    Route("POST", f"{_WORD}/retire", retire_watchword, "watchword.write", "api", None, "停用关注词"),
    Route("POST", f"{_WORD}/restore", restore_watchword, "watchword.write", "api", None, "恢复使用关注词"),
    Route("GET", f"{_ISSUE}/hits", list_hits, "issue.read", "api", None, "关注词一次提醒命中的留言", query=LIST),
    Route("GET", f"{_ISSUE}/likely", likely, "issue.read", "api", None, "可能是一件事的苗头", query=("words",)),
    Route("POST", f"{_ISSUE}/merge", merge, "issue.decide", "api", MergeBody, "归并到另一个苗头"),
    Route("POST", f"{_ISSUE}/split", split, "issue.decide", "api", SplitBody, "拆出另一件事"),
    Route("POST", f"{API}/decisions/<id:str>/undo", undo, "issue.decide", "api", ReasonBody, "撤销归并"),
)  # fmt: skip
