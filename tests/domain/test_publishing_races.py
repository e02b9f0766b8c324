"""Who meets whom in the store: hold and claim, cancel and send, two workers, one that slept, a store that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.contract import Accepted
from hub.clock import SetClock
from hub.desk import ledger, pausing, publishing, settling
from hub.desk.dispatching import dispatch
from hub.desk.publishing import Wish
from hub.domain import holding
from hub.domain.errors import Conflict
from hub.domain.moves import MOVES, State, describe
from hub.domain.publication import Rules, decide_sent
from hub.failpoints import Stopped
from hub.store.base import Document, Store, Unreachable
from tests.domain.publishing_office import (
    DISPATCHER,
    EDITOR,
    MONITOR,
    MORNING,
    REVIEWER,
    SETTLER,
    Office,
    WrappedStore,
    make_office,
)

SOON = MORNING + timedelta(minutes=10)


async def due(kind: str = "trusted", count: int = 1, **more: Any) -> Office:
    office = make_office(**more)
    for number in range(count):
        await office.account(f"a-{number}", kind)
    await office.write("c1", "供热开始")
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish(f"a-{number}", SOON) for number in range(count)])
    office.clock.move(timedelta(minutes=10))
    return office


async def row_of(office: Office, account: str = "a-0") -> Document:
    row = await office.store.get("publications", f"c1:{account}:1")
    assert row is not None
    return row


async def yield_often(times: int = 100) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_two_workers_send_each_publication_once() -> None:
    office = await due(count=20)
    workers = [office.worker(f"worker-{number}") for number in range(4)]
    taken = await asyncio.gather(*(dispatch(DISPATCHER, worker) for worker in workers))
    assert sum(taken) == 20
    assert all(len(platform.posts) == 1 for platform in office.platforms.values())


async def test_a_hold_while_staging_wins_and_the_sender_finds_out_before_the_call() -> None:
    office = await due()
    worker = office.worker("worker-1", failpoint="stage.drafted:1:hang")
    task = asyncio.create_task(dispatch(DISPATCHER, worker))
    await yield_often()
    held = await publishing.hold(MONITOR, office.desk, "c1:a-0:1")
    assert held["state"] == "held"
    task.cancel()
    woken = office.worker("worker-1")
    publication = {**held, "state": "staging"}
    assert await ledger.intend(woken, DISPATCHER, "publications", publication, "publish", {}, "f", Rules()) is None
    assert office.platforms["a-0"].calls == ["stage"]


async def test_an_edit_between_the_claim_and_the_call_is_seen_before_the_call() -> None:
    office = await due()

    class EditedMeanwhile(WrappedStore):
        async def change(self, table: str, where: Mapping[str, Any], update: Mapping[str, Any], **more: Any) -> Any:
            after = await self.inner.change(table, where, update, **more)
            if table == "publications" and after is not None and after["state"] == "sending":
                await office.write("c1", "供热推迟", number=2, approved=False)
            return after

    await dispatch(DISPATCHER, office.worker("worker-1", store=EditedMeanwhile(office.store)))
    row = await row_of(office)
    assert office.platforms["a-0"].posts == []
    assert (row["state"], row["attempts"][0]["outcome"]) == ("scheduled", "not_called")
    await office.approve("c1")
    office.clock.move(timedelta(seconds=30))
    await dispatch(DISPATCHER, office.desk)
    assert [post.text.split("\n")[0] for post in office.platforms["a-0"].posts] == ["供热推迟"]


async def test_a_cancel_during_the_call_loses_and_is_told() -> None:
    office = await due()
    office.platforms["a-0"].gate = asyncio.Event()
    task = asyncio.create_task(dispatch(DISPATCHER, office.desk))
    await yield_often()
    with pytest.raises(Conflict) as caught:
        await publishing.cancel(EDITOR, office.desk, "c1:a-0:1")
    assert "发送中" in caught.value.message
    office.platforms["a-0"].gate.set()
    await task
    assert (await row_of(office))["state"] == "published"


async def test_hold_all_stops_what_has_its_intent_written_but_is_not_called_yet() -> None:
    office = await due()

    class Between(WrappedStore):
        """Presses the button exactly between the durable intent and the last look."""

        async def change(self, table: str, where: Mapping[str, Any], update: Any, **more: Any) -> Document | None:
            after = await self.inner.change(table, where, update, **more)
            if after is not None and after.get("state") == "sending" and "lease_until" in update["$set"]:
                held.append(await pausing.hold_all(MONITOR, office.desk, "上级来电"))
            return after

    held: list[pausing.Held] = []
    await dispatch(DISPATCHER, office.worker("worker-1", store=Between(office.store)))
    assert [one["_id"] for one in held[0].under_way] == ["c1:a-0:1"]
    row = await row_of(office)
    assert row["state"] == "scheduled"
    assert row["attempts"][-1]["outcome"] == "not_called"
    assert office.platforms["a-0"].posts == []
    await pausing.lift_hold_all(REVIEWER, office.desk)
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "published"


async def test_after_hold_all_has_returned_only_what_it_names_may_become_public() -> None:
    for moment in range(0, 60, 2):
        office = await due(count=6, seed=moment)
        task = asyncio.create_task(dispatch(DISPATCHER, office.desk))
        await yield_often(moment)
        held = await pausing.hold_all(EDITOR, office.desk, "上级来电")
        public_before = {name for name, platform in office.platforms.items() if platform.posts}
        named = {str(row["account"]) for row in held.under_way}
        await task
        public_after = {name for name, platform in office.platforms.items() if platform.posts}
        assert public_after - public_before <= named


async def test_a_held_account_sends_nothing_and_the_others_go_on() -> None:
    from hub.desk.accounts import hold_account, release_account

    office = await due(count=2)
    await hold_account(MONITOR, office.desk, "a-0", "口令疑似泄露")
    await dispatch(DISPATCHER, office.desk)
    assert await office.states() == {"a-0": "scheduled", "a-1": "published"}
    await release_account(EDITOR, office.desk, "a-0")
    await dispatch(DISPATCHER, office.desk)
    assert (await office.states())["a-0"] == "published"


async def test_a_worker_that_slept_past_its_lease_before_the_call_does_not_call() -> None:
    office = await due()
    slept = office.worker("worker-1", failpoint="stage.drafted:1:hang")
    task = asyncio.create_task(dispatch(DISPATCHER, slept))
    await yield_often()
    asleep = await row_of(office)
    office.clock.move(121)
    await settling.settle(SETTLER, office.desk)
    await dispatch(DISPATCHER, office.worker("worker-2"))
    assert (await row_of(office))["state"] == "published"
    woken = await ledger.intend(slept, DISPATCHER, "publications", asleep, "publish", {}, "f", Rules())
    assert woken is None
    task.cancel()
    assert len(office.platforms["a-0"].posts) == 1


class AtTheLook(WrappedStore):
    """Does something once, right after the pause's switch was read before a call."""

    def __init__(self, inner: Store, then: Callable[[], Awaitable[object]]) -> None:
        super().__init__(inner)
        self.then: Callable[[], Awaitable[object]] | None = then

    async def get(self, table: str, id: str, **more: Any) -> Document | None:
        found = await self.inner.get(table, id, **more)
        row = await self.inner.get("publications", "c1:a-0:1")
        if id == holding.HOLD_ALL and row is not None and row["state"] == "sending" and self.then is not None:
            then, self.then = self.then, None
            await then()
        return found


