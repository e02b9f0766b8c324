"""审校: the queue of what waits for approval, the verdict, and the difference to look at; writing is in writing.py.

A verdict is written first, under a name that only one approval per level and round can have; then the content is moved
on. Whoever comes next finishes what a killed process left between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.desk.desk import Desk
from hub.desk.ledger import STANDING
from hub.desk.paging import page
from hub.desk.writing import content_of, reviewers_of, revision_of
from hub.domain.content import KINDS, facts_of, move
from hub.domain.difference import Change, Difference, compare, compare_field
from hub.domain.errors import Conflict, HubError
from hub.domain.outbox import Row, audit, born, event, noted, notice
from hub.domain.people import Actor
from hub.domain.review import (
    DEFAULT_LEVELS,
    Standing,
    check_review,
    decide_level,
    level_name,
    require_reviewer,
    review_id,
    standing,
    writers_of,
)
from hub.domain.rights import may, require
from hub.store.base import Document, Duplicate


async def levels_of(desk: Desk, column: str) -> int:
    """How many approvals a text of this column needs: the column's own number, else the policy's."""
    row = await desk.store.get("columns", column, fields=("levels",))
    if row is not None and row.get("levels"):
        return int(row["levels"])
    value = await desk.policies.value("approval_levels")
    return int(value) if value else DEFAULT_LEVELS


async def reviews_of(desk: Desk, id: str) -> list[Document]:
    """All verdicts on this content, newest first (the last two hundred)."""
    return await desk.store.find("reviews", {"content": id}, sort=[("at", -1), ("_id", -1)], limit=200)


async def standing_of(actor: Actor, desk: Desk, id: str) -> Standing:
    """Where this content stands."""
    require(actor, "content.read")
    content = await content_of(desk, id)
    return standing(await reviews_of(desk, id), content, await levels_of(desk, content["column"]))


@dataclass(frozen=True)
class Waiting:
    """One content in review: its row, where it stands, and whether this person may give the next level."""

    content: Document
    standing: Standing
    mine: bool


@dataclass(frozen=True)
class Queue:
    """One page of what waits; `cursor` None: the last."""

    rows: list[Waiting]
    cursor: str | None


def _may_give(actor: Actor, content: Document, now: Standing) -> bool:
    if now.next_level is None or not may(actor, "content.review"):
        return False
    try:
        require_reviewer(actor, content, now, now.next_level)
    except HubError:
        return False
    return True


async def queue(actor: Actor, desk: Desk, *, cursor: str | None = None, limit: int = 50) -> Queue:
    """What is in review, last submitted first."""
    require(actor, "content.read")
    found = await page(desk, "contents", {"state": "in_review"}, by="updated_at", cursor=cursor, limit=limit)
    ids = [row["_id"] for row in found.rows]
    reviews = await desk.store.find("reviews", {"content": {"$in": ids}, "void": False}, limit=1000) if ids else []
    levels = {column: await levels_of(desk, column) for column in {row["column"] for row in found.rows}}
    rows: list[Waiting] = []
    for content in found.rows:
        own = [review for review in reviews if review["content"] == content["_id"]]
        now = standing(own, content, levels[content["column"]])
        rows.append(Waiting(content, now, _may_give(actor, content, now)))
    return Queue(rows, found.cursor)


# ---- the verdict


async def review(
    actor: Actor, desk: Desk, id: str, *, level: int, verdict: str, hash: str, remark: str = "", kind: str = "approval"
) -> Document:
    """通过 or 退回 exactly the package with this hash. Raises Conflict where it has changed, NotAllowed, Invalid.

    The same verdict of the same person twice gives the same answer.
    """
    require(actor, "content.review")
    content = await content_of(desk, id)
    levels = await levels_of(desk, content["column"])
    remark = check_review(kind, level, verdict, remark, levels)
    reviews = await reviews_of(desk, id)
    name = review_id(id, content.get("round", 0), level, verdict, actor.id)
    if (mine := next((each for each in reviews if each["_id"] == name and each["by"] == actor.id), None)) is None:
        now = standing(reviews, content, levels)
        decide_level(content, now, level, hash)
        require_reviewer(actor, content, now, level)
        await _record(actor, desk, content, name=name, level=level, verdict=verdict, remark=remark)
    elif mine["hash"] != hash:
        raise Conflict("您看的版本之后，稿件又改过了。请看新的差异，再作决定。")
    return await _move_on(actor, desk, id, levels)


async def _record(
    actor: Actor, desk: Desk, content: Document, *, name: str, level: int, verdict: str, remark: str
) -> None:
    now = desk.clock.now()
    detail = {"level": level, "hash": content["hash"]}
    row = audit(desk.ids.new(), actor, f"review.{verdict}", content["_id"], now, detail=detail)
    values: Document = {"level": level, "verdict": verdict, "remark": remark, "by": actor.id, "for": None, "at": now}
    place = {"_id": name, "content": content["_id"], "revision": content["revision"], "round": content.get("round", 0)}
    kept = {"findings_acknowledged": [each["key"] for each in content.get("acknowledged", ())]}
    document = {**place, "hash": content["hash"], "kind": "approval", **values, "via": "screen", "void": False, **kept}
    try:
        await desk.store.insert("reviews", born(document, row))
    except Duplicate:
        known = await desk.store.get("reviews", name)
        if known is None or known["by"] != actor.id:
            await _move_on(actor, desk, content["_id"], await levels_of(desk, content["column"]))
            raise Conflict("这一级刚刚有人审过。请刷新后再看。") from None


async def _move_on(actor: Actor, desk: Desk, id: str, levels: int) -> Document:
    """Bring the content to where its verdicts say it stands; repeatable."""
    content = await content_of(desk, id)
    now = standing(await reviews_of(desk, id), content, levels)
    if content["state"] == "draft" or (content["state"] == "approved" and not now.returned):
        return content
    if now.returned:
        changed = await _to_state(actor, desk, content, "return", {}, await _news(desk, content, now, "return"))
    elif now.complete:
        values = {"approved_hash": content["hash"], "approved_at": desk.clock.now()}
        changed = await _to_state(actor, desk, content, "approve", values, await _news(desk, content, now, "approve"))
    elif content.get("passed", 0) == len(now.passed):
        return content
    else:
        values = {"passed": len(now.passed)}
        changed = await _to_state(actor, desk, content, "pass", values, await _news(desk, content, now, "pass"))
    return changed or await content_of(desk, id)


async def _to_state(
    actor: Actor, desk: Desk, content: Document, what: str, values: Document, rows: list[Row]
) -> Document | None:
    now = desk.clock.now()
    state = move(content["state"], what).to
    row = audit(desk.ids.new(), actor, f"content.{what}", content["_id"], now, detail={"hash": content["hash"]})
    update: dict[str, Any] = {"$set": {"state": state, "updated_at": now, **values}}
    if what == "return":
        update["$unset"] = {"approved_hash": True, "approved_at": True}
    where = {
        "_id": content["_id"],
        "state": content["state"],
        "hash": content["hash"],
        "round": content["round"],
        "revision": content["revision"],
    }
    return await desk.store.change("contents", where, noted(update, row, *rows))


async def _news(desk: Desk, content: Document, now: Standing, what: str) -> list[Row]:
    """Who hears of it: the next level's reviewers, or the writer."""
    id, at, title = content["_id"], desk.clock.now(), content["title"]
    people = [content["author"]]
    link, text = f"/contents/{id}", f"《{title}》被退回，请看审批意见后修改。"
    if what == "approve":
        planned = await desk.store.find("publications", {"content": id, **STANDING}, limit=1, fields=("state",))
        text = f"《{title}》已全部通过，" + ("会按排定的时间发出。" if planned else "还没有排时间，请去排。")
        link = link if planned else f"{link}/schedule"
    key = f"{what}:{id}:{content['round']}"
    if what == "pass" and now.next_level is not None:
        gone = writers_of(content) | {each.by for each in now.passed}
        people = await reviewers_of(desk, now.next_level, without=frozenset(gone))
        text, link = f"《{title}》等您作{level_name(now.next_level, now.levels)}。", f"/reviews/{id}"
        key = f"review:{id}:{content['round']}:{now.next_level}"
    return [
        event(desk.ids.new(), "content.changed", id, at),
        notice(desk.ids.new(), f"review.{what}", id, at, people=people, text=text, link=link, key=key),
    ]


