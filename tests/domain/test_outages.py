"""When no worker lives: the desk itself tells the people on duty, once, once more, and when it is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from hub.access import Argon2Proofs
from hub.desk import beating
from hub.desk.beating import beat
from hub.desk.carrying import carry
from hub.desk.guarding import EVERY, GUARD, Guard
from hub.desk.publishing import Wish, schedule
from hub.domain.errors import NotAllowed
from hub.domain.people import Role, program
from hub.store.base import Document
from tests.domain.publishing_office import EDITOR, MORNING, Office, make_office
from tests.domain.trust_office import CARRIER, PassingClock, Postbox, person

WORKER = program("worker")
QUICK = Argon2Proofs(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def small_office(*, due: timedelta | None = timedelta(minutes=20)) -> tuple[Office, Postbox]:
    """A text that is due, somebody on duty with an address, an administrator, and a worker that lived just now."""
    office, box = make_office(clock=PassingClock()), Postbox()
    office = replace(office, desk=replace(office.desk, mail=box, proofs=QUICK))
    await person(office.desk, "monitor", Role.MONITOR, duty=True, email="zhiban@example.cn")
    await person(office.desk, "sysadmin", Role.SYSADMIN)
    await person(office.desk, "editor", Role.EDITOR)
    await office.account("weibo-main", "weibo", name="云川发布")
    if due is not None:
        await office.write("c1", "供暖提前")
        await schedule(EDITOR, office.desk, "c1", [Wish("weibo-main", MORNING + due)])
    await beat(WORKER, office.desk)
    return office, box


async def looks(office: Office, guard: Guard, number: int) -> int:
    """So many looks of this process, ten seconds apart; how often somebody was told."""
    told = 0
    for _ in range(number):
        told += await guard.look(GUARD, office.desk)
        office.clock.move(EVERY)
    return told


async def told(office: Office, login: str) -> list[Document]:
    user = (await office.store.find("users", {"login": login}))[0]
    where = {"person": user["_id"], "matter": "workers"}
    return await office.store.find("notices", where, sort=[("at", 1)])


async def test_when_the_last_worker_dies_the_desk_itself_tells_the_people_on_duty_by_bell_and_mail() -> None:
    office, box = await small_office()
    guard = Guard()
    assert await looks(office, guard, 3) == 0  # half a minute without a beat may pass
    assert await looks(office, guard, 3) == 1
    (rung,) = await told(office, "monitor")
    assert rung["text"] == (
        "自动发布已停止：11 月 24 日 09:00 以后没有发布程序在运行。"
        "已到点和一小时内要发的有 1 条，都不会自动发出；最早的是 11 月 24 日 09:20 的《供暖提前》（云川发布）。"
        "请系统管理员启动发布程序；恢复以前，紧急的请到平台上手工发布。"
    )
    assert rung["link"] == "/publications?tab=scheduled"
    assert [(to, subject) for to, subject, *_ in box.letters] == [
        ("zhiban@example.cn", "【政声】自动发布已停止：11 月 24 日 09:00 以后没有发布程序在运行")
    ]
    assert len(await told(office, "sysadmin")) == 1
    assert await told(office, "editor") == []


async def test_an_outage_is_told_once_then_once_more_after_an_hour_and_once_when_it_is_over() -> None:
    office, _ = await small_office()
    guard = Guard()
    assert await looks(office, guard, 300) == 1
    assert await looks(office, guard, 600) == 1
    await beat(WORKER, office.desk)
    assert await looks(office, guard, 2) == 1
    await carry(CARRIER, office.desk)
    first, second, third = [row["text"] for row in await told(office, "monitor")]
    assert first.startswith("自动发布已停止") and second.startswith("自动发布停了 1 时")
    assert third.startswith("自动发布已恢复：11 月 24 日 09:00 起停了 2 时 30 分。")
    await beat(WORKER, office.desk)
    assert await looks(office, guard, 2) == 0
    assert await looks(office, guard, 10) == 1, "the next outage is told again"


@pytest.mark.parametrize("due", [None, timedelta(hours=3)])
async def test_nobody_is_woken_while_nothing_is_due_and_everybody_is_when_something_comes_near(
    due: timedelta | None,
) -> None:
    office, box = await small_office(due=due)
    guard = Guard()
    assert await looks(office, guard, 60) == 0
    assert await looks(office, guard, 12 * 60) == (0 if due is None else 1)
    assert len(box.letters) == (0 if due is None else 1)


async def test_of_two_desks_one_tells() -> None:
    office, box = await small_office()
    pair = [(Guard(), replace(office.desk, owner=f"desk-{number}")) for number in (1, 2)]
    said = 0
    for _ in range(40):
        said += sum(await asyncio.gather(*(guard.look(GUARD, desk) for guard, desk in pair)))
        office.clock.move(EVERY)
    assert said == 1
    assert len(await told(office, "monitor")) == len(box.letters) == 1


async def test_a_clock_that_was_set_wakes_nobody() -> None:
    office, _ = await small_office()
    guard = Guard()
    office.clock.jump(MORNING + timedelta(minutes=15))
    assert await looks(office, guard, 1) == 0
    await beat(WORKER, office.desk)
    assert await looks(office, guard, 2) == 0


async def test_the_watch_looks_by_itself_from_half_a_minute_after_the_start_and_only_its_own_program_may() -> None:
    office, box = await small_office()
    watching = asyncio.create_task(Guard().run(office.desk))
    while not box.letters:  # noqa: ASYNC110 - the clock passes by itself here
        await asyncio.sleep(0)
    watching.cancel()
    assert timedelta(seconds=40) <= office.clock.now() - MORNING <= timedelta(seconds=70)
    with pytest.raises(NotAllowed):
        await Guard().look(EDITOR, office.desk)


async def test_the_first_beat_after_a_silence_writes_down_how_long_nobody_lived() -> None:
    office, _ = await small_office()
    office.clock.move(timedelta(hours=2))
    for owner in ("worker-2", "worker-3"):
        await beat(WORKER, replace(office.desk, owner=owner))
    office.clock.move(5)
    await beat(WORKER, office.desk)
    record = await office.store.get("switches", "workers") or {}
    assert [(stop["since"], stop["until"]) for stop in record["stops"]] == [(MORNING, MORNING + timedelta(hours=2))]
    assert await beating.is_publishing(office.desk)
