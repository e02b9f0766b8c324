"""发布: what follows from each outcome, lapse and look-up, as pure decisions; states are in moves.py, effects in desk.

A publication and an operation (更正, 撤稿) are the same ledger: one document, at most one open attempt, written down
before the call it stands for. `held` means certainly not public, `unknown` means perhaps public, and only two roads
lead from `unknown` back to a send: a person's word, or a platform whose "not there" is trusted, asked twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from channels.contract import Accepted, Missed, Outcome, Pending, Refused, Unknown, Who
from hub.domain import matters
from hub.domain.matters import Tell
from hub.domain.moves import Document, State


@dataclass(frozen=True)
class Decision:
    """What follows: the event of the table, the fields to set with it, how the open attempt ends, who is told.

    `closing` None leaves the attempts alone; fields set to None are taken out of the document.
    """

    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    closing: Mapping[str, Any] | None = None
    tell: Tell | None = None


@dataclass(frozen=True)
class Rules:
    """The office's figures that the ledger needs; each is a policy."""

    late: timedelta = timedelta(minutes=30)
    tries: int = 8
    fallback: timedelta = timedelta(minutes=15)
    lease: timedelta = timedelta(seconds=120)
    pending: timedelta = timedelta(hours=24)
    first_pause: timedelta = timedelta(seconds=5)
    longest_pause: timedelta = timedelta(minutes=10)

    def with_fallback(self, fallback: timedelta) -> Rules:
        """The same rules for an account with its own waiting time."""
        return replace(self, fallback=fallback)


def pause_before(tries: int, chance: float, rules: Rules, asked: timedelta | None = None) -> timedelta:
    """How long to wait before the next try: doubling from `first_pause`, up to a quarter longer by chance.

    Never shorter than the platform asked for.
    """
    doubled: timedelta = rules.first_pause * (1 << min(tries, 16))
    pause = min(doubled, rules.longest_pause) * (1 + chance / 4)
    return max(pause, asked * (1 + chance / 20)) if asked else pause


def decide_key(publication: Document, digest: str, fresh: str) -> str:
    """The idempotency key for sending this digest: the same for the same content, another for a changed one."""
    if publication.get("key") and publication.get("hash") == digest:
        return str(publication["key"])
    return fresh


