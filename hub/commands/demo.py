"""`demo`: fills the demonstration, lets its crowd speak, or starts the incident; the city and its people: hub.demo."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from hub import household, wiring
from hub import settings as settings_room
from hub.demo.city import crowd
from hub.demo.crowd import BURST, Crowd, Streets, register_phones
from hub.demo.filling import WECHAT, Addresses, fill
from hub.desk.desk import Desk
from hub.domain.errors import Misconfigured
from hub.identifiers import RandomIdentifiers
from hub.processes import hold_lifeline, listening
from hub.settings import Settings

PLATFORMS = 3  # 微博, 微信 and push, each on the port behind the one before
PHONES = 60  # that have the city's app


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--crowd", action="store_true", help="填好后让群众陆续说话，直到停止")
    parser.add_argument("--incident", action="store_true", help="开始一起突发事件（正在运行的演练里）")


def run(arguments: argparse.Namespace) -> int:
    hold_lifeline(os.environ)
    settings = household.beside(settings_room.read(os.environ, "desk"))
    mark = asyncio.run(wiring.mark_of(settings))
    if mark == "production":
        raise Misconfigured("这是正式环境的数据，不能填演练内容。演练请另设 HUB_DATA。")
    if mark is None:
        asyncio.run(wiring.birth(settings, "demo"))
    if arguments.incident:
        return asyncio.run(_run(settings, arguments))
    with wiring.hold_folder(settings.data / "demo", "演练群众"):
        return asyncio.run(_run(settings, arguments))


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    port = settings.number("HUB_REHEARSAL_PORT")
    if not all([await listening(port + place, wiring.CLOCK, 30) for place in range(PLATFORMS)]):
        raise Misconfigured("演练平台没有启动。请先运行 python -m hub serve --rehearsal。")
    async with wiring.open_desk(settings, role="console") as desk:
        streets = _streets(settings)
        people = Crowd(desk, wiring.CLOCK, RandomIdentifiers(wiring.CLOCK), streets)
        if arguments.incident:
            await _play(people)
            return 0
        count = await _fill(settings, desk, streets)
        if arguments.crowd:
            await _live(desk, people)
        else:
            print(f"演练内容已备好：{count} 篇稿件。")
    return 0


def _streets(settings: Settings) -> Streets:
    site, port = settings["HUB_SITE_URL"] or "http://localhost:8001", settings.number("HUB_REHEARSAL_PORT")
    weibo, wechat, push = (f"http://127.0.0.1:{port + place}" for place in range(PLATFORMS))
    return Streets(site, weibo, wechat, push, wiring.rehearsal_key(settings))


async def _fill(settings: Settings, desk: Desk, streets: Streets) -> int:
    weibo = await asyncio.to_thread(_account, streets, streets.weibo, "partner")
    push = await asyncio.to_thread(_account, streets, streets.push, "free")
    wechat = await asyncio.to_thread(_wechat_account, streets)
    await asyncio.to_thread(register_phones, streets, PHONES)
    api = settings["HUB_SITE_API"] or "http://127.0.0.1:8001"
    keys = [key.strip() for key in wiring.content_key(settings).split(",")]
    password = household.demo_password(settings)[0]
    platforms = (streets.weibo, weibo, streets.wechat, wechat, streets.push, push)
    return await fill(desk, Addresses(api, keys, *platforms), password)


def _account(streets: Streets, platform: str, tier: str) -> Mapping[str, Any]:
    """A local platform's made-up account of this tier, or its first."""
    found = _asked(streets, platform, "accounts")
    account: Mapping[str, Any] = next((each for each in found if each.get("tier") == tier), found[0])
    return account


def _wechat_account(streets: Streets) -> Mapping[str, Any]:
    """The made-up 公众号, told where its messages go."""
    callback = f"{streets.site}/callbacks/wechat/{WECHAT}"
    _asked(streets, streets.wechat, "callback", {"url": callback, "mode": "encrypted"})
    return _account(streets, streets.wechat, "")


def _asked(streets: Streets, base: str, what: str, order: Mapping[str, Any] | None = None) -> Any:
    """What a platform's control address says, or does."""
    connection = http.client.HTTPConnection("127.0.0.1", int(base.rpartition(":")[2]), timeout=10)
    headers = {"Authorization": f"Bearer {streets.key}", "Content-Type": "application/json"}
    body = None if order is None else json.dumps(dict(order))
    try:
        connection.request("GET" if body is None else "POST", f"/_rehearsal/{what}", body, headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != 200 or not found:
        raise Misconfigured("演练平台没有给出账号。请检查 HUB_REHEARSAL_KEY 是否与它启动时一致。")
    return found


async def _live(desk: Desk, people: Crowd) -> None:
    """The first minute is busy, then somebody speaks now and then; once, many new accounts say one text in minutes;
    incidents are played when asked for."""
    texts = crowd("crowd")
    spoken = await desk.store.count("replies", {"stream": "live"}, ceiling=len(texts))
    rest = texts[min(spoken, len(texts)) :]

    async def ordinary() -> None:
        await people.speak(rest[:BURST], 0.8)
        await people.speak(rest[BURST:], 12.0)

    async def flood() -> None:
        if not spoken:
            await people.speak(crowd("flood"), 15.0)

    await asyncio.gather(ordinary(), flood(), people.watch_for_incident(crowd("incident"), 4.0))


async def _play(people: Crowd) -> None:
    texts = crowd("incident")
    for said in tqdm(texts, unit="条", desc="突发事件", file=sys.stderr):
        await people.speak([said], 1.0)
