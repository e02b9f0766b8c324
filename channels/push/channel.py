"""App 推送 as a Channel: which calls in which order, and which outcome each answer means; the protocol is in wire.py.

A push is protected by its cid, a number of the platform's: under the same cid a second call within a day gives the
first answer and reaches no phone. It is fetched while staging, kept by the hub before the first attempt, and comes back
in `Prepared.kept`. Nothing can be looked up, so a lost answer stays 结果不明 until a person has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.contract import (
    Accepted,
    Capabilities,
    Fault,
    Found,
    Health,
    Json,
    Outcome,
    Page,
    PictureBytes,
    Prepared,
    Refused,
    Staged,
    Unknown,
    Variant,
    Who,
)
from channels.exchange import Answer, MaybeSent, NotSent, Request, Transport
from channels.metering import unsent
from channels.push import codes, wire
from channels.push.preparing import prepare
from channels.push.profile import ADDRESSES, Profile, capabilities, profile_of

_SOON = timedelta(minutes=1)
_LOOK_AGAIN = timedelta(minutes=2)
_FEW = 10  # calls left of a minute below which the account is shown as nearly used up
_NO_LOOK = Unknown("推送平台不提供按内容查找的接口，请到推送平台的管理页面核对")
_BY_HAND = Refused("manual", "推送已到手机上，收不回来，也改不了：请在网站和 App 里更正，必要时再推送一条", Who.EDITOR)


@dataclass(repr=False)
class Push:
    """One app's push account. Holds the master secret, so it has no `repr` of its fields."""

    protocol: wire.Wire
    transport: Transport
    now: Callable[[], datetime]
    profile: Profile
    capabilities: Capabilities

    def prepare(self, variant: Variant) -> Prepared:
        return prepare(variant, self.profile)

    async def preflight(self) -> Health:
        """Lets the platform check a push without sending it; an app that nobody has installed yet is no fault."""
        words = wire.notification("", "连接检查", {})
        result = await self.transport.send(self.protocol.validate(self._body(words, "all")))
        if not isinstance(result, Answer):
            spent = isinstance(result, NotSent) and result.spent
            return Health("quota_low" if spent else "unreachable", result.reason)
        said = wire.read(result)
        left = {} if said.left is None else {"本分钟可推送": said.left}
        if said.code == codes.NOBODY_THERE:
            return Health("ok", "连接正常，暂无可达设备", quota_left=left)
        if said.body is None:
            return self._ill(said)
        if said.left is not None and said.left < _FEW:
            return Health("quota_low", "本分钟的推送次数将尽，稍后自动恢复", quota_left=left)
        return Health("ok", "连接正常", quota_left=left)

    @staticmethod
    def _ill(said: wire.Said) -> Health:
        if said.code is None:
            return Health("unreachable", "推送平台的答复看不懂")
        code = codes.CODES.get(said.code)
        reason = code.reason if code else codes.unlisted(said.code).reason
        if said.code in codes.KEY_CODES:
            return Health("not_connected", reason)
        return Health("quota_low" if said.code == 2002 else "unreachable", reason)

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        """The cid of this key: the one that an earlier attempt may have used, as long as it lives, else a new one."""
        kept = prepared.kept
        if kept.get("cid") and self._lives(str(kept.get("cid_at"))):
            return Staged(prepared, {"cid": kept["cid"], "cid_at": kept["cid_at"]})
        asked_at = self.now()
        said = await self._ask(self.protocol.cid())
        if isinstance(said, Refused | Unknown):
            return said
        cid = wire.first_cid(said)
        if not cid:
            return Unknown("推送平台没有给出防重编号")
        return Staged(prepared, {"cid": cid, "cid_at": asked_at.isoformat()})

    def _lives(self, cid_at: str) -> bool:
        try:
            return self.now() - datetime.fromisoformat(cid_at) < self.profile.cid_life
        except (ValueError, TypeError):
            return False

    def _body(self, words: Json, audience: Any, cid: str = "") -> dict[str, Any]:
        return wire.push(words, audience, self.profile.live_seconds, cid)

    async def publish(self, staged: Staged, key: str) -> Outcome:
        body, cid = staged.prepared.body, str(staged.refs.get("cid") or "")
        if not body.get("link"):
            return Refused("no_link", "还没有网站上的地址，点开推送会没有内容", Who.NOBODY, _LOOK_AGAIN)
        if not cid or not self._lives(str(staged.refs.get("cid_at"))):
            return Refused("cid_old", "防重编号已过期，需要重新准备", Who.NOBODY, timedelta())
        return await self._pushed(self._body(body["notification"], "all", cid))

    async def _pushed(self, body: Json) -> Outcome:
        """The one call that reaches phones, and what its answer means."""
        result = await self.transport.send(self.protocol.push(body))
        if isinstance(result, NotSent):
            return unsent(result, _SOON)
        if isinstance(result, MaybeSent):
            return Unknown(result.reason)
        said = wire.read(result)
        if said.body is not None:
            id = str(said.body.get("msg_id") or "")
            return Accepted(id) if id.isdigit() else Unknown("推送平台的答复缺少编号", {"status": str(said.status)})
        code = codes.CODES.get(said.code or 0)
        if code is None or not code.sure:
            reason = code.reason if code else "推送平台的答复看不懂"
            return Unknown(reason, {"status": str(said.status), "code": str(said.code)})
        return codes.refused(code, said.reset)

    async def check(self, ticket: str) -> Outcome:
        """The platform answers at once; there is nothing to wait for."""
        return Unknown("推送没有待定的结果")

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        """Reports are given by message number only, and a lost answer has taken the number with it."""
        return _NO_LOOK

    async def withdraw(self, external_id: str, reason: str, key: str) -> Outcome:
        return _BY_HAND

    async def correct(self, external_id: str, staged: Staged, note: str, key: str) -> Outcome:
        return _BY_HAND

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Refused | Unknown:
        """Nobody answers a push."""
        return Page((), cursor, False)

    async def answer(self, to: Json, text: str, key: str) -> Outcome:
        """A push to the one device that `to` names: an `alias`, or a `registration_id`."""
        audience = _one_device(to)
        if audience is None:
            return Refused("no_device", "对方没有登记接收推送的手机，请用其他方式答复", Who.EDITOR)
        words = wire.notification("您的诉求有答复", text.strip(), {"url": str(to.get("url") or "")})
        limits = {"android": self.profile.android_bytes, "ios": self.profile.ios_bytes}
        if not text.strip() or any(used > limits[name] for name, used in wire.sizes(words).items()):
            return codes.refused(codes.CODES[1005])
        return await self._pushed(self._body(words, audience))

    async def _ask(self, request: Request) -> Mapping[str, Any] | Fault:
        """A call that reaches no phone: its body, or why there is none."""
        result = await self.transport.send(request)
        if isinstance(result, NotSent):
            return unsent(result, _SOON)
        if isinstance(result, MaybeSent):
            return Unknown(result.reason)
        said = wire.read(result)
        if said.body is not None:
            return said.body
        if said.code is None:
            return Unknown("推送平台的答复看不懂", {"status": str(said.status)})
        code = codes.CODES.get(said.code)
        return codes.refused(code, said.reset) if code else codes.unlisted(said.code)


def _one_device(to: Json) -> dict[str, list[str]] | None:
    for name in ("registration_id", "alias"):
        value = to.get(name)
        if isinstance(value, str) and value.strip():
            return {name: [value.strip()]}
    return None


def connect(
    account: Mapping[str, Any], credentials: Mapping[str, Any], transport: Transport, now: Callable[[], datetime]
) -> Push:
    """The channel of one app.

    settings: base_url?; profile: figures; credentials: app_key, master_secret. ValueError (Chinese) when something is
    missing.
    """
    missing = [name for name in ("app_key", "master_secret") if not credentials.get(name)]
    if missing:
        raise ValueError("推送账号缺少设置：" + "、".join(missing))
    settings = account.get("settings") or {}
    base = str(settings.get("base_url") or ADDRESSES["base_url"]).rstrip("/")
    profile = profile_of(account.get("profile") or {})
    return Push(
        wire.Wire(base, str(credentials["app_key"]), str(credentials["master_secret"])),
        transport, now, profile, capabilities(profile),
    )  # fmt: skip
