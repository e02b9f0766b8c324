"""The stores under contract: how each is made for a test, and the tables they are tested with; no test lives here."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from secantus import SecantusDBServer

from hub.store.base import Store
from hub.store.memory import MemoryStore
from hub.store.mongo import MongoStore
from hub.store.sqlite import SqliteStore
from hub.store.tables import Table

TABLES = (
    Table("things", "for tests", "for a test", unique=(("owner", "key"),), indexes=(("state", "-at"), ("-at",), ("n",)),
          terms=True, outbox=True),
    Table("plain", "for tests", "for a test", indexes=(("a",), ("a.b",))),
)
REAL = os.environ.get("HUB_TEST_MONGO_URL", "")
KINDS = ["memory", "sqlite", "wire-motor", "wire-pymongo", *(["real-motor", "real-pymongo"] if REAL else [])]


@contextmanager
def wire_server(folder: Path) -> Iterator[str]:
    """A server that speaks MongoDB's wire protocol, on a free loopback port."""
    with SecantusDBServer(storage_path=str(folder), noop_heartbeat_seconds=0.0) as server:
        yield server.uri
    gc.collect()  # sockets that drivers left behind close here, not in somebody else's test


Make = Callable[[str], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def opened(kind: str, folder: Path, url: str) -> AsyncIterator[Store]:
    """One empty store of this kind, closed afterwards."""
    store = _made(kind, folder, url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _made(kind: str, folder: Path, url: str) -> Store:
    if kind == "memory":
        return MemoryStore(TABLES)
    if kind == "sqlite":
        return SqliteStore(folder / "store.db", TABLES)
    place, driver = kind.split("-")
    return MongoStore(REAL if place == "real" else url, f"t{uuid.uuid4().hex[:12]}", TABLES, driver=driver)
