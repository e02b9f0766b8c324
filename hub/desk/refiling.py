"""主题模型的训练: what handlers filed by hand into a model of the tree in force, kept only if it routes better.

A person asks; a worker claims the training under a lease, trains in a process of its own, and writes files, then the
document, then the pointer. Every label measures once, by models that have not seen it. Only the masked words are learnt
from, and none of a confidential case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.desk.desk import Desk
from hub.desk.paging import Page, page
from hub.desk.pointing import in_own_process
from hub.desk.replies import OPEN_WORDS
from hub.desk.topics import IN_FORCE, TABLE, tree_of
from hub.domain import outbox
from hub.domain.errors import Conflict
from hub.domain.people import Actor
from hub.domain.rights import require
from hub.domain.topic_renewal import LEAST_LABELS, MOST_LABELS, NAMES, routed_of, topic_verdict
from hub.store.base import Document
from hub.store.files import Damaged
from nlp.topic_training import Filed, TopicTrial, trained_topics, try_out_topics
from nlp.topic_tree import Tree

MOST_TRIES = 3
PAGE = 200
FAILED = "训练了几次都没有做完，已停下。请系统管理员看后台任务的日志和内存；现在的分法照常用。"
UNMEASURED = "现在这一版用来比较的文件不见了或坏了，量不出好坏，所以没有训练。请从备份取回，或先换回只靠名称。"
Run = Callable[..., Awaitable[Any]]  # runs a function of nlp.topic_training somewhere beside the loop


@dataclass(frozen=True)
class TopicLabels:
    """How many were filed by hand under each first level of the tree in force, and how many since the last training."""

    counts: Mapping[str, int]
    new: int
    since: datetime | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


# ---- what a person sees and asks


async def topic_labels(actor: Actor, desk: Desk) -> TopicLabels:
    """标注: how many, each first level counted no further than training would take."""
    require(actor, "model.read")
    seen = await IN_FORCE.now(desk.store)
    last = await desk.store.find(TABLE, {"tree": seen["tree"]}, sort=[("at", -1)], limit=1, fields=["labels_until"])
    since = last[0].get("labels_until") if last else None
    counts = await _counts(desk, await tree_of(desk, seen))
    new = sum((await _counts(desk, await tree_of(desk, seen), since)).values()) if since else sum(counts.values())
    return TopicLabels(counts, new, since)


async def _counts(desk: Desk, tree: Tree, since: datetime | None = None) -> dict[str, int]:
    newer: Document = {"filed_at": {"$gt": since}} if since else {}
    return {
        name: await desk.store.count("replies", {"filed_branch": name, **OPEN_WORDS, **newer}, ceiling=MOST_LABELS)
        for name in tree.branches
    }


async def list_topic_models(actor: Actor, desk: Desk, *, cursor: str = "", limit: int = 20) -> Page:
    """Every training of every tree, the newest first: kept, declined or failed, with its figures."""
    require(actor, "model.read")
    return await page(desk, TABLE, {}, by="at", cursor=cursor or None, limit=limit)


async def retrain_topics(actor: Actor, desk: Desk) -> Document:
    """训练: ask a worker for it; one at a time in the whole office."""
    require(actor, "model.train")
    seen = await IN_FORCE.now(desk.store)
    counts = await _counts(desk, await tree_of(desk, seen))
    total = sum(counts.values())
    if total < LEAST_LABELS or sum(map(bool, counts.values())) < 2:
        raise Conflict(f"改正过主题的只有 {total} 条，至少要有分在两个大类里的 {LEAST_LABELS} 条，才量得出好坏。")
    if seen["asked"]:
        raise Conflict("正在训练，等这一次好了再说。")
    now, id = desk.clock.now(), desk.ids.new()
    asked = {"id": id, "by": actor.id, "at": now, "tries": 0, "lease_until": None, "lease_owner": None}
    row = outbox.audit(desk.ids.new(), actor, "topic.train", id, now, detail={"labels": total})
    after = await IN_FORCE.change(desk, seen, {"asked": asked}, row)
    if after is None:
        raise Conflict("别人刚刚也点了，或换了分类表。请刷新后再看。")
    return after


# ---- the worker's part


class TopicTrainer:
    """The process beside this worker in which topic models are trained; it lives only while one is."""

    def __init__(self, run: Run | None = None) -> None:
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
        await desk.failpoints.reach("topics.written")
        await _conclude(actor, desk, run, model)
        return True

    async def _made(self, desk: Desk, seen: Document) -> Document:
        """Try models, decide, and only where the new is better train the one of all labels."""
        tree = await tree_of(desk, seen)
        labels, until = await _collected(desk, tree)
        try:
            before = await _tried_before(desk, seen)
        except Damaged:
            return await _written(desk, {**_facts(desk, seen), "state": "failed", "why": UNMEASURED})
        trial: TopicTrial = await self._run(try_out_topics, labels, tree.written(), before)
        found = topic_verdict(routed_of(trial.before), routed_of(trial.after))
        facts = {
            **_facts(desk, seen), "state": "kept" if found.keep else "declined", "why": found.why,
            "before": trial.before, "after": trial.after, "label_count": sum(trial.labels.values()),
            "labels_until": until,
        }  # fmt: skip
        if found.keep:
            whole: bytes = await self._run(trained_topics, labels, tree.written())
            facts |= {"sha256": await desk.files.put(whole), "size": len(whole)}
            facts["tried"] = [await desk.files.put(part) for part in trial.tried]
        await desk.failpoints.reach("topics.filed")
        return await _written(desk, facts)


async def _collected(desk: Desk, tree: Tree) -> tuple[list[Filed], datetime | None]:
    """The newest labels under first levels of this tree, newest first, and when the newest was given."""
    rows: list[Document] = []
    for name in tree.branches:
        oldest = rows[-1]["filed_at"] if len(rows) >= MOST_LABELS else None
        rows += await _newest_of(desk, name, oldest)
        rows = sorted(rows, key=lambda row: (row["filed_at"], row["_id"]), reverse=True)[:MOST_LABELS]
    return [_filed(row) for row in rows], rows[0]["filed_at"] if rows else None


async def _newest_of(desk: Desk, branch: str, oldest: datetime | None) -> list[Document]:
    """Of one first level, in pages: as many as training takes, none older than what is taken already."""
    where: Document = {"filed_branch": branch, **OPEN_WORDS}
    wanted = ("title", "text", "filed_branch", "filed_at")
    rows: list[Document] = []
    cursor: str | None = None
    while len(rows) < MOST_LABELS:
        part = await page(desk, "replies", where, by="filed_at", cursor=cursor, limit=PAGE, fields=wanted)
        rows, cursor = [*rows, *part.rows], part.cursor
        if cursor is None or (oldest is not None and rows[-1]["filed_at"] < oldest):
            break
    return rows


def _filed(row: Document) -> Filed:
    """As the reader gets it: the title before the words."""
    text = f"{row['title']}\n{row['text']}" if row.get("title") else str(row["text"])
    return Filed(text, row["filed_branch"])


async def _tried_before(desk: Desk, seen: Mapping[str, Any]) -> list[bytes] | None:
    """The model in force as it was when measured, fold by fold; None: the names alone route."""
    if seen["model"] == NAMES or seen["broken"]:
        return None
    found = await desk.store.get(TABLE, seen["model"])
    parts = [await desk.files.get(name) for name in found["tried"]] if found else []
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        raise Damaged(str(seen["model"]))
    return known


def _facts(desk: Desk, seen: Mapping[str, Any]) -> Document:
    run = seen["asked"]
    base = NAMES if seen["broken"] else seen["model"]
    return {
        "_id": run["id"], "by": run["by"], "asked_at": run["at"], "at": desk.clock.now(), "tree": seen["tree"],
        "base": base,
    }  # fmt: skip


async def _written(desk: Desk, model: Document) -> Document:
    await desk.store.insert_new(TABLE, [model])
    return model


async def _conclude(actor: Actor, desk: Desk, run: Mapping[str, Any], model: Document) -> None:
    """The pointer takes the new model, or keeps the old one, and whoever asked hears how it went. Where somebody
    changed tree or model meanwhile, theirs stands."""
    seen = await IN_FORCE.now(desk.store)
    if not seen["asked"] or seen["asked"]["id"] != run["id"]:
        return
    now = desk.clock.now()
    fields: Document = {"asked": None}
    if model["state"] == "kept":
        fields |= {"model": model["_id"], "by": run["by"], "since": now, "broken": None}
    detail = {"state": model["state"], "from": seen["model"], "sha256": model.get("sha256", ""), "asked_by": run["by"]}
    row = outbox.audit(desk.ids.new(), actor, "topic.trained", model["_id"], now, detail=detail)
    told = outbox.notice(
        desk.ids.new(), "topic.trained", model["_id"], now, people=[run["by"]],
        text=f"主题模型的训练有了结果。{model['why']}", link="/topics", key=f"topic.trained:{model['_id']}",
    )  # fmt: skip
    await IN_FORCE.change(desk, seen, fields, row, told)
