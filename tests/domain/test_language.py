"""The filter and update language by itself: what it takes, what it means; the stores are held to it in contracts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store import language, values
from hub.store.values import Refused

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.text(max_size=2), st.binary(max_size=2)
)
names = st.sampled_from(["a", "b", "c"])
documents = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3))


@given(value=documents)
def test_checking_twice_changes_nothing_more(value: Any) -> None:
    once = values.checked_value(value)
    assert values.checked_value(once) == once == values.copied(once)


@given(document=st.dictionaries(names, documents), operand=scalars)
def test_a_condition_and_its_contrary_never_both_hold(document: dict[str, Any], operand: Any) -> None:
    for yes, no in (({"a": operand}, {"a": {"$ne": operand}}), ({"a": {"$in": [operand]}}, {"a": {"$nin": [operand]}}),
                    ({"a": {"$exists": True}}, {"a": {"$exists": False}})):
        held = [language.matches(document, language.checked_filter(where)) for where in (yes, no)]
        assert held.count(True) == 1


@given(document=st.dictionaries(names, documents))
def test_an_update_leaves_the_document_it_was_given_alone(document: dict[str, Any]) -> None:
    before = values.copied(document)
    update = language.checked_update({"$set": {"a": {"b": [1]}}, "$unset": {"b": ""}, "$setOnInsert": {"c": 1}})
    after = language.applied(document, update)
    after["a"]["b"].append(2)
    assert document == before
    assert update["$set"]["a"] == {"b": [1]}


@given(left=st.lists(scalars, max_size=6))
def test_every_pair_of_values_has_an_order(left: list[Any]) -> None:
    ordered = sorted(left, key=values.sort_key)
    assert [values.rank(value) for value in ordered] == sorted(values.rank(value) for value in left)


def test_a_filter_without_conditions_matches_everything() -> None:
    assert language.matches({"_id": "x"}, language.checked_filter({}))


def test_all_conditions_of_one_field_must_hold() -> None:
    where = language.checked_filter({"n": {"$gt": 1, "$lte": 3, "$ne": 2}})
    assert [n for n in range(5) if language.matches({"n": n}, where)] == [3]


def test_and_stands_beside_or() -> None:
    where = language.checked_filter({"a": 1, "$and": [{"b": 1}], "$or": [{"c": 1}, {"c": 2}]})
    assert language.matches({"a": 1, "b": 1, "c": 2}, where)
    assert not language.matches({"a": 1, "b": 1, "c": 3}, where)
    assert not language.matches({"a": 1, "c": 1}, where)


def test_a_missing_place_on_the_way_is_made_and_an_occupied_one_is_refused() -> None:
    update = language.checked_update({"$set": {"a.b.c": 1}})
    assert language.applied({}, update) == {"a": {"b": {"c": 1}}}
    for occupied in (None, 1, "x", [], [{"b": {}}]):
        with pytest.raises(Refused):
            language.applied({"a": occupied}, update)


def test_taking_away_what_is_not_there_is_no_change() -> None:
    update = language.checked_update({"$unset": {"a.b": "", "c": ""}})
    for document in ({}, {"a": 1}, {"a": [{"b": 1}]}, {"a": {}}):
        assert language.applied(document, update) == document


def test_the_greater_stays_within_and_across_types() -> None:
    update = language.checked_update({"$max": {"n": 5}})
    assert [language.applied({"n": n}, update)["n"] for n in (4, 5.0, 6, None, "x")] == [5, 5.0, 6, 5, "x"]


def test_an_error_names_fields_but_never_values() -> None:
    for broken in ({"phone": {"$in": "13800000000"}}, {"phone": ["13800000000"]}, {"phone": {"$like": "13800000000"}}):
        with pytest.raises(Refused) as refused:
            language.checked_filter(broken)
        assert "138" not in str(refused.value)


def test_an_upsert_is_refused_where_it_could_not_be_born() -> None:
    keys = [("owner", "key")]
    where = language.checked_filter({"_id": "x", "owner": "o"})
    with pytest.raises(Refused):
        language.checked_change({"$set": {"n": 1}}, keys, where, upsert=True)
    _plain, born = language.checked_change({"$setOnInsert": {"key": 1}}, keys, where, upsert=True)
    assert born == {"_id": "x", "owner": "o", "key": 1}


def test_a_document_deeper_than_the_limit_is_refused() -> None:
    deep: Any = 1
    for _ in range(values.DEEPEST + 1):
        deep = [deep]
    with pytest.raises(Refused):
        values.checked_document({"_id": "x", "a": deep})
