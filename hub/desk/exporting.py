"""导出发布: the rows of one tab and stretch, a page of the store at a time; how they look is a page's.

No person stands in them: neither who scheduled, released or decided, nor what somebody gave as their evidence; a
reason that somebody wrote is masked as everywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from hub.desk import overview
from hub.desk.auditing import note
from hub.desk.desk import Desk
from hub.desk.ledger import OPERATIONS, PUBLICATIONS
from hub.desk.overview import Stretch
from hub.desk.paging import MOST, page
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document

FIELDS = (
    "content", "title", "revision", "channel", "account", "state", "at", "reason", "published_at", "url",
    "external_id", "attempts", "hash", "correction", "kind", "publication",
)  # fmt: skip
KINDS = {"withdraw": "撤回", "correct": "更正"}


async def export_publications(actor: Actor, desk: Desk, *, tab: str, stretch: Stretch) -> AsyncIterator[dict[str, Any]]:
    """Every publication (for `changes`: operation) of this tab and stretch, newest first; the export leaves an entry.

    As on the page, what needs a person comes whatever its day: under `all` behind the stretch's own rows.
    """
    require(actor, "publication.read")
    days = {name: moment.isoformat() for name, moment in (("since", stretch.start), ("until", stretch.end)) if moment}
    await note(desk, actor, "publication.export", "publications", detail={"tab": tab, **days})
    accounts = {row["_id"]: row for row in await desk.store.find("accounts", {}, limit=500, fields=("name",))}
    table, where = overview.query_of(tab, stretch)
    async for row in _walk(actor, desk, table, where):
        yield _plain(row, accounts)
    if tab == "all" and stretch != overview.ALWAYS:
        async for row in _walk(actor, desk, PUBLICATIONS, overview.TABS["todo"]):
            if not _within(row, stretch):
                yield _plain(row, accounts)


async def _walk(actor: Actor, desk: Desk, table: str, where: Mapping[str, Any]) -> AsyncIterator[Document]:
    cursor: str | None = None
    while True:
        found = await page(desk, table, where, by="at", cursor=cursor, limit=MOST, fields=FIELDS)
        contents = await overview.states_of(actor, desk, [str(row["content"]) for row in found.rows])
        titles = await _titles(desk, found.rows) if table == OPERATIONS else {}
        for row in found.rows:
            known = contents.get(row["content"], {})
            named = {"title": titles.get(str(row.get("publication")), ""), **row}
            yield {**named, "seen": overview.seen_state(row, known) if table == PUBLICATIONS else row["state"]}
        if found.cursor is None:
            return
        cursor = found.cursor


async def _titles(desk: Desk, operations: list[Document]) -> dict[str, str]:
    """An operation is called as the publication that it changes."""
    ids = sorted({str(row["publication"]) for row in operations})
    rows = await desk.store.find(PUBLICATIONS, {"_id": {"$in": ids}}, limit=max(1, len(ids)), fields=("title",))
    return {row["_id"]: str(row.get("title", "")) for row in rows}


def _within(row: Document, stretch: Stretch) -> bool:
    after = stretch.start is None or row["at"] >= stretch.start
    return bool(after and (stretch.end is None or row["at"] < stretch.end))


def _plain(row: Document, accounts: Mapping[str, Document]) -> dict[str, Any]:
    account = str(row.get("account") or "")
    return {
        **{name: row.get(name) for name in ("at", "title", "content", "revision", "seen", "published_at", "url")},
        "act": KINDS.get(str(row.get("kind")), "发布"),
        "channel": str(row.get("channel") or ""),
        "account": str((accounts.get(account) or {}).get("name") or account),
        "reason": mask_text(str(row.get("reason") or "")),
        "external_id": row.get("external_id"),
        "tries": len(row.get("attempts") or ()),
        "hash": row.get("hash"),
    }
