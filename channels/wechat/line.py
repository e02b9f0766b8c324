"""One account's line to 微信: the access token, its one renewal after a refusal, answers read; no order of calls.

The token lies in custody, one for every process, and one of them fetches the next. After a refusal for the token the
platform is asked once more; the same answer again means that the token itself is dead, and a fresh one is forced, which
the platform grants 20 times a day and not twice within 30 seconds.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.contract import Fault, Refused, Unknown, Who
from channels.exchange import MaybeSent, NotSent, Request, Transport
from channels.metering import unsent
from channels.surroundings import Custody, FetchToken, Token
from channels.wechat import codes, wire

SOON = timedelta(minutes=1)
_FORCE_REST = timedelta(hours=2)  # what is refused even so would use up the day's 20 and hide its cause behind that
_RENEW_FIRST = Refused("token_replaced", "访问凭证刚刚失效，重新换取后再发", Who.NOBODY, timedelta())
_EARLY = timedelta(minutes=3)  # a token is not used in its last minutes: a slow call must not outlive it


@dataclass(repr=False)
class InHand:
    """Custody of a process that shares its token with nobody."""

    now: Callable[[], datetime]
    kept: Token | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self, dead: str, fetch: FetchToken) -> Token | Fault:
        async with self._one:
            if self.kept and self.now() < self.kept.until and differs(self.kept.text, dead):
                return self.kept
            found = await fetch(self.kept)
            self.kept = found if isinstance(found, Token) else self.kept
            return found


def differs(one: str, other: str) -> bool:
    """Compared in the same time wherever they differ."""
    return not hmac.compare_digest(one.encode(), other.encode())


@dataclass(repr=False)
class Line:
    """Asks as one account. Holds the token, so it has no `repr` of its fields."""

    protocol: wire.Wire
    transport: Transport
    now: Callable[[], datetime]
    custody: Custody
    hand: Token | None = None  # the one last used
    turned_down: bool = False  # the last public call was refused for the token

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

    async def once(self, make: Callable[[str], Request]) -> wire.Said | Refused | Unknown:
        """The public call: with the token in hand, or refused. Nothing is fetched or repeated here, since a pause was
        last looked at just before; preparing anew renews the token. Refused twice running: the account's trouble."""
        if self.hand is None:
            return _RENEW_FIRST
        said = await self._send(make(self.hand.text))
        refused, before = isinstance(said, wire.Said) and said.code in codes.TOKEN_CODES, self.turned_down
        self.turned_down = refused
        return _RENEW_FIRST if refused and not before else said

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
        if self.hand and self.now() < self.hand.until:
            return self.hand.text
        return await self._taken("")

    async def _renewed(self, dead: str) -> str | Refused:
        return await self._taken(dead)

    async def _taken(self, dead: str) -> str | Refused:
        found = await self.custody.token(dead, lambda kept: self._next(kept, dead))
        if isinstance(found, Token):
            self.hand = found
            return found.text
        return found if isinstance(found, Refused) else Refused("no_token", found.reason, Who.NOBODY, SOON)

    async def _next(self, kept: Token | None, dead: str) -> Token | Fault:
        """The platform's present token; where that is the dead one, a fresh one is forced, if none was lately."""
        found = await self._fetch(kept, force=False)
        forced = kept.forced_at if kept else None
        if not dead or not isinstance(found, Token) or differs(found.text, dead):
            return found
        if forced and self.now() - forced < _FORCE_REST:
            return found
        return await self._fetch(kept, force=True)

    async def _fetch(self, kept: Token | None, *, force: bool) -> Token | Refused:
        """A lost answer to this call is no unknown: nothing has been asked with the token yet."""
        asked_at = self.now()
        said = await self._send(self.protocol.stable_token(force=force))
        if isinstance(said, Refused):
            return said
        text = said.body.get("access_token") if isinstance(said, wire.Said) and said.body else None
        if isinstance(said, wire.Said) and isinstance(text, str) and text.isascii() and text:
            until = self.now() + timedelta(seconds=_seconds(said)) - _EARLY
            return Token(text, until, asked_at if force else kept.forced_at if kept else None)
        known = refusal(said) if isinstance(said, wire.Said) else None
        return known or Refused("no_token", "没有取到微信的访问凭证，稍后再试", Who.NOBODY, SOON)


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
