"""苗头和预警: their lists, one issue with its words and its course, and handling an alert; the board lives beside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import local
from hub.desk import alerting, copies, issues
from hub.desk.board import newest_alerts
from hub.domain.alert import LEVEL_NAMES, LOOSE, STATE_NAMES, open_moves
from hub.domain.case import KINDS, is_confidential
from hub.domain.errors import HubError
from hub.domain.people import Actor
from hub.domain.rights import may
from hub.pages.board import CHANNELS, FEELINGS, moment_of
from hub.pages.deciding import decision_rows
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

ALIVE = timedelta(days=30)  # an issue nobody spoke of for longer is of the past
PAGE = 50


async def show_issues(request: Request) -> HTTPResponse:
    """Issues that form now, those of the past, those done with; and alerts, waiting for somebody or all of them."""
    state = request.args.get("state") or "open"
    return await (_alerts if state in ("new", "alerts") else _issue_list)(request, state)


async def _issue_list(request: Request, state: str) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    state = state if state in ("past", "closed", "false_alarm") else "open"
    since, until, cursor = moment_of(request, "since"), moment_of(request, "until"), request.args.get("cursor") or ""
    alive = desk.clock.now() - ALIVE
    rows, more = await issues.list_issues(
        actor,
        desk,
        state="open" if state == "past" else state,
        since=since or (alive if state == "open" else None),
        before=alive if state == "past" else None,
        until=until,
        cursor=cursor,
    )
    alerts = await newest_alerts(actor, desk, [row["_id"] for row in rows])
    kept = {name: request.args.get(name) for name in ("state", "since", "until") if request.args.get(name)}
    return await show(
        request,
        "desk/issues.html",
        "board",
        rows=[{**row, "alert": alerts.get(row["_id"])} for row in rows],
        more=f"/issues?{urlencode({**kept, 'cursor': more})}" if more else "",
        back=f"/issues?{urlencode(kept)}" if cursor else "",
        state=state,
        said=f"{wording.full_moment(since)} 至 {wording.full_moment(until)}" if since and until else "",
        channels=CHANNELS,
        states=STATE_NAMES,
        now=desk.clock.now(),
    )


async def _alerts(request: Request, state: str) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    since, until, before = moment_of(request, "since"), moment_of(request, "until"), request.args.get("cursor") or ""
    new, loud = ("new", False) if state == "new" else (None, None)
    rows = await alerting.list_alerts(
        actor, desk, state=new, silent=loud, since=since, until=until, before=before, limit=PAGE + 1
    )
    kept = {name: request.args.get(name) for name in ("state", "since", "until") if request.args.get(name)}
    more = {**kept, "cursor": rows[PAGE - 1]["_id"]} if len(rows) > PAGE else None
    return await show(
        request,
        "desk/alerts.html",
        "board",
        rows=rows[:PAGE],
        more=f"/issues?{urlencode(more)}" if more else "",
        back=f"/issues?{urlencode(kept)}" if before else "",
        state=state,
        said=f"{wording.full_moment(since)} 至 {wording.full_moment(until)}" if since and until else "",
        states=STATE_NAMES,
        now=desk.clock.now(),
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
        may_open=may(actor, "case.open"),
        may_cases=may(actor, "case.read"),
        kinds=[(key, name) for key, name in KINDS.items() if not is_confidential(key)],
        error=error,
        now=desk.clock.now(),
        groups=await copies.groups_of_issue(actor, desk, id),
        times=times_of(found.bars_at),
        chance=_chance(found.issue["chance"]),
        voices=[_voice(row, found.issue) for row in found.words],
        decisions=decision_rows(found, found.issue["state"] == "open"),
        doubt=_doubt(found),
        may_decide=_may_decide(actor, found.issue),
        may_words=may(actor, "watchword.read"),
        course=_course(found),
        channels=CHANNELS,
        states=STATE_NAMES,
        feelings=FEELINGS,
    )


def _may_decide(actor: Actor, issue: Document) -> bool:
    return may(actor, "issue.decide") and issue["state"] == "open" and issue.get("source") not in LOOSE


def _doubt(found: issues.IssuePage) -> str:
    """Why this matter must be surer than others before it tells."""
    if found.doubt is None:
        return ""
    at, until = wording.day(found.doubt["at"]), wording.day(found.doubt["until"])
    said = f"：“{found.doubt['reason']}”" if found.doubt.get("reason") else ""
    return f"此前判为误报（{at}，{found.doubt.get('by_name') or ''}{said}）。{until}以前，同一件事要再少见十倍才预警。"


def times_of(at: Sequence[datetime]) -> list[str]:
    """Hours within one day, days too beyond it."""
    within = bool(at) and local(at[0]).date() == local(at[-1]).date()
    return [wording.hour(moment) if within else wording.short_moment(moment) for moment in at]


def _chance(chance: float) -> str:
    """How likely this is by mere chance, in round words."""
    for edge, words in ((1e-4, "不到万分之一"), (1e-3, "不到千分之一")):
        if chance < edge:
            return words
    return wording.percent(chance)


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
    if found.reached:
        steps.append(
            (found.reached, {"title": f"第 {found.least} 个人反映", "text": "达到预警所需的人数", "tone": "seen"})
        )
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
            text = CHANNELS[row["channel"]][1]
            steps.append((row["published_at"], {"title": f"发布《{row['title']}》", "text": text, "tone": "done"}))
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


ROUTES = (
    Route("GET", "/issues", show_issues, "issue.read"),
    Route("GET", "/issues/<id:str>", show_issue, "issue.read"),
    Route(
        "POST", "/alerts/<id:str>/<act:acknowledge|assess|respond|close|false-alarm>", handle_alert, "alert.act", "form"
    ),
)
