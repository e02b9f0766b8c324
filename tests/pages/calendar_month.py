"""A month of posts for the calendar's tests, put into the ledger as they stand; it tests nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.clock import SHANGHAI
from tests.pages.desk_room import Room

BOTH = ("site-main", "weibo-main")
CHANNEL = {"site-main": "site", "weibo-main": "weibo"}


def moment(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment of 2026 as the office reads it; the room's clock stands at 24 November, nine in the morning."""
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


async def post(
    room: Room,
    content: str,
    title: str,
    at: datetime,
    accounts: tuple[str, ...] = ("site-main",),
    *,
    state: str = "scheduled",
    approved: bool = True,
    column: str = "",
    **more: Any,
) -> list[str]:
    """One content with a publication on each account at this time in this state; their ids."""
    await room.office.write(content, title, approved=approved, by=room.people["editor"].id)
    if column:
        await room.desk.store.change("contents", {"_id": content}, {"$set": {"column": column}})
    ids = [f"{content}:{account}:1" for account in accounts]
    for id, account in zip(ids, accounts, strict=True):
        await room.desk.store.insert("publications", {**row(content, title, account, at, state), "_id": id, **more})
    return ids


def row(content: str, title: str, account: str, at: datetime, state: str) -> dict[str, Any]:
    """A publication as the ledger keeps it."""
    return {
        "content": content, "title": title, "account": account, "channel": CHANNEL[account], "at": at,
        "not_before": at, "state": state, "key": f"{content}:{account}", "revision": 1, "hash": "", "late": "ask",
        "tries": 0, "lease_number": 0, "attempts": [], "seen_missing": 0, "by": "u", "created_at": at,
        "changed_at": at,
    }  # fmt: skip
