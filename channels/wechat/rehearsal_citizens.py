"""The citizens of 演练微信: what they may say, press and send, as facts; how it reaches the account: callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_access import Account, openid
from channels.wechat.rehearsal_comments import Comments
from channels.wechat.rehearsal_material import Material
from channels.wechat.rehearsal_messages import Menu, Messages
from channels.wechat.rehearsal_publishing import order_push
from channels.wechat.rehearsal_rules import made, moment
from channels.wechat.rehearsal_state import State

Said = Mapping[str, Any]
Fields = dict[str, Any]
_FIRST_MESSAGE = 24_000_000_000_000_000  # beyond 2**53, as live ids are
# event -> whether it opens the short window
_EVENTS = {
    "subscribe": True, "unsubscribe": False, "SCAN": True, "CLICK": True, "VIEW": False, "LOCATION": False,
    "scancode_push": True, "scancode_waitmsg": True,
}  # fmt: skip
_PRESSED = ("CLICK", "scancode_push", "scancode_waitmsg")


@dataclass
class Citizens:
    """As many as speak; each is known by the name given with what they say."""

    account: Account
    state: State
    comments: Comments
    messages: Messages
    menu: Menu
    material: Material

    def speak(self, said: Said, now: datetime) -> tuple[str, list[Effect]]:
        now = moment(said["at"]) if said.get("at") else now
        author = str(said.get("author") or "热心市民")
        id = str(said.get("author_id") or openid(self.account.seed, author))
        facts: list[Effect] = []
        if id not in self.state.users:
            facts.append({"kind": "user", "openid": id, "author": author, "follows": True})
        if "post" in said and "message" not in said and "event" not in said:
            name, more = self._comment(said, id, author, now)
        elif "event" in said:
            name, more = self._event(said, id, author, now)
        else:
            name, more = self._message(said, id, now)
        return name, [*facts, *more]

    def _comment(self, said: Said, id: str, author: str, now: datetime) -> tuple[str, list[Effect]]:
        publication = self.state.find(str(said["post"]))
        if publication is None:
            raise ValueError("post 应为一篇已发布文章的 article_id")
        place = int(said.get("index") or 0)
        if said.get("retract"):
            return str(said["retract"]), [self.comments.retracted(publication, place, int(said["retract"]))]
        text = str(said.get("text") or "")
        if not text.strip():
            raise ValueError("text 不能为空")
        told = {
            "openid": id, "author": author, "text": text, "at": now.isoformat(), "nameless": bool(said.get("nameless")),
        }  # fmt: skip
        fact = self.comments.said(publication, place, told, now)
        return str(fact["id"]), [fact]

    def _head(self, id: str, now: datetime, kind: str) -> Fields:
        return {
            "ToUserName": self.account.original_id, "FromUserName": id, "CreateTime": int(now.timestamp()),
            "MsgType": kind,
        }  # fmt: skip

    def _message(self, said: Said, id: str, now: datetime) -> tuple[str, list[Effect]]:
        kind, salt = str(said.get("type") or "text"), self.state.salt(now)
        kinds: dict[str, Callable[[Said, str], Fields]] = {
            "text": _text, "image": _image, "voice": _voice, "video": _video, "shortvideo": _video,
            "location": _location, "link": _link,
        }  # fmt: skip
        if kind not in kinds:
            raise ValueError("type 应为以下之一：" + "、".join(kinds))
        name = str(said.get("msg_id") or _FIRST_MESSAGE + int(made(self.account.seed, "message/" + salt)[:12], 16))
        fields = {**self._head(id, now, kind), **kinds[kind](said, made(self.account.seed, "sent/" + salt))}
        fields["MsgId"] = int(name)
        publication = self.state.find(str(said["post"])) if said.get("post") else None
        if publication:
            fields |= {"MsgDataId": publication["msg_data_id"], "Idx": int(said.get("index") or 0) + 1}
        facts = [self.messages.window(id, "message", now)]
        if kind in ("image", "voice"):
            facts += self.material.received(fields["MediaId"], kind, now)
        if kind == "image":
            fields["PicUrl"] = facts[1]["url"]
        return name, [*facts, self._push("message/" + salt, id, fields, now, asks=True)]

    def _push(self, id: str, openid: str, fields: Fields, now: datetime, *, asks: bool) -> Effect:
        return order_push(self.state, id, now, openid=openid, fields=fields, asks=asks)

    def _event(self, said: Said, id: str, author: str, now: datetime) -> tuple[str, list[Effect]]:
        event, key = str(said["event"]), str(said.get("key") or "")
        if event not in _EVENTS:
            raise ValueError("event 应为以下之一：" + "、".join(_EVENTS))
        if event in _PRESSED and key not in self.menu.pressable():
            raise ValueError("key 应为菜单里的一个按钮")
        salt = self.state.salt(now)
        fields = {**self._head(id, now, "event"), "Event": event}
        if event == "LOCATION":
            names = {"Latitude": "latitude", "Longitude": "longitude", "Precision": "precision"}
            fields |= {name: float(said.get(given) or 0) for name, given in names.items()}
        else:
            fields["EventKey"] = key
        if event in ("SCAN", "subscribe") and key:
            fields["Ticket"] = "g" + made(self.account.seed, "ticket/" + key)
        if event.startswith("scancode"):
            fields["ScanCodeInfo"] = {"ScanType": "qrcode", "ScanResult": str(said.get("message") or "")}
        facts: list[Effect] = []
        if event in ("subscribe", "unsubscribe"):
            facts.append({"kind": "user", "openid": id, "author": author, "follows": event == "subscribe"})
        if _EVENTS[event]:
            facts.append(self.messages.window(id, "click", now))
        return salt, [*facts, self._push("event/" + salt, id, fields, now, asks=event == "CLICK")]


def _text(said: Said, _made: str) -> Fields:
    text = str(said.get("message") or "")
    if not text:
        raise ValueError("message 不能为空")
    menu = {"bizmsgmenuid": str(said["choice"])} if said.get("choice") else {}
    return {"Content": text, **menu}


def _image(_said: Said, made: str) -> Fields:
    return {"MediaId": made}


def _voice(said: Said, made: str) -> Fields:
    heard = {"Recognition": str(said["message"])} if said.get("message") else {}
    return {"MediaId": made, "Format": "amr", **heard}


def _video(_said: Said, made: str) -> Fields:
    return {"MediaId": made, "ThumbMediaId": made[::-1]}


def _location(said: Said, _made: str) -> Fields:
    return {
        "Location_X": float(said.get("latitude") or 0), "Location_Y": float(said.get("longitude") or 0),
        "Scale": int(said.get("scale") or 16), "Label": str(said.get("message") or ""),
    }  # fmt: skip


def _link(said: Said, _made: str) -> Fields:
    return {
        "Title": str(said.get("message") or ""), "Description": str(said.get("text") or ""),
        "Url": str(said.get("url") or ""),
    }  # fmt: skip
