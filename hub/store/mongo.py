"""MongoStore: the store of production, and the only file that names motor and pymongo; meanings live in language.py.

It runs on motor or on pymongo's own AsyncMongoClient, chosen by name: motor gets no more fixes, and changing over is
then one setting. Filters get a guard on every path, because MongoDB looks inside lists where this project does not.
Writes ask a majority of the set to have them in its journal; what then answers late or not at all is Unsure.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, ReadPreference, ReturnDocument, WriteConcern
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from hub.store import language, values
from hub.store.base import Document, Duplicate, Filter, Inserted, Sort, Store, Unreachable, Unsure, Update
from hub.store.language import Condition
from hub.store.tables import TABLES, Table, by_name

_log = logging.getLogger(__name__)

DRIVERS: Mapping[str, Any] = {"motor": AsyncIOMotorClient, "pymongo": AsyncMongoClient}
_TIMES = {"connectTimeoutMS": 5_000, "socketTimeoutMS": 20_000}
_DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
_UNFIT = frozenset({2, 9, 14, 28, 40})  # BadValue, FailedToParse, TypeMismatch, PathNotViable, ConflictingUpdate
_HELD = 11000
_RACES = 5  # an upsert that meets another's insert looks again, so often
_LIST = {"$type": "array"}
_NO_LIST = {"$not": {"$type": "array"}}


class MongoStore(Store):
    """One database; `driver` is motor or pymongo; after `patience` seconds without a server it is unreachable."""

    def __init__(
        self, url: str, database: str, tables: Iterable[Table] = TABLES, *, driver: str = "motor", patience: float = 5.0
    ) -> None:
        self._url, self._database, self._tables, self._driver = url, database, by_name(tables), driver
        self._times = {**_TIMES, "serverSelectionTimeoutMS": int(patience * 1000)}
        self._client: Any = None
        self._rows: Any = None

    async def open(self) -> None:
        async with _faults("open", written=False):
            # Here and not before: the client belongs to the loop that runs.
            self._client = DRIVERS[self._driver](self._url, tz_aware=True, **self._times)
            self._rows = self._client.get_database(
                self._database, write_concern=_DURABLE, read_preference=ReadPreference.PRIMARY
            )
            for table in self._tables.values():
                await self._index(table)

    async def _index(self, table: Table) -> None:
        rows = self._rows[table.name]
        for key in table.unique:
            await rows.create_index([(path, ASCENDING) for path in key], unique=True, name="+".join(key))
        for index in table.ordered():
            _, last = index[-1]
            tail = () if index[-1][0] == "_id" else (("_id", last),)
            await rows.create_index([*index, *tail], name=f"by_{'_'.join(path for path, _ in index)}")
        if table.terms:
            await rows.create_index([("terms", ASCENDING), ("at", DESCENDING)], name="words")

    async def close(self) -> None:
        if self._client is not None:
            closing = self._client.close()
            if inspect.isawaitable(closing):
                await closing
        self._client = self._rows = None

    def _table(self, name: str) -> tuple[Any, Table]:
        if name not in self._tables:
            raise values.Refused(f"there is no table {name}")
        if self._rows is None:
            raise Unreachable("the store is not open")
        return self._rows[name], self._tables[name]

    # --- reading

    async def get(self, table: str, id: str, *, fields: Sequence[str] = ()) -> Document | None:
        paths, (rows, place) = language.checked_fields(fields), self._table(table)
        async with _faults(place.name, written=False):
            row = await rows.find_one({"_id": values.checked_value(id)}, _projection(paths))
        return None if row is None else language.narrowed(values.checked_value(row), paths)

    async def find(
        self, table: str, where: Filter, *, sort: Sort = (), limit: int = 50, fields: Sequence[str] = ()
    ) -> list[Document]:
        paths, limit = language.checked_fields(fields), language.checked_limit(limit)
        order, (rows, place) = values.checked_sort(sort), self._table(table)
        test = guarded(language.checked_filter(where), place)
        async with _faults(place.name, written=False):
            found = await rows.find(test, _projection(paths), sort=order or None, limit=limit).to_list(None)
        return [language.narrowed(values.checked_value(row), paths) for row in found]

    async def count(self, table: str, where: Filter, *, ceiling: int = 10_000) -> int:
        rows, place = self._table(table)
        test = guarded(language.checked_filter(where), place)
        async with _faults(place.name, written=False):
            return int(await rows.count_documents(test, limit=ceiling))

    async def tally(
        self, table: str, where: Filter, by: Sequence[str], *, day: str | None = None
    ) -> list[Document]:
        paths, (rows, place) = language.checked_fields(by), self._table(table)
        keys: dict[str, Any] = {f"k{number}": f"${path}" for number, path in enumerate(paths)}
        if day is not None:
            keys["day"] = _local_day(values.checked_path(day))
        match = guarded(language.checked_filter(where), place)
        async with _faults(place.name, written=False):
            grouped = rows.aggregate([{"$match": match}, {"$group": {"_id": keys, "count": {"$sum": 1}}}])
            # pymongo's is awaited for its cursor, motor's is one already.
            found = await (await grouped if inspect.isawaitable(grouped) else grouped).to_list(None)
        names = dict(zip(keys, [*paths, "day"], strict=False))
        return values.tallied([_tally_row(row, names) for row in found])

    # --- writing

    async def insert(self, table: str, document: Document) -> None:
        rows, place = self._table(table)
        row = _checked_row(document, place)
        async with _faults(place.name, written=True):
            await rows.insert_one(row)

    async def insert_new(self, table: str, documents: Sequence[Document]) -> Inserted:
        rows, place = self._table(table)
        checked = [_checked_row(document, place) for document in documents]
        held: set[int] = set()
        if checked:
            async with _faults(place.name, written=True):
                try:
                    await rows.insert_many(checked, ordered=False)
                except BulkWriteError as error:
                    held = _held_already(error)
        new = tuple(row["_id"] for number, row in enumerate(checked) if number not in held)
        return Inserted(new, tuple(row["_id"] for number, row in enumerate(checked) if number in held))

    async def change(
        self, table: str, where: Filter, update: Update, *, upsert: bool = False, sort: Sort = ()
    ) -> Document | None:
        rows, place = self._table(table)
        test, order = language.checked_filter(where), values.checked_sort(sort)
        plain, born = language.checked_change(update, place.unique, test, upsert=upsert)
        for last in (*[False] * (_RACES - 1), True):
            async with _faults(place.name, written=True):
                row = await rows.find_one_and_update(
                    guarded(test, place), plain, sort=order or None, return_document=ReturnDocument.AFTER
                )
            if row is not None or born is None:
                return None if row is None else dict(values.checked_value(row))
            # In two steps, so that what is born is what language.py says, not what MongoDB reads out of the guards.
            try:
                await self.insert(table, born)
            except Duplicate:
                if last:
                    raise
            else:
                return dict(values.copied(born))
        raise AssertionError("unreachable")

    async def change_many(self, table: str, where: Filter, update: Update) -> int:
        rows, place = self._table(table)
        test = language.checked_filter(where)
        plain, _born = language.checked_change(update, place.unique, test, upsert=False)
        async with _faults(place.name, written=True):
            return int((await rows.update_many(guarded(test, place), plain)).matched_count)

    async def purge(self, table: str, where: Filter, *, reason: str) -> int:
        rows, place = self._table(table)
        if not reason:
            raise values.Refused("a purge gives its reason")
        test = guarded(language.checked_filter(where), place)
        async with _faults(place.name, written=True):
            gone = int((await rows.delete_many(test)).deleted_count)
        _log.info("purge table=%s rows=%d reason=%s", place.name, gone, reason)
        return gone


# --- filters


def guarded(where: Mapping[str, Any], table: Table) -> Document:
    """A checked filter as MongoDB must be asked, so that it means what language.py says of lists."""
    scalar = {"_id", *(path for key in table.unique for path in key)}
    parts = [_guarded(condition, scalar) for condition in language.conditions(where)]
    parts += [guarded(branch, table) for branch in where.get("$and", ())]
    if "$or" in where:
        parts.append({"$or": [guarded(branch, table) for branch in where["$or"]]})
    return {} if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


def _guarded(condition: Condition, scalar: set[str]) -> Document:
    path, operator, operand = condition
    if path == language.TERMS:
        return {path: {"$eq": operand, **_LIST}}
    if path in scalar:
        return {path: {operator: operand}}
    asked = _of_list(path, operator, operand)
    *above, _last = path.split(".")
    prefixes = [".".join(above[: number + 1]) for number in range(len(above))]
    if not prefixes:
        return asked
    if _matches_missing(operator, operand):  # below a list there is nothing
        return {"$or": [asked, *({prefix: _LIST} for prefix in prefixes)]}
    return {"$and": [asked, *({prefix: _NO_LIST} for prefix in prefixes)]}


def _of_list(path: str, operator: str, operand: Any) -> Document:
    """The test with what it says of a list: a list equals nothing, so it differs from everything."""
    if operator == "$exists":
        return {path: {operator: operand}}
    if operator in ("$ne", "$nin"):
        return {"$or": [{path: {operator: operand}}, {path: _LIST}]}
    return {path: {operator: operand, **_NO_LIST}}


def _matches_missing(operator: str, operand: Any) -> bool:
    if operator == "$exists":
        return not operand
    if operator in ("$in", "$nin"):
        return (None in operand) == (operator == "$in")
    return (operator == "$eq" and operand is None) or (operator == "$ne" and operand is not None)


# --- rows


def _checked_row(document: Document, table: Table) -> Document:
    row = values.checked_document(document)
    for key in table.unique:
        values.checked_key(row, key)
    return row


def _projection(paths: Sequence[str]) -> Document | None:
    """Whole fields only: inside lists MongoDB and language.py would narrow differently."""
    return {path.split(".")[0]: True for path in paths} if paths else None


def _local_day(path: str) -> Document:
    day = {"$dateToString": {"date": f"${path}", "format": "%Y-%m-%d", "timezone": "Asia/Shanghai"}}
    return {"$cond": [{"$eq": [{"$type": f"${path}"}, "date"]}, day, None]}


def _tally_row(row: Mapping[str, Any], names: Mapping[str, str]) -> Document:
    group = row["_id"] or {}
    return {**{name: values.checked_value(group.get(key)) for key, name in names.items()}, "count": int(row["count"])}


# --- faults


@asynccontextmanager
async def _faults(table: str, *, written: bool) -> AsyncIterator[None]:
    """Say of every fault whether something may have been written. No text of the driver's passes: it quotes values."""
    try:
        yield
    except DuplicateKeyError as error:
        raise _duplicate(table, error.details) from None
    except (ServerSelectionTimeoutError, WaitQueueTimeoutError, ConfigurationError) as error:
        raise Unreachable(f"store: {type(error).__name__}") from None
    except OperationFailure as error:
        raise _failure(error, written) from None
    except PyMongoError as error:
        raise (Unsure if written else Unreachable)(f"store: {type(error).__name__}") from None


def _failure(error: OperationFailure, written: bool) -> Exception:
    name = f"store: {type(error).__name__} {error.code}"
    if error.code in _UNFIT:
        return values.Refused(name)
    # The server's own refusals come before the write; what is late or not replicated is a subclass of its own.
    return Unsure(name) if written and type(error) is not OperationFailure else Unreachable(name)


def _held_already(error: BulkWriteError) -> set[int]:
    """The places of the documents whose key was held; raises where anything else went wrong."""
    details: Any = error.details
    if details.get("writeConcernErrors") or any(each.get("code") != _HELD for each in details["writeErrors"]):
        raise error
    return {int(each["index"]) for each in details["writeErrors"]}


def _duplicate(table: str, details: Mapping[str, Any] | None) -> Duplicate:
    pattern = (details or {}).get("keyPattern")
    if pattern:
        return Duplicate(table, "+".join(pattern))
    named = re.search(r"index: (\S+)", str((details or {}).get("errmsg", "")))
    return Duplicate(table, "_id" if named is None or named[1].startswith("_id") else named[1])
