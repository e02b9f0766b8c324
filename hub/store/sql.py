"""Documents as tagged JSON, and filters as SQL over it, with the meaning language.py gives them; no connection here.

JSON knows no moments and no bytes, and SQLite reads its true as 1. So these are texts behind a sign no other text
can begin with: `\\x01d` and a moment, `\\x01f` false, `\\x01t` true, `\\x01x` and bytes in base 64. `\\x00` and `\\x01`
inside texts become `\\x01\\x01` and `\\x01\\x02`, which keeps their order and keeps the null sign out of SQLite. One
expression for each path then serves values of every type, so that one index on it does too.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.store import language
from hub.store.base import Document
from hub.store.language import TERMS, Condition
from hub.store.tables import Table
from hub.store.values import MOMENT, NUMBER, TEXT, rank

SIGN = "\x01"
_TAGGED = "\x01\x03"  # below every tag, above every escaped text
_PAST_MOMENTS = "\x01e"
_PAST_TAGGED = "\x02"
_DAY = "date(substr({value}, 3), '+8 hours')"  # Shanghai has had this one offset since 1992

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode


# --- documents


def to_json(document: Document) -> str:
    """A document in normal form as tagged JSON."""
    return _encode(_tagged(document))


def from_json(body: str) -> Document:
    """The document of a tagged JSON text."""
    document: Document = _decode(body)
    _untag_nest(document)
    return document


def tagged_scalar(value: Any) -> Any:
    """A single value as SQLite sees it."""
    kind = type(value)
    if kind is str:
        return value if "\x00" not in value and SIGN not in value else _escaped(value)
    if kind is bool:
        return "\x01t" if value else "\x01f"
    if kind is datetime:
        return "\x01d" + value.isoformat(timespec="milliseconds")[:23]
    if kind is bytes:
        return "\x01x" + base64.b64encode(value).decode()
    return value


def untagged_scalar(value: Any) -> Any:
    """The single value behind what SQLite sees."""
    if type(value) is not str or SIGN not in value:
        return value
    if value[0] != SIGN or value[1] in "\x01\x02":
        return value.replace("\x01\x01", "\x00").replace("\x01\x02", SIGN)
    return _UNTAG[value[1]](value[2:])


_UNTAG: Mapping[str, Callable[[str], Any]] = {
    "d": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    "t": lambda _text: True,
    "f": lambda _text: False,
    "x": base64.b64decode,
}


def _escaped(text: str) -> str:
    return text.replace(SIGN, "\x01\x02").replace("\x00", "\x01\x01")


def _tagged(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {name: _tagged(inner) for name, inner in value.items()}
    if kind is list:
        return [_tagged(inner) for inner in value]
    return tagged_scalar(value)


def _untag_nest(nest: Any) -> None:
    for place, value in nest.items() if type(nest) is dict else enumerate(nest):
        kind = type(value)
        if kind is str:
            if SIGN in value:
                nest[place] = untagged_scalar(value)
        elif kind is dict or kind is list:
            _untag_nest(value)


# --- expressions


def value_of(path: str) -> str:
    """The SQL expression of a path's value: null, number or text; a list or document as its JSON text."""
    return "id" if path == "_id" else f"json_extract(body,{_literal(path)})"


def type_of(path: str) -> str:
    """The SQL expression of a path's JSON type, null where it is missing."""
    return "'text'" if path == "_id" else f"json_type(body,{_literal(path)})"


def _literal(path: str) -> str:
    # Safe inside the statement: a checked path holds word signs, hyphens and dots only.
    return "'$" + "".join(f'."{name}"' for name in path.split(".")) + "'"


def order_by(sort: Sequence[tuple[str, int]], *, unindexed: bool = False) -> str:
    """The ORDER BY clause; `unindexed` keeps the planner from walking an index for it."""
    plus = "+" if unindexed else ""
    terms = [f"{plus}{value_of(path)}{' DESC' if direction < 0 else ''}" for path, direction in sort]
    return " ORDER BY " + ", ".join(terms) if terms else ""


# --- filters


@dataclass
class Clause:
    """A condition in SQL with its values; `terms` are words that all matches hold, left to the word index."""

    text: str = "1"
    values: list[Any] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)


