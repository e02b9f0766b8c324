"""What every store promises, one sentence each, over every store; random comparison lives in test_store_difference."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from hub.store.base import Document, Duplicate, Inserted, Store, Unreachable
from hub.store.mongo import MongoStore
from hub.store.sqlite import SqliteStore
from hub.store.values import Refused
from tests.contracts.store_rooms import KINDS, TABLES, opened, wire_server

# motor's monitor may open a socket while its client is being closed; the interpreter then closes it later, aloud.
_LATE_SOCKET = "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
pytestmark = [pytest.mark.contracts, pytest.mark.filterwarnings(_LATE_SOCKET)]
NOON = datetime(2026, 3, 1, 4, 0, 0, 123000, UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with wire_server(tmp_path_factory.mktemp("wire")) as url:
        yield url


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> AsyncIterator[Store]:
    async with opened(request.param, tmp_path, url) as store:
        yield store


def thing(id: str, **fields: Any) -> Document:
    return {"_id": id, "owner": "o", "key": id, **fields}


async def ids(store: Store, where: Document, **named: Any) -> list[str]:
    return [row["_id"] for row in await store.find("plain", where, **named)]


# --- what goes in comes out


async def test_a_document_comes_back_with_the_same_values_and_types(store: Store) -> None:
    body = {"i": 1, "f": 1.0, "big": 2**63 - 1, "t": True, "none": None, "at": NOON,
            "raw": b"\x00\xff", "text": "\x00\x01字", "list": [1, 1.0, [True], {"a": NOON}],
            "nest": {"weibo-main": {"b": b""}}, "名": "云川市"}
    await store.insert("plain", {"_id": "x", **body})
    found = await store.get("plain", "x")
    assert found == {"_id": "x", **body}
    assert [type(found[name]) for name in body] == [type(value) for value in body.values()]
    assert [type(value) for value in found["list"]] == [int, float, list, dict]
    assert found["at"].tzinfo is UTC


async def test_moments_are_kept_in_utc_and_cut_to_milliseconds(store: Store) -> None:
    shanghai = timezone(timedelta(hours=8))
    await store.insert("plain", {"_id": "x", "at": datetime(2026, 3, 1, 12, 0, 0, 123999, shanghai)})
    assert (await store.get("plain", "x") or {})["at"] == NOON
    assert await ids(store, {"at": NOON + timedelta(microseconds=700)}) == ["x"]


async def test_words_of_an_enumeration_are_kept_as_plain_texts(store: Store) -> None:
    class State(StrEnum):
        NEW = "new"

    await store.insert("plain", {"_id": "x", "state": State.NEW})
    found = await store.find("plain", {"state": State.NEW})
    assert type(found[0]["state"]) is str


async def test_nobody_holds_the_stores_own_document(store: Store) -> None:
    mine = {"_id": "x", "list": [1]}
    await store.insert("plain", mine)
    mine["list"].append(2)
    (await store.get("plain", "x") or {})["list"].append(3)
    assert await store.get("plain", "x") == {"_id": "x", "list": [1]}


@pytest.mark.parametrize("value", [
    2**63, float("nan"), float("inf"), "\ud800", {"a.b": 1}, {"$set": 1}, {"": 1}, {1: 2}, object(), {1, 2},
    datetime(2026, 3, 1),  # noqa: DTZ001 - without an offset on purpose
])
async def test_what_not_every_store_can_keep_is_refused(store: Store, value: Any) -> None:
    with pytest.raises(Refused):
        await store.insert("plain", {"_id": "x", "a": value})
    assert await store.get("plain", "x") is None


@pytest.mark.parametrize("document", [{}, {"_id": 1}, {"_id": ""}, {"_id": None}])
async def test_a_document_needs_a_text_id(store: Store, document: Document) -> None:
    with pytest.raises(Refused):
        await store.insert("plain", document)


async def test_a_table_that_is_not_declared_is_refused(store: Store) -> None:
    with pytest.raises(Refused):
        await store.find("elsewhere", {})


# --- the traps


async def test_comparisons_stay_within_a_type(store: Store) -> None:
    for number, value in enumerate([1, "1", True, NOON, None, b"1", [1], {"b": 1}]):
        await store.insert("plain", {"_id": str(number), "a": value})
    assert await ids(store, {"a": {"$gte": 0}}) == ["0"]
    assert await ids(store, {"a": {"$gt": ""}}) == ["1"]
    assert await ids(store, {"a": {"$lt": NOON + timedelta(days=1)}}) == ["3"]


async def test_null_equals_missing(store: Store) -> None:
    await store.insert("plain", {"_id": "null", "a": None})
    await store.insert("plain", {"_id": "missing"})
    await store.insert("plain", {"_id": "empty", "a": ""})
    assert sorted(await ids(store, {"a": None})) == ["missing", "null"]
    assert sorted(await ids(store, {"a": {"$in": [None, ""]}})) == ["empty", "missing", "null"]
    assert await ids(store, {"a": {"$exists": False}}) == ["missing"]
    assert await ids(store, {"a": {"$ne": None}}) == ["empty"]


async def test_ne_and_nin_match_what_is_missing(store: Store) -> None:
    await store.insert("plain", {"_id": "missing"})
    await store.insert("plain", {"_id": "held", "a": "x"})
    assert await ids(store, {"a": {"$ne": "x"}}) == ["missing"]
    assert await ids(store, {"a": {"$nin": ["x", "y"]}}) == ["missing"]
    assert sorted(await ids(store, {"a.b": {"$ne": "x"}})) == ["held", "missing"]


async def test_nothing_matches_inside_lists_but_terms(store: Store) -> None:
    await store.insert("plain", {"_id": "x", "a": ["v"], "rows": [{"b": "v"}], "terms": ["v", "w"]})
    assert await ids(store, {"a": "v"}) == []
    assert await ids(store, {"a": {"$in": ["v"]}}) == []
    assert await ids(store, {"rows.b": "v"}) == []
    assert await ids(store, {"rows.b": None}) == ["x"]
    assert await ids(store, {"a": {"$ne": "v"}}) == ["x"]
    assert await ids(store, {"$and": [{"terms": "v"}, {"terms": "w"}]}) == ["x"]
    assert await ids(store, {"terms": "u"}) == []


async def test_true_is_not_one(store: Store) -> None:
    await store.insert("plain", {"_id": "true", "a": True})
    await store.insert("plain", {"_id": "one", "a": 1})
    await store.insert("plain", {"_id": "one point nought", "a": 1.0})
    assert await ids(store, {"a": True}) == ["true"]
    assert sorted(await ids(store, {"a": 1})) == ["one", "one point nought"]
    assert sorted(row["count"] for row in await store.tally("plain", {}, ["a"])) == [1, 2]


async def test_setting_1_where_1_0_stood_is_a_change(store: Store) -> None:
    await store.insert("plain", {"_id": "x", "a": 1.0})
    changed = await store.change("plain", {"_id": "x"}, {"$set": {"a": 1}})
    assert changed is not None
    assert type(changed["a"]) is int
    assert type((await store.get("plain", "x") or {})["a"]) is int


async def test_whole_numbers_beyond_a_floats_reach_stay_apart(store: Store) -> None:
    await store.insert("plain", {"_id": "even", "a": 2**53})
    await store.insert("plain", {"_id": "odd", "a": 2**53 + 1})
    assert await ids(store, {"a": 2**53 + 1}) == ["odd"]
    assert await ids(store, {"a": {"$gt": 2**53}}) == ["odd"]


@pytest.mark.parametrize("where", [
    {"a": {"$regex": "x"}}, {"$where": "1"}, {"$nor": [{}]}, {"a": {"$elemMatch": {}}}, {"a": {"b": 1}}, {"a": [1]},
    {"a": {}}, {"$and": []}, {"$or": {}}, {"a.": 1}, {"a.0": 1}, {"a b": 1}, {"a": {"$in": "x"}}, {"a": {"$exists": 1}},
    {"a": {"$gt": None}}, {"a": {"$lt": True}}, {"a": {"$in": [[1]]}}, {"terms": {"$in": ["a"]}}, {"terms": None},
    {"a": {"$eq": 1}}, {"a": {"$not": {"$gt": 1}}}, {"a'b": 1}, {'a"b': 1},
])
async def test_a_filter_outside_the_language_is_refused_before_it_runs(store: Store, where: Document) -> None:
    for verb in (store.find, store.count):
        with pytest.raises(Refused):
            await verb("plain", where)
    with pytest.raises(Refused):
        await store.change("plain", where, {"$set": {"a": 1}})


@pytest.mark.parametrize("update", [
    {}, {"$set": {}}, {"a": 1}, {"$rename": {"a": "b"}}, {"$push": {"a": 1}, "$set": {"a.b": 1}},
    {"$set": {"_id": "y"}}, {"$unset": {"_id": ""}},
    {"$set": {"a": 1}, "$inc": {"a": 1}}, {"$inc": {"a": "x"}}, {"$inc": {"a": True}}, {"$max": {"a": None}},
    {"$set": {"a.$": 1}}, {"$set": {"a.0": 1}}, {"$set": {"a": {"$x": 1}}}, {"$addToSet": {"a": 1}},
])
async def test_an_update_outside_the_language_is_refused_before_it_runs(store: Store, update: Document) -> None:
    await store.insert("plain", {"_id": "x"})
    with pytest.raises(Refused):
        await store.change("plain", {"_id": "x"}, update)
    with pytest.raises(Refused):
        await store.change_many("plain", {}, update)
    assert await store.get("plain", "x") == {"_id": "x"}


@pytest.mark.parametrize("named", [{"limit": 0}, {"limit": -1}, {"limit": 10**6}, {"sort": [("a", 0)]},
                                   {"sort": [("a", 1), ("a", 1)]}, {"fields": ["a", "a.b"]}, {"fields": ["$a"]}])
async def test_a_page_without_an_end_or_with_an_unclear_order_is_refused(store: Store, named: Any) -> None:
    with pytest.raises(Refused):
        await store.find("plain", {}, **named)


# --- unique keys


async def test_a_unique_key_is_held_once_and_the_error_names_it_without_its_value(store: Store) -> None:
    await store.insert("things", {"_id": "x", "owner": "secret", "key": 1})
    with pytest.raises(Duplicate) as held:
        await store.insert("things", {"_id": "y", "owner": "secret", "key": 1.0})
    assert (held.value.table, held.value.key) == ("things", "owner+key")
    assert "secret" not in str(held.value)
    with pytest.raises(Duplicate) as held:
        await store.insert("things", {"_id": "x", "owner": "other", "key": 1})
    assert held.value.key == "_id"
    await store.insert("things", {"_id": "z", "owner": "secret", "key": "1"})


@pytest.mark.parametrize("fields", [{}, {"owner": "o"}, {"owner": None, "key": 1}, {"owner": ["o"], "key": 1}])
async def test_a_unique_key_never_lacks_a_single_value(store: Store, fields: Document) -> None:
    with pytest.raises(Refused):
        await store.insert("things", {"_id": "x", **fields})
    with pytest.raises(Refused):
        await store.insert_new("things", [{"_id": "x", **fields}])


@pytest.mark.parametrize("update", [{"$unset": {"key": ""}}, {"$set": {"key": None}}, {"$set": {"key": [1]}},
                                    {"$push": {"key": 1}}, {"$set": {"key.a": 1}}])
async def test_a_change_cannot_take_a_unique_keys_value_away(store: Store, update: Document) -> None:
    await store.insert("things", thing("x"))
    with pytest.raises(Refused):
        await store.change("things", {"_id": "x"}, update)
    assert await store.get("things", "x") == thing("x")


async def test_a_change_onto_a_held_key_is_a_duplicate_and_changes_nothing(store: Store) -> None:
    await store.insert("things", thing("x"))
    await store.insert("things", thing("y"))
    with pytest.raises(Duplicate):
        await store.change("things", {"_id": "y"}, {"$set": {"key": "x", "n": 1}})
    assert await store.get("things", "y") == thing("y")


async def test_insert_new_skips_what_a_key_holds_already_and_says_which(store: Store) -> None:
    await store.insert("things", thing("a", n=1))
    batch = [thing("a", n=2), thing("b"), {**thing("c"), "key": "b"}, thing("d")]
    assert await store.insert_new("things", batch) == Inserted(("b", "d"), ("a", "c"))
    assert await store.insert_new("things", batch) == Inserted((), ("a", "b", "c", "d"))
    assert (await store.get("things", "a") or {})["n"] == 1
    assert await store.insert_new("things", []) == Inserted((), ())


async def test_of_many_inserts_of_one_key_exactly_one_succeeds(store: Store) -> None:
    async def attempt(number: int) -> bool:
        try:
            await store.insert("things", {"_id": str(number), "owner": "o", "key": "same"})
        except Duplicate:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(number) for number in range(20)))) == 1


# --- changes


async def test_a_change_whose_filter_names_the_old_state_happens_once(store: Store) -> None:
    await store.insert("plain", {"_id": "x", "state": "new", "n": 0})

    async def claim() -> bool:
        moved = {"$set": {"state": "taken"}, "$inc": {"n": 1}}
        return await store.change("plain", {"_id": "x", "state": "new"}, moved) is not None

    assert sum(await asyncio.gather(*(claim() for _ in range(20)))) == 1
    assert await store.get("plain", "x") == {"_id": "x", "state": "taken", "n": 1}


async def test_a_change_gives_back_the_document_as_it_is_afterwards(store: Store) -> None:
    await store.insert("plain", {"_id": "x", "n": 1, "gone": 1, "top": 5, "log": [1], "a": {"keep": 1}})
    update = {"$set": {"a.b.c": NOON}, "$inc": {"n": 2, "fresh": 1}, "$unset": {"gone": ""}, "$push": {"log": {"x": 1}},
              "$max": {"top": 9, "first": 1}, "$setOnInsert": {"born": True}}
    meant = {"_id": "x", "n": 3, "fresh": 1, "top": 9, "first": 1, "log": [1, {"x": 1}],
             "a": {"keep": 1, "b": {"c": NOON}}}
    assert await store.change("plain", {"_id": "x"}, update) == meant
    assert await store.get("plain", "x") == meant
    assert await store.change("plain", {"_id": "y"}, update) is None


async def test_the_first_match_by_the_sort_is_changed(store: Store) -> None:
    for number in (3, 1, 2):
        await store.insert("plain", {"_id": str(number), "n": number, "state": "new"})
    where, update = {"state": "new"}, {"$set": {"state": "taken"}}
    order = [(await store.change("plain", where, update, sort=[("n", -1)]) or {})["n"] for _ in range(3)]
    assert order == [3, 2, 1]


@pytest.mark.parametrize("update", [{"$inc": {"text": 1}}, {"$push": {"text": 1}}, {"$set": {"text.b": 1}},
                                    {"$inc": {"none": 1}}, {"$push": {"none": 1}}, {"$inc": {"most": 1}}])
async def test_a_change_that_does_not_fit_the_document_is_refused_and_changes_nothing(
    store: Store, update: Document
) -> None:
    before = {"_id": "x", "text": "t", "none": None, "most": 2**63 - 1}
    await store.insert("plain", before)
    with pytest.raises(Refused):
        await store.change("plain", {"_id": "x"}, update)
    assert await store.get("plain", "x") == before


async def test_an_upsert_is_born_from_the_filters_equalities_and_the_update(store: Store) -> None:
    where = {"_id": "x", "a.b": 1, "n": {"$lt": 5}}
    update = {"$inc": {"count": 1}, "$setOnInsert": {"born": NOON}}
    for count in (1, 2):
        row = await store.change("plain", where | {"n": {"$ne": 7}}, update, upsert=True)
        assert row == {"_id": "x", "a": {"b": 1}, "count": count, "born": NOON}


async def test_many_upserts_of_one_document_count_each(store: Store) -> None:
    async def add() -> None:
        await store.change("plain", {"_id": "x"}, {"$inc": {"count": 1}}, upsert=True)

    await asyncio.gather(*(add() for _ in range(20)))
    assert await store.get("plain", "x") == {"_id": "x", "count": 20}


async def test_an_upsert_past_an_existing_document_is_a_duplicate(store: Store) -> None:
    await store.insert("plain", {"_id": "x", "n": 9})
    with pytest.raises(Duplicate):
        await store.change("plain", {"_id": "x", "n": {"$lt": 9}}, {"$set": {"n": 9}}, upsert=True)


@pytest.mark.parametrize("where", [{}, {"a": 1}, {"_id": {"$in": ["x"]}}, {"$or": [{"_id": "x"}]}, {"_id": 1},
                                   {"_id": "x", "$and": [{"_id": "x"}]}, {"_id": "x", "terms": "a"}])
async def test_an_upsert_that_would_be_born_unclear_is_refused(store: Store, where: Document) -> None:
    with pytest.raises(Refused):
        await store.change("plain", where, {"$set": {"n": 1}}, upsert=True)


async def test_changing_many_counts_what_matched(store: Store) -> None:
    for number in range(5):
        await store.insert("plain", {"_id": str(number), "n": number})
    assert await store.change_many("plain", {"n": {"$gte": 2}}, {"$set": {"n": 3}}) == 3
    assert await store.count("plain", {"n": 3}) == 3


async def test_more_than_one_batch_is_changed_and_purged(store: Store) -> None:
    await store.insert_new("plain", [{"_id": f"{number:05}", "n": 0} for number in range(2_500)])
    assert await store.change_many("plain", {"n": 0}, {"$inc": {"n": 1}}) == 2_500
    assert await store.count("plain", {"n": 1}) == 2_500
    assert await store.purge("plain", {"n": 1}, reason="test") == 2_500
    assert await store.count("plain", {}) == 0


# --- pages and counts


async def test_pages_follow_one_another_by_the_sort(store: Store) -> None:
    rows = [{"_id": f"{number:02}", "at": NOON + timedelta(minutes=number // 3)} for number in range(20)]
    await store.insert_new("plain", rows)
    seen: list[str] = []
    where: Document = {}
    while page := await store.find("plain", where, sort=[("at", -1), ("_id", -1)], limit=6):
        seen += [row["_id"] for row in page]
        at, id = page[-1]["at"], page[-1]["_id"]
        where = {"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": id}}]}
    assert seen == [f"{number:02}" for number in reversed(range(20))]


async def test_missing_comes_first_going_up_and_last_going_down(store: Store) -> None:
    for id, body in {"a": {"n": 2}, "b": {}, "c": {"n": -1.5}}.items():
        await store.insert("plain", {"_id": id, **body})
    assert await ids(store, {}, sort=[("n", 1)]) == ["b", "c", "a"]
    assert await ids(store, {}, sort=[("n", -1)]) == ["a", "c", "b"]


async def test_only_the_fields_asked_for_come_back(store: Store) -> None:
    await store.insert("plain", {"_id": "x", "a": {"b": 1, "c": 2}, "d": 3, "rows": [{"e": 1}]})
    assert await store.get("plain", "x", fields=["a.b", "missing"]) == {"_id": "x", "a": {"b": 1}}
    assert await store.find("plain", {}, fields=["rows"]) == [{"_id": "x", "rows": [{"e": 1}]}]


async def test_a_count_stops_at_its_ceiling(store: Store) -> None:
    await store.insert_new("plain", [{"_id": str(number)} for number in range(30)])
    assert await store.count("plain", {}) == 30
    assert await store.count("plain", {}, ceiling=7) == 7
    assert await store.count("plain", {"_id": "none"}) == 0


async def test_a_tally_counts_by_fields_and_by_the_day_of_shanghai(store: Store) -> None:
    late = datetime(2026, 3, 1, 15, 59, 59, 999000, UTC)  # one millisecond before midnight in Shanghai
    later = late + timedelta(milliseconds=1)
    voices = [(late, "临江区"), (later, "临江区"), (NOON, None), (NOON, "临江区"), (None, None)]
    for number, (at, district) in enumerate(voices):
        await store.insert("plain", {"_id": str(number), "at": at, "a": {"district": district}})
    assert await store.tally("plain", {}, ["a.district"], day="at") == [
        {"a.district": "临江区", "day": "2026-03-01", "count": 2},
        {"a.district": None, "day": None, "count": 1},
        {"a.district": None, "day": "2026-03-01", "count": 1},
        {"a.district": "临江区", "day": "2026-03-02", "count": 1},
    ]
    assert await store.tally("plain", {"at": None}, []) == [{"count": 1}]
    assert await store.tally("plain", {"_id": "none"}, []) == []


async def test_a_purge_needs_a_reason(store: Store) -> None:
    await store.insert("plain", {"_id": "x"})
    with pytest.raises(Refused):
        await store.purge("plain", {}, reason="")
    assert await store.get("plain", "x") == {"_id": "x"}


# --- words


async def test_words_are_found_kept_current_and_forgotten(store: Store) -> None:
    await store.insert("things", thing("x", terms=["水管", "爆裂", "c++"]))
    await store.insert("things", thing("y", terms=["水管"]))

    async def found(*terms: str) -> list[str]:
        rows = await store.find("things", {"$and": [{"owner": "o"}, *({"terms": term} for term in terms)]},
                                sort=[("_id", 1)])
        return [row["_id"] for row in rows]

    assert await found("水管") == ["x", "y"]
    assert await found("水管", "爆裂") == ["x"]
    assert await found("c++") == ["x"]
    assert await found("c") == []
    await store.change("things", {"_id": "x"}, {"$set": {"terms": ["路灯"]}})
    assert await found("爆裂") == []
    assert await found("路灯") == ["x"]
    assert await store.count("things", {"$or": [{"terms": "路灯"}, {"key": "y"}]}) == 2
    await store.purge("things", {"terms": "路灯"}, reason="test")
    assert await found("路灯") == []


# --- life


async def test_a_store_that_is_not_open_says_that_nothing_was_written(tmp_path: Path, url: str) -> None:
    for store in (SqliteStore(tmp_path / "s.db", TABLES), MongoStore(url, "t", TABLES)):
        with pytest.raises(Unreachable):
            await store.insert("plain", {"_id": "x"})
        with pytest.raises(Unreachable):
            await store.get("plain", "x")


async def test_an_unreachable_server_and_a_file_that_is_none_are_unreachable(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 1000)
    for store in (SqliteStore(broken, TABLES), SqliteStore(broken / "below", TABLES)):
        with pytest.raises(Unreachable):
            await store.open()
        await store.close()
    for driver in ("motor", "pymongo"):
        far = MongoStore("mongodb://127.0.0.1:9/", "t", TABLES, driver=driver, patience=0.2)
        with pytest.raises(Unreachable):
            await far.open()
        await far.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "memory"])
async def test_what_was_written_is_there_after_opening_again(kind: str, tmp_path: Path, url: str) -> None:
    async with opened(kind, tmp_path, url) as store:
        await store.insert("things", thing("x", at=NOON, terms=["水管"]))
        await store.close()
        await store.open()
        assert await store.get("things", "x") == thing("x", at=NOON, terms=["水管"])
        assert await store.count("things", {"terms": "水管"}) == 1
