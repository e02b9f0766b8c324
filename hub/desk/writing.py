"""写稿: start, save, restore and submit contents and variants; verdicts are in reviewing.py, checks in checking.py.

A revision is written before the content names it. If the process dies in between, the next save finds the revision
under its number and finishes that save first, so no number is ever lost or used twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hub.checks.finding import ACKNOWLEDGE, BLOCK, Finding
from hub.desk.checking import check_content
from hub.desk.desk import Desk
from hub.desk.paging import Page, page
from hub.desk.staffing import everybody
from hub.domain.blocks import digest_of
from hub.domain.content import (
    STATES,
    Draft,
    check_draft,
    check_override,
    draft_of,
    files_of,
    missing_of,
    move,
    package_hash,
    revise,
)
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound, Stale
from hub.domain.outbox import Row, audit, born, event, noted, notice
from hub.domain.people import Actor, Role
from hub.domain.review import writers_of
from hub.domain.rights import require
from hub.store.base import Document, Duplicate

TRIES = 5  # rounds against others who change the same content at the same moment
LISTED = ("title", "kind", "column", "author", "department", "state", "revision", "hash", "updated_at", "created_at")
FILTERS = frozenset({"state", "kind", "column", "author", "department"})


async def content_of(desk: Desk, id: str) -> Document:
    """The content; raises NotFound."""
    content = await desk.store.get("contents", id)
    if content is None:
        raise NotFound("没有这篇稿件，可能已被删除。请从稿件列表进入。")
    return content


async def revision_of(desk: Desk, id: str, number: int) -> Document:
    """One revision; raises NotFound."""
    revision = await desk.store.get("revisions", f"{id}:{number}")
    if revision is None:
        raise NotFound("没有这个版本。请从历史版本里选。")
    return revision


async def read(actor: Actor, desk: Desk, id: str) -> tuple[Document, Document]:
    """The content and its newest revision."""
    require(actor, "content.read")
    content = await content_of(desk, id)
    return content, await revision_of(desk, id, content["revision"])


async def list_contents(
    actor: Actor, desk: Desk, *, where: Mapping[str, str] | None = None, cursor: str | None = None, limit: int = 50
) -> Page:
    """Contents, last changed first; `where` names any of FILTERS."""
    require(actor, "content.read")
    asked = {name: value for name, value in (where or {}).items() if value}
    if not set(asked) <= FILTERS or not all(isinstance(value, str) for value in asked.values()):
        raise Invalid("不能按这一项筛选。", (FieldError("where", f"可以按 {'、'.join(sorted(FILTERS))} 筛选。"),))
    return await page(desk, "contents", asked, by="updated_at", cursor=cursor, limit=limit, fields=LISTED)


async def count_states(actor: Actor, desk: Desk) -> Mapping[str, int]:
    """How many contents there are in each state, counted up to 999."""
    require(actor, "content.read")
    return {state: await desk.store.count("contents", {"state": state}, ceiling=999) for state in STATES}


# ---- start and save


async def _require_parts(desk: Desk, draft: Draft) -> None:
    """Raise Invalid unless the column and every file the draft names are there."""
    errors: list[FieldError] = []
    if draft.column and await desk.store.get("columns", draft.column, fields=("name",)) is None:
        errors.append(FieldError("column", "没有这个栏目，请从列表里选。"))
    names = list(files_of(draft))
    where = {"_id": {"$in": names}}
    known = await desk.store.find("media", where, limit=len(names), fields=("type",)) if names else []
    if missing := set(names) - {row["_id"] for row in known}:
        errors.append(FieldError("files", f"有 {len(missing)} 个图片或附件不在媒体库里，请重新上传。"))
    if errors:
        raise Invalid("稿件有几处要修改。", tuple(errors))


def _heads(draft: Draft) -> Document:
    return {"title": draft.title, "kind": draft.kind, "column": draft.column}


async def start(actor: Actor, desk: Desk, draft: Draft, *, key: str = "") -> Document:
    """A new content with its first revision. The same `key` from the same person gives the same content again."""
    require(actor, "content.write")
    draft = check_draft(draft)
    await _require_parts(desk, draft)
    now, id = desk.clock.now(), desk.ids.new()
    if key:
        id = hashlib.sha256(f"{actor.id}\n{key}".encode()).hexdigest()[:26]
        if (known := await desk.store.get("contents", id)) is not None:
            return known
    revision = revise(id, 1, draft, by=actor.id, at=now)
    content: Document = {
        "_id": id,
        **_heads(draft),
        "author": actor.id,
        "writers": [actor.id],
        "department": actor.department,
        "state": "draft",
        "revision": 1,
        "round": 0,
        "hash": package_hash(revision["hash"], {}, files_of(draft)),
        "variants": {},
        "created_at": now,
        "updated_at": now,
    }
    rows = (
        audit(desk.ids.new(), actor, "content.start", id, now, detail={"hash": revision["hash"]}),
        event(desk.ids.new(), "content.changed", id, now),
    )
    await desk.store.insert_new("revisions", [revision])
    await desk.store.insert_new("contents", [born(content, *rows)])
    return await content_of(desk, id)


async def _write_revision(desk: Desk, revision: Document) -> Document:
    """The revision that stands under this number: this one, or the one of somebody who was first."""
    try:
        await desk.store.insert("revisions", revision)
    except Duplicate:
        return await revision_of(desk, revision["content"], revision["number"])
    return revision


def _same(first: Document, second: Document) -> bool:
    return bool(first["hash"] == second["hash"] and first["by"] == second["by"])


async def _void(desk: Desk, content: Document) -> None:
    """Mark the reviews of what has changed since; standing() does not count them even before they are marked."""
    where = {"content": content["_id"], "hash": {"$ne": content["hash"]}, "void": False}
    await desk.store.change_many("reviews", where, {"$set": {"void": True, "voided_at": desk.clock.now()}})


async def _edited(actor: Actor, desk: Desk, content: Document, changes: Document, act: str) -> Document | None:
    """Write an edit of the content as it was read: back to draft, approvals gone; None where somebody was faster."""
    now = desk.clock.now()
    state = move(content["state"], "edit").to
    touched = content["state"] != "draft"
    writers = sorted({*writers_of(content), actor.id})
    rows: list[Row] = [
        audit(desk.ids.new(), actor, act, content["_id"], now, detail={"hash": changes["hash"], "voided": touched}),
        event(desk.ids.new(), "content.changed", content["_id"], now),
    ]
    if touched and (people := _told(content, actor)):
        rows.append(_voided_notice(desk, content, people))
    update = {
        "$set": {**changes, "state": state, "writers": writers, "updated_at": now},
        "$unset": {"approved_hash": True, "approved_at": True, "submitted_at": True},
    }
    where = {"_id": content["_id"], "revision": content["revision"], "hash": content["hash"], "state": content["state"]}
    changed = await desk.store.change("contents", where, noted(update, *rows))
    if changed is not None and touched:
        await _void(desk, changed)
    return changed


def _told(content: Document, actor: Actor) -> list[str]:
    """Whom an edit of somebody else concerns: the author and who submitted it."""
    return sorted({content["author"], content.get("submitted_by") or content["author"]} - {actor.id})


def _voided_notice(desk: Desk, content: Document, people: list[str]) -> Row:
    text = f"《{content['title']}》在送审后又被修改，已通过的审批作废，需要重新送审。"
    key = f"voided:{content['_id']}:{content['hash']}"
    link, now = f"/contents/{content['_id']}", desk.clock.now()
    return notice(desk.ids.new(), "review.voided", content["_id"], now, people=people, text=text, link=link, key=key)


async def _adopt(desk: Desk, content: Document, revision: Document) -> Document | None:
    """Let the content name this revision; whoever wrote the revision is the actor."""
    writer = Actor(id=revision["by"], name="", roles=frozenset())
    draft = draft_of(revision)
    whole = package_hash(revision["hash"], content["variants"], files_of(draft))
    changes = {**_heads(draft), "revision": revision["number"], "hash": whole}
    return await _edited(writer, desk, content, changes, "content.save")


async def save(actor: Actor, desk: Desk, id: str, draft: Draft, *, revision: int) -> Document:
    """Save over the revision that the writer had before them. Raises Stale where somebody saved meanwhile.

    Saving what is there already changes nothing, and the same save twice gives the same answer.
    """
    require(actor, "content.write")
    draft = check_draft(draft)
    await _require_parts(desk, draft)
    for _ in range(TRIES):
        content = await content_of(desk, id)
        newest = await revision_of(desk, id, content["revision"])
        wanted = revise(id, revision + 1, draft, by=actor.id, at=desk.clock.now())
        if newest["hash"] == wanted["hash"] and (content["revision"] == revision or _same(newest, wanted)):
            return content
        if content["revision"] != revision:
            raise Stale("这篇稿件在您打开之后又被保存过。请先看新版本，再把您的修改并进去。")
        stands = await _write_revision(desk, wanted)
        changed = await _adopt(desk, content, stands)
        if changed is not None and _same(stands, wanted):
            return changed
    raise Conflict("同时修改的人太多，没有保存。您的文字还在，请再保存一次。")


async def history(actor: Actor, desk: Desk, id: str, *, cursor: str | None = None, limit: int = 50) -> Page:
    """The revisions, newest first, without their text."""
    require(actor, "content.read")
    await content_of(desk, id)
    fields = ("number", "title", "hash", "by", "at")
    return await page(desk, "revisions", {"content": id}, by="number", cursor=cursor, limit=limit, fields=fields)


async def restore(actor: Actor, desk: Desk, id: str, number: int, *, revision: int) -> Document:
    """Save an old revision's text as the newest one; nothing in between is lost."""
    require(actor, "content.write")
    old = await revision_of(desk, id, number)
    return await save(actor, desk, id, draft_of(old), revision=revision)


