"""找同文: which known text each reply is a copy of, exact ones first, then near ones; bringing them there: copying.py.

A mark is one row a different text of a stream: `<stream>:<copy key>`. That of an original is found by its four bands
as well, and names its reply until a second one says the same: only then there is a group, so that texts said once cost
one small row for thirty days and nothing more. The mark of a near copy names its original and has no bands: what is
like a copy of a copy need not be like the original.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.domain.reply import LIVE
from hub.store.base import Document
from nlp.copies import NEAR, Copies, bands_of, distance, is_telling
from nlp.normal import normalise

TABLE = "copy_marks"
CANDIDATES = 32  # of each band, the last heard first: in thirty days of a large office a band has about ten
REFRESH = timedelta(days=1)  # a mark's last hearing is written anew when it is older than this


@dataclass
class Matches:
    """What one batch found. `members`: group -> (reply, whether its words differ) of those that are new to it;
    `marks`: the marks to write, as they shall be; `seen`: originals that live on because something like them was heard."""

    members: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    marks: dict[str, Document] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def said(reply: Mapping[str, Any]) -> tuple[str, int] | None:
    """Copy key and simhash of a reply; None for one that was not read, says too little, or is confidential."""
    analysis = reply.get("analysis") or {}
    if not analysis.get("copy_key") or reply.get("confidential"):
        return None
    mark = int(analysis.get("simhash") or "0", 16)
    whole = f"{reply.get('title') or ''}\n{reply.get('text') or ''}"
    return (str(analysis["copy_key"]), mark) if mark or is_telling(normalise(whole)) else None


async def match(desk: Desk, replies: Sequence[Document]) -> Matches:
    """Each reply in its turn: with the text it is a copy of, or as an original. Nothing is written."""
    texts = [_Text.of(reply, found) for reply in replies if (found := said(reply))]
    rows = await _exact(desk, {text.id for text in texts})
    like = await _alike(desk, [text for text in texts if text.id not in rows and text.mark], rows)
    matches, here, now = Matches(), dict[str, Copies](), desk.clock.now()
    for text in texts:
        mark = rows.get(text.id)
        original = mark or rows.get(like.get(text.id) or _alike_here(here, text) or "")
        if original is None:
            rows[text.id] = matches.marks[text.id] = text.original(now)
            here.setdefault(text.stream, Copies()).keep(text.key, text.mark, text.id)
            continue
        group = _group_of(desk, matches, original, now)
        matches.members.setdefault(group, []).append((text.reply, original["_id"] != text.id or bool(original["of"])))
        if mark is None:
            rows[text.id] = matches.marks[text.id] = text.near(original["_id"], group, now)
        _heard(matches, original, now)
    return matches


def _alike_here(here: Mapping[str, Copies], text: _Text) -> str | None:
    """The original of this batch that the text is like."""
    return here[text.stream].original(text.key, text.mark) if text.stream in here else None


@dataclass(frozen=True)
class _Text:
    """What of a reply is compared."""

    reply: str
    stream: str
    key: str
    mark: int

    @classmethod
    def of(cls, reply: Document, found: tuple[str, int]) -> _Text:
        return cls(reply["_id"], reply.get("stream") or LIVE, *found)

    @property
    def id(self) -> str:
        return f"{self.stream}:{self.key}"

    def bands(self) -> dict[str, str]:
        return {f"b{number}": f"{self.stream}:{band:04x}" for number, (_, band) in enumerate(bands_of(self.mark))}

    def original(self, now: datetime) -> Document:
        bands = {**self.bands(), "mark": f"{self.mark:016x}"} if self.mark else {}
        return {"_id": self.id, "of": None, "reply": self.reply, "group": None, "seen_at": now, **bands}

    def near(self, original: str, group: str, now: datetime) -> Document:
        return {"_id": self.id, "of": original, "group": group, "seen_at": now}


def _group_of(desk: Desk, matches: Matches, original: Document, now: datetime) -> str:
    """The text's group; an original gets one at its second text, with itself as the first member."""
    if not original["group"]:
        original |= {"group": desk.ids.new(), "seen_at": now}
        matches.members[original["group"]] = [(original["reply"], False)]
        matches.marks[original["_id"]] = original
    return str(original["group"])


def _heard(matches: Matches, mark: Document, now: datetime) -> None:
    """A mark lives as long as its text is heard, and an original as long as what is like it."""
    if now - mark["seen_at"] > REFRESH:
        mark["seen_at"] = now
        matches.marks[mark["_id"]] = mark
        if mark["of"]:
            matches.seen.add(mark["of"])


async def _exact(desk: Desk, ids: set[str]) -> dict[str, Document]:
    if not ids:
        return {}
    rows = await desk.store.find(TABLE, {"_id": {"$in": sorted(ids)}}, limit=len(ids))
    return {row["_id"]: row for row in rows}


async def _alike(desk: Desk, texts: Sequence[_Text], rows: dict[str, Document]) -> dict[str, str]:
    """The original that each of these texts is most like; found originals come to the `rows`."""
    different = list({text.id: text for text in texts}.values())
    found = await asyncio.gather(*(_nearest(desk, text) for text in different))
    for row in found:
        if row is not None:
            rows.setdefault(row["_id"], row)
    return {text.id: row["_id"] for text, row in zip(different, found, strict=True) if row is not None}


async def _nearest(desk: Desk, text: _Text) -> Document | None:
    """Of the few originals that share a band, the one nearest; of equally near ones the first by name."""
    asked = [
        desk.store.find(TABLE, {band: value}, sort=[("seen_at", -1)], limit=CANDIDATES)
        for band, value in text.bands().items()
    ]
    rows = {row["_id"]: row for part in await asyncio.gather(*asked) for row in part}
    apart = {id: distance(text.mark, int(row["mark"], 16)) for id, row in rows.items()}
    near = [id for id, bits in apart.items() if bits <= NEAR]
    return rows[min(near, key=lambda id: (apart[id], id))] if near else None
