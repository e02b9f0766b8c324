"""紧急标记: a person says that a reply is urgent, of which kind, or that it is not; the rules are domain.urgency's."""

from __future__ import annotations

from hub.desk import replies
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.errors import Conflict
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.domain.urgency import HINTS, LIFE, MATTER, WORDS, Agreement, agreement, bell_text, check_mark, marked
from hub.store.base import Document

NEWEST = 500  # marks of a kind that are compared with the reading


async def mark_urgency(actor: Actor, desk: Desk, id: str, kind: str, seen: int) -> Document:
    """标紧急: one compare-and-set on the number of the mark that was seen; 危及人身 rings for those on duty.

    The reading may be at the same reply: it writes other fields, and a hint only where no mark stands.
    """
    require(actor, "urgency.write")
    found = await replies.reply(actor, desk, id)
    check_mark(found, kind, seen)
    now = desk.clock.now()
    rows = [
        outbox.audit(desk.ids.new(), actor, "reply.urgency", id, now, detail={"kind": kind}),
        outbox.event(desk.ids.new(), "replies", id, now),
    ]
    if kind == LIFE:
        text, key = bell_text(found, actor), f"{MATTER}:{id}:{seen + 1}"
        rows.append(
            outbox.notice(
                desk.ids.new(), MATTER, id, now, people=["duty"], text=text, link=f"/replies/{id}", key=key
            )
        )
    as_seen = {"_id": id, "urgency.number": seen or None, "confidential": {"$ne": True}}
    after = await desk.store.change("replies", as_seen, outbox.noted({"$set": marked(kind, actor, now, seen)}, *rows))
    if after is None:
        raise Conflict("这条刚被别人标过，请看过再定。")
    return replies.shown(after)


async def hints_on(actor: Actor, desk: Desk) -> bool:
    """Whether the office wants to see what the reading takes for possible."""
    require(actor, "reply.read")
    return bool(await desk.policies.value(HINTS))


async def agreement_on_marks(actor: Actor, desk: Desk) -> Agreement:
    """提示准不准: what the reading took for possible, shown or not, beside what people said; the newest of a kind."""
    require(actor, "policy.read")
    said: list[tuple[str, str]] = []
    for kind in WORDS:
        where = {"urgency.kind": kind, **replies.OPEN_WORDS}
        rows = await desk.store.find(
            "replies", where, sort=[("urgency.at", -1)], limit=NEWEST, fields=["analysis.urgency.kind"]
        )
        said += [(kind, _read(row)) for row in rows]
    return agreement(said)


def _read(row: Document) -> str:
    analysis = row.get("analysis") or {}
    return str((analysis.get("urgency") or {}).get("kind", ""))
