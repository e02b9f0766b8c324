"""核实: claims whose holder is gone, results nobody knows, verdicts still awaited, and a person's word on them.

Nothing here sends. A look-up may find a post, or, where the platform's "not there" is trusted, make it due again under
the same key; everything else waits for a person, who has been told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from channels.contract import Accepted, Channel, Found, Missed, Outcome, Staged, Unknown
from hub.desk import claiming, lapsing, ledger, variants
from hub.desk.desk import Desk, connected
from hub.desk.hastening import hasten
from hub.desk.sending import CALL_SECONDS
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.moves import STATE_WORDS
from hub.domain.people import Actor
from hub.domain.publication import (
    Decision,
    Rules,
    decide_checked,
    decide_found,
    decide_lapsed,
    decide_lost,
    decide_missing,
    decide_unseen,
)
from hub.domain.putting_off import look_in
from hub.domain.renditions import recorded
from hub.domain.rights import require
from hub.store.base import Document

BATCH = 20
# How far a look-up reaches back before the attempt. A day and more, because our own clock may have been wrong when the
# attempt was written, and a post that is not seen may be sent again; an older post with the same words is told apart by
# the publication that it belongs to.
CLOCKS_APART = timedelta(hours=26)
WATCHED = 100_000  # losses that one process keeps in mind; more at once would be forgotten before they are settled
LOOK_LEASE = timedelta(seconds=120)  # nobody else looks up the same post meanwhile


async def settle(actor: Actor, desk: Desk) -> int:
    """One round: times that a wrong clock gave and lapsed claims of both tables, then unknown ones, then pending ones.
    The number moved."""
    require(actor, "publication.settle")
    rules = await ledger.rules_of(desk)
    moved = 0
    for table in (ledger.PUBLICATIONS, ledger.OPERATIONS):
        moved += await hasten(desk, table)
        moved += await _settle_lapsed(desk, actor, table, rules)
    moved += await _each_due(desk, ledger.PUBLICATIONS, "unknown", lambda row: _look_up(desk, actor, row))
    moved += await _each_due(desk, ledger.PUBLICATIONS, "pending", lambda row: _check(desk, actor, row, rules))
    return moved


async def _settle_lapsed(desk: Desk, actor: Actor, table: str, rules: Rules) -> int:
    """A claim ran out: before the intent nothing left the house, after it nobody can say."""
    moved = 0
    now = desk.clock.now()
    for row in await lapsing.lapsed_claims(desk, table, rules):
        moved += await ledger.move(desk, actor, table, row, decide_lapsed(row, now)) is not None
    return moved


async def _each_due(desk: Desk, table: str, state: str, settle_one: Callable[[Document], Awaitable[bool]]) -> int:
    """Those whose look is due, each taken by pushing its next look away: two settlers never spend the same quota."""
    moved = 0
    for _ in range(BATCH):
        now = desk.clock.now()
        where = {"state": state, "look_at": {"$lte": now}}
        row = await desk.store.change(table, where, {"$set": look_in(LOOK_LEASE, now)}, sort=[("look_at", 1)])
        if row is None:
            break
        moved += await settle_one(row)
    return moved


async def _look_up(desk: Desk, actor: Actor, publication: Document) -> bool:
    account = await desk.store.get("accounts", str(publication["account"]))
    if account is None:
        return False
    channel = connected(desk, account)
    now, watch = desk.clock.now(), desk.clock.monotonic()  # before the look: it may have come up during it
    if isinstance(channel, str):  # nothing can be learnt until somebody mends the account
        unseen = decide_unseen(publication, now, "trusted", timedelta(minutes=5), channel)
        return await ledger.move(desk, actor, ledger.PUBLICATIONS, publication, unseen) is not None
    settling, lookup = _settling(channel), channel.capabilities.lookup
    seen = await _find(desk, channel, publication)
    if isinstance(seen, Found):
        decision = decide_found(seen.external_id, seen.url, seen.at, now)
    elif isinstance(seen, Unknown):
        decision = decide_unseen(publication, now, lookup, settling, seen.reason, seen.there, seen.retry_after)
    else:
        decision = decide_missing(
            publication, now, lookup, settling, seen, watched=watched_for(desk, publication, watch)
        )
    return await ledger.move(desk, actor, ledger.PUBLICATIONS, publication, decision) is not None


def watched_for(desk: Desk, row: Document, watch: float) -> timedelta:
    """How long, until this moment of its own watch, this process has known of this loss: since it asked first."""
    mark = str(row["_id"]), str(row["lost_at"])
    if mark not in desk.lost and len(desk.lost) >= WATCHED:
        del desk.lost[next(iter(desk.lost))]
    return timedelta(seconds=watch - desk.lost.setdefault(mark, watch))


def _settling(channel: Channel) -> timedelta:
    """How far two look-ups must lie apart: longer than our own longest call, so that a call still under way somewhere
    (a clock that jumped ends leases early), or still on its way there, has ended before the second. Also where the
    platform honours our key: a second call does no harm there, but a person may hold or cancel what was not seen."""
    return max(channel.capabilities.settling, timedelta(seconds=CALL_SECONDS + 30))


async def _find(desk: Desk, channel: Channel, publication: Document) -> Found | Missed | Unknown | None:
    """Ask the platform. A post that another publication has already claimed is not this one's."""
    staged = await staged_again(desk, channel, publication)
    if staged is None:
        return Unknown("稿件的这一版已不在，无从核对")
    since = sending_began(publication) - CLOCKS_APART
    try:
        seen = await channel.find_published(str(publication["key"]), staged, since)
    except Exception as error:  # a channel that raises is a bug; nothing was learnt
        return Unknown("查询时程序出错", {"error": type(error).__name__})
    if isinstance(seen, Found) and not await claiming.is_own(desk, publication, seen.external_id):
        return None
    return seen


