"""One account's line to 微信: the access token, its one renewal after a refusal, answers read; no order of calls.

The stable token is the same for every process that asks, so nothing is shared or locked between processes. After a
refusal for the token the platform is asked once more; the same answer again means that the token itself is dead, and a
fresh one is forced, which the platform grants 20 times a day and not twice within 30 seconds.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.contract import Refused, Unknown, Who
from channels.exchange import MaybeSent, NotSent, Request, Transport
from channels.metering import unsent
from channels.wechat import codes, wire

SOON = timedelta(minutes=1)
_FORCE_REST = timedelta(hours=2)  # what is refused even so would use up the day's 20 and hide its cause behind that
_EARLY = timedelta(minutes=3)  # a token is not used in its last minutes: a slow call must not outlive it


@dataclass(repr=False)
class Line:
    """Asks as one account. Holds the token, so it has no `repr` of its fields."""

    protocol: wire.Wire
    transport: Transport
    now: Callable[[], datetime]
    token: str = ""
    until: datetime | None = None
    forced_at: datetime | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, make: Callable[[str], Request]) -> wire.Said | Refused | Unknown:
        """One call: what was said to it; Refused only where it certainly never reached the platform."""
        token = await self._valid()
        if isinstance(token, Refused):
            return token
        said = await self._send(make(token))
        if not isinstance(said, wire.Said) or said.code not in codes.TOKEN_CODES:
            return said
        renewed = await self._renewed(token)
        return renewed if isinstance(renewed, Refused) else await self._send(make(renewed))

    async def ask(self, make: Callable[[str], Request]) -> dict[str, object] | Refused | Unknown:
        """A call that makes nothing public: its body, or why there is none."""
        said = await self.call(make)
        if not isinstance(said, wire.Said):
            return said
        if said.body is not None:
            return dict(said.body)
        return refusal(said) or Unknown("微信的答复看不懂", {"status": str(said.status)})

    async def _send(self, request: Request) -> wire.Said | Refused | Unknown:
        result = await self.transport.send(request)
        if isinstance(result, NotSent):
            return unsent(result, SOON)
        if isinstance(result, MaybeSent):
            return Unknown(result.reason)
        return wire.read(result)

    async def _valid(self) -> str | Refused:
        async with self._one:
            if self.token and self.until and self.now() < self.until:
                return self.token
            return await self._fetch(force=False)

    async def _renewed(self, dead: str) -> str | Refused:
        async with self._one:
            if not hmac.compare_digest(self.token.encode(), dead.encode()):  # renewed by somebody else meanwhile
                return self.token
            found = await self._fetch(force=False)
            if found != dead or (self.forced_at and self.now() - self.forced_at < _FORCE_REST):
                return found
            self.forced_at = self.now()
            return await self._fetch(force=True)

    async def _fetch(self, *, force: bool) -> str | Refused:
        """A lost answer to this call is no unknown: nothing has been asked with the token yet."""
        said = await self._send(self.protocol.stable_token(force=force))
        if isinstance(said, Refused):
            return said
        token = said.body.get("access_token") if isinstance(said, wire.Said) and said.body else None
        if isinstance(said, wire.Said) and isinstance(token, str) and token.isascii() and token:
            self.token = token
            self.until = self.now() + timedelta(seconds=_seconds(said)) - _EARLY
            return token
        known = refusal(said) if isinstance(said, wire.Said) else None
        return known or Refused("no_token", "没有取到微信的访问凭证，稍后再试", Who.NOBODY, SOON)

    @property
    def token_until(self) -> datetime | None:
        """When the token in hand ends; the next is fetched before."""
        return self.until + _EARLY if self.until else None


def _seconds(said: wire.Said) -> int:
    given = wire.whole((said.body or {}).get("expires_in"))
    return 7200 if given is None else min(max(given, 0), 86_400)


def refusal(said: wire.Said) -> Refused | None:
    """What the platform's number means, for calls that make nothing public; None where it gave none."""
    if said.code is None:
        return None
    code = codes.CODES.get(said.code)
    if code is None:
        return codes.unlisted(said.code)
    return codes.refused(code, said.address)
