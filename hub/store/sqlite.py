"""SqliteStore: the embedded store, and the only file that names apsw; filters become SQL in sql.py, one thread writes
for all in writer.py.

Several processes may have the file open; `BEGIN IMMEDIATE` puts their writers in a row. Readers see what is committed.

apsw rather than the interpreter's own module: it brings a SQLite new enough to be safe when two processes write in
WAL mode, and its errors say which condition of SQLite they stand for.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from hub.store import language, sql, values
from hub.store.base import Document, Duplicate, Filter, Inserted, Sort, Store, Unreachable, Update
from hub.store.tables import TABLES, Table, by_name
from hub.store.writer import Faults, GroupWriter

T = TypeVar("T")
_log = logging.getLogger(__name__)

BUSY_MILLISECONDS = 10_000
BATCH = 1_000  # rows of one job in change_many and purge
FEW, MANY = 2_000, 30_000  # matches of words: few are sorted, more are listed and met, many are probed for
_PRAGMAS = ("temp_store=MEMORY", "cache_size=-32000", "journal_size_limit=67108864", "trusted_schema=OFF")
_FAULTS = Faults(
    (
        apsw.IOError, apsw.FullError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.CorruptError, apsw.NotADBError,
        apsw.BusyError, apsw.LockedError, apsw.ProtocolError, apsw.PermissionsError, apsw.NoMemError,
        apsw.InterruptError,
    ),
    apsw.BusyError,
)
_WORDS = 'INSERT INTO "{0}_words"(rowid, terms) VALUES(?,?)'


class SqliteStore(Store):
    """One file of documents. `synchronous` and `vfs` are for the tests that cut the power."""

    def __init__(
        self, path: Path, tables: Iterable[Table] = TABLES, *, readers: int = 3, synchronous: str = "FULL",
        vfs: str | None = None,
    ) -> None:
        self._path, self._tables, self._synchronous, self._vfs = path, by_name(tables), synchronous, vfs
        self._writer = GroupWriter(self._prepare, _FAULTS)
        self._readers = readers
        self._pool: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._connections: list[apsw.Connection] = []

    # --- opening and closing

    async def open(self) -> None:
        await self._writer.open()
        self._pool = ThreadPoolExecutor(self._readers, "store-reader")

    async def close(self) -> None:
        await self._writer.close()
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown)
        for connection in self._connections:
            connection.close()
        self._connections, self._pool, self._own = [], None, threading.local()

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), vfs=self._vfs)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        for pragma in ("journal_mode=WAL", f"synchronous={self._synchronous}", *_PRAGMAS):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    def _prepare(self) -> apsw.Connection:
        """The writer's connection, one process at a time: turning a new file to WAL heeds no busy timeout."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{self._path}.opening", "w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            return self._prepared()

    def _prepared(self) -> apsw.Connection:
        connection = self._connect()
        wanted = [statement for table in self._tables.values() for statement in sql.schema(table)]
        if self._lacking(connection, wanted):
            connection.execute("BEGIN IMMEDIATE")
            for statement in wanted:
                connection.execute(statement)
            connection.execute("COMMIT")
        return connection

    @staticmethod
    def _lacking(connection: apsw.Connection, wanted: Sequence[str]) -> bool:
        present = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        return any(statement.split('"')[1] not in present for statement in wanted)

    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        return await self._writer.write(work)

    # --- reading

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        if self._pool is None:
            raise Unreachable("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._reading, work)

    def _reading(self, work: Callable[[apsw.Connection], T]) -> T:
        try:
            connection: apsw.Connection | None = getattr(self._own, "connection", None)
            if connection is None:
                connection = self._own.connection = self._connect()
                self._connections.append(connection)
            return work(connection)
        except _FAULTS.all as error:
            raise Unreachable(f"store: {type(error).__name__}") from error

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            raise values.Refused(f"there is no table {name}")
        return self._tables[name]

    async def get(self, table: str, id: str, *, fields: Sequence[str] = ()) -> Document | None:
        paths, value = language.checked_fields(fields), sql.tagged_scalar(values.checked_value(id))
        statement = f'SELECT body FROM "{self._table(table).name}" WHERE id=?'  # noqa: S608

        def work(connection: apsw.Connection) -> Document | None:
            body = connection.execute(statement, (value,)).get
            return None if body is None else language.narrowed(sql.from_json(body), paths)

        return await self._read(work)

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Sequence[str] = ()
    ) -> list[Document]:
        paths, limit = language.checked_fields(fields), language.checked_limit(limit)
        place, test, order = self._table(table), language.checked_filter(where), values.checked_sort(sort)

        def work(connection: apsw.Connection) -> list[Document]:
            rows = _selected(connection, place, "body", test, order, limit)
            return [language.narrowed(sql.from_json(body), paths) for (body,) in rows]

        return await self._read(work)

    async def count(self, table: str, where: Filter, *, ceiling: int = 10_000) -> int:
        place, test = self._table(table), language.checked_filter(where)
        return await self._read(lambda connection: _counted(connection, place, sql.clause(test, place), ceiling))

    async def tally(
        self, table: str, where: Filter, by: Sequence[str], *, day: str | None = None
    ) -> list[Document]:
        place, test, paths = self._table(table), language.checked_filter(where), language.checked_fields(by)
        names = [*paths, "day"] if day is not None else list(paths)
        groups = sql.group(paths, None if day is None else values.checked_path(day))

        def work(connection: apsw.Connection) -> list[Document]:
            columns = ", ".join([*groups, "count(*)"])
            grouped = f" GROUP BY {', '.join(groups)}" if groups else " HAVING count(*) > 0"
            rows = _selected(connection, place, columns, test, (), None, grouped)
            return [dict(zip([*names, "count"], map(sql.untagged_scalar, row), strict=True)) for row in rows]

        return values.tallied(await self._read(work))

    # --- writing

    async def insert(self, table: str, document: Document) -> None:
        place, row = self._table(table), values.checked_document(document)
        await self._write(lambda connection: _insert(connection, place, row))

    async def insert_new(self, table: str, documents: Sequence[Document]) -> Inserted:
        place, rows = self._table(table), [values.checked_document(document) for document in documents]
        return await self._write(lambda connection: _insert_new(connection, place, rows))

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        place, test, order = self._table(table), language.checked_filter(where), values.checked_sort(sort)
        plain, born = language.checked_change(update, place.unique, test, upsert=upsert)

        def work(connection: apsw.Connection) -> Document | None:
            found: list[Any] = _selected(connection, place, "number, body", test, order, 1).fetchall()
            if found:
                number, body = found[0]
                return _rewrite(connection, place, number, body, plain)
            if born is not None:
                _insert(connection, place, born)
            return born

        return await self._write(work)

    async def change_many(self, table: str, where: Filter, update: Update) -> int:
        place, test = self._table(table), language.checked_filter(where)
        plain, _born = language.checked_change(update, place.unique, test, upsert=False)

        def work(connection: apsw.Connection, after: int) -> tuple[int, int]:
            rows = _following(connection, place, test, after)
            for number, body in rows:
                _rewrite(connection, place, number, body, plain)
            return len(rows), rows[-1][0] if rows else after

        return await self._by_batches(work)

    async def purge(self, table: str, where: Filter, *, reason: str) -> int:
        place, test = self._table(table), language.checked_filter(where)
        if not reason:
            raise values.Refused("a purge gives its reason")

        def work(connection: apsw.Connection, after: int) -> tuple[int, int]:
            rows = _following(connection, place, test, after)
            for number, _body in rows:
                _delete(connection, place, number)
            return len(rows), rows[-1][0] if rows else after

        gone = await self._by_batches(work)
        _log.info("purge table=%s rows=%d reason=%s", table, gone, reason)
        return gone

    async def _by_batches(self, work: Callable[..., tuple[int, int]]) -> int:
        """So that others' writes come in between; a crash leaves whole batches, and the call is repeatable."""
        total, after = 0, -1
        while True:
            number, after = await self._write(partial(work, after=after))
            total += number
            if number < BATCH:
                return total


