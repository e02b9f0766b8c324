"""The frame in which a 公众号 article is seen as it will be sent: no session, ten minutes, this version only."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.pages.desk_room import Room

TITLE = "城区公交线路调整"


async def frame(room: Room) -> str:
    """The address of the frame, as the editor's page has it."""
    if await room.desk.store.get("accounts", "wechat-main") is None:
        await room.office.account("wechat-main", "wechat", name="云川发布公众号")
        await room.office.write("c1", TITLE, by=room.people["editor"].id)
        now = room.desk.clock.now()
        await room.desk.store.change("contents", {"_id": "c1"}, {"$set": {"updated_at": now, "created_at": now}})
    page = (await (await room.as_("editor")).get("/contents/c1")).text
    found = re.search(r'<iframe [^>]*sandbox[^>]* src="([^"]+)"', page)
    assert found, page[-3000:]
    return found[1].replace("&amp;", "&")


async def test_the_frame_shows_the_article_without_a_session_under_its_own_policy(room: Room) -> None:
    answer = await (await room.stranger()).get(await frame(room))
    assert answer.status_code == 200 and "<h1" in answer.text and TITLE in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "frame-ancestors 'self'" in policy
    assert "script" not in policy and answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "set-cookie" not in answer.headers


async def test_an_altered_or_bare_address_shows_nothing(room: Room) -> None:
    address, stranger = await frame(room), await room.stranger()
    bare, _, query = address.partition("?")
    other = bare.replace("wechat-main", "weibo-main")
    later = re.sub(r"until=(\d+)", lambda found: f"until={int(found[1]) + 60}", query)
    made_up = ("until=9999999999&mark=", "until=²&mark=x", "until=1&mark=é")
    for wrong in (bare, f"{other}?{query}", f"{bare}?{later}", *(f"{bare}?{each}" for each in made_up)):
        assert (await stranger.get(wrong)).status_code == 404, wrong


async def test_the_address_ends_after_ten_minutes(room: Room) -> None:
    address, stranger = await frame(room), await room.stranger()
    room.office.clock.move(timedelta(minutes=11))
    assert (await stranger.get(address)).status_code == 404


async def test_a_text_that_has_changed_is_not_shown_under_the_old_address(room: Room) -> None:
    address, stranger = await frame(room), await room.stranger()
    by_hand = {"override": {"text": "手工"}, "revision": 1, "hash": "another"}
    change = {"$set": {"variants": {"weibo-main": by_hand}}}
    await room.desk.store.change("contents", {"_id": "c1"}, change)
    assert (await stranger.get(address)).status_code == 404
    assert (await stranger.get(await frame(room))).status_code == 200


@pytest.mark.parametrize("path", ["/preview-media/" + "a" * 64, "/preview-media/x"])
async def test_a_picture_needs_its_own_address(room: Room, path: str) -> None:
    assert (await (await room.stranger()).get(path)).status_code == 404


@pytest.mark.parametrize("channel", ["weibo", "wechat", "site"])
async def test_an_account_that_cannot_be_connected_breaks_no_editor_page(room: Room, channel: str) -> None:
    await frame(room)
    await room.desk.store.insert("accounts", {"_id": "a-ill", "channel": channel, "name": "坏账号", "settings": {}})
    page = await (await room.as_("editor")).get("/contents/c1")
    assert page.status_code == 200 and "坏账号" in page.text
