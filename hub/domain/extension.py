"""延期与异议: how far a first answer may be put off and by whose word, and who may hand an assignment back; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from hub.clock import local
from hub.domain import working_time
from hub.domain.errors import Conflict, FieldError, Invalid, NotAllowed
from hub.domain.people import Actor
from hub.domain.working_time import Calendar

Document = Mapping[str, Any]

ASKED, GRANTED, REFUSED = "asked", "granted", "refused"


# ---- 延期


def choices(case: Document, most: int, calendar: Calendar) -> list[tuple[int, datetime]]:
    """(working days in all, until when) for each further day up to `most`; empty where the clock stands or is full.

    Days are added to the time as it stands, so what the citizen took stays out of the sum.
    """
    if not case.get("due_at"):
        return []
    days = int(case["days"])
    lengths = {whole: working_time.working_days(whole - days, calendar) for whole in range(days + 1, most + 1)}
    return [(whole, working_time.after(case["due_at"], length, calendar)) for whole, length in lengths.items()]


def waits(case: Document) -> bool:
    """Whether an extension was asked for in this round and nobody has decided yet."""
    return bool((case.get("extension") or {}).get("state") == ASKED)


def check_ask(case: Document, now: datetime) -> None:
    """Conflict unless an extension may be asked for now: once a round, and before the time is over."""
    asked = case.get("extension") or {}
    if asked.get("state") == ASKED:
        raise Conflict(f"{asked['name']}已经申请延期，等人定。")
    if asked.get("state") == GRANTED:
        raise Conflict("这件工单已延过一次，不能再延。")
    if not case.get("due_at"):
        raise Conflict("时限现在停着，不用延期。")
    if now >= case["due_at"]:
        raise Conflict("已过时限，不能再延期。请尽快答复。")


def chosen(case: Document, until: date | None, most: int, calendar: Calendar) -> tuple[int, datetime]:
    """The choice that ends on this day; Invalid names the days that there are."""
    found = choices(case, most, calendar)
    for whole, at in found:
        if local(at).date() == until:
            return whole, at
    if not found:
        raise Conflict(f"时限已有 {case['days']} 个工作日，最长 {most} 个，不能再延。")
    first, last = local(found[0][1]), local(found[-1][1])
    raise Invalid("请选延到哪一天。", (FieldError("until", f"可选 {first:%m-%d} 到 {last:%m-%d} 的工作日。"),))


def require_other(actor: Actor, case: Document) -> None:
    """Conflict where nothing is asked, NotAllowed for whoever asked: nobody puts off their own time."""
    if not waits(case):
        raise Conflict("现在没有等着定的延期申请。请刷新后再看。")
    if case["extension"]["by"] == actor.id:
        raise NotAllowed("延期是您申请的，须由另一位定。")


# ---- 异议


def assignee_of(case: Document) -> str:
    """Whose word an objection is: the department assigned, else the person."""
    return str(case.get("department") or case.get("owner") or "")


def check_object(actor: Actor, case: Document, now: datetime, hours: int, calendar: Calendar) -> None:
    """Whether this person may say that the case is not theirs: the one it was given to, in time, and once."""
    if case.get("owner") not in (None, actor.id):
        raise NotAllowed(f"这件工单派给了{case['owner_name']}，须由他提出异议。")
    if assignee_of(case) in case.get("objections", ()):
        raise Conflict("已经提过一次异议，不能再提。请办理，或与派办的人商量。")
    if now > last_moment(case, hours, calendar):
        raise Conflict(f"派办已超过 {hours} 小时，不能再提异议。请与派办的人商量。")


def last_moment(case: Document, hours: int, calendar: Calendar) -> datetime:
    """Until when: 24 hours are one working day of the office, so that a weekend takes nobody's word away."""
    given = [step["at"] for step in case.get("history", ()) if step["act"] == "assign"]
    at: datetime = given[-1] if given else case["started_at"]
    return working_time.after(at, working_time.working_days(hours / 24, calendar), calendar) + timedelta(seconds=1)
