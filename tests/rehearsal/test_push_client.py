"""演练推送 held to by jpush 3.4.1, a client that others wrote for the real platform, over real sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jpush
import pytest
from jpush import common
from sanic import Sanic

from channels.contract import Accepted, Staged, Unknown
from channels.faults import Fault
from channels.http import PlatformPolicy, open_caller
from channels.kinds import connect
from channels.performance import Performance
from channels.push.rehearsal import PushPlatform
from channels.push.rehearsal_rules import Rules
from channels.rehearsal import app_of
from hub.clock import SetClock
from tests.contracts.channel_rooms import pictures, variant

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


class Shop:
    """The platform on a loopback port and the client pointed at it."""

    def __init__(self) -> None:
        self.clock = SetClock(START)
        rules = Rules(rates={"push": 20, "report": 20, "device": 20})
        self.stage = Performance(lambda: PushPlatform(rules=rules), self.clock.now)
        self.row = self.stage.platform.accounts()[0]

    def posts(self) -> list[dict[str, Any]]:
        return self.stage.platform.posts(self.clock.now())

    async def use(self, work: Any) -> Any:
        """Run blocking work of the client beside the server."""
        Sanic.test_mode = True
        app = app_of(self.stage, "key", "push-under-test")
        server = await app.create_server(host="127.0.0.1", port=0, return_asyncio_server=True)
        assert server is not None
        await server.startup()
        await server.start_serving()
        port = server.server.sockets[0].getsockname()[1]
        base = f"http://127.0.0.1:{port}/v3/"
        common.ZONES["HERE"] = {
            "PUSH": base, "REPORT": base,
            "DEVICE": f"{base}devices/", "ALIAS": f"{base}aliases/", "TAG": f"{base}tags/",
        }  # fmt: skip
        try:
            return await asyncio.to_thread(work, self)
        finally:
            await server.close()
            Sanic._app_registry.clear()

    def client(self, secret: str = "") -> Any:
        return jpush.JPush(self.row["app_key"], secret or self.row["master_secret"], zone="here")


@pytest.fixture
def shop() -> Iterator[Shop]:
    logging.getLogger("jpush").setLevel(logging.CRITICAL)
    yield Shop()
    common.ZONES.pop("HERE", None)


def pushed(client: Any, alert: str = "供暖恢复", cid: str | None = None) -> Any:
    push = client.create_push()
    push.audience, push.platform = jpush.all_, jpush.all_
    push.notification = jpush.notification(
        alert=alert, android=jpush.android(alert=alert, title="通知"), ios=jpush.ios(alert=alert, badge="+1")
    )
    push.options = {"time_to_live": 86400, "sendno": 18, "apns_production": True}
    push.cid = cid
    return push


async def test_the_client_pushes_once_under_one_cid(shop: Shop) -> None:
    shop.stage.speak({})

    def work(shop: Shop) -> None:
        client = shop.client()
        cid = client.create_push().get_cid(1, "push").payload["cidlist"][0]
        first, second = (pushed(client, cid=cid).send().payload for _ in range(2))
        assert first == second
        assert first["sendno"] == "18"
        pushed(client).send_validate()

    await shop.use(work)
    assert [(post["title"], post["text"]) for post in shop.posts()] == [("通知", "供暖恢复")]


async def test_the_client_reads_the_platforms_errors(shop: Shop) -> None:
    def work(shop: Shop) -> list[Any]:
        found = []
        for _ in range(2):
            with pytest.raises(jpush.common.JPushFailure) as failed:
                pushed(shop.client()).send()
            found.append(failed.value.error_code)
            shop.stage.speak({})
            shop.stage.orders.add(Fault("/v3/push", "code", 1, 1030))
        with pytest.raises(jpush.common.Unauthorized):
            pushed(shop.client("wrong")).send()
        with pytest.raises(jpush.common.JPushFailure) as failed:
            for _ in range(30):
                pushed(shop.client()).send()
        return [*found, failed.value.error_code]

    assert await shop.use(work) == [1011, 1030, 2002]


async def test_the_client_tags_a_device_and_reads_reports(shop: Shop) -> None:
    id = shop.stage.speak({})

    def work(shop: Shop) -> None:
        client = shop.client()
        device = client.create_device()
        device.set_deviceinfo(id, jpush.device_tag(jpush.add("临江区")))
        device.set_deviceinfo(id, jpush.device_alias("li"))
        assert device.get_deviceinfo(id).payload["tags"] == ["临江区"]
        assert device.get_aliasuser("li").payload == {"registration_ids": [id]}
        assert device.get_taglist().payload == {"tags": ["临江区"]}
        push = pushed(client)
        push.audience = jpush.audience(jpush.tag("临江区"))
        message = push.send().payload["msg_id"]
        shop.clock.move(60)
        report = client.create_report()
        [row] = report.get_received_detail(message).payload
        assert (row["msg_id"], row["jpush_received"]) == (message, 1)
        assert report.get_status_message(message, id).payload == {id: {"status": 0}}

    await shop.use(work)


async def test_the_connector_itself_pushes_over_real_sockets_and_a_lost_answer_is_no_second_push(shop: Shop) -> None:
    shop.stage.speak({})

    async def road(base: str) -> list[Any]:
        async with open_caller() as caller:
            account = {"channel": "push", "settings": {"base_url": base}}
            channel = connect(account, shop.row, caller.transport(PlatformPolicy.of(base)), shop.clock.now)
            assert (await channel.preflight()).state == "ok"
            staged = await channel.stage(channel.prepare(variant()), "key-1", pictures)
            assert isinstance(staged, Staged)
            shop.stage.orders.add(Fault("/v3/push", "close", 1))
            return [await channel.publish(staged, "key-1") for _ in range(2)]

    lost, again = await shop.use(lambda shop: asyncio.run(road(common.ZONES["HERE"]["PUSH"].removesuffix("/v3/"))))
    assert isinstance(lost, Unknown)
    assert isinstance(again, Accepted)
    assert [post["id"] for post in shop.posts()] == [again.external_id]
