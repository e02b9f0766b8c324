"""The channels under contract, each with a platform in the same process; one line brings a channel under all tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels.contract import Accepted, Channel, Outcome, Pending, Picture, Staged, Variant
from channels.faults import parse
from channels.kinds import CHANNELS, connect
from channels.performance import InProcess, Performance, Platform
from channels.push.rehearsal import PushPlatform
from channels.webhooks import key_text
from channels.wechat.rehearsal import WechatPlatform
from channels.weibo.rehearsal import WeiboPlatform
from hub.clock import SetClock
from tests.contracts.content_server import ContentServer

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
PICTURE = b"\x89PNG\r\n\x1a\n" + b"snow on the river" * 20
SHA = hashlib.sha256(PICTURE).hexdigest()
SITE_KEY = key_text(b"k" * 32)
# names of what an account must never show
SECRETS = ("access_token", "keys", "master_secret", "secret", "client_secret", "encoding_aes_key")


async def pictures(sha256: str) -> bytes:
    return {SHA: PICTURE}[sha256]


def variant(number: int = 1, *, revision: int = 1, picture: bool = False, digest: str = "") -> Variant:
    shown = (Picture(SHA, "image/png", 640, 360, len(PICTURE), alt="云溪河上的雪"),) if picture else ()
    return Variant(
        content_id=f"content-{number}",
        revision=revision,
        hash=f"hash-{number}-{revision}",
        title=f"云川市第{number}批老旧小区供暖管网改造完工",
        digest=digest or f"临江区、北岭区{number}00 户居民家中已恢复供暖，热线 12345 全天受理。",
        blocks=[{"kind": "p", "runs": [{"text": "今天上午，改造工程通过验收。"}]}],
        pictures=shown,
        meta={"kind": "news", "column": "zwdt", "source": "云川市人民政府办公室", "keywords": ["供暖"]},
        link=f"https://www.yunchuan.example/articles/content-{number}",
    )


@dataclass
class Room:
    """One channel with its platform, clock and faults."""

    channel: Channel
    stage: Performance
    clock: SetClock
    act: str  # a part of the publishing path

    def order(self, kind: str, value: int = 0, times: int = 1, match: str = "") -> None:

        self.stage.orders.add(parse({"match": match or self.act, "kind": kind, "value": value, "times": times}))

    def public(self) -> list[dict[str, Any]]:
        return [post for post in self.stage.platform.posts(self.clock.now()) if not post["withdrawn"]]

    def asked(self, part: str) -> int:
        return sum(part in row["path"] for row in self.stage.requests)

    async def published(self, number: int = 1, **more: Any) -> Accepted:
        """Sent, and seen through to the platform's verdict where it gives one later."""
        outcome = await self.settled(await self.channel.publish(await self.staged(number, **more), f"key-{number}"))
        assert isinstance(outcome, Accepted), outcome
        return outcome

    async def settled(self, outcome: Outcome) -> Outcome:
        """The verdict on what is pending; anything else as it is."""
        for _ in range(10):
            if not isinstance(outcome, Pending):
                break
            self.clock.move(outcome.check_after)
            outcome = await self.channel.check(outcome.ticket)
        return outcome

    def later(self) -> None:
        """Let what was taken become public, where the platform takes its time."""
        if self.channel.capabilities.confirms == "later":
            self.clock.move(self.channel.capabilities.settling)

    def say(self, external_id: str, text: str, author: str) -> str:
        """A citizen speaks under our post; the platform's id of it."""
        return self.stage.speak({"post": external_id.partition("~")[0], "text": text, "author": author})

    async def staged(self, number: int = 1, **more: Any) -> Staged:
        found = await self.channel.stage(self.channel.prepare(variant(number, **more)), f"key-{number}", pictures)
        assert isinstance(found, Staged)
        return found


def _room(
    platform: Callable[[], Platform], account: Mapping[str, Any], credentials: Mapping[str, Any], act: str
) -> Room:
    clock = SetClock(START)
    stage = Performance(platform, clock.now)
    host = "platform.example"
    settings = {"base_url": f"https://{host}", **account["settings"]}
    channel = connect({**account, "settings": settings}, credentials, InProcess({host: stage}), clock.now)
    return Room(channel, stage, clock, act)


def weibo(tier: str = "partner", profile: Mapping[str, Any] | None = None) -> Room:
    token = next(row for row in _born().accounts() if row["tier"] == tier)
    account = {
        "channel": "weibo",
        "settings": {"domain": "www.yunchuan.example", "rip": "127.0.0.1", "uid": token["uid"]},
        "profile": {"tier": "base" if tier == "test" else tier, **(profile or {})},
    }
    return _room(WeiboPlatform, account, token, "/statuses/share")


def _born() -> WeiboPlatform:
    platform = WeiboPlatform()
    for fact in platform.birth(START):
        platform.apply(fact)
    return platform


def site() -> Room:
    server = ContentServer([SITE_KEY])
    account = {"channel": "site", "settings": {"inbox_wait": 0}}
    return _room(lambda: server, account, {"keys": [SITE_KEY]}, "/items/article/")


def wechat(profile: Mapping[str, Any] | None = None) -> Room:
    born = WechatPlatform()
    for fact in born.birth(START):
        born.apply(fact)
    known = born.accounts()[0]
    settings = {"app_id": known["appid"], "default_cover": SHA}
    account = {"channel": "wechat", "settings": settings, "profile": profile or {}}
    return _room(WechatPlatform, account, {"secret": known["secret"]}, "/freepublish/submit")


def app() -> Room:
    server = ContentServer([SITE_KEY])
    return _room(lambda: server, {"channel": "app", "settings": {}}, {"keys": [SITE_KEY]}, "/items/card/")


def push(tier: str = "free", phones: int = 3) -> Room:
    row = next(row for row in PushPlatform().accounts() if row["tier"] == tier)
    room = _room(PushPlatform, {"channel": "push", "settings": {}}, row, "/v3/push")
    for _ in range(phones):
        room.stage.speak({"app": row["app_key"]})
    return room


# the platform's own words for: this text is not taken; today's calls are used up; who are you
TROUBLES: Mapping[str, Mapping[str, int]] = {
    "weibo": {"text": 20021, "quota": 10023, "login": 21327},
    "wechat": {"text": 53503, "quota": 45009, "login": 50002},
    "push": {"text": 1005, "quota": 2002, "login": 1004},
    "site": {"text": 422, "quota": 429, "login": 401},
    "app": {"text": 422, "quota": 429, "login": 401},
}
ROOMS: Mapping[str, Callable[[], Room]] = {
    "weibo": weibo, "site": site, "wechat": wechat, "app": app, "push": push,
}  # fmt: skip
assert set(ROOMS) == set(CHANNELS), "every channel of CHANNELS stands under the contract"
