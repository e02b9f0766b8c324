"""Accounts and the clockwork: sealed credentials, health, beats, and a worker that is told to stop."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from channels.contract import Health
from hub.desk import accounts, beating
from hub.desk.accounts import NewAccount
from hub.desk.desk import Desk
from hub.domain.errors import Invalid, NotAllowed, NotFound
from hub.domain.people import Actor, program
from scheduler.clockwork import Clockwork
from scheduler.jobs import JOBS, Job
from tests.domain.publishing_office import CARETAKER, EDITOR, SYSADMIN, make_office

SECRET = "token-of-the-account"
NEW = NewAccount(
    "trusted-main", "trusted", "云川发布", {"domain": "x.example"}, {"access_token": SECRET}, {"posts": 30}
)
WORKER = program("worker")


async def test_credentials_are_sealed_and_shown_nowhere() -> None:
    office = make_office()
    shown = await accounts.connect_account(SYSADMIN, office.desk, NEW)
    stored = await office.store.get("accounts", "trusted-main")
    assert stored is not None
    assert SECRET not in repr(stored)
    assert accounts.credentials_of(office.desk, stored) == {"access_token": SECRET}
    assert "credentials" not in shown
    assert all("credentials" not in row for row in await accounts.list_accounts(EDITOR, office.desk))


async def test_only_the_system_administrator_connects_and_a_bad_key_is_named() -> None:
    office = make_office()
    with pytest.raises(NotAllowed):
        await accounts.connect_account(EDITOR, office.desk, NEW)
    for key in ("", "A", "with.dot", "-x-", "x" * 60):
        with pytest.raises(Invalid) as caught:
            await accounts.connect_account(SYSADMIN, office.desk, NewAccount(key, "trusted", "名", {}, {}, {}))
        assert caught.value.errors[0].field == "key"
    with pytest.raises(NotFound):
        await accounts.test_account(SYSADMIN, office.desk, "nobody")


async def test_an_ill_account_is_told_once_and_asked_again_sooner_than_a_well_one() -> None:
    office = make_office()
    await office.account("a-main", "trusted")
    office.platforms["a-main"].health = Health("expired", "授权已失效")
    for _ in range(3):
        await accounts.look_after(CARETAKER, office.desk)
        office.clock.move(accounts.LOOK_AGAIN)
    row = await office.store.get("accounts", "a-main")
    assert row is not None
    notices = [entry for parcel in row["outbox"] for entry in parcel["rows"] if entry["kind"] == "notice"]
    assert len(notices) == 1
    assert row["health"]["state"] == "expired"


async def test_without_a_beat_for_half_a_minute_publishing_is_shown_as_stopped() -> None:
    office = make_office()
    assert not await beating.is_publishing(office.desk)
    await beating.beat(WORKER, office.desk)
    assert await beating.is_publishing(office.desk)
    office.clock.move(31)
    assert not await beating.is_publishing(office.desk)
    await beating.beat(WORKER, office.desk)
    await beating.stop_beating(WORKER, office.desk)
    assert not await beating.is_publishing(office.desk)


async def run_for(jobs: list[Job], seconds: float, *desks: Desk) -> None:
    clockworks = [Clockwork(desk, jobs) for desk in desks]
    for clockwork in clockworks:
        clockwork.start()
    await asyncio.sleep(seconds)
    for clockwork in clockworks:
        assert await clockwork.stop(2)


async def test_a_duty_that_raises_is_tried_again_and_the_others_go_on() -> None:
    office = make_office()
    done: list[str] = []

    async def fails(actor: Actor, desk: Desk) -> None:
        done.append("fails")
        raise RuntimeError("一次失败")

    async def works(actor: Actor, desk: Desk) -> None:
        done.append(actor.id)

    await run_for([Job("fails", 0.05, fails, "x"), Job("works", 0.05, works, "y")], 0.4, office.desk)
    assert done.count("fails") > 2
    assert done.count("program:y") > 2


async def test_a_leased_duty_is_done_by_one_worker_at_a_time() -> None:
    office = make_office()
    inside, most = [0], [0]

    async def alone(actor: Actor, desk: Desk) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        await asyncio.sleep(0.03)
        inside[0] -= 1

    job = Job("alone", 0.02, alone, "x", lease=True)
    await run_for([job], 0.4, office.worker("w1"), office.worker("w2"), office.worker("w3"))
    assert most[0] == 1


async def test_a_worker_told_to_stop_ends_what_is_under_way_first() -> None:
    office = make_office()
    ended: list[bool] = []

    async def slow(actor: Actor, desk: Desk) -> None:
        await asyncio.sleep(0.3)
        ended.append(True)

    clockwork = Clockwork(office.desk, [Job("slow", 0.05, slow, "x")])
    clockwork.start()
    await asyncio.sleep(0.15)
    assert await clockwork.stop(2)
    assert ended == [True]
    await asyncio.sleep(0.2)
    assert ended == [True]


def test_every_job_has_a_name_of_its_own_and_an_actor_with_rights() -> None:
    from hub.domain.rights import PROGRAMS

    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(f"program:{job.actor}" in PROGRAMS for job in JOBS)


async def test_every_duty_in_the_list_runs_on_an_empty_office() -> None:
    office = make_office()
    for job in JOBS:
        await job.duty(program(job.actor), office.desk)
        office.clock.move(timedelta(seconds=1))
