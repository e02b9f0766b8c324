"""`bench store`: the embedded store on many rows beside a plain script over the interpreter's sqlite3, in one run.

The plain script keeps the same fields in typed columns with the indexes this needs, one thread, and for durable writes
one commit each: what somebody would write who needed no store. It makes no documents, so its pages are a ceiling.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hub.store.base import Document
from hub.store.search import terms_of
from hub.store.sqlite import SqliteStore

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 1_000
LANES = 64
WORDS = (
    "自来水", "停水", "路灯", "井盖", "公交", "噪声", "施工", "垃圾", "停车", "暖气",
    "学校", "医院", "台阶", "绿化", "积水", "网络",
)
PLACES = ("临江区", "北岭区", "高新区", "云溪区", "青禾县", "石桥县")
PLAIN = """
CREATE TABLE replies(id TEXT PRIMARY KEY, account TEXT, external_id TEXT, channel TEXT, district TEXT, state TEXT,
  at INTEGER, text TEXT, UNIQUE(account, external_id));
CREATE INDEX by_at ON replies(at DESC); CREATE INDEX by_state ON replies(state, at);
CREATE INDEX by_district ON replies(district, at DESC)
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bench."""
    parser.add_argument("--rows", type=int, default=1_000_000, help="写入多少条回复")
    parser.add_argument("--processes", type=int, default=4, help="几个进程同时领取")
    parser.add_argument("--folder", type=Path, help="在哪个目录里测（默认用系统的临时目录）")
    parser.add_argument("--json", action="store_true", help="用 JSON 输出结果")


async def run(args: argparse.Namespace) -> int:
    """Measure, print, and leave nothing behind. Status 1 where a row was lost or claimed twice."""
    if args.rows < BATCH or not 1 <= args.processes <= 64:
        print(f"行数至少 {BATCH}，进程数在 1 到 64 之间。")
        return 2
    with tempfile.TemporaryDirectory(prefix="hub-bench-", dir=args.folder) as folder:
        ours = await _ours(Path(folder), args.rows, args.processes)
        plain = _plain(Path(folder), args.rows)
    table = [{"what": name, "store": ours[name], "plain": plain.get(name)} for name in ours]
    print(json.dumps(table, ensure_ascii=False) if args.json else _text(table, args.rows))
    return 0 if ours["claimed twice or lost"] == 0 else 1


def _text(table: Iterable[Document], rows: int) -> str:
    lines = [f"{rows:,} rows; per second unless said otherwise", f"{'':34}{'store':>14}{'plain sqlite3':>16}"]
    for row in table:
        plain = "" if row["plain"] is None else f"{row['plain']:,}"
        lines.append(f"{row['what']:34}{row['store']:>14,}{plain:>16}")
    return "\n".join(lines)


# --- rows


def reply(number: int) -> Document:
    """A made-up reply of some forty signs, the same for the same number."""
    mixed = number * 2654435761 % 2**32
    words = "".join(WORDS[(mixed >> shift) % len(WORDS)] for shift in range(0, 28, 7))
    text = f"{words}请尽快处理好吗{number % 997}号"
    return {
        "_id": f"{number:012}", "account": "weibo-main", "external_id": f"{mixed:010}-{number}", "channel": "weibo",
        "kind": "comment", "district": PLACES[mixed % len(PLACES)], "state": "new", "text": text,
        "at": START + timedelta(seconds=number * 7), "terms": terms_of(text), "counted": False,
    }


def batches(rows: int) -> Iterator[list[Document]]:
    """The rows in the batches in which they arrive."""
    for first in range(0, rows, BATCH):
        yield [reply(number) for number in range(first, min(first + BATCH, rows))]


# --- the store


async def _ours(folder: Path, rows: int, processes: int) -> dict[str, Any]:
    path = folder / "store.db"
    store = SqliteStore(path)
    await store.open()
    result: dict[str, Any] = {"inserts, batches of 1,000": await _insert(store, rows)}
    spread = [number * 7919 % rows for number in range(2_000)]
    result["durable single inserts, 64 lanes"] = await _singles(store, rows)
    result["unique look-ups"] = await _rate(spread, lambda number: _look_up(store, number))
    result["pages of the 50 newest"] = await _rate(spread[:500], lambda number: _page(store, number))
    of_district = partial(_page, store, district=True)
    result["pages of 50 of a district"] = await _rate(spread[:500], of_district)
    some = spread[:100]
    result["searches, word in a quarter"] = await _rate(some, lambda number: _search(store, WORDS[number % 16]))
    result["searches, word in a thousandth"] = await _rate(some, lambda number: _search(store, f"{number % 997}"))
    await store.close()
    result |= await asyncio.to_thread(_claims, path, rows, processes)
    result["file, MB"] = _megabytes(folder, "store.db*")
    return result


def _megabytes(folder: Path, files: str) -> int:
    return round(sum(file.stat().st_size for file in folder.glob(files)) / 1e6)


async def _insert(store: SqliteStore, rows: int) -> int:
    spent = 0.0
    with tqdm(total=rows, desc="写入", unit="条") as bar:
        for batch in batches(rows):  # making the rows is not the store's work
            began = time.perf_counter()
            await store.insert_new("replies", batch)
            spent += time.perf_counter() - began
            bar.update(len(batch))
    return round(rows / spent)


async def _singles(store: SqliteStore, rows: int) -> int:
    fresh = [reply(number) for number in range(rows, rows + 5_000)]
    return await _rate(fresh, lambda row: store.insert("replies", row), LANES)


async def _look_up(store: SqliteStore, number: int) -> None:
    row = reply(number)
    where = {"account": row["account"], "external_id": row["external_id"]}
    if len(await store.find("replies", where, limit=1)) != 1:
        raise RuntimeError("a row is missing")


async def _page(store: SqliteStore, number: int, *, district: bool = False) -> None:
    where: Document = {"at": {"$lt": START + timedelta(seconds=(number + 50) * 7)}}
    if district:
        where["district"] = PLACES[number % len(PLACES)]
    await store.find("replies", where, sort=[("at", -1)], limit=50)


async def _search(store: SqliteStore, word: str) -> None:
    where = {"$and": [{"terms": term} for term in terms_of(word)]}
    await store.find("replies", where, sort=[("at", -1)], limit=50)


async def _rate(items: list[Any], act: Callable[[Any], Awaitable[object]], lanes: int = 4) -> int:
    began = time.perf_counter()

    async def lane(first: int) -> None:
        for item in items[first::lanes]:
            await act(item)

    await asyncio.gather(*(lane(first) for first in range(lanes)))
    return round(len(items) / (time.perf_counter() - began))


# --- claims by several processes


def _claims(path: Path, rows: int, processes: int) -> dict[str, Any]:
    wanted = min(rows, 20_000)
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        began = time.perf_counter()
        claimed = [id for part in pool.starmap(_claim, [(path, wanted)] * processes) for id in part]
        spent = time.perf_counter() - began
    wrong = len(claimed) - len(set(claimed)) + abs(wanted - len(set(claimed)))
    return {f"claims, {processes} processes": round(len(claimed) / spent), "claimed twice or lost": wrong}


def _claim(path: Path, wanted: int) -> list[str]:
    return asyncio.run(_claim_all(path, wanted))


async def _claim_all(path: Path, wanted: int) -> list[str]:
    """Claim the oldest rows one by one, several at a time, until the wanted number is gone."""
    store = SqliteStore(path)
    await store.open()
    claimed: list[str] = []
    where = {"state": "new", "at": {"$lt": START + timedelta(seconds=wanted * 7)}}

    async def lane() -> None:
        while row := await store.change("replies", where, {"$set": {"state": "read"}}, sort=[("at", 1)]):
            claimed.append(row["_id"])

    await asyncio.gather(*(lane() for _ in range(16)))
    await store.close()
    return claimed


# --- the plain script


def _plain(folder: Path, rows: int) -> dict[str, Any]:
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + PLAIN)
    result: dict[str, Any] = {"inserts, batches of 1,000": _plain_insert(connection, rows)}
    spread = [number * 7919 % rows for number in range(2_000)]
    singles = [_columns(reply(number)) for number in range(rows, rows + 1_000)]
    result["durable single inserts, 64 lanes"] = _plain_rate(
        connection, "INSERT INTO replies VALUES(?,?,?,?,?,?,?,?)", singles)
    keys = [(row["account"], row["external_id"]) for row in map(reply, spread)]
    result["unique look-ups"] = _plain_rate(
        connection, "SELECT * FROM replies WHERE account=? AND external_id=?", keys)
    page = "SELECT * FROM replies WHERE {0} at<? ORDER BY at DESC LIMIT 50"
    moments = [((number + 50) * 7,) for number in spread[:500]]
    result["pages of the 50 newest"] = _plain_rate(connection, page.format(""), moments)
    districts = [(PLACES[number % 6], (number + 50) * 7) for number in spread[:500]]
    result["pages of 50 of a district"] = _plain_rate(connection, page.format("district=? AND"), districts)
    common = [(f"%{WORDS[number % 16]}%", rows * 7) for number in spread[:100]]
    result["searches, word in a quarter"] = _plain_rate(connection, page.format("text LIKE ? AND"), common)
    rare = [(f"%吗{number % 997}号%", rows * 7) for number in spread[:20]]
    result["searches, word in a thousandth"] = _plain_rate(connection, page.format("text LIKE ? AND"), rare)
    connection.close()
    result["file, MB"] = _megabytes(folder, "plain.db*")
    return result


def _columns(row: Document) -> tuple[Any, ...]:
    seconds = int((row["at"] - START).total_seconds())
    texts = (row[name] for name in ("_id", "account", "external_id", "channel", "district", "state"))
    return (*texts, seconds, row["text"])


def _plain_insert(connection: sqlite3.Connection, rows: int) -> int:
    spent = 0.0
    for batch in tqdm(batches(rows), desc="对照", unit="千条", total=-(-rows // BATCH)):
        values = [_columns(row) for row in batch]
        began = time.perf_counter()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO replies VALUES(?,?,?,?,?,?,?,?)", values)
        connection.execute("COMMIT")
        spent += time.perf_counter() - began
    return round(rows / spent)


def _plain_rate(connection: sqlite3.Connection, statement: str, values: list[tuple[Any, ...]]) -> int:
    began = time.perf_counter()
    for each in values:
        connection.execute(statement, each).fetchall()
    return round(len(values) / (time.perf_counter() - began))
