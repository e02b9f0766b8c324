"""公众网的副本: brings each website of ours what it has not got in its newest form; changing it is each room's verb.

A row carries its version and, for each website, the version that is there. A new version goes out by itself; what could
not go out goes with the next round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from channels.contract import Accepted, Shelving
from hub.desk.desk import Desk, connected
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

MOST = 500  # rows of one table; these are an office's own lists, not what citizens send
SITES = 50


@dataclass(frozen=True)
class Copied:
    """One table with its kind on the website, and the fields that go there."""

    table: str
    kind: str
    fields: Sequence[str]


COPIED = (
    Copied("columns", "column", ("name", "description", "keywords", "type", "order", "public")),
    Copied(
        "services", "service",
        ("name", "aliases", "needs", "where", "hours", "phone", "link", "department", "public", "icon", "order"),
    ),
    Copied("first_answers", "autoreply", ("welcome", "rules")),
)  # fmt: skip


async def mirror(actor: Actor, desk: Desk) -> int:
    """One round over all of them and all websites; how many went out."""
    require(actor, "column.mirror")
    accounts = await desk.store.find("accounts", {"channel": "site"}, sort=[("_id", 1)], limit=SITES)
    return sum([await _bring_all(desk, account, copied) for account in accounts for copied in COPIED])


async def _bring_all(desk: Desk, account: Document, copied: Copied) -> int:
    rows = await desk.store.find(copied.table, {}, sort=[("_id", 1)], limit=MOST)
    return sum([await _bring(desk, account, copied, row) for row in rows])


async def _bring(desk: Desk, account: Document, copied: Copied, row: Document) -> int:
    place = account["_id"].replace("-", "_")
    if (row.get("mirrored") or {}).get(place) == row["version"]:
        return 0
    channel = connected(desk, account)
    if not isinstance(channel, Shelving):
        return 0
    body = {name: row[name] for name in copied.fields}
    if not isinstance(await channel.put(copied.kind, row["_id"], row["version"], body), Accepted):
        return 0
    mine = {"_id": row["_id"], "version": row["version"]}
    await desk.store.change(copied.table, mine, {"$set": {f"mirrored.{place}": row["version"]}})
    return 1
