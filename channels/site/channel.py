"""网站 as a Channel over the content API: which calls in which order, and which outcome each answer means.

An item has one place per content, so a repeated publication changes nothing; a look-up by GET can be trusted, because
the site answers from what is durable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from channels.contract import (
    Accepted,
    Capabilities,
    Fault,
    Found,
    Health,
    Json,
    Limit,
    Outcome,
    Page,
    Picture,
    PictureBytes,
    Prepared,
    Problem,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from channels.exchange import Answer, NotSent, Transport
from channels.pictures import problems as picture_problems
from channels.pictures import refused_for
from channels.site import wire

_SOON = timedelta(minutes=1)
_SKEW = timedelta(seconds=60)
_AGREED, _AGREED_ON = "docs/channels/site.md", "2026-11-24"
_REASONS: Mapping[str, tuple[str, Who]] = {
    "bad_signature": ("网站不认可签名：请检查两边的密钥和时钟", Who.ADMINISTRATOR),
    "older_version": ("网站上已有更新的版本，这一版不再发布", Who.EDITOR),
    "other_body": ("网站上同一版本的内容不同，请另存新版本后再发", Who.EDITOR),
    "withdrawn": ("这篇稿件已在网站撤下，请另存新版本后再发", Who.EDITOR),
    "key_reused": ("同一次发布的内容前后不一致，请联系管理员", Who.ADMINISTRATOR),
    "too_large": ("内容太大，请压缩图片或附件", Who.EDITOR),
    "not_found": ("网站上没有这篇稿件", Who.EDITOR),
    "too_many": ("网站请稍后再试", Who.NOBODY),
    "in_use": ("栏目里还有公开的稿件，不能删除", Who.EDITOR),
}

_PICTURE_CODES = frozenset({"too_large", "invalid"})  # said of a picture's own upload

CAPABILITIES = Capabilities(
    kind="site",
    name="网站",
    sign="网",
    limits={
        "title": Limit(120, "字", _AGREED, _AGREED_ON),
        "digest": Limit(500, "字", _AGREED, _AGREED_ON),
        "picture_bytes": Limit(10 << 20, "字节", _AGREED, _AGREED_ON),
        "note": Limit(200, "字（更正、撤稿说明）", _AGREED, _AGREED_ON),
    },
    confirms="at_once",
    lookup="trusted",
    honours_key=True,
    can_withdraw=True,
    can_correct=True,
    listens="poll",
    answers=True,
    settling=timedelta(seconds=10),
    picture_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
)


Counts = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Form:
    """What a variant becomes on a site: the kind of item, its body, the files that go along, what would be refused."""

    kind: str
    body: Callable[[Variant], dict[str, Any]]
    pictures: Callable[[Variant], Sequence[Picture]]
    files: Callable[[Variant], Mapping[str, str]]  # sha256 to name
    problems: Callable[[Json, Variant, Counts], list[Problem]]
    shown: Callable[[Json], Mapping[str, Any]] = lambda body: {}  # words of their own, for editors and reviewers


@dataclass(repr=False)
class Site:
    """One public site. Holds its keys, so it has no `repr` of its fields."""

    protocol: wire.Wire
    transport: Transport
    now: Callable[[], datetime]
    form: Form
    capabilities: Capabilities = CAPABILITIES
    wait: int = 0  # seconds the site may hold an inbox request
    acked: str = ""
    _sent: Callable[[], int] = field(default_factory=lambda: count().__next__)

    async def _exchange(self, method: str, path: str, value: Any = None, seconds: float = 20.0) -> wire.Said | Fault:
        """One signed exchange: what the site said, a certain refusal, or 结果不明."""
        request = self.protocol.signed(method, path, self.now(), self._sent(), value, seconds)
        result = await self.transport.send(request)
        if isinstance(result, NotSent):
            return Refused("not_sent", result.reason, Who.NOBODY, _SOON)
        if not isinstance(result, Answer):
            return Unknown(result.reason)
        said = self.protocol.read(request, result, self.now())
        if said.done:
            return said
        return _refusal(said) if said.sure else Unknown("网站的答复不能确认", {"status": str(said.status)})

    def prepare(self, variant: Variant) -> Prepared:
        body, limits = self.form.body(variant), self.capabilities.limits
        counts = {name: (len(body[name]), limits[name].value) for name in ("title", "digest")}
        mark = hashlib.sha256(wire.canonical(body)).hexdigest()
        files = dict(self.form.files(variant))
        request = {"id": variant.content_id, "version": variant.revision, "body": body, "files": files}
        request |= self.form.shown(body)
        shown = tuple(self.form.pictures(variant))
        problems = [
            *self.form.problems(body, variant, counts),
            *picture_problems(shown, self.capabilities, self.capabilities.kind, strictly=False),
        ]
        return Prepared(request, counts, problems, mark, shown)

    async def preflight(self) -> Health:
        said = await self._exchange("GET", "/status")
        if isinstance(said, Refused):
            state = "not_connected" if said.code == "bad_signature" else "unreachable"
            return Health(state, said.reason)
        if isinstance(said, Unknown):
            return Health("unreachable", said.reason)
        at = wire.moment(said.body.get("at"))
        if at is None or abs(at - self.now()) > _SKEW:
            return Health("unreachable", "网站的时钟与本机相差太多，请校时")
        return Health("ok", "连接正常")

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        """Puts up what is not there yet; the site serves no file that no public item names."""
        for place, picture in enumerate(prepared.pictures):
            fault = await self._upload(picture.sha256, pictures, picture)
            if isinstance(fault, Refused) and fault.code in _PICTURE_CODES:
                return refused_for(fault, place, picture)
            if fault is not None:
                return fault
        for sha256, name in prepared.body["files"].items():
            fault = await self._upload(sha256, pictures, name)
            if fault is not None:
                return fault
        return Staged(
            prepared, {"files": [*(picture.sha256 for picture in prepared.pictures), *prepared.body["files"]]}
        )

    async def _upload(self, sha256: str, contents: PictureBytes, what: Picture | str) -> Fault | None:
        """One file to where it is served from, unless it is there; `what` is a picture, or a file's name."""
        path = wire.item_path("file", sha256)
        there = await self._exchange("GET", path)
        if isinstance(there, wire.Said):
            return None
        if not isinstance(there, Refused) or there.code != "not_found":
            return there
        content = await contents(sha256)
        if isinstance(what, Picture):
            body = wire.picture_body(what, content)
        elif kind := wire.file_type(content, what):
            body = wire.file_body(kind, what, content)
        else:
            return Refused(
                "file_type", "网站不接收这种附件，请换成 PDF、OFD、Word 或 Excel 文件", Who.EDITOR, part=what
            )
        done = await self._exchange("PUT", path, {"version": 1, "body": body}, seconds=60.0)
        return None if isinstance(done, wire.Said) else done

    async def publish(self, staged: Staged, key: str) -> Outcome:
        if self.capabilities.needs_link and not staged.prepared.body.get("link"):
            return Refused("no_link", "还没有网站上的地址，点开会没有内容", Who.NOBODY, _SOON)
        return await self._put(staged.prepared.body, key)

    async def _put(self, request: Json, key: str, note: str = "") -> Outcome:
        value = {"version": request["version"], "key": key, "body": request["body"]}
        if note:
            value["correction"] = {"note": note}
        said = await self._exchange("PUT", wire.item_path(self.form.kind, request["id"]), value)
        return _accepted(said) if isinstance(said, wire.Said) else said

    async def check(self, ticket: str) -> Outcome:
        """The site answers at once; there is nothing to wait for."""
        return Unknown("网站没有待定的发布")

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        request = staged.prepared.body
        item = await self._item(request["id"])
        if item is None or isinstance(item, Unknown):
            return item
        keys = item.body.get("keys")
        taken = [row.get("key") for row in keys if isinstance(row, dict)] if isinstance(keys, list) else []
        if key not in taken:
            return None
        return Found(str(request["id"]), _text(item.body.get("url")), wire.moment(item.body.get("published_at")))

    async def _item(self, id: str) -> wire.Said | Unknown | None:
        """The article as it stands, withdrawn ones too; None when it never was."""
        said = await self._exchange("GET", wire.item_path(self.form.kind, id))
        if isinstance(said, Refused):
            return None if said.code == "not_found" else Unknown("现在查不到网站上的稿件：" + said.reason)
        return said

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        """撤稿: the page stays as a notice. Names the version it saw, so that a newer one is not taken down unseen."""
        item = await self._item(external_id)
        if isinstance(item, Unknown):
            return Refused("not_looked", item.reason, Who.NOBODY, _SOON)
        if item is None:
            return _refused_as("not_found")
        version = item.body.get("version")
        if not isinstance(version, int):
            return Refused("not_looked", "网站的答复缺少版本号", Who.ADMINISTRATOR)
        path = wire.removal_path(self.form.kind, external_id, version, reason, key)
        said = await self._exchange("DELETE", path)
        return _accepted(said, "withdrawn_at") if isinstance(said, wire.Said) else said

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        """更正: the newer version with its note, which the site shows with its own time."""
        if staged.prepared.body["id"] != external_id:
            return Refused("other_article", "更正的内容不是这篇稿件的新版本", Who.EDITOR)
        return await self._put(staged.prepared.body, key, note)

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        """The inbox from the cursor on.

        Whoever comes with a cursor has stored the rows before it, so these are acknowledged first; where that fails it
        is done with the next poll, and the site keeps them until then. A form that does not listen leaves the inbox
        to the account that does.
        """
        if self.capabilities.listens == "none":
            return Page((), cursor, False)
        if cursor and cursor != self.acked:
            said_to_that = await self.ack(cursor)
            if isinstance(said_to_that, Accepted):
                self.acked = cursor
            elif isinstance(said_to_that, Refused) and said_to_that.code == "invalid":
                cursor = ""  # the site has never given so many rows: it began anew, and so do we
        seconds = self.wait + 15.0
        said = await self._exchange("GET", wire.inbox_path(cursor, self.wait, 100), seconds=seconds)
        if not isinstance(said, wire.Said):
            return said
        rows, after = said.body.get("rows"), said.body.get("cursor")
        if not isinstance(rows, list) or not isinstance(after, str):
            return Unknown("网站的答复缺少内容")
        found = (wire.heard(row, self.now()) for row in rows if isinstance(row, dict))
        devices = [row for row in rows if isinstance(row, dict) and wire.is_device(row)]
        return Page([one for one in found if one], after, bool(said.body.get("more")), devices)

    async def ack(self, cursor: str) -> Accepted | Refused | Unknown:
        """Everything up to the cursor is stored at the hub: the site may erase it."""
        said = await self._exchange("POST", "/inbox/ack", {"cursor": cursor})
        return Accepted(cursor) if isinstance(said, wire.Said) else said

    async def answer(self, to: Json, text: str, key: str) -> Outcome:
        """Put where the demand's query code leads; the item is named by the key, so it is there once."""
        demand = wire.demand_of(to)
        if not demand:
            return Refused("no_code", "这封来信没有查询码，网站上无处答复", Who.EDITOR)
        value = {"version": 1, "key": key, "body": {"demand": demand, "text": text}}
        said = await self._exchange("PUT", wire.item_path("answer", key), value)
        return _accepted(said) if isinstance(said, wire.Said) else said

    async def find_answer(self, to: Json, key: str) -> Found | Unknown | None:
        said = await self._exchange("GET", wire.item_path("answer", key))
        if isinstance(said, Refused):
            return None if said.code == "not_found" else Unknown("现在查不到网站上的答复：" + said.reason)
        if isinstance(said, Unknown):
            return said
        return Found(key, None, wire.moment(said.body.get("published_at")))

    async def put(self, kind: str, id: str, version: int, body: Json) -> Outcome:
        """Columns and other items that are no publication: the newest version wins, repeating changes nothing."""
        said = await self._exchange("PUT", wire.item_path(kind, id), {"version": version, "body": body})
        return _accepted(said) if isinstance(said, wire.Said) else said

    async def beat(self, worker: str) -> bool:
        """Tell the site that publishing is alive; whether it heard."""
        value = {"worker": worker, "at": wire.written(self.now())}
        return isinstance(await self._exchange("POST", "/beat", value, seconds=5.0), wire.Said)


