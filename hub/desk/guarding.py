"""守望: the desk's own watch over its workers; where none lives it tells the people on duty itself, by bell and mail.

Notices are carried and mailed by workers. While none lives the desk does both in their place: the same duties, which
any number of processes may do beside each other, so a worker that wakes meanwhile disturbs nothing.
"""

from __future__ import annotations

import logging
from typing import Any

from hub.desk.beating import SWITCHES, last_beat
from hub.desk.carrying import carry
from hub.desk.desk import Desk
from hub.desk.noticing import send_mail
from hub.domain import outbox
from hub.domain.outage import SILENCE, SOON, WORKERS, Ahead, Telling, decide_telling, is_silent
from hub.domain.people import Actor, program
from hub.domain.rights import require
from hub.store import leases
from hub.store.base import Document

GUARD = program("guard")
EVERY = 10.0  # seconds between two looks
TO_SEND = ("scheduled", "waiting", "staging")

log = logging.getLogger(__name__)


class Guard:
    """One desk process's watch. Silence counts only where two looks in a row have met it: a machine that slept, or a
    clock that was set, lets the last beat look old for a moment."""

    def __init__(self) -> None:
        self._silent = 0

    async def run(self, desk: Desk) -> None:
        """Look for ever, from half a minute after the start on: workers start together with the desk."""
        await desk.clock.sleep(SILENCE.total_seconds())
        while True:
            try:
                await self.look(GUARD, desk)
            except Exception as error:  # an edge: the watch itself must not end
                log.error("the watch over the workers failed: %s", type(error).__name__)
            await desk.clock.sleep(EVERY)

    async def look(self, actor: Actor, desk: Desk) -> bool:
        """One look; whether somebody was told something."""
        require(actor, "workers.guard")
        beat, now = await last_beat(desk), desk.clock.now()
        silent = is_silent(beat, now)
        self._silent = self._silent + 1 if silent else 0
        if self._silent == 1:
            return False
        record = await desk.store.get(SWITCHES, WORKERS) or {"_id": WORKERS}
        if not silent and not record.get("told"):
            return False
        telling = decide_telling(record, beat, now, await _ahead(desk))
        said = telling is not None and await _tell(actor, desk, record, telling)
        if silent:
            await _carry_instead(actor, desk)
        return said


async def _ahead(desk: Desk) -> Ahead:
    """What is due now or within the hour."""
    where = {"state": {"$in": list(TO_SEND)}, "at": {"$lte": desk.clock.now() + SOON}}
    rows = await desk.store.find("publications", where, sort=[("at", 1)], limit=1, fields=("title", "account", "at"))
    if not rows:
        return Ahead(0)
    account: Document = await desk.store.get("accounts", str(rows[0]["account"])) or {}
    count = await desk.store.count("publications", where)
    return Ahead(count, str(rows[0]["title"]), str(account.get("name") or rows[0]["account"]), rows[0]["at"])


async def _tell(actor: Actor, desk: Desk, record: Document, telling: Telling) -> bool:
    """Written down and said in one change that names what was told before: of two desks one tells."""
    number = await leases.take(desk.store, "guard", desk.owner, desk.clock.now(), EVERY)
    if number is None:
        return False
    await desk.store.insert_new(SWITCHES, [{"_id": WORKERS}])
    unsaid = {"_id": WORKERS, "told": record.get("told"), "told_at": record.get("told_at")}
    update = outbox.noted({"$set": dict(telling.fields)}, *_rows(actor, desk, telling))
    return await desk.store.change(SWITCHES, unsaid, update) is not None


def _rows(actor: Actor, desk: Desk, telling: Telling) -> tuple[dict[str, Any], ...]:
    now, row = desk.clock.now(), desk.ids.new()
    people = ["duty", "role:sysadmin"]
    act = "workers.silent" if telling.fields["told"] else "workers.back"
    return (
        outbox.audit(desk.ids.new(), actor, act, WORKERS, now),
        outbox.event(desk.ids.new(), "workers.changed", WORKERS, now),
        outbox.notice(
            row, "workers", WORKERS, now, people=people, text=telling.text, link="/publications?tab=scheduled",
            key=telling.key,
        ),
    )  # fmt: skip


async def _carry_instead(actor: Actor, desk: Desk) -> None:
    await carry(actor, desk)
    await send_mail(actor, desk)
