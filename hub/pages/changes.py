"""改动 as rows of a page: what changed one by one, what did not as one line each; the comparison is the domain's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.difference import Change


@dataclass(frozen=True)
class Row:
    """One changed block with its number in the newer text (None: gone), or a stretch that stayed: `first`–`last`."""

    change: Change | None
    number: int | None
    first: int = 0
    last: int = 0


def grouped(blocks: Sequence[Change]) -> list[Row]:
    """The blocks in order; those that stayed are joined."""
    rows: list[Row] = []
    number = 0
    for each in blocks:
        number += each.change != "removed"
        if each.change != "same":
            rows.append(Row(each, number if each.change != "removed" else None))
        elif rows and rows[-1].change is None:
            rows[-1] = Row(None, None, rows[-1].first, number)
        else:
            rows.append(Row(None, None, number, number))
    return rows
