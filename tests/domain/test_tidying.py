"""Drafts that will never be published: listed and thrown away once that is certain, and no other draft ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.desk import publishing, settling
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish
from hub.desk.tidying import drafts_left, tidy
from hub.domain import leftovers
from hub.domain.errors import NotAllowed
from hub.domain.people import program
from hub.store.base import Document
from tests.contracts.channel_rooms import PICTURE, START, Room, wechat
from tests.contracts.wechat_room import drafts
from tests.domain.publishing_office import DISPATCHER, EDITOR, REVIEWER, SETTLER, Office, make_office

TIDIER = program("tidier")
ID = "c1:wechat-main:1"


class Account:
    """An office with one official account over its rehearsal, one text planned for now."""

    def __init__(self) -> None:
        self.room: Room = wechat()
        self.office: Office = make_office()
        self.office.desk = replace(self.office.desk, connect=lambda _: self.room.channel)

    async def begin(self) -> None:
        assert self.office.clock.now() == START
        cover = await self.office.desk.files.put(PICTURE)
        media = {"_id": cover, "type": "image/png", "width": 640, "height": 360, "size": len(PICTURE)}
        await self.office.store.insert("media", media)
        settings = {"domain": "www.yunchuan.example", "fallback_url": "https://www.yunchuan.example/"}
        await self.office.account("wechat-main", "wechat", name="云川发布", settings=settings)
        await self.office.write("c1", "供暖提前")
        await publishing.schedule(EDITOR, self.office.desk, "c1", [Wish("wechat-main", START)])

    def passes(self, time: timedelta) -> None:
        self.office.clock.move(time)
        self.room.clock.move(time)

    async def send(self) -> Document:
        await dispatch(DISPATCHER, self.office.desk)
        return await self.row()

    async def row(self) -> Document:
        return await self.office.store.get("publications", ID) or {}

    async def tidied(self) -> list[str]:
        """What is in the platform's box after the duty's next round."""
        self.passes(leftovers.REST + timedelta(minutes=1))
        await tidy(TIDIER, self.office.desk)
        return drafts(self.room)


async def refused() -> Account:
    account = Account()
    await account.begin()
    account.room.order("code", 45028)
    row = await account.send()
    assert row["state"] in ("refused", "scheduled") and drafts(account.room) == [row["staged"]["media_id"]]
    return account


async def test_the_draft_of_a_refused_post_stays_until_somebody_gives_the_post_up() -> None:
    account = await refused()
    assert len(await account.tidied()) == 1
    await publishing.cancel(EDITOR, account.office.desk, ID)
    (left,) = await drafts_left(EDITOR, account.office.desk, "wechat-main")
    assert (left["title"], left["why"]) == ("供暖提前", "已取消，不再发布")
    assert await account.tidied() == []
    assert await drafts_left(EDITOR, account.office.desk, "wechat-main") == []
    row = await account.row()
    assert "leftovers" not in row and row["staged"], "what was sent is still known"


async def test_a_draft_that_another_key_has_replaced_goes_and_the_new_one_stays() -> None:
    account = await refused()
    old = drafts(account.room)
    await account.office.write("c1", "供暖提前到十一月", number=2)
    account.room.order("code", 45028)
    if (await account.row())["state"] == "refused":
        await publishing.release(REVIEWER, account.office.desk, ID)
    else:
        account.passes(timedelta(days=1))
        await publishing.move(EDITOR, account.office.desk, ID, account.office.clock.now())
    new = (await account.send())["staged"]["media_id"]
    assert sorted(drafts(account.room)) == sorted([*old, new])
    (left,) = await drafts_left(EDITOR, account.office.desk, "wechat-main")
    assert left["why"] == "内容改过，换了新草稿"
    assert await account.tidied() == [new]


@pytest.mark.parametrize("fault", ["drop_before", "status", ""])
async def test_what_is_unknown_or_pending_keeps_its_draft_whatever_happens(fault: str) -> None:
    account = Account()
    await account.begin()
    if fault:
        account.room.order(fault, 502 if fault == "status" else 0)
    row = await account.send()
    assert row["state"] == ("unknown" if fault else "pending")
    for _ in range(3):
        await account.tidied()
    assert account.room.asked("/draft/delete") == 0


async def test_an_unknown_that_a_person_says_is_not_out_and_gives_up_leaves_nothing() -> None:
    account = Account()
    await account.begin()
    account.room.order("drop_before")
    await account.send()
    await settling.settle(SETTLER, account.office.desk)
    await settling.resolve(REVIEWER, account.office.desk, ID, "not_published", evidence="草稿箱里还在")
    assert len(await account.tidied()) == 1
    await publishing.cancel(EDITOR, account.office.desk, ID)
    assert await account.tidied() == []


async def test_somebody_elses_draft_is_never_touched_and_what_fails_is_tried_again_and_then_shown() -> None:
    account = await refused()
    others = await account.room.staged(7)
    await publishing.cancel(EDITOR, account.office.desk, ID)
    account.room.order("status", 502, match="/draft/delete", times=100)
    for _ in range(leftovers.TRIES + 3):
        account.passes(timedelta(hours=1))
        assert len(await account.tidied()) == 2
    (left,) = await drafts_left(EDITOR, account.office.desk, "wechat-main")
    assert left["again"] is None and left["said"]
    assert 0 < account.room.asked("/draft/delete") <= leftovers.TRIES * 3
    assert others.refs["media_id"] in drafts(account.room)


async def test_a_platform_that_keeps_no_drafts_is_left_alone_and_only_the_duty_may() -> None:
    office = make_office()
    await office.account("main", "trusted")
    await office.write("c1", "供暖提前")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("main", START)])
    office.platforms["main"].faults[:] = ["word"]
    await dispatch(DISPATCHER, office.desk)
    await publishing.cancel(EDITOR, office.desk, "c1:main:1")
    office.clock.move(leftovers.REST + timedelta(minutes=1))
    assert await tidy(TIDIER, office.desk) == 1
    assert await drafts_left(EDITOR, office.desk, "main") == []
    with pytest.raises(NotAllowed):
        await tidy(EDITOR, office.desk)
