"""/api/v1/cases and /answers: open, handle and answer cases, review and let answers go; the desk's verbs decide."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from sanic import HTTPResponse, Request

from hub.desk import answering, casing, confirming, extending, handling, inbox, opening
from hub.desk.inbox import SORTS, TABS
from hub.domain.errors import FieldError, Invalid
from hub.pages.api_answers import API, answer, chosen, cursor_of, limit_of, listed, one_of
from hub.pages.api_contents import LIST, Key, Short
from hub.pages.api_listening import RemarkBody
from hub.pages.routes import Body, Route, desk_of, take
from hub.pages.shell import actor_of

Kind = Literal["inquiry", "help", "complaint", "suggestion", "praise", "report", "petition"]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class CaseBody(Body):
    """开工单, from one reply or from one alert."""

    reply: Key | None = None
    alert: Key | None = None
    kind: Kind = "help"
    title: Short = ""


class AssignBody(Body):
    """派办 to a department, a person, or both."""

    person: Key | None = None
    department: Short = ""


class KindBody(Body):
    """改类别; 举报 and 信访 stay confidential for ever."""

    kind: Kind


class MergeBody(Body):
    """归并: the case that this one goes into."""

    into: Key


class ExtendBody(Body):
    """申请延期 to the end of this day; the reason is what the citizen reads once it is granted."""

    until: date
    reason: Short


class ExtensionBody(Body):
    """准予 or 不予延期, by somebody who did not ask."""

    verdict: Literal["pass", "return"]
    remark: Short = ""


class NoteBody(Body):
    """内部备注."""

    note: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class AnswerBody(Body):
    """答复: the words, a short form for short platforms; `submit`: 送审 them at once."""

    text: Words
    short: Annotated[str, msgspec.Meta(max_length=140)] = ""
    submit: bool = False
    reviewer: Key | None = None


class VerdictBody(Body):
    """通过 or 退回 of exactly the text with this hash."""

    verdict: Literal["pass", "return"]
    hash: Key
    remark: Short = ""


class ResolveBody(Body):
    """人工认定 of one citizen's delivery."""

    outcome: Literal["delivered", "not_delivered"]
    evidence: Short


async def list_cases(request: Request) -> HTTPResponse:
    asked = chosen(request, "tab", "sort", "mine")
    tab = one_of("tab", asked.get("tab", "todo"), TABS)
    found = await inbox.list_cases(
        actor_of(request),
        desk_of(request),
        tab=tab,
        sort=one_of("sort", asked["sort"], SORTS) if "sort" in asked else "",
        mine=asked.get("mine") == "1",
        cursor=cursor_of(request),
        limit=limit_of(request),
    )
    return listed(found.rows, found.cursor)


async def open_case(request: Request) -> HTTPResponse:
    body: CaseBody = take(request, CaseBody)
    desk, actor = desk_of(request), actor_of(request)
    if (body.reply is None) == (body.alert is None):
        raise Invalid("请求里有字段不对。", (FieldError("reply", "留言和预警，写明其中一个。"),))
    if body.alert is not None:
        opened = await opening.open_from_alert(actor, desk, body.alert, kind=body.kind, title=body.title)
    else:
        opened = await opening.open_from_reply(actor, desk, str(body.reply), kind=body.kind, title=body.title)
    return answer({**opened.case, "joined": opened.joined, "elsewhere": opened.elsewhere}, status=201)


async def one_case(request: Request, id: str) -> HTTPResponse:
    found = await casing.case_page(actor_of(request), desk_of(request), id)
    return answer(
        {
            **found.case,
            "replies_shown": found.words,
            "answers": [answering.bare(row) for row in found.answers],
            "deliveries": [answering.bare(row) for row in found.deliveries],
            "delivery_counts": found.counts,
        }
    )


async def accept(request: Request, id: str) -> HTTPResponse:
    return answer(await handling.accept_case(actor_of(request), desk_of(request), id))


async def decline(request: Request, id: str) -> HTTPResponse:
    body: RemarkBody = take(request, RemarkBody)
    return answer(await handling.decline_case(actor_of(request), desk_of(request), id, body.remark))


async def assign(request: Request, id: str) -> HTTPResponse:
    body: AssignBody = take(request, AssignBody)
    found = await handling.assign_case(
        actor_of(request), desk_of(request), id, person=body.person or "", department=body.department
    )
    return answer(found)


async def sort_case(request: Request, id: str) -> HTTPResponse:
    body: KindBody = take(request, KindBody)
    return answer(await handling.sort_case(actor_of(request), desk_of(request), id, body.kind))


async def take_case(request: Request, id: str) -> HTTPResponse:
    return answer(await handling.take_case(actor_of(request), desk_of(request), id))


async def wait_case(request: Request, id: str) -> HTTPResponse:
    body: RemarkBody = take(request, RemarkBody)
    return answer(await handling.wait_case(actor_of(request), desk_of(request), id, body.remark))


async def resume(request: Request, id: str) -> HTTPResponse:
    return answer(await handling.resume_case(actor_of(request), desk_of(request), id))


async def extend(request: Request, id: str) -> HTTPResponse:
    body: ExtendBody = take(request, ExtendBody)
    return answer(
        await extending.extend_case(actor_of(request), desk_of(request), id, until=body.until, reason=body.reason)
    )


async def decide_extension(request: Request, id: str) -> HTTPResponse:
    body: ExtensionBody = take(request, ExtensionBody)
    found = await extending.decide_extension(
        actor_of(request), desk_of(request), id, verdict=body.verdict, remark=body.remark
    )
    return answer(found)


