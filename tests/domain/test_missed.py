"""After an outage: what was missed is listed with what its late rule did, and decided once, by one person."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from hub.desk import pausing, quieting
from hub.desk.beating import beat
from hub.desk.carrying import carry
from hub.desk.dispatching import dispatch
from hub.desk.missed import Missed, decide_missed, missed
from hub.desk.publishing import Wish, schedule
from hub.domain.errors import Invalid, NotAllowed
from hub.domain.people import program
from tests.domain.publishing_office import DISPATCHER, EDITOR, MONITOR, MORNING, REVIEWER, Office, make_office
from tests.domain.trust_office import CARRIER

WORKER = program("worker")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
RULES = {"c1": "ask", "c2": "hold", "c3": "publish"}


async def an_office() -> Office:
    """Three texts half an hour apart, each with its own late rule, on two accounts."""
    office = make_office()
    for account in ("site-main", "app-main"):
        await office.account(account, "site")
    await beat(WORKER, office.desk)
    for number, (content, late) in enumerate(RULES.items()):
        await office.write(content, f"第{number + 1}篇")
        at = MORNING + HOUR + number * 30 * MINUTE
        await schedule(EDITOR, office.desk, content, [Wish(one, at, late) for one in ("site-main", "app-main")])
    return office


async def come_back(office: Office) -> None:
    """A worker lives again and takes up what is due."""
    await beat(WORKER, office.desk)
    for _ in range(8):
        await dispatch(DISPATCHER, office.desk)
        office.clock.move(1)


async def lasts(office: Office, rounds: int) -> None:
    """So many looks of a living worker, twenty seconds apart."""
    for _ in range(rounds):
        await beat(WORKER, office.desk)
        await dispatch(DISPATCHER, office.desk)
        office.clock.move(MINUTE / 3)


async def after_an_outage() -> tuple[Office, Missed]:
    office = await an_office()
    office.clock.move(4 * HOUR)
    await come_back(office)
    found = await missed(REVIEWER, office.desk)
    assert found is not None
    return office, found


async def test_what_was_missed_stands_with_its_time_its_rule_and_what_that_did() -> None:
    _, found = await after_an_outage()
    assert [outage.words for outage in found.outages] == [
        "11 月 24 日 09:00 到 11 月 24 日 13:00，没有发布程序在运行"
    ]
    assert [(post.title, post.at, post.late, post.did) for post in found.waiting] == [
        ("第1篇", MORNING + HOUR, "ask", "asked"),
        ("第2篇", MORNING + HOUR + 30 * MINUTE, "hold", "held"),
    ]
    assert [sorted(row["account"] for row in post.rows) for post in found.waiting] == [["app-main", "site-main"]] * 2
    assert found.count == 4
    assert [(post.title, post.did, len(post.rows)) for post in found.sent] == [("第3篇", "sent", 2)]


async def test_one_decision_sends_all_in_their_order_and_the_list_is_gone() -> None:
    office, found = await after_an_outage()
    ids = [id for post in found.waiting for id in post.ids]
    assert (await decide_missed(REVIEWER, office.desk, ids, "now")).done == 4
    await come_back(office)
    posts = [post.text.split("\n")[0] for post in office.platforms["site-main"].posts]
    assert posts == ["第3篇", "第1篇", "第2篇"]
    assert await missed(REVIEWER, office.desk) is None
    await carry(CARRIER, office.desk)
    rows = await office.store.find("audit", {"act": "publication.release"}, limit=10)
    assert len(rows) == 4 and {row["detail"]["choice"] for row in rows} == {"now"}


async def test_each_may_be_decided_for_itself_moved_or_cancelled() -> None:
    office, found = await after_an_outage()
    first, second = found.waiting
    tomorrow = office.clock.now() + 20 * HOUR
    await decide_missed(EDITOR, office.desk, first.ids, "move", at=tomorrow)
    left = await missed(EDITOR, office.desk)
    assert left is not None and [post.title for post in left.waiting] == ["第2篇"]
    await decide_missed(EDITOR, office.desk, second.ids, "cancel")
    assert await missed(EDITOR, office.desk) is None
    rows = {row["_id"]: row for row in await office.store.find("publications", {})}
    assert [rows[id]["state"] for id in first.ids] == ["scheduled"] * 2
    assert all(tomorrow <= rows[id]["at"] < tomorrow + MINUTE for id in first.ids)
    assert [rows[id]["state"] for id in second.ids] == ["cancelled"] * 2
    assert office.platforms["site-main"].posts[-1].text.startswith("第3篇")


async def test_of_two_who_decide_the_same_at_once_one_does_and_the_other_is_told() -> None:
    office, found = await after_an_outage()
    ids = found.waiting[0].ids
    sent, cancelled = await asyncio.gather(
        decide_missed(REVIEWER, office.desk, ids, "now"), decide_missed(EDITOR, office.desk, ids, "cancel")
    )
    assert sent.done + cancelled.done == 2
    again = await decide_missed(EDITOR, office.desk, ids, "cancel")
    assert (again.done, list(again.left)) == (0, ["《第1篇》刚才已由别人处理。"] * 2)


async def test_only_who_may_decide_is_asked_and_a_wrong_answer_changes_nothing() -> None:
    office, found = await after_an_outage()
    assert await missed(MONITOR, office.desk) is None
    with pytest.raises(NotAllowed):
        await decide_missed(MONITOR, office.desk, found.waiting[0].ids, "now")
    for ids, choice, at in (([], "now", None), (["x"], "later", None), (["x"], "move", None),
                            (["x"], "move", MORNING)):  # fmt: skip
        with pytest.raises(Invalid):
            await decide_missed(EDITOR, office.desk, ids, choice, at=at)
    assert (await decide_missed(EDITOR, office.desk, ["no-such"], "now")).done == 0


async def test_after_hold_all_and_after_a_quiet_period_the_same_is_asked() -> None:
    office = await an_office()
    await pausing.hold_all(MONITOR, office.desk, "接上级电话")
    await lasts(office, 180)
    await pausing.hold_all(EDITOR, office.desk, "仍在核实")
    await lasts(office, 180)
    await pausing.lift_hold_all(REVIEWER, office.desk, reason="已核实")
    await lasts(office, 3)
    found = await missed(REVIEWER, office.desk)
    assert found is not None and [post.title for post in found.waiting] == ["第1篇"]
    assert [one.words for one in found.outages] == ["11 月 24 日 09:00 到 11 月 24 日 11:00，全部暂停：仍在核实"]
    silent = await an_office()
    await quieting.declare(REVIEWER, silent.desk, since=MORNING, until=MORNING + 3 * HOUR, reason="公祭日")
    await lasts(silent, 9 * 60 - 1)
    assert await missed(REVIEWER, silent.desk) is None, "not while it lasts"
    await lasts(silent, 5)
    found = await missed(REVIEWER, silent.desk)
    assert found is not None and [post.title for post in found.waiting] == ["第1篇", "第2篇"]
    assert [one.why for one in found.outages] == ["静默时段：公祭日"]


async def test_what_was_late_for_another_reason_is_not_put_down_to_an_outage() -> None:
    office = await an_office()
    await office.store.change("accounts", {"_id": "site-main"}, {"$set": {"held": True}})
    await lasts(office, 600)
    await office.store.change("accounts", {"_id": "site-main"}, {"$set": {"held": False}})
    await lasts(office, 3)
    assert await missed(REVIEWER, office.desk) is None
    assert await office.store.count("publications", {"held_for": "late"}) > 0
