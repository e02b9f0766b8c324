"""稿件: the list, the history of one, its times on each account; the editor's page is in editor.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sanic import HTTPResponse, Request

from hub.clock import SHANGHAI, in_utc, local
from hub.desk import columns, naming, previewing, publishing, quieting, reviewing, writing
from hub.desk.publishing import Wish
from hub.domain import quiet
from hub.domain.content import KINDS, STATES, facts_of
from hub.domain.difference import compare
from hub.domain.errors import FieldError, Invalid
from hub.domain.rights import may
from hub.pages.board import CHANNELS
from hub.pages.changes import grouped, worded
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

TONES = {"draft": "plain", "in_review": "primary", "approved": "ok"}
SEARCHED = 1_000  # titles looked through for a word
LATE = (("ask", "先问我"), ("publish", "迟了也发"), ("hold", "暂停，等我决定"))
BEFORE, AFTER = "09:00", 30  # a day's first post; minutes from now that a new plan proposes


async def show_contents(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    names = ("state", "column", "author", "words")
    chosen = {name: (request.args.get(name) or "").strip()[:80] for name in names}
    cursor = request.args.get("cursor") or ""
    where = {name: chosen[name] for name in ("state", "column", "author")}
    rows, more = await _rows(request, where, chosen["words"], cursor)
    shelf = await columns.list_columns(actor, desk)
    kept = {name: value for name, value in chosen.items() if value}
    return await show(
        request,
        "desk/contents.html",
        "contents",
        rows=rows,
        people=await naming.names_of(actor, desk, [row["author"] for row in rows]),
        signs=await previewing.publications_of(actor, desk, [row["_id"] for row in rows]),
        tabs=_tabs(await writing.count_states(actor, desk), kept),
        chosen=chosen,
        any_chosen=any(chosen[name] for name in ("column", "author", "words")),
        columns=[("", "全部栏目"), *((row["_id"], row["name"]) for row in shelf)],
        shelf={row["_id"]: row["name"] for row in shelf},
        authors=[("", "全部作者"), *await naming.writers(actor, desk)],
        more=f"/contents?{urlencode({**kept, 'cursor': more})}" if more else "",
        first=f"/contents?{urlencode(kept)}" if cursor else "",
        clear=f"/contents?{urlencode({'state': chosen['state']})}" if chosen["state"] else "/contents",
        searched=SEARCHED,
        kinds={key: kind.name for key, kind in KINDS.items()},
        states=STATES,
        tones=TONES,
        channels=CHANNELS,
        may_write=may(actor, "content.write"),
        now=desk.clock.now(),
    )


def _tabs(counts: Mapping[str, int], kept: Mapping[str, str]) -> list[tuple[str, str, str, int]]:
    found = [("", "全部", _tab(kept, ""), sum(counts.values()))]
    return found + [(state, STATES[state], _tab(kept, state), counts[state]) for state in STATES]


def _tab(kept: Mapping[str, str], state: str) -> str:
    asked = {name: value for name, value in {**kept, "state": state}.items() if value}
    return f"/contents?{urlencode(asked)}" if asked else "/contents"


async def _rows(
    request: Request, where: Mapping[str, str], words: str, cursor: str
) -> tuple[list[Document], str | None]:
    """One page of the list; with words the titles of the last changed ones are looked through."""
    desk, actor = desk_of(request), actor_of(request)
    if not words:
        found = await writing.list_contents(actor, desk, where=where, cursor=cursor or None)
        return found.rows, found.cursor
    rows: list[Document] = []
    at: str | None = None
    for _ in range(SEARCHED // 200):
        found = await writing.list_contents(actor, desk, where=where, cursor=at, limit=200)
        rows += [row for row in found.rows if all(word in row["title"] for word in words.split())]
        at = found.cursor
        if at is None:
            break
    return rows[:200], None


# ---- history


async def show_history(request: Request, id: str) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    content, newest = await writing.read(actor, desk, id)
    cursor = request.args.get("cursor") or ""
    found = await writing.history(actor, desk, id, cursor=cursor or None)
    chosen = _chosen(request, content, found.rows)
    old = await writing.revision_of(desk, id, chosen)
    base = request.args.get("with") or "newest"
    before, after = (old, newest) if base == "newest" else (await _previous(request, id, chosen), old)
    difference = compare(before, after, {name: fact.name for name, fact in facts_of(after["kind"]).items()})
    return await show(
        request,
        "desk/history.html",
        "contents",
        content=content,
        rows=found.rows,
        people=await naming.names_of(actor, desk, [row["by"] for row in found.rows]),
        verdicts=_verdicts(await reviewing.reviews_of(desk, id)),
        more=f"/contents/{id}/history?{urlencode({'cursor': found.cursor})}" if found.cursor else "",
        chosen=chosen,
        base=base,
        difference=difference,
        fields=worded(difference.fields, {row["_id"]: row["name"] for row in await columns.list_columns(actor, desk)}),
        parts_of=grouped(difference.blocks),
        may_write=may(actor, "content.write"),
        now=desk.clock.now(),
    )


def _chosen(request: Request, content: Document, rows: Sequence[Document]) -> int:
    asked = request.args.get("number") or ""
    if asked.isdecimal() and 1 <= int(asked) <= content["revision"]:
        return int(asked)
    return max(1, int(content["revision"]) - 1)


async def _previous(request: Request, id: str, number: int) -> Document | None:
    return await writing.revision_of(desk_of(request), id, number - 1) if number > 1 else None


def _verdicts(reviews: Sequence[Document]) -> dict[int, str]:
    """The newest word of the reviewers on each revision."""
    words = {"pass": "审过", "return": "退回"}
    return {int(each["revision"]): words[each["verdict"]] for each in reversed(reviews)}


async def restore(request: Request, id: str) -> HTTPResponse:
    number, revision = field(request, "number", 9), field(request, "revision", 9)
    if not number.isdecimal() or not revision.isdecimal():
        raise Invalid("没有说明恢复哪个版本，请从历史版本里选。")
    await writing.restore(actor_of(request), desk_of(request), id, int(number), revision=int(revision))
    return go(f"/contents/{id}", "restored")


# ---- times


async def show_schedule(request: Request, id: str) -> HTTPResponse:
    return await _schedule(request, id)


async def _schedule(
    request: Request,
    id: str,
    *,
    errors: Sequence[FieldError] = (),
    said: str = "",
    given: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    content, revision = await writing.read(actor, desk, id)
    found = await previewing.previews(actor, desk, content, revision)
    open_ = [each.account["_id"] for each in found if not each.planned]
    start = local(desk.clock.now()) + timedelta(minutes=AFTER - desk.clock.now().minute % 10)
    values = {"accounts": open_, "at": start.strftime("%Y-%m-%dT%H:%M"), "late": "ask", **(given or {})}
    return await show(
        request,
        "desk/content_schedule.html",
        "contents",
        status=status,
        content=content,
        previews=found,
        open_accounts=open_,
        given=values,
        errors=errors,
        said=said,
        quiet=await _coming(request),
        late=LATE,
        channels=CHANNELS,
        states=STATES,
        now=desk.clock.now(),
        may_schedule=may(actor, "content.schedule"),
    )


async def _coming(request: Request) -> list[str]:
    """The quiet periods that hold or are to come, as somebody who gives a time must know them."""
    actor, now = actor_of(request), desk_of(request).clock.now()
    periods = await quieting.quiet_periods(actor, desk_of(request)) if may(actor, "publication.read") else []
    coming = [period for period in reversed(periods) if not quiet.is_over(period, now)]
    return [f"{quiet.span_words(period)}（{period['reason']}）" for period in coming]


def _moment(text: str) -> datetime | None:
    try:
        return in_utc(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))
    except ValueError:
        return None


async def schedule(request: Request, id: str) -> HTTPResponse:
    form = request.form
    accounts = [str(each)[:60] for each in (form.getlist("accounts") or [])] if form else []
    given: dict[str, Any] = {"accounts": accounts, "at": field(request, "at", 30), "late": field(request, "late", 10)}
    moment = desk_of(request).clock.now() if field(request, "when", 5) == "now" else _moment(given["at"])
    errors = []
    if not accounts:
        errors.append(FieldError("accounts", "请至少选一个账号。"))
    if moment is None:
        errors.append(FieldError("at", "请选日期和时间，如 2026-11-25 09:00。"))
    if errors or moment is None:
        return await _schedule(request, id, errors=errors, given=given, status=422)
    try:
        wishes = [Wish(account, moment, given["late"]) for account in accounts]
        done = await publishing.schedule(actor_of(request), desk_of(request), id, wishes)
    except Invalid as error:
        return await _schedule(request, id, errors=_once(error.errors), said=error.message, given=given, status=422)
    said = "planned_quiet" if done.notes else "planned_doubt" if done.doubtful else "planned"
    return go(f"/contents/{id}/schedule", said)


def _once(errors: Sequence[FieldError]) -> tuple[FieldError, ...]:
    """What is wrong with every account alike is the time's fault and is said once, at the time."""
    words = {error.message for error in errors}
    return (FieldError("at", words.pop()),) if len(errors) > 1 and len(words) == 1 else tuple(errors)


ROUTES = (
    Route("GET", "/contents", show_contents, "content.read"),
    Route("GET", "/contents/<id:str>/history", show_history, "content.read"),
    Route("POST", "/contents/<id:str>/restore", restore, "content.write", "form"),
    Route("GET", "/contents/<id:str>/schedule", show_schedule, "content.read"),
    Route("POST", "/contents/<id:str>/schedule", schedule, "content.schedule", "form"),
)