# ---- variants


async def _with_variants(actor: Actor, desk: Desk, content: Document, variants: Document, act: str) -> Document:
    newest = await revision_of(desk, content["_id"], content["revision"])
    whole = package_hash(newest["hash"], variants, files_of(draft_of(newest)))
    changed = await _edited(actor, desk, content, {"variants": variants, "hash": whole}, act)
    if changed is None:
        raise Stale("这篇稿件刚才被别人改过。请刷新后再改渠道版本。")
    return changed


async def set_variant(
    actor: Actor, desk: Desk, id: str, account: str, override: Mapping[str, Any], *, revision: int
) -> Document:
    """Write one account's version by hand; a later edit of the content leaves it as it is, and says so on the page."""
    require(actor, "content.write")
    if await desk.store.get("accounts", account, fields=("channel",)) is None:
        raise NotFound("没有这个账号。请从账号列表里选。")
    read = check_override(override)
    content = await content_of(desk, id)
    if content["revision"] != revision:
        raise Stale("原稿已有新版本。请刷新后再改渠道版本。")
    variant = {"override": read, "hash": digest_of(read), "revision": revision, "by": actor.id}
    if content["variants"].get(account, {}).get("hash") == variant["hash"]:
        return content
    return await _with_variants(actor, desk, content, {**content["variants"], account: variant}, "variant.set")


