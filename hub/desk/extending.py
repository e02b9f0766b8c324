"""延期、异议: more time for an answer, asked by one and granted by another, and an assignment handed back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hub.clock import local
from hub.desk.casing import TABLE, bare, change_case, entry, told
from hub.desk.desk import Desk
from hub.domain import extension
from hub.domain.almanac import CALENDAR
from hub.domain.case import decide, require_hand, require_sight
from hub.domain.errors import FieldError, Invalid
from hub.domain.people import Actor, Role
from hub.domain.rights import RIGHTS, require
from hub.masking import mask_text
from hub.store.base import Document

VERDICTS = {"pass": "extended", "return": "unextended"}


async def extend_case(actor: Actor, desk: Desk, id: str, *, until: date | None, reason: str) -> Document:
    """申请延期 to the end of this working day; the reason is what the citizen reads once it is granted."""
    require(actor, "case.handle")
    case = await _seen(actor, desk, id)
    move = decide("extend", case, reason)
    require_hand(actor, case)
    now = desk.clock.now()
    extension.check_ask(case, now)
    days, at = extension.chosen(case, until, await most_days(actor, desk), CALENDAR)
    said = mask_text(reason.strip())
    asked = {"state": extension.ASKED, "by": actor.id, "name": actor.name, "at": now, "reason": said, "days": days,
             "until": at}  # fmt: skip
    words = f"{actor.name} 申请延到 {_day(at)}，请您定。"
    rows = [told(desk, case, "case.extend", words, _deciders(case), f"extend:{case['version']}")]
    step = entry(actor, move.act, now, said, until=at)
    return bare(await change_case(desk, actor, case, step, {"extension": asked, "to_decide": True}, rows=rows))


async def decide_extension(actor: Actor, desk: Desk, id: str, *, verdict: str, remark: str = "") -> Document:
    """准予 or 不予延期, by somebody who did not ask; granted, the clock runs longer and the citizen is told."""
    require(actor, "case.extend")
    case = await _seen(actor, desk, id)
    if verdict not in VERDICTS:
        raise Invalid("延期只有准予和不予。", (FieldError("verdict", "pass 或 return。"),))
    extension.require_other(actor, case)
    move = decide(VERDICTS[verdict], case, remark)
    asked = case["extension"]
    granted = verdict == "pass"
    at = extension.chosen(case, _local_day(asked["until"]), int(asked["days"]), CALENDAR)[1] if granted else None
    fields = _decided(actor, desk, asked, at, remark)
    words = f"延期已准，到 {_day(at)} 前答复。" if at else f"延期没有准：{mask_text(remark.strip())}"
    rows = [told(desk, case, "case.extension", words, [asked["by"]], f"{move.act}:{case['version']}")]
    said = asked["reason"] if granted else mask_text(remark)
    step = entry(actor, move.act, desk.clock.now(), said, until=at)
    return bare(await change_case(desk, actor, case, step, fields, rows=rows))


def _decided(actor: Actor, desk: Desk, asked: Document, at: datetime | None, remark: str) -> dict[str, Any]:
    state = extension.GRANTED if at else extension.REFUSED
    by = {"decided_by": actor.id, "decided_name": actor.name, "decided_at": desk.clock.now()}
    fields: dict[str, Any] = {"extension": {**asked, **by, "state": state, "remark": mask_text(remark.strip())}}
    longer = {"due_at": at, "rank_at": at, "days": int(asked["days"])} if at else {}
    return {**fields, **longer, "to_decide": None}


async def object_case(actor: Actor, desk: Desk, id: str, reason: str) -> Document:
    """提出异议: the department assigned says that it is not theirs; the case goes back to whoever assigned it."""
    require(actor, "case.handle")
    case = await _seen(actor, desk, id)
    move = decide("object", case, reason)
    now, whose = desk.clock.now(), extension.assignee_of(case)
    hours = int(await desk.policies.value("object_hours"))
    extension.check_object(actor, case, now, hours, CALENDAR)
    said = mask_text(reason.strip())
    name = case.get("department") or actor.name
    fields: dict[str, Any] = {
        "state": move.after, "objections": [*case.get("objections", ()), whose], "department": None, "owner": None,
        "owner_name": None, "taken_at": None,
        "objection": {"name": name, "by": actor.id, "at": now, "reason": said},
    }  # fmt: skip
    key = f"objected:{case['version']}"
    rows = [told(desk, case, "case.objected", f"{name}提出异议：{said}", _assigners(case), key)]
    step = entry(actor, move.act, now, said, department=case.get("department"))
    return bare(await change_case(desk, actor, case, step, fields, rows=rows))


async def most_days(actor: Actor, desk: Desk) -> int:
    """How many working days an extended case may have in all."""
    require(actor, "case.read")
    return int(await desk.policies.value("extend_days"))


# ---- parts


async def _seen(actor: Actor, desk: Desk, id: str) -> Document:
    return require_sight(actor, await desk.store.get(TABLE, id))


def _deciders(case: Document) -> list[str]:
    """Who may grant it; of a confidential case its own handlers alone."""
    if case["confidential"]:
        return list(case.get("handlers") or ())
    return [f"role:{role.value}" for role in sorted(RIGHTS["case.extend"])]


def _assigners(case: Document) -> list[str]:
    """Whoever assigned it; where that was a program, everybody who assigns."""
    by = [str(step["by"]) for step in case["history"] if step["act"] == "assign"]
    person = by[-1] if by and not by[-1].startswith("program:") else ""
    return [person] if person else [f"role:{Role.MONITOR.value}"]


def _local_day(at: datetime) -> date:
    return local(at).date()


def _day(at: datetime) -> str:
    when = _local_day(at)
    return f"{when.month} 月 {when.day} 日"
