"""账本: the compare-and-sets by which publications, operations and deliveries move; what may is decided in domain.

Every change names the state it found and, once claimed, the number of the claim: a worker who slept past its lease
changes nothing. The rows that must follow a change (audit, event, notice) are in the same write.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.domain import leftovers, outbox
from hub.domain.matters import Tell
from hub.domain.moves import step_for
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, closed_attempts
from hub.domain.putting_off import put_off
from hub.store.base import Document

PUBLICATIONS, OPERATIONS, DELIVERIES = "publications", "operations", "deliveries"
_WORDS = {PUBLICATIONS: "publication", OPERATIONS: "operation", DELIVERIES: "delivery"}
STANDING = {"state": {"$nin": ["cancelled", "removed"]}}  # what nobody has given up
_QUIET = frozenset({"claim", "not_yet", "wait", "miss"})  # steps of the clockwork, of no weight for the audit
_LEASED = frozenset({"staging", "sending"})
CLAIMED = {"state": {"$in": sorted(_LEASED)}}


async def rules_of(desk: Desk) -> Rules:
    """The office's figures, read where a batch begins."""
    late, tries = await desk.policies.value("late_minutes"), await desk.policies.value("late_tries")
    fallback = await desk.policies.value("fallback_minutes")
    return Rules(late=timedelta(minutes=late), tries=tries, fallback=timedelta(minutes=fallback))


def expected(document: Document) -> dict[str, Any]:
    """The filter that names the state and the claim under which it was read.

    The claim's number counts beyond the lease too: a look-up that slept through a second send must not judge that one.
    """
    return {"_id": document["_id"], "state": document["state"], "lease_number": document["lease_number"]}


async def move(
    desk: Desk,
    actor: Actor,
    table: str,
    document: Document,
    decision: Decision,
    *,
    where: Mapping[str, Any] | None = None,
    attempt: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Document | None:
    """Carry out one decision on the document as it was read; None where someone was faster."""
    step = step_for(str(document["state"]), decision.event)
    if step is None:
        raise ValueError(f"no move {decision.event} from {document['state']}")
    now = desk.clock.now()
    told = {"state": step.then.value, "changed_at": now}
    fields: dict[str, Any] = {**decision.fields, **put_off(decision.fields, now), **told}
    attempts = closed_attempts(document, decision.closing)
    if attempts is not None:
        fields["attempts"] = attempts
    if table == PUBLICATIONS:
        fields |= leftovers.given_up(document, step.then, now)
    if step.then.value not in _LEASED:
        fields |= {"lease_owner": None, "lease_until": None}
    update: dict[str, Any] = _set_or_unset(fields)
    if attempt is not None:
        update["$push"] = {"attempts": dict(attempt)}
    rows = _rows(desk, actor, table, document, decision, now, detail or {})
    if decision.tell is not None:
        rows.append(await _notice(desk, table, document, decision, decision.tell, now))
    return await desk.store.change(table, {**expected(document), **(where or {})}, outbox.noted(update, *rows))


async def earliest_due(desk: Desk, table: str, where: Mapping[str, Any], most: int) -> list[str]:
    """The due document with the earliest time of each account, the earliest of all first; only a look, no claim."""
    rows = await desk.store.find(table, {**_due(desk), **where}, sort=[("at", 1)], limit=4 * most, fields=("account",))
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(str(row["account"]), str(row["_id"]))
    return list(first.values())[:most]


def _due(desk: Desk) -> dict[str, Any]:
    now = desk.clock.now()
    return {"state": "scheduled", "at": {"$lte": now}, "not_before": {"$lte": now}}


async def claim(desk: Desk, table: str, where: Mapping[str, Any], rules: Rules) -> Document | None:
    """Take the due document with the earliest time that matches, atomically, under a lease with a new number.

    The earliest first, so that after an outage an account's backlog goes out in its order without being put back.
    """
    now = desk.clock.now()
    due = {**_due(desk), **where}
    update: dict[str, dict[str, Any]] = {
        "$set": {
            "state": "staging", "lease_owner": desk.owner, "lease_until": now + rules.lease, "changed_at": now,
        },
        "$inc": {"lease_number": 1},
    }  # fmt: skip
    return await desk.store.change(table, due, update, sort=[("at", 1)])


async def intend(
    desk: Desk,
    actor: Actor,
    table: str,
    document: Document,
    step: str,
    fields: Mapping[str, Any],
    fingerprint: str,
    rules: Rules,
    *,
    handed: Mapping[str, Any] | None = None,
) -> Document | None:
    """Write down that a call is about to be made: key, fingerprint and an open attempt, before anything leaves."""
    now = desk.clock.now()
    number = len(document.get("attempts", [])) + 1
    key = fields.get("key", document["key"])
    attempt = {"number": number, "step": step, "at": now, "key": key, "fingerprint": fingerprint, **(handed or {})}
    left = leftovers.replaced(document, fields, now) if table == PUBLICATIONS else {}
    decision = Decision("intend", {**fields, **left, "lease_until": now + rules.lease})
    return await move(desk, actor, table, document, decision, attempt=attempt, detail={"attempt": number})


async def is_taken_back(desk: Desk, publication: str) -> bool:
    """Whether somebody asked for its withdrawal, done or not: what is asked there later must not bring it back."""
    where = {"publication": publication, "kind": "withdraw", "state": {"$ne": "cancelled"}}
    return await desk.store.count(OPERATIONS, where, ceiling=1) > 0


def _set_or_unset(fields: Mapping[str, Any]) -> dict[str, Any]:
    gone = {name: "" for name, value in fields.items() if value is None}
    kept = {name: value for name, value in fields.items() if value is not None}
    return {"$set": kept, **({"$unset": gone} if gone else {})}


def _rows(
    desk: Desk,
    actor: Actor,
    table: str,
    document: Document,
    decision: Decision,
    now: datetime,
    detail: Mapping[str, Any],
) -> list[outbox.Row]:
    word, subject = _WORDS[table], str(document["_id"])
    rows: list[outbox.Row] = []
    if decision.event not in _QUIET:
        told = {"from": document["state"], **detail}
        rows.append(outbox.audit(desk.ids.new(), actor, f"{word}.{decision.event}", subject, now, detail=told))
        rows.append(outbox.event(desk.ids.new(), f"{word}.changed", subject, now))
    return rows


async def _notice(
    desk: Desk, table: str, document: Document, decision: Decision, tell: Tell, now: datetime
) -> outbox.Row:
    account: Document = await desk.store.get("accounts", str(document["account"]), fields=("name",)) or {}
    return outbox.notice(
        desk.ids.new(),
        tell.matter,
        str(document["_id"]),
        now,
        people=sorted({str(document["by"]), "duty"}),
        text=tell.text(document, str(account.get("name") or document["account"])),
        link=f"/{table}/{document['_id']}",
        key=f"{document['_id']}:{decision.event}:{document['lease_number']}",  # held again after a release: told again
    )
