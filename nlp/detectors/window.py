"""Window (时间窗): what a cluster heard lately, in order of time, and its sums; whether it is much lives in judging."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One voice or copy in a cluster; `at` in milliseconds since 1970, `terms` what a voice said, strongest first."""

    at: int
    id: str
    author: str
    copy: bool
    channel: str
    district: str
    negative: float
    terms: tuple[str, ...] = ()

    def row(self) -> list[Any]:
        return list(self)

    @classmethod
    def from_row(cls, row: list[Any]) -> Event:
        at, id, author, copy, channel, district, negative, terms = row
        return cls(at, id, author, copy, channel, district, negative, tuple(terms))


class Window:
    """Events by their own time, whenever they came. Sums are whole numbers: no order of adding changes them."""

    __slots__ = (
        "_channels", "_districts", "_newest", "copies", "held", "latest", "spoken", "thousandths", "unhappy",
    )  # fmt: skip

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.held: deque[Event] = deque()  # changed by `add` and `drop` alone
        self._newest: dict[str, Event] = {}  # of each person who did not merely copy, the one longest silent first
        self._channels: dict[str, int] = {}
        self._districts: dict[str, int] = {}
        self.latest: Event | None = None  # the one that came last, whatever its own time
        self.copies = 0
        self.unhappy = 0  # of the people
        self.thousandths = 0  # of their `negative`
        self.spoken: dict[str, int] = {}  # people by channel
        for event in events:
            self.add(event)

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.held)

    @property
    def people(self) -> int:
        return len(self._newest)

    def hears(self, author: str) -> bool:
        """Whether this person spoke, and did not merely copy."""
        return author in self._newest

    def oldest(self) -> Event:
        return self.held[0]

    def voices(self) -> list[Event]:
        """The newest word of each person, the one longest silent first."""
        return list(self._newest.values())

    def said_lately(self, count: int) -> Iterator[tuple[str, ...]]:
        """The terms of those who spoke last, the newest first."""
        return (event.terms for event in islice(reversed(self._newest.values()), count))

    def people_since(self, moments: Sequence[int]) -> list[int]:
        """How many people's newest words are from each of these moments on, the latest first."""
        if not self._newest:
            return [0] * len(moments)
        oldest, found, count = next(iter(self._newest.values())).at, [], 0
        newest = reversed(self._newest.values())
        event = next(newest, None)
        for moment in moments:
            if oldest >= moment:
                found.append(len(self._newest))
                continue
            while event is not None and event.at >= moment:
                count += 1
                event = next(newest, None)
            found.append(count)
        return found

    def ids(self, count: int) -> tuple[str, ...]:
        """The newest ids, oldest first."""
        return tuple(event.id for event in islice(reversed(self.held), count))[::-1]

    def named(self, kind: str) -> tuple[str, ...]:
        """Channels or districts of all that was heard, the most frequent first."""
        counts = self._channels if kind == "channel" else self._districts
        return tuple(sorted((value for value in counts if value), key=lambda value: (-counts[value], value)))

    def add(self, event: Event) -> None:
        """One more; a late one takes its place in time."""
        held = self.held
        if held and held[-1].at > event.at:
            insort(held, event, key=lambda each: each.at)
        else:
            held.append(event)
        self.latest = event
        channels, districts = self._channels, self._districts
        channels[event.channel] = channels.get(event.channel, 0) + 1
        districts[event.district] = districts.get(event.district, 0) + 1
        if event.copy:
            self.copies += 1
        else:
            self._speak(event)

    def drop(self) -> Event:
        """The oldest leaves; its person too, unless they said more since."""
        event = self.held.popleft()
        _take(self._channels, event.channel)
        _take(self._districts, event.district)
        if event.copy:
            self.copies -= 1
        elif self._newest.get(event.author) is event:
            del self._newest[event.author]
            self._silence(event)
        return event

    def clear(self) -> None:
        while self.held:
            self.drop()

    def _speak(self, event: Event) -> None:
        newest, at, negative = self._newest, event.at, event.negative
        before = newest.get(event.author)
        if before is not None:
            if before.at > at:
                return
            del newest[event.author]
            self._silence(before)
        late = newest and next(reversed(newest.values())).at > at
        newest[event.author] = event
        if late:
            self._newest = dict(sorted(newest.items(), key=lambda pair: pair[1].at))
        self.unhappy += negative >= 0.5
        self.thousandths += round(negative * 1000)
        self.spoken[event.channel] = self.spoken.get(event.channel, 0) + 1

    def _silence(self, event: Event) -> None:
        """What a person said is no longer the newest of theirs."""
        self.unhappy -= event.negative >= 0.5
        self.thousandths -= round(event.negative * 1000)
        _take(self.spoken, event.channel)


def _take(counts: dict[str, int], name: str) -> None:
    """One less; what is nought is not kept."""
    counts[name] -= 1
    if not counts[name]:
        del counts[name]
