"""收听: fetches what citizens said on each account, keeps it sealed and once; what is read from it lives in reading.py.

The order is what makes it safe: the rows are stored durably, then the cursor, then the source is told. A crash between
any two of them brings the same page again, and the unique key (account, external_id) lets nothing in twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.contract import Fault, Heard, Page
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.people import Actor
from hub.domain.reply import LIVE, Arrival, Words, compose
from hub.domain.rights import require
from hub.masking import mask_name, mask_text
from hub.sealing import CITIZEN, Unsealable
from hub.store import leases
from hub.store.base import Document

PAGES = 20  # pages of one account in one go, so that one busy account does not starve the others
RECENT = 30  # newest posts of an account that are worth asking for comments
REST = timedelta(seconds=5)  # until an account is asked again where its channel's data says nothing else
PUSHED = "author"  # purpose of the keyed fingerprint that tells one citizen's replies from another's


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
    documents = [await _document(desk, account, one, stream) for one in heard]
    done = await desk.store.insert_new("replies", documents)
    await desk.failpoints.reach("ingest.stored")
    fresh = set(done.new)
    aside = sum(1 for one in documents if one["_id"] in fresh and one["state"] == "set_aside")
    return Taken(len(done.new), len(done.known), aside)


async def listen(actor: Actor, desk: Desk) -> int:
    """One round over all accounts that are due a look; how many new replies it brought."""
    require(actor, "reply.take")
    accounts = await desk.store.find("accounts", {"listening": True}, sort=[("_id", 1)], limit=200)
    now = desk.clock.now()
    due = [account for account in accounts if (account.get("listen_at") or now) <= now]
    return sum([await _listen_to(actor, desk, account) for account in due])


async def _listen_to(actor: Actor, desk: Desk, account: Document) -> int:
    """One account under its own lease: two workers never ask one platform at once: it would cost quota twice."""
    name = f"listen:{account['_id']}"
    number = await leases.take(desk.store, name, desk.owner, desk.clock.now(), 60)
    if number is None:
        return 0
    try:
        return await _fetch(actor, desk, account)
    finally:
        await leases.release(desk.store, name, desk.owner, number, desk.clock.now())


async def _fetch(actor: Actor, desk: Desk, account: Document) -> int:
    channel = desk.connect(account)
    new = 0
    for _ in range(PAGES):
        cursor = await _cursor(desk, account["_id"])
        page = await channel.poll(cursor, await _recent_posts(desk, account["_id"]))
        if not isinstance(page, Page):
            await _note_trouble(desk, account, page)
            return new
        await desk.failpoints.reach("poll.page")
        new += (await take(actor, desk, account, page.heard)).new
        await desk.failpoints.reach("poll.stored")
        await _keep_cursor(desk, account["_id"], page.cursor)
        if not page.more:
            break
    await _note_look(desk, account)
    return new


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
    rest = timedelta(seconds=float(account.get("profile", {}).get("listen_every", REST.total_seconds())))
    seen = {"listen_at": now + rest, "listened_at": now, "listen_trouble": None, "listen_failures": 0}
    await desk.store.change("accounts", {"_id": account["_id"]}, {"$set": seen})


async def _note_trouble(desk: Desk, account: Document, fault: Fault) -> None:
    """Ask later, twice as late after each failure up to a quarter of an hour; people see since when it is so."""
    failures = int(account.get("listen_failures", 0)) + 1
    pause = min(REST * 2**failures, timedelta(minutes=15))
    seen = {"listen_at": desk.clock.now() + pause, "listen_trouble": fault.reason, "listen_failures": failures}
    await desk.store.change("accounts", {"_id": account["_id"]}, {"$set": seen})


async def _document(desk: Desk, account: Document, heard: Heard, stream: str) -> Document:
    """The reply's document. What cannot be opened is kept whole and set aside for a person: nothing is dropped."""
    id = desk.ids.new()
    arrival = _arrival(desk, account, heard, id, stream)
    seals = {"raw": json.dumps(dict(heard.raw), ensure_ascii=False, sort_keys=True, default=str)}
    try:
        words = _words(desk, heard)
    except (Unsealable, ValueError, TypeError, KeyError):
        document = compose(arrival, _sealed(desk, id, seals), "", "", "", "", "")
        return _aside(desk, document)
    seals |= {"text": words.text, "author": words.author_name, "contact": words.contact}
    key = desk.sealer.index(f"{account['channel']}:{words.author_id}", purpose=PUSHED)
    names = (words.author_name,) if words.author_name else ()
    text, title = mask_text(words.text, names=names), mask_text(words.title, names=names)
    sealed = _sealed(desk, id, {name: value for name, value in seals.items() if value})
    document = compose(arrival, sealed, key, mask_name(words.author_name), text, title, words.district)
    return {**document, **await _about(desk, account["_id"], heard.in_reply_to)}


def _arrival(desk: Desk, account: Document, heard: Heard, id: str, stream: str) -> Arrival:
    return Arrival(
        id=id,
        account=account["_id"],
        channel=account["channel"],
        external_id=heard.external_id,
        kind=heard.kind,
        at=heard.at,
        received_at=desk.clock.now(),
        in_reply_to=heard.in_reply_to,
        stream=stream,
    )


def _aside(desk: Desk, document: Document) -> Document:
    notice = outbox.notice(
        desk.ids.new(),
        "reply.unreadable",
        document["_id"],
        desk.clock.now(),
        people=["duty"],
        text="有一条来信打不开，已原样保存。请系统管理员核对公众网所用的公钥。",
        link=f"/replies/{document['_id']}",
        key="reply.unreadable",
    )
    return outbox.born({**document, "state": "set_aside"}, notice)


def _sealed(desk: Desk, id: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        name: desk.sealer.seal(value, table="replies", id=id, field=name, purpose=CITIZEN)
        for name, value in values.items()
    }


def _words(desk: Desk, heard: Heard) -> Words:
    """The citizen's words: as the channel gave them, or out of the box that the site sealed for us."""
    box = heard.raw.get("sealed")
    if not box:
        title, district = str(heard.raw.get("title") or ""), str(heard.raw.get("district") or "")
        return Words(heard.text, heard.author_id, heard.author_name, title, district)
    plain = desk.sealer.open_box(str(box), table="inbox", id=heard.external_id, field="sealed")
    letter: dict[str, Any] = json.loads(plain)
    name, contact = str(letter.get("author") or ""), str(letter.get("contact") or "")
    who = contact or name or heard.external_id
    place = str(letter.get("place") or "")
    text = f"{letter['text']}\n地点：{place}" if place else str(letter["text"])
    return Words(text, who, name, str(letter.get("title") or ""), str(letter.get("district") or ""), contact)


async def _about(desk: Desk, account: str, external_id: str | None) -> Document:
    """Which of our publications this answers, where it is one."""
    if not external_id:
        return {"publication": None}
    rows = await desk.store.find(
        "publications",
        {"account": account, "external_id": external_id},
        limit=1,
        fields=["content", "title"],
    )
    if not rows:
        return {"publication": None}
    return {"publication": rows[0]["_id"], "about": rows[0].get("title", "")}
