"""预览: what a content becomes on each account, and what still keeps it from going out; nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.contract import Prepared, Problem
from hub.desk.desk import Desk, connected
from hub.desk.ledger import STANDING
from hub.desk.variants import override_of, package_of, variant_of
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

MOST_ACCOUNTS = 50
EARLY = ("proposed", "scheduled", "waiting")
ILL = {"expired": "授权已失效", "not_connected": "账号没有连上", "quota_low": "今天的额度快用完了"}


@dataclass(frozen=True)
class Preview:
    """One account's version: what `prepare` made of it, and the text written by hand with the revision it was for."""

    account: Document
    prepared: Prepared
    publication: Document | None
    override: Mapping[str, Any] | None
    behind: bool  # written by hand for an older revision

    @property
    def planned(self) -> bool:
        return self.publication is not None


@dataclass(frozen=True)
class Hold:
    """What still keeps one account's post from going out; `ready`: nothing does."""

    account: Document
    words: str
    state: str  # of its publication; empty: there is none
    ready: bool
    at: datetime | None = None


async def previews(actor: Actor, desk: Desk, content: Document, revision: Document) -> list[Preview]:
    """Every account's version of this revision, websites first."""
    require(actor, "content.read")
    accounts = await desk.store.find("accounts", {}, sort=[("_id", 1)], limit=MOST_ACCOUNTS)
    planned = await publications_of(actor, desk, [content["_id"]])
    open_ = {row["account"]: row for row in planned.get(content["_id"], ())}
    link = _link(accounts, content["_id"])
    ordered = sorted(accounts, key=lambda row: (row["channel"] != "site", row["_id"]))
    return [await _preview(desk, content, revision, account, open_.get(account["_id"]), link) for account in ordered]


async def preview(actor: Actor, desk: Desk, content: Document, revision: Document, account: Document) -> Preview:
    """One account's version of this revision, without its plan."""
    require(actor, "content.read")
    sites = await desk.store.find("accounts", {"channel": "site"}, sort=[("_id", 1)], limit=1)
    return await _preview(desk, content, revision, account, None, _link(sites, content["_id"]))


def _link(accounts: Sequence[Document], id: str) -> str | None:
    site = next((row for row in accounts if row["channel"] == "site"), None)
    base = str(site.get("settings", {}).get("base_url", "")).rstrip("/") if site else ""
    return f"{base}/articles/{id}" if base else None


async def _preview(
    desk: Desk, content: Document, revision: Document, account: Document, planned: Document | None, link: str | None
) -> Preview:
    channel = connected(desk, account)
    override = override_of(content, account["_id"])
    kept = content.get("variants", {}).get(account["_id"], {})
    domain = account.get("settings", {}).get("domain")
    address = f"https://{domain}/articles/{content['_id']}" if domain else link
    package = package_of(content, revision)
    variant = await variant_of(desk, revision, override=override, package=package, link=address)
    behind = bool(override) and kept.get("revision") != revision["number"]
    prepared = unprepared(channel) if isinstance(channel, str) else channel.prepare(variant)
    return Preview(account, prepared, planned, override, behind)


def unprepared(why: str) -> Prepared:
    """What stands in place of a version where the account's channel cannot be had."""
    return Prepared({}, {}, [Problem("account", "block", why)], "")


def holds(content: Document, found: Sequence[Preview]) -> list[Hold]:
    """One line an account that is planned, and one for each that is not."""
    return [_hold(content, each) for each in found]


def _hold(content: Document, each: Preview) -> Hold:
    row, account = each.publication, each.account
    health = str((account.get("health") or {}).get("state", ""))
    problem = next((one.message for one in each.prepared.problems if one.severity == "block"), "")
    if problem:
        return Hold(account, problem, "", False)
    if account.get("held"):
        return Hold(account, f"账号已暂停：{account.get('held_reason') or '等人放行'}", "", False)
    if health in ILL:
        return Hold(account, ILL[health], "", False)
    if row is None:
        return Hold(account, "还没有排时间", "", False)
    if row["state"] not in EARLY:
        return Hold(account, "", row["state"], row["state"] == "published", row["at"])
    words = "等网站先发出，拿到链接后再发" if account.get("waits_for") else "来源和栏目已填，到时间自动发出"
    return Hold(account, words, row["state"], content["state"] == "approved", row["at"])


def _website_first(row: Document) -> tuple[bool, str]:
    return row["channel"] != "site", str(row["account"])


async def publications_of(actor: Actor, desk: Desk, ids: Sequence[str]) -> Mapping[str, list[Document]]:
    """The publications of these contents that are not given up, newest plan of each account, by content.

    What is scheduled before its content is approved has the state `proposed` here (拟发).
    """
    require(actor, "content.read")
    where = {"content": {"$in": list(ids)}, **STANDING}
    fields = ("content", "account", "channel", "state", "at", "url", "published_at", "hash")
    rows = await desk.store.find("publications", where, sort=[("at", 1)], limit=1_000, fields=fields) if ids else []
    contents = await desk.store.find("contents", {"_id": {"$in": list(ids)}}, limit=len(ids) or 1, fields=("state",))
    states = {row["_id"]: row["state"] for row in contents}
    found: dict[str, dict[str, Document]] = {}
    for row in rows:
        early = row["state"] == "scheduled" and states.get(row["content"]) != "approved"
        found.setdefault(row["content"], {})[row["account"]] = {**row, "state": "proposed"} if early else row
    return {content: sorted(accounts.values(), key=_website_first) for content, accounts in found.items()}
