"""重新训练: the office's labels into a model, measured before and after on labels held back, kept only if better.

A person asks; a worker claims the training under a lease, trains in a process of its own, and writes files, then the
document, then the pointer. Only the masked words are learnt from, and none of a confidential case: what a model holds
are short runs of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.desk.model import IN_FORCE, TABLE
from hub.desk.paging import Page, page
from hub.desk.pointing import in_own_process
from hub.desk.replies import LABELS, OPEN_WORDS
from hub.domain import outbox
from hub.domain.errors import Conflict
from hub.domain.people import Actor
from hub.domain.renewal import (
    LEAST_LABELS,
    MOST_LABELS,
    SHIPPED,
    STEPS,
    Verdict,
    at_threshold,
    threshold_for,
    verdict,
)
from hub.domain.rights import require
from hub.store.base import Document
from hub.store.files import Damaged
from nlp.renewal import Trial, trained, try_out
from nlp.training import Labelled

MOST_TRIES = 3
PAGE = 200
KINDS = ("comment", "post", "mention", "letter", "message")
FAILED = "训练了几次都没有做完，已停下。请系统管理员看后台任务的日志和内存；现在的模型照常用。"
UNMEASURED = "现在这一版用来比较的文件不见了或坏了，量不出好坏，所以没有训练。请从备份取回，或先换另一版。"
Run = Callable[..., Awaitable[Any]]  # runs a function of nlp.renewal somewhere beside the loop


@dataclass(frozen=True)
class Labels:
    """How many labels there are by kind and label, how many came since the last training began, and when that was."""

    counts: Mapping[tuple[str, str], int]
    new: int
    since: datetime | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


# ---- what a person sees and asks


async def labels_there(actor: Actor, desk: Desk) -> Labels:
    """标注: how many, each kind and label counted no further than training would take."""
    require(actor, "model.read")
    last = await desk.store.find(TABLE, {}, sort=[("at", -1)], limit=1, fields=["labels_until"])
    since = last[0].get("labels_until") if last else None
    counts = {pair: await _count(desk, *pair) for pair in _pairs()}
    new = sum([await _count(desk, *pair, labelled_at={"$gt": since}) for pair in _pairs()]) if since else None
    return Labels(counts, sum(counts.values()) if new is None else new, since)


def _pairs() -> list[tuple[str, str]]:
    return [(kind, label) for kind in KINDS for label in LABELS]


async def _count(desk: Desk, kind: str, label: str, **more: Any) -> int:
    where = {"kind": kind, "label": label, **OPEN_WORDS, **more}
    return await desk.store.count("replies", where, ceiling=MOST_LABELS)


async def list_models(actor: Actor, desk: Desk, *, cursor: str = "", limit: int = 20) -> Page:
    """Every training, the newest first: kept, declined or failed, with its figures."""
    require(actor, "model.read")
    return await page(desk, TABLE, {}, by="at", cursor=cursor or None, limit=limit)


async def retrain(actor: Actor, desk: Desk) -> Document:
    """重新训练: ask a worker for it; one at a time in the whole office."""
    require(actor, "model.train")
    total = (await _labels_for(actor, desk)).total
    if total < LEAST_LABELS:
        raise Conflict(f"标注只有 {total} 条，至少 {LEAST_LABELS} 条才训练得出、也量得出好坏。请先在留言页改正一些。")
    seen = await IN_FORCE.now(desk.store)
    if seen["asked"]:
        raise Conflict("正在训练，等这一次好了再说。")
    now, id = desk.clock.now(), desk.ids.new()
    asked = {"id": id, "by": actor.id, "at": now, "tries": 0, "lease_until": None, "lease_owner": None}
    row = outbox.audit(desk.ids.new(), actor, "model.train", id, now, detail={"labels": total})
    after = await IN_FORCE.change(desk, seen, {"asked": asked}, row)
    if after is None:
        raise Conflict("别人刚刚也点了，或换了模型。请刷新后再看。")
    return after


async def _labels_for(actor: Actor, desk: Desk) -> Labels:
    """Whoever may train may count, also a token that may not look at the page."""
    return Labels({pair: await _count(desk, *pair) for pair in _pairs()}, 0, None)


# ---- the worker's part


class Trainer:
    """The process beside this worker in which models are trained; it lives only while one is."""

    def __init__(self, own: Sequence[Labelled] | None = None, run: Run | None = None) -> None:
        self._own = own
        self._run = run or in_own_process

    async def tick(self, actor: Actor, desk: Desk) -> bool:
        """Train what was asked for, if nobody else does; whether there was something."""
        require(actor, "model.make")
        seen = await IN_FORCE.claim(desk)
        if seen is None:
            return False
        run = seen["asked"]
        model = await desk.store.get(TABLE, run["id"])  # there where a worker died between document and pointer
        if model is None and run["tries"] > MOST_TRIES:
            model = await _written(desk, {**_facts(desk, seen), "state": "failed", "why": FAILED})
        model = model or await IN_FORCE.under_lease(desk, run, self._made(desk, seen))
        if model is None:
            return True
        await desk.failpoints.reach("model.written")
        await _conclude(actor, desk, run, model)
        return True

    async def _made(self, desk: Desk, seen: Document) -> Document:
        """Try a model, decide, and only where it is kept train the one of all labels."""
        labels, until = await _collected(desk)
        try:
            base = await _base_file(desk, _base(seen))
        except Damaged:
            return await _written(desk, {**_facts(desk, seen), "state": "failed", "why": UNMEASURED})
        trial: Trial = await self._run(try_out, labels, base, STEPS, self._own)
        threshold = threshold_for(seen["threshold"], sum(trial.labels.values()))
        found = verdict(at_threshold(trial.before, threshold), at_threshold(trial.after, threshold))
        facts = {**_facts(desk, seen), **_measured(trial, found), "threshold": threshold, "labels_until": until}
        if found.keep:
            whole: bytes = await self._run(trained, labels, self._own)
            facts |= {"sha256": await desk.files.put(whole), "tried": await desk.files.put(trial.tried)}
            facts["size"] = len(whole)
        await desk.failpoints.reach("model.filed")
        return await _written(desk, facts)


async def _collected(desk: Desk) -> tuple[list[Labelled], datetime | None]:
    """The newest labels, newest first, and when the newest was given."""
    rows: list[Document] = []
    for kind, label in _pairs():
        oldest = rows[-1]["labelled_at"] if len(rows) >= MOST_LABELS else None
        rows += await _newest_of(desk, kind, label, oldest)
        rows = sorted(rows, key=lambda row: (row["labelled_at"], row["_id"]), reverse=True)[:MOST_LABELS]
    return [_labelled(row) for row in rows], rows[0]["labelled_at"] if rows else None


async def _newest_of(desk: Desk, kind: str, label: str, oldest: datetime | None) -> list[Document]:
    """Of one kind and label, in pages: as many as training takes, none older than what is taken already."""
    where: Document = {"kind": kind, "label": label, **OPEN_WORDS}
    wanted = ("title", "text", "kind", "label", "labelled_at")
    rows: list[Document] = []
    cursor: str | None = None
    while len(rows) < MOST_LABELS:
        part = await page(desk, "replies", where, by="labelled_at", cursor=cursor, limit=PAGE, fields=wanted)
        rows, cursor = [*rows, *part.rows], part.cursor
        if cursor is None or (oldest is not None and rows[-1]["labelled_at"] < oldest):
            break
    return rows


def _labelled(row: Document) -> Labelled:
    """As the reader gets it: the title before the words."""
    text = f"{row['title']}\n{row['text']}" if row.get("title") else str(row["text"])
    return Labelled(text, row["label"], row["kind"], office=True)


def _base(seen: Mapping[str, Any]) -> str:
    """The model that reads in truth."""
    return SHIPPED if seen["broken"] else str(seen["model"])


async def _base_file(desk: Desk, id: str) -> bytes | None:
    """The model in force as it was when measured: it has not learnt what is held back. None: the shipped one."""
    if id == SHIPPED:
        return None
    found = await desk.store.get(TABLE, id)
    content = await desk.files.get(str(found["tried"])) if found else None
    if content is None:
        raise Damaged(id)
    return content


def _facts(desk: Desk, seen: Mapping[str, Any]) -> Document:
    run = seen["asked"]
    return {"_id": run["id"], "by": run["by"], "asked_at": run["at"], "at": desk.clock.now(), "base": _base(seen)}


def _measured(trial: Trial, found: Verdict) -> Document:
    return {
        "state": "kept" if found.keep else "declined",
        "why": found.why,
        "before": trial.before,
        "after": trial.after,
        "labels": trial.labels,
        "own_texts": trial.own_texts,
        "label_count": sum(trial.labels.values()),
    }


async def _written(desk: Desk, model: Document) -> Document:
    await desk.store.insert_new(TABLE, [model])
    return model


async def _conclude(actor: Actor, desk: Desk, run: Mapping[str, Any], model: Document) -> None:
    """The pointer takes the new model, or keeps the old one, and whoever asked hears how it went. Where somebody
    changed the model meanwhile, theirs stands."""
    seen = await IN_FORCE.now(desk.store)
    if not seen["asked"] or seen["asked"]["id"] != run["id"]:
        return
    now = desk.clock.now()
    fields: Document = {"asked": None}
    if model["state"] == "kept":
        threshold = threshold_for(seen["threshold"], model["label_count"])
        fields |= {"model": model["_id"], "threshold": threshold, "by": run["by"], "since": now, "broken": None}
    detail = {"state": model["state"], "from": seen["model"], "sha256": model.get("sha256", ""), "asked_by": run["by"]}
    row = outbox.audit(desk.ids.new(), actor, "model.trained", model["_id"], now, detail=detail)
    key = f"model.trained:{model['_id']}"
    text = f"情感模型的训练有了结果。{model['why']}"
    told = outbox.notice(
        desk.ids.new(), "model.trained", model["_id"], now, people=[run["by"]], text=text, link="/model", key=key
    )
    await IN_FORCE.change(desk, seen, fields, row, told)
