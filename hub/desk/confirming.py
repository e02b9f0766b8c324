"""核对送达: deliveries whose sender is gone or whose result nobody knows, and a person's word on them; nothing is sent.

A look may find an answer where the channel can say so; it never makes one due again. Only a person's word leads from
`unknown` to another sending, and that is a second act.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from channels.contract import AnswerFinding, Channel, Found, Outcome, Unknown
from hub.desk import lapsing, ledger
from hub.desk.casing import TABLE as CASES
from hub.desk.casing import change_case, entry
from hub.desk.delivering import TABLE, raw_of
from hub.desk.desk import Desk, connected
from hub.desk.hastening import hasten
from hub.desk.settling import LOOK_LEASE
from hub.desk.summing import sum_quietly
from hub.domain.answer import move
from hub.domain.case import require_sight
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.moves import STATE_WORDS
from hub.domain.people import Actor
from hub.domain.publication import (
    Decision,
    Rules,
    decide_checked,
    decide_found,
    decide_lapsed,
    decide_missing,
    decide_unseen,
)
from hub.domain.putting_off import look_in
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document

BATCH = 50
SETTLING = timedelta(minutes=2)
RULES = Rules()


async def settle_deliveries(actor: Actor, desk: Desk) -> int:
    """One round: lapsed claims, results nobody knows, verdicts still awaited, then the sums. The number moved."""
    require(actor, "delivery.send")
    moved = await hasten(desk, TABLE)
    now = desk.clock.now()
    for row in await lapsing.lapsed_claims(desk, TABLE, RULES):
        decision = replace(decide_lapsed(row, now), tell=None)
        moved += await ledger.move(desk, actor, TABLE, row, decision) is not None
    for state in ("unknown", "pending"):
        moved += await _look_at_due(desk, actor, state)
    for answer in await desk.store.find("answers", {"state": "delivering"}, sort=[("submitted_at", 1)], limit=200):
        await sum_quietly(desk, actor, answer["_id"])
    return moved


async def _look_at_due(desk: Desk, actor: Actor, state: str) -> int:
    """Each taken by pushing its next look away, so that two workers never spend the same quota."""
    moved = 0
    for _ in range(BATCH):
        now = desk.clock.now()
        mine = {"$set": look_in(LOOK_LEASE, now)}
        row = await desk.store.change(TABLE, {"state": state, "look_at": {"$lte": now}}, mine, sort=[("look_at", 1)])
        if row is None:
            break
        account = await desk.store.get("accounts", str(row["account"]))
        channel = connected(desk, account) if account else "账号已不在"
        decision = await (_found if state == "unknown" else _checked)(desk, row, channel)
        moved += await ledger.move(desk, actor, TABLE, row, replace(decision, tell=None)) is not None
    return moved


async def _found(desk: Desk, delivery: Document, channel: Channel | str) -> Decision:
    now = desk.clock.now()
    raw = await raw_of(desk, delivery)
    if not isinstance(channel, AnswerFinding) or raw is None:
        return decide_unseen(delivery, now, "none", SETTLING)
    try:
        seen = await channel.find_answer(raw, str(delivery["key"]))
    except Exception as error:  # a channel that raises is a bug; nothing was learnt
        seen = Unknown("查询时程序出错", {"error": type(error).__name__})
    if isinstance(seen, Found):
        return decide_found(seen.external_id, seen.url, seen.at, now)
    if isinstance(seen, Unknown):
        return decide_unseen(delivery, now, "hint", SETTLING)
    return decide_missing(delivery, now, "hint", SETTLING)  # never "trusted": a program sends no answer again


async def _checked(desk: Desk, delivery: Document, channel: Channel | str) -> Decision:
    outcome: Outcome
    if isinstance(channel, str):
        outcome = Unknown(channel)
    else:
        try:
            outcome = await channel.check(str(delivery["ticket"]))
        except Exception as error:
            outcome = Unknown("查询时程序出错", {"error": type(error).__name__})
    return decide_checked(delivery, outcome, desk.clock.now(), RULES)


# ---- a person's word


async def resolve_delivery(actor: Actor, desk: Desk, id: str, outcome: str, evidence: str) -> Document:
    """认定: `delivered`, also by hand where no way was left, or `not_delivered`, which makes an unknown one held."""
    require(actor, "answer.resolve")
    found = await _seen(actor, desk, id)
    if outcome not in ("delivered", "not_delivered"):
        raise Invalid("请选“已送到”或“没有送到”。", (FieldError("outcome", "delivered 或 not_delivered。"),))
    allowed = ("unknown", "refused") if outcome == "delivered" else ("unknown",)
    if found["state"] not in allowed:
        raise Conflict(f"这一份答复现在是“{STATE_WORDS[found['state']]}”，不需要认定。请刷新后再看。")
    said = mask_text(evidence.strip())
    if not 4 <= len(said) <= 300:
        raise Invalid("请写明依据。", (FieldError("evidence", "写明怎么核对的，如“已电话告知”，4 到 300 字。"),))
    after = await ledger.move(desk, actor, TABLE, found, _word(actor, desk, outcome, said), detail={"outcome": outcome})
    if after is None:
        raise Conflict("系统刚刚查到了结果，请刷新后再看。")
    await sum_quietly(desk, actor, found["answer"])
    return after


def _word(actor: Actor, desk: Desk, outcome: str, evidence: str) -> Decision:
    now = desk.clock.now()
    said = {"by": actor.id, "name": actor.name, "at": now, "outcome": outcome, "evidence": evidence}
    fields: dict[str, Any] = {"resolve": said, "look_at": None}
    if outcome == "delivered":
        closing = {"outcome": "accepted", "reason": "人工认定已送到", "ended_at": now}
        return Decision("say_published", {**fields, "published_at": now, "reason": None}, closing)
    closing = {"outcome": "refused", "reason": "人工认定没有送到", "ended_at": now}
    return Decision("say_not_published", {**fields, "reason": "人工认定没有送到"}, closing)


async def send_again(actor: Actor, desk: Desk, id: str) -> Document:
    """再送一次, from what is certain: held after a person's word, or refused. The same words, a key of its own."""
    require(actor, "answer.resolve")
    found = await _seen(actor, desk, id)
    usable = next((place for place, way in enumerate(found["ways"]) if way["account"]), None)
    if found["state"] not in ("held", "refused") or usable is None:
        raise Conflict("这一份答复现在不能再送。请刷新后再看，或人工联系群众。")
    await _open_again(actor, desk, found)
    now = desk.clock.now()
    fields = {
        "way": usable, "account": found["ways"][usable]["account"], "key": desk.ids.new(), "at": now, "not_before": now,
        "tries": 0, "first_tried_at": None, "reason": None, "code": None, "who": None,
    }  # fmt: skip
    after = await ledger.move(desk, actor, TABLE, found, Decision("release", fields))
    if after is None:
        raise Conflict("另一位同事刚处理过这一份。请刷新后再看。")
    return after