async def test_a_worker_that_stood_still_while_it_looked_for_a_pause_looks_again_and_does_not_call() -> None:
    office = await due()

    async def meanwhile() -> None:
        await pausing.hold_all(REVIEWER, office.desk, "演练")
        office.clock.move(40)  # less than the claim allows, more than a look may take

    await dispatch(DISPATCHER, office.worker("worker-1", store=AtTheLook(office.store, meanwhile)))
    row = await row_of(office)
    assert row["state"] == "scheduled" and row["attempts"][-1]["outcome"] == "not_called"
    assert office.platforms["a-0"].posts == []


async def test_a_worker_whose_claim_is_over_by_its_own_clock_does_not_call_but_claims_anew() -> None:
    office = await due()
    ahead = Ahead(office.clock)

    async def jump() -> None:
        ahead.by = timedelta(seconds=100)

    await dispatch(DISPATCHER, office.worker("worker-1", store=AtTheLook(office.store, jump), clock=ahead))
    row = await row_of(office)
    assert [one["outcome"] for one in row["attempts"]] == ["not_called", "accepted"]
    assert row["attempts"][0]["reason"] == "程序停顿过久"
    assert len(office.platforms["a-0"].posts) == 1


class Ahead(SetClock):
    """A clock that somebody set forward while its process ran on."""

    def __init__(self, right: SetClock) -> None:
        super().__init__(right.now())
        self.by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by


