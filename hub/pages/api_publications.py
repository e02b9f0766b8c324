"""/api/v1/publications, accounts, hold-all, calendar, operations: what goes out, where, and a person's word on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import accounts, overview, pausing, publishing, settling, withdrawing
from hub.desk.accounts import NewAccount
from hub.domain.errors import FieldError, Invalid
from hub.domain.moves import STATE_WORDS
from hub.pages.api_answers import (
    API,
    answer,
    chosen,
    cursor_of,
    done,
    limit_of,
    listed,
    moment_in,
    one_of,
    utc,
    within,
)
from hub.pages.api_contents import LIST, Key, Moment, Short
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of

AT, ACCOUNTS = f"{API}/publications", f"{API}/accounts"
LONGEST = timedelta(days=62)  # of a calendar's stretch


class ReasonBody(Body):
    reason: Short = ""


class ReleaseBody(Body):
    """恢复: at this time, or now."""

    at: Moment | None = None


class MoveBody(Body):
    """改期."""

    at: Moment
    late: Literal["publish", "hold", "ask"] | None = None


class ResolveBody(Body):
    """人工认定, from unknown only; published needs the address."""

    outcome: Literal["published", "not_published"]
    evidence: Short
    url: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None


class EvidenceBody(Body):
    evidence: Short


class AccountBody(Body):
    """What connects an account; credentials are sealed at once and in no answer ever again."""

    key: Key
    channel: Literal["site", "weibo", "app", "push"]
    name: Key
    settings: dict[str, str | int | float | bool | None]
    credentials: dict[str, str | list[str]]
    profile: dict[str, Any] = msgspec.field(default_factory=dict)
    waits_for: Key | None = None
    fallback_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None
    rehearsal: bool = False


async def list_publications(request: Request) -> HTTPResponse:
    given = chosen(request, "state", "account", "content")
    if "state" in given:
        one_of("state", given["state"], STATE_WORDS)
    found = await publishing.list_publications(
        actor_of(request),
        desk_of(request),
        state=given.get("state"),
        account=given.get("account"),
        content=given.get("content"),
        since=moment_in(request, "from"),
        until=moment_in(request, "to"),
        cursor=cursor_of(request) or None,
        limit=limit_of(request),
    )
    return listed(found.rows, found.cursor)


async def one_publication(request: Request, id: str) -> HTTPResponse:
    return answer(await publishing.publication(actor_of(request), desk_of(request), id))


async def cancel(request: Request, id: str) -> HTTPResponse:
    body: ReasonBody = take(request, ReasonBody)
    return answer(await publishing.cancel(actor_of(request), desk_of(request), id, reason=body.reason))


async def hold(request: Request, id: str) -> HTTPResponse:
    body: ReasonBody = take(request, ReasonBody)
    return answer(await publishing.hold(actor_of(request), desk_of(request), id, reason=body.reason))


async def release(request: Request, id: str) -> HTTPResponse:
    body: ReleaseBody = take(request, ReleaseBody)
    at = utc(body.at, "at") if body.at else None
    return answer(await publishing.release(actor_of(request), desk_of(request), id, at=at))


async def move(request: Request, id: str) -> HTTPResponse:
    body: MoveBody = take(request, MoveBody)
    return answer(
        await publishing.move(actor_of(request), desk_of(request), id, utc(body.at, "at"), late=body.late)
    )


async def resolve(request: Request, id: str) -> HTTPResponse:
    body: ResolveBody = take(request, ResolveBody)
    found = await settling.resolve(
        actor_of(request), desk_of(request), id, body.outcome, url=body.url, evidence=body.evidence
    )
    return answer(found)


async def confirm_operation(request: Request, id: str) -> HTTPResponse:
    body: EvidenceBody = take(request, EvidenceBody)
    return answer(await withdrawing.confirm_by_hand(actor_of(request), desk_of(request), id, body.evidence))


async def hold_all(request: Request) -> HTTPResponse:
    body: ReasonBody = take(request, ReasonBody)
    return answer(await pausing.hold_all(actor_of(request), desk_of(request), body.reason))


async def hold_all_state(request: Request) -> HTTPResponse:
    return answer(await pausing.hold_all_state(actor_of(request), desk_of(request)))


async def lift_hold_all(request: Request) -> HTTPResponse:
    body: ReasonBody = take(request, ReasonBody)
    await pausing.lift_hold_all(actor_of(request), desk_of(request), reason=body.reason)
    return done()


async def calendar(request: Request) -> HTTPResponse:
    """The publications of a stretch of at most two months, by time."""
    since, until = moment_in(request, "from"), moment_in(request, "to")
    if since is None or until is None or not timedelta(0) < until - since <= LONGEST:
        raise Invalid("请写明起止时间，不超过两个月。", (FieldError("from", "from 和 to 都要写。"),))
    rows, cut = await overview.between(actor_of(request), desk_of(request), since, until)
    return answer({"items": rows, "cut": cut})


# ---- accounts


async def list_accounts(request: Request) -> HTTPResponse:
    size = limit_of(request)
    after = cursor_of(request) or None
    rows = await accounts.list_accounts(actor_of(request), desk_of(request), after=after, limit=size)
    return listed(rows, within(rows, size, lambda row: row["_id"]))


async def one_account(request: Request, id: str) -> HTTPResponse:
    return answer(await accounts.account(actor_of(request), desk_of(request), id))


async def connect_account(request: Request) -> HTTPResponse:
    body: AccountBody = take(request, AccountBody)
    new = NewAccount(
        key=body.key,
        channel=body.channel,
        name=body.name,
        settings=body.settings,
        credentials=body.credentials,  # type: ignore[arg-type]
        profile=body.profile,
        waits_for=body.waits_for,
        fallback_minutes=body.fallback_minutes,
        rehearsal=body.rehearsal,
    )
    return answer(await accounts.connect_account(actor_of(request), desk_of(request), new), status=201)


async def test_account(request: Request, id: str) -> HTTPResponse:
    return answer(await accounts.test_account(actor_of(request), desk_of(request), id))


test_account.__test__ = False  # type: ignore[attr-defined]


async def hold_account(request: Request, id: str) -> HTTPResponse:
    body: ReasonBody = take(request, ReasonBody)
    return answer(await accounts.hold_account(actor_of(request), desk_of(request), id, body.reason))


async def release_account(request: Request, id: str) -> HTTPResponse:
    return answer(await accounts.release_account(actor_of(request), desk_of(request), id))


ROUTES = (
    Route(
        "GET", AT, list_publications, "publication.read", "api", None, "发布列表，时间新的在前",
        query=("state", "account", "content", "from", "to", *LIST),
    ),
    Route("GET", f"{AT}/<id:str>", one_publication, "publication.read", "api", None, "一条发布和每一次尝试"),
    Route("POST", f"{AT}/<id:str>/cancel", cancel, "content.schedule", "api", ReasonBody, "取消"),
    Route("POST", f"{AT}/<id:str>/hold", hold, "publication.hold", "api", ReasonBody, "暂停"),
    Route("POST", f"{AT}/<id:str>/release", release, "publication.release", "api", ReleaseBody, "恢复"),
    Route("POST", f"{AT}/<id:str>/move", move, "content.schedule", "api", MoveBody, "改期"),
    Route("POST", f"{AT}/<id:str>/resolve", resolve, "publication.resolve", "api", ResolveBody, "人工认定结果"),
    Route(
        "POST", f"{API}/operations/<id:str>/confirm", confirm_operation, "publication.resolve", "api", EvidenceBody,
        "更正或撤回已在平台上人工做完",
    ),
    Route("GET", f"{API}/hold-all", hold_all_state, "publication.read", "api", None, "全部暂停的状态"),
    Route("POST", f"{API}/hold-all", hold_all, "hold.all", "api", ReasonBody, "全部暂停"),
    Route("DELETE", f"{API}/hold-all", lift_hold_all, "hold.lift", "api", ReasonBody, "恢复发布"),
    Route(
        "GET", f"{API}/calendar", calendar, "publication.read", "api", None, "一段时间里的发布", query=("from", "to")
    ),
    Route("GET", ACCOUNTS, list_accounts, "account.read", "api", None, "账号列表", query=LIST),
    Route(
        "POST", ACCOUNTS, connect_account, "account.write", "api", AccountBody, "接入或更换一个账号", sensitive=True
    ),
    Route("GET", f"{ACCOUNTS}/<id:str>", one_account, "account.read", "api", None, "一个账号"),
    Route("POST", f"{ACCOUNTS}/<id:str>/test", test_account, "account.read", "api", None, "现在检查一个账号"),
    Route("POST", f"{ACCOUNTS}/<id:str>/hold", hold_account, "publication.hold", "api", ReasonBody, "暂停一个账号"),
    Route("POST", f"{ACCOUNTS}/<id:str>/release", release_account, "publication.release", "api", None, "恢复一个账号"),
)  # fmt: skip
