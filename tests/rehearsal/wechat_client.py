"""A plain client of 演练微信 for its tests, made from the platform's documentation; no socket, no connector."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from channels.exchange import Answer, Request
from channels.faults import Fault
from channels.performance import Delivery, Performance
from channels.wechat.rehearsal import WechatPlatform
from channels.wechat.rehearsal_rules import Rules
from hub.clock import SetClock

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOST = "http://127.0.0.1:8011"
PNG = b"\x89PNG\r\n\x1a\n\r\n\n--x" + bytes(range(256))
JPG = b"\xff\xd8\xff\xe0" + bytes(range(256))
CALLBACK = "http://127.0.0.1:8001/callbacks/wechat"


class Client:
    """One account at a platform of its own, with a clock that stands still."""

    def __init__(self, **rules: Any) -> None:
        self.clock = SetClock(START)
        self.stage = Performance(lambda: WechatPlatform(rules=Rules(**rules)), self.clock.now)
        self.platform: WechatPlatform = self.stage.platform  # type: ignore[assignment]
        self.account = self.stage.platform.accounts()[0]
        self.token = self.stable()["access_token"]

    def credentials(self, **more: Any) -> dict[str, Any]:
        own = {"appid": self.account["appid"], "secret": self.account["secret"]}
        return {"grant_type": "client_credential", **own, **more}

    def stable(self, **more: Any) -> dict[str, Any]:
        return self.post("stable_token", self.credentials(**more))

    def read(self, request: Request) -> Any:
        answer = self.stage.play(request).answer
        assert isinstance(answer, Answer)
        assert answer.status == 200
        return json.loads(answer.body)

    def url(self, path: str, **query: Any) -> str:
        given = {"access_token": self.token} if hasattr(self, "token") else {}
        return f"{HOST}/cgi-bin/{path}?{urlencode(given | query)}"

    def get(self, path: str, **query: Any) -> Any:
        return self.read(Request("GET", self.url(path, **query)))

    def post(self, path: str, body: Any, **query: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.read(Request("POST", self.url(path, **query), {"Content-Type": "application/json"}, raw))

    def code(self, path: str, body: Any, **query: Any) -> int:
        return int(self.post(path, body, **query).get("errcode", 0))

    def upload(self, path: str, content: bytes, name: str = "a.png", **query: Any) -> Any:
        head = f'--b\r\nContent-Disposition: form-data; name="media"; filename="{name}"\r\n\r\n'.encode()
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        return self.read(Request("POST", self.url(path, **query), kind, head + content + b"\r\n--b--\r\n"))

    def picture(self, content: bytes = PNG) -> str:
        return str(self.upload("media/uploadimg", content)["url"])

    def cover(self) -> str:
        return str(self.upload("material/add_material", PNG, type="image")["media_id"])

    def article(self, **more: Any) -> dict[str, Any]:
        own = {"title": "老旧小区供暖管网改造完工", "content": "<p>三百户已恢复供暖。</p>", "need_open_comment": 1}
        return {**own, "thumb_media_id": more.pop("thumb_media_id", None) or self.cover(), **more}

    def draft(self, *articles: dict[str, Any]) -> str:
        return str(self.post("draft/add", {"articles": list(articles) or [self.article()]})["media_id"])

    def submit(self, *articles: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.post("freepublish/submit", {"media_id": self.draft(*articles)})
        return found

    def job(self, submitted: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.post("freepublish/get", {"publish_id": submitted["publish_id"]})
        return found

    def wait(self, seconds: float = 3) -> None:
        self.clock.move(timedelta(seconds=seconds))

    def published(self, *articles: dict[str, Any]) -> tuple[str, int]:
        """An article that is out: its article_id and its msg_data_id."""
        submitted = self.submit(*articles)
        self.wait()
        return str(self.job(submitted)["article_id"]), int(submitted["msg_data_id"])

    def order(self, kind: str, value: int, match: str, times: int = 1) -> None:
        self.stage.orders.add(Fault(match, kind, times, value))

    def call_back(self, mode: str = "encrypted", **more: Any) -> None:
        assert self.stage.order("callback", {"url": CALLBACK, "mode": mode, **more})

    def pushes(self) -> list[Delivery]:
        return list(self.stage.due())

    def received(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.stage.look("received")
        return rows
