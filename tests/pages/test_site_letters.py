"""The letter form and 我要找错: what is taken, what is given back, and that nobody here can read it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from hub.sealing import PublicSealer
from hub.site.demands import plain_of
from hub.site.inbox import Inbox
from hub.site.letters import LETTER, article_of, read_letter, row_id
from hub.site.limits import believed_address, is_loopback, neighbourhood
from hub.store.sqlite import SqliteStore
from hub.store.tables import SITE_TABLES
from tests.pages.site_office import HUB, NOON, Office, SetClock, article, fresh_store, opened_site

PHONE = "13900008888"
DISTRICTS = ("临江区", "北岭区")


def letter(**changes: str) -> dict[str, str]:
    given = {
        "title": "路灯不亮",
        "text": "小区门口的路灯坏了三天。",
        "place": "北苑路与松苑街口",
        "district": "临江区",
        "author": "周明",
        "contact": PHONE,
        "agreed": "on",
        "key": "01kaxxxxxxxxxxxxxxxxxxxxxx",
        "kind": "",
        "word": "",
    }
    return {**given, **changes}


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    async with opened_site() as found:
        yield found


async def rows(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await office.ask("GET", "/inbox")).json["rows"]
    return found


def opened(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(HUB.open_box(row["sealed"], table="inbox", id=row["id"], field="sealed"))
    return found


# --- what is taken


async def test_a_letter_is_taken_confirmed_and_opened_by_the_hub_alone(office: Office) -> None:
    said = await office.post("/letters/new", letter())
    assert (said.status, said.headers["Location"]) == (303, "/letters/sent")
    assert "来信已送达" in (await office.get("/letters/sent")).text
    (row,) = await rows(office)
    assert (row["kind"], row["at"]) == ("demand", "2026-11-24T04:00:00.000Z")
    assert opened(row) == {
        "title": "路灯不亮", "text": "小区门口的路灯坏了三天。", "district": "临江区", "place": "北苑路与松苑街口",
        "author": "周明", "contact": PHONE, "agreed": True,
    }  # fmt: skip


async def test_name_and_contact_may_be_left_out_and_are_then_absent(office: Office) -> None:
    assert (await office.post("/letters/new", letter(author="", contact="", district=""))).status == 303
    (row,) = await rows(office)
    assert set(opened(row)) == {"title", "text", "place", "agreed"}


async def test_a_form_that_is_sent_twice_is_one_letter_and_sent_again_with_other_words_another(office: Office) -> None:
    await asyncio.gather(*(office.post("/letters/new", letter()) for _ in range(4)))
    assert len(await rows(office)) == 1
    await office.post("/letters/new", letter(text="又想起一件事。"))
    assert [opened(row)["text"] for row in await rows(office)] == ["小区门口的路灯坏了三天。", "又想起一件事。"]


async def test_the_form_gives_every_reader_another_key(office: Office) -> None:
    keys = {re.findall(r'name="key" value="([^"]+)"', (await office.get("/letters/new")).text)[0] for _ in range(3)}
    assert len(keys) == 3


async def test_a_phone_number_stands_in_no_page_no_log_and_no_store(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await office.post("/letters/new", letter(text=f"请打 {PHONE}"))
    await office.post("/letters/new", letter(title=f"电话 {PHONE}", agreed="on"))
    await office.post("/mistakes/new", {"page": "/articles/a1", "text": PHONE, "contact": PHONE})
    assert len(await rows(office)) == 3
    store = office.site.store
    kept = [await store.find(table.name, {}, limit=1000) for table in SITE_TABLES]
    assert PHONE not in repr(kept)
    assert PHONE not in caplog.text
    for path in ("/", "/letters/sent", "/letters/new", "/search?q=路灯", "/feed.xml", "/public/v1/articles", "/ready"):
        assert PHONE not in (await office.get(path)).text


async def test_the_senders_address_is_kept_nowhere_in_plain(office: Office) -> None:
    await office.post("/letters/new", letter())
    kept = [await office.site.store.find(table.name, {}, limit=1000) for table in SITE_TABLES]
    assert "127.0.0.1" not in repr(kept)
    assert "127.0.0.1" not in repr([opened(row) for row in await rows(office)])


# --- what is given back


async def test_a_letter_with_gaps_comes_back_whole_with_a_summary_that_leads_to_each_gap(office: Office) -> None:
    said = await office.post("/letters/new", letter(place="", agreed="", text="路灯<b>坏了"))
    assert said.status == 422
    assert "还差 2 处" in said.text
    for name in ("place", "agreed"):
        assert f'href="#f-{name}"' in said.text
        assert f'id="f-{name}"' in said.text
    assert "路灯&lt;b&gt;坏了" in said.text
    assert PHONE in said.text
    assert said.headers["Cache-Control"] == "no-store"
    assert await rows(office) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"title": ""}, "title"), ({"title": "长" * 51}, "title"), ({"text": " \n "}, "text"),
        ({"text": "长" * 1001}, "text"),
        ({"place": "\u0000"}, "place"), ({"district": "火星区"}, "district"), ({"author": "长" * 21}, "author"),
        ({"contact": "1" * 61}, "contact"),
        ({"kind": "gossip"}, "kind"), ({"word": "短"}, "word"), ({"agreed": ""}, "agreed"),
        ({"agreed": "yes"}, "agreed"),
    ],
)  # fmt: skip
def test_each_gap_has_its_sentence(changes: dict[str, str], name: str) -> None:
    draft = read_letter(letter(**changes), DISTRICTS)
    assert [each.field for each in draft.errors] == [name]
    assert draft.error(name).endswith("。")


def test_a_text_of_exactly_a_thousand_characters_is_taken() -> None:
    assert read_letter(letter(text="长" * 1000), DISTRICTS).errors == []


@given(st.fixed_dictionaries({name: st.text(max_size=1200) for name in LETTER}))
def test_whatever_is_typed_is_either_taken_or_explained(given: dict[str, str]) -> None:
    draft = read_letter(given, DISTRICTS)
    assert set(draft.values) == set(given)
    if not draft.errors:
        assert json.loads(plain_of(draft.values))["agreed"] is True
    assert len(row_id("k", plain_of(draft.values))) == 32


async def test_the_eleventh_letter_in_ten_minutes_is_asked_to_wait_and_nothing_of_it_is_lost(office: Office) -> None:
    for number in range(10):
        assert (await office.post("/letters/new", letter(text=f"第 {number} 封"))).status == 303
    said = await office.post("/letters/new", letter(text="第十一封信的内容"))
    assert said.status == 429
    assert 0 < int(said.headers["Retry-After"]) <= 600
    assert "第十一封信的内容" in said.text
    assert len(await rows(office)) == 10
    office.clock.move(601)
    assert (await office.post("/letters/new", letter(text="第十一封信的内容"))).status == 303


async def test_made_up_forwarding_gives_no_fresh_limit_without_a_trusted_proxy(office: Office) -> None:
    for number in range(10):
        await office.post("/letters/new", letter(text=f"第 {number} 封"))
    said = await office.post("/letters/new", letter(text="又一封"), **{"X-Forwarded-For": "203.0.113.7"})
    assert said.status == 429


async def test_behind_one_proxy_its_word_counts_and_what_the_sender_wrote_before_does_not() -> None:
    async with opened_site(proxies=1) as office:
        for number in range(10):
            forged = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7"}
            assert (await office.post("/letters/new", letter(text=f"第 {number} 封"), **forged)).status == 303
        said = await office.post("/letters/new", letter(text="又"), **{"X-Forwarded-For": "198.51.100.99, 203.0.113.7"})
        assert said.status == 429
        assert (
            await office.post("/letters/new", letter(text="他"), **{"X-Forwarded-For": "203.0.113.8"})
        ).status == 303


async def test_of_two_forwarding_lines_the_proxys_own_is_the_last() -> None:
    async with opened_site(proxies=1) as office:
        said = []
        for number in range(11):
            lines = [("X-Forwarded-For", f"198.51.100.{number}"), ("X-Forwarded-For", "203.0.113.7")]
            words = {"data": letter(text=f"第 {number} 封"), "headers": CIMultiDict(lines)}
            said.append((await office.request("POST", "/letters/new", **words)).status)
        assert said == [303] * 10 + [429]


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ("", 0, "peer"), ("a, b", 0, "peer"), ("a, b", 1, "b"), ("a, b", 2, "a"), ("b", 2, "peer"), ("", 1, "peer"),
        (" , a ,", 1, "a"),
    ],
)  # fmt: skip
def test_the_nth_address_from_the_end_is_believed(forwarded: str, proxies: int, expected: str) -> None:
    assert believed_address("peer", forwarded, proxies) == expected


def test_one_household_of_ipv6_counts_as_one_and_nonsense_as_one() -> None:
    assert neighbourhood("2001:db8:1:2::5") == neighbourhood("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert neighbourhood("::ffff:203.0.113.7") == neighbourhood("203.0.113.7")
    assert neighbourhood("<script>") == neighbourhood("") == "unknown"
    assert (is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("10.0.0.1"), is_loopback("x")) == (
        True,
        True,
        False,
        False,
    )


# --- foreign and oversized forms


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
@pytest.mark.parametrize("path", ["/letters/new", "/mistakes/new", "/look"])
async def test_a_form_that_stood_on_another_website_is_refused(
    office: Office, path: str, headers: dict[str, str]
) -> None:
    said = await office.post(path, letter(page="/a"), **headers)
    assert said.status == 403
    assert await rows(office) == []


async def test_a_form_of_our_own_pages_and_one_of_a_browser_that_says_nothing_are_taken(office: Office) -> None:
    own = {"Origin": f"http://127.0.0.1:{office.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await office.post("/letters/new", letter(), **own)).status == 303
    public = {"Origin": "https://www.yunchuan.example"}
    assert (await office.post("/letters/new", letter(text="二"), **public)).status == 303
    assert (await office.post("/letters/new", letter(text="三"))).status == 303


async def test_a_form_over_its_limit_is_refused_by_its_announced_length_before_it_is_sent(office: Office) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    writer.write(b"POST /letters/new HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\ntitle=")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert head.startswith(b"HTTP/1.1 413")


async def test_a_form_in_chunks_whose_length_nobody_announced_is_refused(office: Office) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    writer.write(b"POST /letters/new HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        writer.write(b"1000\r\n" + b"a" * 4096 + b"\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert head.startswith(b"HTTP/1.1 400")
    assert await rows(office) == []


# --- 我要找错


async def test_a_report_of_a_mistake_names_the_article_it_is_about(office: Office) -> None:
    await office.put("article", "a1", article())
    form = (await office.get("/mistakes/new?page=/articles/a1")).text
    assert 'value="https://www.yunchuan.example/articles/a1"' in form
    report = {"page": "https://www.yunchuan.example/articles/a1", "text": "“冬季”写成了“冬节”。", "contact": ""}
    assert (await office.post("/mistakes/new", report)).headers["Location"] == "/mistakes/sent"
    (row,) = await rows(office)
    assert (row["kind"], row["about"]) == ("letter", "a1")
    assert opened(row)["matter"] == "mistake"
    assert (await office.post("/mistakes/new", {"page": "", "text": ""})).status == 422


@pytest.mark.parametrize(
    ("page", "id"),
    [("/articles/a1", "a1"), ("https://x.example/articles/a-1/", "a-1"), ("/columns/yw", ""), ("http://[", ""),
     ("", ""),
     ("/articles/../x", ""), ("/articles/a1?x=1#y", "a1")],
)  # fmt: skip
def test_an_address_names_an_article_or_nothing(page: str, id: str) -> None:
    assert article_of(page) == id


# --- numbers over several processes


async def test_two_processes_number_letters_without_gap_or_repetition(tmp_path: Path) -> None:
    sealer, clock = PublicSealer(HUB.box_public()), SetClock(NOON)
    stores = [SqliteStore(tmp_path / "site.db", SITE_TABLES) for _ in range(2)]
    for store in stores:
        await store.open()
    boxes = [Inbox(store, sealer, clock) for store in stores]
    await asyncio.gather(*(boxes[n % 2].drop("letter", f"row-{n}", "{}") for n in range(30)))
    found = [row["number"] for row in await boxes[0].rows(None, 100)]
    for store in stores:
        await store.close()
    assert found == list(range(1, 31))


async def test_a_letter_is_confirmed_only_once_it_is_durable() -> None:
    store = fresh_store()
    async with opened_site(store) as office:
        store.hold()
        sent = asyncio.create_task(office.site.inbox.drop("letter", "row-1", "{}"))
        while not store.waiting():  # noqa: ASYNC110 - until the row stands at the line
            await asyncio.sleep(0)
        assert not sent.done()
        store.release()
        await sent
        assert [row["id"] for row in await office.site.inbox.rows(None, 10)] == ["row-1"]
