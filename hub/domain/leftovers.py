"""剩下的草稿: what was staged on a platform and certainly never becomes public any more; pure, effects in desk.

Certain are two: the draft of an earlier key, whose publication was sent or will be sent under another; and the draft of
a cancelled publication, for nothing leads out of `cancelled`. The draft of anything else may still be wanted, or may be
under the platform's eyes. Only refs that we wrote down ourselves are ever named.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.contract import Accepted, Outcome, Refused
from hub.clock import LATEST
from hub.domain.moves import Document, State

REST = timedelta(minutes=30)  # whatever still holds the old refs has ended by then
AGAIN = timedelta(hours=1)
TRIES = 10  # then it is left to a person
_IN_DOUBT = ("staging", "sending", "pending", "unknown")


def replaced(document: Document, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """With an intent: the refs that it takes the place of, where it has a key of its own."""
    before = document.get("staged")
    same = fields.get("key", document.get("key")) == document.get("key") or before == fields.get("staged")
    if not before or same:
        return {}
    left = [*document.get("leftovers", ()), {"refs": dict(before), "why": "replaced", "at": now}]
    return {"leftovers": left, "leftover_at": now + REST}


def given_up(document: Document, then: State, now: datetime) -> dict[str, Any]:
    """With a cancel: what was staged for it."""
    before = document.get("staged")
    if then is not State.CANCELLED or not before:
        return {}
    left = [*document.get("leftovers", ()), {"refs": dict(before), "why": "cancelled", "at": now}]
    return {"leftovers": left, "leftover_at": now + REST}


def may_go(document: Document, refs: Mapping[str, Any]) -> bool:
    """Whether it is certain now: nothing while the publication is under way or in doubt, and never the refs that it
    still stands on, but when it is cancelled."""
    if document["state"] in _IN_DOUBT:
        return False
    return bool(document["state"] == State.CANCELLED or refs != document.get("staged"))


def after(document: Document, outcomes: Mapping[int, Outcome], now: datetime) -> dict[str, Any]:
    """The fields after a round: what is gone leaves the list; the rest is tried again later, at last by nobody."""
    kept = [one for place, one in enumerate(document["leftovers"]) if not isinstance(outcomes.get(place), Accepted)]
    if not kept:
        return {"leftovers": None, "leftover_at": None, "leftover_tries": None, "leftover_said": None}
    said = [one for one in outcomes.values() if not isinstance(one, Accepted)]
    tries = int(document.get("leftover_tries") or 0) + bool(said)
    asked = [one.retry_after for one in said if isinstance(one, Refused) and one.retry_after]
    again = LATEST if tries >= TRIES else now + max([AGAIN, *asked])
    reason = getattr(said[0], "reason", "") if said else ""
    return {"leftovers": kept, "leftover_at": again, "leftover_tries": tries, "leftover_said": reason or None}


WHY = {"replaced": "内容改过，换了新草稿", "cancelled": "已取消，不再发布"}
