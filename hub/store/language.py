"""The narrow filter and update language of every store: what is allowed and what it means; no store lives here.

Each adapter first passes documents, filters, updates and sorts through `checked_…`, which gives back a normal form
(plain types, moments in UTC with whole milliseconds) or raises Refused, so that nothing works by luck on one store
only. `matches` and `applied` are the meaning; MemoryStore and SqliteStore run them, MongoStore is held against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

from hub.store.base import Document, Filter, Update
from hub.store.values import (
    LIST,
    MISSING,
    MOMENT,
    NEST,
    NOTHING,
    NUMBER,
    TEXT,
    Refused,
    checked_key,
    checked_path,
    checked_value,
    copied,
    equal,
    found_at,
    rank,
    sort_key,
)

RANGES = ("$lt", "$lte", "$gt", "$gte")
CONDITIONS = frozenset({"$in", "$nin", "$ne", "$exists", *RANGES})
CHANGES = ("$set", "$unset", "$inc", "$push", "$setOnInsert", "$max")
PAGE_LIMIT = 10_000
TERMS = "terms"  # the one list whose elements a filter may name


class Condition(NamedTuple):
    """One test of one path; `operator` is `$eq` for a plain value."""

    path: str
    operator: str
    value: Any


# --- filters


def checked_filter(where: Filter) -> Document:
    """The filter in normal form: `{path: scalar | {operator: operand}, "$and" | "$or": [filter, …]}`."""
    if not isinstance(where, Mapping):
        raise Refused("a filter is a mapping")
    plain: Document = {}
    for key, test in where.items():
        if key in ("$and", "$or"):
            plain[key] = _checked_branches(key, test)
        else:
            plain[checked_path(key)] = _checked_test(key, test)
    return plain


def _checked_branches(key: str, branches: Any) -> list[Document]:
    if not isinstance(branches, (list, tuple)) or not branches:
        raise Refused(f"{key} takes a list of filters that is not empty")
    return [checked_filter(branch) for branch in branches]


def _checked_test(path: str, test: Any) -> Any:
    if type(test) is not dict and not isinstance(test, Mapping):
        return _checked_scalar(path, test)
    if not test:
        raise Refused(f"{path}: a whole document cannot be compared")
    if path == TERMS:
        raise Refused("terms takes one term at a time, joined by $and")
    return {operator: _checked_operand(path, operator, operand) for operator, operand in test.items()}


def _checked_scalar(path: str, value: Any) -> Any:
    plain = checked_value(value)
    if isinstance(plain, (dict, list)):
        raise Refused(f"{path}: only single values can be compared")
    if path == TERMS and not isinstance(plain, str):
        raise Refused("terms are texts")
    return plain


def _checked_operand(path: str, operator: Any, operand: Any) -> Any:
    if operator not in CONDITIONS:
        raise Refused(f"{path}: unknown condition {operator!r}")
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise Refused(f"{path}: $exists takes true or false")
        return operand
    if operator in ("$in", "$nin"):
        if not isinstance(operand, (list, tuple)):
            raise Refused(f"{path}: {operator} takes a list")
        return [_checked_scalar(path, value) for value in operand]
    plain = _checked_scalar(path, operand)
    if operator in RANGES and rank(plain) not in (NUMBER, TEXT, MOMENT):
        raise Refused(f"{path}: {operator} compares numbers, texts and moments only")
    return plain


def conditions(where: Mapping[str, Any]) -> Iterator[Condition]:
    """The tests on this level of a checked filter, `$and` and `$or` left out."""
    for path, test in where.items():
        if path in ("$and", "$or"):
            continue
        if isinstance(test, dict):
            for operator, operand in test.items():
                yield Condition(path, operator, operand)
        else:
            yield Condition(path, "$eq", test)


def matches(document: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether the document satisfies a checked filter."""
    if not all(_holds(document, condition) for condition in conditions(where)):
        return False
    if not all(matches(document, branch) for branch in where.get("$and", ())):
        return False
    return "$or" not in where or any(matches(document, branch) for branch in where["$or"])


def meeting(documents: Iterable[Document], where: Mapping[str, Any]) -> list[Document]:
    """Those of the documents that satisfy a checked filter; condition by condition, the quickest and most telling
    first, so that few are looked at twice."""
    found = list(documents)
    for condition in sorted(conditions(where), key=_is_slow):
        found = _meeting_one(found, condition)
    rest = {key: where[key] for key in ("$and", "$or") if key in where}
    return [document for document in found if matches(document, rest)] if rest else found


