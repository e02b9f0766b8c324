"""发布的操作: every form of one publication's panel, done, or the panel again with what is wrong and was written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub.desk import mending, publishing, quieting, settling, withdrawing
from hub.domain.errors import FieldError, HubError, Invalid, NotFound
from hub.pages.days import moment_of
from hub.pages.media import drawing_of
from hub.pages.publications import page_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go

KEPT = ("tab", "days", "from", "to")  # of the list beside which the form stood

Act = Callable[[Request, str], Awaitable[str]]


def _form(act: Act) -> Callable[..., Awaitable[HTTPResponse]]:
    """A form of the panel: done, or the panel again with what is wrong and what was written."""

    async def handle(request: Request, id: str) -> HTTPResponse:
        try:
            done = await act(request, id)
        except HubError as error:
            if error.status not in (409, 422):
                raise
            errors = error.errors if isinstance(error, Invalid) else ()
            written = {name: field(request, name) for name in request.form or {} if name != "csrf"}
            return await page_of(
                request, id, errors=errors or (FieldError("act", error.message),), said=written, status=error.status
            )
        return go(f"/publications?{urlencode({**_kept(request), 'open': id})}", done)

    return handle


def _kept(request: Request) -> dict[str, str]:
    given = {name: request.args.get(name) or "" for name in KEPT}
    return {name: value for name, value in given.items() if value}


async def _hold(request: Request, id: str) -> str:
    await publishing.hold(actor_of(request), desk_of(request), id, reason=field(request, "reason", 200))
    return "held_one"


async def _release(request: Request, id: str) -> str:
    await publishing.release(actor_of(request), desk_of(request), id)
    return "released"


async def _mend(request: Request, id: str) -> str:
    await mending.mend(actor_of(request), desk_of(request), drawing_of(request), id)
    return "mended"


async def _cancel(request: Request, id: str) -> str:
    await publishing.cancel(actor_of(request), desk_of(request), id, reason=field(request, "reason", 200))
    return "cancelled"


async def _move(request: Request, id: str) -> str:
    row = await publishing.move(actor_of(request), desk_of(request), id, moment_of(field(request, "at", 20)))
    return "moved_quiet" if await publishing.quiet_notes(desk_of(request), [row]) else "moved"


async def _urge(request: Request, id: str) -> str:
    await quieting.mark_urgent(actor_of(request), desk_of(request), id, field(request, "urgent", 200))
    return "urgent"


async def _resolve(request: Request, id: str) -> str:
    await settling.resolve(
        actor_of(request),
        desk_of(request),
        id,
        field(request, "outcome", 20),
        url=field(request, "url", 2_000) or None,
        evidence=field(request, "evidence", 500),
    )
    return "resolved"


async def _chosen(request: Request, id: str) -> tuple[str, tuple[str, ...]]:
    """The content, and the accounts that are meant: this one alone, or (none named) every one."""
    found = await publishing.publication(actor_of(request), desk_of(request), id)
    return str(found["content"]), (str(found["account"]),) if field(request, "where", 10) == "here" else ()


async def _withdraw(request: Request, id: str) -> str:
    content, accounts = await _chosen(request, id)
    reason = field(request, "reason", 500)
    await withdrawing.withdraw(actor_of(request), desk_of(request), content, reason, accounts=accounts)
    return "withdrawn"


async def _correct(request: Request, id: str) -> str:
    content, accounts = await _chosen(request, id)
    note = field(request, "note", 500)
    await withdrawing.correct(actor_of(request), desk_of(request), content, note, accounts=accounts)
    return "correcting"


async def _confirm(request: Request, id: str) -> str:
    operation = field(request, "operation", 200)
    if not operation.startswith(f"{id}:"):
        raise NotFound("没有找到这项操作。")
    await withdrawing.confirm_by_hand(actor_of(request), desk_of(request), operation, field(request, "evidence", 500))
    return "confirmed"


ROUTES = (
    Route("POST", "/publications/<id:str>/hold", _form(_hold), "publication.hold", "form"),
    Route("POST", "/publications/<id:str>/release", _form(_release), "publication.release", "form"),
    Route("POST", "/publications/<id:str>/mend", _form(_mend), "publication.release", "form"),
    Route("POST", "/publications/<id:str>/cancel", _form(_cancel), "content.schedule", "form"),
    Route("POST", "/publications/<id:str>/move", _form(_move), "content.schedule", "form"),
    Route("POST", "/publications/<id:str>/urge", _form(_urge), "quiet.write", "form"),
    Route("POST", "/publications/<id:str>/resolve", _form(_resolve), "publication.resolve", "form"),
    Route("POST", "/publications/<id:str>/withdraw", _form(_withdraw), "content.withdraw", "form"),
    Route("POST", "/publications/<id:str>/correct", _form(_correct), "content.correct", "form"),
    Route("POST", "/publications/<id:str>/confirm", _form(_confirm), "publication.resolve", "form"),
)
