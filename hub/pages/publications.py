"""发布: every content's truth on each channel, by days and tabs; one publication and its acts: files beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub.clock import local
from hub.desk import overview, publishing
from hub.desk.accounts import list_accounts
from hub.desk.overview import CHANGES, Line
from hub.desk.quieting import quiet_periods
from hub.domain.errors import FieldError, NotFound
from hub.domain.people import Actor
from hub.domain.rights import may
from hub.pages import concerns, days
from hub.pages.board import CHANNELS
from hub.pages.days import Days, days_of
from hub.pages.days import moment_of as moment_of  # the calendar asks for it here
from hub.pages.missed import asked_of
from hub.pages.publication_panel import panel_of
from hub.pages.publication_words import banner, mend_words, named, quiet_line, second_line
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, go, show
from hub.store.base import Document

TABS = (
    ("all", "全部"),
    ("todo", "要处理"),
    ("scheduled", "已排定"),
    ("published", "已发布"),
    (CHANGES, "更正和撤回"),
)
CONTENT_STATES = {"draft": "草稿", "in_review": "送审中", "approved": "已审签"}
HEAD = (  # states in the head's sentence: keys, word, tone
    (("published",), "已发布", ""),
    (("staging", "sending", "pending"), "发送中", ""),
    (("scheduled", "waiting"), "已排定", ""),
    (("unknown",), "待核对", "warn"),
    (("refused",), "被拒绝", "danger"),
    (("held",), "已暂停", "warn"),
)


def tab_of(request: Request) -> str:
    tab = request.args.get("tab") or "all"
    return tab if tab in dict(TABS) else "all"


def chosen_days(request: Request, tab: str, now: datetime) -> Days:
    """What is scheduled lies ahead, so that tab begins with today and has no end; the others end with today."""
    return days_of(request, now, usual=days.COMING if tab == "scheduled" else days.TWO)


async def show_publications(request: Request) -> HTTPResponse:
    return await page_of(request, request.args.get("open") or "")


async def page_of(
    request: Request,
    opened: str,
    *,
    errors: Sequence[FieldError] = (),
    said: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTTPResponse:
    """The whole page, with this publication open; also the answer to a form with errors."""
    desk, actor, now = desk_of(request), actor_of(request), desk_of(request).clock.now()
    tab = tab_of(request)
    chosen = chosen_days(request, tab, now)
    cursor = request.args.get("cursor") or ""
    found = await overview.lines(actor, desk, tab=tab, cursor=cursor or None, stretch=chosen.stretch)
    accounts = {row["_id"]: row for row in await list_accounts(actor, desk, limit=200)}
    figures, periods = await _figures(request, now), await quiet_periods(actor, desk)
    return await show(
        request,
        "desk/publications.html",
        "publications",
        status=status,
        head=_head(figures),
        tab=tab,
        tabs=_tabs(tab, chosen, found.total, figures.todo, len(accounts)),
        days=_days(tab, chosen, now),
        lines=[_row(line, now, accounts, periods) for line in found.lines],
        channels=_shown_channels(request, found.lines),
        refusals=[] if cursor else await _refusals(request, accounts),
        concerns=[] if cursor else await concerns.banners(request),
        here=_address(tab, chosen, **_place(request)),
        **_pages(request, tab, chosen, found),
        **({"missed": None} if cursor or opened else await asked_of(request)),
        panel=await panel_of(request, opened, accounts) if opened else None,
        errors=errors,
        said=said or {},
        now=now,
        may_hold_all=may(actor, "hold.all"),
    )


async def _figures(request: Request, now: datetime) -> overview.Figures:
    start = local(now).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    return await overview.figures(actor_of(request), desk_of(request), start, start + timedelta(days=1))


# ---- addresses


def _address(tab: str, chosen: Days, **more: str) -> str:
    return f"/publications?{urlencode({'tab': tab, **chosen.kept, **more})}"


def _place(request: Request) -> dict[str, str]:
    """Where in the list this page is: the mark it begins at, and how many stand before it."""
    given = {name: request.args.get(name) or "" for name in ("cursor", "before")}
    return {name: value for name, value in given.items() if value} if given["cursor"] else {}


def _pages(request: Request, tab: str, chosen: Days, found: overview.Lines) -> dict[str, Any]:
    """The foot: how many are shown so far, of how many, and where the next ones are."""
    said = request.args.get("before") or ""
    before = int(said) if request.args.get("cursor") and said.isdecimal() and len(said) < 8 else 0
    shown = before + len(found.lines)
    more = _address(tab, chosen, cursor=found.cursor, before=str(shown)) if found.cursor else ""
    return {
        "shown": shown,
        "total": max(shown, found.total),
        "next_few": max(1, min(overview.LINES, found.total - shown)),
        "more": more,
        "first": _address(tab, chosen) if _place(request) else "",
    }


def _days(tab: str, chosen: Days, now: datetime) -> dict[str, Any]:
    """The choice of days: its words, the ready ones, and the two dates of the form."""
    today = local(now).date()
    ready = [(words, _address(tab, days.named(kind, today)), kind == chosen.kind) for kind, words in days.WORDS.items()]
    return {
        "words": "不限日期" if tab == "todo" else chosen.words,
        "ready": ready,
        "first": chosen.first.isoformat(),
        "last": (chosen.last or today).isoformat(),
        "kept": {"tab": tab, **chosen.kept},
    }


def _tabs(tab: str, chosen: Days, total: int, todo: int, accounts: int) -> list[tuple[str, str, str, int | None]]:
    """A range that somebody chose goes along from tab to tab; the usual one is each tab's own."""
    counts = {"all": total if tab == "all" else None, "todo": todo}
    found: list[tuple[str, str, str, int | None]] = [
        (key, words, _address(key, chosen), counts.get(key)) for key, words in TABS
    ]
    return [*found, ("accounts", "账号", "/accounts", accounts)]


