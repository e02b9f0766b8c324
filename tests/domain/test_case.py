"""A case by itself: its moves, its clock, who sees it, and what the citizen reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.case import (
    CITIZEN_WORDS,
    ENDS,
    KINDS,
    MOVES,
    OPEN,
    STATES,
    Terms,
    citizen_steps,
    citizen_word,
    clock,
    decide,
    due,
    is_confidential,
    open_moves,
    require_sight,
    resumed,
    sees,
    stopped,
)
from hub.domain.errors import Conflict, HubError, Invalid, NotFound
from hub.domain.people import Actor, Role
from hub.domain.rights import PROGRAMS, RIGHTS
from hub.domain.working_time import Calendar, between

NOW = datetime(2026, 11, 17, 2, 36, tzinfo=UTC)
CALENDAR = Calendar()
SAID = "路灯已报修，等配件。"
SOMEBODY = Actor("u-1", "罗平", frozenset({Role.HANDLER}))


def case(state: str = "new", **more: Any) -> dict[str, Any]:
    return {"state": state, "history": [], "started_at": NOW, "due_at": due(NOW, 5, CALENDAR), **more}


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=25))
def test_whatever_is_tried_only_legal_moves_happen_and_ends_stay_ends(acts: Sequence[str]) -> None:
    state, path = "new", ["new"]
    for act in acts:
        try:
            state = decide(act, case(state), SAID).after
            path.append(state)
        except Conflict:
            assert state not in MOVES[act].before
    assert set(path) <= set(STATES)
    assert "answered" not in path or path[path.index("answered") - 1] in ("in_hand", "waiting_citizen")
    assert "merged" not in path[:-1]


def test_every_state_can_be_left_but_a_merged_one_and_every_one_has_a_word_for_the_citizen() -> None:
    assert {state for state in STATES if not open_moves(case(state))} == {"merged"}
    assert set(CITIZEN_WORDS) == set(STATES)
    assert set(OPEN) | set(ENDS) | {"answered"} == set(STATES)


def test_every_move_names_a_right_that_exists() -> None:
    known = {*RIGHTS, *(act for acts in PROGRAMS.values() for act in acts)}
    assert {move.right for move in MOVES.values()} <= known


@pytest.mark.parametrize("act", [act for act, move in MOVES.items() if move.remark])
def test_a_move_that_needs_a_sentence_does_not_go_without(act: str) -> None:
    with pytest.raises(Invalid):
        decide(act, case(sorted(MOVES[act].before)[0]), " 无 ")


def test_while_an_answer_leaves_nobody_takes_the_case_over_or_brings_others_in() -> None:
    for act in ("take", "merge", "assign"):
        with pytest.raises(Conflict, match="正在送出"):
            decide(act, case("in_hand", leaving="a-1"))


# ---- who sees it


@given(st.sampled_from(sorted(KINDS)), st.lists(st.sampled_from(["u-1", "u-2"]), max_size=2), st.sampled_from(Role))
def test_a_confidential_case_is_there_for_its_named_handlers_alone(kind: str, named: list[str], role: Role) -> None:
    actor = Actor("u-1", "某人", frozenset({role}))
    found = case(kind=kind, confidential=is_confidential(kind), handlers=named)
    assert sees(actor, found) == (kind not in ("report", "petition") or "u-1" in named)
    if sees(actor, found):
        assert require_sight(actor, found) is found
    else:
        with pytest.raises(NotFound) as hidden:
            require_sight(actor, found)
        with pytest.raises(NotFound) as absent:
            require_sight(actor, None)
        assert hidden.value.message == absent.value.message


# ---- its clock


def test_a_complaint_has_seven_days_others_five_and_what_is_reopened_its_own() -> None:
    terms = Terms()
    assert [terms.days(kind) for kind in ("help", "complaint")] == [5, 7]
    assert terms.days("complaint", again=True) == 5
    assert due(NOW, 5, CALENDAR) == datetime(2026, 11, 24, 2, 36, tzinfo=UTC)


@given(st.integers(0, 60 * 24 * 6), st.integers(0, 60 * 24 * 90))
def test_time_that_the_citizen_takes_is_not_the_offices(minutes: int, away: int) -> None:
    asked = NOW + timedelta(minutes=minutes)
    back = asked + timedelta(minutes=away)
    waiting = case("waiting_citizen") | stopped(case("in_hand"), asked, CALENDAR)
    assert clock(waiting, back, CALENDAR).state == "stopped"
    again = resumed(waiting, back, CALENDAR)
    left = between(asked, due(NOW, 5, CALENDAR), CALENDAR)
    if left > timedelta():
        assert between(back, again["due_at"], CALENDAR) == left
    else:
        assert again["due_at"] <= back


@given(st.integers(0, 60 * 24 * 14))
def test_a_clock_runs_grows_amber_in_its_last_quarter_and_is_then_overdue(minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    found = clock(case("in_hand"), now, CALENDAR)
    assert found.state == ("overdue" if now >= due(NOW, 5, CALENDAR) else "low" if found.share >= 0.75 else "running")
    assert 0 <= found.share <= 1
    assert clock(case("answered"), now, CALENDAR).state == "done"


# ---- what the citizen reads


def test_citizens_read_steps_and_what_was_written_for_them_and_nothing_of_the_inside() -> None:
    steps = [
        {"act": "open", "at": NOW, "name": "系统", "remark": ""},
        {"act": "accept", "at": NOW, "name": "何静", "remark": "内部说明一"},
        {"act": "assign", "at": NOW, "name": "何静", "remark": "", "department": "市城管局", "person": "u-9"},
        {"act": "note", "at": NOW, "name": "罗平", "remark": "内部备注"},
        {"act": "take", "at": NOW, "name": "罗平", "remark": ""},
        {"act": "take", "at": NOW, "name": "马强", "remark": ""},
        {"act": "wait", "at": NOW, "name": "马强", "remark": "请告诉我们是哪一盏灯。"},
    ]
    told = citizen_steps(case("waiting_citizen", history=steps))
    assert [step["title"] for step in told] == ["已受理", "已派给市城管局", "正在办理", "请您补充"]
    assert told[-1]["text"] == "请告诉我们是哪一盏灯。"
    said = repr(told)
    assert not [word for word in ("罗平", "马强", "何静", "内部", "u-9") if word in said]


def test_the_word_over_a_demand_says_that_it_was_rated() -> None:
    assert citizen_word(case("answered")) == "已答复"
    assert citizen_word(case("answered"), rated=True) == "已评价"
    assert citizen_word(case("reopened"), rated=True) == "办理中"


def test_a_case_of_endless_steps_asks_for_another_one() -> None:
    with pytest.raises(HubError, match="记录已满"):
        decide("accept", case(history=[{}] * 400))
