"""常用答复: the list, one to write or change, retiring and bringing back; using one is part of a case's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sanic import HTTPResponse, Request

from hub.desk import canned
from hub.domain.canned import LONGEST, LONGEST_TITLE, VARIABLES
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show

NEW: Mapping[str, Any] = {"_id": "", "title": "", "text": "", "retired": False, "version": 0}


async def show_canned(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    retired = request.args.get("tab") == "retired"
    rows = await canned.list_canned(actor, desk, retired=retired)
    return await show(
        request, "desk/canned.html", "cases", rows=rows, retired=retired, most=canned.MOST, variables=VARIABLES,
        may_write=may(actor, "canned.write"), now=desk.clock.now(),
    )  # fmt: skip


async def new_canned(request: Request) -> HTTPResponse:
    return await _form(request, NEW)


async def edit_canned(request: Request, id: str) -> HTTPResponse:
    return await _form(request, await canned.canned(actor_of(request), desk_of(request), id))


async def _form(
    request: Request,
    row: Mapping[str, Any],
    errors: Sequence[FieldError] = (),
    sentence: str = "",
    status: int = 200,
) -> HTTPResponse:
    return await show(
        request, "desk/canned_form.html", "cases", status=status, row=row, errors=errors, sentence=sentence,
        variables=VARIABLES, longest=LONGEST, longest_title=LONGEST_TITLE,
        may_write=may(actor_of(request), "canned.write"),
    )  # fmt: skip


async def save_canned(request: Request) -> HTTPResponse:
    id, version = field(request, "id", 80), field(request, "version", 9)
    said = {"title": field(request, "title", LONGEST_TITLE * 2), "text": field(request, "text", LONGEST + 200)}
    seen = int(version) if id and version.isdecimal() else None
    try:
        await canned.save_canned(actor_of(request), desk_of(request), id=id, version=seen, **said)
    except (Invalid, Conflict) as error:
        errors = error.errors if isinstance(error, Invalid) else ()
        row = {**NEW, **said, "_id": id, "version": seen or 0}
        return await _form(request, row, errors, "" if errors else error.message, error.status)
    return go("/canned", "saved")


async def turn_canned(request: Request, id: str, act: str) -> HTTPResponse:
    turn = canned.retire_canned if act == "retire" else canned.restore_canned
    await turn(actor_of(request), desk_of(request), id)
    return go("/canned" if act == "retire" else f"/canned/{quote(id)}", f"canned_{act}")


ROUTES = (
    Route("GET", "/canned", show_canned, "canned.read"),
    Route("GET", "/canned/new", new_canned, "canned.write"),
    Route("POST", "/canned", save_canned, "canned.write", "form"),
    Route("GET", "/canned/<id:str>", edit_canned, "canned.read"),
    Route("POST", "/canned/<id:str>/<act:retire|restore>", turn_canned, "canned.write", "form"),
)
