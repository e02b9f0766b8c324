"""附件: what is kept of files, looked up by name and handed out; taking them in lives in picturing.py."""

from __future__ import annotations

from collections.abc import Sequence

from hub.desk.desk import Desk
from hub.domain.errors import NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document


async def files_named(actor: Actor, desk: Desk, names: Sequence[str]) -> list[Document]:
    """What is known of these files, in the order of the names; unknown ones are left out."""
    require(actor, "content.read")
    rows = await desk.store.find("media", {"_id": {"$in": list(names)}}, limit=len(names)) if names else []
    known = {row["_id"]: row for row in rows}
    return [known[name] for name in names if name in known]


async def file(actor: Actor, desk: Desk, sha256: str) -> tuple[Document, bytes]:
    """One file with its bytes; NotFound where either is missing."""
    require(actor, "content.read")
    row = await desk.store.get("media", sha256)
    content = await desk.files.get(sha256) if row is not None else None
    if row is None or content is None:
        raise NotFound("没有这个文件，可能已被删除。")
    return row, content
