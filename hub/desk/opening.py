"""立案: opens a case from a reply, an alert or a demand, and brings words into it; what is done with it: handling.py.

A reply belongs to one case, claimed on the reply itself before the case is written, so that two people who open at one
instant never answer one citizen twice. What a killed process left is finished by the same call, or by following.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.desk.casing import (
    TABLE,
    bare,
    change_case,
    entry,
    new_number,
    next_version,
    terms_of_office,
    told,
)
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.almanac import CALENDAR
from hub.domain.case import KINDS, MERGEABLE, USUAL, decide, due, handler_term, is_confidential, require_sight
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor, Role
from hub.domain.rights import RIGHTS, require
from hub.masking import mask_text
from hub.store.base import Document
from hub.store.search import terms_of

LONGEST_TITLE = 60
NOT_YET_OUT = ("draft",)
_SORTERS = frozenset(role.value for role in RIGHTS["case.accept"])


@dataclass(frozen=True)
class Opened:
    """The case, how many replies came into it, and how many stayed in cases of their own."""

    case: Document
    joined: int
    elsewhere: int


# ---- from a reply


async def open_from_reply(actor: Actor, desk: Desk, reply_id: str, *, kind: str = USUAL, title: str = "") -> Opened:
    """开工单 from one thing a citizen said; Conflict names the case that it is in already."""
    require(actor, "case.open")
    _check_kind(kind)
    reply = await desk.store.get("replies", reply_id)
    if reply is None or reply.get("confidential"):
        raise NotFound("没有这条留言，可能地址不完整。")
    if reply["state"] == "unopened":
        raise Conflict("这条来信还打不开，修好密钥后才能开工单。")
    case = await _claimed(desk, reply)
    if case is not None:
        raise Conflict(f"这条留言已在工单 {case['number']} 里。")
    return await _open_with(actor, desk, reply, kind, title, {"reply": reply_id})


async def open_demand(actor: Actor, desk: Desk, reply: Document) -> Document:
    """已收到: every demand with a query code becomes a case by itself; the same demand again is the same case."""
    require(actor, "case.follow")
    kind = reply.get("asked_kind") or USUAL
    found = await _claimed(desk, reply)
    if found is not None:
        return found
    return (await _open_with(actor, desk, reply, kind, "", {"demand": reply["external_id"]})).case


async def _claimed(desk: Desk, reply: Document) -> Document | None:
    """The case this reply is in; None also for a claim whose case was never written."""
    return await desk.store.get(TABLE, reply["case"]) if reply.get("case") else None


async def _open_with(
    actor: Actor, desk: Desk, reply: Document, kind: str, title: str, origin: Mapping[str, str]
) -> Opened:
    id = reply.get("case") or desk.ids.new()
    free = {"_id": reply["_id"], "case": reply.get("case")}
    mine: dict[str, Any] = {"case": id, **({"confidential": True} if is_confidential(kind) else {})}
    if await desk.store.change("replies", free, {"$set": mine}) is None:
        raise Conflict("另一位同事刚为这条留言开了工单。请刷新后再看。")
    await desk.failpoints.reach("case.claimed")
    first = {**reply, "title": title or _headline(reply)}
    started = reply["at"] if "demand" in origin else desk.clock.now()
    case = await _write(actor, desk, id, first, kind, origin, started)
    return Opened(bare(case), 1, 0)


def _headline(reply: Document) -> str:
    """Its own title, or the beginning of its words."""
    said = str(reply.get("title") or reply.get("text") or "").strip().split("\n")[0]
    return said if len(said) <= LONGEST_TITLE else said[: LONGEST_TITLE - 1] + "…"


# ---- from an alert


async def open_from_alert(
    actor: Actor, desk: Desk, alert_id: str, *, kind: str = USUAL, title: str = ""
) -> Opened:
    """开工单 from an alert: everybody who spoke in its issue is to be answered.

    Replies with a case of their own stay there, unless nobody has begun with that case yet: then it comes in.
    """
    require(actor, "case.open")
    _check_kind(kind)
    if is_confidential(kind):
        raise Invalid("举报和信访不能由多人留言合成一件。", (FieldError("kind", "请选其他类别。"),))
    alert = await desk.store.get("alerts", alert_id)
    if alert is None:
        raise NotFound("没有这条预警，可能地址不完整。")
    if alert.get("source") == "cell":
        raise Conflict("这里是一个类别里的许多件事。请点开留言，从留言开工单。")
    if alert.get("source") == "word":
        raise Conflict("关注词的命中不一定是一件事。请点开留言，从留言开工单。")
    id = await _claim_alert(desk, alert)
    first = await _first_free(desk, str(alert["issue"]), id)
    fields = {**first, "title": title or str(alert["title"])}
    case = await _write(actor, desk, id, fields, kind, {"alert": alert_id}, desk.clock.now(), issue=alert["issue"])
    return await _gather(desk, actor, case)


async def _gather(desk: Desk, actor: Actor, case: Document) -> Opened:
    """Everybody of the alert's issue into its case; repeatable until the case's mark is gone."""
    id, issue = str(case["_id"]), str(case["issue"])
    joined = await desk.store.change_many("replies", _free(issue), {"$set": {"case": id}})
    await desk.failpoints.reach("case.joined")
    elsewhere = await _bring_in(actor, desk, issue, id)
    await recount(desk, id)
    after = await desk.store.change(TABLE, {"_id": id}, {"$unset": {"to_move": ""}})
    return Opened(bare(after or case), joined, elsewhere)


async def finish(actor: Actor, desk: Desk, case: Document) -> None:
    """What a killed process left of opening from an alert, or of merging."""
    require(actor, "case.follow")
    if case["state"] == "merged":
        await finish_move(desk, actor, case)
    else:
        await _gather(desk, actor, case)


async def _claim_alert(desk: Desk, alert: Document) -> str:
    """The id of the case that this alert leads to: one, whoever comes first."""
    if alert.get("case"):
        found = await desk.store.get(TABLE, alert["case"])
        if found is not None:
            raise Conflict(f"这条预警已开工单 {found['number']}。")
        return str(alert["case"])
    id = desk.ids.new()
    if await desk.store.change("alerts", {"_id": alert["_id"], "case": None}, {"$set": {"case": id}}) is None:
        raise Conflict("另一位同事刚为这条预警开了工单。请刷新后再看。")
    await desk.failpoints.reach("case.claimed")
    return id


def _free(issue: str) -> dict[str, Any]:
    return {"issue": issue, "case": None, "confidential": {"$ne": True}, "state": {"$ne": "unopened"}}


async def _first_free(desk: Desk, issue: str, id: str) -> Document:
    """The newest reply that can still come in; the case takes its channel and place."""
    for where in (_free(issue), {"issue": issue, "case": id}, {"issue": issue}):
        rows = await desk.store.find("replies", where, sort=[("at", -1)], limit=1)
        if rows:
            return rows[0]
    raise Conflict("这个苗头下没有留言，不能开工单。")


async def _bring_in(actor: Actor, desk: Desk, issue: str, id: str) -> int:
    """Cases of the same issue that nobody has begun with come in; how many replies stay in others."""
    elsewhere = 0
    where = {"issue": issue, "case": {"$nin": [None, id]}}
    for row in await desk.store.tally("replies", where, by=("case",)):
        other = await desk.store.get(TABLE, row["case"])
        if other is not None and other["state"] == "new" and not other["confidential"]:
            await _move_into(actor, desk, other, id)
        else:
            elsewhere += row["count"]
    return elsewhere


# ---- the document


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid("没有这个类别。", (FieldError("kind", f"可选：{'、'.join(KINDS.values())}。"),))


async def _write(
    actor: Actor,
    desk: Desk,
    id: str,
    reply: Document,
    kind: str,
    origin: Mapping[str, str],
    started: Any,
    *,
    issue: str | None = None,
) -> Document:
    """Put the case into the store, once: the same id again finds what stands there."""
    now, title = desk.clock.now(), mask_text(str(reply["title"]))[:LONGEST_TITLE]
    days = (await terms_of_office(desk)).days(kind)
    secret = is_confidential(kind)
    handlers = await _named(actor, desk) if secret else []
    until = due(started, days, CALENDAR)
    case: Document = {
        "_id": id, "number": await new_number(desk), "kind": kind, "state": "new", "title": title,
        "author": reply.get("author") or "", "channel": reply["channel"], "account": reply["account"],
        "district": reply.get("district"), "topic": reply.get("filed_name") or reply.get("topic"),
        "issue": issue or reply.get("issue"),
        "origin": dict(origin), "confidential": secret, "handlers": handlers, "people": 1, "replies": 1,
        "channels": [reply["channel"]], "reach": {reply["channel"]: 1},
        "opened_at": now, "opened_by": actor.id, "started_at": started, "due_at": until,
        "rank_at": until, "days": days, "round": 1, "version": next_version(now), "changed_at": now, "to_tell": True,
        "history": [entry(actor, "open", now)],
        "terms": [*terms_of(title), *map(handler_term, handlers)],
        **({"to_move": True} if "alert" in origin else {}),
    }  # fmt: skip
    rows = [
        outbox.audit(desk.ids.new(), actor, "case.open", id, now, detail={"kind": kind, **origin}),
        outbox.event(desk.ids.new(), "case.changed", id, now),
    ]
    if secret:
        rows.append(told(desk, case, "case.confidential", "收到一件保密件，请派给具体的人。", handlers, "opened"))
    await desk.store.insert_new(TABLE, [outbox.born(case, *rows)])
    await desk.failpoints.reach("case.opened")
    return await desk.store.get(TABLE, id) or case


async def _named(actor: Actor, desk: Desk) -> list[str]:
    """Who sees a confidential case at its birth: whoever opened it, or by name those on duty who may assign it."""
    if actor.kind == "person":
        return [actor.id]
    users = await desk.store.find("users", {}, limit=500, fields=("roles", "duty", "disabled"))
    able = [user for user in users if not user.get("disabled") and _SORTERS & set(user.get("roles", ()))]
    watch = [user for user in able if user.get("duty")] or able
    monitors = [user for user in watch if Role.MONITOR in user["roles"]]
    return [str(user["_id"]) for user in monitors or watch]


async def recount(desk: Desk, id: str) -> Document | None:
    """How many people and words a case has; a person is one account's one author."""
    rows = await desk.store.tally("replies", {"case": id}, by=("account", "author_key", "channel"))
    fields = {
        "people": len(rows),
        "replies": sum(row["count"] for row in rows),
        "channels": sorted({row["channel"] for row in rows}),
        "reach": dict(Counter(row["channel"] for row in rows)),  # people by channel
    }
    return await desk.store.change(TABLE, {"_id": id}, {"$set": fields})


