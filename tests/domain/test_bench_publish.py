"""The publishing bench counts what it says; its real workers send each publication once and in its order."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from hub.commands.bench_publish import _figures, out_of_order
from tests.domain.publishing_office import MORNING

ROOT = Path(__file__).resolve().parents[2]


def at(seconds: float, account: str, words: str) -> tuple[object, str, str]:
    return MORNING + timedelta(seconds=seconds), account, words


def test_a_call_before_an_earlier_one_of_its_account_is_counted() -> None:
    assert out_of_order([at(0, "a", "测速 c1"), at(1, "b", "测速 c0"), at(2, "a", "测速 c2")]) == 0
    assert out_of_order([at(0, "a", "测速 c2"), at(1, "a", "测速 c1"), at(2, "a", "测速 c3")]) == 1


def test_a_call_made_twice_and_the_latest_one_are_counted() -> None:
    begun = [at(number / 10, f"a{number}", f"测速 c{number}") for number in range(10)]
    figures = _figures([*begun, at(3, "a9", "测速 c9")], MORNING)  # type: ignore[list-item]
    assert (figures["twice"], figures["lateness_max_s"]) == (1, 3.0)


def test_two_real_workers_send_all_that_is_due_once_and_in_order() -> None:
    words = ["--count", "60", "--accounts", "20", "--workers", "2", "--no-saturation", "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "bench", "publish", *words], cwd=ROOT, capture_output=True, text=True
    )
    (figures,) = json.loads(ended.stdout).values()
    assert ended.returncode == 0, ended.stderr
    assert (figures["published"], figures["twice"], figures["out_of_order"]) == (60, 0, 0)
