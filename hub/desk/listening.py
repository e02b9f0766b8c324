"""收听: fetches what citizens said on each account, keeps it sealed and once; what is read from it lives in reading.py.

The order is what makes it safe: the rows are stored durably, then the cursor, then the source is told. A crash between
any two of them brings the same page again, and the unique key (account, external_id) lets nothing in twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from channels.contract import Fault, Heard, Page, Unknown
from hub.desk.callbacks import receive
from hub.desk.desk import Desk
from hub.desk.recording import record_rating
from hub.desk.registering import register
from hub.domain.people import Actor
from hub.domain.reply import LIVE, UNOPENED
from hub.domain.rights import require
from hub.store import leases
from hub.store.base import Document, Unreachable, Unsure

ROUND = 200  # accounts of one round
AT_ONCE = 8  # accounts that are asked at the same time
LONGEST = 5.0  # seconds of listening in one go to a website that holds the request open
PAGES = 20  # pages of one account in one go, so that one busy account does not starve the others
RECENT = 100  # newest posts of an account that are asked for comments, where a platform is asked post by post
RATING = "rating"
REST = timedelta(seconds=5)  # until an account is asked again where its channel's data says nothing else


@dataclass(frozen=True)
class Taken:
    """What one batch brought: new replies, those known already, and those that could not be opened."""

    new: int
    known: int
    aside: int


async def take(actor: Actor, desk: Desk, account: Document, heard: Sequence[Heard], *, stream: str = LIVE) -> Taken:
    """Keep these replies, each once. When this returns, none of them can be lost any more."""
    require(actor, "reply.take")
    await desk.failpoints.reach("ingest.received")
    ratings = [record_rating(desk, account, one) for one in heard if one.kind == RATING]
    if ratings:
        await desk.store.insert_new("ratings", ratings)
    found = [await receive(desk, account, one, stream) for one in heard if one.kind != RATING]
    documents = [document for document in found if document is not None]
    done = await desk.store.insert_new("replies", documents)
    desk.bell.ring("read")
    await desk.failpoints.reach("ingest.stored")
    fresh = set(done.new)
    aside = sum(1 for one in documents if one["_id"] in fresh and one["state"] == UNOPENED)
    return Taken(len(done.new), len(done.known), aside)


async def listen(actor: Actor, desk: Desk) -> int:
    """One round over accounts that are due a look, the longest waiting first; how many new replies it brought. Some are
    asked at once, so that a slow platform keeps none of the others waiting for long."""
    require(actor, "reply.take")
    due = {"$or": [{"listen_at": None}, {"listen_at": {"$lte": desk.clock.now()}}]}
    accounts = await desk.store.find("accounts", {"listening": True, **due}, sort=[("listen_at", 1)], limit=ROUND)
    found = await _listen_to_all(actor, desk, [account for account in accounts if not is_held_open(account)])
    return sum(new or 0 for new in found)


async def listen_open(actor: Actor, desk: Desk) -> int:
    """The same for websites of ours that hold the request open until somebody writes: what is written there is here at
    once. Rings for itself, so that hardly a moment is left in between; not where another worker listens to them."""
    require(actor, "reply.take")
    due = {"$or": [{"listen_at": None}, {"listen_at": {"$lte": desk.clock.now()}}]}
    ours = {"listening": True, "channel": "site", **due}
    accounts = await desk.store.find("accounts", ours, sort=[("listen_at", 1)], limit=ROUND)
    found = await _listen_to_all(actor, desk, [account for account in accounts if is_held_open(account)])
    if any(new is not None for new in found):
        desk.bell.ring("listen_open")
    return sum(new or 0 for new in found)


def is_held_open(account: Document) -> bool:
    """A website of ours that may hold our request (`inbox_wait` in its settings, seconds)."""
    return account["channel"] == "site" and bool((account.get("settings") or {}).get("inbox_wait"))


async def _listen_to_all(actor: Actor, desk: Desk, accounts: Sequence[Document]) -> list[int | None]:
    """New replies of each; None where another listens. Whatever one of them meets, the others are heard; a store that
    fails is said at the end."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(account: Document) -> int | None:
        async with turns:
            return await _listen_to(actor, desk, account)

    done = await asyncio.gather(*(one(account) for account in accounts), return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return [each for each in done if not isinstance(each, BaseException)]


async def _listen_to(actor: Actor, desk: Desk, account: Document) -> int | None:
    """One account under its own lease: two workers never ask one platform at once: it would cost quota twice."""
    name = f"listen:{account['_id']}"
    number = await leases.take(desk.store, name, desk.owner, desk.clock.now(), 60)
    if number is None:
        return None
    try:
        return await _fetch(actor, desk, account)
    except (Unreachable, Unsure):
        raise
    except Exception as error:  # credentials that do not open, a channel with a bug: the other accounts go on
        await _note_trouble(desk, account, Unknown(f"收取时程序出错（{type(error).__name__}）"))
        return 0
    finally:
        await leases.release(desk.store, name, desk.owner, number, desk.clock.now())


async def _fetch(actor: Actor, desk: Desk, account: Document) -> int:
    channel, began = desk.connect(account), desk.clock.monotonic()
    new = 0
    for _ in range(PAGES):
        cursor = await _cursor(desk, account["_id"])
        page = await channel.poll(cursor, await _recent_posts(desk, account["_id"]))
        if not isinstance(page, Page):
            await _note_trouble(desk, account, page)
            return new
        await desk.failpoints.reach("poll.page")
        new += (await take(actor, desk, account, page.heard)).new
        await register(actor, desk, str(account["_id"]), page.devices)
        await desk.failpoints.reach("poll.stored")
        if page.cursor != cursor:
            await _keep_cursor(desk, account["_id"], page.cursor)
        if not page.more and not (is_held_open(account) and _goes_on(desk, page, began)):
            break
    await _note_look(desk, account)
    return new


def _goes_on(desk: Desk, page: Page, began: float) -> bool:
    """Somebody is writing just now, and the next words are waited for at once."""
    return bool(page.heard) and desk.clock.monotonic() - began < LONGEST


async def _cursor(desk: Desk, account: str) -> str:
    row = await desk.store.get("cursors", account)
    return str(row["cursor"]) if row else ""


async def _keep_cursor(desk: Desk, account: str, cursor: str) -> None:
    now = desk.clock.now()
    await desk.store.change("cursors", {"_id": account}, {"$set": {"cursor": cursor, "at": now}}, upsert=True)
    await desk.failpoints.reach("poll.cursor")


async def _recent_posts(desk: Desk, account: str) -> list[str]:
    rows = await desk.store.find(
        "publications",
        {"account": account, "state": "published"},
        sort=[("published_at", -1)],
        limit=RECENT,
        fields=["external_id"],
    )
    return [str(row["external_id"]) for row in rows if row.get("external_id")]


async def _note_look(desk: Desk, account: Document) -> None:
    now = desk.clock.now()
    every = float(account.get("profile", {}).get("listen_every", REST.total_seconds()))
    rest = timedelta(seconds=0 if is_held_open(account) else every)
    seen = {"listen_at": now + rest, "listened_at": now, "listen_trouble": None, "listen_failures": 0}
    await desk.store.change("accounts", {"_id": account["_id"]}, {"$set": seen})


async def _note_trouble(desk: Desk, account: Document, fault: Fault) -> None:
    """Ask later, twice as late after each failure up to a quarter of an hour; people see since when it is so."""
    failures = int(account.get("listen_failures", 0)) + 1
    pause = min(REST * 2**failures, timedelta(minutes=15))
    seen = {"listen_at": desk.clock.now() + pause, "listen_trouble": fault.reason, "listen_failures": failures}
    await desk.store.change("accounts", {"_id": account["_id"]}, {"$set": seen})
