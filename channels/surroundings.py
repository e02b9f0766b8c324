"""What the hub hands to a channel: a meter for its calls, custody of its token; who keeps them is not known here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from channels.contract import Fault, Quota

Quotas = Mapping[str, Quota]


@dataclass(frozen=True)
class Spent:
    """Nothing may leave: which quota is used up, the Chinese sentence for it, how long until it is counted anew."""

    quota: str
    reason: str
    wait: timedelta


class Meter(Protocol):
    """One account's counts of calls, one for every process of the office. What the hub hands a channel's transport.

    Raises for nothing: where the count cannot be kept, nothing may leave.
    """

    async def take(self, quotas: Quotas) -> Sequence[str] | Spent:
        """One call of each of these, all or none; what was taken, to give it back with."""
        ...

    async def give_back(self, taken: Sequence[str]) -> None:
        """The call certainly never reached the platform."""
        ...

    async def clock(self, ahead: timedelta) -> None:
        """How far the platform's clock stood ahead of ours at an answer."""
        ...

    async def believe(self, quotas: Quotas, left: int, wait: timedelta | None) -> Spent:
        """The platform's own word, which counts more than ours where it leaves less."""
        ...


@dataclass(frozen=True, repr=False)
class Token:
    """访问凭证: what a platform gave for an account's secret; has no `repr` of what it holds.

    `until`: not used beyond; `forced_at`: when a fresh one was last forced, which platforms grant rarely.
    """

    text: str
    until: datetime
    forced_at: datetime | None = None


FetchToken = Callable[[Token | None], Awaitable[Token | Fault]]


class Custody(Protocol):
    """Where an account's token lies, one for every process of the office, and who alone may fetch the next."""

    async def token(self, dead: str, fetch: FetchToken) -> Token | Fault:
        """A living token other than `dead` (empty: any), fetched by one process at a time where none is kept.

        `fetch` is handed what is kept, living or not.
        """
        ...


@runtime_checkable
class Tokened(Protocol):
    """A channel whose platform gives a token for the account's secret."""

    def entrust(self, custody: Custody) -> None:
        """Keep the token there from now on."""
        ...
