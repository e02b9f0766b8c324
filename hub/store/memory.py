"""MemoryStore: the store's promises in memory, with a line between what is written and what is durable; for tests.

A write is seen by readers at once, and returns when it is durable. Usually that is immediate; after `hold()` writes
wait at the line until `release()`, as they wait for a disk. `crash()` gives the store that a restart would find: every
write that had returned, of those still waiting the first `keep`, each whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from hub.clock import local
from hub.store import language, values
from hub.store.base import Document, Duplicate, Filter, Inserted, Sort, Store, Unreachable, Unsure, Update
from hub.store.tables import TABLES, Table, by_name

Rows = dict[str, dict[str, Document]]
Written = list[tuple[str, str, Document | None]]  # table, id, the document as it is now (None: deleted)


class MemoryStore(Store):
    """Documents in dictionaries; deep copies in and out, so that nobody holds the store's own."""

    def __init__(self, tables: Iterable[Table] = TABLES, durable: Rows | None = None) -> None:
        self._tables = by_name(tables)
        self._durable: Rows = {name: {} for name in self._tables}
        self._durable.update(durable or {})
        self._rows: Rows = {name: dict(rows) for name, rows in self._durable.items()}
        self._held: dict[str, dict[tuple[str, ...], dict[Any, str]]] = {}
        for name, rows in self._rows.items():
            keys = self._tables[name].unique
            self._held[name] = {key: {values.key_of(row, key): id for id, row in rows.items()} for key in keys}
        self._pending: list[tuple[Written, asyncio.Event]] = []
        self._holding = False
        self._dead = False

    # --- the line

    def hold(self) -> None:
        """From now on writes wait before they become durable."""
        self._holding = True

    def release(self) -> None:
        """Make every waiting write durable, in their order, and let the next ones through."""
        self._holding = False
        self._persist(len(self._pending))

    def waiting(self) -> int:
        """How many writes stand at the line."""
        return len(self._pending)

    def crash(self, *, keep: int = 0) -> MemoryStore:
        """The store after a power cut; this one is dead: what waits in it is Unsure, what comes is Unreachable."""
        kept = self._pending[:keep]
        for written, _ in kept:
            self._keep(written)
        self._dead = True
        for _, event in self._pending:
            event.set()
        return MemoryStore(self._tables.values(), values.copied(self._durable))

    def _persist(self, number: int) -> None:
        done, self._pending = self._pending[:number], self._pending[number:]
        for written, event in done:
            self._keep(written)
            event.set()

    def _keep(self, written: Written) -> None:
        for table, id, document in written:
            if document is None:
                self._durable[table].pop(id, None)
            else:
                self._durable[table][id] = document

    async def _settle(self, written: Written) -> None:
        if not written:
            return
        if not self._holding:
            self._keep(written)
            return
        event = asyncio.Event()
        self._pending.append((written, event))
        await event.wait()
        if self._dead:
            raise Unsure("the store stopped before it answered")

    # --- the protocol

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def get(self, table: str, id: str, *, fields: Sequence[str] = ()) -> Document | None:
        paths = language.checked_fields(fields)
        row = self._of(table).get(id)
        return None if row is None else values.copied(language.narrowed(row, paths))

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Sequence[str] = ()
    ) -> list[Document]:
        paths, limit = language.checked_fields(fields), language.checked_limit(limit)
        rows = values.in_order(self._matching(table, language.checked_filter(where)), values.checked_sort(sort))
        return [values.copied(language.narrowed(row, paths)) for row in rows[:limit]]

    async def count(self, table: str, where: Filter, *, ceiling: int = 10_000) -> int:
        return min(len(self._matching(table, language.checked_filter(where))), ceiling)

    async def insert(self, table: str, document: Document) -> None:
        row = values.checked_document(document)
        self._put(table, row, None)
        await self._settle([(table, row["_id"], row)])

    async def insert_new(self, table: str, documents: Sequence[Document]) -> Inserted:
        new: list[str] = []
        known: list[str] = []
        written: Written = []
        for row in [values.checked_document(document) for document in documents]:
            try:
                self._put(table, row, None)
            except Duplicate:
                known.append(row["_id"])
            else:
                new.append(row["_id"])
                written.append((table, row["_id"], row))
        await self._settle(written)
        return Inserted(tuple(new), tuple(known))

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        test, keys = language.checked_filter(where), self._held[self._name(table)]
        plain, born = language.checked_change(update, keys, test, upsert=upsert)
        found = values.in_order(self._matching(table, test), values.checked_sort(sort))[:1]
        if not found and born is None:
            return None
        before = found[0] if found else None
        row = language.applied(before, plain) if before is not None else born or {}
        self._put(table, row, before)
        await self._settle([(table, row["_id"], row)])
        return dict(values.copied(row))

    async def change_many(self, table: str, where: Filter, update: Update) -> int:
        test, keys = language.checked_filter(where), self._held[self._name(table)]
        plain, _born = language.checked_change(update, keys, test, upsert=False)
        written: Written = []
        for before in self._matching(table, test):
            row = language.applied(before, plain)
            self._put(table, row, before)
            written.append((table, row["_id"], row))
        await self._settle(written)
        return len(written)

    async def tally(
        self, table: str, where: Filter, by: Sequence[str], *, day: str | None = None
    ) -> list[Document]:
        paths = language.checked_fields(by)
        groups: dict[tuple[Any, ...], Document] = {}
        for row in self._matching(table, language.checked_filter(where)):
            group = {path: values.value_at(row, path) for path in paths}
            if day is not None:
                moment = values.value_at(row, day)
                group["day"] = None if values.rank(moment) != values.MOMENT else local(moment).date().isoformat()
            key = tuple(values.sort_key(value) for value in group.values())
            counted = groups.setdefault(key, {**group, "count": 0})
            counted["count"] += 1
        return values.tallied(list(groups.values()))

    async def purge(self, table: str, where: Filter, *, reason: str) -> int:
        if not reason:
            raise values.Refused("a purge gives its reason")
        gone = self._matching(table, language.checked_filter(where))
        for row in gone:
            self._drop(table, row)
        await self._settle([(table, row["_id"], None) for row in gone])
        return len(gone)

    # --- rows

    def _name(self, table: str) -> str:
        if table not in self._tables:
            raise values.Refused(f"there is no table {table}")
        return table

    def _of(self, table: str) -> dict[str, Document]:
        if self._dead:
            raise Unreachable("the store has stopped")
        return self._rows[self._name(table)]

    def _matching(self, table: str, where: Document) -> list[Document]:
        rows = self._of(table)
        named = where.get("_id")
        candidates = list(rows.values()) if not isinstance(named, str) else [rows[named]] if named in rows else []
        return language.meeting(candidates, where)

    def _put(self, table: str, row: Document, before: Document | None) -> None:
        rows, held = self._of(table), self._held[table]
        if before is None and row["_id"] in rows:
            raise Duplicate(table, "_id")
        keys = {key: values.checked_key(row, key) for key in held}
        for key, value in keys.items():
            if held[key].get(value, row["_id"]) != row["_id"]:
                raise Duplicate(table, "+".join(key))
        if before is not None:
            self._drop(table, before)
        for key, value in keys.items():
            held[key][value] = row["_id"]
        rows[row["_id"]] = row

    def _drop(self, table: str, row: Document) -> None:
        for key, ids in self._held[table].items():
            ids.pop(values.key_of(row, key), None)
        self._of(table).pop(row["_id"], None)
