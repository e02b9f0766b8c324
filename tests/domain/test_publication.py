"""The pure decisions of the ledger: keys, pauses, limits and words, for every input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Accepted, Outcome, Pending, Refused, Unknown, Who
from hub.domain import publication as ledger
from hub.domain.moves import MOVES, OPEN_STATES, STATE_WORDS, State, attempt_words, step_for
from hub.domain.publication import Rules
from tests.domain.publishing_office import MORNING

RULES = Rules()
WAITS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=2))
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Accepted, st.text(min_size=1, max_size=8), st.none()),
    st.builds(Refused, st.just("c"), st.text(max_size=8), st.sampled_from(list(Who)), st.none() | WAITS),
    st.builds(Pending, st.just("t"), st.sampled_from(["audit", "admin_confirm", "by_hand"]), WAITS),
    st.builds(Unknown, st.text(max_size=8)),
)


def sending(**more: Any) -> dict[str, Any]:
    return {"state": "sending", "title": "供热", "at": MORNING, "not_before": MORNING, "tries": 0, **more}


@given(OUTCOMES, st.integers(0, 60), st.integers(0, 20), st.floats(0, 0.999))
def test_every_outcome_leads_by_a_legal_move_to_the_state_it_means(
    outcome: Outcome, minutes: int, tries: int, chance: float
) -> None:
    now = MORNING + timedelta(minutes=minutes)
    decision = ledger.decide_sent(sending(tries=tries), outcome, now, chance, RULES)
    step = step_for("sending", decision.event)
    assert step is not None
    meant = {
        Accepted: {State.PUBLISHED},
        Pending: {State.PENDING},
        Unknown: {State.UNKNOWN},
        Refused: {State.REFUSED, State.SCHEDULED, State.HELD},
    }
    assert step.then in meant[type(outcome)]
    assert decision.closing is not None
    assert decision.closing["ended_at"] == now
    if step.then in (State.UNKNOWN, State.HELD, State.REFUSED):
        nobody = step.then is State.REFUSED and isinstance(outcome, Refused) and outcome.who is Who.NOBODY
        assert (decision.tell is None) is nobody  # certain, and nobody can act on it: read where one looks


@given(st.integers(0, 100), st.floats(0, 0.999), st.none() | WAITS)
def test_a_pause_is_never_shorter_than_the_platform_asked_and_never_endless(
    tries: int, chance: float, asked: timedelta | None
) -> None:
    pause = ledger.pause_before(tries, chance, RULES, asked)
    assert pause >= (asked or timedelta(0))
    assert RULES.first_pause <= pause <= max(RULES.longest_pause * 1.25, (asked or timedelta(0)) * 1.05)


@given(st.lists(st.sampled_from(["h1", "h2", "h3"]), min_size=1, max_size=12))
def test_a_key_belongs_to_one_content(digests: list[str]) -> None:
    row = {"key": "k0", "hash": "h0"}
    last: dict[str, str] = {}
    for number, digest in enumerate(digests, 1):
        key = ledger.decide_key(row, digest, f"k{number}")
        if row["hash"] == digest:
            assert key == row["key"]
        else:
            assert key not in last
        last[key] = digest
        row = {"key": key, "hash": digest}


@given(st.integers(1, 40), st.sampled_from(["hint", "none"]))
def test_no_number_of_looks_makes_an_untrusted_platforms_silence_a_reason_to_send(looks: int, lookup: str) -> None:
    row: dict[str, Any] = {"state": "unknown", "lost_at": MORNING, "seen_missing": 0}
    now = MORNING
    for _ in range(looks):
        now += timedelta(hours=1)
        decision = ledger.decide_missing(row, now, lookup, timedelta(minutes=2))
        assert decision.event == "miss"
        row |= decision.fields


@given(st.integers(0, 300), st.integers(-7200, 7200))
def test_two_looks_must_lie_a_settling_time_apart_whatever_the_clocks_say(watched: int, clocks: int) -> None:
    settling = timedelta(seconds=120)
    row: dict[str, Any] = {"state": "unknown", "lost_at": MORNING, "seen_missing": 0}
    one = ledger.decide_missing(row, MORNING, "trusted", settling)
    assert one.event == "miss"
    then, between = MORNING + timedelta(seconds=clocks), timedelta(seconds=watched)
    two = ledger.decide_missing({**row, **one.fields}, then, "trusted", settling, watched=between)
    assert (two.event == "miss_again") == (watched >= 120)


def test_a_post_waiting_by_hand_waits_for_its_person_however_long() -> None:
    row = {"state": "pending", "pending_since": MORNING, "pending_for": "by_hand", "title": "供热"}
    late = MORNING + timedelta(days=30)
    assert ledger.decide_checked(row, Pending("t", "by_hand", timedelta(minutes=5)), late, RULES).event == "wait"
    row["pending_for"] = "audit"
    assert ledger.decide_checked(row, Pending("t", "audit", timedelta(minutes=5)), late, RULES).event == "lose"


def test_every_state_has_its_word_and_a_way_in() -> None:
    assert set(STATE_WORDS) == {state.value for state in State}
    reached = {step.then for step in MOVES} | {State.SCHEDULED}
    assert reached == set(State)
    ends = {"published", "removed", "cancelled", "refused"}
    assert set(OPEN_STATES) | ends == {state.value for state in State}
    assert attempt_words({"number": 2, "outcome": "unknown", "settled": {"outcome": "accepted"}}).startswith("第 2 次")
