"""Counting calls against a platform's quotas, before they leave: the transport that asks the meter.

Each request says what it costs (`Request.costs`), so whoever makes a call, whatever for, it is counted here and nowhere
else. Who keeps the count is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.contract import Refused, Who
from channels.exchange import Answer, NotSent, Request, Result, Transport, apart
from channels.surroundings import Meter, Quotas, Spent


@dataclass(frozen=True)
class Told:
    """What an answer tells about quotas: `left` of each of these; `refused`: it did nothing because of them."""

    quotas: Sequence[str]
    left: int
    wait: timedelta | None = None
    refused: bool = False


Read = Callable[[Request, Answer], Told | None]


def tells_nothing(request: Request, answer: Answer) -> Told | None:
    """For platforms that say nothing of quotas."""
    return None


@dataclass(repr=False)
class Metered:
    """A transport that counts before it sends. `quotas` are the account's own."""

    transport: Transport
    meter: Meter
    now: Callable[[], datetime]
    read: Read = tells_nothing
    quotas: Quotas = field(default_factory=dict)

    async def send(self, request: Request) -> Result:
        costs = self._among(request.costs)
        taken = await self.meter.take(costs) if costs else ()
        if isinstance(taken, Spent):
            return _kept_back(taken)
        result = await self._timed(request)
        if taken and isinstance(result, NotSent):
            await self.meter.give_back(taken)
        return await self._heard(request, result) if costs and isinstance(result, Answer) else result

    async def _timed(self, request: Request) -> Result:
        asked_at = self.now()
        result = await self.transport.send(request)
        ahead = apart(result, asked_at, self.now()) if isinstance(result, Answer) else None
        if ahead is not None:
            await self.meter.clock(ahead)
        return result

    async def _heard(self, request: Request, answer: Answer) -> Result:
        """What the answer tells is believed. A refusal for the quota is the same to the caller as our own count."""
        said = self.read(request, answer)
        named = self._among(said.quotas) if said else {}
        if said is None or not named:
            return answer
        spent = await self.meter.believe(named, said.left, said.wait)
        return _kept_back(spent) if said.refused else answer

    def _among(self, names: Sequence[str]) -> Quotas:
        return {name: self.quotas[name] for name in names if name in self.quotas}


def _kept_back(spent: Spent) -> NotSent:
    return NotSent(spent.reason, spent.wait, spent.quota)


def unsent(result: NotSent, soon: timedelta) -> Refused:
    """The refusal that a request which did nothing means: it passes by itself."""
    code = "quota" if result.spent else "not_sent"
    return Refused(code, result.reason, Who.NOBODY, result.retry_after or soon, spent=result.spent)
