"""群众来件: demands become cases, what citizens add and how they rate reaches theirs; hearing it lives in listening.py.

Every step is repeatable: a mark on the row stands until its case has it, and the case remembers the row it came from.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hub.desk.casing import TABLE, change_case, entry, told
from hub.desk.desk import Desk
from hub.desk.handling import again, going_on
from hub.desk.opening import finish, open_demand, recount
from hub.domain.almanac import CALENDAR
from hub.domain.case import BAD, RATINGS, due
from hub.domain.errors import Conflict
from hub.domain.people import Actor, Role
from hub.domain.reply import FOLLOWS
from hub.domain.rights import require
from hub.masking import mask_text
from hub.sealing import CITIZEN, Unsealable
from hub.store.base import Document

BATCH = 100
AGAIN = timedelta(minutes=10)  # until a rating that did not open, or came before its answer, is tried again
PATIENCE = timedelta(days=7)  # after which a rating without its answer is set aside
CALLBACK = "rating.bad"
UNSOLVED = "还没解决"


async def follow(actor: Actor, desk: Desk) -> int:
    """One round over what citizens sent and what a merge left to do; how many rows reached their case."""
    require(actor, "case.follow")
    done = 0
    for case in await desk.store.find(TABLE, {"to_move": True}, limit=20):
        await _quietly(finish, actor, desk, case)
    for reply in await desk.store.find("replies", {"to_follow": True}, sort=[("received_at", 1)], limit=BATCH):
        done += await _quietly(_follow_reply, actor, desk, reply)
    for rating in await desk.store.find("ratings", {"state": "new"}, sort=[("at", 1)], limit=BATCH):
        done += await _quietly(_follow_rating, actor, desk, rating)
    return done


async def _quietly(step: Any, actor: Actor, desk: Desk, row: Document) -> int:
    """Somebody was faster at the case: the row keeps its mark, and the next round takes it up."""
    try:
        return int(bool(await step(actor, desk, row)))
    except Conflict:
        return 0


async def _follow_reply(actor: Actor, desk: Desk, reply: Document) -> bool:
    if reply.get("demand"):
        await open_demand(actor, desk, reply)
    elif not await _add(actor, desk, reply):
        return False
    await desk.store.change("replies", {"_id": reply["_id"]}, {"$unset": {"to_follow": ""}})
    return True


# ---- what is added


async def _add(actor: Actor, desk: Desk, message: Document) -> bool:
    """补充 into the case of its demand: it goes on there, or begins once more where the citizen says so."""
    demand = await _demand_of(desk, message["account"], message["in_reply_to"])
    case = await desk.store.get(TABLE, demand["case"]) if demand and demand.get("case") else None
    if demand is None or case is None:
        return await _without(desk, message)
    mine = {"case": case["_id"], **_as(demand)}
    if message["state"] == FOLLOWS:  # it was kept from being read until it was known whether it is confidential
        mine["state"] = "confidential" if demand.get("confidential") else "new"
    await desk.store.change("replies", {"_id": message["_id"]}, {"$set": mine})
    if any(step.get("from") == message["_id"] for step in case["history"]):
        return True
    await _said(actor, desk, case, message)
    await recount(desk, case["_id"])
    return True


async def _without(desk: Desk, message: Document) -> bool:
    """A supplement to nothing we have waits for its demand; after a week it is a message like any other."""
    if desk.clock.now() - message["received_at"] < PATIENCE:
        return False
    await desk.store.change("replies", {"_id": message["_id"], "state": FOLLOWS}, {"$set": {"state": "new"}})
    return True


async def _demand_of(desk: Desk, account: str, external_id: str) -> Document | None:
    where = {"account": account, "external_id": external_id}
    found = await desk.store.find("replies", where, limit=1)
    return found[0] if found else None


def _as(demand: Document) -> Document:
    """A supplement is said by whoever made the demand."""
    same = {name: demand[name] for name in ("author_key", "author", "district", "title") if demand.get(name)}
    return {**same, **({"confidential": True} if demand.get("confidential") else {})}


async def _said(actor: Actor, desk: Desk, case: Document, message: Document) -> None:
    now, origin = desk.clock.now(), {"from": message["_id"]}
    if message.get("unsolved") and case["state"] in ("answered", "closed", "declined"):
        step = entry(actor, "reopen", now, UNSOLVED) | origin
        fields = {**await again(desk, case), "state": "reopened"}
        key = f"reopen:{message['_id']}"
        rows = [told(desk, case, "case.reopened", "群众说还没解决，请重新办理。", _people(case), key)]
    elif case["state"] == "waiting_citizen":
        step, fields = entry(actor, "resume", now) | origin, {**going_on(desk, case), "state": "in_hand"}
        rows = [told(desk, case, "case.said", "群众补充了情况。", _people(case), f"said:{message['_id']}")]
    else:
        step, fields = entry(actor, "said", now) | origin, {}
        rows = [told(desk, case, "case.said", "群众又补充了情况。", _people(case), f"said:{message['_id']}")]
    await change_case(desk, actor, case, step, fields, rows=rows)


def _people(case: Document) -> list[str]:
    """Who hears of it: whoever has the case, its handlers, else all who handle."""
    if case.get("owner"):
        return [str(case["owner"])]
    return list(case.get("handlers") or ()) or [f"role:{Role.HANDLER.value}"]


# ---- 好差评


async def _follow_rating(actor: Actor, desk: Desk, rating: Document) -> bool:
    said = _opened(desk, rating)
    delivery = await _delivery_of(desk, said) if said else None
    if said is None or delivery is None:
        await _later(desk, rating)
        return False
    level, reason = int(said["level"]), mask_text(str(said.get("reason") or ""))[:500]
    first = {"_id": delivery["_id"], "rating": None}
    given = {"level": level, "at": rating["at"], "id": rating["_id"]}
    await desk.store.change("deliveries", first, {"$set": {"rating": given}})
    kept = (await desk.store.get("deliveries", delivery["_id"]) or {}).get("rating") or {}
    if kept.get("id") != rating["_id"]:  # one answer, one rating
        await _settle_rating(desk, rating, {"state": "repeated"})
        return True
    case = await desk.store.get(TABLE, delivery["case"])
    if case is not None and not any(step.get("from") == rating["_id"] for step in case["history"]):
        await _rate(actor, desk, case, rating, level, reason)
    secret = case is not None and case["confidential"]
    applied = {"state": "applied", "level": level, "reason": reason, "case": delivery["case"], "confidential": secret}
    await _settle_rating(desk, rating, applied)
    return True


def _opened(desk: Desk, rating: Document) -> Document | None:
    """What the site sealed for us; None where it does not open, or is no rating."""
    try:
        raw = desk.sealer.open(rating["sealed"]["raw"], table="ratings", id=rating["_id"], field="raw", purpose=CITIZEN)
        box = json.loads(raw)
        plain = desk.sealer.open_box(str(box["sealed"]), table="inbox", id=rating["external_id"], field="sealed")
        said = json.loads(plain)
        fits = isinstance(said, dict) and int(said["level"]) in RATINGS and isinstance(said["answer"], str)
        return said if fits else None
    except (Unsealable, ValueError, TypeError, KeyError):
        return None


async def _delivery_of(desk: Desk, said: Document) -> Document | None:
    found = await desk.store.find("deliveries", {"key": said["answer"]}, limit=1)
    return found[0] if found else None


async def _later(desk: Desk, rating: Document) -> None:
    """It stays sealed and is tried again; after a week it is set aside, still sealed."""
    now = desk.clock.now()
    waits = now - rating["received_at"] < PATIENCE
    fields = {"at": now + AGAIN} if waits else {"state": "astray"}
    await desk.store.change("ratings", {"_id": rating["_id"], "state": "new"}, {"$set": fields})


async def _settle_rating(desk: Desk, rating: Document, fields: Document) -> None:
    await desk.store.change("ratings", {"_id": rating["_id"], "state": "new"}, {"$set": fields})


async def _rate(actor: Actor, desk: Desk, case: Document, rating: Document, level: int, reason: str) -> None:
    now = desk.clock.now()
    step = entry(actor, "rated", now, reason, level=level) | {"from": rating["_id"]}
    rows = []
    if level <= BAD:
        await _call_back(desk, case, rating, level)
        text = f"群众评价“{RATINGS[level]}”，请回访。"
        rows = [told(desk, case, CALLBACK, text, _people(case), f"rated:{rating['_id']}")]
    await change_case(desk, actor, case, step, {"rated": level, "rated_at": rating["at"]}, rows=rows)


async def _call_back(desk: Desk, case: Document, rating: Document, level: int) -> None:
    """差评回访: a task with its own clock, once for each rating."""
    owner = case.get("owner") or (case["handlers"][0] if case.get("handlers") else Role.HANDLER.value)
    days = int(await desk.policies.value("callback_days"))
    key = f"{rating['_id']}:{CALLBACK}"
    task = {"_id": key, "key": key, "kind": CALLBACK, "about": case["_id"], "owner": owner, "state": "open",
            "due": due(desk.clock.now(), days, CALENDAR), "text": f"评价：{RATINGS[level]}"}  # fmt: skip
    await desk.store.insert_new("tasks", [task])
