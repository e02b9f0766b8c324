"""Volume (声量): how many texts a channel brought in any window, how often one falls on a matter by chance, how unhappy
its people are; the clusters themselves live elsewhere."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nlp.detectors.rhythm import Rhythm

STEP = 300_000  # milliseconds: how finely texts are counted
_PRETENDED = 20_000.0  # looks at a cluster that a fresh channel pretends to have had, at the prior's rate
_HALF = 400_000.0  # looks after which what was seen before counts half: a month of a small office, an hour of a big one
_KNOWN = 20.0  # texts that the prior share of unhappy ones weighs


@dataclass
class Channel:
    """One channel: `steps` and `totals` are the cumulated counts; `looks` and `hits` say how often a text joins."""

    steps: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    before: int = 0  # what had been counted before the first step
    looks: float = 0.0
    hits: float = 0.0
    texts: float = 0.0
    unhappy: float = 0.0

    def hear(self, at: int, negative: float, keep: int) -> None:
        """One more text at its own time."""
        step = at // STEP
        if not self.steps or self.steps[-1] < step:
            self.steps.append(step)
            self.totals.append(self.totals[-1] if self.totals else self.before)
        if self.steps[-1] > step:
            self._hear_late(step)
        else:
            self.totals[-1] += 1
        if len(self.steps) > 2 * keep:
            self.before = self.totals[-keep - 1]
            del self.steps[:-keep], self.totals[:-keep]
        fade = 1.0 if self.texts < 4000.0 else 0.5
        self.texts, self.unhappy = self.texts * fade + 1.0, self.unhappy * fade + (negative >= 0.5)

    def _hear_late(self, step: int) -> None:
        """All counts from its step on grow by one."""
        place = bisect_left(self.steps, step)
        if self.steps[place] != step:
            self.steps.insert(place, step)
            self.totals.insert(place, self.totals[place - 1] if place else self.before)
        self.totals[place:] = [total + 1 for total in self.totals[place:]]

    def look(self, live: int, *, joined: bool) -> None:
        """One text was held against so many live clusters, and joined one of them or none."""
        if self.looks > _HALF:
            self.looks, self.hits = self.looks / 2, self.hits / 2
        self.looks += live
        self.hits += joined

    def since(self, at: int) -> int:
        """Texts heard after this moment."""
        return self.totals[-1] - self.until(at // STEP) if self.steps else 0

    def until(self, step: int) -> int:
        """Texts heard up to this step and in it."""
        place = bisect_right(self.steps, step)
        return self.totals[place - 1] if place else self.before

    def rate(self, prior: float) -> float:
        """The chance that one text falls on one given cluster."""
        return (prior * _PRETENDED + self.hits) / (_PRETENDED + self.looks)

    def share(self, prior: float) -> float:
        """The share of unhappy texts."""
        return (prior * _KNOWN + self.unhappy) / (_KNOWN + self.texts)


class Volume:
    """All channels of one stream."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self.rhythm = Rhythm()

    def channel(self, name: str) -> Channel:
        if name not in self._channels:
            self._channels[name] = Channel()
        return self._channels[name]

    def texts(self, at: int) -> int:
        """Texts of every channel after this moment."""
        return sum(channel.since(at) for channel in self._channels.values())

    def heard(self, since: int, until: int, prior: float) -> tuple[int, float]:
        """The texts between two moments, and how many of them stray into a given cluster."""
        return self.heard_since([since], until, prior)[0]

    def heard_since(self, moments: Sequence[int], until: int, prior: float) -> list[tuple[int, float]]:
        """The same of several stretches that end together."""
        steps, last = [moment // STEP for moment in moments], until // STEP
        texts, strays = [0] * len(steps), [0.0] * len(steps)
        for channel in self._channels.values():
            all_, rate = channel.until(last), channel.rate(prior)
            for place, step in enumerate(steps):
                count = all_ - channel.until(step)
                texts[place] += count
                strays[place] += count * rate
        return list(zip(texts, strays, strict=True))

    def state(self) -> dict[str, Any]:
        channels = {name: dict(channel.__dict__) for name, channel in self._channels.items()}
        return {"channels": channels, "rhythm": self.rhythm.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Volume:
        found = cls()
        found._channels = {name: Channel(**row) for name, row in state["channels"].items()}
        found.rhythm = Rhythm.from_state(state["rhythm"])
        return found
