"""Fills an empty demonstration through the desk's own verbs: people, columns, accounts, texts, reviews, schedules.

Every step may be repeated: what is there already is left as it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub import wording
from hub.clock import local
from hub.demo.city import articles, canned_answers, city, crowd, services
from hub.demo.cover import draw_cover
from hub.desk import accounts, canned, columns, dictionary, reviewing, serving, staffing, watchwords, writing
from hub.desk.desk import Desk
from hub.desk.importing import import_replies
from hub.desk.picturing import Drawing, upload
from hub.desk.publishing import Wish, schedule
from hub.domain.content import Draft
from hub.domain.errors import Conflict, HubError
from hub.domain.people import Actor, actor_of, program
from hub.domain.rows import Row, in_order
from hub.domain.watchword import Places
from nlp.dictionary import lines_of
from nlp.words import office_dictionary

CONSOLE = program("console")
SITE, WEIBO, WECHAT, APP, PUSH = "site-main", "weibo-main", "wechat-main", "app-main", "push-main"
_DATE = re.compile(r"\{(?P<kind>day|weekday|sat)(?P<days>[+-]\d+)?\}")


@dataclass(frozen=True)
class Addresses:
    """Where the local site and the local platforms listen, and how they are entered."""

    site_api: str
    content_keys: Sequence[str]
    weibo: str
    weibo_account: Mapping[str, Any]
    wechat: str
    wechat_account: Mapping[str, Any]
    push: str
    push_account: Mapping[str, Any]


async def fill(desk: Desk, addresses: Addresses, password: str) -> int:
    """The whole city; how many contents it has afterwards."""
    await _people(desk, password)
    for column in city()["columns"]:
        if await desk.store.get("columns", column["_id"]) is None:
            await columns.save_column(CONSOLE, desk, column)
    for service in services():
        if await desk.store.get("services", service["_id"]) is None:
            await serving.save_service(CONSOLE, desk, service)
    people = await staff(desk)
    await _dictionary(desk)
    await _canned(desk, people["handler"])
    await _watchwords(desk, people["monitor"])
    await _accounts(desk, addresses, await _cover(desk, people["editor"]))
    for number, article in enumerate(articles()):
        await _article(desk, people, article, number)
    await _history(desk)
    return len(articles())


async def _dictionary(desk: Desk) -> None:
    """The city's places; one that somebody has changed since stays."""
    if not (await dictionary.pointer_of(desk.store))["version"]:
        words = office_dictionary(None)
        await dictionary.save_dictionary(CONSOLE, desk, lines_of(words), version=0)


async def staff(desk: Desk) -> dict[str, Actor]:
    """The demonstration's people as actors, by login."""
    found = await desk.store.find("users", {}, limit=100)
    return {row["login"]: actor_of(row) for row in found}


async def _people(desk: Desk, password: str) -> None:
    names = {row["_id"]: row["name"] for row in city()["departments"]}
    for user in city()["users"]:
        try:
            await staffing.add_user(
                CONSOLE,
                desk,
                login=user["login"],
                name=user["name"],
                roles=user["roles"],
                password=password,
                levels=user.get("levels", ()),
                department=names.get(user.get("department", "")),
                duty=bool(user.get("duty")),
                email=user.get("email", ""),
                must_change=False,
            )
        except Conflict:
            continue


async def _watchwords(desk: Desk, monitor: Actor) -> None:
    """Two words that an office of such a city would watch for."""
    if await watchwords.list_watchwords(monitor, desk) or await watchwords.list_watchwords(monitor, desk, retired=True):
        return
    for name, line in (("桥梁安全", "桥 + 塌|裂|沉降 - 游戏"), ("群体聚集", "聚集|堵路|拉横幅")):
        await watchwords.save_watchword(monitor, desk, {"name": name, "line": line}, Places((), ()))


async def _canned(desk: Desk, handler: Actor) -> None:
    """常用答复, where nobody has written or retired any yet."""
    if await canned.list_canned(handler, desk) or await canned.list_canned(handler, desk, retired=True):
        return
    for one in canned_answers():
        await canned.save_canned(handler, desk, title=one["title"], text=one["text"])


async def _accounts(desk: Desk, where: Addresses, cover: str) -> None:
    site = accounts.NewAccount(
        key=SITE,
        channel="site",
        name="市政府网站",
        settings={"base_url": where.site_api},
        credentials={"keys": list(where.content_keys)},  # type: ignore[dict-item]
        profile={},
        rehearsal=True,
    )
    known = where.weibo_account
    weibo = accounts.NewAccount(
        key=WEIBO,
        channel="weibo",
        name="云川发布",
        settings={"base_url": where.weibo, "page_url": where.weibo, "domain": "localhost", "rip": known["rip"]},
        credentials={"access_token": known["access_token"], "uid": str(known["uid"])},
        profile={"tier": "partner", "listen_every": 3},
        waits_for=SITE,
        fallback_minutes=10,
        rehearsal=True,
    )
    app = accounts.NewAccount(
        key=APP,
        channel="app",
        name="云川通",
        settings={"base_url": where.site_api},
        credentials={"keys": list(where.content_keys)},  # type: ignore[dict-item]
        profile={},
        waits_for=SITE,
        rehearsal=True,
    )
    push = accounts.NewAccount(
        key=PUSH,
        channel="push",
        name="云川通推送",
        settings={"base_url": where.push, "page_url": where.push},
        credentials={name: str(where.push_account[name]) for name in ("app_key", "master_secret")},
        profile={},
        waits_for=SITE,
        rehearsal=True,
    )
    for account in (site, weibo, _wechat(where, cover), app, push):
        if await desk.store.get("accounts", account.key) is None:
            await accounts.connect_account(CONSOLE, desk, account)
    await serving.publish_menu(CONSOLE, desk, WECHAT)


