"""One simulated office with its workers, people, store and platforms, living through one plan on a virtual loop."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from channels.contract import Channel, Heard, Outcome, Staged
from channels.exchange import Request
from channels.faults import Fault
from channels.kinds import connect as connect_kind
from channels.performance import Performance
from channels.push import codes as push_codes
from channels.push.rehearsal import PushPlatform
from channels.wechat import codes as wechat_codes
from channels.wechat.rehearsal import WechatPlatform
from channels.weibo import codes as weibo_codes
from channels.weibo.rehearsal import WeiboPlatform
from hub.desk import callbacks, pausing, publishing, quieting, settling
from hub.desk.accounts import hold_account, release_account
from hub.desk.custody import custody_of
from hub.desk.desk import Desk
from hub.desk.publishing import Wish
from hub.desk.quotas import StoredMeter
from hub.desk.withdrawing import correct, withdraw
from hub.domain import quiet
from hub.domain.errors import HubError
from hub.identifiers import SeededIdentifiers
from hub.sealing import PublicSealer, Sealer
from hub.store.base import Document, Duplicate, Unreachable, Unsure
from hub.store.files import FilesInMemory
from scheduler.clockwork import Clockwork
from scheduler.jobs import JOBS
from tests.contracts.channel_rooms import SITE_KEY
from tests.contracts.content_server import ContentServer
from tests.domain.publishing_office import EDITOR, MONITOR, REVIEWER, DefaultPolicies, Office
from tests.simulation.eventloop import VirtualLoop
from tests.simulation.plan import ACCOUNTS, STORE_FAULTS, Event, Plan, Text
from tests.simulation.processes import BORN, ClockOf, Killed, Process, StoreOf, Wire
from tests.simulation.witness import Stop, WatchedStore, Witness

PACE: Mapping[str, int] = {  # the duties that are simulated, and how much rarer than sending they tick
    "dispatch": 1, "wake": 2, "operate": 2, "settle": 2, "settle_operations": 2, "preflight": 10,
}  # fmt: skip
DUTIES = tuple(job for job in JOBS if job.name in PACE)
PATIENCE = 60 * 3600.0  # seconds after which what still moves is said to move for ever
OVERDUE = 8400.0  # seconds after which what was due is not done any more: a clock that jumped twice gave its time
OUTSTAYED = 900.0  # seconds after which a claim still stands though its holder is gone
LONGEST_REST = 300.0  # seconds that a worker which has nothing to do sleeps without a look at what is due
LEASE = 120.0  # seconds after which a claim is over, whatever the clock said that gave it
SEALER = Sealer(bytes(range(32)))
PICTURE = b"\x89PNG\r\n\x1a\n" + b"the weir in winter" * 20
CODES: Mapping[str, tuple[int, ...]] = {
    "site-main": (401, 422, 429),
    "app-main": (401, 422, 429),
    "weibo-main": tuple(sorted(weibo_codes.CODES)),
    "wechat-main": tuple(sorted(wechat_codes.CODES)),
    "push-main": tuple(sorted(push_codes.CODES)),
}


class SeenChannel:
    """A channel whose public step the witness sees begin."""

    def __init__(self, channel: Channel, city: City, process: Process) -> None:
        self._channel, self._city, self._process = channel, city, process

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def publish(self, staged: Staged, key: str) -> Outcome:
        self._city.call_begins(key, self._process)
        return await self._channel.publish(staged, key)

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        self._city.correction_begins(key, self._process)
        return await self._channel.correct(external_id, staged, note, key)


@dataclass
class Report:
    """What came of one plan."""

    plan: Plan
    violations: list[str]
    trace: list[str]
    publications: int
    crashes: int
    states: dict[str, int] = field(default_factory=dict)


class City:
    """One plan being lived."""

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        self.plan, self.loop = plan, loop
        self.stages = _stages(self._true_time)
        self.witness = Witness(self.stages, loop.time)
        self.store = WatchedStore()
        self.store.witness = self.witness
        self.files = FilesInMemory()
        self.accounts: dict[str, Any] = {}
        self.workers: dict[int, Process] = {}
        self.born, self.crashes, self.claims = 0, 0, 0
        self.calm = False
        self._dice = {name: random.Random(f"{plan.seed}/{name}") for name in (*ACCOUNTS, "store")}  # noqa: S311
        self._flushing = False
        self._turn = asyncio.Lock()  # people act one after another, so that what was said last is known

    def _true_time(self) -> Any:
        return BORN + timedelta(seconds=self.loop.time())

    # ---- trouble

    def fault(self, account: str, _request: Request) -> Fault | None:
        """The fault that strikes this request."""
        dice = self._dice[account]
        drawn = dice.random()
        if self.calm:
            return None
        for kind, rate in self.plan.faults:
            if drawn < rate:
                return Fault("", kind, 1, self._value(kind, account, dice))
            drawn -= rate
        return None

    @staticmethod
    def _value(kind: str, account: str, dice: random.Random) -> int:
        if kind == "code":
            return dice.choice(CODES[account])
        return {"status": 502, "status_after": 504, "delay": dice.choice((3, 15, 40))}.get(kind, 0)

    def store_fault(self, _process: Process) -> str:
        """The fault that strikes this write."""
        if self.calm or self._dice["store"].random() >= self.plan.store_faults:
            return ""
        return self._dice["store"].choice(STORE_FAULTS)

    def _ask(self) -> None:
        """A write waits to be durable: the disk has it after a moment, with all that came meanwhile."""
        if not self._flushing:
            self._flushing = True
            self.loop.call_later(self._dice["store"].uniform(0.001, 0.02), self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self.store.release()
        self.store.hold()

    # ---- processes

    def desk(self, process: Process) -> Desk:
        """The desk of one process."""
        clock = ClockOf(process)
        channels: dict[str, tuple[Any, SeenChannel]] = {}
        wires = {name: Wire(process, {name: self.stages[name]}, self.fault, self._arrived) for name in ACCOUNTS}

        def connect(account: Document) -> Any:
            name = str(account["_id"])
            facts = {each: account.get(each) for each in ("settings", "profile", "channel")}
            if name not in channels or channels[name][0] != facts:
                meter, custody = StoredMeter(desk, name), custody_of(desk, account)
                channel = connect_kind(account, self.accounts[name], wires[name], clock.now, meter, custody)
                channels[name] = (facts, SeenChannel(channel, self, process))
            return channels[name][1]

        async def read(texts: Any) -> list[Any]:
            return [None for _ in texts]

        desk = Desk(
            store=StoreOf(process, lambda: self.store, self.store_fault, self.plan.power_cuts),
            files=self.files, clock=clock, ids=SeededIdentifiers(clock, process.chance.getrandbits(60)), sealer=SEALER,
            connect=connect, read=read, policies=DefaultPolicies(), owner=process.name,
        )  # fmt: skip
        return desk

    def _arrived(self, account: str, _request: Request) -> None:
        self.witness.look(account)

    def call_begins(self, key: str, process: Process) -> None:
        rows = self.store._rows["publications"].values()
        row = next((each for each in rows if each["key"] == key), None)
        latest = self._true_time() + timedelta(seconds=process.fastest)
        self.witness.call_begins(row, self._true_time(), latest, process.name)

    def correction_begins(self, key: str, process: Process) -> None:
        rows = self.store._rows["operations"].values()
        self.witness.correction_begins(next((row for row in rows if row["key"] == key), None), process.name)

    def start_worker(self, place: int, skew: float = 0.0) -> None:
        self.born += 1
        process = Process(self.loop, f"worker-{place}-{self.born}", self.plan.seed, skew)
        process.on_kill = lambda: self._fell(place)
        self.workers[place] = process
        clockwork = Clockwork(self.desk(process), ())
        for job in DUTIES:
            self.loop.create_task(self._keep_doing(process, clockwork, job))

    def _fell(self, place: int) -> None:
        self.crashes += 1
        self.witness.tell(f"worker {place} is killed")
        self.loop.call_later(self._dice["store"].uniform(0.5, 40.0), self._start_again, place)

    def _start_again(self, place: int) -> None:
        if not self.workers[place].alive:
            self.start_worker(place)

    async def _keep_doing(self, process: Process, clockwork: Clockwork, job: Any) -> None:
        while True:
            await self._pause(process, PACE[job.name])
            await clockwork.tick(job)
            if not process.alive:
                return

    async def _pause(self, process: Process, rarer: int) -> None:
        """Until the next tick. A long rest ends early where another duty makes something due meanwhile."""
        until = self.loop.time() + self._interval(process, rarer)
        while (left := until - self.loop.time()) > 0:
            await process.pause(min(left, LONGEST_REST) if self.calm else left)
            if self.calm:
                until = min(until, self.loop.time() + self._interval(process, rarer))

    def _interval(self, process: Process, rarer: int) -> float:
        """Until the next tick: the plan's pace while something is due, else until something will be, or a minute."""
        pace = 1.0 if self.calm else self.plan.every * process.chance.uniform(0.5, 1.5)
        due = self.next_due()
        idle = 60.0 if due is None else due - self.loop.time()
        if self.calm and idle < -60:  # it waits for a lease to run out, not for a tick
            pace = 20.0
        return max(pace * rarer, min(idle, 3600.0) if self.calm else min(idle, 60.0) * rarer)

    def next_due(self) -> float | None:
        """When the ledger next moves by itself (seconds); None: never."""
        posts = self.store._rows["publications"]
        asked = [
            row for row in self.store._rows["operations"].values() if posts[row["publication"]]["state"] != "unknown"
        ]  # else it waits for a person
        rows = (*posts.values(), *asked)
        moments = [when for row in rows if row["state"] not in _CLAIMED and (when := _due(row)) is not None]
        seen, now = self.witness.claimed_at, self.loop.time()  # one that is not durable yet has not been seen
        claims = [(row["_id"], row["lease_number"]) for row in rows if row["state"] in _CLAIMED]
        claimed = [seen.get(claim, now) + LEASE for claim in claims]
        return min((*((when - BORN).total_seconds() for when in moments), *claimed), default=None)

    # ---- what happens

    async def begin(self) -> None:
        """Accounts, texts and their times."""
        self.calm = True
        office = self.people("setting-up")
        await self.files.put(PICTURE)
        cover = await self.files.put(PICTURE)
        media = {"_id": cover, "type": "image/png", "width": 640, "height": 360, "size": len(PICTURE)}
        await office.store.insert("media", media)
        for name, row, credentials in _accounts(self.stages, cover):
            self.accounts[name] = credentials
            await office.store.insert("accounts", row)
        for text in self.plan.texts:
            await self._schedule(office, text, cover)
        self.calm = False
        for place in range(self.plan.workers):
            self.start_worker(place)
        if self.plan.power_cuts:
            self.store.ask = self._ask
            self.store.hold()
        self.witness.claimed = self._claimed
        for event in self.plan.events:
            if not event.nth:
                self.loop.call_at(event.at, self._happen, event)

    def people(self, name: str) -> Office:
        """A process of the desk for one person's act."""
        self.born += 1
        desk = self.desk(Process(self.loop, f"{name}-{self.born}", self.plan.seed))
        return Office(desk, desk.clock, desk.store, {})  # type: ignore[arg-type]

    async def _schedule(self, office: Office, text: Text, cover: str) -> None:
        content = f"c{text.number}"
        approved = text.approved_at is None
        if approved:
            self.witness.approved.add((text.number, 1))
        await office.write(content, _title(text.number, 1), approved=approved, picture=cover if text.picture else "")
        at = BORN + timedelta(seconds=max(text.at, self.loop.time()) + 1)
        wishes = [Wish(account, at, text.late) for account in text.accounts]
        done = await publishing.schedule(EDITOR, office.desk, content, wishes, if_some_impossible="the_rest")
        self.witness.acknowledged |= {row["_id"] for row in done.publications}
        for left in done.impossible:
            self.witness.tell(f"{content} is impossible on {left.account}: {left.reasons}")
        if text.approved_at is not None:
            self.loop.call_at(text.approved_at, self._happen, Event(text.approved_at, "approve", text.number))

    def _claimed(self) -> None:
        """Something was taken up: what was planned for just after it happens just after it."""
        self.claims += 1
        for event in self.plan.events:
            if event.nth == self.claims:
                self.loop.call_later(event.at, self._happen, event)

    def _happen(self, event: Event) -> None:
        if self.calm:
            return
        if event.kind in ("kill", "kill_after", "freeze", "clock"):
            self._strike(event)
        elif event.kind == "power":
            self._cut_power()
        elif event.kind == "verdict":
            self.stages["wechat-main"].order("verdict", {"status": int(event.value)})
        elif event.kind == "foreign_token":
            self._take_token()
        else:
            self.loop.create_task(self._act(event))

    def _strike(self, event: Event) -> None:
        process = self.workers[event.target % self.plan.workers]
        if not process.alive:
            return
        self.witness.tell(f"{event.kind} {process.name} {event.value:g}")
        if event.kind == "kill":
            process.kill()
        elif event.kind == "kill_after":
            process.kill_after(int(event.value))
        elif event.kind == "freeze":
            process.freeze(event.value)
        else:
            process.jump(event.value)

    def _take_token(self) -> None:
        """Another program with our AppSecret takes a new token; ours ends."""
        known = self.stages["wechat-main"].platform.accounts()[0]
        body = {"grant_type": "client_credential", "appid": known["appid"], "secret": known["secret"]}
        address = "https://wechat-main/cgi-bin/stable_token"
        words = json.dumps({**body, "force_refresh": True}).encode()
        self.stages["wechat-main"].play(Request("POST", address, {"content-type": "application/json"}, words))

    def _cut_power(self) -> None:
        """Everything of ours ends at once; of what was not durable yet, some is kept."""
        self.witness.tell("the power is cut")
        self.store = self.store.crash(keep=self._dice["store"].randint(0, self.store.waiting()))
        self.store.hold()
        for process in self.workers.values():
            if process.alive:
                process.kill()

    async def _act(self, event: Event) -> None:
        """What one person does; whatever is refused, or not acknowledged, is no promise."""
        content = f"c{event.target}"
        office = self.people(event.kind)
        try:
            async with self._turn:
                await _ACTS[event.kind](self, office, content, event)
            self.witness.tell(f"a person: {event.kind} {content} {event.account}")
        except (HubError, Unreachable, Unsure, Duplicate) as refused:
            self.witness.tell(f"a person: {event.kind} {content} {event.account} refused: {refused}")

    # ---- to the end

    async def live(self) -> None:
        """The plan, then calm until nothing moves, then people's decisions, then calm again."""
        await self.begin()
        await asyncio.sleep(max(0.0, self.plan.calm_at - self.loop.time()))
        await self._calm_down()
        await self._settle()
        await self._decide()
        await self._settle()

    async def _settle(self) -> None:
        """Until nothing moves, then what stands there is judged; after a broken promise only that one is told."""
        await self._rest()
        if not self.witness.violations:
            self.witness.judge(self.rows(), self.store._rows["operations"].values())

    def rows(self) -> list[Document]:
        return list(self.store._rows["publications"].values())

    async def _calm_down(self) -> None:
        self.calm = True
        self.witness.tell("all is calm")
        for process in self.workers.values():
            process.steps_left, process.skew = None, 0.0
        await asyncio.sleep(60)
        office = self.people("duty")
        self.witness.stops = [stop for stop in self.witness.stops if stop.what in ("cancel", "withdraw")]
        await pausing.lift_hold_all(REVIEWER, office.desk)
        await _wake_all(office)
        for account in ACCOUNTS:
            await release_account(REVIEWER, office.desk, account)
        for text in self.plan.texts:
            await _approve(self, office, f"c{text.number}", Event(0, "approve", text.number))
        for asked in list(self.store._rows["operations"].values()):
            if asked["kind"] == "correct" and asked["state"] not in ("published", "cancelled"):
                await _pass(self, office, asked)

    async def _rest(self) -> None:
        """Until nothing is due by itself any more."""
        began = self.loop.time()
        until = began + PATIENCE
        while self.loop.time() < until and not self.witness.violations:
            due = self.next_due()
            if due is not None and self.loop.time() - max(due, began) > OVERDUE:
                self.witness.blame("something is due, and nobody does it")
            self._judge_claims(began)
            if due is None:
                await asyncio.sleep(200)
                if self.next_due() is None:
                    return
            else:
                await asyncio.sleep(max(5.0, min(due - self.loop.time(), 3600.0) + 1))
        if not self.witness.violations:
            self.witness.blame("something moves for ever")

    def _judge_claims(self, began: float) -> None:
        for row in (*self.rows(), *self.store._rows["operations"].values()):
            since = self.witness.claimed_at.get((row["_id"], row["lease_number"]), self.loop.time())
            if row["state"] in _CLAIMED and self.loop.time() - max(since, began) > OUTSTAYED:
                self.witness.blame(f"{row['_id']}: its claim outlives its holder and blocks its account")

    async def _decide(self) -> None:
        """A person looks at the platform and says what is there; what is not out is sent once more."""
        office = self.people("deciding")
        for row in self.rows():
            if row["state"] == "unknown":
                out = bool(self.witness.posts_of(row))
                said = "published" if out else "not_published"
                url = _page_of(row) if out and row["channel"] != "push" else None
                await settling.resolve(REVIEWER, office.desk, row["_id"], said, url=url, evidence="在平台上看过")
        for row in self.rows():
            if row["state"] in ("held", "refused"):
                self._no_longer("hold", publication=row["_id"])
                await publishing.release(REVIEWER, office.desk, row["_id"])

    def _no_longer(self, what: str, **which: str) -> None:
        self.witness.stops = [
            stop for stop in self.witness.stops
            if stop.what != what or any(getattr(stop, name) != value for name, value in which.items())
        ]  # fmt: skip

    def under_way(self) -> frozenset[str]:
        return frozenset(row["_id"] for row in self.rows() if row["state"] == "sending")


