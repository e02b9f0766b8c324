"""The watch-word detector (关注词): voices that hold what an office watches for, gathered into few alerts; no chance.

A word tells when so many distinct people said it within so many hours. What it tells opens a gathering (一次提醒): for
the pause that follows, further hits come into it and tell nobody, unless ten times as many people as were told of have
spoken. Copies (同文) are counted beside, never as people. The same voices in the same order give the same alerts
however they are cut into batches.

Memory: of each word at most `HEARD` hits before it tells, `PEOPLE` people of its gathering and `COPIES` marks; `SEEN`
ids over all words.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from nlp.contract import IssueChange, Voice
from nlp.copies import Copies, marks_of
from nlp.detectors.expressions import Expression, Lexicon, parse, plain
from nlp.normal import normalise

VERSION = 1
HOUR = 3_600_000  # milliseconds
HEARD, PEOPLE, COPIES, SEEN = 500, 2_000, 200, 20_000
IDS = 200  # newest reply ids that an alert names
AGAIN = 10  # so many times the people told of are told of once more
_LINE = 24  # characters of a voice in a title


@dataclass(frozen=True)
class WatchWord:
    """One watch word. Empty `channels` or `districts`: all of them; `until`: nothing said later is a hit."""

    id: str
    name: str
    line: str
    channels: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    people: int = 1
    hours: float = 24.0
    pause_hours: float = 72.0
    level: str = "yellow"
    until: datetime | None = None

    @property
    def meaning(self) -> str:
        """The same for watch words that hit the same voices: with another meaning, counting begins anew."""
        return json.dumps([self.line, sorted(self.channels), sorted(self.districts)], ensure_ascii=False)

    def hears(self, voice: Voice) -> bool:
        """Whether a voice from there, at this time, can be a hit at all."""
        here = not self.channels or voice.channel in self.channels
        there = not self.districts or voice.district in self.districts
        now = self.until is None or voice.at <= self.until
        return here and there and now and not voice.confidential


@dataclass
class Hit:
    """One voice that hit: `at` in milliseconds since 1970."""

    at: int
    id: str
    author: str
    copy: bool
    unhappy: bool
    channel: str
    district: str


@dataclass
class Gathering:
    """What one alert has gathered: opened by `name`, until the pause is over. `told`: people when it told last."""

    name: str
    title: str
    first_at: int
    opened_at: int
    last_at: int = 0
    told: int = 0
    telling: int = 0
    hits: int = 0
    copies: int = 0
    people: dict[str, bool] = field(default_factory=dict)  # author -> unhappy
    channels: dict[str, int] = field(default_factory=dict)
    districts: dict[str, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)

    def add(self, hit: Hit) -> None:
        self.hits, self.copies = self.hits + 1, self.copies + hit.copy
        self.last_at = max(self.last_at, hit.at)
        if not hit.copy and (hit.author in self.people or len(self.people) < PEOPLE):
            self.people[hit.author] = self.people.get(hit.author, False) or hit.unhappy
        for counts, value in ((self.channels, hit.channel), (self.districts, hit.district)):
            if value:
                counts[value] = counts.get(value, 0) + 1
        self.ids = [*self.ids, hit.id][-IDS:]


@dataclass
class Count:
    """What one watch word remembers."""

    meaning: str
    heard: list[Hit] = field(default_factory=list)
    gathering: Gathering | None = None
    copies: Copies = field(default_factory=lambda: Copies(COPIES))

    def state(self) -> dict[str, Any]:
        return {
            "meaning": self.meaning,
            "heard": [asdict(hit) for hit in self.heard],
            "gathering": asdict(self.gathering) if self.gathering else None,
            "copies": self.copies.rows(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Count:
        """The count that gave this state."""
        gathering = Gathering(**state["gathering"]) if state["gathering"] else None
        count = cls(state["meaning"], [Hit(**hit) for hit in state["heard"]], gathering)
        for key, name, mark in state["copies"]:
            count.copies.keep(key, int(mark), name)
        return count


class WatchWords:
    """Hears voices for watch words. Feed it in order of time; one object belongs to one thread."""

    def __init__(self, words: Iterable[WatchWord] = ()) -> None:
        self._counts: dict[str, Count] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.use(words)

    def use(self, words: Iterable[WatchWord]) -> None:
        """From now on these words, and no others; what is known of those that still mean the same stays."""
        self._words = {word.id: word for word in words}
        self._expressions = {id: parse(word.line) for id, word in self._words.items()}
        self._lexicon = Lexicon(word for one in self._expressions.values() for word in one.words)
        self._asking = _asking(self._expressions)
        self._counts = {id: count for id, count in self._fitting().items() if id in self._words}

    def take(self, voices: Sequence[Voice]) -> list[IssueChange]:
        """Every alert as it was when raised, then each gathering that these voices touched as it is now."""
        told: list[IssueChange] = []
        touched: dict[str, list[str]] = {}
        for voice in voices:
            for word in self._hit(voice):
                change = self._count(word, voice)
                told += [change] if change else []
                touched.setdefault(word.id, []).append(voice.id)
        return told + [change for id, ids in touched.items() if (change := self._now(id, ids))]

    def save(self) -> bytes:
        """All that is remembered; one of the same words that loads it goes on as if nothing had been."""
        counts = {id: count.state() for id, count in self._counts.items()}
        state = {"version": VERSION, "counts": counts, "seen": list(self._seen)}
        return zlib.compress(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode(), 3)

    def load(self, state: bytes) -> None:
        """Forget everything and go on from a saved state. ValueError where the state is of an unknown version."""
        found = json.loads(zlib.decompress(state))
        if found.get("version") != VERSION:
            raise ValueError(f"关注词的状态版本是 {found.get('version')}，这一版只认 {VERSION}。请从留言重新监测。")
        self._counts = {id: Count.from_state(count) for id, count in found["counts"].items()}
        self._seen = OrderedDict.fromkeys(found["seen"])
        self._counts = self._fitting()

    def _fitting(self) -> dict[str, Count]:
        """What is known, with a count for each word in use; those of a word not named yet are kept until `use`."""
        found = dict(self._counts)
        for id, word in self._words.items():
            if id not in found or found[id].meaning != word.meaning:
                found[id] = Count(word.meaning)
        return found

    # one voice

    def _hit(self, voice: Voice) -> list[WatchWord]:
        """The words that this voice is a hit of; none where it was heard before."""
        if not self._words or voice.id in self._seen:
            return []
        found = self._lexicon.found(plain(voice.text))
        asked = dict.fromkeys(id for word in sorted(found) for id in self._asking.get(word, ()))
        meant = [self._words[id] for id in asked if self._expressions[id].holds(found)]
        hit = sorted((word for word in meant if word.hears(voice)), key=lambda word: word.id)
        if hit:
            self._seen[voice.id] = None
            while len(self._seen) > SEEN:
                self._seen.popitem(last=False)
        return hit

    def _count(self, word: WatchWord, voice: Voice) -> IssueChange | None:
        """The hit counted; an alert where it is the one that makes it enough."""
        count, hit = self._counts[word.id], self._made(word, voice)
        open_ = count.gathering
        if open_ is not None and hit.at < open_.opened_at + word.pause_hours * HOUR:
            open_.add(hit)
            return self._tell(word, open_) if len(open_.people) >= AGAIN * open_.told else None
        count.gathering = None
        count.heard = _bounded([one for one in [*count.heard, hit] if one.at > hit.at - word.hours * HOUR])
        if len({one.author for one in count.heard if not one.copy}) < word.people:
            return None
        count.gathering = self._open(word, count.heard, voice)
        count.heard = []
        return self._tell(word, count.gathering)

    def _made(self, word: WatchWord, voice: Voice) -> Hit:
        copies, (key, mark) = self._counts[word.id].copies, marks_of(normalise(voice.text))
        copy = copies.original(key, mark) is not None
        if not copy:
            copies.keep(key, mark, voice.id)
        at = int(voice.at.timestamp() * 1000)
        return Hit(at, voice.id, voice.author, copy, voice.negative >= 0.5, voice.channel, voice.district)

    def _open(self, word: WatchWord, hits: Sequence[Hit], voice: Voice) -> Gathering:
        mark = blake2b(f"{word.id} {voice.id}".encode("utf-8", "replace"), digest_size=8).hexdigest()
        line = normalise(voice.text.lstrip().split("\n", 1)[0], _LINE + 1)
        said = line if len(line) <= _LINE else line[:_LINE] + "…"
        opened = Gathering(f"word-{mark}", f"{word.name}：{said}", min(hit.at for hit in hits), hits[-1].at)
        for hit in hits:
            opened.add(hit)
        return opened

    def _tell(self, word: WatchWord, gathering: Gathering) -> IssueChange:
        gathering.told, gathering.telling = len(gathering.people), gathering.telling + 1
        return self._change(word, gathering, gathering.ids, alert=True)

    def _now(self, id: str, ids: Sequence[str]) -> IssueChange | None:
        gathering = self._counts[id].gathering
        return self._change(self._words[id], gathering, ids, alert=False) if gathering else None

    def _change(self, word: WatchWord, gathering: Gathering, ids: Sequence[str], *, alert: bool) -> IssueChange:
        return IssueChange(
            issue=gathering.name,
            at=_moment(gathering.last_at),
            level=word.level,
            alert=alert,
            title=gathering.title,
            voices=len(gathering.people),
            copies=gathering.copies,
            negative=sum(gathering.people.values()),
            channels=_most(gathering.channels),
            districts=_most(gathering.districts),
            usual=0.0,
            chance=0.0,
            terms=tuple(word for group in self._expressions[word.id].groups for word in group)[:8],
            reply_ids=tuple(ids),
            first_at=_moment(gathering.first_at),
            explanation=self._why(word, gathering),
            word=word.id,
            telling=gathering.telling,
        )

    def _why(self, word: WatchWord, gathering: Gathering) -> str:
        """The rule and the numbers in words."""
        people = f"{PEOPLE} 人以上" if len(gathering.people) >= PEOPLE else f"{len(gathering.people)} 人"
        parts = [f"关注词“{word.name}”（{self._expressions[word.id].says()}）有 {gathering.hits} 条命中，{people}说到"]
        if gathering.telling > 1:
            parts.append(f"人数是上一次提醒时的 {AGAIN} 倍以上，所以再提醒一次")
        if gathering.copies:
            parts.append(f"其中同文 {gathering.copies} 条，不算人数")
        if gathering.districts:
            parts.append("涉及" + "、".join(_most(gathering.districts)[:3]))
        rule = f"{_span(word.hours)}内满 {word.people} 人提醒一次，此后 {_span(word.pause_hours)}内的都并在这一次里"
        parts.append(f"规则是 {rule}")
        return "；".join(parts) + "。"


def _asking(expressions: dict[str, Expression]) -> dict[str, list[str]]:
    """For each word, the watch words that may be meant where it stands: those whose first group holds it."""
    asking: dict[str, list[str]] = {}
    for id, expression in expressions.items():
        for word in expression.groups[0]:
            asking.setdefault(word, []).append(id)
    return asking


def _bounded(heard: list[Hit]) -> list[Hit]:
    """One too many goes: the oldest copy, or the oldest where there is none."""
    if len(heard) <= HEARD:
        return heard
    goes = next((place for place, hit in enumerate(heard) if hit.copy), 0)
    return [*heard[:goes], *heard[goes + 1 :]]


def _most(counts: dict[str, int]) -> tuple[str, ...]:
    return tuple(name for name, _ in sorted(Counter(counts).items(), key=lambda pair: (-pair[1], pair[0])))


def _span(hours: float) -> str:
    return f"{hours / 24:g} 天" if hours >= 48 and hours % 24 == 0 else f"{hours:g} 小时"


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
