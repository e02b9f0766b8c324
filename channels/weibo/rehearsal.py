"""演练微博: the platform's own rules as a pure object, after its public documentation; nothing of the connector.

There is no independent client that this could be held to; the fixtures in tests/fixtures/weibo name the page and the
day each shape was read.
"""

from __future__ import annotations

import html
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from channels.exchange import Answer, Request
from channels.ledger import Effect
from channels.weibo.rehearsal_oauth import Oauth, made
from channels.weibo.rehearsal_rules import (
    CHINA,
    FORBIDDEN,
    MAGIC,
    TIERS,
    TOPIC,
    URL,
    Act,
    Body,
    Call,
    Refusal,
    Rules,
    State,
    Tier,
    as_json,
    length,
    moment,
    multipart,
    shown,
    written,
)


class WeiboPlatform:
    """One local 微博 with one official account and as many citizens as speak.

    `seed` makes the made-up credentials; `domains` are the approved domains of its apps.
    """

    def __init__(
        self,
        seed: str = "rehearsal",
        domains: Sequence[str] = ("www.yunchuan.example", "localhost", "127.0.0.1"),
        name: str = "云川发布",
        rules: Rules | None = None,
    ) -> None:
        self._seed, self._domains, self._name = seed, tuple(domains), name
        self._rules = rules or Rules()
        self._state = State()
        self._uid = "1" + str(int(made(self._seed, "uid")[:8], 16)).zfill(10)[:9]
        self._oauth = Oauth(seed, self._uid, self._state, self._rules.code_life)
        self._apps = self._oauth.apps

    # What the stage around it needs

    def birth(self, now: datetime) -> list[Effect]:
        facts: list[Effect] = [{"kind": "user", "uid": self._uid, "name": self._name}]
        return facts + [self._oauth.token(app, self._uid, now, "birth") for app in self._apps.values()]

    def accounts(self) -> list[dict[str, Any]]:
        rows = []
        for token, fact in self._state.tokens.items():
            app = self._apps[fact["app"]]
            rows.append(
                {
                    "tier": app.tier, "client_id": app.id, "client_secret": app.secret,
                    "redirect_uri": app.redirect_uri, "access_token": token, "expires_at": fact["until"],
                    "uid": fact["uid"], "name": self._state.users[fact["uid"]], "domains": list(self._domains),
                    "rip": "127.0.0.1",
                }
            )  # fmt: skip
        return rows

    def posts(self, now: datetime) -> list[dict[str, Any]]:
        return [
            {
                "id": str(id), "text": post["text"], "at": post["at"], "withdrawn": bool(post.get("withdrawn")),
                "delayed": moment(post["visible"]) > now, "picture": post["picture"],
            }
            for id, post in self._state.posts.items()
        ]  # fmt: skip

    def speak(self, said: Mapping[str, Any], now: datetime) -> tuple[str, list[Effect]]:
        post = self._state.posts.get(int(said.get("post") or 0))
        if post is None:
            raise ValueError("post 应为一条已发布微博的 id")
        text, name = str(said.get("text") or ""), str(said.get("author") or "热心市民")
        if not text.strip():
            raise ValueError("text 不能为空")
        uid = str(said.get("author_id") or "5" + str(int(made(self._seed, "citizen/" + name)[:8], 16)).zfill(10)[:9])
        facts: list[Effect] = [] if uid in self._state.users else [{"kind": "user", "uid": uid, "name": name}]
        comment = self._comment(int(said["post"]), uid, text, moment(said["at"]) if said.get("at") else now, None)
        return str(comment["id"]), [*facts, comment]

    def page(self, now: datetime) -> str:
        rows = "".join(self._row(id, post, now) for id, post in sorted(self._state.posts.items(), reverse=True))
        return (
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>演练微博</title>'
            f"<h1>演练微博 · {html.escape(self._name)}</h1><p>本页是演练用的本地平台，不是真实微博；"
            "没有第三方客户端可以对照，规则依据公开文档。</p>" + (rows or "<p>还没有发布微博。</p>") + "</html>"
        )

    def _row(self, id: int, post: Mapping[str, Any], now: datetime) -> str:
        if moment(post["visible"]) > now:
            return ""
        said = [row for row in self._state.comments.values() if row["post"] == id]
        told = [f"{self._state.users[row['uid']]}：{row['text']}" for row in said]
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in told)
        return f"<article><p>{html.escape(post['text'])}</p><small>{post['at']}</small><ul>{lines}</ul></article>"

    def apply(self, effect: Effect) -> None:
        state, kind = self._state, effect["kind"]
        if kind == "user":
            state.users[effect["uid"]] = effect["name"]
        elif kind == "token":
            state.tokens[effect["token"]] = effect
        elif kind == "revoked":
            state.tokens[effect["token"]] = {**state.tokens[effect["token"]], "revoked": True}
        elif kind == "code":
            state.codes[effect["code"]] = effect
        elif kind == "code_used":
            state.used.add(effect["code"])
        elif kind in ("post", "comment"):
            (state.posts if kind == "post" else state.comments)[effect["id"]] = dict(effect)
            state.last_id = max(state.last_id, effect["id"])
        elif kind == "comment_removed":
            del state.comments[effect["id"]]
        elif kind == "call":
            self._count(effect)

    def _count(self, effect: Effect) -> None:
        at = moment(effect["at"]).timestamp()
        kept = (
            [self._state.calls, self._state.shares] if effect["path"].endswith("/share.json") else [self._state.calls]
        )
        for rows in kept:
            insort(rows.setdefault(effect["who"], []), at)

    # Requests

    def handle(self, request: Request, now: datetime, code: int = 0) -> tuple[Answer, list[Effect]]:
        effects: list[Effect] = []
        try:
            call = self._read(request, now, code)
            act = self._find(call)
            if call.path.startswith("/2/"):
                call = self._admit(call, effects)
            if code and code != 20032:
                raise Refusal(code, call.path.removeprefix("/2/").removesuffix(".json"))
            body, facts = act(call)
            effects += facts
            if code == 20032:
                raise Refusal(code)
        except Refusal as refusal:
            return self._refused(refusal, request.path), effects
        if "location" in body:
            return Answer(302, {"location": body["location"]}), effects
        return as_json(200, body.get("list", body)), effects

    def _read(self, request: Request, now: datetime, code: int) -> Call:
        form, picture = dict(request.query), None
        kind = request.header("content-type")
        if kind.startswith("multipart/form-data"):
            fields, picture = multipart(kind, request.body)
            form.update(fields)
        elif request.body:
            form.update(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        return Call(request.method, request.path, form, picture, now, code)

    def _find(self, call: Call) -> Act:
        acts: dict[str, tuple[str, Act]] = {
            "/oauth2/authorize": ("GET", self._oauth.authorize),
            "/oauth2/access_token": ("POST", self._oauth.access_token),
            "/oauth2/get_token_info": ("POST", self._oauth.token_info),
            "/oauth2/revokeoauth2": ("POST", self._oauth.revoke),
            "/2/statuses/share.json": ("POST", self._share),
            "/2/statuses/user_timeline.json": ("GET", self._timeline),
            "/2/statuses/show.json": ("GET", self._show),
            "/2/statuses/count.json": ("GET", self._counts),
            "/2/comments/show.json": ("GET", self._comments_of),
            "/2/comments/to_me.json": ("GET", self._comments_to_me),
            "/2/comments/by_me.json": ("GET", self._comments_by_me),
            "/2/comments/create.json": ("POST", self._create_comment),
            "/2/comments/reply.json": ("POST", self._reply),
            "/2/comments/destroy.json": ("POST", self._destroy_comment),
            "/2/account/rate_limit_status.json": ("GET", self._rates),
            "/2/account/get_uid.json": ("GET", lambda call: ({"uid": int(call.uid)}, [])),
        }
        if call.path in ("/2/statuses/update.json", "/2/statuses/upload.json", "/2/statuses/destroy.json"):
            raise Refusal(10014)
        if call.path not in acts:
            raise Refusal(10020)
        method, act = acts[call.path]
        if method != call.method:
            raise Refusal(10021)
        return act

    def _admit(self, call: Call, effects: list[Effect]) -> Call:
        """The token's owner, within the limits; every admitted call counts, also one that is then refused."""
        token = self._state.tokens.get(call.form.get("access_token", ""))
        if token is None:
            raise Refusal(21332 if call.form.get("access_token") else 10006)
        if token.get("revoked"):
            raise Refusal(21316)
        if moment(token["until"]) <= call.now:
            raise Refusal(21327)
        tier = TIERS[self._apps[token["app"]].tier]
        who = f"{token['app']}/{token['uid']}"
        if not call.path.startswith("/2/account/"):
            self._within(who, tier, call)
            effects.append({"kind": "call", "who": who, "path": call.path, "at": call.now.isoformat()})
        return Call(call.method, call.path, call.form, call.picture, call.now, call.code, token["uid"], tier)

    def _within(self, who: str, tier: Tier, call: Call) -> None:
        hour = call.now.timestamp() - 3600
        if self._today(who, call.now) >= tier.user_day:
            raise Refusal(10023)
        if (
            call.path.endswith("/share.json")
            and _between(self._state.shares.get(who, []), hour, call.now) >= tier.user_posts_hour
        ):
            raise Refusal(10024, "statuses/share")
        if sum(_between(rows, hour, call.now) for rows in self._state.calls.values()) >= tier.address_hour:
            raise Refusal(10022)

    def _today(self, who: str, now: datetime) -> int:
        """Calls since midnight in China."""
        midnight = datetime.combine(now.astimezone(CHINA).date(), datetime.min.time(), CHINA)
        return _between(self._state.calls.get(who, []), midnight.timestamp(), now)

    @staticmethod
    def _refused(refusal: Refusal, path: str) -> Answer:
        body: Body = {"error": refusal.text, "error_code": refusal.code, "request": path}
        if path.startswith("/oauth2/"):
            body["error_description"] = refusal.text
        status = 403 if refusal.code in FORBIDDEN else 404 if refusal.code == 10020 else 400
        return as_json(503 if refusal.code in (10001, 10002, 10003) else status, body)

    # Statuses

    def _share(self, call: Call) -> tuple[Body, list[Effect]]:
        text = call.need("status")
        self._check_rip(call)
        self._check_text(text)
        self._check_picture(call.picture)
        mine = [post for post in self._state.posts.values() if post["uid"] == call.uid]
        if any(post["text"] == text and moment(post["at"]) > call.now - self._rules.repeat for post in mine):
            raise Refusal(20019)
        hidden = self._rules.hidden if call.code == 20032 else timedelta()
        fact: Effect = {
            "kind": "post", "id": self._state.last_id + 1, "uid": call.uid, "text": text, "at": call.now.isoformat(),
            "visible": (call.now + hidden).isoformat(), "picture": call.picture is not None,
        }  # fmt: skip
        return self._status(fact), [fact]

    @staticmethod
    def _check_rip(call: Call) -> None:
        try:
            ip_address(call.need("rip"))
        except ValueError:
            raise Refusal(10017, "rip") from None

    def _check_text(self, text: str) -> None:
        if not text.strip():
            raise Refusal(20008)
        if length(text, self._rules.link_halves) > self._rules.text:
            raise Refusal(20012)
        hosts = [urlsplit(url).hostname or "" for url in URL.findall(text)]
        if not any(host == domain or host.endswith("." + domain) for host in hosts for domain in self._domains):
            raise Refusal(10017, text="text not find domain!")
        if TOPIC.search(URL.sub("", text)):
            raise Refusal(10017, "status")  # open: the documentation forbids topics and names no code

    def _check_picture(self, picture: bytes | None) -> None:
        if picture is None:
            return
        if not picture.startswith(MAGIC):
            raise Refusal(20005)
        if len(picture) >= self._rules.picture:
            raise Refusal(20006)

    def _status(self, post: Mapping[str, Any]) -> Body:
        id = post["id"]
        comments = sum(comment["post"] == id for comment in self._state.comments.values())
        return {
            "created_at": written(moment(post["at"])), "id": id, "idstr": str(id), "mid": str(id),
            "text": shown(post["text"]), "source": f'<a href="http://app.weibo.com/" rel="nofollow">{self._name}</a>',
            "favorited": False, "truncated": False, "in_reply_to_status_id": "", "in_reply_to_user_id": "",
            "pic_urls": [{"thumbnail_pic": "http://wx1.sinaimg.cn/thumbnail/0.jpg"}] if post["picture"] else [],
            "reposts_count": 0, "comments_count": comments, "attitudes_count": 0, "user": self._user(post["uid"]),
        }  # fmt: skip

    def _user(self, uid: str) -> Body:
        name = self._state.users.get(uid, self._name)
        return {"id": int(uid), "idstr": uid, "screen_name": name, "name": name, "verified": uid == self._uid}

    def _visible(self, call: Call) -> list[dict[str, Any]]:
        """The caller's own posts that others can see by now, newest first."""
        own = [post for post in self._state.posts.values() if post["uid"] == call.uid]
        return sorted((p for p in own if moment(p["visible"]) <= call.now), key=lambda p: -int(p["id"]))

    def _timeline(self, call: Call) -> tuple[Body, list[Effect]]:
        visible = self._visible(call)
        given = visible[: min(call.number("count", 20), self._rules.timeline)]
        statuses = [self._status(post) for post in given]
        return {"statuses": statuses, "previous_cursor": 0, "next_cursor": 0, "total_number": len(visible)}, []

    def _one(self, call: Call, name: str = "id") -> dict[str, Any]:
        post = self._state.posts.get(int(call.need(name)) if call.need(name).isdigit() else 0)
        if post is None or moment(post["visible"]) > call.now:
            raise Refusal(20101)
        return post

    def _show(self, call: Call) -> tuple[Body, list[Effect]]:
        return self._status(self._one(call)), []

    def _counts(self, call: Call) -> tuple[Body, list[Effect]]:
        ids = [int(id) for id in call.need("ids").split(",") if id.isdigit()]
        if len(ids) > 100:
            raise Refusal(20009)
        rows = [self._status(self._state.posts[id]) for id in ids if id in self._state.posts]
        return {
            "list": [{"id": row["id"], "comments": row["comments_count"], "reposts": 0, "attitudes": 0} for row in rows]
        }, []

    # Comments

    def _comment(self, post: int, uid: str, text: str, at: datetime, to: int | None) -> Effect:
        return {
            "kind": "comment", "id": self._state.last_id + 1, "post": post, "uid": uid, "text": text,
            "at": at.astimezone(UTC).isoformat(), "to": to,
        }  # fmt: skip

    def _told(self, comment: Mapping[str, Any]) -> Body:
        body: Body = {
            "created_at": written(moment(comment["at"])), "id": comment["id"], "idstr": str(comment["id"]),
            "mid": str(comment["id"]), "text": comment["text"], "source": "微博网页版",
            "user": self._user(comment["uid"]), "status": self._status(self._state.posts[comment["post"]]),
        }  # fmt: skip
        answered = self._state.comments.get(comment["to"] or 0)
        if answered:
            body["reply_comment"] = {"id": answered["id"], "idstr": str(answered["id"]), "text": answered["text"]}
        return body

    def _listed(self, call: Call, wanted: Callable[[Mapping[str, Any]], bool]) -> tuple[Body, list[Effect]]:
        """A page, newest first: since_id is exclusive, max_id inclusive."""
        since, top = call.number("since_id", 0), call.number("max_id", 0)
        every = [comment for comment in self._state.comments.values() if wanted(comment)]
        found = [comment for comment in every if comment["id"] > since and (not top or comment["id"] <= top)]
        found.sort(key=lambda comment: -int(comment["id"]))
        count = min(call.number("count", 50), 200)
        first = (max(call.number("page", 1), 1) - 1) * count
        rows = [self._told(comment) for comment in found[first : first + count]]
        return {"comments": rows, "previous_cursor": 0, "next_cursor": 0, "total_number": len(found)}, []

    def _comments_of(self, call: Call) -> tuple[Body, list[Effect]]:
        post = self._one(call)
        return self._listed(call, lambda comment: bool(comment["post"] == post["id"]))

    def _comments_to_me(self, call: Call) -> tuple[Body, list[Effect]]:
        mine = {post["id"] for post in self._state.posts.values() if post["uid"] == call.uid}
        return self._listed(call, lambda comment: comment["post"] in mine and comment["uid"] != call.uid)

    def _comments_by_me(self, call: Call) -> tuple[Body, list[Effect]]:
        return self._listed(call, lambda comment: bool(comment["uid"] == call.uid))

    def _said(self, call: Call) -> str:
        text = call.need("comment")
        self._check_rip(call)
        if not text.strip():
            raise Refusal(20008)
        if length(text, self._rules.link_halves) > self._rules.text:
            raise Refusal(20012)
        return text

    def _create_comment(self, call: Call) -> tuple[Body, list[Effect]]:
        fact = self._comment(self._one(call)["id"], call.uid, self._said(call), call.now, None)
        return self._told(fact), [fact]

    def _reply(self, call: Call) -> tuple[Body, list[Effect]]:
        text, post = self._said(call), self._one(call)
        answered = self._state.comments.get(call.number("cid", 0))
        if answered is None or answered["post"] != post["id"]:
            raise Refusal(20201)
        if call.form.get("without_mention", "0") == "0":
            text = f"回复@{self._state.users[answered['uid']]}:{text}"
        fact = self._comment(post["id"], call.uid, text, call.now, answered["id"])
        return self._told(fact), [fact]

    def _destroy_comment(self, call: Call) -> tuple[Body, list[Effect]]:
        comment = self._state.comments.get(call.number("cid", 0))
        if comment is None:
            raise Refusal(20201)
        if comment["uid"] != call.uid:
            raise Refusal(20203)
        return self._told(comment), [{"kind": "comment_removed", "id": comment["id"]}]

    def _rates(self, call: Call) -> tuple[Body, list[Effect]]:
        used = sum(self._today(who, call.now) for who in self._state.calls if who.endswith("/" + call.uid))
        return {
            "user_limit": call.tier.user_day, "remaining_user_hits": max(0, call.tier.user_day - used),
            "limit_time_unit": "DAY", "api_rate_limits": [],
        }, []  # fmt: skip


def _between(times: Sequence[float], start: float, now: datetime) -> int:
    """How many of the times lie from the start to now; a moved clock may have left later ones."""
    return bisect_right(times, now.timestamp()) - bisect_left(times, start)
