"""发布: every content's truth on each channel, the course and evidence of one publication, and what a person may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import SHANGHAI, local
from hub.desk import naming, overview, publishing, settling, withdrawing
from hub.desk.accounts import list_accounts
from hub.desk.overview import CHANGES, Line
from hub.desk.quotas import left_today
from hub.domain.errors import FieldError, HubError, Invalid, NotFound
from hub.domain.moves import step_for
from hub.domain.rights import may
from hub.pages import concerns
from hub.pages.board import CHANNELS
from hub.pages.course import course_of, evidence_of
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
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
PENDING = {"audit": "平台审核中", "by_hand": "待人工发布", "confirm": "等待群发确认"}
SHORT = 12  # signs of a reason that stand in a cell; the whole is beside it


# ---- the list


async def show_publications(request: Request) -> HTTPResponse:
    return await _page(request, request.args.get("open") or "")


async def _page(
    request: Request,
    opened: str,
    *,
    errors: Sequence[FieldError] = (),
    said: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    tab = request.args.get("tab") if request.args.get("tab") in dict(TABS) else "all"
    cursor = request.args.get("cursor") or ""
    found = await overview.lines(actor, desk, tab=tab or "all", cursor=cursor or None)
    now = desk.clock.now()
    start = local(now).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    figures = await overview.figures(actor, desk, start, start + timedelta(days=1))
    accounts = {row["_id"]: row for row in await list_accounts(actor, desk, limit=200)}
    kept = {"tab": tab or "all", **({"cursor": cursor} if cursor else {})}
    return await show(
        request,
        "desk/publications.html",
        "publications",
        status=status,
        tab=tab,
        tabs=_tabs(figures.todo, len(accounts)),
        head=_head(figures),
        lines=[_row(line, now, accounts) for line in found.lines],
        channels=_shown_channels(request, found.lines),
        refusals=await _refusals(request, accounts) if not cursor else [],
        concerns=await concerns.banners(request) if not cursor else [],
        more=f"/publications?{urlencode({'tab': tab, 'cursor': found.cursor})}" if found.cursor else "",
        first=f"/publications?tab={tab}" if cursor else "",
        here=f"/publications?{urlencode(kept)}",
        panel=await _panel(request, opened, accounts) if opened else None,
        errors=errors,
        said=said or {},
        now=now,
        may_hold_all=may(actor, "hold.all"),
    )


def _tabs(todo: int, accounts: int) -> list[tuple[str, str, str, int | None]]:
    found: list[tuple[str, str, str, int | None]] = [
        (key, words, f"/publications?tab={key}", todo if key == "todo" else None) for key, words in TABS
    ]
    return [*found, ("accounts", "账号", "/accounts", accounts)]


def _head(figures: overview.Figures) -> list[tuple[str, str]]:
    """The head's sentence in pieces, each with its tone."""
    if not figures.publications:
        return [("今天没有排定的发布", "")]
    pieces = [(f"今天 {figures.contents} 篇，{figures.publications} 次渠道发布", "")]
    for states, word, tone in HEAD:
        count = sum(figures.states.get(state, 0) for state in states)
        pieces += [(f"{word} {count}", tone)] if count else []
    return pieces


def _shown_channels(request: Request, lines: Sequence[Line]) -> list[tuple[str, str]]:
    known: list[str] = request.app.ctx.facts["channels"]
    used = {channel for line in lines for channel in line.cells}
    return [(key, words) for key, (_, words) in CHANNELS.items() if key in known or key in used]


def _row(line: Line, now: datetime, accounts: Mapping[str, Document]) -> dict[str, Any]:
    cells = {
        channel: [
            {"id": row["_id"], "state": row["seen"], "second": second_line(row, now), "account": _named(row, accounts)}
            for row in rows
        ]
        for channel, rows in line.cells.items()
    }
    rows = line.all()
    worst = next((row for state in overview.TROUBLE for row in rows if row["state"] == state), rows[0])
    words = [f"第 {line.revision} 版", CONTENT_STATES.get(line.state, "")]
    return {
        "content": line.content,
        "title": line.title,
        "at": line.at,
        "detail": "　".join(word for word in words if word),
        "cells": cells,
        "open": worst["_id"],
        "ids": [row["_id"] for row in rows],
        "many": max(len(each) for each in cells.values()) > 1,
    }


def _named(row: Document, accounts: Mapping[str, Document]) -> str:
    return str((accounts.get(row["account"]) or {}).get("name") or row["account"])


def operation_words(operation: Mapping[str, Any]) -> str:
    """What is still to come of a published one: by the program, by a person, or stuck."""
    word = "撤回" if operation["kind"] == "withdraw" else "更正"
    if operation.get("code") == "by_hand":
        return f"待人工{word}"
    return f"{word}待处理" if operation["state"] in ("refused", "unknown", "held") else f"{word}中"


