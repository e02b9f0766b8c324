"""同文: groups of copies for pages and programs, and one group with its course; bringing replies there: copying.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.desk import issues
from hub.desk.copying import COPIES, GROUPS
from hub.desk.desk import Desk
from hub.desk.paging import Page, page, read_mark
from hub.desk.replies import OPEN_WORDS
from hub.domain.copy_group import CHANNEL, FLOOD, is_new, term
from hub.domain.difference import Piece, compare_words
from hub.domain.errors import NotFound
from hub.domain.people import Actor
from hub.domain.rights import may, require
from hub.store.base import Document

ORDERS: Mapping[str, str] = {"newest": "last_at", "largest": "count"}
OF_ISSUE = 2_000  # replies of one issue whose groups are looked for
COMPARED = 2_000  # characters of a text that are compared with the first
HELD = ("terms", "batch", "stream", "heard_at")  # the duty's own fields
_REPLY = ("author", "title", "text", "issue", "publication", "about", "at", "channel", "kind")


@dataclass(frozen=True)
class Groups:
    """One page of groups, each with `text`, the first source's masked words; the cursor of the next (None: the end)."""

    items: list[Document]
    cursor: str | None


@dataclass(frozen=True)
class Course:
    """The copies of one group in order of their own time, each with its reply's masked words, and the next cursor."""

    items: list[Document]
    cursor: str | None


@dataclass(frozen=True)
class GroupPage:
    """A group with `text`, the first source's reply where it may be shown, a page of its course, and its issues."""

    group: Document
    first: Document | None
    course: Course
    issues: dict[str, str]


async def list_groups(
    actor: Actor,
    desk: Desk,
    *,
    flood: bool = False,
    channel: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    order: str = "newest",
    past: bool = False,
    cursor: str = "",
    limit: int = 50,
) -> Groups:
    """The last heard first, or the largest first, where times do not bound. `past`: those of imported streams."""
    require(actor, "reply.read")
    by = ORDERS.get(order, "last_at")
    between = {sign: at for sign, at in (("$gte", since), ("$lt", until)) if at is not None and by == "last_at"}
    where: dict[str, Any] = {"live": not past, **({"last_at": between} if between else {})}
    terms = [*([FLOOD] if flood else []), *([term(CHANNEL, channel)] if channel else [])]
    if terms:
        where = {"$and": [where, *({"terms": each} for each in terms)]}
    found: Page = await page(desk, GROUPS, where, by=by, cursor=cursor or None, limit=limit)
    return Groups(await _worded(desk, found.rows), found.cursor)


async def groups_of_issue(actor: Actor, desk: Desk, issue: str, limit: int = 50) -> list[Document]:
    """The groups that an issue's newest replies belong to, those with most of them first."""
    require(actor, "reply.read")
    replies = await desk.store.find("replies", {"issue": issue}, sort=[("at", -1)], limit=OF_ISSUE, fields=["_id"])
    ids = [row["_id"] for row in replies]
    rows = await desk.store.find(COPIES, {"_id": {"$in": ids}}, limit=OF_ISSUE, fields=["group"]) if ids else []
    most = [group for group, _ in Counter(row["group"] for row in rows).most_common(limit)]
    found = await desk.store.find(GROUPS, {"_id": {"$in": most}}, limit=limit) if most else []
    return await _worded(desk, sorted(found, key=lambda group: most.index(group["_id"])))


async def group_of(actor: Actor, desk: Desk, reply: str) -> Document | None:
    """The group that this reply belongs to; None where nobody else said the same."""
    require(actor, "reply.read")
    copy = await desk.store.get(COPIES, reply, fields=["group"])
    group = await desk.store.get(GROUPS, copy["group"]) if copy else None
    return _shown(group) if group else None


async def group(actor: Actor, desk: Desk, id: str, *, cursor: str = "", limit: int = 50) -> GroupPage:
    """One group with the beginning of its course, or the part behind the cursor; NotFound where there is none."""
    require(actor, "reply.read")
    found = await desk.store.get(GROUPS, id)
    if found is None:
        raise NotFound("没有这组同文，可能已过保存期限或地址不完整。")
    first = (await _replies(desk, [found["first"]["reply"]])).get(found["first"]["reply"])
    course = await _course(desk, id, first, cursor, limit)
    named = [first, *course.items] if first else course.items
    ids = sorted({row["issue"] for row in named if row.get("issue")})
    titles = await issues.titles(actor, desk, ids) if may(actor, "issue.read") else {}
    return GroupPage({**_shown(found), "text": _words(first)}, first, course, titles)


async def course(actor: Actor, desk: Desk, id: str, *, cursor: str = "", limit: int = 50) -> Course:
    """The copies of a group from the first on."""
    require(actor, "reply.read")
    return (await group(actor, desk, id, cursor=cursor, limit=limit)).course


async def _course(desk: Desk, id: str, first: Document | None, cursor: str, limit: int) -> Course:
    where: dict[str, Any] = {"group": id}
    if cursor:
        at, last = read_mark(cursor)
        where = {"$and": [where, {"at": {"$gte": at}}, {"$or": [{"at": {"$gt": at}}, {"_id": {"$gt": last}}]}]}
    size = max(1, min(limit, 200))
    rows = await desk.store.find(COPIES, where, sort=[("at", 1), ("_id", 1)], limit=size + 1)
    replies = await _replies(desk, [row["_id"] for row in rows[:size]])
    items = [_copy(row, replies.get(row["_id"]), first) for row in rows[:size]]
    more = rows[size - 1] if len(rows) > size else None
    return Course(items, f"{more['at'].isoformat()}|{more['_id']}" if more else None)


def _copy(row: Document, reply: Document | None, first: Document | None) -> Document:
    """One copy as a page may show it. Of one that became confidential no more than that it is there."""
    plain = {name: row[name] for name in ("_id", "at", "channel", "account", "district", "near")}
    said = {"author": "", "text": "", "issue": None, "shown": reply is not None, "new": is_new(row)}
    if reply is None:
        return {**plain, **said, "district": "", "pieces": ()}
    pieces = _pieces(first, reply) if row["near"] else ()
    words = {"author": reply.get("author") or "", "text": _words(reply), "issue": reply.get("issue")}
    return {**plain, **said, **words, "pieces": pieces}


def _pieces(first: Document | None, reply: Document) -> Sequence[Piece]:
    """Where the words differ from the first source's; nothing where that one may not be shown."""
    return compare_words(_words(first)[:COMPARED], _words(reply)[:COMPARED]) if first else ()


async def _replies(desk: Desk, ids: list[str]) -> dict[str, Document]:
    """What may be shown of these replies: masked words, and none of a confidential case."""
    if not ids:
        return {}
    where = {"_id": {"$in": ids}, **OPEN_WORDS}
    rows = await desk.store.find("replies", where, limit=len(ids), fields=_REPLY)
    return {row["_id"]: row for row in rows}


async def _worded(desk: Desk, groups: list[Document]) -> list[Document]:
    replies = await _replies(desk, [row["first"]["reply"] for row in groups])
    return [{**_shown(row), "text": _words(replies.get(row["first"]["reply"]))} for row in groups]


def _words(reply: Document | None) -> str:
    if reply is None:
        return ""
    return f"{reply['title']}：{reply['text']}" if reply.get("title") else str(reply["text"])


def _shown(group: Document) -> Document:
    return {name: value for name, value in group.items() if name not in HELD}