def _refusal(said: wire.Said) -> Refused:
    if said.code in _REASONS:
        return _refused_as(said.code, said.retry_after)
    return Refused(said.code or str(said.status), said.detail or "网站不接受这份内容", Who.EDITOR)


def _refused_as(code: str, seconds: int | None = None) -> Refused:
    reason, who = _REASONS[code]
    wait = timedelta(seconds=seconds or 60) if who is Who.NOBODY else None
    return Refused(code, reason, who, wait)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _accepted(said: wire.Said, when: str = "published_at") -> Outcome:
    """Done, when the answer holds what it must; else nobody can say."""
    id, at = said.body.get("id"), wire.moment(said.body.get(when))
    if not isinstance(id, str) or at is None:
        return Unknown("网站的答复缺少内容", {"status": str(said.status)})
    return Accepted(id, _text(said.body.get("url")), at)


def _problems(body: Json, variant: Variant, counts: Mapping[str, tuple[int, int]]) -> list[Problem]:
    names = {"title": "标题", "digest": "摘要"}
    found = [
        Problem(f"site_{name}", "block", f"{names[name]}超过 {limit} 字，请缩短", name)
        for name, (used, limit) in counts.items()
        if used > limit
    ]
    for name, word in (("title", "标题"), ("column", "栏目"), ("source", "来源")):
        if not body[name]:
            found.append(Problem(f"site_no_{name}", "block", f"网站要求填写{word}", name))
    for place, picture in enumerate(variant.pictures):
        if not picture.alt:
            message = f"{picture.named(place + 1)}没有替代文字，请补上"
            found.append(Problem("site_alt", "acknowledge", message, f"pictures[{place}]"))
    return found


