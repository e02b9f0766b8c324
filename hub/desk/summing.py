"""送达汇总: where an answer stands by its deliveries, what that makes of its case, and whether a person is needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hub.desk.casing import TABLE as CASES
from hub.desk.casing import change_case, entry, told
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.answer import move, summed
from hub.domain.case import in_time
from hub.domain.errors import Conflict
from hub.domain.people import Actor, Role
from hub.store.base import Document

CHECK = "delivery.check"
SOON = timedelta(hours=4)


async def sum_up(desk: Desk, actor: Actor, answer_id: str) -> None:
    """Repeatable: counts the deliveries and moves answer and case as far as they go; nothing where nothing changed."""
    answer = await desk.store.get("answers", answer_id)
    if answer is None or answer["state"] != "delivering" or answer.get("to_spread"):
        return
    counts = await counts_of(desk, answer_id)
    case = await desk.store.get(CASES, answer["case"])
    if case is None:
        return
    if counts.get("published") and case["state"] in ("in_hand", "waiting_citizen"):
        case = await _arrived(desk, actor, case, answer_id)
    await desk.failpoints.reach("deliver.summed")
    if counts.get("unknown") or counts.get("held"):
        await _file(desk, case, answer, "有的答复不知是否送到，请核对")
    event = summed(counts)
    if event:
        await _end(desk, actor, case, answer, event, counts)


async def counts_of(desk: Desk, answer_id: str) -> Mapping[str, int]:
    """The deliveries of an answer by their state."""
    rows = await desk.store.tally("deliveries", {"answer": answer_id}, by=("state",))
    return {row["state"]: row["count"] for row in rows}


async def _arrived(desk: Desk, actor: Actor, case: Document, answer_id: str) -> Document:
    """已答复 as soon as it reached the first citizen; in time or not by that moment, however late it is summed up."""
    now = desk.clock.now()
    where = {"answer": answer_id, "state": "published"}
    rows = await desk.store.find("deliveries", where, sort=[("published_at", 1)], limit=1, fields=("published_at",))
    first = rows[0]["published_at"] if rows else now
    fields = {"state": "answered", "answered_at": now, "on_time": in_time(case, first),
              "due_at": None, "stopped_at": None, "left_seconds": None}  # fmt: skip
    return await change_case(desk, actor, case, entry(actor, "answered", now), {**fields, "wanted": None})


async def _end(
    desk: Desk, actor: Actor, case: Document, answer: Document, event: str, counts: Mapping[str, int]
) -> None:
    now, to = desk.clock.now(), move(answer, event).to
    rows = [
        outbox.audit(desk.ids.new(), actor, f"answer.{event}", answer["_id"], now, detail=dict(counts)),
        outbox.event(desk.ids.new(), "case.changed", case["_id"], now),
    ]
    if event != "deliver":
        await _file(desk, case, answer, "有的答复没能送到，请人工联系")
        said = f"答复没能送到 {counts.get('refused', 0)} 人，请人工联系。"
        rows.append(told(desk, case, "answer.failed", said, [answer["by"]], f"failed:{answer['version']}"))
    if event == "deliver":
        await _done(desk, actor, answer)
    if case.get("leaving") == answer["_id"]:  # before the answer's own end, which is what brings a repetition here
        arrived = counts.get("published", 0)
        step = entry(actor, "delivered", now, f"送达 {arrived} 人" if arrived else "没能送到")
        await change_case(desk, actor, case, step, {"leaving": None})
    update = {"$set": {"state": to, "changed_at": now}, "$inc": {"version": 1}}
    mine = {"_id": answer["_id"], "version": answer["version"], "state": "delivering"}
    await desk.store.change("answers", mine, outbox.noted(update, *rows))


async def _file(desk: Desk, case: Document, answer: Document, text: str) -> None:
    """待办 for whoever has the case, once for each sending."""
    owner = case.get("owner") or (case["handlers"][0] if case.get("handlers") else Role.HANDLER.value)
    key = f"{answer['_id']}:{CHECK}:{answer['sent_at'].isoformat()}"
    task = {"_id": key, "key": key, "kind": CHECK, "about": case["_id"], "owner": owner, "state": "open",
            "due": desk.clock.now() + SOON, "text": text}  # fmt: skip
    await desk.store.insert_new("tasks", [task])


async def _done(desk: Desk, actor: Actor, answer: Document) -> None:
    """Everything arrived after all: nothing is left to check."""
    key = f"{answer['_id']}:{CHECK}:{answer['sent_at'].isoformat()}"
    done = {"state": "done", "done_by": actor.id, "done_at": desk.clock.now(), "remark": "已全部送达"}
    await desk.store.change("tasks", {"_id": key, "state": "open"}, {"$set": done})


async def sum_quietly(desk: Desk, actor: Actor, answer_id: str) -> bool:
    """The same for a round over many: whoever was faster has done it, or the next round does."""
    try:
        await sum_up(desk, actor, answer_id)
    except Conflict:
        return False
    return True
