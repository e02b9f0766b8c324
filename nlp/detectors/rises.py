"""Rises (较平时多): topics of a district that more people speak of than usual, where no cluster says why.

Each is one issue, shown (观察) and hardly ever told: what has a name is told by its cluster, and a rise only says that
many small things come at once. It ends when the topic is as usual again; the same topic rises no second time within the
cool-down, except to tell. The same voices in the same order give the same, however they are cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b

from nlp.contract import IssueChange, Voice
from nlp.detectors.baseline import DAY
from nlp.detectors.cells import Cells, Group
from nlp.detectors.decided import TIMES, Decided
from nlp.detectors.explaining import explain_rise
from nlp.detectors.judging import Pair
from nlp.detectors.rhythm import HOUR, Rhythm
from nlp.detectors.rise import Mention, Rise, Surprise
from nlp.detectors.settings import ClusterSettings
from nlp.detectors.surprise import Surprises, newest_of_each
from nlp.detectors.told import NO_CLUSTER, Told

_AGAIN = 6 * HOUR  # after so long every group is looked at again; before, only where its people have changed
_GROWN = 0.05  # by more than this part of them
_CARRIED = 300  # newest people among whom a cluster is sought that half of them speak in


@dataclass(frozen=True)
class Carrier:
    """The issue in which half of a rise's people speak already, and its title for who asks; `told`: it told people."""

    name: str
    title: Callable[[], str]
    told: bool


Key = tuple[str, str]  # district, topic
Carry = Callable[[Sequence[tuple[str, int]]], Carrier | None]  # of people, and the clusters they came to last


