"""监测的记忆: a detector's state kept in parts, one whole at a time; what is in it only the detector knows.

A month of a city's voices is more than one document may hold, so the state is packed and cut. The parts are written
first, under names of their own, then the head moves to them by compare-and-set on its version; older parts go last.
Whoever slept meanwhile finds another version and changes nothing.
"""

from __future__ import annotations

import asyncio
import zlib

from hub.desk.desk import Desk
from hub.store.base import Document

TABLE = "detector_state"
PART = 4 * 1024 * 1024  # bytes; a document of the stores may have sixteen million


async def recall(desk: Desk, stream: str) -> tuple[bytes | None, int]:
    """The state that is kept (None: there is none) and its version."""
    await desk.store.insert_new(TABLE, [{"_id": stream, "version": 0}])
    head = await desk.store.get(TABLE, stream) or {}
    version = int(head.get("version", 0))
    parts = [await desk.store.get(TABLE, name) for name in head.get("parts", [])]
    if not parts or None in parts:
        return None, version
    return await asyncio.to_thread(zlib.decompress, b"".join(part["body"] for part in parts if part)), version


async def keep(desk: Desk, stream: str, version: int, state: bytes) -> bool:
    """Keep this state, grown from that version, as the next one; False where another was faster."""
    packed = await asyncio.to_thread(zlib.compress, state, 1)
    mark = f"{stream}#{version + 1}#{desk.ids.new()}"
    parts: list[Document] = [
        {"_id": f"{mark}#{number}", "of": stream, "version": version + 1, "body": packed[start : start + PART]}
        for number, start in enumerate(range(0, len(packed), PART))
    ]
    for part in parts:
        await desk.store.insert(TABLE, part)
    kept = {"version": version + 1, "parts": [part["_id"] for part in parts], "at": desk.clock.now()}
    if await desk.store.change(TABLE, {"_id": stream, "version": version}, {"$set": kept}) is None:
        await desk.store.purge(TABLE, {"_id": {"$in": kept["parts"]}}, reason="a state that came too late")
        return False
    await desk.store.purge(TABLE, {"of": stream, "version": {"$lte": version}}, reason="a newer state is kept")
    return True
