"""A small office and a small platform for the publishing tests: real objects with faults on order, nothing patched."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.contract import (
    Accepted,
    Capabilities,
    Found,
    Health,
    Limit,
    Outcome,
    Page,
    Pending,
    PictureBytes,
    Prepared,
    Problem,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from channels.pictures import problems as picture_problems
from channels.pictures import refused_for
from hub.clock import SetClock
from hub.desk.desk import Desk
from hub.domain.content import Draft, check_draft, package_hash, revise
from hub.domain.people import Actor, Role, program
from hub.domain.policy import POLICIES
from hub.failpoints import Failpoints
from hub.identifiers import SeededIdentifiers
from hub.sealing import Sealer
from hub.store.base import Document, Store
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore

MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DISPATCHER, SETTLER, CARETAKER = program("dispatcher"), program("settler"), program("caretaker")
EDITOR = Actor("u-editor", "编辑甲", frozenset({Role.EDITOR}))
REVIEWER = Actor("u-reviewer", "审核乙", frozenset({Role.REVIEWER}))
MONITOR = Actor("u-monitor", "值班丙", frozenset({Role.MONITOR}))
SYSADMIN = Actor("u-sys", "管理丁", frozenset({Role.SYSADMIN}))


@dataclass
class Post:
    """One thing that truly became public."""

    id: str
    key: str
    fingerprint: str
    at: datetime
    text: str = ""
    withdrawn: bool = False
    corrected: list[str] = field(default_factory=list)


@dataclass
class Platform:
    """What one account's platform knows, and the faults it was ordered to have, one word a call."""

    clock: SetClock
    posts: list[Post] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pending: dict[str, str] = field(default_factory=dict)
    health: Health = field(default_factory=lambda: Health("ok", ""))
    visible_after: timedelta = timedelta(0)
    before_work: Callable[[], Awaitable[None]] | None = None
    gate: asyncio.Event | None = None

    def now(self) -> datetime:
        """The platform's own time: it does not jump when the office's clock does."""
        return MORNING + timedelta(seconds=self.clock.monotonic())

    def fault(self) -> str:
        return self.faults.pop(0) if self.faults else ""

    def make(self, staged: Staged, key: str, honours_key: bool) -> Post:
        if honours_key and (known := [post for post in self.posts if post.key == key]):
            return known[0]
        number = f"p{len(self.posts) + 1}"
        text = str(staged.prepared.body["text"])
        post = Post(number, key, staged.prepared.fingerprint, self.now(), text)
        self.posts.append(post)
        return post


