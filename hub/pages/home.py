"""首页 and 通知: what waits for this person, today, the accounts, the bell; what waits is worked out by the desk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.clock import local
from hub.desk import noticing, pausing
from hub.desk.accounts import list_accounts
from hub.desk.quotas import left_today
from hub.desk.replies import COUNTED
from hub.desk.week import (
    Answered,
    Rated,
    Week,
    still_planned,
    week_of_answers,
    week_of_publications,
    week_of_ratings,
    week_of_replies,
)
from hub.desk.working import my_work, today
from hub.domain.almanac import lunar_date
from hub.domain.errors import Invalid
from hub.domain.quota import Left, headline, is_low, left_words
from hub.domain.rights import may
from hub.pages.board import CHANNELS
from hub.pages.missed import asked_of, beside
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

GREETINGS = ((5, "夜深了"), (9, "早上好"), (12, "上午好"), (14, "中午好"), (18, "下午好"), (24, "晚上好"))


async def show_home(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    now = desk.clock.now()
    asked = await asked_of(request)
    rows = beside(await my_work(actor, desk), asked)
    start = local(now).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    posts = await today(actor, desk, start, start + timedelta(days=1))
    urgent = sum(row.tone != "quiet" for row in rows)
    said = f"今天有 {len(rows)} 件事等您" + (f"，其中 {urgent} 件较急" if urgent else "") if rows else "没有事等您处理"
    return await show(
        request,
        "desk/home.html",
        "home",
        greeting=f"{actor.name}，{_greeting(now)}",
        said=f"{wording.day(now)} {wording.weekday(now)}，{lunar_date(local(now).date())}　{said}",
        rows=rows,
        urgent=[row for row in rows if row.tone != "quiet"],
        later=[row for row in rows if row.tone == "quiet"],
        figures=await _figures(request, now),
        today=_with_now(posts, now),
        now_last=bool(posts) and all(post["at"] <= now for post in posts),
        accounts=await _accounts_said(request),
        channels=CHANNELS,
        now=now,
        **asked,
        may_write=may(actor, "content.write"),
        may_hold=may(actor, "hold.all"),
        may_lift=may(actor, "hold.lift"),
        may_publications=may(actor, "publication.read"),
    )


async def _figures(request: Request, now: datetime) -> list[dict[str, Any]]:
    """The week in figures, as far as this person may see them; each opens the rows it counts."""
    desk, actor = desk_of(request), actor_of(request)
    figures = []
    if may(actor, "publication.read"):
        figures += [
            _published(await week_of_publications(actor, desk)),
            _planned(await still_planned(actor, desk), now),
        ]
    if may(actor, "board.read"):
        figures += _said(await week_of_replies(actor, desk))
    if may(actor, "case.read"):
        figures += [_answered(await week_of_answers(actor, desk)), _rated(await week_of_ratings(actor, desk))]
    return figures


def _published(week: Week) -> dict[str, Any]:
    note = f"上周同期 {wording.number(week.before)} 篇"
    value = f"{wording.number(week.count)} 篇"
    return {
        "label": "本周发布",
        "value": value,
        "note": note,
        "href": "/publications?tab=published",
        "spark": week.days,
    }


def _planned(planned: tuple[int, datetime | None], now: datetime) -> dict[str, Any]:
    count, first = planned
    note = f"下一篇 {wording.near(first, now)}" if first else "七天内没有排定的"
    return {"label": "已排定", "value": f"{count} 篇", "note": note, "href": "/publications?tab=scheduled"}


def _said(week: Week) -> list[dict[str, Any]]:
    rows = {"since": week.since.isoformat(), "until": week.until.isoformat(), "state": COUNTED}
    before = "" if week.negative_before is None else f"上周同期 {wording.percent(week.negative_before)}"
    return [
        {
            "label": "本周留言",
            "value": f"{wording.number(week.count)} 条",
            "note": f"上周同期 {wording.number(week.before)} 条",
            "href": f"/replies?{urlencode(rows)}",
            "spark": week.days,
        },
        {
            "label": "负面占比",
            "value": wording.percent(week.negative),
            "note": before,
            "href": f"/replies?{urlencode({**rows, 'sentiment': 'neg'})}",
        },
    ]


def _answered(week: Answered) -> dict[str, Any]:
    late = f"，{wording.number(week.late)} 件超时" if week.late else ""
    before = f"，上周同期 {wording.percent(week.share_before)}" if week.share_before is not None else ""
    return {
        "label": "按期答复",
        "value": wording.percent(week.share),
        "note": f"本周 {wording.number(week.count)} 件{late}{before}" if week.count else "本周还没有答复的",
        "href": "/cases?week=answered",
    }


def _rated(week: Rated) -> dict[str, Any]:
    bad = f"，{wording.number(week.bad)} 个不满意" if week.bad else ""
    return {
        "label": "好差评",
        "value": wording.number(week.mean, 2),
        "note": f"本周 {wording.number(week.count)} 个评价{bad}，满分 5" if week.count else "本周还没有评价",
        "href": "/cases?week=rated",
    }


def _greeting(now: datetime) -> str:
    return next(word for hour, word in GREETINGS if local(now).hour < hour)


def _with_now(posts: list[Document], now: datetime) -> list[dict[str, Any]]:
    """The day's posts with the place of the present between them."""
    passed = [post for post in posts if post["at"] <= now]
    return [
        {**post, "states": _in_order(post["states"]), "now": number == len(passed) and number > 0}
        for number, post in enumerate(posts)
    ]


