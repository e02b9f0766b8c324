"""主题分类: the office's tree and the model that routes by it, filing a reply by hand; models are made in refiling.py.

One document of the switches names tree and model in force. A tree's file and document are durable before the pointer
names them. A model is of one tree: with another tree the names alone route, until one is trained or chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from hub.desk import casing, replies
from hub.desk.desk import Desk
from hub.desk.model import LOOK_EVERY
from hub.desk.pointing import Pointer
from hub.domain import outbox
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.renewal import SHIPPED
from hub.domain.rights import require
from hub.domain.topic_renewal import NAMES
from hub.store.base import Document, Store
from hub.store.files import Damaged, Files
from nlp.model_file import ModelFileError
from nlp.topic_model import read_topic_model
from nlp.topic_tree import BadRow, Tree, civic_tree, decoded, read_tree

TABLE, TREES, POINTER = "topic_models", "topic_trees", "topics"
LARGEST_TREE = 1_000_000  # bytes
BAD_KEPT = 20
BORN: Mapping[str, Any] = {
    "_id": POINTER, "version": 0, "tree": SHIPPED, "model": NAMES, "asked": None, "broken": None
}  # fmt: skip
IN_FORCE = Pointer(POINTER, BORN, "topics")
CHANGED = "别人刚换过分类表或模型，请刷新后再看。"


@dataclass(frozen=True)
class Filing:
    """What a process routes with: the tree as a table (None: the product's own) and a model's file (None: names)."""

    tree: str | None = None
    model: bytes | None = None


FilingNow = Callable[[], Awaitable[Filing]]


@dataclass(frozen=True)
class Brought:
    """A tree that was brought in: its document, and the rows that could not be used."""

    tree: Document
    bad: tuple[BadRow, ...]


async def in_force(actor: Actor, desk: Desk) -> Document:
    """Which tree and which model route, since when and by whom; `asked` is the training under way."""
    require(actor, "model.read")
    return await IN_FORCE.now(desk.store)


# ---- the tree


async def tree(actor: Actor, desk: Desk) -> Tree:
    """The tree in force, for choosing from."""
    require(actor, "reply.read")
    return await tree_of(desk, await IN_FORCE.now(desk.store))


async def routing_tree(actor: Actor, desk: Desk) -> Tree:
    """The same, for those who look after it and may not read replies."""
    require(actor, "model.read")
    return await tree_of(desk, await IN_FORCE.now(desk.store))


async def tree_of(desk: Desk, named: Mapping[str, Any]) -> Tree:
    """The tree that the pointer names; the product's own where its file is gone or damaged (the doctor says so)."""
    try:
        text = await _tree_text(desk.files, named["tree"])
    except Conflict:
        return civic_tree()
    return civic_tree() if text is None else _read(text)


@lru_cache(maxsize=4)
def _read(text: str) -> Tree:
    return read_tree(text)[0]


async def _tree_text(files: Files, id: str) -> str | None:
    """A tree's table, None for the product's own; Conflict where its file is gone or damaged."""
    if id == SHIPPED:
        return None
    try:
        content = await files.get(id)
    except Damaged:
        content = None
    if content is None:
        raise Conflict("这张分类表的文件不见了或坏了。请从备份取回，或换另一张。")
    return content.decode()


async def list_trees(actor: Actor, desk: Desk, *, limit: int = 20) -> list[Document]:
    """The trees that the office brought in, the newest first."""
    require(actor, "model.read")
    return await desk.store.find(TREES, {}, sort=[("at", -1)], limit=limit)


async def bring_tree(actor: Actor, desk: Desk, data: bytes, name: str = "") -> Brought:
    """换成本单位的分类表: rows that cannot be used are named, the rest is in force at once, routed by names alone.

    A tree's id is its file's name, so the same table brought twice is one tree.
    """
    require(actor, "topic.tree")
    found, bad = checked_tree(data)
    seen = await IN_FORCE.now(desk.store)
    text = found.written()
    id = await desk.files.put(text.encode())
    if id == seen["tree"]:
        raise Conflict("现在用的就是这张分类表。")
    shown = [{"line": row.line, "reason": row.reason} for row in bad[:BAD_KEPT]]
    row: Document = {
        "_id": id, "at": desk.clock.now(), "by": actor.id, "name": name[:100], "levels": list(found.levels),
        "bad": shown, "bad_count": len(bad),
    }  # fmt: skip
    await desk.store.insert_new(TREES, [row])
    await _take(actor, desk, seen, id, detail={"levels": list(found.levels), "bad": len(bad)})
    return Brought(row, tuple(bad))


def checked_tree(data: bytes) -> tuple[Tree, list[BadRow]]:
    """The tree of a table's bytes; Invalid with what to do where it is none."""
    if len(data) > LARGEST_TREE:
        raise Invalid("分类表太大。", (FieldError("file", "分类表最大 1 MB。请只留分类的几列，另存为 CSV。"),))
    try:
        found, bad = read_tree(decoded(data))
    except ValueError as trouble:
        raise Invalid("分类表读不了。", (FieldError("file", str(trouble)),)) from None
    if len(found.branches) < 2:
        said = "没有读到两个以上的一级分类。表头应为 一级分类,二级分类,三级分类，一行一个分类。"
        reason = f"第 {bad[0].line} 行：{bad[0].reason}。" if bad else ""
        raise Invalid("分类表用不了。", (FieldError("file", said + reason),))
    return found, bad


async def use_tree(actor: Actor, desk: Desk, id: str) -> Document:
    """换回这一张: a tree that was in force before, or the product's own."""
    require(actor, "topic.tree")
    seen = await IN_FORCE.now(desk.store)
    if id == seen["tree"]:
        raise Conflict("现在用的就是这张分类表。")
    if id != SHIPPED and await desk.store.get(TREES, id) is None:
        raise NotFound("没有这张分类表。")
    await _tree_text(desk.files, id)
    return await _take(actor, desk, seen, id)


async def _take(
    actor: Actor, desk: Desk, seen: Document, id: str, detail: Mapping[str, Any] | None = None
) -> Document:
    """The pointer takes a tree; a training under way was of the other one, and is given up."""
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, "topic.tree", id, now, detail={"from": seen["tree"], **(detail or {})})
    fields = {"tree": id, "model": NAMES, "by": actor.id, "since": now, "asked": None, "broken": None}
    after = await IN_FORCE.change(desk, seen, fields, row)
    if after is None:
        raise Conflict(CHANGED)
    return after


