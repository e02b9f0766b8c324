"""我的工作: what waits for this person now, gravest first, and the counts beside the rail; the verbs live beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.desk import casework, preflighting
from hub.desk.beating import is_publishing
from hub.desk.desk import Desk
from hub.desk.ledger import STANDING
from hub.desk.noticing import count_unread
from hub.desk.overview import seen_state, states_of
from hub.desk.reviewing import queue
from hub.desk.tasks import KINDS, OF_CASES, href_of, my_tasks
from hub.domain.alert import LEVEL_NAMES
from hub.domain.people import Actor
from hub.domain.quiet import silence_at
from hub.domain.rights import may, require
from hub.store.base import Document
from hub.wording import moment

TROUBLE = ("unknown", "refused", "held")
ACTS = {"withdraw": "撤下", "correct": "更正"}  # what an operation asks a person to do on the platform
NEWEST = 20  # approved texts of one writer that are looked at for a missing time
PLANNING = timedelta(days=14)  # after that nobody is reminded any more that a text has no time
SHOWN = 6  # rows of one kind; the rest is behind the link of its page


@dataclass(frozen=True)
class Work:
    """One thing a person should do: why, since when, and the one verb. `tone` is danger, warn or quiet."""

    kind: str
    icon: str
    title: str
    detail: str
    since: datetime
    verb: str
    href: str
    tone: str = "quiet"


@dataclass(frozen=True)
class Waiting:
    """Counts for the rail: plain ones, those where something went wrong, the bell, why all is held, whether no worker
    lives, and the quiet period that holds now, in words."""

    counts: Mapping[str, int]
    alarms: Mapping[str, int]
    unread: int
    held: str
    stopped: bool = False
    quiet: str = ""


async def waiting(actor: Actor, desk: Desk) -> Waiting:
    """What the frame of every page shows; only what this person may see."""
    require(actor, "notice.read")
    counts, alarms = {}, {}
    if may(actor, "content.review"):
        counts["reviews"] = await desk.store.count("contents", {"state": "in_review"}, ceiling=999)
    if may(actor, "publication.read"):
        alarms["publications"] = await desk.store.count("publications", {"state": {"$in": list(TROUBLE)}}, ceiling=999)
    if may(actor, "issue.read"):
        alarms["board"] = await desk.store.count("alerts", {"state": "new", "silent": False}, ceiling=999)
    if may(actor, "case.read"):
        counts["cases"], alarms["cases"] = await casework.counts(actor, desk)
    switch = await desk.store.get("switches", "hold_all") or {}
    held = str(switch.get("reason") or "") if switch.get("on") else ""
    silence = silence_at(switch.get("quiet") or (), desk.clock.now(), {})
    words = silence.words if silence else ""
    return Waiting(counts, alarms, await count_unread(actor, desk), held, not await is_publishing(desk), words)


async def my_work(actor: Actor, desk: Desk) -> list[Work]:
    """The rows of the home page: first what may already be public and wrong, then what is due, then the rest."""
    require(actor, "notice.read")
    rows: list[Work] = []
    if may(actor, "publication.read"):
        rows += await _troubles(desk)
        rows += await _concerned(actor, desk)
    if may(actor, "issue.read"):
        rows += await _alerts(actor, desk)
    if may(actor, "content.review"):
        rows += await _reviews(actor, desk)
    if may(actor, "content.write"):
        rows += await _returned(actor, desk)
    if may(actor, "content.schedule"):
        rows += await _unplanned(actor, desk)
    if may(actor, "case.read"):
        rows += await _cases(actor, desk)
    if may(actor, "account.read"):
        rows += await _accounts(actor, desk)
    rows += await _tasks(actor, desk)
    order = {"danger": 1, "warn": 0, "quiet": 2}
    return sorted(rows, key=lambda row: (row.kind != "unknown", order[row.tone], row.since))


async def _cases(actor: Actor, desk: Desk) -> list[Work]:
    """Cases in this person's hand by their clocks, new ones to accept, and answers to review."""
    tones = {"overdue": "danger", "low": "warn"}
    rows = [
        Work(
            "case", "inbox", f"工单：{row['title']}", "重新办理，" * row["reopened"] + f"{row['people']} 人等答复",
            row["due_at"], "去办", f"/cases/{row['id']}", tones.get(row["clock"], "quiet"),
        )
        for row in await casework.my_cases(actor, desk)
    ]  # fmt: skip
    count, since = await casework.to_accept(actor, desk)
    if since is not None:
        said = "受理以后，群众那边就显示“已受理”。"
        rows.append(Work("new_cases", "inbox", f"{count} 件新工单等受理", said, since, "去受理", "/cases?tab=todo"))
    if waits := await casework.to_decide(actor, desk):
        first = min(waits, key=lambda row: row["extension"]["at"])
        title, href, since = f"{len(waits)} 件延期等您定", f"/cases/{first['_id']}", first["extension"]["at"]
        rows.append(Work("extension", "clock", title, "定下以前，时限照旧。", since, "去定", href))
    for row in await casework.to_review(actor, desk):
        title, href = f"待审答复：{row['title']}", f"/cases/{row['case']}"
        rows.append(Work("answer", "review", title, "审过才能送出。", row["submitted_at"], "去审", href))
    return rows


