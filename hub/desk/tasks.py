"""待办: what one person must do and when it is done; what files a task lives with its duty (operating, settling)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hub.desk.caring import AUTHORISE
from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.case import sees
from hub.domain.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.masking import mask_text
from hub.store.base import Document

# kind -> what it is called, and whether it is closed on its own page (else where the work itself is done)
KINDS: dict[str, tuple[str, bool]] = {
    "withdrawal.review": ("复核撤稿", True),
    "operation.by_hand": ("到平台人工办理", False),
    "delivery.check": ("核对答复是否送到", True),
    "rating.bad": ("差评回访", True),
    AUTHORISE: ("重新授权", False),
}
OF_CASES = frozenset({"delivery.check", "rating.bad"})  # those whose matter is a case; the others are about a post
HINTS: dict[str, str] = {
    "withdrawal.review": "写明撤得对不对、后续怎么办。",
    "delivery.check": "写明怎么核对的、群众知道了没有。",
    "rating.bad": "写明回访的情况、怎样改进。",
}
LEAST = 4  # characters of the sentence that goes with a closed task


async def my_tasks(actor: Actor, desk: Desk, *, limit: int = 20) -> list[Document]:
    """Open tasks of this person and of their roles, the earliest due first."""
    require(actor, "notice.read")
    owners = [actor.id, *sorted(role.value for role in actor.roles)]
    rows: list[Document] = []
    for owner in owners:
        where = {"owner": owner, "state": "open"}
        rows += await desk.store.find("tasks", where, sort=[("due", 1)], limit=limit)
    return sorted(rows, key=lambda row: row["due"])[:limit]


async def task(actor: Actor, desk: Desk, id: str) -> Document:
    """One task with what it is about; somebody else's is not found."""
    require(actor, "notice.read")
    found = await desk.store.get("tasks", id)
    if found is None or found["owner"] not in {actor.id, *(role.value for role in actor.roles)}:
        raise NotFound("没有这件待办，可能已由别人办完。")
    if found["kind"] in OF_CASES:
        return await _of_case(actor, desk, found)
    if found["kind"] == AUTHORISE:
        return await _of_account(desk, found)
    about = await desk.store.get("publications", str(found["about"])) or {}
    operation = await desk.store.get("operations", id.rpartition(":")[0]) or {}
    place = {"name": KINDS[found["kind"]][0], "href": f"/publications?open={found['about']}", "link": "看这条发布"}
    return {**found, **place, "title": f"《{about.get('title', '')}》", "by": operation.get("by")}


async def _of_case(actor: Actor, desk: Desk, found: Document) -> Document:
    case = await desk.store.get("cases", str(found["about"]))
    title = f"{case['number']} {case['title']}" if case is not None and sees(actor, case) else ""
    place = {"name": KINDS[found["kind"]][0], "href": f"/cases/{found['about']}", "link": "看这件工单"}
    return {**found, **place, "title": title, "by": None}


async def _of_account(desk: Desk, found: Document) -> Document:
    account = await desk.store.get("accounts", str(found["about"])) or {}
    place = {"name": KINDS[AUTHORISE][0], "href": href_of(found), "link": "去授权"}
    return {**found, **place, "title": str(account.get("name", found["about"])), "by": None}


def href_of(task: Document) -> str:
    """Where it is done: on its own page, at the account, or at the post it is about."""
    if KINDS[task["kind"]][1]:
        return f"/tasks/{quote(task['_id'])}"
    about = str(task["about"])
    return f"/accounts/{about}/authorise" if task["kind"] == AUTHORISE else f"/publications?open={about}"


async def finish_task(actor: Actor, desk: Desk, id: str, remark: str) -> None:
    """办结待办, with a sentence. A withdrawal is reviewed by another person than the one who ordered it."""
    require(actor, "notice.read")
    found = await task(actor, desk, id)
    if not KINDS[found["kind"]][1]:
        raise Invalid(f"这件待办不在这里办结，请点“{found['link']}”，办完自动办结。")
    if found["by"] == actor.id:
        raise NotAllowed("撤稿是您下的，须由另一位审核复核。")
    if len(remark.strip()) < LEAST:
        raise Invalid("请写办结说明。", (FieldError("remark", HINTS[found["kind"]]),))
    now = desk.clock.now()
    said = {"remark": mask_text(remark.strip())[:500]}
    row = outbox.audit(desk.ids.new(), actor, "task.finish", id, now, detail=said)
    change: dict[str, Any] = {"state": "done", "done_by": actor.id, "done_at": now, "remark": remark.strip()[:500]}
    done = await desk.store.change("tasks", {"_id": id, "state": "open"}, outbox.noted({"$set": change}, row))
    if done is None:
        raise Conflict("这件待办刚由别人办完。")
