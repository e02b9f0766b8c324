"""Two processes of an office for the crash tests, in a fast time: a worker that only lives, a desk that watches."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from channels.contract import Accepted, Outcome
from hub.clock import PacedClock
from hub.desk.desk import Desk
from hub.desk.guarding import Guard
from hub.identifiers import RandomIdentifiers
from hub.sealing import Sealer
from hub.store.files import FilesInFolder
from hub.store.sqlite import SqliteStore
from scheduler.clockwork import Clockwork
from scheduler.jobs import JOBS
from tests.domain.publishing_office import KINDS, DefaultPolicies, PlainChannel, Platform


class Letters:
    """Each letter a line in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{to} {subject}\n")
        return Accepted(external_id=key)


def make_desk(folder: Path, pace: str, owner: str) -> Desk:
    """One process's desk over the shared folder."""
    clock = PacedClock.of(pace)

    async def read(texts: Any) -> list[Any]:
        return [None for _ in texts]

    def connect(account: Mapping[str, Any]) -> PlainChannel:
        return PlainChannel(Platform(clock), KINDS[str(account["channel"])], "https://www.example")  # type: ignore[arg-type]

    return Desk(
        store=SqliteStore(folder / "hub.db"),
        files=FilesInFolder(folder / "files"),
        clock=clock,
        ids=RandomIdentifiers(clock),
        sealer=Sealer(bytes(range(32))),
        connect=connect,
        read=read,
        policies=DefaultPolicies(),
        owner=owner,
    )


async def main(role: str, folder: str, pace: str) -> None:
    """Until killed."""
    desk = make_desk(Path(folder), pace, role)
    await desk.store.open()
    if role == "worker":
        Clockwork(desk, [dataclasses.replace(job, every=0.05) for job in JOBS if job.name == "beat"]).start()
        print("up", flush=True)
        await asyncio.Event().wait()
    await Guard().run(dataclasses.replace(desk, mail=Letters(Path(folder) / "letters")))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
