"""更正与撤稿: operations on what is public, in the same ledger as publications, the website first.

`published` stays true until the platform is seen to have changed. A withdrawal is at once and by one person; it is
reviewed afterwards. A correction goes out when one person who did not write it has approved exactly its package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.desk import ledger, variants
from hub.desk.desk import Desk
from hub.desk.operating import file_tasks, finish
from hub.domain import outbox
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.moves import CALLABLE_OFF, PERHAPS_PUBLIC
from hub.domain.people import Actor
from hub.domain.publication import Decision
from hub.domain.rights import require
from hub.store.base import Document

OPEN = ("scheduled", "staging", "sending", "pending", "unknown", "held", "refused")
AT_REST = ("scheduled", "held", "refused")  # no call is under way and none may have had an effect


# ---- a person's act


async def withdraw(
    actor: Actor, desk: Desk, content_id: str, reason: str, *, accounts: Sequence[str] = ()
) -> list[Document]:
    """撤稿, everywhere or on the named accounts, at once: what is not out is cancelled, the rest gets an operation."""
    require(actor, "content.withdraw")
    said = _said(reason, "请写明撤稿的原因。")
    found = await _publications(desk, content_id, accounts)
    live: list[Document] = []
    for publication in found:
        if not await _called_off(desk, actor, publication, said):
            live.append(publication)
    hours = await desk.policies.value("withdraw_review_hours")
    fields = {"cause": said, "review_by": desk.clock.now() + timedelta(hours=hours)}
    return await _operations(desk, actor, live, "withdraw", fields)


async def correct(
    actor: Actor, desk: Desk, content_id: str, note: str, *, accounts: Sequence[str] = ()
) -> list[Document]:
    """更正: the content's newest revision over what is public, with a note that readers see; goes out once approved."""
    require(actor, "content.correct")
    said = _said(note, "请写一句更正说明，它会显示在页面上。")
    content = await desk.store.get("contents", content_id)
    revision = await variants.revision_of(desk, content_id, int(content["revision"])) if content else None
    if content is None or revision is None:
        raise NotFound("没有找到这篇稿件。")
    package = variants.package_of(content, revision)
    found = [one for one in await _publications(desk, content_id, accounts) if one["state"] in PERHAPS_PUBLIC]
    live = [one for one in found if not await ledger.is_taken_back(desk, str(one["_id"]))]
    if found and not live:
        raise Conflict("这篇稿件正在撤稿，不能再更正。")
    stale = [one for one in live if one["hash"] != package]
    if not stale:
        raise Invalid("没有要更正的：稿件没有新的改动，或者还没有发布。")
    fields = {"note": said, "revision": content["revision"], "hash": package, "title": revision["title"]}
    overrides = {str(one["account"]): variants.override_of(content, str(one["account"])) for one in stale}
    return await _operations(desk, actor, stale, "correct", fields, overrides)


def _said(words: str, ask: str) -> str:
    if not words.strip() or len(words) > 500:
        raise Invalid(ask, (FieldError("reason", "请写一句，500 字以内。"),))
    return words.strip()


async def _publications(desk: Desk, content_id: str, accounts: Sequence[str]) -> list[Document]:
    where: dict[str, Any] = {"content": content_id, "state": {"$nin": ["cancelled", "removed"]}}
    if accounts:
        where["account"] = {"$in": list(accounts)}
    found = await desk.store.find(ledger.PUBLICATIONS, where, sort=[("at", 1)], limit=200)
    if not found:
        raise NotFound("这篇稿件没有可以操作的发布。")
    return found


async def _called_off(desk: Desk, actor: Actor, publication: Document, reason: str) -> bool:
    """Cancel what is certainly not public; False where it is, or may be."""
    for _ in range(5):
        if publication["state"] not in (*CALLABLE_OFF, "held", "refused"):
            return str(publication["state"]) == "cancelled"
        decision = Decision("cancel", {"reason": f"撤稿：{reason}"})
        if await ledger.move(desk, actor, ledger.PUBLICATIONS, publication, decision) is not None:
            return True
        publication = await desk.store.get(ledger.PUBLICATIONS, str(publication["_id"])) or publication
    raise Conflict("有一条发布正在变化，请再按一次。")