def second_line(row: Document, now: datetime) -> str:
    """Under the state's word: the time where all is well, else the reason, or how long nobody has known."""
    if row.get("operation") and row["seen"] in ("published", "corrected"):
        return operation_words(row["operation"])
    seen = row["seen"]
    if seen == "published":
        return wording.second(row["published_at"]) if row.get("published_at") else ""
    if seen == "corrected":
        return wording.hour(row["correction"]["at"])
    if seen in ("withdrawn", "removed"):
        return wording.hour(row["removed_at"]) if row.get("removed_at") else ""
    if seen == "unknown":
        return wording.span(now - row["lost_at"]) if row.get("lost_at") else ""
    if seen == "pending":
        return PENDING.get(str(row.get("pending_for")), "等平台结果")
    if seen in ("staging", "sending"):
        return "正在准备" if seen == "staging" else "请求已送出"
    return _planned(row, now) if seen in ("proposed", "scheduled", "waiting") else _short(row.get("reason"))


def _planned(row: Document, now: datetime) -> str:
    if row.get("concerns"):
        return "将发不出"
    if row["seen"] == "proposed":
        return "未审签"
    if row.get("tries"):
        return f"{wording.hour(row['not_before'])} 再试"
    return wording.near(row["at"], now) if row["seen"] == "scheduled" else "等网站地址"


def _short(reason: object) -> str:
    words = str(reason or "")
    return words if len(words) <= SHORT else f"{words[: SHORT - 1]}…"


async def _refusals(request: Request, accounts: Mapping[str, Document]) -> list[dict[str, Any]]:
    """The banner: who refused what and why, what hangs on it, and the one step that repairs it."""
    desk, actor = desk_of(request), actor_of(request)
    found = []
    for row in await overview.refusals(actor, desk):
        hanging = "、".join(dict.fromkeys(CHANNELS[each][1] for each in row["hanging"] if each in CHANNELS))
        part = f"{row['part']}：" if row.get("part") else ""
        found.append(
            {
                "title": f"{_named(row, accounts)}没有接受《{row['title']}》",
                "text": f"{part}{row.get('reason') or '平台没有说明原因'}",
                "hanging": f"{hanging}在等它的地址，一并停着。" if hanging else "其他渠道不受影响。",
                "repair": _repair(row, may(actor, "content.write")),
                "open": row["_id"],
            }
        )
    return found


def _repair(row: Document, writes: bool) -> tuple[str, str]:
    """(the verb, where it is done)."""
    if row.get("who") == "administrator":
        return "检查账号", f"/accounts/{row['account']}"
    if row.get("who") == "editor" and writes:
        return "修改稿件", f"/contents/{row['content']}"
    return "看经过", f"/publications?open={row['_id']}"


# ---- one publication


async def _panel(request: Request, id: str, accounts: Mapping[str, Document]) -> dict[str, Any]:
    desk, actor = desk_of(request), actor_of(request)
    row = await publishing.publication(actor, desk, id)
    line = await overview.line_of(actor, desk, str(row["content"]))
    seen = next((each for each in line.all() if each["_id"] == id), None) if line else None
    row["seen"] = seen["seen"] if seen else row["state"]
    sayings = [(each.get("resolve") or {}).get("by") for each in (row, *row["operations"])]
    people = {row.get("by"), *sayings, *(each["by"] for each in row["operations"])}
    names = await naming.names_of(actor, desk, [str(each) for each in people if each])
    account, acts = accounts.get(row["account"], {}), _acts(request, row)
    lefts = await left_today(actor, desk, [str(row["account"])])
    return {
        "row": row,
        "account": _named(row, accounts),
        "sign": CHANNELS.get(row["channel"], ("发", row["channel"])),
        "course": course_of(row, names),
        "concerns": concerns.concerns_of(actor, row),
        "evidence": evidence_of(row, lefts.get(row["account"], [])),
        "home": _web((account.get("settings") or {}).get("page_url")),
        "link": _web(row.get("url")),
        "acts": acts - {"resolve"},
        "resolve": "resolve" in acts,
        "operations": [
            each["_id"] for each in row["operations"] if each["state"] in ("refused", "unknown")
        ] if may(actor, "publication.resolve") else [],
        "at": f"{local(row['at']):%Y-%m-%dT%H:%M}",
        "reason": row.get("reason") or "",
    }  # fmt: skip


def _web(address: object) -> str:
    """An address that may stand behind a link; empty for anything else a platform may have said."""
    said = str(address or "")
    return said if said.startswith(("https://", "http://")) else ""


