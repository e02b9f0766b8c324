"""书架: the site's published items over its store, each changed by one compare-and-set; the rules stand in items.py."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.clock import Clock
from hub.domain.errors import Invalid
from hub.site.bodies import Checked, check_body, file_term
from hub.site.items import PUBLIC, Change, Decision, Item, Put, Refusal, decide_put, decide_withdrawal, name_of
from hub.store.base import Document, Duplicate, Store
from hub.store.files import Files
from hub.store.search import asked_of, find_text

TABLE = "items"
MOST_TERMS = 8  # terms of a query that are looked for one by one
TRIES = 20  # writers at one item at one instant; each round one of them gets through
LISTED = ("_id", "kind", "id", "version", "state", "card", "column", "published_at", "updated_at", "corrections")
COMPARED = ("id", "kind", "version", "state", "published_at", "updated_at", "hash")
NEWEST = [("published_at", -1), ("id", -1)]


class Crowded(Exception):
    """Too many writers at one item at once: nothing was promised."""


@dataclass(frozen=True)
class Page:
    """Some items of a list and the cursor to go on from; empty where the list ends."""

    items: list[Item]
    cursor: str = ""


def cursor_after(item: Item) -> str:
    """An opaque word for the place behind this item in a newest-first list."""
    text = f"{int(item['published_at'].timestamp() * 1000)}:{item['id']}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def behind(cursor: str) -> dict[str, Any]:
    """The filter of what comes after the cursor; Invalid where it is none of ours."""
    if not cursor:
        return {}
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        milliseconds, id = text.split(":", 1)
        at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        raise Invalid("翻页的位置不对，请从第一页看起。") from None
    return {"published_at": {"$lte": at}, "$or": [{"published_at": {"$lt": at}}, {"id": {"$lt": id}}]}


class Shelf:
    """Items by kind and id. Whatever a method answers has been read from, or is durable in, the store."""

    def __init__(self, store: Store, files: Files, clock: Clock) -> None:
        self._store, self._files, self._clock = store, files, clock
        self.writes = 0  # how often this process has changed an item: what is kept ready is made anew then

    # --- what the hub does

    async def put(self, put: Put, body: dict[str, Any]) -> tuple[int, Item] | Refusal:
        """Take one PUT: the status and the item as it stands then, or why it was refused."""
        checked = check_body(put.kind, put.id, body)
        if checked.content is not None:
            await self._files.put(checked.content)
        return await self._settle(put.kind, put.id, lambda item: self._decided(item, put, checked))

    def _decided(self, item: Item | None, put: Put, checked: Checked) -> Decision:
        return decide_put(item, put, checked, self._clock.now())

    async def withdraw(self, kind: str, id: str, version: int, note: str) -> tuple[int, Item] | Refusal:
        """Take an item off the public pages; a notice stays."""
        if kind == "column" and await self._in_use(id):
            return Refusal(409, "in_use", "栏目里还有公开的文章，先移走或撤下它们，再删栏目。")
        return await self._settle(
            kind, id, lambda item: decide_withdrawal(item, version, note, self._clock.now())
        )

    async def _in_use(self, column: str) -> bool:
        where = {"kind": "article", "state": PUBLIC, "column": column}
        return await self._store.count(TABLE, where, ceiling=1) > 0

    async def _settle(self, kind: str, id: str, decide: Any) -> tuple[int, Item] | Refusal:
        """Read, decide, write against what was read; again where someone was faster."""
        for _ in range(TRIES):
            item = await self.read(kind, id)
            decision: Decision = decide(item)
            if isinstance(decision, Refusal):
                return decision
            written = await self._write(kind, id, item, decision)
            if written is not None:
                return decision.status, written
        raise Crowded

    async def _write(self, kind: str, id: str, item: Item | None, change: Change) -> Item | None:
        self.writes += bool(change.set)
        if change.born or item is None:
            born = {"_id": name_of(kind, id), "kind": kind, "id": id, "turn": 1, **change.set}
            try:
                await self._store.insert(TABLE, born)
            except Duplicate:
                return None
            return born
        if not change.set:
            return item
        update: dict[str, dict[str, Any]] = {"$set": dict(change.set), "$inc": {"turn": 1}}
        if change.unset:
            update["$unset"] = dict.fromkeys(change.unset, "")
        return await self._store.change(TABLE, {"_id": item["_id"], "turn": item["turn"]}, update)

    # --- what anybody reads

    async def read(self, kind: str, id: str) -> Item | None:
        """The item in whatever state, newest durable."""
        return await self._store.get(TABLE, name_of(kind, id))

    async def compare(self, kind: str, after: str, limit: int) -> list[Item]:
        """Items of a kind in order of id, for comparison with what the hub believes."""
        where: dict[str, Any] = {"kind": kind, "id": {"$gt": after}} if after else {"kind": kind}
        return await self._store.find(TABLE, where, sort=[("id", 1)], limit=limit, fields=COMPARED)

    async def columns(self) -> list[Document]:
        """Public columns in the office's order: `{id, name, description, keywords, type, order}`."""
        found = await self._store.find(TABLE, {"kind": "column", "state": PUBLIC}, limit=500, fields=("id", "card"))
        shown = [{"id": each["id"], **each["card"]} for each in found if each["card"]["public"]]
        return sorted(shown, key=lambda column: (column["order"], column["id"]))

    async def services(self) -> list[Document]:
        """The public service directory in the office's order, each entry whole: `{id, name, aliases, needs, …}`."""
        found = await self._store.find(TABLE, {"kind": "service", "state": PUBLIC}, limit=500, fields=("id", "card"))
        rows = [{"id": each["id"], **each["card"]} for each in found if each["card"].get("public", True)]
        return sorted(rows, key=lambda one: (one["order"], one["id"]))

    async def newest(
        self,
        limit: int,
        *,
        column: str = "",
        after: str = "",
        kind: str = "",
        of: str = "article",
        since: datetime | None = None,
    ) -> Page:
        """Public articles, or other items of one kind, newest first; with `since`, only the first page."""
        where: dict[str, Any] = {"kind": of, "state": PUBLIC, **behind(after)}
        if since is not None:
            where["published_at"] = {"$gt": since}
        if column:
            where["column"] = column
        if kind:
            where["card.kind"] = kind
        found = await self._store.find(TABLE, where, sort=NEWEST, limit=limit + 1, fields=LISTED)
        more = len(found) > limit
        return Page(found[:limit], cursor_after(found[limit - 1]) if more else "")

    async def answers(self, demand: str) -> list[Item]:
        """The answers brought to one demand, the oldest first; they stand on no list."""
        where = {"kind": "answer", "state": PUBLIC, "column": demand}
        found = await self._store.find(TABLE, where, sort=[("published_at", -1), ("id", -1)], limit=50)
        return found[::-1]

    async def search(self, query: str, limit: int, *, after: str = "") -> Page:
        """Public articles that hold every part of the query, newest first."""
        where = {"kind": "article", "state": PUBLIC, **behind(after)}
        found = await find_text(self._store, TABLE, query, where, limit + 1, sort=NEWEST, texts=("text",))
        more = len(found) > limit
        return Page(found[:limit], cursor_after(found[limit - 1]) if more else "")

    async def near(self, query: str, limit: int) -> list[Item]:
        """Public articles that hold some words of the query, those with most of them first; for when none holds all."""
        found: dict[str, tuple[int, Item]] = {}
        for term in asked_of(query)[:MOST_TERMS]:
            where = {"kind": "article", "state": PUBLIC, "terms": term}
            for item in await self._store.find(TABLE, where, sort=NEWEST, limit=limit, fields=LISTED):
                times, _ = found.get(item["_id"], (0, item))
                found[item["_id"]] = (times + 1, item)
        most = max((times for times, _ in found.values()), default=0)
        close = [one for one in found.values() if one[0] * 2 >= most]
        ranked = sorted(close, key=lambda one: (one[0], one[1]["published_at"]), reverse=True)
        return [item for _, item in ranked[:limit]]

    async def pinned(self) -> Item | None:
        """The article whose notice stands above every page now."""
        where = {"kind": "article", "state": PUBLIC, "pinned_until": {"$gt": self._clock.now()}}
        found = await self._store.find(TABLE, where, sort=[("published_at", -1)], limit=1, fields=LISTED)
        return found[0] if found else None

    async def media(self, sha256: str) -> tuple[Item, bytes] | None:
        """A file and its bytes, when a public item names it; what is only staged is nowhere."""
        item = await self.read("file", sha256)
        if item is None or item["state"] != PUBLIC or not await self._named(sha256):
            return None
        content = await self._files.get(sha256)
        return None if content is None else (item, content)

    async def _named(self, sha256: str) -> bool:
        return await self._store.count(TABLE, {"terms": file_term(sha256), "state": PUBLIC}, ceiling=1) > 0

    async def counts(self) -> dict[str, int]:
        """How many public items of each kind there are."""
        rows = await self._store.tally(TABLE, {"state": PUBLIC}, ("kind",))
        return {row["kind"]: row["count"] for row in rows}


def body_of(item: Item) -> dict[str, Any]:
    """The body as the hub put it (a file without its data)."""
    found: dict[str, Any] = json.loads(item["body"])
    return found
