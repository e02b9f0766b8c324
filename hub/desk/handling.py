"""办理: accept, decline, assign, take, wait, close and reopen a case, and notes on it; answering lives in answering."""

from __future__ import annotations

from typing import Any

from hub.desk.casing import LATER, TABLE, bare, change_case, entry, terms_of_office, told
from hub.desk.desk import Desk
from hub.domain.almanac import CALENDAR
from hub.domain.case import (
    KINDS,
    MOVES,
    OPEN,
    decide,
    due,
    handler_term,
    is_confidential,
    require_hand,
    require_sight,
    resumed,
    stopped,
)
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.extension import GRANTED, waits
from hub.domain.people import Actor, Role
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document
from hub.store.search import terms_of

LONGEST_NOTE = 1_000
LONGEST_DEPARTMENT = 40


async def accept_case(actor: Actor, desk: Desk, id: str) -> Document:
    """受理."""
    require(actor, "case.accept")
    return await _moved(actor, desk, await _seen(actor, desk, id), "accept", {})


async def decline_case(actor: Actor, desk: Desk, id: str, remark: str) -> Document:
    """不予受理, with the reason that the citizen reads."""
    require(actor, "case.accept")
    case = await _seen(actor, desk, id)
    return await _moved(actor, desk, case, "decline", {"due_at": None, "closed_at": desk.clock.now()}, remark)


async def assign_case(actor: Actor, desk: Desk, id: str, *, person: str = "", department: str = "") -> Document:
    """派办 to a department, a person, or both; a confidential case goes to a person and is seen by them from now on."""
    require(actor, "case.accept")
    case = await _seen(actor, desk, id)
    department = " ".join(department.split())[:LONGEST_DEPARTMENT]
    if not person and not department:
        raise Invalid("请选承办人或写明承办单位。", (FieldError("department", "请选人或写单位。"),))
    if case["confidential"] and not person:
        raise Invalid("保密件须派给具体的人。", (FieldError("person", "请选一位承办人。"),))
    user = await _handler(desk, person) if person else None
    fields: dict[str, Any] = {"department": department or None, "owner": None, "owner_name": None, "taken_at": None,
                              "objection": None, **_unasked(case)}  # fmt: skip
    rows = []
    if user is not None:
        fields |= {"owner": person, "owner_name": user["name"], **_named(case, person)}
        seen = {**case, "handlers": [*case.get("handlers", ()), person]}
        key = f"assigned:{case['version']}"
        rows = [told(desk, seen, "case.assigned", f"{actor.name} 派给您办理。", [person], key)]
    step = {"department": department, "person": person, "to": user["name"] if user is not None else ""}
    return await _moved(actor, desk, case, "assign", fields, rows=rows, step=step)


async def take_case(actor: Actor, desk: Desk, id: str) -> Document:
    """接办: from now on this person answers; whoever had it in hand sees who took it over."""
    require(actor, "case.handle")
    case = await _seen(actor, desk, id)
    if case["state"] == "in_hand" and case.get("owner") == actor.id:
        return bare(case)
    fields: dict[str, Any] = {"owner": actor.id, "owner_name": actor.name, "taken_at": desk.clock.now()}
    fields["objection"] = None
    rows = []
    if case.get("owner") and case["owner"] != actor.id:
        key = f"taken:{case['version']}"
        rows = [told(desk, case, "case.taken", f"{actor.name} 接过去办理了。", [case["owner"]], key)]
    return await _moved(actor, desk, case, "take", fields, rows=rows)


async def wait_case(actor: Actor, desk: Desk, id: str, remark: str) -> Document:
    """请群众补充: the citizen reads what is wanted, and the clock stands until they answer or somebody goes on."""
    require(actor, "case.handle")
    case = await _seen(actor, desk, id)
    require_hand(actor, case)
    now = desk.clock.now()
    fields = {**stopped(case, now, CALENDAR), "wanted": mask_text(remark.strip()), "rank_at": now + LATER}
    return await _moved(actor, desk, case, "wait", fields, remark)


async def resume_case(actor: Actor, desk: Desk, id: str) -> Document:
    """继续办理, although the citizen has not answered."""
    require(actor, "case.handle")
    case = await _seen(actor, desk, id)
    return await _moved(actor, desk, case, "resume", going_on(desk, case))


def going_on(desk: Desk, case: Document) -> dict[str, Any]:
    """The fields of a case whose clock runs again."""
    fields = resumed(case, desk.clock.now(), CALENDAR)
    return {**fields, "rank_at": fields["due_at"], "wanted": None}


async def close_case(actor: Actor, desk: Desk, id: str, remark: str = "") -> Document:
    """办结."""
    require(actor, "case.close")
    case = await _seen(actor, desk, id)
    if case.get("leaving"):
        raise Conflict("这件工单还有答复没有送到，或结果待核对。弄清以后再办结。")
    return await _moved(actor, desk, case, "close", {"closed_at": desk.clock.now(), "due_at": None}, remark)


