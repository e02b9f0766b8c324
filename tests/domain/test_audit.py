"""The audit chain and the carrier: nothing lost, nothing twice, and every tampering named by its place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.desk import auditing
from hub.desk.auditing import list_entries, seal_heads, verify
from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.domain import audit, outbox
from hub.domain.errors import Misconfigured, NotAllowed
from hub.failpoints import Stopped
from hub.sealing import Sealer
from hub.store.heads import HeadsFile, read_heads
from hub.store.memory import MemoryStore
from tests.domain.trust_office import (
    AUDITOR,
    CARRIER,
    CONSOLE,
    EDITOR,
    Broken,
    FailingStore,
    Interleaved,
    Meanwhile,
    act,
    clock_of,
    make_desk,
    with_point,
)


async def chained(number: int) -> Desk:
    desk = make_desk()
    for place in range(number):
        clock_of(desk).move(1)
        await act(desk, place)
        await carry(CARRIER, desk)
    return desk


async def entry(desk: Desk, number: int) -> dict[str, object]:
    return (await desk.store.find("audit", {"number": number}))[0]


async def rewrite(desk: Desk, place: int, **values: object) -> None:
    """What somebody with the store's password, but not the key, may do."""
    row = await entry(desk, place)
    await desk.store.purge("audit", {"number": place}, reason="tampering")
    await desk.store.insert("audit", {**row, **values})


