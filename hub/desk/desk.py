"""The desk's surroundings: what every duty is handed; made by hub.wiring, or by a test from parts in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from channels.contract import Channel, Outcome
from hub.bell import Bell
from hub.clock import Clock
from hub.domain.errors import HubError
from hub.failpoints import Failpoints
from hub.identifiers import Identifiers
from hub.sealing import Sealer, Unsealable
from hub.store.base import Document, Store
from hub.store.files import Files
from nlp.contract import Analysis

Connect = Callable[[Document], Channel]
Read = Callable[[Sequence[Mapping[str, Any]]], Awaitable[list[Analysis | None]]]


UNFIT = "这个账号的设置或凭据不完整，请系统管理员在“账号”页重新接入。"


class Policies(Protocol):
    """规则: the figures of the office's rules, by name, with the default where nobody changed it."""

    async def value(self, name: str) -> Any: ...


class Proofs(Protocol):
    """What proves who somebody is: passwords and codes; the libraries for it live in hub.access."""

    async def digest(self, password: str) -> str:
        """The password as it may be stored."""
        ...

    async def matches(self, digest: str | None, password: str) -> bool:
        """Whether it is this password; None: nobody's, with the same work."""
        ...

    def factor(self, chance: bytes) -> str:
        """A new second factor's secret from 20 unguessable bytes."""
        ...

    def step(self, factor: str, code: str, now: datetime) -> int | None:
        """The time step this code belongs to, one to either side allowed; None: it is no code of now."""
        ...


class Mail(Protocol):
    """Where e-mail to the office's people goes out; the channel behind it lives in channels.notice."""

    async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome: ...


class Heads(Protocol):
    """Where sealed heads of the audit chain are carried, outside the store."""

    async def append(self, line: str) -> None: ...


@dataclass(frozen=True)
class Desk:
    """One office's surroundings: documents, files, time, chance, seals, channels, the reader of texts, rules."""

    store: Store
    files: Files
    clock: Clock
    ids: Identifiers
    sealer: Sealer
    connect: Connect
    read: Read
    policies: Policies
    failpoints: Failpoints = field(default_factory=Failpoints)
    owner: str = "desk"  # the name under which this process holds leases
    demo: bool = True
    proofs: Proofs | None = None  # None: nobody can sign in here (workers)
    mail: Mail | None = None  # None: notices ring the bell only
    heads: Heads | None = None
    bell: Bell = field(default_factory=Bell)  # what one duty of this process tells another
    watched: dict[Any, float] = field(default_factory=dict)  # this process's own watch: since when it sees a thing so
    lost: dict[tuple[str, str], float] = field(default_factory=dict)  # the same: since when it looks for a lost result
    hastened: dict[str, float] = field(default_factory=dict)  # the same: when each table was last looked over


def connected(desk: Desk, account: Document) -> Channel | str:
    """The account's channel, or the sentence why there is none: one account's trouble must not stop the others."""
    try:
        return desk.connect(account)
    except HubError as error:
        return error.message
    except (ValueError, KeyError, TypeError, Unsealable):
        return UNFIT
