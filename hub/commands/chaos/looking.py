"""What stands in the ledger and what stands outside, read for the chaos bench's reckoning; judged in comparing.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.commands.chaos.comparing import Post
from hub.commands.chaos.town import PLATFORMS, Town, asked
from hub.desk.desk import Desk
from hub.store.base import Document

PAGE = 1000
LOOKED_ENOUGH = 8  # looks at something unknown after which only a person moves it, or the account's other posts
LISTS = (("site", "articles"), ("app", "cards"))


async def ledger_rows(desk: Desk) -> list[Document]:
    """Every publication."""
    return await _all(desk, "publications")


async def told(desk: Desk) -> frozenset[str]:
    """The publications about which a person has been told something."""
    return frozenset(str(row["subject"]) for row in await _all(desk, "notices"))


async def _all(desk: Desk, table: str) -> list[Document]:
    rows: list[Document] = []
    after = ""
    while page := await desk.store.find(table, {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=PAGE):
        rows, after = rows + page, page[-1]["_id"]
    return rows


def is_at_rest(row: Document) -> bool:
    """Whether nothing but a person moves this one any more."""
    if row["state"] == "unknown":
        return row.get("look_at") is None or int(row.get("looks", 0)) >= LOOKED_ENOUGH
    return row["state"] not in ("scheduled", "waiting", "staging", "sending", "pending")


async def moving(desk: Desk) -> int:
    """How many publications still move by themselves, and boxes that wait for the carrier."""
    going = {"state": {"$in": ["scheduled", "waiting", "staging", "sending", "pending"]}}
    unknown = await desk.store.find("publications", {"state": "unknown"}, limit=PAGE)
    boxes = await desk.store.count("publications", {"outbox_open": True}, ceiling=PAGE)
    rest = sum(not is_at_rest(row) for row in unknown)
    return await desk.store.count("publications", going, ceiling=100_000) + rest + boxes


def everything_public(town: Town) -> list[Post]:
    """What stands on every account, out of the platforms' own lists. Blocks: for a thread."""
    found: list[Post] = []
    for group in range(town.plan.groups):
        for platform in PLATFORMS:
            rows = town.control(platform, group, "posts")
            found += [_post(f"{platform}-{group + 1}", row) for row in rows]
    for number in range(town.plan.sites):
        for account, what in LISTS:
            rows = _listed(town.site_port(number), what)
            found += [_of_group(town, account, number, _post(account, row)) for row in rows]
    return found


def _of_group(town: Town, kind: str, site: int, post: Post) -> Post:
    """A website's list names no account: whose it is follows from the content's number, if it is the right website."""
    group = town.plan.group_of(int(post.mark or 0))
    known = bool(post.mark) and town.plan.site_of(group) == site
    return replace(post, account=f"{kind}-{group + 1}" if known else f"{kind}@{site + 1}")


def _post(account: str, row: dict[str, Any]) -> Post:
    return Post(account, str(row["id"]), f"{row.get('title', '')}\n{row.get('text', '')}", row)


def _listed(port: int, what: str) -> list[dict[str, Any]]:
    """A public list of a website, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = asked(port, "GET", f"/public/v1/{what}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        found += answer[what]
        cursor = answer.get("cursor") or ""
        if not cursor:
            return found