# ---- people's acts


def _of(content: str, event: Event) -> str:
    return f"{content}:{event.account}:1"


async def _hold(city: City, office: Office, content: str, event: Event) -> None:
    await publishing.hold(REVIEWER, office.desk, _of(content, event))
    city.witness.stops.append(Stop("hold", city.loop.time(), publication=_of(content, event)))


async def _release(city: City, office: Office, content: str, event: Event) -> None:
    city._no_longer("hold", publication=_of(content, event))
    await publishing.release(REVIEWER, office.desk, _of(content, event))


async def _cancel(city: City, office: Office, content: str, event: Event) -> None:
    await publishing.cancel(EDITOR, office.desk, _of(content, event))
    city.witness.stops.append(Stop("cancel", city.loop.time(), publication=_of(content, event)))


async def _move(city: City, office: Office, content: str, event: Event) -> None:
    at = BORN + timedelta(seconds=city.loop.time() + event.value)
    await publishing.move(EDITOR, office.desk, _of(content, event), at)


async def _edit(city: City, office: Office, content: str, event: Event) -> None:
    row = await office.store.get("contents", content)
    if row is None:
        return
    number, edition = int(content[1:]), int(row["revision"]) + 1
    await office.write(content, _title(number, edition), number=edition, approved=False)
    city.witness.stops.append(Stop("edit", city.loop.time(), content=content, under_way=city.under_way()))


