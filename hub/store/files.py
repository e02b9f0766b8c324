"""The file store: bytes under their own SHA-256; what a file is and who may see it lives in documents."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from hub.store.base import Unreachable

_NAME = re.compile(r"[0-9a-f]{64}")


class Damaged(Exception):
    """The bytes on disk are not those that were put; restore this file from a backup."""


class Files(Protocol):
    """Bytes by content: the same bytes have the same name, and nothing is ever overwritten."""

    async def put(self, content: bytes) -> str:
        """Keep the bytes durably and give back their SHA-256 in hex. Repeatable."""
        ...

    async def get(self, sha256: str) -> bytes | None:
        """The bytes, None where there are none; raises Damaged where they do not match their name."""
        ...

    async def has(self, sha256: str) -> bool: ...


def name_of(content: bytes) -> str:
    """The name of these bytes."""
    return hashlib.sha256(content).hexdigest()


def verified(sha256: str, content: bytes) -> bytes:
    """The bytes, once they are known to be the right ones."""
    if name_of(content) != sha256:
        raise Damaged(sha256)
    return content


class FilesInMemory(Files):
    """Files for tests and the simulation."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    async def put(self, content: bytes) -> str:
        name = name_of(content)
        self._contents[name] = bytes(content)
        return name

    async def get(self, sha256: str) -> bytes | None:
        content = self._contents.get(sha256)
        return None if content is None else verified(sha256, content)

    async def has(self, sha256: str) -> bool:
        return sha256 in self._contents


class FilesInFolder(Files):
    """One file each, in 256 folders by the first two signs; written aside, synced, then renamed into place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: bytes) -> str:
        name = name_of(content)
        try:
            await asyncio.to_thread(self._write, self._path(name), content)
        except OSError as error:
            raise Unreachable(f"file store: {errno.errorcode.get(error.errno or 0, 'error')}") from error
        return name

    async def get(self, sha256: str) -> bytes | None:
        try:
            content = await asyncio.to_thread(self._path(sha256).read_bytes)
        except FileNotFoundError:
            return None
        return await asyncio.to_thread(verified, sha256, content)

    async def has(self, sha256: str) -> bool:
        return await asyncio.to_thread(self._path(sha256).exists)

    def _path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise ValueError("a file is named by 64 hexadecimal signs")
        return self._folder / sha256[:2] / sha256

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        # A file of that name is good unless a disk lost part of it: then it is written anew.
        if path.exists() and path.read_bytes() == content:
            return
        _made(path.parent)
        descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        _sync(path.parent)


def _made(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """A new name is durable only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
