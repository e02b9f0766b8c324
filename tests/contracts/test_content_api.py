"""The content API as docs/channels/site.md agrees it, asked by a signing client over real sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from channels.exchange import Answer, Request
from channels.site.channel import connect
from hub.store.files import FilesInFolder
from hub.store.sqlite import SqliteStore
from hub.store.tables import SITE_TABLES
from tests.pages.site_office import (
    HUB,
    KEY,
    OLD_KEY,
    PIXEL,
    PIXEL_NAME,
    Office,
    article,
    column,
    fresh_store,
    opened_site,
    picture,
)

pytestmark = pytest.mark.contracts


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def office(request: Any, tmp_path: Path) -> AsyncIterator[Office]:
    store = fresh_store() if request.param == "memory" else SqliteStore(tmp_path / "site.db", SITE_TABLES)
    await store.open()
    async with opened_site(store) as found:
        yield found
    await store.close()


# --- signatures


async def test_a_request_without_a_signature_changes_nothing_and_is_401(office: Office) -> None:
    said = await office.request(
        "PUT", "/content/v1/items/article/a1", json={"version": 1, "key": "k", "body": article()}
    )
    assert (said.status, said.json["code"]) == (401, "bad_signature")
    assert (await office.get("/articles/a1")).status == 404


@pytest.mark.parametrize("part", ["key", "body", "path", "method", "time"])
async def test_a_signature_over_anything_else_is_refused(office: Office, part: str) -> None:
    content, path, method = (
        json.dumps({"version": 1, "key": "k", "body": article()}).encode(),
        "/content/v1/items/article/a1",
        "PUT",
    )
    headers = office.signed(
        "DELETE" if part == "method" else method, path + ("x" if part == "path" else ""),
        content + (b" " if part == "body" else b""), key=OLD_KEY if part == "key" else KEY,
    )  # fmt: skip
    if part == "time":
        office.clock.move(timedelta(minutes=5, seconds=2))
    said = await office.request(method, path, data=content, headers=headers)
    assert (said.status, said.json["code"]) == (401, "bad_signature")
    assert (await office.ask("GET", "/items/article/a1")).status == 404


async def test_an_id_is_taken_once_and_outlives_a_restart_of_the_site() -> None:
    store = fresh_store()
    async with opened_site(store) as office:
        assert (await office.ask("GET", "/status", id="the-same-id")).status == 200
    async with opened_site(store) as office:
        said = await office.ask("GET", "/status", id="the-same-id")
    assert (said.status, said.json["code"]) == (401, "repeated_id")


async def test_a_wrong_signature_does_not_use_an_id_up(office: Office) -> None:
    await office.ask("GET", "/status", id="an-id-for-once", key=OLD_KEY)
    assert (await office.ask("GET", "/status", id="an-id-for-once")).status == 200


async def test_both_keys_count_while_one_is_exchanged_for_another() -> None:
    async with opened_site(keys=(KEY, OLD_KEY)) as office:
        assert (await office.ask("GET", "/status", key=OLD_KEY)).status == 200
        assert (await office.ask("GET", "/status", key=KEY)).status == 200


# --- PUT


async def test_a_first_put_is_201_public_at_once_and_dated_by_the_sites_own_clock(office: Office) -> None:
    said = await office.put("article", "a1", article(published_at="2020-01-01T00:00:00.000Z"))
    assert said.status == 201
    assert said.json == {
        "kind": "article", "id": "a1", "version": 1, "state": "public", "published_at": "2026-11-24T04:00:00.000Z",
        "updated_at": "2026-11-24T04:00:00.000Z", "url": "https://www.yunchuan.example/articles/a1",
    }  # fmt: skip
    assert (await office.get("/articles/a1")).status == 200


async def test_the_same_key_and_body_again_give_the_item_as_it_stands_now(office: Office) -> None:
    await office.put("article", "a1", article(), key="one")
    office.clock.move(60)
    await office.put("article", "a1", article("新的标题"), 2, key="two")
    again = await office.put("article", "a1", article(), key="one")
    assert (again.status, again.json["version"]) == (200, 2)


async def test_the_same_key_with_another_body_is_422_key_reused_and_changes_nothing(office: Office) -> None:
    await office.put("article", "a1", article(), key="one")
    said = await office.put("article", "a1", article("别的标题"), 2, key="one")
    assert (said.status, said.json["code"]) == (422, "key_reused")
    assert (await office.ask("GET", "/items/article/a1")).json["version"] == 1


async def test_an_older_version_is_409_and_names_the_version_that_stands(office: Office) -> None:
    await office.put("article", "a1", article(), 3)
    said = await office.put("article", "a1", article(), 2)
    assert (said.status, said.json["code"], said.json["version"]) == (409, "older_version", 3)


async def test_the_same_version_with_the_same_body_is_200_and_its_key_is_remembered(office: Office) -> None:
    await office.put("article", "a1", article(), key="one")
    office.clock.move(60)
    said = await office.put("article", "a1", article(), key="two")
    assert (said.status, said.json["updated_at"]) == (200, "2026-11-24T04:00:00.000Z")
    keys = (await office.ask("GET", "/items/article/a1")).json["keys"]
    assert [each["key"] for each in keys] == ["one", "two"]


async def test_the_same_version_with_another_body_is_409_other_body(office: Office) -> None:
    await office.put("article", "a1", article())
    said = await office.put("article", "a1", article("别的标题"), key="other")
    assert (said.status, said.json["code"], said.json["version"]) == (409, "other_body", 1)


async def test_published_at_never_changes_neither_by_a_version_nor_after_a_withdrawal(office: Office) -> None:
    await office.put("article", "a1", article())
    office.clock.move(3600)
    newer = await office.put("article", "a1", article("改过"), 2, correction={"note": "更正了日期"})
    await office.ask("DELETE", "/items/article/a1?version=2&note=%E6%92%A4%E7%A8%BF&key=d")
    office.clock.move(3600)
    back = await office.put("article", "a1", article("再发"), 3)
    assert newer.json["published_at"] == back.json["published_at"] == "2026-11-24T04:00:00.000Z"
    assert back.json["state"] == "public"
    assert "withdrawn_at" not in back.json


async def test_a_correction_stands_on_the_page_with_the_sites_time(office: Office) -> None:
    await office.put("article", "a1", article())
    office.clock.move(3600)
    await office.put("article", "a1", article(text="十一月十六日起供暖。"), 2, correction={"note": "更正了开始日期"})
    item = (await office.ask("GET", "/items/article/a1")).json
    assert item["corrections"] == [{"at": "2026-11-24T05:00:00.000Z", "note": "更正了开始日期"}]
    page = (await office.get("/articles/a1")).text
    assert "更正了开始日期" in page
    assert "2026-11-24 13:00" in page


async def test_a_dozen_puts_at_one_instant_make_one_item_and_remember_every_key(office: Office) -> None:
    said = await asyncio.gather(*(office.put("article", "a1", article(), key=f"k{n}") for n in range(12)))
    assert sorted({each.status for each in said}) == [200, 201]
    assert [each.status for each in said].count(201) == 1
    assert len((await office.ask("GET", "/items/article/a1")).json["keys"]) == 12


async def test_of_two_bodies_at_one_instant_one_wins_and_the_other_is_told(office: Office) -> None:
    said = await asyncio.gather(*(office.put("article", "a1", article(f"标题{n}"), key=f"k{n}") for n in range(2)))
    assert sorted(each.status for each in said) == [201, 409]
    winner = next(n for n, each in enumerate(said) if each.status == 201)
    assert (await office.ask("GET", "/items/article/a1")).json["body"]["title"] == f"标题{winner}"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"title": ""}, "body.title"),
        ({"title": 5}, "body.title"),
        ({"blocks": "text"}, "body.blocks"),
        ({"blocks": [{"kind": "script", "runs": []}]}, "body.blocks[0]"),
        ({"blocks": [{"kind": "p", "runs": [{"text": "x", "link": "javascript:alert(1)"}]}]}, ""),
        ({"column": "../x"}, "body.column"),
        ({"kind": "gossip"}, "body.kind"),
        ({"pictures": [{"sha256": "short"}]}, "body.pictures"),
    ],
)
async def test_a_body_that_is_not_acceptable_is_422_and_names_the_field(
    office: Office, change: dict[str, Any], name: str
) -> None:
    said = await office.put("article", "a1", article(**change))
    assert (said.status, said.json["code"]) == (422, "invalid")
    assert any(each["field"].startswith(name) and each["message"] for each in said.json["errors"])
    assert (await office.ask("GET", "/items/article/a1")).status == 404


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b'{"version": 1}', b'{"version": "1", "key": "k", "body": {}}', b"\xff\xfe",
                b'{"version": 0, "key": "k", "body": {}}', b'{"version": 1, "body": {}}', b"[" * 100_000],
)  # fmt: skip
async def test_what_is_not_a_proper_put_is_400_and_says_which_field(office: Office, content: bytes) -> None:
    path = "/content/v1/items/article/a1"
    said = await office.request("PUT", path, data=content, headers=office.signed("PUT", path, content))
    assert (said.status, said.json["code"]) == (400, "malformed")
    assert said.json["errors"][0]["message"]


async def test_a_field_that_the_site_does_not_know_is_kept_and_ignored(office: Office) -> None:
    body = article(**{"新 字段": {"$odd": [1.5, None]}})
    await office.put("article", "a1", body)
    assert (await office.ask("GET", "/items/article/a1")).json["body"] == body


async def test_a_body_over_the_limit_is_refused_by_its_announced_length_before_it_is_sent(office: Office) -> None:
    path = "/content/v1/items/article/a1"
    headers = office.signed("PUT", path, b"")
    lines = [f"PUT {path} HTTP/1.1", "Host: x", f"Content-Length: {17 * 1024 * 1024}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert head.startswith(b"HTTP/1.1 413")
    assert b"webhook-signature" in head.lower()


# --- files


async def test_a_staged_file_is_nowhere_until_a_public_article_names_it(office: Office) -> None:
    assert (await office.put("file", PIXEL_NAME, picture())).json["url"] is None
    assert (await office.get(f"/media/{PIXEL_NAME}")).status == 404
    shown = {"kind": "img", "media": PIXEL_NAME, "alt": "供热站"}
    await office.put("article", "a1", article(blocks=[shown]))
    said = await office.get(f"/media/{PIXEL_NAME}")
    assert (said.status, said.content, said.headers["Content-Type"]) == (200, PIXEL, "image/png")
    await office.ask("DELETE", "/items/article/a1?version=1&note=x&key=d")
    assert (await office.get(f"/media/{PIXEL_NAME}")).status == 404


async def test_a_newer_version_without_the_picture_takes_the_picture_away(office: Office) -> None:
    await office.put("file", PIXEL_NAME, picture())
    await office.put("article", "a1", article(pictures=[{"sha256": PIXEL_NAME, "type": "image/png"}]))
    assert (await office.get(f"/media/{PIXEL_NAME}")).status == 200
    await office.put("article", "a1", article(), 2)
    assert (await office.get(f"/media/{PIXEL_NAME}")).status == 404


async def test_the_same_bytes_under_another_name_are_the_same_file(office: Office) -> None:
    assert (await office.put("file", PIXEL_NAME, picture(), key="a")).status == 201
    assert (await office.put("file", PIXEL_NAME, picture() | {"name": "别名.png"}, key="b")).status == 200


@pytest.mark.parametrize(
    ("id", "change"),
    [
        ("0" * 64, {}),
        (PIXEL_NAME, {"size": 3}),
        (PIXEL_NAME, {"type": "image/svg+xml"}),
        (PIXEL_NAME, {"type": "text/html"}),
        (PIXEL_NAME, {"data": "not base64"}),
        (PIXEL_NAME, {"data": ""}),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_422(office: Office, id: str, change: dict[str, Any]) -> None:
    said = await office.put("file", id, picture() | change)
    assert (said.status, said.json["code"]) == (422, "invalid")


async def test_a_file_of_ten_megabytes_is_taken_and_a_larger_one_is_not(tmp_path: Path) -> None:
    async with opened_site(files=FilesInFolder(tmp_path)) as office:
        for size, status in ((10 * 1024 * 1024, 201), (10 * 1024 * 1024 + 1, 422)):
            content = bytes(size)
            body = {"type": "application/pdf", "size": size, "data": base64.b64encode(content).decode()}
            said = await office.put("file", hashlib.sha256(content).hexdigest(), body)
            assert said.status == status


# --- DELETE


async def test_a_withdrawn_article_is_a_notice_with_410_and_leaves_every_list(office: Office) -> None:
    await office.put("column", "yw", column())
    await office.put("article", "a1", article())
    office.clock.move(60)
    gone = await office.ask("DELETE", "/items/article/a1?version=1&note=%E5%86%85%E5%AE%B9%E6%9C%89%E8%AF%AF&key=d")
    assert (gone.status, gone.json["state"], gone.json["note"]) == (200, "withdrawn", "内容有误")
    page = await office.get("/articles/a1")
    assert page.status == 410
    assert "该文已撤稿" in page.text
    assert "内容有误" in page.text
    assert "供暖准备" not in page.text
    for path in (
        "/",
        "/columns/yw",
        "/articles",
        "/feed.xml",
        "/sitemap.xml",
        "/search?q=供暖准备",
        "/public/v1/articles",
    ):
        said = await office.get(path)
        assert "/articles/a1" not in said.text, path
    assert (await office.get("/public/v1/articles/a1")).status == 410


async def test_a_second_withdrawal_gives_the_first_time_and_note(office: Office) -> None:
    await office.put("article", "a1", article())
    first = await office.ask("DELETE", "/items/article/a1?version=1&note=one&key=d")
    office.clock.move(60)
    second = await office.ask("DELETE", "/items/article/a1?version=1&note=two&key=e")
    assert second.json == first.json


async def test_a_newer_version_is_not_withdrawn_unseen(office: Office) -> None:
    await office.put("article", "a1", article(), 2)
    said = await office.ask("DELETE", "/items/article/a1?version=1&note=x&key=d")
    assert (said.status, said.json["code"], said.json["version"]) == (409, "older_version", 2)
    assert (await office.get("/articles/a1")).status == 200


async def test_a_put_that_was_on_its_way_does_not_undo_a_withdrawal_of_its_version(office: Office) -> None:
    await office.put("article", "a1", article())
    await office.ask("DELETE", "/items/article/a1?version=2&note=x&key=d")
    late = await office.put("article", "a1", article("迟到的改动"), 2)
    assert (late.status, late.json["code"]) == (409, "withdrawn")
    assert (await office.get("/articles/a1")).status == 410


async def test_what_never_was_is_404_for_get_and_delete(office: Office) -> None:
    assert (await office.ask("DELETE", "/items/article/a9?version=1&note=x&key=d")).json["code"] == "not_found"
    assert (await office.ask("GET", "/items/article/a9")).json["code"] == "not_found"
    assert (await office.ask("GET", "/items/secret/a9")).json["code"] == "not_found"


async def test_a_column_in_use_is_not_deleted(office: Office) -> None:
    await office.put("column", "yw", column())
    await office.put("article", "a1", article())
    said = await office.ask("DELETE", "/items/column/yw?version=1&note=x&key=d")
    assert (said.status, said.json["code"]) == (409, "in_use")
    await office.ask("DELETE", "/items/article/a1?version=1&note=x&key=d")
    assert (await office.ask("DELETE", "/items/column/yw?version=1&note=x&key=e")).status == 200
    assert (await office.get("/columns/yw")).status == 404


# --- comparison


async def test_a_comparison_walks_every_item_once_in_order_of_id_with_the_hash_of_its_body(office: Office) -> None:
    for number in (3, 1, 2):
        await office.put("article", f"a{number}", article(f"标题{number}"))
    first = (await office.ask("GET", "/items/article?limit=2")).json
    rest = (await office.ask("GET", f"/items/article?limit=2&after={first['cursor']}")).json
    assert [each["id"] for each in first["items"] + rest["items"]] == ["a1", "a2", "a3"]
    assert (first["more"], rest["more"]) == (True, False)
    whole = json.dumps(article("标题1"), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert first["items"][0]["sha256"] == hashlib.sha256(whole).hexdigest()
    empty = (await office.ask("GET", f"/items/article?after={rest['cursor']}")).json
    assert (empty["items"], empty["cursor"], empty["more"]) == ([], rest["cursor"], False)


# --- inbox


async def test_letters_are_numbered_without_gaps_read_repeatedly_and_erased_once_acknowledged(office: Office) -> None:
    await asyncio.gather(*(office.site.inbox.drop("letter", f"row-{n}", "{}") for n in range(5)))
    first = (await office.ask("GET", "/inbox?limit=3")).json
    assert [row["number"] for row in first["rows"]] == [1, 2, 3]
    assert (first["cursor"], first["more"]) == ("3", True)
    assert (await office.ask("GET", "/inbox?limit=3")).json == first
    assert (await office.ask("POST", "/inbox/ack", {"cursor": "3"})).json == {"cursor": "3", "waiting": 2}
    assert [row["number"] for row in (await office.ask("GET", "/inbox")).json["rows"]] == [4, 5]
    assert all(row["sealed"] == "" for row in await office.site.store.find("inbox", {"number": {"$lte": 3}}))


async def test_an_older_acknowledgement_changes_nothing_and_one_beyond_the_last_row_is_422(office: Office) -> None:
    for number in range(3):
        await office.site.inbox.drop("letter", f"row-{number}", "{}")
    await office.ask("POST", "/inbox/ack", {"cursor": "2"})
    assert (await office.ask("POST", "/inbox/ack", {"cursor": "1"})).json == {"cursor": "2", "waiting": 1}
    assert (await office.ask("POST", "/inbox/ack", {"cursor": "4"})).json["code"] == "invalid"


async def test_a_number_is_never_given_twice_even_when_all_rows_are_gone(office: Office) -> None:
    await office.site.inbox.drop("letter", "row-1", "{}")
    await office.ask("POST", "/inbox/ack", {"cursor": "1"})
    office.clock.move(timedelta(days=30))
    await office.site.inbox.drop("letter", "row-2", "{}")
    await office.ask("POST", "/inbox/ack", {"cursor": "2"})
    await office.site.inbox.drop("letter", "row-3", "{}")
    rows = (await office.ask("GET", "/inbox?after=2")).json["rows"]
    assert [(row["number"], row["id"]) for row in rows] == [(3, "row-3")]
    assert await office.site.store.get("inbox", "row-1") is None


async def test_an_empty_inbox_answers_with_the_cursor_it_was_asked_with(office: Office) -> None:
    assert (await office.ask("GET", "/inbox")).json == {"rows": [], "cursor": "0", "more": False}
    assert (await office.ask("GET", "/inbox?after=7")).json["cursor"] == "7"


async def test_a_waiting_hub_is_answered_as_soon_as_a_letter_comes(office: Office) -> None:
    asked = asyncio.create_task(office.ask("GET", "/inbox?wait=20"))
    while not office.clock._waiting:  # noqa: ASYNC110 - until the site has begun to wait
        await asyncio.sleep(0.01)
    await office.site.inbox.drop("letter", "row-1", "{}")
    said = await asyncio.wait_for(asked, 5)
    assert [row["id"] for row in said.json["rows"]] == ["row-1"]


async def test_only_the_hub_can_open_a_row_and_only_as_that_row(office: Office) -> None:
    await office.site.inbox.drop("letter", "row-1", '{"title":"路灯"}')
    row = (await office.ask("GET", "/inbox")).json["rows"][0]
    assert HUB.open_box(row["sealed"], table="inbox", id="row-1", field="sealed") == '{"title":"路灯"}'


# --- beat and status


async def test_a_beat_keeps_ready_green_for_thirty_seconds(office: Office) -> None:
    assert (await office.get("/ready")).status == 503
    said = await office.ask("POST", "/beat", {"worker": "h:1", "at": "2026-11-24T04:00:00.000Z"})
    assert said.json == {"at": "2026-11-24T04:00:00.000Z"}
    assert (await office.get("/ready")).status == 200
    office.clock.move(31)
    said = await office.get("/ready")
    assert (said.status, said.json["status"]) == (503, "自动发布已停止")


async def test_status_says_what_the_preflight_needs(office: Office) -> None:
    await office.put("article", "a1", article())
    found = (await office.ask("GET", "/status")).json
    assert found["at"] == "2026-11-24T04:00:00.000Z"
    assert (found["api"], found["mark"], found["items"]["article"]) == (1, "demo", 1)
    assert found["inbox"] == {"waiting": 0, "oldest_at": None}


# --- the hub's own channel against this site


class _Sockets:
    """Carries the channel's requests to the site over its port."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def send(self, request: Request) -> Answer:
        url = request.url.replace("http://site.inner", f"http://127.0.0.1:{self._office.port}")
        session = self._office.session
        async with session.request(
            request.method, url, data=request.body or None, headers=dict(request.headers)
        ) as got:
            return Answer(got.status, {name.lower(): value for name, value in got.headers.items()}, await got.read())


async def test_the_hubs_channel_finds_this_site_healthy_puts_columns_and_beats(office: Office) -> None:
    account = {"settings": {"base_url": "http://site.inner", "inbox_wait": 0}}
    channel = connect(account, {"keys": [KEY]}, _Sockets(office), office.clock.now)
    assert (await channel.preflight()).state == "ok"
    assert type(await channel.put("column", "yw", 1, column())).__name__ == "Accepted"
    assert await channel.beat("worker:1")
    await office.site.inbox.drop("letter", "row-1", '{"title":"t","text":"x","agreed":true}')
    page = await channel.poll("", ())
    assert [one.external_id for one in page.heard] == ["row-1"]
    assert type(await channel.ack(page.cursor)).__name__ == "Accepted"
