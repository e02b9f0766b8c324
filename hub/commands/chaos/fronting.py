"""The line to one website, as the chaos bench troubles it: carries a request over, or plays a fault on it.

The local platforms play their faults themselves; a website of ours is the real one, so its faults are the network's.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field

from channels.faults import Fault, Orders
from hub.clock import Clock

KINDS = ("delay", "drop_before", "drop_after", "close", "status", "status_after", "garbage", "drip")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = b"\r\n\r\n"
_BUSY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 21\r\nconnection: close\r\n\r\n"
_PAGE = b"<h1>Bad Gateway</h1>\n"


@dataclass
class Front:
    """Listens on one port and passes on to another; `orders` are the faults that wait for a request."""

    upstream: int
    clock: Clock
    orders: Orders = field(default_factory=Orders)
    played: Counter[str] = field(default_factory=Counter)
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=32 << 20)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            asked = await _message(reader)
            fault = self.orders.take(asked.split(b" ", 2)[1].decode("latin-1"))
            if fault is not None:
                self.played[fault.kind] += 1
            await self._answer(asked, fault, writer)

    async def _answer(self, asked: bytes, fault: Fault | None, writer: asyncio.StreamWriter) -> None:
        kind = fault.kind if fault else ""
        if kind == "drop_before":
            return
        answer = _BUSY + _PAGE if kind == "status" else await self._carried(asked)
        if kind == "drop_after":
            return
        if kind == "delay" and fault:
            await self.clock.sleep(fault.value)
        await self._written(_spoiled(answer, kind), kind, writer)

    async def _written(self, answer: bytes, kind: str, writer: asyncio.StreamWriter) -> None:
        pieces = [answer] if kind != "drip" else [answer[place : place + 1] for place in range(len(answer))]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if kind == "drip":
                await self.clock.sleep(1)

    async def _carried(self, asked: bytes) -> bytes:
        """The website's own answer; OSError while it is down, so that the connection is cut without one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            line, rest = asked.split(b"\r\n", 1)
            writer.write(line + b"\r\nConnection: close\r\n" + rest)
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
        if not answer:
            raise OSError("cut")
        return answer


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One request, whole."""
    head = await reader.readuntil(_HEAD)
    found = _LENGTH.search(head)
    return head + (await reader.readexactly(int(found[1])) if found else b"")


def _spoiled(answer: bytes, kind: str) -> bytes:
    head, _, body = answer.partition(_HEAD)
    if kind == "status_after":
        return _BUSY + _PAGE
    if kind == "close":  # cut in the middle of the answer
        return answer[: len(answer) - len(body) // 2 - 1]
    if kind == "garbage":
        half = body[: max(1, len(body) // 2)]
        return _LENGTH.sub(b"content-length: %d" % len(half), head) + _HEAD + half
    return answer
