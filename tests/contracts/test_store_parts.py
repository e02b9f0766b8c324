"""Leases, roll-ups, search, files and the schema's number over a real embedded store and the one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from hub.domain.errors import Misconfigured
from hub.store import language, leases, rollups, schema, search, sql
from hub.store.base import Document, Filter, Sort, Store, Unreachable, Unsure
from hub.store.faulty import FAULTS, FaultyStore
from hub.store.files import Damaged, Files, FilesInFolder, FilesInMemory
from hub.store.memory import MemoryStore
from hub.store.sqlite import SqliteStore
from hub.store.tables import SITE_TABLES, TABLES, by_name, describe
from hub.store.values import NAME

pytestmark = pytest.mark.contracts
NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "hub.db")
    await store.open()
    yield store
    await store.close()


# --- leases


async def test_a_lease_has_one_holder_until_it_ends(store: Store) -> None:
    assert await leases.take(store, "duty", "a", NOW, 30) == 1
    assert await leases.take(store, "duty", "b", NOW + timedelta(seconds=29), 30) is None
    assert await leases.take(store, "duty", "b", NOW + timedelta(seconds=30), 30) == 2


async def test_a_holder_who_slept_can_neither_renew_nor_release_anothers_lease(store: Store) -> None:
    first = await leases.take(store, "duty", "a", NOW, 30)
    second = await leases.take(store, "duty", "b", NOW + timedelta(minutes=1), 30)
    assert first == 1 and second == 2
    assert not await leases.renew(store, "duty", "a", first, NOW + timedelta(seconds=61), 30)
    await leases.release(store, "duty", "a", first, NOW)
    assert await leases.take(store, "duty", "c", NOW + timedelta(seconds=70), 30) is None
    assert await leases.renew(store, "duty", "b", second, NOW + timedelta(seconds=70), 30)


async def test_a_restarted_holder_takes_its_lease_anew_and_its_old_self_is_fenced_off(store: Store) -> None:
    assert await leases.take(store, "duty", "a", NOW, 30) == 1
    assert await leases.take(store, "duty", "a", NOW, 30) == 2
    assert not await leases.renew(store, "duty", "a", 1, NOW, 30)
    assert await leases.renew(store, "duty", "a", 2, NOW, 30)


async def test_a_lease_that_ran_out_is_not_renewed_and_its_number_goes_on_growing(store: Store) -> None:
    assert await leases.take(store, "duty", "a", NOW, 30) == 1
    assert not await leases.renew(store, "duty", "a", 1, NOW + timedelta(seconds=30), 30)
    await leases.release(store, "duty", "a", 1, NOW + timedelta(seconds=30))
    assert await leases.take(store, "duty", "b", NOW + timedelta(seconds=30), 30) == 2


async def test_of_many_who_want_a_new_lease_one_gets_it(store: Store) -> None:
    got = await asyncio.gather(*(leases.take(store, "duty", str(number), NOW, 30) for number in range(20)))
    assert sorted(number for number in got if number is not None) == [1]


# --- roll-ups


def reply(number: int, **fields: Any) -> Document:
    row = {"_id": f"r{number}", "account": "weibo-main", "external_id": number, "channel": "weibo", "state": "read",
           "at": NOW + timedelta(minutes=25 * number), "district": "临江区", "topic": "供水", "sentiment": "neg",
           "counted": False}
    return {**row, **fields}


async def totals(store: Store, period: str) -> int:
    rows = await store.find("rollups", {"period": period}, limit=10_000)
    return sum(row["count"] for row in rows)


async def test_each_reply_is_counted_once_by_hour_and_by_the_local_day(store: Store) -> None:
    await store.insert_new("replies", [reply(number) for number in range(40)])
    await store.insert("replies", reply(99, state="new"))
    assert await rollups.count_waiting(store, 25) == 25
    assert await rollups.count_waiting(store) == 15
    assert await rollups.count_waiting(store) == 0
    assert await totals(store, "hour") == await totals(store, "day") == 40
    days = await store.find("rollups", {"period": "day"}, sort=[("at", 1)])
    assert [row["at"] for row in days] == [datetime(2026, 2, 28, 16, tzinfo=UTC), datetime(2026, 3, 1, 16, tzinfo=UTC)]
    assert {key: days[0][key] for key in rollups.BY} == {
        "channel": "weibo", "district": "临江区", "topic": "供水", "sentiment": "neg"}
    assert await rollups.verify(store) == []


async def test_several_workers_count_each_reply_once(store: Store) -> None:
    moods = ("neg", "pos", "neu")
    await store.insert_new("replies", [reply(number, sentiment=moods[number % 3]) for number in range(60)])

    async def work() -> None:
        for _ in range(30):
            await rollups.count_waiting(store, 7)

    await asyncio.gather(*(work() for _ in range(4)))
    assert await totals(store, "day") == 60
    assert await rollups.verify(store) == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_any_write_of_counting_neither_loses_nor_doubles_a_reply(fault: str) -> None:
    nth, cut = 0, True
    while cut:
        nth, cut = nth + 1, False
        store = FaultyStore(MemoryStore())
        await store.insert_new("replies", [reply(number) for number in range(6)])
        store.fail(nth, fault)
        for _ in range(8):
            try:
                await rollups.count_waiting(store, 4)
            except (Unreachable, Unsure):
                cut = True
        assert await totals(store, "hour") == await totals(store, "day") == 6, nth
        assert await rollups.verify(store) == []
    assert nth > 10


async def test_a_worker_who_slept_over_a_whole_batch_adds_nothing(store: Store) -> None:
    await store.insert_new("replies", [reply(number) for number in range(4)])
    opened = await store.change(
        "batches", {"_id": "rollups"},
        {"$set": {"number": 1, "state": "open", "replies": ["r0", "r1"],
                  "rows": list(rollups.sums([reply(0), reply(1)]).values())}}, upsert=True)
    assert await rollups.count_waiting(store) == 2
    assert opened is not None
    await rollups._carry_out(store, opened)  # the sleeper wakes, with the batch it had in hand
    assert await totals(store, "hour") == 4


async def test_a_worker_who_chose_its_replies_before_anothers_batch_cannot_open_one(store: Store) -> None:
    await store.insert_new("replies", [reply(number) for number in range(2)])
    assert await rollups.count_waiting(store) == 2
    assert not await rollups._count(store, 0, [reply(0), reply(1)])
    assert await totals(store, "hour") == 2


async def test_verify_names_wrong_rows_and_rebuild_mends_them(store: Store) -> None:
    await store.insert_new("replies", [reply(number) for number in range(10)])
    await rollups.count_waiting(store)
    some = (await store.find("rollups", {"period": "day"}))[0]["_id"]
    await store.change("rollups", {"_id": some}, {"$inc": {"count": 5}})
    await store.insert("rollups", {"_id": "day:2020010100:x", "period": "day", "at": NOW, "count": 1, "batch": 0})
    hour = (await store.find("rollups", {"period": "hour"}))[0]["_id"]
    await store.purge("rollups", {"_id": hour}, reason="test")
    assert sorted(await rollups.verify(store)) == sorted([some, "day:2020010100:x", hour])
    await rollups.rebuild(store)
    assert await rollups.verify(store) == []
    await store.insert("replies", reply(50))
    assert await rollups.count_waiting(store) == 1
    assert await totals(store, "hour") == 11


async def test_a_rebuilder_who_slept_takes_back_nothing_that_was_counted_meanwhile(store: Store) -> None:
    await store.insert_new("replies", [reply(0), reply(1)])
    await rollups.count_waiting(store)
    await store.change("batches", {"_id": "rollups"}, {"$set": {"state": "rebuilding"}, "$inc": {"number": 1}})
    stale = rollups.sums([reply(0), reply(1)])  # what the sleeper had added up
    await store.insert("replies", reply(2))
    assert await rollups.count_waiting(store) == 1  # finishes the rebuild, then counts one more
    for row in stale.values():
        await rollups._put(store, row, 2)
    assert await rollups.verify(store) == []


async def test_a_rebuild_that_was_cut_off_is_finished_before_anything_is_counted(store: Store) -> None:
    await store.insert_new("replies", [reply(number) for number in range(10)])
    await rollups.count_waiting(store, 6)
    await store.change("batches", {"_id": "rollups"}, {"$set": {"state": "rebuilding"}, "$inc": {"number": 1}})
    await store.purge("rollups", {}, reason="as far as the rebuild had come")
    assert await rollups.count_waiting(store) == 4
    assert await totals(store, "day") == 10


# --- search


@pytest.mark.parametrize(("text", "terms"), [
    ("自来水爆管", ["自来", "来水", "水爆", "爆管"]), ("水", ["水"]), ("", []), ("！？，", []),
    ("乘K12路到ＡＢＣ大厦", ["乘", "k12", "路到", "abc", "大厦"]), ("停水停水", ["停水", "水停"]),
    ("3.5元", ["3", "5", "元"]),
])
def test_a_text_gives_its_terms(text: str, terms: list[str]) -> None:
    assert search.terms_of(text) == terms


def test_one_character_words_of_a_segmenter_become_terms() -> None:
    assert search.terms_of("井盖坏", ["井盖", "坏"]) == ["井盖", "盖坏", "坏"]


async def test_a_phrase_is_found_where_it_stands_together_newest_first(store: Store) -> None:
    texts = ["青禾县停水两天", "停了水又停水", "路灯不亮", "水停了，停电", "今天又停水两次", "K12路停水"]
    rows = [reply(n, text=text, terms=search.terms_of(text), district="北岭区" if n == 4 else "临江区")
            for n, text in enumerate(texts)]
    await store.insert_new("replies", rows)

    async def found(phrase: str, where: Filter, limit: int = 10) -> list[str]:
        return [row["_id"] for row in await search.find_text(store, "replies", phrase, where, limit)]

    assert await found("停水", {}) == ["r5", "r4", "r1", "r0"]
    assert await found("停水两", {}) == ["r4", "r0"]
    assert await found("停水", {"district": "临江区"}, 2) == ["r5", "r1"]
    assert await found("k12路 停水", {}) == ["r5"]
    assert await found("水停", {}) == ["r3"]
    assert await found("又停水", {}) == ["r4", "r1"]
    assert await found("，。", {}) == []


async def test_terms_that_never_stand_together_do_not_hide_those_that_do(store: Store) -> None:
    rows = [reply(n, text="停水了，水电费", terms=search.terms_of("停水了，水电费")) for n in range(1, 90)]
    rows.append(reply(0, text="停水电", terms=search.terms_of("停水电")))
    await store.insert_new("replies", rows)
    found = await search.find_text(store, "replies", "停水电", {}, 5)
    assert [row["_id"] for row in found] == ["r0"]


@pytest.mark.parametrize("number", [1_500, 3_000, 31_000])
async def test_a_word_is_found_newest_first_however_common_it_is(tmp_path: Path, number: int) -> None:
    store = SqliteStore(tmp_path / "hub.db")
    await store.open()
    for first in range(0, number, 1_000):
        batch = range(first, min(first + 1_000, number))
        await store.insert_new("replies", [reply(n, at=NOW + timedelta(n % 7, n), terms=["停水"]) for n in batch])
    await store.insert("replies", reply(number, at=NOW + timedelta(99), terms=["路灯"]))
    found = await store.find("replies", {"terms": "停水", "state": "read"}, sort=[("at", -1)], limit=3)
    newest = sorted(range(number), key=lambda n: NOW + timedelta(n % 7, n), reverse=True)[:3]
    assert [row["_id"] for row in found] == [f"r{n}" for n in newest]
    assert await store.count("replies", {"terms": "停水"}, ceiling=10**6) == number
    await store.close()


# --- files


@pytest.fixture(params=["memory", "folder"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return FilesInMemory() if request.param == "memory" else FilesInFolder(tmp_path / "files")


async def test_a_file_comes_back_by_the_hash_of_its_bytes(files: Files) -> None:
    name = await files.put(b"picture")
    assert name == "2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97"
    assert await files.put(b"picture") == name
    assert await files.get(name) == b"picture"
    assert await files.has(name)
    assert await files.get("0" * 64) is None
    assert not await files.has("0" * 64)


async def test_a_damaged_file_is_told_and_mended_by_putting_it_again(tmp_path: Path) -> None:
    files = FilesInFolder(tmp_path)
    name = await files.put(b"picture")
    (tmp_path / name[:2] / name).write_bytes(b"pictu")
    with pytest.raises(Damaged):
        await files.get(name)
    await files.put(b"picture")
    assert await files.get(name) == b"picture"
    assert [path.name for path in (tmp_path / name[:2]).iterdir()] == [name]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63])
async def test_a_name_that_is_no_hash_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        await FilesInFolder(tmp_path).get(name)


# --- schema


async def test_a_store_without_a_mark_is_refused_with_the_commands_that_help(store: Store) -> None:
    with pytest.raises(Misconfigured, match="hub init --production"):
        await schema.check(store)


async def test_a_mark_is_given_once_and_never_changes(store: Store) -> None:
    await schema.mark(store, "demo", NOW)
    await schema.mark(store, "demo", NOW)
    with pytest.raises(Misconfigured):
        await schema.mark(store, "production", NOW)
    assert await schema.mark_of(store) == "demo"
    await schema.check(store)


@pytest.mark.parametrize(("by", "words"), [(-1, "hub migrate"), (1, "新版程序")])
async def test_an_older_or_newer_store_is_refused(store: Store, by: int, words: str) -> None:
    await schema.mark(store, "demo", NOW)
    await store.change("schema", {"_id": "schema"}, {"$inc": {"version": by}})
    with pytest.raises(Misconfigured, match=words):
        await schema.check(store)


async def test_steps_run_in_order_once_and_again_after_being_cut_off(store: Store) -> None:
    await schema.mark(store, "demo", NOW)
    ran: list[int] = []

    def step(number: int, fails: bool = False) -> Any:
        async def upgrade(_store: Store) -> None:
            ran.append(number)
            if fails:
                raise Unsure("cut off")

        return upgrade

    with pytest.raises(Unsure):
        await schema.migrate(store, steps={2: step(2), 3: step(3, fails=True)})
    assert await schema.migrate(store, steps={3: step(3), 2: step(2)}) == [3]
    assert ran == [2, 3, 3]
    with pytest.raises(Misconfigured):
        await schema.migrate(store, steps={2: step(2)})


# --- tables


def test_every_path_of_every_table_is_one_the_language_allows() -> None:
    for table in (*TABLES, *SITE_TABLES):
        paths = [path for key in table.unique for path in key] + list(table.personal)
        paths += [path for index in table.ordered() for path, _ in index]
        assert all(NAME.fullmatch(name) or name == "_id" for path in paths for name in path.split(".")), table.name


def test_the_description_has_a_row_for_every_table() -> None:
    text = describe()
    for table in (*TABLES, *SITE_TABLES):
        assert f"| `{table.name}` | {table.purpose} |" in text


async def test_every_declared_table_opens_and_answers(store: Store) -> None:
    for table in TABLES:
        assert await store.find(table.name, {}) == []


EARLY: Filter = {"$lt": NOW}
DUE: Filter = {"$lte": NOW}


@pytest.mark.parametrize(("table", "where", "sort"), [
    ("replies", {}, [("at", -1)]),
    ("replies", {"at": EARLY}, [("at", -1)]),
    ("replies", {"issue": "i", "at": EARLY}, [("at", -1)]),
    ("replies", {"account": "a", "external_id": "e"}, []),
    ("replies", {"state": "new", "$or": [{"lease_until": None}, {"lease_until": DUE}]}, [("received_at", 1)]),
    ("replies", {"counted": False, "state": "read"}, []),
    ("replies", rollups.UNCOUNTED, []),
    ("replies", {"outbox_open": True}, [("_id", 1)]),
    ("publications", {"state": "scheduled", "not_before": DUE}, [("not_before", 1)]),
    ("publications", {"state": "sending", "lease_until": DUE}, []),
    ("publications", {"content": "c"}, [("at", -1)]),
    ("rollups", {"period": "hour", "at": {"$gte": NOW, "$lt": NOW}}, [("at", 1)]),
    ("notices", {"person": "p"}, [("at", -1)]),
    ("tasks", {"owner": "o", "state": "open"}, [("due", 1)]),
    ("audit", {"subject": "s"}, [("number", -1)]),
])
async def test_a_page_walks_an_index_and_sorts_nothing(
    tmp_path: Path, table: str, where: Filter, sort: Sort
) -> None:
    store = SqliteStore(tmp_path / "hub.db")
    await store.open()
    await store.close()
    place = by_name(TABLES)[table]
    order = sql.order_by(sort)
    statement, found = sql.selection("body", place, sql.clause(language.checked_filter(where), place), tail=order)
    connection = apsw.Connection(str(tmp_path / "hub.db"))
    plan = " | ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", found))
    connection.close()
    assert "INDEX" in plan, plan
    assert "TEMP B-TREE" not in plan, plan


# --- the line of the store in memory


async def test_a_crash_keeps_what_had_returned_and_nothing_half() -> None:
    store = MemoryStore()
    await store.insert("leases", {"_id": "kept", "n": 1})
    store.hold()
    waiting = [asyncio.create_task(store.change("leases", {"_id": "kept"}, {"$inc": {"n": 1}})),
               asyncio.create_task(store.insert("leases", {"_id": "lost"}))]
    await asyncio.sleep(0)
    assert store.waiting() == 2
    assert not any(task.done() for task in waiting)
    after = store.crash(keep=1)
    for task in waiting:
        with pytest.raises(Unsure):
            await task
    assert await after.find("leases", {}) == [{"_id": "kept", "n": 2}]


async def test_writes_behind_the_line_return_when_it_opens() -> None:
    store = MemoryStore()
    store.hold()
    waiting = asyncio.create_task(store.insert("leases", {"_id": "x"}))
    await asyncio.sleep(0)
    store.release()
    await waiting
    assert await store.crash().get("leases", "x") == {"_id": "x"}
