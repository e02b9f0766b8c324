"""发布前检查: looks at each planned post half an hour before its time, and warns while it can still be mended.

Shared by workers by a claim on each post: the claim names what was read, and what it found is written under the same
claim. Whoever died in between leaves a lease that runs out. The judgements are in domain/preflight.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.contract import Channel, Health
from hub.desk import ledger, quotas, variants
from hub.desk.desk import Desk, connected
from hub.domain import outbox, preflight
from hub.domain.errors import NotFound
from hub.domain.outage import SILENCE
from hub.domain.people import Actor
from hub.domain.preflight import Concern, is_due, mark_of, new_ones, warning
from hub.domain.publication import Rules
from hub.domain.rights import require
from hub.store.base import Document

TABLE = ledger.PUBLICATIONS
OPEN = ("scheduled", "waiting")
MOST = 2_000  # planned posts looked through in one round
ROUND = 200  # of them checked in one round


@dataclass
class Look:
    """One round's surroundings: the office's figures, and the answers of platforms, each asked once a round."""

    now: datetime
    rules: Rules
    apart: timedelta
    ahead: timedelta
    healths: dict[str, Health] = field(default_factory=dict)

    def is_near(self, row: Document) -> bool:
        """Near enough that text, approval and clock must be right; before that only what takes days to mend."""
        return bool(row["at"] - self.now <= self.ahead)


async def run_preflight(actor: Actor, desk: Desk) -> int:
    """One round: posts that are near, and those in which something was found wrong before. How many were checked."""
    require(actor, "publication.preflight")
    look = await _look(desk)
    rows = await _near(desk, look)
    facts = await _facts(desk, rows)
    checked = 0
    for row in rows:
        mark = facts.mark(row, look)
        if checked < ROUND and is_due(row, mark, look.now):
            checked += await _check(desk, look, row, mark)
    return checked


async def look_again(actor: Actor, desk: Desk, publication_id: str) -> Document:
    """再查一次, at once, for whoever pressed; the publication with what is wrong now."""
    require(actor, "publication.read")
    row = await desk.store.get(TABLE, publication_id)
    if row is None:
        raise NotFound("没有找到这条发布。")
    if row["state"] in OPEN:
        facts = await _facts(desk, [row])
        look = await _look(desk)
        await _check(desk, look, row, facts.mark(row, look))
    return await desk.store.get(TABLE, publication_id) or row


async def concerned(actor: Actor, desk: Desk, *, limit: int = 20) -> list[Document]:
    """The planned posts that would not go out as things stand, the soonest first, with their accounts' names."""
    require(actor, "publication.read")
    where = {"state": {"$in": list(OPEN)}, "preflight_at": {"$exists": True}}
    fields = ("title", "content", "account", "channel", "state", "at", "concerns", "preflighted_at", "created_at")
    rows = await desk.store.find(TABLE, where, sort=[("at", 1)], limit=limit, fields=fields)
    facts = await _facts(desk, rows)
    return [
        {**row, "account_name": str(facts.accounts.get(row["account"], {}).get("name", row["account"]))} for row in rows
    ]


async def foresee(desk: Desk, account: Document, publication: Document) -> list[Concern]:
    """What can be known when a post is planned, however far ahead: the token's end, and the quota of that day."""
    known = account.get("health") or {}
    health = Health("ok", "", known.get("token_until"))  # as last looked at: planning asks no platform twice
    reauthorised = bool(account.get("reauthorised"))
    ends = preflight.of_token(account, health, publication["at"], reauthorised=reauthorised)
    return [*ends, *await _quota(desk, await _look(desk), account, publication)]


async def _look(desk: Desk) -> Look:
    apart = timedelta(seconds=await desk.policies.value("clock_apart_seconds"))
    ahead = timedelta(minutes=await desk.policies.value("preflight_minutes"))
    return Look(desk.clock.now(), await ledger.rules_of(desk), apart, ahead)


