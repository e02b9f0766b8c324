"""导入: takes a past of replies in through the same door as today's; reading files lives in the commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from channels.contract import Heard
from hub.clock import local
from hub.desk.desk import Desk
from hub.desk.listening import Taken, take
from hub.domain.errors import NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.domain.rows import Row
from hub.store.base import Document

BATCH = 200


async def import_replies(
    actor: Actor, desk: Desk, account_key: str, rows: Sequence[Row], told: Callable[[int], object]
) -> Taken:
    """Take the rows in, oldest first, as a stream of their own; `told` hears how many more are done. Repeatable."""
    require(actor, "reply.import")
    account = await desk.store.get("accounts", account_key)
    if account is None:
        known = await desk.store.find("accounts", {}, sort=[("_id", 1)], limit=50, fields=["_id"])
        names = "、".join(row["_id"] for row in known) or "还没有账号"
        raise NotFound(f"没有账号“{account_key}”。现有：{names}。")
    new = known_before = aside = 0
    stream = stream_of(account_key, rows)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        taken = await take(actor, desk, account, [heard_of(row) for row in part], stream=stream)
        new, known_before, aside = new + taken.new, known_before + taken.known, aside + taken.aside
        told(len(part))
    return Taken(new, known_before, aside)


def stream_of(account_key: str, rows: Sequence[Row]) -> str:
    """A past is a stream of its own, named by its account and its first day: two pasts must not disturb each other's
    baselines, and the same file imported again must find the same stream."""
    return f"import:{account_key}:{local(rows[0].at):%Y-%m-%d}" if rows else f"import:{account_key}"


async def source(actor: Actor, desk: Desk, account_key: str) -> Document | None:
    """The account whose replies a program brings; None where there is none. Nothing of it is for showing."""
    require(actor, "reply.take")
    return await desk.store.get("accounts", account_key)


def heard_of(row: Row) -> Heard:
    """The row as a channel would have given it."""
    raw = {"imported": dict(row.raw), "title": row.title, "district": row.district}
    return Heard(
        external_id=row.external_id,
        kind=row.kind,
        author_id=row.author or row.external_id,
        author_name=row.author,
        text=row.text,
        at=row.at,
        in_reply_to=row.in_reply_to,
        raw=raw,
    )
