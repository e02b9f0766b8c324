"""Where an answer falls short of a documented one; the fixtures with page and date stand in tests/fixtures."""

from __future__ import annotations

from typing import Any


def wanting(documented: Any, given: Any, place: str = "") -> list[str]:
    """Names that are missing, values of another type."""
    if type(documented) is not type(given):
        return [f"{place}: {type(given).__name__} in place of {type(documented).__name__}"]
    if isinstance(documented, dict):
        missing = [f"{place}.{name}: missing" for name in documented if name not in given]
        return missing + [
            fault
            for name, value in documented.items()
            if name in given
            for fault in wanting(value, given[name], f"{place}.{name}")
        ]
    if isinstance(documented, list) and documented:
        return [f"{place}: empty"] if not given else wanting(documented[0], given[0], f"{place}[0]")
    return []
