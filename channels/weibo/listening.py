"""Where the reading of 微博's comments stands and when it may go on: a cursor and a counted day, pure; no calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone

from channels.weibo.profile import Profile
from channels.weibo.wire import newest

_CHINA = timezone(timedelta(hours=8))
_OVERLAP = 20  # comments read again each time: one held back by the platform may turn up late with an older id


@dataclass(frozen=True)
class Place:
    """A sweep goes from the newest comment down to `since`; `top` is where its next page begins, empty between sweeps.

    `recent`: the newest ids known from finished sweeps; `found`: the newest of this sweep; `used`: calls on `day`.
    """

    recent: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    top: str = ""
    day: str = ""
    used: int = 0
    ready: str = ""  # not to be asked before (ISO, UTC)

    @classmethod
    def read(cls, cursor: str) -> Place:
        """The place a cursor stands for; the beginning for an empty one."""
        if not cursor:
            return cls()
        given = json.loads(cursor)
        return cls(
            recent=tuple(given["recent"]),
            found=tuple(given["found"]),
            top=given["top"],
            day=given["day"],
            used=given["used"],
            ready=given["ready"],
        )

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def since(self) -> str:
        """The id to read down to, exclusive; the oldest of the recent ones, so that these are seen once more."""
        return self.recent[-1] if self.recent else "0"

    def may_ask(self, profile: Profile, now: datetime) -> bool:
        if self._used(now) >= profile.comments_day:
            return False
        return not self.ready or now >= datetime.fromisoformat(self.ready)

    def _used(self, now: datetime) -> int:
        return self.used if self.day == _day(now) else 0

    def advanced(self, ids: Sequence[str], size: int, profile: Profile, now: datetime, busy: bool) -> Place:
        """After one page of these ids, newest first. `busy`: there are posts young enough to expect comments."""
        used = self._used(now) + 1
        counted = replace(self, day=_day(now), used=used, found=tuple(newest([*self.found, *ids], _OVERLAP)))
        lowest = min((int(id) for id in ids if id.isdigit()), default=0)
        if len(ids) >= size and lowest > int(self.since) + 1:
            return replace(counted, top=str(lowest - 1), ready="")
        ready = now + timedelta(seconds=_pause(profile, used, now, busy))
        recent = tuple(newest([*counted.found, *self.recent], _OVERLAP))
        return replace(counted, recent=recent, found=(), top="", ready=ready.isoformat())


def _day(now: datetime) -> str:
    return now.astimezone(_CHINA).date().isoformat()


def _pause(profile: Profile, used: int, now: datetime, busy: bool) -> float:
    """Seconds until the next sweep: the rest of the day shared among the calls left; twice that when quiet."""
    local = now.astimezone(_CHINA)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), _CHINA)
    left = (midnight - local).total_seconds()
    calls = profile.comments_day - used
    return left if calls <= 0 else max(profile.poll_seconds, left / calls * (1 if busy else 2))
