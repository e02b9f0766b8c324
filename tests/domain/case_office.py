"""An office that answers, for the tests: a website and a 微博 account that can be answered on, people, and time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.contract import Accepted, Capabilities, Found, Heard, Json, Outcome, Refused, Unknown, Who
from hub.clock import SetClock
from hub.desk import answering, handling
from hub.desk.confirming import settle_deliveries
from hub.desk.delivering import deliver
from hub.desk.desk import Desk
from hub.desk.following import follow
from hub.desk.listening import take
from hub.desk.opening import open_from_reply
from hub.domain.people import Actor, Role, program
from hub.failpoints import Failpoints
from hub.identifiers import SeededIdentifiers
from hub.sealing import PublicSealer, Sealer
from hub.store.base import Document, Store
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore
from tests.domain.listening_office import LISTENER, Defaults, read

TUESDAY = datetime(2026, 11, 17, 2, 36, tzinfo=UTC)  # 10:36 in the office, a working day
DELIVERER, RECEIVER = program("deliverer"), program("receiver")
HANDLER = Actor("u-handler", "罗平", frozenset({Role.HANDLER}))
HANDLER2 = Actor("u-handler2", "马强", frozenset({Role.HANDLER}))
REVIEWER = Actor("u-reviewer", "陈立", frozenset({Role.REVIEWER}))
MONITOR = Actor("u-monitor", "何静", frozenset({Role.MONITOR}))
BOTH = Actor("u-both", "吴江", frozenset({Role.HANDLER, Role.REVIEWER}))
EDITOR = Actor("u-editor", "周敏", frozenset({Role.EDITOR}))
PEOPLE = (HANDLER, HANDLER2, REVIEWER, MONITOR, BOTH, EDITOR)
WORDS = "您好。松苑街的路灯昨晚已修好，如仍有不亮的，请再告诉我们。"
REFUSED = Refused("window_closed", "超过可以回复的时间", Who.EDITOR)
LATER = Refused("busy", "平台忙", Who.NOBODY, timedelta(minutes=1))


@dataclass
class Platform:
    """What a channel reaches: answers by key, progress by demand. `plan` gives the next outcomes; then all is accepted.

    A planned `Unknown` with `arrives` does the work and loses the answer.
    """

    kind: str
    can_find: bool = True
    plan: list[Outcome] = field(default_factory=list)
    arrives: bool = True
    calls: list[tuple[str, str, str]] = field(default_factory=list)  # external id, text, key
    public: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> (external id, text)
    told: dict[str, tuple[int, Any]] = field(default_factory=dict)
    down: bool = False
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = Capabilities(
            self.kind, self.kind, "网", {}, "at_once", "trusted", self.kind == "site", True, True, "poll", True
        )

    async def answer(self, to: Json, text: str, key: str) -> Outcome:
        self.calls.append((str(to["id"]), text, key))
        outcome = self.plan.pop(0) if self.plan else Accepted(f"a-{len(self.calls)}")
        if isinstance(outcome, Accepted) or (isinstance(outcome, Unknown) and self.arrives):
            self.public.setdefault(key, (str(to["id"]), text))
        return outcome

    async def put(self, kind: str, id: str, version: int, body: Json) -> Outcome:
        if self.down:
            return Unknown("连不上")
        if version >= self.told.get(id, (0, None))[0]:
            self.told[id] = (version, body)
        return Accepted(id)

    async def beat(self, worker: str) -> bool:
        return True


class Finding(Platform):
    """One that can be asked whether an answer has arrived."""

    async def find_answer(self, to: Json, key: str) -> Found | Unknown | None:
        if self.down:
            return Unknown("连不上")
        return Found(key, None, None) if key in self.public else None


@dataclass
class Office:
    """The desk, its clock and platforms, and the short ways that tests go."""

    desk: Desk
    clock: SetClock
    platforms: dict[str, Platform]
    said: int = 0

    @property
    def store(self) -> Store:
        return self.desk.store

    @property
    def site(self) -> Platform:
        return self.platforms["site-main"]

    @property
    def weibo(self) -> Platform:
        return self.platforms["weibo-main"]

    def again(self, store: Store, order: str = "") -> Office:
        """The same office in a new process, over what its store kept."""
        desk = replace(self.desk, store=store, failpoints=Failpoints(order), owner=f"{self.desk.owner}+")
        return Office(desk, self.clock, self.platforms, self.said)

    async def row(self, table: str, id: str) -> Document:
        found = await self.store.get(table, id)
        assert found is not None, (table, id)
        return found

    async def rows(self, table: str, **where: Any) -> list[Document]:
        return await self.store.find(table, where, sort=[("_id", 1)], limit=500)

    # --- citizens

    async def comment(self, text: str = "路灯不亮", author: str = "王芳", account: str = "weibo-main") -> str:
        """Somebody comments on 微博; the reply's id."""
        self.said += 1
        id = f"c{self.said}"
        heard = Heard(id, "comment", f"id-{author}", author, text, self.clock.now(), None, {"id": id})
        return await self._taken(account, heard)

    async def demand(self, text: str = "路灯不亮", **more: Any) -> str:
        """Somebody writes on the website and gets a query code; the demand's id."""
        self.said += 1
        id = f"demand-{self.said}"
        letter = {"title": "松苑街路灯不亮", "text": text, "contact": f"1390000{self.said:04}", "agreed": True, **more}
        await self._boxed(id, "demand", letter)
        return id

    async def add(self, demand: str, text: str, **more: Any) -> None:
        """补充, or 还没解决."""
        self.said += 1
        await self._boxed(f"message-{self.said}", "message", {"text": text, **more}, demand)

    async def rate(self, answer: str, level: int, reason: str = "") -> None:
        self.said += 1
        letter = {"answer": answer, "level": level, "reason": reason}
        await self._boxed(f"rating-{self.said}", "rating", letter, "demand")

    async def _boxed(self, id: str, kind: str, letter: Mapping[str, Any], about: str | None = None) -> None:
        box = PublicSealer(self.desk.sealer.box_public())
        plain = json.dumps(dict(letter), ensure_ascii=False)
        raw = {"id": id, "kind": kind, "sealed": box.seal(plain, table="inbox", id=id, field="sealed"), "about": about}
        heard = Heard(id, "letter" if kind == "demand" else kind, "", "", "", self.clock.now(), about, raw)
        account = await self.row("accounts", "site-main")
        await take(LISTENER, self.desk, account, [heard])

    async def _taken(self, account: str, heard: Heard) -> str:
        await take(LISTENER, self.desk, await self.row("accounts", account), [heard])
        rows = await self.rows("replies", account=account, external_id=heard.external_id)
        return str(rows[0]["_id"])

    # --- the office

    async def case_of(self, demand: str) -> Document:
        """The case of a demand, as it stands."""
        await self.follow()
        (reply,) = await self.rows("replies", external_id=demand)
        return await self.row("cases", reply["case"])

    async def follow(self) -> None:
        await follow(RECEIVER, self.desk)

    async def in_hand(self, *authors: str, by: Actor = HANDLER) -> str:
        """A case of comments by these people, accepted and taken; its id."""
        opened = await open_from_reply(MONITOR, self.desk, await self.comment(author=authors[0] if authors else "王芳"))
        for author in authors[1:]:
            self.clock.move(1)
            reply = await self.comment(author=author)
            await self.store.change("replies", {"_id": reply}, {"$set": {"case": opened.case["_id"]}})
        await handling.accept_case(MONITOR, self.desk, opened.case["_id"])
        await handling.take_case(by, self.desk, opened.case["_id"])
        return str(opened.case["_id"])

    async def approved(self, case: str, text: str = WORDS, by: Actor = HANDLER) -> str:
        """An answer written by one and approved by another; its id."""
        answer = await answering.submit_answer(by, self.desk, case, text)
        await answering.review_answer(REVIEWER, self.desk, answer["_id"], verdict="pass", hash=answer["hash"])
        return str(answer["_id"])

    async def sent(self, case: str, text: str = WORDS) -> str:
        id = await self.approved(case, text)
        await answering.send_answer(REVIEWER, self.desk, id)
        return id

    async def work(self, times: int = 1, minutes: float = 0) -> None:
        """The worker's turns."""
        for _ in range(times):
            self.clock.move(timedelta(minutes=minutes))
            await deliver(DELIVERER, self.desk)
            await settle_deliveries(DELIVERER, self.desk)


async def make_office(order: str = "") -> Office:
    """An office with a website, a 微博 account, and its people."""
    clock = SetClock(TUESDAY)
    platforms: dict[str, Platform] = {"site-main": Finding("site"), "weibo-main": Platform("weibo")}

    def connect(account: Document) -> Any:
        return platforms[account["_id"]]

    desk = Desk(
        store=MemoryStore(),
        files=FilesInMemory(),
        clock=clock,
        ids=SeededIdentifiers(clock, 7),
        sealer=Sealer(bytes(range(32))),
        connect=connect,
        read=read,
        policies=Defaults(),
        failpoints=Failpoints(order),
    )
    for id, platform in platforms.items():
        row = {"_id": id, "channel": platform.kind, "name": id, "held": False, "settings": {}, "profile": {}}
        await desk.store.insert("accounts", row)
    for person in PEOPLE:
        user = {"_id": person.id, "login": person.id, "name": person.name, "roles": sorted(person.roles)}
        await desk.store.insert("users", {**user, "disabled": False, "duty": person is MONITOR})
    return Office(desk, clock, platforms)
