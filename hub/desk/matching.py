"""找同文: which known text each reply is a copy of, exact ones first, then near ones; bringing them there: copying.py.

A mark is one row a different text of a stream: `<stream>:<copy key>`. That of an original is found by its four bands
as well, and names its reply until a second one says the same: only then there is a group, so that texts said once cost
one small row for thirty days and nothing more. The mark of a near copy names its original and has no bands: what is
like a copy of a copy need not be like the original. Marks only propose: whether two texts are near copies, their words
say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from hub.desk.desk import Desk
from hub.domain.reply import LIVE
from hub.store.base import Document
from nlp.copies import ALIKE, bands_of, distance, is_telling, likeness
from nlp.normal import letters, normalise

TABLE = "copy_marks"
LIKE = 10  # bits in which the marks of near copies may differ, where they agree in a whole band; words decide then
CANDIDATES = 32  # of each band, the last heard first: in thirty days of a large office a band has about ten
OFFERED = 4  # of them whose words are compared
REFRESH = timedelta(days=1)  # a mark's last hearing is written anew when it is older than this


@dataclass
class Matches:
    """What one batch found. `members`: group -> (reply, whether its words differ) of those that are new to it;
    `marks`: the marks to write, as they shall be; `seen`: originals that live on, since something like them was heard.
    """

    members: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    marks: dict[str, Document] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def said(reply: Mapping[str, Any]) -> tuple[str, int] | None:
    """Copy key and simhash of a reply; None for one that was not read, says too little, or is confidential."""
    analysis = reply.get("analysis") or {}
    if not analysis.get("copy_key") or reply.get("confidential"):
        return None
    mark = int(analysis.get("simhash") or "0", 16)
    return (str(analysis["copy_key"]), mark) if mark or is_telling(normalise(_whole(reply))) else None


def _whole(reply: Mapping[str, Any]) -> str:
    return f"{reply.get('title') or ''}\n{reply.get('text') or ''}"


async def match(desk: Desk, replies: Sequence[Document]) -> Matches:
    """Each reply in its turn: with the text it is a copy of, or as an original. Nothing is written."""
    texts = [_Text.of(reply, found) for reply in replies if (found := said(reply))]
    rows = await _exact(desk, {text.id for text in texts})
    like = await _alike(desk, [text for text in texts if text.id not in rows and text.mark], rows)
    matches, here, now = Matches(), dict[str, list[_Text]](), desk.clock.now()
    for text in texts:
        mark = rows.get(text.id)
        original = mark or rows.get(like.get(text.id) or _alike_here(here, text) or "")
        if original is None:
            rows[text.id] = matches.marks[text.id] = text.original(now)
            here.setdefault(text.stream, []).append(text)
            continue
        group = _group_of(desk, matches, original, now)
        matches.members.setdefault(group, []).append((text.reply, original["_id"] != text.id or bool(original["of"])))
        if mark is None:
            rows[text.id] = matches.marks[text.id] = text.near(original["_id"], group, now)
        _heard(matches, original, now)
    return matches


def _alike_here(here: Mapping[str, Sequence[_Text]], text: _Text) -> str | None:
    """The original of this batch that the text is a near copy of."""
    bands = set(text.bands().items()) if text.mark else set()
    sharing = [other for other in here.get(text.stream, ()) if other.mark and bands & set(other.bands().items())]
    near = [(distance(text.mark, other.mark), other) for other in sharing]
    fits = [(bits, other.id) for bits, other in near if bits <= LIKE and likeness(text.plain, other.plain) >= ALIKE]
    return min(fits)[1] if fits else None


@dataclass(frozen=True)
class _Text:
    """What of a reply is compared."""

    reply: str
    stream: str
    key: str
    mark: int
    whole: str

    @classmethod
    def of(cls, reply: Document, found: tuple[str, int]) -> _Text:
        return cls(reply["_id"], reply.get("stream") or LIVE, *found, _whole(reply))

    @cached_property
    def plain(self) -> str:
        return letters(normalise(self.whole))

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
    """The original that each of these texts is a near copy of; originals so found come to the `rows`."""
    different = list({text.id: text for text in texts}.values())
    offered = await asyncio.gather(*(_offered(desk, text) for text in different))
    words = await _words(desk, {row["reply"] for marks in offered for row in marks})
    found = {}
    for text, marks in zip(different, offered, strict=True):
        fit = next((row for row in marks if _fits(text, words.get(row["reply"]))), None)
        if fit is not None:
            rows.setdefault(fit["_id"], fit)
            found[text.id] = str(fit["_id"])
    return found


def _fits(text: _Text, original: str | None) -> bool:
    return original is not None and likeness(text.plain, original) >= ALIKE


async def _offered(desk: Desk, text: _Text) -> list[Document]:
    """The few originals that share a band and differ little, the nearest first; of equally near ones by their names."""
    asked = [
        desk.store.find(TABLE, {band: value}, sort=[("seen_at", -1)], limit=CANDIDATES)
        for band, value in text.bands().items()
    ]
    rows = {row["_id"]: row for part in await asyncio.gather(*asked) for row in part}
    apart = {id: distance(text.mark, int(row["mark"], 16)) for id, row in rows.items()}
    near = sorted((bits, id) for id, bits in apart.items() if bits <= LIKE)
    return [rows[id] for _, id in near[:OFFERED]]


async def _words(desk: Desk, replies: set[str]) -> dict[str, str]:
    """The letters of these replies; what is gone or confidential by now offers none."""
    if not replies:
        return {}
    fields = ("title", "text", "confidential")
    found = await desk.store.find("replies", {"_id": {"$in": sorted(replies)}}, limit=len(replies), fields=fields)
    return {row["_id"]: letters(normalise(_whole(row))) for row in found if not row.get("confidential")}
