"""演练推送: JPush v3's own rules as a pure object, after its public documentation; nothing of the connector.

One local server stands for the platform's three hosts. The independent client jpush 3.4.1 is held to it in the tests.
"""

from __future__ import annotations

import hmac
import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.exchange import Answer, Request
from channels.ledger import Effect
from channels.push.rehearsal_rules import (
    PLATFORMS,
    Act,
    App,
    Body,
    Call,
    Refusal,
    Rules,
    State,
    as_json,
    basic,
    check_audience,
    check_push,
    made,
    moment,
    reached,
)

_MOST = 100  # message numbers in one question, and tags in one answer


class PushPlatform:
    """One local JPush with a free and a paid app, and as many phones as were registered. `seed` makes the secrets."""

    def __init__(self, seed: str = "rehearsal", rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._state = State()
        self._seed = seed
        self._apps = {app.key: app for app in (self._app("free"), self._app("vip"))}

    def _app(self, name: str) -> App:
        return App(made(self._seed, f"{name}/key")[:24], made(self._seed, f"{name}/secret")[:24], name == "vip")

    # What the stage around it needs

    def birth(self, now: datetime) -> list[Effect]:
        """A new platform has apps and no phone."""
        return [{"kind": "born"}]

    def accounts(self) -> list[dict[str, Any]]:
        return [
            {"tier": "vip" if app.vip else "free", "app_key": app.key, "master_secret": app.secret}
            for app in self._apps.values()
        ]

    def posts(self, now: datetime) -> list[dict[str, Any]]:
        """The pushes that truly went out, each with how many phones it was for."""
        return [
            {
                "id": id, "title": push["title"], "text": push["text"], "at": push["at"], "withdrawn": False,
                "phones": len(push["devices"]), "extras": push["extras"],
            }
            for id, push in self._state.pushes.items()
        ]  # fmt: skip

    def speak(self, said: Mapping[str, Any], now: datetime) -> tuple[str, list[Effect]]:
        """A phone is registered: `{"device"?, "platform"?, "tags"?, "alias"?, "app"?: an app_key}`."""
        kind = str(said.get("platform") or "android")
        if kind not in PLATFORMS:
            raise ValueError("platform 应为以下之一：" + "、".join(PLATFORMS))
        app = str(said.get("app") or next(iter(self._apps)))
        if app not in self._apps:
            raise ValueError("app 应为演练平台的一个 app_key")
        number = len(self._state.devices) + 1
        id = str(said.get("device") or made(self._seed, f"device/{number}")[:19])
        tags = [str(tag) for tag in said.get("tags") or ()]
        return id, [self._device(app, id, kind, tags, str(said.get("alias") or ""))]

    @staticmethod
    def _device(app: str, id: str, kind: str, tags: list[str], alias: str) -> Effect:
        return {"kind": "device", "app": app, "id": id, "platform": kind, "tags": tags, "alias": alias}

    def page(self, now: datetime) -> str:
        rows = "".join(
            f"<article><h2>{html.escape(post['title'])}</h2><p>{html.escape(post['text'])}</p>"
            f"<small>{post['at']}，{post['phones']} 台手机</small></article>"
            for post in reversed(self.posts(now))
        )
        return (
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>演练推送</title><h1>演练推送</h1>'
            f"<p>本页是演练用的本地平台，不是真实推送。已登记 {len(self._state.devices)} 台手机。</p>"
            + (rows or "<p>还没有推送。</p>")
            + "</html>"
        )

    def apply(self, effect: Effect) -> None:
        state, kind = self._state, effect["kind"]
        if kind == "device":
            state.devices[effect["app"], effect["id"]] = dict(effect)
        elif kind == "cid":
            state.cids[effect["cid"]] = effect
        elif kind == "push":
            state.pushes[effect["id"]] = dict(effect)
            state.last_id = int(effect["id"])
            if effect["cid"]:
                state.firsts[effect["cid"]] = effect["id"]
        elif kind == "call":
            state.calls[effect["slot"]] = state.calls.get(effect["slot"], 0) + 1

    # Requests

    def handle(self, request: Request, now: datetime, code: int = 0) -> tuple[Answer, list[Effect]]:
        effects: list[Effect] = []
        rates: dict[str, str] = {}
        try:
            call = Call(request, self._admit(request), now, code)
            group, act = self._find(call)
            rates = self._counted(call, group, effects)
            if int(rates["x-rate-limit-remaining"]) < 0:
                rates["x-rate-limit-remaining"] = "0"
                raise Refusal(2002)
            if code:
                raise Refusal(code, "ordered")
            body, facts = act(call)
            answer = as_json(200, body)
        except Refusal as refusal:
            facts = []
            answer = as_json(refusal.status, {"error": {"code": refusal.code, "message": refusal.text}})
        return Answer(answer.status, {**answer.headers, **rates}, answer.body), [*effects, *facts]

    def _admit(self, request: Request) -> App:
        pair = basic(request)
        if pair is None:
            raise Refusal(1004)
        app = self._apps.get(pair[0])
        if app is None:
            raise Refusal(1008)
        if not hmac.compare_digest(app.secret.encode(), pair[1].encode()):
            raise Refusal(1004)
        return app

    def _find(self, call: Call) -> tuple[str, Act]:
        parts, method = call.request.path.strip("/").split("/"), call.request.method
        whole = "/".join(parts)
        fixed: dict[str, tuple[str, str, Act]] = {
            "v3/push": ("POST", "push", self._push),
            "v3/push/validate": ("POST", "push", self._validate),
            "v3/push/cid": ("GET", "push", self._give_cids),
            "v3/received/detail": ("GET", "report", self._received),
            "v3/received": ("GET", "report", self._received),
            "v3/status/message": ("POST", "report", self._message_states),
            "v3/messages/detail": ("GET", "report", self._vip_only),
            "v3/devices/status": ("POST", "device", self._vip_only),
            "v3/tags": ("GET", "device", self._list_tags),
        }
        if whole in fixed:
            needed, group, act = fixed[whole]
            if method != needed:
                raise Refusal(1001)
            return group, act
        named: dict[tuple[str, str], Act] = {
            ("devices", "GET"): self._show_device,
            ("devices", "POST"): self._change_device,
            ("aliases", "GET"): self._show_alias,
            ("aliases", "DELETE"): self._delete_alias,
        }
        if len(parts) == 3 and parts[0] == "v3" and (parts[1], method) in named:
            return "device", named[parts[1], method]
        raise Refusal(1003, "path")

    def _counted(self, call: Call, group: str, effects: list[Effect]) -> dict[str, str]:
        """The rate headers, under both of their documented names; every call counts, also one that is then refused."""
        minute, second = divmod(int(call.now.timestamp()), 60)
        slot = f"{call.app.key}/{group}/{minute}"
        limit, used = self._rules.rates[group], self._state.calls.get(slot, 0) + 1
        effects.append({"kind": "call", "slot": slot})
        return {
            "x-rate-limit-limit": str(limit), "x-rate-limit-quota": str(limit),
            "x-rate-limit-remaining": str(limit - used), "x-rate-limit-reset": str(60 - second),
        }  # fmt: skip

    # Pushes

    def _push(self, call: Call) -> tuple[Body, list[Effect]]:
        body = call.json
        cid = self._cid_of(body, call)
        if cid in self._state.firsts:
            return self._told(self._state.pushes[self._state.firsts[cid]]), []
        devices = self._checked(body, call)
        words, message = body.get("notification") or {}, body.get("message") or {}
        android = words.get("android") or {}
        fact: Effect = {
            "kind": "push", "id": str(self._state.last_id + 1), "cid": cid, "app": call.app.key,
            "at": call.now.isoformat(), "sendno": str((body.get("options") or {}).get("sendno") or 0),
            "title": str(android.get("title") or message.get("title") or ""),
            "text": str(android.get("alert") or words.get("alert") or message.get("msg_content") or ""),
            "extras": android.get("extras") or {}, "devices": [[one["platform"], one["id"]] for one in devices],
        }  # fmt: skip
        return self._told(fact), [fact]

    @staticmethod
    def _told(push: Mapping[str, Any]) -> Body:
        return {"sendno": push["sendno"], "msg_id": push["id"]}

    def _cid_of(self, body: Mapping[str, Any], call: Call) -> str:
        """The cid, where there is one. Open: one that was not given out, or too long ago, is an invalid value."""
        cid = str(body.get("cid") or "")
        known = self._state.cids.get(cid)
        if not cid:
            return ""
        if known is None or known["type"] != "push" or known["app"] != call.app.key:
            raise Refusal(1003, "cid")
        if call.now - moment(known["at"]) > self._rules.cid_life:
            raise Refusal(1003, "cid")
        return cid

    def _checked(self, body: Mapping[str, Any], call: Call) -> list[dict[str, Any]]:
        check_push(body, self._rules)
        found = reached(self._devices(call.app), body["platform"], body["audience"])
        if not found:
            raise Refusal(1011)
        return found

    def _devices(self, app: App) -> list[dict[str, Any]]:
        return [one for (key, _), one in self._state.devices.items() if key == app.key]

    def _validate(self, call: Call) -> tuple[Body, list[Effect]]:
        self._checked(call.json, call)
        return {"sendno": "0", "msg_id": "1"}, []

    def _give_cids(self, call: Call) -> tuple[Body, list[Effect]]:
        count, kind = call.request.query.get("count", "1"), call.request.query.get("type", "push")
        most = self._rules.cids_vip if call.app.vip else self._rules.cids
        if not count.isdecimal() or not 1 <= int(count) <= most or kind not in ("push", "schedule"):
            raise Refusal(1003, "count" if kind in ("push", "schedule") else "type")
        facts: list[Effect] = []
        for number in range(int(count)):
            mark = made(self._seed, f"cid/{len(self._state.cids) + number}")
            words = "-".join((mark[:8], mark[8:12], mark[12:16], mark[16:20], mark[20:32]))
            cid = f"{call.app.key}-{words}"
            at = call.now.isoformat()
            facts.append({"kind": "cid", "cid": cid, "app": call.app.key, "type": kind, "at": at})
        return {"cidlist": [fact["cid"] for fact in facts]}, facts

    # Reports

    def _vip_only(self, call: Call) -> tuple[Any, list[Effect]]:
        raise Refusal(2006)

    def _received(self, call: Call) -> tuple[Any, list[Effect]]:
        """How many phones had it by now: a number that grows for a while; null where no such phone was meant."""
        ids = [id for id in call.request.query.get("msg_ids", "").split(",") if id]
        if not 0 < len(ids) <= _MOST:
            raise Refusal(1003, "msg_ids")
        return [self._report(self._state.pushes[id], call) for id in ids if self._is_kept(id, call)], []

    def _is_kept(self, id: str, call: Call) -> bool:
        push = self._state.pushes.get(id)
        if push is None or push["app"] != call.app.key:
            return False
        return call.now - moment(push["at"]) <= self._rules.reports

    def _report(self, push: Mapping[str, Any], call: Call) -> Body:
        def had(*kinds: str) -> int | None:
            return self._had(push, kinds, call.now)

        meant = {kind for kind, _ in push["devices"]}
        apple = sum(kind == "ios" for kind, _ in push["devices"]) if "ios" in meant else None
        return {
            "msg_id": push["id"], "jpush_received": had("android"), "android_pns_sent": None,
            "android_pns_received": None, "ios_apns_sent": apple, "ios_apns_received": had("ios"),
            "ios_msg_received": None, "live_acivity_sent": None, "live_acivity_received": None,
            "wp_mpns_sent": None, "quickapp_jpush_received": had("quickapp"), "quickapp_pns_sent": None,
            "hmos_hmpns_sent": None, "hmos_hmpns_received": had("hmos"),
        }  # fmt: skip

    def _had(self, push: Mapping[str, Any], kinds: tuple[str, ...], now: datetime) -> int | None:
        meant = [id for kind, id in push["devices"] if kind in kinds]
        share = min(1.0, (now - moment(push["at"])) / self._rules.slow)
        return int(len(meant) * share) if meant else None

    def _message_states(self, call: Call) -> tuple[Any, list[Effect]]:
        body = call.json
        push = self._state.pushes.get(str(body.get("msg_id") or ""))
        ids = body.get("registration_ids")
        if push is None or not isinstance(ids, list) or not 0 < len(ids) <= 1000:
            raise Refusal(1003, "registration_ids" if push else "msg_id")
        meant = {id for _, id in push["devices"]}
        there = call.now - moment(push["at"]) >= self._rules.slow
        states = {
            str(id): (0 if there else 1) if id in meant else 3 if (call.app.key, id) in self._state.devices else 2
            for id in ids
        }
        return {id: {"status": state} for id, state in states.items()}, []

    # Devices

    def _device_of(self, call: Call) -> dict[str, Any]:
        found = self._state.devices.get((call.app.key, call.part(2)))
        if found is None:
            raise Refusal(7002, "registration_id")
        return found

    def _show_device(self, call: Call) -> tuple[Any, list[Effect]]:
        one = self._device_of(call)
        return {"tags": one["tags"], "alias": one["alias"], "mobile": ""}, []

    def _change_device(self, call: Call) -> tuple[Any, list[Effect]]:
        one, body = self._device_of(call), call.json
        change = body.get("tags") if "tags" in body else {}
        if change == "":
            tags: list[str] = []
        elif isinstance(change, dict) and all(len(change.get(name) or ()) <= 100 for name in ("add", "remove")):
            gone = set(change.get("remove") or ())
            tags = [tag for tag in dict.fromkeys([*one["tags"], *(change.get("add") or ())]) if tag not in gone]
        else:
            raise Refusal(7002, "tags")
        alias = str(body.get("alias", one["alias"]))
        return None, [self._device(call.app.key, one["id"], one["platform"], tags, alias)]

    def _list_tags(self, call: Call) -> tuple[Any, list[Effect]]:
        tags = {tag for one in self._devices(call.app) for tag in one["tags"]}
        return {"tags": sorted(tags)[:_MOST]}, []

    def _with_alias(self, call: Call) -> list[dict[str, Any]]:
        check_audience({"alias": [call.part(2)]})
        return [one for one in self._devices(call.app) if one["alias"] == call.part(2)]

    def _show_alias(self, call: Call) -> tuple[Any, list[Effect]]:
        return {"registration_ids": [one["id"] for one in self._with_alias(call)]}, []

    def _delete_alias(self, call: Call) -> tuple[Any, list[Effect]]:
        return None, [
            self._device(call.app.key, one["id"], one["platform"], one["tags"], "") for one in self._with_alias(call)
        ]
