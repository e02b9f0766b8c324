"""搜索: one question over contents, publications and replies, each behind its own right; the index is the store's."""

from __future__ import annotations

from dataclasses import dataclass

from hub.desk.desk import Desk
from hub.desk.replies import list_replies
from hub.domain.people import Actor
from hub.domain.rights import may, require
from hub.store.base import Document
from hub.store.search import folded

LOOKED = 2_000  # newest titles of a table that are looked through
SHOWN = 20  # hits of one kind


@dataclass(frozen=True)
class Hits:
    """What was found, and whether titles older than those looked through may hold more."""

    contents: list[Document]
    publications: list[Document]
    replies: list[Document]
    cut: bool

    @property
    def count(self) -> int:
        return len(self.contents) + len(self.publications) + len(self.replies)


async def search(actor: Actor, desk: Desk, phrase: str) -> Hits:
    """Titles and masked words that hold every part of the phrase; only what this person may see."""
    require(actor, "notice.read")
    parts = folded(phrase).split()
    if not parts:
        return Hits([], [], [], False)
    contents, first = await _titles(actor, desk, "contents", "content.read", "updated_at", parts)
    publications, second = await _titles(actor, desk, "publications", "publication.read", "at", parts)
    replies = (await list_replies(actor, desk, words=phrase, limit=SHOWN)).items if may(actor, "reply.read") else []
    return Hits(contents, publications, replies, first or second)


async def _titles(
    actor: Actor, desk: Desk, table: str, act: str, by: str, parts: list[str]
) -> tuple[list[Document], bool]:
    if not may(actor, act):
        return [], False
    fields = ("title", "state", by, "content", "channel", "account", "revision")
    rows = await desk.store.find(table, {}, sort=[(by, -1)], limit=LOOKED + 1, fields=fields)
    found = [row for row in rows[:LOOKED] if all(part in folded(str(row.get("title", ""))) for part in parts)]
    return found[:SHOWN], len(rows) > LOOKED
