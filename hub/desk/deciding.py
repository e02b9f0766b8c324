"""归并与拆分: a person joins two issues or parts one; each decision is a row, and obeying.py carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.desk.desk import Desk
from hub.desk.obeying import TABLE, add
from hub.domain import outbox
from hub.domain.alert import LEVELS, LOOSE
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.reply import LIVE
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document

MOST_PARTED = 2_000  # voices of one split: no issue remembers more
CANDIDATES = 200  # newest open issues that a choice is made from
OFFERED = 8
SHOWN = 20  # decisions on an issue's page


async def merge_issue(actor: Actor, desk: Desk, id: str, into: str, reason: str) -> Document:
    """归并到: the voices of this issue, and whoever says the like later, belong to the other one."""
    require(actor, "issue.decide")
    issue, target = await _open(desk, id), await _open(desk, into, field="into")
    said = _reason(reason)
    if issue["_id"] == target["_id"]:
        raise Invalid("不能归并到自己。", (FieldError("into", "不能归并到自己，请另选一个苗头。"),))
    if _stream(issue) != _stream(target):
        said_so = "今天的和导入的往日留言不能归并，请选同一批里的苗头。"
        raise Invalid("今天的留言和导入的往日留言不能归并在一起。", (FieldError("into", said_so),))
    return await _decide(actor, desk, issue, {"kind": "merge", "into": into, "into_title": target["title"]}, said)


async def split_issue(actor: Actor, desk: Desk, id: str, replies: Sequence[str], reason: str) -> Document:
    """拆分: these replies become an issue of their own; the two will not join again by themselves."""
    require(actor, "issue.decide")
    issue, said = await _open(desk, id), _reason(reason)
    ids = list(dict.fromkeys(replies))[:MOST_PARTED]
    rows = await desk.store.find("replies", {"_id": {"$in": ids}, "issue": id}, limit=len(ids) or 1) if ids else []
    if not rows:
        raise Invalid("请勾选要拆出去的留言。", (FieldError("replies", "请勾选要拆出去的留言，至少一条。"),))
    if await desk.store.count("replies", {"issue": id}, ceiling=len(rows) + 1) <= len(rows):
        raise Invalid("不能把全部留言都拆出去。", (FieldError("replies", "不能把全部留言都拆出去，至少留下一条。"),))
    new = f"issue-{desk.ids.new()}"
    stream = _stream(issue)
    into = new if stream == LIVE else f"{stream}:{new}"
    fields = {"kind": "split", "into": into, "ids": sorted(row["_id"] for row in rows)}
    return await _decide(actor, desk, issue, fields, said)


async def undo_merge(actor: Actor, desk: Desk, id: str, reason: str) -> Document:
    """撤销归并: what came from the merged issue goes back to it, by a split; later voices stay where they are."""
    require(actor, "issue.decide")
    merge = await desk.store.get(TABLE, id)
    if merge is None or merge["kind"] != "merge":
        raise NotFound("没有这次归并，可能地址不完整。")
    said, issue = _reason(reason), await _open(desk, merge["into"])
    came = {"issue": merge["into"], "came_from": merge["issue"]}
    rows = await desk.store.find("replies", came, sort=[("at", -1)], limit=MOST_PARTED, fields=["at"])
    if not rows or not is_undoable(merge):
        raise Conflict("这次归并已不能撤销：留言已不在这里，或已撤销过。请用“拆分”选出要分开的留言。")
    fields = {"kind": "split", "into": merge["issue"], "ids": sorted(row["_id"] for row in rows), "undoes": id}
    return await _decide(actor, desk, issue, fields, said)


def is_undoable(merge: Document) -> bool:
    """Whether a merge moved something."""
    return merge["kind"] == "merge" and merge.get("outcome") == "moved"


async def likely(actor: Actor, desk: Desk, id: str, words: str = "") -> list[Document]:
    """Open issues that this one may belong to: those that hold these words in their title, else the likest first."""
    require(actor, "issue.read")
    issue = await desk.store.get("issues", id)
    if issue is None:
        raise NotFound("没有这个苗头，可能地址不完整。")
    where: dict[str, Any] = {"state": "open", "level": {"$in": list(LEVELS)}}
    fields = ["title", "level", "voices", "districts", "last_at", "terms", "stream", "source"]
    rows = await desk.store.find("issues", where, sort=[("last_at", -1)], limit=CANDIDATES, fields=fields)
    rows = [row for row in rows if row["_id"] != id and _is_cluster(row) and _stream(row) == _stream(issue)]
    if words.strip():
        return [row for row in rows if words.strip() in str(row["title"])][:OFFERED]
    return sorted(rows, key=lambda row: -_likeness(issue, row))[:OFFERED]


def _likeness(one: Document, other: Document) -> int:
    """Terms in common, and a district."""
    terms = len(set(one.get("terms") or []) & set(other.get("terms") or []))
    return 2 * terms + bool(set(one.get("districts") or []) & set(other.get("districts") or []))


async def decisions_of(actor: Actor, desk: Desk, issue: str) -> list[Document]:
    """What was decided about this issue, or brought something into it, the newest first."""
    require(actor, "issue.read")
    own = await desk.store.find(TABLE, {"issue": issue}, sort=[("at", -1)], limit=SHOWN)
    into = await desk.store.find(TABLE, {"into": issue}, sort=[("at", -1)], limit=SHOWN)
    rows = sorted([*own, *into], key=lambda row: (row["at"], row["number"]), reverse=True)[:SHOWN]
    known = {row["_id"]: row for row in rows}
    undone = {row.get("undoes") for row in rows}
    titles = await _titles(desk, {str(row[name]) for row in rows for name in ("issue", "into") if row.get(name)})
    return [
        {**row, "undone": id in undone, "issue_title": titles.get(row["issue"], ""),
         "into_title": titles.get(str(row.get("into")), "")}
        for id, row in known.items()
    ]  # fmt: skip


async def doubt_behind(actor: Actor, desk: Desk, issue: Document) -> Document | None:
    """The false alarm for which this issue must be surer before it tells."""
    require(actor, "issue.read")
    number = issue.get("doubt")
    return await desk.store.get(TABLE, f"{_stream(issue)}#{number}") if number else None


async def _titles(desk: Desk, ids: set[str]) -> dict[str, str]:
    found = await desk.store.find("issues", {"_id": {"$in": sorted(ids)}}, limit=len(ids) or 1, fields=["title"])
    return {row["_id"]: str(row["title"]) for row in found}


def _stream(issue: Document) -> str:
    return str(issue.get("stream") or LIVE)


def _is_cluster(issue: Document) -> bool:
    return issue.get("source") not in LOOSE


def _reason(reason: str) -> str:
    said = mask_text(reason.strip())[:200]
    if len(said) < 2:
        raise Invalid("请写一句为什么。", (FieldError("reason", "请写一句为什么，如：说的是同一段管道。"),))
    return said


async def _open(desk: Desk, id: str, field: str = "issue") -> Document:
    """The open issue with nothing undecided about it."""
    found = await desk.store.get("issues", id) if id else None
    if found is None:
        if field == "into":
            raise Invalid("请选要归并到哪一个苗头。", (FieldError(field, "请选要归并到哪一个苗头。"),))
        raise NotFound("没有这个苗头，可能已归并或地址不完整。")
    if not _is_cluster(found):
        if found.get("source") == "cell":
            raise Conflict("这里是一个类别里的许多件事，不能归并或拆分。是一件事的，另有苗头。")
        raise Conflict("关注词的提醒不能归并或拆分；改关注词本身，以后就按新的来。")
    if found["state"] != "open":
        raise Conflict("这个苗头已归并或已结束，不能再归并或拆分。请刷新后再看。")
    return found


async def _decide(actor: Actor, desk: Desk, issue: Document, fields: Document, reason: str) -> Document:
    waiting = {"issue": issue["_id"], "state": "waiting"}
    if await desk.store.find(TABLE, waiting, sort=[("at", -1)], limit=1):
        raise Conflict("对这个苗头刚有一个决定，还在执行。请几秒后刷新再看。")
    key, now = desk.ids.new(), desk.clock.now()
    detail = {"into": fields["into"], "replies": len(fields.get("ids") or [])}
    row = outbox.audit(desk.ids.new(), actor, f"issue.{fields['kind']}", issue["_id"], now, detail=detail)
    event = outbox.event(desk.ids.new(), "issue", issue["_id"], now, detail={"decision": fields["kind"]})
    own = {**fields, "issue": issue["_id"], "reason": reason, "by": actor.id, "by_name": actor.name}
    return await add(desk, _stream(issue), f"person:{key}", own, row, event)
