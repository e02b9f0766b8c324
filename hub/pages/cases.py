"""工单: the inbox in three panes, one case with its thread and composer, and its forms; what they do is the desk's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from sanic import HTTPResponse, Request

from hub.desk import answering, casing, confirming, handling, naming, opening
from hub.desk.casing import TABS
from hub.desk.week import monday_of
from hub.domain.almanac import CALENDAR
from hub.domain.answer import LONGEST, LONGEST_SHORT, OUT, SHORT_ON, writers_of
from hub.domain.answer import STATES as ANSWER_STATES
from hub.domain.case import KINDS, MERGEABLE, RATINGS, STATES, open_moves
from hub.domain.errors import FieldError, HubError, Invalid
from hub.domain.people import Role
from hub.domain.rights import may
from hub.pages import case_view
from hub.pages.board import CHANNELS, FEELINGS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

Kept = dict[str, str]
WEEKS = {"answered": "本周答复的", "rated": "本周收到评价的"}
CAME = {"reply": "{}留言", "alert": "预警", "demand": "{}来信"}


async def show_cases(request: Request) -> HTTPResponse:
    return await _page(request, None)


async def show_case(request: Request, id: str) -> HTTPResponse:
    return await _page(request, id)


async def _page(
    request: Request,
    id: str | None,
    *,
    error: HubError | None = None,
    kept: Kept | None = None,
    status: int = 200,
) -> HTTPResponse:
    """The list, and where a case is chosen its thread and side; what was typed comes back with what is wrong."""
    desk, actor = desk_of(request), actor_of(request)
    found = await casing.case_page(actor, desk, id) if id is not None else None
    inbox = await _inbox(request, found.case if found else None)
    errors = error.errors if isinstance(error, Invalid) else ()
    return await show(
        request,
        "desk/cases.html",
        "cases",
        status=status,
        narrow=True,
        inbox=inbox,
        it=await _one(request, found) if found else None,
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


async def _inbox(request: Request, case: Document | None) -> dict[str, Any]:
    desk, actor = desk_of(request), actor_of(request)
    week, tab = _week(request), _tab(request, case)
    mine, cursor = request.args.get("mine") == "1", request.args.get("cursor") or ""
    now = desk.clock.now()
    if week:
        found = await casing.list_since(actor, desk, week, monday_of(now), cursor=cursor)
    else:
        found = await casing.list_cases(actor, desk, tab=tab, mine=mine, cursor=cursor)
    counts = await casing.count_cases(actor, desk)
    kept = {"mine": "1"} if mine else {}
    here = {"week": week} if week else {"tab": tab, **kept}
    tabs = [
        (key, words, f"/cases?{urlencode({**kept, 'tab': key})}", counts[key] if key not in ("all",) else None)
        for key, (words, _) in TABS.items()
        if key != "confidential" or counts[key]
    ]
    return {
        "tab": "" if week else tab,
        "week": WEEKS.get(week, ""),
        "tabs": tabs,
        "mine": mine,
        "query": urlencode(here),
        "flip": f"/cases?{urlencode({'tab': tab, **({} if mine else {'mine': '1'})})}",
        "rows": [{**row, "clock": case_view.clock_of(row, now, CALENDAR)} for row in found.rows],
        "more": f"/cases?{urlencode({**here, 'cursor': found.cursor})}" if found.cursor else "",
        "back": f"/cases?{urlencode(here)}" if cursor else "",
    }


def _week(request: Request) -> str:
    """The figure of the home page whose rows are asked for; empty: none."""
    wanted = request.args.get("week") or ""
    return wanted if wanted in casing.WEEKLY else ""


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


async def _one(request: Request, found: casing.CasePage) -> dict[str, Any]:
    """Everything of the opened case that its page draws."""
    desk, actor, case = desk_of(request), actor_of(request), found.case
    now = desk.clock.now()
    current = next((row for row in found.answers if int(row["round"]) == int(case["round"])), None)
    acts = {move.act: move for move in open_moves(case) if may(actor, move.right)}
    own = case.get("owner") == actor.id
    writable = may(actor, "case.handle") and case["state"] in ("in_hand", "waiting_citizen")
    return {
        "case": case,
        "clock": case_view.clock_of(case, now, CALENDAR),
        "strip": case_view.strip(case, now, CALENDAR),
        "thread": case_view.thread(case, found.words, found.answers),
        "stages": case_view.stages(case),
        "answer": current,
        "out": current is not None and current["state"] in OUT,
        "acts": acts,
        "own": own,
        "busy": bool(case.get("owner")) and not own and case["state"] in ("in_hand", "waiting_citizen"),
        "may_write": writable and own and not (current and current["state"] in OUT),
        "may_review": _may_review(request, current),
        "may_send": may(actor, "answer.send") and current is not None and current["state"] == "approved",
        "may_note": may(actor, "case.note"),
        "may_resolve": may(actor, "answer.resolve"),
        "may_reveal": may(actor, "reply.reveal"),
        "may_merge": may(actor, "case.open") and case["state"] in MERGEABLE and not case["confidential"],
        "may_sort": may(actor, "case.accept") and case["state"] in MERGEABLE,
        "short": any(name in SHORT_ON for name in case.get("channels", ())),
        "handlers": await naming.people_with(actor, desk, Role.HANDLER) if "assign" in acts else [],
        "reviewers": await naming.people_with(actor, desk, Role.REVIEWER) if case["confidential"] and writable else [],
        "deliveries": [case_view.delivery_of(row, CHANNELS) for row in found.deliveries],
        "counted": case_view.counted(found.counts.get(current["_id"], {})) if current else "",
        "similar": found.similar,
        "facts": _facts(case),
    }


def _may_review(request: Request, answer: Document | None) -> bool:
    actor = actor_of(request)
    waits = answer is not None and answer["state"] == "in_review"
    return waits and may(actor, "answer.review") and actor.id not in writers_of(answer or {"by": ""})


def _facts(case: Document) -> list[tuple[str, str]]:
    came = next((said for name, said in CAME.items() if name in case["origin"]), "")
    origin = came.format(CHANNELS[case["channel"]][1])
    pairs = [("类别", KINDS[case["kind"]]), ("来自", origin), ("区县", case.get("district") or "未写明"),
             ("话题", case.get("topic") or ""), ("承办单位", case.get("department") or ""),
             ("承办人", case.get("owner_name") or "未分派")]  # fmt: skip
    return [(name, value) for name, value in pairs if value]


# ---- forms


async def open_case(request: Request) -> HTTPResponse:
    """开工单, from the page of a reply, an issue or an alert."""
    desk, actor = desk_of(request), actor_of(request)
    kind = field(request, "kind", 20) or "help"
    if alert := field(request, "alert", 80):
        opened = await opening.open_from_alert(actor, desk, alert, kind=kind)
    else:
        opened = await opening.open_from_reply(actor, desk, field(request, "reply", 80), kind=kind)
    return go(f"/cases/{quote(opened.case['_id'])}", "case_opened")


def _form(work: Callable[..., Any]) -> Callable[..., Any]:
    """A form on a case: what is wrong is said on the case's own page, and nothing typed is lost."""

    async def handle(request: Request, id: str, **parts: str) -> HTTPResponse:
        try:
            case, done = await work(request, id, **parts)
        except HubError as error:
            if error.status not in (409, 422):
                raise
            return await _page(request, await _case_of(request, id), error=error, kept=_kept(request),
                               status=error.status)  # fmt: skip
        return go(f"/cases/{quote(case)}", done)

    return handle


