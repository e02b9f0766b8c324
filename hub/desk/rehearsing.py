"""演练: asking for an incident in a demonstration; the crowd that plays it lives in hub.demo."""

from __future__ import annotations

from hub.desk.desk import Desk
from hub.domain import outbox
from hub.domain.errors import Conflict, Invalid
from hub.domain.people import Actor
from hub.domain.rights import require

NAME = "incident"


async def ask_for_incident(actor: Actor, desk: Desk) -> None:
    """开始一起突发事件: the crowd begins within seconds. Conflict while one is being played."""
    require(actor, "alert.act")
    if not desk.demo:
        raise Invalid("只有演练环境可以开始突发事件。")
    now = desk.clock.now()
    await desk.store.insert_new("switches", [{"_id": NAME, "state": "idle"}])
    row = outbox.audit(desk.ids.new(), actor, "incident.ask", NAME, now)
    idle = {"_id": NAME, "state": "idle"}
    change = {"$set": {"state": "asked", "at": now, "by": actor.id}}
    if await desk.store.change("switches", idle, outbox.noted(change, row)) is None:
        raise Conflict("演练事件正在进行，留言会在几分钟内陆续到来。")


async def begin_incident(actor: Actor, desk: Desk) -> bool:
    """Whether somebody asked and nobody plays it yet: then it is this caller's to play."""
    require(actor, "incident.play")
    asked = {"_id": NAME, "state": "asked"}
    return await desk.store.change("switches", asked, {"$set": {"state": "playing"}}) is not None


async def end_incident(actor: Actor, desk: Desk) -> None:
    """The crowd has said everything; it may be asked for again."""
    require(actor, "incident.play")
    await desk.store.change("switches", {"_id": NAME, "state": "playing"}, {"$set": {"state": "idle"}})
