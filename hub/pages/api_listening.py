"""/api/v1/replies, issues, alerts, board: what citizens said, taken in and found again; reading it is the desk's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from sanic import HTTPResponse, Request

from channels.contract import Heard
from hub.desk import alerting, importing, issues, listening, replies, urgency
from hub.desk.board import board
from hub.domain.alert import LEVELS, STATE_NAMES
from hub.domain.errors import FieldError, Invalid
from hub.pages.api_answers import (
    API,
    answer,
    chosen,
    cursor_of,
    limit_of,
    listed,
    moment_in,
    one_of,
    plain,
    utc,
    within,
)
from hub.pages.api_contents import LIST, Key, Moment, Short
from hub.pages.board import heard_on
from hub.pages.phrases import in_chinese
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of
from hub.store.base import Document

MOST_ROWS = 1_000
AHEAD = timedelta(days=1)  # another machine's clock may be this far before ours
HOURS = {"24": 24, "168": 168, "720": 720}


class ReplyBody(Body):
    """One thing that a citizen said on one of our accounts."""

    account: Key
    external_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    author: Annotated[str, msgspec.Meta(max_length=100)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    at: Moment
    in_reply_to: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    district: Key | None = None
    title: Short = ""
    kind: Literal["comment", "post", "letter", "message"] = "comment"


class LabelBody(Body):
    """改正情感."""

    label: Literal["neg", "neu", "pos"]


class UrgencyBody(Body):
    """标紧急: which kind, and the number of the mark that was seen (`urgency.number` of the reply; 0: none)."""

    kind: Literal["life", "gathering", "deadline", "vulnerable", "none"]
    seen: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class RevealBody(Body):
    """查看原文: why; it stands in the audit."""

    reason: Short


class RemarkBody(Body):
    remark: Short = ""


async def ingest(request: Request) -> HTTPResponse:
    """Up to a thousand rows, each kept once; a row that cannot be taken is named and the others are kept."""
    desk, actor = desk_of(request), actor_of(request)
    rows = _rows(request)
    refused: list[dict[str, Any]] = []
    found: dict[str, list[Heard]] = {}
    known_accounts: dict[str, Document] = {}
    for number, raw in enumerate(rows):
        try:
            body = _row(raw)
            heard = _heard(body)
            if heard.at > desk.clock.now() + AHEAD:
                raise Invalid("", (FieldError("at", "这个时间还没有到。"),))
        except Invalid as error:
            refused.append({"row": number, "field": error.errors[0].field, "message": error.errors[0].message})
            continue
        if body.account not in known_accounts:
            row = await importing.source(actor, desk, body.account)
            if row is None:
                refused.append({"row": number, "field": "account", "message": "没有这个账号。"})
                continue
            known_accounts[body.account] = row
        found.setdefault(body.account, []).append(heard)
    new = known = 0
    for key, said in found.items():
        taken = await listening.take(actor, desk, known_accounts[key], said)
        new, known = new + taken.new, known + taken.known
    return answer({"new": new, "known": known, "rejected": len(refused), "errors": refused})


def _rows(request: Request) -> list[msgspec.Raw]:
    rows: list[msgspec.Raw] = take(request, list[msgspec.Raw])
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid("请求里有字段不对。", (FieldError("body", f"一次 1 到 {MOST_ROWS} 条。"),))
    return rows


def _row(raw: msgspec.Raw) -> ReplyBody:
    try:
        return msgspec.json.decode(raw, type=ReplyBody)
    except msgspec.ValidationError as error:
        raise Invalid("", (FieldError(*in_chinese(str(error))),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("", (FieldError("body", "这一条不是合格的 JSON。"),)) from None


def _heard(body: ReplyBody) -> Heard:
    return Heard(
        external_id=body.external_id,
        kind=body.kind,
        author_id=body.author or body.external_id,
        author_name=body.author,
        text=body.text,
        at=utc(body.at, "at"),
        in_reply_to=body.in_reply_to,
        raw={"title": body.title, "district": body.district or "", "through": "api"},
    )


async def list_replies(request: Request) -> HTTPResponse:
    found = await replies.list_replies(
        actor_of(request),
        desk_of(request),
        since=moment_in(request, "from"),
        until=moment_in(request, "to"),
        words=(request.args.get("words") or "")[:200],
        cursor=cursor_of(request),
        limit=limit_of(request),
        filters=chosen(request, *replies.FILTERS),
    )
    return listed(found.items, found.cursor)


async def one_reply(request: Request, id: str) -> HTTPResponse:
    return answer(await replies.reply(actor_of(request), desk_of(request), id))


async def label(request: Request, id: str) -> HTTPResponse:
    body: LabelBody = take(request, LabelBody)
    return answer(await replies.label(actor_of(request), desk_of(request), id, body.label))


async def mark_urgency(request: Request, id: str) -> HTTPResponse:
    body: UrgencyBody = take(request, UrgencyBody)
    return answer(await urgency.mark_urgency(actor_of(request), desk_of(request), id, body.kind, body.seen))


async def reveal(request: Request, id: str) -> HTTPResponse:
    """The plain words, for a right and a reason; the one answer that holds what is sealed elsewhere."""
    body: RevealBody = take(request, RevealBody)
    return answer(await replies.reveal(actor_of(request), desk_of(request), id, body.reason))


async def list_issues(request: Request) -> HTTPResponse:
    state = one_of("state", chosen(request, "state").get("state", "open"), ("open", "closed", "false_alarm"))
    rows, more = await issues.list_issues(
        actor_of(request), desk_of(request), state=state, cursor=cursor_of(request), limit=limit_of(request)
    )
    return listed(rows, more)


async def one_issue(request: Request, id: str) -> HTTPResponse:
    found = await issues.issue(actor_of(request), desk_of(request), id)
    chart = {"at": found.bars_at, "people": found.people, "copies": found.copies}
    return answer(
        {
            **found.issue,
            "alerts": found.alerts,
            "replies": found.words,
            "chart": chart,
            "publications": found.publications,
            "decisions": found.decisions,
        }
    )


async def list_alerts(request: Request) -> HTTPResponse:
    state = chosen(request, "state").get("state")
    if state:
        one_of("state", state, STATE_NAMES)
    size = limit_of(request)
    rows = await alerting.list_alerts(
        actor_of(request), desk_of(request), state=state, before=cursor_of(request), limit=size
    )
    return listed(rows, within(rows, size, lambda row: row["_id"]))


async def handle_alert(request: Request, id: str, act: str) -> HTTPResponse:
    body: RemarkBody = take(request, RemarkBody)
    return answer(await alerting.handle_alert(actor_of(request), desk_of(request), id, act, body.remark))


async def show_board(request: Request) -> HTTPResponse:
    """The figures of the dashboard for the hours before `until` (now where it is left out)."""
    desk = desk_of(request)
    hours = HOURS[one_of("hours", request.args.get("hours") or "24", HOURS)]
    facts = request.app.ctx.facts
    found = await board(
        actor_of(request),
        desk,
        until=moment_in(request, "until") or desk.clock.now(),
        hours=hours,
        channels=heard_on(request),
        districts=facts["districts"],
    )
    return answer({**plain(found), "levels": list(LEVELS)})


ROUTES = (
    Route("POST", f"{API}/replies", ingest, "reply.take", "api", list[ReplyBody], "批量收入留言"),
    Route(
        "GET", f"{API}/replies", list_replies, "reply.read", "api", None, "留言列表，新的在前",
        query=("from", "to", "words", *replies.FILTERS, *LIST),
    ),
    Route("GET", f"{API}/replies/<id:str>", one_reply, "reply.read", "api", None, "一条留言（个人信息已遮盖）"),
    Route("POST", f"{API}/replies/<id:str>/label", label, "reply.write", "api", LabelBody, "改正情感"),
    Route("POST", f"{API}/replies/<id:str>/urgency", mark_urgency, "urgency.write", "api", UrgencyBody, "标紧急"),
    Route("POST", f"{API}/replies/<id:str>/reveal", reveal, "reply.reveal", "api", RevealBody, "查看原文（记入审计）"),
    Route("GET", f"{API}/issues", list_issues, "issue.read", "api", None, "苗头列表", query=("state", *LIST)),
    Route("GET", f"{API}/issues/<id:str>", one_issue, "issue.read", "api", None, "一个苗头"),
    Route("GET", f"{API}/alerts", list_alerts, "issue.read", "api", None, "预警列表", query=("state", *LIST)),
    Route(
        "POST", f"{API}/alerts/<id:str>/<act:acknowledge|assess|respond|close|false-alarm>", handle_alert, "alert.act",
        "api", RemarkBody, "处置预警",
    ),
    Route("GET", f"{API}/board", show_board, "board.read", "api", None, "看板的数字", query=("hours", "until")),
)  # fmt: skip