def _kept(request: Request) -> Kept:
    names = ("text", "short", "remark", "note", "department", "person", "reviewer", "evidence", "delivery", "form")
    return {name: field(request, name, LONGEST + 1) for name in names}


async def _case_of(request: Request, id: str) -> str:
    """The case of an answer's or a delivery's id; of a case its own."""
    return id.partition(":")[0]


async def accept_form(request: Request, id: str, act: str) -> tuple[str, str]:
    desk, actor = desk_of(request), actor_of(request)
    if act == "accept":
        await handling.accept_case(actor, desk, id)
    elif act == "decline":
        await handling.decline_case(actor, desk, id, field(request, "remark"))
    elif act == "sort":
        await handling.sort_case(actor, desk, id, field(request, "kind", 20))
    else:
        person, department = field(request, "person", 80), field(request, "department", 80)
        await handling.assign_case(actor, desk, id, person=person, department=department)
    return id, f"case_{act}"


async def handle_form(request: Request, id: str, step: str) -> tuple[str, str]:
    desk, actor = desk_of(request), actor_of(request)
    if step == "take":
        await handling.take_case(actor, desk, id)
    elif step == "wait":
        await handling.wait_case(actor, desk, id, field(request, "remark"))
    else:
        await handling.resume_case(actor, desk, id)
    return id, f"case_{step}"


