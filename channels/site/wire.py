"""The content API's calling side, pure: requests as values, answers read; docs/channels/site.md is the agreement."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from channels.contract import Heard, Json, Picture, Variant
from channels.exchange import Answer, Request
from channels.webhooks import BadSignature, check_answer, request_headers

PREFIX = "/content/v1"
LARGEST_ANSWER = 24 << 20
_PROMISES = frozenset({400, 401, 404, 409, 413, 422, 429})
_FILE_FIELDS = ("type", "width", "height")
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MAGIC = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}
_PACKED = {
    "docx": _OFFICE + "wordprocessingml.document",
    "xlsx": _OFFICE + "spreadsheetml.sheet",
    "pptx": _OFFICE + "presentationml.presentation",
    "ofd": "application/ofd",
}


@dataclass(frozen=True)
class Said:
    """The site's answer read. `sure`: verified, and either done (`body`) or a promise that nothing changed (`code`)."""

    status: int
    sure: bool
    body: Mapping[str, Any]
    code: str = ""
    detail: str = ""
    retry_after: int | None = None

    @property
    def done(self) -> bool:
        return self.sure and self.status in (200, 201)


def canonical(value: Any) -> bytes:
    """The same bytes for the same value: what is signed, hashed and repeated."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def moment(text: Any) -> datetime | None:
    """An aware time in UTC, or None when it is none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, repr=False)
class Wire:
    """Makes and reads the exchanges with one site. `base` is its inner address, without a slash at its end."""

    base: str
    keys: tuple[str, ...]

    def signed(
        self, method: str, path: str, at: datetime, count: int, value: Any = None, seconds: float = 20.0
    ) -> Request:
        """A request with its own id: drawn from what it says, when, and how many went before it."""
        url = self.base + PREFIX + path
        body = b"" if value is None else canonical(value)
        bare = Request(method, url, {}, body, seconds, LARGEST_ANSWER)
        salt = f"{method} {bare.target} {at.timestamp():.6f} {count} ".encode()
        id = hashlib.sha256(salt + hashlib.sha256(body).digest()).hexdigest()[:40]
        headers = request_headers(self.keys, id, at, method, bare.target, body)
        if body:
            headers["Content-Type"] = "application/json"
        return Request(method, url, headers, body, seconds, LARGEST_ANSWER)

    def read(self, request: Request, answer: Answer, now: datetime) -> Said:
        """What the site said; an answer that does not prove itself, or is not JSON, is sure of nothing."""
        vague = Said(answer.status, False, {})
        id = request.header("webhook-id")
        try:
            check_answer(self.keys, answer.headers, id, answer.status, request.method, request.target, answer.body, now)
            body = json.loads(answer.body)
        except (BadSignature, ValueError, RecursionError):
            return vague
        if not isinstance(body, dict):
            return vague
        if answer.status in (200, 201):
            return Said(answer.status, True, body)
        code, detail = str(body.get("code") or ""), str(body.get("detail") or "")
        sure = answer.status in _PROMISES and code != "repeated_id"
        wait = str(answer.headers.get("retry-after", ""))
        return Said(answer.status, sure, body, code, detail, int(wait) if wait.isdigit() else None)


def item_path(kind: str, id: str) -> str:
    return f"/items/{kind}/{quote(id, safe='')}"


def removal_path(kind: str, id: str, version: int, note: str, key: str) -> str:
    query = urlencode({"version": version, "note": note, "key": key}, quote_via=quote)
    return f"{item_path(kind, id)}?{query}"


def inbox_path(after: str, wait: int, limit: int) -> str:
    fields = {**({"after": after} if after else {}), "wait": wait, "limit": limit}
    return "/inbox?" + urlencode(fields)


def article(variant: Variant) -> dict[str, Any]:
    """The body of an article. The site is the archive of record: it takes the content's own blocks, whole."""
    given, meta = variant.override or {}, variant.meta
    body: dict[str, Any] = {
        "title": str(given.get("title") or variant.title),
        "digest": str(given.get("digest") or variant.digest),
        "blocks": list(given.get("blocks") or variant.blocks),
        "column": str(meta.get("column") or ""),
        "kind": str(meta.get("kind") or "news"),
        "source": str(meta.get("source") or ""),
        "author": str(meta.get("author_name") or meta.get("author") or ""),
        "keywords": list(meta.get("keywords") or ()),
        "pictures": [picture_fields(picture) for picture in variant.pictures],
    }
    if files := other_files(variant):
        body["files"] = [{"sha256": sha256} for sha256 in files]
    for name in ("number", "original_url"):
        if meta.get(name):
            body[name] = str(meta[name])
    return body


def other_files(variant: Variant) -> dict[str, str]:
    """Files that go out beside the pictures, sha256 to name: attachments, covers, videos, files beside the text."""
    shown = {picture.sha256 for picture in variant.pictures}
    found: dict[str, str] = {}
    for block in variant.blocks:
        for holder in (block, *(item for item in block.get("items") or () if isinstance(item, dict))):
            for name in (holder.get("media"), holder.get("cover")):
                if isinstance(name, str) and name not in shown:
                    found.setdefault(name, str(holder.get("name") or ""))
    for name in variant.meta.get("files") or ():
        if name not in shown:
            found.setdefault(str(name), "")
    return found


def file_type(content: bytes, name: str) -> str:
    """The type by content; packed office files are told apart by their name. Empty for what the site does not take."""
    for start, kind in _MAGIC.items():
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    ending = name.rpartition(".")[2].lower()
    return _PACKED.get(ending, "") if content.startswith(b"PK\x03\x04") else ""


def picture_fields(picture: Picture) -> dict[str, Any]:
    fields: dict[str, Any] = {"sha256": picture.sha256, **{name: getattr(picture, name) for name in _FILE_FIELDS}}
    return fields | {"alt": picture.alt, "caption": picture.caption, "source": picture.source}


def file_body(kind: str, name: str, content: bytes) -> dict[str, Any]:
    fields = {"type": kind, "size": len(content), "data": base64.b64encode(content).decode("ascii")}
    return {**fields, "name": name} if name else fields


def picture_body(picture: Picture, content: bytes) -> dict[str, Any]:
    return file_body(picture.type, "", content) | {"width": picture.width, "height": picture.height}


def is_device(row: Json) -> bool:
    """Whether this row of the inbox is a phone that registered, sealed for the hub."""
    return row.get("kind") == "device" and bool(row.get("id")) and isinstance(row.get("sealed"), str)


def heard(row: Json, seen_at: datetime) -> Heard | None:
    """One row of the inbox. Its words are sealed for the hub (`raw["sealed"]`), so the text is empty here.

    A platform's callback comes the same way, `in_reply_to` being the account it is about; the hub opens it. None when
    the row has no id or is nothing that was said (a device).
    """
    kind = str(row.get("kind") or "")
    if not row.get("id") or kind not in ("letter", "comment", "message", "demand", "rating", "callback"):
        return None
    about = row.get("about")
    return Heard(
        external_id=str(row["id"]),
        kind="letter" if kind == "demand" else kind,  # a letter with a query code: `raw` says so
        author_id="",
        author_name="",
        text="",
        at=moment(row.get("at")) or seen_at,
        in_reply_to=str(about) if about else None,
        raw=row,
    )


def demand_of(row: Json) -> str:
    """The demand that a row of the inbox is, or adds to; empty for letters without a query code."""
    named = {"demand": row.get("id"), "message": row.get("about")}.get(str(row.get("kind") or ""))
    return str(named or "")
