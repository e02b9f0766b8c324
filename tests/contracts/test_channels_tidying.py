"""What was staged and will never be published is thrown away: only that, as often as asked, nothing public with it."""

from __future__ import annotations

import pytest

from channels.contract import Accepted, Refused, Tidying, Unknown, Who
from channels.kinds import CHANNELS
from tests.contracts.channel_rooms import ROOMS, Room, wechat
from tests.contracts.wechat_room import drafts

TIDY = sorted(kind for kind in CHANNELS if isinstance(ROOMS[kind]().channel, Tidying))


@pytest.fixture(params=TIDY)
def room(request: pytest.FixtureRequest) -> Room:
    return ROOMS[request.param]()


def tidying(room: Room) -> Tidying:
    assert isinstance(room.channel, Tidying)
    return room.channel


def test_the_draft_box_of_the_official_account_is_one_that_is_kept_tidy() -> None:
    assert TIDY == ["wechat"]


async def test_a_draft_is_thrown_away_once_and_again_is_the_same(room: Room) -> None:
    staged = await room.staged()
    for _ in range(2):
        assert isinstance(await tidying(room).discard(staged.refs), Accepted)
    assert room.public() == []
    again = await room.staged()
    assert again.refs["media_id"] != staged.refs["media_id"], "the next try makes a new one"


async def test_only_the_named_one_goes_and_nothing_public_with_it(room: Room) -> None:
    await room.published(1)
    kept, thrown = await room.staged(2), await room.staged(3)
    published = await room.staged(1)
    await tidying(room).discard(published.refs)
    await tidying(room).discard(thrown.refs)
    assert len(room.public()) == 1
    assert isinstance(await room.settled(await room.channel.publish(kept, "key-2")), Accepted)


async def test_refs_that_name_nothing_throw_away_nothing(room: Room) -> None:
    await room.staged()
    before = room.asked("/draft/delete")
    assert isinstance(await tidying(room).discard({}), Accepted)
    assert room.asked("/draft/delete") == before


@pytest.mark.parametrize(("kind", "value"), [("drop_before", 0), ("drop_after", 0), ("status", 502), ("garbage", 0)])
async def test_trouble_is_no_success_and_a_later_try_ends_it(room: Room, kind: str, value: int) -> None:
    staged = await room.staged()
    room.order(kind, value, match="/draft/delete", times=5)
    assert isinstance(await tidying(room).discard(staged.refs), Unknown | Refused)
    room.stage.orders.clear()
    assert isinstance(await tidying(room).discard(staged.refs), Accepted)


async def test_a_used_up_quota_says_when_to_come_back() -> None:
    room = wechat()
    staged = await room.staged()
    room.order("code", 45009, match="/draft/delete")
    said = await tidying(room).discard(staged.refs)
    assert isinstance(said, Refused) and said.who is Who.NOBODY and said.retry_after is not None
    assert drafts(room) == [staged.refs["media_id"]]
