"""归并与拆分: choosing where an issue belongs, or which of its voices do not; deciding and obeying are the desk's."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import deciding, issues, replies
from hub.domain.alert import LEVEL_NAMES
from hub.domain.errors import Conflict, FieldError, HubError, Invalid
from hub.pages.board import CHANNELS, FEELINGS
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

PAGE = 100  # voices on one page of a split


async def show_merge(request: Request, id: str) -> HTTPResponse:
    return await _merge_page(request, id)


async def _merge_page(
    request: Request, id: str, errors: Sequence[FieldError] = (), sentence: str = "", status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    words = (request.args.get("words") or "").strip()[:50]
    found = await deciding.likely(actor, desk, id, words)
    return await show(
        request, "desk/issue_merge.html", "board", status=status, issue=await issues.headed(actor, desk, id),
        offered=[(row["_id"], _named(row)) for row in found], words=words, errors=errors, sentence=sentence,
        into=field(request, "into", 120), reason=field(request, "reason", 200), now=desk.clock.now(),
    )  # fmt: skip


def _named(row: Document) -> str:
    places = "、".join(row["districts"][:2])
    return f"{row['title']}（{LEVEL_NAMES[row['level']]}，{row['voices']} 人{'，' + places if places else ''}）"


async def merge(request: Request, id: str) -> HTTPResponse:
    into = field(request, "into", 120)
    try:
        await deciding.merge_issue(actor_of(request), desk_of(request), id, into, field(request, "reason", 200))
    except (Invalid, Conflict) as error:
        errors = error.errors if isinstance(error, Invalid) else ()
        return await _merge_page(request, id, errors, "" if errors else error.message, error.status)
    return go(f"/issues/{quote(into)}", "issue_merge")


async def show_split(request: Request, id: str) -> HTTPResponse:
    return await _split_page(request, id)


async def _split_page(
    request: Request, id: str, errors: Sequence[FieldError] = (), sentence: str = "", status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    words, cursor = (request.args.get("words") or "").strip()[:50], request.args.get("cursor") or ""
    found = await replies.list_replies(
        actor, desk, words=words, cursor=cursor, limit=PAGE, filters={"issue": id}, counted=True
    )
    here = f"/issues/{quote(id)}/split"
    kept = {"words": words} if words else {}
    return await show(
        request, "desk/issue_split.html", "board", status=status, issue=await issues.headed(actor, desk, id),
        rows=found.items, words=words, chosen=_chosen(request), errors=errors, sentence=sentence, cursor=cursor,
        more=f"{here}?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else "", here=here,
        reason=field(request, "reason", 200), channels=CHANNELS, feelings=FEELINGS, now=desk.clock.now(),
    )  # fmt: skip


def _chosen(request: Request) -> list[str]:
    return [str(each)[:80] for each in request.form.getlist("replies") or []] if request.form else []


async def split(request: Request, id: str) -> HTTPResponse:
    try:
        await deciding.split_issue(
            actor_of(request), desk_of(request), id, _chosen(request), field(request, "reason", 200)
        )
    except (Invalid, Conflict) as error:
        errors = error.errors if isinstance(error, Invalid) else ()
        return await _split_page(request, id, errors, "" if errors else error.message, error.status)
    return go(f"/issues/{quote(id)}", "issue_split")


async def undo(request: Request, id: str) -> HTTPResponse:
    """撤销归并, from the page of the issue that things were brought into."""
    desk, actor, issue = desk_of(request), actor_of(request), field(request, "issue", 120)
    try:
        await deciding.undo_merge(actor, desk, id, field(request, "reason", 200))
    except HubError as error:
        if error.status not in (409, 422) or not issue:
            raise
        return await _split_page(request, issue, sentence=error.message, status=error.status)
    return go(f"/issues/{quote(issue)}", "issue_undo")


def decision_rows(found: issues.IssuePage, now_open: bool) -> list[Document]:
    """The decisions about an issue in words, each with what may be done about it now."""
    return [_in_words(row, str(found.issue["_id"]), now_open) for row in found.decisions]


def _in_words(row: Document, id: str, now_open: bool) -> Document:
    end = {"waiting": "正在执行，几秒后刷新", "void": "没有执行：要归并或拆分的已不在"}
    state = end["waiting"] if row["state"] == "waiting" else end.get(str(row.get("outcome")), "")
    undoable = now_open and row["into"] == id and deciding.is_undoable(row) if row.get("into") else False
    return {
        "id": row["_id"],
        "at": wording.short_moment(row["at"]),
        "by": row.get("by_name") or "",
        "words": _what(row, id),
        "other": row["issue"] if row.get("into") == id else row.get("into"),
        "reason": row.get("reason") or "",
        "state": state or ("已撤销" if row["undone"] else ""),
        "undo": undoable and not row["undone"],
    }


def _what(row: Document, id: str) -> str:
    here, other = row.get("into") == id, row["issue_title"] if row.get("into") == id else row["into_title"]
    if row["kind"] == "merge":
        return f"把“{other}”归并到这里" if here else f"归并到“{other}”"
    if row["kind"] == "split":
        count = len(row.get("ids") or [])
        undoes = "撤销归并，" if row.get("undoes") else ""
        other = other or "新的苗头"
        return undoes + (f"从“{other}”拆出 {count} 条" if here else f"拆出 {count} 条，另立“{other}”")
    return "预警判为误报" if row["kind"] == "doubt" else "预警属实，已办结"


ROUTES = (
    Route("GET", "/issues/<id:str>/merge", show_merge, "issue.decide"),
    Route("POST", "/issues/<id:str>/merge", merge, "issue.decide", "form"),
    Route("GET", "/issues/<id:str>/split", show_split, "issue.decide"),
    Route("POST", "/issues/<id:str>/split", split, "issue.decide", "form"),
    Route("POST", "/decisions/<id:str>/undo", undo, "issue.decide", "form"),
)
