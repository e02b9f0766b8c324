"""平台回调: what a platform posted to the website, opened and given its account; and the keys that prove such posts.

A post is either a citizen's words, which go the way of all replies, or the platform's hint that it has decided about a
submission. The hint is never believed: it only makes the question to the platform due now.
"""

from __future__ import annotations

import json
from typing import Any

from channels.contract import Accepted, Heard, Receiving, Shelving, Verdict
from hub.desk.desk import Desk, connected
from hub.desk.recording import record
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.sealing import Unsealable
from hub.store.base import Document

KIND = "callback"
KEYS = "callback"  # purpose of the fingerprint that tells whether a website has the keys in force
WOKEN = 3  # hints that are followed for one submission: forged ones must not use up the day's questions
MOST = 50
NO_KEYS = {"app_id": "", "token": "", "aes_key": ""}  # proves nothing: what a website believed of old is taken from it
PAGE = 200  # accounts read at once


async def receive(desk: Desk, account: Document, heard: Heard, stream: str) -> Document | None:
    """Whatever was heard as a reply's document, not stored yet; None for a platform's hint, which is nobody's words."""
    unfold = _posted if heard.kind == KIND else record
    return await unfold(desk, account, heard, stream)


async def _posted(desk: Desk, account: Document, heard: Heard, stream: str) -> Document | None:
    """The reply's document under the account it was said to, not stored yet; None where it was no citizen's words.

    What cannot be opened or belongs to nobody is kept whole and set aside, as any other box that does not open.
    """
    target = await desk.store.get("accounts", heard.in_reply_to or "")
    channel = connected(desk, target) if target else ""
    post = _opened(desk, heard)
    if target is None or post is None or not isinstance(channel, Receiving):
        return await record(desk, account, heard, stream)
    said = channel.receive(post["fields"], heard.at)
    if isinstance(said, Verdict):
        await _wake(desk, str(target["_id"]), said.submission)
    if not isinstance(said, Heard):
        return None
    document = await record(desk, target, said, stream)
    return {**document, "first_answer": post.get("first")} if post.get("first") else document


def _opened(desk: Desk, heard: Heard) -> dict[str, Any] | None:
    try:
        plain = desk.sealer.open_box(
            str(heard.raw.get("sealed")), table="inbox", id=heard.external_id, field="sealed"
        )
        post = json.loads(plain)
    except (Unsealable, ValueError):
        return None
    return post if isinstance(post, dict) and isinstance(post.get("fields"), dict) else None


async def _wake(desk: Desk, account: str, submission: str) -> None:
    """Make the look at this submission due now, a few times at most."""
    where = {"account": account, "state": "pending"}
    rows = await desk.store.find("publications", where, sort=[("at", -1)], limit=200, fields=("ticket", "woken"))
    for row in rows:
        if str(row.get("ticket", "")).partition(":")[0] == submission and int(row.get("woken") or 0) < WOKEN:
            mine = {"_id": row["_id"], "state": "pending", "ticket": row["ticket"], "woken": row.get("woken")}
            now = desk.clock.now()
            await desk.store.change("publications", mine, {"$set": {"look_at": now}, "$inc": {"woken": 1}})


# ---- the keys, on each of our websites


async def mirror_keys(actor: Actor, desk: Desk) -> int:
    """Bring each of our websites what proves the platforms' posts, in its newest form; how many went out."""
    require(actor, "column.mirror")
    sites = await desk.store.find("accounts", {"channel": "site"}, sort=[("_id", 1)], limit=MOST)
    done, last = 0, ""
    while True:
        where = {"channel": {"$ne": "site"}, "_id": {"$gt": last}}
        accounts = await desk.store.find("accounts", where, sort=[("_id", 1)], limit=PAGE)
        if not accounts:
            return done
        done += sum([await _bring(desk, account, sites) for account in accounts])
        last = str(accounts[-1]["_id"])


async def _bring(desk: Desk, account: Document, sites: list[Document]) -> int:
    channel = connected(desk, account)
    if not isinstance(channel, Receiving):
        return 0
    keys = channel.callback_keys()
    if keys is None and "callback" not in account:
        return 0
    body = {"channel": account["channel"], **(NO_KEYS if keys is None else keys)}
    known = await _numbered(desk, account, desk.sealer.index(json.dumps(body, sort_keys=True), purpose=KEYS))
    late = [site for site in sites if site["_id"] not in known["at"]]
    return sum([await _put(desk, site, str(account["_id"]), known["version"], body) for site in late])


async def _numbered(desk: Desk, account: Document, digest: str) -> Document:
    """The version of these keys; a new one where they have changed, which no website has yet."""
    known: Document = account.get("callback") or {"digest": "", "version": 0, "at": []}
    if known["digest"] == digest:
        return known
    fresh = {"digest": digest, "version": known["version"] + 1, "at": []}
    mine = {"_id": account["_id"], "callback.digest": known["digest"] or None}
    await desk.store.change("accounts", mine, {"$set": {"callback": fresh}})
    return fresh


async def _put(desk: Desk, site: Document, account: str, version: int, body: Document) -> int:
    channel = connected(desk, site)
    if not isinstance(channel, Shelving):
        return 0
    if not isinstance(await channel.put(KIND, account, version, body), Accepted):
        return 0
    mine = {"_id": account, "callback.version": version}
    return int(await desk.store.change("accounts", mine, {"$push": {"callback.at": site["_id"]}}) is not None)