def _in_order(rows: Iterable[Document]) -> list[Document]:
    """What belongs to channels, in the order of every page."""
    return sorted(rows, key=lambda row: list(CHANNELS).index(row["channel"]))


async def _accounts(request: Request) -> list[Document]:
    actor = actor_of(request)
    return await list_accounts(actor, desk_of(request), limit=8) if may(actor, "account.read") else []


async def _accounts_said(request: Request) -> list[dict[str, Any]]:
    rows = _in_order(await _accounts(request))
    if not rows:
        return []
    lefts = await left_today(actor_of(request), desk_of(request), [row["_id"] for row in rows])
    return [_account(row, lefts[row["_id"]]) for row in rows]


def _account(row: Document, lefts: Sequence[Left]) -> dict[str, Any]:
    """One account as the home page says it: its state, and what is left of what runs out first."""
    health: dict[str, Any] = row.get("health") or {}
    said = "　".join(f"{one.name} {left_words(one)}" for one in headline(lefts, 1))
    until = health.get("token_until")
    looked = health.get("looked_at")
    days = max(0, (until - looked).days) if until and looked else 0
    state = str(health.get("state", ""))
    state = "quota" if state == "quota_low" or (state == "ok" and any(is_low(one) for one in lefts)) else state
    state = "held" if row.get("held") else state
    return {"channel": row["channel"], "name": row["name"], "said": said, "state": state, "days": days}


async def show_notices(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    before = request.args.get("before") or ""
    rows, more = await noticing.list_notices(actor, desk, before=before)
    return await show(request, "desk/notices.html", "home", rows=rows, more=more, before=before, now=desk.clock.now())


async def open_notice(request: Request, id: str) -> HTTPResponse:
    """Mark it as read and go where it points: always a path of our own, written by the hub itself."""
    desk, actor = desk_of(request), actor_of(request)
    found = await noticing.own_notice(actor, desk, id)
    await noticing.read_notice(actor, desk, id)
    return go(str(found["link"]))


async def read_notices(request: Request) -> HTTPResponse:
    await noticing.read_all(actor_of(request), desk_of(request))
    return go("/notices", "read")


async def show_hold(request: Request) -> HTTPResponse:
    return await _hold(request)


async def _hold(request: Request, *, errors: tuple[Any, ...] = (), reason: str = "", status: int = 200) -> HTTPResponse:
    actor = actor_of(request)
    return await show(
        request,
        "desk/hold_all.html",
        "publications",
        status=status,
        errors=errors,
        reason=reason,
        under_way=await pausing.under_way(actor, desk_of(request)),
        names={row["_id"]: row["name"] for row in await list_accounts(actor, desk_of(request), limit=200)},
        channels=CHANNELS,
        may_lift=may(actor, "hold.lift"),
    )


async def hold_all(request: Request) -> HTTPResponse:
    reason = field(request, "reason", 200)
    try:
        await pausing.hold_all(actor_of(request), desk_of(request), reason)
    except Invalid as error:
        return await _hold(request, errors=error.errors, reason=reason, status=422)
    return go("/hold-all", "held")


async def lift_hold(request: Request) -> HTTPResponse:
    await pausing.lift_hold_all(actor_of(request), desk_of(request), reason=field(request, "reason", 200))
    return go("/publications", "lifted")


ROUTES = (
    Route("GET", "/", show_home, "notice.read"),
    Route("GET", "/notices", show_notices, "notice.read"),
    Route("POST", "/notices/<id:str>/open", open_notice, "notice.read", "form"),
    Route("POST", "/notices/read", read_notices, "notice.read", "form"),
    Route("GET", "/hold-all", show_hold, "hold.all"),
    Route("POST", "/hold-all", hold_all, "hold.all", "form"),
    Route("POST", "/hold-all/lift", lift_hold, "hold.lift", "form"),
)
