"""The only worker is killed and nobody starts it again: the desk's own process says so."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from hub.access import Argon2Proofs
from hub.desk.publishing import Wish, schedule
from hub.domain.people import Role
from tests.crash.test_publishing_crash import Town, town
from tests.crash.worker import make_desk
from tests.domain.publishing_office import EDITOR, Office
from tests.domain.trust_office import person

pytestmark = pytest.mark.crash

PATIENCE = 15.0  # seconds of ours, a hundred times as many for the processes


async def fill(here: Town) -> None:
    """Somebody on duty, and a text that is due within the hour."""
    desk = make_desk(here.folder, here.port, here.began, "editor")
    desk = replace(desk, proofs=Argon2Proofs(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    await desk.store.open()
    office = Office(desk, desk.clock, desk.store, {})  # type: ignore[arg-type]
    await office.account("site-main", "site")
    await person(desk, "monitor", Role.MONITOR, duty=True, email="zhiban@example.cn")
    await office.write("c1", "停水通知")
    await schedule(EDITOR, desk, "c1", [Wish("site-main", desk.clock.now() + timedelta(minutes=55), "hold")])
    await desk.store.close()


async def letters(here: Town) -> list[str]:
    """What was mailed, once something was."""
    path, until = here.folder / "letters", time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < until:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.1)
    return path.read_text("utf-8").splitlines() if path.exists() else []


async def test_the_last_worker_is_killed_and_the_desk_writes_to_the_person_on_duty(tmp_path: Path) -> None:
    with town(tmp_path) as here:
        await fill(here)
        here.start("worker")
        here.start("guard")
        await asyncio.sleep(1.0)
        here.kill("worker")
        (first, *_) = await letters(here)
        assert first.startswith("zhiban@example.cn 【政声】自动发布")
        assert here.children["guard"].poll() is None
