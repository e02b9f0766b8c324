"""Areas (片区): sudden matters (水质, 停电 …) counted by district, where people name no common place; no clusters here.

One pipe feeds many streets: each voice names its own, and no two share a place. What a district says of a sudden
matter is held against what it said before, over short windows only.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from nlp.detectors.chance import tail, together, unhappy_tail
from nlp.detectors.settings import DAY, ClusterSettings
from nlp.detectors.volume import Volume

HOUR = 3_600_000  # milliseconds
_FIRM = 300.0  # texts that the prior weighs beside what was heard
_KEPT = 300  # newest mentions of one matter in one district
_CELLS = 2_000

Key = tuple[str, str]  # district, matter
Mention = tuple[int, str, float, str, int]  # at, author, negative, channel, number of the cluster


@dataclass(frozen=True)
class Burst:
    """A sudden matter that a district speaks of more than chance explains."""

    key: Key
    hours: float
    voices: int
    usual: float
    usual_long: float  # over the whole window of the issues
    chance: float
    clusters: tuple[int, ...]  # of its mentions, the oldest first


class Areas:
    """Mentions of the last window by district and matter."""

    def __init__(self, settings: ClusterSettings, volume: Volume) -> None:
        self._settings, self._volume = settings, volume
        self._cells: OrderedDict[Key, list[Mention]] = OrderedDict()  # the one longest silent first

    def hear(self, key: Key, mention: Mention) -> None:
        """One more voice; what left the window is forgotten."""
        oldest = mention[0] - self._settings.window_days * DAY
        kept = [each for each in self._cells.get(key, []) if each[0] >= oldest]
        self._cells[key] = [*kept, mention][-_KEPT:]
        self._cells.move_to_end(key)
        if len(self._cells) > _CELLS:
            self._cells.popitem(last=False)

    def burst(self, key: Key, now: int) -> Burst | None:
        """The window that speaks loudest, if there are people enough in it."""
        looks = [look for hours in self._settings.short_hours if (look := self._window(key, hours, now))]
        if not looks:
            return None
        found = min(looks, key=lambda look: (look.chance, -look.hours))
        return found if found.voices >= self._settings.least_voices else None

    def _window(self, key: Key, hours: float, now: int) -> Burst | None:
        since = now - int(hours * HOUR)
        recent = [each for each in self._cells[key] if each[0] >= since]
        people = {author: (negative, channel) for _, author, negative, channel, _ in recent}
        older = len({author for at, author, *_ in self._cells[key] if at < since})
        texts = self._volume.texts(since)
        long = self._volume.texts(now - int(self._settings.window_days * DAY))
        earlier = max(0, long - texts)
        share = (older + _FIRM * self._settings.stray) / (earlier + _FIRM)
        usual = texts * share
        looked = sum(cell[-1][0] >= since for cell in self._cells.values()) * len(self._settings.short_hours)
        chance = min(1.0, tail(len(people), usual, 0.0) * looked)
        unhappy = sum(negative >= 0.5 for negative, _ in people.values())
        shares = [self._volume.channel(channel).share(self._settings.unhappy) for _, channel in people.values()]
        lift = unhappy_tail(unhappy, len(people), sum(shares) / max(1, len(shares)))
        if not people or sum(negative for negative, _ in people.values()) < self._settings.kindly * len(people):
            return None
        numbers = tuple(number for *_, number in recent)
        chance = min(1.0, 2.0 * min(chance, together(chance, lift)))
        return Burst(key, hours, len(people), usual, long * share, chance, numbers)

    def state(self) -> list[Any]:
        return [[*key, mentions] for key, mentions in self._cells.items()]

    @classmethod
    def from_state(cls, rows: list[Any], settings: ClusterSettings, volume: Volume) -> Areas:
        found = cls(settings, volume)
        for district, matter, mentions in rows:
            found._cells[(district, matter)] = [(row[0], row[1], row[2], row[3], row[4]) for row in mentions]
        return found
