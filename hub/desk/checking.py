"""校对一篇稿件: its texts, hand-written variants and what channels would refuse; the rules are in hub/checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.checks.finding import Context, Finding
from hub.checks.running import run, unchecked
from hub.clock import local
from hub.desk.desk import Desk, connected
from hub.desk.previewing import unprepared
from hub.desk.variants import override_of, package_of, variant_of
from hub.domain.blocks import text_of
from hub.domain.errors import NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document

OVER = ("cancelled", "removed", "published")
CHECKED_FILES = ("image/",)


def texts_of(content: Document, revision: Document) -> Iterator[tuple[str, str]]:
    """Every text that goes out, with the name of its field."""
    yield "title", revision["title"]
    yield "digest", revision["digest"]
    yield "body", text_of(revision["blocks"]).text
    for account, variant in content.get("variants", {}).items():
        override: Mapping[str, Any] = variant.get("override") or {}
        for name in ("title", "digest", "text"):
            yield f"variants.{account}.{name}", override.get(name, "")
        yield f"variants.{account}.body", text_of(override.get("blocks", [])).text


async def _accounts(desk: Desk, content: Document) -> list[Document]:
    """The accounts this content is to go to: planned publications and variants written by hand."""
    where = {"content": content["_id"], "state": {"$nin": list(OVER)}}
    planned = await desk.store.find("publications", where, limit=200, fields=("account",))
    names = sorted({*(row["account"] for row in planned), *content.get("variants", {})})
    return await desk.store.find("accounts", {"_id": {"$in": names}}, limit=200) if names else []


async def _channel_findings(desk: Desk, content: Document, revision: Document, context: Context) -> list[Finding]:
    findings: list[Finding] = []
    for account in await _accounts(desk, content):
        override = override_of(content, account["_id"])
        package = package_of(content, revision)
        link = _address(account, content["_id"])
        variant = await variant_of(desk, revision, override=override, package=package, link=link)
        channel = connected(desk, account)
        prepared = unprepared(channel) if isinstance(channel, str) else channel.prepare(variant)
        problems = prepared.problems
        found = run("", Context(context.day, problems=problems), field="body")
        name = str(account.get("name", account["_id"]))
        findings.extend(_of_account(each, account["_id"], name) for each in found)
    return findings


def _address(account: Document, id: str) -> str | None:
    """Where the content will stand on the domain this account may link to; the true address comes when it is sent."""
    domain = account.get("settings", {}).get("domain")
    return f"https://{domain}/articles/{id}" if domain else None


def _of_account(finding: Finding, account: str, name: str) -> Finding:
    field = f"variants.{account}.{finding.field}"
    return Finding(finding.rule, finding.severity, 0, 0, "", f"{name}：{finding.message}", finding.suggestion, field)


async def _unread_files(desk: Desk, revision: Document) -> list[Finding]:
    """附件未能检查: files whose text nobody has read yet."""
    names = list(revision.get("files", ()))
    rows = await desk.store.find("media", {"_id": {"$in": names}}, limit=max(1, len(names))) if names else []
    return [
        unchecked(f"附件未能检查：{row.get('name', '')}。请人工看过，并写明谁看的。", f"files.{row['_id']}")
        for row in rows
        if not str(row.get("type", "")).startswith(CHECKED_FILES)
    ]


async def check_content(
    actor: Actor, desk: Desk, id: str, *, elsewhere: Mapping[str, str] | None = None
) -> list[Finding]:
    """All findings of the newest revision; `elsewhere` is the office's own table of wrong words."""
    require(actor, "content.read")
    content = await desk.store.get("contents", id)
    revision = await desk.store.get("revisions", f"{id}:{content['revision']}") if content else None
    if content is None or revision is None:
        raise NotFound("没有这篇稿件，可能已被删除。请从稿件列表进入。")
    context = Context(local(desk.clock.now()).date(), words=dict(elsewhere or {}))
    findings: list[Finding] = []
    for field, text in texts_of(content, revision):
        if text:
            findings.extend(run(text, context, field=field, elapsed=desk.clock.monotonic))
    findings.extend(await _channel_findings(desk, content, revision, context))
    findings.extend(await _unread_files(desk, revision))
    return findings
