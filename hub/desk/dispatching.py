"""派发: takes what is due and approved, one post per account at a time, and sends it; people's verbs: publishing.py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from channels.contract import Channel, Outcome, Staged, Unknown
from hub.desk import ledger, quotas, variants
from hub.desk.desk import Desk
from hub.desk.sending import Errand, carry_out
from hub.domain import holding
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, decide_address, decide_due, decide_key, decide_staged
from hub.domain.renditions import recorded
from hub.domain.rights import require
from hub.store.base import Document, Unreachable, Unsure

AT_ONCE = 100  # sends under way in one worker
LOOKS = 3  # looks in a row at each of which another worker was faster with everything
ON_ITS_WAY = ["staging", "sending"]
LOOK = 1.0  # seconds between looks for newly due ones while slow sends are under way


async def dispatch(actor: Actor, desk: Desk, *, at_once: int = AT_ONCE) -> int:
    """Send everything due; returns when nothing is due and nothing under way. The number of documents it has moved."""
    require(actor, "publication.send")
    rules = await ledger.rules_of(desk)
    running: dict[asyncio.Task[bool], str] = {}
    elsewhere: dict[str, float] = {}  # accounts that another worker is at, and until when they are left to it
    moved = 0
    try:
        while True:
            now = desk.clock.monotonic()
            left_alone = {account for account, until in elsewhere.items() if until > now}
            while room := at_once - len(running):
                taken = await _take(desk, {*running.values(), *left_alone}, room, rules)
                if not taken:
                    break
                running |= {asyncio.create_task(_send(desk, actor, one, rules)): str(one["account"]) for one in taken}
                moved += len(taken)
            if not running:
                return moved
            for task in await _first_done(desk, set(running)):
                account = running.pop(task)
                if task.result():
                    elsewhere[account] = desk.clock.monotonic() + LOOK
    finally:
        await _finish(set(running))


async def _finish(tasks: set[asyncio.Task[bool]]) -> None:
    """What is under way when this worker is told to stop, or one of its sends fails, is let come to its end."""
    if tasks:
        await asyncio.shield(asyncio.gather(*tasks, return_exceptions=True))


async def _first_done(desk: Desk, tasks: set[asyncio.Task[bool]]) -> set[asyncio.Task[bool]]:
    bell = asyncio.create_task(_ring(desk))
    try:
        done, _ = await asyncio.wait({*tasks, bell}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        bell.cancel()
    return done & tasks


async def _ring(desk: Desk) -> bool:
    await desk.clock.sleep(LOOK)
    return False


async def _take(desk: Desk, busy: set[str], room: int, rules: Rules) -> list[Document]:
    """The next due publication of each account that is free and not held, so many at most, unless everything is."""
    for _ in range(LOOKS):
        await desk.failpoints.reach("publish.due")
        free = await _free(desk, busy)
        due = await ledger.earliest_due(desk, ledger.PUBLICATIONS, free, room) if free is not None else []
        if not due:
            return []
        if taken := await _claimed(desk, due, free or {}, rules):
            return taken
    return []


async def _free(desk: Desk, busy: set[str]) -> dict[str, Any] | None:
    """The filter of accounts that may send now: not held, and with nothing on its way here or in another worker. None
    while everything is paused."""
    switch, held, on_its_way = await asyncio.gather(
        desk.store.get("switches", holding.HOLD_ALL),
        desk.store.find("accounts", {"held": True}, limit=200, fields=("held",)),
        desk.store.tally(ledger.PUBLICATIONS, {"state": {"$in": ON_ITS_WAY}}, ["account"]),
    )
    if holding.is_shut(switch, desk.clock.now()):
        return None
    stopped, elsewhere = {str(row["_id"]) for row in held}, {str(one["account"]) for one in on_its_way}
    return {"account": {"$nin": sorted(busy | stopped | elsewhere)}}


async def _claimed(desk: Desk, due: Sequence[str], free: Mapping[str, Any], rules: Rules) -> list[Document]:
    """Each claim is a change of its own that somebody else may win; together they share one sync of the store."""
    claims = [ledger.claim(desk, ledger.PUBLICATIONS, {"_id": id, **free}, rules) for id in due]
    taken = _won(await asyncio.gather(*claims, return_exceptions=True))
    for _ in taken:
        await desk.failpoints.reach("publish.claimed")
    return taken


def _won(claims: Sequence[Document | BaseException | None]) -> list[Document]:
    """The claims that are ours. A store that is ill ends the round only where it gave nothing: what it gave is sent,
    and what it did not say lapses."""
    won = [one for one in claims if isinstance(one, dict)]
    failed = [one for one in claims if isinstance(one, BaseException)]
    if failed and not won:
        raise failed[0]
    return won


async def _send(desk: Desk, actor: Actor, publication: Document, rules: Rules) -> bool:
    """One claimed publication as far as it goes now. True where its account is busy in another worker."""
    table = ledger.PUBLICATIONS
    account, content = await asyncio.gather(
        desk.store.get("accounts", str(publication["account"])),
        desk.store.get("contents", str(publication["content"])),
    )
    package, revision, override = await _package(desk, publication, content)
    stop = await _reason_to_stop(desk, publication, account, content, package, rules)
    if stop is not None or account is None or revision is None or package is None:
        after = await ledger.move(desk, actor, table, publication, stop or _gone(desk))
        if after is not None and after["state"] == "waiting":  # the address may have come while this was written
            await _look_for_address(desk, actor, after, await _awaited(desk, after), account or {}, rules)
        return stop is not None and stop.fields.get("reason") == holding.EARLIER_FIRST
    try:
        errand = await _errand(desk, publication, account, revision, override, package)
    except (Unreachable, Unsure):
        raise
    except Exception as error:  # credentials that do not open, a channel with a bug: later again, then a person
        failed = Unknown(f"准备时出错（{type(error).__name__}），请检查账号")
        decision = decide_staged(publication, failed, desk.clock.now(), desk.ids.chance(), rules)
        await ledger.move(desk, actor, table, publication, decision)
        return False
    after = await carry_out(desk, actor, table, publication, errand, rules)
    if after is not None and after["state"] == "published":
        await wake(desk, actor, after, rules)
    return False


async def _package(
    desk: Desk, publication: Document, content: Document | None
) -> tuple[str | None, Document | None, Document | None]:
    """What the approved content is now: its hash, computed anew from what would be sent, its revision, its override."""
    if content is None:
        return None, None, None
    revision = await variants.revision_of(desk, str(content["_id"]), int(content["revision"]))
    if revision is None:
        return None, None, None
    override = variants.override_of(content, str(publication["account"]))
    return variants.package_of(content, revision), revision, override


def _gone(desk: Desk) -> Decision:
    return holding.give_back(desk.clock.now(), timedelta(minutes=1), "稿件或账号不完整")


async def _reason_to_stop(
    desk: Desk,
    publication: Document,
    account: Document | None,
    content: Document | None,
    package: str | None,
    rules: Rules,
) -> Decision | None:
    now = desk.clock.now()
    switch, withdrawn, earlier, awaited = await asyncio.gather(
        desk.store.get("switches", holding.HOLD_ALL),
        _is_withdrawn(desk, publication),
        _earlier(desk, publication),
        _awaited(desk, publication),
    )
    stop = holding.decide_stop(switch, account, publication, now, timedelta(seconds=1))
    if stop is not None:
        return stop
    if withdrawn:
        return Decision("withdrawn", {"reason": "已有撤稿，不再发出"})
    approved = holding.is_approved(content, package)
    waits = (
        decide_due(publication, now, rules)
        or holding.decide_approval(publication, approved, package, now, rules)
        or holding.decide_order(earlier, now)
        or holding.decide_link(publication, awaited, now)
    )
    if waits is not None or account is None:
        return waits
    return holding.decide_quota(publication, await quotas.spent(desk, account, "publish"), now, rules)


async def _is_withdrawn(desk: Desk, publication: Document) -> bool:
    """A withdrawal asked for while the result was unknown holds for what comes back from there."""
    where = {"publication": publication["_id"], "kind": "withdraw", "state": {"$nin": ["cancelled", "held"]}}
    return await desk.store.count(ledger.OPERATIONS, where, ceiling=1) > 0


async def _earlier(desk: Desk, publication: Document) -> bool:
    """Whether an earlier post of the same account is on its way, due, or put back while it keeps its place: read after
    our claim is written, so of two workers at least one sees the other."""
    now, kept = desk.clock.now(), list(holding.KEEPS_PLACE)
    where = {
        "account": publication["account"], "state": {"$in": [*ON_ITS_WAY, "scheduled"]},
        "at": {"$lt": publication["at"]}, "_id": {"$ne": publication["_id"]},
        "$or": [{"state": {"$in": ON_ITS_WAY}}, {"not_before": {"$lte": now}}, {"reason": {"$in": kept}}],
    }  # fmt: skip
    return await desk.store.count(ledger.PUBLICATIONS, where, ceiling=1) > 0


async def _awaited(desk: Desk, publication: Document) -> Document | None:
    awaited = publication.get("waits_for")
    return await desk.store.get(ledger.PUBLICATIONS, str(awaited)) if awaited else None


async def _errand(
    desk: Desk, publication: Document, account: Document, revision: Document, override: Document | None, package: str
) -> Errand:
    awaited = await _awaited(desk, publication)
    link = publication.get("link") or (awaited or {}).get("url")
    key = decide_key(publication, package, desk.ids.new())
    channel = desk.connect(account)
    variant = await variants.variant_of(
        desk, revision, override=override, package=package, link=link, renditions=recorded(publication)
    )
    fields = {
        "key": key,
        "hash": package,
        "revision": revision["number"],
        "title": revision["title"],
        "override": override,
        "link": link,
        "reason": None,
        "who": None,
        "spent": None,
        "first_tried_at": publication.get("first_tried_at") or desk.clock.now(),
    }
    return Errand(channel, channel.prepare(variant), _publish(channel, key), "publish", fields)


def _publish(channel: Channel, key: str) -> Any:
    async def call(staged: Staged | None) -> Outcome:
        return Unknown("没有准备好就要发送") if staged is None else await channel.publish(staged, key)

    return call


async def wake(desk: Desk, actor: Actor, published: Document, rules: Rules) -> None:
    """Those that wait for this one's address go on at once."""
    where = {"state": "waiting", "waits_for": published["_id"]}
    for waiting in await desk.store.find(ledger.PUBLICATIONS, where, limit=50):
        await _look_for_address(desk, actor, waiting, published, {}, rules)


async def wake_waiting(actor: Actor, desk: Desk) -> int:
    """Every post that waits for an address: go on, fall back or stop. The number moved."""
    require(actor, "publication.send")
    rules = await ledger.rules_of(desk)
    moved = 0
    for waiting in await desk.store.find(
        ledger.PUBLICATIONS, {"state": "waiting"}, sort=[("not_before", 1)], limit=200
    ):
        account = await desk.store.get("accounts", str(waiting["account"])) or {}
        moved += await _look_for_address(desk, actor, waiting, await _awaited(desk, waiting), account, rules)
    return moved


async def _look_for_address(
    desk: Desk, actor: Actor, waiting: Document, awaited: Document | None, account: Mapping[str, Any], rules: Rules
) -> bool:
    fallback = account.get("settings", {}).get("fallback_url")
    minutes = account.get("fallback_minutes")
    own = rules if minutes is None else rules.with_fallback(timedelta(minutes=minutes))
    decision = decide_address(waiting, awaited, fallback, desk.clock.now(), own)
    if decision is None:
        return False
    return await ledger.move(desk, actor, ledger.PUBLICATIONS, waiting, decision) is not None
