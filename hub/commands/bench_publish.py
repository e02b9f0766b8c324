"""`bench publish`: N publications due at one second through the real ledger and embedded store; prints a table."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.contract import (
    Accepted,
    Capabilities,
    Found,
    Health,
    Outcome,
    Page,
    PictureBytes,
    Prepared,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from hub.clock import Clock, SystemClock
from hub.desk.desk import Desk
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish, schedule
from hub.domain.content import Draft, check_draft, package_hash, revise
from hub.domain.people import Actor, Role, program
from hub.domain.policy import POLICIES
from hub.identifiers import RandomIdentifiers
from hub.sealing import Sealer
from hub.store.base import Document
from hub.store.files import FilesInMemory
from hub.store.sqlite import SqliteStore

EDITOR = Actor("bench", "测速", frozenset({Role.EDITOR}))
DISPATCHER = program("dispatcher")
PLAIN = Capabilities("bench", "测速平台", "测", {}, "at_once", "trusted", True, False, False, "none", False)


class TimedChannel:
    """A platform that answers after a set time and notes when each post began."""

    capabilities = PLAIN

    def __init__(self, clock: Clock, answer_after: float, begun: list[datetime]) -> None:
        self._clock, self._after, self._begun = clock, answer_after, begun

    def prepare(self, variant: Variant) -> Prepared:
        return Prepared({"text": variant.title}, {}, [], variant.hash)

    async def preflight(self) -> Health:
        return Health("ok", "")

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        return Staged(prepared, {})

    async def publish(self, staged: Staged, key: str) -> Outcome:
        self._begun.append(self._clock.now())
        await self._clock.sleep(self._after)
        return Accepted(key, f"https://bench.example/{key}")

    async def check(self, ticket: str) -> Outcome:
        return Unknown("测速平台没有等待中的结果")

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        return None

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        return _cannot()

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        return _cannot()

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        return Page([], cursor, False)

    async def answer(self, to: Mapping[str, Any], text: str, key: str) -> Outcome:
        return _cannot()


def _cannot() -> Refused:
    return Refused("bench", "测速平台只测发布", Who.NOBODY)


class _Defaults:
    async def value(self, name: str) -> Any:
        return POLICIES[name].default


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=200, help="同一秒到期的发布条数")
    parser.add_argument("--accounts", type=int, default=50, help="分布在多少个账号上")
    parser.add_argument("--workers", type=int, default=4, help="几个发送程序同时取")
    parser.add_argument("--answer-ms", type=int, default=200, help="平台多久答复，毫秒")
    parser.add_argument("--json", action="store_true", help="输出 JSON")


async def run(arguments: argparse.Namespace) -> int:
    """0 where every publication went out exactly once."""
    with tempfile.TemporaryDirectory() as folder:
        figures = await _measured(Path(folder), arguments)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:<22}{value:>12}")
    return 0 if figures["published"] == figures["posts"] == arguments.count else 1


def _desk(folder: Path, begun: list[datetime], answer_after: float) -> Desk:
    clock = SystemClock()

    async def read(texts: Sequence[Mapping[str, Any]]) -> list[Any]:
        return [None for _ in texts]

    def connect(_: Document) -> TimedChannel:
        return TimedChannel(clock, answer_after, begun)

    ids = RandomIdentifiers(clock)
    return Desk(
        store=SqliteStore(folder / "bench.db"),
        files=FilesInMemory(),
        clock=clock,
        ids=ids,
        sealer=Sealer(ids.secret(32)),
        connect=connect,
        read=read,
        policies=_Defaults(),
        owner="bench",
    )


async def _measured(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    begun: list[datetime] = []
    desk = _desk(folder, begun, arguments.answer_ms / 1000)
    await desk.store.open()
    try:
        due = await _filled(desk, arguments.count, arguments.accounts)
        await desk.clock.sleep((due - desk.clock.now()).total_seconds())
        workers = [replace(desk, owner=f"bench-{number}") for number in range(arguments.workers)]
        started = desk.clock.monotonic()
        await asyncio.gather(*(_until_empty(worker, begun, arguments.count) for worker in workers))
        seconds = desk.clock.monotonic() - started
        published = await desk.store.count("publications", {"state": "published"}, ceiling=arguments.count + 1)
    finally:
        await desk.store.close()
    return _figures(sorted((at - due).total_seconds() for at in begun), seconds, published)


async def _until_empty(desk: Desk, begun: Sequence[datetime], count: int) -> None:
    """One worker, ticking as the clockwork does."""
    for _ in range(600):
        await dispatch(DISPATCHER, desk)
        if len(begun) >= count:
            return
        await desk.clock.sleep(1)


async def _filled(desk: Desk, count: int, accounts: int) -> datetime:
    """Contents approved and scheduled, all for one second after the last is in."""
    now = desk.clock.now()
    for number in range(accounts):
        row = {"_id": f"bench-{number}", "channel": "bench", "name": "测速", "settings": {}, "held": False}
        await desk.store.insert("accounts", row)
    due = now + timedelta(hours=1)
    for number in range(count):
        await _content(desk, f"c{number}", now)
        await schedule(EDITOR, desk, f"c{number}", [Wish(f"bench-{number % accounts}", due, "publish")])
    at = datetime.fromtimestamp(int(desk.clock.now().timestamp()) + 2, UTC)
    await desk.store.change_many("publications", {"state": "scheduled"}, {"$set": {"at": at, "not_before": at}})
    return at


async def _content(desk: Desk, content: str, now: datetime) -> None:
    blocks = [{"kind": "p", "runs": [{"text": f"测速稿 {content}。"}]}]
    revision = revise(
        content, 1, check_draft(Draft("news", "bench", f"测速 {content}", "", blocks)), by="bench", at=now
    )
    package = package_hash(revision["hash"], {}, ())
    await desk.store.insert("revisions", revision)
    row = {
        "_id": content,
        "state": "approved",
        "revision": 1,
        "hash": package,
        "approved_hash": package,
        "variants": {},
    }
    await desk.store.insert("contents", {**row, "updated_at": now, "author": "bench", "column": "bench"})


def _figures(late: Sequence[float], seconds: float, published: int) -> dict[str, float]:
    def at(share: float) -> float:
        return round(late[min(len(late) - 1, int(len(late) * share))], 3) if late else 0.0

    return {
        "published": published,
        "posts": len(late),
        "lateness_p50_s": at(0.5),
        "lateness_p99_s": at(0.99),
        "lateness_max_s": at(1.0),
        "seconds": round(seconds, 2),
        "per_second": round(len(late) / seconds, 1) if seconds else 0.0,
    }
