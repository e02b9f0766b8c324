"""Many claims at one look: one for each account, each a change of its own, and no stop and no order lost by that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from hub.desk import ledger, pausing, publishing
from hub.desk.desk import Desk
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish
from hub.domain import holding
from hub.domain.publication import Rules
from hub.store.base import Document, Unreachable
from tests.domain.publishing_office import DISPATCHER, EDITOR, MONITOR, MORNING, Office, WrappedStore, make_office

SOON = MORNING + timedelta(minutes=10)


async def backlog(accounts: int, each: int) -> Office:
    """So many due posts on each account, a second apart, the accounts' own times one within the other."""
    office = make_office()
    for number in range(accounts):
        await office.account(f"a-{number}", "trusted")
    for place in range(each):
        await office.write(f"c{place}", f"第{place}篇")
        wishes = [Wish(f"a-{number}", SOON + timedelta(seconds=place)) for number in range(accounts)]
        await publishing.schedule(EDITOR, office.desk, f"c{place}", wishes)
    office.clock.move(timedelta(minutes=11))
    return office


class Looked(WrappedStore):
    """A store in which something happens between the look for what is due and the claims."""

    def __init__(self, inner: Any, then: Any) -> None:
        super().__init__(inner)
        self.then: Any = then

    async def find(self, table: str, where: Any, **more: Any) -> list[Document]:
        rows: list[Document] = await self.inner.find(table, where, **more)
        if table == "publications" and rows and self.then is not None:
            then, self.then = self.then, None
            await then()
        return rows


async def test_a_look_names_the_earliest_of_each_account_and_no_more_than_there_is_room_for() -> None:
    office = await backlog(accounts=3, each=4)
    named = await ledger.earliest_due(office.desk, "publications", {}, 10)
    assert sorted(named) == ["c0:a-0:1", "c0:a-1:1", "c0:a-2:1"]
    assert len(await ledger.earliest_due(office.desk, "publications", {}, 2)) == 2
    assert await ledger.earliest_due(office.desk, "publications", {"account": {"$nin": ["a-0", "a-1"]}}, 9) == [
        "c0:a-2:1"
    ]


async def test_an_accounts_backlog_goes_out_in_its_order_and_each_once() -> None:
    office = await backlog(accounts=3, each=5)
    assert await dispatch(DISPATCHER, office.desk) == 15
    for platform in office.platforms.values():
        assert [post.text.split("\n")[0] for post in platform.posts] == [f"第{place}篇" for place in range(5)]


async def test_two_workers_that_looked_at_the_same_moment_share_what_is_due() -> None:
    office = await backlog(accounts=12, each=1)
    both = asyncio.Barrier(2)
    workers = [office.worker(f"worker-{n}", store=Looked(office.store, both.wait)) for n in range(2)]
    taken = await asyncio.gather(*(dispatch(DISPATCHER, worker) for worker in workers))
    assert sum(taken) == 12
    assert [platform.calls.count("publish") for platform in office.platforms.values()] == [1] * 12


async def test_a_pause_between_the_look_and_the_claims_stops_every_call() -> None:
    office = await backlog(accounts=6, each=1)

    async def pause() -> None:
        await pausing.hold_all(MONITOR, office.desk, "上级来电")

    await dispatch(DISPATCHER, office.worker("worker-1", store=Looked(office.store, pause)))
    assert all(platform.posts == [] and platform.calls == [] for platform in office.platforms.values())
    assert set((await office.states()).values()) == {"scheduled"}


async def test_a_hold_and_a_cancel_between_the_look_and_the_claims_win() -> None:
    office = await backlog(accounts=3, each=1)

    async def stop() -> None:
        await publishing.hold(MONITOR, office.desk, "c0:a-0:1")
        await publishing.cancel(EDITOR, office.desk, "c0:a-1:1")

    assert await dispatch(DISPATCHER, office.worker("worker-1", store=Looked(office.store, stop))) == 1
    assert await office.states() == {"a-0": "held", "a-1": "cancelled", "a-2": "published"}


async def test_an_earlier_post_that_comes_back_between_look_and_claim_still_goes_first() -> None:
    office = await backlog(accounts=1, each=2)
    await publishing.hold(MONITOR, office.desk, "c0:a-0:1")

    async def release() -> None:
        where = {"_id": "c0:a-0:1"}
        await office.store.change("publications", where, {"$set": {"state": "scheduled"}})

    await dispatch(DISPATCHER, office.worker("worker-1", store=Looked(office.store, release)))
    office.clock.move(2)
    await dispatch(DISPATCHER, office.desk)
    assert [post.text.split("\n")[0] for post in office.platforms["a-0"].posts] == ["第0篇", "第1篇"]


