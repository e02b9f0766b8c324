"""称呼: the names of people by their ids, for pages that say who did it; accounts and rights are in staffing.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.desk.desk import Desk
from hub.domain.people import Actor, Role
from hub.domain.rights import require

MOST = 500


async def names_of(actor: Actor, desk: Desk, ids: Iterable[str]) -> Mapping[str, str]:
    """Names by id; whoever is gone from the office is left out."""
    require(actor, "notice.read")
    wanted = sorted({id for id in ids if id})
    rows = await desk.store.find("users", {"_id": {"$in": wanted}}, limit=MOST, fields=("name",)) if wanted else []
    return {row["_id"]: str(row["name"]) for row in rows}


async def people_with(actor: Actor, desk: Desk, role: Role) -> list[tuple[str, str]]:
    """Id and name of everyone in this role, by name; for choosing who is to do something."""
    require(actor, "case.read")
    rows = await desk.store.find("users", {}, limit=MOST, fields=("name", "roles", "disabled", "department"))
    found = [row for row in rows if role in row.get("roles", ()) and not row.get("disabled")]
    named = [(row["_id"], f"{row['name']}（{row['department']}）" if row.get("department") else row["name"])
             for row in found]  # fmt: skip
    return sorted(named, key=lambda pair: str(pair[1]))


async def writers(actor: Actor, desk: Desk) -> list[tuple[str, str]]:
    """Id and name of everyone who may write, by name."""
    require(actor, "content.read")
    rows = await desk.store.find("users", {}, limit=MOST, fields=("name", "roles"))
    found = [(row["_id"], str(row["name"])) for row in rows if Role.EDITOR in row.get("roles", ())]
    return sorted(found, key=lambda pair: pair[1])
