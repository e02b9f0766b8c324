"""Signing in: guessing is stopped, nobody is locked out by others, sessions end when they must, codes work once."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from hub.access.proofs import Argon2Proofs
from hub.desk import signing_in, staffing
from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.desk.signing_in import SignedIn, resume, sign_in
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, TooMany
from hub.domain.passwords import COMMON, checked_password, is_common, kinds
from hub.domain.people import Role
from hub.domain.session import SLOWEST, Wants, slow_by
from tests.domain.trust_office import (
    AUDITOR,
    CARRIER,
    CONSOLE,
    PASSWORD,
    SECADMIN,
    SECOND_SECADMIN,
    Interleaved,
    clock_of,
    code_of,
    make_desk,
    person,
)

HERE = "10.0.0.5"


async def office() -> tuple[Desk, str]:
    desk = make_desk()
    return desk, await person(desk, "editor", Role.EDITOR)


async def fail(desk: Desk, times: int, login: str = "editor", address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises((NotSignedIn, TooMany)):
            await sign_in(desk, login, "wrong-Password-1", address)


async def enter(desk: Desk, login: str = "editor", address: str = HERE) -> tuple[str, SignedIn]:
    return await sign_in(desk, login, PASSWORD, address)


async def test_the_right_password_opens_a_session_with_the_persons_rights() -> None:
    desk, id = await office()
    token, signed = await enter(desk)
    assert signed.actor.id == id and signed.actor.roles == {Role.EDITOR} and signed.wants is None
    again = await resume(desk, token, HERE)
    assert again is not None and again.actor.id == id and again.csrf == signed.csrf


async def test_the_store_holds_neither_password_nor_token_nor_form_token() -> None:
    desk, _ = await office()
    token, signed = await enter(desk)
    kept = str([await desk.store.find(table, {}) for table in ("users", "sessions", "lockouts")])
    for secret in (PASSWORD, token, signed.csrf, HERE):
        assert secret not in kept.replace("'address': '10.0.0.5'", "")  # the audit row names the address, nothing else


async def test_a_login_is_taken_without_regard_to_capitals() -> None:
    desk, _ = await office()
    assert (await sign_in(desk, " Editor ", PASSWORD, HERE))[1].wants is None


async def test_five_failures_lock_the_pair_for_a_quarter_of_an_hour_even_for_the_right_password() -> None:
    desk, _ = await office()
    await fail(desk, 5)
    with pytest.raises(TooMany) as caught:
        await enter(desk)
    assert 0 < caught.value.retry_after <= 900
    clock_of(desk).move(timedelta(minutes=15))
    assert (await enter(desk))[1].wants is None


async def test_a_success_starts_the_count_anew() -> None:
    desk, _ = await office()
    for _ in range(3):
        await fail(desk, 4)
        await enter(desk)


async def test_an_attacker_from_many_addresses_cannot_lock_the_chief_out() -> None:
    desk, _ = await office()
    for number in range(60):
        await fail(desk, 1, address=f"203.0.113.{number}")
    before = len(clock_of(desk).waits)
    assert (await enter(desk))[1].wants is None
    assert clock_of(desk).waits[before:] == [SLOWEST]  # answers have grown slow, and that is all


def test_delays_grow_and_stay_bearable() -> None:
    waits = [slow_by(failures) for failures in range(40)]
    assert waits[:5] == [0.0] * 5 and waits == sorted(waits) and waits[5] > 0 and max(waits) == SLOWEST


async def test_fifty_guesses_at_one_instant_are_only_five() -> None:
    desk, _ = await office()
    desk = replace(desk, store=Interleaved(desk.store))
    guesses = (sign_in(desk, "editor", "wrong-Password-1", HERE) for _ in range(50))
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(one, NotSignedIn) for one in answers) == 5
    assert sum(isinstance(one, TooMany) for one in answers) == 45
    with pytest.raises(TooMany):
        await enter(desk)


async def test_one_address_that_tries_many_logins_is_turned_away() -> None:
    desk, _ = await office()
    for number in range(30):
        await fail(desk, 1, login=f"guess{number}")
    with pytest.raises(TooMany):
        await enter(desk)
    assert (await enter(desk, address="10.0.0.6"))[1].wants is None


async def test_an_unknown_login_is_answered_with_the_same_words_and_locks_alike() -> None:
    desk, _ = await office()
    said = []
    for login in ("editor", "nobody"):
        with pytest.raises(NotSignedIn) as caught:
            await sign_in(desk, login, "wrong-Password-1", HERE)
        said.append(caught.value.message)
        await fail(desk, 4, login=login)
        with pytest.raises(TooMany):
            await sign_in(desk, login, PASSWORD, HERE)
    assert said[0] == said[1]


class Counting(PasswordHasher):
    """A hasher that remembers against what it verified."""

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        self.seen = [*getattr(self, "seen", []), str(hash)]
        return super().verify(hash, password)


async def test_an_unknown_login_costs_the_same_work() -> None:
    """Counted in processor time, since the time on the wall is everybody's on a busy machine."""
    hasher = Counting(time_cost=2, memory_cost=4096, parallelism=1)
    proofs = Argon2Proofs(hasher)
    digest = await proofs.digest(PASSWORD)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for known in (True, False) * 15:
        began = time.process_time()
        assert not await proofs.matches(digest if known else None, "wrong-Password-1")
        spent[known].append(time.process_time() - began)
    assert {one.rsplit("$", 2)[0] for one in hasher.seen} == {digest.rsplit("$", 2)[0]}  # one set of parameters
    assert len(hasher.seen) == 30
    assert 0.5 < statistics.median(spent[True]) / statistics.median(spent[False]) < 2


