"""演练微博's OAuth2: its made-up apps, codes and tokens; what a token may then do lives in rehearsal.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from channels.ledger import Effect
from channels.weibo.rehearsal_rules import TIERS, App, Body, Call, Refusal, State, moment


def made(seed: str, what: str) -> str:
    """64 hexadecimal digits that look like chance and are the same for the same seed."""
    return hashlib.sha256(f"{seed}/{what}".encode()).hexdigest()


@dataclass
class Oauth:
    """The platform's authorisation for one official account, one app for each tier."""

    seed: str
    uid: str
    state: State
    code_life: timedelta
    apps: dict[str, App] = field(init=False)

    def __post_init__(self) -> None:
        self.apps = {app.id: app for app in (self._app(tier) for tier in TIERS)}

    def _app(self, tier: str) -> App:
        id = str(int(made(self.seed, "app" + tier)[:8], 16)).zfill(10)
        return App(id, made(self.seed, "secret" + tier)[:32], "http://127.0.0.1/oauth/back", tier)

    def token(self, app: App, uid: str, now: datetime, salt: str) -> Effect:
        until = now + TIERS[app.tier].life
        text = "2.00" + made(self.seed, f"token/{app.id}/{uid}/{salt}")[:28]
        return {
            "kind": "token", "token": text, "uid": uid, "app": app.id,
            "at": now.isoformat(), "until": until.isoformat(),
        }  # fmt: skip

    def authorize(self, call: Call) -> tuple[Body, list[Effect]]:
        app = self.apps.get(call.need("client_id"))
        if app is None:
            raise Refusal(21324)
        if call.need("redirect_uri") != app.redirect_uri:
            raise Refusal(21322)
        if call.form.get("response_type", "code") != "code":
            raise Refusal(21329)
        code = made(self.seed, f"code/{app.id}/{len(self.state.codes)}")[:32]
        query = urlencode({"code": code, **({"state": call.form["state"]} if "state" in call.form else {})})
        fact: Effect = {"kind": "code", "code": code, "app": app.id, "at": call.now.isoformat()}
        return {"location": f"{app.redirect_uri}?{query}"}, [fact]

    def access_token(self, call: Call) -> tuple[Body, list[Effect]]:
        app = self.apps.get(call.need("client_id"))
        if app is None or call.need("client_secret") != app.secret:
            raise Refusal(21324)
        if call.need("grant_type") != "authorization_code":
            raise Refusal(21328)
        if call.need("redirect_uri") != app.redirect_uri:
            raise Refusal(21322)
        fact = self.state.codes.get(call.need("code"))
        fresh = fact is not None and moment(fact["at"]) + self.code_life > call.now
        if fact is None or not fresh or fact["app"] != app.id or fact["code"] in self.state.used:
            raise Refusal(21325)
        token = self.token(app, self.uid, call.now, fact["code"])
        seconds = int(TIERS[app.tier].life.total_seconds())
        body: Body = {
            "access_token": token["token"], "remind_in": str(seconds), "expires_in": seconds, "uid": self.uid,
            "isRealName": "true",
        }  # fmt: skip
        return body, [token, {"kind": "code_used", "code": fact["code"]}]

    def token_info(self, call: Call) -> tuple[Body, list[Effect]]:
        token = self.state.tokens.get(call.need("access_token"))
        if token is None:
            raise Refusal(21332)
        if token.get("revoked"):
            raise Refusal(21316)
        left = int((moment(token["until"]) - call.now).total_seconds())
        if left <= 0:
            raise Refusal(21327)
        at = int(moment(token["at"]).timestamp())
        return {"uid": int(token["uid"]), "appkey": token["app"], "scope": None, "create_at": at, "expire_in": left}, []

    def revoke(self, call: Call) -> tuple[Body, list[Effect]]:
        token = call.need("access_token")
        if token not in self.state.tokens:
            raise Refusal(21332)
        return {"result": "true"}, [{"kind": "revoked", "token": token}]
