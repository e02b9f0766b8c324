"""`bench publish`: many due at one second, real worker processes, the real ledger and embedded store; prints a table.

The platforms are timed ones in the worker's own process (answers of 50 to 300 ms, as many calls as the real connector
makes), so that what is measured is the hub and not a platform on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hub.clock import to_milliseconds
from hub.commands.timed import CHANNELS, bench_desk, work
from hub.desk.desk import Desk
from hub.desk.publishing import Wish, schedule
from hub.domain.content import Draft, check_draft, package_hash, revise
from hub.domain.people import Actor, Role
from hub.processes import LIFELINE

EDITOR = Actor("bench", "测速", frozenset({Role.EDITOR}))
AT_ONCE = 64  # contents that are written at the same time
PATIENCE = 120.0  # seconds until all must be out
ENDS = ("published", "refused", "held", "unknown", "cancelled", "removed")
ROWS = (
    ("workers", "工作进程"), ("published", "已发布"), ("twice", "重复调用"), ("out_of_order", "次序颠倒"),
    ("lateness_p50_s", "迟到中位（秒）"), ("lateness_p99_s", "迟到 p99（秒）"), ("lateness_max_s", "最迟（秒）"),
    ("per_second", "每秒开始的公开调用"), ("claims", "每条认领几次"), ("cpu_ms", "每条用处理器（毫秒）"),
)  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=1000, help="同一秒到期的发布条数")
    parser.add_argument("--accounts", type=int, default=250, help="分布在多少个账号上")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 3], help="几个工作进程，各测一次")
    parser.add_argument("--no-saturation", action="store_true", help="不测饱和（每个账号一条、三倍的条数）")
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    parser.add_argument("--as-worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)


async def run(arguments: argparse.Namespace) -> int:
    """0 where every publication went out exactly once and in its account's order."""
    if arguments.as_worker:
        return await work(arguments.folder, arguments.as_worker)
    columns: dict[str, dict[str, float]] = {}
    for number in arguments.workers:
        columns[f"{number} 个"] = await _measured(arguments.count, arguments.accounts, number)
    if not arguments.no_saturation:
        columns["饱和"] = await _measured(arguments.count * 3, arguments.count * 3, max(arguments.workers))
    if arguments.json:
        print(json.dumps(columns, ensure_ascii=False))
    else:
        print("\n".join(_table(columns)))
    return int(any(one["published"] != one["count"] or one["twice"] or one["out_of_order"] for one in columns.values()))


def _table(columns: Mapping[str, Mapping[str, float]]) -> list[str]:
    head = f"{'':<18}" + "".join(f"{name:>12}" for name in columns)
    return [head, *(f"{word:<18}" + "".join(f"{one[name]:>12}" for one in columns.values()) for name, word in ROWS)]