def decide_due(publication: Document, now: datetime, rules: Rules) -> Decision | None:
    """迟发规则, asked when a due publication is taken: None goes on, a decision stops it.

    Lateness counts from its own time, after a try or a wait for a quota from the time of the next one, however often a
    pause has put it back since; a release or a move sets it anew.
    """
    put_off = publication.get("tries") or publication.get("spent")
    again = publication.get("expected_at") or publication["not_before"]
    expected = again if put_off else publication["at"]
    if publication.get("late") == "publish" or now - expected <= rules.late:
        return None
    tell = matters.late(publication, int((now - publication["at"]).total_seconds() // 60))
    fields = {"reason": tell.reason, "who": Who.EDITOR.value, "held_for": "late"}
    return Decision("too_late", fields, tell=tell)


def decide_staged(
    publication: Document, outcome: Refused | Unknown, now: datetime, chance: float, rules: Rules
) -> Decision:
    """After a stage that did not succeed: nothing of it is visible, so `Unknown` is only a delay."""
    if isinstance(outcome, Unknown):
        return _put_off(publication, outcome.reason, None, now, chance, rules, None)
    return _refusal(publication, outcome, now, chance, rules, None)


def decide_sent(publication: Document, outcome: Outcome, now: datetime, chance: float, rules: Rules) -> Decision:
    """After the one public step."""
    if isinstance(outcome, Accepted):
        return _acceptance("accept", outcome, now)
    if isinstance(outcome, Pending):
        return _taken(publication, outcome, now, rules)
    if isinstance(outcome, Refused):
        closing = {"outcome": "refused", "code": outcome.code, "reason": outcome.reason, "ended_at": now}
        return _refusal(publication, outcome, now, chance, rules, closing)
    return decide_lost(publication, outcome.reason, now, evidence=outcome.evidence)


def decide_lost(
    publication: Document, reason: str, now: datetime, *, event: str = "lose", evidence: Mapping[str, str] | None = None
) -> Decision:
    """Nobody can say: it is looked up soon, and a person hears of it now."""
    closing = {"outcome": "unknown", "reason": reason, "ended_at": now, "evidence": dict(evidence or {})}
    fields = {"reason": reason, "seen_missing": 0, "first_missing_at": None, "looks": 0, "look_at": now, "lost_at": now}
    fields |= {"looked": None}
    return Decision(event, fields, closing, matters.unknown(publication, reason))


def decide_checked(publication: Document, outcome: Outcome, now: datetime, rules: Rules) -> Decision:
    """After asking what became of something pending. `by_hand` waits for a person, for as long as it takes."""
    if isinstance(outcome, Accepted):
        return _acceptance("accept", outcome, now)
    if isinstance(outcome, Refused) and outcome.retry_after is None:
        closing = {"outcome": "refused", "code": outcome.code, "reason": outcome.reason, "ended_at": now}
        return _refused(publication, outcome, closing)
    looks = int(publication.get("looks", 0)) + 1
    overdue = now - publication["pending_since"] > rules.pending
    if overdue and publication.get("pending_for") != "by_hand":
        return decide_lost(publication, "平台一直没有给出结果", now)
    pause = outcome.check_after if isinstance(outcome, Pending) else timedelta(seconds=30)
    rarer = min(pause * min(2 ** min(looks, 8), 60), max(pause, LONGEST_LOOK))
    return Decision("wait", {"looks": looks, "look_at": now + rarer})


def decide_found(found_id: str, url: str | None, at: datetime | None, now: datetime) -> Decision:
    """The post was seen among the account's own."""
    return _acceptance("find", Accepted(found_id, url, at), now)


def decide_missing(
    publication: Document,
    now: datetime,
    lookup: str,
    settling: timedelta,
    seen_there: Missed | None = None,
    *,
    watched: timedelta = timedelta(0),
) -> Decision:
    """Looked and not seen: due again only where the platform's "not there" is trusted, twice, a settling time apart.

    `watched`: how long ago this worker did not see it first, by its own watch: clocks jump, and those of two workers
    differ. It is then pinned: exactly the same content under the same key goes out, or nothing without a person.
    """
    seen = int(publication.get("seen_missing", 0)) + 1
    looks_so_far = looked(publication, now, "missing", seen_there or Missed())
    if lookup == "trusted" and seen >= 2 and watched >= settling:
        fields = {
            "seen_missing": seen,
            "looked": looks_so_far,
            "look_at": None,
            "not_before": now,
            "expected_at": now,
            "pinned": True,
            "reason": "平台上两次查无此稿，用同一编号再发一次",
            "tries": int(publication.get("tries", 0)) + 1,
        }
        return Decision("miss_again", fields)
    looks = int(publication.get("looks", 0)) + 1
    return Decision(
        "miss",
        {
            "seen_missing": seen,
            "first_missing_at": publication.get("first_missing_at") or now,
            "looked": looks_so_far,
            "looks": looks,
            "look_at": next_look(looks, now, lookup, settling),
        },
    )


def decide_unseen(
    publication: Document,
    now: datetime,
    lookup: str,
    settling: timedelta,
    why: str = "",
    there: Missed | None = None,
    again: timedelta | None = None,
) -> Decision:
    """The look-up itself failed: nothing learnt, look again. `again`: none is left until then, so it is no look."""
    if again is not None:
        return Decision("miss", {"look_at": now + max(again, settling)})
    looks = int(publication.get("looks", 0)) + 1
    fields = {"looks": looks, "looked": looked(publication, now, "failed", there or Missed(), why)}
    return Decision("miss", {**fields, "look_at": next_look(looks, now, lookup, settling)})


LOOKS_WITHOUT_TRUST = 6
LONGEST_LOOK = timedelta(hours=1)  # between two looks for a verdict, but where the platform asks for longer
LOOKS_KEPT = 12


def looked(publication: Document, now: datetime, seen: str, there: Missed, why: str = "") -> list[dict[str, Any]]:
    """The publication's looks with this one, the newest few: when, what was seen or why not, what stood on top."""
    found = {"at": now, "seen": seen, "why": why, "newest": there.newest, "newest_at": there.newest_at}
    entry = {name: value for name, value in found.items() if value}
    return [*publication.get("looked", ()), entry][-LOOKS_KEPT:]


def next_look(looks: int, now: datetime, lookup: str, settling: timedelta) -> datetime | None:
    """When to look again: soon, then ever rarer; not for ever where a look-up proves little (quotas are small)."""
    if lookup == "none" or (lookup == "hint" and looks >= LOOKS_WITHOUT_TRUST):
        return None
    return now + settling * (1 if looks < 3 else min(2 ** (looks - 2), 30))


def decide_lapsed(publication: Document, now: datetime) -> Decision:
    """The lease ran out: whoever held it is gone, or too slow to be believed."""
    if publication["state"] == State.SENDING:
        return decide_lost(publication, "发送程序中断", now, event="lapse")
    return Decision("lapse", {"not_before": max(now, publication["at"])})


def decide_address(
    publication: Document, awaited: Document | None, fallback: str | None, now: datetime, rules: Rules
) -> Decision | None:
    """等网站地址: go on with the website's address or, after its time, the fall-back; or stop. None waits on."""
    if awaited is not None and awaited["state"] == State.PUBLISHED and awaited.get("url"):
        return Decision("address", {"link": awaited["url"], "not_before": max(now, publication["at"]), "reason": None})
    failed = awaited is None or awaited["state"] in (State.REFUSED, State.HELD, State.CANCELLED, State.REMOVED)
    if not failed and now - publication["waiting_since"] < rules.fallback:
        return None
    if not failed and fallback:
        fields = {"link": fallback, "link_is_fallback": True, "not_before": max(now, publication["at"]), "reason": None}
        return Decision("fall_back", fields)
    cause = "网站上的同一篇没有发出" if failed else "网站一直没有给出地址，也没有备用地址"
    tell = matters.no_address(publication, cause)
    fields = {"reason": tell.reason, "who": Who.EDITOR.value, "held_for": "address"}
    return Decision("no_address", fields, tell=tell)


def _acceptance(event: str, outcome: Accepted, now: datetime) -> Decision:
    closing = {"outcome": "accepted", "ended_at": now, "reason": outcome.note or ""}
    fields = {
        "external_id": outcome.external_id,
        "url": outcome.url,
        "published_at": outcome.at or now,
        "reason": None,
        "who": None,
        "look_at": None,
        "pinned": None,
    }
    return Decision(event, fields, closing)


def _taken(publication: Document, outcome: Pending, now: datetime, rules: Rules) -> Decision:
    fields = {
        "ticket": outcome.ticket,
        "pending_for": outcome.waits_for,
        "pending_since": now,
        "looks": 0,
        "woken": None,
        "look_at": now + outcome.check_after,
        "reason": outcome.reason or None,
        "pinned": None,
    }
    closing = {"outcome": "pending", "reason": outcome.reason, "ended_at": now}
    if outcome.waits_for == "audit":
        return Decision("take", fields, closing)
    return Decision("take", fields, closing, matters.by_hand(publication, outcome.reason))


def _refusal(
    publication: Document,
    outcome: Refused,
    now: datetime,
    chance: float,
    rules: Rules,
    closing: Mapping[str, Any] | None,
) -> Decision:
    if outcome.retry_after is None:
        return _refused(publication, outcome, closing)
    if outcome.spent:
        return decide_spent(publication, outcome.reason, outcome.retry_after, now, rules, closing)
    return _put_off(publication, outcome.reason, outcome.retry_after, now, chance, rules, closing)


def _refused(publication: Document, outcome: Refused, closing: Mapping[str, Any] | None) -> Decision:
    fields = {
        "reason": outcome.reason,
        "code": outcome.code,
        "who": outcome.who.value,
        "part": outcome.part or None,
        "picture": outcome.picture or None,
        "offer": None,
        "pinned": None,
    }
    if outcome.who is Who.NOBODY:  # certain, and nobody can do anything about it: it is read where one looks
        return Decision("refuse", fields, closing)
    return Decision("refuse", fields, closing, matters.refused(publication, outcome))


def _put_off(
    publication: Document,
    reason: str,
    asked: timedelta | None,
    now: datetime,
    chance: float,
    rules: Rules,
    closing: Mapping[str, Any] | None,
) -> Decision:
    """Back to `scheduled` for a later try, until the late limit, counted from the first try."""
    tries = int(publication.get("tries", 0))
    since = max(publication["at"], publication.get("first_tried_at") or now)
    again = now + pause_before(tries, chance, rules, asked)
    fields: dict[str, Any] = {
        "tries": tries + 1,
        "first_tried_at": publication.get("first_tried_at") or now,
        "reason": reason,
    }
    if again - since > rules.late or tries + 1 >= rules.tries:
        tell = matters.worn_out(publication, reason)
        return Decision("too_late", {**fields, "who": Who.ADMINISTRATOR.value}, closing, tell)
    return Decision("put_off", {**fields, "not_before": again, "expected_at": again}, closing)


def decide_spent(
    publication: Document,
    reason: str,
    wait: timedelta,
    now: datetime,
    rules: Rules,
    closing: Mapping[str, Any] | None = None,
) -> Decision:
    """额度用完: it waits until the platform counts anew, where its late rule lets it, and no try is counted.

    Where it may not wait so long, a person decides, with the moment from which it would go out.
    """
    again = now + wait
    since = max(publication["at"], publication.get("first_tried_at") or publication["at"])
    if publication.get("late") == "publish" or again - since <= rules.late:
        fields = {"reason": f"{reason}到时自动继续。", "not_before": again, "expected_at": again, "spent": True}
        return Decision("put_off", fields, closing)
    tell = matters.spent(publication, reason)
    held = {"reason": tell.reason, "who": Who.EDITOR.value, "spent": None, "held_for": "quota"}
    return Decision("too_late", held, closing, tell)


def closed_attempts(publication: Document, closing: Mapping[str, Any] | None) -> list[dict[str, Any]] | None:
    """The attempts with the newest one ended, or None where nothing changes; an ended one keeps its end.

    An `unknown` that was looked up later keeps both: how it ended and what was found.
    """
    attempts = [dict(attempt) for attempt in publication.get("attempts", [])]
    if closing is None or not attempts:
        return None
    newest = attempts[-1]
    if "outcome" in newest:
        newest["settled"] = dict(closing)
    else:
        newest.update(closing)
    return attempts
