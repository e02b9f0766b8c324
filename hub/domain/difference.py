"""差异: what changed between two revisions, block by block and word by word, as data for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from diff_match_patch import diff_match_patch

from hub.domain.blocks import NAMES, digest_of, text_of

Json = Mapping[str, Any]
OPERATIONS = {-1: "removed", 0: "same", 1: "added"}


@dataclass(frozen=True)
class Piece:
    """A stretch of text: same, added or removed."""

    change: str
    text: str


@dataclass(frozen=True)
class Change:
    """One block or field: same, added, removed or changed; `shape`: the words stayed, their form or picture changed."""

    change: str
    name: str  # Chinese: 段落, 标题, 摘要 …
    before: Any
    after: Any
    pieces: tuple[Piece, ...]
    shape: bool = False


@dataclass(frozen=True)
class Difference:
    """From revision `before` (None: there was none) to `after`."""

    before: int | None
    after: int
    fields: tuple[Change, ...]
    blocks: tuple[Change, ...]

    @property
    def changed(self) -> int:
        """How many fields and blocks are not the same."""
        return sum(each.change != "same" for each in (*self.fields, *self.blocks))


def compare_words(before: str, after: str) -> tuple[Piece, ...]:
    """The words that went and came, joined so that a person can read them."""
    engine = diff_match_patch()
    steps = engine.diff_main(before, after)
    engine.diff_cleanupSemantic(steps)
    return tuple(Piece(OPERATIONS[operation], text) for operation, text in steps)


def _text(block: Json) -> str:
    return text_of([dict(block)]).text


def _whole(block: Json, change: str) -> Change:
    text = _text(block)
    pieces = (Piece(change, text),) if text else ()
    before, after = (block, None) if change == "removed" else (block, block) if change == "same" else (None, block)
    return Change(change, NAMES[block["kind"]], before, after, pieces)


def _pair(before: Json, after: Json) -> Change:
    old, new = _text(before), _text(after)
    return Change("changed", NAMES[after["kind"]], before, after, compare_words(old, new), old == new)


def _replaced(before: Sequence[Json], after: Sequence[Json]) -> list[Change]:
    """Blocks of one kind at the same place were changed; others came and went."""
    changes: list[Change] = []
    for old, new in zip(before, after, strict=False):
        if old["kind"] == new["kind"]:
            changes.append(_pair(old, new))
        else:
            changes.extend((_whole(old, "removed"), _whole(new, "added")))
    changes.extend(_whole(old, "removed") for old in before[len(after) :])
    changes.extend(_whole(new, "added") for new in after[len(before) :])
    return changes


def compare_blocks(before: Sequence[Json], after: Sequence[Json]) -> tuple[Change, ...]:
    """The blocks of the newer text in order, with those that went at the place where they stood."""
    olds, news = [digest_of(block) for block in before], [digest_of(block) for block in after]
    changes: list[Change] = []
    for step, start, end, first, last in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        if step == "equal":
            changes.extend(_whole(block, "same") for block in after[first:last])
        else:
            changes.extend(_replaced(before[start:end], after[first:last]))
    return tuple(changes)


def compare_field(name: str, before: str, after: str) -> Change:
    """A field of one line."""
    if before == after:
        return Change("same", name, before, after, (Piece("same", after),) if after else ())
    change = "added" if not before else "removed" if not after else "changed"
    return Change(change, name, before or None, after or None, compare_words(before, after))


def _line(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")


def compare(before: Json | None, after: Json, names: Mapping[str, str]) -> Difference:
    """Two revisions; `names` are the Chinese names of the facts in `meta`."""
    old = before or {}
    heads = (("title", "标题"), ("digest", "摘要"), ("column", "栏目"), ("kind", "种类"), ("files", "附件"))
    fields = [compare_field(name, _line(old.get(key)), _line(after.get(key))) for key, name in heads]
    facts, olds = after.get("meta", {}), old.get("meta", {})
    for key in dict.fromkeys([*olds, *facts]):
        fields.append(compare_field(names.get(key, key), _line(olds.get(key)), _line(facts.get(key))))
    blocks = compare_blocks(old.get("blocks", ()), after.get("blocks", ()))
    return Difference(before["number"] if before else None, after["number"], tuple(fields), blocks)