@dataclass
class PlainChannel:
    """A Channel over one Platform."""

    platform: Platform
    capabilities: Capabilities
    base: str

    def prepare(self, variant: Variant) -> Prepared:
        text = f"{variant.title}\n{variant.link or ''}\n{(variant.override or {}).get('text', '')}"
        problems = (
            [Problem("length", "block", "标题太长，请缩短到 40 字以内", "title")] if len(variant.title) > 40 else []
        )
        problems = [*problems, *picture_problems(variant.pictures, self.capabilities, "plain")]
        fingerprint = hashlib.sha256(f"{text}{variant.revision}".encode()).hexdigest()
        article = {"title": variant.title, "digest": variant.digest, "author": "", "cover": "", "source_url": ""}
        return Prepared({"text": text, "html": "", **article}, {}, problems, fingerprint, tuple(variant.pictures))

    async def preflight(self) -> Health:
        return self.platform.health

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        self.platform.calls.append("stage")
        for picture in prepared.pictures:
            await pictures(picture.sha256)
        fault = (
            self.platform.fault() if self.platform.faults[:1] and self.platform.faults[0].startswith("stage") else ""
        )
        if fault == "stage_lost":
            return Unknown("上传中断")
        if fault == "stage_refused":
            return Refused("picture", "第 2 张图片太大，请压缩到 5 MB 以内", Who.EDITOR, part="图片 2")
        if fault == "stage_picture":
            place, largest = max(enumerate(prepared.pictures), key=lambda pair: pair[1].size)
            return refused_for(Refused("too_large", "图片太大", Who.EDITOR), place, largest)
        return Staged(prepared, {"draft": key})

    async def publish(self, staged: Staged, key: str) -> Outcome:
        self.platform.calls.append("publish")
        if self.platform.before_work is not None:
            await self.platform.before_work()
        if self.platform.gate is not None:
            await self.platform.gate.wait()
        fault = self.platform.fault()
        refusals = {
            "busy": Refused("busy", "平台繁忙", Who.NOBODY, retry_after=timedelta(seconds=30)),
            "not_sent": Refused("not_sent", "连不上平台", Who.NOBODY, retry_after=timedelta(seconds=5)),
            "word": Refused("word", "含有平台不允许的词", Who.EDITOR),
            "token": Refused("token", "授权已失效，请重新授权", Who.ADMINISTRATOR),
        }
        if fault in refusals:
            return refusals[fault]
        if fault == "drop_before":
            return Unknown("没有收到回答")
        if fault == "raise_before":
            raise RuntimeError("bug before the work")
        if fault == "pending":
            self.platform.pending[key] = "audit"
            return Pending(key, "audit", timedelta(seconds=10))
        post = self.platform.make(staged, key, self.capabilities.honours_key)
        if fault == "drop_after":
            return Unknown("没有收到回答")
        if fault == "raise_after":
            raise RuntimeError("bug after the work")
        return Accepted(post.id, f"{self.base}/{post.id}", post.at)

    async def check(self, ticket: str) -> Outcome:
        self.platform.calls.append("check")
        verdict = self.platform.pending.get(ticket, "")
        if verdict == "audit":
            return Pending(ticket, "audit", timedelta(seconds=10))
        if verdict == "refused":
            return Refused("audit", "审核未通过", Who.EDITOR)
        return Accepted(verdict, f"{self.base}/{verdict}", self.platform.clock.now())

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        self.platform.calls.append("find")
        if self.platform.faults[:1] == ["blind"]:
            self.platform.fault()
            return Unknown("查询失败")
        visible = self.platform.now() - self.platform.visible_after
        for post in self.platform.posts:
            same = post.key == key or post.fingerprint == staged.prepared.fingerprint
            if same and not post.withdrawn and since <= post.at <= visible:
                return Found(post.id, f"{self.base}/{post.id}", post.at)
        return None

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        self.platform.calls.append("withdraw")
        fault = self.platform.fault()
        if fault == "drop_before":
            return Unknown("没有收到回答")
        for post in self.platform.posts:
            if post.id == external_id:
                post.withdrawn = True
        return Unknown("没有收到回答") if fault == "drop_after" else Accepted(external_id)

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        self.platform.calls.append("correct")
        for post in self.platform.posts:
            if post.id == external_id:
                post.corrected.append(note)
                post.text = str(staged.prepared.body["text"])
        return Accepted(external_id)

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        return Page([], cursor, False)

    async def answer(self, to: Mapping[str, Any], text: str, key: str) -> Outcome:
        return Refused("no_answers", "这个平台不能回复", Who.NOBODY)


class DefaultPolicies:
    """Every policy at its default, but for the ones given."""

    def __init__(self, **changed: Any) -> None:
        self._changed = changed

    async def value(self, name: str) -> Any:
        return self._changed.get(name, POLICIES[name].default)


SITE = Capabilities(
    "site", "网站", "网", {}, "at_once", "trusted", True, True, True, "poll", False, settling=timedelta(seconds=30)
)
TRUSTED = Capabilities("trusted", "可查平台", "信", {}, "at_once", "trusted", False, True, True, "none", False)
WEIBO = Capabilities("weibo", "微博", "微", {}, "at_once", "hint", False, False, False, "poll", True, needs_link=True)
WECHAT = Capabilities("wechat", "微信", "微", {}, "later", "trusted", False, True, False, "poll", True)
KINDS = {"site": SITE, "trusted": TRUSTED, "weibo": WEIBO, "wechat": WECHAT}


