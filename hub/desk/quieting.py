"""静默时段的设定: declaring one, ending it, and marking a post that goes out all the same; the rules: domain/quiet.py.

The periods lie in the 全部暂停 switch: whoever reads it before a send reads them with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.desk import ledger
from hub.desk.desk import Desk
from hub.domain import outbox, quiet
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.holding import HOLD_ALL
from hub.domain.moves import STATE_WORDS, step_for
from hub.domain.people import Actor
from hub.domain.publication import Decision
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document

TABLE = "switches"


async def quiet_periods(actor: Actor, desk: Desk) -> list[Document]:
    """Every period that is remembered, the one that ends last first."""
    require(actor, "publication.read")
    return sorted(_kept(await _switch(desk)), key=quiet.end_of, reverse=True)


async def declare(
    actor: Actor, desk: Desk, *, since: datetime, until: datetime, reason: str, passes: Sequence[str] = ()
) -> Document:
    """设静默时段: from then until then nothing goes out but what passes."""
    require(actor, "quiet.write")
    return await _declared(actor, desk, quiet.check_period(since, until, reason, passes, desk.clock.now()))


async def declare_nights(
    actor: Actor, desk: Desk, *, first: str, last: str, reason: str, passes: Sequence[str] = ()
) -> Document:
    """Every night from this hour to that one, until somebody ends it."""
    require(actor, "quiet.write")
    return await _declared(actor, desk, quiet.check_nights(first, last, reason, passes, desk.clock.now()))


async def _declared(actor: Actor, desk: Desk, fields: Mapping[str, Any]) -> Document:
    reason = mask_text(fields["reason"])[:200]
    period = {"id": desk.ids.new(), **fields, "reason": reason, "by": actor.id, "at": desk.clock.now()}
    said = f"{actor.name}设了静默时段：{quiet.span_words(period)}，{reason}。"
    passing = f"照发的：{quiet.passes_words(period)}。" if period["passes"] else "这段时间里不发布；撤回不受影响。"
    await _changed(actor, desk, "quiet.declare", period, f"{said}{passing}")
    return period


async def end_period(actor: Actor, desk: Desk, id: str, *, reason: str = "") -> Document:
    """解除: it is over now; what waited follows its own late rule."""
    require(actor, "quiet.write")
    found = next((each for each in _kept(await _switch(desk)) if each["id"] == id), None)
    if found is None:
        raise NotFound("没有这个静默时段。")
    now = desk.clock.now()
    if quiet.is_over(found, now):
        raise Conflict("这个静默时段已经结束了。")
    period = {**found, "ended_at": now, "ended_by": actor.id}
    why = f"：{mask_text(reason.strip())[:200]}" if reason.strip() else ""
    await _changed(actor, desk, "quiet.end", period, f"{actor.name}解除了静默时段（{found['reason']}）{why}。")
    return period


async def _changed(actor: Actor, desk: Desk, act: str, period: Document, text: str) -> None:
    """One change that names the list it was decided on; it is tried again where somebody was faster."""
    await desk.store.insert_new(TABLE, [{"_id": HOLD_ALL, "on": False}])
    for _ in range(5):
        switch = await _switch(desk)
        others = [each for each in _kept(switch) if each["id"] != period["id"]]
        fields = {"quiet": quiet.with_period(others, period)}
        update = outbox.noted({"$set": fields, "$inc": {"quiet_version": 1}}, *_rows(actor, desk, act, period, text))
        unchanged = {"_id": HOLD_ALL, "quiet_version": switch.get("quiet_version")}
        if await desk.store.change(TABLE, unchanged, update) is not None:
            return
    raise Conflict("静默时段正在被别人改，请刷新后再试。")


def _rows(actor: Actor, desk: Desk, act: str, period: Document, text: str) -> tuple[outbox.Row, ...]:
    now, row, subject = desk.clock.now(), desk.ids.new(), f"quiet:{period['id']}"
    told = {"reason": period["reason"], "at": period["since"].isoformat()}
    return (
        outbox.audit(desk.ids.new(), actor, act, subject, now, detail=told),
        outbox.event(desk.ids.new(), "hold_all.changed", HOLD_ALL, now),
        outbox.notice(row, act, subject, now, people=["duty"], text=text, link="/quiet", key=row),
    )


async def _switch(desk: Desk) -> Document:
    return await desk.store.get(TABLE, HOLD_ALL) or {"_id": HOLD_ALL}


def _kept(switch: Document) -> list[Any]:
    return list(switch.get("quiet") or ())


async def mark_urgent(actor: Actor, desk: Desk, publication_id: str, reason: str) -> Document:
    """标为紧急: goes out also in a quiet period that lets urgent ones pass. It does not take it out of 全部暂停."""
    require(actor, "quiet.write")
    if not reason.strip():
        raise Invalid("请写一句为什么紧急。", (FieldError("urgent", "请写一句原因，会记入审计。"),))
    found = await desk.store.get(ledger.PUBLICATIONS, publication_id)
    if found is None:
        raise NotFound("没有找到这条发布。")
    if step_for(str(found["state"]), "urge") is None:
        raise Conflict(f"这条发布现在是“{STATE_WORDS[found['state']]}”，不能标为紧急。")
    now, said = desk.clock.now(), mask_text(reason.strip())[:200]
    fields = {"urgent": {"by": actor.id, "at": now, "reason": said}, "not_before": max(now, found["at"])}
    decision = Decision("urge", fields)
    after = await ledger.move(desk, actor, ledger.PUBLICATIONS, found, decision, detail={"reason": said})
    if after is None:
        raise Conflict("这条发布正在变化，请稍后再试。")
    return after