async def _approve(city: City, office: Office, content: str, event: Event) -> None:
    row = await office.store.get("contents", content)
    if row is None:
        return
    city._no_longer("edit", content=content)
    await _pass(city, office, row)
    await office.approve(content)


async def _pass(city: City, office: Office, what: Document) -> None:
    """终审 of a content as it stands, or of a correction as it was asked for."""
    content, revision = str(what.get("content") or what["_id"]), int(what["revision"])
    city.witness.approved.add((int(content[1:]), revision))
    review = {"content": content, "revision": revision, "hash": what["hash"], "kind": "approval", "verdict": "pass"}
    by = {"by": REVIEWER.id, "level": 1, "void": False, "at": office.desk.clock.now()}
    await office.store.insert("reviews", {"_id": office.desk.ids.new(), **review, **by})


async def _correct(city: City, office: Office, content: str, event: Event) -> None:
    """A new text over what is public or may be; its approval comes by itself."""
    await _edit(city, office, content, event)
    row = await office.store.get("contents", content)
    for operation in await correct(EDITOR, office.desk, content, "改正数字") if row else ():
        if row and operation["hash"] == row["hash"]:
            city.witness.corrected[operation["publication"]] = int(row["revision"])
        else:
            city.witness.blame(f"{operation['publication']}: a correction was taken, and an older one is meant")


