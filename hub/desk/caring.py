"""账号的看护: what follows from how an account is: warnings before its end, a task to authorise it anew, what it held.

Each step is repeatable and comes before the health is written: after a crash in between it happens once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.contract import Health
from hub.desk import ledger
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.authorisation import ENDED, is_new, left_in_words, step_of
from hub.domain.people import Actor, Role
from hub.domain.rights import require
from hub.store.base import Document

WELL = ("ok", "expiring", "quota_low")
WORDS: Mapping[str, str] = {
    "ok": "正常",
    "expiring": "授权快到期",
    "expired": "授权已失效",
    "quota_low": "今天的额度将尽",
    "not_connected": "尚未接通",
    "unreachable": "连不上平台",
}
TOLD = ["duty", f"role:{Role.SYSADMIN.value}"]
AUTHORISE = "account.authorise"
NAMED = 5  # posts named in one notice


async def follow(desk: Desk, account: Document, health: Health) -> tuple[Document, list[outbox.Row]]:
    """What a new look at this account asks for: the fields to write with the health, and whom to tell."""
    before = str(account.get("health", {}).get("state", "ok"))
    fields, rows = await _authorisation(desk, account, health)
    if health.state == before:
        return fields, rows
    rows.append(outbox.event(desk.ids.new(), "account.changed", str(account["_id"]), desk.clock.now()))
    if health.state in WELL and before not in WELL:
        rows += await _well_again(desk, account)
    warned_in_steps = health.state == "expiring" and account.get("reauthorised")
    if health.state in ("ok", "quota_low") or warned_in_steps:
        return fields, rows
    return fields, [*rows, await _ill(desk, account, health)]


async def _ill(desk: Desk, account: Document, health: Health) -> outbox.Row:
    """When an account falls ill: with how many posts are waiting for it."""
    now, name = desk.clock.now(), account.get("name", account["_id"])
    waiting = await _waiting(desk, account)
    text = f"账号“{name}”{WORDS.get(health.state, '有异常')}：{health.reason}"
    text += f" 有 {waiting} 条已排定的发布受影响。" if waiting else ""
    return _notice(desk, account, "account.ill", text, f"{account['_id']}:{health.state}:{now.date().isoformat()}")


async def _waiting(desk: Desk, account: Document, since: datetime | None = None) -> int:
    """How many posts are still to go out on this account, from this moment on."""
    where: dict[str, Any] = {"account": account["_id"], "state": {"$in": ["scheduled", "waiting"]}}
    if since is not None:
        where["at"] = {"$gte": since}
    return await desk.store.count(ledger.PUBLICATIONS, where, ceiling=1000)


def _notice(desk: Desk, account: Document, matter: str, text: str, key: str, link: str = "") -> outbox.Row:
    id = str(account["_id"])
    return outbox.notice(
        desk.ids.new(), matter, id, desk.clock.now(), people=TOLD, text=text, link=link or f"/accounts/{id}", key=key
    )


# ---- the end of an authorisation


async def _authorisation(desk: Desk, account: Document, health: Health) -> tuple[Document, list[outbox.Row]]:
    """7, 3 and 1 days before its end people hear of it, once each; from the first on it is somebody's task."""
    if not account.get("reauthorised") or health.state == "unreachable":
        return {}, []
    now, warned = desk.clock.now(), account.get("warned")
    step = ENDED if health.state == "expired" else step_of(health.token_until, now)
    if step is None:  # plenty of time: authorised anew, here or on the platform
        await close_tasks(desk, account, "program:caretaker")
        return ({"warned": None, "authorised": int(account.get("authorised", 0)) + 1} if warned is not None else {}), []
    await _file_task(desk, account, health)
    if not is_new(step, warned):
        return {}, []
    return {"warned": step}, [await _warning(desk, account, health, step)] if step != ENDED else []


async def _warning(desk: Desk, account: Document, health: Health, step: int) -> outbox.Row:
    id, number, now = str(account["_id"]), int(account.get("authorised", 0)), desk.clock.now()
    left = left_in_words(health.token_until or now, now)
    text = f"账号“{account.get('name', id)}”的授权{left}，到期后什么也发不出去。"
    after = await _waiting(desk, account, health.token_until)
    text += (f"排在那以后的有 {after} 条。" if after else "") + "请系统管理员重新授权。"
    link = f"/accounts/{id}/authorise"
    return _notice(desk, account, "account.expires", text, f"{id}:expires:{number}:{step}", link)


def task_of(account: Document) -> str:
    """The task to authorise this account anew: one each time its authorisation ends."""
    return f"{account['_id']}:authorise:{int(account.get('authorised', 0))}"


async def _file_task(desk: Desk, account: Document, health: Health) -> None:
    now, id = desk.clock.now(), task_of(account)
    until = health.token_until
    text = f"账号“{account.get('name', account['_id'])}”的授权" + (left_in_words(until, now) if until else "已失效")
    task = {
        "_id": id, "key": id, "kind": AUTHORISE, "about": str(account["_id"]), "owner": Role.SYSADMIN.value,
        "due": until or now, "state": "open", "text": text,
    }  # fmt: skip
    await desk.store.insert_new("tasks", [task])


async def close_tasks(desk: Desk, account: Document, by: str) -> None:
    """Nothing is left to do: the account is authorised."""
    where = {"about": str(account["_id"]), "kind": AUTHORISE, "state": "open"}
    done = {"state": "done", "done_by": by, "done_at": desk.clock.now()}
    await desk.store.change_many("tasks", where, {"$set": done})


# ---- well again


async def _well_again(desk: Desk, account: Document) -> list[outbox.Row]:
    """What was put off for this account goes on at once; what stands still for a person is named."""
    now = desk.clock.now()
    put_off = {
        "account": account["_id"], "state": "scheduled", "at": {"$lte": now}, "not_before": {"$gt": now},
        "tries": {"$gt": 0}, "spent": None,
    }  # fmt: skip
    for table in (ledger.PUBLICATIONS, ledger.OPERATIONS, ledger.DELIVERIES):
        await desk.store.change_many(table, put_off, {"$set": {"not_before": now}})
    held = await _standing(desk, str(account["_id"]))
    if not held:
        return []
    names = "".join(f"《{row['title']}》" for row in held[:NAMED]) + ("等" if len(held) > NAMED else "")
    text = f"账号“{account.get('name', account['_id'])}”已恢复正常。还有 {len(held)} 条停着等人决定：{names}。"
    text += "请到发布页逐条恢复或取消。"
    key = f"{account['_id']}:well:{now.isoformat()}"
    return [_notice(desk, account, "account.well", text, key, "/publications?tab=todo")]


async def standing(actor: Actor, desk: Desk, account_id: str) -> list[Document]:
    """The posts that stopped because of this account and wait for a person's word."""
    require(actor, "account.read")
    return await _standing(desk, account_id)


async def _standing(desk: Desk, account_id: str) -> list[Document]:
    where = {"account": account_id, "state": {"$in": ["held", "refused"]}, "who": "administrator"}
    return await desk.store.find(
        ledger.PUBLICATIONS, where, sort=[("at", 1)], limit=100, fields=("title", "at", "state", "reason")
    )