class Rises:
    """The rises of one stream."""

    def __init__(self, settings: ClusterSettings, cells: Cells, rhythm: Rhythm, told: Told, decided: Decided) -> None:
        self.cells = cells
        self._settings, self._told, self._decided = settings, told, decided
        self._surprises = Surprises(settings, cells, rhythm)
        self._latest: tuple[Group, Mention] | None = None
        self._touched: dict[str, tuple[Rise, Key]] = {}

    def hear(self, voice: Voice, at: int, topic: str, cluster: int, now: int) -> None:
        """One more voice, which came to this cluster; without district or topic it counts nowhere."""
        if voice.district and topic and not voice.confidential:
            mention = Mention(at, voice.id, voice.author, round(voice.negative, 3), voice.channel, cluster)
            self._latest = self.cells.hear((voice.district, topic), mention, now), mention

    def heed(self, carry: Carry, now: int) -> list[IssueChange]:
        """What the newest voice makes of its group: an alert, or that what is told says it by now."""
        if self._latest is None:
            return []
        (group, mention), self._latest = self._latest, None
        due = self._is_due(group, now)
        if group.rise and group.rise.on:
            return self._go_on(group, group.rise, mention, due, carry, now)
        return self._open(group, self._surprises.loudest(group, mention.channel, now), carry, now) if due else []

    def standing(self) -> list[IssueChange]:
        """Each rise that was touched since the last time, as it is now."""
        touched, self._touched = self._touched, {}
        return [change for rise, key in touched.values() for change in self._stand(rise, key)]

    def _stand(self, rise: Rise, key: Key) -> list[IssueChange]:
        change = self._change(rise, key, alert=False)
        if not rise.on:
            rise.forget()
        return [change]

    def _looks(self, group: Group, rise: Rise, now: int) -> list[Surprise]:
        """What speaks loud in it now, beside what is usual in the whole time of it."""
        since = max(rise.since, now - self.cells.span)
        usual = self._surprises.usual(group, rise.channel, since, now, len(rise.people))
        found = self._surprises.of(group, rise.channel, now, rise.hours)
        return [replace(look, usual_since=look.usual if usual is None else usual) for look in found]

    def _is_due(self, group: Group, now: int) -> bool:
        """Whether so much has changed since the last look that another could find something else."""
        people, (before, at) = len(group.people[""]), group.looked
        if people < self._settings.cell_voices:
            return group.rise is not None and group.rise.on
        if abs(people - before) <= _GROWN * before and now < at + _AGAIN:
            return False
        group.looked = (people, now)
        return True

    def _open(self, group: Group, looks: Sequence[Surprise], carry: Carry, now: int) -> list[IssueChange]:
        if not looks or looks[0].chance >= self._settings.watch_chance:
            return []
        telling, before = self._telling(group, looks, now), group.rise
        paused = before is not None and now < before.opened_at + self._settings.cool_down_days * DAY
        if paused and before and (telling is None or before.level == "yellow"):
            return []
        found = telling or looks[0]
        if self._carrier(group, looks, carry):
            return []
        mentions = list(group.since(found.since, found.channel))[::-1]
        found = replace(found, usual_since=found.usual)
        hours = max(found.hours, *self._settings.short_hours)
        rise = group.rise = Rise(_name(group.key, mentions[0].id), now, found, found.since, found.channel, hours)
        for mention in mentions:
            rise.add(mention, self._settings.mentions)
        self._touched[rise.name] = rise, group.key
        return self._tell(group, rise, found, now) if telling else []

    def _go_on(
        self, group: Group, rise: Rise, mention: Mention, due: bool, carry: Carry, now: int
    ) -> list[IssueChange]:
        looks = self._looks(group, rise, now) if due else []
        if due and not looks:
            self._end(rise)
            return []
        if rise.add(mention, self._settings.mentions):
            self._touched[rise.name] = rise, group.key
        if not looks:
            return []
        loud = looks if rise.level == "watch" else self._many(looks)
        self._say(group, rise, min(*loud, rise.found, key=lambda look: look.chance) if loud else rise.found)  # its peak
        carrier = self._carrier(group, looks, carry)
        if carrier and carrier.told:
            return [self._go_over(group, rise, carrier)]
        telling = None if carrier or rise.level == "yellow" else self._telling(group, looks, now)
        return self._tell(group, rise, telling, now) if telling else []

    def _say(self, group: Group, rise: Rise, found: Surprise) -> None:
        """It is told of by this window, so all words of that belong to it."""
        rise.found = found
        if found.since < rise.since:
            mentions = list(group.since(found.since, rise.channel))[::-1]
            rise.reach_back(found.since, mentions, self._settings.mentions)

    def _end(self, rise: Rise) -> None:
        rise.on = False
        if rise.name not in self._touched:
            rise.forget()

    def _go_over(self, group: Group, rise: Rise, carrier: Carrier) -> IssueChange:
        """The last word on a rise whose people mostly speak of what was told meanwhile."""
        change = self._change(rise, group.key, alert=False)
        self._touched.pop(rise.name, None)
        self._end(rise)
        return replace(
            change, level=None, voices=0, negative=0, channels=(), districts=(), reply_ids=(), into=carrier.name,
            explanation=f"说的多半是“{carrier.title()}”，已并入那一个苗头。",
        )  # fmt: skip

    def _tell(self, group: Group, rise: Rise, found: Surprise, now: int) -> list[IssueChange]:
        rise.level = "yellow"
        self._say(group, rise, found)
        self._told.add(now, NO_CLUSTER)
        return [self._change(rise, group.key, alert=True)]

    def _carrier(self, group: Group, looks: Sequence[Surprise], carry: Carry) -> Carrier | None:
        """The issue in which half of the people of a window that stands out speak already."""
        for look in looks:
            newest = newest_of_each(group.since(look.since, look.channel))[:_CARRIED]
            if carrier := carry([(each.author, each.cluster) for each in newest]):
                return carrier
        return None

    def _telling(self, group: Group, looks: Sequence[Surprise], now: int) -> Surprise | None:
        """What is enough to tell: twice the people, most of them unhappy, within the week's budget."""
        times = TIMES if self._decided.doubt_of(Pair(group.key, 0.0), now) else 1.0
        sure = [look for look in self._many(looks) if self._told.enough(look.chance * times, now)]
        return next((look for look in sure if 2 * look.unhappy > look.people), None)

    def _many(self, looks: Sequence[Surprise]) -> list[Surprise]:
        return [look for look in looks if look.people >= 2 * self._settings.least_voices]

    def _change(self, rise: Rise, key: Key, *, alert: bool) -> IssueChange:
        district, topic = key
        doubt = self._decided.doubt_of(Pair(key, 0.0), rise.last_at)
        change = IssueChange(
            issue=rise.name,
            at=_moment(rise.last_at),
            level=rise.level,
            alert=alert,
            title=f"{district} · {topic} 较平时多",
            voices=len(rise.people),
            copies=0,
            negative=rise.unhappy,
            channels=rise.channels(),
            districts=(district,),
            usual=round(rise.found.usual_since, 3),
            chance=rise.found.chance,
            terms=key,
            reply_ids=rise.untold(self._settings.ids),
            first_at=_moment(rise.first_at),
            explanation="",
            doubt=doubt.number if doubt else 0,
            cell=f"{district} · {topic}",
        )
        return explain_rise(change, rise.found, self._settings)


def _name(key: Key, first: str) -> str:
    return "rise-" + blake2b(f"{key} {first}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