async def test_acts_become_a_chain_in_their_order_and_the_boxes_are_empty() -> None:
    desk = make_desk()
    for number in range(5):
        clock_of(desk).move(1)
        await act(desk, number)
    assert await carry(CARRIER, desk) == 5
    rows = await desk.store.find("audit", {}, sort=[("number", 1)])
    assert [row["subject"] for row in rows] == ["c0", "c1", "c2", "c3", "c4"]
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0]["previous"] == audit.START
    assert [row["previous"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    contents = await desk.store.find("contents", {})
    assert all(row["outbox"] == [] and row["outbox_open"] is False for row in contents)
    assert len(await desk.store.find("events", {})) == 5
    verdict = await verify(AUDITOR, desk)
    assert verdict.fault is None and verdict.entries == 5


async def test_a_second_round_finds_nothing() -> None:
    desk = await chained(3)
    assert await carry(CARRIER, desk) == 0
    assert await desk.store.count("audit", {}) == 3


async def test_an_idle_round_writes_nothing_but_its_lease() -> None:
    desk = await chained(3)
    store = FailingStore(desk.store, 2, before=True)
    assert await carry(CARRIER, replace(desk, store=store)) == 0


async def test_a_long_queue_is_carried_in_one_duty() -> None:
    desk = make_desk()
    for number in range(180):
        await act(desk, number)
    assert await carry(CARRIER, desk) == 180
    assert (await verify(AUDITOR, desk)).entries == 180


async def test_an_event_carried_late_is_dated_when_it_is_passed_on() -> None:
    desk = make_desk()
    await act(desk, 1)
    clock_of(desk).move(timedelta(minutes=3))  # the workers stood still
    await carry(CARRIER, desk)
    assert (await desk.store.find("events", {}))[0]["at"] == desk.clock.now()


async def test_what_comes_in_while_the_box_is_carried_is_not_thrown_away_with_it() -> None:
    desk = make_desk()
    await act(desk, 1)
    row = outbox.audit("late", EDITOR, "content.write", "c1", desk.clock.now())
    store = Meanwhile(
        desk.store, "audit", lambda: desk.store.change("contents", {"_id": "c1"}, outbox.noted({}, row))
    )
    assert await carry(CARRIER, replace(desk, store=store)) == 0
    assert await carry(CARRIER, desk) == 1
    assert sorted(one["_id"] == "late" for one in await desk.store.find("audit", {})) == [False, True]
    assert await desk.store.count("contents", {"outbox_open": True}) == 0


@pytest.mark.parametrize("before", [True, False])
async def test_a_store_that_breaks_at_any_write_loses_and_doubles_nothing(before: bool) -> None:
    rounds = 0
    for nth in range(1, 60):
        desk = make_desk()
        notice = outbox.notice(
            "n1", "alert", "i1", desk.clock.now(), people=["u1"], text="一起预警。", link="/issues/i1", key="k"
        )
        await desk.store.insert("users", {"_id": "u1", "login": "u1", "roles": ["monitor"], "disabled": False})
        for number in range(3):
            await act(desk, number, *([notice] if number == 1 else []))
        broken = replace(desk, store=FailingStore(desk.store, nth, before=before))
        try:
            await carry(CARRIER, broken)
        except Broken:
            rounds += 1
        clock_of(desk).move(20)
        await carry(CARRIER, desk)
        assert await desk.store.count("contents", {"outbox_open": True}) == 0
        assert await desk.store.count("audit", {}) == 3
        assert await desk.store.count("notices", {}) == 1
        assert await desk.store.count("events", {}) == 4
        assert (await verify(AUDITOR, desk)).fault is None
    assert rounds >= 9  # the lease, three entries, the tail, notices, events and three boxes


@pytest.mark.parametrize("order", [f"audit.chained:{nth}:raise" for nth in (1, 2, 3)] + ["outbox.moved:1:raise"])
async def test_a_kill_between_two_steps_costs_a_repetition_and_no_row(order: str) -> None:
    desk = make_desk()
    for number in range(3):
        await act(desk, number)
    with pytest.raises(Stopped):
        await carry(CARRIER, with_point(desk, order))
    await carry(CARRIER, desk)
    assert await desk.store.count("audit", {}) == 3
    assert await desk.store.count("contents", {"outbox_open": True}) == 0
    assert (await verify(AUDITOR, desk)).fault is None


async def at_the_line(store: MemoryStore, carrying: asyncio.Task[int]) -> None:
    """Until a write waits to become durable."""
    while not store.waiting() and not carrying.done():  # noqa: ASYNC110 - the store has no event for it
        await asyncio.sleep(0)


async def test_a_power_cut_leaves_a_chain_that_goes_on() -> None:
    for keep in range(8):
        store = MemoryStore()
        desk = make_desk(store)
        for number in range(3):
            await act(desk, number)
        store.hold()
        carrying = asyncio.create_task(carry(CARRIER, desk))
        for _ in range(keep):
            await at_the_line(store, carrying)
            store.release()
            store.hold()
        await at_the_line(store, carrying)
        after = replace(desk, store=store.crash(keep=0))
        await asyncio.gather(carrying, return_exceptions=True)
        clock_of(desk).move(20)
        await carry(CARRIER, after)
        assert await after.store.count("audit", {}) == 3
        assert await after.store.count("contents", {"outbox_open": True}) == 0
        assert (await verify(AUDITOR, after)).fault is None


async def test_two_carriers_at_once_still_make_one_line() -> None:
    desk = make_desk()
    rows = [outbox.audit(f"r{n}", EDITOR, "content.write", f"c{n}", desk.clock.now()) for n in range(20)]
    racing = replace(desk, store=Interleaved(desk.store))
    await asyncio.gather(*(auditing.chain(racing, rows[:: 1 if n % 2 else -1]) for n in range(4)))
    assert await desk.store.count("audit", {}) == 20
    assert (await verify(AUDITOR, desk)).entries == 20


async def test_two_carriers_with_acts_of_their_own_lose_none() -> None:
    desk = make_desk()
    racing = replace(desk, store=Interleaved(desk.store))
    parts = [[outbox.audit(f"r{n}.{k}", EDITOR, "a", "c", desk.clock.now()) for k in range(4)] for n in range(3)]
    await asyncio.gather(*(auditing.chain(racing, part) for part in parts))
    assert await desk.store.count("audit", {}) == 12
    assert (await verify(AUDITOR, desk)).entries == 12


def made(number: int) -> list[dict[str, object]]:
    sealer = Sealer(b"k" * 32)
    at = make_desk().clock.now()
    entries: list[dict[str, object]] = []
    previous = audit.START
    for place in range(1, number + 1):
        row = outbox.audit(f"r{place}", EDITOR, "content.write", f"c{place}", at, detail={"n": place})
        entries.append(audit.link(row, place, previous, lambda data: sealer.mac(data, purpose="audit")))
        previous = str(entries[-1]["hash"])
    return entries


def read(entries: list[dict[str, object]], head: audit.Head | None = None) -> audit.Fault | None:
    sealer = Sealer(b"k" * 32)
    chain = audit.Chain(lambda data, mac: sealer.verifies(data, mac, purpose="audit"), [head] if head else [])
    for one in entries:
        if chain.take(one) is not None:
            break
    return chain.fault or chain.end()


@given(st.data())
def test_whatever_is_done_to_a_chain_without_the_key_is_found(data: st.DataObject) -> None:
    sealer = Sealer(b"k" * 32)
    entries = made(data.draw(st.integers(2, 8)))
    last = entries[-1]
    head = audit.seal_head(
        len(entries), str(last["hash"]), make_desk().clock.now(), lambda said: sealer.mac(said, purpose="audit")
    )
    assert read(entries, head) is None
    changed = [dict(one) for one in entries]
    for _ in range(data.draw(st.integers(1, 3))):
        _tamper(changed, data)
    if changed != entries:
        assert read(changed, head) is not None


def _tamper(entries: list[dict[str, object]], data: st.DataObject) -> None:
    """One thing that somebody may do who writes to the store, with the numbers mended afterwards or not."""
    if not entries:
        return
    place = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(st.integers(0, len(entries) - 1))
    kind = data.draw(st.sampled_from(["field", "delete", "insert", "swap", "cut", "hash"]))
    if kind == "field":
        name = data.draw(st.sampled_from(["actor", "act", "subject", "result", "address", "_id"]))
        entries[place][name] = data.draw(st.text(max_size=3))
    elif kind == "delete":
        del entries[place]
    elif kind == "insert":
        entries.insert(place, dict(entries[other]))
    elif kind == "swap":
        entries[place], entries[other] = entries[other], entries[place]
    elif kind == "cut":
        del entries[place:]
    else:
        entries[place]["hash"] = data.draw(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
    if data.draw(st.booleans()):
        for number, one in enumerate(entries, 1):
            one["number"] = number


async def test_only_the_lease_holder_carries() -> None:
    desk = make_desk()
    await act(desk, 1)
    await carry(CARRIER, replace(desk, owner="one"))
    await act(desk, 2)
    assert await carry(CARRIER, replace(desk, owner="two")) == 0
    clock_of(desk).move(20)
    assert await carry(CARRIER, replace(desk, owner="two")) == 1


@pytest.mark.parametrize(
    "values",
    [{"actor": "u-other"}, {"detail": {"n": 99}}, {"result": "refused"}, {"act": "content.read"}, {"hash": "00"}],
)
async def test_an_altered_entry_is_named(values: dict[str, object]) -> None:
    desk = await chained(6)
    await rewrite(desk, 4, **values)
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and fault.number == 4 and fault.kind == "altered" and "第 4 条" in fault.message


async def test_a_moved_time_is_named() -> None:
    desk = await chained(6)
    await rewrite(desk, 2, at=clock_of(desk).now())
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and (fault.number, fault.kind) == (2, "altered")


async def test_a_deleted_entry_is_named() -> None:
    desk = await chained(6)
    await desk.store.purge("audit", {"number": 3}, reason="tampering")
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and (fault.number, fault.kind) == (3, "missing")


async def test_a_deleted_entry_with_all_later_ones_renumbered_is_named() -> None:
    desk = await chained(6)
    await desk.store.purge("audit", {"number": 3}, reason="tampering")
    for number in (4, 5, 6):
        await rewrite(desk, number, number=number - 1)
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and (fault.number, fault.kind) == (3, "unlinked")


async def test_an_inserted_entry_is_named() -> None:
    desk = await chained(6)
    for number in (6, 5, 4):
        await rewrite(desk, number, number=number + 1)
    third = await entry(desk, 3)
    forged = {**third, "_id": "forged", "number": 4, "previous": third["hash"]}
    await desk.store.insert("audit", forged)
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and fault.number == 4


async def test_two_swapped_entries_are_named_at_the_first() -> None:
    desk = await chained(6)
    second, third = await entry(desk, 2), await entry(desk, 3)
    await desk.store.purge("audit", {"number": {"$in": [2, 3]}}, reason="tampering")
    await desk.store.insert("audit", {**second, "number": 3})
    await desk.store.insert("audit", {**third, "number": 2})
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and (fault.number, fault.kind) == (2, "unlinked")


async def test_two_swapped_entries_with_mended_links_are_named() -> None:
    desk = await chained(6)
    second, third = await entry(desk, 2), await entry(desk, 3)
    await desk.store.purge("audit", {"number": {"$in": [2, 3]}}, reason="tampering")
    await desk.store.insert("audit", {**third, "number": 2, "previous": second["previous"], "hash": second["hash"]})
    await desk.store.insert("audit", {**second, "number": 3, "previous": third["previous"], "hash": third["hash"]})
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and (fault.number, fault.kind) == (2, "altered")


async def test_a_cut_tail_is_named_from_the_mark_in_the_store() -> None:
    desk = await chained(6)
    await desk.store.purge("audit", {"number": {"$gt": 4}}, reason="tampering")
    fault = (await verify(AUDITOR, desk)).fault
    assert fault is not None and (fault.number, fault.kind) == (5, "cut") and "截去了 2 条" in fault.message


async def test_a_tail_cut_with_every_mark_in_the_store_is_named_from_heads_kept_outside(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    desk = replace(await chained(6), heads=HeadsFile(path))
    assert await seal_heads(CARRIER, desk) is not None
    await desk.store.purge("audit", {"number": {"$gt": 4}}, reason="tampering")
    await desk.store.purge("audit_heads", {}, reason="tampering")
    await desk.store.purge("cursors", {}, reason="tampering")
    blind = await verify(AUDITOR, desk)
    assert blind.fault is None and "看不出来" in blind.sentence  # says what it cannot know
    seen = await verify(AUDITOR, desk, read_heads(path))
    assert seen.fault is not None and (seen.fault.number, seen.fault.kind) == (5, "cut")


async def test_a_chain_made_anew_by_somebody_with_the_key_differs_from_heads_outside(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    desk = replace(await chained(3), heads=HeadsFile(path))
    await seal_heads(CARRIER, desk)
    other = await chained(5)
    await act(other, 9)
    fault = (await verify(AUDITOR, other, read_heads(path))).fault
    assert fault is None  # the same acts at the same times give the same chain
    rewritten = make_desk()
    for number in range(5):
        await act(rewritten, number + 40)
    await carry(CARRIER, rewritten)
    fault = (await verify(AUDITOR, rewritten, read_heads(path))).fault
    assert fault is not None and (fault.number, fault.kind) == (3, "head")


async def test_a_forged_head_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    desk = replace(await chained(3), heads=HeadsFile(path))
    await seal_heads(CARRIER, desk)
    path.write_text(path.read_text().replace('"number":3', '"number":2'))
    fault = (await verify(AUDITOR, desk, read_heads(path))).fault
    assert fault is not None and fault.kind == "head"


async def test_another_key_does_not_verify() -> None:
    desk = await chained(3)
    fault = (await verify(AUDITOR, replace(desk, sealer=Sealer(b"x" * 32)))).fault
    assert fault is not None


async def test_a_rotated_key_verifies_the_older_entries() -> None:
    desk = await chained(3)
    rotated = replace(desk, sealer=Sealer(b"x" * 32, suite="sm4gcm", older={"old": b"k" * 32}))
    await act(rotated, 7)
    await carry(CARRIER, rotated)
    verdict = await verify(AUDITOR, rotated)
    assert verdict.fault is None and verdict.entries == 4


async def test_heads_are_sealed_hourly_and_each_thousand() -> None:
    desk = await chained(1)
    assert await seal_heads(CARRIER, desk) is not None
    assert await seal_heads(CARRIER, desk) is None
    await act(desk, 50)
    await carry(CARRIER, desk)
    assert await seal_heads(CARRIER, desk) is None
    clock_of(desk).move(timedelta(hours=1))
    assert await seal_heads(CARRIER, desk) is not None
    last = audit.Head(5, "", desk.clock.now(), "")
    assert not audit.head_is_due(last, 1_004, desk.clock.now())
    assert audit.head_is_due(last, 1_005, desk.clock.now())


def test_a_file_that_holds_no_heads_gets_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    path.write_text("not a head\n")
    with pytest.raises(Misconfigured, match="链头"):
        read_heads(path)


async def test_the_auditor_reads_pages_and_others_do_not() -> None:
    desk = await chained(7)
    first, after = await list_entries(AUDITOR, desk, limit=3)
    second, _ = await list_entries(AUDITOR, desk, limit=3, before=after)
    assert [row["number"] for row in first + second] == [7, 6, 5, 4, 3, 2]
    assert (await list_entries(AUDITOR, desk, subject="c2"))[0][0]["number"] == 3
    with pytest.raises(NotAllowed):
        await list_entries(EDITOR, desk)
    with pytest.raises(NotAllowed):
        await verify(EDITOR, desk)


async def test_an_export_leaves_its_own_entry() -> None:
    desk = await chained(2)
    assert [row["number"] async for row in auditing.export(CONSOLE, desk)] == [1, 2]
    await carry(CARRIER, desk)
    assert (await entry(desk, 3))["act"] == "audit.export"


async def test_events_keep_growing_numbers_after_older_ones_are_purged() -> None:
    desk = await chained(2)
    last = (await desk.store.find("events", {}, sort=[("number", -1)]))[0]["number"]
    await desk.store.purge("events", {}, reason="retention")
    await act(desk, 8)
    await carry(CARRIER, desk)
    clock_of(desk).jump(clock_of(desk).now() - timedelta(hours=2))
    await act(desk, 9)
    clock_of(desk).move(20)
    await desk.store.purge("leases", {}, reason="test")
    await carry(CARRIER, desk)
    numbers = [row["number"] for row in await desk.store.find("events", {}, sort=[("at", -1)])]
    assert len(numbers) == 2 and min(numbers) > last