async def end_form(request: Request, id: str, end: str) -> tuple[str, str]:
    desk, actor = desk_of(request), actor_of(request)
    if end == "close":
        await handling.close_case(actor, desk, id, field(request, "remark"))
    else:
        await handling.reopen_case(actor, desk, id, field(request, "remark"))
    return id, f"case_{end}"


async def merge_form(request: Request, id: str) -> tuple[str, str]:
    into = field(request, "into", 80)
    if not into:
        raise Invalid("请选一件工单。", (FieldError("into", "请选要并入的工单。"),))
    await opening.merge(actor_of(request), desk_of(request), id, into)
    return into, "case_merge"


async def note_form(request: Request, id: str) -> tuple[str, str]:
    await handling.note_case(actor_of(request), desk_of(request), id, field(request, "note"))
    return id, "case_note"


async def answer_form(request: Request, id: str) -> tuple[str, str]:
    """Save the answer, or submit it: which button was pressed says so."""
    desk, actor = desk_of(request), actor_of(request)
    text, short = field(request, "text", LONGEST + 1), field(request, "short", LONGEST_SHORT + 1)
    if field(request, "submit", 10) == "on":
        await answering.submit_answer(actor, desk, id, text, short, reviewer=field(request, "reviewer", 80))
        return id, "answer_submitted"
    await answering.write_answer(actor, desk, id, text, short)
    return id, "saved"


async def review_form(request: Request, id: str) -> tuple[str, str]:
    verdict = field(request, "verdict", 10)
    await answering.review_answer(
        actor_of(request),
        desk_of(request),
        id,
        verdict=verdict,
        hash=field(request, "hash", 80),
        remark=field(request, "remark", 500),
    )
    return id.partition(":")[0], f"answer_{verdict}"


async def send_form(request: Request, id: str) -> tuple[str, str]:
    await answering.send_answer(actor_of(request), desk_of(request), id)
    return id.partition(":")[0], "answer_sent"


async def delivery_form(request: Request, id: str, act: str) -> tuple[str, str]:
    desk, actor = desk_of(request), actor_of(request)
    if act == "again":
        found = await confirming.send_again(actor, desk, id)
    else:
        outcome, evidence = field(request, "outcome", 20), field(request, "evidence", 301)
        found = await confirming.resolve_delivery(actor, desk, id, outcome, evidence)
    return str(found["case"]), "delivery_again" if act == "again" else "resolved"


ROUTES = (
    Route("GET", "/cases", show_cases, "case.read"),
    Route("POST", "/cases", open_case, "case.open", "form"),
    Route("GET", "/cases/<id:str>", show_case, "case.read"),
    Route("POST", "/cases/<id:str>/<act:accept|decline|assign|sort>", _form(accept_form), "case.accept", "form"),
    Route("POST", "/cases/<id:str>/<step:take|wait|resume>", _form(handle_form), "case.handle", "form"),
    Route("POST", "/cases/<id:str>/<end:close|reopen>", _form(end_form), "case.close", "form"),
    Route("POST", "/cases/<id:str>/merge", _form(merge_form), "case.open", "form"),
    Route("POST", "/cases/<id:str>/notes", _form(note_form), "case.note", "form"),
    Route("POST", "/cases/<id:str>/answer", _form(answer_form), "case.handle", "form"),
    Route("POST", "/answers/<id:str>/reviews", _form(review_form), "answer.review", "form"),
    Route("POST", "/answers/<id:str>/send", _form(send_form), "answer.send", "form"),
    Route("POST", "/deliveries/<id:str>/<act:resolve|again>", _form(delivery_form), "answer.resolve", "form"),
)