# ---- merging


async def merge(actor: Actor, desk: Desk, id: str, into: str) -> Document:
    """归并: this case's people are answered with the other case; a person's decision, never for confidential ones."""
    require(actor, "case.open")
    source = require_sight(actor, await desk.store.get(TABLE, id))
    target = require_sight(actor, await _named_case(desk, into))
    into = str(target["_id"])
    if id == into:
        raise Invalid("不能并入自己。", (FieldError("into", "请选另一件工单。"),))
    if source["confidential"] or target["confidential"]:
        raise Conflict("举报和信访一件一办，不能归并。")
    if target["state"] not in MERGEABLE or target.get("leaving"):
        raise Conflict("要并入的工单已答复或已结束，不能再并入。")
    if source["state"] == "merged" and source.get("merged_into") == into:
        return await finish_move(desk, actor, source)
    answers = await desk.store.find("answers", {"case": id}, sort=[("round", -1)], limit=1)
    if answers and answers[0]["state"] not in NOT_YET_OUT:
        raise Conflict("这件工单的答复已送审或送出，不能归并。")
    return await _move_into(actor, desk, source, into)


async def _named_case(desk: Desk, name: str) -> Document | None:
    """A case by its id, or by the number that people say on the telephone."""
    found = await desk.store.get(TABLE, name)
    return found or next(iter(await desk.store.find(TABLE, {"number": name}, limit=1)), None)


