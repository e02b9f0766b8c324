"""可能紧急的提示: the office's own reader, made of its marks, in place of the shipped one where marks allow it.

What ships (nlp.hints) reads until the office's own is in force. Each mark measures once, by a model that has not seen
it, and the shipped reader on the same replies: one that finds fewer dangers does not take its place. File, then
pointer: a crash leaves what was in force. Only masked words are learnt from, and none of a confidential case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.desk.model import LOOK_EVERY
from hub.desk.pointing import Pointer
from hub.desk.replies import OPEN_WORDS
from hub.domain import outbox
from hub.domain.errors import Conflict
from hub.domain.people import Actor
from hub.domain.renewal import Verdict
from hub.domain.rights import require
from hub.domain.urgency import NONE, WORDS, enough_marks, worth_showing
from hub.store.base import Document, Store
from hub.store.files import Damaged, Files
from nlp.copies import marks_of
from nlp.hints import shipped_hints
from nlp.model_file import ModelFileError
from nlp.normal import normalise
from nlp.urgency import read_urgency_model, write_urgency_model
from nlp.urgency_training import Marked, measured, own_marks, train_urgency

POINTER = "urgency"
BORN: Mapping[str, Any] = {
    "_id": POINTER, "version": 0, "sha256": "", "figures": None, "by": "", "since": None, "tried": None
}  # fmt: skip
IN_FORCE = Pointer(POINTER, BORN, "urgency")
MOST = 2_000  # marks of a kind, and replies without one, that are learnt from: the newest
MOST_COUNTED = 200_000
FIELDS = ("title", "text", "at")
HintsNow = Callable[[], Awaitable[bytes | None]]
Train = Callable[[list[Marked]], Awaitable[bytes]]  # the model's file of these marks and the own texts


@dataclass(frozen=True)
class Tried:
    """One training: its counts on the office's replies, each by a model that had not seen it, and what follows."""

    figures: Mapping[str, Any]
    verdict: Verdict


async def hints_in_force(actor: Actor, desk: Desk) -> Document:
    """Which reader of hints is in force (an empty `sha256`: none), its figures, and how the last training went."""
    require(actor, "policy.read")
    return await IN_FORCE.now(desk.store)


async def train_hints(actor: Actor, desk: Desk, train: Train | None = None) -> Tried:
    """Learn from own texts and the office's marks, measure, and take it into use only where it is worth showing."""
    require(actor, "urgency.train")
    seen = await IN_FORCE.now(desk.store)
    marks, unmarked = await _collected(desk)
    if problem := enough_marks(sum("life" in mark.kinds for mark in marks)):
        raise Conflict(problem)
    content = await (train or _trained)(marks)
    figures = {**read_urgency_model(content).about["office"], "unmarked": unmarked}
    shipped = await asyncio.to_thread(_shipped_on, marks)
    found, now = worth_showing(figures, {**shipped, "unmarked": unmarked}), desk.clock.now()
    fields: Document = {"tried": {"at": now, "figures": figures, "why": found.why}}
    if found.keep:
        sha256 = await desk.files.put(content)
        fields |= {"sha256": sha256, "figures": figures, "by": actor.id, "since": now}
    row = outbox.audit(desk.ids.new(), actor, "urgency.train", POINTER, now, detail={"kept": found.keep})
    if await IN_FORCE.change(desk, seen, fields, row) is None:
        raise Conflict("别人刚刚也训练了，或停用了提示。请再来一次。")
    return Tried(figures, found)


async def drop_hints(actor: Actor, desk: Desk) -> None:
    """停用: from now on the shipped reader reads; what was marked stays."""
    require(actor, "urgency.train")
    seen = await IN_FORCE.now(desk.store)
    if not seen["sha256"]:
        raise Conflict("现在没有在用的提示模型。")
    row = outbox.audit(desk.ids.new(), actor, "urgency.drop", POINTER, desk.clock.now())
    if await IN_FORCE.change(desk, seen, {"sha256": "", "figures": None}, row) is None:
        raise Conflict("别人刚刚改过，请再来一次。")


def _shipped_on(marks: list[Marked]) -> dict[str, Any]:
    return measured(marks, shipped_hints().read_many([normalise(mark.text) for mark in marks]))


async def _trained(marks: list[Marked]) -> bytes:
    return await asyncio.to_thread(_file_of, marks)


def _file_of(marks: list[Marked]) -> bytes:
    return write_urgency_model(train_urgency([*own_marks(), *marks]))


async def _collected(desk: Desk) -> tuple[list[Marked], int]:
    """The newest marks, and of the replies since the oldest of these that nobody marked, which count as not urgent, the
    newest; also how many of those there are in all."""
    found: dict[str, Marked] = {}
    since = desk.clock.now()
    for kind in WORDS:
        where = {"urgency.kind": kind, **OPEN_WORDS}
        for row in await desk.store.find("replies", where, sort=[("urgency.at", -1)], limit=MOST, fields=FIELDS):
            since = min(since, row["at"])
            _add(found, row, frozenset({kind} if kind != NONE else ()))
    quiet = {"state": "read", "urgency.number": None, "at": {"$gte": since}, **OPEN_WORDS}
    for row in await desk.store.find("replies", quiet, sort=[("at", -1)], limit=MOST, fields=FIELDS):
        _add(found, row, frozenset())
    return list(found.values()), await desk.store.count("replies", quiet, ceiling=MOST_COUNTED)


def _add(found: dict[str, Marked], row: Document, kinds: frozenset[str]) -> None:
    """As the reader gets it: the title before the words. Of the same words the first counts."""
    text = f"{row['title']}\n{row['text']}" if row.get("title") else str(row["text"])
    key = marks_of(normalise(text))[0]
    found.setdefault(key, Marked(text, kinds, key, office=True))


# ---- taking it up


class HintsInForce:
    """What this process reads hints with: looks at the pointer every few seconds at most. Where a file does not load
    the shipped reader reads; the doctor says so."""

    def __init__(self) -> None:
        self._content: bytes | None = None
        self._named = ""
        self._looked_at: datetime | None = None

    async def look(self, actor: Actor, desk: Desk) -> bytes | None:
        """The file in force now, or as it was a few seconds ago; None: the shipped reader reads."""
        require(actor, "reply.analyse")
        now = desk.clock.now()
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._looked_at = now
            named = str((await IN_FORCE.now(desk.store))["sha256"])
            if named != self._named:
                self._content, self._named = await _loaded(desk.files, named), named
        return self._content


async def _loaded(files: Files, sha256: str) -> bytes | None:
    """The file, known to load; None where none is named, or it is gone or none of ours."""
    try:
        content = await files.get(sha256) if sha256 else None
        if content is not None:
            await asyncio.to_thread(read_urgency_model, content)
    except (Damaged, ModelFileError):
        return None
    return content


async def condition(store: Store, files: Files) -> tuple[str, str]:
    """For the doctor: which reader of hints there is, and what is wrong with its file (nothing: it loads)."""
    sha256 = str((await IN_FORCE.now(store))["sha256"])
    if not sha256:
        return "随附的一版", ""
    if await _loaded(files, sha256) is None:
        return "", "紧急提示的模型文件不见了或坏了，现在用随附的一版。"
    return "本单位训练的一版", ""
