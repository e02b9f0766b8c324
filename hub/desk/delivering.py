"""送达: brings an approved answer to each citizen once, by the first way that can be gone; settling.py's rules hold.

The ledger, its moves and its outcomes are those of publications. What the platform certainly refused goes on by the
next way under a new key; what nobody knows is looked up where the channel can say, and sent again by no program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from channels.contract import Outcome, Refused, Staged, Unknown, Who
from hub.desk import ledger
from hub.desk.desk import Desk, connected
from hub.desk.sending import Decide, Errand, carry_out
from hub.desk.summing import sum_quietly
from hub.domain import holding
from hub.domain.answer import Way, may_leave, next_way, ways, words_for
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, decide_sent, decide_staged
from hub.domain.rights import require
from hub.sealing import CITIZEN, Unsealable
from hub.store.base import Document, Unreachable, Unsure

TABLE = ledger.DELIVERIES
RULES = Rules(late=timedelta(days=2), tries=40)  # a platform may be away over a night; after two days a person decides
ROUND = 100
_WHO = Who.EDITOR
PAGE = 1_000
NO_WAY = "没有可用的送达方式，请按留下的联系方式人工答复。"


async def deliver(actor: Actor, desk: Desk) -> int:
    """Spread what was let go over its citizens, then bring what is due; the number of deliveries taken."""
    require(actor, "delivery.send")
    for answer in await desk.store.find("answers", {"to_spread": True}, limit=20):
        await _spread(desk, answer)
    touched: set[str] = set()
    taken = 0
    while taken < ROUND and (delivery := await _take(desk)) is not None:
        taken += 1
        touched.add(delivery["answer"])
        await _bring(desk, actor, delivery)
    for id in sorted(touched):
        await sum_quietly(desk, actor, id)
    return taken


# ---- who gets it


async def _spread(desk: Desk, answer: Document) -> None:
    """One delivery for each citizen of the case; again after a crash, for the missing ones alone."""
    case = await desk.store.get("cases", answer["case"])
    if case is None:
        return
    accounts: dict[str, Document | None] = {}
    documents = []
    for name, replies in (await _citizens(desk, answer["case"])).items():
        account = replies[-1]["account"]
        if account not in accounts:
            accounts[account] = await desk.store.get("accounts", account)
        documents.append(_delivery(desk, case, answer, name, replies, accounts[account]))
    for start in range(0, len(documents), 200):
        await desk.store.insert_new(TABLE, documents[start : start + 200])
        await desk.failpoints.reach("deliver.spread")
    fields: dict[str, dict[str, Any]] = {"$set": {"people": len(documents)}, "$unset": {"to_spread": ""}}
    await desk.store.change("answers", {"_id": answer["_id"], "to_spread": True}, fields)


async def _citizens(desk: Desk, case: str) -> dict[str, list[Document]]:
    """The words of each citizen, oldest first: one account's one author is one citizen."""
    fields = ("account", "channel", "author_key", "author", "external_id", "demand", "at")
    found: dict[str, list[Document]] = {}
    where: dict[str, Any] = {"case": case}
    while True:
        rows = await desk.store.find("replies", where, sort=[("at", -1), ("_id", -1)], limit=PAGE, fields=fields)
        for row in rows:
            found.setdefault(citizen_of(row), []).insert(0, row)
        if len(rows) < PAGE:
            return found
        last = rows[-1]
        older = [{"at": {"$lt": last["at"]}}, {"at": last["at"], "_id": {"$lt": last["_id"]}}]
        where = {"case": case, "$or": older}


def citizen_of(reply: Mapping[str, Any]) -> str:
    """A name for this account's author that tells nobody who it is."""
    return hashlib.sha256(f"{reply['account']}\0{reply['author_key']}".encode()).hexdigest()[:32]


def _delivery(
    desk: Desk, case: Document, answer: Document, name: str, replies: list[Document], account: Document | None
) -> Document:
    now, target = desk.clock.now(), _target(replies)
    possible = _ways(desk, target, account)
    place, passed = next_way(possible, 0)
    fields: Document = {
        "_id": f"{answer['_id']}:{name}", "answer": answer["_id"], "case": case["_id"], "citizen": name,
        "author": target.get("author") or "", "reply": target["_id"], "said": len(replies), "kind": "delivery",
        "channel": target["channel"], "title": f"工单 {case['number']} 的答复", "by": answer["sent_by"],
        "hash": answer["hash"], "key": desk.ids.new(), "state": "scheduled", "at": now, "not_before": now,
        "created_at": now, "lease_number": 0, "attempts": [], "rating": None,
        "ways": [{"name": way.name, "account": way.account, "why_not": way.why_not} for way in possible],
        "way": place, "passed": _passed(passed, now),
    }  # fmt: skip
    if place is None:
        return {**fields, "state": "refused", "reason": NO_WAY, "account": target["account"]}
    return {**fields, "account": possible[place].account}


def _target(replies: list[Document]) -> Document:
    """To which of a citizen's words it is said: the newest, on the website the newest that has a query code."""
    return next((row for row in reversed(replies) if row.get("demand")), replies[-1])


