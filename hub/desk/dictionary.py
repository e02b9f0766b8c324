"""词典: the office's own places, bodies and people by name, which its replies are read with; how they cut is nlp's.

One document of the switches names the dictionary in force; its text lies in the file store before that. Whoever changes
it names the version that they saw. The former one stays named, so a wrong file is undone by one press.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.errors import Conflict, Invalid
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.store.base import Document, Store
from hub.store.files import Damaged, Files
from nlp.dictionary import NAMES, Problem, lines_of, read
from nlp.words import OwnWord

SWITCHES, POINTER = "switches", "dictionary"
BORN: Mapping[str, Any] = {
    "_id": POINTER, "version": 0, "sha256": "", "words": 0, "former": "", "by": "", "since": None
}  # fmt: skip
CHANGED = "词典刚被别人换过，请刷新后再看。"
LISTED = 30
LONGEST = 1_500_000  # characters of a file: more than the most words can need
LOOK_EVERY = timedelta(seconds=3)


@dataclass(frozen=True)
class Page:
    """Some words of the dictionary in force: all `counts` by kind, the rows from `start` on that hold what was looked
    for, and where the next page begins (None: nowhere)."""

    pointer: Document
    counts: Mapping[str, int]
    rows: Sequence[OwnWord]
    found: int
    next: int | None


async def dictionary(actor: Actor, desk: Desk, *, search: str = "", start: int = 0, limit: int = LISTED) -> Page:
    """What is in force, a page of it."""
    require(actor, "dictionary.read")
    named = await pointer_of(desk.store)
    words = await words_of(desk.files, named)
    hits = [word for word in words if search in (word.district, "") or search in word.word or search in word.same_as]
    counts = Counter(NAMES.get(word.kind, "事项") for word in words)
    more = start + limit if start + limit < len(hits) else None
    return Page(named, counts, hits[start : start + limit], len(hits), more)


async def all_words(actor: Actor, desk: Desk) -> list[OwnWord]:
    """Every word, for an export."""
    require(actor, "dictionary.read")
    return await words_of(desk.files, await pointer_of(desk.store))


async def save_dictionary(
    actor: Actor, desk: Desk, text: str, *, version: int | None = None, skip_bad: bool = False
) -> tuple[Document, list[Problem]]:
    """换词典: from now on these words and no others; Invalid with the first bad lines, unless those are to be skipped.
    `version`: the one that was seen."""
    require(actor, "dictionary.write")
    if len(text) > LONGEST:
        raise Invalid("文件太大，不像一份词典。请只留要用的词，最多 2 万个。")
    words, problems = read(text)
    if problems and not skip_bad:
        raise Invalid(f"有 {len(problems)} 行要改，词典没有换。{_said(problems)}")
    if not words:
        raise Invalid("文件里没有一个可用的词。每行写一个词，或用“词,类别,区县,正式名称”作表头的表格。")
    seen = await _seen(desk, version)
    sha256 = await desk.files.put(lines_of(words).encode())
    return await _point(actor, desk, seen, sha256, len(words)), problems


async def add_words(actor: Actor, desk: Desk, text: str, *, version: int | None = None) -> Document:
    """补词: these words besides; one that is known already takes its new meaning. Invalid as for a whole file."""
    require(actor, "dictionary.write")
    words, problems = read(text)
    if problems or not words:
        raise Invalid(f"没有补上。{_said(problems) or '请每行写一个词。'}")
    known = {word.word: word for word in await words_of(desk.files, await pointer_of(desk.store))}
    known |= {word.word: word for word in words}
    return (await save_dictionary(actor, desk, lines_of(list(known.values())), version=version))[0]


async def restore_dictionary(actor: Actor, desk: Desk, *, version: int | None = None) -> Document:
    """换回上一版: the dictionary that was in force before; pressing twice changes nothing in the end."""
    require(actor, "dictionary.write")
    seen = await _seen(desk, version)
    if not seen["version"] or not seen["since"]:
        raise Conflict("还没有换过词典，没有上一版。")
    former = {**seen, "sha256": seen["former"]}
    return await _point(actor, desk, seen, seen["former"], len(await words_of(desk.files, former)))


def _said(problems: Sequence[Problem]) -> str:
    """The first of them."""
    shown = [f"第 {problem.line} 行：{problem.reason}" for problem in problems[:5]]
    return "；".join(shown) + "。" if shown else ""


async def _seen(desk: Desk, version: int | None) -> Document:
    seen = await pointer_of(desk.store)
    if version is not None and version != seen["version"]:
        raise Conflict(CHANGED)
    return seen


async def _point(actor: Actor, desk: Desk, seen: Document, sha256: str, words: int) -> Document:
    """One compare-and-set on the version that was seen."""
    now = desk.clock.now()
    if not seen["version"]:
        await desk.store.insert_new(SWITCHES, [dict(BORN)])
    fields = {"sha256": sha256, "words": words, "former": seen["sha256"], "by": actor.id, "since": now}
    rows = (
        outbox.audit(desk.ids.new(), actor, "dictionary.save", POINTER, now, detail={"words": words}),
        outbox.event(desk.ids.new(), "dictionary", POINTER, now),
    )
    update = outbox.noted({"$set": {**fields, "version": seen["version"] + 1}}, *rows)
    after = await desk.store.change(SWITCHES, {"_id": POINTER, "version": seen["version"]}, update)
    if after is None:
        raise Conflict(CHANGED)
    return after


def decoded(content: bytes) -> str:
    """The text of a file as offices have them: UTF-8 with or without mark, else GB18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("文件既不是 UTF-8 也不是 GBK 编码，请另存为 UTF-8 后再来。")


# ---- taking it up


async def pointer_of(store: Store) -> Document:
    """The pointer, as it is before anybody changed it too."""
    return {**BORN, **(await store.get(SWITCHES, POINTER) or {})}


async def words_of(files: Files, named: Document) -> list[OwnWord]:
    """The words that a pointer names; Conflict where their file is gone."""
    text = await text_of(files, named)
    return read(text)[0] if text else []


async def text_of(files: Files, named: Document) -> str:
    """The dictionary's text in jieba's shape; empty where none is named."""
    if not named["sha256"]:
        return ""
    try:
        content = await files.get(str(named["sha256"]))
    except Damaged:
        content = None
    if content is None:
        raise Conflict("词典的文件不见了或坏了。请从备份取回，或再导入一次。")
    return content.decode()


async def condition(store: Store, files: Files) -> tuple[str, str]:
    """For the doctor: what is in force, and what is wrong with its file (nothing: it can be read)."""
    named = await pointer_of(store)
    try:
        words = await words_of(files, named)
    except Conflict as trouble:
        return "", trouble.message
    return (f"本单位的词典，{len(words):,} 个词" if words else "没有本单位的词典"), ""


class WordsInForce:
    """What this process reads with: looks at the pointer every few seconds at most. `without`: the words where nobody
    brought any (None: those of the demonstration's city)."""

    def __init__(self, without: str | None) -> None:
        self._without = without
        self._words = without
        self._named = ""
        self._looked_at: datetime | None = None

    async def look(self, actor: Actor, desk: Desk) -> str | None:
        """The dictionary's text in force now, or as it was a few seconds ago; where its file is gone, as before."""
        require(actor, "reply.analyse")
        now = desk.clock.now()
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._looked_at = now
            named = await pointer_of(desk.store)
            if named["sha256"] != self._named:
                with suppress(Conflict):
                    text = await text_of(desk.files, named)
                    self._words, self._named = text or self._without, str(named["sha256"])
        return self._words
