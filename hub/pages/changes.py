"""改动 as rows of a page: what changed one by one, what did not as one line each; the comparison is the domain's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.domain.content import KINDS
from hub.domain.difference import Change, compare_field


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


def worded(fields: Sequence[Change], columns: Mapping[str, str]) -> list[Change]:
    """The fields as people say them: columns and kinds by their names, attachments by their number."""
    kinds = {key: kind.name for key, kind in KINDS.items()}
    return [_worded(each, {"栏目": columns, "种类": kinds}) for each in fields]


def _worded(change: Change, names: Mapping[str, Mapping[str, str]]) -> Change:
    before, after = str(change.before or ""), str(change.after or "")
    if change.name in names:
        known = names[change.name]
        return compare_field(change.name, known.get(before, before), known.get(after, after))
    if change.name == "附件" and change.change != "same":
        old, new = _count(before), _count(after)
        return compare_field(change.name, old, new if old != new else f"{new}，换过")
    return change


def _count(names: str) -> str:
    return f"{len(names.split('、'))} 个" if names else ""
