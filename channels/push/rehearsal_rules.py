"""演练推送's rules: figures, error table, what a push may hold, how bytes are counted; not what it does with a request.

Where the documentation leaves a rule open the choice is a figure in `Rules`, or marked open where it stands.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from channels.exchange import Answer, Request
from channels.ledger import Effect

PLATFORMS = ("android", "ios", "quickapp", "hmos")
# Names that a push may have. Clients send more than are played here: those are read over.
KNOWN = frozenset({
    "cid", "platform", "audience", "notification", "message", "inapp_message", "notification_3rd", "sms_message",
    "live_activity", "options", "callback",
})  # fmt: skip
CHOICES: Mapping[str, int] = {"tag": 20, "tag_and": 20, "tag_not": 20, "alias": 1000, "registration_id": 1000}


@dataclass(frozen=True)
class Rules:
    """Figures of the platform; the ones marked open are ours."""

    android: int = 4000
    ios: int = 2000
    cid_life: timedelta = timedelta(days=1)
    cids: int = 10
    cids_vip: int = 1000
    longest_life: int = 10 * 86_400
    reports: timedelta = timedelta(days=30)
    slow: timedelta = timedelta(minutes=1)  # open: how long until every phone that is on has it
    rates: Mapping[str, int] = field(default_factory=lambda: {"push": 600, "report": 2400, "device": 600})


# number -> HTTP status and text
MESSAGES: Mapping[int, tuple[int, str]] = {
    1000: (500, "Internal server error."),
    1001: (405, "Only POST method is allowed."),
    1002: (400, "The required parameter is missing: {}"),
    1003: (400, "The parameter value is invalid: {}"),
    1004: (401, "Basic authentication failed."),
    1005: (400, "The message body is too large: {}"),
    1008: (400, "The app_key is invalid."),
    1009: (400, "The key is not supported: {}"),
    1011: (400, "cannot find user by this audience"),
    1012: (400, "The big push limit is exceeded."),
    1020: (404, "Only HTTPS is supported."),
    1030: (503, "Internal server timeout."),
    2002: (429, "Rate limit exceeded"),
    2003: (403, "This appkey is blocked."),
    2004: (403, "This ip is not in the whitelist."),
    2005: (403, "Abuse of the API."),
    2006: (403, "This API is for VIP only."),
    2007: (403, "No right to call this API."),
    7002: (400, "The parameter is invalid: {}"),  # open: devices have a table of their own, of which this is known
}


class Refusal(Exception):
    """An error of the platform: its number and what stands in its text."""

    def __init__(self, code: int, about: str = "") -> None:
        super().__init__(code)
        self.code = code
        status, text = MESSAGES.get(code, (400, "error"))
        self.status, self.text = status, text.format(about)


@dataclass(frozen=True)
class App:
    """A made-up app registered with the platform."""

    key: str
    secret: str
    vip: bool


@dataclass(frozen=True)
class Call:
    """A request as the platform reads it, from this app."""

    request: Request
    app: App
    now: datetime
    code: int = 0

    @property
    def json(self) -> dict[str, Any]:
        """The body, whatever its content type says: clients of the field send a wrong one."""
        try:
            found = json.loads(self.request.body)
        except ValueError:
            raise Refusal(1003, "body") from None
        if not isinstance(found, dict):
            raise Refusal(1003, "body")
        return found

    def part(self, place: int) -> str:
        """The path's part at this place, decoded."""
        return unquote(self.request.path.strip("/").split("/")[place])


@dataclass
class State:
    """Everything that facts have made so."""

    devices: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # app, registration id
    cids: dict[str, Effect] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)  # cid -> msg_id of the first push with it
    pushes: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)  # app, group, minute
    last_id: int = 1_800_000_000


Body = dict[str, Any]
Act = Callable[[Call], tuple[Any, list[Effect]]]


def made(seed: str, name: str) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def basic(request: Request) -> tuple[str, str] | None:
    """The pair of Basic authentication, or None where it is none."""
    kind, _, packed = request.header("authorization").partition(" ")
    try:
        key, colon, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (key, secret) if kind.lower() == "basic" and colon else None


def as_json(status: int, body: Any) -> Answer:
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(status, headers, json.dumps(body, ensure_ascii=False).encode() if body is not None else b"")


def size(value: Any) -> int:
    """Bytes as the platform counts them: UTF-8, whatever escapes the sender used."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) if value else 0


def check_push(body: Mapping[str, Any], rules: Rules) -> None:
    """Refusal for the first thing that is wrong with a push."""
    if unknown := sorted(set(body) - KNOWN):
        raise Refusal(1009, unknown[0])
    for name in ("platform", "audience"):
        if not body.get(name):
            raise Refusal(1002, name)
    if not body.get("notification") and not body.get("message"):
        raise Refusal(1002, "notification, message")
    _check_platform(body["platform"])
    check_audience(body["audience"])
    words, message = body.get("notification") or {}, body.get("message") or {}
    _check_words(words, message)
    options = body.get("options") or {}
    if not 0 <= int(options.get("time_to_live", 86_400)) <= rules.longest_life:
        raise Refusal(1003, "time_to_live")
    if size(words.get("android") or words.get("alert")) + size(message) > rules.android:
        raise Refusal(1005, "android")
    if size(words.get("ios") or words.get("alert")) > rules.ios:
        raise Refusal(1005, "ios")


def _check_platform(value: Any) -> None:
    listed = list(PLATFORMS) if value == "all" else value
    if not isinstance(listed, list) or not listed or not set(map(str, listed)) <= {*PLATFORMS, "winphone"}:
        raise Refusal(1003, "platform")


def check_audience(value: Any) -> None:
    """An audience is `all`, or lists of tags, aliases and registration ids."""
    if value == "all":
        return
    if not isinstance(value, dict) or not value:
        raise Refusal(1003, "audience")
    for name, listed in value.items():
        if name in ("segment", "abtest"):
            raise Refusal(2007)  # open: paid features
        if name not in CHOICES:
            raise Refusal(1009, name)
        if not isinstance(listed, list) or not 0 < len(listed) <= CHOICES[name]:
            raise Refusal(1003, name)


def _check_words(words: Any, message: Any) -> None:
    if not isinstance(words, dict) or not isinstance(message, dict):
        raise Refusal(1003, "notification")
    if unknown := sorted(set(words) - {"alert", "winphone", *PLATFORMS}):
        raise Refusal(1009, unknown[0])
    for name, part in words.items():
        if name != "alert" and not (isinstance(part, dict) and (part.get("alert") or words.get("alert"))):
            raise Refusal(1002, f"{name}.alert")
    if message and not message.get("msg_content"):
        raise Refusal(1002, "msg_content")


def reached(devices: list[dict[str, Any]], platform: Any, audience: Any) -> list[dict[str, Any]]:
    """The devices that a push goes to."""
    kinds = PLATFORMS if platform == "all" else tuple(platform)
    found = [one for one in devices if one["platform"] in kinds]
    if audience == "all":
        return found
    tests: Mapping[str, Callable[[dict[str, Any], list[str]], bool]] = {
        "tag": lambda one, given: bool(set(one["tags"]) & set(given)),
        "tag_and": lambda one, given: set(given) <= set(one["tags"]),
        "tag_not": lambda one, given: not set(one["tags"]) & set(given),
        "alias": lambda one, given: one["alias"] in given,
        "registration_id": lambda one, given: one["id"] in given,
    }
    return [one for one in found if all(tests[name](one, given) for name, given in audience.items())]