def _selected(
    connection: apsw.Connection, table: Table, columns: str, where: Document, sort: Sequence[tuple[str, int]],
    limit: int | None, tail: str = "",
) -> apsw.Cursor:
    clause = sql.clause(where, table)
    words = _plan(connection, table, clause) if clause.terms else sql.START
    order = sql.order_by(sort, unindexed=bool(clause.terms) and words == sql.START)
    end = "" if limit is None else f" LIMIT {limit}"
    return connection.execute(*sql.selection(columns, table, clause, tail=f"{tail}{order}{end}", words=words))


def _plan(connection: apsw.Connection, table: Table, clause: sql.Clause) -> int:
    """SQLite does not know how common a word is, so it is asked first."""
    statement = f'SELECT count(*) FROM (SELECT 1 FROM "{table.name}_words"(?) LIMIT {MANY})'  # noqa: S608
    found = int(connection.execute(statement, (sql.phrase(clause.terms),)).get)
    return sql.START if found <= FEW else sql.MEET if found < MANY else sql.PROBE


def _counted(connection: apsw.Connection, table: Table, clause: sql.Clause, ceiling: int) -> int:
    statement, found = sql.selection("1", table, clause, tail=f" LIMIT {int(ceiling)}")
    return int(connection.execute(f"SELECT count(*) FROM ({statement})", found).get)  # noqa: S608