async def clear_variant(actor: Actor, desk: Desk, id: str, account: str, *, revision: int) -> Document:
    """回到原稿: from now on this account's version is derived again."""
    require(actor, "content.write")
    content = await content_of(desk, id)
    if content["revision"] != revision:
        raise Stale("原稿已有新版本。请刷新后再改渠道版本。")
    if account not in content["variants"]:
        return content
    rest = {name: variant for name, variant in content["variants"].items() if name != account}
    return await _with_variants(actor, desk, content, rest, "variant.clear")


# ---- submit


def _refuse(findings: list[Finding], acknowledged: Mapping[str, str]) -> None:
    """Raise Invalid with every finding that must be put right, or that nobody has given a reason for."""
    errors = [FieldError(each.field, each.message) for each in findings if each.severity == BLOCK]
    if errors:
        raise Invalid(f"有 {len(errors)} 处必须先改，才能送审。", tuple(errors))
    open_ = [
        each for each in findings if each.severity == ACKNOWLEDGE and len(acknowledged.get(each.key, "").strip()) < 2
    ]
    if open_:
        asked = tuple(FieldError(f"acknowledged.{each.key}", each.message) for each in open_)
        raise Invalid(f"有 {len(open_)} 处提示请改好，或写明保留的理由。", asked)


