"""暂停与放行: what stops a claimed publication before its call, as pure decisions; switches are read by desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from channels.contract import Who
from hub.domain import matters, quiet
from hub.domain.moves import Document, State
from hub.domain.outage import with_stop
from hub.domain.publication import Decision, Rules, decide_spent
from hub.domain.quota import Left, spent_words

HOLD_ALL = "hold_all"
ACCOUNT_REFRESH = timedelta(seconds=10)
QUIET_REFRESH = timedelta(seconds=20)
EARLIER_FIRST = "等同一账号上更早的一条"
ALL_HELD, ACCOUNT_HELD = "全部暂停中", "账号已暂停"
KEEPS_PLACE = (EARLIER_FIRST, ALL_HELD, ACCOUNT_HELD)  # put back for these, a post still goes before later ones


def stop_of(
    switch: Document | None, account: Document | None, document: Document | None, now: datetime
) -> str | None:
    """Why this may not go out to this account now, in words; None where nothing stops it. An answer to one citizen
    (document None) is no publication and knows no quiet period."""
    if switch is not None and switch.get("on"):
        return ALL_HELD
    if account is None:
        return "账号已不存在"
    if account.get("held"):
        return ACCOUNT_HELD
    if switch is None or document is None:
        return None
    silence = quiet.silence_at(switch.get("quiet") or (), now, document)
    return silence.words if silence else None


def is_shut(switch: Document | None, now: datetime) -> bool:
    """Whether nothing at all may go out now, whatever it is and wherever it goes."""
    if switch is None:
        return False
    return bool(switch.get("on")) or quiet.is_shut(switch.get("quiet") or (), now)


def decide_stop(
    switch: Document | None, account: Document | None, document: Document, now: datetime, pause: timedelta
) -> Decision | None:
    """A claim put back because something is stopped; in a quiet period it need not be looked at every second."""
    stop = stop_of(switch, account, document, now)
    if stop is None:
        return None
    return give_back(now, QUIET_REFRESH if stop.startswith("静默") else pause, stop)


def is_approved(content: Document | None, package: str | None) -> bool:
    """Whether exactly this package (text, variants and files together) is what the last approval was given to."""
    if content is None or package is None:
        return False
    return content.get("state") == "approved" and content.get("approved_hash") == package


def decide_approval(
    publication: Document, approved: bool, package: str | None, now: datetime, rules: Rules
) -> Decision | None:
    """拟发: None goes on. What is not approved yet waits a little, after the late limit for a person.

    What may already have been out once (pinned) goes out unchanged or not at all.
    """
    if publication.get("pinned") and not (approved and package == publication.get("hash")):
        tell = matters.changed(publication)
        return Decision("changed", {"reason": tell.reason, "who": Who.EDITOR.value}, tell=tell)
    if approved:
        return None
    if now - publication["at"] > rules.late:
        tell = matters.unapproved(publication)
        fields = {"reason": tell.reason, "who": Who.EDITOR.value, "held_for": "approval"}
        return Decision("unapproved", fields, tell=tell)
    return give_back(now, ACCOUNT_REFRESH, "等终审通过")


def give_back(now: datetime, pause: timedelta, reason: str) -> Decision:
    """A claim put back without a call and without counting as a try."""
    return Decision("not_yet", {"not_before": now + pause, "reason": reason})


def decide_order(earlier: bool, now: datetime) -> Decision | None:
    """One account's posts go out in the order of their times."""
    return give_back(now, timedelta(seconds=1), EARLIER_FIRST) if earlier else None


def decide_quota(publication: Document, spent: Left | None, now: datetime, rules: Rules) -> Decision | None:
    """None goes on; where none of the platform's calls is left, it waits without anything being uploaded."""
    if spent is None:
        return None
    return decide_spent(publication, spent_words(spent, now), spent.until - now, now, rules)


def decide_link(publication: Document, awaited: Document | None, now: datetime) -> Decision | None:
    """A post that needs the website's address waits for it; None where it has one or needs none."""
    if publication.get("link") or not publication.get("waits_for"):
        return None
    if awaited is not None and awaited["state"] == State.PUBLISHED and awaited.get("url"):
        return None
    return Decision("await", {"waiting_since": now, "reason": "等网站上的同一篇先发出"})


def switch_fields(switch: Document, on: bool, reason: str, by: str, at: datetime) -> dict[str, Any]:
    """The switch as it stands after this act: on since the first press, and once lifted the stretch it was on."""
    fields: dict[str, Any] = {"on": on, "reason": reason, "by": by, "at": at}
    since = (switch.get("since") or switch.get("at")) if switch.get("on") else None
    if on:
        return {**fields, "since": since or at, "under_way": []}
    if since is None:
        return fields
    why = f"全部暂停：{switch.get('reason') or '没有写原因'}"
    return {**fields, "since": None, "stops": with_stop(switch, since, at, why)}