# ---- the model


async def use_topic_model(actor: Actor, desk: Desk, id: str) -> Document:
    """换回这一版, or the names alone. A training under way is given up, since it was measured against another."""
    require(actor, "model.use")
    seen = await IN_FORCE.now(desk.store)
    if id == seen["model"]:
        raise Conflict("现在用的就是这一版。")
    if id != NAMES:
        await _model_file(desk.files, await _kept(desk, id, seen["tree"]))
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, "topic.use", id, now, detail={"from": seen["model"]})
    fields = {"model": id, "by": actor.id, "since": now, "asked": None, "broken": None}
    after = await IN_FORCE.change(desk, seen, fields, row)
    if after is None:
        raise Conflict(CHANGED)
    return after


async def _kept(desk: Desk, id: str, of: str) -> Document:
    found = await desk.store.get(TABLE, id)
    if found is None or found["state"] != "kept":
        raise NotFound("没有这一版模型。")
    if found["tree"] != of:
        raise Conflict("这一版是按另一张分类表训练的。请先换回那张分类表。")
    return found


async def _model_file(files: Files, model: Mapping[str, Any]) -> bytes:
    """The model's file, known to load; Conflict with the reason where it does not."""
    try:
        content = await files.get(str(model["sha256"]))
        if content is None:
            raise Conflict("这一版模型的文件不见了。请从备份取回，或换另一版。")
        await asyncio.to_thread(read_topic_model, content)
    except Damaged:
        raise Conflict("这一版模型的文件坏了。请从备份取回，或换另一版。") from None
    except ModelFileError as trouble:
        raise Conflict(str(trouble)) from None
    return content


# ---- taking it up


