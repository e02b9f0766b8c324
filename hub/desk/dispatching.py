"""派发: takes what is due and approved, one post per account at a time, and sends it; people's verbs: publishing.py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from channels.contract import Channel, Outcome, Staged, Unknown
from hub.desk import ledger, variants
from hub.desk.desk import Desk
from hub.desk.sending import Errand, carry_out
from hub.domain import holding
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, decide_address, decide_due, decide_key, decide_staged
from hub.domain.renditions import recorded
from hub.domain.rights import require
from hub.store.base import Document, Unreachable, Unsure

AT_ONCE = 50  # sends under way in one worker
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
            while len(running) < at_once:
                taken = await _take(desk, {*running.values(), *left_alone}, rules)
                if taken is None:
                    break
                task = asyncio.create_task(_send(desk, actor, taken, rules))
                running[task] = str(taken["account"])
                moved += 1
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


async def _take(desk: Desk, busy: set[str], rules: Rules) -> Document | None:
    """The next due publication of an account that is free and not held, unless everything is."""
    await desk.failpoints.reach("publish.due")
    switch = await desk.store.get("switches", holding.HOLD_ALL)
    if holding.is_shut(switch, desk.clock.now()):
        return None
    held = [row["_id"] for row in await desk.store.find("accounts", {"held": True}, limit=200, fields=("held",))]
    taken = await ledger.claim(desk, ledger.PUBLICATIONS, {"account": {"$nin": sorted({*held, *busy})}}, rules)
    if taken is not None:
        await desk.failpoints.reach("publish.claimed")
    return taken


async def _send(desk: Desk, actor: Actor, publication: Document, rules: Rules) -> bool:
    """One claimed publication as far as it goes now. True where its account is busy in another worker."""
    table = ledger.PUBLICATIONS
    account = await desk.store.get("accounts", str(publication["account"]))
    content = await desk.store.get("contents", str(publication["content"]))
    package, revision, override = await _package(desk, publication, content)
    stop = await _reason_to_stop(desk, publication, account, content, package, rules)
    if stop is not None or account is None or revision is None or package is None:
        await ledger.move(desk, actor, table, publication, stop or _gone(desk))
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
    switch = await desk.store.get("switches", holding.HOLD_ALL)
    stop = holding.decide_stop(switch, account, publication, now, timedelta(seconds=1))
    if stop is not None:
        return stop
    if await _is_withdrawn(desk, publication):
        return Decision("withdrawn", {"reason": "已有撤稿，不再发出"})
    approved = holding.is_approved(content, package)
    for decision in (
        decide_due(publication, now, rules),
        holding.decide_approval(publication, approved, package, now, rules),
        holding.decide_order(await _earlier(desk, publication), now),
    ):
        if decision is not None:
            return decision
    return holding.decide_link(publication, await _awaited(desk, publication), now)


async def _is_withdrawn(desk: Desk, publication: Document) -> bool:
    """A withdrawal asked for while the result was unknown holds for what comes back from there."""
    where = {"publication": publication["_id"], "kind": "withdraw", "state": {"$nin": ["cancelled", "held"]}}
    return await desk.store.count(ledger.OPERATIONS, where, ceiling=1) > 0


async def _earlier(desk: Desk, publication: Document) -> bool:
    """Whether an earlier post of the same account is on its way or due: read after our claim is written, so of two
    workers at least one sees the other."""
    now = desk.clock.now()
    before = {"account": publication["account"], "at": {"$lt": publication["at"]}, "_id": {"$ne": publication["_id"]}}
    on_its_way = {**before, "state": {"$in": ["staging", "sending"]}}
    due = {**before, "state": "scheduled", "not_before": {"$lte": now}}
    count = desk.store.count
    return bool(
        await count(ledger.PUBLICATIONS, on_its_way, ceiling=1) or await count(ledger.PUBLICATIONS, due, ceiling=1)
    )


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