def _following(connection: apsw.Connection, table: Table, where: Document, after: int) -> list[Any]:
    tail = f" ORDER BY number LIMIT {BATCH}"
    return connection.execute(
        *sql.selection("number, body", table, sql.clause(where, table), tail=tail, after=after)
    ).fetchall()


def _insert(connection: apsw.Connection, table: Table, row: Document) -> None:
    _check_keys(table, row)
    statement = f'INSERT INTO "{table.name}"(id, body) VALUES(?,?)'
    try:
        connection.execute(statement, (sql.tagged_scalar(row["_id"]), sql.to_json(row)))
    except apsw.ConstraintError as error:
        raise _duplicate(table, error) from None
    if table.terms and (words := sql.words(row)):
        connection.execute(_WORDS.format(table.name), (connection.last_insert_rowid(), words))


def _insert_new(connection: apsw.Connection, table: Table, rows: Sequence[Document]) -> Inserted:
    new: list[str] = []
    known: list[str] = []
    for row in rows:
        try:
            _insert(connection, table, row)
        except Duplicate:
            known.append(row["_id"])
        else:
            new.append(row["_id"])
    return Inserted(tuple(new), tuple(known))


def _rewrite(
    connection: apsw.Connection, table: Table, number: int, body: str, update: dict[str, dict[str, Any]]
) -> Document:
    before = sql.from_json(body)
    row = language.applied(before, update)
    _check_keys(table, row)
    try:
        connection.execute(f'UPDATE "{table.name}" SET body=? WHERE number=?', (sql.to_json(row), number))  # noqa: S608
    except apsw.ConstraintError as error:
        raise _duplicate(table, error) from None
    if table.terms and row.get(language.TERMS) != before.get(language.TERMS):
        connection.execute(f'DELETE FROM "{table.name}_words" WHERE rowid=?', (number,))  # noqa: S608
        if words := sql.words(row):
            connection.execute(_WORDS.format(table.name), (number, words))
    return row


def _delete(connection: apsw.Connection, table: Table, number: int) -> None:
    connection.execute(f'DELETE FROM "{table.name}" WHERE number=?', (number,))  # noqa: S608
    if table.terms:
        connection.execute(f'DELETE FROM "{table.name}_words" WHERE rowid=?', (number,))  # noqa: S608


def _check_keys(table: Table, row: Document) -> None:
    for key in table.unique:
        values.checked_key(row, key)


def _duplicate(table: Table, error: apsw.ConstraintError) -> Exception:
    """SQLite names the index whose key is held: `index '<name>'`, or the column for the `_id`."""
    for key in table.unique:
        if f"'{sql.key_name(table, key)}'" in str(error):
            return Duplicate(table.name, "+".join(key))
    return Duplicate(table.name, "_id") if ".id" in str(error) else error
