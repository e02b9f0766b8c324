"""工单's forms: what each button of a case's page asks of the desk, and the page again where something is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

from sanic import Request
from sanic.response import BaseHTTPResponse, json

from hub import wording
from hub.desk import (
    answering,
    canned,
    casing,
    confirming,
    extending,
    handling,
    opening,
    referring,
    replies,
)
from hub.domain.answer import LONGEST, LONGEST_SHORT
from hub.domain.errors import Conflict, FieldError, HubError, Invalid
from hub.pages.cases import Kept, page
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, wants_data

MOST_MERGED = 5


async def open_case(request: Request) -> BaseHTTPResponse:
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

    async def handle(request: Request, id: str, **parts: str) -> BaseHTTPResponse:
        try:
            said = await work(request, id, **parts)
        except HubError as error:
            if error.status not in (409, 422):
                raise
            if wants_data(request):
                return json({"sentence": error.message}, status=error.status)
            shown = _case_of(id)
            return await page(request, shown, error=error, kept=_kept(request), status=error.status)
        return said if isinstance(said, BaseHTTPResponse) else go(f"/cases/{quote(said[0])}", said[1])

    return handle


def _kept(request: Request) -> Kept:
    names = ("text", "short", "remark", "note", "department", "person", "reviewer", "evidence", "delivery", "form",
             "reason", "until", "verdict")  # fmt: skip
    return {name: field(request, name, LONGEST + 1) for name in names}


def _case_of(id: str) -> str:
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
    """Into another case by its number, or (`from`) the chosen ones into this."""
    desk, actor = desk_of(request), actor_of(request)
    into, chosen = field(request, "into", 80), request.form.getlist("from") or [] if request.form else []
    if chosen:
        for each in chosen[:MOST_MERGED]:
            await opening.merge(actor, desk, each, id)
        return id, "case_merge"
    if not into:
        raise Invalid("请选一件工单。", (FieldError("into", "请选要并入的工单，或写它的编号。"),))
    found = await opening.merge(actor, desk, id, into)
    return str(found["_id"]), "case_merge"


async def object_form(request: Request, id: str) -> tuple[str, str]:
    await extending.object_case(actor_of(request), desk_of(request), id, field(request, "remark"))
    return id, "case_object"


async def extend_form(request: Request, id: str) -> tuple[str, str]:
    reason, until = field(request, "remark"), _day_of(field(request, "until", 10))
    await extending.extend_case(actor_of(request), desk_of(request), id, until=until, reason=reason)
    return id, "case_extend"


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def extension_form(request: Request, id: str) -> tuple[str, str]:
    verdict, remark = field(request, "verdict", 10), field(request, "remark")
    await extending.decide_extension(actor_of(request), desk_of(request), id, verdict=verdict, remark=remark)
    return id, f"case_{extending.VERDICTS[verdict]}"


async def ask_form(request: Request, id: str) -> tuple[str, str]:
    await handling.ask_case(actor_of(request), desk_of(request), id)
    return id, "case_ask"


async def reveal_form(request: Request, id: str) -> BaseHTTPResponse:
    """查看全名: shown once on the case's own page, for a reason that goes into the audit; kept nowhere."""
    desk, actor = desk_of(request), actor_of(request)
    found = await casing.case_page(actor, desk, id)
    if not found.words:
        raise Conflict("这件工单里现在没有留言。")
    plain = await replies.reveal(actor, desk, str(found.words[0]["_id"]), field(request, "reason", 500))
    return await page(request, id, plain={name: plain[name] for name in ("author", "contact") if plain.get(name)})


async def note_form(request: Request, id: str) -> tuple[str, str]:
    await handling.note_case(actor_of(request), desk_of(request), id, field(request, "note"))
    return id, "case_note"


async def answer_form(request: Request, id: str) -> tuple[str, str] | BaseHTTPResponse:
    """Save the answer, submit it, or put something into it first: which button was pressed says so."""
    desk, actor = desk_of(request), actor_of(request)
    text, short = field(request, "text", LONGEST + 1), field(request, "short", LONGEST_SHORT + 1)
    if field(request, "insert", 10) or field(request, "quote", 100):
        return await _inserted(request, id, text)
    if field(request, "submit", 10) == "on":
        await answering.submit_answer(actor, desk, id, text, short, reviewer=field(request, "reviewer", 80))
        return id, "answer_submitted"
    saved = await answering.write_answer(actor, desk, id, text, short)
    if wants_data(request):
        return json({"saved_at": wording.hour(saved["changed_at"]), "state": saved["state"]})
    return id, "saved"


async def _inserted(request: Request, id: str, text: str) -> BaseHTTPResponse:
    """The page again with a canned answer or a quotation behind what was typed; nothing is saved yet."""
    desk, actor = desk_of(request), actor_of(request)
    if key := field(request, "quote", 100):
        more = await referring.quoted(actor, desk, id, key)
    else:
        chosen = field(request, "canned", 80)
        more = next((row["text"] for row in await canned.offered(actor, desk, id) if row["_id"] == chosen), "")
    if not more:
        raise Invalid("没有找到要插入的文字。", (FieldError("canned", "请选一条常用答复。"),))
    return await page(request, id, kept={**_kept(request), "text": f"{text}\n{more}".strip(), "form": "answer"})


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
    Route("POST", "/cases", open_case, "case.open", "form"),
    Route("POST", "/cases/<id:str>/<act:accept|decline|assign|sort>", _form(accept_form), "case.accept", "form"),
    Route("POST", "/cases/<id:str>/<step:take|wait|resume>", _form(handle_form), "case.handle", "form"),
    Route("POST", "/cases/<id:str>/<end:close|reopen>", _form(end_form), "case.close", "form"),
    Route("POST", "/cases/<id:str>/merge", _form(merge_form), "case.open", "form"),
    Route("POST", "/cases/<id:str>/object", _form(object_form), "case.handle", "form"),
    Route("POST", "/cases/<id:str>/extend", _form(extend_form), "case.handle", "form"),
    Route("POST", "/cases/<id:str>/extension", _form(extension_form), "case.extend", "form"),
    Route("POST", "/cases/<id:str>/ask", _form(ask_form), "case.note", "form"),
    Route("POST", "/cases/<id:str>/reveal", _form(reveal_form), "reply.reveal", "form"),
    Route("POST", "/cases/<id:str>/notes", _form(note_form), "case.note", "form"),
    Route("POST", "/cases/<id:str>/answer", _form(answer_form), "case.handle", "form"),
    Route("POST", "/answers/<id:str>/reviews", _form(review_form), "answer.review", "form"),
    Route("POST", "/answers/<id:str>/send", _form(send_form), "answer.send", "form"),
    Route("POST", "/deliveries/<id:str>/<act:resolve|again>", _form(delivery_form), "answer.resolve", "form"),
)