def _wechat(where: Addresses, cover: str) -> accounts.NewAccount:
    known = where.wechat_account
    return accounts.NewAccount(
        key=WECHAT,
        channel="wechat",
        name="云川发布公众号",
        settings={
            "base_url": where.wechat, "page_url": where.wechat, "app_id": known["appid"], "default_cover": cover,
        },
        credentials={
            "secret": known["secret"], "callback_token": known["callback_token"], "aes_key": known["encoding_aes_key"],
        },
        profile={"listen_every": 3, "comment_first": 3, "comments_day": 100_000},
        waits_for=SITE,
        fallback_minutes=10,
        rehearsal=True,
    )  # fmt: skip


async def _cover(desk: Desk, editor: Actor) -> str:
    """The account's own cover, for texts without a picture."""
    drawing = Drawing()
    try:
        return str((await upload(editor, desk, drawing, draw_cover(), "云川封面.png"))["_id"])
    finally:
        drawing.close()


async def _article(desk: Desk, people: Mapping[str, Actor], article: Mapping[str, Any], number: int) -> None:
    """One text on its way as far as it is meant to come: draft, under review, or scheduled."""
    editor = people["editor"]
    content = await writing.start(editor, desk, _draft(article, desk.clock.now()), key=f"demo:{article['key']}")
    wanted = article.get("state", "approved")
    if wanted == "draft" or content["state"] != "draft" or content.get("round", 0):
        return
    try:
        content = await writing.submit(editor, desk, content["_id"], revision=1, acknowledged=_Reasons())
    except HubError as error:
        print(f"演练稿件《{article['title']}》没有送审：{error.message}")
        return
    if wanted != "approved":
        return
    await schedule(editor, desk, content["_id"], _wishes(desk, article, number))
    for level, login in ((1, "reviewer1"), (2, "reviewer2")):
        await reviewing.review(
            people[login],
            desk,
            content["_id"],
            level=level,
            verdict="pass",
            hash=content["hash"],
            remark="内容已核对。",
        )


class _Reasons(dict[str, str]):
    """The same reason for every finding that asks for one."""

    def get(self, _key: str, _default: Any = None) -> str:
        return "演练稿件，数字与用语已核对。"

    def __contains__(self, _key: object) -> bool:
        return True

    def __getitem__(self, _key: str) -> str:
        return "演练稿件，数字与用语已核对。"


def dated(text: str, now: datetime) -> str:
    """`{day+7}` is the date a week from now, `{weekday+7}` its weekday, `{sat}` the next Saturday but one day at least.

    Dates of the demonstration are always near: a text of last year would be found wrong by the checks, and rightly.
    """
    today = local(now)

    def fill(found: re.Match[str]) -> str:
        if found["kind"] == "sat":
            ahead = (5 - today.weekday()) % 7
            return wording.day(now + timedelta(days=ahead if ahead >= 2 else ahead + 7))
        at = now + timedelta(days=int(found["days"]))
        return wording.day(at) if found["kind"] == "day" else wording.weekday(at)

    return _DATE.sub(fill, text)


def _draft(article: Mapping[str, Any], now: datetime) -> Draft:
    article = json.loads(dated(json.dumps(dict(article), ensure_ascii=False), now))
    meta = {"source": article["source"], "keywords": article["keywords"], "author_name": "周敏"}
    return Draft(
        kind=article["kind"],
        column=article["column"],
        title=article["title"],
        digest=article["digest"],
        blocks=article["blocks"],
        meta=meta,
    )


def _wishes(desk: Desk, article: Mapping[str, Any], number: int) -> list[Wish]:
    """Most at once, some on the next days (`ahead`: so many days, at that hour), so that every page has what comes."""
    now = desk.clock.now()
    at = now + timedelta(seconds=0 if number == 8 else number)
    if "ahead" in article:
        days, hour = article["ahead"]
        at = local(now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    more = {WEIBO: "weibo", WECHAT: "wechat", APP: "app", PUSH: "push"}
    return [Wish(SITE, at, "publish"), *(Wish(key, at, "publish") for key, name in more.items() if article.get(name))]


async def _history(desk: Desk) -> None:
    """What was said in the days before, so that boards know what is usual; taken in like any import."""
    texts = crowd("history")
    if not texts or await desk.store.find("replies", {"account": SITE, "external_id": "history-0000"}, limit=1):
        return
    now = desk.clock.now()
    rows = []
    for number, said in enumerate(texts):
        back = timedelta(hours=2 + number * 24 * 28 / max(1, len(texts)), minutes=(number * 37) % 60)
        at = local(now - back)
        at = at.replace(hour=at.hour + 7) if at.hour < 6 else at  # people write by day
        rows.append(
            Row(
                f"history-{number:04d}",
                said.who,
                said.title,
                said.text,
                at,
                None,
                said.district,
                "letter",
                {"n": number},
            )
        )
    await import_replies(CONSOLE, desk, SITE, in_order(rows), lambda _count: None)