def sending_began(publication: Mapping[str, Any]) -> datetime:
    """When the first attempt that is still in doubt began."""
    doubtful = [one for one in publication["attempts"] if one.get("outcome") in (None, "unknown", "pending")]
    began: datetime = (doubtful or publication["attempts"])[0]["at"]
    return began


async def staged_again(desk: Desk, channel: Channel, publication: Document) -> Staged | None:
    """What was sent, put together again from the immutable revision and what the intent wrote down."""
    revision = await variants.revision_of(desk, str(publication["content"]), int(publication["revision"]))
    if revision is None:
        return None
    variant = await variants.variant_of(
        desk,
        revision,
        override=publication.get("override"),
        package=str(publication["hash"]),
        link=publication.get("link"),
        renditions=recorded(publication),
    )
    return Staged(channel.prepare(variant), publication.get("staged", {}))


async def _check(desk: Desk, actor: Actor, publication: Document, rules: Rules) -> bool:
    account = await desk.store.get("accounts", str(publication["account"]))
    if account is None:
        return False
    channel = connected(desk, account)
    outcome = await _verdict(channel, str(publication["ticket"]))
    decision = decide_checked(publication, outcome, desk.clock.now(), rules)
    by_words = not isinstance(channel, str) and not channel.capabilities.honours_key
    if isinstance(outcome, Accepted) and by_words and not await claiming.is_own(desk, publication, outcome.external_id):
        decision = decide_lost(publication, claiming.ANOTHERS, desk.clock.now())
    return await ledger.move(desk, actor, ledger.PUBLICATIONS, publication, decision) is not None


async def _verdict(channel: Channel | str, ticket: str) -> Outcome:
    if isinstance(channel, str):
        return Unknown(channel)
    try:
        return await channel.check(ticket)
    except Exception as error:  # a channel that raises is a bug; nothing was learnt
        return Unknown("查询时程序出错", {"error": type(error).__name__})


