"""审校: the queue, and the page where one reads what changed and passes or returns it; who may, the domain says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.checks.kinds import NAMES as RULES
from hub.desk import columns, filing, naming, previewing, reviewing, writing
from hub.desk.checking import check_content
from hub.domain.content import STATES
from hub.domain.errors import Conflict, HubError, Invalid, NotAllowed
from hub.domain.people import Actor
from hub.domain.review import KINDS, Standing, level_name, require_reviewer
from hub.domain.rights import may
from hub.pages.board import CHANNELS
from hub.pages.changes import grouped, worded
from hub.pages.routes import Route, desk_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document

TABS = {"changes": "改动", "text": "全文", "channels": "各渠道版本", "findings": "校对提示", "talk": "往来意见"}
SINCE = {"approved": "上次审过的", "returned": "退回的", "nothing": ""}


async def show_reviews(request: Request) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    cursor = request.args.get("cursor") or ""
    found = await reviewing.queue(actor, desk, cursor=cursor or None)
    ids = [row.content["_id"] for row in found.rows]
    mine = sum(row.mine for row in found.rows)
    return await show(
        request,
        "desk/reviews.html",
        "reviews",
        rows=sorted(found.rows, key=lambda row: not row.mine),
        mine=mine,
        cursor=cursor,
        more=f"/reviews?cursor={found.cursor}" if found.cursor else "",
        people=await naming.names_of(actor, desk, [row.content["author"] for row in found.rows]),
        signs=await previewing.publications_of(actor, desk, ids),
        next_words={row.content["_id"]: _turn(row.standing) for row in found.rows},
        channels=CHANNELS,
        now=desk.clock.now(),
    )


def _turn(now: Standing) -> str:
    return f"等{level_name(now.next_level, now.levels)}" if now.next_level else "等归档"


async def show_review(request: Request, id: str) -> HTTPResponse:
    return await _page(request, id)


async def _page(request: Request, id: str, *, said: str = "", remark: str = "", status: int = 200) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    content, revision = await writing.read(actor, desk, id)
    asked = request.args.get("tab") or "changes"
    tab = asked if asked in TABS else "changes"
    look = await reviewing.difference(actor, desk, id)
    now = await reviewing.standing_of(actor, desk, id)
    verdicts = await reviewing.reviews_of(desk, id)
    ids = [*(each["by"] for each in verdicts), *content.get("writers", ()), content["author"]]
    people = await naming.names_of(actor, desk, ids)
    findings = await check_content(actor, desk, id)
    previews = await previewing.previews(actor, desk, content, revision)
    shelf = await columns.list_columns(actor, desk)
    planned = [each.publication for each in previews if each.publication]
    return await show(
        request,
        "desk/review.html",
        "reviews",
        status=status,
        content=content,
        revision=revision,
        tab=tab,
        tabs=_tabs(id, look, previews, findings, verdicts),
        look=look,
        accounts={each.account["_id"]: each.account["name"] for each in previews},
        fields=worded(look.difference.fields, {row["_id"]: row["name"] for row in shelf}),
        parts_of=grouped(look.difference.blocks),
        since=SINCE[look.since],
        steps=_steps(actor, content, now, verdicts, people),
        title=f"{'一二三'[now.levels - 1]}审" if now.levels <= 3 else "审批",
        given=len(now.passed),
        levels=now.levels,
        level=now.next_level,
        bar=_bar(actor, content, now),
        talk=_talk(verdicts, people, now),
        people=people,
        findings=findings,
        rules=RULES,
        reasons=content.get("acknowledged", ()),
        previews=previews,
        files=await _files(request, revision),
        pass_words=_pass_words(now, planned),
        due=min((row["at"] for row in planned if row["state"] == "proposed"), default=None),
        states=STATES,
        channels=CHANNELS,
        said=said,
        remark=remark,
        now=desk.clock.now(),
    )


def _tabs(id: str, look: Any, previews: Sequence[Any], findings: Sequence[Any], verdicts: Sequence[Any]) -> list[Any]:
    counts = {
        "changes": look.difference.changed,
        "text": None,
        "channels": len(previews),
        "findings": len(findings),
        "talk": sum(bool(each["remark"]) for each in verdicts),
    }
    return [(key, words, f"/reviews/{id}?tab={key}", counts[key]) for key, words in TABS.items()]


def _bar(actor: Actor, content: Document, now: Standing) -> str:
    """Why this person cannot decide here; empty: they can."""
    if content["state"] == "approved":
        return "已全部通过。"
    if content["state"] != "in_review" or now.next_level is None:
        return "这篇稿件不在送审中。"
    if not may(actor, "content.review"):
        return "您的角色只能看，不能审批。"
    try:
        require_reviewer(actor, content, now, now.next_level)
    except NotAllowed as error:
        return error.message
    return ""


def _pass_words(now: Standing, planned: Sequence[Document]) -> str:
    """What the main button says: the last level sets the planned posts free."""
    last = now.next_level == now.levels
    times = sorted(row["at"] for row in planned if row["state"] == "proposed")
    if not last or not times:
        return "通过"
    return f"通过，{wording.hour(times[0])} 发出" if len(set(times)) == 1 else "通过并排定"


def _steps(
    actor: Actor, content: Document, now: Standing, verdicts: Sequence[Document], people: Mapping[str, str]
) -> list[dict[str, str]]:
    """The levels in order, each with who and when, or whose turn it is."""
    passed = {each.level: each for each in now.passed}
    steps: list[dict[str, str]] = []
    for level in range(1, now.levels + 1):
        step = {"title": level_name(level, now.levels), "who": "", "at": "", "note": "", "state": "waiting"}
        if level in passed:
            each = passed[level]
            step |= {"state": "passed", "who": people.get(each.by, ""), "at": wording.moment(each.at), "note": "通过"}
        elif level == now.next_level and content["state"] == "in_review":
            mine = not _bar(actor, content, now)
            step |= {"state": "now", "who": "您" if mine else "等这一级的审核人"}
            if content.get("submitted_at"):
                step["at"] = f"{wording.moment(content['submitted_at'])} 送审"
        steps.append(step)
    return steps


def _talk(verdicts: Sequence[Document], people: Mapping[str, str], now: Standing) -> list[dict[str, Any]]:
    """Every verdict, newest first, with what was said."""
    return [
        {
            "who": people.get(each["by"], "已离开的同事"),
            "what": f"{level_name(each['level'], max(now.levels, each['level']))}"
            f"{'通过' if each['verdict'] == 'pass' else '退回'}",
            "at": each["at"],
            "remark": each["remark"],
            "revision": each["revision"],
            "void": each["_id"] in now.voided,
            "kind": KINDS.get(each["kind"], ""),
        }
        for each in verdicts
    ]


async def _files(request: Request, revision: Document) -> list[Document]:
    return await filing.files_named(actor_of(request), desk_of(request), list(revision.get("files", ())))


async def decide(request: Request, id: str) -> HTTPResponse:
    """通过 or 退回 what was looked at: the form carries its hash and level."""
    verdict, remark = field(request, "verdict", 10), field(request, "remark", 600)
    level = field(request, "level", 2)
    try:
        content = await reviewing.review(
            actor_of(request),
            desk_of(request),
            id,
            level=int(level) if level.isdecimal() else 0,
            verdict=verdict,
            hash=field(request, "hash", 64),
            remark=remark,
        )
    except (Invalid, Conflict) as error:
        return await _again(request, id, error, remark)
    if content["state"] == "draft":
        return go("/reviews", "returned")
    return go("/reviews", "approved" if content["state"] == "approved" else "passed")


async def _again(request: Request, id: str, error: HubError, remark: str) -> HTTPResponse:
    status = 409 if isinstance(error, Conflict) else 422
    return await _page(request, id, said=error.message, remark=remark, status=status)


ROUTES = (
    Route("GET", "/reviews", show_reviews, "content.read"),
    Route("GET", "/reviews/<id:str>", show_review, "content.read"),
    Route("POST", "/reviews/<id:str>", decide, "content.review", "form"),
)