def _is_slow(condition: Condition) -> bool:
    return condition.operator != "$eq" or not isinstance(condition.value, str) or _is_deep(condition.path)


def _is_deep(path: str) -> bool:
    return path == TERMS or "." in path


def _meeting_one(documents: list[Document], condition: Condition) -> list[Document]:
    """Texts and moments are compared with their own kind only, which spares the ranks."""
    path, operator, operand = condition
    if _is_deep(path):
        return [document for document in documents if _holds(document, condition)]
    if operator == "$eq" and isinstance(operand, str):
        return [document for document in documents if document.get(path) == operand]
    if operator in ("$in", "$nin") and all(isinstance(one, str) for one in operand):
        texts, among = tuple(operand), operator == "$in"
        return [document for document in documents if (document.get(path) in texts) is among]
    if operator in RANGES and isinstance(operand, datetime):
        compare = _COMPARE[operator]
        moments = [(document, document.get(path)) for document in documents]
        return [document for document, found in moments if isinstance(found, datetime) and compare(found, operand)]
    return [document for document in documents if _holds(document, condition)]


def _holds(document: Mapping[str, Any], condition: Condition) -> bool:
    path, operator, operand = condition
    found = found_at(document, path)
    if operator == "$exists":
        return (found is not MISSING) is operand
    value = None if found is MISSING else found
    if path == TERMS:
        return isinstance(value, list) and operand in value
    return _TESTS[operator](value, operand)


def _is_any(value: Any, operands: Sequence[Any]) -> bool:
    return any(equal(value, operand) for operand in operands)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, operand: rank(value) == rank(operand) and compare(value, operand)


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"$lt": lt, "$lte": le, "$gt": gt, "$gte": ge}
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": equal,
    "$ne": lambda value, operand: not equal(value, operand),
    "$in": _is_any,
    "$nin": lambda value, operands: not _is_any(value, operands),
    **{name: _ordered(compare) for name, compare in _COMPARE.items()},
}


# --- fields and limits


def checked_fields(fields: Sequence[str]) -> tuple[str, ...]:
    """Paths to give back; none of them may lie inside another."""
    plain = tuple(dict.fromkeys(checked_path(path) for path in fields))
    _refuse_overlap(plain)
    return plain


def narrowed(document: Document, fields: Sequence[str]) -> Document:
    """The document with `_id` and these paths only; the whole where none is named."""
    if not fields:
        return document
    result: Document = {"_id": document["_id"]}
    for path in fields:
        value = found_at(document, path)
        if value is not MISSING:
            _place(result, path)[path.split(".")[-1]] = value
    return result


def checked_limit(limit: int) -> int:
    """A page is never without an end."""
    if not isinstance(limit, int) or not 1 <= limit <= PAGE_LIMIT:
        raise Refused(f"a limit lies between 1 and {PAGE_LIMIT}")
    return limit


# --- updates


def checked_update(update: Update) -> dict[str, dict[str, Any]]:
    """The update in normal form; no path may stand in it twice or inside another, and `_id` never changes."""
    if not isinstance(update, Mapping) or not update:
        raise Refused("an update names at least one change")
    plain: dict[str, dict[str, Any]] = {}
    for operator, changes in update.items():
        if operator not in CHANGES:
            raise Refused(f"unknown change {operator!r}")
        if not isinstance(changes, Mapping):
            raise Refused(f"{operator} takes fields and values")
        if changes:
            plain[operator] = {checked_path(path): _checked_change(operator, path, v) for path, v in changes.items()}
    if not plain:
        raise Refused("an update names at least one change")
    _refuse_overlap(tuple(path for changes in plain.values() for path in changes))
    return plain


def _checked_change(operator: str, path: str, value: Any) -> Any:
    if path.split(".")[0] == "_id" and (operator != "$setOnInsert" or not isinstance(value, str) or path != "_id"):
        raise Refused("_id never changes")
    if operator == "$unset":
        return ""
    plain = checked_value(value)
    if operator == "$inc" and rank(plain) != NUMBER:
        raise Refused(f"{path}: $inc takes a number")
    if operator == "$max" and rank(plain) not in (NUMBER, TEXT, MOMENT):
        raise Refused(f"{path}: $max takes a number, a text or a moment")
    return plain