async def _measured(count: int, accounts: int, workers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        desk = bench_desk(folder, "bench")
        await desk.store.open()
        before = _used()
        try:
            await _fill(desk, count, accounts)
            processes = [await _started(folder, f"worker-{number}") for number in range(workers)]
            due = await _due_now(desk)
            await _all_out(desk, due)
            for process in processes:
                process.terminate()
            await asyncio.gather(*(process.wait() for process in processes))
            published = await desk.store.count("publications", {"state": "published"}, ceiling=count + 1)
            rows = await desk.store.find("publications", {}, limit=10_000, fields=("lease_number",))
            claims = round(sum(row["lease_number"] for row in rows) / count, 2)
        finally:
            await desk.store.close()
        cpu = round((_used() - before) / count * 1000, 1)
        figures = {"count": count, "workers": workers, "published": published, "claims": claims, "cpu_ms": cpu}
        return {**figures, **_figures(_begun(folder), due)}


def _used() -> float:
    """Seconds of processor that the ended workers took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _started(folder: Path, name: str) -> asyncio.subprocess.Process:
    """A worker that has opened its store and ticks."""
    words = ["-m", "hub", "bench", "publish", "--as-worker", name, "--folder", str(folder)]
    lifeline, _held = os.pipe()  # open as long as this process lives: its workers end with it, however it went
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE, env={**os.environ, LIFELINE: str(lifeline)},
        pass_fds=(lifeline,),
    )  # fmt: skip
    os.close(lifeline)
    assert process.stdout is not None  # noqa: S101 - asked for in the line above
    await process.stdout.readline()
    return process


async def _due_now(desk: Desk) -> datetime:
    """All fall due within one second, soon; of one account each a millisecond after the one before."""
    due = to_milliseconds(desk.clock.now()).replace(microsecond=0) + timedelta(seconds=3)
    order = [("account", 1), ("_id", 1)]
    rows = await desk.store.find("publications", {}, sort=order, limit=10_000, fields=("account",))
    places: dict[str, int] = defaultdict(int)
    changes = []
    for row in rows:
        at = due + timedelta(milliseconds=places[row["account"]])
        places[row["account"]] += 1
        changes.append(desk.store.change("publications", {"_id": row["_id"]}, {"$set": {"at": at, "not_before": at}}))
    await asyncio.gather(*changes)
    return due


async def _all_out(desk: Desk, due: datetime) -> None:
    until = due + timedelta(seconds=PATIENCE)
    left = {"state": {"$nin": list(ENDS)}}
    while desk.clock.now() < until and await desk.store.count("publications", left, ceiling=1):
        await desk.clock.sleep(0.5)


# --- what is due


async def _fill(desk: Desk, count: int, accounts: int) -> None:
    """Contents approved and scheduled through the desk's own verb, a day ahead."""
    kinds = tuple(CHANNELS)
    rows = [
        {"_id": f"bench-{number}", "channel": kinds[number % len(kinds)], "name": "测速", "settings": {}, "held": False}
        for number in range(accounts)
    ]
    await desk.store.insert_new("accounts", rows)
    due = desk.clock.now() + timedelta(days=1)
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        await asyncio.gather(*(_one(desk, number, f"bench-{number % accounts}", due) for number in numbers))


async def _one(desk: Desk, number: int, account: str, due: datetime) -> None:
    content, now = f"c{number:06d}", desk.clock.now()
    blocks = [{"kind": "p", "runs": [{"text": f"测速稿 {content}。"}]}]
    draft = check_draft(Draft("news", "bench", f"测速 {content}", "", blocks))
    revision = revise(content, 1, draft, by="bench", at=now)
    package = package_hash(revision["hash"], {}, ())
    row = {
        "_id": content, "state": "approved", "revision": 1, "hash": package, "approved_hash": package,
        "variants": {}, "updated_at": now, "author": "bench", "column": "bench",
    }  # fmt: skip
    await asyncio.gather(desk.store.insert("revisions", revision), desk.store.insert("contents", row))
    await schedule(EDITOR, desk, content, [Wish(account, due, "publish")])


# --- what came of it


def _begun(folder: Path) -> list[tuple[datetime, str, str]]:
    """(when, account, words) of each public call, by time, out of what the workers wrote down."""
    found: list[tuple[datetime, str, str]] = []
    for path in folder.glob("*.begun"):
        with suppress(ValueError):
            rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
            found += [(datetime.fromisoformat(at), account, words) for at, account, words in rows]
    return sorted(found)


def _figures(begun: Sequence[tuple[datetime, str, str]], due: datetime) -> dict[str, float]:
    late = sorted((at - due).total_seconds() for at, _, _ in begun)
    rate = _rate(late)
    return {
        "twice": len(begun) - len({words for _, _, words in begun}),
        "out_of_order": out_of_order(begun),
        "lateness_p50_s": _share(late, 0.5),
        "lateness_p99_s": _share(late, 0.99),
        "lateness_max_s": _share(late, 1.0),
        "per_second": round(rate, 1),
    }


def _share(late: Sequence[float], share: float) -> float:
    return round(late[min(len(late) - 1, int(len(late) * share))], 2) if late else 0.0


def _rate(late: Sequence[float]) -> float:
    """Public calls a second, from the first tenth to the last one: how fast it goes while there is enough to do."""
    first, last = len(late) // 10, len(late) * 9 // 10
    return (last - first) / (late[last] - late[first]) if last > first and late[last] > late[first] else 0.0


def out_of_order(begun: Sequence[tuple[Any, str, str]]) -> int:
    """How many calls of an account began before an earlier one of it; the words' numbers are the order."""
    latest: dict[str, str] = {}
    wrong = 0
    for _, account, words in begun:
        wrong += words < latest.get(account, "")
        latest[account] = max(words, latest.get(account, ""))
    return wrong


