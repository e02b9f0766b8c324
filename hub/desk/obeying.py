"""What people decided about issues, carried into the documents: steps of the watch, repeatable; asking: deciding.py.

A decision is a durable row with a number of its own in its stream. The watch carries them out in their order; the
detector's state remembers the last one. An alert that ended as 误报 or 已办结 becomes such a row here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.desk.alerting import reopen, unfinished
from hub.desk.desk import Desk
from hub.desk.raising import name_of, voice_of
from hub.domain import outbox
from hub.domain.reply import LIVE
from hub.store.base import Document, Duplicate
from nlp.contract import Voice
from nlp.detectors.decided import Decision

TABLE = "decisions"
PART = 500
MOST_ENDS = 50  # ended alerts that one look makes decisions of
TRIES = 50  # numbers tried where others decide at the same moment


async def add(desk: Desk, stream: str, key: str, fields: Mapping[str, Any], *rows: outbox.Row) -> Document:
    """The decision under the next number of its stream; the one that stands where this key has one already."""
    for _ in range(TRIES):
        last = await desk.store.find(TABLE, {"stream": stream}, sort=[("number", -1)], limit=1, fields=["number"])
        number = int(last[0]["number"]) + 1 if last else 1
        own = {"_id": f"{stream}#{number}", "stream": stream, "number": number, "key": key, "state": "waiting"}
        document: Document = {**fields, **own, "at": desk.clock.now()}
        try:
            await desk.store.insert(TABLE, outbox.born(document, *rows))
        except Duplicate:
            known = await desk.store.find(TABLE, {"key": key}, limit=1)
            if known:
                return known[0]
        else:
            return document
    raise RuntimeError("no free number for a decision")


async def undecided(desk: Desk) -> set[str]:
    """The streams with a decision that waits."""
    return {str(row["stream"]) for row in await desk.store.tally(TABLE, {"state": "waiting"}, ["stream"])}


async def next_decision(desk: Desk, stream: str) -> Document | None:
    """The first one that waits."""
    waiting = {"state": "waiting", "stream": stream}
    return next(iter(await desk.store.find(TABLE, waiting, sort=[("number", 1)], limit=1)), None)


async def as_decision(desk: Desk, row: Document) -> Decision:
    """The row as the detector takes it: names instead of ids, voices instead of replies."""
    stream, ids = str(row["stream"]), list(row.get("ids") or [])
    return Decision(
        number=int(row["number"]),
        kind=str(row["kind"]),
        issue=name_of(stream, str(row["issue"])),
        into=name_of(stream, str(row.get("into") or "")),
        voices=tuple(await _voices(desk, ids)),
        pair=tuple(row.get("pair") or ()),
        until=row.get("until"),
    )


async def _voices(desk: Desk, ids: Sequence[str]) -> list[Voice]:
    found: list[Document] = []
    for start in range(0, len(ids), PART):
        part = list(ids[start : start + PART])
        found += await desk.store.find("replies", {"_id": {"$in": part}}, limit=PART)
    return [voice_of(row) for row in sorted(found, key=lambda row: (row["at"], row["_id"]))]


async def carry_out(desk: Desk, row: Document, *, moved: bool) -> None:
    """What follows in the documents; `moved`: the detector found what the decision names. Before its state is saved,
    so that a crash repeats all of it."""
    if moved and row["kind"] == "merge":
        await _bring_together(desk, row["issue"], row["into"])
    elif moved and row["kind"] == "split":
        await _set_apart(desk, row)
    outcome = "moved" if moved or row["kind"] in ("doubt", "trust") else "void"
    await desk.store.change(TABLE, {"_id": row["_id"], "state": "waiting"}, {"$set": {"outcome": outcome}})


async def finish(desk: Desk, row: Document) -> None:
    """The decision is known to a saved state."""
    now = desk.clock.now()
    event = outbox.event(desk.ids.new(), "issue", str(row["issue"]), now, detail={"decision": row["kind"]})
    done = outbox.noted({"$set": {"state": "done", "done_at": now}}, event)
    await desk.store.change(TABLE, {"_id": row["_id"], "state": "waiting"}, done)


async def _bring_together(desk: Desk, issue: str, into: str) -> None:
    """Replies and alerts of the one stand under the other, with a mark of where they came from."""
    await desk.store.change_many("replies", {"issue": issue}, {"$set": {"issue": into, "came_from": issue}})
    await desk.store.change_many("alerts", {"issue": issue}, {"$set": {"issue": into, "was": issue}})
    if await unfinished(desk, into):
        await reopen(desk, into)


async def _set_apart(desk: Desk, row: Document) -> None:
    """The replies chosen stand under the new issue; where it is an old one come back, its alerts do too."""
    issue, new, ids = row["issue"], row["into"], row["ids"]
    for start in range(0, len(ids), PART):
        part = {"_id": {"$in": ids[start : start + PART]}}
        await desk.store.change_many("replies", part, {"$set": {"issue": new}, "$unset": {"came_from": ""}})
    back = {"$set": {"state": "open"}, "$unset": {"merged_into": ""}}
    await desk.store.change("issues", {"_id": new, "state": "merged"}, back)
    own = {"issue": issue, "was": new}
    await desk.store.change_many("alerts", own, {"$set": {"issue": new}, "$unset": {"was": ""}})


# ---- what an alert's end teaches


async def teach(desk: Desk) -> None:
    """Ended alerts become decisions: 误报 puts their matter in doubt for some days, 办结 takes the doubt away."""
    for alert in await desk.store.find("alerts", {"to_teach": True}, limit=MOST_ENDS):
        await _learn(desk, alert)
        await desk.store.change("alerts", {"_id": alert["_id"]}, {"$unset": {"to_teach": ""}})


async def _learn(desk: Desk, alert: Document) -> None:
    days = float(await desk.policies.value("doubt_days"))
    issue = await desk.store.get("issues", alert["issue"], fields=["stream", "terms"]) or {}
    pair = list(alert.get("pair") or (issue.get("terms") or [])[:2])
    is_false = alert["state"] == "false_alarm"
    if len(pair) < 2 or (is_false and not days):
        return
    end = (alert.get("history") or [{}])[-1]
    until = {"until": alert["changed_at"] + timedelta(days=days)} if is_false else {}
    fields = {"kind": "doubt" if is_false else "trust", "issue": alert["issue"], "alert": alert["_id"], "pair": pair,
              "by": end.get("by"), "by_name": end.get("name"), "reason": end.get("remark"), **until}  # fmt: skip
    await add(desk, str(issue.get("stream") or LIVE), f"alert:{alert['_id']}", fields)
