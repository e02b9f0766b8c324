"""Many plans, in one process or several: what they come to, and a wrong one made as small as it stays wrong."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field

from tests.simulation.city import Report, run
from tests.simulation.plan import Plan, draw, smaller

MOST_STEPS = 400  # times that a plan is made smaller


@dataclass
class Sum:
    """What many plans came to."""

    plans: int = 0
    publications: int = 0
    crashes: int = 0
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str]] = field(default_factory=list)  # seed, first violation

    def add(self, report: Report) -> None:
        self.plans += 1
        self.publications += report.publications
        self.crashes += report.crashes
        self.states.update(report.states)
        if report.violations:
            self.wrong.append((report.plan.seed, report.violations[0]))

    def words(self) -> str:
        states = ", ".join(f"{name} {count}" for name, count in sorted(self.states.items()))
        return f"{self.plans} plans, {self.publications} publications, {self.crashes} crashes; {states}"


def live(seed: str) -> Report:
    """One seed's plan, without its trace."""
    report = run(draw(seed))
    report.trace = []
    return report


def live_many(
    seeds: Iterable[str], *, processes: int = 1, publications: int = 0, crashes: int = 0, seconds: float = 0,
    most_wrong: int = 1, say: bool = False,
) -> Sum:  # fmt: skip
    """Plans one after another until they end, so many publications and crashes were seen, the time is up, or a lie was
    told."""
    total, began, told = Sum(), time.monotonic(), time.monotonic()
    for report in _reports(seeds, processes):
        total.add(report)
        spent = time.monotonic() - began
        if say and time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{spent:6.0f} s  {total.words()}", flush=True)
        enough = total.publications >= publications and total.crashes >= crashes
        done = (publications or crashes) and enough
        if done or (seconds and spent >= seconds) or len(total.wrong) >= most_wrong:
            break
    return total


def _reports(seeds: Iterable[str], processes: int) -> Iterator[Report]:
    """The reports as they come, a few plans ahead and no more."""
    if processes < 2:
        yield from map(live, seeds)
        return
    coming = iter(seeds)
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        under_way = {pool.submit(live, seed) for seed in itertools.islice(coming, 3 * processes)}
        try:
            while under_way:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                under_way |= {pool.submit(live, seed) for seed in itertools.islice(coming, len(done))}
                yield from (each.result() for each in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def is_wrong(plan: Plan) -> bool:
    """Whether a promise is broken in it."""
    return bool(run(plan).violations)


def shrink(plan: Plan, wrong: Callable[[Plan], bool] = is_wrong) -> Plan:
    """The smallest plan that is found to be still wrong."""
    for _ in range(MOST_STEPS):
        step = next((each for each in smaller(plan) if wrong(each)), None)
        if step is None:
            break
        plan = step
    return plan
