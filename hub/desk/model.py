"""情感模型: which model reads and at which threshold, taking it up in each process, changing it by hand; new ones are
made in retraining.py.

One document of the switches names the model in force. Whoever changes it names the version that they saw, and a model's
file and document are durable before the pointer names them, so a crash leaves the old one or the new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.desk.desk import Desk
from hub.desk.pointing import Pointer
from hub.domain import outbox
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.renewal import LEAST_FOR_STEPS, MIDDLE, SHIPPED, STEPS, threshold_for
from hub.domain.rights import require
from hub.store.base import Document, Store
from hub.store.files import Damaged, Files
from nlp.model_file import ModelFileError
from nlp.sentiment import load_model, read_model

TABLE, POINTER = "models", "model"
LOOK_EVERY = timedelta(seconds=3)
BORN: Mapping[str, Any] = {
    "_id": POINTER, "version": 0, "model": SHIPPED, "threshold": MIDDLE, "asked": None, "broken": None
}  # fmt: skip
IN_FORCE = Pointer(POINTER, BORN, "model")
CHANGED = "模型刚被别人换过，请刷新后再看。"


@dataclass(frozen=True)
class Reading:
    """What a process reads with: the model's name, its file (None: the shipped one), and the threshold."""

    model: str = SHIPPED
    threshold: float = MIDDLE
    content: bytes | None = None


ModelNow = Callable[[], Awaitable[Reading]]


async def pointer(actor: Actor, desk: Desk) -> Document:
    """What is in force, since when and by whom; `asked` is the training under way."""
    require(actor, "model.read")
    return await IN_FORCE.now(desk.store)


# ---- changing it by hand


async def use_model(actor: Actor, desk: Desk, id: str) -> Document:
    """换回这一版: from now on this one reads. A training under way is given up, since it was measured against another;
    the button must work also while no worker lives."""
    require(actor, "model.use")
    seen = await IN_FORCE.now(desk.store)
    if id == seen["model"]:
        raise Conflict("现在用的就是这一版。")
    if id != SHIPPED:
        await _loaded(desk.files, await _kept(desk, id))
    figures = await figures_of(desk, id)
    threshold = threshold_for(seen["threshold"], figures["labels"] if figures else 0)
    now = desk.clock.now()
    detail = {"from": seen["model"], "to": id, "threshold": threshold}
    row = outbox.audit(desk.ids.new(), actor, "model.use", id, now, detail=detail)
    fields = {"model": id, "threshold": threshold, "by": actor.id, "since": now, "asked": None, "broken": None}
    after = await IN_FORCE.change(desk, seen, fields, row)
    if after is None:
        raise Conflict(CHANGED)
    return after


async def set_threshold(actor: Actor, desk: Desk, threshold: float) -> Document:
    """松紧: from which likelihood on a text counts as negative. Moved only where that was measured on enough labels."""
    require(actor, "model.use")
    if threshold not in STEPS:
        raise Invalid("请从几档里选一档。", (FieldError("threshold", f"可选：{'、'.join(map(str, STEPS))}。"),))
    seen = await IN_FORCE.now(desk.store)
    figures = await figures_of(desk, seen["model"])
    if threshold_for(threshold, figures["labels"] if figures else 0) != threshold:
        raise Conflict(f"在 {LEAST_FOR_STEPS} 条标注上量过以后才能调松紧，少了会跟着几条留言跑。")
    detail = {"from": seen["threshold"], "to": threshold}
    row = outbox.audit(desk.ids.new(), actor, "model.threshold", seen["model"], desk.clock.now(), detail=detail)
    after = await IN_FORCE.change(desk, seen, {"threshold": threshold}, row)
    if after is None:
        raise Conflict(CHANGED)
    return after


async def _kept(desk: Desk, id: str) -> Document:
    """A model that may be used; NotFound for one that was declined or never was."""
    found = await desk.store.get(TABLE, id)
    if found is None or found["state"] != "kept":
        raise NotFound("没有这一版模型。")
    return found