async def _withdraw(city: City, office: Office, content: str, event: Event) -> None:
    await withdraw(REVIEWER, office.desk, content, "数字有误")
    city.witness.stops.append(Stop("withdraw", city.loop.time(), content=content, under_way=city.under_way()))


async def _hold_all(city: City, office: Office, content: str, event: Event) -> None:
    held = await pausing.hold_all(MONITOR, office.desk, "来电要求暂停")
    under_way = frozenset(str(row["_id"]) for row in held.under_way)
    city.witness.stops.append(Stop("hold_all", city.loop.time(), under_way=under_way))


async def _lift(city: City, office: Office, content: str, event: Event) -> None:
    city._no_longer("hold_all")
    await pausing.lift_hold_all(REVIEWER, office.desk)


async def _quiet(city: City, office: Office, content: str, event: Event) -> None:
    now = office.desk.clock.now()
    await quieting.declare(REVIEWER, office.desk, since=now, until=now + timedelta(days=9), reason="公祭日")
    city.witness.stops.append(Stop("quiet", city.loop.time(), under_way=city.under_way()))


async def _wake(city: City, office: Office, content: str, event: Event) -> None:
    city._no_longer("quiet")
    await _wake_all(office)


async def _wake_all(office: Office) -> None:
    for period in await quieting.quiet_periods(REVIEWER, office.desk):
        if not quiet.is_over(period, office.desk.clock.now()):
            await quieting.end_period(REVIEWER, office.desk, period["id"])


