"""审计: the chain's entries, whether it is whole, and taking it out; what an entry means is the domain's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sanic import Request
from sanic.response import BaseHTTPResponse, HTTPResponse

from hub import wording
from hub.clock import SHANGHAI
from hub.desk import auditing, naming
from hub.desk.auditing import Verdict
from hub.domain.errors import FieldError, Invalid
from hub.domain.moves import STATE_WORDS
from hub.domain.people import NAMES as ROLE_NAMES
from hub.pages.act_words import act_word
from hub.pages.routes import Route, desk_of
from hub.pages.sheets import cell, plain_moment, sent_as_csv, sent_piece_by_piece
from hub.pages.shell import actor_of, field, show
from hub.store.base import Document

FILTERS = ("who", "act", "subject", "since")
COLUMNS = ("number", "at", "actor", "act", "subject", "result", "address", "detail", "hash")
PROGRAM = "program:"
PROGRAMS = {
    "dispatcher": "自动发布",
    "listener": "收留言",
    "watcher": "舆情预警",
    "settler": "核对结果",
    "caretaker": "照看账号",
    "carrier": "送通知",
    "mirror": "同步网站",
    "reader": "读留言",
    "keeper": "清理",
    "renderer": "压缩图片",
    "worker": "后台",
    "guard": "守望后台",
    "tidier": "清理草稿",
    "console": "命令行",
}
DETAILS = {
    "hash": "指纹",
    "from": "原为",
    "to": "改为",
    "level": "级别",
    "attempt": "第几次",
    "at": "时间",
    "acknowledged": "保留的提示",
    "voided": "审批作废",
    "login": "登录名",
    "roles": "角色",
    "reason": "原因",
    "channel": "渠道",
    "outcome": "结果",
    "state": "状态",
    "type": "类型",
    "size": "字节",
    "remark": "意见",
    "label": "名称",
    "duty": "值班",
    "asked_by": "提出人",
    "renditions": "图片压缩",
    "of": "原图",
    "tab": "分类",
    "since": "从",
    "until": "到",
}
ROLES = {role.value: words for role, words in ROLE_NAMES.items()}


async def show_audit(request: Request) -> HTTPResponse:
    return await _audit(request)


async def _audit(request: Request, verdict: Verdict | None = None) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    chosen = {name: (request.args.get(name) or "").strip()[:100] for name in FILTERS}
    before = request.args.get("before") or ""
    rows, more = await auditing.list_entries(
        actor,
        desk,
        who=chosen["who"],
        act=chosen["act"],
        subject=chosen["subject"],
        since=_day(chosen["since"]),
        before=int(before) if before.isdecimal() and len(before) < 15 else None,
    )
    kept = {name: value for name, value in chosen.items() if value}
    names = await naming.names_of(actor, desk, [str(row[name]) for row in rows for name in ("actor", "subject")])
    return await show(
        request,
        "desk/audit.html",
        "audit",
        rows=[_row(row, names) for row in rows],
        chosen=chosen,
        any_chosen=bool(kept),
        more=f"/audit?{urlencode({**kept, 'before': more})}" if more else "",
        first=f"/audit?{urlencode(kept)}" if before else "",
        verdict=verdict,
    )


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("日期的写法是 2026-11-24。", (FieldError("since", "日期的写法是 2026-11-24。"),)) from None


def _row(row: Document, names: Mapping[str, str]) -> dict[str, Any]:
    actor = str(row["actor"])
    detail = row.get("detail") or {}
    return {
        **row,
        "who": names.get(actor) or _program(actor),
        "said": "　".join(f"{DETAILS.get(name, name)} {_plain(_named(name, value))}" for name, value in detail.items()),
        "about": names.get(str(row["subject"]), str(row["subject"])),
        "word": act_word(str(row["act"]), str(detail.get("from", ""))),
        "mark": wording.fingerprint(str(row["hash"])),
    }


def _program(actor: str) -> str:
    """A part of the hub by what it does; whoever else it was, as it stands."""
    name = actor.removeprefix(PROGRAM)
    return f"系统（{PROGRAMS.get(name, name)}）" if actor.startswith(PROGRAM) else actor


def _named(name: str, value: Any) -> Any:
    """Yes and no, roles and states by their words, a hash by its first signs, nothing as 无; what is left stays."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if name == "roles" and isinstance(value, list):
        return "、".join(ROLES.get(role, str(role)) for role in value)
    if name == "hash":
        return wording.fingerprint(str(value))
    if value in ([], {}, "", None):
        return "无"
    return STATE_WORDS.get(str(value), value) if name in ("from", "to", "state") else value


def _plain(value: Any) -> str:
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return words if len(words) <= 60 else f"{words[:59]}…"


async def verify_chain(request: Request) -> HTTPResponse:
    """Read the whole chain, and say on the page what came of it."""
    verdict = await auditing.verify(actor_of(request), desk_of(request))
    return await _audit(request, verdict)


async def export_chain(request: Request) -> BaseHTTPResponse:
    """Every entry as CSV for a spreadsheet, or as JSON Lines with everything the hashes are made of."""
    rows = auditing.export(actor_of(request), desk_of(request))
    if field(request, "form", 10) == "jsonl":
        return await sent_piece_by_piece(request, "audit.jsonl", "application/x-ndjson", (), _lines(rows))
    cells = ([cell(row.get(name)) for name in COLUMNS] async for row in rows)
    return await sent_as_csv(request, "audit.csv", COLUMNS, cells)


async def _lines(rows: AsyncIterator[Document]) -> AsyncIterator[str]:
    async for row in rows:
        yield json.dumps(row, ensure_ascii=False, default=plain_moment) + "\n"


ROUTES = (
    Route("GET", "/audit", show_audit, "audit.read"),
    Route("POST", "/audit/verify", verify_chain, "audit.read", "form"),
    Route("POST", "/audit/export", export_chain, "audit.read", "form"),
)
