"""微博 as a Channel: which calls in which order, and which outcome each answer means; the protocol is in wire.py.

The platform knows no key of ours and shows only the newest few posts, so a lost answer stays 结果不明 until the post is
seen or a person says what became of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels import pictures
from channels.contract import (
    Accepted,
    Capabilities,
    Fault,
    Found,
    Health,
    Heard,
    Json,
    Missed,
    Outcome,
    Page,
    Pending,
    PictureBytes,
    Prepared,
    Probed,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from channels.exchange import Answer, MaybeSent, NotSent, Request, Transport
from channels.metering import unsent
from channels.weibo import codes, listening, wire
from channels.weibo.codes import Again
from channels.weibo.preparing import prepare
from channels.weibo.profile import Profile, capabilities, profile_of

_SOON = timedelta(minutes=1)
_LOOK_AGAIN = timedelta(minutes=2)
_FIND, _CHECK = "reconciliation_day", "checks_day"  # whose calls a look is
_SHOWN = 24  # signs of the newest post that are shown as evidence
_PICTURES_KEPT = 4  # an account's posts go out one at a time
_WARN = timedelta(days=7)  # before a token's end: a person must authorise anew, and people have weekends
_BY_HAND = Refused("manual", "微博没有开放删除和修改的接口：请登录微博手工处理，再在待办里填写结果", Who.EDITOR)


@dataclass(repr=False)
class Weibo:
    """One 微博 account. Holds the token, so it has no `repr` of its fields."""

    protocol: wire.Wire
    transport: Transport
    now: Callable[[], datetime]
    profile: Profile
    domain: str
    page: str
    uid: str
    capabilities: Capabilities
    kept: dict[str, bytes] = field(default_factory=dict)  # pictures between stage and publish, by content address

    def prepare(self, variant: Variant) -> Prepared:
        return prepare(variant, self.profile, self.domain)

    async def preflight(self) -> Health:
        """Asks for the token's remaining life; this address is not among the counted ones."""
        said = await self._ask(self.protocol.token_info())
        if isinstance(said, Unknown):
            return Health("unreachable", said.reason)
        if isinstance(said, Refused):
            expired = said.code.isdigit() and int(said.code) in codes.TOKEN_CODES
            return Health("expired" if expired else "unreachable", said.reason)
        left = said.get("expire_in", said.get("expires_in"))
        if not str(left).isdigit():
            return Health("unreachable", "微博没有说明授权的有效期")
        if self.uid and str(said.get("uid") or self.uid) != self.uid:
            return Health("not_connected", "这个授权是另一个微博账号的，请用本账号重新授权")
        until = self.now() + timedelta(seconds=int(str(left)))
        if until <= self.now():
            return Health("expired", "授权已过期，请重新授权", until)
        if until - self.now() < _WARN:
            return Health("expiring", "授权即将到期，请尽快重新授权", until)
        return Health("ok", "连接正常", until)

    async def probe(self) -> Sequence[Probed]:
        """Reading comments is the one right that can be asked for; of the domain 微博 speaks only when something is
        posted."""
        health = await self.preflight()
        found = [Probed("授权", _fits(health), health.reason)]
        domain = f"正文须带 {self.domain} 之下的链接；是否已在微博备案，要到发第一条时才知道"
        found.append(Probed("链接域名", None, domain))
        if health.state in ("ok", "expiring"):
            found.append(_probed("读评论", await self._ask(self.protocol.comments_to_me("", "", 1))))
        return found

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        """微博 takes the picture with the post itself, so nothing is uploaded: the bytes are fetched and kept."""
        named = str(prepared.body.get("picture") or "")
        if named:
            self.kept[named] = self.kept.pop(named, b"") or await pictures(named)
            for oldest in list(self.kept)[:-_PICTURES_KEPT]:
                del self.kept[oldest]  # of posts that were refused or lost: they are staged again if they go out
        return Staged(prepared, {"picture": named})

    async def publish(self, staged: Staged, key: str) -> Outcome:
        body = staged.prepared.body
        named = str(body.get("picture") or "")
        if not body.get("link"):
            return Refused("no_link", "还没有网站上的地址，微博要求正文带本单位的链接", Who.NOBODY, _LOOK_AGAIN)
        if named and named not in self.kept:
            return Refused("picture_gone", "图片需要重新准备", Who.NOBODY, timedelta())
        began = self.now()
        request = self.protocol.share(str(body["text"]), self.kept.get(named), str(body.get("picture_type") or ""))
        result = await self.transport.send(request)
        outcome = self._shared(result, staged, began)
        if outcome is None:
            return await self._look_for_repeated(staged, began)
        if isinstance(outcome, Accepted):
            self.kept.pop(named, None)
            return await self._read_back(outcome)
        return outcome

    def _shared(self, result: Answer | NotSent | MaybeSent, staged: Staged, began: datetime) -> Outcome | None:
        """The outcome of the one public call; None when the platform says that it may be there already."""
        if isinstance(result, NotSent):
            return unsent(result, _SOON)
        if isinstance(result, MaybeSent):
            return Unknown(result.reason)
        said = wire.read(result)
        if said.body is not None:
            post = wire.status(said.body)
            return self._accepted(post) if post else Unknown("微博的答复缺少编号", {"status": str(result.status)})
        code = codes.CODES.get(said.code or 0)
        if code is None:
            return Unknown("微博的答复看不懂", {"status": str(said.status), "code": str(said.code)})
        if code.again is Again.DONE:
            return Pending(_ticket(staged, began), "audit", code.after or _LOOK_AGAIN, code.reason)
        if code.again is Again.LOOK:
            return None
        if not code.sure:
            return Unknown(code.reason, {"code": str(code.number)})
        shown = staged.prepared.pictures
        about = code.number in codes.PICTURE_CODES and shown
        return pictures.refused_for(codes.refused(code), 0, shown[0]) if about else codes.refused(code)

    def _accepted(self, post: wire.Status) -> Accepted:
        return Accepted(post.id, wire.address(self.page, post.uid or self.uid, post.id), post.at)

    async def _look_for_repeated(self, staged: Staged, began: datetime) -> Outcome:
        """微博 says the text is there already. Only a post made since this call began is this publication's own."""
        since = began - timedelta(seconds=self.profile.skew_seconds)
        found = await self._search(_mark(staged.prepared), since, _FIND)
        if isinstance(found, wire.Status):
            return self._accepted(found)
        return Unknown("微博说内容重复，但没有找到这一次发出的微博，请到微博上核对", {"code": "repeated"})

    async def _read_back(self, accepted: Accepted) -> Outcome:
        """An accepted post may still be kept from view: it is read once, from the budget held for that."""
        if not self.profile.readbacks_day:
            return accepted
        said = await self._ask(self.protocol.show(accepted.external_id, "readbacks_day"))
        if isinstance(said, Refused) and said.code == "20101":
            return Pending("id:" + accepted.external_id, "audit", _LOOK_AGAIN, "微博已收下，暂时还看不到")
        return accepted

    async def check(self, ticket: str) -> Outcome:
        """Looks whether a post that was taken can be seen by now; while it cannot, the verdict is still awaited."""
        kind, _, rest = ticket.partition(":")
        if kind == "id":
            said = await self._ask(self.protocol.show(rest, _CHECK))
            post = None if isinstance(said, Refused | Unknown) else wire.status(said)
            return self._accepted(post) if post else _still(ticket, said)
        mark, _, since = rest.partition(":")
        found = await self._search(mark, datetime.fromisoformat(since), _CHECK)
        return self._accepted(found) if isinstance(found, wire.Status) else _still(ticket, found)

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Missed | Unknown | None:
        earliest = since - timedelta(seconds=self.profile.skew_seconds)
        found = await self._search(_mark(staged.prepared), earliest, _FIND)
        if not isinstance(found, wire.Status):
            return found
        accepted = self._accepted(found)
        return Found(accepted.external_id, accepted.url, accepted.at)

    async def _search(self, mark: str, since: datetime, budget: str) -> wire.Status | Missed | Unknown:
        """Our post with this text since then; Unknown when it cannot be told."""
        said = await self._ask(self.protocol.timeline(self.profile.timeline, budget))
        if isinstance(said, Refused | Unknown):
            again = said.retry_after if isinstance(said, Refused) and said.spent else None
            return Unknown("现在查不到账号的微博：" + said.reason, retry_after=again)
        rows = wire.statuses(said)
        if rows is None:
            return Unknown("微博的答复里没有微博列表")
        recent = [row for row in rows if row.at >= since.replace(microsecond=0)]
        same = [row for row in recent if _digest(wire.essence(row.text)) == mark]
        if len(same) == 1:
            return same[0]
        if same:
            return Unknown("账号上有不止一条相同的微博，请到微博上核对")
        newest = max(rows, key=lambda row: row.at, default=None)
        there = Missed(newest.text[:_SHOWN], newest.at) if newest else Missed()
        if len(rows) >= self.profile.timeline and len(recent) == len(rows):
            return Unknown("微博只给出最近几条，这段时间的微博没有看全", there=there)
        return there

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        return _BY_HAND

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        return _BY_HAND

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        """Comments on our posts, newest sweep first; without a call while the day's budget says wait."""
        now = self.now()
        place = listening.Place.read(cursor)
        if not place.may_ask(self.profile, now):
            return Page((), cursor, False)
        size = self.profile.comments_page
        said = await self._ask(self.protocol.comments_to_me(place.since, place.top, size))
        if isinstance(said, Refused | Unknown):
            return said
        rows = wire.comment_rows(said)
        if rows is None:
            return Unknown("微博的答复里没有评论列表")
        fresh = [self._heard(row, now) for row in rows if wire.comment_id(row) not in place.recent]
        after = place.advanced([wire.comment_id(row) for row in rows], size, self.profile, now, bool(ids))
        others = [one for one in fresh if not self.uid or one.author_id != self.uid]
        return Page(others, after.write(), bool(after.top))

    def _heard(self, row: Json, now: datetime) -> Heard:
        return wire.heard(row, now)

    async def answer(self, to: Json, text: str, key: str) -> Outcome:
        """回复评论 under our own post."""
        if wire.count(text, self.profile.link_halves) > self.profile.text:
            return codes.refused(codes.CODES[20012])
        origin = wire.heard(to, self.now())
        if not origin.in_reply_to:
            return Refused("no_post", "这条评论没有对应的微博，无法回复", Who.EDITOR)
        result = await self.transport.send(self.protocol.reply(origin.in_reply_to, origin.external_id, text))
        if isinstance(result, NotSent):
            return unsent(result, _SOON)
        if isinstance(result, MaybeSent):
            return Unknown(result.reason)
        return self._answered(wire.read(result))

    @staticmethod
    def _answered(said: wire.Said) -> Outcome:
        if said.body is not None:
            id = wire.comment_id(said.body)
            return Accepted(id) if id else Unknown("微博的答复缺少编号")
        code = codes.CODES.get(said.code or 0)
        if code is None or not code.sure:
            return Unknown("微博没有说明回复是否成功", {"status": str(said.status), "code": str(said.code)})
        return codes.refused(code)

    async def _ask(self, request: Request) -> Mapping[str, Any] | Fault:
        """A call that makes nothing public: its body, or why there is none."""
        result = await self.transport.send(request)
        if isinstance(result, NotSent):
            return unsent(result, _SOON)
        if isinstance(result, MaybeSent):
            return Unknown(result.reason)
        said = wire.read(result)
        if said.body is not None:
            return said.body
        if said.code is None:
            return Unknown("微博的答复看不懂", {"status": str(said.status)})
        code = codes.CODES.get(said.code)
        return codes.refused(code) if code else codes.unlisted(said.code)