def _refuse_overlap(paths: Sequence[str]) -> None:
    previous = ""
    for path in sorted(paths, key=lambda path: path.split(".")):
        if previous and (path == previous or path.startswith(previous + ".")):
            raise Refused(f"{path} is named twice")
        previous = path


def checked_change(
    update: Update, keys: Iterable[Sequence[str]], where: Mapping[str, Any], *, upsert: bool
) -> tuple[dict[str, dict[str, Any]], Document | None]:
    """The update in normal form, and the document that an upsert would insert where nothing matches a checked filter.

    Both are refused beforehand where they would leave a unique key without its single value, because not every store
    can look at a document before it is written.
    """
    plain, keys = checked_update(update), tuple(keys)
    unique = {path for key in keys for path in key}
    for operator, changes in plain.items():
        for path, value in changes.items():
            _refuse_loose_key(operator, path, value, unique)
    if not upsert:
        return plain, None
    born = applied(_seed(where, plain), plain, inserting=True)
    for key in keys:
        checked_key(born, key)
    return plain, born


def _refuse_loose_key(operator: str, path: str, value: Any, unique: set[str]) -> None:
    if path in unique:
        if operator in ("$unset", "$push") or rank(value) in (NOTHING, NEST, LIST):
            raise Refused(f"{path} belongs to a unique key and keeps a single value")
    elif any(key.startswith(path + ".") or path.startswith(key + ".") for key in unique):
        raise Refused(f"{path} touches a unique key")


def _seed(where: Mapping[str, Any], update: Mapping[str, Mapping[str, Any]]) -> Document:
    """What an upsert starts from: the filter's equalities; Refused where it would be born without an `_id`."""
    born: Document = {}
    for path, value in _equalities(where):
        if path == TERMS:
            raise Refused("an upsert cannot name terms in its filter")
        if found_at(born, path) is not MISSING:
            raise Refused(f"{path} is named twice")
        _set(born, path, value)
    given = update.get("$setOnInsert", {}).get("_id")
    if ("_id" in born) == (given is not None) or not isinstance(born.get("_id", given), str):
        raise Refused("an upsert names its _id once: in the filter or in $setOnInsert")
    return born


def _equalities(where: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "$or" in where:
        raise Refused("an upsert cannot choose between filters")
    for condition in conditions(where):
        if condition.operator == "$eq":
            yield condition.path, condition.value
    for branch in where.get("$and", ()):
        yield from _equalities(branch)


def applied(
    document: Mapping[str, Any], update: Mapping[str, Mapping[str, Any]], *, inserting: bool = False
) -> Document:
    """The document after a checked update; the one handed in stays as it was. Raises Refused where it cannot be."""
    result: Document = copied(dict(document))
    for operator, changes in update.items():
        if operator == "$setOnInsert" and not inserting:
            continue
        for path, value in changes.items():
            _APPLY[operator](result, path, copied(value))
    return result


def _place(document: Document, path: str) -> Document:
    """The document that holds the last name of the path, made on the way where missing."""
    place = document
    for name in path.split(".")[:-1]:
        inner = place.setdefault(name, {})
        if not isinstance(inner, dict):
            raise Refused(f"{path}: {name} holds no fields")
        place = inner
    return place


def _set(document: Document, path: str, value: Any) -> None:
    _place(document, path)[path.split(".")[-1]] = value


def _unset(document: Document, path: str, _value: Any) -> None:
    *above, last = path.split(".")
    holder = found_at(document, ".".join(above)) if above else document
    if isinstance(holder, dict):
        holder.pop(last, None)


def _inc(document: Document, path: str, value: Any) -> None:
    found = found_at(document, path)
    if found is not MISSING and rank(found) != NUMBER:
        raise Refused(f"{path}: $inc needs a number there")
    _set(document, path, checked_value(value if found is MISSING else found + value))


def _push(document: Document, path: str, value: Any) -> None:
    found = found_at(document, path)
    if found is not MISSING and not isinstance(found, list):
        raise Refused(f"{path}: $push needs a list there")
    _set(document, path, [value] if found is MISSING else [*found, value])


def _max(document: Document, path: str, value: Any) -> None:
    found = found_at(document, path)
    if found is MISSING or sort_key(value) > sort_key(found):
        _set(document, path, value)


_APPLY: Mapping[str, Callable[[Document, str, Any], None]] = {
    "$set": _set,
    "$unset": _unset,
    "$inc": _inc,
    "$push": _push,
    "$setOnInsert": _set,
    "$max": _max,
}
