"""Cells (区域与类别): people counted by district, topic and channel over the longest window, and what is usual there.

No clusters and no telling here. One more mention costs the same whatever was heard before; shorter windows are counted
when somebody looks, by a walk over the newest mentions. Memory: about 300 bytes for each of `mentions_in_all` mentions
and 2 kB for each of `cells` groups.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from nlp.detectors.baseline import DAY, Baseline, day_of
from nlp.detectors.rise import Mention, Rise
from nlp.detectors.settings import ClusterSettings

_STEP = 600_000  # milliseconds: how finely a district's texts of the last day are counted


class Group:
    """One topic in one district: its mentions of the longest window in order of time; how many each person made, and
    what is usual, on all channels (the empty name) and on each. Before `cut_at` not all mentions are held. `heard_at`:
    when it was heard last; `looked`: how many people it had when it was looked at last, and when that was."""

    __slots__ = ("_spoken", "baselines", "cut_at", "heard_at", "key", "looked", "mentions", "people", "rise")

    def __init__(self, key: tuple[str, str]) -> None:
        self.key = key
        self.baselines: dict[str, Baseline] = {}
        self.mentions: deque[Mention] = deque()
        self.people: dict[str, dict[str, int]] = {"": {}}
        self._spoken: dict[str, int] = {}  # of its people the last day on which they spoke
        self.cut_at = self.heard_at = 0
        self.looked = (0, 0)
        self.rise: Rise | None = None

    def hear(self, mention: Mention, day: int, oldest: int, most: int) -> bool:
        """One more mention, on this local day; the window reaches back to `oldest`, `most` are kept. Whether its person
        is new to this day."""
        while self.mentions and self.mentions[0].at < oldest:
            self._drop()
        fresh = self._spoken.get(mention.author) != day
        if fresh:
            unhappy, before = int(mention.negative >= 0.5), day_of(oldest) - 1
            self.baselines[""].hear(day, unhappy, before)
            if mention.channel:
                self.baselines[mention.channel].hear(day, unhappy, before)
        if mention.at >= oldest:
            self._place(mention, day)
        while len(self.mentions) > most:
            self.cut_at = self._drop().at + 1
        return fresh

    def _place(self, mention: Mention, day: int) -> None:
        author = mention.author
        if self.mentions and self.mentions[-1].at > mention.at:
            insort(self.mentions, mention, key=itemgetter(0))
        else:
            self.mentions.append(mention)
        people = self.people[""]
        people[author] = people.get(author, 0) + 1
        if mention.channel:
            people = self.people.setdefault(mention.channel, {})
            people[author] = people.get(author, 0) + 1
        if self._spoken.get(author, 0) < day:
            self._spoken[author] = day

    def _drop(self) -> Mention:
        """The oldest leaves; its person too, unless they said more since."""
        mention = self.mentions.popleft()
        for channel in ("", mention.channel) if mention.channel else ("",):
            people = self.people[channel]
            left = people.pop(mention.author) - 1
            if left:
                people[mention.author] = left
            elif channel and not people:
                del self.people[channel]
        if mention.author not in self.people[""]:
            del self._spoken[mention.author]
        return mention

    def since(self, at: int, channel: str = "") -> Iterator[Mention]:
        """The mentions from this moment on, of all channels or of one, the newest first."""
        for mention in reversed(self.mentions):
            if mention.at < at:
                return
            if not channel or mention.channel == channel:
                yield mention

    def counts(self, moments: Sequence[int], channel: str = "") -> list[int]:
        """How many people spoke since each of these moments, the latest first: one walk over the newest mentions."""
        people: set[str] = set()
        found, mentions = [], self.since(moments[-1], channel)
        mention = next(mentions, None)
        for moment in moments:
            while mention is not None and mention.at >= moment:
                people.add(mention.author)
                mention = next(mentions, None)
            found.append(len(people))
        return found

    def state(self) -> dict[str, Any]:
        return {
            "key": self.key, "baselines": {name: one.state() for name, one in self.baselines.items()},
            "cut_at": self.cut_at, "heard_at": self.heard_at, "looked": self.looked, "mentions": list(self.mentions),
            "rise": self.rise.state() if self.rise else None,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any], half_life_days: float) -> Group:
        """The group that gave this state."""
        found = cls((state["key"][0], state["key"][1]))
        found.baselines = {
            name: Baseline.from_state(row, half_life_days) for name, row in state["baselines"].items()
        }
        found.cut_at, found.heard_at = state["cut_at"], state["heard_at"]
        found.looked = (state["looked"][0], state["looked"][1])
        found.rise = Rise.from_state(state["rise"]) if state["rise"] else None
        for mention in map(Mention._make, state["mentions"]):
            found._place(mention, day_of(mention.at))
        return found


class Tide:
    """All voices of one district, on one channel or on all: whether it just has more of everything."""

    __slots__ = ("_recent", "baseline")

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self._recent: deque[list[int]] = deque()  # step, voices: of the last day

    def hear(self, mention: Mention, day: int, now: int, before: int) -> None:
        """One more voice, on this local day; `before`: the last day before the longest window."""
        self.baseline.hear(day, int(mention.negative >= 0.5), before)
        recent, step, oldest = self._recent, mention.at // _STEP, (now - DAY) // _STEP
        while recent and recent[0][0] < oldest:
            recent.popleft()
        if recent and recent[-1][0] == step:
            recent[-1][1] += 1
        elif step >= oldest:
            self._insert(step)

    def _insert(self, step: int) -> None:
        place = len(self._recent)
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


class Cells:
    """All cells of one stream, the group longest silent first."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings, self.span = settings, int(settings.window_days * DAY)
        self._groups: OrderedDict[tuple[str, str], Group] = OrderedDict()
        self._tides: dict[tuple[str, str], Tide] = {}
        self._begun: dict[str, int] = {}  # first whole day of the stream, of a district, a topic, a channel
        self._lost = 0  # a group that had to go may have been heard until this day
        self._count = 0  # cells of all groups
        self._held = 0  # mentions of all groups

    def __len__(self) -> int:
        return self._count

    def hear(self, key: tuple[str, str], mention: Mention, now: int) -> Group:
        """One more voice about this topic in this district; `now`: the newest time heard."""
        group = self._group(key, mention.channel, now)
        day, oldest, held = day_of(mention.at), now - self.span, len(group.mentions)
        if group.hear(mention, day, oldest, self._settings.mentions):
            before = day_of(oldest) - 1
            self._tide(key[0], "", now).hear(mention, day, now, before)
            if mention.channel:
                self._tide(key[0], mention.channel, now).hear(mention, day, now, before)
        self._held += len(group.mentions) - held
        if self._held > self._settings.mentions_in_all:
            self._forget(now)
        return group

    def tide(self, group: Group, channel: str) -> Tide | None:
        """All that the group's district says, on this channel or (empty) on all."""
        return self._tides.get((group.key[0], channel))

    def _group(self, key: tuple[str, str], channel: str, now: int) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key)
            since = self._since(now, "", f"d{key[0]}", f"t{key[1]}")
            group.baselines[""] = self._baseline(max(self._lost + 1, since))
            group.heard_at = now
            self._forget(now)
        if channel not in group.baselines:
            since = max(group.baselines[""].since, self._since(now, f"c{channel}"))
            group.baselines[channel] = self._baseline(since)
        self._groups.move_to_end(key)
        group.heard_at = now
        return group

    def _baseline(self, since: int) -> Baseline:
        self._count += 1
        return Baseline(since, self._settings.half_life_days)

    def _tide(self, district: str, channel: str, now: int) -> Tide:
        key = (district, channel)
        if key not in self._tides:
            since = self._since(now, "", f"d{district}", *((f"c{channel}",) if channel else ()))
            self._tides[key] = Tide(Baseline(since, self._settings.half_life_days))
            if len(self._tides) > self._settings.cells:
                del self._tides[next(iter(self._tides))]
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
            self._held -= len(group.mentions)
            self._count -= len(group.baselines)
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
        for group in (Group.from_state(row, settings.half_life_days) for row in state.get("groups", [])):
            found._groups[group.key] = group
            found._count += len(group.baselines)
            found._held += len(group.mentions)
        for district, channel, row in state.get("tides", []):
            found._tides[district, channel] = Tide.from_state(row, settings.half_life_days)
        found._begun, found._lost = dict(state.get("begun", {})), state.get("lost", 0)
        return found
