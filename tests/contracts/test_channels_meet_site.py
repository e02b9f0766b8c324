"""The site channel and the public site itself, over a real socket: both sides of docs/channels/site.md."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from channels.contract import Accepted, Found, Page, Picture, Refused, Staged, Unknown, Variant
from channels.exchange import Answer
from channels.http import PlatformPolicy, open_caller
from channels.kinds import connect
from channels.site.channel import Site
from tests.contracts.channel_rooms import variant
from tests.pages.site_office import HUB, KEY, NOON, OLD_KEY, PIXEL, PIXEL_NAME, Office, column, opened_site
from tests.pages.test_site_demands import Citizen
from tests.pages.test_site_letters import PHONE

WORDS = "您好。路灯昨晚已修好，如仍有不亮的，请再告诉我们。"


async def pixel(sha256: str) -> bytes:
    return {PIXEL_NAME: PIXEL}[sha256]


def with_picture() -> Variant:
    shown = Picture(PIXEL_NAME, "image/png", 1, 1, len(PIXEL), alt="一个点")
    return replace(variant(), pictures=(shown,))


@asynccontextmanager
async def met(keys: tuple[str, ...] = (KEY,)) -> AsyncIterator[tuple[Site, Office]]:
    async with opened_site(keys=keys) as office, open_caller() as caller:
        base = f"http://127.0.0.1:{office.port}"
        account = {"channel": "site", "settings": {"base_url": base}}
        channel = connect(account, {"keys": [KEY]}, caller.transport(PlatformPolicy.of(base)), office.clock.now)
        assert isinstance(channel, Site)
        done = await channel.put("column", "zwdt", 1, column("政务动态"))
        assert isinstance(done, Accepted), done
        yield channel, office


async def staged_at(channel: Site, thing: Variant) -> Staged:
    found = await channel.stage(channel.prepare(thing), "key-1", pixel)
    assert isinstance(found, Staged), found
    return found


async def test_a_card_goes_out_beside_its_article_is_corrected_and_withdrawn_on_the_real_site() -> None:
    async with met() as (website, office), open_caller() as caller:
        assert isinstance(await website.publish(await staged_at(website, with_picture()), "key-1"), Accepted)
        base = f"http://127.0.0.1:{office.port}"
        account = {"channel": "app", "settings": {"base_url": base}}
        app = connect(account, {"keys": [KEY]}, caller.transport(PlatformPolicy.of(base)), office.clock.now)
        assert isinstance(app, Site)
        staged = await staged_at(app, with_picture())
        first = await app.publish(staged, "key-a")
        assert isinstance(first, Accepted), first
        assert (first.url, first.at) == ("https://www.yunchuan.example/app/cards/content-1", NOON)
        assert await app.publish(staged, "key-a") == first
        assert isinstance(await app.find_published("key-a", staged, NOON), Found)
        assert "改造工程通过验收" in (await office.get("/app/cards/content-1")).text
        newer = await staged_at(app, replace(with_picture(), revision=2, digest="更正后的摘要。"))
        assert isinstance(await app.correct("content-1", newer, "更正了户数", "key-b"), Accepted)
        [row] = (await office.get("/public/v1/cards")).json["cards"]
        assert (row["digest"], row["corrected"], row["article"]) == ("更正后的摘要。", True, "content-1")
        assert isinstance(await app.withdraw("content-1", "内容有误", "key-c"), Accepted)
        assert (await office.get("/app/cards/content-1")).status == 410
        assert (await office.get("/articles/content-1")).status == 200


async def test_the_inbox_is_read_by_the_website_alone_and_passes_over_what_it_does_not_know() -> None:
    async with met() as (website, office), open_caller() as caller:
        base = f"http://127.0.0.1:{office.port}"
        app = connect({"channel": "app", "settings": {"base_url": base}}, {"keys": [KEY]},
                      caller.transport(PlatformPolicy.of(base)), office.clock.now)  # fmt: skip
        for number, kind in enumerate(("device", "letter", "comet", "device")):
            await office.site.inbox.drop(kind, f"row-{number}", "{}")
        assert await app.poll("", []) == Page((), "", False)
        page = await website.poll("", [])
        assert isinstance(page, Page)
        assert ([one.external_id for one in page.heard], page.cursor) == (["row-1"], "4")
        assert [row["id"] for row in page.devices] == ["row-0", "row-3"]
        again = await website.poll(page.cursor, [])
        assert isinstance(again, Page)
        assert list(again.heard) == []


async def test_an_article_goes_out_is_corrected_and_withdrawn_on_the_real_site() -> None:
    async with met() as (channel, office):
        assert (await channel.preflight()).state == "ok"
        staged = await staged_at(channel, with_picture())
        assert (await office.get(f"/media/{PIXEL_NAME}")).status == 404
        assert await channel.find_published("key-1", staged, NOON) is None
        first = await channel.publish(staged, "key-1")
        assert isinstance(first, Accepted), first
        assert first.at == NOON
        assert await channel.publish(staged, "key-1") == first
        assert isinstance(await channel.find_published("key-1", staged, NOON), Found)
        assert (await office.get(f"/media/{PIXEL_NAME}")).status == 200
        assert "老旧小区供暖管网改造完工" in (await office.get("/articles/content-1")).text
        office.clock.move(timedelta(minutes=5))
        newer = await staged_at(channel, replace(with_picture(), revision=2, digest="更正后的摘要。"))
        corrected = await channel.correct("content-1", newer, "更正了户数", "key-2")
        assert isinstance(corrected, Accepted), corrected
        assert corrected.at == NOON
        assert "更正了户数" in (await office.get("/articles/content-1")).text
        older = await channel.publish(staged, "key-3")
        assert isinstance(older, Refused)
        assert older.code == "older_version"
        withdrawn = await channel.withdraw("content-1", "内容有误，另行发布", "key-4")
        assert isinstance(withdrawn, Accepted), withdrawn
        page = await office.get("/articles/content-1")
        assert page.status == 410
        assert "内容有误，另行发布" in page.text


LETTER = {
    "title": "松苑街路灯不亮", "text": "连着三晚没有亮，请派人看看。", "place": "松苑街与北苑路口", "author": "林先生",
    "contact": "", "district": "", "agreed": "on", "key": "form-0001",
}  # fmt: skip


async def test_a_letter_written_on_the_real_site_is_sealed_polled_and_acknowledged() -> None:
    async with met() as (channel, office):
        door = f"http://127.0.0.1:{office.port}"
        sent = await office.post("/letters/new", LETTER, Origin=door)
        assert sent.status in (200, 302, 303), sent.text
        page = await channel.poll("", [])
        assert isinstance(page, Page)
        (letter,) = page.heard
        assert (letter.kind, letter.text) == ("letter", "")
        box = str(letter.raw["sealed"])
        opened = json.loads(HUB.open_box(box, table="inbox", id=letter.external_id, field="sealed"))
        assert opened["title"] == LETTER["title"]
        again = await channel.poll(page.cursor, [])
        assert isinstance(again, Page)
        assert list(again.heard) == []
        _, _, inbox = await status_of(channel)
        assert inbox["waiting"] == 0
        assert await channel.beat("host:1")


async def test_letters_of_a_site_that_began_anew_are_not_passed_over() -> None:
    """Its numbers are small again: a cursor from before would skip what is written now."""
    async with met() as (channel, office):
        await office.post("/letters/new", LETTER, Origin=f"http://127.0.0.1:{office.port}")
        page = await channel.poll("500", [])
        assert isinstance(page, Page)
        assert [letter.kind for letter in page.heard] == ["letter"]
        assert page.cursor == "1"


async def asked(channel: Site, office: Office) -> tuple[Citizen, Mapping[str, Any]]:
    """A citizen with an open visit to their demand, and the row of the inbox that an answer is given to."""
    citizen = Citizen(office)
    code = await citizen.ask()
    await citizen.look(code, PHONE[-4:])
    page = await channel.poll("", [])
    assert isinstance(page, Page)
    return citizen, page.heard[0].raw


async def test_an_answer_reaches_the_page_of_its_code_once_and_is_found_by_a_look() -> None:
    async with met() as (channel, office):
        citizen, raw = await asked(channel, office)
        key = "0" * 26
        assert await channel.find_answer(raw, key) is None
        first = await channel.answer(raw, WORDS, key)
        again = await channel.answer(raw, WORDS, key)
        assert isinstance(first, Accepted) and first == again
        other = await channel.answer(raw, "换成别的话。", key)
        assert isinstance(other, Refused) and other.code == "key_reused"
        assert isinstance(await channel.find_answer(raw, key), Found)
        page = (await citizen.page()).text
        assert page.count(WORDS) == 1 and "换成别的话" not in page


async def test_what_the_citizen_adds_and_how_they_rate_is_heard_with_the_demand_it_is_about() -> None:
    async with met() as (channel, office):
        citizen, raw = await asked(channel, office)
        await channel.answer(raw, WORDS, "0" * 26)
        await citizen.send("messages", text="还是不亮", key="k" * 20, unsolved="on")
        await citizen.send("rating", answer="0" * 26, level="2")
        page = await channel.poll("1", [])
        assert isinstance(page, Page)
        assert [(one.kind, one.in_reply_to) for one in page.heard] == [("message", raw["id"]), ("rating", raw["id"])]
        said = await channel.answer(page.heard[0].raw, "已再派人去看。", "1" * 26)
        assert isinstance(said, Accepted), "an answer to a supplement goes to its demand"
        assert "已再派人去看。" in (await citizen.page()).text


async def test_progress_is_told_under_its_version_and_an_older_one_changes_nothing() -> None:
    async with met() as (channel, office):
        citizen, raw = await asked(channel, office)
        body = {"number": "26-11-00001", "title": "路灯", "said": "办理中", "state": "in_hand"}
        assert isinstance(await channel.put("demand_status", raw["id"], 7, body), Accepted)
        older = await channel.put("demand_status", raw["id"], 6, {**body, "said": "已受理"})
        assert isinstance(older, Refused) and older.code == "older_version"
        assert "办理中" in (await citizen.page()).text


async def test_a_letter_without_a_code_is_refused_for_good_and_a_lost_answer_is_unknown() -> None:
    async with met() as (channel, office):
        _, raw = await asked(channel, office)
        plain = await channel.answer({**raw, "kind": "letter"}, WORDS, "0" * 26)
        assert isinstance(plain, Refused) and plain.retry_after is None
        channel.protocol = replace(channel.protocol, base="http://127.0.0.1:9")
        away = await channel.answer(raw, WORDS, "0" * 26)
        assert isinstance(away, Refused) and away.retry_after is not None
        assert isinstance(await channel.find_answer(raw, "0" * 26), Unknown)


async def status_of(channel: Site) -> tuple[str, str, dict[str, Any]]:
    """Name, mark and inbox of the site as it says itself."""
    request = channel.protocol.signed("GET", "/status", channel.now(), 999)
    answer = await channel.transport.send(request)
    assert isinstance(answer, Answer)
    said = channel.protocol.read(request, answer, channel.now())
    assert said.done
    return str(said.body["name"]), str(said.body["mark"]), dict(said.body["inbox"])


async def test_another_key_is_not_taken_by_the_real_site() -> None:
    async with met(keys=(KEY, OLD_KEY)) as (channel, _office):
        channel.protocol = replace(channel.protocol, keys=(OLD_KEY,))
        assert (await channel.preflight()).state == "ok"
        channel.protocol = replace(channel.protocol, keys=("whsec_" + "QUJD" * 10,))
        assert (await channel.preflight()).state != "ok"
