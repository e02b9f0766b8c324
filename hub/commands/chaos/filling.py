"""What is published in the chaos bench: accounts on every platform, approved contents with pictures, their schedules.

Everything goes through the desk's own verbs but the writing and approving of a content, which is not tried here.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tqdm import tqdm

from hub import wiring
from hub.commands.chaos.town import Town
from hub.demo.city import city
from hub.demo.cover import draw_cover
from hub.desk import accounts, columns
from hub.desk.desk import Desk
from hub.desk.governing import set_policy
from hub.desk.picturing import Drawing, upload
from hub.desk.publishing import Wish, schedule
from hub.domain.content import Draft, check_draft, package_hash, revise
from hub.domain.people import Actor, Role, program

CONSOLE = program("console")
EDITOR = Actor("chaos", "演练", frozenset({Role.EDITOR}))
ADMINISTRATOR = Actor("chaos", "演练", frozenset({Role.SYSADMIN, Role.SECADMIN}))
PICTURES = 5
BURST = 24  # contents that are due at the same second
AT_ONCE = 6  # contents that are scheduled at the same time
RAISED = 1_000_000  # calls a day where the platform raises its figures for an account that asks
# what a platform counts by the day and grants more of; without it the town would stand still every other minute
DAILY = (
    *(f"/cgi-bin/freepublish/{name}" for name in ("submit", "get", "batchget", "getarticle")),
    *(f"/cgi-bin/draft/{name}" for name in ("add", "get", "batchget", "count")),
    "/cgi-bin/media/uploadimg",
)
# the office's figures for a day on which everything falls
FIGURES = {"late_minutes": 720, "late_tries": 40, "fallback_minutes": 720}


@dataclass
class Filled:
    """What was promised: the publications whose schedule was acknowledged, and when the first is due."""

    due: datetime
    publications: list[str] = field(default_factory=list)


def title_of(number: int) -> str:
    """A title that no other content has, and that every platform shows."""
    return f"云川演练第{number:05d}号通告"


async def fill(desk: Desk, town: Town, due: datetime, spread: timedelta) -> Filled:
    """Accounts, contents and schedules, from `due` on over `spread`."""
    for column in city()["columns"]:
        await columns.save_column(CONSOLE, desk, column)
    for name, value in FIGURES.items():
        await set_policy(ADMINISTRATOR, desk, name, value)
    pictures = await _pictures(desk)
    await _accounts(desk, town, pictures[0])
    filled = Filled(due)
    with tqdm(total=town.plan.contents, desc="排期", leave=False) as bar:
        for first in range(0, town.plan.contents, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, town.plan.contents))
            found = await asyncio.gather(*(_one(desk, town, number, pictures, due, spread) for number in numbers))
            filled.publications += [id for ids in found for id in ids]
            bar.update(len(numbers))
    return filled


async def _pictures(desk: Desk) -> list[str]:
    """The accounts' cover, and small pictures that differ, so that each must be put up."""
    drawing = Drawing()
    try:
        wanted = [draw_cover(), *(_picture(number) for number in range(PICTURES))]
        return [str((await upload(EDITOR, desk, drawing, one, f"演练{n}.png"))["_id"]) for n, one in enumerate(wanted)]
    finally:
        drawing.close()


def _picture(number: int) -> bytes:
    """A picture of one colour."""
    row = b"\0" + bytes((40 * number % 256, 90, 160)) * 64
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(row * 64)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# --- accounts


async def _accounts(desk: Desk, town: Town, cover: str) -> None:
    for group in range(town.plan.groups):
        for account in await asyncio.to_thread(_group, town, group, cover):
            await accounts.connect_account(CONSOLE, desk, account)
        if group >= town.plan.sites:  # a website's inbox is emptied by one account alone
            await desk.store.change("accounts", {"_id": f"site-{group + 1}"}, {"$set": {"listening": False}})


def _own(town: Town, group: int) -> list[accounts.NewAccount]:
    """Website and app. An account has one post under way, so each group has its own at the website it shares."""
    settings = {"base_url": f"http://127.0.0.1:{town.front_port(town.plan.site_of(group))}", "inbox_wait": 0}
    keys = [key.strip() for key in wiring.content_key(town.settings()).split(",")]
    own = {"settings": settings, "credentials": {"keys": keys}, "rehearsal": True}
    site, app = f"site-{group + 1}", f"app-{group + 1}"
    return [
        accounts.NewAccount(site, "site", f"网站{group + 1}", profile={"listen_every": 1}, **own),  # type: ignore[arg-type]
        accounts.NewAccount(app, "app", f"客户端{group + 1}", profile={}, waits_for=site, **own),  # type: ignore[arg-type]
    ]


