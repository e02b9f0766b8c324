"""The levels before streams of another hand: how high each matter rises, by when, and what raises nothing."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from nlp.contract import IssueChange, Voice
from nlp.detectors.clusters import Detector
from nlp.detectors.settings import LEVELS
from tests.nlp.test_examined_issues import EXAMINATIONS, rows_of

STREAMS = ("levels_1", "levels_2", "levels_3", "levels_4")
EXPECTED: dict[str, list[dict[str, Any]]] = json.loads((EXAMINATIONS / "levels_expected.json").read_text("utf-8"))
MATTERS = [(name, matter) for name in STREAMS for matter in EXPECTED[name]]
TOLD = [(name, matter) for name, matter in MATTERS if matter["highest"]]
SILENT = [(name, matter) for name, matter in MATTERS if not matter["highest"]]


def named(pairs: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [f"{name}: {matter['matter']}" for name, matter in pairs]


@cache
def stream(name: str) -> tuple[Voice, ...]:
    return tuple(
        Voice(row["id"], row["author"], row["text"], datetime.fromisoformat(row["at"]), row["channel"],
              row["district"], "", row["negative"])
        for row in rows_of(EXAMINATIONS / f"{name}.jsonl")
    )  # fmt: skip


@cache
def told(name: str) -> tuple[tuple[str, IssueChange], ...]:
    """Every alert, with the id of the reply at which it was raised."""
    detector = Detector()
    return tuple((voice.id, change) for voice in stream(name) for change in detector.take([voice]) if change.alert)


def of(name: str, matter: dict[str, Any]) -> list[tuple[str, IssueChange]]:
    """The alerts whose own voices are mostly this matter's."""
    ids = set(matter["ids"])
    return [(at, change) for at, change in told(name) if 2 * len(ids & set(change.reply_ids)) > len(change.reply_ids)]


@pytest.mark.parametrize(("name", "matter"), TOLD, ids=named(TOLD))
def test_each_matter_rises_as_high_as_it_must_and_no_higher(name: str, matter: dict[str, Any]) -> None:
    levels = [change.level for _, change in of(name, matter)]
    assert levels and max(levels, key=lambda level: LEVELS.index(level or "yellow")) == matter["highest"]
    assert len(set(levels)) == len(levels), "each level is told once"


@pytest.mark.parametrize(("name", "matter"), TOLD, ids=named(TOLD))
def test_each_level_is_told_in_time(name: str, matter: dict[str, Any]) -> None:
    for place, level in enumerate(LEVELS):
        by = matter.get(f"{level}_by")
        reached = [at for at, change in of(name, matter) if LEVELS.index(change.level or "yellow") >= place]
        assert not by or (reached and min(reached) <= by), level


@pytest.mark.parametrize(("name", "matter"), SILENT, ids=named(SILENT))
def test_copies_thanks_and_one_person_alone_raise_nothing(name: str, matter: dict[str, Any]) -> None:
    real = {id for other in EXPECTED[name] if other["highest"] for id in other["ids"]}
    assert [change.title for _, change in of(name, matter) if not real & set(change.reply_ids)] == []


@pytest.mark.parametrize("name", STREAMS)
def test_everyday_talk_raises_nothing(name: str) -> None:
    planted = {id for matter in EXPECTED[name] for id in matter["ids"]}
    assert [change.title for _, change in told(name) if not planted & set(change.reply_ids)] == []
