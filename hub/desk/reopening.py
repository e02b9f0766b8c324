"""重新打开: boxes that did not open are tried again, for a key may have been mended; keeping them is recording's."""

from __future__ import annotations

import json
from datetime import timedelta

from channels.contract import Heard
from hub.desk.callbacks import receive
from hub.desk.desk import Desk
from hub.desk.recording import seal_fields
from hub.domain.people import Actor
from hub.domain.reply import DOUBLE, HINT, UNOPENED
from hub.domain.rights import require
from hub.sealing import CITIZEN, Unsealable
from hub.store.base import Document, Duplicate

AGAIN = timedelta(minutes=10)  # until a box that did not open is tried again
BATCH = 100


async def reopen(actor: Actor, desk: Desk) -> int:
    """Try the boxes again that did not open; how many did, and go the way of all replies from here."""
    require(actor, "reply.take")
    now = desk.clock.now()
    due = {"state": UNOPENED, "$or": [{"retry_at": None}, {"retry_at": {"$lte": now}}]}
    rows = await desk.store.find("replies", due, sort=[("at", -1)], limit=BATCH)
    return sum([await _try(desk, row) for row in rows])


async def _try(desk: Desk, reply: Document) -> int:
    account = {"_id": reply["account"], "channel": reply["channel"]}
    mine = {"_id": reply["_id"], "state": UNOPENED}
    later = {"$set": {"retry_at": desk.clock.now() + AGAIN}}
    try:
        opened = await receive(desk, account, _heard(desk, reply), reply["stream"])
    except Unsealable:
        await desk.store.change("replies", mine, later)
        return 0
    if opened is None:  # a platform's hint, and nobody's words
        return int(await desk.store.change("replies", mine, {"$set": {"state": HINT}}) is not None)
    if opened["state"] == UNOPENED:
        await desk.store.change("replies", mine, later)
        return 0
    try:
        return int(await desk.store.change("replies", mine, {"$set": _moved(desk, opened, reply["_id"])}) is not None)
    except Duplicate:  # the page came again after the key was mended, and was taken in under its own account
        await desk.store.change("replies", mine, {"$set": {"state": DOUBLE}})
        return 0


def _heard(desk: Desk, reply: Document) -> Heard:
    raw = desk.sealer.open(reply["sealed"]["raw"], table="replies", id=reply["_id"], field="raw", purpose=CITIZEN)
    about = reply.get("in_reply_to")
    return Heard(reply["external_id"], reply["kind"], "", "", "", reply["at"], about, json.loads(raw))


def _moved(desk: Desk, opened: Document, id: str) -> Document:
    """What the new document says, with its seals bound to the row that is there."""
    kept = ("_id", "received_at", "outbox", "outbox_open", "outbox_count")
    plain = {
        name: desk.sealer.open(value, table="replies", id=opened["_id"], field=name, purpose=CITIZEN)
        for name, value in opened["sealed"].items()
    }
    fields = {name: value for name, value in opened.items() if name not in kept}
    return {**fields, "sealed": seal_fields(desk, id, plain)}