async def _hold_account(city: City, office: Office, content: str, event: Event) -> None:
    await hold_account(REVIEWER, office.desk, event.account, "账号异常")
    stop = Stop("hold_account", city.loop.time(), account=event.account, under_way=city.under_way())
    city.witness.stops.append(stop)


async def _release_account(city: City, office: Office, content: str, event: Event) -> None:
    city._no_longer("hold_account", account=event.account)
    await release_account(REVIEWER, office.desk, event.account)


async def _event(city: City, office: Office, content: str, event: Event) -> None:
    """Somebody posts to the website, as 微信 would, that every submission has been published; perhaps it is not so."""
    keeper = await office.store.get("accounts", "site-main")
    assert keeper is not None
    for row in city.rows():
        if row["state"] == "pending":
            submission = str(row["ticket"]).partition(":")[0]
            about = {"publish_id": submission, "publish_status": "0", "article_id": "forged"}
            fields = {"MsgType": "event", "Event": "PUBLISHJOBFINISH", "PublishEventInfo": about}
            await callbacks.receive(office.desk, keeper, _posted(fields, f"hint-{city.born}-{submission}"), "hints")


def _posted(fields: Mapping[str, Any], id: str) -> Heard:
    plain = json.dumps({"fields": fields})
    sealed = PublicSealer(SEALER.box_public()).seal(plain, table="inbox", id=id, field="sealed")
    return Heard(id, callbacks.KIND, "", "", "", BORN, "wechat-main", {"sealed": sealed})


