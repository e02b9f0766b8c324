"""公众网的栏目: the list, a new one, changing one; the copies on the websites are the desk's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sanic import HTTPResponse, Request

from hub.desk import columns
from hub.domain.columns import FEWEST_LEVELS, MOST_LEVELS, TYPES
from hub.domain.errors import FieldError, Invalid, NotFound
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show

NEW: Mapping[str, Any] = {
    "_id": "",
    "name": "",
    "description": "",
    "keywords": [],
    "type": TYPES[1],
    "order": 100,
    "levels": 2,
    "public": True,
}
NAMES = {"_id": "slug"}  # field of the rule -> field of the form


async def show_columns(request: Request) -> HTTPResponse:
    rows = await columns.list_columns(actor_of(request), desk_of(request))
    return await show(request, "desk/columns.html", "columns", rows=rows)


async def new_column(request: Request) -> HTTPResponse:
    return await _form(request, NEW, known=False)


async def edit_column(request: Request, id: str) -> HTTPResponse:
    rows = await columns.list_columns(actor_of(request), desk_of(request))
    row = next((each for each in rows if each["_id"] == id), None)
    if row is None:
        raise NotFound("没有这个栏目。")
    return await _form(request, row, known=True)


async def _form(
    request: Request, row: Mapping[str, Any], *, known: bool, errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    levels = [(str(level), f"{level} 级") for level in range(FEWEST_LEVELS, MOST_LEVELS + 1)]
    shown = [FieldError(NAMES.get(error.field, error.field), error.message) for error in errors]
    return await show(
        request,
        "desk/column_form.html",
        "columns",
        status=status,
        row=row,
        known=known,
        errors=shown,
        types=[(name, name) for name in TYPES],
        levels=levels,
    )


async def save_column(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    known = field(request, "known", 1) == "1"
    value = _written(request)
    try:
        if not known and any(row["_id"] == value["_id"] for row in await columns.list_columns(actor, desk)):
            raise Invalid("栏目有几处要修改。", (FieldError("_id", "这个代号已有栏目，请换一个。"),))
        await columns.save_column(actor, desk, value)
    except Invalid as error:
        return await _form(request, value, known=known, errors=error.errors, status=422)
    return go("/columns", "saved")


def _written(request: Request) -> dict[str, Any]:
    order, levels = field(request, "order", 9), field(request, "levels", 2)
    return {
        "_id": field(request, "slug", 40),
        "name": field(request, "name", 100),
        "description": field(request, "description", 500),
        "keywords": field(request, "keywords", 500).replace("，", " ").replace("、", " ").split(),
        "type": field(request, "type", 20),
        "order": int(order) if order.isdecimal() else -1,
        "levels": int(levels) if levels.isdecimal() else 0,
        "public": field(request, "public", 3) == "on",
    }


ROUTES = (
    Route("GET", "/columns", show_columns, "column.write"),
    Route("GET", "/columns/new", new_column, "column.write"),
    Route("POST", "/columns", save_column, "column.write", "form"),
    Route("GET", "/columns/<id:str>", edit_column, "column.write"),
)
