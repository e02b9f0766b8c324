"""演练微信's pushes: modes, signatures, tries, doubles, order, and what becomes of the answer."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.parser import parse_message
from wechatpy.utils import check_signature

from channels.exchange import Answer, MaybeSent, NotSent, Request
from channels.performance import Delivery
from channels.wechat.rehearsal_access import openid
from channels.wechat.rehearsal_sealing import Seal, signature
from channels.wechat.rehearsal_xml import read, written
from tests.rehearsal.wechat_client import CALLBACK, Client

ZHANG = openid("rehearsal", "老张")
TAKEN = Answer(200, {}, b"success")


def query(push: Delivery) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(push.url).query).items()}


def crypto(client: Client) -> WeChatCrypto:
    own = client.account
    return WeChatCrypto(own["callback_token"], own["encoding_aes_key"], own["appid"])


def opened(client: Client, push: Delivery) -> str:
    """The message inside, by the independent library, its signature checked."""
    given = query(push)
    text: str = crypto(client).decrypt_message(
        push.body.decode(), given["msg_signature"], given["timestamp"], given["nonce"]
    )
    return text


def reply(client: Client, fields: dict[str, Any], *, sealed: bool = True) -> Answer:
    text = written({"ToUserName": ZHANG, "FromUserName": client.account["original_id"], "CreateTime": 1, **fields})
    return Answer(
        200, {}, crypto(client).encrypt_message(text, "77", "1795482000").encode() if sealed else text.encode()
    )


@pytest.mark.parametrize(
    ("timestamp", "nonce", "signed"),
    [
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
    ],
)
def test_the_official_examples_of_a_signature_come_out(timestamp: str, nonce: str, signed: str) -> None:
    assert signature("AAAAA", timestamp, nonce) == signed


def test_a_message_is_pushed_encrypted_and_an_independent_library_reads_it() -> None:
    client = Client()
    client.call_back()
    text = "停暖了]]><b>😀 & 12345"
    said = client.stage.speak({"message": text, "author": "老张"})
    (push,) = client.pushes()
    given = query(push)
    assert push.url.startswith(CALLBACK + "?")
    assert (given["encrypt_type"], given["openid"], push.seconds) == ("aes", ZHANG, 5)
    check_signature(client.account["callback_token"], given["signature"], given["timestamp"], given["nonce"])
    assert set(read(push.body)) == {"ToUserName", "Encrypt"}
    message = parse_message(opened(client, push))
    assert (message.type, message.content, message.source, message.id) == ("text", text, ZHANG, int(said))
    assert message.target == client.account["original_id"]
    assert message.time == int(client.clock.now().timestamp())


def test_a_changed_signature_or_another_accounts_key_is_noticed_by_the_library() -> None:
    client = Client()
    client.call_back()
    client.stage.speak({"message": "停暖了"})
    (push,) = client.pushes()
    given, own = query(push), client.account
    with pytest.raises(InvalidSignatureException):
        crypto(client).decrypt_message(push.body.decode(), "0" * 40, given["timestamp"], given["nonce"])
    other = WeChatCrypto(own["callback_token"], own["encoding_aes_key"], "wx0000000000000000")
    with pytest.raises(InvalidAppIdException):
        other.decrypt_message(push.body.decode(), given["msg_signature"], given["timestamp"], given["nonce"])


@pytest.mark.parametrize("mode", ["plain", "compatible", "encrypted"])
def test_each_mode_shows_what_it_should(mode: str) -> None:
    client = Client()
    client.call_back(mode)
    client.stage.speak({"message": "停暖了"})
    (push,) = client.pushes()
    inside = read(push.body)
    assert ("Content" in inside) is (mode != "encrypted")
    assert ("Encrypt" in inside) is (mode != "plain")
    assert ("msg_signature" in query(push)) is (mode != "plain")
    if mode != "plain":
        assert parse_message(opened(client, push)).content == "停暖了"


@pytest.mark.parametrize(
    ("said", "kind", "fields"),
    [
        ({"message": "", "type": "image"}, "image", ("image", "media_id")),
        ({"message": "水压低", "type": "voice"}, "voice", ("media_id", "recognition")),
        ({"message": "", "type": "video"}, "video", ("media_id", "thumb_media_id")),
        ({"message": "路", "type": "location", "latitude": 23.1, "longitude": 113.3}, "location", ("label", "scale")),
        ({"message": "标题", "type": "link", "url": "https://a.example"}, "link", ("title", "url")),
        ({"event": "subscribe", "key": "qrscene_7"}, "event", ("scene_id", "ticket")),
        ({"event": "unsubscribe"}, "event", ("event",)),
        ({"event": "SCAN", "key": "7"}, "event", ("scene_id", "ticket")),
        ({"event": "VIEW", "key": "https://a.example/"}, "event", ("url",)),
        ({"event": "LOCATION", "latitude": 23.1, "longitude": 113.3}, "event", ("latitude", "longitude")),
    ],
)  # fmt: skip
def test_every_kind_of_message_and_event_is_read_by_the_library(
    said: dict[str, Any], kind: str, fields: tuple[str, ...]
) -> None:
    client = Client()
    client.call_back()
    client.stage.speak({**said, "author": "老张"})
    (push,) = client.pushes()
    message = parse_message(opened(client, push))
    assert message.type == kind
    assert all(getattr(message, name) for name in fields)
    assert message.source == ZHANG


def test_a_picture_that_a_citizen_sends_can_be_fetched() -> None:
    client = Client()
    client.call_back("plain")
    client.stage.speak({"message": "", "type": "image"})
    media_id = read(client.pushes()[0].body)["MediaId"]
    answer, _ = client.platform.handle(Request("GET", client.url("media/get", media_id=media_id)), client.clock.now())
    assert answer.headers["content-type"] == "image/png"
    assert answer.body.startswith(b"\x89PNG")


def test_a_pressed_button_and_a_message_from_an_article_say_which() -> None:
    client = Client()
    client.call_back("plain")
    client.post("menu/create", {"button": [{"type": "click", "name": "报修", "key": "REPAIR"}]})
    client.stage.speak({"event": "CLICK", "key": "REPAIR"})
    assert read(client.pushes()[0].body)["EventKey"] == "REPAIR"
    article, data = client.published()
    client.stage.speak({"message": "看了文章", "post": article})
    fields = [read(push.body) for push in client.pushes()]
    assert [row["MsgDataId"] for row in fields if row["MsgType"] == "text"] == [str(data)]


def test_the_end_of_a_job_is_pushed_with_its_article_or_with_its_failures() -> None:
    client = Client()
    client.call_back("plain")
    submitted = client.submit()
    assert client.pushes() == []
    client.wait()
    (push,) = client.pushes()
    event, job = read(push.body), client.job(submitted)
    info = event["PublishEventInfo"]
    assert (event["Event"], info["publish_id"], info["publish_status"]) == ("PUBLISHJOBFINISH", job["publish_id"], "0")
    assert info["article_id"] == job["article_id"]
    assert info["article_detail"]["item"]["article_url"] == job["article_detail"]["item"][0]["article_url"]
    client.stage.delivered(push.id, TAKEN)
    client.stage.order("verdict", {"status": 4, "fail_idx": [1, 2]})
    client.submit(client.article(), client.article())
    client.wait()
    (push,) = client.pushes()
    assert b"<fail_idx>1</fail_idx><fail_idx>2</fail_idx>" in push.body
    assert b"article_id" not in push.body


def test_the_event_may_come_before_anybody_asked() -> None:
    client = Client()
    client.call_back("plain")
    client.stage.order("verdict", {"status": 0, "seconds": 0})
    submitted = client.submit()
    assert [read(push.body)["Event"] for push in client.pushes()] == ["PUBLISHJOBFINISH"]
    assert client.job(submitted)["publish_status"] == 0


def test_what_is_not_taken_is_tried_three_times_in_all_and_the_citizen_is_told() -> None:
    client = Client()
    client.call_back()
    client.stage.speak({"message": "停暖了", "author": "老张"})
    seen = []
    for result in (MaybeSent("等待对方答复超时"), NotSent("连接不上"), Answer(502, {}, b"<html>")):
        (push,) = client.pushes()
        seen.append(parse_message(opened(client, push)).id)
        client.stage.delivered(push.id, result)
        assert client.pushes() == []
        client.wait(5)
    assert client.pushes() == []
    assert len(set(seen)) == 1
    assert [(row["via"], row["text"]) for row in client.received()] == [
        ("notice", "该公众号暂时无法提供服务，请稍后再试")
    ]


@pytest.mark.parametrize("body", [b"success", b"", b" success\n"])
def test_an_acknowledged_push_is_never_sent_again_and_says_nothing(body: bytes) -> None:
    client = Client()
    client.call_back()
    client.stage.speak({"message": "停暖了"})
    (push,) = client.pushes()
    client.stage.delivered(push.id, Answer(200, {}, body))
    client.stage.delivered(push.id, MaybeSent("迟到的结果"))
    client.wait(60)
    assert client.pushes() == []
    assert client.received() == []


def test_pushes_can_be_ordered_to_come_twice_or_after_later_ones() -> None:
    client = Client()
    client.call_back("plain")
    client.stage.order("deliveries", {"copies": 2})
    client.stage.order("deliveries", {"delay": 30})
    for text in ("一", "二", "三"):
        client.stage.speak({"message": text})
    heard = []
    for _ in range(8):
        for push in client.pushes():
            heard.append(read(push.body)["Content"])
            client.stage.delivered(push.id, TAKEN)
        client.wait(10)
    assert heard == ["一", "三", "一", "一", "二"]
    for wrong in ({}, {"copies": -1}, {"delay": 1, "times": 0}):
        with pytest.raises(ValueError, match="应大于"):
            client.stage.order("deliveries", wrong)


def test_two_citizens_can_have_the_same_message_number() -> None:
    client = Client()
    client.call_back("plain")
    for author in ("老张", "小李"):
        client.stage.speak({"message": "停暖了", "author": author, "msg_id": "24000000000000001"})
    rows = [read(push.body) for push in client.pushes()]
    assert {row["MsgId"] for row in rows} == {"24000000000000001"}
    assert len({row["FromUserName"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"MsgType": "text", "Content": "您好]]>，已收到"}, "您好]]>，已收到"),
        ({"MsgType": "news", "ArticleCount": 1,
          "Articles": {"item": {"Title": "进度", "Description": "今晚", "PicUrl": "", "Url": "https://a.example"}}},
         "进度\n今晚\nhttps://a.example"),
        ({"MsgType": "image", "Image": {"MediaId": "x"}}, "[image]"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["plain", "compatible", "encrypted"])
def test_a_passive_reply_reaches_the_citizen(mode: str, fields: dict[str, Any], told: str) -> None:
    client = Client()
    client.call_back(mode)
    client.stage.speak({"message": "停暖了", "author": "老张"})
    (push,) = client.pushes()
    client.stage.delivered(push.id, reply(client, fields, sealed=mode != "plain"))
    assert [(row["text"], row["via"]) for row in client.platform.heard_by(ZHANG)] == [(told, "passive")]


def test_an_answer_that_is_no_reply_makes_the_platform_apologise() -> None:
    text = {"MsgType": "text", "Content": "您好"}
    for mode, answer in (
        ("encrypted", lambda client: Answer(200, {}, b'{"errcode":0}')),
        ("encrypted", lambda client: Answer(200, {}, b'<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>')),
        ("encrypted", lambda client: reply(client, text, sealed=False)),
        ("encrypted", lambda client: reply(client, {**text, "ToUserName": "o" + "x" * 27})),
        ("plain", lambda client: reply(client, {"MsgType": "text"}, sealed=False)),
        ("plain", lambda client: Answer(200, {}, b"<xml>" * 20)),
    ):  # fmt: skip
        client = Client()
        client.call_back(mode)
        client.stage.speak({"message": "停暖了", "author": "老张"})
        (push,) = client.pushes()
        client.stage.delivered(push.id, answer(client))
        assert [row["via"] for row in client.received()] == ["notice"]
        assert client.pushes() == []


@pytest.mark.parametrize("right", [True, False])
def test_a_new_address_can_be_asked_to_echo_before_anything_is_pushed(right: bool) -> None:
    client = Client()
    client.call_back(verify=True)
    client.stage.speak({"message": "停暖了"})
    for _ in range(1 if right else 3):
        (question,) = client.pushes()
        given = query(question)
        assert (question.method, question.body) == ("GET", b"")
        check_signature(client.account["callback_token"], given["signature"], given["timestamp"], given["nonce"])
        client.stage.delivered(question.id, Answer(200, {}, given["echostr"].encode() if right else b"success"))
        client.wait(5)
    assert client.stage.look("callback")["state"] == ("verified" if right else "refused")
    assert [push.method for push in client.pushes()] == (["POST"] if right else [])


def test_without_an_address_or_before_it_was_set_nothing_is_pushed() -> None:
    client = Client()
    client.stage.speak({"message": "停暖了"})
    assert client.pushes() == []
    client.wait(1)
    client.call_back()
    assert client.pushes() == []
    for wrong in ({"url": "ftp://a.example"}, {"url": "http://a:b@c.example"}, {"url": "http://a.example:99999"}):
        with pytest.raises(ValueError, match="网址"):
            client.stage.order("callback", wrong)
    with pytest.raises(ValueError, match="mode"):
        client.stage.order("callback", {"url": CALLBACK, "mode": "secret"})
    client.stage.order("callback", {"url": ""})
    client.stage.speak({"message": "还在吗"})
    assert client.pushes() == []


def test_a_broken_cipher_text_is_refused_whatever_is_broken() -> None:
    own = Client().account
    seal = Seal(own["callback_token"], own["encoding_aes_key"], own["appid"])
    sealed = seal.close("您好😀" * 20, bytes(16))
    assert seal.open(sealed, "1", "2", signature(seal.token, "1", "2", sealed)) == "您好😀" * 20
    raw = base64.b64decode(sealed)
    for broken in (b"", raw[:-1], raw[:32], raw[:-32], raw[::-1], raw + bytes(32)):
        text = base64.b64encode(broken).decode()
        with pytest.raises(ValueError, match=r"."):
            seal.open(text, "1", "2", signature(seal.token, "1", "2", text))
    with pytest.raises(ValueError, match="signature"):
        seal.open(sealed, "1", "3", signature(seal.token, "1", "2", sealed))
