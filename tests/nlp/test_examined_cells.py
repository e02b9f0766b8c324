"""Topics of districts before streams of another hand: what is shown by when, what is told, and what is neither."""

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

EXPECTED: dict[str, Any] = json.loads((EXAMINATIONS / "cells_expected.json").read_text("utf-8"))
STREAMS = tuple(EXPECTED)


def named(kind: str) -> list[Any]:
    return [
        pytest.param(name, one, id=f"{name}: {one['district']} {one['topic']}")
        for name in STREAMS for one in EXPECTED[name].get(kind, [])
    ]  # fmt: skip


@cache
def rows(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(rows_of(EXAMINATIONS / name))


@cache
def shown(name: str) -> tuple[tuple[int, IssueChange], ...]:
    """Every change of a topic on the board, with the place of the row at which it was made."""
    detector, found = Detector(), []
    for place, row in enumerate(rows(name)):
        voice = Voice(
            row["id"], row["author"], row["text"], datetime.fromisoformat(row["at"]), row["channel"], row["district"],
            row["topic"], row["negative"],
        )  # fmt: skip
        found += [(place, change) for change in detector.take([voice]) if change.cell and change.level]
    return tuple(found)


def of(name: str, one: dict[str, Any]) -> list[tuple[int, IssueChange]]:
    return [(place, change) for place, change in shown(name) if change.terms[:2] == (one["district"], one["topic"])]


def place_of(name: str, id: str) -> int:
    return next(place for place, row in enumerate(rows(name)) if row["id"] == id)


@pytest.mark.parametrize(("name", "one"), named("must_show"))
def test_what_rises_is_shown_in_time_and_no_higher_than_it_may_be(name: str, one: dict[str, Any]) -> None:
    found = of(name, one)
    assert found and found[0][0] <= place_of(name, one["by_row"])
    assert "not_before" not in one or found[0][0] > place_of(name, one["not_before"])
    highest = one.get("highest", LEVELS[0])
    assert {change.level for _, change in found} <= {"watch", highest}


@pytest.mark.parametrize(("name", "one"), named("must_tell"))
def test_what_must_be_told_is_told_once_and_in_time(name: str, one: dict[str, Any]) -> None:
    told = [(place, change) for place, change in of(name, one) if change.alert]
    assert [change.level for _, change in told] == ["yellow"] and told[0][0] <= place_of(name, one["by_row"])


@pytest.mark.parametrize(("name", "one"), named("must_not_show"))
def test_what_is_no_rise_is_not_shown(name: str, one: dict[str, Any]) -> None:
    assert [change.explanation for _, change in of(name, one)] == []


@pytest.mark.parametrize("name", STREAMS)
def test_hardly_anything_else_is_shown(name: str) -> None:
    kinds = ("must_show", "must_tell", "must_not_show")
    planted = {(one["district"], one["topic"]) for kind in kinds for one in EXPECTED[name].get(kind, [])}
    others = {change.terms[:2] for _, change in shown(name)} - planted
    assert len(others) <= EXPECTED[name]["others_at_most"]