# ---- what stands in it


def _head(figures: overview.Figures) -> list[tuple[str, str]]:
    """The head's sentence in pieces, each with its tone."""
    if not figures.publications:
        return [("今天没有排定的发布", "")]
    pieces = [(f"今天 {figures.contents} 条，{figures.publications} 次渠道发布", "")]
    for states, word, tone in HEAD:
        count = sum(figures.states.get(state, 0) for state in states)
        pieces += [(f"{word} {count}", tone)] if count else []
    return pieces


def _shown_channels(request: Request, lines: Sequence[Line]) -> list[tuple[str, str]]:
    known: list[str] = request.app.ctx.facts["channels"]
    used = {channel for line in lines for channel in line.cells}
    return [(key, words) for key, (_, words) in CHANNELS.items() if key in known or key in used]


def _row(
    line: Line, now: datetime, accounts: Mapping[str, Document], periods: Sequence[Document]
) -> dict[str, Any]:
    cells = {
        channel: [
            {
                "id": row["_id"],
                "state": row["seen"],
                "second": quiet_line(row, periods, now) or second_line(row, now),
                "account": named(row, accounts),
            }
            for row in rows
        ]
        for channel, rows in line.cells.items()
    }
    rows = line.all()
    worst = next((row for state in overview.TROUBLE for row in rows if row["state"] == state), rows[0])
    words = [f"第 {line.revision} 版", CONTENT_STATES.get(line.state, ""), line.unit]
    return {
        "content": line.content,
        "title": line.title,
        "at": line.at,
        "detail": "　".join(word for word in words if word),
        "cells": cells,
        "open": worst["_id"],
        "ids": [row["_id"] for row in rows],
    }


async def _refusals(request: Request, accounts: Mapping[str, Document]) -> list[dict[str, Any]]:
    """The banner: who refused what and why, what hangs on it, and the one step that repairs it."""
    actor = actor_of(request)
    found = await overview.refusals(actor, desk_of(request))
    return [{**banner(row, accounts), "repair": _repair(row, actor), "mend": _mend(row, actor)} for row in found]


def _mend(row: Document, actor: Actor) -> str:
    return mend_words(row) if may(actor, "publication.release") else ""


def _repair(row: Document, actor: Actor) -> tuple[str, str]:
    """(the verb, where it is done)."""
    if row.get("who") == "administrator":
        return "检查账号", f"/accounts/{row['account']}"
    if row.get("who") == "editor" and may(actor, "content.write"):
        return "修改稿件", f"/contents/{row['content']}"
    return "看经过", f"/publications?{urlencode({'open': row['_id']})}"


# ---- the addresses in notices


async def open_publication(request: Request, id: str) -> HTTPResponse:
    """The address in notices: the list with this one open."""
    await publishing.publication(actor_of(request), desk_of(request), id)
    return go(f"/publications?{urlencode({'open': id})}")


async def open_operation(request: Request, id: str) -> HTTPResponse:
    """An operation's id begins with its publication's; notices name it."""
    publication = id.rsplit(":", 2)[0]
    found = await publishing.publication(actor_of(request), desk_of(request), publication)
    if all(each["_id"] != id for each in found["operations"]):
        raise NotFound("没有找到这项操作。")
    return go(f"/publications?{urlencode({'open': publication})}")


ROUTES = (
    Route("GET", "/publications", show_publications, "publication.read"),
    Route("GET", "/publications/<id:str>", open_publication, "publication.read"),
    Route("GET", "/operations/<id:str>", open_operation, "publication.read"),
)
