"""更正与撤稿的执行: carries out due operations, settles lost ones and what follows; asking is in withdrawing.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from channels.contract import Channel, Found, Missed, Outcome, Refused, Staged, Unknown, Who
from hub.desk import ledger, variants
from hub.desk.desk import Desk
from hub.desk.sending import Errand, carry_out
from hub.desk.settling import CLOCKS_APART, staged_again, watched_for
from hub.domain import holding, outbox
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, decide_checked, decide_found, decide_staged, decide_unseen
from hub.domain.renditions import recorded
from hub.domain.rights import require
from hub.store.base import Document, Unreachable, Unsure

SITE_FIRST = timedelta(minutes=1)  # how long the other channels let the website go before them
NEVER_OUT = ("cancelled", "held", "refused", "removed")


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
    await finish(desk, actor)
    return taken


async def _carry_out(desk: Desk, actor: Actor, operation: Document, rules: Rules) -> None:
    publication = await desk.store.get(ledger.PUBLICATIONS, str(operation["publication"]))
    account = await desk.store.get("accounts", str(operation["account"]))
    stop = await _reason_to_wait(desk, actor, operation, publication, account)
    if stop is not None or publication is None or account is None:
        now = desk.clock.now()
        gone = holding.give_back(now, timedelta(minutes=1), "账号或发布不完整")
        await ledger.move(desk, actor, ledger.OPERATIONS, operation, stop or gone)
        return
    try:
        errand = await _errand(desk, operation, publication, desk.connect(account))
    except (Unreachable, Unsure):
        raise
    except Exception as error:  # credentials that do not open, a channel with a bug: later again, then a person
        failed = Unknown(f"准备时出错（{type(error).__name__}），请检查账号")
        decision = decide_staged(operation, failed, desk.clock.now(), desk.ids.chance(), rules)
        await ledger.move(desk, actor, ledger.OPERATIONS, operation, decision)
        return
    await carry_out(desk, actor, ledger.OPERATIONS, operation, errand, rules)


async def _reason_to_wait(
    desk: Desk, actor: Actor, operation: Document, publication: Document | None, account: Document | None
) -> Decision | None:
    now = desk.clock.now()
    if publication is not None and operation["kind"] == "withdraw" and publication["state"] in NEVER_OUT:
        if await _given_up(desk, actor, operation, publication):
            return Decision("withdrawn", {"reason": "没有发出过，无须撤下"})
        return holding.give_back(now, timedelta(seconds=1), "等发布的结果")
    if publication is not None and publication["state"] in NEVER_OUT:  # sent after all, it goes out as it reads then
        return Decision("withdrawn", {"reason": "没有发出或已撤下，无须更正"})
    if operation["kind"] == "correct" and await ledger.is_taken_back(desk, str(operation["publication"])):
        return Decision("withdrawn", {"reason": "已有撤稿，不再更正"})
    if publication is None or publication["state"] != "published":
        return holding.give_back(now, _until_known(publication), "等发布的结果")
    if now - operation["at"] < SITE_FIRST and not await _site_done(desk, operation):
        return holding.give_back(now, timedelta(seconds=1), "网站先行")
    if operation["kind"] == "withdraw":
        return None
    switch = await desk.store.get("switches", holding.HOLD_ALL)
    stop = holding.stop_of(switch, account, operation, now)
    if stop is None and not await _approved_by_another(desk, operation):
        stop = "等一位非作者核准"
    return holding.give_back(now, timedelta(seconds=5), stop) if stop else None


async def _given_up(desk: Desk, actor: Actor, operation: Document, publication: Document) -> bool:
    """What was withdrawn before it was out is cancelled with it: somebody's release would send it after all. False
    where it has moved meanwhile."""
    if publication["state"] in ("cancelled", "removed"):
        return True
    decision = Decision("withdrawn", {"reason": f"撤稿：{operation['cause']}", "who": None})
    return await ledger.move(desk, actor, ledger.PUBLICATIONS, publication, decision) is not None


def _until_known(publication: Document | None) -> timedelta:
    """What is under way is known soon; what a person must look at takes minutes."""
    known_soon = publication is not None and publication["state"] in ("staging", "sending", "pending")
    return timedelta(seconds=5 if known_soon else 30)


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
        desk,
        revision,
        override=override,
        package=str(operation["hash"]),
        link=publication.get("link"),
        renditions=recorded(publication),
    )
    call = _correction(channel, operation, publication, str(operation["key"]))
    return Errand(channel, channel.prepare(variant), call, "correct")


async def _impossible(_: Staged | None) -> Outcome:
    return Refused("revision_missing", "这一版稿件已不在，无法更正。", Who.EDITOR)


def _withdrawal(channel: Channel, operation: Document, publication: Document) -> Any:
    async def call(_: Staged | None) -> Outcome:
        if not channel.capabilities.can_withdraw or not publication.get("external_id"):
            return _by_hand(channel, "撤下")
        return await channel.withdraw(_id_of(publication), str(operation["cause"]), str(operation["key"]))

    return call


def _correction(channel: Channel, operation: Document, publication: Document, key: str) -> Any:
    async def call(staged: Staged | None) -> Outcome:
        if not channel.capabilities.can_correct or not publication.get("external_id") or staged is None:
            return _by_hand(channel, "更正")
        return await channel.correct(_id_of(publication), staged, str(operation["note"]), key)

    return call


def _id_of(publication: Document) -> str:
    """The platform's own id; what a person declared public has only an address, and is withdrawn by hand."""
    return str(publication.get("external_id") or "")


