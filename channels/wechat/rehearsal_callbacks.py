"""演练微信's pushes to the account's callback address: what is due, how it is signed, what an answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from channels.exchange import Answer, Result
from channels.ledger import Effect
from channels.performance import Delivery
from channels.wechat.rehearsal_access import Account, openid
from channels.wechat.rehearsal_mass import Mass
from channels.wechat.rehearsal_publishing import Publishing
from channels.wechat.rehearsal_rules import Rules, made, moment, seconds
from channels.wechat.rehearsal_sealing import Seal, signature
from channels.wechat.rehearsal_state import PUBLISHING, State, status_of
from channels.wechat.rehearsal_xml import read, written

MODES = ("plain", "compatible", "encrypted")
_NOTICE = "该公众号暂时无法提供服务，请稍后再试"


@dataclass
class Callbacks:
    """Everything that waits to be pushed, and what came of it."""

    account: Account
    state: State
    rules: Rules
    publishing: Publishing
    mass: Mass
    seal: Seal = field(init=False)

    def __post_init__(self) -> None:
        self.seal = Seal(self.account.callback_token, self.account.aes_key, self.account.appid)

    def order(self, body: Mapping[str, Any], now: datetime) -> list[Effect]:
        """A new callback address; with `verify` it is first asked to echo. ValueError when it is none."""
        url, mode = str(body.get("url") or ""), str(body.get("mode") or "encrypted")
        if url and not _is_address(url):
            raise ValueError("url 应为 http 或 https 网址")
        if mode not in MODES:
            raise ValueError("mode 应为以下之一：" + "、".join(MODES))
        state = "asked" if body.get("verify") else "verified"
        return [{"kind": "callback", "url": url, "mode": mode, "at": now.isoformat(), "state": state}]

    def order_pushes(self, body: Mapping[str, Any]) -> list[Effect]:
        """The next pushes come `copies` times more than once, or `delay` seconds later than others."""
        copies, delay, times = int(body.get("copies", 0)), float(body.get("delay", 0)), int(body.get("times", 1))
        if copies < 0 or delay < 0 or times < 1 or not (copies or delay):
            raise ValueError("copies 或 delay 应大于 0，times 至少为 1")
        return [{"kind": "push_order", "copies": copies, "delay": delay, "times": times}]

    # What is due

    def due(self, now: datetime) -> list[Delivery]:
        callback = self.state.callback
        if not callback.get("url") or callback["state"] == "refused":
            return []
        if callback["state"] == "asked":
            return [self._question(now)] if moment(callback["next"]) <= now else []
        waiting = [push for push in self.state.pushes.values() if self._ready(push, now)]
        return [self._delivery(push, now) for push in sorted(waiting, key=lambda push: moment(push["due"]))]

    def _ready(self, push: Mapping[str, Any], now: datetime) -> bool:
        if moment(push["due"]) > now or moment(push["next"]) > now:
            return False
        publication = self.state.publications.get(push.get("ref") or "")
        return publication is None or status_of(publication, now) != PUBLISHING

    def _stamped(self, id: str, now: datetime) -> tuple[str, str]:
        return str(int(now.timestamp())), str(int(made(self.account.seed, f"nonce/{id}/{now.isoformat()}")[:8], 16))

    def _address(self, query: Mapping[str, str]) -> str:
        url = self.state.callback["url"]
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}"

    def _echo(self) -> str:
        return str(int(made(self.account.seed, "echo/" + self.state.callback["at"])[:15], 16))

    def _question(self, now: datetime) -> Delivery:
        id = f"verify#{self.state.callback['tries']}"
        timestamp, nonce = self._stamped(id, now)
        query = {
            "signature": signature(self.seal.token, timestamp, nonce), "echostr": self._echo(),
            "timestamp": timestamp, "nonce": nonce,
        }  # fmt: skip
        return Delivery(id, "GET", self._address(query), {}, b"", self.rules.push_seconds)

    def _delivery(self, push: Mapping[str, Any], now: datetime) -> Delivery:
        id = f"{push['id']}#{push['done']}.{push['tries']}"
        timestamp, nonce = self._stamped(id, now)
        fields = self._fields(push, now)
        query = {
            "signature": signature(self.seal.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce,
            "openid": str(fields["FromUserName"]),
        }  # fmt: skip
        body = self._body(fields, query, id)
        return Delivery(
            id, "POST", self._address(query), {"Content-Type": "text/xml"}, body.encode(), self.rules.push_seconds
        )

    def _body(self, fields: dict[str, Any], query: dict[str, str], id: str) -> str:
        """The body in the account's mode; where it holds cipher text the query says so."""
        mode = self.state.callback["mode"]
        if mode == "plain":
            return written(fields)
        salt = bytes.fromhex(made(self.account.seed, f"salt/{id}/{query['timestamp']}"))[:16]
        sealed = self.seal.close(written(fields), salt)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature(self.seal.token, query["timestamp"], query["nonce"], sealed)
        outside = fields if mode == "compatible" else {"ToUserName": self.account.original_id}
        return written({**outside, "Encrypt": sealed})

    def _fields(self, push: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        if not push.get("ref"):
            return dict(push["fields"])
        publication = self.state.publications[push["ref"]]
        head: dict[str, Any] = {
            "ToUserName": self.account.original_id, "FromUserName": openid(self.account.seed, "platform"),
            "CreateTime": seconds(push["due"]), "MsgType": "event",
        }  # fmt: skip
        if publication["act"] == "mass":
            return {**head, **self.mass.finished(publication, now)}
        return {**head, "Event": "PUBLISHJOBFINISH", "PublishEventInfo": self._finished(publication, now)}

    def _finished(self, publication: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        job = self.publishing.job(publication, now)
        told: dict[str, Any] = {
            name: job[name] for name in ("publish_id", "publish_status", "article_id") if name in job
        }
        told["publish_id"] = int(job["publish_id"])  # a number here, a text in answers
        if "article_detail" in job:
            detail = job["article_detail"]
            return {**told, "article_detail": {"count": detail["count"], "item": detail["item"]}}
        return {**told, "fail_idx": job["fail_idx"]}

    # What came of it

    def delivered(self, id: str, result: Result, now: datetime) -> list[Effect]:
        name = id.rpartition("#")[0]
        again = (now + self.rules.push_again).isoformat()
        if name == "verify":
            if self.state.callback.get("state") != "asked":
                return []
            right = isinstance(result, Answer) and result.status == 200 and result.body == self._echo().encode()
            last = self.state.callback["tries"] + 1 >= self.rules.push_tries
            return [{"kind": "attempt", "id": name, "verified": right, "last": last, "next": again}]
        push = self.state.pushes.get(name)
        if push is None:
            return []
        taken = isinstance(result, Answer) and result.status == 200
        last = not taken and push["tries"] + 1 >= self.rules.push_tries
        attempt: Effect = {"kind": "attempt", "id": name, "taken": taken, "last": last, "next": again}
        if isinstance(result, Answer) and taken:
            return [attempt, *self._heard(push, result.body, now)]
        return [attempt, *([self._told(push, _NOTICE, "notice", now)] if last and push.get("asks") else [])]

    def _told(self, push: Mapping[str, Any], text: str, via: str, now: datetime) -> Effect:
        author = self.state.users.get(push["openid"], {}).get("author", "")
        return {
            "kind": "received", "openid": push["openid"], "author": author, "text": text, "at": now.isoformat(),
            "via": via,
        }  # fmt: skip

    def _heard(self, push: Mapping[str, Any], body: bytes, now: datetime) -> Sequence[Effect]:
        """What the citizen sees of the answer: a passive reply, nothing, or the platform's own regret."""
        if body.strip() in (b"", b"success") or not push.get("openid"):
            return []
        try:
            text = self._reply(body, push["openid"])
        except ValueError:
            return [self._told(push, _NOTICE, "notice", now)] if push.get("asks") else []
        return [self._told(push, text, "passive", now)] if text else []

    def _reply(self, body: bytes, openid: str) -> str:
        """The words of a passive reply; ValueError when it is none."""
        fields = read(body)
        if "Encrypt" in fields:
            parts = [str(fields.get(name, "")) for name in ("TimeStamp", "Nonce", "MsgSignature")]
            fields = read(self.seal.open(str(fields["Encrypt"]), *parts).encode())
        elif self.state.callback["mode"] == "encrypted":
            raise ValueError("not encrypted")
        if fields.get("ToUserName") != openid or fields.get("FromUserName") != self.account.original_id:
            raise ValueError("addressee")
        return _words(fields)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


def _words(fields: Mapping[str, Any]) -> str:
    kind = fields.get("MsgType")
    if kind == "text" and isinstance(fields.get("Content"), str) and fields["Content"]:
        return str(fields["Content"])
    if kind == "news":
        item = (fields.get("Articles") or {}).get("item") if isinstance(fields.get("Articles"), dict) else None
        if not isinstance(item, dict):
            raise ValueError("articles")
        return "\n".join(str(item.get(name) or "") for name in ("Title", "Description", "Url"))
    if kind in ("image", "voice", "video", "music"):
        return f"[{kind}]"
    if kind == "transfer_customer_service":
        return ""
    raise ValueError("type")
