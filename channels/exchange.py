"""One request and what came of it, as values, and the Transport that carries it; no library, no network, no policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

PLATFORM_SECONDS = 20.0
PLATFORM_BYTES = 4 << 20


@dataclass(frozen=True, repr=False)
class Request:
    """What is to be sent. `url` is absolute and percent-encoded; it may hold secrets, so `repr` hides it.

    `seconds` bounds the whole exchange, a slow drip included; `limit` is the most bytes of an answer's body. `costs`
    names the quotas that the platform counts it under; they are counted before it leaves (metering.py).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = PLATFORM_SECONDS
    limit: int = PLATFORM_BYTES
    costs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.method} {self.host}{self.path}>"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path or "/"

    @property
    def target(self) -> str:
        """Path and query as they stand on the wire."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def header(self, name: str) -> str:
        """A header's value, its name in any case; empty when absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True, repr=False)
class Answer:
    """A whole answer: names of headers in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<Answer {self.status}, {len(self.body)} bytes>"


def apart(answer: Answer, asked_at: datetime, got_at: datetime) -> timedelta | None:
    """How far the other side's clock stands ahead of ours (behind: below zero), by the date of its answer, which names
    a whole second somewhere between asking and getting; None where it names none."""
    try:
        said = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    if said.tzinfo is None:
        return None
    late, early = asked_at - (said + timedelta(seconds=1)), said - got_at
    return early if early > timedelta(0) else -late if late > timedelta(0) else timedelta(0)


@dataclass(frozen=True)
class NotSent:
    """Certain: the other side did nothing for this request, in nearly all cases because it never saw it.

    `reason` is Chinese and holds nothing of the request. `spent`: the quota that is used up, by our count or by the
    other side's word, and `retry_after` how long until it is counted anew.
    """

    reason: str
    retry_after: timedelta | None = None
    spent: str = ""


@dataclass(frozen=True)
class MaybeSent:
    """The request left, in part or whole, and no whole answer came: the other side may have done the work."""

    reason: str


Result = Answer | NotSent | MaybeSent


class Transport(Protocol):
    """Carries one request once: never retries, never raises for what the network does."""

    async def send(self, request: Request) -> Result: ...
