"""What 微信 posts to an account's callback address, pure: proved, opened, read, answered; who keeps it is elsewhere.

SHA-1, AES-CBC and a padding of 32 are the platform's own choices and stand in this one file. In plain mode the
signature does not cover the body, so nothing that comes this way may change what is known of a publication: an event
only wakes the question to the platform.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree  # only documents whose root comes first reach it: none can declare an entity

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from channels.contract import Heard

LARGEST = 64 << 10  # bytes of a body; the platform's own are below 4 kB
TOLERANCE = timedelta(minutes=5)
_BLOCK = 32
_DEEPEST, _MOST_FIELDS = 6, 200
_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_ROOT = re.compile(r"(?:<\?xml[^<>]*\?>)?\s*<xml[\s/>]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXTS = {
    "image": "［图片］", "voice": "［语音］", "video": "［视频］", "shortvideo": "［小视频］",
    "location": "［位置］", "link": "［链接］",
}  # fmt: skip


class BadCallback(Exception):
    """Not from the platform, not for this account, or nothing that can be read: refused, and nothing is kept."""


@dataclass(frozen=True, repr=False)
class Keys:
    """What the site holds of one account; never its AppSecret or an access token. `aes_key` empty: plain mode only."""

    app_id: str
    token: str
    aes_key: str = ""


Fields = Mapping[str, Any]


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts, as the platform defines it."""
    return hashlib.sha1(_utf8("".join(sorted(parts))), usedforsecurity=False).hexdigest()


def _utf8(text: str) -> bytes:
    """Also of half characters, which a query or JSON may hold and no signature of the platform's does."""
    return text.encode("utf-8", "replace")


def check_echo(keys: Keys, query: Mapping[str, str], now: datetime) -> str:
    """The echo to give back when the address is entered on the platform; BadCallback for anybody else."""
    _prove(keys, query, now)
    echo = query.get("echostr", "")
    if query.get("encrypt_type") == "aes":
        return _opened(keys, query, echo)
    return echo


def take_in(keys: Keys, query: Mapping[str, str], body: bytes, now: datetime) -> Fields:
    """The message or event as plain fields. Encrypted bodies are proved by their own signature and opened."""
    if len(body) > LARGEST:
        raise BadCallback("too large")
    _prove(keys, query, now)
    outer = _fields(body)
    sealed = outer.get("Encrypt")
    if query.get("encrypt_type") == "aes" or (sealed and keys.aes_key):
        return _fields(_opened(keys, query, str(sealed or "")).encode())
    if keys.aes_key:
        raise BadCallback("plain where encryption is agreed")
    return outer


def _prove(keys: Keys, query: Mapping[str, str], now: datetime) -> None:
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not (keys.token and stamp.isascii() and stamp.isdigit() and len(stamp) <= 11 and nonce):
        raise BadCallback("unsigned")
    given = query.get("signature", "")
    if not hmac.compare_digest(_utf8(signature(keys.token, stamp, nonce)), _utf8(given)):
        raise BadCallback("signature")
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > TOLERANCE:
        raise BadCallback("too old")


def _opened(keys: Keys, query: Mapping[str, str], sealed: str) -> str:
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    given = query.get("msg_signature", "")
    if not hmac.compare_digest(_utf8(signature(keys.token, stamp, nonce, sealed)), _utf8(given)):
        raise BadCallback("signature of the body")
    return open_sealed(keys, sealed)


# ---- AES, after the platform's own description


def _key(keys: Keys) -> bytes:
    """43 characters and one =; read leniently, for keys with odd last bits are handed out."""
    try:
        return binascii.a2b_base64(keys.aes_key + "=")
    except ValueError:
        raise BadCallback("key") from None


def is_key(text: str) -> bool:
    """Whether this is an EncodingAESKey: with any other the platform's every post would be refused in silence."""
    return _KEY.fullmatch(text) is not None


def open_sealed(keys: Keys, sealed: str) -> str:
    """16 random bytes, length, message, AppID: the message, if it is for this account."""
    key = _key(keys)
    try:
        content = base64.b64decode(sealed)
        reader = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = reader.update(content) + reader.finalize()
    except ValueError:
        raise BadCallback("not sealed by this key") from None
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= _BLOCK or len(plain) < 20 + padding:
        raise BadCallback("padding")
    plain = plain[:-padding]
    length = int.from_bytes(plain[16:20])
    if length > len(plain) - 20 or plain[20 + length :] != keys.app_id.encode():
        raise BadCallback("another account's")
    try:
        return plain[20 : 20 + length].decode()
    except UnicodeDecodeError:
        raise BadCallback("no text") from None


def seal(keys: Keys, text: str, random16: bytes) -> str:
    """The other direction, for passive replies."""
    key, content = _key(keys), _utf8(text)
    plain = random16 + len(content).to_bytes(4) + content + keys.app_id.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    writer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(writer.update(plain + bytes([padding]) * padding) + writer.finalize()).decode()


# ---- reading


