"""同文: brings replies that were read to their copy groups, each once; which text is a copy of which: matching.py.

Replies, groups and marks cannot be changed together, so replies are taken in numbered batches like those of the
roll-ups. The one document `batches/copies` holds the batch under way with everything it will write, worked out before:

1. done → open, only if the batch before is still the last: so what was worked out was read from a store at rest;
2. the members are inserted, under the replies' own ids;
3. marks and groups are put as they shall be, each only if its own `batch` is lower than this number;
4. the replies are marked `grouped`;
5. open → done.

Whoever finds an open batch, after a crash or beside a slow worker, carries out the same steps again. What a worker
works out beside another that was faster is thrown away at step 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.desk.matching import TABLE as MARKS
from hub.desk.matching import Matches, match
from hub.domain.copy_group import FloodRule, added, same_stretch
from hub.domain.people import Actor
from hub.domain.reply import LIVE
from hub.domain.rights import require
from hub.store.base import Document, Duplicate

HEAD, GROUPS, COPIES = "copies", "copy_groups", "copies"
BATCH = 200
ROUNDS = 5  # batches of one tick
NEARBY = 5_000  # copies of one group that are looked at again around a new one; a flood of more is one long since
WAITING: dict[str, Any] = {"grouped": {"$in": [False, None]}, "state": "read"}
_FIELDS = ("author_key", "at", "channel", "account", "district", "stream", "title", "text", "confidential",
           "analysis.copy_key", "analysis.simhash")  # fmt: skip


async def group_copies(actor: Actor, desk: Desk) -> int:
    """Finish the batch under way, then take up to ROUNDS more; how many replies were brought to where they belong."""
    require(actor, "reply.group")
    total = 0
    for _ in range(ROUNDS):
        done = await _settled(desk)
        replies = await desk.store.find("replies", WAITING, limit=BATCH, fields=_FIELDS)
        if not replies or not await _take(desk, done, replies):
            break
        total += len(replies)
    return total


async def _settled(desk: Desk) -> int:
    """The number of the last batch, once it is done."""
    head = await desk.store.get("batches", HEAD)
    if head is None:
        await desk.store.insert_new("batches", [{"_id": HEAD, "number": 0, "state": "done"}])
        return 0
    if head["state"] == "open":
        await _carry_out(desk, head)
    return int(head["number"])


async def _take(desk: Desk, done: int, replies: Sequence[Document]) -> bool:
    """False where somebody else was faster."""
    matches = await match(desk, replies)
    groups, copies = await _worked_out(desk, matches, {reply["_id"]: reply for reply in replies})
    batch = {
        "number": done + 1,
        "state": "open",
        "replies": [reply["_id"] for reply in replies],
        "groups": groups,
        "copies": copies,
        "marks": list(matches.marks.values()),
        "seen": sorted(matches.seen - set(matches.marks)),
        "at": desk.clock.now(),
    }
    await desk.failpoints.reach("copies.planned")
    head = await desk.store.change("batches", {"_id": HEAD, "number": done, "state": "done"}, {"$set": batch})
    if head is None:
        return False
    await desk.failpoints.reach("copies.opened")
    await _carry_out(desk, head)
    return True


# ---- carrying out, any number of times


async def _carry_out(desk: Desk, head: Document) -> None:
    store, number = desk.store, head["number"]
    if head["copies"]:
        await store.insert_new(COPIES, head["copies"])
    await desk.failpoints.reach("copies.listed")
    await _put_all(desk, MARKS, head["marks"], number)
    for id in head["seen"]:
        older = {"_id": id, "batch": {"$lt": number}}
        await store.change(MARKS, older, {"$set": {"seen_at": head["at"], "batch": number}})
    await desk.failpoints.reach("copies.marked")
    await _put_all(desk, GROUPS, head["groups"], number)
    await desk.failpoints.reach("copies.summed")
    await store.change_many("replies", {"_id": {"$in": head["replies"]}}, {"$set": {"grouped": True}})
    await desk.failpoints.reach("copies.grouped")
    await _tell(desk, head)
    done = {"state": "done", "replies": [], "groups": [], "copies": [], "marks": [], "seen": []}
    await store.change("batches", {"_id": HEAD, "number": number, "state": "open"}, {"$set": done})


async def _put_all(desk: Desk, table: str, rows: Sequence[Document], number: int) -> None:
    """The rows as they shall be, but over none that this batch or a later one has written."""
    if not rows:
        return
    known = set((await desk.store.insert_new(table, [{**row, "batch": number} for row in rows])).known)
    await asyncio.gather(*(_put(desk, table, row, number) for row in rows if row["_id"] in known))


async def _put(desk: Desk, table: str, row: Document, number: int) -> None:
    whole = {name: value for name, value in row.items() if name not in ("_id", "batch")}
    with suppress(Duplicate):
        older = {"_id": row["_id"], "batch": {"$lt": number}}
        await desk.store.change(table, older, {"$set": {**whole, "batch": number}})


async def _tell(desk: Desk, head: Document) -> None:
    """Wake the open pages of groups; once more after a crash, which does no harm."""
    if head["groups"]:
        event = {"_id": desk.ids.new(), "name": "copies", "subject": head["groups"][-1]["_id"],
                 "at": desk.clock.now(), "detail": {"groups": len(head["groups"])}}  # fmt: skip
        await desk.store.insert("events", event)


# ---- working out


async def _worked_out(
    desk: Desk, matches: Matches, replies: dict[str, Document]
) -> tuple[list[Document], list[Document]]:
    """The groups as they will be, and their new members."""
    if not matches.members:
        return [], []
    rule = await _rule_of(desk)
    replies = {**replies, **await _originals(desk, matches, set(replies))}
    copies = await _copies(desk, matches, replies)
    known = await desk.store.find(GROUPS, {"_id": {"$in": sorted(matches.members)}}, limit=len(matches.members))
    groups = {group["_id"]: group for group in known}
    of: dict[str, list[Document]] = {}
    for copy in copies:
        of.setdefault(copy["group"], []).append(copy)
    summed = (_summed(desk, id, groups.get(id), members, rule) for id, members in of.items())
    return list(await asyncio.gather(*summed)), copies


async def _rule_of(desk: Desk) -> FloodRule:
    """疑似刷屏 as the office has it now."""
    names = ("flood_minutes", "flood_accounts", "flood_new_percent")
    return FloodRule(*[int(await desk.policies.value(name)) for name in names])


async def _originals(desk: Desk, matches: Matches, here: set[str]) -> dict[str, Document]:
    """The first members of groups that begin now, where their reply came in an earlier batch."""
    ids = sorted({id for members in matches.members.values() for id, _ in members} - here)
    rows = await desk.store.find("replies", {"_id": {"$in": ids}}, limit=len(ids), fields=_FIELDS) if ids else []
    return {row["_id"]: row for row in rows if not row.get("confidential")}


async def _copies(desk: Desk, matches: Matches, replies: dict[str, Document]) -> list[Document]:
    """The members as their table holds them; a reply that is gone meanwhile is none."""
    rows = [
        (group, replies[id], near)
        for group, members in matches.members.items()
        for id, near in members
        if id in replies
    ]
    since = await _known_since(desk, {author_of(reply) for _, reply, _ in rows})
    now = desk.clock.now()
    return [
        {
            "_id": reply["_id"],
            "group": group,
            "stream": reply.get("stream") or LIVE,
            "author_key": author_of(reply),
            "at": reply["at"],
            "channel": reply["channel"],
            "account": reply["account"],
            "district": reply.get("district") or "",
            "near": near,
            "known_since": min(since.get(author_of(reply), reply["at"]), reply["at"]),
            "heard_at": now,
        }
        for group, reply, near in rows
    ]


def author_of(reply: Document) -> str:
    """Who said it; somebody we cannot tell from others counts as somebody of their own."""
    return str(reply.get("author_key") or reply["_id"])


async def _known_since(desk: Desk, authors: Iterable[str]) -> dict[str, datetime]:
    """When each first said anything to us, by the replies' own times."""

    async def first(author: str) -> tuple[str, datetime | None]:
        where = {"author_key": author}
        rows = await desk.store.find("replies", where, sort=[("at", 1)], limit=1, fields=["at"])
        return author, rows[0]["at"] if rows else None

    found = await asyncio.gather(*(first(author) for author in sorted(authors)))
    return {author: at for author, at in found if at is not None}


