"""排定: a planned post's move to another time, its way back, and posts that meet on one account, as pure decisions.

A page shows minutes, so a post is named by its publications and the minute they had on the page. What has another
minute by now was moved by somebody else, and is left to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub import wording
from hub.clock import SHANGHAI, in_utc, local
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.matters import named
from hub.domain.moves import STATE_WORDS, Document, step_for

GRACE = timedelta(minutes=5)  # a time just past that is named by itself is meant as "now"
UNDO = timedelta(minutes=1)  # for so long after a move the page offers its way back
AHEAD = ("scheduled", "waiting", "staging")  # still to go out at their time; only these can meet
Meeting = tuple[str, datetime]  # an account and a moment at which it would send twice


def fresh(at: datetime) -> dict[str, Any]:
    """A new time, and the tries and reasons that belonged to the old one gone."""
    fields = {"at": at, "not_before": at, "tries": 0, "first_tried_at": None, "reason": None, "who": None}
    gone = ("spent", "part", "picture", "offer", "held_for", "released_at", "expected_at")
    return {**fields, **dict.fromkeys(gone)}


def minute_of(moment: datetime) -> datetime:
    """The minute that a page shows for this moment."""
    return moment.replace(second=0, microsecond=0)


def on_day(at: datetime, day: date) -> datetime:
    """The same time of day, as the office reads it, on another day."""
    return datetime.combine(day, local(at).time(), SHANGHAI)


def may_move(state: str) -> bool:
    """Whether a person may still give it another time."""
    return step_for(state, "move") is not None


def check_as_seen(publication: Document, seen: datetime) -> None:
    """Raise Conflict, with what became of it, unless it can still be moved and has the minute that was shown."""
    state = str(publication["state"])
    if not may_move(state):
        hint = "请先到“发布”里恢复。" if state == "held" else ""
        raise Conflict(f"{named(publication)}现在是“{STATE_WORDS[state]}”，时间没有改。{hint}")
    if minute_of(publication["at"]) != minute_of(seen):
        now_at = wording.moment(publication["at"])
        raise Conflict(f"{named(publication)}刚才已被改到 {now_at}，这次没有改。请看过新的时间再定。")


def is_as_seen(publication: Document, seen: datetime) -> bool:
    """Whether it can still be moved and has the minute that was shown."""
    return may_move(str(publication["state"])) and minute_of(publication["at"]) == minute_of(seen)


def goal_of(publication: Document, seen: datetime, to: date | datetime, now: datetime) -> datetime:
    """When it shall go out: on another day at its own time of day, or at exactly this moment; never in the past."""
    check_as_seen(publication, seen)
    try:
        goal = in_utc(to if isinstance(to, datetime) else on_day(publication["at"], to))
    except ValueError:
        raise _refused("这个日期不能用，请核对年份。") from None
    if isinstance(to, datetime) and now - GRACE <= goal < now:
        return now
    if goal < now:
        raise _refused(f"{wording.moment(goal)} 已经过去，时间没有改。请选以后的时间。")
    return goal


def way_back(publication: Document, seen: datetime, by: str, now: datetime) -> datetime:
    """Where it stood before this person's last move. Conflict where it has not stood still since."""
    check_as_seen(publication, seen)
    if not is_own_move(publication, by) or publication["moved"].get("back"):
        raise Conflict(f"{named(publication)}后来又有改动，没有改回。")
    before: datetime = publication["moved"]["before"]
    if before < now:
        raise _refused(f"原来的 {wording.moment(before)} 已经过去，改不回去了，仍定在 {wording.moment(seen)}。")
    return before


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, (FieldError("at", sentence),))


def mark(order: str, by: str, before: datetime, after: datetime, now: datetime, *, back: bool = False) -> Document:
    """What a move leaves on the publication: whose it was, from when to when, and which others went with it."""
    return {"order": order, "by": by, "before": before, "after": after, "at": now, "back": back}


def is_own_move(publication: Document, by: str) -> bool:
    """Whether its time is still the one that this person gave it last."""
    moved = publication.get("moved") or {}
    return moved.get("by") == by and moved.get("after") == publication["at"]


def is_told(publication: Document, by: str, now: datetime) -> bool:
    """Whether this person is to be told of their move, with its way back: it was just now, and it still stands."""
    own = is_own_move(publication, by) and may_move(str(publication["state"]))
    return own and now - publication["moved"]["at"] < UNDO


def meetings(rows: Iterable[Document]) -> frozenset[Meeting]:
    """撞车: where an account would send more than one post at the same moment."""
    found = Counter((str(row["account"]), row["at"]) for row in rows if row["state"] in AHEAD)
    return frozenset(meeting for meeting, count in found.items() if count > 1)


def midnight(day: date) -> datetime:
    """When this day of the office begins."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
