"""What the crash tests are made of: a clock that runs fast, a durable platform in a process of its own, its channel."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.contract import (
    Accepted,
    Capabilities,
    Found,
    Health,
    Outcome,
    Page,
    PictureBytes,
    Prepared,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from hub.clock import to_milliseconds
from tests.domain.publishing_office import KINDS

RATE = 100.0  # a lease of two minutes runs out in 1.2 seconds
BORN = 1_790_000_000.0  # the moment all processes of a test count from, in simulated seconds since 1970


class FastClock:
    """The same fast time in every process of one test: simulated seconds pass RATE times as quickly."""

    def __init__(self, began: float, rate: float = RATE) -> None:
        self._began, self._rate = began, rate

    def now(self) -> datetime:
        return to_milliseconds(datetime.fromtimestamp(BORN + (time.time() - self._began) * self._rate, UTC))

    def monotonic(self) -> float:
        return time.monotonic() * self._rate

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._rate)


class Ledger:
    """What truly became public, a line each, on the disk before anybody is answered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.posts: list[dict[str, Any]] = []
        if path.exists():
            whole = path.read_bytes().rpartition(b"\n")[0]
            self.posts = [json.loads(line) for line in whole.splitlines()]
            path.write_bytes(whole + b"\n" if whole else b"")

    def add(self, post: dict[str, Any]) -> None:
        with self._path.open("ab") as file:
            file.write(json.dumps(post).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.posts.append(post)


class Server:
    """The platform: one JSON line in, one out; cut connections, before the work and after it, by the given chance."""

    def __init__(self, ledger: Ledger, clock: FastClock, seed: int, trouble: float) -> None:
        self._ledger, self._clock, self._trouble = ledger, clock, trouble
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            answer = self._answer(json.loads(line)) if line else None
            if answer is not None:
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        finally:
            writer.close()

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        if asked["do"] == "find":
            found = [p for p in self._ledger.posts if p["account"] == asked["account"] and p["text"] == asked["text"]]
            return {"found": found[0]["id"] if found else None}
        dice = self._random.random()
        if dice < self._trouble:
            return None
        if dice < self._trouble * 1.5:
            return {"busy": True}
        known = [p for p in self._ledger.posts if p["key"] == asked["key"]] if asked["honours_key"] else []
        post = known[0] if known else self._post(asked)
        return None if dice > 1 - self._trouble else {"id": post["id"]}

    def _post(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        post = {"id": f"p{len(self._ledger.posts)}", **{name: asked[name] for name in ("account", "key", "text")}}
        self._ledger.add(post)
        return post


class TownChannel:
    """One account over the platform's process."""

    def __init__(self, account: Mapping[str, Any], port: int, clock: FastClock) -> None:
        self.capabilities: Capabilities = KINDS[str(account["channel"])]
        self._account, self._port, self._clock = str(account["_id"]), port, clock

    def prepare(self, variant: Variant) -> Prepared:
        text = f"{variant.title} {variant.link or ''}"
        return Prepared({"text": text}, {}, [], hashlib.sha256(text.encode()).hexdigest(), tuple(variant.pictures))

    async def preflight(self) -> Health:
        return Health("ok", "")

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        for picture in prepared.pictures:
            await pictures(picture.sha256)
        return Staged(prepared, {"draft": key})

    async def publish(self, staged: Staged, key: str) -> Outcome:
        asked = {"do": "publish", "key": key, "honours_key": self.capabilities.honours_key}
        answer = await self._ask({**asked, "text": staged.prepared.body["text"]})
        if isinstance(answer, Refused | Unknown):
            return answer
        if "busy" in answer:
            return Refused("busy", "平台繁忙", Who.NOBODY, retry_after=timedelta(seconds=10))
        return Accepted(answer["id"], f"https://{self._account}.example/{answer['id']}")

    async def _ask(self, question: Mapping[str, Any]) -> dict[str, Any] | Refused | Unknown:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return Refused("not_sent", "连不上平台", Who.NOBODY, retry_after=timedelta(seconds=10))
        try:
            writer.write(json.dumps({"account": self._account, **question}).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
            return dict(json.loads(line))
        except (OSError, ValueError):
            return Unknown("没有收到回答")
        finally:
            writer.close()

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        answer = await self._ask({"do": "find", "text": staged.prepared.body["text"]})
        if isinstance(answer, Refused | Unknown):
            return Unknown("查询失败")
        found = answer["found"]
        return Found(found, f"https://{self._account}.example/{found}", None) if found else None

    async def check(self, ticket: str) -> Outcome:
        return Unknown("没有等待中的结果")

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        return Refused("by_hand", "请手工撤下", Who.EDITOR)

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        return Refused("by_hand", "请手工更正", Who.EDITOR)

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        return Page([], cursor, False)

    async def answer(self, to: Mapping[str, Any], text: str, key: str) -> Outcome:
        return Refused("no_answers", "这个平台不能回复", Who.NOBODY)


async def main(path: str, port: str, began: str, seed: str, trouble: str) -> None:
    """The platform's process."""
    server = Server(Ledger(Path(path)), FastClock(float(began)), int(seed), float(trouble))
    async with await asyncio.start_server(server.serve, "127.0.0.1", int(port)) as listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
