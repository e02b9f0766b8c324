"""发布总览: publications seen per content, per month and in figures, for the pages that show them; nothing is changed.

A line is one content with its newest plan on each account. Its state carries what the page must tell apart: `proposed`
is scheduled before the approval, `corrected` and `withdrawn` are what became of a published one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.desk.ledger import OPERATIONS, PUBLICATIONS
from hub.desk.paging import page
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

TROUBLE = ("unknown", "refused", "held")
TABS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "todo": {"state": {"$in": list(TROUBLE)}},
    "scheduled": {"state": {"$in": ["scheduled", "waiting", "staging", "sending", "pending"]}},
    "published": {"state": "published"},
}
CHANGES = "changes"  # the tab of operations: what was corrected or withdrawn
LINES = 30
WALKED = 200  # rows walked at a time to find the contents of one page
MONTH = 6_000  # publications of one month that are drawn one by one


@dataclass
class Line:
    """One content: when it goes out first, and its publications by channel."""

    content: str
    title: str
    at: datetime
    revision: int
    state: str
    unit: str = ""  # 供稿单位, else the source that the text names
    cells: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))

    def all(self) -> list[Document]:
        return [row for rows in self.cells.values() for row in rows]


@dataclass(frozen=True)
class Stretch:
    """From one moment up to another, which is not in it; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def on(self, name: str) -> dict[str, Any]:
        """The filter on this field; empty where both ends are open."""
        limits = {"$gte": self.start, "$lt": self.end}
        given = {operator: moment for operator, moment in limits.items() if moment is not None}
        return {name: given} if given else {}


ALWAYS = Stretch()


@dataclass(frozen=True)
class Lines:
    """One page of lines, the cursor of the next (None: the end), and how many contents there are on all pages."""

    lines: Sequence[Line]
    cursor: str | None
    total: int


def query_of(tab: str, stretch: Stretch) -> tuple[str, dict[str, Any]]:
    """The table and the filter of one tab in this stretch; what needs a person (要处理) knows no stretch."""
    table = OPERATIONS if tab == CHANGES else PUBLICATIONS
    where = {} if tab == CHANGES else dict(TABS[tab])
    return table, where if tab == "todo" else {**where, **stretch.on("at")}


async def lines(
    actor: Actor, desk: Desk, *, tab: str = "all", cursor: str | None = None, stretch: Stretch = ALWAYS
) -> Lines:
    """The contents whose publications (or, for `changes`, operations) come newest, one line each.

    Among all, those that need a person stand first on the first page, however old they are.
    """
    require(actor, "publication.read")
    table, where = query_of(tab, stretch)
    urgent = await _urgent(desk) if tab == "all" else []
    where = {**where, **({"content": {"$nin": urgent}} if urgent else {})}
    found = await page(desk, table, where, by="at", cursor=cursor, limit=WALKED, fields=("content", "at"))
    ids = list(dict.fromkeys(row["content"] for row in found.rows))
    fresh = await _not_before(desk, table, where, ids, found.rows[0]) if cursor and ids else ids
    shown = fresh[:LINES]
    if len(fresh) > LINES:  # fewer rows are walked, so that the next page begins right behind the last line
        last = next(number for number, row in enumerate(found.rows) if row["content"] == fresh[LINES])
        found = await page(desk, table, where, by="at", cursor=cursor, limit=max(1, last), fields=("content", "at"))
    total = len(urgent) + len(await desk.store.tally(table, where, ["content"]))
    first = [] if cursor else urgent
    return Lines(await _lines(actor, desk, [*first, *shown]), found.cursor, total)


async def _urgent(desk: Desk) -> list[str]:
    """The contents that need a person, the newest first, as many as one page holds; the rest stand under 要处理."""
    where = TABS["todo"]
    rows = await desk.store.find(
        PUBLICATIONS, where, sort=[("at", -1), ("_id", -1)], limit=WALKED, fields=("content", "at")
    )
    return list(dict.fromkeys(row["content"] for row in rows))[:LINES]


async def _not_before(
    desk: Desk, table: str, where: Mapping[str, Any], ids: Sequence[str], first: Document
) -> list[str]:
    """Those of the contents that no earlier page has shown: none of their rows stands before this page's first."""
    own: dict[str, Any] = {"content": {"$in": list(ids)}}
    test = {"$and": [where, own]} if where else own
    rows = await desk.store.find(table, test, limit=2_000, fields=("content", "at"))
    seen = {row["content"] for row in rows if (row["at"], row["_id"]) > (first["at"], first["_id"])}
    return [id for id in ids if id not in seen]


async def _lines(actor: Actor, desk: Desk, ids: Sequence[str]) -> list[Line]:
    if not ids:
        return []
    rows = await desk.store.find(PUBLICATIONS, {"content": {"$in": list(ids)}}, sort=[("at", 1)], limit=2_000)
    contents = await states_of(actor, desk, ids)
    operations, units = await _open_operations(desk, ids), await _units(desk, contents)
    newest: dict[tuple[str, str], Document] = {(row["content"], row["account"]): row for row in rows}
    made: dict[str, Line] = {}
    for (content, _), row in sorted(newest.items(), key=lambda pair: (pair[1]["at"], pair[0])):
        known = contents.get(content, {})
        line = made.setdefault(
            content,
            Line(
                content,
                row["title"],
                row["at"],
                int(row["revision"]),
                str(known.get("state", "")),
                units.get(content, ""),
            ),
        )
        line.revision = max(line.revision, int(row["revision"]), _to_be_sent(row, known))
        line.cells[row["channel"]].append({**shown(row, known), "operation": operations.get(row["_id"])})
    return [made[id] for id in ids if id in made]


