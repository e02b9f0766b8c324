"""演练微信's door: made-up account, both kinds of token, address list, counters; not what an admitted call does."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any

from channels.ledger import Effect
from channels.wechat.rehearsal_rules import DAILY, MINUTE, Act, Body, Call, Done, Refusal, Rules, day, made, moment
from channels.wechat.rehearsal_state import State


@dataclass
class Account:
    """The made-up credentials of the one official account."""

    seed: str
    name: str
    appid: str = field(init=False)
    secret: str = field(init=False)
    original_id: str = field(init=False)
    callback_token: str = field(init=False)
    aes_key: str = field(init=False)

    def __post_init__(self) -> None:
        self.appid = "wx" + made(self.seed, "appid")[:16]
        self.secret = made(self.seed, "secret")[:32]
        self.original_id = "gh_" + made(self.seed, "original")[:12]
        self.callback_token = made(self.seed, "callback")[:24]
        self.aes_key = base64.b64encode(bytes.fromhex(made(self.seed, "aes"))).decode().rstrip("=")


def openid(seed: str, author: str) -> str:
    """The 28 characters by which the account knows a citizen."""
    return "o" + base64.urlsafe_b64encode(bytes.fromhex(made(seed, "citizen/" + author)))[:27].decode()


@dataclass
class Access:
    """Who may call, and how often."""

    account: Account
    state: State
    rules: Rules

    def acts(self) -> dict[str, Act]:
        return {
            "/cgi-bin/token": Act(self.token, "GET", open=True),
            "/cgi-bin/stable_token": Act(self.stable_token, open=True),
            "/cgi-bin/clear_quota": Act(self.clear),
            "/cgi-bin/clear_quota/v2": Act(self.clear_by_secret, form=True, open=True),
            "/cgi-bin/openapi/quota/get": Act(self.quota),
        }

    # What every call passes

    def admit(self, call: Call, act: Act) -> Effect:
        """The fact that counts this call; also one that is then refused by its act counts."""
        if not act.open:
            self._check_token(call)
        if act.certified and not self.switch("certified"):
            raise Refusal(48001)
        self._within(call)
        return {"kind": "call", "path": call.path, "at": call.now.isoformat()}

    def switch(self, name: str) -> Any:
        """A switch of the account: as ordered, else as the rules say."""
        return self.state.switches.get(name, getattr(self.rules, name, None))

    def _check_token(self, call: Call) -> None:
        text = call.query.get("access_token", "")
        if not text:
            raise Refusal(41001)
        token = self.state.tokens.get(text)
        if token is None:
            raise Refusal(40001 if len(text) > 100 else 40014)
        if moment(token["until"]) <= call.now:
            ended = moment(token["at"]) + self.rules.token_life <= call.now
            raise Refusal(42001 if ended else 40001)

    def daily(self, path: str) -> int:
        raised: Mapping[str, int] = self.state.switches.get("daily", {})
        return raised.get(path, self.rules.daily.get(path, DAILY.get(path, self.rules.daily_other)))

    def _within(self, call: Call) -> None:
        if call.path.startswith("/cgi-bin/clear_quota"):
            return
        minute, count = self.state.minutes.get(call.path, (0, 0))
        allowed = self.rules.minute.get(call.path, MINUTE.get(call.path, self.rules.minute_other))
        if minute == int(call.now.timestamp()) // 60 and count >= allowed:
            raise Refusal(45011)
        if self._used(call.path, call.now) >= self.daily(call.path):
            raise Refusal(45009)

    def _used(self, path: str, now: datetime) -> int:
        return self.state.days.get((path, day(now)), 0)

    # Tokens

    def token(self, call: Call) -> Done:
        self._check_app(call, call.query.get("grant_type"), call.query.get("appid"), call.query.get("secret"))
        fact = self._issue("token", call.now, overlap=call.now + self.rules.token_overlap)
        return self._told(fact, call.now), [fact]

    def stable_token(self, call: Call) -> Done:
        self._check_app(call, call.body.get("grant_type"), call.body.get("appid"), call.body.get("secret"))
        forced = call.body.get("force_refresh", False)
        if not isinstance(forced, bool):
            raise Refusal(47001)
        current = self.state.tokens.get(self.state.latest.get("stable_token", ""))
        if current is not None and moment(current["until"]) > call.now and not self._renews(current, forced, call.now):
            return self._told(current, call.now), []
        overlap = call.now if forced else None
        fact = self._issue("stable_token", call.now, overlap=overlap, forced=forced)
        return self._told(fact, call.now), [fact]

    def _renews(self, current: Effect, forced: bool, now: datetime) -> bool:
        """Whether a call for a stable token gets a new one although the old one still lives."""
        if not forced:
            return moment(current["until"]) - now <= self.rules.token_renewal
        if any(abs(now - moment(at)) < self.rules.forced_apart for at in self.state.forced):
            return False
        if sum(day(moment(at)) == day(now) for at in self.state.forced) >= self.rules.forced_a_day:
            raise Refusal(45009)
        return True

    def _check_app(self, call: Call, grant: Any, appid: Any, secret: Any) -> None:
        if call.address not in self.switch("whitelist"):
            raise Refusal(40164, call.address)
        if grant != "client_credential":
            raise Refusal(40002)
        self._check_secret(appid, secret)

    def _check_secret(self, appid: Any, secret: Any) -> None:
        if not appid:
            raise Refusal(41002)
        if not secret:
            raise Refusal(41004)
        if appid != self.account.appid:
            raise Refusal(40013)
        if not compare_digest(str(secret).encode(), self.account.secret.encode()):
            raise Refusal(40125)

    def _issue(self, way: str, now: datetime, overlap: datetime | None, forced: bool = False) -> Effect:
        number = len(self.state.tokens)
        text = f"{90 + number % 9}_" + "".join(made(self.account.seed, f"{way}/{number}/{n}") for n in (1, 2))[:133]
        return {
            "kind": "token", "way": way, "token": text, "at": now.isoformat(), "forced": forced,
            "until": (now + self.rules.token_life).isoformat(), "overlap": overlap.isoformat() if overlap else None,
        }  # fmt: skip

    @staticmethod
    def _told(token: Effect, now: datetime) -> Body:
        return {"access_token": token["token"], "expires_in": int((moment(token["until"]) - now).total_seconds())}

    # Counters

    def clear(self, call: Call) -> Done:
        if call.text("appid", 41002) != self.account.appid:
            raise Refusal(40013)
        return self._cleared(call.now)

    def clear_by_secret(self, call: Call) -> Done:
        given = {**call.query, **call.body}
        self._check_secret(given.get("appid"), given.get("appsecret"))
        return self._cleared(call.now)

    def _cleared(self, now: datetime) -> Done:
        if self.state.cleared.get(day(now)[:7], 0) >= self.rules.clears:
            raise Refusal(48006)
        return {"errcode": 0, "errmsg": "ok"}, [{"kind": "cleared", "at": now.isoformat()}]

    def quota(self, call: Call) -> Done:
        path = call.text("cgi_path", 76021)
        if path not in DAILY and path not in self.rules.daily:
            raise Refusal(76021)
        limit, used = self.daily(path), self._used(path, call.now)
        told = {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}
        return {"errcode": 0, "errmsg": "ok", "quota": told}, []
