"""演练微信's memory: everything that facts have made so, and how each fact changes it; no rule of the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from channels.ledger import Effect
from channels.wechat.rehearsal_rules import day, moment

PUBLISHING, DELETED, BLOCKED = 1, 5, 6


@dataclass
class State:
    """Everything that facts have made so."""

    switches: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)  # "token" or "stable_token" -> its newest token
    forced: list[str] = field(default_factory=list)
    days: dict[tuple[str, str], int] = field(default_factory=dict)  # (path, day in China) -> calls
    minutes: dict[str, tuple[int, int]] = field(default_factory=dict)  # path -> (minute, calls)
    cleared: dict[str, int] = field(default_factory=dict)  # month -> times
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)  # path of its address -> what it is
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)
    publications: dict[str, dict[str, Any]] = field(default_factory=dict)  # publish_id or msg_id -> it
    by_article: dict[str, str] = field(default_factory=dict)
    by_data: dict[int, str] = field(default_factory=dict)
    by_page: dict[str, tuple[str, int]] = field(default_factory=dict)  # path of an article -> (key, place)
    by_client: dict[str, str] = field(default_factory=dict)  # clientmsgid -> msg_id
    comments: dict[tuple[int, int], dict[int, dict[str, Any]]] = field(default_factory=dict)
    opened: dict[tuple[int, int], bool] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    windows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # openid -> grant -> window
    received: list[dict[str, Any]] = field(default_factory=list)
    menu: list[Any] = field(default_factory=list)
    pushes: dict[str, dict[str, Any]] = field(default_factory=dict)
    push_orders: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    callback: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def salt(self, now: datetime) -> str:
        """What made-up ids of this moment are made from; never the same after any fact."""
        return f"{self.count}/{now.isoformat()}"

    def find(self, name: str) -> dict[str, Any] | None:
        """A publication by article_id, publish_id, msg_id, msg_data_id or the address of one of its articles."""
        key = self.by_article.get(name) or self.by_page.get(urlsplit(name).path, ("",))[0]
        if not key and name.isdecimal():
            key = name if name in self.publications else self.by_data.get(int(name), "")
        return self.publications.get(key)

    def apply(self, effect: Effect) -> None:
        """Let a fact be so; unknown kinds are a mistake of this program."""
        self.count += 1
        _CHANGES[effect["kind"]](self, effect)

    def draft(self, media_id: str, now: datetime) -> dict[str, Any] | None:
        """The draft, unless publishing has taken it out of the box."""
        draft = self.drafts.get(media_id)
        return draft if draft and in_the_box(self, draft, now) else None


def in_the_box(state: State, draft: Mapping[str, Any], now: datetime) -> bool:
    taken = state.publications.get(draft.get("taken", ""))
    return taken is None or bool(taken.get("draft_returns") and failed(taken, now))


def status_of(publication: Mapping[str, Any], now: datetime) -> int:
    """publish_status as it stands at this moment: the verdict falls by itself, and may turn later."""
    verdict = int(publication["verdict"])
    until = moment(publication["until"])
    if now < until or verdict == PUBLISHING:
        return PUBLISHING
    late = publication.get("late")
    if late and now >= moment(late["at"]):
        return int(late["status"])
    if verdict in (DELETED, BLOCKED):
        turns = until + timedelta(seconds=publication["late_seconds"])
        return verdict if now >= turns else 0
    everything = set(range(1, len(publication["articles"]) + 1))
    return DELETED if verdict == 0 and everything and everything <= set(publication["deleted"]) else verdict


def failed(publication: Mapping[str, Any], now: datetime) -> bool:
    return status_of(publication, now) in (2, 3, 4)


def public(publication: Mapping[str, Any], now: datetime) -> bool:
    """Whether it came out, even if it is gone again."""
    return status_of(publication, now) in (0, DELETED, BLOCKED)


def withdrawn(publication: Mapping[str, Any], place: int, now: datetime) -> bool:
    """Whether the article at this place (from 0) is gone again."""
    return place + 1 in publication["deleted"] or status_of(publication, now) in (DELETED, BLOCKED)


def _token(state: State, fact: Effect) -> None:
    replaced = state.tokens.get(state.latest.get(fact["way"], ""))
    if replaced and fact.get("overlap") is not None:
        replaced["until"] = min(replaced["until"], fact["overlap"], key=moment)
    state.tokens[fact["token"]] = dict(fact)
    state.latest[fact["way"]] = fact["token"]
    if fact.get("forced"):
        state.forced.append(fact["at"])


def _call(state: State, fact: Effect) -> None:
    at, path = moment(fact["at"]), fact["path"]
    state.days[path, day(at)] = state.days.get((path, day(at)), 0) + 1
    minute = int(at.timestamp()) // 60
    last, count = state.minutes.get(path, (minute, 0))
    state.minutes[path] = (minute, count + 1 if last == minute else 1)


def _cleared(state: State, fact: Effect) -> None:
    today = day(moment(fact["at"]))
    state.days = {key: count for key, count in state.days.items() if key[1] != today}
    state.cleared[today[:7]] = state.cleared.get(today[:7], 0) + 1


def _publication(state: State, fact: Effect) -> None:
    key = fact["key"]
    state.publications[key] = {**fact, "deleted": []}
    state.by_article[fact["article_id"]] = key
    state.by_data[fact["msg_data_id"]] = key
    for place, path in enumerate(fact["pages"]):
        state.by_page[path] = (key, place)
        article = fact["articles"][place]
        state.opened[fact["msg_data_id"], place] = bool(article.get("need_open_comment"))
    if fact.get("clientmsgid"):
        state.by_client[fact["clientmsgid"]] = key
    if fact["draft"] in state.drafts:
        state.drafts[fact["draft"]]["taken"] = key
    if fact.get("ordered"):
        _use(state.verdicts)


def _use(orders: list[dict[str, Any]]) -> None:
    """One order is used up by one."""
    orders[0]["times"] -= 1
    if orders[0]["times"] <= 0:
        del orders[0]


def _turned(state: State, fact: Effect) -> None:
    publication = state.publications[fact["key"]]
    publication.update({name: value for name, value in fact.items() if name not in ("kind", "key")})


def _comment(state: State, fact: Effect) -> None:
    state.comments.setdefault((fact["data"], fact["index"]), {})[fact["id"]] = dict(fact)


def _comment_changed(state: State, fact: Effect) -> None:
    row = state.comments[fact["data"], fact["index"]][fact["id"]]
    row.update(fact["set"])


def _window(state: State, fact: Effect) -> None:
    state.windows.setdefault(fact["openid"], {})[fact["grant"]] = dict(fact)


def _received(state: State, fact: Effect) -> None:
    state.received.append({name: value for name, value in fact.items() if name not in ("kind", "grant")})
    if fact.get("grant"):
        state.windows[fact["openid"]][fact["grant"]]["left"] -= 1


def _push(state: State, fact: Effect) -> None:
    state.pushes[fact["id"]] = {**fact, "tries": 0, "done": 0}
    if fact.get("ordered"):
        _use(state.push_orders)


def _attempt(state: State, fact: Effect) -> None:
    if "verified" in fact:
        verified, tries = fact["verified"], state.callback["tries"] + 1
        answer = "refused" if fact["last"] else "asked"
        state.callback.update(state="verified" if verified else answer, tries=tries, next=fact["next"])
        return
    push = state.pushes.get(fact["id"])
    if push is None:
        return
    push.update(tries=push["tries"] + 1, next=fact["next"])
    if fact["taken"]:
        push.update(done=push["done"] + 1, tries=0)
    if fact["last"] or push["done"] >= push["copies"]:
        del state.pushes[fact["id"]]


def _callback(state: State, fact: Effect) -> None:
    """A new callback address; what was due before it is never sent."""
    state.callback = {**fact, "tries": 0, "next": fact["at"]}
    began = moment(fact["at"])
    state.pushes = {id: push for id, push in state.pushes.items() if moment(push["due"]) >= began}


def _user(state: State, fact: Effect) -> None:
    state.users[fact["openid"]] = {**state.users.get(fact["openid"], {}), **fact}


def _keep(name: str, key: str) -> Callable[[State, Effect], None]:
    def change(state: State, fact: Effect) -> None:
        getattr(state, name)[fact[key]] = dict(fact)

    return change


def _drop(name: str, key: str) -> Callable[[State, Effect], None]:
    def change(state: State, fact: Effect) -> None:
        getattr(state, name).pop(fact[key], None)

    return change


_CHANGES: Mapping[str, Callable[[State, Effect], None]] = {
    "born": lambda state, fact: None,
    "switch": lambda state, fact: state.switches.update(fact["set"]),
    "token": _token,
    "call": _call,
    "cleared": _cleared,
    "picture": _keep("pictures", "path"),
    "media": _keep("media", "media_id"),
    "media_removed": _drop("media", "media_id"),
    "draft": _keep("drafts", "media_id"),
    "draft_removed": _drop("drafts", "media_id"),
    "publication": _publication,
    "turned": _turned,
    "verdict_order": lambda state, fact: state.verdicts.append(dict(fact)),
    "comment": _comment,
    "comment_changed": _comment_changed,
    "comments_open": lambda state, fact: state.opened.update({(fact["data"], fact["index"]): fact["open"]}),
    "user": _user,
    "window": _window,
    "received": _received,
    "menu": lambda state, fact: setattr(state, "menu", fact["buttons"]),
    "callback": _callback,
    "push": _push,
    "push_order": lambda state, fact: state.push_orders.append(dict(fact)),
    "attempt": _attempt,
}