async def _near(desk: Desk, look: Look) -> list[Document]:
    near = {"state": {"$in": list(OPEN)}, "at": {"$gt": look.now, "$lte": look.now + look.ahead}}
    rows = await desk.store.find(TABLE, near, sort=[("at", 1)], limit=MOST)
    again = {"state": {"$in": list(OPEN)}, "preflight_at": {"$lte": look.now}}
    known = {row["_id"] for row in rows}
    later = await desk.store.find(TABLE, again, sort=[("preflight_at", 1)], limit=ROUND)
    return [*rows, *(row for row in later if row["_id"] not in known and row["at"] > look.now)]


@dataclass(frozen=True)
class Facts:
    """What the marks of these posts rest on, read together."""

    contents: Mapping[str, Document]
    accounts: Mapping[str, Document]
    awaited: Mapping[str, Document]

    def mark(self, row: Document, look: Look) -> str:
        content, account = self.contents.get(row["content"]), self.accounts.get(row["account"])
        return mark_of(row, content, account, self.awaited.get(str(row.get("waits_for"))), near=look.is_near(row))


async def _facts(desk: Desk, rows: Sequence[Document]) -> Facts:
    async def by_id(table: str, ids: set[str]) -> dict[str, Document]:
        found = await desk.store.find(table, {"_id": {"$in": sorted(ids)}}, limit=len(ids)) if ids else []
        return {one["_id"]: one for one in found}

    contents = await by_id("contents", {row["content"] for row in rows})
    accounts = await by_id("accounts", {row["account"] for row in rows})
    awaited = await by_id(TABLE, {str(row["waits_for"]) for row in rows if row.get("waits_for")})
    return Facts(contents, accounts, awaited)


# ---- one post


async def _check(desk: Desk, look: Look, row: Document, mark: str) -> bool:
    """Claimed, looked at, written; False where somebody else is at it or it has moved on."""
    until = look.now + preflight.LEASE
    seen = {"_id": row["_id"], "state": row["state"], "at": row["at"]}
    free = {**seen, "preflight_mark": row.get("preflight_mark"), "preflight_lease": row.get("preflight_lease")}
    claim = {"$set": {"preflight_lease": until}}
    claimed = await desk.store.change(TABLE, free, claim)
    if claimed is None:
        return False
    found = await _concerns(desk, look, claimed)
    return await _written(desk, look, claimed, mark, found, {**seen, "preflight_lease": until})


async def _written(
    desk: Desk, look: Look, row: Document, mark: str, found: Sequence[Concern], claim: Document
) -> bool:
    before = row.get("concerns") or []
    fresh = new_ones(before, found)
    pause = preflight.RECHECK if look.is_near(row) else preflight.RECHECK_FAR
    again = {"preflight_at": look.now + pause} if found else {}
    fields = {"preflight_mark": mark, "preflighted_at": look.now, "concerns": [one.row() for one in found], **again}
    gone = {"preflight_lease": "", **({} if found else {"preflight_at": ""})}
    rows = []
    if fresh or len(before) != len(found):
        rows.append(outbox.event(desk.ids.new(), "publication.changed", str(row["_id"]), look.now))
    rows += await _notices(desk, row, fresh, look.now)
    update = outbox.noted({"$set": fields, "$unset": gone}, *rows)
    return await desk.store.change(TABLE, claim, update) is not None


async def _notices(desk: Desk, row: Document, fresh: Sequence[Concern], now: datetime) -> list[outbox.Row]:
    """The author and whoever is on duty; what concerns the whole account is told once a day, not for every post."""
    if not fresh:
        return []
    account = await desk.store.get("accounts", str(row["account"])) or {}
    content = await desk.store.get("contents", str(row["content"]), fields=("author",)) or {}
    people = sorted({str(row["by"]), str(content.get("author") or row["by"]), "duty"})
    whole = all(one.rule in preflight.ACCOUNT for one in fresh)
    rules = "+".join(sorted(one.rule for one in fresh))
    key = f"preflight:{row['account']}:{rules}:{now.date()}" if whole else f"preflight:{row['_id']}:{now.isoformat()}"
    text = warning(row, str(account.get("name", row["account"])), fresh, now)
    id, link = str(row["_id"]), f"/publications?open={row['_id']}"
    matter = "publication.preflight"
    return [outbox.notice(desk.ids.new(), matter, id, now, people=people, text=text, link=link, key=key)]


