"""舆情看板: the board of today or of a past stretch; what is shown is read by the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import SHANGHAI, in_utc, local
from hub.desk import rehearsing
from hub.desk.board import Board, board
from hub.desk.replies import COUNTED
from hub.domain.alert import LEVEL_NAMES, STATE_NAMES
from hub.domain.errors import Invalid
from hub.domain.figures import UNSAID
from hub.domain.rights import may
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, go, show
from hub.store.base import Document

STRETCHES = (("24", "24 小时"), ("168", "7 天"), ("720", "30 天"))
CHANNELS = {"weibo": ("博", "微博"), "wechat": ("微", "微信"), "site": ("网", "网站"), "app": ("端", "应用"),
            "push": ("推", "App 推送")}  # fmt: skip
HEARD = tuple(name for name in CHANNELS if name != "push")  # citizens write on all but a push
LAG = timedelta(seconds=30)  # a reply that waits longer to be read is said on the board
FEELINGS = {"neg": "negative", "pos": "positive", "neu": "neutral"}


def until_of(request: Request, now: datetime) -> datetime:
    """The last moment that is asked for: `?until=2019-03-31` (that day's end), else now."""
    wanted = request.args.get("until") or ""
    if not wanted:
        return now
    try:
        day = datetime.strptime(wanted, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
        in_utc(day)
    except ValueError:
        raise Invalid("日期的写法是 2019-03-31。") from None
    return (day + timedelta(days=1) - timedelta(milliseconds=1)).astimezone(UTC)


def moment_of(request: Request, name: str) -> datetime | None:
    """A moment out of an address that a figure made; None where it is left out."""
    text = request.args.get(name) or ""
    try:
        return in_utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        raise Invalid("时间的写法不对，请从看板上点进来。") from None


async def show_board(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    hours = request.args.get("hours") if request.args.get("hours") in dict(STRETCHES) else "24"
    now = desk.clock.now()
    until = until_of(request, now)
    past = until < now - timedelta(hours=1)
    districts: list[str] = request.app.ctx.facts["districts"]
    channels = heard_on(request)
    found = await board(
        actor, desk, until=until, hours=int(hours or 24), channels=channels, districts=districts, past=past
    )
    heat = _heat(found, channels, districts)
    return await show(
        request,
        "desk/board.html",
        "board",
        found=found,
        now=now,
        past=until if past else None,
        day=request.args.get("until") or local(now).date().isoformat(),
        today=local(now).date().isoformat(),
        issues_at=_stretch(found.issues_since, found.span.end, "/issues"),
        replies_at=_stretch(found.span.start, found.span.end),
        hours=hours,
        stretches=_stretches(request),
        figures=_past_figures(found, hours) if past else _figures(found, now, hours),
        times=[_time(at, found) for at in found.curve.at],
        band=list(zip(found.curve.low, found.curve.high, strict=True)) if any(found.curve.high) else (),
        marks=_marks(found),
        heat=heat,
        heat_down=_turned(heat, [*districts, UNSAID]),
        districts=[*districts, UNSAID],
        channels=CHANNELS,
        feelings=FEELINGS,
        states=STATE_NAMES,
        levels=LEVEL_NAMES,
        demo=desk.demo and may(actor, "alert.act"),
    )


def heard_on(request: Request) -> list[str]:
    """The office's channels that citizens write on, in the order of the pages."""
    known: list[str] = request.app.ctx.facts["channels"]
    return [name for name in HEARD if name in known]


def _stretches(request: Request) -> list[tuple[str, str, str]]:
    until = request.args.get("until") or ""
    return [(key, words, f"/board?hours={key}" + (f"&until={until}" if until else "")) for key, words in STRETCHES]


def _time(at: datetime, found: Board) -> str:
    if found.span.step < timedelta(hours=6):
        return wording.hour(at)
    return (
        wording.short_day(at) if found.span.step >= timedelta(days=1) else f"{wording.short_day(at)} {local(at):%H}时"
    )


def _stretch(since: datetime, until: datetime, page: str = "/replies", **chosen: str) -> str:
    """The address of the rows that a figure counts: the same stretch, the same choice."""
    return f"{page}?{urlencode({'since': since.isoformat(), 'until': until.isoformat(), **chosen})}"


def _said(found: Board, hours: str | None) -> list[dict[str, Any]]:
    """How much was said, how much of it was negative, and what is forming: true of today as of any past day."""
    start, end = found.span.start, found.span.end
    usual = "" if found.usual is None else f"平时 {wording.number(round(found.usual))}"
    share = "" if found.usual_negative is None else f"平时 {wording.percent(found.usual_negative, 0)}"
    levels = "，".join(f"{LEVEL_NAMES[name]} {count}" for name, count in found.open_issues.items())
    total = wording.number(found.total)
    rows = _stretch(start, end, state=COUNTED)
    return [
        {"label": f"{dict(STRETCHES)[hours or '24']}留言", "value": total, "note": usual, "href": rows},
        {
            "label": "负面占比",
            "value": wording.percent(found.negative),
            "note": share,
            "href": _stretch(start, end, state=COUNTED, sentiment="neg"),
        },
        {
            "label": "苗头",
            "value": str(sum(found.open_issues.values())),
            "note": levels or "没有",
            "href": _stretch(found.issues_since, end, "/issues"),
        },
    ]


def _figures(found: Board, now: datetime, hours: str | None) -> list[dict[str, Any]]:
    oldest = f"最早 {wording.near(found.waiting[0]['at'], now)}" if found.waiting else "都有人跟进"
    longest = now - (found.waiting_since or now)
    waited = f"，最久等了 {wording.span(longest)}" if longest > LAG else ""
    past = f"，另有往日 {wording.number(found.backlog_past)} 条" if found.backlog_past else ""
    return [
        *_said(found, hours),
        {
            "label": "七天预警",
            "value": str(found.alerts),
            "note": _alert_note(found),
            "href": _stretch(now - timedelta(days=7), now, "/issues", state="alerts"),
        },
        {
            "label": "等待认领",
            "value": str(len(found.waiting)),
            "note": oldest,
            "tone": "warn" if found.waiting else "",
            "href": "/issues?state=new",
        },
        {
            "label": "分析延迟",
            "value": "—" if found.delay is None else f"{found.delay:.1f} 秒",
            "note": f"积压 {wording.number(found.backlog)} 条{waited}{past}",
            "tone": "warn" if longest > LAG else "",
            "href": "/replies?state=new",
        },
    ]


def _alert_note(found: Board) -> str:
    """The week's budget is the detector's; watch words are counted beside it."""
    words = f"，关注词 {found.word_alerts}" if found.word_alerts else ""
    return f"额度 {found.budget}{words}，误报 {found.false_alarms}"


def _past_figures(found: Board, hours: str | None) -> list[dict[str, Any]]:
    start, end = found.span.start, found.span.end
    alerts = {
        "label": "这段时间的预警",
        "value": str(found.alerts),
        "note": f"误报 {found.false_alarms}",
        "href": _stretch(start, end, "/issues", state="alerts"),
    }
    return [*_said(found, hours), alerts]


def _marks(found: Board) -> list[tuple[int, str]]:
    """Our own publications over the curve; those of one place share one mark, for two cannot be told apart there."""
    places: dict[int, list[Document]] = {}
    for row in found.publications:
        place = found.span.place(row["published_at"])
        if place is not None:
            places.setdefault(place, []).append(row)
    return [(place, _published(rows)) for place, rows in sorted(places.items())]


def _published(rows: list[Document]) -> str:
    """“16:13 《……》《……》”: what came out at one place of the curve."""
    return wording.short_moment(rows[0]["published_at"]) + " " + "".join(f"《{row['title']}》" for row in rows)


def _turned(rows: list[dict[str, Any]], districts: list[str]) -> list[dict[str, Any]]:
    """The same cells with the districts down the side, for narrow pages."""
    turned = []
    for number, district in enumerate(districts):
        cells = [row["cells"][number] for row in rows]
        turned.append({"label": district, "cells": cells, "total": sum(cell["value"] for cell in cells)})
    return turned


def _heat(found: Board, channels: list[str], districts: list[str]) -> list[dict[str, Any]]:
    rows = []
    for channel in channels:
        cells = found.heat[channel]
        drawn = [
            {
                "value": cells[district].count,
                "step": cells[district].step,
                "href": _stretch(found.span.start, found.span.end, state=COUNTED, channel=channel, district=district),
            }
            for district in (*districts, UNSAID)
        ]
        total = sum(cells[district].count for district in (*districts, UNSAID))
        rows.append({"label": CHANNELS[channel][1], "cells": drawn, "total": total})
    return rows


async def ask_for_incident(request: Request) -> HTTPResponse:
    await rehearsing.ask_for_incident(actor_of(request), desk_of(request))
    return go("/board", "incident")


ROUTES = (
    Route("POST", "/demo/incident", ask_for_incident, "alert.act", "form"),
    Route("GET", "/board", show_board, "board.read"),
)
