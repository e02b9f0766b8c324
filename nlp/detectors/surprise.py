"""Surprise (意外): whether a topic of a district has more people than is usual there; nothing is changed here.

Usual is the cell's own baseline by hour and weekday, and more where the rest of its district has more of everything.
The chance counts every cell, every window and every time in a fortnight at which such a window could have stood out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from nlp.detectors.baseline import DAY, day_of
from nlp.detectors.cells import Cell, Cells, Group, Stretch, Tide
from nlp.detectors.chance import LEARNED, SPREAD, tail, together, unhappy_tail
from nlp.detectors.rhythm import HOUR, Rhythm
from nlp.detectors.rise import Mention, Surprise
from nlp.detectors.settings import ClusterSettings

_FIRST = 0.36  # people that a cell never heard pretends to have had
_ROUGH = 8.0  # voices by which the rest of a district may differ before it counts as more of everything
_FIRM = 10.0  # people that the share of unhappy ones before anything was heard weighs
_OVER = 1.2  # times its part of the fortnight that a short window must hold to be looked at
_CHANNEL = 0.1  # so much smaller must the chance be of one channel alone, to be told instead of all of them


class Surprises:
    """Weighs the groups of one stream."""

    def __init__(self, settings: ClusterSettings, cells: Cells, rhythm: Rhythm) -> None:
        self._settings, self._cells, self._rhythm = settings, cells, rhythm

    def loudest(self, group: Group, channel: str, now: int) -> list[Surprise]:
        """The windows of all channels or of this one, the loudest first; none where nothing is more than chance."""
        found = self.of(group, "", now)
        if channel and len(group.channels) > 1:
            alone = self.of(group, channel, now)
            if alone and (not found or alone[0].chance < _CHANNEL * found[0].chance):
                return alone
        return found

    def of(self, group: Group, channel: str, now: int, hours: float = math.inf) -> list[Surprise]:
        """The windows of this channel or (empty) of all, no longer than so many hours, the loudest first."""
        cell = group.cell(channel)
        if len(cell.long.people) < self._settings.cell_voices:
            return []
        asked = [one for one in cell.stretches if one.span <= hours * HOUR and self._may_rise(cell, one)]
        found = [look for stretch in asked if (look := self._look(group, channel, stretch, now)) is not None]
        return sorted(found, key=lambda look: (look.chance, -look.hours))

    def usual(self, group: Group, channel: str, since: int, now: int, people: int = 0) -> float | None:
        """How many people are expected since then; None where the past is not known for long enough."""
        cell, tide = group.cell(channel), self._cells.tide(group, channel)
        if tide is None:
            return None
        before, _, days = cell.baseline.until(day_of(since) - 1)
        if day_of(since) - cell.baseline.since < self._settings.window_days or since < cell.cut_at:
            return None
        whole = self._days(since, now)
        return whole * (before + _FIRST) / days * self._more(tide, since, now, people, whole * before / days, whole)

    def _days(self, since: int, now: int) -> float:
        """A stretch in mean days; of more than a week its hours even out."""
        return (now - since) / DAY if now - since > 7 * DAY else self._rhythm.hours(since, now) / 24

    def _more(self, tide: Tide, since: int, now: int, people: int, own: float, whole: float) -> float:
        """How many times more the rest of the district says than usual; 1 where it says less."""
        before, _, days = tide.baseline.until(day_of(since) - 1)
        expected = max(0.0, whole * before / max(1.0, days) - own)
        others = max(0, tide.heard(since, now) - people)
        return max(1.0, (others + _ROUGH) / (expected + _ROUGH))

    def _may_rise(self, cell: Cell, stretch: Stretch) -> bool:
        """A quick look: people enough, and more of them than this part of the longest window has anyway."""
        people, part = len(stretch.people), stretch.span / cell.long.span
        return people >= self._settings.cell_voices and (part == 1 or people > _OVER * part * len(cell.long.people))

    def _look(self, group: Group, channel: str, stretch: Stretch, now: int) -> Surprise | None:
        people, since = len(stretch.people), now - stretch.span
        usual = self.usual(group, channel, since, now, people)
        if usual is None or people <= usual:
            return None
        cell, long = group.cell(channel), group.every.long.span
        before, sad, _ = cell.baseline.until(day_of(since) - 1)
        looked = len(self._cells) * len(cell.stretches) * long / stretch.span
        chance = looked * tail(people, usual, LEARNED, _spread(before))
        newest = newest_of_each(stretch.since(since))
        if chance >= 1.0 or sum(each.negative for each in newest) < self._settings.kindly * people:
            return None
        unhappy = sum(each.negative >= 0.5 for each in newest)
        lift = unhappy_tail(unhappy, people, self._share(group, channel, before, sad, since))
        chance = 2.0 * min(chance, together(chance, lift))
        return Surprise(channel, stretch.span / HOUR, since, people, unhappy, usual, min(1.0, chance))

    def _share(self, group: Group, channel: str, before: float, sad: float, since: int) -> float:
        """The share of unhappy people in the cell's past, where little is known the district's."""
        tide = self._cells.tide(group, channel)
        all_, all_sad, _ = tide.baseline.until(day_of(since) - 1) if tide else (0.0, 0.0, 0.0)
        there = (all_sad + _FIRM * self._settings.unhappy) / (all_ + _FIRM)
        return (sad + _FIRM * there) / (before + _FIRM)


def _spread(before: float) -> float:
    """How much counts swing round what is usual, and how well that is known from so many people of the past."""
    return 1.0 / (1.0 / SPREAD + 1.0 / (before + 1.0))


def newest_of_each(mentions: Iterable[Mention]) -> list[Mention]:
    """Of mentions, the newest first, each person's newest."""
    found: dict[str, Mention] = {}
    for mention in mentions:
        found.setdefault(mention.author, mention)
    return list(found.values())
