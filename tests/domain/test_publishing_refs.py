"""What a stage made is durable before the first attempt and comes back with the next one under the same key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.contract import Found, Outcome, PictureBytes, Prepared, Refused, Staged, Unknown, Who
from hub.desk import publishing, settling
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish
from hub.domain.errors import Invalid
from hub.failpoints import Stopped
from hub.store.base import Document
from tests.domain.publishing_office import (
    DISPATCHER,
    EDITOR,
    MORNING,
    REVIEWER,
    SETTLER,
    Office,
    PlainChannel,
    make_office,
)

SOON = MORNING + timedelta(minutes=10)


class Numbered(PlainChannel):
    """A channel whose platform gives out a new number at each stage; `kept` is what the hub handed back each time."""

    numbers = 0
    kept: list[Mapping[str, Any]]

    async def stage(self, prepared: Prepared, key: str, pictures: PictureBytes) -> Staged | Refused | Unknown:
        self.kept.append(dict(prepared.kept))
        if prepared.kept:
            return Staged(prepared, prepared.kept)
        self.numbers += 1
        return Staged(prepared, {"number": f"n{self.numbers}"})

    async def find_published(self, key: str, staged: Staged, since: datetime) -> Found | Unknown | None:
        return Unknown("无从查询")


async def office_with(addressed: bool = True) -> tuple[Office, Numbered, str]:
    office = make_office()
    await office.account("a-main", "weibo", settings={"domain": "www.example"})
    plain: Any = office.desk.connect({"_id": "a-main", "channel": "weibo", "settings": {}})
    able = replace(plain.capabilities, lookup="none", needs_link=False, addressed=addressed)
    channel = Numbered(plain.platform, able, plain.base)
    channel.kept = []
    office.desk = replace(office.desk, connect=lambda account: channel)
    await office.write("c1", "供热开始")
    done = await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-main", SOON, "ask")])
    office.clock.move(timedelta(minutes=10))
    return office, channel, str(done.publications[0]["_id"])


async def row_of(office: Office, id: str) -> Document:
    row = await office.store.get("publications", id)
    assert row is not None
    return row


async def test_a_try_after_a_passing_refusal_uses_what_the_first_one_made() -> None:
    office, channel, id = await office_with()
    channel.platform.faults = ["busy"]
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office, id))["staged"] == {"number": "n1"}
    office.clock.move(timedelta(minutes=1))
    await dispatch(DISPATCHER, office.desk)
    assert channel.kept == [{}, {"number": "n1"}]
    assert (await row_of(office, id))["state"] == "published"


async def test_a_release_after_a_lost_answer_uses_what_the_first_attempt_was_made_with() -> None:
    office, channel, id = await office_with()
    channel.platform.faults = ["drop_after"]
    await dispatch(DISPATCHER, office.desk)
    for _ in range(20):
        office.clock.move(timedelta(minutes=5))
        await settling.settle(SETTLER, office.desk)
        await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office, id))["state"] == "unknown"
    await settling.resolve(REVIEWER, office.desk, id, "not_published", evidence="后台没有")
    await publishing.release(REVIEWER, office.desk, id)
    await dispatch(DISPATCHER, office.desk)
    assert channel.kept == [{}, {"number": "n1"}]


async def test_what_is_written_down_is_there_when_the_program_dies_before_the_call() -> None:
    office, channel, id = await office_with()
    with pytest.raises(Stopped):
        await dispatch(DISPATCHER, office.worker("worker-2", failpoint="publish.intent_written:1:raise"))
    assert (await row_of(office, id))["staged"] == {"number": "n1"}
    assert channel.platform.posts == []


async def test_another_text_is_another_key_and_begins_anew() -> None:
    office, channel, id = await office_with()
    channel.platform.faults = ["busy"]
    await dispatch(DISPATCHER, office.desk)
    first = (await row_of(office, id))["key"]
    await office.write("c1", "供热推迟", number=2)
    await publishing.hold(EDITOR, office.desk, id)
    await publishing.release(REVIEWER, office.desk, id)
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office, id))["key"] != first
    assert channel.kept == [{}, {}]


async def test_what_has_no_address_may_be_declared_published_without_one() -> None:
    for addressed in (True, False):
        office, channel, id = await office_with(addressed)
        channel.platform.faults = ["drop_after"]
        await dispatch(DISPATCHER, office.desk)
        with pytest.raises(Invalid):
            await settling.resolve(REVIEWER, office.desk, id, "published", evidence="")
        if addressed:
            with pytest.raises(Invalid):
                await settling.resolve(REVIEWER, office.desk, id, "published", evidence="后台有记录")
            continue
        with pytest.raises(Invalid):
            await settling.resolve(REVIEWER, office.desk, id, "published", url="javascript:1", evidence="后台有记录")
        after = await settling.resolve(REVIEWER, office.desk, id, "published", evidence="后台有记录")
        assert (after["state"], after.get("url")) == ("published", None)


async def test_a_refusal_that_nobody_can_act_on_is_shown_and_tells_nobody() -> None:
    for who, told in ((Who.NOBODY, 0), (Who.EDITOR, 1)):
        office, channel, id = await office_with()

        async def refuse(staged: Staged, key: str, who: Who = who) -> Outcome:
            return Refused("1011", "暂无可达设备", who)

        channel.publish = refuse  # type: ignore[method-assign]
        await dispatch(DISPATCHER, office.desk)
        row = await row_of(office, id)
        assert (row["state"], row["reason"]) == ("refused", "暂无可达设备")
        rows = [each for parcel in row["outbox"] for each in parcel["rows"]]
        assert len(rows) > 2
        assert len([each for each in rows if each["kind"] == "notice"]) == told