def _reasons(actor: Actor, findings: list[Finding], acknowledged: Mapping[str, str]) -> list[Document]:
    return [
        {
            "key": each.key,
            "rule": each.rule,
            "field": each.field,
            "reason": acknowledged[each.key].strip()[:200],
            "by": actor.id,
        }
        for each in findings
        if each.severity == ACKNOWLEDGE
    ]


async def reviewers_of(desk: Desk, level: int, *, without: frozenset[str] = frozenset()) -> list[str]:
    """Who may give this level: ids of users who are reviewers with it."""
    users = await everybody(desk, fields=("roles", "levels", "disabled"))
    users = [user for user in users if not user.get("disabled")]
    able = [user for user in users if Role.REVIEWER in user.get("roles", ()) and level in user.get("levels", ())]
    return sorted(user["_id"] for user in able if user["_id"] not in without)


async def submit(
    actor: Actor, desk: Desk, id: str, *, revision: int, acknowledged: Mapping[str, str] | None = None
) -> Document:
    """送审: run every check; `acknowledged` maps findings' keys to the reasons to keep them. Raises Invalid, Stale."""
    require(actor, "content.submit")
    content = await content_of(desk, id)
    if content["revision"] != revision:
        raise Stale("您看的版本之后又有保存。请看过新版本再送审。")
    if content["state"] == "in_review":
        return content
    state = move(content["state"], "submit").to
    newest = await revision_of(desk, id, revision)
    if missing := missing_of(draft_of(newest)):
        raise Invalid("还有几项没写，送审前请补上。", tuple(missing))
    findings = await check_content(actor, desk, id)
    _refuse(findings, acknowledged or {})
    reasons = _reasons(actor, findings, acknowledged or {})
    return await _submitted(actor, desk, content, state, reasons)


async def _submitted(actor: Actor, desk: Desk, content: Document, state: str, reasons: list[Document]) -> Document:
    now, id, round = desk.clock.now(), content["_id"], content.get("round", 0) + 1
    people = await reviewers_of(desk, 1, without=writers_of(content))
    kept = [{"rule": each["rule"], "key": each["key"]} for each in reasons]
    text, link, key = f"《{content['title']}》等您审核。", f"/reviews/{id}", f"review:{id}:{round}:1"
    rows = (
        audit(desk.ids.new(), actor, "content.submit", id, now, detail={"hash": content["hash"], "acknowledged": kept}),
        event(desk.ids.new(), "content.changed", id, now),
        notice(desk.ids.new(), "review.asked", id, now, people=people, text=text, link=link, key=key),
    )
    asked = {"submitted_by": actor.id, "submitted_at": now, "updated_at": now}
    values = {"state": state, "round": round, "passed": 0, "acknowledged": reasons, **asked}
    where = {"_id": id, "state": content["state"], "hash": content["hash"], "revision": content["revision"]}
    changed = await desk.store.change("contents", where, noted({"$set": values}, *rows))
    if changed is None:
        raise Stale("送审时稿件又被修改。请看过新版本再送审。")
    return changed
