"""A picture too large for the website and for 微信, sent again by one press each: real site, rehearsed platforms."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from channels.contract import Channel, Picture, Refused, Staged
from channels.http import PlatformPolicy, open_caller
from channels.kinds import connect
from channels.performance import InProcess, Performance
from channels.wechat.rehearsal import WechatPlatform
from channels.weibo.rehearsal import WeiboPlatform
from hub.desk.dispatching import dispatch, wake_waiting
from hub.desk.mending import Smaller, mend
from hub.desk.picturing import Drawing, upload
from hub.desk.publishing import Wish, schedule
from hub.desk.settling import settle
from hub.domain.content import Draft, check_draft, draft_of, files_of, package_hash, revise
from hub.domain.people import program
from hub.store.base import Document
from tests.contracts.channel_rooms import ROOMS, variant, weibo
from tests.domain.publishing_office import DISPATCHER, EDITOR, SETTLER, Office, make_office
from tests.pages.site_office import KEY, column, opened_site
from tests.pages.site_office import Office as Site

NAME = "送水点分布图.png"
PLATFORMS: Mapping[str, Any] = {"weibo": WeiboPlatform, "wechat": WechatPlatform}
ACCOUNTS = ("site-main", "wechat-main", "weibo-main")


def noise(width: int, height: int, seed: int) -> bytes:
    content = random.Random(seed).randbytes(width * height * 4)  # noqa: S311 - repeatable on purpose
    out = io.BytesIO()
    Image.frombytes("RGBA", (width, height), content).save(out, "PNG", compress_level=0)
    return out.getvalue()


@dataclass
class City:
    """The office with its real channels, the real site and what truly became public elsewhere."""

    office: Office
    site: Site
    stages: Mapping[str, Performance]

    async def turn(self, seconds: int = 1) -> None:
        self.office.clock.move(timedelta(seconds=seconds))
        await dispatch(DISPATCHER, self.office.desk)
        await wake_waiting(DISPATCHER, self.office.desk)
        await settle(SETTLER, self.office.desk)

    async def row(self, account: str) -> Document:
        found = await self.office.store.get("publications", f"c1:{account}:1")
        assert found is not None
        return found

    def public(self, kind: str) -> int:
        return len(self.stages[kind].platform.posts(self.office.clock.now()))


def _credentials(platform: Any, now: Any) -> Mapping[str, Any]:
    for fact in platform.birth(now):
        platform.apply(fact)
    return dict(platform.accounts()[0])


@asynccontextmanager
async def opened_city() -> AsyncIterator[City]:
    async with opened_site(keys=(KEY,)) as site, open_caller() as caller:
        office = make_office(clock=site.clock)
        stages = {kind: Performance(made, site.clock.now) for kind, made in PLATFORMS.items()}
        base = f"http://127.0.0.1:{site.port}"
        known = {kind: _credentials(made(), site.clock.now()) for kind, made in PLATFORMS.items()}
        inside = InProcess({f"{kind}.example": stage for kind, stage in stages.items()})
        secrets = {"site": {"keys": [KEY]}, **known}
        opened: dict[str, Channel] = {}

        def channel_of(account: Document) -> Channel:
            kind, mark = str(account["channel"]), f"{account['_id']}{account['profile']}"
            road = caller.transport(PlatformPolicy.of(base)) if kind == "site" else inside
            if mark not in opened:
                opened[mark] = connect(account, secrets[kind], road, site.clock.now)
            return opened[mark]

        office = replace(office, desk=replace(office.desk, connect=channel_of))
        await accounts(office, base, known)
        website = channel_of((await office.store.get("accounts", "site-main")) or {})
        await website.put("column", "yaowen", 1, column("要闻动态"))  # type: ignore[attr-defined]
        yield City(office, site, stages)


async def accounts(office: Office, base: str, known: Mapping[str, Any]) -> None:
    """Those that go by HTTP wait for the website; all but it take the agreed sizes later."""
    generous = {"picture_bytes": 64 << 20}
    await office.account("site-main", "site", name="市政府网站", settings={"base_url": base}, profile=generous)
    settings = {"base_url": "https://wechat.example", "app_id": known["wechat"]["appid"]}
    await office.account(
        "wechat-main", "wechat", name="云川发布公众号", settings=settings, profile=generous, waits_for="site-main"
    )
    settings = {"base_url": "https://weibo.example", "domain": "www.yunchuan.example", "rip": "127.0.0.1"}
    await office.account("weibo-main", "weibo", name="云川发布", settings=settings, waits_for="site-main")


async def written(city: City, drawing: Drawing) -> None:
    """An approved content with a small picture and a large one, scheduled for all three."""
    office = city.office
    pictures = [await upload(EDITOR, office.desk, drawing, noise(60, 40, 1), "小图.png")]
    pictures.append(await upload(EDITOR, office.desk, drawing, noise(1_500, 1_100, 2), NAME))
    shown = [{"kind": "img", "media": one["_id"], "alt": "图"} for one in pictures]
    blocks = [{"kind": "p", "runs": [{"text": "停水期间请到送水点取水。"}]}, *shown]
    title = "清源水厂检修：停水范围和送水点"
    draft = check_draft(Draft("news", "yaowen", title, "请到送水点取水。", blocks, (), {"source": "云川市水务局"}))
    revision = revise("c1", 1, draft, by=EDITOR.id, at=office.clock.now())
    await office.store.insert("revisions", revision)
    package = package_hash(revision["hash"], {}, files_of(draft_of(revision)))
    fields = {"state": "approved", "approved_hash": package, "hash": package, "revision": 1, "title": title,
              "author": EDITOR.id, "kind": "news", "column": "yaowen", "variants": {}}  # fmt: skip
    await office.store.change("contents", {"_id": "c1"}, {"$set": fields}, upsert=True)
    wishes = [Wish(account, office.clock.now(), "publish") for account in ACCOUNTS]
    await schedule(EDITOR, office.desk, "c1", wishes)


@pytest.fixture(scope="module")
def drawing() -> Any:
    found = Drawing(longest=60.0)
    yield found
    found.close()


async def test_one_press_for_each_refusal_and_the_text_is_public_everywhere_once(drawing: Drawing) -> None:
    async with opened_city() as city:
        await written(city, drawing)
        for account, limit in (("site-main", 5 << 20), ("wechat-main", 1 << 20)):
            lower = {"$set": {"profile": {"picture_bytes": limit}}}
            await city.office.store.change("accounts", {"_id": account}, lower)
        for _ in range(3):
            await city.turn()
        refused = await city.row("site-main")
        assert refused["state"] == "refused"
        assert refused["reason"].startswith(f"第 2 张图“{NAME}” 6.") and "超过网站的 5 MB" in refused["reason"]
        assert (await city.row("weibo-main"))["held_for"] == (await city.row("wechat-main"))["held_for"] == "address"
        await Smaller(drawing).tick(program("renderer"), city.office.desk)
        await mend(EDITOR, city.office.desk, drawing, refused["_id"])
        for _ in range(3):
            await city.turn()
        assert (await city.row("site-main"))["state"] == "published"
        again = await city.row("wechat-main")
        assert again["state"] == "refused" and "超过公众号正文的 1 MB" in again["reason"] and NAME in again["reason"]
        await mend(EDITOR, city.office.desk, drawing, again["_id"])
        for _ in range(30):
            await city.turn(20)
        assert [(await city.row(account))["state"] for account in ACCOUNTS] == ["published"] * 3
        assert (city.public("weibo"), city.public("wechat")) == (1, 1)
        page = (await city.site.get("/articles/c1")).text
        [made] = (await city.row("site-main"))["renditions"]
        assert f"/media/{made['sha256']}" in page and made["of"] not in page
        served = await city.site.get(f"/media/{made['sha256']}")
        assert served.status == 200 and len(served.content) == made["size"] < 5 << 20


async def test_weibos_own_refusal_of_a_picture_names_it_and_gives_its_address() -> None:
    content = b"\x89PNG\r\n\x1a\n" + b"x" * (6 << 20)
    shown = Picture("a" * 64, "image/png", 10, 10, len(content), alt="图", name=NAME)
    room = weibo(profile={"picture_bytes": 64 << 20})

    async def give(_: str) -> bytes:
        return content

    prepared = room.channel.prepare(replace(variant(), pictures=(shown,)))
    staged = await room.channel.stage(prepared, "key-1", give)
    assert isinstance(staged, Staged)
    refused = await room.channel.publish(staged, "key-1")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.picture, refused.part) == ("20006", shown.sha256, f"第 1 张图“{NAME}”")
    assert refused.reason == f"第 1 张图“{NAME}” 6.1 MB：图片太大，请压缩到 5 MB 以内" and room.public() == []


def test_every_channel_names_a_picture_that_it_would_refuse_before_it_is_sent() -> None:
    for make in ROOMS.values():
        channel = make().channel
        limit = channel.capabilities.limits.get("picture_bytes")
        if limit is None:
            continue
        wrong = Picture("b" * 64, "image/jpeg", 10, 10, limit.value + 1, alt="图", name=NAME)
        found = [one for one in channel.prepare(replace(variant(), pictures=(wrong,))).problems if one.picture]
        assert [(one.severity, one.picture) for one in found] == [("block", wrong.sha256)], channel.capabilities.kind
        assert f"第 1 张图“{NAME}”" in found[0].message and "超过" in found[0].message
        assert channel.capabilities.picture_types
        odd = replace(wrong, type="image/bmp", size=1)
        found = [one for one in channel.prepare(replace(variant(), pictures=(odd,))).problems if one.picture]
        assert "BMP 格式" in found[0].message and "只收" in found[0].message
