"""Surprise (意外): whether a topic of a district has more people than is usual there; nothing is changed here.

Usual is the cell's own baseline by hour and weekday, and more where the rest of its district has more of everything.
The chance counts every cell, every window and every time in a fortnight at which such a window could have stood out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from nlp.detectors.baseline import DAY, day_of
from nlp.detectors.cells import Cells, Group, Tide
from nlp.detectors.chance import LEARNED, SPREAD, tail, together, unhappy_tail
from nlp.detectors.rhythm import HOUR, Rhythm
from nlp.detectors.rise import Mention, Surprise
from nlp.detectors.settings import ClusterSettings

_FIRST = 0.36  # people that a cell never heard pretends to have had
_ROUGH = 8.0  # voices by which the rest of a district may differ before it counts as more of everything
_FIRM = 10.0  # people that the share of unhappy ones before anything was heard weighs
_OVER = 2.0  # times its part of the longest window that a short one must hold to be looked at: no less stands out
# Looks from which so many times what is usual stand out of nothing, whatever is usual: the quick answer of most looks.
_PLAIN = ((440, 3.0), (100, 2.5), (24, 2.0))
_CHANNEL = 0.1  # so much smaller must the chance be of one channel alone, to be told instead of all of them


class Surprises:
    """Weighs the groups of one stream."""

    def __init__(self, settings: ClusterSettings, cells: Cells, rhythm: Rhythm) -> None:
        self._settings, self._cells, self._rhythm = settings, cells, rhythm
        self._spans = (*(int(hours * HOUR) for hours in sorted(settings.short_hours)), cells.span)

    def loudest(self, group: Group, channel: str, now: int) -> list[Surprise]:
        """The windows of all channels or of this one, the loudest first; none where nothing is more than chance."""
        found = self.of(group, "", now)
        if channel and len(group.baselines) > 2:
            alone = self.of(group, channel, now)
            if alone and (not found or alone[0].chance < _CHANNEL * found[0].chance):
                return alone
        return found

    def of(self, group: Group, channel: str, now: int, hours: float = math.inf) -> list[Surprise]:
        """The windows of this channel or (empty) of all, no longer than so many hours, the loudest first."""
        least = self._settings.cell_voices
        all_ = len(group.people.get(channel, ()))
        if all_ < least:
            return []
        people = [*self._short(group, channel, now), all_]
        asked = [
            (span, count)
            for span, count in zip(self._spans, people, strict=True)
            if count >= least and span <= hours * HOUR and self._may_rise(count, span, all_)
        ]
        found = [look for span, count in asked if (look := self._look(group, channel, span, count, now)) is not None]
        return sorted(found, key=lambda look: (look.chance, -look.hours))

    def _short(self, group: Group, channel: str, now: int) -> list[int]:
        """The people of the short windows; none where even the words of the longest of them are too few."""
        least, spans, mentions = self._settings.cell_voices, self._spans[:-1], group.mentions
        if len(mentions) < least or mentions[-least].at < now - spans[-1]:
            return [0] * len(spans)
        return group.counts([now - span for span in spans], channel)

    def usual(
        self, group: Group, channel: str, since: int, now: int, people: int = 0, plain: float = 0.0
    ) -> float | None:
        """How many people are expected since then; None where the past is not known for long enough, or where so many
        people are less than `plain` times what the cell had."""
        baseline, tide = group.baselines[channel], self._cells.tide(group, channel)
        if day_of(since) - baseline.since < self._settings.window_days or since < group.cut_at or tide is None:
            return None
        before, _, days = baseline.until(day_of(since) - 1)
        whole = self._days(since, now)
        own = whole * (before + _FIRST) / days
        if people and people <= plain * own:
            return None
        return own * self._more(tide, since, now, people, whole * before / days, whole)

    def _days(self, since: int, now: int) -> float:
        """A stretch in mean days; of more than a week its hours even out."""
        return (now - since) / DAY if now - since > 7 * DAY else self._rhythm.hours(since, now) / 24

    def _more(self, tide: Tide, since: int, now: int, people: int, own: float, whole: float) -> float:
        """How many times more the rest of the district says than usual; 1 where it says less."""
        before, _, days = tide.baseline.until(day_of(since) - 1)
        expected = max(0.0, whole * before / max(1.0, days) - own)
        others = max(0, tide.heard(since, now) - people)
        return max(1.0, (others + _ROUGH) / (expected + _ROUGH))

    def _may_rise(self, people: int, span: int, all_: int) -> bool:
        """A quick look: a short window holds more than its part of what the longest has anyway."""
        return span == self._spans[-1] or people * self._spans[-1] > _OVER * span * all_

    def _look(self, group: Group, channel: str, span: int, people: int, now: int) -> Surprise | None:
        since = now - span
        looked = len(self._cells) * len(self._spans) * self._spans[-1] / span
        plain = next((times for looks, times in _PLAIN if looked >= looks), 1.0)
        usual = self.usual(group, channel, since, now, people, plain)
        if usual is None or people <= usual:
            return None
        before, sad, _ = group.baselines[channel].until(day_of(since) - 1)
        chance = looked * tail(people, usual, LEARNED, _spread(before))
        if chance >= 1.0:
            return None
        newest = newest_of_each(group.since(since, channel))
        if sum(each.negative for each in newest) < self._settings.kindly * people:
            return None
        unhappy = sum(each.negative >= 0.5 for each in newest)
        lift = unhappy_tail(unhappy, people, self._share(group, channel, before, sad, since))
        chance = 2.0 * min(chance, together(chance, lift))
        return Surprise(channel, span / HOUR, since, people, unhappy, usual, min(1.0, chance))

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
