"""规则的查看与变更: policies in force, changing one, the second person for guarded ones; the figures are in domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.clock import Clock
from hub.desk.desk import Desk
from hub.domain import outbox, policy
from hub.domain.errors import Conflict, NotAllowed, NotFound
from hub.domain.people import Actor
from hub.domain.policy import POLICIES, Policy, Value
from hub.domain.rights import require
from hub.store.base import Document, Store


class StoredPolicies:
    """规则 from the store, with the default where nobody changed it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def value(self, name: str) -> Any:
        """What holds now; KeyError for a name that is no policy."""
        POLICIES[name]
        return policy.in_force(name, await self._store.get("policies", name), self._clock.now())


async def list_policies(actor: Actor, desk: Desk) -> list[tuple[Policy, Value, Document | None]]:
    """Every policy, what holds now, and its document (with what was proposed or begins tomorrow)."""
    require(actor, "policy.read")
    rows = await desk.store.find("policies", {}, limit=len(POLICIES) + 100)
    known: Mapping[str, Document] = {row["_id"]: row for row in rows}
    now = desk.clock.now()
    return [(one, policy.in_force(name, known.get(name), now), known.get(name)) for name, one in POLICIES.items()]


async def set_policy(actor: Actor, desk: Desk, name: str, value: Any) -> Document:
    """Change a figure at once, or propose it where the policy is guarded; its document afterwards."""
    require(actor, "policy.write")
    checked = policy.checked(name, value)
    old = await desk.store.get("policies", name)
    if POLICIES[name].guarded:
        proposal = {"value": checked, "by": actor.id, "at": desk.clock.now()}
        return await _write(actor, desk, name, old, {"proposal": proposal}, "policy.propose", checked)
    values = _change(desk, name, old, checked, actor.id) | {"from": desk.clock.now()}
    return await _write(actor, desk, name, old, values, "policy.set", checked)


async def confirm_policy(actor: Actor, desk: Desk, name: str, value: Any) -> Document:
    """Confirm somebody else's proposal; it holds from the next day on. `value` is what the confirming person saw."""
    require(actor, "policy.confirm")
    old = await desk.store.get("policies", name)
    proposal = (old or {}).get("proposal")
    if not proposal:
        raise NotFound("这条规则没有待确认的变更。")
    if proposal["by"] == actor.id:
        raise NotAllowed("自己提出的变更须由另一人确认。")
    if proposal["value"] != value:
        raise Conflict("提出的数值已经变了，请重新核对后再确认。")
    checked = policy.checked(name, value)
    values = _change(desk, name, old, checked, proposal["by"])
    values |= {"from": policy.next_day(desk.clock.now()), "proposal": None, "confirmed_by": actor.id}
    return await _write(actor, desk, name, old, values, "policy.confirm", checked)


async def drop_proposal(actor: Actor, desk: Desk, name: str) -> Document:
    """Take a proposal back, or turn it down."""
    require(actor, "policy.confirm")
    old = await desk.store.get("policies", name)
    if not (old or {}).get("proposal"):
        raise NotFound("这条规则没有待确认的变更。")
    return await _write(actor, desk, name, old, {"proposal": None}, "policy.drop", None)


def _change(desk: Desk, name: str, old: Document | None, value: Value, by: str) -> dict[str, Any]:
    now = desk.clock.now()
    return {"value": value, "previous": policy.in_force(name, old, now), "by": by, "at": now}


async def _write(
    actor: Actor, desk: Desk, name: str, old: Document | None, values: Mapping[str, Any], act: str, value: Any
) -> Document:
    """One change that names the version it was decided on."""
    version = 0 if old is None else int(old["version"])
    before = policy.in_force(name, old, desk.clock.now())
    row = outbox.audit(desk.ids.new(), actor, act, name, desk.clock.now(), detail={"from": before, "to": value})
    update = outbox.noted({"$set": {**values, "version": version + 1}}, row)
    where = {"_id": name, "version": version}
    if old is None:
        await desk.store.insert_new("policies", [{"_id": name, "version": 0}])
    written = await desk.store.change("policies", where, update)
    if written is None:
        raise Conflict("这条规则刚被别人改过，请刷新后再改。")
    return written
