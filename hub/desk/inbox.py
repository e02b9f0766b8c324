"""工单列表: the inbox by tabs and in its orders, a page at a time, and how many stand in each tab; one case: casing.py.

A tab of several states is read state by state, each along its own index, and merged here: so a page costs the same
whether ten cases wait or ten thousand.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.clock import in_utc
from hub.desk.casing import TABLE, bare
from hub.desk.desk import Desk
from hub.desk.paging import MOST, WRONG, page
from hub.domain.case import TODO, handler_term
from hub.domain.errors import FieldError, Invalid
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

TABS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "todo": ("待办", TODO),
    "hand": ("处理中", ("in_hand", "waiting_citizen")),
    "answered": ("待评价", ("answered",)),
    "all": ("全部", ()),
    "confidential": ("保密件", ()),
}
SORTS: Mapping[str, tuple[str, str, int]] = {
    # name in the address -> its words, the field, up or down
    "due": ("按时限", "rank_at", 1),
    "came": ("按收到", "opened_at", -1),
    "people": ("按反映人数", "people", -1),
    "changed": ("按最近变动", "changed_at", -1),
}
WEEKLY = {"answered": "answered_at", "rated": "rated_at"}  # what happened since a moment, by the figure that counts it
CEILING = 1_000  # a tab counts no further


@dataclass(frozen=True)
class Cases:
    """One page of cases and the cursor of the next; None: the end."""

    rows: list[Document]
    cursor: str | None


def usual_sort(tab: str) -> str:
    """In what order a tab stands unless somebody chose another: by time left while a clock runs, else newest first."""
    return "due" if tab in ("todo", "hand") else "changed"


def sorts_of(tab: str) -> list[str]:
    """The orders of a tab, its usual one first; time left is none where no clock runs."""
    return list(dict.fromkeys([usual_sort(tab), "came", "people", "changed"]))


async def list_cases(
    actor: Actor,
    desk: Desk,
    *,
    tab: str = "todo",
    sort: str = "",
    mine: bool = False,
    cursor: str = "",
    limit: int = 50,
) -> Cases:
    """The cases of one tab in one order of SORTS (empty: the tab's usual one). Confidential ones stand apart."""
    require(actor, "case.read")
    where = _where(actor, tab, mine=mine)
    if sort and sort not in sorts_of(tab):
        raise Invalid("这一类不能这样排序。", (FieldError("sort", f"可选：{'、'.join(sorts_of(tab))}。"),))
    _, by, direction = SORTS[sort or usual_sort(tab)]
    size, mark = max(1, min(limit, MOST)), _read(cursor, by)
    rows: list[list[Document]] = []
    for state in TABS[tab][1] or (None,):
        asked = {**where, **({"state": state} if state else {}), **_after(mark, by, direction)}
        order = [(by, direction), ("_id", direction)]
        rows.append(await desk.store.find(TABLE, asked, sort=order, limit=size + 1))
    merged = heapq.merge(*rows, key=lambda row: (row[by], row["_id"]), reverse=direction < 0)
    found = [row for row, _ in zip(merged, range(size + 1), strict=False)]
    return Cases([bare(row) for row in found[:size]], _mark(found[size - 1], by) if len(found) > size else None)


def _where(actor: Actor, tab: str, *, mine: bool = False) -> dict[str, Any]:
    own = {"owner": actor.id} if mine else {}
    if tab == "confidential":
        return {"confidential": True, "terms": handler_term(actor.id), **own}
    return {"confidential": False, **own}


def _after(mark: tuple[Any, str] | None, by: str, direction: int) -> dict[str, Any]:
    """What stands behind the row that the cursor names; the bound alone lets an index begin there."""
    if mark is None:
        return {}
    value, last = mark
    beyond, bound = ("$gt", "$gte") if direction > 0 else ("$lt", "$lte")
    return {by: {bound: value}, "$or": [{by: {beyond: value}}, {by: value, "_id": {beyond: last}}]}


def _mark(row: Document, by: str) -> str:
    value = row[by]
    return f"{value.isoformat() if isinstance(value, datetime) else value}|{row['_id']}"


def _read(cursor: str, by: str) -> tuple[Any, str] | None:
    """The cursor's value and id; Invalid where it is none of this order."""
    if not cursor:
        return None
    value, _, last = cursor.partition("|")
    try:
        if last and by == "people":
            return _whole(value), last
        if last:
            return in_utc(datetime.fromisoformat(value)), last
    except ValueError:
        pass
    raise Invalid(*WRONG)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError("a number of people")
    return int(text)


async def list_since(
    actor: Actor, desk: Desk, what: str, since: datetime, *, cursor: str = "", limit: int = 50
) -> Cases:
    """The cases that were answered or rated (a key of WEEKLY) since this moment, the newest first."""
    require(actor, "case.read")
    by = WEEKLY[what]
    where = {"confidential": False, by: {"$gte": since}}
    found = await page(desk, TABLE, where, by=by, cursor=cursor or None, limit=limit)
    return Cases([bare(row) for row in found.rows], found.cursor)


async def count_cases(actor: Actor, desk: Desk, *, mine: bool = False) -> Mapping[str, int]:
    """How many stand in each tab, counted no further than CEILING; `mine` counts what `mine` lists."""
    require(actor, "case.read")
    counts = {}
    for tab, (_, states) in TABS.items():
        where = _where(actor, tab, mine=mine) | ({"state": {"$in": list(states)}} if states else {})
        counts[tab] = await desk.store.count(TABLE, where, ceiling=CEILING)
    return counts
