"""A process that writes to an embedded store until it is killed, and says after each write that it returned."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from hub.store.sqlite import SqliteStore
from tests.contracts.store_rooms import TABLES


async def main(path: Path, name: str) -> None:
    store = SqliteStore(path, TABLES)
    await store.open()

    async def write(lane: int) -> None:
        number = 0
        while True:
            number += 1
            id = f"{name}-{lane}-{number}"
            await store.insert("things", {"_id": id, "owner": name, "key": id, "terms": ["停水"], "n": 0})
            await store.change("things", {"_id": id, "n": 0}, {"$inc": {"n": 1}, "$push": {"log": {"by": name}}})
            os.write(1, f"{id}\n".encode())

    await asyncio.gather(*(write(lane) for lane in range(20)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
