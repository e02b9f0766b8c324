"""演练微信's comments under articles: open, close, list, elect, delete, answer; who may comment; not messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_rules import Act, Body, Call, Done, Refusal, Rules, seconds
from channels.wechat.rehearsal_state import State, public, withdrawn

_OK: Body = {"errcode": 0, "errmsg": "ok"}
_NONE: Body = {"total": 0, "comment": []}


@dataclass
class Comments:
    """Every article's comments; an article is (msg_data_id, place from 0)."""

    state: State
    rules: Rules

    def acts(self) -> dict[str, Act]:
        acts = {
            "open": self.open, "close": self.close, "list": self.several, "markelect": self.elect,
            "unmarkelect": self.unelect, "delete": self.remove, "reply/add": self.answer,
            "reply/delete": self.take_back,
        }  # fmt: skip
        return {f"/cgi-bin/comment/{name}": Act(act, certified=True) for name, act in acts.items()}

    def _article(self, call: Call) -> tuple[int, int]:
        if self.state.switches.get("comment_privilege") is False:
            raise Refusal(88000)
        data, index = call.body.get("msg_data_id"), call.number("index", 0)
        if not isinstance(data, int) or isinstance(data, bool):
            raise Refusal(47001)  # the page says number, and a number it must be
        publication = self.state.publications.get(self.state.by_data.get(data, ""))
        if publication is None or not public(publication, call.now) or (data, index) not in self.state.opened:
            raise Refusal(88001, beside=_NONE)
        if withdrawn(publication, index, call.now):
            raise Refusal(88001, beside=_NONE)
        return data, index

    def _one(self, call: Call) -> dict[str, Any]:
        rows = self.state.comments.get(self._article(call), {})
        row = rows.get(call.number("user_comment_id", 0))
        if row is None or row.get("gone") == "account":
            raise Refusal(88008)
        if row.get("gone"):
            raise Refusal(88004)
        return row

    @staticmethod
    def _changed(row: Mapping[str, Any], **values: Any) -> Done:
        place = {name: row[name] for name in ("data", "index", "id")}
        return dict(_OK), [{"kind": "comment_changed", **place, "set": values}]

    def _opened(self, call: Call, so: bool) -> Done:
        data, index = self._article(call)
        return dict(_OK), [{"kind": "comments_open", "data": data, "index": index, "open": so}]

    def open(self, call: Call) -> Done:
        return self._opened(call, True)

    def close(self, call: Call) -> Done:
        return self._opened(call, False)

    def several(self, call: Call) -> Done:
        article = self._article(call)
        if "begin" not in call.body or "count" not in call.body:
            raise Refusal(47001)
        begin, count, kind = call.number("begin", 0), call.number("count", 0), call.number("type", 0)
        if not 1 <= count <= self.rules.comment_page or begin < 0:
            raise Refusal(88010)
        rows = [row for row in self.state.comments.get(article, {}).values() if not row.get("gone")]
        rows = [row for row in rows if kind == 0 or bool(row["elected"]) == (kind == 2)]
        rows.sort(key=lambda row: (seconds(row["at"]), row["id"]), reverse=True)
        return {**_OK, "total": len(rows), "comment": [_told(row) for row in rows[begin : begin + count]]}, []

    def elect(self, call: Call) -> Done:
        row = self._one(call)
        rows = self.state.comments[row["data"], row["index"]].values()
        if sum(bool(other["elected"]) for other in rows) >= self.rules.elected:
            raise Refusal(88003)
        return self._changed(row, elected=True)

    def unelect(self, call: Call) -> Done:
        return self._changed(self._one(call), elected=False)

    def remove(self, call: Call) -> Done:
        return self._changed(self._one(call), gone="account")

    def answer(self, call: Call) -> Done:
        row, text = self._one(call), call.text("content", 88007)
        if not text.strip() or len(text) > self.rules.reply:
            raise Refusal(88007)
        if row.get("reply"):
            raise Refusal(88005)
        body, facts = self._changed(row, reply={"content": text, "create_time": int(call.now.timestamp())})
        heard: Effect = {
            "kind": "received", "openid": row["openid"], "author": row["author"], "text": text,
            "at": call.now.isoformat(), "via": "comment",
        }  # fmt: skip
        return body, [*facts, heard]

    def take_back(self, call: Call) -> Done:
        row = self._one(call)
        if not row.get("reply"):
            raise Refusal(88008)  # open: the documentation names no code
        return self._changed(row, reply=None)

    # Citizens

    def said(self, publication: Mapping[str, Any], place: int, told: Mapping[str, Any], now: datetime) -> Effect:
        """The fact of a citizen's comment; ValueError (Chinese) when it cannot be made."""
        if not 0 <= place < len(publication["articles"]) or not public(publication, now):
            raise ValueError("这篇文章还没有发布")
        if withdrawn(publication, place, now):
            raise ValueError("这篇文章已经撤下")
        article = (publication["msg_data_id"], place)
        if not self.state.opened[article]:
            raise ValueError("这篇文章没有开放留言")
        fans = publication["articles"][place].get("only_fans_can_comment")
        if fans and not self.state.users.get(told["openid"], {}).get("follows", True):
            raise ValueError("这篇文章只有关注者可以留言")
        id = max(self.state.comments.get(article, {0: {}}), default=0) + 1
        return {
            "kind": "comment", "data": article[0], "index": place, "id": id, "elected": False, "reply": None, **told,
        }  # fmt: skip

    def retracted(self, publication: Mapping[str, Any], place: int, id: int) -> Effect:
        """The fact that a citizen took a comment back; ValueError when there is none."""
        row = self.state.comments.get((publication["msg_data_id"], place), {}).get(id)
        if row is None:
            raise ValueError("没有这条留言")
        return self._changed(row, gone="user")[1][0]


def _told(row: Mapping[str, Any]) -> Body:
    body: Body = {
        "user_comment_id": row["id"], "openid": row["openid"], "create_time": seconds(row["at"]),
        "content": row["text"], "comment_type": int(bool(row["elected"])),
    }  # fmt: skip
    if row.get("nameless"):
        del body["openid"]
    if row["reply"]:
        body["reply"] = row["reply"]
    return body
