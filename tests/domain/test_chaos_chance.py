"""What the chaos bench kills and troubles follows from its seed, and leaves out no step and no fault of the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from channels.faults import KINDS as FAULT_KINDS
from hub.clock import SetClock
from hub.commands.chaos.dice import Dice
from hub.commands.chaos.fronting import Front
from hub.commands.chaos.reaping import STEPS, Reaper
from hub.commands.chaos.town import One, Plan, Town
from hub.commands.chaos.troubling import CODES, WORDS, Troubles
from hub.identifiers import SeededIdentifiers
from tests.domain.publishing_office import MORNING

PLAN = Plan(publications=100, kills=40, seed=1, groups=3)
CLOCK = SetClock(MORNING)


@dataclass
class Quiet(Town):
    """A town without processes: what would be done to them is written down."""

    ordered: list[tuple[str, int, str, Any]] = field(default_factory=list)
    begun: list[tuple[str, str]] = field(default_factory=list)

    def control(self, platform: str, group: int, what: str, order: Any = None) -> Any:
        if what == "accounts":
            raise OSError("nobody is there")
        self.ordered.append((platform, group, what, order))
        return {}

    async def start(self, one: One, step: str = "") -> None:
        one.armed = step
        self.begun.append((one.name, step))


def dice(seed: int) -> Dice:
    return Dice(SeededIdentifiers(CLOCK, seed).chance)


def quiet() -> Quiet:
    return Quiet(PLAN, Path("nowhere"), 0, CLOCK)


async def troubled(seed: int, times: int) -> tuple[Quiet, Troubles]:
    town = quiet()
    troubles = Troubles(town, [Front(0, CLOCK)], dice(seed))
    for _ in range(times):
        await troubles.one()
    return town, troubles


async def test_the_same_seed_orders_the_same_troubles_and_another_seed_others() -> None:
    first, _ = await troubled(5, 60)
    again, _ = await troubled(5, 60)
    other, _ = await troubled(6, 60)
    assert first.ordered == again.ordered != other.ordered


async def test_every_fault_of_the_list_is_ordered_sooner_or_later() -> None:
    town, troubles = await troubled(7, 1500)
    names = {*WORDS.values(), *CODES, "事件重复", "事件次序颠倒", "时钟偏差", "审核几分钟后不通过", "审核几分钟后通过"}
    assert names - set(troubles.ordered) == set()
    ordered = {order["kind"] for _, _, what, order in town.ordered if what == "faults"}
    assert set(FAULT_KINDS) - ordered == set()


def workers(town: Town) -> list[One]:
    return [One(f"worker-{number}", (), {}) for number in range(3)]


async def test_each_step_is_armed_once_before_any_is_armed_again() -> None:
    town = quiet()
    reaper = Reaper(town, dice(1), CLOCK)
    (one, *_) = workers(town)
    for _ in STEPS:
        await reaper.begin(one)
        reaper.struck[one.armed.partition(":")[0]] += 1
    assert sorted(step.partition(":")[0] for _, step in town.begun) == sorted(STEPS)
    assert all(step.endswith(":1") for _, step in town.begun)
    assert reaper.missing == []


@dataclass
class Gone:
    """A process that has ended."""

    returncode: int


@pytest.mark.parametrize(("code", "struck", "fell"), [(-9, 1, 0), (1, 0, 1), (0, 0, 1)])
async def test_an_armed_process_that_ended_was_struck_and_any_other_end_is_a_fall(
    code: int, struck: int, fell: int
) -> None:
    town = quiet()
    reaper = Reaper(town, dice(1), CLOCK)
    (one, *_) = workers(town)
    town.ones[one.name] = one
    await reaper.begin(one)
    step = one.armed.partition(":")[0]
    one.process = Gone(code)  # type: ignore[assignment]
    await reaper.tend()
    assert (reaper.struck[step], len(town.fell)) == (struck, fell)
    assert len(town.begun) == 2


def test_choices_are_weighed_and_stay_within_what_there_is() -> None:
    rolled = dice(3)
    found = [rolled.weighed([(9.0, "often"), (1.0, "seldom")]) for _ in range(500)]
    counts: Mapping[str, int] = {word: found.count(word) for word in ("often", "seldom")}
    assert counts["often"] > 5 * counts["seldom"] > 0
    assert {rolled.pick("abc") for _ in range(100)} == set("abc")