def _fields(body: bytes) -> Fields:
    """XML or JSON, in UTF-8 and in nothing else, as nested mappings; flat and small.

    What declares anything does so before its root, so the root must come first. Inside it a citizen may write of
    declarations as much as they like.
    """
    try:
        text = body.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError:
        raise BadCallback("no text") from None
    if text.startswith("{"):
        return _json(text)
    if not _ROOT.match(text):
        raise BadCallback("no message")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - see above
    except (ElementTree.ParseError, ValueError):
        raise BadCallback("no XML") from None
    if root.tag != "xml" or sum(1 for _ in root.iter()) > _MOST_FIELDS:
        raise BadCallback("no message")
    found = _tree(root, 0)
    return found if isinstance(found, dict) else {}


def _json(text: str) -> Fields:
    """Half characters, which only JSON can spell, become question marks: no store keeps them."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadCallback("no JSON") from None
    if not isinstance(found, dict):
        raise BadCallback("no message")
    _measure(found)
    whole: dict[str, Any] = json.loads(_utf8(json.dumps(found, ensure_ascii=False)))
    return whole


def _measure(found: dict[str, Any]) -> None:
    waiting: list[tuple[Any, int]] = [(found, 0)]
    fields = 0
    while waiting:
        value, depth = waiting.pop()
        inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        fields += len(inside)
        if fields > _MOST_FIELDS or (inside and depth >= _DEEPEST):
            raise BadCallback("too deep, or too many fields")
        waiting += [(each, depth + 1) for each in inside]


def _tree(element: ElementTree.Element, depth: int) -> Any:
    """A repeated name becomes a list."""
    if not len(element):
        return element.text or ""
    if depth >= _DEEPEST:
        raise BadCallback("too deep")
    found: dict[str, Any] = {}
    for child in element:
        value = _tree(child, depth + 1)
        if child.tag in found:
            before = found[child.tag]
            found[child.tag] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[child.tag] = value
    return found


def _word(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return str(value) if isinstance(value, str | int | float) else ""


def identity(fields: Fields) -> str:
    """The same for a repeated delivery, another for anything else, as far as the platform lets us tell.

    MsgId alone has collided between people, and events carry none: all that tells two apart goes in, so that of two
    citizens' words none is ever taken for the other's.
    """
    names = ("FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgId")
    parts = [_word(fields, name).lower() if name == "Event" else _word(fields, name) for name in names]
    if not _word(fields, "MsgId"):
        parts.append(json.dumps(fields, sort_keys=True, ensure_ascii=False))
    digest = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()
    return f"wx-{digest[:40]}"


def event_of(fields: Fields) -> str:
    """The event's name in lower case, for the platform's own spelling varies; empty for a message."""
    return _word(fields, "Event").lower() if _word(fields, "MsgType").lower() == "event" else ""


def published_id(fields: Fields) -> str:
    """Which submission a PUBLISHJOBFINISH speaks of; nothing else in it is believed."""
    about = fields.get("PublishEventInfo")
    return _word(about, "publish_id") if event_of(fields) == "publishjobfinish" and isinstance(about, dict) else ""


def heard(fields: Fields, seen_at: datetime) -> Heard | None:
    """A citizen's message as a 留言; None for events, which are no words."""
    kind, who = _word(fields, "MsgType").lower(), _word(fields, "FromUserName")
    if kind == "event" or not who:
        return None
    stamp = _word(fields, "CreateTime")
    at = datetime.fromtimestamp(int(stamp), UTC) if stamp.isascii() and stamp.isdigit() and len(stamp) < 11 else seen_at
    return Heard(identity(fields), "message", who, "", _said(kind, fields), at, None, dict(fields))


def _said(kind: str, fields: Fields) -> str:
    if kind == "text":
        return _word(fields, "Content")
    more = _word(fields, "Recognition") or _word(fields, "Label") or _word(fields, "Title")
    return (_TEXTS.get(kind, "［其他消息］") + more).strip()


# ---- answering at once


def passive_text(fields: Fields, text: str, now: datetime) -> str:
    """被动回复: the XML that answers in the same breath."""
    return (
        "<xml>"
        f"<ToUserName>{_cdata(_word(fields, 'FromUserName'))}</ToUserName>"
        f"<FromUserName>{_cdata(_word(fields, 'ToUserName'))}</FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType>{_cdata('text')}</MsgType>"
        f"<Content>{_cdata(text)}</Content></xml>"
    )


def sealed_reply(keys: Keys, xml: str, now: datetime, random16: bytes, nonce: str) -> str:
    """The same for an account in encrypted mode."""
    sealed, stamp = seal(keys, xml, random16), str(int(now.timestamp()))
    return (
        f"<xml><Encrypt>{_cdata(sealed)}</Encrypt>"
        f"<MsgSignature>{_cdata(signature(keys.token, stamp, nonce, sealed))}</MsgSignature>"
        f"<TimeStamp>{stamp}</TimeStamp><Nonce>{_cdata(nonce)}</Nonce></xml>"
    )


def _cdata(text: str) -> str:
    """A text that cannot end its own section, without the signs that no XML holds."""
    return "<![CDATA[" + _NOT_XML.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
