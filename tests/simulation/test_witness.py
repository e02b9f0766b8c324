"""The witness finds each kind of lie when it is shown one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels.performance import Performance
from tests.simulation.processes import BORN
from tests.simulation.witness import Stop, Witness

pytestmark = pytest.mark.simulation


class Board:
    """A platform that shows what it is told to."""

    def __init__(self, *titles: str) -> None:
        self.titles = titles

    def birth(self, now: Any) -> list[Any]:
        return []

    def posts(self, now: Any) -> list[dict[str, Any]]:
        return [{"id": str(place), "title": title} for place, title in enumerate(self.titles)]


def witness(*titles: str) -> Witness:
    stage = Performance(lambda: Board(*titles), lambda: BORN)  # type: ignore[arg-type,return-value]
    found = Witness({"site-main": stage}, lambda: 0.0)
    found.approved.add((1, 1))
    return found


def row(state: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": "c1:site-main:1", "content": "c1", "account": "site-main", "channel": "site", "state": state,
        "at": BORN, "late": "ask", "key": "k", "attempts": [{"fingerprint": "f", "key": "k"}], **more,
    }  # fmt: skip


SHOWN = "第1号通告（第1版）"


@pytest.mark.parametrize(
    ("titles", "state", "lie"),
    [
        ((SHOWN, SHOWN), "published", "2 times"),
        ((), "published", "stands nowhere"),
        ((SHOWN,), "refused", "refused and public"),
        ((SHOWN,), "held", "held and public"),
        ((SHOWN,), "scheduled", "for ever"),
        (("第1号通告（第2版）",), "published", "nobody approved"),
    ],
)
def test_a_false_statement_at_rest_is_found(titles: tuple[str, ...], state: str, lie: str) -> None:
    seen = witness(*titles)
    seen.judge([row(state)])
    assert any(lie in each for each in seen.violations), seen.violations


def test_what_was_acknowledged_and_is_gone_is_found() -> None:
    seen = witness()
    seen.acknowledged.add("c1:site-main:1")
    seen.judge([])
    assert seen.violations == ["c1:site-main:1 was acknowledged and is forgotten"]


def test_a_call_that_begins_after_a_promise_is_found() -> None:
    seen = witness()
    seen.stops.append(Stop("hold_all", 0.0, under_way=frozenset({"another"})))
    seen.call_begins(row("sending"), BORN, BORN, "worker")
    assert ["although hold_all" in each for each in seen.violations] == [True]


def test_a_call_too_early_or_too_late_or_without_a_claim_is_found() -> None:
    for now, state, lie in (
        (BORN - timedelta(seconds=1), "sending", "before its time"),
        (BORN + timedelta(hours=9), "sending", "late"),
        (BORN, "unknown", "while it is unknown"),
    ):
        seen = witness()
        seen.call_begins(row(state), now, now, "worker")
        assert len(seen.violations) == 1
        assert lie in seen.violations[0]


def test_a_second_call_under_another_key_and_without_a_certain_no_is_found() -> None:
    seen = witness()
    past = {"fingerprint": "f", "key": "old", "outcome": "unknown"}
    seen.call_begins(
        row("sending", channel="weibo", attempts=[past, {"fingerprint": "f", "key": "k"}]), BORN, BORN, "worker"
    )
    assert ["another key" in each or "may be out" in each for each in seen.violations] == [True, True]


def test_a_move_that_tells_nobody_is_found() -> None:
    seen = witness()
    seen.moved(row("unknown", outbox=[{"rows": []}]), {"state": "sending"})
    assert seen.violations == ["c1:site-main:1 becomes unknown and nobody is told"]


def test_a_true_story_is_not_blamed() -> None:
    seen = witness(SHOWN)
    seen.acknowledged.add("c1:site-main:1")
    seen.call_begins(row("sending"), BORN, BORN, "worker")
    seen.moved(row("published"), {"state": "sending"})
    seen.judge([row("published")])
    assert seen.violations == []