async def _troubles(desk: Desk) -> list[Work]:
    found = await desk.store.find("publications", {"state": {"$in": list(TROUBLE)}}, sort=[("at", 1)], limit=SHOWN * 2)
    names = {row["_id"]: row["name"] for row in await desk.store.find("accounts", {}, limit=200, fields=["name"])}
    return [_trouble(row, str(names.get(row["account"], row["account"]))) for row in found]


async def _concerned(actor: Actor, desk: Desk) -> list[Work]:
    """Planned posts that would not go out as things stand, while they can still be mended."""
    rows = []
    for row in await preflighting.concerned(actor, desk, limit=SHOWN):
        said = "".join(str(one["text"]) for one in row["concerns"])
        title = f"《{row['title']}》到时发不出去（{row['account_name']}，{moment(row['at'])}）"
        since = row.get("preflighted_at") or row["created_at"]
        href = f"/publications?open={row['_id']}"
        rows.append(Work("concern", "warning", title, said, since, "去处理", href, "warn"))
    return rows


def page_of(publication: str) -> str:
    """Where one publication is opened."""
    return f"/publications?open={publication}"


def _trouble(row: Document, account: str) -> Work:
    title, href = f"《{row['title']}》", page_of(str(row["_id"]))
    last = (row.get("attempts") or [{}])[-1]
    reason = str(last.get("reason") or row.get("reason") or "")
    if row["state"] == "unknown":
        said = "系统不会自动重发。请打开账号看一眼，再告诉系统结果。"
        return Work(
            "unknown", "question", f"{title}：{account}是否发出，尚不清楚", said, row["at"], "去核对", href, "warn"
        )
    if row["state"] == "refused":
        return Work("refused", "refuse", f"{account}拒绝了{title}", reason, row["at"], "去处理", href, "danger")
    return Work("held", "pause", f"{title}在{account}上暂停，等您决定", reason, row["at"], "去决定", href, "warn")


async def _tasks(actor: Actor, desk: Desk) -> list[Work]:
    """待办, each saying which post of which account it is about and what is to be done with it."""
    found = await my_tasks(actor, desk, limit=SHOWN)
    about = [str(row["about"]) for row in found]
    acts = [str(row["_id"]).rpartition(":")[0] for row in found]
    posts = await _by_id(desk, "publications", about, ("title", "account"))
    kinds = await _by_id(desk, "operations", acts, ("kind",))
    numbers = await _by_id(desk, "cases", [str(row["about"]) for row in found if row["kind"] in OF_CASES], ("number",))
    names = await _by_id(desk, "accounts", [str(row["account"]) for row in posts.values()], ("name",))
    rows: list[Work] = []
    for row, act in zip(found, acts, strict=True):
        post = posts.get(str(row["about"]), {})
        account = str(names.get(str(post.get("account")), {}).get("name", ""))
        title = _task_title(row, str(post.get("title", "")), account, str(kinds.get(act, {}).get("kind", "")))
        title += f"：工单 {numbers[row['about']]['number']}" if row["about"] in numbers else ""
        rows.append(_task(row, title, desk.clock.now()))
    return rows


async def _by_id(desk: Desk, table: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Document]:
    if not ids:
        return {}
    rows = await desk.store.find(table, {"_id": {"$in": sorted(set(ids))}}, limit=len(ids), fields=fields)
    return {str(row["_id"]): row for row in rows}


def _task_title(row: Document, title: str, account: str, act: str) -> str:
    name = KINDS[row["kind"]][0]
    if not title:
        return name
    if row["kind"] == "operation.by_hand" and account and act in ACTS:
        return f"请到“{account}”手工{ACTS[act]}《{title}》"
    return f"{name}：《{title}》" + (f"（{account}）" if account else "")


