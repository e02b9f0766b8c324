"""The town of the chaos bench: real workers, sites and local platforms as processes that are started, killed, armed.

Nothing is decided here: who is killed and when is the reaper's matter (reaping.py).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from channels.rehearsal import SPREAD
from hub import household, wiring
from hub import settings as settings_room
from hub.clock import Clock
from hub.processes import LIFELINE, is_free, listening
from hub.settings import Settings

KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV")
PLATFORMS = ("weibo", "wechat", "push")
PATIENCE = 30.0  # seconds until a started process must answer


@dataclass(frozen=True)
class Plan:
    """How large the town is. A group is one account of each kind; several groups share a website."""

    publications: int
    kills: int
    seed: int
    groups: int
    sites: int = 2
    workers: int = 3

    def group_of(self, content: int) -> int:
        return content % self.groups

    def site_of(self, group: int) -> int:
        return group % self.sites

    @property
    def contents(self) -> int:
        """Each content goes out on four accounts."""
        return -(-self.publications // 4)


@dataclass
class One:
    """One process of the town: how it is started, whether a step is armed in it, and since when it lives."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    port: int = 0
    armed: str = ""
    since: float = 0.0
    said_before: int = 0  # bytes of its log when it was started
    process: asyncio.subprocess.Process | None = None

    @property
    def role(self) -> str:
        return self.name.partition("-")[0]

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.returncode is None


@dataclass
class Town:
    """All processes over one folder, with the clock they share."""

    plan: Plan
    folder: Path
    ports: int  # the first of a free row
    clock: Clock  # the machine's own
    pace: str = ""
    ones: dict[str, One] = field(default_factory=dict)
    fell: list[str] = field(default_factory=list)  # processes that ended though nobody killed them
    starts: Counter[str] = field(default_factory=Counter)
    _lifeline: tuple[int, int] = (-1, -1)

    # --- what it is made of

    @property
    def rehearsal_port(self) -> int:
        return self.ports + 20

    def site_port(self, number: int) -> int:
        return self.ports + number

    def front_port(self, number: int) -> int:
        """Where the hub reaches this website: a line that can be troubled."""
        return self.ports + 10 + number

    def platform_port(self, platform: str, group: int) -> int:
        return self.rehearsal_port + SPREAD * group + PLATFORMS.index(platform)

    def settings(self) -> Settings:
        given = {
            "HUB_DATA": str(self.folder / "data"), "HUB_CONFIG": str(self.folder / "none.toml"),
            "HUB_REHEARSAL_PORT": str(self.rehearsal_port), "HUB_PACE": self.pace,
        }  # fmt: skip
        return settings_room.read(given, "desk")

    def build(self) -> None:
        """A demonstration's data folder and the words of every process; nothing is started yet."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        whole = household.prepare(self.settings(), self.ports + 9, self.site_port(0), rehearsal=True)
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        inner = {**kept, **whole.desk_environment, "HUB_CONFIG": str(self.folder / "none.toml")}
        words = ["-m", "hub", "rehearsal", "--port", str(self.rehearsal_port), "--accounts", str(self.plan.groups)]
        self._add(One("rehearsal", words, inner, self.rehearsal_port + SPREAD * (self.plan.groups - 1)))
        for number in range(self.plan.sites):
            self._add(self._site(number, {**kept, **whole.site_environment}))
        for number in range(self.plan.workers):
            self._add(One(f"worker-{number + 1}", ["-m", "scheduler"], inner))
        self._lifeline = os.pipe()

    def _site(self, number: int, outer: Mapping[str, str]) -> One:
        port, folder = self.site_port(number), self.folder / "data" / f"site-{number + 1}"
        own = {
            "HUB_SITE_DATA": str(folder), "HUB_SITE_URL": f"http://localhost:{port}",
            "HUB_SITE_CONFIG": str(self.folder / "none.toml"),
        }  # fmt: skip
        words = ["-m", "hub", "serve", "--role", "site", "--public-port", str(port)]
        return One(f"site-{number + 1}", words, {**outer, **own}, port)

    def _add(self, one: One) -> None:
        self.ones[one.name] = one

    def named(self, *roles: str) -> list[One]:
        return [one for one in self.ones.values() if one.role in roles]

    # --- starting and ending

    async def start(self, one: One, step: str = "") -> None:
        """Start it, with a failpoint armed where one is given as `name:nth`."""
        environment = {**one.environment, "HUB_PACE": self.pace, LIFELINE: str(self._lifeline[0])}
        if step:
            environment["HUB_FAILPOINT"] = f"{step}:kill"
        with (self.folder / f"{one.name}.log").open("ab") as log:
            one.said_before = log.tell()
            one.process = await asyncio.create_subprocess_exec(
                sys.executable, *one.words, env=environment, pass_fds=(self._lifeline[0],), stdout=log, stderr=log
            )
        one.armed, one.since = step, self.clock.monotonic()
        self.starts[one.role] += 1

    async def all_up(self, *roles: str) -> bool:
        """Start these, and wait until those that listen answer."""
        for one in self.named(*roles):
            if not one.lives:
                await self.start(one)
        found = [await listening(one.port, self.clock, PATIENCE) for one in self.named(*roles) if one.port]
        return all(found)

    async def kill(self, one: One) -> None:
        """kill -9, whatever it is doing."""
        if one.process is not None and one.process.returncode is None:
            with suppress(ProcessLookupError):
                one.process.send_signal(signal.SIGKILL)
            await one.process.wait()

    async def halt(self) -> None:
        """kill -9 on all of them, as when the power goes."""
        await asyncio.gather(*(self.kill(one) for one in self.ones.values()))

    async def end(self) -> None:
        """Nobody is left."""
        await self.halt()
        for end in self._lifeline:
            if end >= 0:
                os.close(end)

    def is_at_work(self, one: One) -> bool:
        """Whether it has come so far that a kill finds it working."""
        if one.port:
            return not is_free(one.port)
        with (self.folder / f"{one.name}.log").open("rb") as log:
            log.seek(one.said_before)
            return b"at work" in log.read()

    def said(self, name: str) -> str:
        """The last lines of a process."""
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-2000:] if path.exists() else ""

    # --- looking from outside

    def control(self, platform: str, group: int, what: str, order: Any = None) -> Any:
        """What a platform's control address says or does; OSError while it is down. Blocks: for a thread."""
        key = wiring.rehearsal_key(self.settings())
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        body = None if order is None else json.dumps(order)
        method = "GET" if body is None else "POST"
        return asked(self.platform_port(platform, group), method, f"/_rehearsal/{what}", body, headers)


def asked(port: int, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON that a local address answers; OSError where it does not answer well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise OSError(f"{path}: {answer.status} {said[:200]!r}")
        return json.loads(said)
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def free_row(count: int) -> int:
    """The first of a row of ports that nobody uses; different processes begin to look in different places."""
    start = 20_000 + os.getpid() * 131 % 11_000
    for first in range(start, 32_000 - count, count):
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise OSError("no free row of ports")
