"""/api/v1/canned: 常用答复 listed, written, changed and retired by programs; the desk's verbs decide."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import canned
from hub.domain.canned import LONGEST, LONGEST_TITLE
from hub.pages.api_answers import API, answer, listed
from hub.pages.api_contents import Key
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of


class CannedBody(Body):
    """A new one, or with `id` an old one changed; with `version` only if it is still the one that was read."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TITLE)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
    id: Key | None = None
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


async def list_canned(request: Request) -> HTTPResponse:
    retired = request.args.get("retired") == "1"
    return listed(await canned.list_canned(actor_of(request), desk_of(request), retired=retired), None)


async def one_canned(request: Request, id: str) -> HTTPResponse:
    return answer(await canned.canned(actor_of(request), desk_of(request), id))


async def save_canned(request: Request) -> HTTPResponse:
    body: CannedBody = take(request, CannedBody)
    found = await canned.save_canned(
        actor_of(request), desk_of(request), title=body.title, text=body.text, id=body.id or "", version=body.version
    )
    return answer(found, status=200 if body.id else 201)


async def retire_canned(request: Request, id: str) -> HTTPResponse:
    return answer(await canned.retire_canned(actor_of(request), desk_of(request), id))


async def restore_canned(request: Request, id: str) -> HTTPResponse:
    return answer(await canned.restore_canned(actor_of(request), desk_of(request), id))


async def offered(request: Request, id: str) -> HTTPResponse:
    return listed(await canned.offered(actor_of(request), desk_of(request), id), None)


_ONE = f"{API}/canned/<id:str>"
ROUTES = (
    Route("GET", f"{API}/canned", list_canned, "canned.read", "api", None, "常用答复", query=("retired",)),
    Route("POST", f"{API}/canned", save_canned, "canned.write", "api", CannedBody, "写或改一条常用答复"),
    Route("GET", _ONE, one_canned, "canned.read", "api", None, "一条常用答复"),
    Route("POST", f"{_ONE}/retire", retire_canned, "canned.write", "api", None, "停用"),
    Route("POST", f"{_ONE}/restore", restore_canned, "canned.write", "api", None, "恢复使用"),
    Route("GET", f"{API}/cases/<id:str>/canned", offered, "canned.read", "api", None, "为这件工单填好的常用答复"),
)