async def _summed(
    desk: Desk, id: str, group: Document | None, new: Sequence[Document], rule: FloodRule
) -> Document:
    earlier = await _earlier(desk, id, {copy["author_key"] for copy in new}) if group else {}
    nearby = await _nearby(desk, id, group, new, rule) if group else []
    figures = added(group, new, earlier, nearby, rule)
    live = new[0]["stream"] == LIVE
    return {"_id": id, "stream": new[0]["stream"], "live": live, "heard_at": desk.clock.now(), **figures}


async def _earlier(desk: Desk, group: str, authors: set[str]) -> dict[str, Document]:
    """Each author's earliest copy in the group; none for those who are new to it."""

    async def first(author: str) -> list[Document]:
        where = {"group": group, "author_key": author}
        return await desk.store.find(COPIES, where, sort=[("at", 1), ("_id", 1)], limit=1)

    found = await asyncio.gather(*(first(author) for author in sorted(authors)))
    return {rows[0]["author_key"]: rows[0] for rows in found if rows}


async def _nearby(
    desk: Desk, group: str, known: Document, new: Sequence[Document], rule: FloodRule
) -> list[Document]:
    """The group's copies within the rule's minutes of the new ones; where the rule looked at other minutes before,
    all, up to NEARBY."""
    if not same_stretch(known, rule):
        return await desk.store.find(COPIES, {"group": group}, sort=[("at", -1)], limit=NEARBY)
    fields = ("author_key", "at", "known_since")

    async def around(low: datetime, high: datetime) -> list[Document]:
        where = {"group": group, "at": {"$gt": low, "$lt": high}}
        return await desk.store.find(COPIES, where, sort=[("at", 1)], limit=NEARBY, fields=fields)

    stretches = _stretches([copy["at"] for copy in new], timedelta(minutes=rule.minutes))
    found = await asyncio.gather(*(around(low, high) for low, high in stretches))
    return [row for rows in found for row in rows]


def _stretches(moments: Sequence[datetime], around: timedelta) -> list[tuple[datetime, datetime]]:
    """The stretches around these moments, those that touch as one: so that no copy is read twice."""
    joined: list[tuple[datetime, datetime]] = []
    for at in sorted(moments):
        low, high = at - around, at + around
        if joined and low <= joined[-1][1]:
            low = joined.pop()[0]
        joined.append((low, high))
    return joined
