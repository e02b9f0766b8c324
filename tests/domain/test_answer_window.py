"""微信's window for answers, on the real connector and the rehearsal platform: in time, too late, and too often."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from channels.exchange import Answer
from channels.wechat import callback
from hub.desk import handling
from hub.desk.opening import open_from_reply
from hub.desk.tasks import my_tasks
from hub.pages.board import CHANNELS
from hub.pages.case_view import delivery_of
from hub.store.base import Document
from tests.contracts.channel_rooms import Room, wechat
from tests.domain.case_office import HANDLER, MONITOR, Office, make_office

LATE_EVENING = datetime(2026, 11, 17, 15, 50, tzinfo=UTC)  # 23:50 in the office


@dataclass
class Wechats:
    """An office with a 公众号 whose platform keeps the same time."""

    office: Office
    room: Room

    def move(self, step: timedelta) -> None:
        self.office.clock.move(step)
        self.room.clock.move(step)

    async def hears(self, text: str, author: str = "老李") -> str:
        """A citizen writes to the account; the reply's id."""
        self.room.stage.speak({"message": text, "author": author})
        [delivery] = self.room.stage.due()
        keys = callback.Keys("", self.token)
        query = dict(parse_qsl(urlsplit(delivery.url).query))
        heard = self.room.channel.receive(  # type: ignore[attr-defined]
            callback.take_in(keys, query, delivery.body, self.room.clock.now()), self.room.clock.now()
        )
        self.room.stage.delivered(delivery.id, Answer(200, {}, b"success"))
        return await self.office._taken("wechat-main", heard)

    @property
    def token(self) -> str:
        return str(self.room.stage.platform.accounts()[0]["callback_token"])

    def got(self) -> list[str]:
        """What citizens received from the account."""
        rows: list[dict[str, Any]] = self.room.stage.look("received")
        return [row["text"] for row in rows]


async def opened() -> Wechats:
    office, room = await make_office(), wechat()
    step = LATE_EVENING - office.clock.now()
    office.clock.move(step)
    room.clock.move(LATE_EVENING - room.clock.now())
    room.stage.order("callback", {"url": "http://localhost/callbacks/wechat/wechat-main", "mode": "plain"})
    others = office.desk.connect

    def connect(account: Document) -> Any:
        return room.channel if account["channel"] == "wechat" else others(account)

    row = {"_id": "wechat-main", "channel": "wechat", "name": "云川发布公众号", "held": False}
    await office.store.insert("accounts", {**row, "settings": {}, "profile": {}})
    return Wechats(replace(office, desk=replace(office.desk, connect=connect)), room)


async def case_of(here: Wechats, reply: str) -> str:
    found = await open_from_reply(MONITOR, here.office.desk, reply)
    await handling.accept_case(MONITOR, here.office.desk, found.case["_id"])
    await handling.take_case(HANDLER, here.office.desk, found.case["_id"])
    return str(found.case["_id"])


async def test_an_answer_within_two_days_reaches_the_citizen_in_wechat_once() -> None:
    here = await opened()
    case = await case_of(here, await here.hears("松苑街路灯不亮"))
    here.move(timedelta(hours=47))
    await here.office.sent(case)
    await here.office.work(3)
    assert len([text for text in here.got() if "路灯昨晚已修好" in text]) == 1
    assert [row["state"] for row in await here.office.rows("deliveries", case=case)] == ["published"]


async def test_an_answer_49_hours_after_2350_falls_back_and_the_case_shows_how() -> None:
    here = await opened()
    case = await case_of(here, await here.hears("松苑街路灯不亮"))
    here.move(timedelta(hours=49))
    await here.office.sent(case)
    await here.office.work(3)
    assert not [text for text in here.got() if "路灯昨晚已修好" in text]
    (row,) = await here.office.rows("deliveries", case=case)
    shown = delivery_of(row, CHANNELS)
    assert any("48 小时" in word for word in shown["passed"])
    assert [word.partition("：")[0] for word in shown["passed"]][1:] == ["群众另选的渠道", "短信", "查询码页面"]
    assert any("还没有接入短信" in word for word in shown["passed"])
    (task,) = await my_tasks(HANDLER, here.office.desk)
    assert task["kind"] == "delivery.check"  # a person reaches the citizen, or writes down that nobody can


async def test_a_citizen_who_writes_again_can_be_answered_again() -> None:
    here = await opened()
    case = await case_of(here, await here.hears("松苑街路灯不亮"))
    here.move(timedelta(hours=49))
    again = await here.hears("路灯还是不亮")
    await here.office.store.change("replies", {"_id": again}, {"$set": {"case": case}})
    await here.office.sent(case)
    await here.office.work(3)
    assert len([text for text in here.got() if "路灯昨晚已修好" in text]) == 1