def _task(row: Document, title: str, now: datetime) -> Work:
    tone = "danger" if row["due"] < now else "warn" if row["due"] - now < timedelta(hours=4) else "quiet"
    return Work("task", "check", title, str(row.get("text") or ""), row["due"], "去办", href_of(row), tone)


async def _alerts(actor: Actor, desk: Desk) -> list[Work]:
    where = {"state": "new", "silent": False}
    found = await desk.store.find("alerts", where, sort=[("at", 1)], limit=SHOWN)
    return [
        Work(
            "alert",
            "warning",
            f"{LEVEL_NAMES[row['level']]}{'提醒' if row.get('source') == 'word' else '预警'}：{row['title']}",
            str(row["explanation"]),
            row["at"],
            "认领" if may(actor, "alert.act") else "去看",
            f"/issues/{row['issue']}",
            "warn",
        )
        for row in found
    ]


async def _reviews(actor: Actor, desk: Desk) -> list[Work]:
    """Texts under review whose turn is this person's, the longest waiting of the newest page first."""
    waiting_texts = await queue(actor, desk)
    found = [row.content for row in reversed(waiting_texts.rows) if row.mine][:SHOWN]
    return [
        Work(
            "review",
            "review",
            f"待审：《{row['title']}》",
            "已送审，请通过或退回。",
            row["updated_at"],
            "去审",
            f"/reviews/{row['_id']}",
        )
        for row in found
    ]


async def _returned(actor: Actor, desk: Desk) -> list[Work]:
    where = {"state": "draft", "author": actor.id, "round": {"$gte": 1}}  # what was never submitted was never returned
    found = await desk.store.find("contents", where, sort=[("updated_at", -1)], limit=SHOWN)
    rows = []
    for row in found:
        last = await desk.store.find("reviews", {"content": row["_id"]}, sort=[("at", -1)], limit=1)
        if last and last[0]["verdict"] == "return" and not last[0].get("void"):
            title = f"退回修改：《{row['title']}》"
            rows.append(
                Work(
                    "returned", "undo", title, str(last[0]["remark"]), last[0]["at"], "修改", f"/contents/{row['_id']}"
                )
            )
    return rows


async def _unplanned(actor: Actor, desk: Desk) -> list[Work]:
    """The newest of this person's approved texts that nobody has given a time: they would never go out."""
    since = desk.clock.now() - PLANNING
    where = {"state": "approved", "author": actor.id, "approved_at": {"$gte": since}}
    found = await desk.store.find("contents", where, sort=[("updated_at", -1)], limit=NEWEST)
    ids = [row["_id"] for row in found]
    where = {"content": {"$in": ids}, **STANDING}
    planned = {each["content"] for each in await desk.store.tally("publications", where, by=("content",))}
    return [_to_plan(row) for row in found if row["_id"] not in planned][:SHOWN]


def _to_plan(row: Document) -> Work:
    title = f"已审签，还没有排时间：《{row['title']}》"
    href = f"/contents/{row['_id']}/schedule"
    return Work("unplanned", "calendar", title, "不排时间就不会发出。", row["approved_at"], "排时间", href)


async def _accounts(actor: Actor, desk: Desk) -> list[Work]:
    """Accounts that are ill, before it hurts."""
    found = await desk.store.find("accounts", {}, sort=[("_id", 1)], limit=200)
    ill = [row for row in found if (row.get("health") or {}).get("state", "ok") not in ("ok", "unknown")]
    return [
        Work(
            "account",
            "key",
            f"账号“{row['name']}”需要处理",
            str((row.get("health") or {}).get("reason") or ""),
            (row.get("health") or {}).get("looked_at") or desk.clock.now(),
            "去查看",
            "/accounts",
            "warn" if (row.get("health") or {}).get("state") != "expired" else "danger",
        )
        for row in ill[:SHOWN]
    ]


async def today(actor: Actor, desk: Desk, start: datetime, end: datetime) -> list[Document]:
    """This day's publications by time, one row a content with the state on each channel."""
    if not may(actor, "publication.read"):
        return []
    where = {"at": {"$gte": start, "$lt": end}}
    found = await desk.store.find("publications", where, sort=[("at", 1)], limit=200)
    contents = await states_of(actor, desk, [row["content"] for row in found])
    rows: dict[str, Document] = {}
    for row in found:
        one = rows.setdefault(
            row["content"], {"content": row["content"], "title": row["title"], "at": row["at"], "states": []}
        )
        state = seen_state(row, contents.get(row["content"], {}))
        one["states"].append({"channel": row["channel"], "state": state})
    return list(rows.values())
