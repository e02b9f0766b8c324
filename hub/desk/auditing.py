"""审计: appending to the chain, sealing its heads, verifying and reading it; what an entry means lives in domain.audit.

One place appends (the carrier, under its lease). Should two ever run at once, the unique number lets one win and the
other read again, so the chain stays one line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.domain import audit, outbox
from hub.domain.audit import Chain, Fault, Head
from hub.domain.errors import Conflict
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.sealing import AUDIT
from hub.store.base import Document, Duplicate

PAGE = 1_000
_RACES = 20
_TAIL = "audit_tail"  # in `cursors`: the newest head of all, so that a bare cut of the table's end shows


@dataclass(frozen=True)
class Verdict:
    """What verifying found. `outside`: heads kept elsewhere were compared, so a cut tail would have shown."""

    entries: int
    fault: Fault | None
    outside: bool

    @property
    def sentence(self) -> str:
        if self.fault is not None:
            return f"审计链有问题。{self.fault.message}"
        if self.outside:
            return f"审计链完整：{self.entries} 条，与外存的链头一致。"
        return f"审计链内部一致：{self.entries} 条。没有外存的链头可比，末尾若连同链头一起被截去，这里看不出来。"


def _mac(desk: Desk) -> audit.Mac:
    return lambda data: desk.sealer.mac(data, purpose=AUDIT)


async def _last(desk: Desk) -> tuple[int, str]:
    rows = await desk.store.find("audit", {}, sort=[("number", -1)], limit=1, fields=("number", "hash"))
    return (int(rows[0]["number"]), str(rows[0]["hash"])) if rows else (0, audit.START)


async def chain(desk: Desk, rows: Sequence[outbox.Row]) -> int:
    """Append these rows in their order, each once however often it comes; how many were new."""
    if not rows:
        return 0
    number, digest = await _last(desk)
    new = 0
    for row in rows:
        entry = await _append(desk, row, number, digest)
        if entry is not None:
            number, digest, new = entry["number"], entry["hash"], new + 1
            await desk.failpoints.reach("audit.chained")
    if number:
        await _mark_tail(desk)
    return new


async def _append(desk: Desk, row: outbox.Row, number: int, digest: str) -> Document | None:
    """The new entry, or None where the row stands in the chain already."""
    for _ in range(_RACES):
        entry = audit.link(row, number + 1, digest, _mac(desk))
        try:
            await desk.store.insert("audit", entry)
        except Duplicate:
            if await desk.store.get("audit", row["id"], fields=("number",)) is not None:
                return None
            number, digest = await _last(desk)
            continue
        return entry
    raise Conflict("审计链正被另一个程序写入，稍后自动重试。")


async def _mark_tail(desk: Desk) -> None:
    number, digest = await _last(desk)
    head = audit.seal_head(number, digest, desk.clock.now(), _mac(desk))
    values = {"number": head.number, "hash": head.hash, "seal": head.seal, "at": head.at}
    await desk.store.change("cursors", {"_id": _TAIL}, {"$set": values}, upsert=True)


async def seal_heads(actor: Actor, desk: Desk) -> Head | None:
    """Seal the chain's head and carry it outside, every hour with entries and every thousand of them."""
    require(actor, "outbox.carry")
    kept = await desk.store.find("audit_heads", {}, sort=[("number", -1)], limit=1)
    number, digest = await _last(desk)
    now = desk.clock.now()
    if not audit.head_is_due(audit.head_from(kept[0]) if kept else None, number, now):
        return None
    head = audit.seal_head(number, digest, now, _mac(desk))
    if desk.heads is not None:  # outside first: a line written twice does no harm, a line missing would
        await desk.heads.append(head.line())
    values = {"_id": f"{number:012d}", "number": number, "hash": digest, "seal": head.seal, "at": now}
    await desk.store.insert_new("audit_heads", [values])
    return head


async def verify(actor: Actor, desk: Desk, heads: Iterable[Head] | None = None) -> Verdict:
    """Read the whole chain and name the first place where it breaks; `heads` are those kept outside the store."""
    require(actor, "audit.read")
    outside = list(heads or ())
    reader = Chain(
        lambda data, mac: desk.sealer.verifies(data, mac, purpose=AUDIT), [*outside, *await _heads_inside(desk)]
    )
    after = -1
    while rows := await desk.store.find("audit", {"number": {"$gt": after}}, sort=[("number", 1)], limit=PAGE):
        for row in rows:
            if reader.take(row) is not None:
                break
        if reader.fault is not None:
            break
        after = int(rows[-1]["number"])
    fault = reader.fault or await _unnumbered(desk, reader) or reader.end()
    return Verdict(reader.number, fault, heads is not None)


async def _unnumbered(desk: Desk, reader: Chain) -> Fault | None:
    """Rows that the walk by numbers could not see: something else than this program wrote them."""
    rows = await desk.store.count("audit", {"number": {"$lt": 0}}, ceiling=1)
    odd = rows + await desk.store.count("audit", {"number": None}, ceiling=1)
    return Fault(reader.number, "unlinked", "有条目没有合法编号：它们不是本系统写入的。") if odd else None


async def _heads_inside(desk: Desk) -> list[Head]:
    heads: list[Head] = []
    after = -1
    while rows := await desk.store.find("audit_heads", {"number": {"$gt": after}}, sort=[("number", 1)], limit=PAGE):
        heads += [audit.head_from(row) for row in rows]
        after = int(rows[-1]["number"])
    tail = await desk.store.get("cursors", _TAIL)
    return heads if tail is None else [*heads, audit.head_from(tail)]


async def note(
    desk: Desk, actor: Actor, act: str, subject: str, *, result: str = "done", detail: Mapping[str, Any] | None = None
) -> None:
    """Put an act that changes no document of its own (an export, a plain view, a refusal) into the audit's outbox.

    No duty by itself, so it asks no right: the verb that calls it has asked. One box per actor, so that boxes empty.
    """
    row = outbox.audit(desk.ids.new(), actor, act, subject, desk.clock.now(), result=result, detail=detail)
    await desk.store.change("switches", {"_id": f"acts:{actor.id}"}, outbox.noted({}, row), upsert=True)


async def list_entries(
    actor: Actor,
    desk: Desk,
    *,
    who: str = "",
    act: str = "",
    subject: str = "",
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[list[Document], int | None]:
    """Entries from the newest down, and the number to go on from (None: the end)."""
    require(actor, "audit.read")
    wanted = {"actor": who, "act": act, "subject": subject}
    where: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    where |= {} if since is None else {"at": {"$gte": since}}
    where |= {} if before is None else {"number": {"$lt": before}}
    size = max(1, min(limit, 200))
    rows = await desk.store.find("audit", where, sort=[("number", -1)], limit=size + 1)
    more = len(rows) > size
    return rows[:size], int(rows[size - 1]["number"]) if more else None


async def export(actor: Actor, desk: Desk) -> AsyncIterator[Document]:
    """Every entry in the chain's order; the export itself leaves an entry."""
    require(actor, "audit.read")
    await note(desk, actor, "audit.export", "audit")
    after = 0
    while rows := await desk.store.find("audit", {"number": {"$gt": after}}, sort=[("number", 1)], limit=PAGE):
        for row in rows:
            yield row
        after = int(rows[-1]["number"])
