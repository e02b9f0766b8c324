"""An office in memory for the tests of people and trust: real parts, cheap password hashes, a clock that is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyotp
from argon2 import PasswordHasher

from channels.contract import Accepted, Channel, Outcome
from hub.access.proofs import Argon2Proofs
from hub.clock import SetClock
from hub.desk import staffing
from hub.desk.desk import Desk
from hub.desk.governing import StoredPolicies
from hub.domain import outbox
from hub.domain.people import Actor, Role, program
from hub.failpoints import Failpoints
from hub.identifiers import SeededIdentifiers
from hub.sealing import Sealer
from hub.store.base import Document, Inserted, Store
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore

MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CARRIER, CONSOLE = program("carrier"), program("console")
AUDITOR = Actor("u-aud", "审计员", frozenset({Role.AUDITOR}))
SECADMIN = Actor("u-sec", "安全员", frozenset({Role.SECADMIN}))
SECOND_SECADMIN = Actor("u-sec2", "安全员乙", frozenset({Role.SECADMIN}))
EDITOR = Actor("u-ed", "编辑", frozenset({Role.EDITOR}))
PASSWORD = "Crane-over-7-hills"


class PassingClock(SetClock):
    """A clock on which waiting passes at once, and is remembered."""

    def __init__(self) -> None:
        super().__init__(MORNING)
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.waits.append(seconds)
            self.move(seconds)
        await asyncio.sleep(0)


def no_channel(_: Document) -> Channel:
    raise AssertionError("no channel here")


async def no_reading(_: Sequence[Mapping[str, Any]]) -> list[Any]:
    raise AssertionError("nothing is read here")


def make_desk(store: Store | None = None, clock: SetClock | None = None, **changes: Any) -> Desk:
    store, clock = store or MemoryStore(), clock or PassingClock()
    desk = Desk(
        store=store,
        files=FilesInMemory(),
        clock=clock,
        ids=SeededIdentifiers(clock, 7),
        sealer=Sealer(b"k" * 32),
        connect=no_channel,
        read=no_reading,
        policies=StoredPolicies(store, clock),
        proofs=Argon2Proofs(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
    )
    return replace(desk, **changes)


def with_point(desk: Desk, order: str) -> Desk:
    return replace(desk, failpoints=Failpoints(order))


def clock_of(desk: Desk) -> PassingClock:
    assert isinstance(desk.clock, PassingClock)
    return desk.clock


async def person(desk: Desk, login: str, *roles: Role, **more: Any) -> str:
    """A user whose first password is already changed."""
    values = {"name": f"{login}某", "password": PASSWORD, "must_change": False, **more}
    return await staffing.add_user(CONSOLE, desk, login=login, roles=[role.value for role in roles], **values)


def code_of(factor: str, desk: Desk, steps: int = 0) -> str:
    return pyotp.TOTP(factor).at(int(desk.clock.now().timestamp()) + 30 * steps)


async def act(desk: Desk, number: int, *more: outbox.Row, table: str = "contents") -> None:
    """One change of weight, as any duty would make it."""
    row = outbox.audit(desk.ids.new(), EDITOR, "content.write", f"c{number}", desk.clock.now(), detail={"n": number})
    event = outbox.event(desk.ids.new(), "content.changed", f"c{number}", desk.clock.now())
    document = {"_id": f"c{number}", "title": "稿件"}
    await desk.store.insert(table, outbox.born(document, row, event, *more))


class Broken(Exception):
    """The store's host went away."""


class FailingStore:
    """A store that breaks at its nth write: `before` nothing was written, else the answer alone was lost."""

    def __init__(self, inner: Store, nth: int, *, before: bool) -> None:
        self._inner = inner
        self._left = nth
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def _write(self, call: Any) -> Any:
        self._left -= 1
        if self._left == 0 and self._before:
            raise Broken
        result = await call()
        if self._left == 0:
            raise Broken
        return result

    async def insert(self, table: str, document: Document) -> None:
        await self._write(lambda: self._inner.insert(table, document))

    async def insert_new(self, table: str, documents: Sequence[Document]) -> Inserted:
        inserted: Inserted = await self._write(lambda: self._inner.insert_new(table, documents))
        return inserted

    async def change(self, table: str, where: Any, update: Any, **more: Any) -> Document | None:
        changed: Document | None = await self._write(lambda: self._inner.change(table, where, update, **more))
        return changed


class Interleaved:
    """A store at which every call gives way to others first, as a real one does."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        async def later(*words: Any, **more: Any) -> Any:
            await asyncio.sleep(0)
            return await call(*words, **more)

        return later


class Meanwhile(Interleaved):
    """A store where something else happens once, right after the first write to `table`."""

    def __init__(self, inner: Store, table: str, happens: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(inner)
        self._table = table
        self._happens: Callable[[], Awaitable[Any]] | None = happens

    async def insert(self, table: str, document: Document) -> None:
        await self._inner.insert(table, document)
        if table == self._table and self._happens is not None:
            happens, self._happens = self._happens, None
            await happens()


@dataclass
class Postbox:
    """A mail that answers as it was told, and keeps what it took."""

    answers: list[Outcome] = field(default_factory=list)
    letters: list[tuple[str, str, str, str]] = field(default_factory=list)

    async def send(self, to: str, subject: str, text: str, link: str, key: str) -> Outcome:
        self.letters.append((to, subject, text, key))
        return self.answers.pop(0) if self.answers else Accepted(external_id=f"<{key}>")
