"""`bench alerts`: from a citizen's acknowledged message to the alert on an open board, in a real household."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.commands.alerts.citizens import PLACES, Citizens, Plan, Words
from hub.commands.alerts.house import ACCOUNT, CLOCK, House
from hub.commands.alerts.open_board import Event, OpenBoard
from hub.commands.chaos.town import free_row
from hub.desk.desk import Desk
from hub.domain.errors import HubError
from hub.store.base import Document

PAGE = 1_000
DRAINED = 60.0  # seconds until everything must be read and watched, after the last word


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=int, default=50, help="每秒几条留言")
    parser.add_argument("--seconds", type=int, default=60, help="说多少秒")
    parser.add_argument("--matters", type=int, default=12, help=f"其中混入几件事（最多 {len(PLACES)}）")
    parser.add_argument("--workers", type=int, default=1, help="后台任务进程数")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    """0 where nothing was lost and every alert reached the board."""
    plan = Plan(arguments.rate, max(30, arguments.seconds), min(arguments.matters, len(PLACES)))
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(_measured(plan, House(Path(folder), free_row(12)), arguments.workers))
    print(json.dumps(figures, ensure_ascii=False) if arguments.json else "\n".join(_lines(figures)))
    return 0 if figures["lost"] == 0 and figures["alerts"] else 1


@dataclass
class Run:
    """One run: who spoke, what the board heard, and how much waited meanwhile."""

    words: list[Words]
    board: OpenBoard
    waiting: list[int] = field(default_factory=list)


async def _measured(plan: Plan, house: House, workers: int) -> dict[str, Any]:
    await house.prepare()
    try:
        await house.start(workers)
        async with house.desk() as desk:
            return await _played(plan, house, desk)
    finally:
        await house.stop()


async def _played(plan: Plan, house: House, desk: Desk) -> dict[str, Any]:
    citizens = Citizens(house.site_port, await house.connect(desk), desk.ids)
    run = Run(plan.words(), OpenBoard(house.desk_port))
    if not (await citizens.stand_ready(60) and await run.board.sign_in()):
        raise HubError("公众网没有拿到公众号的密钥，或者登录不了。")
    await _drained(desk, 1)
    beside = [asyncio.ensure_future(work) for work in (run.board.listen(), run.board.renew(), _look(desk, run))]
    await CLOCK.sleep(2)
    print(f"每秒 {plan.rate} 条，{plan.seconds} 秒，混入 {plan.matters} 件事", file=sys.stderr, flush=True)
    await citizens.say_all(run.words, plan.rate)
    run.words = [one for one in run.words if one.acked]
    spent = await _drained(desk, len(run.words) + 1)
    await CLOCK.sleep(3)
    for each in beside:
        each.cancel()
    citizens.close()
    return await _reckoned(desk, run, spent) | {"refused": dict(citizens.refused)}


async def _look(desk: Desk, run: Run) -> None:
    """How many replies wait to be read, twice a second."""
    while True:
        run.waiting.append(await desk.store.count("replies", {"state": "new"}))
        await CLOCK.sleep(0.5)


async def _drained(desk: Desk, count: int) -> float:
    """Seconds until so many are read."""
    began = CLOCK.monotonic()
    while CLOCK.monotonic() - began < DRAINED:
        if await desk.store.count("replies", {"state": {"$in": ["read", "set_aside"]}}, ceiling=1_000_000) >= count:
            break
        await CLOCK.sleep(0.2)
    return CLOCK.monotonic() - began


# ---- reckoning


async def _reckoned(desk: Desk, run: Run, drained: float) -> dict[str, Any]:
    kept = {row["external_id"]: row for row in await _replies(desk)}
    lost = sum(one.id not in kept for one in run.words)
    read_at = {row["_id"]: row.get("read_at") for row in kept.values()}
    alerts = [await _alert(desk, event, run) for event in run.board.events if event.name == "alert"]
    found = [one for one in alerts if one is not None]
    return {
        "replies": len(run.words), "lost": lost,
        "unread": sum(row["state"] != "read" for row in kept.values()),
        "to_stored": _spread([_stored(one, kept) for one in run.words if one.id in kept]),
        "to_event": _spread(_heard(run, kept, read_at)),
        "matters": len({one.matter for one in run.words if one.matter >= 0}),
        "told": len(set().union(*(one["matters"] for one in found))), "alerts": len(found),
        "alert_event": _spread([one["event"] for one in found]),
        "alert_board": _spread([one["board"] for one in found if one["board"] is not None]),
        "fetch": _spread(run.board.fetches),
        "most_waiting": max(run.waiting, default=0), "drained": round(drained, 1),
    }  # fmt: skip


async def _replies(desk: Desk) -> list[Document]:
    rows: list[Document] = []
    fields = ["external_id", "state", "read_at", "received_at", "issue"]
    while True:
        where = {"_id": {"$gt": rows[-1]["_id"] if rows else ""}, "account": ACCOUNT}
        page = await desk.store.find("replies", where, sort=[("_id", 1)], limit=PAGE, fields=fields)
        rows += page
        if len(page) < PAGE:
            return rows


def _wall(moment: datetime) -> float:
    """A moment of the store by this process's own watch; one machine, one clock."""
    return moment.timestamp() - CLOCK.now().timestamp() + CLOCK.monotonic()