async def object_to(request: Request, id: str) -> HTTPResponse:
    body: RemarkBody = take(request, RemarkBody)
    return answer(await extending.object_case(actor_of(request), desk_of(request), id, body.remark))


async def ask_owner(request: Request, id: str) -> HTTPResponse:
    return answer(await handling.ask_case(actor_of(request), desk_of(request), id))


async def merge(request: Request, id: str) -> HTTPResponse:
    body: MergeBody = take(request, MergeBody)
    return answer(await opening.merge(actor_of(request), desk_of(request), id, body.into))


async def note(request: Request, id: str) -> HTTPResponse:
    body: NoteBody = take(request, NoteBody)
    return answer(await handling.note_case(actor_of(request), desk_of(request), id, body.note))


async def close(request: Request, id: str) -> HTTPResponse:
    body: RemarkBody = take(request, RemarkBody)
    return answer(await handling.close_case(actor_of(request), desk_of(request), id, body.remark))


async def reopen(request: Request, id: str) -> HTTPResponse:
    body: RemarkBody = take(request, RemarkBody)
    return answer(await handling.reopen_case(actor_of(request), desk_of(request), id, body.remark))


async def write_answer(request: Request, id: str) -> HTTPResponse:
    body: AnswerBody = take(request, AnswerBody)
    desk, actor = desk_of(request), actor_of(request)
    if body.submit:
        found = await answering.submit_answer(actor, desk, id, body.text, body.short, reviewer=body.reviewer or "")
    else:
        found = await answering.write_answer(actor, desk, id, body.text, body.short)
    return answer(found)


async def one_answer(request: Request, id: str) -> HTTPResponse:
    return answer(await answering.answer(actor_of(request), desk_of(request), id))


async def review(request: Request, id: str) -> HTTPResponse:
    body: VerdictBody = take(request, VerdictBody)
    found = await answering.review_answer(
        actor_of(request), desk_of(request), id, verdict=body.verdict, hash=body.hash, remark=body.remark
    )
    return answer(found)


async def send(request: Request, id: str) -> HTTPResponse:
    return answer(await answering.send_answer(actor_of(request), desk_of(request), id))


async def resolve(request: Request, id: str) -> HTTPResponse:
    body: ResolveBody = take(request, ResolveBody)
    found = await confirming.resolve_delivery(actor_of(request), desk_of(request), id, body.outcome, body.evidence)
    return answer(answering.bare(found))


async def send_again(request: Request, id: str) -> HTTPResponse:
    return answer(answering.bare(await confirming.send_again(actor_of(request), desk_of(request), id)))


_CASE, _ANSWER, _DELIVERY = f"{API}/cases/<id:str>", f"{API}/answers/<id:str>", f"{API}/deliveries/<id:str>"
ROUTES = (
    Route("GET", f"{API}/cases", list_cases, "case.read", "api", None, "工单列表",
          query=("tab", "sort", "mine", *LIST)),
    Route("POST", f"{API}/cases", open_case, "case.open", "api", CaseBody, "开工单"),
    Route("GET", _CASE, one_case, "case.read", "api", None, "一件工单，连同原话（已遮盖）、答复和送达"),
    Route("POST", f"{_CASE}/accept", accept, "case.accept", "api", None, "受理"),
    Route("POST", f"{_CASE}/decline", decline, "case.accept", "api", RemarkBody, "不予受理（原因给群众看）"),
    Route("POST", f"{_CASE}/assign", assign, "case.accept", "api", AssignBody, "派办"),
    Route("POST", f"{_CASE}/kind", sort_case, "case.accept", "api", KindBody, "改类别"),
    Route("POST", f"{_CASE}/take", take_case, "case.handle", "api", None, "接办"),
    Route("POST", f"{_CASE}/wait", wait_case, "case.handle", "api", RemarkBody, "请群众补充（时限停下）"),
    Route("POST", f"{_CASE}/resume", resume, "case.handle", "api", None, "继续办理"),
    Route("POST", f"{_CASE}/object", object_to, "case.handle", "api", RemarkBody, "异议：不归我们办，退回派办的人"),
    Route("POST", f"{_CASE}/extend", extend, "case.handle", "api", ExtendBody, "申请延期（原因给群众看）"),
    Route("POST", f"{_CASE}/extension", decide_extension, "case.extend", "api", ExtensionBody, "准予或不予延期"),
    Route("POST", f"{_CASE}/ask", ask_owner, "case.note", "api", None, "问办理的人一声"),
    Route("POST", f"{_CASE}/merge", merge, "case.open", "api", MergeBody, "归并"),
    Route("POST", f"{_CASE}/notes", note, "case.note", "api", NoteBody, "写内部备注"),
    Route("POST", f"{_CASE}/answer", write_answer, "case.handle", "api", AnswerBody, "写答复、送审"),
    Route("POST", f"{_CASE}/close", close, "case.close", "api", RemarkBody, "办结"),
    Route("POST", f"{_CASE}/reopen", reopen, "case.close", "api", RemarkBody, "重新办理"),
    Route("GET", _ANSWER, one_answer, "case.read", "api", None, "一条答复"),
    Route("POST", f"{_ANSWER}/reviews", review, "answer.review", "api", VerdictBody, "审答复"),
    Route("POST", f"{_ANSWER}/send", send, "answer.send", "api", None, "送出答复"),
    Route("POST", f"{_DELIVERY}/resolve", resolve, "answer.resolve", "api", ResolveBody, "认定是否送到"),
    Route("POST", f"{_DELIVERY}/again", send_again, "answer.resolve", "api", None, "再送一次"),
)
