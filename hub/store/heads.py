"""The append-only file of sealed audit heads, outside the store; what a head says lives in domain.audit."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from hub.domain.audit import Head, head_from_line
from hub.domain.errors import Misconfigured


class HeadsFile:
    """One head a line, on disk before `append` returns. An administrator may set the file append-only (chattr +a)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def append(self, line: str) -> None:
        await asyncio.to_thread(self._append, line)

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            os.write(handle, line.encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)


def read_heads(path: Path) -> list[Head]:
    """The heads in a file kept outside; raises Misconfigured where it is none, or a line of it is broken."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return [head_from_line(line) for line in lines if line.strip()]
    except (OSError, ValueError):
        raise Misconfigured("读不懂链头文件。它应是本系统写出的文件，每行一个链头；请检查路径和内容。") from None