def clause(where: Mapping[str, Any], table: Table) -> Clause:
    """A checked filter in SQL. Words at its top or under `$and` come out apart, where the table has a word index."""
    result = Clause()
    if table.terms:
        where = _without_terms(where, result.terms)
    result.text = _all_of(where, table, result.values)
    return result


def _without_terms(where: Mapping[str, Any], terms: list[str]) -> Document:
    rest: Document = {path: test for path, test in where.items() if path != TERMS}
    if TERMS in where:
        terms.append(where[TERMS])
    if "$and" in where:
        rest["$and"] = [_without_terms(branch, terms) for branch in where["$and"]]
    return rest


def _all_of(where: Mapping[str, Any], table: Table, values: list[Any]) -> str:
    parts = [_condition(condition, table, values) for condition in language.conditions(where)]
    parts += [_all_of(branch, table, values) for branch in where.get("$and", ())]
    if "$or" in where:
        parts.append("(" + " OR ".join(_all_of(branch, table, values) for branch in where["$or"]) + ")")
    return "(" + " AND ".join(parts) + ")" if parts else "1"


def _condition(condition: Condition, table: Table, values: list[Any]) -> str:
    path, operator, operand = condition
    if path == TERMS:
        return _term(operator, operand, table, values)
    if operator == "$exists":
        return f"{type_of(path)} IS {'NOT ' if operand else ''}NULL"
    if operator in ("$in", "$nin"):
        return _among(path, operand, values, negated=operator == "$nin")
    if operator in language.RANGES:
        return _range(path, operator, operand, values)
    return _same(path, operand, values, negated=operator == "$ne")


def _same(path: str, operand: Any, values: list[Any], *, negated: bool) -> str:
    value = value_of(path)
    if operand is None:
        return f"{value} IS {'NOT ' if negated else ''}NULL"
    values.append(tagged_scalar(operand))
    if not _looks_nested(operand):
        return f"{value} IS NOT ?" if negated else f"{value}=?"
    # The JSON text of a list or document must not pass for a text.
    return f"({value} IS NOT ? OR {type_of(path)}<>'text')" if negated else f"({value}=? AND {type_of(path)}='text')"


def _looks_nested(operand: Any) -> bool:
    return isinstance(operand, str) and operand[:1] in ("[", "{")


def _among(path: str, operands: Sequence[Any], values: list[Any], *, negated: bool) -> str:
    value, plain = value_of(path), [each for each in operands if each is not None and not _looks_nested(each)]
    odd = [each for each in operands if each is None or _looks_nested(each)]
    values.extend(tagged_scalar(each) for each in plain)
    marks = ",".join("?" * len(plain))
    if negated:
        parts = [f"({value} IS NULL OR {value} NOT IN ({marks}))"] if plain else ["1"]
    else:
        parts = [f"{value} IN ({marks})"] if plain else ["0"]
    parts += [_same(path, each, values, negated=negated) for each in odd]
    return parts[0] if len(parts) == 1 else "(" + (" AND " if negated else " OR ").join(parts) + ")"


_SIGNS = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}


def _range(path: str, operator: str, operand: Any, values: list[Any]) -> str:
    value, down = value_of(path), operator in ("$lt", "$lte")
    values.append(tagged_scalar(operand))
    compared = f"{value}{_SIGNS[operator]}?"
    return f"({compared} AND {_BOUND[rank(operand)](path, value, down)})"


def _text_bound(path: str, value: str, _down: bool) -> str:
    if path == "_id":
        return "1"
    return f"({value}<'{_TAGGED}' OR {value}>='{_PAST_TAGGED}') AND {type_of(path)}='text'"


def _moment_bound(_path: str, value: str, down: bool) -> str:
    return f"{value}>='\x01d'" if down else f"{value}<'{_PAST_MOMENTS}'"


def _number_bound(_path: str, value: str, down: bool) -> str:
    return "1" if down else f"{value}<''"  # SQLite puts every number below every text


_BOUND: Mapping[int, Callable[[str, str, bool], str]] = {
    TEXT: _text_bound, MOMENT: _moment_bound, NUMBER: _number_bound,
}