def _by_hand(channel: Channel, act: str) -> Refused:
    name = channel.capabilities.name
    return Refused("by_hand", f"{name}上的这一条不能自动{act}。请登录{name}手工{act}，做完后在待办里确认。", Who.EDITOR)


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
        try:
            decision = await _settled(desk, operation, publication, desk.connect(account), rules)
        except (Unreachable, Unsure):
            raise
        except Exception:  # one account's trouble must not stop the others: nothing was learnt, look again
            decision = _unlearnt(operation, now)
        moved += await ledger.move(desk, actor, ledger.OPERATIONS, operation, decision) is not None
    await finish(desk, actor)
    return moved


def _unlearnt(operation: Document, now: datetime) -> Decision:
    if operation["state"] == "pending":
        return Decision("wait", {"looks": int(operation.get("looks", 0)) + 1, "look_at": now + timedelta(minutes=5)})
    return decide_unseen(operation, now, "trusted", timedelta(minutes=5))


async def _settled(desk: Desk, operation: Document, publication: Document, channel: Channel, rules: Rules) -> Decision:
    now = desk.clock.now()
    if operation["state"] == "pending":
        return decide_checked(operation, await channel.check(str(operation["ticket"])), now, rules)
    able = channel.capabilities.lookup == "trusted" or channel.capabilities.honours_key
    if not able:
        return Decision("miss", {"look_at": None})
    left = channel.capabilities.settling - watched_for(desk, operation, desk.clock.monotonic())
    settled = left <= timedelta(0)
    if operation["kind"] == "withdraw" and await _is_gone(desk, channel, publication) and settled:
        return decide_found(_id_of(publication), None, None, now)
    if not settled:
        return Decision("miss", {"look_at": now + left})
    return Decision("miss_again", {"not_before": now, "look_at": None, "tries": int(operation.get("tries", 0)) + 1})


async def _is_gone(desk: Desk, channel: Channel, publication: Document) -> bool:
    staged = await staged_again(desk, channel, publication)
    if staged is None or channel.capabilities.lookup != "trusted":
        return False
    seen: Found | Missed | Unknown | None = await channel.find_published(
        str(publication["key"]), staged, publication["published_at"] - CLOCKS_APART
    )
    return seen is None or isinstance(seen, Missed)


async def finish(desk: Desk, actor: Actor) -> None:
    """What an operation changes elsewhere, repeatable until its mark is set: the publication, a task for a person."""
    where = {"to_follow": True, "state": {"$in": ["published", "refused", "cancelled"]}}
    for operation in await desk.store.find(ledger.OPERATIONS, where, limit=50):
        if operation["state"] == "published":
            await _change_publication(desk, actor, operation)
        await file_tasks(desk, operation)
        mark = {"_id": operation["_id"], "state": operation["state"]}
        await desk.store.change(ledger.OPERATIONS, mark, {"$unset": {"to_follow": ""}})


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


async def file_tasks(desk: Desk, operation: Document) -> None:
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
