"""翻页: one page of a table's rows, newest first, with an opaque mark for the next; which rows is the asking verb's."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.clock import in_utc
from hub.desk.desk import Desk
from hub.domain.errors import FieldError, Invalid
from hub.store.base import Document

MOST = 200


WRONG = ("翻页位置不对，请从第一页看起。", (FieldError("cursor", "请从第一页看起。"),))


@dataclass(frozen=True)
class Page:
    """Rows and the cursor of the next page; None: this was the last."""

    rows: list[Document]
    cursor: str | None


def _encode(row: Document, by: str) -> str:
    value = row[by]
    mark = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([mark, row["_id"]]).encode()).decode().rstrip("=")


def read_mark(cursor: str) -> tuple[datetime, str]:
    """A plain mark `moment|id`, as replies and issues use it; Invalid where it is none."""
    moment, _, last = cursor.partition("|")
    try:
        if last:
            return in_utc(datetime.fromisoformat(moment)), last
    except ValueError:
        pass
    raise Invalid(*WRONG)


def _decode(cursor: str) -> tuple[Any, str]:
    wrong = Invalid(*WRONG)
    try:
        value, last = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = in_utc(datetime.fromisoformat(value)) if isinstance(value, str) else value
    except (ValueError, TypeError, binascii.Error):
        raise wrong from None
    whole = isinstance(moment, int) and not isinstance(moment, bool) and abs(moment) < 2**63
    if not (whole or isinstance(moment, datetime)) or not isinstance(last, str):
        raise wrong
    return moment, last


async def page(
    desk: Desk,
    table: str,
    where: Mapping[str, Any],
    *,
    by: str,
    cursor: str | None = None,
    limit: int = 50,
    fields: Sequence[str] = (),
) -> Page:
    """Rows in falling order of the field `by` (a moment or a whole number), at most 200 at a time."""
    limit = max(1, min(limit, MOST))
    asked: dict[str, Any] = dict(where)
    if cursor:
        value, last = _decode(cursor)
        after = {"$or": [{by: {"$lt": value}}, {"$and": [{by: value}, {"_id": {"$lt": last}}]}]}
        bound = {by: {"$lte": value}}  # says the same once more, in the form an index can begin at
        asked = {"$and": [*([asked] if asked else []), bound, after]}
    rows = await desk.store.find(table, asked, sort=[(by, -1), ("_id", -1)], limit=limit + 1, fields=fields)
    return Page(rows[:limit], _encode(rows[limit - 1], by) if len(rows) > limit else None)
