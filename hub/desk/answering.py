"""答复: written by whoever has the case in hand, approved by somebody else, then let go; delivering.py brings it."""

from __future__ import annotations

from typing import Any

from hub.desk.casing import TABLE as CASES
from hub.desk.casing import change_case, entry, told
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.answer import OUT, check_text, decide_review, digest, may_leave, move, writers_of
from hub.domain.canned import require_filled
from hub.domain.case import handler_term, require_hand, require_sight, sees
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor, Role
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document
from hub.store.search import terms_of

TABLE = "answers"
IN_HAND = ("in_hand", "waiting_citizen")
FASTER = "另一位同事刚改过这条答复。请刷新后再看。"


async def answer(actor: Actor, desk: Desk, id: str) -> Document:
    """One answer; NotFound where there is none, or its case is not for this person."""
    require(actor, "case.read")
    return bare((await _found(actor, desk, id))[0])


def bare(answer: Document) -> Document:
    """The answer as a page may hold it."""
    return {name: value for name, value in answer.items() if not name.startswith("outbox")}


async def list_waiting(actor: Actor, desk: Desk, *, limit: int = 50) -> list[Document]:
    """Answers in review that this person may see, the longest waiting first."""
    require(actor, "answer.review")
    rows = await desk.store.find(TABLE, {"state": "in_review"}, sort=[("submitted_at", 1)], limit=limit)
    found: list[Document] = []
    for row in rows:
        case = await desk.store.get(CASES, row["case"])
        if case is not None and sees(actor, case):
            mine = actor.id not in writers_of(row)
            found.append({**bare(row), "number": case["number"], "title": case["title"], "mine": mine})
    return found


async def _found(actor: Actor, desk: Desk, id: str) -> tuple[Document, Document]:
    """The answer and its case, for who may see that."""
    found = await desk.store.get(TABLE, id)
    if found is None:
        raise NotFound("没有这条答复，可能地址不完整。")
    return found, require_sight(actor, await desk.store.get(CASES, found["case"]))


# ---- writing


async def write_answer(actor: Actor, desk: Desk, case_id: str, text: str, short: str = "") -> Document:
    """Save the answer of this round; an edit takes back what was submitted or approved, and says so by its state."""
    require(actor, "case.handle")
    case = require_sight(actor, await desk.store.get(CASES, case_id))
    require_hand(actor, case)
    if case["state"] not in IN_HAND:
        raise Conflict("这件工单现在不在办理中，不能写答复。")
    text, short = check_text(text, short)
    id = f"{case_id}:{case['round']}"
    found = await desk.store.get(TABLE, id) or await _begin(desk, actor, case, id, text, short)
    if found["hash"] == digest(text, short):
        return bare(found)
    fields = {
        "state": move(found, "edit").to, "text": text, "short": short, "hash": digest(text, short), "approval": None,
        "writers": sorted({*writers_of(found), actor.id}), "saved_by": actor.name,
    }  # fmt: skip
    return bare(await _changed(desk, actor, found, "edit", fields))


async def _begin(desk: Desk, actor: Actor, case: Document, id: str, text: str, short: str) -> Document:
    """The one answer of this round; whoever comes second finds the first's."""
    now = desk.clock.now()
    born: Document = {
        "_id": id, "case": case["_id"], "round": case["round"], "state": "draft", "text": text, "short": short,
        "hash": digest(text, short), "by": actor.id, "by_name": actor.name, "writers": [actor.id], "reviews": [],
        "approval": None, "created_at": now, "changed_at": now, "version": 1, "saved_by": actor.name,
    }  # fmt: skip
    row = outbox.audit(desk.ids.new(), actor, "answer.begin", id, now)
    await desk.store.insert_new(TABLE, [outbox.born(born, row)])
    return await desk.store.get(TABLE, id) or born


async def submit_answer(
    actor: Actor, desk: Desk, case_id: str, text: str, short: str = "", *, reviewer: str = ""
) -> Document:
    """送审 these words. A confidential case names its reviewer, who sees it from now on."""
    require(actor, "case.handle")
    require_filled(text, short)
    await write_answer(actor, desk, case_id, text, short)
    case = require_sight(actor, await desk.store.get(CASES, case_id))
    found, _ = await _found(actor, desk, f"{case_id}:{case['round']}")
    if found["state"] == "in_review":
        return bare(found)
    to = move(found, "submit").to
    people = [f"role:{Role.REVIEWER.value}"]
    if case["confidential"]:
        case, people = await _name_reviewer(desk, actor, case, reviewer)
    fields = {"state": to, "submitted_at": desk.clock.now()}
    notice = told(desk, case, "answer.submitted", "有一条答复等您审。", people, f"submitted:{found['version']}")
    return bare(await _changed(desk, actor, found, "submit", fields, notice))


