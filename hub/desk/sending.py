"""发送: one claimed document through stage, intent, call and outcome; which document and which call comes from outside.

The order is the promise: the intent is durable before the call, the stops are read once more between the two, and
what the call answered is written under the same claim. A store that fails at the last step stops the sending and
never repeats it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from channels.contract import Accepted, Channel, Outcome, Prepared, Refused, Staged, Unknown, Who
from hub.desk import claiming, ledger
from hub.desk.desk import Desk
from hub.domain import holding
from hub.domain.moves import State
from hub.domain.people import Actor
from hub.domain.publication import Decision, Rules, decide_sent, decide_staged
from hub.store.base import Document, Unreachable, Unsure

Decide = Callable[[Document, Outcome, datetime, float, Rules], Decision]
FRESH_SECONDS = 1.0  # a look at the stops that took longer is old before the call begins: it is taken again
CALL_SECONDS = 90.0  # shorter than the lease: a call that takes longer is Unknown while the claim is still ours


@dataclass(frozen=True)
class Errand:
    """What one claimed document needs: its channel, what is sent, the call itself, the fields its intent writes, and
    what is made of the outcome."""

    channel: Channel
    prepared: Prepared | None
    call: Callable[[Staged | None], Awaitable[Outcome]]
    step: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    decide: Decide = decide_sent

    def key(self, document: Document) -> str:
        return str(self.fields.get("key", document["key"]))


async def carry_out(
    desk: Desk, actor: Actor, table: str, document: Document, errand: Errand, rules: Rules
) -> Document | None:
    """From `staging` to the outcome; the document afterwards, or None where somebody else moved it on the way."""
    staged = await _stage(desk, document, errand)
    if isinstance(staged, Refused | Unknown):
        decision = decide_staged(document, staged, desk.clock.now(), desk.ids.chance(), rules)
        return await ledger.move(desk, actor, table, document, decision)
    refs = {"staged": dict(staged.refs)} if staged else {}
    fingerprint = errand.prepared.fingerprint if errand.prepared else ""
    started = desk.clock.monotonic()
    fields = {**errand.fields, **refs}
    intended = await ledger.intend(
        desk, actor, table, document, errand.step, fields, fingerprint, rules, handed=_handed(document, errand)
    )
    if intended is None:
        return None
    await desk.failpoints.reach("publish.intent_written")
    stop = await _last_look(desk, table, intended, started, rules)
    if stop:
        return await _call_off(desk, actor, table, intended, stop)
    outcome = await _call(errand, staged)
    await desk.failpoints.reach("publish.answered")
    outcome = await _owned(desk, table, intended, errand.channel, outcome)
    decision = errand.decide(intended, outcome, desk.clock.now(), desk.ids.chance(), rules)
    return await _conclude(desk, actor, table, intended, outcome, decision)


def _handed(document: Document, errand: Errand) -> dict[str, Any]:
    """What the evidence later says of this attempt: when taken up, which link, and the bytes of what was prepared (the
    request around it is the channel's)."""
    prepared = errand.prepared
    link = errand.fields.get("link")
    size = len(json.dumps(prepared.body, ensure_ascii=False, default=str).encode("utf-8", "replace")) if prepared else 0
    found = {"began": document.get("changed_at"), "bytes": size, "link": link}
    pictures = len(prepared.pictures) if prepared else 0
    return {name: value for name, value in {**found, "pictures": pictures}.items() if value}


def _with_refs(prepared: Prepared, key: str, document: Document) -> Prepared:
    """What is sent, with the refs that the intent of an earlier attempt under the same key wrote down."""
    return replace(prepared, kept=dict(document.get("staged") or {}) if key == document["key"] else {})


async def _stage(desk: Desk, document: Document, errand: Errand) -> Staged | Refused | Unknown | None:
    if errand.prepared is None:
        return None
    blocking = [problem for problem in errand.prepared.problems if problem.severity == "block"]
    if blocking:
        said = "；".join(problem.message for problem in blocking)
        only_pictures = all(problem.picture for problem in blocking)  # else a smaller picture mends nothing
        picture = blocking[0].picture if only_pictures else ""
        return Refused(blocking[0].rule, said, Who.EDITOR, part=blocking[0].field, picture=picture)

    key = errand.key(document)

    async def pictures(sha256: str) -> bytes:
        content = await desk.files.get(sha256)
        if content is None:
            raise LookupError(sha256)
        await desk.failpoints.reach("stage.uploaded")
        return content

    try:
        async with asyncio.timeout(CALL_SECONDS):
            staged = await errand.channel.stage(_with_refs(errand.prepared, key, document), key, pictures)
    except LookupError as missing:
        name = _named(errand.prepared, str(missing.args[0]))
        return Refused("picture_missing", f"{name}的文件不见了。请在稿件里重新上传。", Who.EDITOR, part=name)
    except Exception as error:  # the publish step is one of the edges where anything may come up
        return Unknown("准备时出错", {"error": type(error).__name__})
    await desk.failpoints.reach("stage.drafted")
    return staged


def _named(prepared: Prepared, sha256: str) -> str:
    """Which of the pictures, in words."""
    places = {picture.sha256: place for place, picture in reversed([*enumerate(prepared.pictures, 1)])}
    return prepared.pictures[places[sha256] - 1].named(places[sha256]) if sha256 in places else "有一张图片"


async def _last_look(desk: Desk, table: str, document: Document, started: float, rules: Rules) -> str | None:
    """Why the call must not be made. A process that stood still while it looked looks again: what it read is old. One
    whose own time says that the claim is half over, by either clock, leaves it to others, who may think it is over."""
    half = rules.lease / 2
    while True:
        began = desk.clock.monotonic()
        stop = await _stop(desk, table, document)
        ended = desk.clock.monotonic()
        if not stop and (ended - started > half.total_seconds() or desk.clock.now() > document["lease_until"] - half):
            return "程序停顿过久"
        if stop or ended - began < FRESH_SECONDS:
            return stop


async def _stop(desk: Desk, table: str, document: Document) -> str | None:
    """Read after the intent is durable, as a pause reads `sending` after it is durable itself: one sees the other.

    All is read at once, so that nothing of it is older than one look, and nothing stands between the look and the call.
    """
    now_there, voided, account, switch = await asyncio.gather(
        desk.store.get(table, str(document["_id"]), fields=("state", "lease_number")),
        _voided(desk, table, document),
        desk.store.get("accounts", str(document["account"])),
        desk.store.get("switches", holding.HOLD_ALL),
    )
    ours = (State.SENDING, document["lease_number"])
    if now_there is None or (now_there["state"], now_there["lease_number"]) != ours:
        return "已由他人接手"
    if document.get("kind") == "withdraw":
        return None  # a pause stops what goes out, never what is taken back
    published = None if table == ledger.DELIVERIES else document
    return holding.stop_of(switch, account, published, desk.clock.now()) or voided


async def _voided(desk: Desk, table: str, document: Document) -> str | None:
    """What came while it was being prepared: an edit took the approval away, and what was approved then does not go out
    now; a withdrawal, and a correction would bring the page back."""
    if document.get("kind") == "correct":
        return "已有撤稿，不再更正" if await ledger.is_taken_back(desk, str(document["publication"])) else None
    if table != ledger.PUBLICATIONS:
        return None
    content = await desk.store.get("contents", str(document["content"]), fields=("state", "approved_hash"))
    return None if holding.is_approved(content, str(document["hash"])) else "稿件刚刚有改动，等重新终审"


async def _call_off(desk: Desk, actor: Actor, table: str, document: Document, reason: str) -> Document | None:
    now = desk.clock.now()
    closing = {"outcome": "not_called", "reason": reason, "ended_at": now}
    return await ledger.move(
        desk, actor, table, document, Decision("call_off", {"reason": reason, "not_before": now}, closing)
    )


async def _call(errand: Errand, staged: Staged | None) -> Outcome:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return await errand.call(staged)
    except Exception as error:  # a channel that raises is a bug; nobody can say how far it had come
        return Unknown("发送时程序出错", {"error": type(error).__name__})


async def _owned(desk: Desk, table: str, document: Document, channel: Channel, outcome: Outcome) -> Outcome:
    """A yes that points at another publication's post says nothing about ours: the platform refused a repetition."""
    if table != ledger.PUBLICATIONS or not isinstance(outcome, Accepted) or channel.capabilities.honours_key:
        return outcome
    if await claiming.is_own(desk, document, outcome.external_id):
        return outcome
    return Unknown(claiming.ANOTHERS, {"external_id": outcome.external_id})


async def _conclude(
    desk: Desk, actor: Actor, table: str, document: Document, outcome: Outcome, decision: Decision
) -> Document | None:
    after = await _written(desk, actor, table, document, decision)
    await desk.failpoints.reach("publish.outcome_written")
    if after is None and isinstance(outcome, Accepted):
        return await _late_acceptance(desk, actor, table, document, decision)
    return after


async def _written(desk: Desk, actor: Actor, table: str, document: Document, decision: Decision) -> Document | None:
    """The outcome in the store; tried again where the store was unsure, for the change names the state it expects."""
    try:
        return await ledger.move(desk, actor, table, document, decision)
    except (Unsure, Unreachable):
        current = await desk.store.get(table, str(document["_id"]))
        if current is not None and current["state"] != document["state"]:
            return current
        return await ledger.move(desk, actor, table, document, decision)


async def _late_acceptance(
    desk: Desk, actor: Actor, table: str, document: Document, decision: Decision
) -> Document | None:
    """The claim ran out during the call and was booked as unknown: the platform's yes is still a yes.

    A no at that moment is not used: only a yes can be checked against the platform, and a no would lead to a send.
    """
    lost = await desk.store.get(table, str(document["_id"]))
    if lost is None or lost["state"] != State.UNKNOWN or lost.get("lease_number") != document["lease_number"]:
        return None
    return await ledger.move(desk, actor, table, lost, Decision("accept", decision.fields, decision.closing))