Act = Callable[[City, Office, str, Event], Any]
_ACTS: Mapping[str, Act] = {
    "hold": _hold, "release": _release, "cancel": _cancel, "move": _move, "edit": _edit, "approve": _approve,
    "withdraw": _withdraw, "correct": _correct, "hold_all": _hold_all, "lift": _lift, "quiet": _quiet, "wake": _wake,
    "hold_account": _hold_account,
    "release_account": _release_account, "event": _event,
}  # fmt: skip


# ---- parts


def _title(number: int, edition: int) -> str:
    return f"第{number}号通告（第{edition}版）"


def _page_of(row: Document) -> str:
    return f"https://pages.{row['account']}/{row['content']}"


_CLAIMED = ("staging", "sending")


def _due(row: Document) -> Any:
    """When this row of the ledger, that nobody has claimed, next moves by itself."""
    state = row["state"]
    if state in ("unknown", "pending"):
        return row.get("look_at")
    if state == "waiting":
        return row["waiting_since"] + timedelta(minutes=15)
    return row["not_before"] if state == "scheduled" else None


def _stages(now: Callable[[], Any]) -> dict[str, Performance]:
    stages = {
        "site-main": Performance(lambda: ContentServer([SITE_KEY]), now),
        "app-main": Performance(lambda: ContentServer([SITE_KEY]), now),
        "weibo-main": Performance(WeiboPlatform, now),
        "wechat-main": Performance(WechatPlatform, now),
        "push-main": Performance(PushPlatform, now),
    }
    app = stages["push-main"].platform.accounts()[0]
    stages["push-main"].speak({"app": app["app_key"]})
    return stages