async def _operations(
    desk: Desk,
    actor: Actor,
    publications: Sequence[Document],
    kind: str,
    fields: Mapping[str, Any],
    overrides: Mapping[str, Document | None] | None = None,
) -> list[Document]:
    """One open operation of a kind per publication: pressing twice gives the one that is there, set going again where
    it stood still; a correction that a newer text has overtaken gives way to a new one."""
    ordered = sorted(publications, key=lambda one: (one["channel"] != "site", str(one["account"])))
    site: str | None = None
    made: list[Document] = []
    open_ones = await _open_ones(desk, publications, kind)
    if any(_is_overtaken(one, fields.get("hash")) and one["state"] not in AT_REST for one in open_ones.values()):
        raise Conflict("上一次更正正在发出，还没有结果。请稍等，再按一次“更正”。")
    for publication in ordered:
        known = open_ones.get(str(publication["_id"]))
        own = {"override": (overrides or {}).get(str(publication["account"]))}
        operation = await _going_on(desk, actor, known, fields.get("hash")) if known else None
        if operation is None:
            operation = await _born(desk, actor, publication, kind, {**fields, **own, "waits_for": site})
        made.append(operation)
        site = str(operation["_id"]) if publication["channel"] == "site" else site
    return made


async def _open_ones(desk: Desk, publications: Sequence[Document], kind: str) -> dict[str, Document]:
    """The open operation of this kind for each publication that has one."""
    where = {"publication": {"$in": [one["_id"] for one in publications]}, "kind": kind, "state": {"$in": list(OPEN)}}
    found = await desk.store.find(ledger.OPERATIONS, where, limit=max(1, len(publications)))
    return {str(one["publication"]): one for one in found}


def _is_overtaken(operation: Document, package: str | None) -> bool:
    return operation["kind"] == "correct" and str(operation["hash"]) != package


async def _going_on(desk: Desk, actor: Actor, operation: Document, package: str | None) -> Document | None:
    """The open operation, on its way again where it stood still; None where it is overtaken, and so cancelled: no call
    of it is under way, or it would not be given here."""
    if _is_overtaken(operation, package):
        await _moved(desk, actor, operation, Decision("cancel", {"reason": "已有更新的更正"}))
        await _close_task(desk, actor, operation)
        return None
    if operation["state"] == "held" or (operation["state"] == "refused" and operation.get("code") != "by_hand"):
        now = desk.clock.now()
        fresh = {"at": now, "not_before": now, "tries": 0, "first_tried_at": None, "reason": None, "who": None}
        return await _moved(desk, actor, operation, Decision("release", {**fresh, "code": None, "to_follow": True}))
    return operation


async def _moved(desk: Desk, actor: Actor, operation: Document, decision: Decision) -> Document:
    after = await ledger.move(desk, actor, ledger.OPERATIONS, operation, decision)
    if after is None:
        raise Conflict("这项操作刚刚有了变化，请刷新后再看。")
    return after


async def _close_task(desk: Desk, actor: Actor, operation: Document) -> None:
    done = {"$set": {"state": "done", "done_by": actor.id, "done_at": desk.clock.now()}}
    await desk.store.change("tasks", {"_id": f"{operation['_id']}:by_hand", "state": "open"}, done)


async def _born(desk: Desk, actor: Actor, publication: Document, kind: str, fields: Mapping[str, Any]) -> Document:
    now = desk.clock.now()
    number = await desk.store.count(ledger.OPERATIONS, {"publication": publication["_id"]})
    operation = {
        "_id": f"{publication['_id']}:{kind}:{number + 1}",
        "publication": publication["_id"],
        "content": publication["content"],
        "account": publication["account"],
        "channel": publication["channel"],
        "title": publication.get("title", ""),
        "kind": kind,
        "at": now,
        "not_before": now,
        "late": "publish",
        "state": "scheduled",
        "tries": 0,
        "key": desk.ids.new(),
        "lease_number": 0,
        "to_follow": True,
        "attempts": [],
        "by": actor.id,
        "changed_at": now,
        **{name: value for name, value in fields.items() if value is not None},
    }
    rows = (
        outbox.audit(desk.ids.new(), actor, f"operation.{kind}", operation["_id"], now),
        outbox.event(desk.ids.new(), "operation.changed", operation["_id"], now),
    )
    done = await desk.store.insert_new(ledger.OPERATIONS, [outbox.born(operation, *rows)])
    if done.known:
        raise Conflict("这条发布刚刚已有同样的操作，请刷新后再看。")
    await file_tasks(desk, operation)
    return operation


async def confirm_by_hand(actor: Actor, desk: Desk, operation_id: str, evidence: str) -> Document:
    """A person says that it was done by hand on the platform: the operation is done, its task closed."""
    require(actor, "publication.resolve")
    operation = await desk.store.get(ledger.OPERATIONS, operation_id)
    if operation is None:
        raise NotFound("没有找到这项操作。")
    if operation["state"] not in ("refused", "unknown"):
        raise Conflict("这项操作不需要人工确认。")
    fields = {
        "resolve": {"by": actor.id, "at": desk.clock.now(), "evidence": _said(evidence, "请写明依据。")},
        "to_follow": True,
    }
    after = await _moved(desk, actor, operation, Decision("say_published", fields))
    await _close_task(desk, actor, operation)
    await finish(desk, actor)
    return after