def _group(town: Town, group: int, cover: str) -> list[accounts.NewAccount]:
    site = f"site-{group + 1}"
    return [
        *_own(town, group), _weibo(town, group, site), _wechat(town, group, site, cover), _push(town, group, site),
    ]  # fmt: skip


def _base(town: Town, platform: str, group: int) -> dict[str, str]:
    address = f"http://127.0.0.1:{town.platform_port(platform, group)}"
    return {"base_url": address, "page_url": address}


def _weibo(town: Town, group: int, site: str) -> accounts.NewAccount:
    known = next(one for one in town.control("weibo", group, "accounts") if one["tier"] == "partner")
    return accounts.NewAccount(
        f"weibo-{group + 1}", "weibo", f"云川发布{group + 1}",
        settings={**_base(town, "weibo", group), "domain": "localhost", "rip": known["rip"]},
        credentials={"access_token": known["access_token"], "uid": str(known["uid"])},
        profile={"tier": "partner", "listen_every": 600},
        waits_for=site, rehearsal=True,
    )  # fmt: skip


def _wechat(town: Town, group: int, site: str, cover: str) -> accounts.NewAccount:
    """The account's figures are raised on both sides, and its verdicts come to the website."""
    (known,) = town.control("wechat", group, "accounts")
    key = f"wechat-{group + 1}"
    callback = f"http://localhost:{town.site_port(town.plan.site_of(group))}/callbacks/wechat/{key}"
    town.control("wechat", group, "callback", {"url": callback, "mode": "encrypted"})
    town.control("wechat", group, "account", {"daily": dict.fromkeys(DAILY, RAISED)})
    raised = ("publish_day", "checks_day", "finds_day", "drafts_day", "draft_looks_day", "pictures_day")
    figures = dict.fromkeys(raised, RAISED)
    return accounts.NewAccount(
        key, "wechat", f"云川公众号{group + 1}",
        settings={**_base(town, "wechat", group), "app_id": known["appid"], "default_cover": cover},
        credentials={
            "secret": known["secret"], "callback_token": known["callback_token"], "aes_key": known["encoding_aes_key"],
        },
        profile={**figures, "listen_every": 600}, waits_for=site, rehearsal=True,
    )  # fmt: skip


def _push(town: Town, group: int, site: str) -> accounts.NewAccount:
    known = town.control("push", group, "accounts")[0]
    town.control("push", group, "replies", [{"device": f"phone-{group}-{number}"} for number in range(3)])
    return accounts.NewAccount(
        f"push-{group + 1}", "push", f"云川推送{group + 1}", settings=_base(town, "push", group),
        credentials={name: str(known[name]) for name in ("app_key", "master_secret")},
        profile={}, waits_for=site, rehearsal=True,
    )  # fmt: skip


# --- contents


def places(town: Town, number: int) -> list[str]:
    """The four accounts of a content: its website, its group's 微博 and 公众号, and by turns a push or a card."""
    group = town.plan.group_of(number) + 1
    last = f"push-{group}" if number // town.plan.groups % 2 else f"app-{group}"
    return [f"site-{group}", f"weibo-{group}", f"wechat-{group}", last]


async def _one(
    desk: Desk, town: Town, number: int, pictures: Sequence[str], due: datetime, spread: timedelta
) -> list[str]:
    picture = pictures[1 + number % PICTURES] if number % 3 == 0 else ""
    await _approved(desk, number, picture)
    step = number // BURST / max(1, (town.plan.contents - 1) // BURST)
    late = {7: "hold", 8: "ask"}.get(number % 10, "publish")
    wishes = [Wish(account, due + spread * step, late) for account in places(town, number)]
    return [str(one["_id"]) for one in (await schedule(EDITOR, desk, f"c{number}", wishes)).publications]


async def _approved(desk: Desk, number: int, picture: str) -> None:
    """A content as the last reviewer leaves it."""
    content, title, now = f"c{number}", title_of(number), desk.clock.now()
    shown: list[dict[str, Any]] = [{"kind": "img", "media": picture, "alt": "演练用的图片"}] if picture else []
    blocks: list[dict[str, Any]] = [{"kind": "p", "runs": [{"text": f"{title}的正文，只用于演练。"}]}, *shown]
    draft = check_draft(Draft("news", "yaowen", title, f"{title}。", blocks, (), {"source": "市新闻办"}))
    revision = revise(content, 1, draft, by=EDITOR.id, at=now)
    package = package_hash(revision["hash"], {}, [picture] if picture else [])
    await desk.store.insert("revisions", revision)
    row = {
        "_id": content, "state": "approved", "revision": 1, "hash": package, "approved_hash": package,
        "title": title, "author": EDITOR.id, "kind": "news", "column": "yaowen", "variants": {}, "updated_at": now,
    }  # fmt: skip
    await desk.store.insert("contents", row)
