"""The durable memory of a rehearsal platform: facts as JSON lines, on disk before anyone is told; not their meaning."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Effect = Mapping[str, Any]
PASSING = frozenset({"call"})  # kinds of facts that may be lost with the power: counters, nothing public


class Ledger(Protocol):
    """Facts in order, kept for ever until cleared."""

    def read(self) -> Sequence[Effect]: ...

    def write(self, effects: Sequence[Effect]) -> None:
        """Durable when it returns."""
        ...

    def clear(self) -> None: ...


class MemoryLedger:
    """A ledger that lasts as long as the object; for platforms in the same process."""

    def __init__(self) -> None:
        self._facts: list[Effect] = []

    def read(self) -> Sequence[Effect]:
        return list(self._facts)

    def write(self, effects: Sequence[Effect]) -> None:
        self._facts.extend(effects)

    def clear(self) -> None:
        self._facts.clear()


class FileLedger:
    """JSON lines in one file. A last line without its end was never acknowledged and is cut off on opening."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._cut()

    def _cut(self) -> None:
        body = self._path.read_bytes()
        whole = body.rfind(b"\n") + 1
        if whole != len(body):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)

    def read(self) -> Sequence[Effect]:
        return [json.loads(line) for line in self._path.read_bytes().splitlines()]

    def write(self, effects: Sequence[Effect]) -> None:
        if not effects:
            return
        lines = "".join(json.dumps(effect, ensure_ascii=False) + "\n" for effect in effects).encode()
        view = memoryview(lines)
        while view:
            view = view[os.write(self._file, view) :]
        if any(effect["kind"] not in PASSING for effect in effects):
            os.fsync(self._file)

    def clear(self) -> None:
        os.ftruncate(self._file, 0)
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)