def _ways(desk: Desk, target: Document, account: Document | None) -> tuple[Way, ...]:
    code = "与群众所用的渠道相同" if target.get("demand") else "没有查询码"
    if account is None:
        used = Way("used", why_not="当时的账号已不在")
    else:
        channel = connected(desk, account)
        mute = not isinstance(channel, str) and not channel.capabilities.answers
        used = Way("used", why_not="这个渠道不能回复") if mute else Way("used", str(account["_id"]))
    return ways(used, None, Way("code", why_not=code))


def _passed(passed: list[tuple[str, str]], now: datetime) -> list[Document]:
    return [{"way": name, "reason": reason, "at": now} for name, reason in passed]


# ---- bringing one


async def _take(desk: Desk) -> Document | None:
    """The next due delivery of an account that is not held, unless everything is."""
    switch = await desk.store.get("switches", holding.HOLD_ALL)
    if switch is not None and switch.get("on"):
        return None
    held = [row["_id"] for row in await desk.store.find("accounts", {"held": True}, limit=200, fields=("held",))]
    taken = await ledger.claim(desk, TABLE, {"account": {"$nin": sorted(held)}}, RULES)
    if taken is not None:
        await desk.failpoints.reach("deliver.claimed")
    return taken


async def _bring(desk: Desk, actor: Actor, delivery: Document) -> None:
    answer = await desk.store.get("answers", delivery["answer"])
    account = await desk.store.get("accounts", str(delivery["account"]))
    if answer is None or not may_leave(answer) or answer["hash"] != delivery["hash"]:
        stop = Decision("unapproved", {"reason": "答复的文字与审过的不一致，没有送出。"})
        await ledger.move(desk, actor, TABLE, delivery, stop)
        return
    if account is None:
        gone = Refused("no_account", "账号已不在", _WHO)
        await ledger.move(desk, actor, TABLE, delivery, decide_with(desk)(delivery, gone, desk.clock.now(), 0.0, RULES))
        return
    try:
        errand = await _errand(desk, delivery, answer, account)
    except (Unreachable, Unsure):
        raise
    except Exception as error:  # credentials that do not open, a channel with a bug: later again, then a person
        failed = Unknown(f"准备时出错（{type(error).__name__}），请检查账号")
        decision = decide_staged(delivery, failed, desk.clock.now(), desk.ids.chance(), RULES)
        await ledger.move(desk, actor, TABLE, delivery, replace(decision, tell=None))
        return
    await carry_out(desk, actor, TABLE, delivery, errand, RULES)


async def _errand(desk: Desk, delivery: Document, answer: Document, account: Document) -> Errand:
    channel = desk.connect(account)
    text, key = words_for(answer, str(account["channel"])), str(delivery["key"])
    raw = await raw_of(desk, delivery)

    async def call(_: Staged | None) -> Outcome:
        if raw is None:
            return Refused("unopened", "群众的原话现在打不开，不知道回复给谁。", _WHO)
        return await channel.answer(raw, text, key)

    first = delivery.get("first_tried_at") or desk.clock.now()
    fields = {"key": key, "reason": None, "who": None, "first_tried_at": first}
    return Errand(channel, None, call, "answer", fields, decide_with(desk))


async def raw_of(desk: Desk, delivery: Document) -> Mapping[str, Any] | None:
    """The platform's own record of what is answered; None where it does not open."""
    reply = await desk.store.get("replies", delivery["reply"], fields=("sealed",))
    try:
        sealed = str((reply or {})["sealed"]["raw"])
        plain = desk.sealer.open(sealed, table="replies", id=delivery["reply"], field="raw", purpose=CITIZEN)
        return dict(json.loads(plain))
    except (KeyError, Unsealable, ValueError):
        return None


def decide_with(desk: Desk) -> Decide:
    """What follows from an outcome: a certain refusal goes on by the next way, under a key of its own.

    Nobody is told of each delivery: the answer they belong to tells once, when they are summed up.
    """

    def decide(delivery: Mapping[str, Any], outcome: Outcome, now: datetime, chance: float, rules: Rules) -> Decision:
        if isinstance(outcome, Refused) and _is_final(outcome, rules):
            return _refused(delivery, outcome, now, desk.ids.new())
        return replace(decide_sent(delivery, outcome, now, chance, rules), tell=None)

    return decide


def _is_final(outcome: Refused, rules: Rules) -> bool:
    """A platform whose calls are used up until tomorrow is as good as one that refused: the next way is quicker."""
    return outcome.retry_after is None or (bool(outcome.spent) and outcome.retry_after > rules.late)


def _refused(delivery: Mapping[str, Any], outcome: Refused, now: datetime, key: str) -> Decision:
    closing = {"outcome": "refused", "code": outcome.code, "reason": outcome.reason, "ended_at": now}
    possible = [Way(way["name"], way["account"], way["why_not"]) for way in delivery["ways"]]
    place, skipped = next_way(possible, int(delivery["way"]) + 1)
    gone = {"way": possible[int(delivery["way"])].name, "reason": outcome.reason, "at": now}
    passed = [*delivery.get("passed", ()), gone, *_passed(skipped, now)]
    if place is None:
        fields = {"reason": outcome.reason, "code": outcome.code, "who": outcome.who.value, "passed": passed}
        return Decision("refuse", fields, closing)
    onward: dict[str, Any] = {
        "way": place, "account": possible[place].account, "key": key, "not_before": now, "tries": 0,
        "first_tried_at": None, "reason": f"{outcome.reason}；改走下一种方式", "passed": passed,
    }  # fmt: skip
    return Decision("put_off", onward, closing)
