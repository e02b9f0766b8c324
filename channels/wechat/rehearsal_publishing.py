"""演练微信's 发布: a draft becomes a job, time gives its verdict, its articles are read and deleted; no 群发."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_drafts import Drafts, listed, told
from channels.wechat.rehearsal_rules import Act, Body, Call, Done, Refusal, Rules, made, moment, seconds
from channels.wechat.rehearsal_state import PUBLISHING, State, public, status_of, withdrawn

_STATUSES = range(7)
FIRST_PUBLISH, FIRST_DATA = 100_000_001, 2_247_483_651


def order_push(state: State, id: str, due: datetime, **more: Any) -> Effect:
    """The fact that something is to be pushed; an order for the next push (doubled, held back) is carried out on it."""
    order = state.push_orders[0] if state.push_orders else {}
    due += timedelta(seconds=order.get("delay", 0))
    return {
        "kind": "push", "id": id, "due": due.isoformat(), "next": due.isoformat(),
        "copies": 1 + order.get("copies", 0), "ordered": bool(order), **more,
    }  # fmt: skip


@dataclass
class Publishing:
    """Jobs and what they made public."""

    seed: str
    state: State
    rules: Rules
    drafts: Drafts

    def acts(self) -> dict[str, Act]:
        acts = {
            "submit": self.submit, "get": self.get, "getarticle": self.article, "batchget": self.several,
            "delete": self.remove,
        }  # fmt: skip
        return {f"/cgi-bin/freepublish/{name}": Act(act, certified=True) for name, act in acts.items()}

    def publication(self, call: Call, key: str, draft: Mapping[str, Any], act: str, until: datetime) -> Body:
        """What a job of 发布 or 群发 is made of; the caller adds its own."""
        name = f"{act}/{self.state.salt(call.now)}"
        number = len(self.state.publications)
        articles = draft["articles"]
        pages = [f"/s/{made(self.seed, f'{name}/page/{place}')[:22]}" for place in range(len(articles))]
        return {
            "kind": "publication", "key": key, "act": act, "draft": draft.get("media_id", ""), "articles": articles,
            "article_id": made(self.seed, name + "/article"), "msg_data_id": FIRST_DATA + number,
            "at": call.now.isoformat(), "until": until.isoformat(), "base": call.base, "pages": pages,
            "verdict": 0, "fail_idx": [], "late": None, "late_seconds": self.rules.late.total_seconds(),
            "draft_returns": self.rules.failed_draft_returns,
        }  # fmt: skip

    def submit(self, call: Call) -> Done:
        draft = self.drafts.one(call)
        order = self.state.verdicts[0] if self.state.verdicts else {}
        verdict = call.code or order.get("status", 0)
        key = str(FIRST_PUBLISH + len(self.state.publications))
        until = call.now + timedelta(seconds=order.get("seconds", self.rules.verdict.total_seconds()))
        fact = self.publication(call, key, draft, "publish", until)
        failing = list(range(1, len(draft["articles"]) + 1)) if verdict in (2, 4) else []
        fact |= {
            "verdict": verdict, "fail_idx": order.get("fail_idx", failing), "ordered": bool(order),
            "late_seconds": order.get("late_seconds", fact["late_seconds"]),
        }  # fmt: skip
        body: Body = {"errcode": 0, "errmsg": "ok", "publish_id": key}
        if self.state.switches.get("returns_msg_data_id", self.rules.returns_msg_data_id):
            body["msg_data_id"] = str(fact["msg_data_id"])  # a text by its page, a number in 群发
        return body, [fact, order_push(self.state, f"publish-{key}", until, ref=key)]

    # Looking

    def job(self, publication: Mapping[str, Any], now: datetime) -> Body:
        """What is told of a job, by query and by event."""
        status = status_of(publication, now)
        body: Body = {"publish_id": publication["key"], "publish_status": status, "fail_idx": []}
        if status in (2, 3, 4):
            body["fail_idx"] = publication["fail_idx"]
        if status == 0:
            urls = [publication["base"] + path for path in publication["pages"]]
            items = [{"idx": place, "article_url": url} for place, url in enumerate(urls, 1)]
            body["article_id"] = publication["article_id"]
            body["article_detail"] = {"count": len(items), "item": items}
        return body

    def get(self, call: Call) -> Done:
        publication = self.state.publications.get(call.text("publish_id"))
        if publication is None or publication["act"] != "publish":
            raise Refusal(40035)  # open: the documentation names no code
        return self.job(publication, call.now), []

    def _one(self, call: Call) -> dict[str, Any]:
        key = self.state.by_article.get(call.text("article_id", 53600), "")
        publication = self.state.publications.get(key)
        if publication is None or publication["act"] != "publish" or not public(publication, call.now):
            raise Refusal(53600)
        return publication

    def _items(self, publication: Mapping[str, Any], now: datetime, *, content: bool) -> Body:
        items = [
            {
                **told(article, publication["base"] + publication["pages"][place], content=content),
                "is_deleted": withdrawn(publication, place, now),
            }
            for place, article in enumerate(publication["articles"])
        ]
        at = seconds(publication["until"])
        return {"news_item": items, "create_time": at, "update_time": at}

    def article(self, call: Call) -> Done:
        return {"news_item": self._items(self._one(call), call.now, content=True)["news_item"]}, []

    def several(self, call: Call) -> Done:
        content = not call.number("no_content", 0)
        found = [p for p in self.state.publications.values() if p["act"] == "publish" and public(p, call.now)]
        rows = [
            {
                "article_id": publication["article_id"],
                "content": self._items(publication, call.now, content=content),
                "update_time": seconds(publication["until"]),
            }
            for publication in reversed(found)
        ]
        return listed(call, rows), []

    # Undoing

    def remove(self, call: Call) -> Done:
        publication = self._one(call)
        return {"errcode": 0, "errmsg": "ok"}, [removed(publication, call.number("index", 0))]

    # Orders

    def order(self, body: Mapping[str, Any], now: datetime) -> list[Effect]:
        """The verdict of the next jobs, or of the one named by `post`; ValueError (Chinese) when it means nothing."""
        status = body.get("status", 0)
        if status not in _STATUSES:
            raise ValueError("status 应为 0 到 6")
        if "post" not in body:
            known = ("fail_idx", "seconds", "late_seconds")
            given = {name: body[name] for name in known if name in body}
            return [{"kind": "verdict_order", "status": status, "times": int(body.get("times", 1)), **given}]
        publication = self.state.find(str(body["post"]))
        if publication is None:
            raise ValueError("post 应为 article_id 或 publish_id")
        fact: Body = {"kind": "turned", "key": publication["key"]}
        if status_of(publication, now) == PUBLISHING:
            until = min(moment(publication["until"]), now).isoformat()
            return [fact | {"verdict": status, "until": until, "fail_idx": body.get("fail_idx", [])}]
        return [fact | {"late": {"status": status, "at": now.isoformat()}}]


def removed(publication: Mapping[str, Any], index: int) -> Effect:
    """The fact of a deletion; the first article is 1, and 0 deletes them all."""
    everything = len(publication["articles"])
    if not 0 <= index <= everything:
        raise Refusal(40114)
    gone = [index] if index else list(range(1, everything + 1))
    return {"kind": "turned", "key": publication["key"], "deleted": sorted({*publication["deleted"], *gone})}
