"""What pages say while nothing goes out by itself, and after: banners, and the first screen's question."""

from __future__ import annotations

from datetime import timedelta

from hub.desk.beating import beat
from hub.domain.people import program
from tests.pages.desk_room import Room, room

__all__ = ["room"]
WORKER = program("worker")


async def test_without_a_worker_every_page_says_so_and_ready_is_red_until_one_lives_again(room: Room) -> None:
    editor, stranger = await room.as_("editor"), await room.stranger()
    assert "自动发布已停止" not in (await editor.get("/contents")).text
    room.office.clock.move(timedelta(seconds=31))
    assert "<b>自动发布已停止。</b>没有发布程序在运行，到点的不会自动发出。" in (await editor.get("/contents")).text
    answer = await editor.send("GET", "/ready")
    assert (answer.status_code, answer.json()["worker"]) == (503, "自动发布已停止")
    assert "自动发布已停止" not in (await stranger.get("/login")).text
    await beat(WORKER, room.desk)
    assert "自动发布已停止" not in (await editor.get("/contents")).text
    assert (await editor.send("GET", "/ready")).status_code == 200
