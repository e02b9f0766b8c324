"""The platforms and the worker of `bench publish`: channels that only take their time, and a process that ticks."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from channels.contract import (
    Accepted,
    Capabilities,
    Found,
    Health,
    Outcome,
    Page,
    Pending,
    PictureBytes,
    Prepared,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from channels.kinds import DECLARED
from hub.clock import SystemClock
from hub.desk.beating import beat
from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.settling import settle
from hub.domain.people import Actor, program
from hub.domain.policy import POLICIES
from hub.identifiers import RandomIdentifiers
from hub.processes import hold_lifeline
from hub.sealing import Sealer
from hub.store.base import Document
from hub.store.files import FilesInMemory
from hub.store.sqlite import SqliteStore

CHANNELS: Mapping[str, int] = {"site": 0, "weibo": 0, "wechat": 2, "push": 1}  # kind: calls while staging
READ_BACK = ("weibo",)  # kinds that look once more after their post
LEAST, MOST = 0.05, 0.3  # seconds of one answer
DUTIES: Sequence[tuple[float, str, Callable[[Actor, Desk], Awaitable[object]]]] = (
    (5.0, "worker", beat), (1.0, "dispatcher", dispatch), (1.0, "dispatcher", wake_waiting), (1.0, "settler", settle),
    (1.0, "carrier", carry),
)  # fmt: skip


class TimedChannel:
    """A platform that answers after a while, as often as the real one is called, and notes when each post began."""

    def __init__(self, account: Document, ids: RandomIdentifiers, begun: TextIO) -> None:
        self.capabilities: Capabilities = DECLARED[str(account["channel"])]
        self._account, self._ids, self._begun, self._clock = str(account["_id"]), ids, begun, SystemClock()

    async def _answer(self) -> None:
        await self._clock.sleep(LEAST + (MOST - LEAST) * self._ids.chance())

    def prepare(self, variant: Variant) -> Prepared:
        return Prepared({"text": variant.title}, {}, [], variant.hash)

    async def preflight(self) -> Health:
        return Health("ok", "")

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        for _ in range(CHANNELS[self.capabilities.kind]):
            await self._answer()
        return Staged(prepared, {"cid": key})

    async def publish(self, staged: Staged, key: str) -> Outcome:
        self._begun.write(f"{self._clock.now().isoformat()}\t{self._account}\t{staged.prepared.body['text']}\n")
        await self._answer()
        if self.capabilities.confirms == "later":
            return Pending(key, "audit", timedelta(seconds=1))
        if self.capabilities.kind in READ_BACK:
            await self._answer()
        return Accepted(key, f"https://bench.example/{key}")

    async def check(self, ticket: str) -> Outcome:
        await self._answer()
        return Accepted(ticket, f"https://bench.example/{ticket}")

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


def bench_desk(folder: Path, owner: str) -> Desk:
    """One process's desk over the shared store."""
    clock = SystemClock()
    ids = RandomIdentifiers(clock)
    begun = (folder / f"{owner}.begun").open("a", encoding="utf-8")
    channels: dict[str, TimedChannel] = {}

    async def read(texts: Sequence[Mapping[str, Any]]) -> list[Any]:
        return [None for _ in texts]

    def connect(account: Document) -> TimedChannel:
        return channels.setdefault(account["_id"], TimedChannel(account, ids, begun))

    return Desk(
        store=SqliteStore(folder / "bench.db"), files=FilesInMemory(), clock=clock, ids=ids,
        sealer=Sealer(bytes(range(32))), connect=connect, read=read, policies=_Defaults(), owner=owner,
    )  # fmt: skip


async def work(folder: Path, name: str) -> int:
    """One worker's process until SIGTERM: the duties of publishing, each at its own tick and never beside itself."""
    hold_lifeline(os.environ)
    desk = bench_desk(folder, name)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await desk.store.open()
    ticking = [asyncio.create_task(_tick(desk, *duty)) for duty in DUTIES]
    print("up", flush=True)
    await told.wait()
    for task in ticking:
        task.cancel()
    await asyncio.gather(*ticking, return_exceptions=True)
    await desk.store.close()
    return 0


async def _tick(desk: Desk, every: float, who: str, duty: Callable[[Actor, Desk], Awaitable[object]]) -> None:
    while True:
        began = desk.clock.monotonic()
        await duty(program(who), desk)
        await desk.clock.sleep(max(0.0, every - (desk.clock.monotonic() - began)))