async def _open_again(actor: Actor, desk: Desk, delivery: Document) -> None:
    """An answer that had come to its end is on its way once more; a case of a later round leaves it alone."""
    answer = await desk.store.get("answers", delivery["answer"])
    case = await desk.store.get(CASES, delivery["case"])
    if answer is None or case is None or int(case["round"]) != int(answer["round"]):
        raise Conflict("这件工单已重新办理，请写新的答复。")
    if answer["state"] == "delivering":
        return
    to = move(answer, "send_again").to
    if case.get("leaving") != answer["_id"]:
        await change_case(desk, actor, case, entry(actor, "send", desk.clock.now()), {"leaving": answer["_id"]})
    mine = {"_id": answer["_id"], "version": answer["version"]}
    now = desk.clock.now()
    fields = {"state": to, "sent_at": now, "changed_at": now}
    if await desk.store.change("answers", mine, {"$set": fields, "$inc": {"version": 1}}) is None:
        raise Conflict("另一位同事刚改过这条答复。请刷新后再看。")


async def _seen(actor: Actor, desk: Desk, id: str) -> Document:
    found = await desk.store.get(TABLE, id)
    if found is None:
        raise NotFound("没有这一份答复，可能地址不完整。")
    require_sight(actor, await desk.store.get(CASES, found["case"]))
    return found
