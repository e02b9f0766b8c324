"""清理草稿: throws away what was staged and will never be published, lists it by account; what is certain: domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.contract import Accepted, Outcome, Tidying, Unknown
from hub.clock import EARLIEST, LATEST
from hub.desk import ledger
from hub.desk.desk import Desk, connected
from hub.domain import leftovers, outbox
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

BATCH = 3  # publications of one round: five minutes apart they stay below the smallest known quota of a day
LISTED = 100
FIELDS = ("title", "account", "state", "leftovers", "leftover_at", "leftover_tries", "leftover_said")


async def tidy(actor: Actor, desk: Desk) -> int:
    """One round over what is certain and has rested; how many publications were looked at."""
    require(actor, "leftover.discard")
    due = {"leftover_at": {"$lte": desk.clock.now()}}
    rows = await desk.store.find(ledger.PUBLICATIONS, due, sort=[("leftover_at", 1)], limit=BATCH)
    for row in rows:
        await _tidy(actor, desk, row)
    return len(rows)


async def _tidy(actor: Actor, desk: Desk, row: Document) -> None:
    """Each draft is asked to go; what came of it is one change that names the list it was decided on."""
    account = await desk.store.get("accounts", str(row["account"]))
    channel = connected(desk, account) if account else "账号已不存在"
    outcomes: dict[int, Outcome] = {}
    for place, one in enumerate(row["leftovers"]):
        if leftovers.may_go(row, one["refs"]):
            outcomes[place] = await _discard(channel, one["refs"])
    now = desk.clock.now()
    fields = leftovers.after(row, outcomes, now)
    gone = {name: "" for name, value in fields.items() if value is None}
    kept = {name: value for name, value in fields.items() if value is not None}
    audit = outbox.audit(desk.ids.new(), actor, "leftover.discard", str(row["_id"]), now, detail={"n": len(outcomes)})
    update: dict[str, Mapping[str, Any]] = {**({"$set": kept} if kept else {}), **({"$unset": gone} if gone else {})}
    same = {"_id": row["_id"], "state": row["state"], "leftover_at": row["leftover_at"]}
    await desk.store.change(ledger.PUBLICATIONS, same, outbox.noted(update, audit))


async def _discard(channel: object, refs: Mapping[str, Any]) -> Outcome:
    if isinstance(channel, str):
        return Unknown(channel)
    if not isinstance(channel, Tidying):
        return Accepted("")  # a platform that keeps nothing of what was staged
    try:
        return await channel.discard(refs)
    except Exception as error:  # a channel that raises is a bug; the draft is tried again later
        return Unknown("清理时程序出错", {"error": type(error).__name__})


async def drafts_left(actor: Actor, desk: Desk, account: str) -> list[Document]:
    """The drafts of this account that wait to be thrown away, or could not be: each with its post, why, and when."""
    require(actor, "account.read")
    where = {"leftover_at": {"$gt": EARLIEST}, "account": account}
    rows = await desk.store.find(ledger.PUBLICATIONS, where, sort=[("leftover_at", 1)], limit=LISTED, fields=FIELDS)
    return [
        {"publication": row["_id"], "title": row["title"], "why": leftovers.WHY[one["why"]], "at": one["at"],
         "again": None if row["leftover_at"] >= LATEST else row["leftover_at"], "said": row.get("leftover_said") or ""}
        for row in rows
        for one in row["leftovers"]
    ]  # fmt: skip
