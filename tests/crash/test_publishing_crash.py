"""Workers and the platform are killed in the middle of publishing; afterwards the platform and the ledger agree."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.desk.publishing import Wish, schedule
from hub.store.base import Document
from tests.crash.town import Ledger
from tests.crash.worker import make_desk
from tests.domain.publishing_office import EDITOR, Office

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]
ACCOUNTS = ("site-main", "trusted-main", "weibo-main")
POINTS = (
    "publish.due",
    "publish.claimed",
    "stage.uploaded",
    "stage.drafted",
    "publish.intent_written",
    "publish.answered",
    "publish.outcome_written",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Town:
    """One folder, one platform process and some workers, each of which may be killed and started again."""

    def __init__(self, folder: Path, trouble: float) -> None:
        self.folder, self.port, self.began, self.trouble = folder, free_port(), time.time(), trouble
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.kills: Counter[str] = Counter()
        self.starts = 0

    def start(self, name: str, failpoint: str = "") -> None:
        self.starts += 1
        if name == "platform":
            words = ["tests.crash.town", str(self.folder / "ledger"), str(self.port), str(self.began), str(self.starts)]
            words.append(str(self.trouble))
        else:
            program = "guard" if name == "guard" else "worker"
            words = [f"tests.crash.{program}", str(self.folder), str(self.port), str(self.began)]
            words.append(f"{name}-{self.starts}")
        environment = {**os.environ, "HUB_FAILPOINT": failpoint, "PYTHONWARNINGS": "default"}
        log = (self.folder / f"{name}.log").open("ab")
        self.children[name] = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        log.close()

    def kill(self, name: str) -> None:
        child = self.children[name]
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.kills[name] += 1

    def stop(self) -> None:
        for child in self.children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
            child.wait()

    async def fill(self, contents: int) -> None:
        """Contents with a picture, approved and due now on all three accounts."""
        desk = make_desk(self.folder, self.port, self.began, "editor")
        await desk.store.open()
        office = Office(desk, desk.clock, desk.store, {})  # type: ignore[arg-type]
        await office.account("site-main", "site")
        await office.account("trusted-main", "trusted")
        await office.account("weibo-main", "weibo", waits_for="site-main")
        picture = await desk.files.put(b"a picture of the heating station")
        await desk.store.insert("media", {"_id": picture, "type": "image/png", "width": 8, "height": 8, "size": 32})
        for number in range(contents):
            await office.write(f"c{number}", f"第{number}篇", picture=picture)
            await schedule(EDITOR, desk, f"c{number}", [Wish(one, desk.clock.now(), "publish") for one in ACCOUNTS])
        await desk.store.close()

    async def rows(self) -> list[Document]:
        desk = make_desk(self.folder, self.port, self.began, "reader")
        await desk.store.open()
        try:
            return await desk.store.find("publications", {}, limit=1000)
        finally:
            await desk.store.close()

    async def quiet(self, seconds: float) -> list[Document]:
        """Wait until nothing moves by itself any more; what a person must decide stays."""
        until = time.monotonic() + seconds
        while True:
            rows = await self.rows()
            moving = [row for row in rows if not settled(row)]
            if not moving or time.monotonic() > until:
                return rows
            await asyncio.sleep(0.3)


def settled(row: Document) -> bool:
    return row["state"] == "published" or (row["state"] == "unknown" and row["channel"] == "weibo")


def compare(rows: list[Document], posts: list[dict[str, Any]]) -> None:
    """0 twice, 0 lost, 0 false states."""
    keys = {row["_id"]: {attempt["key"] for attempt in row["attempts"]} for row in rows}
    public = {row["_id"]: [post for post in posts if post["key"] in keys[row["_id"]]] for row in rows}
    assert sum(map(len, public.values())) == len(posts), "the platform holds a post that no attempt stands for"
    for row in rows:
        mine = public[row["_id"]]
        assert len(mine) <= 1, f"{row['_id']} is public {len(mine)} times"
        if row["state"] == "published":
            assert [post["id"] for post in mine] == [row["external_id"]]
        else:
            assert settled(row), f"{row['_id']} ended as {row['state']}: {row.get('reason')}"


@contextmanager
def town(folder: Path, trouble: float = 0.0) -> Iterator[Town]:
    made = Town(folder, trouble)
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_each_named_point_ends_published_once(tmp_path: Path, point: str) -> None:
    with town(tmp_path) as here:
        await here.fill(1)
        here.start("platform")
        here.start("worker", failpoint=f"{point}:1:kill")
        assert await asyncio.to_thread(here.children["worker"].wait, 20) == -signal.SIGKILL, (
            "the point was never reached"
        )
        here.start("worker")
        rows = await here.quiet(15)
        compare(rows, Ledger(tmp_path / "ledger").posts)
        assert {row["channel"]: row["state"] for row in rows if row["channel"] != "weibo"} == {
            "site": "published",
            "trusted": "published",
        }


async def storm(folder: Path, kills: int, contents: int, seed: int) -> Town:
    """Two workers and the platform, one of them killed and started again every while."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    with town(folder, trouble=0.1) as here:
        await here.fill(contents)
        names = ["platform", "worker-a", "worker-b"]
        for name in names:
            here.start(name)
        await asyncio.sleep(1)
        while min(here.kills[name] for name in names) < kills:
            await asyncio.sleep(dice.uniform(0.1, 1.0))
            name = min(names, key=lambda one: (here.kills[one], dice.random()))
            here.kill(name)
            here.start(name)
        rows = await here.quiet(40)
        compare(rows, Ledger(folder / "ledger").posts)
    return here


async def test_random_kills_publish_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    here = await storm(tmp_path, kills=5, contents=40, seed=20261124)
    assert min(here.kills.values()) >= 5


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_fifty_kills_of_each_process_publish_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    here = await storm(tmp_path, kills=50, contents=300, seed=7)
    assert min(here.kills.values()) >= 50
