"""/api/v1/contents: write, check, submit, review, schedule, correct, withdraw; each is one verb of the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import checking, publishing, reviewing, withdrawing, writing
from hub.domain.content import Draft
from hub.pages.api_answers import API, answer, chosen, cursor_of, limit_of, listed, revision_named, utc, version
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of
from hub.store.base import Document

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Short = Annotated[str, msgspec.Meta(max_length=500)]
Key = Annotated[str, msgspec.Meta(max_length=64)]
AT = f"{API}/contents"


class ContentBody(Body):
    """A draft as it is written: kind, column, title, digest, blocks, files and facts."""

    kind: Key
    column: Key
    title: Short
    digest: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    blocks: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=2_000)] = msgspec.field(default_factory=list)
    files: Annotated[list[Key], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    meta: dict[str, Any] = msgspec.field(default_factory=dict)


class VariantBody(Body):
    """One account's version written by hand."""

    override: dict[str, Any]


class SubmitBody(Body):
    """送审: the revision meant (the newest where it is left out), and reasons by the findings' keys."""

    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    acknowledged: dict[str, Short] = msgspec.field(default_factory=dict)


class ReviewBody(Body):
    """A verdict on exactly the package with this hash; a proof or a secrecy word has no level."""

    verdict: Literal["pass", "return"]
    hash: Key
    kind: Literal["approval", "proof", "secrecy"] = "approval"
    level: Annotated[int, msgspec.Meta(ge=1, le=3)] | None = None
    remark: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class WishBody(Body):
    account: Key
    at: Moment
    late: Literal["publish", "hold", "ask"] = "ask"


class ScheduleBody(Body):
    publications: Annotated[list[WishBody], msgspec.Meta(min_length=1, max_length=200)]
    if_some_impossible: Literal["none", "the_rest"] = "none"


class CorrectBody(Body):
    """更正: the note that readers see; every account where none is named."""

    note: Short
    accounts: Annotated[list[Key], msgspec.Meta(max_length=200)] = msgspec.field(default_factory=list)


class WithdrawBody(Body):
    """撤回: the reason; every account where none is named."""

    reason: Short
    accounts: Annotated[list[Key], msgspec.Meta(max_length=200)] = msgspec.field(default_factory=list)


def _draft(body: ContentBody) -> Draft:
    return Draft(body.kind, body.column, body.title, body.digest, body.blocks, body.files, body.meta)


async def _shown(request: Request, content: Document, status: int = 200) -> HTTPResponse:
    newest = await writing.revision_of(desk_of(request), content["_id"], content["revision"])
    body = {name: newest[name] for name in ("title", "digest", "blocks", "files", "meta")}
    return answer({**content, **body}, status=status, headers=version(content))


async def list_contents(request: Request) -> HTTPResponse:
    where = chosen(request, "state", "column", "author", "kind", "department")
    found = await writing.list_contents(
        actor_of(request), desk_of(request), where=where, cursor=cursor_of(request), limit=limit_of(request)
    )
    return listed(found.rows, found.cursor)


async def start(request: Request) -> HTTPResponse:
    """A new content; the same Idempotency-Key from the same person gives the same one again."""
    key = (request.headers.get("idempotency-key") or "")[:200]
    draft = _draft(take(request, ContentBody))
    content = await writing.start(actor_of(request), desk_of(request), draft, key=key)
    return await _shown(request, content, 201)


async def read(request: Request, id: str) -> HTTPResponse:
    content, _ = await writing.read(actor_of(request), desk_of(request), id)
    return await _shown(request, content)


async def save(request: Request, id: str) -> HTTPResponse:
    revision = revision_named(request)
    draft = _draft(take(request, ContentBody))
    return await _shown(request, await writing.save(actor_of(request), desk_of(request), id, draft, revision=revision))


async def list_revisions(request: Request, id: str) -> HTTPResponse:
    found = await writing.history(
        actor_of(request), desk_of(request), id, cursor=cursor_of(request), limit=limit_of(request)
    )
    return listed(found.rows, found.cursor)


async def one_revision(request: Request, id: str, number: str) -> HTTPResponse:
    await writing.read(actor_of(request), desk_of(request), id)
    return answer(await writing.revision_of(desk_of(request), id, int(number)))


async def one_variant(request: Request, id: str, account: str) -> HTTPResponse:
    content, _ = await writing.read(actor_of(request), desk_of(request), id)
    override = (content.get("variants") or {}).get(account)
    return answer({"account": account, "variant": override}, headers=version(content))


