"""`python -m tests.simulation`: lives through plans, says how many publications and crashes it saw, and stops at a lie.

`--seeds A-B` or `--publications N --crashes M` (from seed 1 on, until both are reached), `--processes P`, `--seconds S`
at most; `--seed N` repeats one and prints what happened, `--shrink` first makes its plan as small as it stays wrong.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.city import run
from tests.simulation.many import live_many, shrink
from tests.simulation.plan import describe, draw

SHOWN = 60  # lines of what happened before the lie


def show(seed: str, *, make_smaller: bool) -> int:
    """One seed's story; 1 where it is wrong."""
    plan = draw(seed)
    report = run(plan)
    if report.violations and make_smaller:
        plan = shrink(plan)
        report = run(plan)
    print(describe(plan))
    print("\n".join(report.trace[-SHOWN:] if report.violations else report.trace))
    print("\n".join(report.violations) or "nothing wrong")
    return int(bool(report.violations))


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed")
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--seeds", default="1-1000000")
    parser.add_argument("--publications", type=int, default=0)
    parser.add_argument("--crashes", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(words)
    if given.seed:
        return show(given.seed, make_smaller=given.shrink)
    first, _, last = given.seeds.partition("-")
    seeds = (str(number) for number in range(int(first), int(last or first) + 1))
    began = time.monotonic()
    total = live_many(
        seeds, processes=given.processes, publications=given.publications, crashes=given.crashes,
        seconds=given.seconds, say=True,
    )  # fmt: skip
    spent = time.monotonic() - began
    print(f"{total.words()}; {total.publications / spent * 60:.0f} publications a minute")
    for seed, lie in total.wrong:
        print(f"seed {seed}: {lie}\n  python -m tests.simulation --seed {seed} --shrink")
    return int(bool(total.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
