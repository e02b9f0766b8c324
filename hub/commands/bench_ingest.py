"""`bench ingest`: how fast replies are kept, read, counted and watched, beside a plain insert in the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from tqdm import tqdm

from channels.contract import Heard
from hub import settings as settings_room
from hub import wiring
from hub.demo.city import crowd
from hub.desk.desk import Desk
from hub.desk.listening import take
from hub.desk.reading import read_new
from hub.domain.people import program
from hub.store import rollups

BATCH = 200


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=20_000, help="多少条留言")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")


def run(arguments: argparse.Namespace) -> int:
    rows = asyncio.run(_measure(arguments.count))
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    print(f"{'步骤':<28}{'条数':>10}{'秒':>10}{'条/秒':>12}")
    for row in rows:
        print(f"{row['step']:<28}{row['count']:>10,}{row['seconds']:>10.2f}{row['rate']:>12,.0f}")
    return 0


@asynccontextmanager
async def office() -> AsyncIterator[Desk]:
    """A new demonstration in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_room.read({"HUB_DATA": folder}, "desk")
        await wiring.birth(settings, "demo")
        async with wiring.open_desk(settings, role="console", readers=1) as desk:
            yield desk


def _said(count: int, desk: Desk) -> list[Heard]:
    """As many replies as asked for, out of the crowd's own words, each with a number of its own."""
    texts = crowd("crowd")
    now = desk.clock.now()
    heard = []
    for number in range(count):
        one = texts[number % len(texts)]
        text = f"{one.text}（第 {number} 号）"
        at = now - timedelta(seconds=count - number)
        heard.append(Heard(f"n{number}", "comment", f"u{number % 997}", one.who, text, at, None, {"id": number}))
    return heard


async def _measure(count: int) -> list[dict[str, Any]]:
    async with office() as desk:
        account = {"_id": "bench", "channel": "weibo"}
        first = Heard("first", "comment", "u", "", "先让读的进程起来", desk.clock.now(), None, {"id": "first"})
        await take(program("listener"), desk, account, [first])
        await read_new(program("reader"), desk)
        heard = _said(count, desk)
        plain = [{"_id": f"p{number}", "at": one.at, "text": one.text} for number, one in enumerate(heard)]
        rows = [await _timed("只写入（对照）", count, lambda: _insert(desk, plain))]
        rows.append(await _timed("收下：遮盖、封存、去重、写入", count, lambda: _take(desk, account, heard)))
        rows.append(await _timed("再收一遍（全是已有）", count, lambda: _take(desk, account, heard)))
        rows.append(await _timed("分析、检索词、汇总（一个进程）", count, lambda: _read(desk, count)))
        wrong = await rollups.verify(desk.store)
        rows.append({"step": "汇总与明细不符的行", "count": len(wrong), "seconds": 0.0, "rate": 0.0})
        return rows


async def _timed(step: str, count: int, work: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    began = time.perf_counter()
    await work()
    seconds = time.perf_counter() - began
    return {"step": step, "count": count, "seconds": seconds, "rate": count / seconds}


async def _insert(desk: Desk, rows: list[dict[str, Any]]) -> None:
    for start in tqdm(range(0, len(rows), BATCH), desc="对照", leave=False):
        await desk.store.insert_new("tasks", [_task(row) for row in rows[start : start + BATCH]])


def _task(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "key": row["_id"], "kind": "bench", "state": "done"}


async def _take(desk: Desk, account: dict[str, Any], heard: list[Heard]) -> None:
    for start in tqdm(range(0, len(heard), BATCH), desc="收下", leave=False):
        await take(program("listener"), desk, account, heard[start : start + BATCH])


async def _read(desk: Desk, count: int) -> None:
    with tqdm(total=count, desc="分析", leave=False) as bar:
        while (done := await read_new(program("reader"), desk)) > 0:
            bar.update(done)
