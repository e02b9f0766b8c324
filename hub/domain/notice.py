"""通知: whom a matter goes to, and when its e-mail is tried again; sending lives in channels, storing in desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.clock import local
from hub.domain.people import Role

DUTY = "duty"
ROLE = "role:"
FALL_BACK = (Role.MONITOR, Role.REVIEWER, Role.EDITOR)  # who is told where nobody is on duty: somebody always is

# An e-mail's states: none (no address, or no server), due, sending, sent, refused, unknown.
OPEN = ("due", "sending")
LEASE = timedelta(minutes=2)
URGENT = frozenset(
    {"alert", "publication", "operation", "hold", "hold_all", "quiet", "account", "workers", "urgency"}
)


def receivers(people: Sequence[str], users: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of those to tell: named ones, `duty`, and `role:<role>`; never somebody disabled."""
    active = [user for user in users if not user.get("disabled")]
    told: dict[str, None] = {}
    for word in people:
        told.update(dict.fromkeys(_meant(word, active)))
    return list(told)


def _meant(word: str, active: Sequence[Mapping[str, Any]]) -> list[str]:
    if word == DUTY:
        on_duty = [user["_id"] for user in active if user.get("duty")]
        return on_duty or _first_with_a_role(active)
    if word.startswith(ROLE):
        return [user["_id"] for user in active if word.removeprefix(ROLE) in user.get("roles", ())]
    return [user["_id"] for user in active if user["_id"] == word]


def _first_with_a_role(active: Sequence[Mapping[str, Any]]) -> list[str]:
    for role in FALL_BACK:
        found = [user["_id"] for user in active if role.value in user.get("roles", ())]
        if found:
            return found
    return []


def notices(row: Mapping[str, Any], users: Iterable[Mapping[str, Any]], *, mail: bool) -> list[dict[str, Any]]:
    """The documents of one outbox row; ids make the move repeatable, (person, key) lets each exist once."""
    by_id = {user["_id"]: user for user in users}
    result = []
    for person in receivers(row["people"], by_id.values()):
        state = "due" if mail and by_id[person].get("email") else "none"
        common = {name: row[name] for name in ("matter", "subject", "text", "link", "key", "at")}
        result.append(
            {
                "_id": f"{row['id']}.{person}",
                "person": person,
                **common,
                "read_at": None,
                "mail": {"state": state, "tries": 0, "not_before": row["at"], "attempts": []},
            }
        )
    return result


def next_try(tries: int, chance: float, retry_after: timedelta | None) -> timedelta:
    """How long to wait after this many refusals that pass by themselves: doubling from a minute to an hour, spread."""
    doubled = timedelta(minutes=min(60.0, 2.0 ** max(0, tries - 1)))
    return max(doubled * (0.75 + chance / 2), retry_after or timedelta(0))


def is_quiet(now: datetime, since: int, until: int) -> bool:
    """Whether the local hour lies in the quiet hours, which may run over midnight."""
    hour = local(now).hour
    return since <= hour < until if since <= until else hour >= since or hour < until


def morning(now: datetime, until: int) -> datetime:
    """The next end of the quiet hours, in UTC."""
    today = local(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=until)
    return (today if today > local(now) else today + timedelta(days=1)).astimezone(UTC)


def waits_for_morning(matter: str, now: datetime, since: int, until: int) -> bool:
    """Alerts, publishing faults and dangers to life ring at any hour; the rest waits until the quiet hours are over."""
    return matter.split(".")[0] not in URGENT and is_quiet(now, since, until)
