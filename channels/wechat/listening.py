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
_YOUNG, _FRESH = timedelta(hours=2), timedelta(days=2)


@dataclass(frozen=True)
class Place:
    """One article: first seen, when it is asked next, how far a reading over several pages has come.

    `recent`: the newest comments known from finished readings, so that a quiet article brings nothing twice and a busy
    one is not read to its end each time; `found`: the newest of this reading, `news`: how many of it were not known.
    `total`: how many there were at the last reading; `whole`: the day, China's, of the last one to the very end.
    """

    since: str
    next: str
    begin: int = 0
    recent: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    news: int = 0
    total: int = 0
    whole: str = ""

    def suffices(self, ids: Sequence[str], total: int, today: str) -> bool:
        """Whether what lies behind these is known: known ones among them, and as many new ones as there are more.

        The platform promises no order, so once a day a reading goes to the end whatever it meets.
        """
        met = any(id in self.recent for id in ids)
        return met and self.news >= total - self.total and self.whole == today


@dataclass(frozen=True)
class Round:
    """Where the reading stands. `used`: calls on `day`, China's."""

    places: Mapping[str, Place] = field(default_factory=dict)
    day: str = ""
    used: int = 0

    @classmethod
    def read(cls, cursor: str) -> Round:
        """The round a cursor stands for; the beginning for an empty one, and for one that is none of ours."""
        try:
            given = json.loads(cursor)
            places = {str(id): _place(place) for id, place in given["places"].items()}
            return cls(places, str(given["day"]), int(given["used"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls()

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
        before, today = self.places[id], _day(now)
        place = replace(
            before,
            begin=before.begin + len(ids),
            found=tuple(dict.fromkeys([*before.found, *ids]))[: profile.comments_page],
            news=before.news + sum(one not in before.recent for one in ids),
        )
        end = not ids or place.begin >= total
        if end or place.suffices(ids, total, today):
            rest = timedelta(seconds=_rest(profile, now - datetime.fromisoformat(place.since)))
            recent = tuple(dict.fromkeys([*place.found, *place.recent]))[: profile.comments_page]
            whole = today if end else place.whole
            after = Place(place.since, (now + rest).isoformat(), 0, recent, total=total, whole=whole)
        else:
            after = place
        return Round({**self.places, id: after}, _day(now), self._used(now) + 1)

    def put_off(self, id: str, now: datetime, rest: timedelta) -> Round:
        """The platform would not say: the others go on, this one is asked later."""
        place = replace(self.places[id], begin=0, found=(), news=0, next=(now + rest).isoformat())
        return Round({**self.places, id: place}, _day(now), self._used(now) + 1)

    def _used(self, now: datetime) -> int:
        return self.used if self.day == _day(now) else 0


def _place(given: Mapping[str, Any]) -> Place:
    since, next = (datetime.fromisoformat(given[name]).isoformat() for name in ("since", "next"))
    recent, found = (tuple(map(str, given[name])) for name in ("recent", "found"))
    begin, news, total = (int(given[name]) for name in ("begin", "news", "total"))
    return Place(since, next, begin, recent, found, news, total, str(given["whole"]))


def _day(now: datetime) -> str:
    return now.astimezone(_CHINA).date().isoformat()


def _rest(profile: Profile, age: timedelta) -> float:
    """Seconds between two readings: minutes for a young article, an hour for two days, then a day."""
    if age < _YOUNG:
        return profile.comment_first
    return max(profile.comment_first, 3600 if age < _FRESH else 86_400)
