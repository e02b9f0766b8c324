"""Values and documents: what every store can keep faithfully, paths into them, their order; no filters here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from hub.clock import to_milliseconds
from hub.store.base import Document, Sort

NAME = re.compile(r"[^\W\d][\w-]*")
LARGEST = 2**63 - 1
DEEPEST = 40


class Refused(ValueError):
    """Not in the language, or not possible on this document (a `$push` onto a text); names fields, never values."""


def checked_value(value: Any, depth: int = 0) -> Any:
    """A copy in plain types; raises Refused for what not every store can keep faithfully."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, int):
        return _checked_integer(value)
    if isinstance(value, float):
        return _checked_float(value)
    if isinstance(value, datetime):
        return _checked_moment(value)
    if isinstance(value, bytes):
        return bytes(value)
    return _checked_nest(value, depth)


def _checked_nest(value: Any, depth: int) -> Any:
    if depth >= DEEPEST:
        raise Refused(f"a document is nested deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        return {checked_name(name): checked_value(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [checked_value(inner, depth + 1) for inner in value]
    raise Refused(f"a {type(value).__name__} cannot be stored")


def _checked_text(value: str) -> str:
    plain = str.__str__(value)
    if not plain.isascii():
        try:
            plain.encode()
        except UnicodeEncodeError:
            raise Refused("half a surrogate pair is not text") from None
    return plain


def _checked_integer(value: int) -> int:
    if not -LARGEST - 1 <= value <= LARGEST:
        raise Refused("an integer does not fit 64 bits")
    return int(value)


def _checked_float(value: float) -> float:
    if not math.isfinite(value):
        raise Refused("a number that is not finite cannot be stored")
    return float(value)


def _checked_moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise Refused("a moment without an offset means nothing")
    return to_milliseconds(value)


def checked_name(name: Any) -> str:
    """One field name."""
    if not isinstance(name, str) or not _is_name(str.__str__(name)):
        raise Refused(f"not a field name: {name!r}")
    return str.__str__(name)


@lru_cache(maxsize=10_000)
def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def checked_document(document: Mapping[str, Any]) -> Document:
    """A deep copy fit for every store; `_id` must be a text that is not empty."""
    if not isinstance(document, Mapping):
        raise Refused("a document is a mapping")
    plain: Document = checked_value(document)
    if not isinstance(plain.get("_id"), str) or not plain["_id"]:
        raise Refused("a document needs a text _id")
    return plain


def copied(value: Any) -> Any:
    """A deep copy of what is in normal form already; what cannot change is not asked again."""
    if type(value) is dict:
        return {name: copied(inner) if type(inner) in _NESTS else inner for name, inner in value.items()}
    if type(value) is list:
        return [copied(inner) if type(inner) in _NESTS else inner for inner in value]
    return value


_NESTS = frozenset({dict, list})


# --- paths


def checked_path(path: Any) -> str:
    """A dotted path of field names."""
    if not isinstance(path, str):
        raise Refused("a path is a text")
    plain = str.__str__(path)
    for name in () if _is_name(plain) else plain.split("."):
        checked_name(name)
    return plain


MISSING: Any = object()


def found_at(document: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; MISSING where there is none. Never looks into lists."""
    if "." not in path:
        return document.get(path, MISSING)
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """The same; None where it is missing."""
    value = found_at(document, path)
    return None if value is MISSING else value


# --- order

NOTHING, NUMBER, TEXT, NEST, LIST, BYTES, TRUTH, MOMENT = range(8)  # MongoDB's order of types


def rank(value: Any) -> int:
    """The place of a value's type among the types."""
    if value is None:
        return NOTHING
    if value is True or value is False:
        return TRUTH
    for kinds, place in _RANKS:
        if isinstance(value, kinds):
            return place
    raise Refused(f"a {type(value).__name__} cannot be stored")


_RANKS: tuple[tuple[Any, int], ...] = (
    (str, TEXT),
    ((int, float), NUMBER),
    (datetime, MOMENT),
    (dict, NEST),
    (list, LIST),
    (bytes, BYTES),
)


def checked_sort(sort: Sort) -> list[tuple[str, int]]:
    """Paths with 1 (up) or -1 (down). Null and missing come first going up; the order between other types is open."""
    plain = [(checked_path(path), direction) for path, direction in sort]
    if any(direction not in (1, -1) for _, direction in plain):
        raise Refused("a sort goes up (1) or down (-1)")
    if len({path for path, _ in plain}) < len(plain):
        raise Refused("a sort names a path twice")
    return plain


def sort_key(value: Any) -> tuple[int, Any]:
    """A key that orders values of a path upwards; lists and documents stand beside one another."""
    place = rank(value)
    return (place, 0 if place in (NOTHING, NEST, LIST) else value)


def in_order(documents: list[Document], sort: Sequence[tuple[str, int]]) -> list[Document]:
    """The documents sorted by a checked sort, equals in the order of their ids."""
    result = sorted(documents, key=lambda document: str(document["_id"]))
    for path, direction in reversed(sort):
        result.sort(key=lambda document: sort_key(value_at(document, path)), reverse=direction < 0)
    return result


def key_of(document: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    """The values of a unique key, true and 1 told apart."""
    return tuple(sort_key(value_at(document, path)) for path in key)


def checked_key(document: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    """The same; Refused where one is missing, a list or a document, for stores differ on whether such are unique."""
    values = key_of(document, key)
    if any(place in (NOTHING, NEST, LIST) for place, _ in values):
        raise Refused(f"the unique key {'+'.join(key)} needs a single value in each field")
    return values


def equal(left: Any, right: Any) -> bool:
    """Equality of single values within one type: 1 equals 1.0, true does not equal 1."""
    if type(left) is type(right):
        return bool(left == right)
    return rank(left) == rank(right) and bool(left == right)


def tallied(rows: Sequence[Document]) -> list[Document]:
    """Rows of a tally in one order for every store: the greatest count first, then by their values."""
    return sorted(rows, key=lambda row: (-row["count"], [sort_key(row[name]) for name in row if name != "count"]))
