"""From the editor's form to a draft, and what the form shows again; no route, and nothing is saved here.

The form comes in two shapes: `html` from the rich editor (folded to blocks, the writer is told what was left out), and
`text` from the plain field. Facts beside the text are named `meta.source`, `meta.number` … as their errors are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sanic import Request

from hub.domain.blocks import Json, text_of
from hub.domain.content import KINDS, Draft, facts_of
from hub.domain.fold import fold
from hub.pages import plain_text
from hub.pages.shell import field
from hub.store.base import Document

LONGEST_BODY = 4_000_000
_APART = re.compile(r"[、，,；;\s]+")
BLANK = Draft("news", "", "")


@dataclass(frozen=True)
class Read:
    """What a form held: the draft, the sentences about what was left out, the revision the writer had before them."""

    draft: Draft
    dropped: Sequence[str]
    revision: int


def read_form(request: Request, before: Sequence[Json] = ()) -> Read:
    """The form as a draft; `before` are the blocks it was filled from. Raises Invalid where it is far too large."""
    kind = field(request, "kind", 20)
    kind = kind if kind in KINDS else BLANK.kind
    blocks, dropped = _body(request, before)
    draft = Draft(
        kind,
        field(request, "column", 60),
        field(request, "title", 400),
        field(request, "digest", 1_000),
        tuple(blocks),
        tuple(_files(request)),
        _meta(request, kind),
    )
    number = field(request, "revision", 9)
    return Read(draft, dropped, int(number) if number.isdecimal() else 0)


def _files(request: Request) -> list[str]:
    form = request.form
    return [str(each)[:64] for each in (form.getlist("files") or [])] if form else []


def _body(request: Request, before: Sequence[Json]) -> tuple[list[Json], Sequence[str]]:
    if field(request, "rich", 1):
        folded = fold(field(request, "html", LONGEST_BODY))
        return folded.blocks, folded.dropped
    return plain_text.read(field(request, "text", LONGEST_BODY), before), ()


def _meta(request: Request, kind: str) -> Mapping[str, Any]:
    facts: dict[str, Any] = {}
    for name in facts_of(kind):
        value = field(request, f"meta.{name}", 400)
        if value:
            facts[name] = [word for word in _APART.split(value) if word] if name == "keywords" else value
    return facts


def shown_meta(draft: Draft) -> Mapping[str, str]:
    """The facts as the form's fields hold them."""
    return {
        name: "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in draft.meta.items()
    }


def replaced(revision: Document, name: str, start: int, end: int, proposal: str) -> dict[str, Any]:
    """What of the revision changes when a finding's proposal is taken: one of title, digest, blocks.

    Offsets are those of the text that was checked. A proposal that would reach over two strings changes only the part
    in the first of them and removes the rest.
    """
    if name in ("title", "digest"):
        text = str(revision[name])
        return {name: text[:start] + proposal + text[end:]}
    return {"blocks": _in_blocks(list(revision["blocks"]), start, end, proposal)}


def _in_blocks(blocks: list[Json], start: int, end: int, proposal: str) -> list[Json]:
    result, first = blocks, True
    for piece in text_of(blocks).pieces:
        low, high = max(start, piece.start), min(end, piece.end)
        if low >= high:
            continue
        given = proposal if first else ""
        result = _changed(result, piece.path, low - piece.start, high - piece.start, given)
        first = False
    return result


def _changed(value: Any, path: Sequence[str | int], low: int, high: int, given: str) -> Any:
    if not path:
        return value[:low] + given + value[high:]
    step, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        return {**value, str(step): _changed(value[step], rest, low, high, given)}
    return [_changed(each, rest, low, high, given) if place == step else each for place, each in enumerate(value)]
