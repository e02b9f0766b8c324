"""Runs the test groups one after another, prints what each took beside its budget; tests live in folders.

Within most groups the files are shared out to as many processes as there are cores: what a file has made (an office, a
household) stays with its tests. Groups that kill processes, or live in virtual time on every core, have one; so has the
walk in a browser, which takes two cores by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

IN_BROWSER = (
    "tests/pages/test_look_in_browser.py",
    "tests/pages/test_site_in_browser.py",
    "tests/pages/test_cases_in_browser.py",
    "tests/pages/test_calendar_in_browser.py",
    "tests/pages/test_inbox_in_browser.py",
    "tests/pages/test_site_app_in_browser.py",
)
SHARED = ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]
# group, budget in seconds, pytest arguments
GROUPS = (
    ("house", 20, ["tests/house"]),
    ("units and properties", 150, [*SHARED, "tests/domain", "tests/nlp", "tests/rehearsal"]),
    ("contracts", 120, [*SHARED, "tests/contracts"]),
    ("simulation", 60, ["tests/simulation"]),
    ("crash", 120, ["tests/crash"]),
    ("pages", 60, [*SHARED, "tests/pages", *(f"--ignore={path}" for path in IN_BROWSER)]),
    ("browser: pages", 80, [*SHARED, *IN_BROWSER]),  # apart: a browser of the walk would hold its event loop
    ("browser: the walk", 220, ["tests/browser"]),
)


def main(words: list[str]) -> int:
    """Run every group even where one fails; 1 if any did."""
    long = "--long" in words
    marks = ["-m", "long"] if long else ["-m", "not long"]
    report, failed = [], False
    # each process of the tests would compile all modules anew where the machine keeps none
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for name, budget, arguments in GROUPS:
        began = time.monotonic()
        code = subprocess.call([sys.executable, "-m", "pytest", "-q", *marks, *arguments], env=environment)
        spent = time.monotonic() - began
        good = code == 0 or (code == 5 and long)  # 5: no test; some groups have no long one
        failed = failed or not good
        report.append(f"{name:<22}{spent:7.1f} s of {budget:>4} s   {'passed' if good else 'FAILED'}")
    print("\n".join(["", "time by group", *report]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
