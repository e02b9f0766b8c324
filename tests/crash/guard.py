"""A desk's process for the crash tests: only its watch over the workers, with a mail that writes lines to a file."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from pathlib import Path

from channels.contract import Accepted, Outcome
from hub.desk.guarding import Guard
from tests.crash.worker import make_desk


class Letters:
    """Each letter a line in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{to} {subject}\n")
        return Accepted(external_id=key)


async def main(folder: str, port: str, began: str, owner: str) -> None:
    """Watch until killed."""
    desk = make_desk(Path(folder), int(port), float(began), owner)
    await desk.store.open()
    await Guard().run(dataclasses.replace(desk, mail=Letters(Path(folder) / "letters")))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
