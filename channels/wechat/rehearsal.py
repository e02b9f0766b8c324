"""演练微信: the 公众号 platform as a pure object, after its public documentation; nothing of the connector.

An independent client (wechatpy) is held against it in tests/rehearsal; shapes that no client reads are held to
tests/fixtures/wechat, which name page and day. Left out: datacube, 卡券, tags, kept customer-service accounts.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from channels.exchange import Answer, Request, Result
from channels.ledger import Effect
from channels.performance import Delivery
from channels.wechat import rehearsal_page
from channels.wechat.rehearsal_access import Access, Account
from channels.wechat.rehearsal_callbacks import Callbacks
from channels.wechat.rehearsal_citizens import Citizens
from channels.wechat.rehearsal_comments import Comments
from channels.wechat.rehearsal_content import text_of
from channels.wechat.rehearsal_drafts import Drafts
from channels.wechat.rehearsal_mass import Mass
from channels.wechat.rehearsal_material import Material
from channels.wechat.rehearsal_messages import Menu, Messages
from channels.wechat.rehearsal_publishing import Publishing
from channels.wechat.rehearsal_rules import ARTICLE_HOST, Act, Body, Call, Refusal, Rules, as_json, made, multipart
from channels.wechat.rehearsal_state import State, failed, public, withdrawn

_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
_LOOPBACK = ("127.0.0.1", "::1")
_STATUSES = range(1, 7)  # an error on order that is none: publish_status of the job
_ALREADY = 45065  # an error that means the work is done
_SWITCHES = ("certified", "comment_privilege", "returns_msg_data_id", "mass_protected")
_PICTURE = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp"}


class WechatPlatform:
    """One local 微信公众平台 with one official account and as many citizens as speak.

    `seed` makes the made-up credentials; `domains` are hosts that an article may link to besides the platform's own.
    """

    def __init__(
        self, seed: str = "rehearsal", domains: Sequence[str] = (), name: str = "云川发布", rules: Rules | None = None
    ) -> None:
        self._seed = seed
        self._rules = rules or Rules()
        self._state = State(switches={"whitelist": list(_LOOPBACK)})
        self._account = Account(seed, name)
        self._access = Access(self._account, self._state, self._rules)
        self._furnish(domains)

    def _furnish(self, domains: Sequence[str]) -> None:
        seed, state, rules = self._seed, self._state, self._rules
        material = Material(seed, state, rules)
        drafts = Drafts(seed, state, rules, material, tuple(domains))
        messages, menu, comments = Messages(state, rules, material), Menu(state), Comments(state, rules)
        self._publishing = Publishing(seed, state, rules, drafts)
        self._mass = Mass(seed, state, rules, drafts, self._publishing, messages)
        self._citizens = Citizens(self._account, state, comments, messages, menu, material)
        self._callbacks = Callbacks(self._account, state, rules, self._publishing, self._mass)
        rooms = (self._access, material, drafts, self._publishing, comments, messages, menu, self._mass)
        self._acts: dict[str, Act] = {path: act for room in rooms for path, act in room.acts().items()}

    # What the stage around it needs

    def birth(self, now: datetime) -> list[Effect]:
        return [{"kind": "born", "at": now.isoformat()}]

    def apply(self, effect: Effect) -> None:
        self._state.apply(effect)

    def accounts(self) -> list[dict[str, Any]]:
        account = self._account
        return [
            {
                "appid": account.appid, "secret": account.secret, "original_id": account.original_id,
                "name": account.name, "certified": self._access.switch("certified"), "kind": self._rules.kind,
                "callback_token": account.callback_token, "encoding_aes_key": account.aes_key,
                "whitelist": self._access.switch("whitelist"),
            }
        ]  # fmt: skip

    def posts(self, now: datetime) -> list[dict[str, Any]]:
        rows = []
        for publication in self._state.publications.values():
            if not public(publication, now):
                continue
            articles = publication["articles"] or [{"title": "", "content": publication.get("text", "")}]
            rows += [self._post(publication, place, article, now) for place, article in enumerate(articles)]
        return rows

    @staticmethod
    def _post(publication: Mapping[str, Any], place: int, article: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        mass = publication["act"] == "mass"
        pages = publication["pages"]
        return {
            "id": publication["key"] if mass else publication["article_id"], "act": publication["act"],
            "index": place, "title": article["title"], "text": text_of(article["content"]),
            "at": publication["until"], "withdrawn": withdrawn(publication, place, now),
            "url": publication["base"] + pages[place] if pages else "", "job": publication["key"],
            "msg_data_id": publication["msg_data_id"], "pictures": article["content"].count("<img"),
        }  # fmt: skip

    def speak(self, said: Mapping[str, Any], now: datetime) -> tuple[str, list[Effect]]:
        return self._citizens.speak(said, now)

    def page(self, now: datetime) -> str:
        posts = self.posts(now)
        return rehearsal_page.front(self._account.name, posts, self._state.menu, len(self._state.received))

    # Pushes

    def due(self, now: datetime) -> list[Delivery]:
        """What is to be sent to the account's callback address now."""
        return self._callbacks.due(now)

    def delivered(self, id: str, result: Result, now: datetime) -> list[Effect]:
        """The facts that the answer to a delivery makes."""
        return self._callbacks.delivered(id, result, now)

    def heard_by(self, openid: str) -> list[dict[str, Any]]:
        """What one citizen got from the account, in order."""
        return [row for row in self._state.received if row["openid"] == openid]

    # Control

    def look(self, what: str, now: datetime) -> Any:
        """A control look of this platform's own; None when there is none of that name."""
        looks: dict[str, Callable[[], Any]] = {
            "received": lambda: self._state.received,
            "callback": lambda: self._state.callback or {"url": ""},
            "menu": lambda: self._state.menu,
            "pushes": lambda: list(self._state.pushes.values()),
            "mass": lambda: [self._waiting(p, now) for p in self._state.publications.values() if p["act"] == "mass"],
        }
        return looks[what]() if what in looks else None

    @staticmethod
    def _waiting(publication: Mapping[str, Any], now: datetime) -> Body:
        waits = bool(publication["waits"]) and not failed(publication, now)
        return {"msg_id": publication["key"], "waits": waits, "until": publication["until"]}

    def order(self, what: str, body: Mapping[str, Any], now: datetime) -> list[Effect] | None:
        """A control order of this platform's own; None when there is none of that name, ValueError when it is wrong."""
        if what == "callback":
            return self._callbacks.order(body, now)
        if what == "deliveries":
            return self._callbacks.order_pushes(body)
        if what == "verdict":
            return self._publishing.order(body, now)
        if what == "mass":
            return self._mass.confirm(body, now)
        if what == "account":
            return [self._switched(body)]
        return None

    @staticmethod
    def _switched(body: Mapping[str, Any]) -> Effect:
        """The fact of new switches: `{"certified": false}`, `{"whitelist": ["203.0.113.7"]}`, `{"daily": {path: 500}}`
        (the platform raises its figures for an account that asks) and so on."""
        wrong = [name for name in body if name not in (*_SWITCHES, "whitelist", "daily")]
        listed, daily = body.get("whitelist", []), body.get("daily", {})
        flags = all(isinstance(body[name], bool) for name in _SWITCHES if name in body)
        counted = isinstance(daily, dict) and all(isinstance(most, int) and most >= 0 for most in daily.values())
        if wrong or not flags or not counted or not isinstance(listed, list):
            names = "、".join(_SWITCHES)
            raise ValueError(f"可以改的是 {names}（是或否）、whitelist（地址的列表）和 daily（接口到每天的次数）")
        return {"kind": "switch", "set": dict(body)}

    # Requests

    def handle(self, request: Request, now: datetime, code: int = 0) -> tuple[Answer, list[Effect]]:
        if request.method == "GET" and request.path.startswith(("/s/", "/mmbiz_")):
            return self._shown(request.path, now), []
        effects: list[Effect] = []
        try:
            body = self._done(request, now, code, effects)
        except Refusal as refusal:
            return self._refused(refusal, request, now), effects
        if "file" in body:
            kind, content = body["file"]
            return Answer(200, {"content-type": kind, "content-disposition": "attachment"}, content), effects
        form = request.path.endswith(("/uploadimg", "/add_material", "/upload"))
        return (as_json(body, "text/plain") if form else as_json(body)), effects

    def _done(self, request: Request, now: datetime, code: int, effects: list[Effect]) -> Body:
        """The act's answer; `effects` gets its facts, the counted call even when the act refuses."""
        act = self._acts.get(request.path)
        if act is None:
            raise Refusal(40066)
        if act.method != request.method:
            raise Refusal(43001 if act.method == "GET" else 43002)
        status = code if code in _STATUSES and request.path.endswith("/freepublish/submit") else 0
        call = self._read(request, act, now, status)
        effects.append(self._access.admit(call, act))
        if code and not status and code != _ALREADY:
            raise Refusal(code, call.address)
        if act.method == "POST" and not act.form:
            call = self._with_json(call, request.body)
        body, facts = act.do(call)
        effects += facts
        if code == _ALREADY:
            raise Refusal(code, beside={"msg_id": body["msg_id"]} if "msg_id" in body else None)
        return body

    @staticmethod
    def _read(request: Request, act: Act, now: datetime, code: int) -> Call:
        fields: dict[str, str] = {}
        files: dict[str, Any] = {}
        kind = request.header("content-type")
        if act.form and kind.startswith("multipart/form-data"):
            fields, files = multipart(kind, request.body)
        address = request.header("x-real-ip") or _LOOPBACK[0]
        return Call(request.path, request.query, fields, files, now, _base(request.url), address, code)

    @staticmethod
    def _with_json(call: Call, raw: bytes) -> Call:
        if not raw.strip():
            raise Refusal(44002)
        try:
            body = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Refusal(47001) from None
        if not isinstance(body, dict):
            raise Refusal(47001)
        if _ESCAPE.search(raw):
            raise Refusal(40033)
        return Call(call.path, call.query, body, {}, call.now, call.base, call.address, call.code)

    def _refused(self, refusal: Refusal, request: Request, now: datetime) -> Answer:
        hint = f" hint: [{made(self._seed, request.path)[:8]}-0]" if "/draft/" in request.path else ""
        digits = made(self._seed, f"rid/{now.isoformat()}/{request.target}/{self._state.count}")
        rid = f"{int(now.timestamp()):08x}-{digits[:8]}-{digits[8:16]}"
        return as_json({"errcode": refusal.code, "errmsg": f"{refusal.text}{hint} rid: {rid}", **refusal.beside})

    # The public face

    def _shown(self, path: str, now: datetime) -> Answer:
        if path.startswith("/mmbiz_"):
            return self._picture(path)
        key, place = self._state.by_page.get(path, ("", 0))
        publication = self._state.publications.get(key)
        if publication is None or not public(publication, now):
            return _html(404, rehearsal_page.gone("没有这篇文章。"))
        if withdrawn(publication, place, now):
            return _html(200, rehearsal_page.gone("该内容已被发布者删除，或因违规无法查看。"))
        comments = self._state.comments.get((publication["msg_data_id"], place), {}).values()
        shown = [row for row in comments if not row.get("gone")]
        pictures = [
            urlsplit(self._state.media[row["image_media_id"]]["url"]).path
            for row in publication["articles"][place].get("image_info", {}).get("image_list", [])
            if row["image_media_id"] in self._state.media
        ]
        return _html(200, rehearsal_page.article(self._account.name, publication, place, shown, pictures))

    def _picture(self, path: str) -> Answer:
        """A picture's bytes; a grey one where they were too many to keep."""
        picture = self._state.pictures.get(path)
        if picture is None:
            return Answer(404, {"content-type": "text/plain"}, b"")
        if not picture["content"]:
            return Answer(200, {"content-type": "image/svg+xml"}, rehearsal_page.GREY)
        kind = {"content-type": _PICTURE[picture["format"]], "x-content-type-options": "nosniff"}
        return Answer(200, kind, base64.b64decode(picture["content"]))


def _html(status: int, text: str) -> Answer:
    policy = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
    return Answer(
        status, {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}, text.encode()
    )


def _base(url: str) -> str:
    """Where articles of a request to this address are read: the same host, or the real one for the real one."""
    parts = urlsplit(url)
    if (parts.hostname or "").endswith("weixin.qq.com"):
        return f"https://{ARTICLE_HOST}"
    return f"{parts.scheme}://{parts.netloc}"