def _fits(health: Health) -> bool | None:
    return None if health.state == "unreachable" else health.state in ("ok", "expiring")


def _probed(name: str, said: Mapping[str, Any] | Fault) -> Probed:
    if isinstance(said, Unknown) or (isinstance(said, Refused) and said.who is Who.NOBODY):
        return Probed(name, None, f"现在问不到：{said.reason}")
    return Probed(name, False, said.reason) if isinstance(said, Refused) else Probed(name, True, "可以使用")


def _still(ticket: str, said: object) -> Pending:
    """The verdict is still awaited; where no look was left, until there is one again."""
    again = said.retry_after if isinstance(said, Refused | Unknown) else None
    spent = isinstance(said, Unknown) or (isinstance(said, Refused) and bool(said.spent))
    if again is not None and spent:
        return Pending(ticket, "audit", again, "微博已收下；查结果的次数今天已用完，次日再查")
    return Pending(ticket, "audit", _LOOK_AGAIN, "微博已收下，暂时还看不到")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _mark(prepared: Prepared) -> str:
    """What a post of this text looks like in a list, as a hash."""
    return _digest(wire.essence(str(prepared.body["text"])))


def _ticket(staged: Staged, began: datetime) -> str:
    since = began - timedelta(seconds=30)
    return f"text:{_mark(staged.prepared)}:{since.isoformat()}"


def connect(
    account: Mapping[str, Any], credentials: Mapping[str, Any], transport: Transport, now: Callable[[], datetime]
) -> Weibo:
    """The channel of one account.

    settings: base_url, page_url?, domain (approved, without scheme), rip (the office's outgoing address), uid?;
    profile: tier and figures; credentials: access_token, uid?. ValueError (Chinese) when something is missing.
    """
    settings = account.get("settings") or {}
    missing = [name for name in ("domain", "rip") if not settings.get(name)]
    missing += [name for name in ("access_token",) if not credentials.get(name)]
    if missing:
        raise ValueError("微博账号缺少设置：" + "、".join(missing))
    base = str(settings.get("base_url") or "https://api.weibo.com").rstrip("/")
    profile = profile_of(account.get("profile") or {})
    return Weibo(
        protocol=wire.Wire(base, str(credentials["access_token"]), str(settings["rip"])),
        transport=transport,
        now=now,
        profile=profile,
        domain=str(settings["domain"]),
        page=str(settings.get("page_url") or "https://weibo.com").rstrip("/"),
        uid=str(settings.get("uid") or credentials.get("uid") or ""),
        capabilities=capabilities(profile),
    )