# --- words

_PLAIN_WORD = re.compile("[a-z0-9\u0080-\u00a3\u00a5-\U0010ffff]+")


def word(term: str) -> str:
    """A term as one word of the word index; a term with other signs goes in as `¤` and their codes."""
    return term if _PLAIN_WORD.fullmatch(term) else "¤" + term.encode().hex()


def words(document: Mapping[str, Any]) -> str:
    """A document's terms for the word index."""
    terms = document.get(TERMS)
    if not isinstance(terms, list):
        return ""
    return " ".join(dict.fromkeys(word(term) for term in terms if isinstance(term, str)))


def phrase(terms: Sequence[str]) -> str:
    """A query of the word index for all of these terms."""
    return " AND ".join(f'"{word(term)}"' for term in dict.fromkeys(terms))


def _term(_operator: str, operand: Any, table: Table, values: list[Any]) -> str:
    if table.terms:
        values.append(phrase([operand]))
        return f'number IN (SELECT rowid FROM "{table.name}_words"(?))'  # noqa: S608
    values.append(tagged_scalar(operand))
    return "EXISTS (SELECT 1 FROM json_each(body,'$.\"terms\"') WHERE type='text' AND value=?)"


START, MEET, PROBE = range(3)


def selection(
    columns: str, table: Table, clause: Clause, *, tail: str = "", words: int = START, after: int | None = None
) -> tuple[str, list[Any]]:
    """A SELECT and its values. How words take part: START from the word index; MEET a list of its rows on the way down
    another index; PROBE the word index for each row on the way.
    """
    test, values = clause.text, list(clause.values)
    if clause.terms:
        test += " AND " + _WORD_TESTS[words].format(f'"{table.name}_words"')
        values.append(phrase(clause.terms))
    if after is not None:
        test += " AND number>?"
        values.append(after)
    return f'SELECT {columns} FROM "{table.name}" WHERE {test}{tail}', values  # noqa: S608


_WORD_TESTS = (
    "number IN (SELECT rowid FROM {0}(?))",
    "+number IN (SELECT rowid FROM {0}(?))",
    "EXISTS (SELECT 1 FROM {0}(?) WHERE rowid=number)",
)


# --- counts


def group(paths: Sequence[str], day: str | None) -> list[str]:
    """The expressions of a tally: the paths' values, then the local day."""
    expressions = [value_of(path) for path in paths]
    if day is not None:
        value = value_of(day)
        inside = f"{value}>='\x01d' AND {value}<'{_PAST_MOMENTS}'"
        expressions.append(f"CASE WHEN {inside} THEN {_DAY.format(value=value)} END")
    return expressions


# --- tables


def schema(table: Table) -> list[str]:
    """The statements that make a table and its indexes where they are missing."""
    columns = "number INTEGER PRIMARY KEY, id NOT NULL UNIQUE, body TEXT NOT NULL"
    statements = [f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns})']
    statements += [_index(table, tuple((path, 1) for path in key), unique=True) for key in table.unique]
    statements += [_index(table, index, unique=False) for index in table.ordered()]
    if table.terms:
        statements.append(
            f'CREATE VIRTUAL TABLE IF NOT EXISTS "{table.name}_words" '
            "USING fts5(terms, content='', contentless_delete=1, detail=none, tokenize='ascii')"
        )
    return statements


def key_name(table: Table, key: Sequence[str]) -> str:
    """The name of the index that keeps a unique key; SQLite names it where the key is held already."""
    return f"{table.name}__{'+'.join(key)}"


def _index(table: Table, index: Sequence[tuple[str, int]], *, unique: bool) -> str:
    columns = ",".join(f"{value_of(path)}{' DESC' if direction < 0 else ''}" for path, direction in index)
    label = "+".join(f"{'-' if direction < 0 else ''}{path}" for path, direction in index)
    name = key_name(table, [path for path, _ in index]) if unique else f"{table.name}_by_{label}"
    return f'CREATE {"UNIQUE " if unique else ""}INDEX IF NOT EXISTS "{name}" ON "{table.name}" ({columns})'
