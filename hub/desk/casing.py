"""工单: one case with its words, and the one compare-and-set by which all change; lists: inbox.py, moves: handling.py.

A case's `version` grows with every change and is what a change names; it is also the version under which the citizen's
progress is told to the website, so it is never smaller than the moment it was written at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.clock import local
from hub.desk.desk import Desk
from hub.desk.replies import shown
from hub.domain import outbox
from hub.domain.case import Terms, require_sight
from hub.domain.errors import Conflict
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document, Duplicate

TABLE = "cases"
LATER = timedelta(days=3_650)  # what waits for the citizen stands behind everything that has a time
WORDS = 200  # words of one case on its page; all of them are one click away
FASTER = "另一位同事刚改过这件工单。请刷新后再看。"


@dataclass(frozen=True)
class CasePage:
    """A case with the newest of its words, its answers (newest first) and their deliveries."""

    case: Document
    words: list[Document]
    answers: list[Document]
    deliveries: list[Document]
    counts: Mapping[str, Mapping[str, int]]


def bare(case: Document) -> Document:
    """The case as a page or an answer may hold it."""
    hidden = ("outbox", "outbox_open", "outbox_count", "terms")
    return {name: value for name, value in case.items() if name not in hidden}


async def seen_case(actor: Actor, desk: Desk, id: str) -> Document:
    """One case; NotFound where there is none, or none for this person."""
    require(actor, "case.read")
    return bare(require_sight(actor, await desk.store.get(TABLE, id)))


async def case_page(actor: Actor, desk: Desk, id: str) -> CasePage:
    """Everything of one case."""
    require(actor, "case.read")
    case = require_sight(actor, await desk.store.get(TABLE, id))
    words = await desk.store.find("replies", {"case": id}, sort=[("at", -1)], limit=WORDS)
    answers = await desk.store.find("answers", {"case": id}, sort=[("round", -1)], limit=20)
    ids = [row["_id"] for row in answers]
    deliveries = await _deliveries(desk, ids)
    return CasePage(
        bare(case), [shown(row) for row in reversed(words)], answers, deliveries, await _counts(desk, ids)
    )


async def _deliveries(desk: Desk, answers: list[str]) -> list[Document]:
    """What did not arrive first, then the newest; the rest is counted."""
    if not answers:
        return []
    odd = {"answer": {"$in": answers}, "state": {"$nin": ["published"]}}
    found = await desk.store.find("deliveries", odd, sort=[("at", -1)], limit=50)
    fine = {"answer": {"$in": answers}, "state": "published"}
    return [*found, *await desk.store.find("deliveries", fine, sort=[("at", -1)], limit=50)]


async def _counts(desk: Desk, answers: list[str]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {id: {} for id in answers}
    if answers:
        for row in await desk.store.tally("deliveries", {"answer": {"$in": answers}}, by=("answer", "state")):
            counts[row["answer"]][row["state"]] = row["count"]
    return counts


# ---- the one write


def entry(actor: Actor, act: str, now: datetime, remark: str = "", **more: Any) -> Document:
    """One step of a case's history."""
    name = "系统" if actor.kind == "program" else actor.name
    kept = {key: value for key, value in more.items() if value}
    return {"act": act, "by": actor.id, "name": name, "at": now, "remark": remark.strip(), **kept}


def next_version(now: datetime, *versions: int) -> int:
    """Greater than all of these, and no smaller than the moment in milliseconds."""
    return max([int(now.timestamp() * 1000), *(version + 1 for version in versions)])


async def change_case(
    desk: Desk,
    actor: Actor,
    case: Document,
    step: Document,
    fields: Mapping[str, Any],
    *,
    rows: Sequence[outbox.Row] = (),
    above: int = 0,
) -> Document:
    """Write one step on the case as it was read; Conflict where somebody was faster. Fields set to None are taken out.

    `above`: a version that the new one must pass besides the case's own (of a case that came into it).
    """
    now = desk.clock.now()
    kept = {name: value for name, value in fields.items() if value is not None}
    gone = {name: "" for name, value in fields.items() if value is None}
    version = next_version(now, int(case["version"]), above)
    update: dict[str, dict[str, Any]] = {
        "$set": {**kept, "version": version, "changed_at": now, "to_tell": True},
        "$push": {"history": dict(step)},
        **({"$unset": gone} if gone else {}),
    }
    told = {"from": case["state"]} if fields.get("state") else {}
    all_rows = (
        outbox.audit(desk.ids.new(), actor, f"case.{step['act']}", case["_id"], now, detail=told),
        outbox.event(desk.ids.new(), "case.changed", case["_id"], now),
        *rows,
    )
    mine = {"_id": case["_id"], "version": case["version"]}
    after = await desk.store.change(TABLE, mine, outbox.noted(update, *all_rows))
    if after is None:
        raise Conflict(FASTER)
    return after


def told(desk: Desk, case: Document, matter: str, text: str, people: Sequence[str], key: str) -> outbox.Row:
    """A notice about a case: of a confidential one it names neither title nor words, and goes to its handlers alone."""
    name = f"工单 {case['number']}" + ("（保密）" if case["confidential"] else f"“{case['title']}”")
    whom = [person for person in people if not case["confidential"] or person in case.get("handlers", ())]
    now = desk.clock.now()
    return outbox.notice(
        desk.ids.new(), matter, case["_id"], now, people=sorted(set(whom)), text=f"{name}：{text}",
        link=f"/cases/{case['_id']}", key=f"{case['_id']}:{key}",
    )  # fmt: skip


async def terms_of_office(desk: Desk) -> Terms:
    """The office's days for a first answer."""
    value = desk.policies.value
    return Terms(
        usual=int(await value("reply_days")),
        complaint=int(await value("complaint_days")),
        again=int(await value("callback_days")),
    )


async def new_number(desk: Desk) -> str:
    """The next number of this month, as people say it on the telephone: `26-11-00684`. Gaps are harmless."""
    name = f"cases:{local(desk.clock.now()):%y-%m}"
    update: dict[str, dict[str, Any]] = {"$inc": {"number": 1}}
    try:
        row = await desk.store.change("cursors", {"_id": name}, update, upsert=True)
    except Duplicate:  # two firsts of a month at one instant
        row = await desk.store.change("cursors", {"_id": name}, update)
    return f"{name.partition(':')[2]}-{int((row or {'number': 1})['number']):05}"
