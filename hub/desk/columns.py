"""栏目: the office's columns; their copies on the websites: mirroring.py, what a column must hold: the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.contract import Shelving
from hub.desk.desk import Desk, connected
from hub.domain import outbox
from hub.domain.columns import check_column
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

MOST = 200


async def save_column(actor: Actor, desk: Desk, value: Mapping[str, Any]) -> Document:
    """A new column, or an old one changed; the websites get it within seconds."""
    require(actor, "column.write")
    column = check_column(value)
    slug = column.pop("_id")
    row = outbox.audit(desk.ids.new(), actor, "column.save", slug, desk.clock.now())
    update = {"$set": {**column, "changed_at": desk.clock.now()}, "$inc": {"version": 1}}
    saved = await desk.store.change("columns", {"_id": slug}, outbox.noted(update, row), upsert=True)
    return saved or {}


async def list_columns(actor: Actor, desk: Desk) -> list[Document]:
    """All of them, in the order of the website."""
    require(actor, "notice.read")
    return await desk.store.find("columns", {}, sort=[("order", 1), ("_id", 1)], limit=MOST)


async def column(actor: Actor, desk: Desk, slug: str) -> Document | None:
    """One of them; None where it has gone."""
    require(actor, "notice.read")
    return await desk.store.get("columns", slug)


async def beat_sites(actor: Actor, desk: Desk) -> int:
    """Tell each website of ours that a worker lives; how many heard."""
    require(actor, "column.mirror")
    accounts = await desk.store.find("accounts", {"channel": "site"}, sort=[("_id", 1)], limit=50)
    found = [connected(desk, account) for account in accounts]
    channels = [channel for channel in found if isinstance(channel, Shelving)]
    return sum([await channel.beat(desk.owner) for channel in channels])
