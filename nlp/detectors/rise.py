"""One rise (一次较平时多): what spoke loudest in a topic of a district, and all that was said since; no counting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple


class Mention(NamedTuple):
    """One voice of a cell: `at` in milliseconds since 1970, `cluster` the number of the cluster it came to."""

    at: int
    id: str
    author: str
    negative: float
    channel: str
    cluster: int


@dataclass(frozen=True)
class Surprise:
    """A window that speaks loud, of one channel or (empty) of all; `usual_since`: in the whole time of its rise."""

    channel: str
    hours: float
    since: int
    people: int
    unhappy: int
    usual: float
    chance: float
    usual_since: float = 0.0


@dataclass
class Rise:
    """What is told of a topic since its loudest window began. `people`: how unhappy and where each was last; `fresh`:
    words not told of yet; `on`: it still rises in some window of `hours` or less. Over and told, it keeps only what the
    pause needs."""

    name: str
    opened_at: int
    found: Surprise
    since: int
    channel: str
    hours: float
    level: str = "watch"
    on: bool = True
    fresh: int = 0
    first_at: int = 0
    last_at: int = 0
    people: dict[str, tuple[float, str]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)

    def add(self, mention: Mention, most: int) -> bool:
        """One more word, where it belongs here; of people and words `most` are kept."""
        if mention.at < self.since or self.channel not in ("", mention.channel):
            return False
        self.fresh += 1
        self.first_at = min(self.first_at or mention.at, mention.at)
        self.last_at = max(self.last_at, mention.at)
        if mention.author in self.people or len(self.people) < most:
            self.people[mention.author] = (mention.negative, mention.channel)
        self.ids.append(mention.id)
        del self.ids[:-most]
        return True

    def reach_back(self, since: int, mentions: Iterable[Mention], most: int) -> None:
        """It began earlier: these words from that moment on, some of which it has, belong here too."""
        before, self.since, newer = self.since, since, self.people
        self.people = {}
        for mention in mentions:
            if mention.at < before:
                self.add(mention, most)
        self.people = {**self.people, **newer}

    @property
    def unhappy(self) -> int:
        return sum(negative >= 0.5 for negative, _ in self.people.values())

    def channels(self) -> tuple[str, ...]:
        """Where its people spoke, the most frequent first."""
        counts: dict[str, int] = {}
        for _, channel in self.people.values():
            counts[channel] = counts.get(channel, 0) + 1
        return tuple(sorted(filter(None, counts), key=lambda name: (-counts[name], name)))

    def untold(self, least: int) -> tuple[str, ...]:
        """The newest ids, `least` of them or all since they were last told; they are told now."""
        count, self.fresh = max(least, self.fresh), 0
        return tuple(self.ids[-count:])

    def forget(self) -> None:
        """It is over, and all of it was told."""
        self.people, self.ids = {}, []

    def state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Rise:
        """The rise that gave this state."""
        people = {author: (row[0], row[1]) for author, row in state["people"].items()}
        return cls(**{**state, "found": Surprise(**state["found"]), "people": people})
