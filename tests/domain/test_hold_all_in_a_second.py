"""全部暂停 with 200 sends due: under virtual time, with a slow store and slow platforms, no public step begins later
than a second after the button, and whatever may still become public is named to the one who pressed it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.desk import pausing, publishing
from hub.desk.dispatching import dispatch
from hub.desk.pausing import Held
from hub.desk.publishing import Wish
from tests.domain.publishing_office import DISPATCHER, EDITOR, MONITOR, MORNING, Office, WrappedStore, make_office
from tests.simulation.eventloop import VirtualLoop

DUE, WORKERS = 200, 3
STORE = (0.002, 0.08)  # seconds that one answer of the store takes
PLATFORM = (0.05, 0.3)


class LoopClock:
    """The loop's own time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return MORNING + timedelta(milliseconds=int(self._loop.time() * 1000))

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SlowStore(WrappedStore):
    """Each call takes its time, before and after its work."""

    def __init__(self, inner: Any, chance: random.Random) -> None:
        super().__init__(inner)
        self._chance = chance

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        call = getattr(self.inner, name)

        async def slowly(*words: Any, **more: Any) -> Any:
            await asyncio.sleep(self._chance.uniform(*STORE) / 2)
            found = await call(*words, **more)
            await asyncio.sleep(self._chance.uniform(*STORE) / 2)
            return found

        return slowly


@dataclass
class Seen:
    """When each account's public step began, when the button was pressed, and what it answered."""

    loop: VirtualLoop
    chance: random.Random
    began: dict[str, float] = field(default_factory=dict)
    pressed: float = 0.0
    answered: float = 0.0
    held: Held | None = None

    def calls(self, account: str) -> Callable[[], Awaitable[None]]:
        async def begin() -> None:
            self.began[account] = self.loop.time()
            await asyncio.sleep(self.chance.uniform(*PLATFORM))

        return begin


async def due_office(seen: Seen) -> Office:
    office = make_office(clock=LoopClock(seen.loop))  # type: ignore[arg-type]
    for number in range(DUE):
        await office.account(f"a-{number}", "trusted")
        office.platforms[f"a-{number}"].before_work = seen.calls(f"a-{number}")
    await office.write("c1", "供热开始")
    wishes = [Wish(f"a-{number}", office.desk.clock.now(), "publish") for number in range(DUE)]
    await publishing.schedule(EDITOR, office.desk, "c1", wishes)
    return office


async def live(seen: Seen, after: float) -> Office:
    """Three workers at the whole heap; somebody presses the button meanwhile."""
    office = await due_office(seen)
    slow = SlowStore(office.store, seen.chance)
    workers = [office.worker(f"worker-{number}", store=slow) for number in range(WORKERS)]
    tasks = [asyncio.create_task(dispatch(DISPATCHER, desk)) for desk in workers]
    await asyncio.sleep(after)
    seen.pressed = seen.loop.time()
    seen.held = await pausing.hold_all(MONITOR, office.worker("desk", store=slow), "接上级电话")
    seen.answered = seen.loop.time()
    await asyncio.gather(*tasks)
    for desk in workers:
        await dispatch(DISPATCHER, desk)
    return office


@pytest.mark.parametrize("after", [0.1, 0.15, 0.25, 0.35, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_no_public_step_begins_later_than_a_second_after_the_button_and_what_may_come_is_named(
    after: float, seed: int
) -> None:
    loop = VirtualLoop()
    seen = Seen(loop, random.Random(f"{seed}/{after}"))  # noqa: S311 - repeatable on purpose
    try:
        office = loop.run_until_complete(live(seen, after))
        rows = loop.run_until_complete(office.store.find("publications", {}, limit=DUE))
    finally:
        loop.close()
    assert seen.held is not None and loop.strange == []
    later = {account: at for account, at in seen.began.items() if at > seen.pressed}
    assert max(later.values(), default=0.0) <= seen.pressed + 1.0
    named = {row["account"] for row in seen.held.under_way}
    answered = {account for account, at in seen.began.items() if at > seen.answered}
    assert answered <= named, "begun after the button had answered"
    public = {row["account"] for row in rows if row["state"] == "published"}
    assert len(rows) == DUE and public == set(seen.began)
    assert all(row["state"] == "scheduled" for row in rows if row["account"] not in seen.began)
    assert len(public) < DUE, "the button came too late to prove anything"
