"""What 微信 posts to a callback address: who is believed, what is opened and read, and what nothing can break."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from channels.kinds import connect
from channels.performance import InProcess
from channels.wechat import callback
from channels.wechat.callback import BadCallback, Keys
from channels.wechat.rehearsal_sealing import Seal

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
AES = base64.b64encode(bytes(range(32))).decode().rstrip("=")
PLAIN = Keys("wx0123456789abcdef", "AAAAA")
SEALED = Keys(PLAIN.app_id, PLAIN.token, AES)
SALT = b"0123456789abcdef"
HEAD = {"ToUserName": "gh_1", "FromUserName": "o-1", "CreateTime": str(int(NOON.timestamp()))}


def signed(keys: Keys = PLAIN, at: datetime = NOON, nonce: str = "n1", **more: str) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {"timestamp": stamp, "nonce": nonce, "signature": callback.signature(keys.token, stamp, nonce), **more}


def tree(text: str | bytes) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own answers


def xml(fields: Mapping[str, Any]) -> str:
    def element(name: str, value: Any) -> str:
        if isinstance(value, list):
            return "".join(element(name, each) for each in value)
        inside = "".join(element(*each) for each in value.items()) if isinstance(value, dict) else escape(str(value))
        return f"<{name}>{inside}</{name}>"

    return element("xml", dict(fields))


def text_of(words: str = "家里不热", **more: Any) -> dict[str, Any]:
    return {**HEAD, "MsgType": "text", "Content": words, "MsgId": "1", **more}


def sealed_post(inner: str, keys: Keys = SEALED, nonce: str = "n1", **changes: str) -> tuple[dict[str, str], bytes]:
    """A post in encrypted mode: its query and its body."""
    cipher = changes.get("cipher") or callback.seal(keys, inner, SALT)
    query = signed(keys, nonce=nonce, encrypt_type="aes")
    query["msg_signature"] = callback.signature(keys.token, query["timestamp"], nonce, cipher)
    return query, f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>".encode()


def cipher_of(plain: bytes, key: bytes = bytes(range(32))) -> str:
    """Whatever bytes, sealed with the account's key; the padding is the caller's."""
    writer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(writer.update(plain) + writer.finalize()).decode()


def laid(message: bytes, length: int | None = None, app_id: str = PLAIN.app_id, padding: int | None = None) -> bytes:
    """16 bytes of salt, length, message, AppID, padding."""
    count = len(message) if length is None else length
    plain = SALT + count.to_bytes(4) + message + app_id.encode()
    if padding is None:
        padding = 32 - len(plain) % 32
        return plain + bytes([padding]) * padding
    plain += b"\0" * (-(len(plain) + 1) % 16)
    return plain + bytes([padding])


# Who is believed


@pytest.mark.parametrize(
    ("stamp", "nonce", "known"),
    [
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
    ],
)
def test_the_platforms_own_examples_are_signed_as_it_says(stamp: str, nonce: str, known: str) -> None:
    assert callback.signature("AAAAA", stamp, nonce) == known
    query = {"timestamp": stamp, "nonce": nonce, "signature": known, "echostr": "4375120948345356249"}
    at = datetime.fromtimestamp(int(stamp), UTC)
    assert callback.check_echo(PLAIN, query, at) == "4375120948345356249"
    with pytest.raises(BadCallback):
        callback.check_echo(Keys("wx", "BBBBB"), query, at)


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
@pytest.mark.parametrize("value", [None, "", "0", "签名", "\ud800", "x" * 10_000, "1e9", "-1", "９" * 10, "²"])
def test_a_part_that_is_missing_or_another_is_refused(name: str, value: str | None) -> None:
    query = signed(echostr="1")
    if value is None:
        del query[name]
    else:
        query[name] = value
    for ask in (lambda: callback.check_echo(PLAIN, query, NOON),
                lambda: callback.take_in(PLAIN, query, xml(text_of()).encode(), NOON)):  # fmt: skip
        with pytest.raises(BadCallback):
            ask()


def test_an_account_without_a_token_believes_nobody() -> None:
    nobody = Keys("wx", "")
    with pytest.raises(BadCallback):
        callback.take_in(nobody, signed(nobody), xml(text_of()).encode(), NOON)


@pytest.mark.parametrize(("seconds", "believed"), [(0, True), (299, True), (-299, True), (301, False), (-301, False),
                                                   (86_400, False), (-86_400, False)])  # fmt: skip
def test_a_stamp_is_believed_for_five_minutes_either_way(seconds: int, believed: bool) -> None:
    query = signed(at=NOON + timedelta(seconds=seconds), echostr="7")
    if believed:
        assert callback.check_echo(PLAIN, query, NOON) == "7"
    else:
        with pytest.raises(BadCallback):
            callback.check_echo(PLAIN, query, NOON)


def test_an_echo_in_encrypted_mode_is_opened() -> None:
    cipher = callback.seal(SEALED, "4375120948345356249", SALT)
    query = signed(SEALED, encrypt_type="aes", echostr=cipher)
    query["msg_signature"] = callback.signature(SEALED.token, query["timestamp"], "n1", cipher)
    assert callback.check_echo(SEALED, query, NOON) == "4375120948345356249"
    with pytest.raises(BadCallback):
        callback.check_echo(SEALED, {**query, "msg_signature": "0" * 40}, NOON)


# Encrypted mode


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_opens_again_and_the_rehearsal_reads_it_alike(text: str, salt: bytes) -> None:
    cipher = callback.seal(SEALED, text, salt)
    assert callback.open_sealed(SEALED, cipher) == text
    other = Seal(SEALED.token, SEALED.aes_key, SEALED.app_id)
    assert other.open(cipher, "1", "n", callback.signature(SEALED.token, "1", "n", cipher)) == text
    assert callback.open_sealed(SEALED, other.close(text, salt)) == text


def test_an_encrypted_message_is_read_and_an_altered_one_is_not() -> None:
    query, body = sealed_post(xml(text_of("家里不热 😀")))
    assert callback.take_in(SEALED, query, body, NOON)["Content"] == "家里不热 😀"
    altered = body.replace(b"A", b"B", 1)
    assert altered != body
    for bad in (altered, body.replace(b"Encrypt>", b"Encrypted>"), b"", b"<xml/>"):
        with pytest.raises(BadCallback):
            callback.take_in(SEALED, query, bad, NOON)
    for name in ("msg_signature", "signature"):
        for value in ("", "0" * 40, "签"):
            with pytest.raises(BadCallback):
                callback.take_in(SEALED, {**query, name: value}, body, NOON)


def test_a_plain_body_is_refused_where_encryption_is_agreed() -> None:
    for more in ({}, {"encrypt_type": "raw"}, {"encrypt_type": "aes"}):
        with pytest.raises(BadCallback):
            callback.take_in(SEALED, signed(**more), xml(text_of()).encode(), NOON)


def test_of_a_compatible_body_only_the_sealed_part_is_believed() -> None:
    query, body = sealed_post(xml(text_of("真话")))
    both = body.replace(b"<Encrypt>", xml(text_of("假话"))[5:-6].encode() + b"<Encrypt>")
    for given_query in (query, {name: value for name, value in query.items() if name != "encrypt_type"}):
        assert callback.take_in(SEALED, given_query, both, NOON)["Content"] == "真话"


def test_an_account_in_plain_mode_opens_nothing() -> None:
    query, body = sealed_post(xml(text_of()))
    with pytest.raises(BadCallback):
        callback.take_in(PLAIN, query, body, NOON)


@pytest.mark.parametrize("padding", [0, 33, 48, 255])
def test_a_padding_that_is_none_is_refused(padding: int) -> None:
    query, body = sealed_post("", cipher=cipher_of(laid(xml(text_of()).encode(), padding=padding)))
    with pytest.raises(BadCallback):
        callback.take_in(SEALED, query, body, NOON)


@pytest.mark.parametrize(
    "cipher",
    [
        cipher_of(laid(b"<xml/>", length=7)), cipher_of(laid(b"<xml/>", length=5)),
        cipher_of(laid(b"<xml/>", length=2**32 - 1)),
        cipher_of(laid(b"<xml/>", app_id="wxffffffffffffffff")), cipher_of(laid(b"<xml/>", app_id="")),
        cipher_of(laid(b"\xff\xfe\xfd")), cipher_of(b"\x10" * 16), cipher_of(b"\x20" * 32), cipher_of(b""),
        cipher_of(laid(b"<xml/>"), bytes(32)), base64.b64encode(b"x" * 15).decode(), "", "!", "密文",
    ],
)  # fmt: skip
def test_a_length_beyond_the_text_another_account_and_any_rubbish_are_refused(cipher: str) -> None:
    query, body = sealed_post("", cipher=cipher or "=")
    with pytest.raises(BadCallback):
        callback.take_in(SEALED, query, body, NOON)
    with pytest.raises(BadCallback):
        callback.open_sealed(SEALED, cipher)


@pytest.mark.parametrize("aes_key", ["A" * 42, "A" * 44, "密" * 43, " " + AES[:-1], AES[:-1] + "\n"])
def test_a_key_that_is_none_is_said_where_it_is_entered(aes_key: str) -> None:
    assert callback.is_key(AES)
    account = {"channel": "wechat", "settings": {"app_id": "wx1"}}
    with pytest.raises(ValueError, match="EncodingAESKey"):
        connect(account, {"secret": "S", "callback_token": "T", "aes_key": aes_key}, InProcess({}), lambda: NOON)


def test_a_key_whose_last_bits_are_odd_is_read() -> None:
    odd = AES[:-1] + chr(ord(AES[-1]) + 1)
    assert base64.b64decode(odd + "=") == bytes(range(32))
    assert callback.open_sealed(Keys(SEALED.app_id, "AAAAA", odd), callback.seal(SEALED, "好", SALT)) == "好"


@pytest.mark.parametrize("aes_key", ["A", "A" * 42, "A" * 44, "密" * 43, "!" * 43, "A" * 20 + "\n" + "A" * 20])
def test_a_key_that_is_none_refuses_and_breaks_nothing(aes_key: str) -> None:
    bad = Keys(SEALED.app_id, SEALED.token, aes_key)
    query, body = sealed_post(xml(text_of()))
    with pytest.raises(BadCallback):
        callback.take_in(bad, query, body, NOON)


# Reading


ENTITY = '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
BOMB = ENTITY + "<xml><FromUserName>o</FromUserName><MsgType>text</MsgType><Content>&b;</Content></xml>"


@pytest.mark.parametrize("head", ["", '<?xml version="1.0"?>', "<!-- -->", "<!-- <![CDATA[ -->", "<?a ?>", " \n"])
@pytest.mark.parametrize("word", ["<!DOCTYPE", "<!doctype", "<!DocType"])
def test_a_document_that_declares_anything_is_refused(head: str, word: str) -> None:
    body = (head + BOMB.replace("<!DOCTYPE", word) + "<!-- ]]> -->").encode()
    with pytest.raises(BadCallback):
        callback.take_in(PLAIN, signed(), body, NOON)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "utf-8-sig"])
@pytest.mark.parametrize("named", [True, False])
def test_no_encoding_hides_a_declaration(encoding: str, named: bool) -> None:
    if encoding == "cp037" and named:  # the line that names it is read as ASCII, the rest is not
        body = b'<?xml version="1.0" encoding="cp037"?>' + BOMB.encode("cp037")
    else:
        head = f'<?xml version="1.0" encoding="{encoding}"?>' if named else ""
        body = (head + BOMB).encode(encoding)
    with pytest.raises(BadCallback):
        callback.take_in(PLAIN, signed(), body, NOON)
    query, sealed = sealed_post(BOMB)
    with pytest.raises(BadCallback):
        callback.take_in(SEALED, query, sealed, NOON)


def test_a_citizen_who_writes_of_declarations_is_heard() -> None:
    words = "网站上显示 <!DOCTYPE html> 和 <!ENTITY，打不开 ]] >"
    body = f"<xml><FromUserName>o</FromUserName><MsgType>text</MsgType><Content><![CDATA[{words}]]></Content></xml>"
    fields = callback.take_in(PLAIN, signed(), body.encode(), NOON)
    heard = callback.heard(fields, NOON)
    assert heard is not None
    assert heard.text == words


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"<xml>", b"</xml>", b"<html/>", b"<xml/><xml/>", b"success", b"[]", b"null", b"{", b'{"a":}',
        b'"x"',
        b"\x00", b"\xff\xfe", b"<xml>\xff</xml>", b"<xml><a>&amp</a></xml>", b"<xml><a>&undeclared;</a></xml>",
        b"{" + b'"a":{' * 50_000, b"<xml>" + b"<a>" * 7 + b"</a>" * 7 + b"</xml>",
        b"<xml>" + b"<a/>" * 200 + b"</xml>",
        json.dumps({f"n{n}": 1 for n in range(201)}).encode(),
        json.dumps({"a": {f"n{n}": 1 for n in range(201)}}).encode(),
        b'{"a":' * 9 + b"1" + b"}" * 9, b'{"a": [' + b"[" * 9 + b"]" * 9 + b"]}", b'{"a": 1' + b"0" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        callback.take_in(PLAIN, signed(), body, NOON)


def test_sixty_four_kilobytes_are_read_and_no_byte_more() -> None:
    around = len(xml(text_of("")))
    words = "x" * (callback.LARGEST - around)
    assert callback.take_in(PLAIN, signed(), xml(text_of(words)).encode(), NOON)["Content"] == words
    with pytest.raises(BadCallback):
        callback.take_in(PLAIN, signed(), xml(text_of(words + "x")).encode(), NOON)


def test_a_repeated_field_is_a_list_and_no_fault() -> None:
    fields = callback.take_in(PLAIN, signed(), xml(text_of(MsgId=["1", "2"], FailIdx=["1", "2", "3"])).encode(), NOON)
    assert fields["FailIdx"] == ["1", "2", "3"]
    assert callback.identity(fields).startswith("wx-")


def test_a_message_in_json_is_the_same_as_in_xml() -> None:
    fields = {**text_of(), "CreateTime": int(NOON.timestamp()), "MsgId": 24_000_000_000_000_001}
    as_json = callback.take_in(PLAIN, signed(), json.dumps(fields).encode(), NOON)
    as_xml = callback.take_in(PLAIN, signed(), xml(fields).encode(), NOON)
    one, two = callback.heard(as_json, NOON), callback.heard(as_xml, NOON)
    assert one is not None
    assert two is not None
    assert (one.external_id, one.text, one.at, one.author_id) == (two.external_id, two.text, two.at, two.author_id)
    assert one.at == NOON


def test_half_characters_in_json_break_nothing_behind() -> None:
    body = json.dumps({**text_of("不热\ud83d"), "FromUserName": "o\udc00"}).encode()
    fields = callback.take_in(PLAIN, signed(), body, NOON)
    json.dumps(fields, ensure_ascii=False).encode()
    heard = callback.heard(fields, NOON)
    assert heard is not None
    assert heard.text.startswith("不热")
    query, _ = sealed_post("x")
    with pytest.raises(BadCallback):
        callback.take_in(SEALED, query, b'{"Encrypt": "\\ud800"}', NOON)


@given(st.binary(max_size=300), st.sampled_from([PLAIN, SEALED]))
def test_no_bytes_raise_anything_but_a_refusal(body: bytes, keys: Keys) -> None:
    for query in (signed(keys), signed(keys, encrypt_type="aes", msg_signature="0")):
        with suppress(BadCallback):
            assert isinstance(callback.take_in(keys, query, body, NOON), dict)


queries = st.dictionaries(
    st.sampled_from(["timestamp", "nonce", "signature", "msg_signature", "encrypt_type", "echostr"]),
    st.text(max_size=20) | st.sampled_from(["aes", str(int(NOON.timestamp())), "\ud800"]),
)


@given(queries, st.binary(max_size=30), st.sampled_from([PLAIN, SEALED]))
def test_no_query_is_believed_or_raises_anything_else(query: dict[str, str], body: bytes, keys: Keys) -> None:
    for ask in (lambda: callback.check_echo(keys, query, NOON), lambda: callback.take_in(keys, query, body, NOON)):
        with pytest.raises(BadCallback):
            ask()


@given(st.binary(max_size=120))
def test_no_sealed_bytes_raise_anything_but_a_refusal(inner: bytes) -> None:
    with suppress(BadCallback):
        assert callback.open_sealed(SEALED, cipher_of(laid(inner))).encode() == inner
    query, body = sealed_post("", cipher=cipher_of(laid(inner)))
    with suppress(BadCallback):
        callback.take_in(SEALED, query, body, NOON)


json_parts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgId", "Content",
          "PublishEventInfo", "Recognition", "Label")  # fmt: skip


given_fields = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(FIELDS, json_parts | st.sampled_from(["event", "text", "CLICK"]))
)


@given(given_fields)
def test_whatever_stands_in_the_fields_they_are_read_without_a_fault(fields: dict[str, Any]) -> None:
    try:
        read = callback.take_in(PLAIN, signed(), json.dumps(fields).encode(), NOON)
    except BadCallback:
        return
    assert callback.identity(read) == callback.identity(json.loads(json.dumps(read)))
    callback.event_of(read)
    callback.published_id(read)
    heard = callback.heard(read, NOON)
    assert heard is None or heard.author_id
    reply = callback.passive_text(read, "好", NOON)
    assert tree(reply).findtext("Content") == "好"


# Identity


def test_the_same_delivery_has_the_same_identity_in_every_mode_and_spelling() -> None:
    query, body = sealed_post(xml(text_of()))
    ids = {
        callback.identity(callback.take_in(SEALED, query, body, NOON)),
        callback.identity(callback.take_in(PLAIN, signed(nonce="n2"), xml(text_of()).encode(), NOON)),
        callback.identity(dict(reversed(text_of().items()))),
    }
    assert len(ids) == 1
    assert callback.identity({**HEAD, "MsgType": "event", "Event": "SCAN", "EventKey": "1"}) != callback.identity(
        {**HEAD, "MsgType": "event", "Event": "SCAN", "EventKey": "2"}
    )


@pytest.mark.parametrize("name", ["FromUserName", "CreateTime", "MsgType", "MsgId"])
def test_two_messages_that_differ_in_anything_that_tells_them_apart_differ(name: str) -> None:
    assert callback.identity(text_of()) != callback.identity({**text_of(), name: "another"})


def test_two_citizens_whose_messages_carry_one_number_are_two() -> None:
    one, two = text_of(MsgId="7", FromUserName="o-1"), text_of(MsgId="7", FromUserName="o-2")
    assert callback.identity(one) != callback.identity(two)


def test_two_events_of_one_citizen_in_one_second_are_two() -> None:
    def event(**more: Any) -> str:
        return callback.identity({**HEAD, "MsgType": "event", **more})

    ids = {
        event(Event="LOCATION", Latitude="1"), event(Event="LOCATION", Latitude="2"), event(Event="VIEW", EventKey="u"),
        event(Event="CLICK", EventKey="ask"), event(Event="CLICK", EventKey="services"), event(Event="unsubscribe"),
        event(Event="PUBLISHJOBFINISH", PublishEventInfo={"publish_id": "1"}),
        event(Event="PUBLISHJOBFINISH", PublishEventInfo={"publish_id": "2"}),
    }  # fmt: skip
    assert len(ids) == 8


def test_fields_cannot_be_shifted_into_each_other() -> None:
    assert callback.identity(text_of(FromUserName="o-1x", CreateTime="2")) != callback.identity(
        text_of(FromUserName="o-1", CreateTime="x2")
    )


def test_a_message_without_a_number_is_told_apart_by_its_words() -> None:
    one, two = text_of("一", MsgId=""), text_of("二", MsgId="")
    assert callback.identity(one) != callback.identity(two)


# Meaning


@pytest.mark.parametrize("event", ["PUBLISHJOBFINISH", "publishjobfinish", "PublishJobFinish"])
def test_an_event_is_known_in_any_spelling(event: str) -> None:
    fields = {**HEAD, "MsgType": "event", "Event": event, "PublishEventInfo": {"publish_id": "2247503051"}}
    assert callback.published_id(callback.take_in(PLAIN, signed(), xml(fields).encode(), NOON)) == "2247503051"
    assert callback.heard(fields, NOON) is None
    assert callback.published_id({**fields, "MsgType": "text"}) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"MsgType": "text", "Content": " 不热 "}, " 不热 "), ({"MsgType": "image", "PicUrl": "u"}, "［图片］"),
        ({"MsgType": "voice", "Recognition": "不热"}, "［语音］不热"), ({"MsgType": "voice"}, "［语音］"),
        ({"MsgType": "location", "Label": "北苑路"}, "［位置］北苑路"),
        ({"MsgType": "link", "Title": "通知"}, "［链接］通知"),
        ({"MsgType": "sticker"}, "［其他消息］"), ({"MsgType": "video"}, "［视频］"),
        ({"MsgType": "TEXT", "Content": "大"}, "大"),
    ],
)  # fmt: skip
def test_every_kind_of_message_is_words_for_a_person(fields: dict[str, str], said: str) -> None:
    heard = callback.heard({**HEAD, **fields, "MsgId": "1"}, NOON)
    assert heard is not None
    assert (heard.text, heard.kind, heard.author_id, heard.at) == (said, "message", "o-1", NOON)


@pytest.mark.parametrize("stamp", ["", "x", "-1", "99999999999999999999", "1e9", "²"])
def test_a_message_whose_time_is_none_is_heard_now(stamp: str) -> None:
    heard = callback.heard(text_of(CreateTime=stamp), NOON)
    assert heard is not None
    assert heard.at == NOON


# Answering


def stands_in_xml(sign: str) -> bool:
    code = ord(sign)
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


any_text = st.text(st.characters() | st.sampled_from("\x00\x0b\ufffe\ud800]>"), max_size=40)


@given(any_text, any_text)
def test_any_text_is_answered_in_whole_xml(text: str, who: str) -> None:
    fields = {"FromUserName": who, "ToUserName": "gh"}
    reply = tree(callback.passive_text(fields, text, NOON).encode())
    kept = "".join(filter(stands_in_xml, text))
    assert reply.findtext("Content") == kept.replace("\r\n", "\n").replace("\r", "\n")
    assert reply.findtext("FromUserName") == "gh"
    assert reply.findtext("MsgType") == "text"


@pytest.mark.parametrize("text", ["]]>", "a]]>b]]>", "]]]]>>", "<![CDATA[x]]>", "&amp;<b>", "😀"])
def test_an_answer_cannot_end_its_own_section(text: str) -> None:
    reply = callback.passive_text({"FromUserName": "o]]>", "ToUserName": "gh"}, text, NOON)
    root = tree(reply)
    assert (root.findtext("Content"), root.findtext("ToUserName")) == (text, "o]]>")
    assert [child.tag for child in root] == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]


def test_an_encrypted_answer_is_opened_by_whoever_holds_the_key() -> None:
    xml_ = callback.passive_text(text_of(), "今晚恢复。", NOON)
    root = tree(callback.sealed_reply(SEALED, xml_, NOON, SALT, "n9"))
    parts = {child.tag: child.text or "" for child in root}
    assert set(parts) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
    other = Seal(SEALED.token, SEALED.aes_key, SEALED.app_id)
    assert other.open(parts["Encrypt"], parts["TimeStamp"], parts["Nonce"], parts["MsgSignature"]) == xml_


def test_keys_are_never_shown() -> None:
    assert AES not in repr(SEALED)
    assert "AAAAA" not in repr(SEALED)
