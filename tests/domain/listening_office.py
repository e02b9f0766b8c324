"""An office that listens, for the tests: a source of words with a cursor, a reader of texts, a detector that counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.contract import Capabilities, Channel, Heard, Page, Unknown
from hub.clock import SetClock
from hub.desk.desk import Desk
from hub.domain.people import Actor, Role, program
from hub.domain.policy import POLICIES
from hub.failpoints import Failpoints
from hub.identifiers import SeededIdentifiers
from hub.sealing import PublicSealer, Sealer
from hub.store.base import Document, Store
from hub.store.files import FilesInMemory
from hub.store.memory import MemoryStore
from nlp.contract import Analysis, IssueChange, Sentiment, Voice
from nlp.detectors.decided import Decision
from nlp.detectors.watchwords import WatchWord

MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
LISTENER, READER, WATCHER = program("listener"), program("reader"), program("watcher")
MONITOR = Actor("u-monitor", "何静", frozenset({Role.MONITOR}))
EDITOR = Actor("u-editor", "周敏", frozenset({Role.EDITOR}))
LISTENS = Capabilities("site", "网站", "网", {}, "at_once", "trusted", True, True, True, "poll", True)
POISON = "毒文"


@dataclass
class Source:
    """A platform's list of what citizens said; a cursor is a position in it. `trouble` makes the next looks fail."""

    capabilities: Capabilities = LISTENS
    said: list[Heard] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    trouble: int = 0
    page: int = 3

    def say(self, text: str, *, author: str = "王芳", id: str = "", at: datetime = MORNING, raw: Any = None) -> Heard:
        number = id or f"c{len(self.said) + 1}"
        heard = Heard(number, "comment", f"id-{author}", author, text, at, None, raw or {"id": number, "text": text})
        self.said.append(heard)
        return heard

    async def poll(self, cursor: str, ids: Sequence[str]) -> Page | Unknown:
        self.looks.append(cursor)
        if self.trouble:
            self.trouble -= 1
            return Unknown("连不上")
        start = int(cursor or 0)
        part = self.said[start : start + self.page]
        end = start + len(part)
        return Page(part, str(end), end < len(self.said))


@dataclass
class Counting:
    """A detector that says an issue when four different people said the same text; counts what it was fed."""

    fed: list[str] = field(default_factory=list)
    people: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    decided: int = 0

    def decide(self, decision: Decision) -> list[IssueChange]:
        self.decided = decision.number
        return []

    def use(self, words: Iterable[WatchWord]) -> None:
        """It knows none."""

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        changes = []
        for voice in voices:
            self.fed.append(voice.id)
            known = self.people.setdefault(voice.text, [])
            if voice.author not in [author for author, _ in known]:
                known.append((voice.author, voice.id))
                if len(known) >= 4:
                    changes.append(self._change(voice, [id for _, id in known], alert=len(known) == 4))
        return changes

    @staticmethod
    def _change(voice: Voice, ids: list[str], *, alert: bool) -> IssueChange:
        return IssueChange(
            f"i-{voice.text[:4]}", voice.at, "yellow", alert, voice.text, len(ids), 0, len(ids), (voice.channel,),
            (), 0.4, 1e-5, (voice.text[:2],), tuple(ids), voice.at, f"{len(ids)} 人说同一件事",
        )  # fmt: skip

    def save(self) -> bytes:
        return json.dumps(self.people).encode()

    def load(self, state: bytes) -> None:
        self.people = {text: [(a, b) for a, b in pairs] for text, pairs in json.loads(state).items()}


async def read(rows: Sequence[Mapping[str, Any]]) -> list[Analysis | None]:
    """Whatever names 不好 is negative; poison cannot be read."""
    return [None if POISON in row["text"] else _analysis(str(row["text"])) for row in rows]


def _analysis(text: str) -> Analysis:
    bad = "不" in text
    feeling = Sentiment("neg" if bad else "neu", 0.9 if bad else 0.2, True)
    return Analysis(feeling, (text[:2],), (), "临江区", "供水", text, 0, "comment", False)


class Defaults:
    """Every policy at its default."""

    async def value(self, name: str) -> Any:
        return POLICIES[name].default


@dataclass
class Office:
    desk: Desk
    clock: SetClock
    source: Source

    def again(self, store: Store, order: str = "") -> Office:
        """The same office in a new process, over what its store kept."""
        desk = replace(self.desk, store=store, failpoints=Failpoints(order), owner=f"{self.desk.owner}+")
        return Office(desk, self.clock, self.source)

    def box(self, id: str, letter: Mapping[str, Any]) -> str:
        """What the public site keeps of a letter: sealed for us alone."""
        sealer = PublicSealer(self.desk.sealer.box_public())
        return sealer.seal(json.dumps(letter, ensure_ascii=False), table="inbox", id=id, field="sealed")


async def make_office(order: str = "", store: Store | None = None) -> Office:
    """An office with one account whose source can be spoken to."""
    clock, source = SetClock(MORNING + timedelta(hours=1)), Source()

    def connect(_account: Document) -> Channel:
        return source  # type: ignore[return-value]

    desk = Desk(
        store=store or MemoryStore(),
        files=FilesInMemory(),
        clock=clock,
        ids=SeededIdentifiers(clock, 7),
        sealer=Sealer(bytes(range(32))),
        connect=connect,
        read=read,
        policies=Defaults(),
        failpoints=Failpoints(order),
    )
    account = {"_id": "site-main", "channel": "site", "name": "网站", "listening": True, "settings": {}, "profile": {}}
    await desk.store.insert("accounts", account)
    return Office(desk, clock, source)
