"""A disk for tests of the embedded store: it can forget what was not synced, and fail from the nth write on."""

from __future__ import annotations

import random
import shutil
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import apsw


class Disk(apsw.VFS):
    """SQLite's own files underneath, with a list of what has been written since each file's last sync."""

    def __init__(self, name: str) -> None:
        self.name, self.lock = name, threading.RLock()
        self.unsynced: dict[str, list[tuple[int, bytes, int]]] = defaultdict(list)  # offset, what stood there, length
        self.fails_from: int | None = None
        self.steps = 0
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> DiskFile:
        return DiskFile(self, name, flags)

    def step(self) -> None:
        """One write or sync; raises as a full disk does once the count is reached."""
        self.steps += 1
        if self.fails_from is not None and self.steps >= self.fails_from:
            raise apsw.FullError("disk full")

    def cut_power(self, folder: Path, chance: random.Random) -> Path:
        """The files as they might be found after a power cut at this moment, copied to the folder."""
        with self.lock:
            for path, writes in self.unsynced.items():
                if not Path(path).is_relative_to(folder):
                    continue  # of an earlier store
                copy = folder / Path(path).name
                shutil.copyfile(path, copy)
                with copy.open("r+b") as file:
                    for offset, before, length in reversed(writes):
                        if chance.random() < 0.5:
                            file.seek(offset)
                            file.write(before.ljust(length, b"\0"))
        return folder / "store.db"


class DiskFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        self.path = "" if name is None else name if isinstance(name, str) else name.filename()
        super().__init__("", name, flags)
        if self.path.endswith((".db", "-wal")):
            disk.unsynced[self.path] = disk.unsynced[self.path]

    def xWrite(self, data: bytes, offset: int) -> None:
        with self.disk.lock:
            self.disk.step()
            if self.path in self.disk.unsynced:
                with Path(self.path).open("rb") as file:
                    file.seek(offset)
                    self.disk.unsynced[self.path].append((offset, file.read(len(data)), len(data)))
            super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        with self.disk.lock:
            self.disk.step()
            super().xSync(flags)
            if self.path in self.disk.unsynced:
                self.disk.unsynced[self.path].clear()
