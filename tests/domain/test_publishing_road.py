"""The road over the real channels: website first, then 微博 with its address, with the platforms' faults on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.desk import publishing, reviewing, settling, writing
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.operating import operate, settle_operations
from hub.desk.publishing import Wish
from hub.desk.withdrawing import withdraw
from hub.domain.content import Draft
from hub.domain.people import Actor, Role
from hub.store.base import Document
from tests.contracts.channel_rooms import START, Room, site, weibo
from tests.domain.publishing_office import DISPATCHER, EDITOR, SETTLER, Office, make_office


class Road:
    """An office whose website and 微博 are the real channels over platforms in this process."""

    def __init__(self, office: Office) -> None:
        self.rooms: dict[str, Room] = {"site-main": site(), "weibo-main": weibo()}
        office.desk = replace(office.desk, connect=lambda account: self.rooms[str(account["_id"])].channel)
        self.office = office

    async def begin(self) -> None:
        assert self.office.clock.now() == START
        await self.office.account("site-main", "site")
        await self.office.account(
            "weibo-main", "weibo", waits_for="site-main", settings={"domain": "www.yunchuan.example"}
        )
        await self.office.write("c1", "云川市第一批老旧小区供暖管网改造完工")
        wishes = [Wish("site-main", START), Wish("weibo-main", START)]
        await publishing.schedule(EDITOR, self.office.desk, "c1", wishes)

    async def rounds(self, number: int, seconds: float = 5) -> None:
        desk = self.office.desk
        for _ in range(number):
            await dispatch(DISPATCHER, desk)
            await wake_waiting(DISPATCHER, desk)
            await operate(DISPATCHER, desk)
            await settling.settle(SETTLER, desk)
            await settle_operations(SETTLER, desk)
            self.office.clock.move(seconds)
            for room in self.rooms.values():
                room.clock.move(timedelta(seconds=seconds))

    async def row(self, account: str) -> Document:
        row = await self.office.store.get("publications", f"c1:{account}:1")
        assert row is not None
        return row


async def test_an_article_goes_to_the_website_and_then_with_its_address_to_weibo() -> None:
    road = Road(make_office())
    await road.begin()
    await road.rounds(4)
    on_site, on_weibo = await road.row("site-main"), await road.row("weibo-main")
    assert (on_site["state"], on_weibo["state"]) == ("published", "published")
    assert on_weibo["link"] == on_site["url"]
    assert len(road.rooms["site-main"].public()) == len(road.rooms["weibo-main"].public()) == 1


WRITER = Actor("u-writer", "撰稿人", frozenset({Role.EDITOR}))
FIRST = Actor("u-first", "初审", frozenset({Role.REVIEWER}), levels=frozenset({1}), second_factor=True)
LAST = Actor("u-last", "终审", frozenset({Role.REVIEWER}), levels=frozenset({2}), second_factor=True)


async def test_written_reviewed_scheduled_published_and_an_edit_after_approval_stays_inside() -> None:
    """The desk's own verbs from the first sentence on; what goes out is what the second reviewer saw."""
    road = Road(make_office())
    desk, store = road.office.desk, road.office.store
    await road.office.account("site-main", "site")
    await store.insert("columns", {"_id": "yaowen", "name": "要闻", "levels": 2, "public": True, "order": 1})
    text = [{"kind": "p", "runs": [{"text": "改造工程通过验收，居民家中已恢复供暖。"}]}]
    draft = Draft("news", "yaowen", "老旧小区供暖管网改造完工", "", text, (), {"source": "云川市新闻办"})
    content = await writing.start(WRITER, desk, draft)
    id = str(content["_id"])
    await writing.submit(WRITER, desk, id, revision=1)
    await publishing.schedule(WRITER, desk, id, [Wish("site-main", START)])
    await road.rounds(2)
    assert road.rooms["site-main"].public() == []
    for level, person in ((1, FIRST), (2, LAST)):
        seen = await store.get("contents", id)
        assert seen is not None
        await reviewing.review(person, desk, id, level=level, verdict="pass", hash=seen["hash"], remark="")
    await road.rounds(4)
    assert len(road.rooms["site-main"].public()) == 1
    changed = replace(draft, title="没有人审过的标题")
    await writing.save(WRITER, desk, id, changed, revision=1)
    await road.rounds(10)
    row = await store.get("publications", f"{id}:site-main:1")
    assert row is not None
    assert (row["state"], row["revision"], row["title"]) == ("published", 1, "老旧小区供暖管网改造完工")


@pytest.mark.parametrize("account", ["site-main", "weibo-main"])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "close", "garbage"])
async def test_a_fault_at_the_public_step_never_publishes_twice_and_never_lies(account: str, fault: str) -> None:
    road = Road(make_office())
    await road.begin()
    road.rooms[account].order(fault)
    await road.rounds(120)
    for name, room in road.rooms.items():
        row = await road.row(name)
        assert len(room.public()) <= 1
        if row["state"] == "published":
            assert len(room.public()) == 1
        else:
            assert name == "weibo-main"
            assert row["state"] in ("unknown", "held")
    assert (await road.row("site-main"))["state"] == "published"


async def test_a_withdrawal_takes_the_article_off_the_website_and_asks_a_person_for_weibo() -> None:
    road = Road(make_office())
    await road.begin()
    await road.rounds(4)
    await withdraw(EDITOR, road.office.desk, "c1", "数字有误")
    await road.rounds(4)
    assert (await road.row("site-main"))["state"] == "removed"
    assert road.rooms["site-main"].public() == []
    assert (await road.row("weibo-main"))["state"] == "published"
    assert await road.office.store.count("tasks", {"kind": "operation.by_hand"}) == 1
