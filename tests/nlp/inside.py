"""All that a detector holds, also what it worked out and never writes down: so that a loaded one can be held to it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from nlp.words import Words

LEFT_OUT = {
    "_shared", "_carriers", "_words", "_terms", "settings", "_settings",  # worked out when asked for, or given
    "latest",  # of a window: the text just taken, spoken of before the next one comes
}  # fmt: skip


def inside(thing: Any, seen: set[int] | None = None) -> Any:
    """The thing as plain lists and dicts. What is in order by meaning stays in order; lists and tuples are alike."""
    seen = set() if seen is None else seen
    if isinstance(thing, OrderedDict):
        return [[inside(key, seen), inside(value, seen)] for key, value in thing.items()]
    if isinstance(thing, Mapping):
        return {key: inside(value, seen) for key, value in thing.items()}
    if isinstance(thing, list | tuple | deque):
        return [inside(one, seen) for one in thing]
    if isinstance(thing, Words) or not type(thing).__module__.startswith("nlp."):
        return thing if isinstance(thing, str | int | float | None | set | frozenset) else type(thing).__name__
    if id(thing) in seen:
        return type(thing).__name__
    seen.add(id(thing))
    names = getattr(thing, "__dict__", None) or dict.fromkeys(getattr(type(thing), "__slots__", ()))
    return {name: inside(getattr(thing, name), seen) for name in sorted(names) if name not in LEFT_OUT}