async def _name_reviewer(desk: Desk, actor: Actor, case: Document, reviewer: str) -> tuple[Document, list[str]]:
    user = await desk.store.get("users", reviewer, fields=("roles", "disabled")) if reviewer else None
    fits = user is not None and not user.get("disabled") and Role.REVIEWER in user.get("roles", ())
    if not fits or reviewer == actor.id:
        raise Invalid("保密件须指定一位审核人员。", (FieldError("reviewer", "请选一位审核人员，只有他能看到。"),))
    handlers = list(dict.fromkeys([*case["handlers"], reviewer]))
    fields = {"handlers": handlers, "terms": [*terms_of(case["title"]), *map(handler_term, handlers)]}
    step = entry(actor, "named", desk.clock.now(), person=reviewer)
    return await change_case(desk, actor, case, step, fields), [reviewer]


# ---- the approval


async def review_answer(
    actor: Actor, desk: Desk, id: str, *, verdict: str, hash: str, remark: str = ""
) -> Document:
    """通过 or 退回 exactly the text with this hash, by somebody who wrote nothing of it."""
    require(actor, "answer.review")
    found, case = await _found(actor, desk, id)
    step = decide_review(actor, found, verdict, hash, remark)
    now = desk.clock.now()
    said = {"by": actor.id, "name": actor.name, "at": now, "verdict": verdict, "hash": hash,
            "remark": mask_text(remark.strip())[:500]}  # fmt: skip
    approval = {"by": actor.id, "name": actor.name, "at": now, "hash": hash} if verdict == "pass" else None
    fields = {"state": step.to, "approval": approval, "reviews": [*found["reviews"], said]}
    words = "答复已通过，可以送出。" if verdict == "pass" else f"答复被退回：{said['remark']}"
    notice = told(desk, case, f"answer.{verdict}", words, [found["by"]], f"{verdict}:{found['version']}")
    return bare(await _changed(desk, actor, found, step.event, fields, notice))


# ---- letting go


async def send_answer(actor: Actor, desk: Desk, id: str) -> Document:
    """送出: from now on the words travel to everybody of the case; asked twice it is one sending."""
    require(actor, "answer.send")
    found, case = await _found(actor, desk, id)
    if found["state"] in OUT:
        return bare(found)
    move(found, "send")
    if not may_leave(found):
        raise Conflict("这条答复还没有由另一个人审过现在的文字，不能送出。")
    await _lock(desk, actor, case, found)
    await desk.failpoints.reach("deliver.asked")
    now = desk.clock.now()
    fields = {"state": "delivering", "sent_at": now, "sent_by": actor.id, "to_spread": True, "people": case["people"]}
    return bare(await _changed(desk, actor, found, "send", fields))


async def _lock(desk: Desk, actor: Actor, case: Document, found: Document) -> None:
    """From here nobody is merged in or out and nobody else takes it over: who is answered stands fast."""
    if case.get("leaving") == found["_id"]:
        return
    if case["state"] not in IN_HAND or int(case["round"]) != int(found["round"]):
        raise Conflict("这件工单现在不在办理中，答复不能送出。请刷新后再看。")
    await change_case(desk, actor, case, entry(actor, "send", desk.clock.now()), {"leaving": found["_id"]})


async def _changed(
    desk: Desk, actor: Actor, found: Document, event: str, fields: dict[str, Any], *rows: outbox.Row
) -> Document:
    """The one compare-and-set of an answer, on the version that was read."""
    now = desk.clock.now()
    update = {"$set": {**fields, "changed_at": now}, "$inc": {"version": 1}}
    all_rows = (
        outbox.audit(desk.ids.new(), actor, f"answer.{event}", found["_id"], now, detail={"hash": found["hash"]}),
        outbox.event(desk.ids.new(), "case.changed", found["case"], now),
        *rows,
    )
    mine = {"_id": found["_id"], "version": found["version"], "state": found["state"]}
    after = await desk.store.change(TABLE, mine, outbox.noted(update, *all_rows))
    if after is None:
        raise Conflict(FASTER)
    return after
