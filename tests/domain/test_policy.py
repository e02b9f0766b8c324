"""Policies: limits nobody passes, the second person, the next day; and their changes in the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.desk.governing import confirm_policy, drop_proposal, list_policies, set_policy
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.domain.policy import POLICIES, checked, describe, next_day
from tests.domain.trust_office import AUDITOR, CARRIER, EDITOR, SECADMIN, SECOND_SECADMIN, clock_of, make_desk


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_default_keeps_its_own_limits_and_names_its_source(name: str) -> None:
    policy = POLICIES[name]
    assert checked(name, policy.default) == policy.default
    assert policy.source and policy.meaning
    assert f"| `{name}` |" in describe()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password_length", 9),
        ("lock_failures", 6),
        ("session_idle_minutes", 31),
        ("withdraw_review_hours", 25),
        ("approval_levels", 0),
        ("approval_levels", 2.0),
        ("approval_levels", True),
        ("approval_levels", "2"),
        ("second_factor", 1),
        ("alert_chance", float("nan")),
        ("alert_chance", None),
        ("no_such_rule", 1),
    ],
)
def test_a_value_beyond_the_limits_or_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Invalid):
        checked(name, value)


async def test_nobody_changed_it_gives_the_default() -> None:
    desk = make_desk()
    assert await desk.policies.value("late_minutes") == 30
    with pytest.raises(KeyError):
        await desk.policies.value("no_such_rule")


async def test_a_plain_policy_holds_at_once_and_is_in_the_audit() -> None:
    desk = make_desk()
    await set_policy(SECADMIN, desk, "late_minutes", 45)
    assert await desk.policies.value("late_minutes") == 45
    await carry(CARRIER, desk)
    entry = (await desk.store.find("audit", {}))[0]
    assert (entry["act"], entry["subject"], entry["detail"]) == ("policy.set", "late_minutes", {"from": 30, "to": 45})


async def proposed(value: int = 3) -> Desk:
    desk = make_desk()
    await set_policy(SECADMIN, desk, "approval_levels", value)
    return desk


async def test_a_guarded_policy_waits_for_a_second_person_and_the_next_day() -> None:
    desk = await proposed()
    assert await desk.policies.value("approval_levels") == 2
    await confirm_policy(SECOND_SECADMIN, desk, "approval_levels", 3)
    assert await desk.policies.value("approval_levels") == 2
    clock_of(desk).jump(datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC))
    assert await desk.policies.value("approval_levels") == 2
    clock_of(desk).jump(datetime(2026, 11, 24, 16, 0, tzinfo=UTC))  # midnight of the office
    assert await desk.policies.value("approval_levels") == 3


async def test_nobody_confirms_their_own_proposal() -> None:
    desk = await proposed()
    with pytest.raises(NotAllowed, match="另一人"):
        await confirm_policy(SECADMIN, desk, "approval_levels", 3)
    clock_of(desk).move(timedelta(days=3))
    assert await desk.policies.value("approval_levels") == 2


async def test_a_proposal_changed_meanwhile_is_not_confirmed_unseen() -> None:
    desk = await proposed()
    await set_policy(SECADMIN, desk, "approval_levels", 1)
    with pytest.raises(Conflict):
        await confirm_policy(SECOND_SECADMIN, desk, "approval_levels", 3)


async def test_a_dropped_proposal_cannot_be_confirmed() -> None:
    desk = await proposed()
    await drop_proposal(SECOND_SECADMIN, desk, "approval_levels")
    with pytest.raises(NotFound):
        await confirm_policy(SECOND_SECADMIN, desk, "approval_levels", 3)


async def test_a_change_on_the_day_before_another_begins_keeps_what_holds_now() -> None:
    desk = await proposed()
    await confirm_policy(SECOND_SECADMIN, desk, "approval_levels", 3)
    await set_policy(SECADMIN, desk, "approval_levels", 1)
    await confirm_policy(SECOND_SECADMIN, desk, "approval_levels", 1)
    assert await desk.policies.value("approval_levels") == 2
    clock_of(desk).move(timedelta(days=1))
    assert await desk.policies.value("approval_levels") == 1


@pytest.mark.parametrize("actor", [EDITOR, AUDITOR])
async def test_others_read_the_rules_and_do_not_change_them(actor: Any) -> None:
    desk = make_desk()
    assert len(await list_policies(actor, desk)) == len(POLICIES)
    for act in (set_policy, confirm_policy):
        with pytest.raises(NotAllowed):
            await act(actor, desk, "late_minutes", 45)


def test_the_next_day_is_the_offices_and_not_greenwichs() -> None:
    assert next_day(datetime(2026, 11, 24, 15, 59, tzinfo=UTC)) == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    assert next_day(datetime(2026, 11, 24, 16, 0, tzinfo=UTC)) == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
