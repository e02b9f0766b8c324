"""What a platform posts to the website: proved, kept once and sealed, answered at once; and what leaves no trace."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from channels.exchange import Answer
from channels.performance import Performance
from channels.wechat import callback
from channels.wechat.rehearsal import WechatPlatform
from hub.domain import first_answer
from hub.store.base import Document, Unreachable
from hub.store.memory import MemoryStore
from hub.store.tables import SITE_TABLES
from tests.contracts.test_callbacks_wechat import (
    AES,
    HEAD,
    PLAIN,
    SEALED,
    sealed_post,
    signed,
    text_of,
    tree,
    xml,
)
from tests.pages.site_office import HUB, NOON, Office, Said, opened_site

PATH = "/callbacks/wechat/wechat-main"
WORDS = "家里不热，请打 13900008888"
SERVICE = {"name": "新生儿落户", "aliases": ["上户口"], "needs": "出生医学证明", "where": "派出所", "public": True}


async def furnish(office: Office, keys: callback.Keys, account: str = "wechat-main") -> None:
    body = {"channel": "wechat", "app_id": keys.app_id, "token": keys.token, "aes_key": keys.aes_key}
    assert (await office.put("callback", account, body)).status == 201


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    """An account in plain mode."""
    async with opened_site() as found:
        await furnish(found, PLAIN)
        yield found


@pytest_asyncio.fixture
async def sealed() -> AsyncIterator[Office]:
    """An account in encrypted mode."""
    async with opened_site() as found:
        await furnish(found, SEALED)
        yield found


async def post(office: Office, query: Mapping[str, str], body: bytes, path: str = PATH) -> Said:
    return await office.request("POST", f"{path}?{urlencode(query)}", data=io.BytesIO(body),
                                headers={"Content-Type": "text/xml"})  # fmt: skip


async def say(office: Office, fields: Mapping[str, Any], nonce: str = "n1") -> Said:
    return await post(office, signed(nonce=nonce, at=office.clock.now()), xml(fields).encode())


async def rows(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await office.ask("GET", "/inbox")).json["rows"]
    return found


def opened(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(HUB.open_box(row["sealed"], table="inbox", id=row["id"], field="sealed"))
    return found


def words_of(said: Said) -> str:
    root = tree(said.content)
    assert (root.findtext("ToUserName"), root.findtext("FromUserName")) == ("o-1", "gh_1")
    return root.findtext("Content") or ""


def unsealed(said: Said) -> str:
    parts = {child.tag: child.text or "" for child in tree(said.content)}
    query = {"timestamp": parts["TimeStamp"], "nonce": parts["Nonce"], "msg_signature": parts["MsgSignature"],
             "signature": callback.signature(SEALED.token, parts["TimeStamp"], parts["Nonce"]),
             "encrypt_type": "aes", "echostr": parts["Encrypt"]}  # fmt: skip
    return tree(callback.check_echo(SEALED, query, NOON)).findtext("Content") or ""


# The address


async def test_the_address_echoes_to_the_platform_and_to_nobody_else(office: Office) -> None:
    said = await office.get(f"{PATH}?{urlencode(signed(echostr='4375120948345356249'))}")
    assert (said.status, said.text) == (200, "4375120948345356249")
    assert said.headers["Content-Type"].startswith("text/plain")
    for query in ({}, signed(echostr="1") | {"signature": "0" * 40}, {"echostr": "1"}, signed() | {"nonce": "签"}):
        refused = await office.get(f"{PATH}?{urlencode(query)}")
        assert (refused.status, refused.text) == (403, "refused")


@pytest.mark.parametrize("account", ["wechat-other", "WECHAT-MAIN", "x", "wechat%2Fmain", "..%2f", "账号", "a" * 300])
async def test_an_account_that_nobody_told_is_not_found(office: Office, account: str) -> None:
    path = f"/callbacks/wechat/{account}"
    assert (await office.get(f"{path}?{urlencode(signed(echostr='1'))}")).status == 404
    assert (await post(office, signed(), xml(text_of()).encode(), path)).status == 404
    assert await rows(office) == []


async def test_keys_that_were_taken_away_prove_nothing_any_more(office: Office) -> None:
    body = {"channel": "wechat", "app_id": "", "token": "", "aes_key": ""}
    assert (await office.put("callback", "wechat-main", body, version=2)).status == 200
    assert (await say(office, text_of())).status == 403
    assert (await post(office, signed(callback.Keys("", "")), xml(text_of()).encode())).status == 403
    assert await rows(office) == []


async def test_new_keys_replace_the_old(office: Office) -> None:
    body = {"channel": "wechat", "app_id": "wx1", "token": "BBBBB", "aes_key": ""}
    assert (await office.put("callback", "wechat-main", body, version=2)).status == 200
    assert (await say(office, text_of())).status == 403
    query = signed(callback.Keys("wx1", "BBBBB"))
    assert (await post(office, query, xml(text_of()).encode())).status == 200


# Keeping


async def test_a_message_is_kept_once_and_acknowledged(office: Office) -> None:
    assert (await say(office, text_of(WORDS))).status == 200
    (row,) = await rows(office)
    assert (row["kind"], row["about"]) == ("callback", "wechat-main")
    kept = opened(row)
    assert kept["fields"] == text_of(WORDS)
    assert kept["first"]["found"] is False


async def test_a_repeated_delivery_is_acknowledged_again_and_kept_once(office: Office) -> None:
    answers = [await say(office, text_of(WORDS), nonce=f"n{n}") for n in range(3)]
    answers += await asyncio.gather(*(say(office, text_of(WORDS), nonce="n9") for _ in range(5)))
    assert {said.status for said in answers} == {200}
    assert len({said.content for said in answers}) == 1
    assert len(await rows(office)) == 1


async def test_a_repeated_delivery_with_the_same_stamp_is_kept_once(sealed: Office) -> None:
    query, body = sealed_post(xml(text_of(WORDS)))
    for _ in range(3):
        assert (await post(sealed, query, body)).status == 200
    again, other = sealed_post(xml(text_of(WORDS)), nonce="n2")
    assert (await post(sealed, again, other)).status == 200
    assert len(await rows(sealed)) == 1


async def test_the_same_stamp_nonce_and_signature_with_another_body_are_refused(office: Office) -> None:
    assert (await say(office, text_of(WORDS))).status == 200
    forged = await say(office, text_of("假的", MsgId="2"))
    assert forged.status == 403
    assert len(await rows(office)) == 1
    assert (await say(office, text_of(WORDS))).status == 200


async def test_two_accounts_may_see_the_same_stamp(office: Office) -> None:
    await furnish(office, PLAIN, "wechat-other")
    assert (await say(office, text_of(WORDS))).status == 200
    other = await post(office, signed(), xml(text_of("另一条")).encode(), "/callbacks/wechat/wechat-other")
    assert other.status == 200
    assert {row["about"] for row in await rows(office)} == {"wechat-main", "wechat-other"}


async def test_two_citizens_whose_messages_carry_one_number_are_both_kept(office: Office) -> None:
    await say(office, text_of("一", MsgId="7", FromUserName="o-1"), nonce="n1")
    await say(office, text_of("二", MsgId="7", FromUserName="o-2"), nonce="n2")
    assert {opened(row)["fields"]["Content"] for row in await rows(office)} == {"一", "二"}


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
async def test_a_post_with_an_old_or_a_future_stamp_is_refused(office: Office, seconds: int) -> None:
    query, body = signed(), xml(text_of(WORDS)).encode()
    office.clock.move(seconds)
    assert (await post(office, query, body)).status == 403
    assert await rows(office) == []


async def test_what_is_forged_altered_or_broken_is_refused_and_leaves_nothing(sealed: Office) -> None:
    query, body = sealed_post(xml(text_of(WORDS)))
    posts = [
        ({}, body), (query | {"signature": "0" * 40}, body), (query | {"msg_signature": "0" * 40}, body),
        (query, body.replace(b"A", b"B", 1)), (signed(), xml(text_of()).encode()), (query, b""), (query, b"\xff"),
        (query, b"{" * 1000), (query, b"<!DOCTYPE xml []>" + body),
        (query, ("<!DOCTYPE xml []>" + body.decode()).encode("utf-16")),
    ]  # fmt: skip
    for given, content in posts:
        said = await post(sealed, given, content)
        assert (said.status, said.text) == (403, "refused")
    assert await rows(sealed) == []
    assert await sealed.site.store.find("used_ids", {"body": {"$exists": True}}, limit=9) == []


async def test_half_characters_in_json_are_kept_and_acknowledged(office: Office) -> None:
    fields = {**text_of("不热\ud83d"), "FromUserName": "o-1"}
    assert (await post(office, signed(), json.dumps(fields).encode())).status == 200
    (row,) = await rows(office)
    assert opened(row)["fields"]["Content"].startswith("不热")


async def test_a_body_over_sixty_four_kilobytes_is_refused_by_its_announced_length(office: Office) -> None:
    body = xml(text_of("x" * callback.LARGEST)).encode()
    assert (await post(office, signed(), body)).status == 413
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n<xml>".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert head.startswith(b"HTTP/1.1 413")
    assert await rows(office) == []


class Broken(MemoryStore):
    """A store that loses writes of one table as long as `broken` says."""

    broken = ""

    async def insert(self, table: str, document: Document) -> None:
        if table == self.broken:
            raise Unreachable("the disk is full")
        await super().insert(table, document)


@pytest.mark.parametrize("table", ["inbox", "used_ids"])
async def test_what_was_not_stored_is_not_acknowledged_and_the_platforms_repetition_is_kept(table: str) -> None:
    store = Broken(SITE_TABLES)
    async with opened_site(store) as office:
        await furnish(office, PLAIN)
        store.broken = table
        said = await say(office, text_of(WORDS))
        assert said.status >= 500
        assert "success" not in said.text
        assert "<xml>" not in said.text
        store.broken = ""
        assert (await say(office, text_of(WORDS))).status == 200
        assert len(await rows(office)) == 1


async def test_a_message_is_acknowledged_only_once_it_is_durable() -> None:
    store = MemoryStore(SITE_TABLES)
    async with opened_site(store) as office:
        await furnish(office, PLAIN)
        store.hold()
        sent = asyncio.create_task(say(office, text_of(WORDS)))
        for _ in range(2):  # the stamp, then the message
            while not store.waiting():  # noqa: ASYNC110 - until a row stands at the line
                await asyncio.sleep(0.01)
            assert not sent.done()
            store.release()
            store.hold()
        store.release()
        assert (await sent).status == 200


async def test_nothing_readable_of_a_citizen_stands_in_the_sites_store_or_log(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await say(office, text_of(WORDS, FromUserName="o-canary"))
    await say(office, {**text_of("又一条 13900008888"), "MsgId": "2"} | {"FromUserName": "o-canary"})
    await post(office, signed(nonce="n7") | {"signature": "0"}, xml(text_of(WORDS)).encode())
    kept = repr([await office.site.store.find(table.name, {}, limit=1000) for table in SITE_TABLES])
    for canary in ("13900008888", "o-canary", "不热"):
        assert canary not in kept
        assert canary not in caplog.text
    assert PLAIN.token not in caplog.text


async def test_the_keys_stand_on_no_public_page(sealed: Office) -> None:
    for path in ("/", "/search?q=wechat-main", "/feed.xml", "/sitemap.xml", "/public/v1/articles", "/ready",
                 "/articles/wechat-main", "/media/wechat-main", "/content/v1/items/callback/wechat-main"):  # fmt: skip
        text = (await sealed.get(path)).text
        assert AES not in text
        assert "AAAAA" not in text


# Events


@pytest.mark.parametrize("event", ["unsubscribe", "VIEW", "LOCATION", "SCAN", "TEMPLATESENDJOBFINISH", "kf_close"])
async def test_an_event_of_no_use_is_acknowledged_and_leaves_nothing(office: Office, event: str) -> None:
    said = await say(office, {**HEAD, "MsgType": "event", "Event": event, "EventKey": "x"})
    assert (said.status, said.text) == (200, "success")
    assert await rows(office) == []


@pytest.mark.parametrize("event", ["PUBLISHJOBFINISH", "publishjobfinish", "MASSSENDJOBFINISH"])
async def test_what_the_hub_waits_for_is_kept(office: Office, event: str) -> None:
    told = {"publish_id": "7", "publish_status": "0"}
    fields = {**HEAD, "MsgType": "event", "Event": event, "PublishEventInfo": told}
    assert (await say(office, fields)).text == "success"
    (row,) = await rows(office)
    assert opened(row)["fields"]["PublishEventInfo"]["publish_id"] == "7"


# First answers


async def put_all(office: Office, **table: Any) -> None:
    assert (await office.put("service", "newborn", SERVICE)).status == 201
    if table:
        assert (await office.put("autoreply", "wechat-main", table)).status == 201


async def test_a_question_is_answered_from_the_directory_and_goes_to_a_person_all_the_same(office: Office) -> None:
    await put_all(office)
    said = await say(office, text_of("上户口要带什么"))
    assert "出生医学证明" in words_of(said)
    assert said.headers["Content-Type"].startswith("application/xml")
    (row,) = await rows(office)
    assert opened(row)["first"] == {"text": words_of(said), "found": True}


async def test_the_accounts_own_table_answers_before_the_directory(office: Office) -> None:
    await put_all(office, welcome="您好。", rules=[{"words": ["上户口"], "text": "请到三楼。]]>"}])
    assert words_of(await say(office, text_of("上户口要带什么"))) == "请到三楼。]]>"


async def test_where_nothing_is_found_the_citizen_gets_a_receipt(office: Office) -> None:
    assert words_of(await say(office, text_of(WORDS))) == first_answer.NOT_FOUND
    picture = {**HEAD, "MsgType": "image", "PicUrl": "u", "MsgId": "3"}
    assert words_of(await say(office, picture, nonce="n2")) == first_answer.NO_WORDS


async def test_what_was_spoken_is_answered_by_its_words(office: Office) -> None:
    await put_all(office)
    voice = {**HEAD, "MsgType": "voice", "MediaId": "m", "Recognition": "上户口", "MsgId": "4"}
    assert "出生医学证明" in words_of(await say(office, voice))


async def test_who_follows_is_greeted_and_buttons_answer(office: Office) -> None:
    await put_all(office, welcome="欢迎来到云川发布。", rules=[])
    event = {**HEAD, "MsgType": "event"}
    assert words_of(await say(office, {**event, "Event": "subscribe"})) == "欢迎来到云川发布。"
    listed = await say(office, {**event, "Event": "CLICK", "EventKey": first_answer.SERVICES}, nonce="n2")
    assert "新生儿落户" in words_of(listed)
    theirs = await say(office, {**event, "Event": "CLICK", "EventKey": "theirs"}, nonce="n3")
    assert theirs.text == "success"
    assert await rows(office) == []


async def test_in_encrypted_mode_the_answer_is_encrypted_too(sealed: Office) -> None:
    await put_all(sealed)
    query, body = sealed_post(xml(text_of("上户口")))
    said = await post(sealed, query, body)
    assert said.status == 200
    assert "出生医学证明" not in said.text
    assert "出生医学证明" in unsealed(said)
    query, body = sealed_post(xml({**HEAD, "MsgType": "event", "Event": "subscribe"}), nonce="n2")
    assert unsealed(await post(sealed, query, body)) == first_answer.WELCOME


async def test_an_entry_that_is_not_public_or_was_taken_off_answers_nobody(office: Office) -> None:
    assert (await office.put("service", "newborn", {**SERVICE, "public": False})).status == 201
    assert words_of(await say(office, text_of("上户口"))) == first_answer.NOT_FOUND
    assert (await office.put("service", "newborn", SERVICE, version=2)).status == 200
    removed = await office.ask("DELETE", "/items/service/newborn?" + urlencode({"version": 3, "note": "停办"}))
    assert removed.status == 200
    assert words_of(await say(office, text_of("上户口", MsgId="2"), nonce="n2")) == first_answer.NOT_FOUND


# What the hub may put


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("autoreply", {"welcome": 3}, "body.welcome"), ("autoreply", {"welcome": "长" * 601}, "body.welcome"),
        ("autoreply", {"rules": {}}, "body.rules"), ("autoreply", {"rules": ["x"]}, "body.rules[0]"),
        ("autoreply", {"rules": [{"words": "供暖", "text": "x"}]}, "body.rules[0]"),
        ("autoreply", {"rules": [{"words": [], "text": "x"}]}, "body.rules[0]"),
        ("autoreply", {"rules": [{"words": ["供暖"], "text": " "}]}, "body.rules[0]"),
        ("autoreply", {"rules": [{"words": ["供暖"], "text": "长" * 601}]}, "body.rules[0]"),
        ("autoreply", {"rules": [{"words": ["供暖"], "text": "x"}] * 201}, "body.rules"),
        ("callback", {"token": 7}, "body.token"), ("callback", {"aes_key": ["x"]}, "body.aes_key"),
        ("callback", {"app_id": "长" * 201}, "body.app_id"),
        ("service", {"name": ""}, "name"),
    ],
)  # fmt: skip
async def test_a_table_keys_or_an_entry_that_would_break_the_answers_are_refused(
    office: Office, kind: str, body: dict[str, Any], field: str
) -> None:
    said = await office.put(kind, "wechat-other", body)
    assert said.status == 422
    assert field in {each["field"] for each in said.json["errors"]}
    assert (await say(office, text_of(WORDS))).status == 200


# The platform itself


async def carry(office: Office, stage: Performance) -> list[Said]:
    """Bring the website everything that the platform wants to post now, and the platform the answers."""
    said = []
    for delivery in stage.due():
        request = delivery.request()
        answer = await office.request(request.method, request.target, data=io.BytesIO(request.body) or None,
                                      headers=dict(request.headers))  # fmt: skip
        stage.delivered(delivery.id, Answer(answer.status, {}, answer.content))
        said.append(answer)
    return said


@pytest.mark.parametrize("mode", ["plain", "compatible", "encrypted"])
async def test_in_each_of_its_modes_the_platform_is_understood_and_hears_the_answer(mode: str) -> None:
    async with opened_site() as office:
        stage = Performance(WechatPlatform, office.clock.now)
        known = stage.platform.accounts()[0]
        aes = "" if mode == "plain" else known["encoding_aes_key"]
        await furnish(office, callback.Keys(known["appid"], known["callback_token"], aes))
        await put_all(office)
        url = f"http://127.0.0.1:{office.port}{PATH}"
        stage.order("callback", {"url": url, "mode": mode, "verify": True})
        await carry(office, stage)
        assert stage.look("callback")["state"] == "verified"
        stage.order("deliveries", {"copies": 2, "times": 2})
        stage.speak({"message": "上户口要带什么", "author": "居民甲"})
        stage.speak({"message": WORDS, "author": "居民乙"})
        stage.speak({"event": "subscribe", "author": "居民丙"})
        for _ in range(4):
            office.clock.move(6)
            assert {one.status for one in await carry(office, stage)} <= {200}
        heard = [(row["author"], row["via"]) for row in stage.look("received")]
        assert set(heard) == {(f"居民{name}", "passive") for name in "甲乙丙"}
        kept = sorted(opened(row)["fields"]["Content"] for row in await rows(office))
        assert kept == sorted(["上户口要带什么", WORDS])
