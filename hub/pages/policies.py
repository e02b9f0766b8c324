"""规则: every figure in force with its source and who changed it; changing, confirming and turning down one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sanic import HTTPResponse, Request

from hub import wording
from hub.desk import governing, hinting, naming, urgency
from hub.domain.errors import FieldError, HubError, Invalid, NotFound
from hub.domain.policy import POLICIES, Policy, Value
from hub.domain.rights import may
from hub.domain.urgency import HINTS, KINDS, SHIPPED, Agreement, figure_words
from hub.pages.routes import Route, desk_of
from hub.pages.settings import sections_of
from hub.pages.shell import actor_of, field, go, show
from hub.store.base import Document


async def show_policies(request: Request) -> HTTPResponse:
    return await _policies(request)


async def edit_policy(request: Request, name: str) -> HTTPResponse:
    """The list with this rule's form open."""
    if name not in POLICIES:
        raise NotFound("没有这条规则。")
    return await _policies(request, changed=name)


async def _policies(
    request: Request, *, changed: str = "", errors: Sequence[FieldError] = (), status: int = 200
) -> HTTPResponse:
    desk, actor = desk_of(request), actor_of(request)
    found = await governing.list_policies(actor, desk)
    documents = [document for _, _, document in found if document]
    ids = [_id for each in documents for _id in (each.get("by"), (each.get("proposal") or {}).get("by")) if _id]
    names = await naming.names_of(actor, desk, ids)
    rows = [_row(policy, value, document or {}, names) for policy, value, document in found]
    return await show(
        request,
        "desk/policies.html",
        "settings",
        status=status,
        tabs=sections_of(request),
        rows=sorted(rows, key=lambda row: row["name"] != changed),  # the one being changed is at hand
        chosen=changed,
        errors=errors,
        note=await _note(request, changed),
        me=actor.id,
        may_write=may(actor, "policy.write"),
        may_confirm=may(actor, "policy.confirm"),
    )


async def _note(request: Request, name: str) -> tuple[tuple[str, str], ...]:
    """What somebody should know before they change this rule, as lines; nothing for most."""
    if name != HINTS:
        return ()
    actor, desk = actor_of(request), desk_of(request)
    named = await hinting.hints_in_force(actor, desk)
    found = await urgency.agreement_on_marks(actor, desk)
    return (*_in_force(named), *(_on_own_marks(found) if named["sha256"] or found.hinted else _marks_only(found)))


def _in_force(named: Document) -> tuple[tuple[str, str], ...]:
    """Which reader there is, and its counts on replies that it had not learnt from."""
    tried = named["tried"]
    last = (("最近一次训练", f"{wording.full_moment(tried['at'])}，{tried['why']}"),) if tried else ()
    if not named["sha256"]:
        return (("现在", SHIPPED), *last)
    return (("现在", f"{wording.full_moment(named['since'])} 起用本单位训练的一版"),
            ("训练时的检验", "；".join(figure_words(named["figures"])) + "。"), *last)  # fmt: skip


def _marks_only(found: Agreement) -> tuple[tuple[str, str], ...]:
    """Where nothing was taken for possible yet, there is nothing to compare the marks with."""
    there = "　".join(f"{KINDS[kind]} {found.marked[kind]} 条" for kind in KINDS if found.marked[kind])
    return (("已经标的", f"{there or '还没有标过紧急的'}。"),)


def _on_own_marks(found: Agreement) -> tuple[tuple[str, str], ...]:
    there = [kind for kind in KINDS if found.marked[kind]]
    of_kinds = "　".join(f"{KINDS[kind]} {found.marked[kind]} 条认出 {found.found[kind]} 条" for kind in there)
    right = f"提示过的 {found.hinted} 条里说对 {found.right} 条" if found.hinted else "还没有提示过"
    return (("和标注比", f"{of_kinds or '还没有标过紧急的'}；{right}。"),)


def said(value: Value) -> str:
    """A figure as people read it."""
    return {True: "是", False: "否"}[value] if isinstance(value, bool) else f"{value}"


def _row(policy: Policy, value: Value, document: Document, names: Any) -> dict[str, Any]:
    proposal = document.get("proposal")
    coming = document.get("value") if "value" in document and document["value"] != value else None
    return {
        "name": policy.name,
        "meaning": policy.meaning,
        "value": said(value),
        "raw": value,
        "unit": policy.unit,
        "is_yes_no": isinstance(policy.default, bool),
        "default": said(policy.default),
        "limits": _limits(policy),
        "source": policy.source,
        "guarded": policy.guarded,
        "changed": wording.full_moment(document["at"]) if document.get("at") else "",
        "by": names.get(document.get("by"), ""),
        "coming": f"{said(coming)}，{wording.full_moment(document['from'])} 起" if coming is not None else "",
        "proposal": proposal and {**proposal, "said": said(proposal["value"]), "name": names.get(proposal["by"], "")},
    }


def _limits(policy: Policy) -> str:
    low, high = policy.floor, policy.ceiling
    if low is not None and high is not None:
        return f"{low:g}–{high:g}"
    return f"不低于 {low:g}" if low is not None else f"不高于 {high:g}" if high is not None else ""


def read_value(name: str, text: str) -> Value:
    """What was typed in, as the kind of figure that this policy is."""
    policy = POLICIES.get(name)
    if policy is None:
        raise NotFound("没有这条规则。")
    if isinstance(policy.default, bool):
        return text in ("是", "true", "on", "1")
    if isinstance(policy.default, str):
        return text
    try:
        return int(text) if isinstance(policy.default, int) else float(text)
    except ValueError:
        kind = "整数" if isinstance(policy.default, int) else "数字"
        raise Invalid(f"{policy.meaning}：应为{kind}。", (FieldError("value", f"应为{kind}"),)) from None


async def change_policy(request: Request, name: str, act: str) -> HTTPResponse:
    """Set or propose; what is wrong is said at the rule."""
    desk, actor = desk_of(request), actor_of(request)
    try:
        if act == "set":
            await governing.set_policy(actor, desk, name, read_value(name, field(request, "value", 40)))
        elif act == "confirm":
            await governing.confirm_policy(actor, desk, name, read_value(name, field(request, "value", 40)))
        else:
            await governing.drop_proposal(actor, desk, name)
    except HubError as error:
        if error.status not in (403, 409, 422):
            raise
        return await _policies(
            request, changed=name, errors=(FieldError("value", error.message),), status=error.status
        )
    done = "proposed" if act == "set" and POLICIES[name].guarded else "policy_changed"
    return go("/settings/policies", done)


async def set_policy(request: Request, name: str) -> HTTPResponse:
    return await change_policy(request, name, "set")


ROUTES = (
    Route("GET", "/settings/policies", show_policies, "policy.read"),
    Route("GET", "/settings/policies/<name:str>", edit_policy, "policy.write", sensitive=True),
    Route("POST", "/settings/policies/<name:str>", set_policy, "policy.write", "form", sensitive=True),
    Route("POST", "/settings/policies/<name:str>/<act:confirm|drop>", change_policy, "policy.confirm", "form"),
)