def _stored(one: Words, kept: dict[str, Document]) -> float:
    return max(0.0, _wall(kept[one.id]["received_at"]) - one.acked)


def _heard(run: Run, kept: dict[str, Document], read_at: dict[str, Any]) -> list[float]:
    """For each reply the seconds to the first event of a batch that was read no earlier than it."""
    batches = [(read_at[each.subject], each.at) for each in run.board.events
               if each.name == "replies" and read_at.get(each.subject)]  # fmt: skip
    waits = []
    for one in run.words:
        mine = kept.get(one.id, {}).get("read_at")
        if mine is None:
            continue
        waits.append(min((at for moment, at in batches if moment >= mine), default=float("inf")) - one.acked)
    return waits


async def _alert(desk: Desk, event: Event, run: Run) -> dict[str, Any] | None:
    """One alert: the matters in it, and the seconds since the voice that raised it was acknowledged. Which one that was
    is known to the second of its writing; of several the first counts."""
    alert = await desk.store.get("alerts", event.subject)
    if alert is None:
        return None
    by_id = {one.id: one for one in run.words}
    inside = {"issue": alert["issue"], "account": ACCOUNT}
    rows = await desk.store.find("replies", inside, limit=PAGE, fields=["external_id", "at"])
    said = [(row, by_id[row["external_id"]]) for row in rows if row["external_id"] in by_id]
    raised = [one.acked for row, one in said if row["at"] == alert["at"]]
    if not raised:
        return None
    shown = run.board.shown.get(alert["issue"])
    matters = {one.matter for _, one in said} - {-1}
    return {"matters": matters, "event": event.at - min(raised), "board": shown and shown - min(raised)}


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ranked = sorted(values)
    return {
        "p50": round(statistics.median(ranked), 2),
        "p99": round(ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))], 2),
        "worst": round(ranked[-1], 2),
    }


_ROWS = (
    ("to_stored", "收到回执 → 存进采编端"), ("to_event", "收到回执 → 读完，看板得知"),
    ("alert_event", "说出的那一条收到回执 → 看板得知预警"), ("alert_board", "同上 → 预警在看板上"),
    ("fetch", "看板刷新一次"),
)  # fmt: skip


def _lines(figures: dict[str, Any]) -> list[str]:
    head = f"{'（秒）':<34}{'中位':>8}{'p99':>8}{'最慢':>8}"
    rows = [
        f"{words:<30}" + "".join(f"{figures[name].get(part, '–'):>9}" for part in ("p50", "p99", "worst"))
        for name, words in _ROWS
    ]
    return [
        f"留言 {figures['replies']}  没收下 {figures['refused'] or 0}  丢失 {figures['lost']}  "
        f"没读成 {figures['unread']}",
        f"混入 {figures['matters']} 件，说出 {figures['told']} 件，预警 {figures['alerts']} 条",
        f"最多积压 {figures['most_waiting']} 条，说完后 {figures['drained']} 秒读完", head, *rows,
    ]  # fmt: skip
