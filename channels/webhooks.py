"""Standard Webhooks signatures, plain and in the content API's form over method, target, body; no sending or storing.

The one module of channels that hub/site may import too: both ends of the content API must sign alike. The form itself
is described in docs/channels/site.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_MOST_SIGNATURES = 8  # a header with more is somebody trying


class BadSignature(Exception):
    """The headers do not prove who sent this; the text names the cause and nothing secret."""


def key_bytes(key: str) -> bytes:
    """The secret inside a `whsec_…` text; ValueError when it is not one of 24 to 64 bytes."""
    try:
        secret = base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise ValueError("签名密钥应为 whsec_ 开头的 base64 文本") from None
    if len(secret) not in _KEY_BYTES:
        raise ValueError("签名密钥应为 24 至 64 字节")
    return secret


def key_text(secret: bytes) -> str:
    """The `whsec_…` text of a secret."""
    return _PREFIX + base64.b64encode(secret).decode("ascii")


def _signatures(keys: Sequence[str], signed: bytes) -> str:
    macs = (hmac.new(key_bytes(key), signed, hashlib.sha256).digest() for key in keys)
    return " ".join("v1," + base64.b64encode(mac).decode("ascii") for mac in macs)


def _headers(keys: Sequence[str], id: str, at: datetime, rest: bytes) -> dict[str, str]:
    if not keys:
        raise ValueError("没有签名密钥")
    seconds = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": _signatures(keys, f"{id}.{seconds}.".encode() + rest),
    }


def _check(keys: Sequence[str], headers: Mapping[str, str], rest: bytes, now: datetime) -> str:
    """The id, when one of the signatures was made with one of the keys, not too long ago."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        id, seconds, signatures = (given["webhook-" + name] for name in ("id", "timestamp", "signature"))
    except KeyError:
        raise BadSignature("a signature header is missing") from None
    if not _SECONDS.fullmatch(seconds):
        raise BadSignature("the timestamp is not a number of seconds")
    if abs(now.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise BadSignature("the timestamp is too far from now")
    wanted = _signatures(keys, f"{id}.{seconds}.".encode() + rest).encode("ascii").split(b" ")
    offered = signatures.encode("utf-8", "replace").split(b" ")[:_MOST_SIGNATURES]
    # Every pair is compared, so that the time taken tells nothing about which of them fits.
    fits = [hmac.compare_digest(one, other) for one in offered for other in wanted]
    if not any(fits):
        raise BadSignature("no signature fits")
    return id


def sign(keys: Sequence[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a plain Standard Webhooks delivery."""
    return _headers(keys, id, at, body)


def verify(keys: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a plain Standard Webhooks delivery; BadSignature when it proves nothing."""
    return _check(keys, headers, body, now)


def _exchange(line: str, body: bytes) -> bytes:
    return f"{line}.{hashlib.sha256(body).hexdigest()}".encode()


def request_headers(
    keys: Sequence[str], id: str, at: datetime, method: str, target: str, body: bytes
) -> dict[str, str]:
    """What a request of the content API carries; `target` is path and query as they stand on the wire."""
    return _headers(keys, id, at, _exchange(f"{method} {target}", body))


def check_request(
    keys: Sequence[str], headers: Mapping[str, str], method: str, target: str, body: bytes, now: datetime
) -> str:
    """The request's id, which the receiver then takes once only."""
    id = _check(keys, headers, _exchange(f"{method} {target}", body), now)
    if not _ID.fullmatch(id):
        raise BadSignature("the id has an odd form")
    return id


def answer_headers(
    keys: Sequence[str], id: str, at: datetime, status: int, method: str, target: str, body: bytes
) -> dict[str, str]:
    """What an answer carries: bound to the id of its request and to its own status."""
    return _headers(keys, id, at, _exchange(f"{status} {method} {target}", body))


def check_answer(
    keys: Sequence[str],
    headers: Mapping[str, str],
    id: str,
    status: int,
    method: str,
    target: str,
    body: bytes,
    now: datetime,
) -> None:
    """BadSignature unless this is the other side's answer to exactly this request."""
    named = _check(keys, headers, _exchange(f"{status} {method} {target}", body), now)
    if not hmac.compare_digest(named.encode(), id.encode()):
        raise BadSignature("an answer to another request")