class TopicsInForce:
    """What this process routes with: looks at the pointer every few seconds at most. Where a file does not load, what
    is left routes (names alone, or the product's tree), and whoever is on duty hears of it once."""

    def __init__(self) -> None:
        self._filing = Filing()
        self._named: tuple[str, str] = (SHIPPED, NAMES)
        self._looked_at: datetime | None = None

    async def look(self, actor: Actor, desk: Desk) -> Filing:
        """Tree and model in force now, or as they were a few seconds ago."""
        require(actor, "reply.analyse")
        now = desk.clock.now()
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._looked_at = now
            named = await IN_FORCE.now(desk.store)
            if (named["tree"], named["model"]) != self._named or named["broken"]:
                self._filing = await self._taken_up(desk, named)
                self._named = (named["tree"], named["model"])
        return self._filing

    async def _taken_up(self, desk: Desk, named: Document) -> Filing:
        text: str | None = None
        try:
            text = await _tree_text(desk.files, named["tree"])
            model = None if named["model"] == NAMES else await _kept(desk, named["model"], named["tree"])
            content = await _model_file(desk.files, model) if model else None
        except (Conflict, NotFound) as trouble:
            await _tell_broken(desk, named, trouble.message)
            return Filing(text)
        if named["broken"]:
            await IN_FORCE.change(desk, named, {"broken": None})
        return Filing(text, content)


async def _tell_broken(desk: Desk, named: Document, why: str) -> None:
    """Once: the next looks, and those of other processes, find it told."""
    if named["broken"]:
        return
    now, key = desk.clock.now(), f"topics.broken:{named['version']}"
    text = f"主题分类打不开，已改用能用的部分。{why}"
    row = outbox.notice(
        desk.ids.new(), "topics.broken", POINTER, now, people=["duty"], text=text, link="/topics", key=key
    )
    await IN_FORCE.change(desk, named, {"broken": {"at": now, "why": why}}, row)


async def condition(store: Store, files: Files) -> tuple[str, str]:
    """For the doctor: which tree and model are in force, and what is wrong with their files (nothing: they load)."""
    named = await IN_FORCE.now(store)
    try:
        await _tree_text(files, named["tree"])
        if named["model"] != NAMES:
            await _model_file(files, await store.get(TABLE, named["model"]) or {"sha256": "0" * 64})
    except Conflict as trouble:
        return "", trouble.message
    whose = "随产品的分类" if named["tree"] == SHIPPED else "本单位的分类表"
    return f"{whose}，{'只靠名称' if named['model'] == NAMES else '本单位训练的模型'}", ""


# ---- filing by hand


async def file_reply(actor: Actor, desk: Desk, id: str, said: str) -> Document:
    """改正主题: the node of the tree where a person says it belongs; the reading keeps its own word beside it.

    The reply's case, if it has one, takes the topic too: a second change of its own, and asked for again it is whole.
    """
    require(actor, "topic.write")
    found = await replies.reply(actor, desk, id)
    node = (await tree_of(desk, await IN_FORCE.now(desk.store))).find(said)
    if node is None:
        raise Invalid("分类表里没有这个主题。", (FieldError("topic", "请从列表里选一个；打几个字，列表会变短。"),))
    now = desk.clock.now()
    row = outbox.audit(desk.ids.new(), actor, "reply.file", id, now, detail={"topic": node.whole})
    filed = {
        "filed": node.whole, "filed_name": node.name, "filed_branch": node.branch, "filed_by": actor.id, "filed_at": now
    }  # fmt: skip
    after = await desk.store.change("replies", {"_id": id, "state": "read"}, outbox.noted({"$set": filed}, row))
    if after is None:
        raise Conflict("这条留言还没有分析完，请稍后再改。")
    if found.get("case"):
        await _file_case(actor, desk, str(found["case"]), node.name)
    return replies.shown(after)


async def _file_case(actor: Actor, desk: Desk, id: str, name: str) -> None:
    case = await desk.store.get(casing.TABLE, id)
    if case is not None and case.get("topic") != name:
        step = casing.entry(actor, "file", desk.clock.now(), name)
        await casing.change_case(desk, actor, case, step, {"topic": name})