async def _move_into(actor: Actor, desk: Desk, source: Document, into: str) -> Document:
    move = decide("merge", source)
    fields = {"state": move.after, "merged_into": into, "to_move": True, "due_at": None}
    merged = await change_case(desk, actor, source, entry(actor, "merge", desk.clock.now()), fields)
    await desk.failpoints.reach("case.joined")
    return await finish_move(desk, actor, merged)


async def finish_move(desk: Desk, actor: Actor, merged: Document) -> Document:
    """The people of a merged case into the one it went to; repeatable until its mark is gone. Gives that case back."""
    into = str(merged["merged_into"])
    await desk.store.change_many("replies", {"case": merged["_id"]}, {"$set": {"case": into}})
    target = await recount(desk, into)
    if target is None:
        raise NotFound("要并入的工单不在了。")
    earliest = min(target["started_at"], merged["started_at"])
    came = any(step["act"] == "joined" and step.get("from") == merged["_id"] for step in target["history"])
    if not came:
        step = entry(actor, "joined", desk.clock.now()) | {"from": merged["_id"]}
        fields: dict[str, Any] = {"started_at": earliest}
        if target.get("due_at") and earliest < target["started_at"]:
            until = due(earliest, int(target["days"]), CALENDAR)
            fields |= {"due_at": until, "rank_at": until}
        target = await change_case(desk, actor, target, step, fields, above=int(merged["version"]))
    await desk.store.change(TABLE, {"_id": merged["_id"]}, {"$unset": {"to_move": "", "to_tell": ""}})
    return bare(target)
