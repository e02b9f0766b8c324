"""演练微信's 群发: quota, the administrator's confirmation, doubles by clientmsgid, the finished event; no 发布."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_drafts import Drafts
from channels.wechat.rehearsal_messages import Messages
from channels.wechat.rehearsal_publishing import Publishing, order_push, removed
from channels.wechat.rehearsal_rules import Act, Body, Call, Done, Refusal, Rules, day, moment, words
from channels.wechat.rehearsal_state import PUBLISHING, State, failed, status_of

FIRST_MASS = 1_000_000_001
_REFUSED, _TOO_LATE = 40001, 40002  # from memory: err(n) when the administrator says no, or nothing
_TWICE = timedelta(hours=24)
_STATUS = {0: "SEND_SUCCESS", 1: "SENDING", 5: "DELETE", 6: "SEND_FAIL"}


@dataclass
class Mass:
    """Sending to every follower."""

    seed: str
    state: State
    rules: Rules
    drafts: Drafts
    publishing: Publishing
    messages: Messages

    def acts(self) -> dict[str, Act]:
        acts = {
            "sendall": self.send_all, "send": self.send, "preview": self.preview, "get": self.get,
            "delete": self.remove,
        }  # fmt: skip
        return {f"/cgi-bin/message/mass/{name}": Act(act, certified=True) for name, act in acts.items()}

    def send_all(self, call: Call) -> Done:
        audience = call.body.get("filter")
        if not isinstance(audience, dict):
            raise Refusal(47001)
        return self._sent(call, audience, everyone=audience.get("is_to_all") is True)

    def send(self, call: Call) -> Done:
        people = call.body.get("touser")
        if not isinstance(people, list) or not all(isinstance(one, str) for one in people):
            raise Refusal(47001)
        if not 2 <= len(people) <= 10_000:
            raise Refusal(40130)
        if not any(one in self.state.users for one in people):
            raise Refusal(40003)
        return self._sent(call, sorted(people), everyone=False)

    def _sent(self, call: Call, audience: Any, *, everyone: bool) -> Done:
        kind, own = call.text("msgtype", 40008), self._own(call, audience)
        known = self.state.publications.get(self.state.by_client.get(own, ""))
        if known and moment(known["at"]) + _TWICE > call.now:
            raise Refusal(45065, beside={"msg_id": int(known["key"])})
        draft = self._draft(call, kind)
        self._within(call.now, everyone=everyone)
        number = FIRST_MASS + len(self.state.publications)
        waits = bool(self.state.switches.get("mass_protected", self.rules.mass_protected))
        until = call.now + (self.rules.mass_confirm if waits else self.rules.mass_delay)
        fact = self.publishing.publication(call, str(number), draft, "mass", until)
        fact |= {
            "clientmsgid": own, "everyone": everyone, "waits": waits, "msgtype": kind,
            "verdict": 3 if waits else 0, "error": _TOO_LATE if waits else 0, "text": draft.get("text", ""),
        }  # fmt: skip
        body: Body = {"errcode": 0, "errmsg": "send job submission success", "msg_id": number}
        if kind == "mpnews":
            body["msg_data_id"] = fact["msg_data_id"]
        return body, [fact, order_push(self.state, f"mass-{number}", until, ref=str(number))]

    def _own(self, call: Call, audience: Any) -> str:
        """The caller's own id of the sending; without one, the platform takes a digest of audience and content."""
        own = words(call.body.get("clientmsgid"))
        if len(own) > self.rules.clientmsgid:
            raise Refusal(45067)
        content = call.body.get(call.text("msgtype", 40008))
        digest = hashlib.sha256(json.dumps([audience, content], sort_keys=True).encode()).hexdigest()
        return own or digest

    def _draft(self, call: Call, kind: str) -> Mapping[str, Any]:
        if kind != "mpnews":
            return {"articles": [], "text": self.messages.content(call, kind)}
        given = call.body.get(kind)
        if not isinstance(given, dict):
            raise Refusal(47001)
        draft = self.state.draft(words(given.get("media_id")), call.now)
        if draft is None:
            raise Refusal(40007)
        return draft

    def _within(self, now: datetime, *, everyone: bool) -> None:
        sent = [p for p in self.state.publications.values() if p["act"] == "mass" and not failed(p, now)]
        today = [p for p in sent if day(moment(p["at"])) == day(now)]
        if self.rules.kind == "subscription":
            spent = len(today) >= self.rules.mass_day
        else:
            month = [p for p in sent if day(moment(p["at"]))[:7] == day(now)[:7]]
            again = everyone and sum(p["everyone"] for p in today) >= self.rules.mass_day
            spent = again or len(month) >= self.rules.mass_month
        if spent:
            raise Refusal(45028)

    def preview(self, call: Call) -> Done:
        openid, kind = call.text("touser" if "touser" in call.body else "towxname", 40003), call.text("msgtype", 40008)
        user = self.state.users.get(openid) or next(
            (row for row in self.state.users.values() if row["author"] == openid), None
        )
        if user is None:
            raise Refusal(40003)
        draft = self._draft(call, kind)
        text = draft.get("text") or draft["articles"][0]["title"]
        heard: Effect = {
            "kind": "received", "openid": user["openid"], "author": user["author"], "text": text,
            "at": call.now.isoformat(), "via": "preview",
        }  # fmt: skip
        return {"errcode": 0, "errmsg": "preview success", "msg_id": FIRST_MASS - 1}, [heard]

    def _one(self, call: Call) -> dict[str, Any]:
        publication = self.state.publications.get(call.text("msg_id"))
        if publication is None or publication["act"] != "mass":
            raise Refusal(40035)  # open: the documentation names no code
        return publication

    def get(self, call: Call) -> Done:
        publication = self._one(call)
        status = _STATUS.get(status_of(publication, call.now), "SEND_FAIL")
        return {"msg_id": int(publication["key"]), "msg_status": status}, []

    def remove(self, call: Call) -> Done:
        publication = self._one(call)
        if status_of(publication, call.now) != 0:
            raise Refusal(40035)
        return {"errcode": 0, "errmsg": "ok"}, [removed(publication, call.number("article_idx", 0))]

    # The administrator

    def confirm(self, body: Mapping[str, Any], now: datetime) -> list[Effect]:
        """The administrator's word on a waiting sending; ValueError (Chinese) when none waits."""
        publication = self.state.publications.get(str(body.get("msg_id")))
        if publication is None or not publication.get("waits") or status_of(publication, now) != PUBLISHING:
            raise ValueError("msg_id 应为一条等待管理员确认的群发")
        agreed = body.get("confirm") is True
        until = now + self.rules.mass_delay if agreed else now
        fact: Effect = {
            "kind": "turned", "key": publication["key"], "waits": False, "until": until.isoformat(),
            "verdict": 0 if agreed else 3, "error": 0 if agreed else _REFUSED,
        }  # fmt: skip
        push = order_push(self.state, f"mass-{publication['key']}", until, ref=publication["key"])
        return [fact, push]

    def finished(self, publication: Mapping[str, Any], now: datetime) -> Body:
        """The fields of MASSSENDJOBFINISH."""
        well = not failed(publication, now)
        total = sum(bool(user["follows"]) for user in self.state.users.values())
        error = publication.get("error")
        status = "send success" if well else f"err({error})" if error else "send fail"
        urls = [publication["base"] + path for path in publication["pages"]] if well else []
        items = [{"ArticleIdx": place, "ArticleUrl": url} for place, url in enumerate(urls, 1)]
        return {
            "Event": "MASSSENDJOBFINISH", "MsgID": int(publication["key"]), "Status": status, "TotalCount": total,
            "FilterCount": total if well else 0, "SentCount": total if well else 0, "ErrorCount": 0,
            "CopyrightCheckResult": {"Count": 0, "ResultList": {}, "CheckState": 1},
            "ArticleUrlResult": {"Count": len(items), "ResultList": {"item": items} if items else {}},
        }  # fmt: skip
