"""The store's protocol in MongoDB's own words; how each store keeps its promise lives in the files beside this one.

A document is a dict with a text `_id` and JSON values, besides aware datetimes (UTC, whole milliseconds) and bytes.
Field names are words; hyphens may stand inside (an account's key is a name). Each change touches one document and is
atomic; there is nothing wider, so what spans documents is made repeatable (unique keys, marks on the row, outbox rows
inside the document).

Meaning of comparisons, the same in every store: a comparison stays within a type; null equals missing; `$ne` and
`$nin` match missing; nothing matches inside arrays but `terms`; true is not 1; setting 1 where 1.0 stood is a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Document = dict[str, Any]
Filter = Mapping[str, Any]
Update = Mapping[str, Mapping[str, Any]]
Sort = Sequence[tuple[str, int]]


class Duplicate(Exception):
    """A unique key is held by another document already; names the key, never its value."""

    def __init__(self, table: str, key: str) -> None:
        super().__init__(f"{table}: {key}")
        self.table = table
        self.key = key


class Unsure(Exception):
    """The store did not say whether the write is durable: read it back by its key before anything else is done."""


class Unreachable(Exception):
    """The store did not take the request: nothing was written."""


@dataclass(frozen=True)
class Inserted:
    """What `insert_new` did: ids of the documents that are new, and of those whose unique key was held already."""

    new: tuple[str, ...]
    known: tuple[str, ...]


class Store(Protocol):
    """One office's documents. When a write has returned, it survives kill -9 and a power cut."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def get(self, table: str, id: str, *, fields: Sequence[str] = ()) -> Document | None: ...

    async def find(
        self,
        table: str,
        where: Filter,
        *,
        sort: Sort = (),
        limit: int = 50,
        fields: Sequence[str] = (),
    ) -> list[Document]: ...

    async def count(self, table: str, where: Filter, *, ceiling: int = 10_000) -> int:
        """How many match, counted no further than the ceiling."""
        ...

    async def insert(self, table: str, document: Document) -> None:
        """Raises Duplicate where a unique key (or the `_id`) is held already."""
        ...

    async def insert_new(self, table: str, documents: Sequence[Document]) -> Inserted:
        """Insert each whose unique keys are free; the others are left as they stand in the store."""
        ...

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        """Change the first match at once and give it back as it is afterwards; None where nothing matched."""
        ...

    async def change_many(self, table: str, where: Filter, update: Update) -> int: ...

    async def tally(
        self, table: str, where: Filter, by: Sequence[str], *, day: str | None = None
    ) -> list[Document]:
        """Rows of the fields in `by`, the local day (Asia/Shanghai, `YYYY-MM-DD`) of the field `day`, and `count`."""
        ...

    async def purge(self, table: str, where: Filter, *, reason: str) -> int:
        """Delete for good; for retention and erasure only, and the store's own log says so."""
        ...
