"""The whole publishing core under a clock of its own: every promise is held in many hours full of trouble."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS, GUARDED, ROOT, Bug, hunt
from tests.simulation.city import run
from tests.simulation.eventloop import Stuck, VirtualLoop
from tests.simulation.many import live_many, shrink
from tests.simulation.plan import Plan, describe, draw

pytestmark = pytest.mark.simulation

A_MINUTE = 40.0  # seconds of plans in `make test`; the rest of the minute is for planted bugs
QUICK = (  # found within the first few plans
    "an answer that did not come is taken for a no",
    "the outcome is forgotten: what was taken is called public at once",
    "every try has a key of its own",
)
SEEDS = [str(number) for number in range(1, 1_000_000)]


def test_hours_pass_while_everybody_waits() -> None:
    loop, began = VirtualLoop(), time.monotonic()
    loop.run_until_complete(asyncio.sleep(30 * 3600))
    assert loop.time() >= 30 * 3600
    assert time.monotonic() - began < 60
    loop.close()


def test_a_wait_for_what_never_comes_is_said() -> None:
    loop = VirtualLoop()
    with pytest.raises(Stuck):
        loop.run_until_complete(loop.create_future())
    loop.close()


@pytest.mark.parametrize("seed", ["3", "11"])
def test_a_seed_lives_the_same_hour_again(seed: str) -> None:
    first, second = run(draw(seed)), run(draw(seed))
    assert first.trace == second.trace
    assert first.publications > 0


def test_a_wrong_plan_is_made_as_small_as_it_stays_wrong_and_can_be_read() -> None:
    plan = next(found for seed in SEEDS if _has_both(found := draw(seed)) and len(found.texts) > 5)
    small = shrink(plan, _has_both)
    assert _has_both(small)
    assert (len(small.texts), len(small.events), small.faults, small.workers) == (3, 1, (), 1)
    assert all(f"text {text.number} " in describe(small) for text in small.texts)


def _has_both(plan: Plan) -> bool:
    """Stands for a plan that is wrong because of three texts and a cut of the power."""
    return len(plan.texts) >= 3 and plan.power_cuts


def test_no_promise_is_broken_in_a_minute_of_troubled_hours() -> None:
    total = live_many(SEEDS, processes=2, seconds=A_MINUTE)
    print(total.words())
    assert total.wrong == []
    assert total.publications > 100
    assert total.crashes > 10


@pytest.mark.parametrize("bug", (*BUGS, *GUARDED), ids=lambda bug: bug.name)
def test_every_known_bug_stands_on_lines_that_are_in_the_code(bug: Bug) -> None:
    assert (ROOT / bug.file).read_text("utf-8").count(bug.old) == 1
    assert bug.old != bug.new


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.name in QUICK], ids=lambda bug: bug.name)
def test_a_planted_bug_is_found_within_a_few_hours_of_the_city(bug: Bug, tmp_path: Path) -> None:
    found, said = hunt(bug, tmp_path, seeds=20)
    assert found, said


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_planted_bug_is_found_within_its_seeds(bug: Bug, tmp_path: Path) -> None:
    found, said = hunt(bug, tmp_path, processes=2)
    assert found, said


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
def test_a_million_publications_and_a_hundred_thousand_crashes_break_no_promise() -> None:
    total = live_many(SEEDS, processes=2, publications=1_000_000, crashes=100_000, say=True)
    assert total.wrong == []
    assert total.publications >= 1_000_000
    assert total.crashes >= 100_000
