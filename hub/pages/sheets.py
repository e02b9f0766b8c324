"""表格文件: rows as CSV that every spreadsheet opens and none takes for a program, sent as they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sanic import Request
from sanic.response import BaseHTTPResponse

from hub import wording

BATCH = 500  # rows sent at a time
MARK = "\ufeff"  # by which spreadsheets know UTF-8
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain_moment(value: Any) -> str:
    return wording.stamp(value) if isinstance(value, datetime) else str(value)


def cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    words = value if isinstance(value, str) else plain_moment(value) if isinstance(value, datetime) else None
    text = words if words is not None else json.dumps(value, ensure_ascii=False, default=plain_moment)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


async def sent_as_csv(
    request: Request, name: str, heads: Sequence[str], rows: AsyncIterator[Sequence[str]]
) -> BaseHTTPResponse:
    """The rows, each of cells that are safe already, as a download of this name."""
    lines = (csv_line(row) async for row in rows)
    return await sent_piece_by_piece(request, name, "text/csv; charset=utf-8", (MARK + csv_line(heads),), lines)


async def sent_piece_by_piece(
    request: Request, name: str, kind: str, heads: Sequence[str], lines: AsyncIterator[str]
) -> BaseHTTPResponse:
    """A download of any length that is never whole in memory."""
    safe = name.encode("ascii", "ignore").decode() or "export"
    disposition = f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(name, safe='')}"
    first = await anext(lines, None)  # a refusal must come before the answer has begun
    headers = {"Cache-Control": "no-store", "Content-Disposition": disposition}
    response: Any = await request.respond(content_type=kind, headers=headers)
    waiting = [*heads, *([first] if first is not None else [])]
    async for line in lines:
        waiting.append(line)
        if len(waiting) >= BATCH:
            await response.send("".join(waiting))
            waiting = []
    await response.send("".join(waiting))
    await response.eof()
    return None  # type: ignore[return-value]  # it has been answered piece by piece