def _acts(request: Request, row: Document) -> frozenset[str]:
    """What this person may do with this publication as it stands."""
    actor, state = actor_of(request), str(row["state"])
    asked = {
        "move": ("content.schedule", "move"),
        "cancel": ("content.schedule", "cancel"),
        "hold": ("publication.hold", "hold"),
        "release": ("publication.release", "release"),
        "resolve": ("publication.resolve", "say_not_published"),
    }
    acts = {name for name, (right, event) in asked.items() if may(actor, right) and step_for(state, event)}
    if state in ("published", "unknown", "sending", "pending") and may(actor, "content.withdraw"):
        acts.add("withdraw")
    if state == "published" and may(actor, "content.correct"):
        acts.add("correct")
    return frozenset(acts)


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


# ---- what a person does

Act = Callable[[Request, str], Awaitable[str]]


def _form(act: Act) -> Callable[..., Awaitable[HTTPResponse]]:
    """A form of the panel: done, or the panel again with what is wrong and what was written."""

    async def handle(request: Request, id: str) -> HTTPResponse:
        try:
            done = await act(request, id)
        except HubError as error:
            if error.status not in (409, 422):
                raise
            errors = error.errors if isinstance(error, Invalid) else ()
            written = {name: field(request, name) for name in request.form or {} if name != "csrf"}
            return await _page(
                request, id, errors=errors or (FieldError("act", error.message),), said=written, status=error.status
            )
        return go(f"/publications?{urlencode({'open': id})}", done)

    return handle


async def _hold(request: Request, id: str) -> str:
    await publishing.hold(actor_of(request), desk_of(request), id, reason=field(request, "reason", 200))
    return "held_one"


async def _release(request: Request, id: str) -> str:
    await publishing.release(actor_of(request), desk_of(request), id)
    return "released"


async def _cancel(request: Request, id: str) -> str:
    await publishing.cancel(actor_of(request), desk_of(request), id, reason=field(request, "reason", 200))
    return "cancelled"


async def _move(request: Request, id: str) -> str:
    await publishing.move(actor_of(request), desk_of(request), id, moment_of(field(request, "at", 20)))
    return "moved"


def moment_of(text: str) -> datetime:
    """What a field of date and time holds, meant as the office's own time; Invalid where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("请选一个日期和时间。", (FieldError("at", "请选日期和时间，如 2026-11-24 09:00。"),)) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        raise Invalid("请选一个日期和时间。", (FieldError("at", "这个日期太远了。"),)) from None


async def _resolve(request: Request, id: str) -> str:
    await settling.resolve(
        actor_of(request),
        desk_of(request),
        id,
        field(request, "outcome", 20),
        url=field(request, "url", 2_000) or None,
        evidence=field(request, "evidence", 500),
    )
    return "resolved"


async def _chosen(request: Request, id: str) -> tuple[str, tuple[str, ...]]:
    """The content, and the accounts that are meant: this one alone, or (none named) every one."""
    found = await publishing.publication(actor_of(request), desk_of(request), id)
    return str(found["content"]), (str(found["account"]),) if field(request, "where", 10) == "here" else ()


async def _withdraw(request: Request, id: str) -> str:
    content, accounts = await _chosen(request, id)
    reason = field(request, "reason", 500)
    await withdrawing.withdraw(actor_of(request), desk_of(request), content, reason, accounts=accounts)
    return "withdrawn"


async def _correct(request: Request, id: str) -> str:
    content, accounts = await _chosen(request, id)
    note = field(request, "note", 500)
    await withdrawing.correct(actor_of(request), desk_of(request), content, note, accounts=accounts)
    return "correcting"


async def _confirm(request: Request, id: str) -> str:
    operation = field(request, "operation", 200)
    if not operation.startswith(f"{id}:"):
        raise NotFound("没有找到这项操作。")
    await withdrawing.confirm_by_hand(actor_of(request), desk_of(request), operation, field(request, "evidence", 500))
    return "confirmed"


ROUTES = (
    Route("GET", "/publications", show_publications, "publication.read"),
    Route("GET", "/publications/<id:str>", open_publication, "publication.read"),
    Route("GET", "/operations/<id:str>", open_operation, "publication.read"),
    Route("POST", "/publications/<id:str>/hold", _form(_hold), "publication.hold", "form"),
    Route("POST", "/publications/<id:str>/release", _form(_release), "publication.release", "form"),
    Route("POST", "/publications/<id:str>/cancel", _form(_cancel), "content.schedule", "form"),
    Route("POST", "/publications/<id:str>/move", _form(_move), "content.schedule", "form"),
    Route("POST", "/publications/<id:str>/resolve", _form(_resolve), "publication.resolve", "form"),
    Route("POST", "/publications/<id:str>/withdraw", _form(_withdraw), "content.withdraw", "form"),
    Route("POST", "/publications/<id:str>/correct", _form(_correct), "content.correct", "form"),
    Route("POST", "/publications/<id:str>/confirm", _form(_confirm), "publication.resolve", "form"),
)
