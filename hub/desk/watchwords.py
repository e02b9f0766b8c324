"""关注词: the list that the monitor keeps, how loud one would have been, and what one gathered; hearing is nlp's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from hub.desk.desk import Desk
from hub.desk.paging import page
from hub.desk.raising import HITS, voice_of
from hub.desk.replies import OPEN_WORDS, shown
from hub.domain import outbox
from hub.domain.errors import Conflict, NotFound
from hub.domain.people import Actor
from hub.domain.reply import LIVE
from hub.domain.rights import require
from hub.domain.watchword import USUAL, Places, check_watchword, is_readable
from hub.store.base import Document
from nlp.contract import IssueChange, Voice
from nlp.detectors.watchwords import WatchWord, WatchWords

TABLE = "watchwords"
MOST = 500  # in use; the pass over a text stays one pass, but a list must be read by people
FASTER = "另一位同事刚改过这个关注词。请刷新后再看。"
BACK = timedelta(days=30)  # how far a preview looks
LOOKED = 20_000  # newest replies that it looks at
STEP = 1_000
ROWS = 50  # newest hits that it shows
PAGES = 20  # pages of hits looked through for those that were asked for
JUDGED = timedelta(days=90)
FIELDS = ("at", "text", "title", "author", "author_key", "channel", "district", "sentiment", "state", "kind",
          "analysis.sentiment.negative", "topic")  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What a watch word would have done: hits, distinct people, copies, times it would have told, the newest hits.

    `since`: how far back was looked; `whole`: that is all of the thirty days.
    """

    hits: int
    people: int
    copies: int
    tellings: int
    since: datetime
    looked: int
    whole: bool
    rows: list[Document]


async def list_watchwords(actor: Actor, desk: Desk, *, retired: bool = False) -> list[Document]:
    """Those in use, or those that were retired, by name; with how often each told lately and was a false alarm."""
    require(actor, "watchword.read")
    rows = await desk.store.find(TABLE, {"retired": retired}, sort=[("name", 1)], limit=MOST)
    since = {"source": "word", "at": {"$gte": desk.clock.now() - JUDGED}}
    tallied = await desk.store.tally("alerts", since, ["word", "state"])
    return [{**row, **_judged(tallied, row["_id"])} for row in rows]


def _judged(tallied: Sequence[Document], id: str) -> dict[str, int]:
    own = [row for row in tallied if row["word"] == id]
    false = sum(int(row["count"]) for row in own if row["state"] == "false_alarm")
    return {"told": sum(int(row["count"]) for row in own), "false_alarms": false}


async def watchword(actor: Actor, desk: Desk, id: str) -> Document:
    """One of them; NotFound where there is none."""
    require(actor, "watchword.read")
    return await _one(desk, id)


async def _one(desk: Desk, id: str) -> Document:
    found = await desk.store.get(TABLE, id)
    if found is None:
        raise NotFound("没有这个关注词，可能地址不完整。")
    return found


async def save_watchword(
    actor: Actor,
    desk: Desk,
    said: Mapping[str, Any],
    places: Places,
    *,
    id: str = "",
    version: int | None = None,
) -> Document:
    """A new one, or one changed; `version` is what the writer had before them, Conflict where it has changed since."""
    require(actor, "watchword.write")
    now = desk.clock.now()
    fields = check_watchword({**USUAL, **said}, now, places)
    fields |= {"by": actor.id, "by_name": actor.name}
    if id:
        return await _changed(actor, desk, await _one(desk, id), "save", fields, version)
    await _require_room(desk)
    born: Document = {"_id": desk.ids.new(), **fields, "retired": False, "created_at": now, "changed_at": now,
                      "version": 1}  # fmt: skip
    row = outbox.audit(desk.ids.new(), actor, "watchword.save", born["_id"], now, detail={"people": fields["people"]})
    await desk.store.insert_new(TABLE, [outbox.born(born, row)])
    return born


async def retire_watchword(actor: Actor, desk: Desk, id: str) -> Document:
    """停用: it tells no more; what it told stays."""
    require(actor, "watchword.write")
    return await _changed(actor, desk, await _one(desk, id), "retire", {"retired": True})


async def restore_watchword(actor: Actor, desk: Desk, id: str) -> Document:
    """恢复使用."""
    require(actor, "watchword.write")
    await _require_room(desk)
    return await _changed(actor, desk, await _one(desk, id), "restore", {"retired": False})


async def _require_room(desk: Desk) -> None:
    if await desk.store.count(TABLE, {"retired": False}, ceiling=MOST) >= MOST:
        raise Conflict(f"关注词已有 {MOST} 个。请先停用不用的。")


async def _changed(
    actor: Actor, desk: Desk, found: Document, act: str, fields: Mapping[str, Any], version: int | None = None
) -> Document:
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, f"watchword.{act}", found["_id"], now)
    update = {"$set": {**fields, "changed_at": now}, "$inc": {"version": 1}}
    mine = {"_id": found["_id"], "version": found["version"] if version is None else version}
    after = await desk.store.change(TABLE, mine, outbox.noted(update, row))
    if after is None:
        raise Conflict(FASTER)
    return after


# ---- how loud one would have been