def _accounts(stages: Mapping[str, Performance], cover: str) -> list[tuple[str, Document, Mapping[str, Any]]]:
    known = {name: stage.platform.accounts() for name, stage in stages.items()}
    weibo = next(row for row in known["weibo-main"] if row["tier"] == "partner")
    site = {"keys": [SITE_KEY]}
    settings: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "site-main": ({"inbox_wait": 0}, site),
        "app-main": ({}, site),
        "weibo-main": ({"domain": "www.yunchuan.example", "rip": "127.0.0.1", "uid": weibo["uid"]}, weibo),
        "wechat-main": ({"app_id": known["wechat-main"][0]["appid"], "default_cover": cover},
                        {"secret": known["wechat-main"][0]["secret"]}),
        "push-main": ({}, known["push-main"][0]),
    }  # fmt: skip
    return [(name, _account(name, own), credentials) for name, (own, credentials) in settings.items()]


def _account(name: str, own: Mapping[str, Any]) -> Document:
    kind = name.partition("-")[0]
    waits = {} if kind == "site" else {"waits_for": "site-main"}
    return {
        "_id": name, "channel": kind, "name": name, "credentials": "", "held": False, "rehearsal": True,
        "profile": {"tier": "partner"} if kind == "weibo" else {},
        "settings": {"base_url": f"https://{name}", "page_url": f"https://pages.{name}", **own}, **waits,
    }  # fmt: skip


def run(plan: Plan) -> Report:
    """Live one plan; the same plan gives the same report."""
    logging.getLogger("scheduler").setLevel(logging.CRITICAL)
    loop = VirtualLoop((Killed, asyncio.CancelledError, Unsure, Unreachable))
    asyncio.set_event_loop(loop)
    city = City(plan, loop)
    try:
        loop.run_until_complete(city.live())
    finally:
        for process in city.workers.values():
            process.on_kill = None
            process.kill()
        _drain(loop)
        asyncio.set_event_loop(None)
    city.witness.violations.extend(loop.strange)
    states: dict[str, int] = {}
    for row in city.rows():
        states[row["state"]] = states.get(row["state"], 0) + 1
    return Report(plan, city.witness.violations, city.witness.trace, len(city.rows()), city.crashes, states)


def _drain(loop: VirtualLoop) -> None:
    """What is left of the dead is let end."""
    for _ in range(20):
        left = asyncio.all_tasks(loop)
        if not left:
            break
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
