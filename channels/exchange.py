"""One request and what came of it, as values, and the Transport that carries it; no library, no network, no policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

PLATFORM_SECONDS = 20.0
PLATFORM_BYTES = 4 << 20


@dataclass(frozen=True, repr=False)
class Request:
    """What is to be sent. `url` is absolute and percent-encoded; it may hold secrets, so `repr` hides it.

    `seconds` bounds the whole exchange, a slow drip included; `limit` is the most bytes of an answer's body.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = PLATFORM_SECONDS
    limit: int = PLATFORM_BYTES

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


@dataclass(frozen=True)
class NotSent:
    """Certain: the other side never saw this request. `reason` is Chinese and holds nothing of the request."""

    reason: str


@dataclass(frozen=True)
class MaybeSent:
    """The request left, in part or whole, and no whole answer came: the other side may have done the work."""

    reason: str


Result = Answer | NotSent | MaybeSent


class Transport(Protocol):
    """Carries one request once: never retries, never raises for what the network does."""

    async def send(self, request: Request) -> Result: ...
