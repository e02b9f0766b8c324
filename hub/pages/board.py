"""舆情: the board, its issues, and the handling of alerts; what is shown is read by the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import SHANGHAI, local
from hub.desk import alerting, issues, rehearsing
from hub.desk.board import Board, board
from hub.domain.alert import LEVEL_NAMES, STATE_NAMES, open_moves
from hub.domain.errors import HubError, Invalid
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

STRETCHES = (("24", "24 小时"), ("168", "7 天"), ("720", "30 天"))
CHANNELS = {"weibo": ("博", "微博"), "wechat": ("微", "微信"), "site": ("网", "网站"), "app": ("端", "应用")}
FEELINGS = {"neg": "negative", "pos": "positive", "neu": "neutral"}
BUDGET = 2  # alerts a week that an office can look into with care; said beside the figure


def until_of(request: Request, now: datetime) -> datetime:
    """The end of the stretch that is asked for: `?until=2019-03-31` (that day's end), else now."""
    wanted = request.args.get("until") or ""
    if not wanted:
        return now
    try:
        day = datetime.strptime(wanted, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
    except ValueError:
        raise Invalid("日期的写法是 2019-03-31。") from None
    return (day + timedelta(days=1)).astimezone(UTC)


async def show_board(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    hours = request.args.get("hours") if request.args.get("hours") in dict(STRETCHES) else "24"
    now = desk.clock.now()
    until = until_of(request, now)
    districts: list[str] = request.app.ctx.facts["districts"]
    channels = await _channels(request)
    found = await board(actor, desk, until=until, hours=int(hours or 24), channels=channels, districts=districts)
    return await show(
        request,
        "desk/board.html",
        "board",
        found=found,
        now=now,
        past=until if request.args.get("until") else None,
        hours=hours,
        stretches=_stretches(request),
        figures=_figures(found, now, int(hours or 24)),
        times=[_time(at, found) for at in found.curve.at],
        band=list(zip(found.curve.low, found.curve.high, strict=True)) if any(found.curve.high) else (),
        marks=_marks(found),
        heat=_heat(found, channels, districts),
        districts=[*districts, "未写明"],
        channels=CHANNELS,
        feelings=FEELINGS,
        states=STATE_NAMES,
        levels=LEVEL_NAMES,
        demo=desk.demo and may(actor, "alert.act"),
    )


async def _channels(request: Request) -> list[str]:
    """The channels of this office's own accounts, in the order of the pages."""
    known: list[str] = request.app.ctx.facts["channels"]
    return [name for name in CHANNELS if name in known] or list(CHANNELS)


def _stretches(request: Request) -> list[tuple[str, str, str]]:
    until = request.args.get("until") or ""
    return [(key, words, f"/board?hours={key}" + (f"&until={until}" if until else "")) for key, words in STRETCHES]


def _time(at: datetime, found: Board) -> str:
    if found.span.step < timedelta(hours=6):
        return wording.hour(at)
    return (
        wording.short_day(at) if found.span.step >= timedelta(days=1) else f"{wording.short_day(at)} {local(at):%H}时"
    )


def _figures(found: Board, now: datetime, hours: int) -> list[dict[str, Any]]:
    stretch = dict(STRETCHES)[str(hours)]
    since, until = found.span.start.isoformat(), found.span.end.isoformat()
    rows = f"/replies?since={since}&until={until}".replace("+", "%2B")
    usual = "" if found.usual is None else f"平时 {wording.number(round(found.usual))}"
    shares = "" if found.usual_negative is None else f"平时 {wording.percent(found.usual_negative, 0)}"
    levels = "，".join(f"{LEVEL_NAMES[name]} {count}" for name, count in found.open_issues.items())
    false = f"，误报 {found.false_week}" if found.false_week else ""
    oldest = f"最早 {wording.near(found.waiting[0]['at'], now)}" if found.waiting else "没有待认领"
    delay = "—" if found.delay is None else f"{found.delay:.1f} 秒"
    return [
        {"label": f"{stretch}留言", "value": wording.number(found.total), "note": usual, "href": rows},
        {
            "label": "负面占比",
            "value": wording.percent(found.negative),
            "note": shares,
            "href": f"{rows}&sentiment=neg",
        },
        {"label": "正在形成的苗头", "value": str(len(found.issues)), "note": levels or "没有", "href": "/issues"},
        {"label": "七天预警", "value": str(found.alerts_week), "note": f"额度 {BUDGET}{false}", "href": "/issues"},
        {
            "label": "等待认领",
            "value": str(len(found.waiting)),
            "note": oldest,
            "tone": "warn" if found.waiting else "",
        },
        {"label": "分析延迟", "value": delay, "note": f"积压 {found.backlog} 条"},
    ]


def _marks(found: Board) -> list[tuple[int, str]]:
    marks = []
    for row in found.publications:
        place = found.span.place(row["published_at"])
        if place is not None:
            marks.append((place, f"{wording.hour(row['published_at'])} {row['title']}"))
    return marks


def _heat(found: Board, channels: list[str], districts: list[str]) -> list[dict[str, Any]]:
    since, until = found.span.start.isoformat(), found.span.end.isoformat()
    stretch = f"since={since}&until={until}".replace("+", "%2B")
    rows = []
    for channel in channels:
        cells = found.heat[channel]
        drawn = [
            {
                "value": cells[district].count,
                "step": cells[district].step,
                "href": f"/replies?{stretch}&channel={channel}&district={district}" if district in districts else "",
            }
            for district in (*districts, "未写明")
        ]
        total = sum(cells[district].count for district in (*districts, "未写明"))
        rows.append({"label": CHANNELS[channel][1], "cells": drawn, "total": total})
    return rows


async def show_issues(request: Request) -> HTTPResponse:
    state = request.args.get("state") if request.args.get("state") in ("open", "closed", "false_alarm") else "open"
    cursor = request.args.get("cursor") or ""
    rows, more = await issues.list_issues(actor_of(request), desk_of(request), state=state or "open", cursor=cursor)
    return await show(
        request, "desk/issues.html", "board", rows=rows, more=more, state=state, channels=CHANNELS, cursor=cursor
    )


async def show_issue(request: Request, id: str) -> HTTPResponse:
    return await _issue(request, id)


async def _issue(request: Request, id: str, *, error: str = "", status: int = 200) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    found = await issues.issue(actor, desk, id)
    alert = found.alerts[0] if found.alerts else None
    moves = open_moves(alert["state"]) if alert and may(actor, "alert.act") else []
    return await show(
        request,
        "desk/issue.html",
        "board",
        status=status,
        found=found,
        issue=found.issue,
        alert=alert,
        moves=moves,
        error=error,
        now=desk.clock.now(),
        times=[wording.short_moment(at) for at in found.bars_at],
        voices=[_voice(row, found.issue) for row in found.words],
        course=_course(found),
        channels=CHANNELS,
        states=STATE_NAMES,
        feelings=FEELINGS,
    )


def _voice(row: Document, issue: Document) -> Document:
    """The words with those that made the issue marked."""
    return {**row, "parts": marked(str(row["text"]), issue.get("terms") or [])}


def marked(text: str, terms: list[str]) -> list[tuple[str, bool]]:
    """The text cut into pieces, True where a term stands; overlapping terms are one mark."""
    flags = [False] * len(text)
    for term in terms:
        start = text.find(term) if len(term) > 1 else -1
        while start >= 0:
            flags[start : start + len(term)] = [True] * len(term)
            start = text.find(term, start + 1)
    pieces: list[tuple[str, bool]] = []
    for sign, flag in zip(text, flags, strict=True):
        if pieces and pieces[-1][1] == flag:
            pieces[-1] = (pieces[-1][0] + sign, flag)
        else:
            pieces.append((sign, flag))
    return pieces


def _course(found: issues.IssuePage) -> list[dict[str, str]]:
    """What happened, in order: first words, levels, who did what."""
    steps: list[tuple[datetime, dict[str, str]]] = [
        (found.issue["first_at"], {"title": "第一个人反映", "text": "", "tone": "seen"})
    ]
    for alert in found.alerts:
        said = "为往日留言，没有通知" if alert["silent"] else "已通知值班人员"
        name = LEVEL_NAMES[alert["level"]]
        steps.append((alert["at"], {"title": f"达到{name}", "text": said, "tone": alert["level"]}))
        for note in alert.get("history", []):
            words = {"acknowledge": "认领", "assess": "研判", "respond": "开始处置", "close": "办结"}.get(
                note["act"], "标为误报"
            )
            steps.append((note["at"], {"title": f"{note['name']} {words}", "text": note["remark"], "tone": "done"}))
    for row in found.publications:
        if row.get("published_at"):
            steps.append((row["published_at"], {"title": f"发布《{row['title']}》", "text": "", "tone": "done"}))
    steps.sort(key=lambda step: step[0])
    return [{"at": wording.short_moment(at), **step} for at, step in steps]


async def handle_alert(request: Request, id: str, act: str) -> HTTPResponse:
    """One move of an alert; what is wrong is said on the issue's own page, and the sentence written is kept."""
    desk, actor = desk_of(request), actor_of(request)
    found = await alerting.alert(actor, desk, id)
    try:
        await alerting.handle_alert(actor, desk, id, act, field(request, "remark", 500))
    except HubError as error:
        if error.status not in (409, 422):
            raise
        return await _issue(request, found["issue"], error=error.message, status=error.status)
    return go(f"/issues/{found['issue']}", act)


async def ask_for_incident(request: Request) -> HTTPResponse:
    await rehearsing.ask_for_incident(actor_of(request), desk_of(request))
    return go("/board", "incident")


ROUTES = (
    Route("POST", "/demo/incident", ask_for_incident, "alert.act", "form"),
    Route("GET", "/board", show_board, "board.read"),
    Route("GET", "/issues", show_issues, "issue.read"),
    Route("GET", "/issues/<id:str>", show_issue, "issue.read"),
    Route(
        "POST", "/alerts/<id:str>/<act:acknowledge|assess|respond|close|false-alarm>", handle_alert, "alert.act", "form"
    ),
)
