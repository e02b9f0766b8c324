"""The open board of `bench alerts`: the event stream and the fetches that a browser makes, each with its moment."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

from hub.commands.alerts.house import CLOCK, LOGIN, PASSWORD

# live.js: events that come together bring one fetch, an alert waits for no others
SETTLE, URGENT = 1.5, 0.1
ON = ("replies", "issue", "alert")


@dataclass(frozen=True)
class Event:
    """One event as it came; `at` by this process's own watch."""

    name: str
    subject: str
    at: float


@dataclass
class OpenBoard:
    """A page with the board on it, in one person's session."""

    port: int
    cookie: str = ""
    events: list[Event] = field(default_factory=list)
    shown: dict[str, float] = field(default_factory=dict)  # issue -> when a fetched board first showed its alert
    fetches: list[float] = field(default_factory=list)  # seconds of each
    _due: float = 0.0
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def sign_in(self) -> bool:
        """Whether the person is in."""
        form = urlencode({"login": LOGIN, "password": PASSWORD, "next": "/board"})
        head, _ = await self._ask("POST", "/session", form)
        for line in head.split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                self.cookie = value.partition(";")[0]
        return " 303 " in head.split("\r\n")[0] and "/login" not in head

    async def _ask(self, method: str, path: str, body: str = "") -> tuple[str, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self._head(method, path, body).encode() + body.encode())
        answer = await reader.read(-1)
        writer.close()
        head, _, rest = answer.decode("utf-8", "replace").partition("\r\n\r\n")
        return head, rest

    def _head(self, method: str, path: str, body: str = "") -> str:
        own = f"http://127.0.0.1:{self.port}"
        form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if body else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nOrigin: {own}\r\nCookie: {self.cookie}\r\n"
            f"{form}Connection: close\r\n\r\n"
        )

    async def listen(self) -> None:
        """Read the event stream for ever, and wake the fetches as the page's script does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self._head("GET", "/events").replace("Connection: close\r\n", "").encode())
        name = ""
        while line := (await reader.readline()).decode("utf-8", "replace").strip():
            pass  # the head
        while not reader.at_eof():
            line = (await reader.readline()).decode("utf-8", "replace").strip()
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: ") and name:
                self._heard(name, str(json.loads(line[6:])["subject"]))
                name = ""

    def _heard(self, name: str, subject: str) -> None:
        now = CLOCK.monotonic()
        self.events.append(Event(name, subject, now))
        if name in ON:
            at = now + (URGENT if name == "alert" else SETTLE)
            self._due = min(self._due or at, at)
            self._woken.set()

    async def renew(self) -> None:
        """Fetch the board whenever it is due, for ever."""
        while True:
            await self._woken.wait()
            await CLOCK.sleep(max(0.0, min(0.05, self._due - CLOCK.monotonic())))
            if CLOCK.monotonic() < self._due:
                continue
            self._due = 0.0
            self._woken.clear()
            began = CLOCK.monotonic()
            _, page = await self._ask("GET", "/board")
            now = CLOCK.monotonic()
            self.fetches.append(now - began)
            for row in page.split("<tr data-row>")[1:]:
                if 'class="handled"' in row:
                    self.shown.setdefault(row.partition('href="/issues/')[2].partition('"')[0], now)