async def test_not_even_its_own_word_opens_nobodys_account() -> None:
    proofs = Argon2Proofs(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    assert not await proofs.matches(None, "nobody has this password")


async def test_signing_in_ends_the_session_the_browser_came_with() -> None:
    desk, _ = await office()
    token, _ = await enter(desk)
    new, _ = await sign_in(desk, "editor", PASSWORD, HERE, before=token)
    assert new != token
    assert await resume(desk, token, HERE) is None
    assert await resume(desk, new, HERE) is not None


async def test_a_session_ends_after_half_an_hour_without_activity() -> None:
    desk, _ = await office()
    token, _ = await enter(desk)
    for _ in range(5):
        clock_of(desk).move(timedelta(minutes=29))
        assert await resume(desk, token, HERE) is not None
    clock_of(desk).move(timedelta(minutes=30))
    assert await resume(desk, token, HERE) is None


async def test_an_open_stream_is_no_activity() -> None:
    desk, _ = await office()
    token, _ = await enter(desk)
    for _ in range(2):
        clock_of(desk).move(timedelta(minutes=14))
        assert await resume(desk, token, HERE, activity=False) is not None
    clock_of(desk).move(timedelta(minutes=2))
    assert await resume(desk, token, HERE, activity=False) is None


async def test_a_session_ends_after_twelve_hours_however_busy() -> None:
    desk, _ = await office()
    token, _ = await enter(desk)
    for _ in range(35):
        clock_of(desk).move(timedelta(minutes=20))
        assert await resume(desk, token, HERE) is not None
    clock_of(desk).move(timedelta(minutes=20))
    assert await resume(desk, token, HERE) is None


async def test_signing_out_ends_the_session_at_once() -> None:
    desk, _ = await office()
    token, signed = await enter(desk)
    await signing_in.sign_out(desk, signed)
    assert await resume(desk, token, HERE) is None


async def test_a_change_of_role_password_or_state_ends_every_session_at_once() -> None:
    desk, id = await office()
    changes = (
        lambda: staffing.set_roles(SECADMIN, desk, id, ["monitor"]),
        lambda: staffing.set_password(SECADMIN, desk, id, PASSWORD + "!"),
        lambda: staffing.set_password(SECADMIN, desk, id, PASSWORD),
        lambda: staffing.set_disabled(SECADMIN, desk, id, True),
    )
    for change in changes:
        token = (await enter(desk))[0] if change is not changes[2] else None
        await change()
        assert token is None or await resume(desk, token, HERE) is None
    with pytest.raises(NotSignedIn):
        await enter(desk)
    await staffing.set_disabled(SECADMIN, desk, id, False)
    assert (await enter(desk))[1].wants is Wants.PASSWORD


async def test_going_on_duty_ends_no_session() -> None:
    desk, id = await office()
    token, _ = await enter(desk)
    await staffing.set_duty(SECADMIN, desk, id, True)
    assert await resume(desk, token, HERE) is not None


async def test_the_first_password_must_be_changed_and_then_all_is_open() -> None:
    desk = make_desk()
    await person(desk, "editor", Role.EDITOR, must_change=True)
    _, signed = await enter(desk)
    assert signed.wants is Wants.PASSWORD
    await staffing.change_own_password(desk, signed, PASSWORD, "Heron-under-9-bridges")
    assert (await sign_in(desk, "editor", "Heron-under-9-bridges", HERE))[1].wants is None


async def test_a_password_older_than_the_policy_must_be_changed() -> None:
    desk, _ = await office()
    clock_of(desk).move(timedelta(days=90))
    assert (await enter(desk))[1].wants is Wants.PASSWORD


async def test_ones_own_password_needs_the_old_one_and_guessing_it_locks() -> None:
    desk, _ = await office()
    _, signed = await enter(desk)
    with pytest.raises(Invalid, match="原口令"):
        await staffing.change_own_password(desk, signed, PASSWORD, PASSWORD)
    with pytest.raises(NotAllowed):
        await staffing.change_own_password(desk, signed, "wrong", "Heron-under-9-bridges")
    refusals = 0
    for _ in range(8):
        try:
            await staffing.change_own_password(desk, signed, "wrong", "Heron-under-9-bridges")
        except TooMany:
            refusals += 1
        except NotAllowed:
            pass
    assert refusals >= 3


# --- second factor


async def enrolled() -> tuple[Desk, str, str, str]:
    desk, id = await office()
    token, signed = await enter(desk)
    factor = await signing_in.begin_enrolment(desk, signed)
    await signing_in.finish_enrolment(desk, signed, code_of(factor, desk))
    clock_of(desk).move(60)
    return desk, id, factor, token


async def half(desk: Desk) -> tuple[str, SignedIn]:
    token, signed = await enter(desk)
    assert signed.wants is Wants.SECOND
    return token, signed


async def test_a_new_factor_is_asked_for_and_its_code_opens() -> None:
    desk, _, factor, first = await enrolled()
    passed = await resume(desk, first, HERE)
    assert passed is not None and passed.wants is None and passed.actor.second_factor
    token, signed = await half(desk)
    await signing_in.second(desk, signed, code_of(factor, desk))
    opened = await resume(desk, token, HERE)
    assert opened is not None and opened.wants is None and opened.actor.second_factor


async def test_a_code_works_once_even_in_two_sessions_at_one_instant() -> None:
    desk, _, factor, _ = await enrolled()
    sessions = [await half(desk) for _ in range(4)]
    code = code_of(factor, desk)
    desk = replace(desk, store=Interleaved(desk.store))
    done = await asyncio.gather(
        *(signing_in.second(desk, signed, code) for _, signed in sessions), return_exceptions=True
    )
    assert sum(one is None for one in done) == 1


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_code_of_the_step_before_or_after_is_taken_and_no_other(steps: int, right: bool) -> None:
    desk, _, factor, _ = await enrolled()
    clock_of(desk).move(120)
    _, signed = await half(desk)
    if right:
        await signing_in.second(desk, signed, code_of(factor, desk, steps))
        return
    with pytest.raises(NotAllowed):
        await signing_in.second(desk, signed, code_of(factor, desk, steps))


async def test_an_older_code_after_a_newer_one_is_refused() -> None:
    desk, _, factor, _ = await enrolled()
    _, signed = await half(desk)
    await signing_in.second(desk, signed, code_of(factor, desk, 1))
    _, other = await half(desk)
    with pytest.raises(NotAllowed):
        await signing_in.second(desk, other, code_of(factor, desk))


async def test_five_wrong_codes_end_the_session() -> None:
    desk, _, factor, _ = await enrolled()
    token, signed = await half(desk)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            await signing_in.second(desk, signed, "000000")
    with pytest.raises(TooMany):
        await signing_in.second(desk, signed, code_of(factor, desk))
    assert await resume(desk, token, HERE) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12 34 5"])
async def test_what_is_no_code_is_refused(code: str) -> None:
    desk, _, _, _ = await enrolled()
    _, signed = await half(desk)
    with pytest.raises(NotAllowed):
        await signing_in.second(desk, signed, code)


async def test_the_factor_is_sealed_to_its_person() -> None:
    desk, id, factor, _ = await enrolled()
    user = await desk.store.get("users", id)
    assert user is not None and factor not in str(user)


async def test_a_production_asks_everybody_for_a_factor_and_a_demo_does_not() -> None:
    desk, _ = await office()
    assert (await enter(replace(desk, demo=False)))[1].wants is Wants.ENROL
    assert (await enter(desk))[1].wants is None


async def test_a_new_factor_needs_a_password_given_a_short_while_ago() -> None:
    desk, _ = await office()
    token, _ = await enter(desk)
    clock_of(desk).move(timedelta(minutes=11))
    signed = await resume(desk, token, HERE)
    assert signed is not None and not signed.confirmed
    with pytest.raises(NotAllowed, match="重新输入口令"):
        await signing_in.begin_enrolment(desk, signed)
    await signing_in.confirm(desk, signed, PASSWORD)
    again = await resume(desk, token, HERE)
    assert again is not None and again.confirmed


async def test_a_lost_factor_takes_two_administrators() -> None:
    desk, id, _, _ = await enrolled()
    await staffing.clear_factor(SECADMIN, desk, id)
    assert (await enter(desk))[1].wants is Wants.SECOND
    with pytest.raises(NotAllowed, match="另一位"):
        await staffing.clear_factor(SECADMIN, desk, id)
    await staffing.clear_factor(SECADMIN, desk, id)
    await staffing.clear_factor(SECOND_SECADMIN, desk, id)
    assert (await enter(desk))[1].wants is Wants.PASSWORD
    await carry(CARRIER, desk)
    acts = [row["act"] for row in await desk.store.find("audit", {"subject": id}, sort=[("number", 1)])]
    assert "user.factor_clear" in acts and acts.count("user.factor_loss") == 3


# --- people


async def test_people_are_kept_by_the_security_administrator_and_every_change_is_in_the_audit() -> None:
    desk, id = await office()
    for actor in (AUDITOR, replace(SECADMIN, roles=frozenset({Role.SYSADMIN}))):
        with pytest.raises(NotAllowed):
            await staffing.set_roles(actor, desk, id, ["monitor"])
    with pytest.raises(Invalid, match="三员分立"):
        await staffing.set_roles(SECADMIN, desk, id, ["auditor", "editor"])
    await staffing.set_roles(SECADMIN, desk, id, ["monitor"])
    await carry(CARRIER, desk)
    acts = [row["act"] for row in await desk.store.find("audit", {}, sort=[("number", 1)])]
    assert acts == ["user.add", "user.roles"]


async def test_nobody_changes_or_disables_themselves_and_the_last_keeper_stays() -> None:
    desk = make_desk()
    id = await person(desk, "keeper", Role.SECADMIN)
    self = replace(SECADMIN, id=id)
    with pytest.raises(NotAllowed):
        await staffing.set_roles(self, desk, id, ["editor"])
    with pytest.raises(NotAllowed):
        await staffing.set_disabled(self, desk, id, True)
    with pytest.raises(Conflict):
        await staffing.set_disabled(CONSOLE, desk, id, True)


async def test_two_people_cannot_have_one_login() -> None:
    desk, _ = await office()
    with pytest.raises(Conflict):
        await person(desk, "EDITOR", Role.MONITOR)


async def test_lists_show_no_secret_and_go_on_page_by_page() -> None:
    desk = make_desk()
    for number in range(5):
        await person(desk, f"user{number}", Role.EDITOR, email=f"user{number}@example.cn")
    first, after = await staffing.list_users(AUDITOR, desk, limit=3)
    second, end = await staffing.list_users(AUDITOR, desk, limit=3, after=after or "")
    assert [row["login"] for row in first + second] == [f"user{number}" for number in range(5)] and end is None
    assert not {"password", "email", "last_step", "outbox"} & set().union(*(row.keys() for row in first))
    assert all(row["totp"] is False for row in first)
    with pytest.raises(NotFound):
        await staffing.user_named(AUDITOR, desk, "user9")


async def test_an_email_is_sealed() -> None:
    desk = make_desk()
    id = await person(desk, "editor", Role.EDITOR, email="ed@example.cn")
    assert "ed@example.cn" not in str(await desk.store.get("users", id))
    for wrong in ("no-at", "a@b@c", "a b@c.cn", "甲@例.cn", "a@b.cn\nBcc: x"):
        with pytest.raises(Invalid):
            await staffing.set_email(SECADMIN, desk, id, wrong)


# --- tokens


async def test_a_token_speaks_for_its_person_within_its_scopes_until_it_ends() -> None:
    desk, id = await office()
    token = await staffing.create_token(SECADMIN, desk, name="媒体中心", user=id, scopes=["content.read"], days=1)
    actor = await signing_in.actor_of_token(desk, token, HERE)
    assert actor is not None and actor.kind == "token" and actor.scopes == {"content.read"}
    assert token not in str(await desk.store.find("tokens", {}))
    clock_of(desk).move(timedelta(days=1))
    assert await signing_in.actor_of_token(desk, token, HERE) is None


async def test_a_revoked_token_and_one_of_a_disabled_person_are_dead_at_once() -> None:
    desk, id = await office()
    tokens = [
        await staffing.create_token(SECADMIN, desk, name="甲", user=id, scopes=["content.read"]) for _ in range(2)
    ]
    listed = await staffing.list_tokens(SECADMIN, desk)
    await staffing.revoke_token(SECADMIN, desk, signing_in.hashed(tokens[0])[:12])
    assert len(listed) == 2
    assert await signing_in.actor_of_token(desk, tokens[0], HERE) is None
    assert await signing_in.actor_of_token(desk, tokens[1], HERE) is not None
    await staffing.set_disabled(SECADMIN, desk, id, True)
    assert await signing_in.actor_of_token(desk, tokens[1], HERE) is None
    for strange in ("", "hub_", "hub_" + "x" * 43, "Basic x"):
        assert await signing_in.actor_of_token(desk, strange, HERE) is None


# --- passwords


def test_128_signs_are_taken_whole_and_the_129th_is_refused() -> None:
    long = ("Xk9#" + "高粱地里的风" * 30)[:128]
    assert checked_password(long) == long
    with pytest.raises(Invalid, match="128"):
        checked_password(long + "长")


@pytest.mark.parametrize(
    "password",
    ["Ab1#567", "abcdefghijkl", "alllowercase1", "P@ssw0rd2026!", "Qwerty12345!", "Yunchuan@2026", "1qaz@WSX3edc",
     "Zhengwu#2026", "Abcdefgh1!", "aaaaaaaaaA1!", "Aa123456789!", "Huawei@123", "Editor-wins-77"],
)  # fmt: skip
def test_short_simple_common_and_own_words_are_refused(password: str) -> None:
    with pytest.raises(Invalid):
        checked_password(password, own=("editor", "王编辑"))


@pytest.mark.parametrize(
    "password", [PASSWORD, "关关雎鸠Ab1x在河", "correct-Horse7battery", "Xk9#mmvTz2", "水-Water-火-7-木"]
)
def test_unusual_passwords_in_any_script_are_taken(password: str) -> None:
    assert checked_password(password, own=("editor", "王编辑")) == password


def test_the_table_is_large_and_every_line_of_it_is_refused() -> None:
    assert len(COMMON) >= 1_000
    assert all(is_common(word) for word in COMMON)


def test_kinds_are_counted_over_all_scripts() -> None:
    assert [kinds(word) for word in ("", "a", "aA", "aA1", "aA1#", "中文")] == [0, 1, 2, 3, 4, 1]
