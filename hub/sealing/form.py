"""How sealed values are written and what they are bound to; how they are sealed lives in sealer.py and box.py."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from hmac import compare_digest


def encode(data: bytes) -> str:
    """URL-safe base 64 without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The reverse of `encode`; raises ValueError for anything that `encode` would not have written."""
    data = b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("not the one way to write these bytes")
    return data


def place(table: str, id: str, field: str, purpose: str) -> bytes:
    """What a value is bound to, without two places ever reading the same."""
    return json.dumps([table, id, field, purpose], ensure_ascii=True, separators=(",", ":")).encode()


def same(left: str | bytes, right: str | bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    a = left.encode("utf-8", "surrogatepass") if isinstance(left, str) else left
    b = right.encode("utf-8", "surrogatepass") if isinstance(right, str) else right
    return compare_digest(a, b)
