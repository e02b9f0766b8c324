"""通知: the bell of each person, and e-mail about it; notices are born in carrying, who gets one stands in domain."""

from __future__ import annotations

from typing import Any

from channels.contract import Accepted, Outcome, Refused, Unknown, Who
from hub.desk.desk import Desk, Mail
from hub.domain.errors import NotFound
from hub.domain.notice import LEASE, morning, next_try, waits_for_morning
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.sealing import STAFF, Unsealable
from hub.store.base import Document

BATCH = 20
BELL = 99  # further ones are shown as 99+


async def list_notices(
    actor: Actor, desk: Desk, *, unread: bool = False, before: str = "", limit: int = 50
) -> tuple[list[Document], str | None]:
    """One's own notices from the newest down, and the id to go on from (None: the end)."""
    require(actor, "notice.read")
    where: dict[str, Any] = {"person": actor.id}
    where |= {"read_at": None} if unread else {}
    last = await desk.store.get("notices", before) if before else None
    if last is not None and last["person"] == actor.id:
        where["$or"] = [{"at": {"$lt": last["at"]}}, {"at": last["at"], "_id": {"$lt": before}}]
    size = max(1, min(limit, 200))
    rows = await desk.store.find("notices", where, sort=[("at", -1), ("_id", -1)], limit=size + 1)
    return rows[:size], rows[size - 1]["_id"] if len(rows) > size else None


async def count_unread(actor: Actor, desk: Desk) -> int:
    """How many the bell shows, counted no further than a hundred."""
    require(actor, "notice.read")
    return await desk.store.count("notices", {"person": actor.id, "read_at": None}, ceiling=BELL + 1)


async def read_notice(actor: Actor, desk: Desk, id: str) -> None:
    """Mark one's own notice as read; a foreign one is not found."""
    require(actor, "notice.read")
    await own_notice(actor, desk, id)
    unread = {"_id": id, "person": actor.id, "read_at": None}
    await desk.store.change("notices", unread, {"$set": {"read_at": desk.clock.now()}})


async def read_all(actor: Actor, desk: Desk) -> int:
    """Mark all of one's own as read; how many there were."""
    require(actor, "notice.read")
    unread = {"person": actor.id, "read_at": None}
    return await desk.store.change_many("notices", unread, {"$set": {"read_at": desk.clock.now()}})


async def send_mail(actor: Actor, desk: Desk) -> int:
    """One round of e-mail: due ones, each written down before it is sent; how many were tried."""
    require(actor, "notice.send")
    if desk.mail is None:
        return 0
    await _give_up_orphans(desk)
    due = {"mail.state": "due", "mail.not_before": {"$lte": desk.clock.now()}}
    rows = await desk.store.find("notices", due, sort=[("at", 1)], limit=BATCH)
    quiet = await desk.policies.value("quiet_from"), await desk.policies.value("quiet_until")
    tried = 0
    for row in rows:
        if waits_for_morning(row["matter"], desk.clock.now(), *quiet):
            await _put_off(desk, row, quiet[1])
        else:
            tried += await _try(desk, desk.mail, row)
    return tried


async def _put_off(desk: Desk, row: Document, until: int) -> None:
    """Out of the way until the morning: what must go at night shall not stand behind it."""
    due = {"_id": row["_id"], "mail.state": "due"}
    await desk.store.change("notices", due, {"$set": {"mail.not_before": morning(desk.clock.now(), until)}})


async def _give_up_orphans(desk: Desk) -> None:
    """A letter whose sender died is unknown: never sent again by itself, the bell still rings."""
    orphan = {"mail.state": "sending", "mail.lease_until": {"$lte": desk.clock.now()}}
    await desk.store.change_many("notices", orphan, {"$set": {"mail.state": "unknown"}})


async def _try(desk: Desk, mail: Mail, row: Document) -> int:
    now, number = desk.clock.now(), row["mail"]["tries"] + 1
    claim = {"_id": row["_id"], "mail.state": "due", "mail.tries": number - 1}
    intent = {"mail.state": "sending", "mail.tries": number, "mail.lease_until": now + LEASE}
    attempt = {"number": number, "at": now}
    claimed = await desk.store.change("notices", claim, {"$set": intent, "$push": {"mail.attempts": attempt}})
    if claimed is None:
        return 0
    outcome = await _send(desk, mail, claimed)
    values = await _after(desk, number, outcome)
    attempts = [*claimed["mail"]["attempts"][:-1], {**attempt, **_said(outcome), "ended_at": desk.clock.now()}]
    sending = {"_id": row["_id"], "mail.state": "sending", "mail.tries": number}
    await desk.store.change("notices", sending, {"$set": {**values, "mail.attempts": attempts}})
    return 1


async def _send(desk: Desk, mail: Mail, row: Document) -> Outcome:
    """A channel does not raise for what a server does; where it does all the same, nobody knows."""
    user = await desk.store.get("users", row["person"])
    if user is None or user.get("disabled") or not user.get("email"):
        return Refused("address", "这个人现在没有可用的邮箱。", Who.ADMINISTRATOR)
    try:
        to = desk.sealer.open(user["email"], table="users", id=user["_id"], field="email", purpose=STAFF)
    except Unsealable:
        return Refused("address", "邮箱地址打不开，请系统管理员核对密钥。", Who.ADMINISTRATOR)
    try:
        return await mail.send(to, _subject(row), row["text"], row["link"], f"{row['_id']}")
    except Exception as error:
        return Unknown("发送时出了差错，不知是否发出。", {"error": type(error).__name__})


def _subject(row: Document) -> str:
    """The first sentence, short enough for a phone's list."""
    first: str = row["text"].split("。")[0]
    return f"【政声】{first[:40]}{'…' if len(first) > 40 else ''}"


async def _after(desk: Desk, number: int, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"mail.state": "sent"}
    if isinstance(outcome, Refused):
        again = outcome.who is Who.NOBODY and number < await desk.policies.value("mail_tries")
        wait = next_try(number, desk.ids.chance(), outcome.retry_after)
        return {"mail.state": "due", "mail.not_before": desk.clock.now() + wait} if again else {"mail.state": "refused"}
    return {"mail.state": "unknown"}


def _said(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"outcome": "accepted", "external_id": outcome.external_id}
    if isinstance(outcome, Refused):
        return {"outcome": "refused", "code": outcome.code, "reason": outcome.reason}
    return {"outcome": "unknown", "reason": outcome.reason}


async def own_notice(actor: Actor, desk: Desk, id: str) -> Document:
    """One's own notice; a foreign one is not found."""
    require(actor, "notice.read")
    found = await desk.store.get("notices", id)
    if found is None or found["person"] != actor.id:
        raise NotFound("没有这条通知。")
    return found