async def _concerns(desk: Desk, look: Look, row: Document) -> list[Concern]:
    account = await desk.store.get("accounts", str(row["account"]))
    if account is None:
        return [Concern("account", "账号已不在。", "看这条发布", f"/publications?open={row['_id']}")]
    found = preflight.of_account(account) if look.is_near(row) else []
    channel = connected(desk, account)
    if isinstance(channel, str):
        return [*found, Concern("token", channel, "检查账号", f"/accounts/{account['_id']}")]
    health = await _health(desk, look, account, channel)
    found += preflight.of_token(account, health, row["at"], reauthorised=channel.capabilities.reauthorised)
    found += await _quota(desk, look, account, row)
    if not look.is_near(row):
        return found
    found += await _text(desk, account, channel, row)
    account = await desk.store.get("accounts", str(row["account"])) or account  # the look may have noted its clock
    return [*found, *preflight.of_clock(account, await _clock(desk, look, account), look.apart)]


async def _health(desk: Desk, look: Look, account: Document, channel: Channel) -> Health:
    """Asked once a round for all its posts."""
    id = str(account["_id"])
    if id not in look.healths:
        try:
            look.healths[id] = await channel.preflight()
        except Exception as error:  # a channel that raises is a bug; the account's own check says so too
            look.healths[id] = Health("unreachable", type(error).__name__)
    return look.healths[id]


async def _quota(desk: Desk, look: Look, account: Document, row: Document) -> list[Concern]:
    found: list[Concern] = []
    for left, before in await quotas.ahead_of(desk, account, row):
        found += preflight.of_quota(row, left, before, look.now, look.rules)
    return found[:1]  # the hour's and the day's say the same


async def _text(desk: Desk, account: Document, channel: Channel, row: Document) -> list[Concern]:
    """The package, its approval, its link, its length and pictures: what the platform would refuse."""
    content = await desk.store.get("contents", str(row["content"]))
    revision = await variants.revision_of(desk, str(row["content"]), int(content["revision"])) if content else None
    if content is None or revision is None:
        return preflight.of_approval(row, None, None)
    package, settings = variants.package_of(content, revision), account.get("settings", {})
    awaited = await desk.store.get(TABLE, str(row["waits_for"])) if row.get("waits_for") else None
    link = row.get("link") or (awaited or {}).get("url") or _likely(settings, str(row["content"]))
    override = variants.override_of(content, str(account["_id"]))
    variant = await variants.variant_of(desk, revision, override=override, package=package, link=link)
    problems = channel.prepare(variant).problems
    shown = (override or {}).get("blocks") or revision.get("blocks", ())
    return [
        *preflight.of_approval(row, content, package),
        *preflight.of_link(row, awaited),
        *preflight.of_pictures(row, await variants.missing_pictures(desk, shown)),
        *preflight.of_problems(row, problems),
    ]


def _likely(settings: Mapping[str, object], content: str) -> str | None:
    """The address that it will have, as far as one can know before the website has it."""
    return f"https://{settings['domain']}/articles/{content}" if settings.get("domain") else None


async def _clock(desk: Desk, look: Look, account: Document) -> timedelta | None:
    """By the platform's own word; where it says none, by a worker whose beat lies in our future."""
    if account.get("clock_ahead") is not None:
        return timedelta(seconds=int(account["clock_ahead"]))
    ahead = {"at": {"$gt": look.now + max(look.apart, SILENCE)}}
    beats = await desk.store.find("beats", ahead, sort=[("at", -1)], limit=1)
    return beats[0]["at"] - look.now if beats else None
