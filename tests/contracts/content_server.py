"""A small content server in memory, written from docs/channels/site.md alone: what the site channel is held to."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.exchange import Answer, Request
from channels.ledger import Effect
from channels.webhooks import BadSignature, answer_headers, check_request

PUBLIC = "https://www.yunchuan.example"
PAGES = {"article": "/articles/", "card": "/app/cards/"}


class Problem(Exception):
    def __init__(self, status: int, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.more = status, code, more


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ContentServer:
    """Items, inbox and used ids; facts are whole states of an item, so that a performance can keep them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = list(keys)
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.used: dict[str, datetime] = {}
        self.inbox: list[dict[str, Any]] = []
        self.acked = 0
        self.signs = True

    def birth(self, now: datetime) -> list[Effect]:
        return [{"kind": "born"}]

    def apply(self, effect: Effect) -> None:
        if effect["kind"] == "item":
            self.items[effect["item"]["kind"], effect["item"]["id"]] = effect["item"]

    def accounts(self) -> list[dict[str, Any]]:
        return [{"keys": self.keys}]

    def page(self, now: datetime) -> str:
        return ""

    def posts(self, now: datetime) -> list[dict[str, Any]]:
        return [
            {
                "id": id,
                "title": item["body"]["title"],
                "at": item["published_at"],
                "withdrawn": item["state"] != "public",
            }
            for (kind, id), item in self.items.items()
            if kind in PAGES
        ]

    def speak(self, said: Mapping[str, Any], now: datetime) -> tuple[str, list[Effect]]:
        number = len(self.inbox) + 1
        row = {"number": number, "id": f"letter-{number}", "kind": "demand", "at": written(now), "sealed": said["text"]}
        self.inbox.append(row)
        return str(row["id"]), []

    def handle(self, request: Request, now: datetime, code: int = 0) -> tuple[Answer, list[Effect]]:
        facts: list[Effect] = []
        id = request.header("webhook-id")
        try:
            id = self._admit(request, now)
            if code:
                raise Problem(code, {401: "bad_signature", 422: "invalid", 429: "too_many"}[code])
            status, body = self._work(request, now, facts)
        except BadSignature:
            status, body = 401, {"code": "bad_signature", "detail": "签名无效"}
        except Problem as problem:
            status, body = problem.status, {"code": problem.code, "detail": "不行", **problem.more}
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json"}
        if self.signs:
            headers |= answer_headers(self.keys, id, now, status, request.method, request.target, content)
        return Answer(status, headers, content), facts

    def _admit(self, request: Request, now: datetime) -> str:
        id = check_request(self.keys, request.headers, request.method, request.target, request.body, now)
        if self.used.get(id, now - timedelta(days=1)) > now - timedelta(minutes=10):
            raise Problem(401, "repeated_id")
        self.used[id] = now
        return id

    def _work(self, request: Request, now: datetime, facts: list[Effect]) -> tuple[int, dict[str, Any]]:
        match request.path.removeprefix("/content/v1/").split("/"):
            case ["status"]:
                return 200, {"at": written(now), "name": "云川市人民政府", "api": 1}
            case ["beat"]:
                return 200, {"at": written(now)}
            case ["inbox"]:
                return 200, self._read_inbox(request)
            case ["inbox", "ack"]:
                self.acked = max(self.acked, int(json.loads(request.body)["cursor"]))
                return 200, {"cursor": str(self.acked), "waiting": len(self.inbox) - self.acked}
            case ["items", kind, id] if request.method == "GET":
                item = self._item(kind, id)
                return 200, {**item, "keys": [{"key": k, "version": v} for k, (v, _) in item["keys"].items()]}
            case ["items", kind, id] if request.method == "PUT":
                return self._put(kind, id, request, now, facts)
            case ["items", kind, id] if request.method == "DELETE":
                return 200, self._withdraw(self._item(kind, id), request.query, now, facts)
        raise Problem(404, "not_found")

    def _read_inbox(self, request: Request) -> dict[str, Any]:
        after = int(request.query.get("after", self.acked))
        rows = [row for row in self.inbox if row["number"] > after][: int(request.query["limit"])]
        last = str(rows[-1]["number"] if rows else after)
        return {"rows": rows, "cursor": last, "more": bool(rows) and rows[-1]["number"] < len(self.inbox)}

    def _item(self, kind: str, id: str) -> dict[str, Any]:
        if (kind, id) not in self.items:
            raise Problem(404, "not_found")
        return self.items[kind, id]

    def _put(
        self, kind: str, id: str, request: Request, now: datetime, facts: list[Effect]
    ) -> tuple[int, dict[str, Any]]:
        value = json.loads(request.body)
        mark, key, version = hashlib.sha256(request.body).hexdigest(), value.get("key"), value["version"]
        item = self.items.get((kind, id))
        if item and key in item["keys"]:
            if item["keys"][key][1] != mark:
                raise Problem(422, "key_reused")
            return 200, self._told(item)
        if item and version < item["version"]:
            raise Problem(409, "older_version", version=item["version"])
        if item and item["state"] == "withdrawn" and (value.get("correction") or version <= item["version"]):
            raise Problem(409, "withdrawn", version=item["version"])
        if item and version == item["version"] and value["body"] != item["body"]:
            raise Problem(409, "other_body", version=item["version"])
        if kind == "file":
            self._check_file(id, value["body"])
        facts.append({"kind": "item", "item": self._newer(kind, id, item, value, mark, now)})
        return (200 if item else 201), self._told(facts[-1]["item"])

    @staticmethod
    def _check_file(id: str, body: Mapping[str, Any]) -> None:
        content = base64.b64decode(body["data"])
        if hashlib.sha256(content).hexdigest() != id or body["size"] != len(content):
            raise Problem(422, "invalid", errors=[{"field": "data", "message": "内容与编号不符"}])

    def _newer(
        self, kind: str, id: str, item: dict[str, Any] | None, value: dict[str, Any], mark: str, now: datetime
    ) -> dict[str, Any]:
        before = item or {"keys": {}, "corrections": [], "published_at": written(now), "version": 0}
        note = (value.get("correction") or {}).get("note")
        new = value["version"] > before["version"]
        return {
            "kind": kind, "id": id, "version": value["version"], "state": "public", "body": value["body"],
            "published_at": before["published_at"],
            "updated_at": written(now) if new or item is None else item["updated_at"],
            "url": f"{PUBLIC}{PAGES[kind]}{id}" if kind in PAGES else None,
            "corrections": before["corrections"] + ([{"at": written(now), "note": note}] if note and new else []),
            "keys": {**before["keys"], **({value["key"]: (value["version"], mark)} if value.get("key") else {})},
        }  # fmt: skip

    @staticmethod
    def _told(item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in item.items() if name not in ("body", "keys", "corrections")}

    def _withdraw(
        self, item: dict[str, Any], query: Mapping[str, str], now: datetime, facts: list[Effect]
    ) -> dict[str, Any]:
        if item["state"] != "withdrawn":
            if int(query["version"]) < item["version"]:
                raise Problem(409, "older_version", version=item["version"])
            item = {**item, "state": "withdrawn", "withdrawn_at": written(now), "note": query["note"]}
            facts.append({"kind": "item", "item": item})
        return self._told(item)
