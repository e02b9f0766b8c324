"""待办: one task on a page, and closing it with a sentence; the list of them stands on the home page."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from hub.desk import tasks
from hub.domain.errors import FieldError, Invalid
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show


async def show_task(request: Request, id: str) -> HTTPResponse:
    return await _task(request, id)


async def _task(
    request: Request, id: str, *, errors: tuple[FieldError, ...] = (), remark: str = "", status: int = 200
) -> HTTPResponse:
    actor, desk = actor_of(request), desk_of(request)
    row = await tasks.task(actor, desk, id)
    own = row["by"] == actor.id
    words = {"row": row, "errors": errors, "remark": remark, "own": own, "closes": tasks.KINDS[row["kind"]][1]}
    words["hint"] = tasks.HINTS.get(row["kind"], "")
    return await show(request, "desk/task.html", "home", status=status, **words)


async def finish_task(request: Request, id: str) -> HTTPResponse:
    remark = field(request, "remark", 500)
    try:
        await tasks.finish_task(actor_of(request), desk_of(request), id, remark)
    except Invalid as error:
        return await _task(request, id, errors=error.errors, remark=remark, status=422)
    return go("/", "task")


ROUTES = (
    Route("GET", "/tasks/<id:str>", show_task, "notice.read"),
    Route("POST", "/tasks/<id:str>/finish", finish_task, "notice.read", "form"),
)
