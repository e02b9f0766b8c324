"""A worker's process for the crash tests: the real clockwork over the embedded store, with the town's channels."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.desk.desk import Desk
from hub.failpoints import Failpoints
from hub.identifiers import RandomIdentifiers
from hub.sealing import Sealer
from hub.store.files import FilesInFolder
from hub.store.sqlite import SqliteStore
from scheduler.clockwork import Clockwork
from scheduler.jobs import JOBS
from tests.crash.town import FastClock, TownChannel
from tests.domain.publishing_office import DefaultPolicies

NAMES = ("beat", "dispatch", "wake", "operate", "settle", "settle_operations", "carry")


def make_desk(folder: Path, port: int, began: float, owner: str, failpoint: str = "") -> Desk:
    """One process's desk over the shared folder."""
    clock = FastClock(began)

    async def read(texts: Any) -> list[Any]:
        return [None for _ in texts]

    def connect(account: Mapping[str, Any]) -> TownChannel:
        return TownChannel(account, port, clock)

    return Desk(
        store=SqliteStore(folder / "hub.db"),
        files=FilesInFolder(folder / "files"),
        clock=clock,
        ids=RandomIdentifiers(clock),
        sealer=Sealer(bytes(range(32))),
        connect=connect,
        read=read,
        policies=DefaultPolicies(late_minutes=1440, late_tries=50, fallback_minutes=1440),
        failpoints=Failpoints(failpoint),
        owner=owner,
    )


async def main(folder: str, port: str, began: str, owner: str) -> None:
    """Work until SIGTERM or worse."""
    desk = make_desk(Path(folder), int(port), float(began), owner, os.environ.get("HUB_FAILPOINT", ""))
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await desk.store.open()
    clockwork = Clockwork(desk, [dataclasses.replace(job, every=0.1) for job in JOBS if job.name in NAMES])
    clockwork.start()
    print("up", flush=True)
    await told.wait()
    await clockwork.stop(5)
    await desk.store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
