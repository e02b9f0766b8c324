"""Cells (区域与类别): people counted by district, topic and channel over several windows, beside what is usual there.

No clusters and no telling here. A cell holds the mentions of its longest window once, and its shorter windows are the
newest of them, each with its people counted: one more mention costs the same whatever was heard before. Memory: about
300 bytes for each of `mentions_in_all` mentions and 2 kB for each of `cells` cells.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from nlp.detectors.baseline import DAY, Baseline, day_of
from nlp.detectors.rhythm import HOUR
from nlp.detectors.rise import Mention, Rise
from nlp.detectors.settings import ClusterSettings

_STEP = 600_000  # milliseconds: how finely a district's texts of the last day are counted


class Stretch:
    """The mentions of the newest `span` milliseconds, and how many each of their people made."""

    __slots__ = ("mentions", "people", "span")

    def __init__(self, span: int) -> None:
        self.span = span
        self.mentions: deque[Mention] = deque()
        self.people: dict[str, int] = {}

    def hear(self, mention: Mention) -> None:
        if self.mentions and self.mentions[-1].at > mention.at:
            insort(self.mentions, mention, key=itemgetter(0))
        else:
            self.mentions.append(mention)
        self.people[mention.author] = self.people.get(mention.author, 0) + 1

    def age(self, now: int) -> None:
        oldest = now - self.span
        while self.mentions and self.mentions[0].at < oldest:
            self.pop()

    def pop(self) -> None:
        """The oldest leaves; its person too, unless they said more since."""
        author = self.mentions.popleft().author
        if self.people[author] == 1:
            del self.people[author]
        else:
            self.people[author] -= 1

    def since(self, at: int) -> Iterator[Mention]:
        """The mentions from this moment on, the newest first."""
        for mention in reversed(self.mentions):
            if mention.at < at:
                return
            yield mention


class Cell:
    """One cell: its windows, the shortest first, and its baseline. Before `cut_at` not all of its mentions are held."""

    __slots__ = ("_spoken", "baseline", "cut_at", "stretches")

    def __init__(self, baseline: Baseline, settings: ClusterSettings, cut_at: int = 0) -> None:
        hours = (*settings.short_hours, settings.window_days * 24.0)
        self.baseline, self.cut_at = baseline, cut_at
        self.stretches = tuple(Stretch(int(each * HOUR)) for each in hours)
        self._spoken: dict[str, int] = {}  # of the people in the longest window, the last day on which they spoke

    @property
    def long(self) -> Stretch:
        return self.stretches[-1]

    def hear(self, mention: Mention, now: int) -> bool:
        """One more mention; whether its person is new to this day."""
        self.age(now)
        day = day_of(mention.at)
        fresh = self._spoken.get(mention.author) != day
        if fresh:
            self.baseline.hear(day, int(mention.negative >= 0.5), day_of(now - self.long.span) - 1)
        self.place(mention, now)
        return fresh

    def place(self, mention: Mention, now: int) -> None:
        """The mention into the windows that reach back to it."""
        for stretch in self.stretches:
            if mention.at >= now - stretch.span:
                stretch.hear(mention)
        if mention.at >= now - self.long.span:
            self._spoken[mention.author] = max(day_of(mention.at), self._spoken.get(mention.author, 0))

    def age(self, now: int) -> None:
        """What is older than its window leaves it."""
        for stretch in self.stretches[:-1]:
            stretch.age(now)
        while self.long.mentions and self.long.mentions[0].at < now - self.long.span:
            self._drop()

    def _drop(self) -> None:
        author = self.long.mentions[0].author
        self.long.pop()
        if author not in self.long.people:
            del self._spoken[author]

    def cut(self) -> Mention:
        """The oldest mention leaves though its time is not over."""
        oldest = self.long.mentions[0]
        for stretch in self.stretches[:-1]:
            if stretch.mentions and stretch.mentions[0] is oldest:
                stretch.pop()
        self._drop()
        self.cut_at = oldest.at + 1
        return oldest


class Tide:
    """All voices of one district, on one channel or on all: whether it just has more of everything."""

    __slots__ = ("_recent", "baseline")

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self._recent: deque[list[int]] = deque()  # step, voices: of the last day

    def hear(self, mention: Mention, now: int, fold: int) -> None:
        at = mention.at
        self.baseline.hear(day_of(at), int(mention.negative >= 0.5), fold)
        while self._recent and self._recent[0][0] < (now - DAY) // _STEP:
            self._recent.popleft()
        if at < now - DAY:
            return
        place, step = len(self._recent), at // _STEP
        while place and self._recent[place - 1][0] > step:
            place -= 1
        if place and self._recent[place - 1][0] == step:
            self._recent[place - 1][1] += 1
        else:
            self._recent.insert(place, [step, 1])

    def heard(self, since: int, now: int) -> int:
        """Voices from a moment on: of the last day by ten minutes, beyond it by whole days."""
        if since < now - DAY:
            return self.baseline.after(day_of(since) - 1)
        return sum(count for step, count in self._recent if step >= since // _STEP)

    def state(self) -> list[Any]:
        return [self.baseline.state(), list(self._recent)]

    @classmethod
    def from_state(cls, row: list[Any], half_life_days: float) -> Tide:
        """The tide that gave this state."""
        found = cls(Baseline.from_state(row[0], half_life_days))
        found._recent = deque([step, count] for step, count in row[1])
        return found


class Group:
    """One topic in one district: the cell of every channel, and those of each. `heard_at`: when it was heard last;
    `looked`: when it was looked at last, and how many people it had then."""

    __slots__ = ("channels", "every", "heard_at", "key", "looked", "rise")

    def __init__(self, key: tuple[str, str], every: Cell) -> None:
        self.key, self.every = key, every
        self.channels: dict[str, Cell] = {}
        self.heard_at = 0
        self.looked = (0, 0)
        self.rise: Rise | None = None

    def cell(self, channel: str) -> Cell:
        """Of this channel, or of all where it is empty."""
        return self.channels[channel] if channel else self.every

    def hear(self, mention: Mention, now: int, most: int) -> bool:
        """One more mention, of which `most` are kept; whether its person is new to this day."""
        self.heard_at = now
        fresh = self.every.hear(mention, now)
        if mention.channel:
            self.channels[mention.channel].hear(mention, now)
        while len(self.every.long.mentions) > most:
            cell = self.channels.get(self.every.cut().channel)
            if cell is not None:
                cell.age(now)
                cell.cut()
        return fresh

    def state(self) -> dict[str, Any]:
        cells = {name: [cell.baseline.state(), cell.cut_at] for name, cell in {"": self.every, **self.channels}.items()}
        return {
            "key": self.key, "cells": cells, "heard_at": self.heard_at, "looked": self.looked,
            "mentions": list(self.every.long.mentions), "rise": self.rise.state() if self.rise else None,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any], settings: ClusterSettings) -> Group:
        """The group that gave this state."""
        cells = {
            name: Cell(Baseline.from_state(row, settings.half_life_days), settings, cut_at)
            for name, (row, cut_at) in state["cells"].items()
        }
        found = cls((state["key"][0], state["key"][1]), cells.pop(""))
        found.channels, found.heard_at, found.looked = cells, state["heard_at"], tuple(state["looked"])
        found.rise = Rise.from_state(state["rise"]) if state["rise"] else None
        for mention in map(Mention._make, state["mentions"]):
            found.every.place(mention, found.heard_at)
            if mention.channel:
                cells[mention.channel].place(mention, found.heard_at)
        return found


class Cells:
    """All cells of one stream, the group longest silent first."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._groups: OrderedDict[tuple[str, str], Group] = OrderedDict()
        self._tides: OrderedDict[tuple[str, str], Tide] = OrderedDict()
        self._begun: dict[str, int] = {}  # first whole day of the stream, of a district, a topic, a channel
        self._lost = 0  # a group that had to go may have been heard until this day
        self._count = 0  # cells of all groups
        self._held = 0  # mentions of all groups

    def __len__(self) -> int:
        return self._count

    def hear(self, key: tuple[str, str], mention: Mention, now: int) -> Group:
        """One more voice about this topic in this district; `now`: the newest time heard."""
        group = self._group(key, mention.channel, now)
        before = len(group.every.long.mentions)
        fresh = group.hear(mention, now, self._settings.mentions)
        self._held += len(group.every.long.mentions) - before
        for channel in dict.fromkeys(("", mention.channel)) if fresh else ():
            self._tide(key[0], channel, now).hear(mention, now, self._oldest(now))
        self._forget(now)
        return group

    def tide(self, group: Group, channel: str) -> Tide | None:
        """All that the group's district says, on this channel or (empty) on all."""
        return self._tides.get((group.key[0], channel))

    def _oldest(self, now: int) -> int:
        """The last day before the longest window."""
        return day_of(now - int(self._settings.window_days * DAY)) - 1

    def _group(self, key: tuple[str, str], channel: str, now: int) -> Group:
        group = self._groups.get(key)
        if group is None:
            since = max(self._lost + 1, self._since(now, "", f"d{key[0]}", f"t{key[1]}"))
            group = self._groups[key] = Group(key, self._cell(since))
        if channel and channel not in group.channels:
            since = max(group.every.baseline.since, self._since(now, f"c{channel}"))
            group.channels[channel] = self._cell(since, group.every.cut_at)
        self._groups.move_to_end(key)
        return group

    def _cell(self, since: int, cut_at: int = 0) -> Cell:
        self._count += 1
        return Cell(Baseline(since, self._settings.half_life_days), self._settings, cut_at)

    def _tide(self, district: str, channel: str, now: int) -> Tide:
        key = (district, channel)
        if key not in self._tides:
            since = self._since(now, "", f"d{district}", *((f"c{channel}",) if channel else ()))
            self._tides[key] = Tide(Baseline(since, self._settings.half_life_days))
            if len(self._tides) > self._settings.cells:
                self._tides.popitem(last=False)
        self._tides.move_to_end(key)
        return self._tides[key]

    def _since(self, now: int, *names: str) -> int:
        """The first whole day in which all of these were listened for: the day after they were first heard."""
        for name in names:
            if name not in self._begun:
                self._begun[name] = day_of(now) + 1
                if len(self._begun) > 3 * self._settings.cells:
                    del self._begun[next(iter(self._begun))]
        return max(self._begun[name] for name in names if name in self._begun)

    def _forget(self, now: int) -> None:
        """Groups silent so long that they are as good as new go, and the most silent of too many."""
        silent = now - int(3 * self._settings.half_life_days * DAY)
        while True:
            key, group = next(iter(self._groups.items()))
            many = len(self._groups) > self._settings.cells or self._held > self._settings.mentions_in_all
            if group.heard_at >= silent and not many:
                return
            if group.heard_at >= silent:
                self._lost = max(self._lost, day_of(group.heard_at))
            self._held -= len(group.every.long.mentions)
            self._count -= 1 + len(group.channels)
            del self._groups[key]

    def state(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {
            "groups": [group.state() for group in self._groups.values()],
            "tides": [[*key, tide.state()] for key, tide in self._tides.items()],
            "begun": self._begun,
            "lost": self._lost,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], settings: ClusterSettings) -> Cells:
        """The cells that gave this state; none where an older state knows nothing of them."""
        found = cls(settings)
        for group in (Group.from_state(row, settings) for row in state.get("groups", [])):
            found._groups[group.key] = group
            found._count += 1 + len(group.channels)
            found._held += len(group.every.long.mentions)
        for district, channel, row in state.get("tides", []):
            found._tides[district, channel] = Tide.from_state(row, settings.half_life_days)
        found._begun, found._lost = dict(state.get("begun", {})), state.get("lost", 0)
        return found