async def _units(desk: Desk, contents: Mapping[str, Document]) -> dict[str, str]:
    """Whose matter each content is, as its newest revision says."""
    names = [f"{id}:{known.get('revision')}" for id, known in contents.items()]
    rows = await desk.store.find(
        "revisions", {"_id": {"$in": names}}, limit=max(1, len(names)), fields=("content", "meta")
    )
    facts = {str(row["content"]): row.get("meta") or {} for row in rows}
    return {id: str(meta.get("department_name") or meta.get("source") or "") for id, meta in facts.items()}


async def _open_operations(desk: Desk, ids: Sequence[str]) -> dict[str, Document]:
    """The newest correction or withdrawal that is not through yet, by publication."""
    where = {"content": {"$in": list(ids)}, "state": {"$nin": ["published", "cancelled"]}}
    fields = ("publication", "kind", "state", "code", "at")
    rows = await desk.store.find(OPERATIONS, where, sort=[("at", 1)], limit=1_000, fields=fields)
    return {row["publication"]: row for row in rows}


def _to_be_sent(row: Mapping[str, Any], content: Mapping[str, Any]) -> int:
    """What has not begun to go out will go out as the content then stands."""
    return int(content.get("revision", 0)) if row["state"] in ("scheduled", "waiting") else 0


async def states_of(actor: Actor, desk: Desk, ids: Sequence[str]) -> dict[str, Document]:
    """What the words for a publication need of its content, by id."""
    require(actor, "publication.read")
    if not ids:
        return {}
    where = {"_id": {"$in": sorted(set(ids))}}
    rows = await desk.store.find(
        "contents", where, limit=max(1, len(ids)), fields=("state", "approved_hash", "revision", "column")
    )
    return {row["_id"]: row for row in rows}


def shown(row: Document, content: Mapping[str, Any]) -> Document:
    """The publication without the clockwork's marks, `seen` saying what a page calls its state."""
    kept = {name: value for name, value in row.items() if not name.startswith(("outbox", "lease"))}
    return {**kept, "seen": seen_state(row, content)}


def seen_state(row: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """One of the page's words for states (see the module's first lines)."""
    state = str(row["state"])
    if state in ("scheduled", "waiting") and content and content.get("state") != "approved":
        return "proposed"
    if state == "removed":
        return "withdrawn" if str(row.get("reason") or "").startswith("撤稿") else "removed"
    if state == "published" and (row.get("correction") or {}).get("state") == "done":
        return "corrected"
    return state


async def line_of(actor: Actor, desk: Desk, content: str) -> Line | None:
    """The line of one content."""
    require(actor, "publication.read")
    found = await _lines(actor, desk, [content])
    return found[0] if found else None


# ---- figures


@dataclass(frozen=True)
class Figures:
    """Today's posts: contents, publications, publications by state; and how many want a person, of all days."""

    contents: int
    publications: int
    states: Mapping[str, int]
    todo: int


async def figures(actor: Actor, desk: Desk, start: datetime, end: datetime) -> Figures:
    """The head of the page, for the stretch given."""
    require(actor, "publication.read")
    between = {"at": {"$gte": start, "$lt": end}}
    rows = await desk.store.tally(PUBLICATIONS, between, ["content", "state"])
    states: dict[str, int] = defaultdict(int)
    for row in rows:
        states[str(row["state"])] += int(row["count"])
    todo = await desk.store.count(PUBLICATIONS, TABS["todo"], ceiling=999)
    return Figures(len({row["content"] for row in rows}), sum(states.values()), states, todo)


async def refusals(actor: Actor, desk: Desk, *, limit: int = 3) -> list[Document]:
    """The newest refused publications, each with its siblings: the newest plan of the same content on every other
    account. `hangs` says that a sibling waits for this one's address."""
    require(actor, "publication.read")
    rows = await desk.store.find(PUBLICATIONS, {"state": "refused"}, sort=[("at", -1)], limit=limit)
    contents = sorted({str(row["content"]) for row in rows})
    where = {"content": {"$in": contents}, "state": {"$ne": "cancelled"}}
    fields = ("content", "account", "channel", "state", "waits_for", "at")
    found = await desk.store.find(PUBLICATIONS, where, sort=[("at", 1)], limit=500, fields=fields) if rows else []
    newest = {(each["content"], each["account"]): each for each in found}.values()
    return [{**row, "siblings": [_sibling(each, row) for each in newest if _beside(each, row)]} for row in rows]


def _beside(one: Document, row: Document) -> bool:
    return bool(one["content"] == row["content"] and one["account"] != row["account"])


def _sibling(one: Document, row: Document) -> Document:
    hangs = one.get("waits_for") == row["_id"] and one["state"] in ("scheduled", "waiting", "held")
    return {**one, "hangs": hangs}


# ---- a stretch of days


async def between(actor: Actor, desk: Desk, start: datetime, end: datetime) -> tuple[list[Document], bool]:
    """The publications due in this stretch by time, with the state a page shows; True: there are more than drawn."""
    require(actor, "publication.read")
    where = {"at": {"$gte": start, "$lt": end}}
    fields = ("content", "title", "at", "state", "channel", "account", "correction", "reason", "revision",
              "concerns")  # fmt: skip
    rows = await desk.store.find(PUBLICATIONS, where, sort=[("at", 1), ("_id", 1)], limit=MONTH + 1, fields=fields)
    contents: dict[str, Document] = {}
    ids = sorted({row["content"] for row in rows if row["state"] in ("scheduled", "waiting")})
    for begin in range(0, len(ids), 200):
        contents |= await states_of(actor, desk, ids[begin : begin + 200])
    found = [{**row, "seen": seen_state(row, contents.get(row["content"], {}))} for row in rows[:MONTH]]
    return found, len(rows) > MONTH
