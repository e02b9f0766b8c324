"""The embedded store under kill -9, power cuts and a full disk: what had returned is there, and nothing is half."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from hub.store.base import Document, Unreachable, Unsure
from hub.store.sqlite import SqliteStore
from tests.contracts.store_disk import Disk
from tests.contracts.store_rooms import TABLES

pytestmark = [pytest.mark.contracts, pytest.mark.crash]
ROOT = Path(__file__).parents[2]


async def whole(path: Path) -> dict[str, Document]:
    """All rows of a store found after a crash, once SQLite and the word index say that it is sound."""
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()
    store = SqliteStore(path, TABLES)
    await store.open()
    rows, after = {}, ""
    while page := await store.find("things", {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=10_000):
        rows.update({row["_id"]: row for row in page})
        after = page[-1]["_id"]
    assert await store.count("things", {"terms": "停水"}, ceiling=10**6) == len(rows)
    await store.close()
    return rows


# --- kill -9


def killed(path: Path, round: int, seconds: float) -> set[str]:
    """Two processes write, are killed, and leave the ids whose writes had returned."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.store_child", str(path), f"{round}{name}"],
            cwd=ROOT, stdout=subprocess.PIPE,
        )
        for name in "ab"
    ]
    first = [child.stdout.readline() for child in children if child.stdout]  # both have begun
    time.sleep(seconds)
    for child in children:
        child.kill()
    rest = [child.communicate()[0] for child in children]
    whole_lines = [line for text in (*first, *rest) for line in text.decode().splitlines(keepends=True)]
    return {line.strip() for line in whole_lines if line.endswith("\n")}


async def kill_and_look(path: Path, rounds: int) -> None:
    chance = random.Random(rounds)  # noqa: S311 - repeatable on purpose
    returned: set[str] = set()
    for number in range(rounds):
        returned |= await asyncio.to_thread(killed, path, number, chance.uniform(0.05, 0.5))
        rows = await whole(path)
        assert not returned - rows.keys()
        assert all(rows[id]["n"] == 1 and len(rows[id]["log"]) == 1 for id in returned)
        assert all(row["n"] == len(row.get("log", [])) for row in rows.values())
    assert len(returned) > 50 * rounds


async def test_kill_9_of_two_writing_processes_loses_nothing_that_had_returned(tmp_path: Path) -> None:
    await kill_and_look(tmp_path / "store.db", 4)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_kill_9_two_hundred_times_loses_nothing_that_had_returned(tmp_path: Path) -> None:
    await kill_and_look(tmp_path / "store.db", 200)


# --- power


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    disk = Disk(f"disk-{request.node.name}")
    yield disk
    disk.unregister()


async def cut_while_writing(disk: Disk, folder: Path, seed: int, synchronous: str) -> tuple[Path, set[str]]:
    """Write, cut the power at a chosen write, and give the files found afterwards with the ids that had returned."""
    chance, returned = random.Random(seed), set[str]()  # noqa: S311 - repeatable on purpose
    (folder / "before").mkdir(parents=True)
    store = SqliteStore(folder / "before" / "store.db", TABLES, vfs=disk.name, synchronous=synchronous)
    await store.open()

    enough, number_returned = asyncio.Event(), chance.randrange(100, 700)

    async def write(lane: int) -> None:
        for number in range(40):
            id = f"{lane}-{number}"
            row = {"_id": id, "owner": "o", "key": id, "terms": ["停水"], "pad": "填" * chance.randrange(3000)}
            await store.insert("things", row)
            returned.add(id)
            if len(returned) == number_returned:
                enough.set()

    lanes = [asyncio.create_task(write(lane)) for lane in range(20)]
    await enough.wait()
    with disk.lock:  # the writer stands still while the power goes
        known = set(returned)
        found = disk.cut_power(folder, chance)
    await asyncio.gather(*lanes)
    await store.close()
    return found, known


@pytest.mark.parametrize("seed", range(5))
async def test_a_power_cut_loses_nothing_that_had_returned(disk: Disk, tmp_path: Path, seed: int) -> None:
    found, returned = await cut_while_writing(disk, tmp_path, seed, "FULL")
    assert not returned - (await whole(found)).keys()