async def set_variant(request: Request, id: str, account: str) -> HTTPResponse:
    revision = revision_named(request)
    body: VariantBody = take(request, VariantBody)
    content = await writing.set_variant(
        actor_of(request), desk_of(request), id, account, body.override, revision=revision
    )
    return await _shown(request, content)


async def clear_variant(request: Request, id: str, account: str) -> HTTPResponse:
    revision = revision_named(request)
    content = await writing.clear_variant(actor_of(request), desk_of(request), id, account, revision=revision)
    return await _shown(request, content)


async def check(request: Request, id: str) -> HTTPResponse:
    found = await checking.check_content(actor_of(request), desk_of(request), id)
    return answer({"findings": [{**each.plain(), "field": each.field, "key": each.key} for each in found]})


async def submit(request: Request, id: str) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    body: SubmitBody = take(request, SubmitBody)
    content = await writing.content_of(desk, id)
    revision = body.revision or int(content["revision"])
    return await _shown(
        request, await writing.submit(actor, desk, id, revision=revision, acknowledged=body.acknowledged)
    )


async def review(request: Request, id: str) -> HTTPResponse:
    body: ReviewBody = take(request, ReviewBody)
    content = await reviewing.review(
        actor_of(request),
        desk_of(request),
        id,
        level=body.level or 1,
        verdict=body.verdict,
        hash=body.hash,
        remark=body.remark,
        kind=body.kind,
    )
    return await _shown(request, content)


async def schedule(request: Request, id: str) -> HTTPResponse:
    body: ScheduleBody = take(request, ScheduleBody)
    wishes = [
        publishing.Wish(wish.account, utc(wish.at, f"publications[{number}].at"), wish.late)
        for number, wish in enumerate(body.publications)
    ]
    made = await publishing.schedule(
        actor_of(request), desk_of(request), id, wishes, if_some_impossible=body.if_some_impossible
    )
    return answer({"publications": made.publications, "impossible": made.impossible}, status=201)


async def correct(request: Request, id: str) -> HTTPResponse:
    body: CorrectBody = take(request, CorrectBody)
    made = await withdrawing.correct(actor_of(request), desk_of(request), id, body.note, accounts=body.accounts)
    return answer({"operations": made}, status=202)


async def withdraw(request: Request, id: str) -> HTTPResponse:
    body: WithdrawBody = take(request, WithdrawBody)
    made = await withdrawing.withdraw(actor_of(request), desk_of(request), id, body.reason, accounts=body.accounts)
    return answer({"operations": made}, status=202)


LIST = ("limit", "cursor")
ROUTES = (
    Route(
        "GET", AT, list_contents, "content.read", "api", None, "稿件列表，最近改动的在前",
        query=("state", "column", "author", "kind", "department", *LIST),
    ),
    Route("POST", AT, start, "content.write", "api", ContentBody, "新稿件"),
    Route("GET", f"{AT}/<id:str>", read, "content.read", "api", None, "一篇稿件和它最新的版本（ETag 为版本号）"),
    Route("PUT", f"{AT}/<id:str>", save, "content.write", "api", ContentBody, "保存（须有 If-Match）"),
    Route(
        "GET", f"{AT}/<id:str>/revisions", list_revisions, "content.read", "api", None, "历史版本，新的在前", query=LIST
    ),
    Route("GET", f"{AT}/<id:str>/revisions/<number:int>", one_revision, "content.read", "api", None, "一个历史版本"),
    Route("GET", f"{AT}/<id:str>/variants/<account:str>", one_variant, "content.read", "api", None, "一个账号的版本"),
    Route(
        "PUT", f"{AT}/<id:str>/variants/<account:str>", set_variant, "content.write", "api", VariantBody,
        "手写一个账号的版本（须有 If-Match）",
    ),
    Route(
        "DELETE", f"{AT}/<id:str>/variants/<account:str>", clear_variant, "content.write", "api", None,
        "回到原稿（须有 If-Match）",
    ),
    Route("POST", f"{AT}/<id:str>/check", check, "content.read", "api", None, "校对，返回提示"),
    Route("POST", f"{AT}/<id:str>/submit", submit, "content.submit", "api", SubmitBody, "送审"),
    Route("POST", f"{AT}/<id:str>/reviews", review, "content.review", "api", ReviewBody, "通过或退回"),
    Route("POST", f"{AT}/<id:str>/schedule", schedule, "content.schedule", "api", ScheduleBody, "排期"),
    Route("POST", f"{AT}/<id:str>/correct", correct, "content.correct", "api", CorrectBody, "更正"),
    Route("POST", f"{AT}/<id:str>/withdraw", withdraw, "content.withdraw", "api", WithdrawBody, "撤回"),
)  # fmt: skip
