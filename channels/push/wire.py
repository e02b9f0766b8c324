"""JPush's protocol, pure: requests as values, answers read, bytes counted; not the order of calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.contract import Json
from channels.exchange import Answer, Request
from channels.metering import Told

COSTS = ("pushes_minute",)
RATE_CODE = 2002
_RATE_HEADERS = ("x-rate-limit-limit", "x-rate-limit-quota")  # two pages of the documentation, two names


@dataclass(frozen=True)
class Said:
    """The platform's answer read: `body` where it did what was asked, else `code`; neither when unreadable.

    `limit` and `left` are calls of this minute, `reset` how long it lasts.
    """

    body: Mapping[str, Any] | None = None
    code: int | None = None
    status: int = 0
    limit: int | None = None
    left: int | None = None
    reset: timedelta | None = None


def read(answer: Answer) -> Said:
    """What the platform said. A number may come as text; a status alone proves nothing."""
    rates = _rates(answer.headers)
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Said(None, None, answer.status, *rates)
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        number = str(error.get("code"))
        return Said(None, int(number) if number.isdigit() else None, answer.status, *rates)
    done = isinstance(body, dict) and answer.status == 200
    return Said(body if done else None, None, answer.status, *rates)


def _rates(headers: Mapping[str, str]) -> tuple[int | None, int | None, timedelta | None]:
    """(calls a minute, calls left, time until more), by either of the documented names."""
    limit = next((found for name in _RATE_HEADERS if (found := _number(headers, name)) is not None), None)
    reset = _number(headers, "x-rate-limit-reset")
    wait = None if reset is None else timedelta(seconds=reset)
    return limit, _number(headers, "x-rate-limit-remaining"), wait


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None


def packed(value: Any) -> bytes:
    """The bytes of a body: plain UTF-8, so that a 汉字 takes 3 and not 6."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def notification(title: str, alert: str, extras: Json) -> dict[str, Any]:
    """The words for every kind of phone. An empty title is left out: the system then shows the app's name."""
    named = {"title": title} if title else {}
    apple = {"alert": {**named, "body": alert} if title else alert, "sound": "default", "badge": "+1"}
    return {
        "alert": alert,
        "android": {"alert": alert, **named, "extras": dict(extras)},
        "ios": {**apple, "extras": dict(extras)},
        "hmos": {"alert": alert, **named, "category": "NEWS", "extras": dict(extras)},
    }


def sizes(words: Json) -> dict[str, int]:
    """Bytes of each kind of phone's notification, as sent."""
    return {name: len(packed(words[name])) for name in ("android", "ios")}


def push(words: Json, audience: Any, live_seconds: int, cid: str = "") -> dict[str, Any]:
    """The body of a push. `apns_production` is always said: the platform and its libraries disagree on the default."""
    body: dict[str, Any] = {"cid": cid} if cid else {}
    options = {"time_to_live": live_seconds, "apns_production": True}
    return {**body, "platform": "all", "audience": audience, "notification": dict(words), "options": options}


@dataclass(frozen=True, repr=False)
class Wire:
    """Makes the requests of one app. `base` has no slash at its end."""

    base: str
    app_key: str
    master_secret: str

    def _headers(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.app_key}:{self.master_secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}

    def _post(self, path: str, body: Json) -> Request:
        return Request("POST", self.base + path, self._headers(), packed(body), costs=COSTS)

    def push(self, body: Json) -> Request:
        """推送: the one call that reaches phones."""
        return self._post("/v3/push", body)

    def validate(self, body: Json) -> Request:
        """The same checks, and no push."""
        return self._post("/v3/push/validate", body)

    def cid(self) -> Request:
        """A number under which a push happens at most once in a day."""
        return Request("GET", f"{self.base}/v3/push/cid?count=1&type=push", self._headers(), costs=COSTS)


def told(request: Request, answer: Answer) -> Told | None:
    """What the rate headers say is left of this minute."""
    said = read(answer)
    if said.code == RATE_CODE:
        return Told(request.costs, 0, said.reset or timedelta(minutes=1), refused=True)
    return None if said.left is None else Told(request.costs, said.left, said.reset)


def first_cid(body: Mapping[str, Any]) -> str:
    """The number of an answer to `cid`, empty where there is none."""
    listed = body.get("cidlist")
    return str(listed[0]) if isinstance(listed, list) and listed and isinstance(listed[0], str) else ""
