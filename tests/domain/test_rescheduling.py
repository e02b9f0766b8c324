"""A post of the calendar is moved on all its channels and back again; whoever is faster wins and the other is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import cycle, product
from typing import Any

import pytest

from hub.desk import publishing, rescheduling
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish
from hub.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.store.base import Document
from tests.domain.publishing_office import (
    DISPATCHER,
    EDITOR,
    MONITOR,
    MORNING,
    REVIEWER,
    Office,
    WrappedStore,
    make_office,
)

AT = MORNING + timedelta(hours=3)
IDS = ("c1:a-0:1", "c1:a-1:1")
THURSDAY = date(2026, 11, 26)


async def planned(**more: Any) -> Office:
    office = make_office(**more)
    for number in range(2):
        await office.account(f"a-{number}", "trusted")
    await office.write("c1", "供暖电话")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish(f"a-{number}", AT) for number in range(2)])
    return office


async def times(office: Office) -> list[datetime]:
    rows = await office.store.find("publications", {}, sort=[("_id", 1)], limit=9)
    return [row["at"] for row in rows]


async def test_all_channels_go_together_and_keep_their_time_of_day() -> None:
    office = await planned()
    moved = await rescheduling.reschedule(EDITOR, office.desk, IDS, seen=AT, to=THURSDAY)
    goal = AT + timedelta(days=2)
    assert [row["at"] for row in moved.rows] == [goal, goal] == await times(office) and not moved.left
    row = await office.store.get("publications", IDS[0])
    assert row is not None and (row["state"], row["not_before"], row["tries"]) == ("scheduled", goal, 0)
    rows = [each for parcel in row["outbox"] for each in parcel.get("rows", [parcel])]
    noted = [each for each in rows if each.get("act") == "publication.move"]
    assert noted[-1]["detail"] == {"from": "scheduled", "was": AT.isoformat(), "at": goal.isoformat()}
    office.clock.move(timedelta(hours=4))
    assert await dispatch(DISPATCHER, office.desk) == 0
    office.clock.move(timedelta(days=2))
    assert await dispatch(DISPATCHER, office.desk) == 2


async def test_only_who_may_schedule_may_move_or_take_back() -> None:
    office = await planned()
    with pytest.raises(NotAllowed):
        await rescheduling.reschedule(MONITOR, office.desk, IDS, seen=AT, to=THURSDAY)
    await rescheduling.reschedule(REVIEWER, office.desk, IDS, seen=AT, to=THURSDAY)
    with pytest.raises(NotAllowed):
        await rescheduling.move_back(MONITOR, office.desk, IDS, seen=AT + timedelta(days=2))


async def test_what_is_none_or_of_two_contents_or_in_the_past_changes_nothing() -> None:
    office = await planned()
    await office.write("c2", "停水")
    await publishing.schedule(EDITOR, office.desk, "c2", [Wish("a-0", AT)])
    for ids, error in (((), Invalid), (("c9:a-0:1",), NotFound), ((IDS[0], "c2:a-0:1"), Invalid)):
        with pytest.raises(error):
            await rescheduling.reschedule(EDITOR, office.desk, ids, seen=AT, to=THURSDAY)
    with pytest.raises(Invalid) as caught:
        await rescheduling.reschedule(EDITOR, office.desk, IDS, seen=AT, to=date(2026, 11, 23))
    assert "11 月 23 日 12:00 已经过去" in caught.value.message
    assert await times(office) == [AT] * 3


async def test_a_channel_that_was_held_stops_the_whole_move() -> None:
    office = await planned()
    await publishing.hold(MONITOR, office.desk, IDS[1])
    with pytest.raises(Conflict) as caught:
        await rescheduling.reschedule(EDITOR, office.desk, IDS, seen=AT, to=THURSDAY)
    assert "已暂停" in caught.value.message and await times(office) == [AT, AT]


class Slow(WrappedStore):
    """Gives way so many times, one number after the other, before each question and each change."""

    def __init__(self, inner: Any, chances: Iterator[int]) -> None:
        super().__init__(inner)
        self.chances = chances

    async def find(self, *given: Any, **more: Any) -> Any:
        await self._wait()
        return await self.inner.find(*given, **more)

    async def change(self, *given: Any, **more: Any) -> Any:
        await self._wait()
        return await self.inner.change(*given, **more)

    async def _wait(self) -> None:
        for _ in range(next(self.chances)):
            await asyncio.sleep(0)


async def test_of_two_people_who_move_one_post_at_once_one_wins_wholly_and_the_other_is_told() -> None:
    both = ((EDITOR, THURSDAY), (REVIEWER, date(2026, 11, 27)))
    for waits in product(range(3), repeat=4):
        office = await planned()
        desks = [office.worker("desk", store=Slow(office.store, cycle(waits[at : at + 2]))) for at in (0, 2)]
        said = await asyncio.gather(
            *(
                rescheduling.reschedule(who, desk, IDS, seen=AT, to=goal)
                for desk, (who, goal) in zip(desks, both, strict=True)
            ),
            return_exceptions=True,
        )
        lost = [one for one in said if isinstance(one, Conflict)]
        won = [one for one in said if isinstance(one, rescheduling.Moved)]
        assert (len(lost), len(won)) == (1, 1) and "刚才已被改到" in lost[0].message
        assert await times(office) == [row["at"] for row in won[0].rows]


class Meddling(WrappedStore):
    """Lets something happen exactly between the look at all channels and the first change."""

    def __init__(self, inner: Any, act: Any) -> None:
        super().__init__(inner)
        self.act = act

    async def change(self, table: str, where: Mapping[str, Any], update: Any, **more: Any) -> Document | None:
        act, self.act = self.act, None
        if act is not None:
            await act()
        result: Document | None = await self.inner.change(table, where, update, **more)
        return result


async def test_a_channel_that_is_cancelled_in_that_moment_is_named_and_the_other_goes() -> None:
    office = await planned()

    async def cancel() -> None:
        await publishing.cancel(REVIEWER, office.desk, IDS[1])

    desk = office.worker("desk", store=Meddling(office.store, cancel))
    moved = await rescheduling.reschedule(EDITOR, desk, IDS, seen=AT, to=THURSDAY)
    assert [row["_id"] for row in moved.rows] == [IDS[0]]
    assert moved.left == ["《供暖电话》现在是“已取消”，时间没有改。"]


async def test_a_claim_that_the_clockwork_gives_back_does_not_hinder_the_move() -> None:
    office = await planned()

    async def claimed() -> None:
        await office.store.change("publications", {"_id": IDS[0]}, {"$inc": {"lease_number": 1}})

    desk = office.worker("desk", store=Meddling(office.store, claimed))
    moved = await rescheduling.reschedule(EDITOR, desk, IDS, seen=AT, to=THURSDAY)
    assert len(moved.rows) == 2 and not moved.left


async def test_a_move_is_taken_back_once_by_the_one_who_made_it() -> None:
    office = await planned()
    goal = AT + timedelta(days=2)
    await rescheduling.reschedule(EDITOR, office.desk, IDS, seen=AT, to=THURSDAY)
    with pytest.raises(Conflict):
        await rescheduling.move_back(REVIEWER, office.desk, IDS, seen=goal)
    back = await rescheduling.move_back(EDITOR, office.desk, IDS, seen=goal)
    assert {row["at"] for row in back.rows} == {AT} == set(await times(office))
    with pytest.raises(Conflict):
        await rescheduling.move_back(EDITOR, office.desk, IDS, seen=AT)


async def test_a_move_of_somebody_else_in_between_is_not_taken_back_with_ones_own() -> None:
    office = await planned()
    goal = AT + timedelta(days=2)
    await rescheduling.reschedule(EDITOR, office.desk, IDS, seen=AT, to=THURSDAY)
    await publishing.move(REVIEWER, office.desk, IDS[0], goal + timedelta(hours=1))
    with pytest.raises(Conflict) as caught:
        await rescheduling.move_back(EDITOR, office.desk, IDS, seen=goal)
    assert "刚才已被改到 11 月 26 日 13:00" in caught.value.message
    assert await times(office) == [goal + timedelta(hours=1), goal]


async def test_a_move_is_told_to_the_one_who_made_it_and_only_just_then() -> None:
    office = await planned()
    assert await rescheduling.last_move(EDITOR, office.desk, IDS[0]) == []
    await rescheduling.reschedule(EDITOR, office.desk, IDS, seen=AT, to=THURSDAY)
    told = await rescheduling.last_move(EDITOR, office.desk, IDS[0])
    assert sorted(row["_id"] for row in told) == list(IDS)
    assert await rescheduling.last_move(REVIEWER, office.desk, IDS[0]) == []
    office.clock.move(timedelta(minutes=2))
    assert await rescheduling.last_move(EDITOR, office.desk, IDS[0]) == []