async def test_a_worker_that_slept_inside_the_call_is_unknown_and_its_late_yes_still_counts() -> None:
    office = await due("weibo")
    office.platforms["a-0"].gate = asyncio.Event()
    task = asyncio.create_task(dispatch(DISPATCHER, office.desk))
    await yield_often()
    office.clock.move(121)
    await settling.settle(SETTLER, office.worker("worker-2"))
    assert (await row_of(office))["state"] == "unknown"
    office.platforms["a-0"].gate.set()
    await task
    row = await row_of(office)
    assert (row["state"], row["external_id"]) == ("published", "p1")
    assert row["attempts"][-1]["settled"]["outcome"] == "accepted"


async def test_a_late_no_is_not_used_to_send_again() -> None:
    office = await due("weibo")
    office.platforms["a-0"].gate = asyncio.Event()
    task = asyncio.create_task(dispatch(DISPATCHER, office.desk))
    await yield_often()
    office.clock.move(121)
    await settling.settle(SETTLER, office.worker("worker-2"))
    office.platforms["a-0"].faults = ["busy"]
    office.platforms["a-0"].gate.set()
    await task
    assert (await row_of(office))["state"] == "unknown"


async def test_a_lookup_that_slept_through_a_second_send_does_not_judge_it() -> None:
    office = await due()
    office.platforms["a-0"].faults = ["drop_before", "drop_before"]
    await dispatch(DISPATCHER, office.desk)
    old = await row_of(office)
    for _ in range(5):
        office.clock.move(130)
        await settling.settle(SETTLER, office.desk)
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "unknown"
    from hub.domain.publication import Decision

    stale = await ledger.move(office.desk, SETTLER, "publications", old, Decision("miss_again", {"not_before": SOON}))
    assert stale is None


async def test_two_looks_of_workers_whose_clocks_stand_an_hour_apart_are_no_settling_time_apart() -> None:
    office = await due()
    office.platforms["a-0"].faults = ["drop_before"]
    await dispatch(DISPATCHER, office.desk)
    assert (await row_of(office))["state"] == "unknown"
    ahead = office.worker("worker-2", clock=SetClock(office.clock.now() + timedelta(hours=1)))
    await settling.settle(SETTLER, office.desk)
    await settling.settle(SETTLER, ahead)
    row = await row_of(office)
    assert (row["state"], row["seen_missing"]) == ("unknown", 2)


async def test_thousands_of_losses_are_kept_in_mind_at_once_each_with_its_own_watch() -> None:
    office = await due()
    rows: list[Document] = [{"_id": f"p{number}", "lost_at": SOON} for number in range(5_000)]
    for row in rows:
        assert settling.watched_for(office.desk, row, 10.0) == timedelta(0)
    assert {settling.watched_for(office.desk, row, 130.0) for row in rows} == {timedelta(seconds=120)}
    assert settling.watched_for(office.desk, {**rows[0], "lost_at": SOON + timedelta(1)}, 130.0) == timedelta(0)


async def test_repeated_text_another_publications_post_is_not_taken_for_this_ones() -> None:
    office = await due("weibo")
    await dispatch(DISPATCHER, office.desk)
    first = await row_of(office)
    twin = {**first, "_id": "c9:a-0:1", "content": "c1", "state": "unknown", "key": "k9", "look_at": office.clock.now(),
            "lost_at": office.clock.now()}  # fmt: skip
    for name in ("external_id", "url", "published_at", "outbox", "outbox_open", "outbox_count"):
        twin.pop(name, None)
    await office.store.insert("publications", twin)
    await settling.settle(SETTLER, office.desk)
    row = await office.store.get("publications", "c9:a-0:1")
    assert row is not None
    assert row["state"] == "unknown"


