"""When an article's comments are read again: a cursor with one place per article, and a counted day; pure, no calls.

微信 tells nobody of a new comment (there is no event for it), so each article is asked, ever more rarely as it ages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from channels.wechat.profile import Profile

_CHINA = timezone(timedelta(hours=8))
_KNOWN = 20  # of an article's newest comments; the cursor holds them for a hundred articles
_YOUNG, _FRESH = timedelta(hours=2), timedelta(days=2)


@dataclass(frozen=True)
class Place:
    """One article: first seen, when it is asked next, how far a reading over several pages has come.

    `recent`: the newest comments known, so that a quiet article brings nothing twice; what it brings beyond them is
    kept once by its id.
    """

    since: str
    next: str
    begin: int = 0
    recent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Round:
    """Where the reading stands. `used`: calls on `day`, China's."""

    places: Mapping[str, Place] = field(default_factory=dict)
    day: str = ""
    used: int = 0

    @classmethod
    def read(cls, cursor: str) -> Round:
        """The round a cursor stands for; the beginning for an empty one."""
        if not cursor:
            return cls()
        given = json.loads(cursor)
        return cls({id: _place(place) for id, place in given["places"].items()}, given["day"], given["used"])

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    def among(self, ids: Sequence[str], now: datetime) -> Round:
        """The same for these articles: new ones are asked at once, those no longer worth it are forgotten."""
        fresh = Place(now.isoformat(), now.isoformat())
        return replace(self, places={id: self.places.get(id, fresh) for id in ids})

    def due(self, profile: Profile, now: datetime) -> str | None:
        """The article to ask now, the longest waiting first; None while all rest or the day's calls are used up."""
        if self._used(now) >= profile.comments_day:
            return None
        waiting = sorted((place.next, id) for id, place in self.places.items())
        return waiting[0][1] if waiting and datetime.fromisoformat(waiting[0][0]) <= now else None

    def asked(self, id: str, ids: Sequence[str], total: int, profile: Profile, now: datetime) -> Round:
        """After one page with these comments of `total`: the next page at once, or a rest."""
        place = self.places[id]
        begin, recent = place.begin + len(ids), tuple(dict.fromkeys([*ids, *place.recent]))[:_KNOWN]
        if ids and begin < total:
            after = replace(place, begin=begin, recent=recent)
        else:
            rest = timedelta(seconds=_rest(profile, now - datetime.fromisoformat(place.since)))
            after = replace(place, begin=0, recent=recent, next=(now + rest).isoformat())
        return Round({**self.places, id: after}, _day(now), self._used(now) + 1)

    def put_off(self, id: str, now: datetime, rest: timedelta) -> Round:
        """The platform would not say: the others go on, this one is asked later."""
        place = replace(self.places[id], begin=0, next=(now + rest).isoformat())
        return Round({**self.places, id: place}, _day(now), self._used(now) + 1)

    def _used(self, now: datetime) -> int:
        return self.used if self.day == _day(now) else 0


def _place(given: Mapping[str, Any]) -> Place:
    return Place(str(given["since"]), str(given["next"]), int(given["begin"]), tuple(given["recent"]))


def _day(now: datetime) -> str:
    return now.astimezone(_CHINA).date().isoformat()


def _rest(profile: Profile, age: timedelta) -> float:
    """Seconds between two readings: minutes for a young article, an hour for two days, then a day."""
    if age < _YOUNG:
        return profile.comment_first
    return max(profile.comment_first, 3600 if age < _FRESH else 86_400)
