"""失效的认领: claims of the ledger whose holder is gone; what follows for each is decided in domain.

A lease is written by the clock of whoever took it. One from a clock that stood hours ahead would block its account
for hours; so whoever looks also watches: a claim seen unchanged for a whole lease by one's own watch is over too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.desk import ledger
from hub.desk.desk import Desk
from hub.domain.publication import Rules
from hub.store.base import Document

MOST = 200
Mark = tuple[str, str, str, int]  # table, id, state, the claim's number


async def lapsed_claims(desk: Desk, table: str, rules: Rules) -> list[Document]:
    """Those whose lease ran out, and those watched for too long."""
    now = desk.clock.now()
    ended = {**ledger.CLAIMED, "lease_until": {"$lte": now}}
    over = await desk.store.find(table, ended, sort=[("lease_until", 1)], limit=MOST)
    return [*over, *_outstayed(desk, table, await _too_long(desk, table, now, rules), rules)]


async def _too_long(desk: Desk, table: str, now: datetime, rules: Rules) -> list[Document]:
    """Leases that end later than any that a right clock could give now. Where our own clock is behind, that is all of
    them, and the watch decides."""
    where: dict[str, Any] = {**ledger.CLAIMED, "lease_until": {"$gt": now + rules.lease}}
    return await desk.store.find(table, where, sort=[("lease_until", 1)], limit=MOST)


def _outstayed(desk: Desk, table: str, rows: list[Document], rules: Rules) -> list[Document]:
    watch, seen = desk.clock.monotonic(), desk.watched
    marks = {_mark(table, row): row for row in rows}
    for gone in [mark for mark in seen if mark[0] == table and mark not in marks]:
        del seen[gone]
    lease = rules.lease.total_seconds()
    return [row for mark, row in marks.items() if watch - seen.setdefault(mark, watch) > lease]


def _mark(table: str, row: Document) -> Mark:
    return table, str(row["_id"]), str(row["state"]), int(row["lease_number"])
