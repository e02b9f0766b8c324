"""同文: each reply comes to its group once, through crashes, races and any order; a flood raises nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.demo.city import crowd
from hub.desk import copying
from hub.desk.copies import list_groups
from hub.desk.copying import BATCH, COPIES, GROUPS, group_copies
from hub.desk.importing import import_replies
from hub.desk.keeping import throw_away
from hub.desk.listening import take
from hub.desk.matching import CANDIDATES
from hub.desk.reading import read_new
from hub.desk.watching import Watch
from hub.domain.copy_group import FloodRule, summed
from hub.domain.errors import NotAllowed
from hub.domain.people import program
from hub.domain.rows import Row, in_order
from hub.failpoints import Stopped
from hub.store.base import Document, Filter, Sort, Store, Unreachable, Unsure
from hub.store.faulty import FAULTS, FaultyStore
from hub.store.memory import MemoryStore
from hub.store.mongo import MongoStore
from hub.store.sqlite import SqliteStore
from nlp.contract import Analysis
from nlp.detectors.ensemble import Ensemble
from nlp.reading import Reader
from tests.contracts.store_rooms import wire_server
from tests.domain.listening_office import LISTENER, MONITOR, MORNING, READER, WATCHER, Office, make_office

KEEPER, CONSOLE = program("keeper"), program("console")
RULE = FloodRule(10, 10, 70)
TEXT = "转运站建在学校门口谁批的，请大家转发让更多人看到"
OTHER = "北苑路三号楼的楼道灯坏了四盏，晚上摸黑上楼"
LETTER = (
    "我们是滨河花园的业主，小区西侧的搅拌站昼夜生产，粉尘落满阳台，家里老人孩子反复咳嗽，"
    "已经向街道和环保部门反映多次，每次都说正在整改，可是夜里照样开工，请上级派人来实地看一看。"
)
POINTS = ("copies.planned", "copies.opened", "copies.listed", "copies.marked", "copies.summed", "copies.grouped")


@pytest_asyncio.fixture(params=["memory", "embedded"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "desk.db")
    await made.open()
    yield made
    await made.close()


async def said(office: Office, *words: tuple[str, str, float]) -> None:
    """(author, text, minutes after the morning) on the website, taken in and read."""
    start = len(office.source.said)
    for author, text, minute in words:
        office.source.say(text, author=author, at=MORNING + timedelta(minutes=minute))
    account = await office.desk.store.get("accounts", "site-main")
    assert account is not None
    await take(LISTENER, office.desk, account, office.source.said[start:])
    while await read_new(READER, office.desk):
        pass


async def flood(office: Office, accounts: int, text: str = TEXT, start: float = 0) -> None:
    await said(office, *[(f"新号{start:g}-{n}", text, start + n * 9 / accounts) for n in range(accounts)])


async def groups(office: Office) -> list[Document]:
    return await office.desk.store.find(GROUPS, {}, sort=[("_id", 1)], limit=100)


async def adds_up(office: Office) -> None:
    """Every group says what its members add up to at once, and every member is a reply that was grouped."""
    members: dict[str, list[Document]] = {}
    for row in await office.desk.store.find(COPIES, {}, limit=10_000):
        members.setdefault(row["group"], []).append(row)
    found = {group["_id"]: group for group in await groups(office)}
    assert set(found) == set(members)
    for id, rows in members.items():
        meant = summed(rows, RULE)
        assert {name: found[id][name] for name in meant} == meant
    assert await office.desk.store.count("replies", {"state": "read", "grouped": {"$ne": True}}) == 0


async def test_a_text_said_once_makes_no_group_and_its_first_copy_makes_one_of_both(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, ("王芳", TEXT, 0), ("李明", OTHER, 1))
    assert await group_copies(READER, office.desk) == 2
    assert await groups(office) == []
    await said(office, ("赵静", TEXT, 5))
    assert await group_copies(READER, office.desk) == 1
    (group,) = await groups(office)
    assert (group["count"], group["accounts"], group["live"], group["flood"]) == (2, 2, True, False)
    first = await store.get("replies", group["first"]["reply"])
    assert first is not None
    assert first["text"] == TEXT
    assert group["first_at"] == MORNING
    await adds_up(office)


async def test_the_first_source_is_the_earliest_by_its_own_time(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, ("赵静", TEXT, 30))
    await group_copies(READER, office.desk)
    await said(office, ("李明", TEXT, 20))
    await group_copies(READER, office.desk)
    await said(office, ("王芳", TEXT, -600))
    await group_copies(READER, office.desk)
    (group,) = await groups(office)
    assert group["first_at"] == MORNING - timedelta(minutes=600)
    assert group["count"] == 3
    await adds_up(office)


async def test_very_short_words_are_nobodys_copies(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, *[(f"市民{n}", "支持！", n) for n in range(20)])
    assert await group_copies(READER, office.desk) == 20
    assert await groups(office) == []
    assert await store.count("copy_marks", {}) == 0


async def test_only_the_reader_brings_replies_to_groups() -> None:
    office = await make_office()
    with pytest.raises(NotAllowed):
        await group_copies(LISTENER, office.desk)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 2])
async def test_a_crash_at_any_step_leaves_every_reply_counted_once(point: str, nth: int) -> None:
    office = await make_office(f"{point}:{nth}:raise")
    await said(office, ("王芳", TEXT, 0), ("李明", OTHER, 1), ("赵静", TEXT, 2))
    if nth == 2:
        await group_copies(READER, office.desk)
        await said(office, ("钱进", TEXT, -3), ("孙立", OTHER, 4), ("王芳", TEXT, 5))
    with pytest.raises(Stopped):
        await group_copies(READER, office.desk)
    after = office.again(office.desk.store.crash())  # type: ignore[attr-defined]
    while await group_copies(READER, after.desk):
        pass
    counts = sorted(group["count"] for group in await groups(after))
    assert counts == ([2] if nth == 1 else [2, 4])
    await adds_up(after)


@pytest.mark.parametrize("fault", FAULTS)
async def test_whichever_write_fails_and_however_the_next_worker_brings_it_to_the_same_end(fault: str) -> None:
    nth, struck = 0, True
    while struck:
        nth += 1
        inner = MemoryStore()
        office = await make_office(store=inner)
        await said(office, ("王芳", TEXT, 0), ("李明", OTHER, 1), ("赵静", TEXT, 2))
        await group_copies(READER, office.desk)
        await said(office, ("钱进", TEXT, -3), ("孙立", OTHER, 4), ("王芳", TEXT, 5))
        faulty = FaultyStore(inner)
        faulty.fail(nth, fault)
        with suppress(Unreachable, Unsure):
            await group_copies(READER, office.again(faulty).desk)
        struck = faulty.writes >= nth
        other = office.again(inner)
        while await group_copies(READER, other.desk):
            pass
        assert sorted(group["count"] for group in await groups(other)) == [2, 4]
        await adds_up(other)
    assert nth > 7


async def test_the_same_over_mongodbs_wire(tmp_path: Path) -> None:
    with wire_server(tmp_path / "wire") as url:
        store = MongoStore(url, "copies")
        await store.open()
        office = await make_office(store=store)
        await said(office, ("王芳", TEXT, 0), ("李明", OTHER, 1), ("赵静", TEXT, 2))
        await group_copies(READER, office.desk)
        await said(office, *[(f"新号{n}", TEXT, n / 3) for n in range(12)])
        other = office.again(store)
        await asyncio.gather(*(group_copies(READER, each.desk) for each in (office, other)))
        while await group_copies(READER, office.desk):
            pass
        await adds_up(office)
        listed = await list_groups(MONITOR, office.desk, flood=True, channel="site", since=MORNING)
        assert [group["count"] for group in listed.items] == [14]
        await store.close()


async def test_a_worker_that_slept_through_its_batch_changes_nothing_afterwards() -> None:
    office = await make_office("copies.opened:1:hang")
    await said(office, ("王芳", TEXT, 0), ("李明", TEXT, 1))
    slow = asyncio.ensure_future(group_copies(READER, office.desk))
    await asyncio.sleep(0.05)
    assert not slow.done()
    other = office.again(office.desk.store)
    head = await office.desk.store.get("batches", "copies") or {}
    await said(other, ("赵静", TEXT, 2), ("钱进", TEXT, -1))
    await group_copies(READER, other.desk)
    slow.cancel()
    from_before = office.again(office.desk.store)
    await _carry(from_before, head)
    (group,) = await groups(other)
    assert group["count"] == 4
    await adds_up(other)


async def _carry(office: Office, head: Document) -> None:
    await copying._carry_out(office.desk, head)


async def test_two_workers_at_once_bring_each_reply_once_to_one_group(store: Store) -> None:
    office = await make_office(store=store)
    other = office.again(store)
    for round in range(4):
        await said(office, *[(f"市民{round}-{n}", (TEXT, OTHER)[n % 2], round * 10 + n) for n in range(10)])
        await asyncio.gather(*(group_copies(READER, each.desk) for each in (office, other, office, other)))
    while await group_copies(READER, office.desk):
        pass
    assert sorted(group["count"] for group in await groups(office)) == [20, 20]
    await adds_up(office)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_order_and_any_batches_come_to_the_same_figures(data: st.DataObject) -> None:
    words = [(f"市民{n % 5}", (TEXT, OTHER)[n % 3 == 0], float(data.draw(st.integers(0, 40)))) for n in range(12)]
    order = data.draw(st.permutations(words))
    cut = data.draw(st.integers(1, 11))

    async def figures(parts: Sequence[Sequence[tuple[str, str, float]]]) -> list[Any]:
        office = await make_office()
        for part in parts:
            await said(office, *part)
            await group_copies(READER, office.desk)
        await adds_up(office)
        names = ("count", "accounts", "first_at", "last_at", "bars")
        return sorted(str([group[name] for name in names]) for group in await groups(office))

    assert asyncio.run(figures([words])) == asyncio.run(figures([order[:cut], order[cut:]]))


async def test_a_letter_with_a_changed_word_joins_its_original_and_so_do_copies_of_the_change(store: Store) -> None:
    office = await make_office(store=store)
    office = replace(office, desk=replace(office.desk, read=read_truly))
    await said(office, ("王芳", LETTER, 0), ("李明", LETTER + "谢谢", 3))
    await group_copies(READER, office.desk)
    await said(office, ("赵静", LETTER + "谢谢", 5), ("钱进", LETTER, 6), ("孙立", OTHER, 7))
    await group_copies(READER, office.desk)
    (group,) = await groups(office)
    assert (group["count"], group["near"], group["accounts"]) == (4, 2, 4)
    await adds_up(office)


LAUGH = "[哈哈]" * 8


async def test_what_only_laughs_alike_is_no_copy_and_a_word_changed_in_the_middle_is_one(store: Store) -> None:
    office = await make_office(store=store)
    office = replace(office, desk=replace(office.desk, read=read_truly))
    changed = LETTER.replace("照样", "照旧")
    await said(office, ("王芳", "今晚来聊天" + LAUGH, 0), ("李明", "我只说重点关键的请务必带上我" + LAUGH, 1))
    await said(office, ("甲", LETTER, 0))
    await group_copies(READER, office.desk)
    await said(office, ("赵静", "早上看到这么欢乐的图片" + LAUGH, 5), ("乙", changed, 6))
    await group_copies(READER, office.desk)
    (group,) = await groups(office)
    assert (group["count"], group["near"]) == (2, 1)


async def read_truly(rows: Sequence[Mapping[str, Any]]) -> list[Analysis | None]:
    reader = Reader()
    return [reader.read(str(row["text"]), kind=row["kind"]) for row in rows]


async def test_an_imported_past_and_today_are_no_copies_of_each_other(store: Store) -> None:
    office = await make_office(store=store)
    rows = [
        Row(f"h{n}", f"旧人{n}", "", TEXT, MORNING - timedelta(days=40, minutes=n), None, "", "letter", {"n": n})
        for n in range(3)
    ]
    await import_replies(CONSOLE, office.desk, "site-main", in_order(rows), lambda _done: None)
    await said(office, ("王芳", TEXT, 0), ("李明", TEXT, 1))
    await group_copies(READER, office.desk)
    found = sorted((group["live"], group["count"]) for group in await groups(office))
    assert found == [(False, 3), (True, 2)]
    await adds_up(office)


async def test_two_hundred_new_accounts_with_one_text_are_suspected_and_raise_no_issue(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, *[(f"街坊{n}", f"{n}号楼门前的路灯又不亮了，请来修一修", -900 - 37 * n) for n in range(20)])
    await flood(office, 200)
    watch = Watch(Ensemble)
    while await watch.tick(WATCHER, office.desk):
        pass
    while await group_copies(READER, office.desk):
        pass
    (group,) = [group for group in await groups(office) if group["flood"]]
    assert (group["count"], group["accounts"], group["peak"]["accounts"], group["peak"]["new"]) == (200, 200, 200, 200)
    assert await store.find("alerts", {}, limit=5) == []
    assert await store.find("issues", {"level": {"$in": ["yellow", "orange", "red"]}}, limit=5) == []


async def test_the_demonstrations_flood_is_suspected_with_its_near_copies_and_raises_nothing() -> None:
    office = await make_office()
    office = replace(office, desk=replace(office.desk, read=read_truly))
    texts = [(one.who, one.text, number * 0.1) for number, one in enumerate(crowd("flood"))]
    await said(office, *texts)
    watch = Watch(Ensemble)
    while await watch.tick(WATCHER, office.desk):
        pass
    await group_copies(READER, office.desk)
    (group,) = await groups(office)
    assert (group["count"], group["near"], group["flood"]) == (len(texts), 4, True)
    assert await office.desk.store.find("alerts", {}, limit=5) == []


async def test_people_we_have_heard_for_days_are_not_new_accounts(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, *[(f"老住户{n}", f"{n}号楼的暖气今天早上不热，麻烦看看", -60 * 24 * 3) for n in range(12)])
    await said(office, *[(f"老住户{n}", TEXT, n / 2) for n in range(12)])
    await group_copies(READER, office.desk)
    (group,) = [group for group in await groups(office) if group["first_at"] == MORNING]
    assert (group["peak"]["accounts"], group["peak"]["new"], group["flood"]) == (12, 0, False)


async def test_what_became_confidential_before_it_was_grouped_is_in_no_group(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, ("王芳", TEXT, 0), ("李明", TEXT, 1))
    await store.change_many("replies", {}, {"$set": {"confidential": True}})
    await group_copies(READER, office.desk)
    assert await groups(office) == []
    assert await store.count("replies", {"grouped": True}) == 2


async def test_replies_from_before_there_were_groups_are_brought_to_theirs(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, ("王芳", TEXT, 0), ("李明", TEXT, 1))
    await store.change_many("replies", {}, {"$unset": {"grouped": ""}})
    await group_copies(READER, office.desk)
    assert [group["count"] for group in await groups(office)] == [2]


async def test_marks_unheard_for_a_month_go_and_those_still_heard_stay(store: Store) -> None:
    office = await make_office(store=store)
    await said(office, ("王芳", TEXT, 0), ("李明", OTHER, 1))
    await group_copies(READER, office.desk)
    for day in range(3, 40, 3):
        office.clock.move(60 * 60 * 24 * 3)
        await said(office, (f"路人{day}", TEXT, 60 * 24 * day))
        await group_copies(READER, office.desk)
    assert await store.count("copy_marks", {}) == 2
    await throw_away(KEEPER, office.desk)
    assert await store.count("copy_marks", {}) == 1
    await said(office, ("后来人", TEXT, 60 * 24 * 39))
    await group_copies(READER, office.desk)
    assert [group["count"] for group in await groups(office)] == [15]


async def test_groups_go_two_years_after_they_were_last_heard() -> None:
    office = await make_office()
    await said(office, ("王芳", TEXT, 0), ("李明", TEXT, 1))
    await group_copies(READER, office.desk)
    office.clock.move(60 * 60 * 24 * 729)
    await throw_away(KEEPER, office.desk)
    assert len(await groups(office)) == 1
    office.clock.move(60 * 60 * 24 * 2)
    await throw_away(KEEPER, office.desk)
    assert await groups(office) == []
    assert await office.desk.store.count(COPIES, {}) == 0


class Counted(MemoryStore):
    """The store in memory, with a count of its operations and of the rows it gave."""

    operations = 0
    rows = 0

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Sequence[str] = ()
    ) -> list[Document]:
        found = await super().find(table, where, sort=sort, limit=limit, fields=fields)
        self.operations += 1
        self.rows += len(found)
        return found

    async def change(self, table: str, where: Filter, update: Any, **more: Any) -> Document | None:
        self.operations += 1
        return await super().change(table, where, update, **more)


async def cost_of_ten(archive: int) -> tuple[int, int]:
    """What ten more copies cost when so many texts and so many copies are there."""
    store = Counted()
    office = await make_office(store=store)
    await _archive(store, office.clock.now(), archive)
    await said(office, ("王芳", TEXT, -2), ("李明", TEXT, -1))
    await group_copies(READER, office.desk)
    (group,) = [row for row in await groups(office) if row["first_at"] == MORNING - timedelta(minutes=2)]
    members = [
        {"_id": f"m{n}", "group": group["_id"], "author_key": f"k{n}", "at": MORNING - timedelta(hours=1, minutes=n),
         "known_since": MORNING - timedelta(days=9), "heard_at": MORNING}
        for n in range(archive)
    ]  # fmt: skip
    await store.insert_new(COPIES, members)
    await flood(office, 10)
    store.operations = store.rows = 0
    assert await group_copies(READER, office.desk) == 10
    return store.operations, store.rows


async def _archive(store: Store, now: datetime, size: int) -> None:
    marks = [
        {"_id": f"live:{n:016x}", "of": None, "reply": f"x{n}", "group": None, "seen_at": now, "mark": f"{n:016x}",
         **{f"b{band}": "live:0000" for band in range(4)}}
        for n in range(size)
    ]  # fmt: skip
    await store.insert_new("copy_marks", marks)


async def test_a_reply_costs_no_more_with_a_hundred_times_the_archive() -> None:
    (few, few_rows), (many, many_rows) = await cost_of_ten(30), await cost_of_ten(3_000)
    assert many <= few
    assert many_rows <= few_rows
    assert few <= 8 + 10 * 4
    assert CANDIDATES * 4 < BATCH