class Faulty(WrappedStore):
    """A store whose nth change of a publication fails, and every later one."""

    def __init__(self, inner: Any, nth: int) -> None:
        super().__init__(inner)
        self.left = nth

    async def change(self, table: str, where: Any, update: Any, **more: Any) -> Document | None:
        if table == "publications":
            self.left -= 1
            if self.left < 0:
                raise Unreachable("disk full")
        return await self.inner.change(table, where, update, **more)


@pytest.mark.parametrize("nth", range(5))
async def test_a_store_that_fails_at_any_write_never_leads_to_a_second_call(nth: int) -> None:
    office = await due()
    broken = Faulty(office.store, nth)
    with suppress(Unreachable):
        await dispatch(DISPATCHER, office.worker("worker-1", store=broken))
    calls = office.platforms["a-0"].calls.count("publish")
    for _ in range(12):
        office.clock.move(60)
        await settling.settle(SETTLER, office.desk)
        await dispatch(DISPATCHER, office.worker("worker-2"))
    assert (await row_of(office))["state"] == "published"
    assert len(office.platforms["a-0"].posts) == 1
    assert office.platforms["a-0"].calls.count("publish") == max(calls, 1)


@pytest.mark.parametrize(
    ("point", "calls"),
    [
        ("publish.due", 1),
        ("publish.claimed", 1),
        ("stage.drafted", 1),
        ("publish.intent_written", 1),
        ("publish.answered", 1),
        ("publish.outcome_written", 1),
    ],
)
async def test_a_stop_at_any_point_ends_published_once(point: str, calls: int) -> None:
    office = await due()
    stopped = office.worker("worker-1", failpoint=f"{point}:1:raise")
    with pytest.raises(Stopped):
        await dispatch(DISPATCHER, stopped)
    for _ in range(20):
        office.clock.move(30)
        await settling.settle(SETTLER, office.desk)
        await dispatch(DISPATCHER, office.worker("worker-2"))
    assert (await row_of(office))["state"] == "published"
    assert len(office.platforms["a-0"].posts) == 1
    assert office.platforms["a-0"].calls.count("publish") == calls


async def test_a_stop_while_a_picture_is_put_up_ends_published_once_with_it() -> None:
    office = make_office()
    await office.account("a-0", "trusted")
    picture = await office.desk.files.put(b"a picture of the heating station")
    await office.store.insert("media", {"_id": picture, "type": "image/png", "width": 8, "height": 8, "size": 32})
    await office.write("c1", "供热开始", picture=picture)
    await publishing.schedule(EDITOR, office.desk, "c1", [Wish("a-0", SOON)])
    office.clock.move(timedelta(minutes=10))
    with pytest.raises(Stopped):
        await dispatch(DISPATCHER, office.worker("worker-1", failpoint="stage.uploaded:1:raise"))
    assert (await row_of(office))["state"] == "staging" and office.platforms["a-0"].posts == []
    office.clock.move(150)
    await settling.settle(SETTLER, office.desk)
    await dispatch(DISPATCHER, office.worker("worker-2"))
    assert (await row_of(office))["state"] == "published"
    assert office.platforms["a-0"].calls == ["stage", "stage", "publish"]


async def test_unknown_has_no_road_to_a_send_but_a_person_or_a_trusted_lookup() -> None:
    roads = {step.event for step in MOVES if step.state == State.UNKNOWN and step.then in (State.SCHEDULED, State.HELD)}
    assert roads == {"miss_again", "say_not_published"}
    assert not [step for step in MOVES if step.state == State.UNKNOWN and step.then == State.SENDING]
    assert all(step.then.value in describe() for step in MOVES)


async def test_an_accepted_without_the_platforms_time_takes_ours() -> None:
    decision = decide_sent({"title": "x", "at": SOON}, Accepted("p1"), SOON, 0.0, Rules())
    assert decision.fields["published_at"] == SOON