# ---- a person's word


async def resolve(
    actor: Actor, desk: Desk, publication_id: str, outcome: str, *, url: str | None = None, evidence: str = ""
) -> Document:
    """人工认定, from `unknown` only: `published` with its address (where the channel has one), or `not_published`.

    Releasing it afterwards is a second act. Raises Invalid where the address is not one of the account's own hosts.
    """
    require(actor, "publication.resolve")
    if actor.kind != "person":
        raise Invalid("只有人可以认定结果。")
    found = await desk.store.get(ledger.PUBLICATIONS, publication_id)
    if found is None:
        raise NotFound("没有找到这条发布。")
    if found["state"] != "unknown":
        raise Conflict(f"这条发布现在是“{STATE_WORDS[found['state']]}”，只有“待核对”的才需要认定。")
    account = await desk.store.get("accounts", str(found["account"])) or {}
    channel = connected(desk, account) if account else "没有这个账号"
    addressed = bool(url) or isinstance(channel, str) or channel.capabilities.addressed
    decision = _word(actor, found, account if addressed else None, outcome, url, evidence.strip(), desk.clock.now())
    after = await ledger.move(desk, actor, ledger.PUBLICATIONS, found, decision, detail={"outcome": outcome})
    if after is None:
        raise Conflict("系统刚刚查到了结果，请刷新后再看。")
    return after


def _word(
    actor: Actor,
    found: Document,
    account: Mapping[str, Any] | None,
    outcome: str,
    url: str | None,
    evidence: str,
    now: datetime,
) -> Decision:
    if not evidence:
        raise Invalid("请写明依据。", (FieldError("evidence", "请写明在哪里看到的、什么时候看的。"),))
    said = {"by": actor.id, "at": now, "outcome": outcome, "evidence": evidence}
    if outcome == "not_published":
        closing = {"outcome": "refused", "reason": "人工认定没有公开", "ended_at": now}
        return Decision("say_not_published", {"resolve": said, "reason": "人工认定没有公开", "look_at": None}, closing)
    if outcome != "published":
        raise Invalid("请选“已公开”或“未公开”。", (FieldError("outcome", "只能是 published 或 not_published。"),))
    if account is not None:  # None: what this channel publishes has no address
        _check_address(url, account)
    closing = {"outcome": "accepted", "reason": "人工认定已公开", "ended_at": now}
    fields = {"resolve": said, "url": url, "published_at": sending_began(found), "reason": None, "look_at": None}
    return Decision("say_published", fields, closing)


def _check_address(url: str | None, account: Mapping[str, Any]) -> None:
    """The address must lie where the account's posts lie. Where no host is known, the website's own is still refused
    for the other channels: their `domain` is what they link to, not where they are."""
    try:
        parts = urlsplit(url or "")
    except ValueError:  # such as http://[x/
        parts = urlsplit("")
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("请填公开后的完整网址。", (FieldError("url", "以 http:// 或 https:// 开头。"),))
    settings = account.get("settings", {})
    own = account.get("channel") in ("site", "app")
    hosts = _hosts(settings, own)
    fits = any(_within(host, each) for each in hosts)
    wrong = not own and settings.get("domain") and _within(host, settings["domain"])
    if (hosts and not fits) or (not hosts and wrong):
        raise Invalid("这个网址不在该账号的平台上。", (FieldError("url", "请从平台上复制这一条的网址。"),))


def _hosts(settings: Mapping[str, Any], own: bool) -> list[str]:
    addresses = (settings.get("page_url"), settings.get("base_url"))
    known = [urlsplit(str(each)).hostname or "" for each in addresses if each]
    known += [*settings.get("post_hosts", ()), *([settings.get("domain") or ""] if own else [])]
    return [each.removeprefix("api.") for each in known if each]


def _within(host: str, known: str) -> bool:
    return host == known or host.endswith(f".{known}")