async def figures(actor: Actor, desk: Desk, id: str) -> Document | None:
    """The newest figures of a model on held-back labels, with the number of `labels`; None where nobody measured it."""
    require(actor, "model.read")
    return await figures_of(desk, id)


async def figures_of(desk: Desk, id: str) -> Document | None:
    """The same for the verbs; each has asked."""
    finished = {"base": id, "state": {"$in": ["kept", "declined"]}}
    for measured in await desk.store.find(TABLE, finished, sort=[("at", -1)], limit=1):
        return {"at": measured["at"], "labels": measured["label_count"], **measured["before"]}
    own = await desk.store.get(TABLE, id) if id != SHIPPED else None
    return {"at": own["at"], "labels": own["label_count"], **own["after"]} if own and own.get("after") else None


# ---- taking it up


async def _loaded(files: Files, model: Document) -> bytes:
    """The model's file, known to load; Conflict with the reason where it does not."""
    try:
        content = await files.get(str(model["sha256"]))
        if content is None:
            raise Conflict("这一版模型的文件不见了。请从备份取回，或换另一版。")
        await asyncio.to_thread(read_model, content)
    except Damaged:
        raise Conflict("这一版模型的文件坏了。请从备份取回，或换另一版。") from None
    except ModelFileError as trouble:
        raise Conflict(str(trouble)) from None
    return content


class InForce:
    """What this process reads with: looks at the pointer every few seconds at most, and takes no file that does not
    load: then the shipped model reads, and whoever is on duty hears of it once."""

    def __init__(self) -> None:
        self._reading = Reading()
        self._looked_at: datetime | None = None

    async def look(self, actor: Actor, desk: Desk) -> Reading:
        """The model in force now, or as it was a few seconds ago."""
        require(actor, "reply.analyse")
        now = desk.clock.now()
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._reading = await self._taken_up(desk)
            self._looked_at = now
        return self._reading

    async def _taken_up(self, desk: Desk) -> Reading:
        named = await IN_FORCE.now(desk.store)
        if named["model"] == SHIPPED:
            return Reading(threshold=named["threshold"])
        if named["model"] != self._reading.model or named["broken"]:
            return await self._read(desk, named)
        return Reading(named["model"], named["threshold"], self._reading.content)

    async def _read(self, desk: Desk, named: Document) -> Reading:
        try:
            content = await _loaded(desk.files, await _kept(desk, named["model"]))
        except (Conflict, NotFound) as trouble:
            await _tell_broken(desk, named, trouble.message)
            return Reading()
        if named["broken"]:
            await IN_FORCE.change(desk, named, {"broken": None}, model=named["model"])
        return Reading(named["model"], named["threshold"], content)


async def _tell_broken(desk: Desk, named: Document, why: str) -> None:
    """Once a model: the next looks, and those of other processes, find it told."""
    if named["broken"]:
        return
    now, key = desk.clock.now(), f"model.broken:{named['model']}:{named['version']}"
    text = f"情感模型打不开，已改用随产品的模型。{why}"
    row = outbox.notice(
        desk.ids.new(), "model.broken", POINTER, now, people=["duty"], text=text, link="/model", key=key
    )
    await IN_FORCE.change(desk, named, {"broken": {"at": now, "why": why}}, row, model=named["model"])


async def condition(
    store: Store, files: Files, shipped: Callable[[], object] = load_model
) -> tuple[str, str]:
    """For the doctor: which model is in force, and what is wrong with its file (nothing: it loads)."""
    try:
        await asyncio.to_thread(shipped)
    except (OSError, ModelFileError):
        return "", "随产品的模型打不开，读不了留言。请重新安装这一版程序。"
    named = await IN_FORCE.now(store)
    if named["model"] == SHIPPED:
        return "随产品的模型", ""
    found = await store.get(TABLE, str(named["model"]))
    try:
        await _loaded(files, found or {"sha256": "0" * 64})
    except Conflict as trouble:
        return "", trouble.message
    return "本单位训练的模型", ""
