"""The site channel against a small content server written from docs/channels/site.md."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from channels.contract import Accepted, Page, Refused, Staged, Unknown, Who
from channels.site import wire
from channels.site.channel import Site
from channels.webhooks import key_text
from tests.contracts.channel_rooms import SHA, SITE_KEY, START, Room, pictures, site, variant
from tests.contracts.content_server import ContentServer

NEW_KEY = key_text(b"n" * 40)


def server(room: Room) -> ContentServer:
    return cast(ContentServer, room.stage.platform)


def channel(room: Room) -> Site:
    return cast(Site, room.channel)


async def published(room: Room, revision: int = 1) -> Accepted:
    outcome = await room.channel.publish(await room.staged(revision=revision), f"key-{revision}")
    assert isinstance(outcome, Accepted)
    return outcome


async def test_the_first_moment_in_public_stays_through_correction_and_withdrawal() -> None:
    room = site()
    await published(room)
    room.clock.move(timedelta(hours=3))
    newer = await room.staged(revision=2, digest="更正后的摘要。")
    corrected = await room.channel.correct("content-1", newer, "更正了户数", "key-c")
    room.clock.move(timedelta(hours=3))
    withdrawn = await room.channel.withdraw("content-1", "内容有误", "key-w")
    assert isinstance(corrected, Accepted)
    assert isinstance(withdrawn, Accepted)
    assert (corrected.at, withdrawn.at) == (START, START + timedelta(hours=6))
    item = server(room).items["article", "content-1"]
    assert [row["note"] for row in item["corrections"]] == ["更正了户数"]
    assert item["note"] == "内容有误"


async def test_a_correction_whose_answer_was_lost_is_noted_once() -> None:
    room = site()
    await published(room)
    newer = await room.staged(revision=2, digest="更正后的摘要。")
    room.order("drop_after")
    assert isinstance(await room.channel.correct("content-1", newer, "更正了户数", "key-c"), Unknown)
    assert await room.channel.find_published("key-c", newer, START)
    room.clock.move(60)
    assert isinstance(await room.channel.correct("content-1", newer, "更正了户数", "key-c"), Accepted)
    assert len(server(room).items["article", "content-1"]["corrections"]) == 1


async def test_a_withdrawal_repeated_keeps_its_first_time_and_words() -> None:
    room = site()
    await published(room)
    room.order("drop_after", match="/items/article/content-1", times=1)
    server(room)  # the order strikes the look; the second withdrawal goes through
    first = await room.channel.withdraw("content-1", "内容有误", "key-w")
    assert isinstance(first, Refused)
    second = await room.channel.withdraw("content-1", "内容有误", "key-w")
    room.clock.move(60)
    third = await room.channel.withdraw("content-1", "换一种说法", "key-w")
    assert second == third


async def test_an_older_version_is_refused_and_changes_nothing() -> None:
    room = site()
    older = await room.staged(revision=1)
    await published(room, revision=2)
    outcome = await room.channel.publish(older, "key-old")
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.who) == ("older_version", Who.EDITOR)
    assert server(room).items["article", "content-1"]["version"] == 2


async def test_the_same_version_with_another_body_is_refused() -> None:
    room = site()
    await published(room)
    outcome = await room.channel.publish(await room.staged(digest="另一段话。"), "key-2")
    assert isinstance(outcome, Refused)
    assert outcome.code == "other_body"


async def test_a_withdrawn_article_comes_back_only_as_a_newer_version() -> None:
    room = site()
    await published(room)
    await room.channel.withdraw("content-1", "内容有误", "key-w")
    same = await room.channel.publish(await room.staged(), "key-again")
    assert isinstance(same, Refused)
    assert same.code == "withdrawn"
    back = await room.channel.publish(await room.staged(revision=2), "key-2")
    assert isinstance(back, Accepted)
    assert back.at == START


async def test_the_same_article_under_another_key_is_not_ours() -> None:
    room = site()
    staged = await room.staged()
    await room.channel.publish(staged, "key-1")
    assert await room.channel.find_published("key-2", staged, START) is None


async def test_an_answer_without_a_valid_signature_proves_nothing() -> None:
    room = site()
    staged = await room.staged()
    server(room).signs = False
    assert isinstance(await room.channel.publish(staged, "key-1"), Unknown)
    server(room).signs = True
    assert await room.channel.find_published("key-1", staged, START)


async def test_a_key_that_the_site_does_not_know_is_found_before_anything_is_sent() -> None:
    room = site()
    server(room).keys = [NEW_KEY]
    assert (await room.channel.preflight()).state in ("unreachable", "not_connected")


async def test_keys_are_exchanged_without_a_pause() -> None:
    room = site()
    server(room).keys = [SITE_KEY, NEW_KEY]
    await published(room)
    channel(room).protocol = type(channel(room).protocol)("https://platform.example", (NEW_KEY,))
    await published(room, revision=2)
    server(room).keys = [NEW_KEY]
    await published(room, revision=3)


async def test_a_request_played_back_changes_nothing_and_says_nothing_certain() -> None:
    room = site()
    staged = await room.staged()
    protocol = channel(room).protocol
    value = {"version": 1, "key": "key-1", "body": staged.prepared.body["body"]}
    request = protocol.signed("PUT", "/items/article/content-1", room.clock.now(), 1, value)
    room.stage.play(request)
    again = room.stage.play(request).answer
    assert again is not None
    said = protocol.read(request, again, room.clock.now())
    assert (said.status, said.code, said.sure) == (401, "repeated_id", False)


async def test_a_clock_that_is_far_off_is_told_before_publishing() -> None:
    room = site()
    room.stage.move_clock(120)
    assert (await room.channel.preflight()).state == "unreachable"


async def test_a_picture_goes_up_once_and_is_not_public_by_itself() -> None:
    room = site()
    await room.staged(picture=True)
    puts = room.asked("/items/file/")
    await room.staged(2, picture=True)
    assert room.asked("/items/file/") == puts + 1
    assert ("file", SHA) in server(room).items
    assert room.public() == []


async def test_staging_says_when_a_picture_could_not_go_up() -> None:
    room = site()
    prepared = (await room.staged(picture=True)).prepared
    server(room).items.clear()
    room.order("drop_before", match="/items/file/", times=1)
    assert isinstance(await room.channel.stage(prepared, "key-1", pictures), Unknown)
    assert isinstance(await room.channel.stage(prepared, "key-1", pictures), Staged)


async def test_letters_stay_until_somebody_comes_with_the_cursor_after_them() -> None:
    room = site()
    for number in range(3):
        room.stage.speak({"text": f"sealed-{number}"})
    page = await room.channel.poll("", [])
    assert isinstance(page, Page)
    assert [one.raw["sealed"] for one in page.heard] == ["sealed-0", "sealed-1", "sealed-2"]
    assert all(one.text == "" for one in page.heard)
    assert server(room).acked == 0
    room.order("drop_before", match="/inbox/ack")
    assert isinstance(await room.channel.poll(page.cursor, []), Page)
    assert server(room).acked == 0
    for _ in range(2):
        await room.channel.poll(page.cursor, [])
    assert server(room).acked == 3
    assert room.asked("/inbox/ack") == 2


async def test_columns_are_put_and_the_site_hears_that_the_worker_lives() -> None:
    room = site()
    column = {"name": "政务动态", "type": "工作动态", "order": 1, "public": True}
    assert isinstance(await channel(room).put("column", "zwdt", 1, column), Accepted)
    assert ("column", "zwdt") in server(room).items
    assert await channel(room).beat("host:1")
    room.order("drop_before", match="/beat")
    assert not await channel(room).beat("host:1")


async def test_what_the_site_would_refuse_is_said_before() -> None:
    room = site()
    bare = (await room.staged()).prepared
    assert bare.problems == []

    wrong = replace(variant(picture=True), title="长" * 121, meta={"kind": "news"})
    rules = {problem.rule for problem in room.channel.prepare(wrong).problems}
    assert rules == {"site_title", "site_no_column", "site_no_source"}


PDF = b"%PDF-1.7 list of streets"
PDF_NAME = hashlib.sha256(PDF).hexdigest()


async def attachments(sha256: str) -> bytes:
    return {PDF_NAME: PDF, "0" * 64: b"MZ a program"}[sha256]


async def test_an_attachment_goes_up_with_the_article_and_is_named_by_it() -> None:
    room = site()
    block = {"kind": "file", "media": PDF_NAME, "name": "改造街道名单.pdf"}
    thing = replace(variant(), blocks=[*variant().blocks, block])
    staged = await room.channel.stage(room.channel.prepare(thing), "key-1", attachments)
    assert isinstance(staged, Staged)
    assert server(room).items["file", PDF_NAME]["body"]["type"] == "application/pdf"
    assert isinstance(await room.channel.publish(staged, "key-1"), Accepted)
    assert server(room).items["article", "content-1"]["body"]["files"] == [{"sha256": PDF_NAME}]


async def test_an_attachment_that_the_site_does_not_take_is_named_to_the_editor() -> None:
    room = site()
    block = {"kind": "file", "media": "0" * 64, "name": "程序.exe"}
    thing = replace(variant(), blocks=[block])
    refused = await room.channel.stage(room.channel.prepare(thing), "key-1", attachments)
    assert isinstance(refused, Refused)
    assert (refused.who, refused.part) == (Who.EDITOR, "程序.exe")


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"PK\x03\x04rest", "表.XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"PK\x03\x04rest", "文.ofd", "application/ofd"),
        (b"PK\x03\x04rest", "包.zip", ""),
        (b"RIFF0000WEBP", "", "image/webp"),
        (b"<svg/>", "图.svg", ""),
        (b"", "空.pdf", ""),
    ],
)
def test_a_files_type_is_told_by_its_content(content: bytes, name: str, kind: str) -> None:
    assert wire.file_type(content, name) == kind