async def reopen_case(actor: Actor, desk: Desk, id: str, remark: str) -> Document:
    """重新办理, with its reason; it stays with whoever had it, and has a new clock."""
    require(actor, "case.close")
    case = await _seen(actor, desk, id)
    return await _moved(actor, desk, case, "reopen", await again(desk, case), remark)


async def again(desk: Desk, case: Document) -> dict[str, Any]:
    """The fields of a case that begins once more: another round, another clock."""
    now, days = desk.clock.now(), (await terms_of_office(desk)).days(case["kind"], again=True)
    until = due(now, days, CALENDAR)
    clock = {"started_at": now, "due_at": until, "rank_at": until, "days": days}
    return {**clock, "round": int(case["round"]) + 1, "closed_at": None, "rated": None, "leaving": None,
            "extension": None, "to_decide": None}  # fmt: skip


async def note_case(actor: Actor, desk: Desk, id: str, text: str) -> Document:
    """内部备注: seen by the office alone, and no answer."""
    require(actor, "case.note")
    case = await _seen(actor, desk, id)
    if not 1 <= len(text.strip()) <= LONGEST_NOTE:
        raise Invalid("请写备注。", (FieldError("note", f"1 到 {LONGEST_NOTE} 字。"),))
    step = entry(actor, "note", desk.clock.now(), mask_text(text))
    return bare(await change_case(desk, actor, case, step, {}))


async def ask_case(actor: Actor, desk: Desk, id: str) -> Document:
    """问他一声: whoever has the case in hand hears who waits for it; at most once an hour from the same person."""
    require(actor, "case.note")
    case = await _seen(actor, desk, id)
    if not case.get("owner") or case["owner"] == actor.id or case["state"] not in ("in_hand", "waiting_citizen"):
        raise Conflict("这件工单现在不在别人手里，没有人可问。")
    now = desk.clock.now()
    key = f"asked:{actor.id}:{now:%Y%m%d%H}"
    row = told(desk, case, "case.asked", f"{actor.name} 想问您办得怎样了。", [case["owner"]], key)
    step = entry(actor, "ask", now, to=case["owner_name"])
    return bare(await change_case(desk, actor, case, step, {}, rows=[row]))


async def sort_case(actor: Actor, desk: Desk, id: str, kind: str) -> Document:
    """改类别. 举报 and 信访 become confidential, with their words, and stay so: what was seen cannot be unseen."""
    require(actor, "case.accept")
    case = await _seen(actor, desk, id)
    if kind not in KINDS:
        raise Invalid("没有这个类别。", (FieldError("kind", f"可选：{'、'.join(KINDS.values())}。"),))
    if case["state"] not in OPEN:
        raise Conflict("这件工单已答复或已结束，不能再改类别。")
    if is_confidential(kind) and case["people"] > 1:
        raise Conflict("这件工单里有多人的留言，不能改成举报或信访。请为那一条另开工单。")
    fields: dict[str, Any] = {"kind": kind}
    if case.get("due_at") and int(case["round"]) == 1 and (case.get("extension") or {}).get("state") != GRANTED:
        days = (await terms_of_office(desk)).days(kind)
        until = due(case["started_at"], days, CALENDAR)
        fields |= {"days": days, "due_at": until, "rank_at": until}
    if is_confidential(kind) and not case["confidential"]:
        fields |= {"confidential": True, **_named(case, actor.id, *_owner(case))}
    step = entry(actor, "sort", desk.clock.now(), KINDS[kind])
    after = await change_case(desk, actor, case, step, fields)
    if after["confidential"]:
        await desk.store.change_many("replies", {"case": id}, {"$set": {"confidential": True}})
    return bare(after)


# ---- parts


async def _seen(actor: Actor, desk: Desk, id: str) -> Document:
    return require_sight(actor, await desk.store.get(TABLE, id))


async def _moved(
    actor: Actor,
    desk: Desk,
    case: Document,
    act: str,
    fields: dict[str, Any],
    remark: str = "",
    *,
    rows: Any = (),
    step: Document | None = None,
) -> Document:
    move = decide(act, case, remark)
    said = entry(actor, act, desk.clock.now(), mask_text(remark), **(step or {}))
    return bare(await change_case(desk, actor, case, said, {**fields, "state": MOVES[move.act].after}, rows=rows))


async def _handler(desk: Desk, person: str) -> Document:
    user = await desk.store.get("users", person, fields=("name", "roles", "disabled"))
    if user is None or user.get("disabled") or Role.HANDLER not in user.get("roles", ()):
        raise Invalid("这个人不是承办人员。", (FieldError("person", "请从列表里选一位承办人。"),))
    return user


def _unasked(case: Document) -> dict[str, Any]:
    """Whoever is given the case asks for more time anew."""
    return {"extension": None, "to_decide": None} if waits(case) else {}


def _owner(case: Document) -> list[str]:
    return [str(case["owner"])] if case.get("owner") else []


def _named(case: Document, *people: str) -> dict[str, Any]:
    """These people may see the case from now on, if it is (or becomes) confidential."""
    handlers = list(dict.fromkeys([*case.get("handlers", ()), *people]))
    return {"handlers": handlers, "terms": [*terms_of(case["title"]), *map(handler_term, handlers)]}
