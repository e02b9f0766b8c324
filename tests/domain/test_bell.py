"""The bell: a duty that is rung for does not wait for its tick, is never done beside itself, and needs no ring."""

from __future__ import annotations

import asyncio

from hub.bell import Bell
from hub.desk.desk import Desk
from hub.desk.listening import listen, listen_open
from hub.desk.reading import read_new
from hub.desk.watching import Watch
from hub.domain.people import Actor
from scheduler.clockwork import Clockwork
from scheduler.jobs import Job
from tests.domain.listening_office import LISTENER, READER, WATCHER, Counting, Office, make_office

NEVER = 3600.0


async def rung(bell: Bell, name: str) -> bool:
    """Whether it has rung for this duty."""
    try:
        await asyncio.wait_for(bell.heard(name), 0.01)
    except TimeoutError:
        return False
    return True


async def test_two_rings_that_nobody_heard_are_one_and_wait_for_who_comes_later() -> None:
    bell = Bell()
    bell.ring("read")
    bell.ring("read")
    assert await rung(bell, "read")
    assert not await rung(bell, "read")
    assert not await rung(bell, "watch")


async def test_from_letter_to_alert_each_duty_rings_for_the_next() -> None:
    office = await make_office()
    for number in range(4):
        office.source.say("清源路水不清", author=f"市民{number}")
    await listen(LISTENER, office.desk)
    assert await rung(office.desk.bell, "read")
    await read_new(READER, office.desk)
    assert await rung(office.desk.bell, "watch")
    await Watch(Counting).tick(WATCHER, office.desk)
    assert await rung(office.desk.bell, "carry")


async def test_a_rung_duty_is_done_long_before_its_tick_and_one_time_after_the_other() -> None:
    office = await make_office()
    inside, done = [0], asyncio.Event()
    seen: list[int] = []

    async def duty(_actor: Actor, desk: Desk) -> None:
        inside[0] += 1
        seen.append(inside[0])
        if len(seen) < 3:
            desk.bell.ring("own")  # while it is under way
            await asyncio.sleep(0.01)
        else:
            done.set()
        inside[0] -= 1

    clockwork = Clockwork(office.desk, [Job("own", NEVER, duty, "x", rung=True)])
    clockwork.start()
    office.desk.bell.ring("own")
    await asyncio.wait_for(done.wait(), 20)
    assert await clockwork.stop(2)
    assert seen == [1, 1, 1]


async def test_a_rung_duty_that_fails_is_done_again_at_the_next_ring() -> None:
    office = await make_office()
    tries, done = [0], asyncio.Event()

    async def duty(_actor: Actor, desk: Desk) -> None:
        tries[0] += 1
        desk.bell.ring("own")
        if tries[0] < 3:
            raise RuntimeError("一次失败")
        done.set()

    clockwork = Clockwork(office.desk, [Job("own", NEVER, duty, "x", rung=True)])
    clockwork.start()
    office.desk.bell.ring("own")
    await asyncio.wait_for(done.wait(), 20)
    await clockwork.stop(2)


async def test_a_ring_that_was_lost_with_its_process_costs_one_tick_and_no_reply() -> None:
    office = await make_office()
    office.source.say("水不清")
    await listen(LISTENER, office.desk)
    other = office.again(office.desk.store)
    clockwork = Clockwork(other.desk, [Job("read", 0.05, read_new, "reader", rung=True)])
    clockwork.start()
    for _ in range(200):
        if await other.desk.store.count("replies", {"state": "read"}):
            break
        await asyncio.sleep(0.05)
    assert await clockwork.stop(2)
    assert await other.desk.store.count("replies", {"state": "read"}) == 1


async def held_open(office: Office) -> None:
    await office.desk.store.change("accounts", {"_id": "site-main"}, {"$set": {"settings": {"inbox_wait": 3}}})


async def test_a_website_that_holds_the_request_open_is_listened_to_apart_and_again_at_once() -> None:
    office = await make_office()
    await held_open(office)
    office.source.say("水不清")
    assert await listen(LISTENER, office.desk) == 0
    assert await listen_open(LISTENER, office.desk) == 1
    assert await rung(office.desk.bell, "listen_open")
    office.source.say("谢谢")
    assert await listen_open(LISTENER, office.desk) == 1, "without a rest"


async def test_who_finds_another_listening_or_a_website_in_trouble_does_not_ask_without_end() -> None:
    office = await make_office()
    await held_open(office)
    office.source.trouble = 1
    assert await listen_open(LISTENER, office.desk) == 0
    assert await rung(office.desk.bell, "listen_open")
    assert await listen_open(LISTENER, office.desk) == 0
    assert not await rung(office.desk.bell, "listen_open"), "it rests after the trouble"
    await office.desk.store.change(
        "accounts", {"_id": "site-main"}, {"$set": {"listen_at": None}}
    )
    lease = {"_id": "listen:site-main", "owner": "another", "until": office.clock.now().replace(year=2027), "number": 9}
    await office.desk.store.purge("leases", {"_id": "listen:site-main"}, reason="test")
    await office.desk.store.insert("leases", lease)
    assert await listen_open(LISTENER, office.desk) == 0
    assert not await rung(office.desk.bell, "listen_open")