@pytest.mark.parametrize("reason", holding.KEEPS_PLACE)
async def test_a_post_that_was_only_put_back_is_not_overtaken_while_it_waits(reason: str) -> None:
    """Another worker had claimed it while the one before it was under way: it is due again a second later."""
    office = await backlog(accounts=1, each=3)
    back = {"reason": reason, "not_before": office.clock.now() + timedelta(seconds=1)}
    await office.store.change("publications", {"_id": "c1:a-0:1"}, {"$set": back})
    await dispatch(DISPATCHER, office.desk)
    assert [post.text.split("\n")[0] for post in office.platforms["a-0"].posts] == ["第0篇"]
    for _ in range(3):
        office.clock.move(2)
        await dispatch(DISPATCHER, office.desk)
    assert [post.text.split("\n")[0] for post in office.platforms["a-0"].posts] == ["第0篇", "第1篇", "第2篇"]


async def test_a_post_that_its_platform_put_off_lets_later_ones_go_on() -> None:
    office = await backlog(accounts=1, each=2)
    back = {"reason": "平台繁忙", "tries": 1, "not_before": office.clock.now() + timedelta(minutes=3)}
    await office.store.change("publications", {"_id": "c0:a-0:1"}, {"$set": back})
    await dispatch(DISPATCHER, office.desk)
    assert [post.text.split("\n")[0] for post in office.platforms["a-0"].posts] == ["第1篇"]


async def test_an_account_at_which_another_worker_is_at_work_is_not_claimed_at_all() -> None:
    office = await backlog(accounts=2, each=2)
    office.platforms["a-0"].gate = asyncio.Event()
    first = asyncio.create_task(dispatch(DISPATCHER, office.worker("worker-1")))
    for _ in range(100):
        await asyncio.sleep(0)
    assert office.platforms["a-0"].calls == ["stage", "publish"]
    await dispatch(DISPATCHER, office.worker("worker-2"))
    waiting = await office.store.get("publications", "c1:a-0:1")
    assert waiting is not None and (waiting["state"], waiting["lease_number"]) == ("scheduled", 0)
    office.platforms["a-0"].gate.set()
    await first


async def test_a_claim_that_the_store_does_not_take_keeps_none_of_the_others_back() -> None:
    office = await backlog(accounts=4, each=1)

    class Ill(WrappedStore):
        failed = 0

        async def change(self, table: str, where: Mapping[str, Any], update: Any, **more: Any) -> Document | None:
            claims = update.get("$set", {}).get("state") == "staging"
            if claims and where.get("_id") == "c0:a-1:1" and not self.failed:
                Ill.failed += 1
                raise Unreachable("on order")
            return await self.inner.change(table, where, update, **more)

    assert await dispatch(DISPATCHER, office.worker("worker-1", store=Ill(office.store))) == 4
    assert set((await office.states()).values()) == {"published"}


async def test_an_address_that_comes_while_a_post_is_put_to_wait_for_it_is_not_missed() -> None:
    office = make_office()
    await office.account("site-main", "site")
    await office.account("weibo-main", "weibo", waits_for="site-main")
    await office.write("c1", "供热开始")
    wishes = [Wish("site-main", SOON), Wish("weibo-main", SOON)]
    await publishing.schedule(EDITOR, office.desk, "c1", wishes)
    office.clock.move(timedelta(minutes=11))

    class Meanwhile(WrappedStore):
        """The website's article comes out exactly while the other is put to wait."""

        async def change(self, table: str, where: Mapping[str, Any], update: Any, **more: Any) -> Document | None:
            if update.get("$set", {}).get("state") == "waiting":
                await _send_only(office.desk, "site-main")
            return await self.inner.change(table, where, update, **more)

    await office.store.change("publications", {"account": "site-main"}, {"$set": {"not_before": SOON.replace(hour=9)}})
    await dispatch(DISPATCHER, office.worker("worker-1", store=Meanwhile(office.store)))
    assert await office.states() == {"site-main": "published", "weibo-main": "published"}


async def _send_only(desk: Desk, account: str) -> None:
    await desk.store.change("publications", {"account": account}, {"$set": {"not_before": SOON}})
    await dispatch(DISPATCHER, desk)


async def test_a_claim_alone_is_still_the_earliest_of_all() -> None:
    office = await backlog(accounts=2, each=2)
    taken = await ledger.claim(office.desk, "publications", {}, Rules())
    assert taken is not None and taken["content"] == "c0"
