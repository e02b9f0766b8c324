"""留言: the list, one reply, its plain words for a reason, its label; finding them is the desk's."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import copies, issues, naming, replies, topics, urgency
from hub.domain.case import KINDS
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.figures import UNSAID
from hub.domain.people import Actor
from hub.domain.rights import may
from hub.domain.urgency import HINTED, MARKED, NONE, WORDS, number_of
from hub.domain.urgency import KINDS as URGENT_KINDS
from hub.pages.board import CHANNELS, FEELINGS, heard_on, moment_of
from hub.pages.model import reading_words
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show

NAMES = ("words", "channel", "district", "sentiment", "urgent", "state", "issue", "since", "until", "publication")
SENTIMENTS = {"neg": "负面", "neu": "中性", "pos": "正面"}
PLAIN = {"author": "姓名", "contact": "联系方式"}


async def show_replies(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    chosen = {name: (request.args.get(name) or "").strip()[:200] for name in NAMES}
    since, until = moment_of(request, "since"), moment_of(request, "until")
    known: list[str] = request.app.ctx.facts["districts"]
    cursor = request.args.get("cursor") or ""
    unsaid = chosen["district"] == UNSAID
    filters = {name: chosen[name] for name in replies.FILTERS if name in chosen and not (unsaid and name == "district")}
    found = await replies.list_replies(
        actor,
        desk,
        since=since,
        until=until,
        words=chosen["words"],
        cursor=cursor,
        filters=filters,
        outside=known if unsaid else (),
        counted=True,
    )
    kept = {name: value for name, value in chosen.items() if value}
    more = f"/replies?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else ""
    hints = await urgency.hints_on(actor, desk)
    said = f"{wording.full_moment(since)} 至 {wording.full_moment(until)}" if since and until else ""
    return await show(
        request,
        "desk/replies.html",
        "replies",
        rows=found.items,
        titles=await issues.titles(actor, desk, sorted({row["issue"] for row in found.items if row.get("issue")})),
        more=more,
        first=f"/replies?{urlencode(kept)}",
        cursor=cursor,
        chosen=chosen,
        any_chosen=bool(kept),
        words=chosen["words"],
        said="　".join(part for part in (said, await _of_issue(request, chosen["issue"]), _count(found)) if part),
        districts=[("", "全部区县"), *((name, name) for name in (*known, UNSAID))],
        offered=[
            ("", "全部渠道"),
            *((name, CHANNELS[name][1]) for name in heard_on(request)),
        ],
        channels=CHANNELS,
        feelings=FEELINGS,
        urgent_kinds=URGENT_KINDS,
        hints=hints,
        urgent_offered=[("", "全部"), (MARKED, "紧急"), *([(HINTED, "可能紧急，没人看过")] if hints else [])],
        may_model=may(actor, "model.read"),
        now=desk.clock.now(),
    )


def _count(found: replies.Replies) -> str:
    if found.total is None:
        return ""
    more = found.total >= replies.MOST_COUNTED
    return f"{wording.number(found.total)} 条以上" if more else f"共 {wording.number(found.total)} 条"


async def _of_issue(request: Request, id: str) -> str:
    """The name of the issue whose words these are; nothing where there is none."""
    if not id:
        return ""
    titles = await issues.titles(actor_of(request), desk_of(request), [id])
    return f"苗头：{titles[id]}" if id in titles else ""


async def show_reply(request: Request, id: str) -> HTTPResponse:
    return await _reply(request, id)


async def _reply(
    request: Request,
    id: str,
    *,
    plain: tuple[tuple[str, str], ...] = (),
    words: str = "",
    errors: tuple[FieldError, ...] = (),
    topic_error: str = "",
    topic_said: str = "",
    urgency_error: str = "",
    status: int = 200,
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    row = await replies.reply(actor, desk, id)
    analysis: dict[str, Any] = row.get("analysis") or {}
    return await show(
        request,
        "desk/reply.html",
        "replies",
        status=status,
        row={"label": None, "about": "", "issue": None, "case": None, **row},
        kinds=list(KINDS.items()),
        may_open=may(actor, "case.open") and row["state"] != "unopened",
        may_cases=may(actor, "case.read"),
        issue=(await issues.titles(actor, desk, [row["issue"]])).get(row["issue"], "") if row.get("issue") else "",
        group=await copies.group_of(actor, desk, id),
        analysis=analysis,
        facts=_facts(row, analysis) if analysis else (),
        reasons=_reasons(analysis),
        plain=plain,
        words=words,
        errors=errors,
        may_reveal=may(actor, "reply.reveal"),
        may_label=may(actor, "reply.write"),
        may_model=may(actor, "model.read"),
        channels=CHANNELS,
        offered=await _offered(request) if analysis and may(actor, "topic.write") else (),
        topic_said=topic_said,
        topic_error=topic_error,
        mark=await _mark(request, row),
        hint=_hint(row, analysis) if await urgency.hints_on(actor, desk) else {},
        urgent_kinds=list(WORDS.items()) if _may_mark(actor, row) else (),
        urgency_seen=number_of(row),
        urgency_error=urgency_error,
    )


def _may_mark(actor: Actor, row: dict[str, Any]) -> bool:
    return may(actor, "urgency.write") and row["state"] != "unopened" and not row.get("confidential")


def _hint(row: dict[str, Any], analysis: dict[str, Any]) -> dict[str, Any]:
    """What the reading takes for possible, while nobody has said what it is."""
    read = analysis.get("urgency")
    return {**read, "kind_words": URGENT_KINDS[read["kind"]]} if read and not row.get("urgency") else {}


async def _mark(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    """What a person said of its urgency: which kind, who, when; nothing where nobody did."""
    said = row.get("urgency")
    if not said:
        return {}
    names = await naming.names_of(actor_of(request), desk_of(request), [said["by"]])
    return {**said, "words": WORDS[said["kind"]], "urgent": said["kind"] != NONE, "name": names.get(said["by"], "")}


async def _offered(request: Request) -> list[tuple[str, str]]:
    """The names of the tree in force, each with the whole way to it."""
    tree = await topics.tree(actor_of(request), desk_of(request))
    return [(topic.name, " › ".join(topic.path)) for topic in tree.topics]


def _reasons(analysis: dict[str, Any]) -> list[tuple[str, bool]]:
    """The words that moved the judgement most, True where towards negative; only what a person reads as a word."""
    why = (analysis.get("sentiment") or {}).get("why", [])
    return [(piece, weight > 0) for piece, weight in why if len(piece) > 1 and piece.isalnum()][:5]


def _facts(row: dict[str, Any], analysis: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    sentiment = analysis["sentiment"]
    sure = "" if sentiment["sure"] else "（拿不准）"
    return (
        ("情感", f"{SENTIMENTS[sentiment['label']]}，负面的可能 {wording.percent(sentiment['negative'], 0)}{sure}"),
        ("怎样判的", reading_words(analysis)),
        ("关键词", "、".join(analysis["terms"][:8]) or "—"),
        ("主题", _topic(row)),
        ("地点", "、".join(analysis["places"]) or "—"),
        ("区县", row.get("district") or "—"),
    )


def _topic(row: dict[str, Any]) -> str:
    """The first level and the node that was read; what a person said of it stands before both."""
    topic, branch = row.get("topic"), row.get("branch")
    read = f"{branch} › {topic}" if branch and topic and branch != topic else topic or "—"
    return f"{row['filed_name']}（已改正，原为 {read}）" if row.get("filed_name") else read


async def reveal_reply(request: Request, id: str) -> HTTPResponse:
    try:
        found = await replies.reveal(actor_of(request), desk_of(request), id, field(request, "reason", 500))
    except Invalid as error:
        return await _reply(request, id, errors=error.errors, status=422)
    return await _reply(
        request,
        id,
        plain=tuple((PLAIN[name], found[name]) for name in PLAIN if found.get(name)),
        words=found.get("text", ""),
    )


async def label_reply(request: Request, id: str) -> HTTPResponse:
    await replies.label(actor_of(request), desk_of(request), id, field(request, "label", 10))
    return go(f"/replies/{id}", "saved")


async def file_reply(request: Request, id: str) -> HTTPResponse:
    said = field(request, "topic", 150)
    try:
        await topics.file_reply(actor_of(request), desk_of(request), id, said)
    except Invalid as error:
        return await _reply(request, id, topic_error=error.errors[0].message, topic_said=said, status=422)
    return go(f"/replies/{id}", "filed")


async def mark_reply(request: Request, id: str) -> HTTPResponse:
    kind, seen = field(request, "kind", 20), field(request, "seen", 9)
    try:
        number = int(seen) if seen.isdecimal() else -1
        await urgency.mark_urgency(actor_of(request), desk_of(request), id, kind, number)
    except (Conflict, Invalid) as error:
        return await _reply(request, id, urgency_error=error.message, status=error.status)
    return go(f"/replies/{id}", f"urgency_{kind}" if kind in ("life", NONE) else "urgency_marked")


ROUTES = (
    Route("GET", "/replies", show_replies, "reply.read"),
    Route("GET", "/replies/<id:str>", show_reply, "reply.read"),
    Route("POST", "/replies/<id:str>/reveal", reveal_reply, "reply.reveal", "form"),
    Route("POST", "/replies/<id:str>/topic", file_reply, "topic.write", "form"),
    Route("POST", "/replies/<id:str>/label", label_reply, "reply.write", "form"),
    Route("POST", "/replies/<id:str>/urgency", mark_reply, "urgency.write", "form"),
)