async def preview(
    actor: Actor, desk: Desk, said: Mapping[str, Any], places: Places, *, most: int = LOOKED
) -> Preview:
    """The word over the newest replies of thirty days, `most` of them, by the detector itself; nothing is kept."""
    require(actor, "watchword.read")
    now = desk.clock.now()
    fields = check_watchword({**USUAL, "name": "试一试", **said}, now, places)
    word = word_of({"_id": "preview", **fields, "until": None})
    rows, whole = await _newest(desk, now - BACK, most)
    change, tellings = await asyncio.to_thread(_replay, word, [voice_of(row) for row in rows])
    hits = change.reply_ids if change else ()
    by_id = {row["_id"]: row for row in rows}
    newest = [shown(by_id[id]) for id in reversed(hits[-ROWS:])]
    since = now - BACK if whole or not rows else rows[0]["at"]
    people, copies = (change.voices, change.copies) if change else (0, 0)
    return Preview(len(hits), people, copies, tellings, since, len(rows), whole, newest)


async def _newest(desk: Desk, since: datetime, most: int) -> tuple[list[Document], bool]:
    """Today's stream, oldest first, no further back than this and no more than `most`; whether that was all of it."""
    rows: list[Document] = []
    seen: set[str] = set()
    before: dict[str, Any] = {"$gte": since}
    while len(rows) <= most:
        where = {"state": "read", "at": before, **OPEN_WORDS}
        part = await desk.store.find("replies", where, sort=[("at", -1)], limit=STEP, fields=[*FIELDS, "stream"])
        new = [row for row in part if row["_id"] not in seen]
        rows += [row for row in new if row.get("stream") == LIVE]
        seen.update(row["_id"] for row in new)
        if len(part) < STEP or not new:
            break
        before = {"$gte": since, "$lte": part[-1]["at"]}
    return rows[:most][::-1], len(rows) <= most


def _replay(word: WatchWord, voices: Sequence[Voice]) -> tuple[IssueChange | None, int]:
    """All hits as one gathering, and how often the word tells."""
    tellings = sum(change.alert for change in WatchWords([word]).take(voices))
    gathered = [change for change in WatchWords([_sensitive(word)]).take(voices) if not change.alert]
    return (gathered[0] if gathered else None), tellings


def _sensitive(word: WatchWord) -> WatchWord:
    """The same meaning with one gathering for all: it holds every hit."""
    return WatchWord(word.id, word.name, word.line, word.channels, word.districts, pause_hours=1e6)


# ---- for the watch


async def words_mark(desk: Desk) -> tuple[object, ...]:
    """Another one whenever the list was changed: its newest change, and how many are in use."""
    rows = await desk.store.find(
        TABLE, {}, sort=[("changed_at", -1), ("_id", -1)], limit=1, fields=["changed_at", "version"]
    )
    count = await desk.store.count(TABLE, {"retired": False}, ceiling=MOST)
    return (count, *((row["_id"], row["changed_at"], row["version"]) for row in rows))


async def words_in_force(desk: Desk) -> list[WatchWord]:
    """The list as the detector takes it; a line that this version cannot read must not stop the others."""
    rows = await desk.store.find(TABLE, {"retired": False}, sort=[("name", 1)], limit=MOST)
    return [word_of(row) for row in rows if is_readable(row["line"])]


def word_of(row: Mapping[str, Any]) -> WatchWord:
    """The document as the detector takes it."""
    return WatchWord(
        id=row["_id"],
        name=row["name"],
        line=row["line"],
        channels=tuple(row["channels"]),
        districts=tuple(row["districts"]),
        people=int(row["people"]),
        hours=float(row["hours"]),
        pause_hours=float(row["pause_hours"]),
        level=row["level"],
        until=row["until"],
    )


# ---- what one gathered


async def hits(
    actor: Actor, desk: Desk, issue: str, *, only: Mapping[str, str] = MappingProxyType({}), cursor: str = "",
    limit: int = 50,
) -> tuple[list[Document], str | None]:
    """The replies that a watch word or a rising topic gathered, the newest first; confidential ones are in no list.

    `only`: of one channel, of one sentiment. A page may then hold more than `limit`, and up to twice as many; after
    PAGES pages without enough of them it is given as it is, with its cursor.
    """  # fmt: skip
    require(actor, "issue.read")
    if await desk.store.get("issues", issue, fields=["source"]) is None:
        raise NotFound("没有这次提醒，可能地址不完整。")
    rows: list[Document] = []
    for _ in range(PAGES):
        found = await page(desk, HITS, {"issue": issue}, by="at", cursor=cursor, limit=limit)
        rows += await _words_of(desk, [row["reply"] for row in found.rows], only)
        cursor = found.cursor or ""
        if not only or not cursor or len(rows) >= limit:
            break
    return rows, cursor or None


async def _words_of(desk: Desk, ids: Sequence[str], only: Mapping[str, str]) -> list[Document]:
    """These replies as people may see them, the newest first."""
    where = {"_id": {"$in": list(ids)}, **only, **OPEN_WORDS}
    rows = await desk.store.find("replies", where, limit=len(ids)) if ids else []
    return [shown(row) for row in sorted(rows, key=lambda row: (row["at"], row["_id"]), reverse=True)]
