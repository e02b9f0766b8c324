"""FaultyStore: any store with a fault at its nth write, to test what a duty does then; no fault of a disk is here.

Three faults, as a store can have them: `refused` (Unreachable, nothing was written), `lost` (Unsure, nothing was
written) and `silent` (Unsure, yet it was written). Who calls cannot tell the last two apart, and must not try.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from hub.store.base import Document, Filter, Inserted, Sort, Store, Unreachable, Unsure, Update

T = TypeVar("T")
FAULTS = ("refused", "lost", "silent")


class FaultyStore(Store):
    """Counts writes in `writes`; `fail` says which one fails and how, `heal` that no more do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._nth, self._fault, self._lasting = 0, "", False
        self.writes = 0

    def fail(self, nth: int, fault: str, *, lasting: bool = False) -> None:
        """The nth write from now on fails, or with `lasting` every one from there on."""
        if fault not in FAULTS:
            raise ValueError(f"a fault is one of {', '.join(FAULTS)}")
        self.writes, self._nth, self._fault, self._lasting = 0, nth, fault, lasting

    def heal(self) -> None:
        """Everything works again."""
        self._nth = 0

    async def _write(self, act: Callable[[], Awaitable[T]]) -> T:
        self.writes += 1
        fails = self._nth and (self.writes == self._nth or (self._lasting and self.writes > self._nth))
        if fails and self._fault == "refused":
            raise Unreachable("store: a fault on order")
        if fails and self._fault == "lost":
            raise Unsure("store: a fault on order")
        result = await act()
        if fails:
            raise Unsure("store: a fault on order")
        return result

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        await self._store.close()

    async def get(self, table: str, id: str, *, fields: Sequence[str] = ()) -> Document | None:
        return await self._store.get(table, id, fields=fields)

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Sequence[str] = ()
    ) -> list[Document]:
        return await self._store.find(table, where, sort=sort, limit=limit, fields=fields)

    async def count(self, table: str, where: Filter, *, ceiling: int = 10_000) -> int:
        return await self._store.count(table, where, ceiling=ceiling)

    async def tally(
        self, table: str, where: Filter, by: Sequence[str], *, day: str | None = None
    ) -> list[Document]:
        return await self._store.tally(table, where, by, day=day)

    async def insert(self, table: str, document: Document) -> None:
        await self._write(lambda: self._store.insert(table, document))

    async def insert_new(self, table: str, documents: Sequence[Document]) -> Inserted:
        return await self._write(lambda: self._store.insert_new(table, documents))

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        return await self._write(lambda: self._store.change(table, where, update, upsert=upsert, sort=sort))

    async def change_many(self, table: str, where: Filter, update: Update) -> int:
        return await self._write(lambda: self._store.change_many(table, where, update))

    async def purge(self, table: str, where: Filter, *, reason: str) -> int:
        return await self._write(lambda: self._store.purge(table, where, reason=reason))
