"""A whole household for tests: `serve --rehearsal` as people start it, on own ports and data; the tests live beside."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
ARTEFACTS = ROOT / "artefacts"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
PASSWORD = "Yuxi-lake-2026"  # of the made-up users of these tests
KEY = "rehearsal-control-key-of-the-tests"
PATIENCE = 60.0  # seconds until both addresses must answer
WITHOUT = "没有 Chromium，浏览器测试没有做。安装：apt-get install chromium fonts-noto-cjk，或用 CHROMIUM 指明位置。"


def free_ports(count: int) -> list[int]:
    """A row of neighbouring ports that can be had, below those which the system lends to outgoing connections."""
    for _ in range(1_000):
        start = 20_000 + secrets.randbelow(12_000 // count) * count
        row = list(range(start, start + count))
        if all(is_free(port) for port in row):
            return row
    raise AssertionError("no free ports")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Household:
    """One `serve --rehearsal` with everything it started, its addresses and what it said."""

    folder: Path
    ports: Sequence[int]
    words: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    seconds: float = 0.0
    sessions: dict[str, Any] = field(default_factory=dict)  # login -> the cookies of who has signed in

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def desk_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.ports[1]}"

    @property
    def weibo_port(self) -> int:
        return self.ports[2]

    @property
    def log(self) -> Path:
        return self.folder / "household.log"

    @property
    def environment(self) -> dict[str, str]:
        """What a stranger's fresh machine has: a path, an empty home, and what this test sets."""
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        own = {
            "HOME": str(home), "HUB_DATA": str(self.data), "HUB_DEMO_PASSWORD": PASSWORD,
            "HUB_REHEARSAL_KEY": KEY, "HUB_REHEARSAL_PORT": str(self.weibo_port),
        }  # fmt: skip
        return {**kept, **own, **self.settings}

    def start(self) -> None:
        """Start it and wait until both addresses answer; fails with what it said where it does not come up."""
        words = ["serve", "--rehearsal", "--port", str(self.ports[0]), "--public-port", str(self.ports[1]), *self.words]
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", *words],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not all(answers(port) for port in self.ports[:3]):
            self.seconds = time.monotonic() - began
            assert self.process.poll() is None and self.seconds < PATIENCE, self.said()
            time.sleep(0.1)
        self.seconds = time.monotonic() - began

    def stop(self) -> None:
        """As Ctrl-C does; whatever is left of its own session afterwards is ended."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command of the office in the same environment, told where this household's site is."""
        site = {"HUB_SITE_URL": self.site_url, "HUB_SITE_API": f"http://127.0.0.1:{self.ports[1]}"}
        return subprocess.run(
            [sys.executable, "-m", "hub", *words],
            cwd=ROOT, env={**self.environment, **site}, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    def children(self) -> dict[str, list[int]]:
        """Process ids by role, read from the system."""
        assert self.process is not None
        found: dict[str, list[int]] = {}
        for pid, words in _below(self.process.pid):
            role = next((name for name, mark in ROLES.items() if mark in f" {words} "), "")
            if role:
                found.setdefault(role, []).append(pid)
        return found

    # ---- the rehearsal 微博

    def control(self, what: str, body: object | None = None, *, offset: int = 0) -> Any:
        """The control address of the rehearsal 微博, or of the platform so many ports after it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.weibo_port + offset, timeout=10)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        try:
            if body is None:
                connection.request("GET", f"/_rehearsal/{what}", headers=headers)
            else:
                connection.request("POST", f"/_rehearsal/{what}", json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, text
        return json.loads(text)

    def posts(self, *, offset: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("posts", offset=offset)
        return found

    # ---- the site, as a citizen's browser without script sends it

    def letter(self, *, source: str = "127.0.0.1", key: str = "", **fields: str) -> int:
        """One letter through the form; the answer's status, 0 where nobody answered."""
        given = {
            "title": "", "text": "", "place": "城南菜场门口", "district": "", "author": "", "contact": "",
            "agreed": "on", "key": key, **fields,
        }  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[1], timeout=10, source_address=(source, 0))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.site_url,
            "Host": self.site_url.removeprefix("http://"),
        }
        try:
            connection.request("POST", "/letters/new", urlencode(given).encode(), headers)
            answer = connection.getresponse()
            answer.read()
            return 200 if answer.status == 303 and answer.getheader("Location") == "/letters/sent" else answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


ROLES = {
    "site": " --role site ",
    "desk": " --role desk ",
    "worker": " -m scheduler ",
    "rehearsal": " hub rehearsal ",
    "crowd": " demo --crowd ",
}


def _below(parent: int) -> Iterator[tuple[int, str]]:
    """The processes right under this one, with their words."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent:
            yield int(entry.name), words.strip()


@contextmanager
def household(folder: Path, *words: str, **settings: str) -> Iterator[Household]:
    """A household that is stopped at the end, whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Household(folder, free_ports(8), words, settings)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, without its own errands to the network."""
    if not CHROMIUM.exists():
        pytest.skip(WITHOUT)
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=str(CHROMIUM), args=quiet)
        try:
            yield browser
        finally:
            browser.close()
