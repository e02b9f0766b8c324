"""工单: the inbox in three panes, one case with its thread, composer and what stands beside it; forms: case_forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub.desk import canned, casing, extending, inbox, naming, referring
from hub.desk.inbox import SORTS, TABS
from hub.desk.week import monday_of
from hub.domain import extension
from hub.domain.almanac import CALENDAR
from hub.domain.answer import LONGEST, LONGEST_SHORT, OUT, SHORT_ON, writers_of
from hub.domain.answer import STATES as ANSWER_STATES
from hub.domain.case import KINDS, MERGEABLE, RATINGS, STATES, open_moves
from hub.domain.errors import HubError, Invalid
from hub.domain.people import Role
from hub.domain.rights import may
from hub.pages import case_view
from hub.pages.board import CHANNELS, FEELINGS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, show
from hub.store.base import Document

Kept = dict[str, str]
WEEKS = {"answered": "本周答复的", "rated": "本周收到评价的"}
CAME = {"reply": "{}留言", "alert": "预警", "demand": "{}来信"}
ASIDE = ("assign", "wait", "decline", "close", "reopen")  # acts whose forms stand beside the thread
SORTED = 3  # orders that the menu offers
WORKED = ("in_hand", "waiting_citizen")


async def show_cases(request: Request) -> HTTPResponse:
    return await page(request, None)


async def show_case(request: Request, id: str) -> HTTPResponse:
    return await page(request, id)


async def page(
    request: Request,
    id: str | None,
    *,
    error: HubError | None = None,
    kept: Kept | None = None,
    plain: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTTPResponse:
    """The list, and where a case is chosen its thread and side; what was typed comes back with what is wrong.

    `plain`: the person's own name and contact, which somebody has just given a reason to see.
    """
    desk, actor = desk_of(request), actor_of(request)
    found = await casing.case_page(actor, desk, id) if id is not None else None
    errors = error.errors if isinstance(error, Invalid) else ()
    return await show(
        request,
        "desk/cases.html",
        "cases",
        status=status,
        narrow=True,
        inbox=await _inbox(request, found.case if found else None),
        it={**await _one(request, found), "plain": plain or {}} if found else None,
        error=error.message if error else "",
        problem={each.field: each.message for each in errors},
        kept=kept or {},
        channels=CHANNELS,
        feelings=FEELINGS,
        states=STATES,
        kinds=KINDS,
        ratings=RATINGS,
        answer_states=ANSWER_STATES,
        longest=LONGEST,
        longest_short=LONGEST_SHORT,
        now=desk.clock.now(),
    )


# ---- the list


async def _inbox(request: Request, case: Document | None) -> dict[str, Any]:
    desk, actor = desk_of(request), actor_of(request)
    week, tab, now = _week(request), _tab(request, case), desk.clock.now()
    sort, mine = _sort(request, tab), request.args.get("mine") == "1"
    cursor = request.args.get("cursor") or ""
    if week:
        found = await inbox.list_since(actor, desk, week, monday_of(now), cursor=cursor)
    else:
        found = await inbox.list_cases(actor, desk, tab=tab, sort=sort, mine=mine, cursor=cursor)
    kept = _kept_of(tab, sort, mine)
    here = {"week": week} if week else {"tab": tab, **kept}
    return {
        "tab": "" if week else tab,
        "week": WEEKS.get(week, ""),
        "tabs": await _tabs(request, mine),
        "sort": SORTS[sort][0],
        "sorts": [(SORTS[name][0], _to(tab, name, mine), name == sort) for name in inbox.sorts_of(tab)[:SORTED]],
        "mine": mine,
        "query": urlencode(here),
        "whose": [("全部人的", _to(tab, sort, False), not mine), ("只看我的", _to(tab, sort, True), mine)],
        "rows": [{**row, "clock": case_view.clock_of(row, now, CALENDAR)} for row in found.rows],
        "more": f"/cases?{urlencode({**here, 'cursor': found.cursor})}" if found.cursor else "",
        "back": f"/cases?{urlencode(here)}" if cursor else "",
    }


async def _tabs(request: Request, mine: bool) -> list[tuple[str, str, str, str | None]]:
    """Each tab with what it holds; the count is of the same rows that the tab lists."""
    counts = await inbox.count_cases(actor_of(request), desk_of(request), mine=mine)
    return [
        (key, words, _to(key, "", mine), None if key == "all" else case_view.most(counts[key], inbox.CEILING))
        for key, (words, _) in TABS.items()
        if key != "confidential" or counts[key]
    ]


def _kept_of(tab: str, sort: str, mine: bool) -> dict[str, str]:
    """What the address says besides the tab; the usual order is not said."""
    chosen = {"sort": sort} if sort and sort != inbox.usual_sort(tab) else {}
    return {**chosen, **({"mine": "1"} if mine else {})}


def _to(tab: str, sort: str, mine: bool) -> str:
    return f"/cases?{urlencode({'tab': tab, **_kept_of(tab, sort, mine)})}"


def _sort(request: Request, tab: str) -> str:
    wanted = request.args.get("sort") or ""
    return wanted if wanted in inbox.sorts_of(tab) else inbox.usual_sort(tab)


def _week(request: Request) -> str:
    """The figure of the home page whose rows are asked for; empty: none."""
    wanted = request.args.get("week") or ""
    return wanted if wanted in inbox.WEEKLY else ""


def _tab(request: Request, case: Document | None) -> str:
    """The tab that was chosen, else the one the opened case stands in."""
    wanted = request.args.get("tab") or ""
    if wanted in TABS:
        return wanted
    if case is None:
        return "todo"
    if case["confidential"]:
        return "confidential"
    return next((tab for tab, (_, states) in TABS.items() if case["state"] in states), "all")


# ---- one case


async def _one(request: Request, found: casing.CasePage) -> dict[str, Any]:
    """Everything of the opened case that its page draws."""
    desk, actor, case = desk_of(request), actor_of(request), found.case
    now = desk.clock.now()
    current = next((row for row in found.answers if int(row["round"]) == int(case["round"])), None)
    own = case.get("owner") == actor.id
    out = current is not None and current["state"] in OUT
    may_write = may(actor, "case.handle") and case["state"] in WORKED and own and not out
    beside = await referring.beside(actor, desk, case["_id"], found.words)
    return {
        "case": case,
        "clock": case_view.clock_of(case, now, CALENDAR),
        "strip": case_view.strip(case, now, CALENDAR),
        "thread": case_view.thread(case, found.words, found.answers),
        "stages": case_view.stages(case, now),
        "answer": current,
        "out": out,
        "own": own,
        "busy": bool(case.get("owner")) and not own and case["state"] in WORKED,
        "may_write": may_write,
        "canned": await canned.offered(actor, desk, case["_id"]) if may_write else [],
        "short": any(name in SHORT_ON for name in case.get("channels", ())),
        "reach": case_view.reach(case, CHANNELS),
        "deliveries": [case_view.delivery_of(row, CHANNELS) for row in found.deliveries],
        "counted": case_view.counted(found.counts.get(current["_id"], {})) if current else "",
        "similar": beside.similar,
        "references": beside.references,
        "before": case_view.before(beside.before),
        "facts": _facts(case, found.words),
        "file_href": f"/replies/{found.words[0]['_id']}" if found.words and may(actor, "topic.write") else "",
        **_rights(request, case, current),
        **await _choices(request, case, own),
    }


def _rights(request: Request, case: Document, answer: Document | None) -> dict[str, Any]:
    """What this person may do here, by name."""
    actor = actor_of(request)
    open_to_merge = case["state"] in MERGEABLE and not case["confidential"]
    waits = answer is not None and answer["state"] == "in_review" and actor.id not in writers_of(answer)
    return {
        "may_handle": may(actor, "case.handle"),
        "may_review": waits and may(actor, "answer.review"),
        "may_send": may(actor, "answer.send") and answer is not None and answer["state"] == "approved",
        "may_note": may(actor, "case.note"),
        "may_resolve": may(actor, "answer.resolve"),
        "may_reveal": may(actor, "reply.reveal"),
        "may_merge": may(actor, "case.open") and open_to_merge,
        "may_sort": may(actor, "case.accept") and case["state"] in MERGEABLE,
        "may_keep": may(actor, "canned.write"),
        "may_decide": may(actor, "case.extend") and (case.get("extension") or {}).get("by") != actor.id,
        "asks": extension.waits(case),
    }


async def _choices(request: Request, case: Document, own: bool) -> dict[str, Any]:
    """What may be done now, and what its forms offer to choose from."""
    desk, actor = desk_of(request), actor_of(request)
    acts = {move.act: move for move in open_moves(case) if may(actor, move.right)}
    if case.get("owner") not in (None, actor.id):  # what was given to a person is handed back by that person
        acts.pop("object", None)
    most = await extending.most_days(actor, desk) if "extend" in acts and own else 0
    secret = case["confidential"] and case["state"] in WORKED and "extend" in acts
    return {
        "acts": acts,
        "side_acts": [act for act in acts if act in ASIDE and (own or act != "wait")],
        "untils": case_view.untils(case, most, CALENDAR) if most else [],
        "most_days": most,
        "handlers": await naming.people_with(actor, desk, Role.HANDLER) if "assign" in acts else [],
        "reviewers": await naming.people_with(actor, desk, Role.REVIEWER) if secret else [],
    }


def _facts(case: Document, words: Sequence[Document]) -> list[tuple[str, str]]:
    """What is known of the person and the matter; a number as everywhere, masked."""
    contact = next((str(row["contact"]) for row in words if row.get("contact")), "")
    came = next((said for name, said in CAME.items() if name in case["origin"]), "")
    origin = came.format(CHANNELS[case["channel"]][1])
    pairs = [("联系", contact),
             ("类别", KINDS[case["kind"]]), ("来自", origin), ("区县", case.get("district") or "未写明"),
             ("主题", case.get("topic") or "")]  # fmt: skip
    return [(name, value) for name, value in pairs if value]


ROUTES = (
    Route("GET", "/cases", show_cases, "case.read"),
    Route("GET", "/cases/<id:str>", show_case, "case.read"),
)
