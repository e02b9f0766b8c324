"""登记的手机: keeps which phones want to be told and for which districts, each once, its number sealed; pushes nothing.

A phone registers again whenever its number or its districts change; the newest word stands. A box that does not open is
kept as it came, like a letter's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from channels.contract import Json
from hub.desk.desk import Desk
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.sealing import CITIZEN, Unsealable

TABLE = "devices"
PURPOSE = "device"  # of the keyed fingerprint under which a phone is found again


async def register(actor: Actor, desk: Desk, account: str, rows: Sequence[Json]) -> int:
    """Keep what these rows of a site's inbox say; how many phones are new. Repeatable."""
    require(actor, "reply.take")
    return sum([await _keep(desk, account, row) for row in rows])


async def _keep(desk: Desk, account: str, row: Json) -> bool:
    now = desk.clock.now()
    try:
        said = _opened(desk, row)
    except (Unsealable, ValueError, TypeError, KeyError):
        kept = {"account": account, "box": str(row["sealed"]), "state": "unopened", "seen_at": now}
        await desk.store.change(TABLE, {"_id": f"box:{row['id']}"}, {"$set": kept}, upsert=True)
        return False
    number = said["registration_id"]
    id = desk.sealer.index(f"{account}:{number}", purpose=PURPOSE)
    sealed = desk.sealer.seal(number, table=TABLE, id=id, field="sealed", purpose=CITIZEN)
    known = await desk.store.get(TABLE, id) is not None
    fields = {
        "account": account, "sealed": sealed, "state": "registered", "platform": said["platform"],
        "districts": said["districts"], "seen_at": now,
    }  # fmt: skip
    update = {"$set": fields, "$setOnInsert": {"registered_at": now}}
    await desk.store.change(TABLE, {"_id": id}, update, upsert=True)
    return not known


def _opened(desk: Desk, row: Json) -> Mapping[str, Any]:
    found = json.loads(desk.sealer.open_box(str(row["sealed"]), table="inbox", id=str(row["id"]), field="sealed"))
    if not isinstance(found, dict):
        raise ValueError("a device is a mapping")
    words = {name: str(found[name]) for name in ("registration_id", "platform")}
    return {**words, "districts": [str(name) for name in found.get("districts") or ()]}
