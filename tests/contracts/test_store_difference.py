"""Random documents, filters and updates mean the same in every store; single promises are in test_stores.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mongomock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store import language, values
from hub.store.base import Document, Duplicate, Store
from hub.store.memory import MemoryStore
from hub.store.mongo import guarded
from tests.contracts.store_rooms import TABLES, opened, wire_server

_LATE_SOCKET = "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
pytestmark = [pytest.mark.contracts, pytest.mark.filterwarnings(_LATE_SOCKET)]

NAMES = ("a", "b", "c")
PATHS = (*NAMES, "a.b", "a.c", "b.a", "a.b.c", "state", "n")
TEXTS = ("", "a", "ab", "[1]", "[]", '{"b":1}', "{", "1", "true", "\x00", "\x01", "\x01d", "\x01t", "\x02",
         "\x01d2026-01-01T00:00:00.000", "字", "字词", "\U0001f600", "\uffff", "Ａ")
START = datetime(2026, 1, 1, tzinfo=UTC)

moments = st.integers(-3, 3).map(lambda hours: START + timedelta(hours=8 * hours, milliseconds=hours))
numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, -1.0, 1.5, 0.1, 1e300, 2.0**53, 5e-324, 2**53 + 1, 2**63 - 1, -(2**63)]),
    st.floats(allow_nan=False, allow_infinity=False),
)
texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(codec="utf-8"), max_size=3))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, moments, st.binary(max_size=3))
nested = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)),
    max_leaves=5,
)
terms = st.one_of(st.lists(st.sampled_from(["水管", "爆裂", "a", "b2", "c++", "¤63", "A b", ""]), max_size=3), scalars)
bodies = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(("a", "b", "state", "n"), nested), "terms": terms}
)
ordered = st.one_of(numbers, texts, moments)
tests = st.one_of(
    scalars,
    st.fixed_dictionaries({}, optional={
        "$in": st.lists(scalars, max_size=3), "$nin": st.lists(scalars, max_size=3), "$ne": scalars,
        "$exists": st.booleans(), "$lt": ordered, "$lte": ordered, "$gt": ordered, "$gte": ordered,
    }).filter(bool),
)
ids = st.sampled_from(["0", "1", "2", "3", "1.0", "[1]"])
leaves = st.one_of(
    st.dictionaries(st.sampled_from(PATHS), tests, max_size=2),
    st.fixed_dictionaries({"terms": st.sampled_from(["水管", "a", "c++", "A b", "¤63"])}),
    st.fixed_dictionaries({"_id": st.one_of(ids, st.just(1), st.fixed_dictionaries({"$gt": texts}),
                                            st.fixed_dictionaries({"$in": st.lists(scalars | ids, max_size=2)}))}),
)
filters = st.recursive(
    leaves,
    lambda inner: st.fixed_dictionaries({}, optional={
        "$and": st.lists(inner, min_size=1, max_size=2), "$or": st.lists(inner, min_size=1, max_size=2)}),
    max_leaves=4,
)
changes = st.fixed_dictionaries({}, optional={
    "$set": st.dictionaries(st.sampled_from(PATHS), nested, max_size=2),
    "$unset": st.dictionaries(st.sampled_from(PATHS), st.just(""), max_size=2),
    "$inc": st.dictionaries(st.sampled_from(PATHS), st.integers(-3, 3) | st.just(0.5), max_size=2),
    "$push": st.dictionaries(st.sampled_from(PATHS), nested, max_size=1),
    "$max": st.dictionaries(st.sampled_from(PATHS), ordered, max_size=2),
    "$setOnInsert": st.dictionaries(st.sampled_from(PATHS), nested, max_size=1),
})


def exact(value: Any) -> Any:
    """A value with its types written out, so that 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return {name: exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return (type(value).__name__, value if value != 0 else 0)


class Pair:
    """The store in memory beside another, on one loop of their own."""

    def __init__(self, kind: str, folder: Path, url: str) -> None:
        self.runner = asyncio.Runner()
        self._opened = opened(kind, folder, url)
        self.other: Store = self.runner.run(self._opened.__aenter__())
        self.memory: Store = MemoryStore(TABLES)

    def close(self) -> None:
        self.runner.run(self._opened.__aexit__(None, None, None))
        self.runner.close()

    def fill(self, documents: list[Document]) -> None:
        self.memory = MemoryStore(TABLES)
        self.runner.run(self.other.purge("things", {}, reason="next example"))
        for store in (self.memory, self.other):
            for document in documents:
                self.runner.run(store.insert("things", document))

    def both(self, verb: str, *arguments: Any, **named: Any) -> None:
        left, right = (self._answer(store, verb, *arguments, **named) for store in (self.memory, self.other))
        assert left == right

    def _answer(self, store: Store, verb: str, *arguments: Any, **named: Any) -> Any:
        try:
            answer = self.runner.run(getattr(store, verb)("things", *arguments, **named))
        except (language.Refused, Duplicate) as error:
            return type(error).__name__
        return exact(sorted(answer, key=lambda row: row["_id"]) if verb == "find" else answer)


@pytest.fixture(scope="module", params=["sqlite", "wire-pymongo"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("stores")
    with wire_server(folder / "wire") as url:
        pair = Pair(request.param, folder, url)
        yield pair
        pair.close()


def numbered(bodies: list[Document]) -> list[Document]:
    return [{**body, "_id": str(number), "owner": "o", "key": number} for number, body in enumerate(bodies)]


LIMITS = settings(
    max_examples=120, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


SAMPLE: tuple[Any, ...] = (
    None, True, False, 0, 1, 1.0, -1, 0.1, 2**53, 2**53 + 1, 2.0**53, 2**63 - 1, 1e300, *TEXTS,
    START, START + timedelta(milliseconds=1), b"", b"\x00a",
)
NESTS: tuple[Any, ...] = ([], [1], [None], ["a"], [START], [[1]], {}, {"b": 1}, {"b": [1]}, [{"b": 1}], {"b": None})
COMPARABLE = tuple(value for value in SAMPLE if values.rank(value) in (values.NUMBER, values.TEXT, values.MOMENT))


def every_test() -> Iterator[Any]:
    """Every operator with every operand of the sample."""
    yield from SAMPLE
    for value in SAMPLE:
        yield {"$ne": value}
        yield {"$in": [value, "a"]}
        yield {"$nin": [value, 1]}
    for value in COMPARABLE:
        yield from ({operator: value} for operator in language.RANGES)
    yield from ({"$exists": True}, {"$exists": False}, {"$in": []}, {"$nin": []})


def test_every_operator_with_every_operand_finds_the_same_values_in_every_store(pair: Pair) -> None:
    documents = numbered([{}, *({"a": value} for value in (*SAMPLE, *NESTS))])
    pair.fill(documents)
    for number, test in enumerate(every_test()):
        for path in ("a", "a.b"):
            found = pair.runner.run(pair.other.find("things", {path: test}, limit=100, fields=["key"]))
            where = language.checked_filter({path: test})
            meant = {row["_id"] for row in documents if language.matches(values.checked_document(row), where)}
            assert {row["_id"] for row in found} == meant, (number, path, test)


@LIMITS
@given(
    documents=st.lists(bodies, min_size=1, max_size=4).map(numbered), wheres=st.lists(filters, min_size=1, max_size=4)
)
def test_a_filter_finds_the_same_documents_in_every_store(
    pair: Pair, documents: list[Document], wheres: list[Document]
) -> None:
    pair.fill(documents)
    pair.both("find", {})
    for where in wheres:
        pair.both("find", where)
        pair.both("count", where)


@LIMITS
@given(documents=st.lists(bodies, min_size=1, max_size=3).map(numbered), where=filters, update=changes,
       upsert=st.booleans())
def test_a_change_has_the_same_result_in_every_store(
    pair: Pair, documents: list[Document], where: Document, update: Document, upsert: bool
) -> None:
    pair.fill(documents)
    pair.both("change", {"$and": [{"_id": "0"}, where]}, update, upsert=upsert)
    pair.both("find", {})


@LIMITS
@given(documents=st.lists(bodies, min_size=1, max_size=4).map(numbered), update=changes)
def test_changing_many_has_the_same_result_in_every_store(
    pair: Pair, documents: list[Document], update: Document
) -> None:
    pair.fill(documents)
    try:
        plain = language.checked_update(update)
        for document in documents:
            language.applied(values.checked_document(document), plain)
    except language.Refused:
        return  # how far a store gets before it refuses is open
    pair.both("change_many", {}, update)
    pair.both("find", {})


@LIMITS
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([None, True, 1, 1.5, "x", "\x01t"]), st.none() | moments, texts), max_size=5
    )
)
def test_a_tally_counts_the_same_in_every_store(pair: Pair, rows: list[tuple[Any, Any, Any]]) -> None:
    pair.fill(numbered([{"a": {"b": a}, "at": at, "state": state} for a, at, state in rows]))
    pair.both("tally", {}, ["a.b", "state"], day="at")
    pair.both("tally", {"a.b": {"$ne": None}}, [])


@LIMITS
@given(column=st.sampled_from([numbers, texts, moments]).flatmap(lambda kind: st.lists(st.none() | kind, max_size=5)),
       direction=st.sampled_from([1, -1]), limit=st.integers(1, 5))
def test_a_sort_puts_documents_in_the_same_order_in_every_store(
    pair: Pair, column: list[Any], direction: int, limit: int
) -> None:
    pair.fill(numbered([{} if value is None else {"n": value} for value in column]))
    orders = [
        pair.runner.run(store.find("things", {}, sort=[("n", direction), ("_id", 1)], limit=limit, fields=["n"]))
        for store in (pair.memory, pair.other)
    ]
    assert exact(orders[0]) == exact(orders[1])


# mongomock leaves MongoDB where it compares across types ($lt of a text on a number raises), where true meets 1 (it
# finds them equal), and where a path leads through a list of documents. So its part is one type at a time, no lists.
plain_values = st.sampled_from([numbers, texts, moments])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data(), kind=plain_values)
def test_filters_of_one_type_mean_what_mongomock_says(data: st.DataObject, kind: st.SearchStrategy[Any]) -> None:
    optional = st.fixed_dictionaries({}, optional={"a": kind, "b": st.none() | kind})
    documents = numbered(data.draw(st.lists(optional, min_size=1, max_size=4)))
    test = st.fixed_dictionaries({}, optional={
        "$in": st.lists(kind, max_size=3), "$nin": st.lists(kind, max_size=3), "$ne": kind,
        "$exists": st.booleans(), "$lt": kind, "$gte": kind}).filter(bool)
    where = language.checked_filter(data.draw(st.dictionaries(st.sampled_from(["a", "b"]), test | kind, max_size=2)))
    collection = mongomock.MongoClient(tz_aware=True)["t"]["things"]
    collection.insert_many([dict(document) for document in documents])
    found = {row["_id"] for row in collection.find(guarded(where, TABLES[1]))}
    assert found == {row["_id"] for row in documents if language.matches(row, where)}