ARTICLE = Form("article", wire.article, lambda variant: variant.pictures, wire.other_files, _problems)


def _with_profile(able: Capabilities, profile: Mapping[str, Any]) -> Capabilities:
    """The abilities with this website's own figure for pictures in place of the agreed one."""
    own = profile.get("picture_bytes")
    if own is None:
        return able
    if not isinstance(own, int) or own <= 0:
        raise ValueError(f"{able.name}账号的图片限额应为正整数")
    limit = replace(able.limits["picture_bytes"], value=own)
    return replace(able, limits={**able.limits, "picture_bytes": limit})


def opened(
    account: Mapping[str, Any],
    credentials: Mapping[str, Any],
    transport: Transport,
    now: Callable[[], datetime],
    form: Form,
    capabilities: Capabilities,
) -> Site:
    """The channel of one site, for items of this form.

    settings: base_url (the inner one), inbox_wait?; profile: picture_bytes? (a website that takes less than ours);
    credentials: keys (one or two whsec_ texts). ValueError (Chinese) when something is missing.
    """
    settings = account.get("settings") or {}
    keys = tuple(str(key) for key in credentials.get("keys") or ())
    if not settings.get("base_url") or not 1 <= len(keys) <= 2:
        raise ValueError(f"{capabilities.name}账号需要设置 base_url 和一至两个签名密钥")
    wait = int(settings.get("inbox_wait") or 0)
    protocol = wire.Wire(str(settings["base_url"]).rstrip("/"), keys)
    return Site(protocol, transport, now, form, _with_profile(capabilities, account.get("profile") or {}), wait=wait)


def connect(
    account: Mapping[str, Any], credentials: Mapping[str, Any], transport: Transport, now: Callable[[], datetime]
) -> Site:
    """The channel of one site's articles."""
    return opened(account, credentials, transport, now, ARTICLE, CAPABILITIES)
