"""The only worker is killed and nobody starts it again: the desk's own process says so."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from hub.access import Argon2Proofs
from hub.desk.publishing import Wish, schedule
from hub.domain.people import Role
from tests.crash.guard import make_desk
from tests.domain.publishing_office import EDITOR, Office
from tests.domain.trust_office import person

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]
RATE = 12  # half a minute without a beat is two seconds and a half, which no living worker is late beside other tests
MEANWHILE = 6.0  # seconds of ours in which the desk looks several times at a worker that lives
PATIENCE = 60.0  # seconds of ours


@contextmanager
def child(role: str, folder: Path, pace: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "tests.crash.guard", role, str(folder), pace]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def fill(folder: Path, pace: str) -> None:
    """Somebody on duty, and a text that is due within the hour."""
    desk = make_desk(folder, pace, "editor")
    desk = replace(desk, proofs=Argon2Proofs(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    await desk.store.open()
    office = Office(desk, desk.clock, desk.store, {})  # type: ignore[arg-type]
    await office.account("site-main", "site")
    await person(desk, "monitor", Role.MONITOR, duty=True, email="zhiban@example.cn")
    await office.write("c1", "停水通知")
    await schedule(EDITOR, desk, "c1", [Wish("site-main", desk.clock.now() + timedelta(minutes=55), "hold")])
    await desk.store.close()


async def letters(folder: Path) -> list[str]:
    """What was mailed, once something was."""
    path, until = folder / "letters", time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < until:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.1)
    return path.read_text("utf-8").splitlines() if path.exists() else []


async def test_the_last_worker_is_killed_and_the_desk_writes_to_the_person_on_duty(tmp_path: Path) -> None:
    pace = f"{RATE}@{time.time()}={time.time()}"
    await fill(tmp_path, pace)
    with child("worker", tmp_path, pace) as worker, child("guard", tmp_path, pace) as guard:
        assert worker.stdout is not None
        assert await asyncio.to_thread(worker.stdout.readline) == b"up\n"
        await asyncio.sleep(MEANWHILE)
        assert not (tmp_path / "letters").exists()
        worker.send_signal(signal.SIGKILL)
        (first, *_) = await letters(tmp_path)
        assert first.startswith("zhiban@example.cn 【政声】自动发布")
        assert guard.poll() is None
