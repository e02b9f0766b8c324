"""What would keep a planned post from going out, on 发布, 日历 and 首页, until it is mended."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

from channels.contract import Health
from hub.desk.preflighting import run_preflight
from hub.desk.publishing import Wish, schedule
from hub.domain.people import program
from tests.pages.desk_room import Room

PREFLIGHT = program("preflight")


async def doubted(room: Room) -> str:
    """A post for in twenty minutes on an account whose authorisation has ended; its id."""
    await room.office.write("c1", "供热开始", by=room.people["editor"].id)
    at = room.desk.clock.now() + timedelta(minutes=20)
    made = await schedule(room.people["editor"], room.desk, "c1", [Wish("site-main", at)])
    room.platforms["site-main"].health = Health("expired", "授权已失效，请重新授权")
    await run_preflight(PREFLIGHT, room.desk)
    return str(made.publications[0]["_id"])


async def test_every_page_says_that_it_would_not_go_out_and_stops_saying_so_when_it_is_mended(room: Room) -> None:
    id = await doubted(room)
    editor = await room.as_("editor")
    day = room.desk.clock.now().strftime("%Y-%m-%d")
    pages = ("/publications", f"/publications?open={id}", f"/calendar?day={day}", "/")
    said = ("现在看来发不出去", "到时发不出去", "现在看来发不出去", "到时发不出去")
    for path, words in zip(pages, said, strict=True):
        page = unescape((await editor.get(path)).text)
        assert words in page and "供热开始" in page, path
    assert "将发不出" in (await editor.get("/publications")).text
    assert "1 将发不出" in (await editor.get("/calendar")).text
    answer = await editor.post(f"/publications/{id}/preflight")
    assert answer.headers["location"].endswith("done=still_wrong")
    room.platforms["site-main"].health = Health("ok", "")
    answer = await editor.post(f"/publications/{id}/preflight")
    assert answer.headers["location"].endswith("done=all_well")
    for path in pages:
        assert "发不出" not in unescape((await editor.get(path)).text), path


async def test_a_step_that_only_an_administrator_may_do_is_asked_of_one(room: Room) -> None:
    id = await doubted(room)
    concern = {"rule": "token", "text": "授权到 11 月 24 日 09:10 为止。", "verb": "重新授权"}
    href = "/accounts/site-main/authorise"
    row = {"concerns": [{**concern, "href": href}]}
    await room.desk.store.change("publications", {"_id": id}, {"$set": row})
    page = unescape((await (await room.as_("editor")).get(f"/publications?open={id}")).text)
    assert "请系统管理员重新授权" in page and href not in page
