"""认领帖子: one post on a platform belongs to one publication, whoever looks first; looking itself lives in settling.

Where the platform does not know our key, a post is recognised by its words, and two publications may have the same
words. The claim is written before the outcome: after a crash between the two, the same publication finds its own claim.
"""

from __future__ import annotations

from hub.desk.desk import Desk
from hub.store.base import Document

TABLE = "posts"
ANOTHERS = "平台上找到的是另一条发布的帖子"


async def is_own(desk: Desk, publication: Document, external_id: str) -> bool:
    """Whether this post is this publication's; from now on nobody else's, if it is."""
    mine, account = str(publication["_id"]), str(publication["account"])
    others = {"account": account, "external_id": external_id, "_id": {"$ne": mine}}
    if await desk.store.count("publications", others, ceiling=1):
        return False
    place = f"{account}:{external_id}"
    await desk.store.insert_new(TABLE, [{"_id": place, "publication": mine, "at": desk.clock.now()}])
    claim = await desk.store.get(TABLE, place)
    return claim is not None and claim["publication"] == mine
