"""演练微信's customer-service messages with their windows, and the account's menu; not what citizens send in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_material import Material
from channels.wechat.rehearsal_rules import Act, Body, Call, Done, Refusal, Rules, moment, words
from channels.wechat.rehearsal_state import State, public

_OK: Body = {"errcode": 0, "errmsg": "ok"}
_KEYED = frozenset(
    {"click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin",
     "location_select"}
)  # fmt: skip


@dataclass
class Messages:
    """What the account sends to one citizen."""

    state: State
    rules: Rules
    material: Material

    def acts(self) -> dict[str, Act]:
        return {"/cgi-bin/message/custom/send": Act(self.send)}

    def window(self, openid: str, grant: str, now: datetime) -> Effect:
        """The fact that a citizen's act opens a window: `grant` is message, or click (also follow and scan)."""
        life, left = (
            (self.rules.window_message, self.rules.sends_message)
            if grant == "message"
            else (self.rules.window_click, self.rules.sends_click)
        )
        return {"kind": "window", "openid": openid, "grant": grant, "until": (now + life).isoformat(), "left": left}

    def send(self, call: Call) -> Done:
        openid = call.text("touser", 40003)
        user = self.state.users.get(openid)
        if user is None:
            raise Refusal(40003)
        kind = call.text("msgtype", 40008)
        text = self.content(call, kind)
        if not user["follows"]:
            raise Refusal(45015)
        fact: Effect = {
            "kind": "received", "openid": openid, "author": user["author"], "text": text, "at": call.now.isoformat(),
            "via": "custom", "type": kind, "grant": self._grant(openid, call.now),
        }  # fmt: skip
        return dict(_OK), [fact]

    def _grant(self, openid: str, now: datetime) -> str:
        """The window that pays for one message: the one that ends first and has any left."""
        open = [row for row in self.state.windows.get(openid, {}).values() if moment(row["until"]) > now]
        if not open:
            raise Refusal(45015)
        paying = [row for row in open if row["left"] > 0]
        if not paying:
            raise Refusal(45047)
        return str(min(paying, key=lambda row: moment(row["until"]))["grant"])

    def content(self, call: Call, kind: str) -> str:
        """The message as words, checked as its kind demands."""
        kinds: dict[str, Callable[[Call, Mapping[str, Any]], str]] = {
            "text": self._text, "news": self._news, "msgmenu": self._choice, "mpnewsarticle": self._article,
            "image": self._medium, "voice": self._medium, "video": self._medium, "mpnews": self._mpnews,
        }  # fmt: skip
        if kind not in kinds:
            raise Refusal(40008)
        given = call.body.get(kind)
        if not isinstance(given, dict):
            raise Refusal(47001)
        return kinds[kind](call, given)

    def _text(self, call: Call, given: Mapping[str, Any]) -> str:
        text = words(given.get("content"))
        if not text:
            raise Refusal(44004)
        if len(text.encode()) > self.rules.text_bytes:
            raise Refusal(45002)
        return text

    @staticmethod
    def _news(call: Call, given: Mapping[str, Any]) -> str:
        rows = given.get("articles")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Refusal(45162)
        if len(rows) != 1:
            raise Refusal(45008)
        return "\n".join(words(rows[0].get(name)) for name in ("title", "description", "url"))

    def _choice(self, call: Call, given: Mapping[str, Any]) -> str:
        if self.rules.kind == "subscription":
            raise Refusal(40200)
        rows = given.get("list")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise Refusal(47001)
        lines = [words(given.get("head_content")), *(words(row.get("content")) for row in rows)]
        return "\n".join(line for line in (*lines, words(given.get("tail_content"))) if line)

    def _article(self, call: Call, given: Mapping[str, Any]) -> str:
        key = self.state.by_article.get(words(given.get("article_id")), "")
        publication = self.state.publications.get(key)
        if publication is None or not public(publication, call.now):
            raise Refusal(53600)
        return str(publication["articles"][0]["title"])

    def _medium(self, call: Call, given: Mapping[str, Any]) -> str:
        return f"[{self.material.alive(words(given.get('media_id')), call)['type']}]"

    def _mpnews(self, call: Call, given: Mapping[str, Any]) -> str:
        draft = self.state.draft(words(given.get("media_id")), call.now)
        if draft is None:
            raise Refusal(40007)
        return str(draft["articles"][0]["title"])


@dataclass
class Menu:
    """The account's menu."""

    state: State

    def acts(self) -> dict[str, Act]:
        return {
            "/cgi-bin/menu/create": Act(self.create),
            "/cgi-bin/menu/get": Act(self.get, "GET"),
            "/cgi-bin/menu/delete": Act(self.remove, "GET"),
        }

    def create(self, call: Call) -> Done:
        rows = call.body.get("button")
        if not isinstance(rows, list):
            raise Refusal(47001)
        if not 1 <= len(rows) <= 3:
            raise Refusal(40016)
        return dict(_OK), [{"kind": "menu", "buttons": [self._button(row) for row in rows]}]

    def _button(self, row: Any) -> Body:
        if not isinstance(row, dict):
            raise Refusal(47001)
        below = row.get("sub_button")
        if not below:
            return {**self._leaf(row, 16, (40018, 40017, 40019, 40020)), "sub_button": []}
        if not isinstance(below, list):
            raise Refusal(47001)
        if len(below) > 5:
            raise Refusal(40023)
        codes = (40025, 40024, 40026, 40027)
        return {
            "name": self._name(row, 16, 40018),
            "sub_button": [{**self._leaf(leaf, 60, codes), "sub_button": []} for leaf in below],
        }

    @staticmethod
    def _name(row: Mapping[str, Any], most: int, code: int) -> str:
        name = words(row.get("name"))
        if not 1 <= len(name.encode()) <= most:
            raise Refusal(code)
        return name

    def _leaf(self, row: Any, most: int, codes: tuple[int, int, int, int]) -> Body:
        """A button that does something; the codes are for its name, its type, its key and its address."""
        if not isinstance(row, dict):
            raise Refusal(47001)
        kind = words(row.get("type"))
        leaf: Body = {"type": kind, "name": self._name(row, most, codes[0])}
        if kind in _KEYED:
            wanted, longest, code = "key", 128, codes[2]
        elif kind in ("view", "miniprogram"):
            wanted, longest, code = "url", 1024, codes[3]
        elif kind in ("article_id", "article_view_limited", "media_id"):
            wanted, longest, code = ("media_id" if kind == "media_id" else "article_id"), 256, 40007
        else:
            raise Refusal(codes[1])
        if not 1 <= len(words(row.get(wanted)).encode()) <= longest:
            raise Refusal(code)
        return leaf | {name: words(row[name]) for name in (wanted, "appid", "pagepath") if name in row}

    def get(self, call: Call) -> Done:
        if not self.state.menu:
            raise Refusal(46003)
        return {"menu": {"button": self.state.menu}}, []

    def remove(self, call: Call) -> Done:
        return dict(_OK), [{"kind": "menu", "buttons": []}]

    def pressable(self) -> set[str]:
        """The keys that a citizen can press."""
        leaves = [leaf for row in self.state.menu for leaf in (row["sub_button"] or [row])]
        return {leaf["key"] for leaf in leaves if leaf.get("key")}
