"""The desk's surroundings: what every duty is handed; made by hub.wiring, or by a test from parts in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from channels.contract import Channel, Outcome
from hub.clock import Clock
from hub.failpoints import Failpoints
from hub.identifiers import Identifiers
from hub.sealing import Sealer
from hub.store.base import Document, Store
from hub.store.files import Files
from nlp.contract import Analysis

Connect = Callable[[Document], Channel]
Read = Callable[[Sequence[Mapping[str, Any]]], Awaitable[list[Analysis | None]]]


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
