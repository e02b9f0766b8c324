"""额度: every call is counted before it leaves, two workers together never make too many, and what waits goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Quota
from channels.exchange import MaybeSent, NotSent, Request, Result
from channels.kinds import connect as connect_kind
from channels.surroundings import Spent
from hub.clock import SetClock
from hub.desk import quotas, settling
from hub.desk.dispatching import dispatch
from hub.desk.listening import listen
from hub.desk.quotas import StoredMeter
from hub.domain.people import program
from hub.domain.quota import PERIODS, end_of, row_of, start_of
from hub.store.base import Unreachable
from tests.domain.publishing_office import (
    DISPATCHER,
    EDITOR,
    MORNING,
    SETTLER,
    WrappedStore,
    make_office,
)
from tests.domain.real_office import MIDNIGHT, RealOffice, push_office, wechat_office, weibo_office

LISTENER = program("listener")
START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3 * 365 * 86_400_000).map(lambda past: START + timedelta(milliseconds=past))


def quota(value: int, per: str = "day") -> Quota:
    return Quota(value, "次", "a test", "2026-11-24", "发微博", per, "publish")


# ---- periods


@given(st.sampled_from(PERIODS), MOMENTS)
def test_a_period_holds_its_moment_and_the_next_begins_where_it_ends(per: str, now: datetime) -> None:
    start, end = start_of(per, now), end_of(per, now)
    assert start <= now < end
    assert start_of(per, end) == end
    assert row_of("a", "q", per, start) == row_of("a", "q", per, end - timedelta(milliseconds=1))
    assert row_of("a", "q", per, end) != row_of("a", "q", per, now)


def test_a_day_and_a_month_end_at_midnight_in_shanghai() -> None:
    evening = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)
    assert end_of("day", evening) == end_of("month", evening) == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert row_of("a", "q", "day", evening) == "a:q:2026-11-30"
    assert row_of("a", "q", "day", evening + timedelta(seconds=1)) == "a:q:2026-12-01"


# ---- the count


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40_000)), min_size=1, max_size=30))
def test_however_many_workers_call_at_once_a_period_never_sees_more_than_its_limit(
    limit: int, steps: list[tuple[int, int]]
) -> None:
    async def run() -> None:
        office = make_office()
        meters = [StoredMeter(office.worker(f"w{number}"), "a") for number in range(4)]
        granted: dict[str, int] = {}
        for workers, seconds in steps:
            now = office.clock.now()
            asked = {"hour": quota(limit * 2, "hour"), "day": quota(limit)}
            answers = await asyncio.gather(*(meter.take(asked) for meter in meters[: workers + 1]))
            day = row_of("a", "day", "day", now)
            granted[day] = granted.get(day, 0) + sum(not isinstance(one, Spent) for one in answers)
            assert granted[day] <= limit
            office.clock.move(seconds)
        for row in await office.store.find("quotas", {"quota": "day"}, limit=200):
            assert row["used"] == granted[row["_id"]]

    asyncio.run(run())


async def test_what_one_quota_refuses_costs_nothing_of_the_other() -> None:
    office = make_office()
    meter = StoredMeter(office.desk, "a")
    both = {"posts": quota(1, "hour"), "all": quota(5)}
    assert not isinstance(await meter.take(both), Spent)
    refused = await meter.take(both)
    assert isinstance(refused, Spent)
    assert refused.quota == "posts"
    assert refused.wait == timedelta(hours=1)
    assert "10:00" in refused.reason
    rows = {row["quota"]: row["used"] for row in await office.store.find("quotas", {}, limit=10)}
    assert rows == {"posts": 1, "all": 1}


async def test_a_platforms_word_that_nothing_is_left_holds_an_hour_and_never_past_midnight() -> None:
    office = make_office()
    meter = StoredMeter(office.desk, "a")
    told = await meter.believe({"q": quota(100)}, 0, None)
    assert told.wait == timedelta(hours=1)
    assert isinstance(await meter.take({"q": quota(100)}), Spent)
    office.clock.move(timedelta(hours=1))
    assert not isinstance(await meter.take({"q": quota(100)}), Spent)
    office.clock.jump(MIDNIGHT - timedelta(minutes=10))
    assert (await meter.believe({"q": quota(100)}, 0, None)).wait == timedelta(minutes=10)
    office.clock.jump(MIDNIGHT)
    assert not isinstance(await meter.take({"q": quota(100)}), Spent)


async def test_where_the_count_cannot_be_kept_nothing_leaves_and_an_answer_is_still_an_answer() -> None:
    office = make_office()

    class Gone(WrappedStore):
        async def change(self, *given: Any, **more: Any) -> Any:
            raise Unreachable

    meter = StoredMeter(replace(office.desk, store=Gone(office.store)), "a")
    assert await meter.take({"q": quota(5)}) == quotas.NOT_COUNTED
    await meter.give_back(["a:q:2026-11-24"])
    assert isinstance(await meter.believe({"q": quota(5)}, 0, None), Spent)


# ---- publishing


async def both_dispatch(real: RealOffice) -> None:
    await asyncio.gather(*(dispatch(DISPATCHER, real.worker(name)) for name in ("w1", "w2", "w3")))


async def test_two_workers_together_never_post_more_than_the_day_allows_and_the_rest_goes_out_after_midnight() -> None:
    real = await weibo_office({"posts_day": 3, "readbacks_day": 0})
    await real.planned(5)
    real.office.clock.move(timedelta(minutes=2))
    for _ in range(5):
        await both_dispatch(real)
        real.office.clock.move(2)
    assert len(real.room.public()) == real.room.asked("share.json") == 3
    rows = await real.rows()
    assert [row["state"] for row in rows] == ["published"] * 3 + ["scheduled"] * 2
    assert all(row["not_before"] == MIDNIGHT for row in rows[3:])
    assert "明天 0:00" in rows[4]["reason"]
    assert not any(row["attempts"] for row in rows[3:])
    assert real.told(rows) == []
    real.office.clock.jump(MIDNIGHT + timedelta(seconds=1))
    for _ in range(3):
        await both_dispatch(real)
        real.office.clock.move(2)
    assert len(real.room.public()) == 5


async def test_what_may_not_wait_until_midnight_is_held_with_the_moment_from_which_it_could_go() -> None:
    real = await weibo_office({"posts_day": 1, "readbacks_day": 0})
    await real.planned(2, late="ask")
    real.office.clock.move(timedelta(minutes=2))
    for _ in range(3):
        await both_dispatch(real)
        real.office.clock.move(2)
    held = (await real.rows())[1]
    assert held["state"] == "held"
    assert "明天 0:00 起重新计数" in held["reason"] and "改期" in held["reason"]
    assert len(real.told([held])) == 1


async def test_shortly_before_midnight_it_waits_the_few_minutes_that_the_late_rule_gives() -> None:
    real = await weibo_office({"posts_day": 1, "readbacks_day": 0})
    await real.planned(2, at=MIDNIGHT - timedelta(minutes=10), late="hold")
    real.office.clock.jump(MIDNIGHT - timedelta(minutes=9))
    for _ in range(3):
        await both_dispatch(real)
        real.office.clock.move(2)
    assert (await real.rows())[1]["state"] == "scheduled"
    real.office.clock.jump(MIDNIGHT + timedelta(seconds=30))
    await both_dispatch(real)
    assert [row["state"] for row in await real.rows()] == ["published", "published"]
    assert real.told(await real.rows()) == []


async def test_the_platforms_refusal_for_quota_is_believed_although_we_had_counted_less() -> None:
    real = await weibo_office({"readbacks_day": 0})
    await real.planned(2)
    real.room.order("code", 10023)
    real.office.clock.move(timedelta(minutes=2))
    for _ in range(3):
        await both_dispatch(real)
        real.office.clock.move(2)
    assert real.room.asked("share.json") == 1
    rows = await real.rows()
    assert [row["state"] for row in rows] == ["scheduled", "scheduled"]
    assert "平台说次数已用完" in rows[0]["reason"]
    assert real.told(rows) == []
    real.office.clock.move(timedelta(hours=1, minutes=1))
    for _ in range(3):
        await both_dispatch(real)
        real.office.clock.move(2)
    assert len(real.room.public()) == 2


async def test_a_call_that_never_left_is_given_back_and_one_that_may_have_is_not() -> None:
    class Carrier:
        result: Result = NotSent("连接不上对方服务器")

        async def send(self, request: Request) -> Result:
            return self.result

    real, carrier = await weibo_office(), Carrier()
    desk = real.worker("w1")
    meter = StoredMeter(desk, "weibo-main")
    channel = connect_kind(real.account, real.credentials, carrier, real.office.clock.now, meter)
    await channel.poll("", [])
    assert (await used(real))["comments_day"] == 0
    carrier.result = MaybeSent("断了")
    await channel.poll("", [])
    assert (await used(real))["comments_day"] == 1


async def used(real: RealOffice) -> dict[str, int]:
    return {one.quota: one.used for one in await quotas.left_of(real.worker("page"), real.account)}


async def test_every_call_of_a_post_is_in_the_count() -> None:
    real = await weibo_office()
    await real.planned(1)
    real.office.clock.move(timedelta(minutes=2))
    await dispatch(DISPATCHER, real.worker("w1"))
    await listen(LISTENER, await listening(real))
    found = await used(real)
    assert {name: count for name, count in found.items() if count} == {
        "posts_hour": 1, "posts_day": 1, "readbacks_day": 1, "comments_day": 1, "calls_day": 3,
    }  # fmt: skip


async def listening(real: RealOffice) -> Any:
    await real.office.store.change("accounts", {"_id": real.account["_id"]}, {"$set": {"listening": True}})
    return real.worker("w1")


async def test_every_call_of_an_article_is_in_the_count() -> None:
    real = await wechat_office()
    await real.planned(1)
    real.office.clock.move(timedelta(minutes=2))
    await dispatch(DISPATCHER, real.worker("w1"))
    for _ in range(4):
        real.office.clock.move(timedelta(minutes=1))
        await settling.settle(SETTLER, real.worker("w1"))
    found = await used(real)
    assert (await real.rows())[0]["state"] == "published"
    paths = {"publish_day": "freepublish/submit", "checks_day": "freepublish/get", "drafts_day": "draft/add"}
    for name, path in paths.items():
        assert found[name] == real.room.asked(path) >= 1


# ---- look-ups draw on their own budget


async def test_a_post_in_doubt_waits_for_tomorrows_looks_without_losing_any_and_posts_go_on() -> None:
    real = await weibo_office({"reconciliation_day": 1, "readbacks_day": 0, "timeline": 3})
    await real.planned(2)
    real.room.order("drop_before")
    real.office.clock.move(timedelta(minutes=2))
    for _ in range(3):
        await both_dispatch(real)
        real.office.clock.move(2)
    for _ in range(5):
        real.office.clock.move(timedelta(minutes=10))
        await settling.settle(SETTLER, real.worker("w1"))
    rows = await real.rows()
    assert [row["state"] for row in rows] == ["unknown", "published"]
    assert real.room.asked("user_timeline") == 1
    assert (rows[0]["looks"], rows[0]["look_at"]) == (1, MIDNIGHT)


async def test_a_verdict_is_not_asked_for_when_the_days_looks_are_used_up() -> None:
    real = await wechat_office({"checks_day": 0})
    await real.planned(1)
    real.office.clock.move(timedelta(minutes=2))
    await dispatch(DISPATCHER, real.worker("w1"))
    for _ in range(3):
        real.office.clock.move(timedelta(minutes=1))
        await settling.settle(SETTLER, real.worker("w1"))
    assert real.room.asked("freepublish/get") == 0
    row = (await real.rows())[0]
    assert (row["state"], row["look_at"]) == ("pending", MIDNIGHT)


async def test_what_the_rate_headers_leave_is_taken_over_and_a_full_minute_waits_for_the_next() -> None:
    real = await push_office({"pushes_minute": 10_000})  # we think it allows more than it does
    await real.planned(1)
    real.office.clock.move(timedelta(minutes=2))
    await dispatch(DISPATCHER, real.worker("w1"))
    assert (await real.rows())[0]["state"] == "published"
    left = (await quotas.left_of(real.worker("page"), real.account))[0].left
    assert left == 598  # after cid and push
    real.room.order("code", 2002)
    refused = await real.worker("w1").connect(real.account).preflight()
    assert refused.state == "quota_low"
    assert await quotas.spent(real.worker("w2"), real.account, "publish") is not None
    real.office.clock.move(timedelta(minutes=2))
    assert await quotas.spent(real.worker("w2"), real.account, "publish") is None


@pytest.mark.parametrize("make", [weibo_office, wechat_office, push_office])
async def test_a_page_is_told_what_is_left_of_every_quota(make: Any) -> None:
    real = await make()
    found = await quotas.left_today(EDITOR, real.worker("page"), [real.account["_id"], "nobody"])
    assert [one.left for one in found[real.account["_id"]]] == [one.limit for one in found[real.account["_id"]]]
    assert len(found) == 1


def test_a_clock_that_stands_counts_in_one_row() -> None:
    assert row_of("a", "q", "minute", SetClock(MORNING).now()) == "a:q:2026-11-24T09:00"