class WrappedStore:
    """Another store seen through this one; a test overrides what is to happen differently."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@dataclass
class Office:
    """A desk over a store in memory, its clock, and the platforms behind its accounts."""

    desk: Desk
    clock: SetClock
    store: Store
    platforms: dict[str, Platform]

    def worker(self, owner: str, *, store: Any = None, clock: SetClock | None = None, failpoint: str = "") -> Desk:
        """Another process of the same office: own name, own failpoints, perhaps a store that fails or another clock."""
        used = clock or self.desk.clock
        return replace(
            self.desk, owner=owner, store=store or self.desk.store, clock=used, failpoints=Failpoints(failpoint),
            watched={}, lost={}, hastened={},
        )  # fmt: skip

    async def account(self, key: str, kind: str, **more: Any) -> Document:
        self.platforms[key] = Platform(self.clock)
        row = {
            "_id": key,
            "channel": kind,
            "name": key,
            "settings": {"domain": f"{key}.example", "page_url": f"https://{key}.example"},
            "credentials": "",
            "profile": {},
            "held": False,
            "rehearsal": True,
            **more,
        }
        await self.store.insert("accounts", row)
        return row

    async def write(
        self,
        content: str,
        title: str,
        *,
        number: int = 1,
        approved: bool = True,
        by: str = "u-editor",
        picture: str = "",
    ) -> str:
        """A content at this revision, approved or under review; its package hash."""
        shown = [{"kind": "img", "media": picture, "alt": "图"}] if picture else []
        draft = check_draft(
            Draft(
                "news",
                "yaowen",
                title,
                "",
                [{"kind": "p", "runs": [{"text": f"{title}。"}]}, *shown],
                (),
                {"source": "云川市新闻办"},
            )
        )
        revision = revise(content, number, draft, by=by, at=self.clock.now())
        await self.store.insert("revisions", revision)
        package = package_hash(revision["hash"], {}, [picture] if picture else [])
        fields = {
            "state": "approved" if approved else "in_review", "revision": number, "hash": package, "title": title,
            "author": by, "kind": "news", "column": "yaowen", "variants": {},
            **({"approved_hash": package} if approved else {}),
        }  # fmt: skip
        await self.store.change("contents", {"_id": content}, {"$set": fields}, upsert=True)
        return package

    async def approve(self, content: str) -> None:
        row = await self.store.get("contents", content)
        assert row is not None
        await self.store.change(
            "contents", {"_id": content}, {"$set": {"state": "approved", "approved_hash": row["hash"]}}
        )

    async def states(self) -> dict[str, str]:
        rows = await self.store.find("publications", {}, limit=200, fields=("account", "state"))
        return {row["account"]: row["state"] for row in rows}


def make_office(*, seed: int = 1, store: Store | None = None, clock: SetClock | None = None, **policies: Any) -> Office:
    """An office at nine in the morning of a Tuesday."""
    clock = clock or SetClock(MORNING)
    store = store or MemoryStore()
    platforms: dict[str, Platform] = {}

    def connect(account: Document) -> PlainChannel:
        settings = account.get("settings", {})
        base = settings.get("page_url") or f"https://{settings.get('domain', 'nowhere.example')}"
        platform = platforms.setdefault(str(account["_id"]), Platform(clock))
        able = KINDS[str(account["channel"])]
        figures = (account.get("profile") or {}).items()
        limits = {name: Limit(int(value), "", "", "") for name, value in figures}
        return PlainChannel(platform, replace(able, limits={**able.limits, **limits}), base)

    async def read(texts: Sequence[Mapping[str, Any]]) -> list[Any]:
        return [None for _ in texts]

    desk = Desk(
        store=store,
        files=FilesInMemory(),
        clock=clock,
        ids=SeededIdentifiers(clock, seed),
        sealer=Sealer(bytes(range(32))),
        connect=connect,
        read=read,
        policies=DefaultPolicies(**policies),
        owner="worker-1",
    )
    return Office(desk, clock, store, platforms)
