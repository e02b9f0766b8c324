"""Real processes are killed in every step of publishing while their platforms go wrong; then ledger and lists agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]


def chaos(publications: int, kills: int, seed: int, minutes: float) -> dict[str, Any]:
    """One run of the bench; what it found."""
    words = ["--publications", str(publications), "--kills", str(kills), "--seed", str(seed)]
    ended = subprocess.run(
        [sys.executable, "-m", "hub", "bench", "chaos", *words, "--minutes", str(minutes), "--json"],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True,
    )  # fmt: skip
    assert ended.stdout, ended.stderr[-3000:]
    return dict(json.loads(ended.stdout))


def kept_its_promises(found: dict[str, Any]) -> None:
    """Nothing twice, nothing lost, no false word, a person told of all that waits; and the day was no idle one."""
    names = ("double", "lost", "false_states", "without_evidence", "untold", "fell_by_themselves")
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0), found["wrong"]
    assert found["audit"] == "完整"
    assert found["steps_not_struck"] == []
    assert found["good"], found


@pytest.mark.timeout(600)
def test_kills_in_every_step_and_faults_of_every_kind_publish_nothing_twice_and_lose_nothing() -> None:
    kept_its_promises(chaos(160, 16, 20261124, 9))


@pytest.mark.long
@pytest.mark.timeout(2000)
@pytest.mark.parametrize("seed", [7, 8])
def test_a_hundred_kills_among_two_thousand_publications_break_no_promise(seed: int) -> None:
    kept_its_promises(chaos(2000, 100, seed, 30))