# ---- what to look at


@dataclass(frozen=True)
class Look:
    """What a reviewer decides on: the difference, the variants that were written by hand, and the hash of it all."""

    hash: str
    difference: Difference
    variants: tuple[Change, ...]
    since: str  # approved, returned, nothing


def _seen(reviews: list[Document], content: Document) -> tuple[int | None, str]:
    """The revision of the newest verdict on another package than the present one."""
    for each in reviews:
        if each["hash"] != content["hash"]:
            return each["revision"], "returned" if each["verdict"] == "return" else "approved"
    return None, "nothing"


def _variants(content: Document) -> tuple[Change, ...]:
    changes: list[Change] = []
    for account, variant in sorted(content.get("variants", {}).items()):
        override = variant.get("override") or {}
        text = "\n".join(filter(None, (override.get("title"), override.get("digest"), override.get("text"))))
        changes.append(compare_field(account, "", text))
    return tuple(changes)


async def difference(actor: Actor, desk: Desk, id: str) -> Look:
    """The newest revision against the one that was last approved or returned, block by block and word by word."""
    require(actor, "content.read")
    content = await content_of(desk, id)
    newest = await revision_of(desk, id, content["revision"])
    number, since = _seen(await reviews_of(desk, id), content)
    before = await revision_of(desk, id, number) if number is not None else None
    names = {name: fact.name for name, fact in facts_of(newest["kind"]).items()} if newest["kind"] in KINDS else {}
    return Look(content["hash"], compare(before, newest, names), _variants(content), since)
