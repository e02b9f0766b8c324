"""演练微博's rules: figures, tiers, error texts, how it counts and writes; not what it does with a request.

Where the documentation leaves a rule open the choice is a figure in `Rules`, marked so.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.parser import BytesParser
from typing import Any

from channels.exchange import Answer
from channels.ledger import Effect

CHINA = timezone(timedelta(hours=8))
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
TOPIC = re.compile(r"#[^#\s][^#]*#")
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8")
FIRST_ID = 9_200_000_000_000_000  # beyond 2**53, as live ids may be: a client that uses floats loses digits
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Tier:
    """What one app may do."""

    user_day: int  # calls of one user in a day
    user_posts_hour: int
    address_hour: int
    life: timedelta  # of a token


TIERS = {
    "test": Tier(100, 30, 1000, timedelta(days=1)),
    "base": Tier(100, 30, 15000, timedelta(days=30)),
    "partner": Tier(24000, 1000, 40000, timedelta(days=30)),
    "owner": Tier(100, 30, 15000, timedelta(days=365 * 5)),
}


@dataclass(frozen=True)
class Rules:
    """Figures of the platform; the ones marked open are ours."""

    text: int = 140
    picture: int = 5 << 20
    link_halves: int = 20  # open: how much of the text one link takes
    timeline: int = 5
    repeat: timedelta = timedelta(hours=24)  # open: how long a text may not be repeated
    hidden: timedelta = timedelta(seconds=90)  # 20032: one to two minutes
    code_life: timedelta = timedelta(minutes=5)  # open


MESSAGES = {
    10001: "system error",
    10002: "service unavailable",
    10003: "remote service error",
    10004: "IP limit",
    10006: "source paramter (appkey) is missing",
    10009: "too many pending tasks, system is busy",
    10014: "Insufficient app permissions!",
    10016: "miss required parameter ({}), see doc for more info.",
    10017: "parameter value is invalid: {}",
    10020: "request api not found!",
    10021: "HTTP method is not suported for this request!",
    10022: "IP requests out of rate limit!",
    10023: "User requests out of rate limit!",
    10024: "User requests for {} out of rate limit!",
    20003: "User does not exists!",
    20005: "Unsupported image type, only suport JPG, GIF, PNG!",
    20006: "Image size too large.",
    20008: "content is null!",
    20012: "text too long, please input text less than 140 characters!",
    20016: "out of limit",
    20017: "similar content!",
    20019: "repeat content!",
    20032: "Update success, while the server slow now, please wait 1-2 minutes!",
    20101: "target weibo does not exist!",
    20201: "target weibo comment does not exist!",
    20203: "not your own comment!",
    20206: "author only allows followed users to comment",
    21314: "token_used",
    21315: "token_expired",
    21316: "token_revoked",
    21317: "token_rejected",
    21321: "applications over the unaudited use restrictions!",
    21322: "redirect_uri_mismatch",
    21324: "invalid_client",
    21325: "invalid_grant",
    21327: "expired_token",
    21328: "unsupported_grant_type",
    21329: "unsupported_response_type",
    21332: "invalid_access_token",
}
FORBIDDEN = frozenset({10004, 10014, 10022, 10023, 10024, *range(21314, 21333)})


class Refusal(Exception):
    """An error of the platform: its number and what stands in its text."""

    def __init__(self, code: int, about: str = "", text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.text = text or MESSAGES.get(code, "error").format(about)


@dataclass(frozen=True)
class Call:
    """A request as the platform reads it."""

    method: str
    path: str
    form: Mapping[str, str]
    picture: bytes | None
    now: datetime
    code: int = 0
    uid: str = ""
    tier: Tier = TIERS["base"]

    def need(self, name: str) -> str:
        value = self.form.get(name)
        if value is None:
            raise Refusal(10016, name)
        return value

    def number(self, name: str, otherwise: int) -> int:
        value = self.form.get(name) or str(otherwise)
        if not value.isdigit():
            raise Refusal(10017, name)
        return int(value)


@dataclass
class App:
    """A made-up application registered with the platform."""

    id: str
    secret: str
    redirect_uri: str
    tier: str


@dataclass
class State:
    """Everything that facts have made so."""

    users: dict[str, str] = field(default_factory=dict)  # uid -> screen name
    tokens: dict[str, Effect] = field(default_factory=dict)
    codes: dict[str, Effect] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, list[float]] = field(default_factory=dict)  # who -> times in seconds, in order
    shares: dict[str, list[float]] = field(default_factory=dict)
    last_id: int = FIRST_ID


Body = dict[str, Any]
Act = Callable[[Call], tuple[Body, list[Effect]]]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def written(at: datetime) -> str:
    """A time as the platform writes it, English names whatever the machine's language."""
    local = at.astimezone(CHINA)
    day = f"{_WEEKDAYS[local.weekday()]} {_MONTHS[local.month - 1]} {local.day:02d}"
    return f"{day} {local:%H:%M:%S} +0800 {local.year}"


def length(text: str, link_halves: int) -> int:
    """The platform's count: two halves of a character are one, a link takes a fixed share."""
    links = len(URL.findall(text))
    units = URL.sub("", text).encode("utf-16-le")
    halves = sum(1 if units[i + 1] == 0 and units[i] < 128 else 2 for i in range(0, len(units), 2))
    return (halves + links * link_halves + 1) // 2


def short_link(url: str) -> str:
    """The short address that the platform puts in a link's place."""
    number = int.from_bytes(hashlib.sha256(url.encode()).digest()[:5])
    letters = ""
    while number:
        number, rest = divmod(number, 62)
        letters = _LETTERS[rest] + letters
    return "http://t.cn/A" + letters[-7:]


def shown(text: str) -> str:
    """A post's text as others read it."""
    return URL.sub(lambda match: short_link(match.group()), text)


def as_json(status: int, body: Any) -> Answer:
    headers = {"content-type": "application/json;charset=UTF-8"}
    return Answer(status, headers, json.dumps(body, ensure_ascii=False).encode())


def multipart(kind: str, body: bytes) -> tuple[dict[str, str], bytes | None]:
    """The fields and the picture of a form with files."""
    parsed = BytesParser().parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    form: dict[str, str] = {}
    picture: bytes | None = None
    for part in parsed.get_payload() if parsed.is_multipart() else []:
        name = str(part.get_param("name", "", "content-disposition"))  # type: ignore[union-attr]
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        if name == "pic" and isinstance(content, bytes):
            picture = content
        elif isinstance(content, bytes):
            form[name] = content.decode("utf-8", "replace")
    return form, picture
