"""更正与撤稿: operations on what is public, in the same ledger as publications, the website first.

`published` stays true until the platform is seen to have changed. A withdrawal is at once and by one person; it is
reviewed afterwards. A correction goes out when one person who did not write it has approved exactly its package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from channels.contract import Channel, Found, Outcome, Refused, Staged, Unknown, Who
from hub.desk import ledger, variants
from hub.desk.desk import Desk
from hub.desk.sending import Errand, carry_out
from hub.desk.settling import staged_again
from hub.domain import holding, outbox
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.moves import CALLABLE_OFF, PERHAPS_PUBLIC
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, decide_checked, decide_found
from hub.domain.rights import require
from hub.store.base import Document

SITE_FIRST = timedelta(minutes=1)  # how long the other channels let the website go before them
NEVER_OUT = ("cancelled", "held", "refused", "removed")
OPEN = ("scheduled", "staging", "sending", "pending", "unknown", "held", "refused")


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
    live = [one for one in await _publications(desk, content_id, accounts) if one["state"] in PERHAPS_PUBLIC]
    stale = [one for one in live if one["hash"] != package]
    if not stale:
        raise Invalid("没有要更正的：稿件没有新的改动，或者还没有发布。")
    fields = {"note": said, "revision": content["revision"], "hash": package, "title": revision["title"]}
    overrides = {str(one["account"]): variants.override_of(content, str(one["account"])) for one in stale}
    return await _operations(desk, actor, stale, "correct", fields, overrides)


def _said(words: str, ask: str) -> str:
    if not words.strip() or len(words) > 500:
        raise Invalid(ask, (FieldError("reason", "1 到 500 字。"),))
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
    """One open operation of a kind per publication: pressing twice gives the one that is there."""
    ordered = sorted(publications, key=lambda one: (one["channel"] != "site", str(one["account"])))
    site: str | None = None
    made: list[Document] = []
    for publication in ordered:
        open_one = {"publication": publication["_id"], "kind": kind, "state": {"$in": list(OPEN)}}
        known = await desk.store.find(ledger.OPERATIONS, open_one, limit=1)
        own = {"override": (overrides or {}).get(str(publication["account"]))}
        operation = (
            known[0] if known else await _born(desk, actor, publication, kind, {**fields, **own, "waits_for": site})
        )
        made.append(operation)
        site = str(operation["_id"]) if publication["channel"] == "site" else site
    return made


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
    await _file_tasks(desk, operation)
    return operation


# ---- the clockwork


async def operate(actor: Actor, desk: Desk) -> int:
    """Carry out every operation that is due, withdrawals also while everything is paused. The number taken."""
    require(actor, "publication.send")
    rules = await ledger.rules_of(desk)
    taken = 0
    while taken < 200:  # a round ends, so that what comes in meanwhile is not starved by one that is put back
        operation = await ledger.claim(desk, ledger.OPERATIONS, {}, rules)
        if operation is None:
            break
        taken += 1
        await _carry_out(desk, actor, operation, rules)
    await _finish(desk, actor)
    return taken


async def _carry_out(desk: Desk, actor: Actor, operation: Document, rules: Rules) -> None:
    publication = await desk.store.get(ledger.PUBLICATIONS, str(operation["publication"]))
    account = await desk.store.get("accounts", str(operation["account"]))
    stop = await _reason_to_wait(desk, operation, publication, account)
    if stop is not None or publication is None or account is None:
        now = desk.clock.now()
        gone = holding.give_back(now, timedelta(minutes=1), "账号或发布不完整")
        await ledger.move(desk, actor, ledger.OPERATIONS, operation, stop or gone)
        return
    errand = await _errand(desk, operation, publication, desk.connect(account))
    await carry_out(desk, actor, ledger.OPERATIONS, operation, errand, rules)


async def _reason_to_wait(
    desk: Desk, operation: Document, publication: Document | None, account: Document | None
) -> Decision | None:
    now = desk.clock.now()
    if publication is not None and operation["kind"] == "withdraw" and publication["state"] in NEVER_OUT:
        return Decision("withdrawn", {"reason": "没有发出过，无须撤下"})
    if publication is None or publication["state"] != "published":
        return holding.give_back(now, timedelta(seconds=5), "等发布的结果")
    if now - operation["at"] < SITE_FIRST and not await _site_done(desk, operation):
        return holding.give_back(now, timedelta(seconds=1), "网站先行")
    if operation["kind"] == "withdraw":
        return None
    stop = holding.stop_of(await desk.store.get("switches", holding.HOLD_ALL), account)
    if stop is None and not await _approved_by_another(desk, operation):
        stop = "等一位非作者核准"
    return holding.give_back(now, timedelta(seconds=5), stop) if stop else None


async def _site_done(desk: Desk, operation: Document) -> bool:
    site = operation.get("waits_for")
    first = await desk.store.get(ledger.OPERATIONS, str(site)) if site else None
    return first is None or first["state"] not in ("scheduled", "staging", "sending")


async def _approved_by_another(desk: Desk, operation: Document) -> bool:
    """更正: one approval of exactly this package, by somebody who neither wrote the revision nor asked for it."""
    revision = await variants.revision_of(desk, str(operation["content"]), int(operation["revision"]))
    where = {"content": operation["content"], "hash": operation["hash"], "kind": "approval", "verdict": "pass"}
    reviews = await desk.store.find("reviews", where, limit=50)
    writers = {operation["by"], (revision or {}).get("by")}
    return revision is not None and any(not one.get("void") and one["by"] not in writers for one in reviews)


async def _errand(desk: Desk, operation: Document, publication: Document, channel: Channel) -> Errand:
    if operation["kind"] == "withdraw":
        return Errand(channel, None, _withdrawal(channel, operation, publication), "withdraw")
    revision = await variants.revision_of(desk, str(operation["content"]), int(operation["revision"]))
    if revision is None:
        return Errand(channel, None, _impossible, "correct")
    override = operation.get("override")  # as it was when the correction was asked for, and so as it was approved
    variant = await variants.variant_of(
        desk, revision, override=override, package=str(operation["hash"]), link=publication.get("link")
    )
    call = _correction(channel, operation, publication, str(operation["key"]))
    return Errand(channel, channel.prepare(variant), call, "correct")


async def _impossible(_: Staged | None) -> Outcome:
    return Refused("revision_missing", "这一版稿件已不在，无法更正。", Who.EDITOR)


def _withdrawal(channel: Channel, operation: Document, publication: Document) -> Any:
    async def call(_: Staged | None) -> Outcome:
        if not channel.capabilities.can_withdraw:
            return _by_hand(channel, "撤下")
        return await channel.withdraw(_id_of(publication), str(operation["cause"]), str(operation["key"]))

    return call


def _correction(channel: Channel, operation: Document, publication: Document, key: str) -> Any:
    async def call(staged: Staged | None) -> Outcome:
        if not channel.capabilities.can_correct or staged is None:
            return _by_hand(channel, "更正")
        return await channel.correct(_id_of(publication), staged, str(operation["note"]), key)

    return call


def _id_of(publication: Document) -> str:
    return str(publication.get("external_id") or publication.get("url") or "")


def _by_hand(channel: Channel, act: str) -> Refused:
    name = channel.capabilities.name
    return Refused("by_hand", f"{name}没有{act}的接口。请登录{name}手工{act}，做完后在待办里确认。", Who.EDITOR)


# ---- what follows an operation


async def settle_operations(actor: Actor, desk: Desk) -> int:
    """Unknown and pending operations. Repeating one is harmless where the platform honours our key or its look-up is
    trusted: a page is withdrawn once, a version written once. Elsewhere a person decides."""
    require(actor, "publication.settle")
    rules = await ledger.rules_of(desk)
    now = desk.clock.now()
    moved = 0
    where = {"state": {"$in": ["unknown", "pending"]}, "look_at": {"$lte": now}}
    for operation in await desk.store.find(ledger.OPERATIONS, where, sort=[("look_at", 1)], limit=20):
        account = await desk.store.get("accounts", str(operation["account"]))
        publication = await desk.store.get(ledger.PUBLICATIONS, str(operation["publication"]))
        if account is None or publication is None:
            continue
        decision = await _settled(desk, operation, publication, desk.connect(account), rules)
        moved += await ledger.move(desk, actor, ledger.OPERATIONS, operation, decision) is not None
    await _finish(desk, actor)
    return moved


async def _settled(desk: Desk, operation: Document, publication: Document, channel: Channel, rules: Rules) -> Decision:
    now = desk.clock.now()
    if operation["state"] == "pending":
        return decide_checked(operation, await channel.check(str(operation["ticket"])), now, rules)
    able = channel.capabilities.lookup == "trusted" or channel.capabilities.honours_key
    if not able:
        return Decision("miss", {"look_at": None})
    settled = now - operation["lost_at"] >= channel.capabilities.settling
    if operation["kind"] == "withdraw" and await _is_gone(desk, channel, publication) and settled:
        return decide_found(_id_of(publication), None, None, now)
    if not settled:
        return Decision("miss", {"look_at": operation["lost_at"] + channel.capabilities.settling})
    return Decision("miss_again", {"not_before": now, "look_at": None, "tries": int(operation.get("tries", 0)) + 1})


async def _is_gone(desk: Desk, channel: Channel, publication: Document) -> bool:
    staged = await staged_again(desk, channel, publication)
    if staged is None or channel.capabilities.lookup != "trusted":
        return False
    seen: Found | Unknown | None = await channel.find_published(
        str(publication["key"]), staged, publication["published_at"] - timedelta(minutes=10)
    )
    return seen is None


async def _finish(desk: Desk, actor: Actor) -> None:
    """What an operation changes elsewhere, repeatable until its mark is set: the publication, a task for a person."""
    where = {"state": {"$in": ["published", "refused"]}, "followed": {"$ne": True}}
    for operation in await desk.store.find(ledger.OPERATIONS, where, limit=50):
        if operation["state"] == "published":
            await _change_publication(desk, actor, operation)
        await _file_tasks(desk, operation)
        mark = {"_id": operation["_id"], "state": operation["state"]}
        await desk.store.change(ledger.OPERATIONS, mark, {"$set": {"followed": True}})


async def _change_publication(desk: Desk, actor: Actor, operation: Document) -> None:
    publication = await desk.store.get(ledger.PUBLICATIONS, str(operation["publication"]))
    if publication is None or publication["state"] != "published":
        return
    if operation["kind"] == "withdraw":
        fields = {"reason": f"撤稿：{operation['cause']}", "removed_at": desk.clock.now()}
        await ledger.move(desk, actor, ledger.PUBLICATIONS, publication, Decision("remove", fields))
        return
    done = {"state": "done", "note": operation["note"], "at": desk.clock.now()}
    update = {"$set": {"correction": done, "revision": operation["revision"], "hash": operation["hash"]}}
    row = outbox.event(desk.ids.new(), "publication.changed", str(publication["_id"]), desk.clock.now())
    await desk.store.change(ledger.PUBLICATIONS, ledger.expected(publication), outbox.noted(update, row))


async def _file_tasks(desk: Desk, operation: Document) -> None:
    """待办: a withdrawal is reviewed afterwards; what the platform cannot do, a person does there by hand."""
    now = desk.clock.now()
    tasks: list[Document] = []
    if operation["kind"] == "withdraw" and "review_by" in operation:
        tasks.append(
            _task(f"{operation['_id']}:review", "withdrawal.review", "reviewer", operation, operation["review_by"])
        )
    if operation["state"] == "refused" and operation.get("code") == "by_hand":
        tasks.append(
            _task(
                f"{operation['_id']}:by_hand", "operation.by_hand", operation["by"], operation, now + timedelta(hours=1)
            )
        )
    if tasks:
        await desk.store.insert_new("tasks", tasks)


def _task(key: str, kind: str, owner: str, operation: Document, due: Any) -> Document:
    return {
        "_id": key,
        "key": key,
        "kind": kind,
        "about": operation["publication"],
        "owner": owner,
        "due": due,
        "state": "open",
        "text": operation.get("cause") or operation.get("note", ""),
    }


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
        "followed": None,
    }
    after = await ledger.move(desk, actor, ledger.OPERATIONS, operation, Decision("say_published", fields))
    if after is None:
        raise Conflict("这项操作刚刚有了变化，请刷新后再看。")
    done = {"$set": {"state": "done", "done_by": actor.id, "done_at": desk.clock.now()}}
    await desk.store.change("tasks", {"_id": f"{operation_id}:by_hand", "state": "open"}, done)
    await _finish(desk, actor)
    return after