async def test_without_syncs_the_same_power_cut_does_damage(disk: Disk, tmp_path: Path) -> None:
    damaged = 0
    for seed in range(3):
        found, returned = await cut_while_writing(disk, tmp_path / str(seed), seed, "OFF")
        try:
            damaged += bool(returned - (await whole(found)).keys())
        except (AssertionError, apsw.Error, Unreachable):
            damaged += 1
    assert damaged == 3


# --- a disk that fails at the nth write


@pytest.mark.parametrize("synchronous", ["FULL"])
async def test_a_disk_that_is_full_from_any_write_on_leaves_old_or_new_and_comes_back(
    disk: Disk, tmp_path: Path, synchronous: str
) -> None:
    nth, failed = 0, True
    while failed:
        nth, failed = nth + 1, False
        path = tmp_path / str(nth) / "store.db"
        store = SqliteStore(path, TABLES, vfs=disk.name, synchronous=synchronous)
        await store.open()
        await store.insert("things", {"_id": "old", "owner": "o", "key": "old", "terms": ["停水"], "n": 0})
        disk.steps, disk.fails_from = 0, nth
        outcomes: dict[str, str] = {}
        for id in ("new", "newer"):
            row = {"_id": id, "owner": "o", "key": id, "terms": ["停水"], "pad": "填" * 9000}
            outcomes[id] = await outcome(store.insert("things", row))
        outcomes["old"] = await outcome(store.change("things", {"_id": "old"}, {"$inc": {"n": 1}}))
        failed = set(outcomes.values()) != {"done"}
        assert (await store.get("things", "old") or {})["key"] == "old"  # reading goes on
        disk.fails_from = None
        await store.insert("things", {"_id": "after", "owner": "o", "key": "after", "terms": ["停水"]})
        await store.close()
        rows = await whole(path)
        for id in ("new", "newer"):
            assert (id in rows) == (outcomes[id] == "done") or outcomes[id] == "unsure", (nth, outcomes)
        assert rows["old"]["n"] == (outcomes["old"] == "done") or outcomes["old"] == "unsure", (nth, outcomes)
        assert "after" in rows
    assert nth > 5


async def outcome(write: object) -> str:
    try:
        await write  # type: ignore[misc]
    except Unreachable:
        return "not written"
    except Unsure:
        return "unsure"
    return "done"


# --- several processes


async def test_two_stores_on_one_file_claim_each_row_once(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "store.db", TABLES) for _ in range(2)]
    await asyncio.gather(*(store.open() for store in stores))
    await stores[0].insert_new("plain", [{"_id": f"{number:03}", "state": "new"} for number in range(200)])
    claimed: list[str] = []

    async def work(store: SqliteStore) -> None:
        while row := await store.change("plain", {"state": "new"}, {"$set": {"state": "taken"}}, sort=[("_id", 1)]):
            claimed.append(row["_id"])

    await asyncio.gather(*(work(store) for store in stores for _ in range(3)))
    with suppress(Unreachable):
        await asyncio.gather(*(store.close() for store in stores))
    assert sorted(claimed) == [f"{number:03}" for number in range(200)]


async def test_many_who_open_a_new_file_at_once_all_get_in(tmp_path: Path) -> None:
    for number in range(8):
        stores = [SqliteStore(tmp_path / f"{number}.db", TABLES) for _ in range(6)]
        await asyncio.gather(*(store.open() for store in stores))
        await asyncio.gather(*(store.insert("plain", {"_id": str(n)}) for n, store in enumerate(stores)))
        assert await stores[0].count("plain", {}) == 6
        for store in stores:
            await store.close()


async def test_a_job_that_fails_takes_no_other_of_its_group_with_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", TABLES)
    await store.open()
    await store.insert("things", {"_id": "x", "owner": "o", "key": "x"})
    rows = [{"_id": str(number), "owner": "o", "key": "x" if number % 2 else str(number)} for number in range(60)]
    done = await asyncio.gather(*(store.insert("things", row) for row in rows), return_exceptions=True)
    assert [error is None for error in done] == [number % 2 == 0 for number in range(60)]
    assert await store.count("things", {}) == 31
    await store.close()
