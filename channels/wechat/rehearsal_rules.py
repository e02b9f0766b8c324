"""演练微信's rules: figures, error texts, what a call and an act are; not what the platform does with one.

Figures are from the platform's documentation; the ones marked open are ours where it is silent, or from memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.parser import BytesParser
from typing import Any

from channels.exchange import Answer
from channels.ledger import Effect

CHINA = timezone(timedelta(hours=8))
PICTURE_HOST = "mmbiz.qpic.cn"
ARTICLE_HOST = "mp.weixin.qq.com"
JSON = "application/json; encoding=utf-8"

# Calls a day of one account, by path; the documentation's table for a new account.
DAILY: Mapping[str, int] = {
    "/cgi-bin/token": 2000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/menu/create": 1000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/media/get": 200_000,
    "/cgi-bin/media/uploadimg": 1000,  # seen in threads
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/mass/sendall": 100,
    "/cgi-bin/message/mass/send": 100,
    "/cgi-bin/message/mass/delete": 10,
    "/cgi-bin/message/mass/preview": 100,  # open
    "/cgi-bin/draft/add": 1000,
    "/cgi-bin/draft/get": 500,
    "/cgi-bin/draft/update": 1000,
    "/cgi-bin/draft/delete": 1000,
    "/cgi-bin/draft/count": 1000,
    "/cgi-bin/draft/batchget": 1000,
    "/cgi-bin/freepublish/submit": 100,
    "/cgi-bin/freepublish/get": 100,
    "/cgi-bin/freepublish/delete": 10,
    "/cgi-bin/freepublish/getarticle": 100,
    "/cgi-bin/freepublish/batchget": 100,
}
MINUTE: Mapping[str, int] = {
    "/cgi-bin/stable_token": 10_000,
    "/cgi-bin/message/mass/sendall": 60,
    "/cgi-bin/message/mass/send": 60,
}


@dataclass(frozen=True)
class Rules:
    """Figures of the platform; the ones marked open are ours."""

    kind: str = "service"  # or "subscription": which mass quota holds
    certified: bool = True
    daily: Mapping[str, int] = field(default_factory=dict)  # in place of DAILY, by path
    daily_other: int = 100_000  # open: paths that the table does not name
    minute: Mapping[str, int] = field(default_factory=dict)
    minute_other: int = 5000  # open
    clears: int = 10  # a month

    token_life: timedelta = timedelta(seconds=7200)
    token_renewal: timedelta = timedelta(minutes=5)  # before its end a new stable token is given
    token_overlap: timedelta = timedelta(minutes=5)  # open: how long a replaced /token token still works
    forced_a_day: int = 20
    forced_apart: timedelta = timedelta(seconds=30)

    title: int = 32
    author: int = 16
    digest: int = 128
    digest_made: int = 54
    content: int = 20_000
    content_bytes: int = 1 << 20
    link_bytes: int = 1 << 10
    articles: int = 8
    images: int = 20  # open: pictures of one newspic
    foreign_links: str = "refuse"  # open: "refuse" (45166) or "strip" links that lead out of the platform

    verdict: timedelta = timedelta(seconds=3)  # open: from accepted to published
    late: timedelta = timedelta(hours=1)  # open: from published to the ordered status 5 or 6
    returns_msg_data_id: bool = True  # the submit page lists it, old pages do not
    failed_draft_returns: bool = True  # open: a draft whose publishing failed is in the box again

    comment_page: int = 49  # one page of the documentation refuses 50, the other only more than that
    elected: int = 100  # open
    reply: int = 600  # open: characters of an official reply

    window_message: timedelta = timedelta(hours=48)
    window_click: timedelta = timedelta(minutes=1)
    sends_message: int = 5
    sends_click: int = 3
    text_bytes: int = 2048

    mass_month: int = 4  # service account
    mass_day: int = 1
    mass_protected: bool = False  # the administrator confirms each
    mass_confirm: timedelta = timedelta(minutes=30)
    mass_delay: timedelta = timedelta(seconds=3)  # open
    clientmsgid: int = 32  # documented 64; a longer one was refused in a thread

    push_seconds: float = 5.0
    push_tries: int = 3
    push_again: timedelta = timedelta(seconds=5)  # open: between tries
    kept_picture: int = 1 << 20  # bytes of a picture that the article page can show


MESSAGES: Mapping[int, str] = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest, could get access_token by "
    "getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid meida size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40035: "invalid parameter",
    40066: "invalid url",
    40114: "invalid index value",
    40125: "invalid appsecret",
    40130: "invalid openid list size, at least two openid",
    40164: "invalid ip {} ipv6 ::ffff:{}, not in whitelist",
    40200: "invalid account type",
    40243: "appsecret has been frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41006: "media_id missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    44001: "empty media data",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45003: "title size out of limit",
    45004: "description size out of limit",
    45005: "link url size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit must slower retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45047: "out of response count limit",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45067: "clientmsgid size out of limit",
    45110: "author size out of limit",
    45162: "invalid articles type",
    45166: "invalid content",
    46003: "menu no exist",
    47001: "data format error",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
    53503: "this draft has not passed the publish check",
    53504: "please use this draft on the official website",
    53505: "please save this draft manually on the official website first",
    53600: "Article ID 无效",
    65301: "menu not exist",
    76021: "cgi_path not found, please check",
    87009: "invalid signature",
    88000: "without comment privilege",
    88001: "msg_data is not exists",
    88002: "the article is limit for safety",
    88003: "elected comment upper limit",
    88004: "comment was deleted by user",
    88005: "already reply",
    88007: "reply content beyond max len or content len is zero",
    88008: "comment is not exists",
    88010: "count range error. cout <= 0 or count > 50",
}


class Refusal(Exception):
    """An error of the platform: its number, what stands in its text, what stands beside it in the answer."""

    def __init__(self, code: int, about: str = "", beside: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = MESSAGES.get(code, "error").replace("{}", about)
        self.beside = dict(beside or {})


@dataclass(frozen=True)
class File:
    """One file of a form."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """A request as the platform reads it. `base` is the address it came to, `code` an error on order."""

    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    files: Mapping[str, File]
    now: datetime
    base: str
    address: str
    code: int = 0

    def text(self, name: str, missing: int = 47001) -> str:
        """A text that must be there; a number is taken as its digits, as the platform does."""
        value = self.body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise Refusal(47001)
        if not value:
            raise Refusal(missing)
        return value

    def number(self, name: str, otherwise: int) -> int:
        return whole(self.body.get(name, otherwise))


Body = dict[str, Any]
Done = tuple[Body, list[Effect]]


@dataclass(frozen=True)
class Act:
    """One path of the platform."""

    do: Callable[[Call], Done]
    method: str = "POST"
    form: bool = False  # a form with a file instead of JSON
    open: bool = False  # needs no token
    certified: bool = False


def whole(value: Any) -> int:
    """A number, also as digits."""
    if isinstance(value, bool):
        raise Refusal(47001)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 20:
        return int(value)
    raise Refusal(47001)


def words(value: Any) -> str:
    """A text that may be absent."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(47001)
    return value


def made(seed: str, what: str) -> str:
    """64 hexadecimal digits that look like chance and are the same for the same seed."""
    return hashlib.sha256(f"{seed}/{what}".encode()).hexdigest()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def seconds(text: str) -> int:
    """A kept time as the platform writes it."""
    return int(moment(text).timestamp())


def day(now: datetime) -> str:
    return now.astimezone(CHINA).date().isoformat()


def as_json(body: Any, kind: str = JSON) -> Answer:
    return Answer(200, {"content-type": kind}, json.dumps(body, ensure_ascii=False).encode())


def multipart(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, File]]:
    """The fields and the files of a form."""
    parsed = BytesParser().parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    files: dict[str, File] = {}
    for part in parsed.get_payload() if parsed.is_multipart() else []:
        name = str(part.get_param("name", "", "content-disposition"))  # type: ignore[union-attr]
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        if not isinstance(content, bytes):
            continue
        if part.get_filename():  # type: ignore[union-attr]
            files[name] = File(str(part.get_filename()), content)  # type: ignore[union-attr]
        else:
            fields[name] = content.decode("utf-8", "replace")
    return fields, files
