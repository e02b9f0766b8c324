"""Window (时间窗): what a cluster heard lately, in order of time, and its sums; whether it is much lives in judging."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
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
        return [self.at, self.id, self.author, self.copy, self.channel, self.district, self.negative, self.terms]

    @classmethod
    def from_row(cls, row: list[Any]) -> Event:
        at, id, author, copy, channel, district, negative, terms = row
        return cls(at, id, author, copy, channel, district, negative, tuple(terms))


class Window:
    """Events by their own time, whenever they came. Sums are whole numbers: no order of adding changes them."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events: deque[Event] = deque()
        self._newest: dict[str, Event] = {}  # of each person who did not merely copy, the one longest silent first
        self._counts: dict[str, dict[str, int]] = {"channel": {}, "district": {}}
        self.latest: Event | None = None  # the one that came last, whatever its own time
        self.copies = 0
        self.unhappy = 0  # of the people
        self.thousandths = 0  # of their `negative`
        self.spoken: dict[str, int] = {}  # people by channel
        for event in events:
            self.add(event)

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    @property
    def people(self) -> int:
        return len(self._newest)

    def hears(self, author: str) -> bool:
        """Whether this person spoke, and did not merely copy."""
        return author in self._newest

    def oldest(self) -> Event:
        return self._events[0]

    def voices(self) -> list[Event]:
        """The newest word of each person, the one longest silent first."""
        return list(self._newest.values())

    def newest(self, count: int) -> list[Event]:
        """The same of those who spoke last."""
        return list(islice(reversed(self._newest.values()), count))[::-1]

    def people_since(self, at: int) -> list[int]:
        """The times of the people's newest words from this moment on, the newest first."""
        found = []
        for event in reversed(self._newest.values()):
            if event.at < at:
                break
            found.append(event.at)
        return found

    def ids(self, count: int) -> tuple[str, ...]:
        """The newest ids, oldest first."""
        return tuple(event.id for event in islice(reversed(self._events), count))[::-1]

    def named(self, kind: str) -> tuple[str, ...]:
        """Channels or districts of all that was heard, the most frequent first."""
        counts = self._counts[kind]
        return tuple(sorted((value for value in counts if value), key=lambda value: (-counts[value], value)))

    def add(self, event: Event) -> None:
        """One more; a late one takes its place in time."""
        if self._events and self._events[-1].at > event.at:
            insort(self._events, event, key=lambda each: each.at)
        else:
            self._events.append(event)
        self.latest = event
        self._count(event, 1)
        if event.copy:
            self.copies += 1
        else:
            self._speak(event)

    def drop(self) -> Event:
        """The oldest leaves; its person too, unless they said more since."""
        event = self._events.popleft()
        self._count(event, -1)
        if event.copy:
            self.copies -= 1
        elif self._newest.get(event.author) is event:
            del self._newest[event.author]
            self._sum(event, -1)
        return event

    def clear(self) -> None:
        while self._events:
            self.drop()

    def _speak(self, event: Event) -> None:
        before = self._newest.get(event.author)
        if before is not None:
            if before.at > event.at:
                return
            del self._newest[event.author]
            self._sum(before, -1)
        late = bool(self._newest) and next(reversed(self._newest.values())).at > event.at
        self._newest[event.author] = event
        if late:
            self._newest = dict(sorted(self._newest.items(), key=lambda pair: pair[1].at))
        self._sum(event, 1)

    def _sum(self, event: Event, by: int) -> None:
        self.unhappy += by * (event.negative >= 0.5)
        self.thousandths += by * round(event.negative * 1000)
        _add(self.spoken, event.channel, by)

    def _count(self, event: Event, by: int) -> None:
        for kind, counts in self._counts.items():
            _add(counts, getattr(event, kind), by)


def _add(counts: dict[str, int], name: str, by: int) -> None:
    left = counts.get(name, 0) + by
    if left:
        counts[name] = left
    else:
        counts.pop(name, None)
