"""图片压缩后再发: a smaller rendition of a picture that a channel refused, and the same publication released with it.

The worker makes the renditions, so that the page can say how small; a person presses. What was approved stays what
goes out: a rendition is the approved picture with fewer bytes, recorded as original → rendition in the publication, in
the audit and beside the file. Nothing is offered for what may be public already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.contract import Capabilities, Channel, Picture, Prepared, Variant
from hub.desk import ledger, variants
from hub.desk.desk import Desk, connected
from hub.desk.picturing import LARGEST_PICTURE, Drawing, Drawn
from hub.desk.publishing import released
from hub.domain.errors import Conflict, HubError, NotFound
from hub.domain.holding import is_approved
from hub.domain.outbox import audit, born, event, noted
from hub.domain.people import Actor
from hub.domain.publication import Decision
from hub.domain.renditions import may_be_mended, original_of, recorded
from hub.domain.rights import require
from hub.store.base import Document

TABLE = ledger.PUBLICATIONS
BATCH = 5
LATELY = timedelta(days=7)  # an older refusal is drawn when somebody presses
CHANGED = "这条发布刚刚有了变化，请刷新后再看。"
Renditions = list[Document]  # `of` the original: what goes out in its place, where in the text, how large it was


@dataclass(frozen=True)
class _Sheet:
    """The content as it would be sent now, on the account's channel."""

    channel: Channel
    package: str
    revision: Document
    override: Document | None


class Smaller:
    """What this process draws smaller for refused publications, so that the figure is known before anybody presses."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing

    async def tick(self, actor: Actor, desk: Desk) -> int:
        """An offer for each refusal of a picture that has none yet; one that cannot be drawn says why."""
        require(actor, "rendition.make")
        lately = {"$gte": desk.clock.now() - LATELY}
        where = {"state": "refused", "at": lately, "picture": {"$gt": ""}, "offer": None}
        rows = await desk.store.find(TABLE, where, sort=[("at", -1)], limit=BATCH)
        for row in rows:
            await _offer(desk, row, await _made(actor, desk, self._drawing, row))
        return len(rows)

    def close(self) -> None:
        self._drawing.close()


async def _made(actor: Actor, desk: Desk, drawing: Drawing, publication: Document) -> Document:
    now = desk.clock.now()
    try:
        sheet = await _sheet(desk, publication)
        made = await _smaller(actor, desk, drawing, publication, sheet)
    except HubError as error:
        return {"at": now, "failed": error.message}
    return {"at": now, "package": sheet.package, "renditions": made}


async def _offer(desk: Desk, publication: Document, offer: Document) -> None:
    where = {**ledger.expected(publication), "picture": publication["picture"]}
    row = event(desk.ids.new(), "publication.changed", str(publication["_id"]), desk.clock.now())
    await desk.store.change(TABLE, where, noted({"$set": {"offer": offer}}, row))


# ---- what would be sent


async def _sheet(desk: Desk, publication: Document) -> _Sheet:
    """Raises Conflict where it could not go out now, whatever its pictures."""
    account = await desk.store.get("accounts", str(publication["account"]))
    content = await desk.store.get("contents", str(publication["content"]))
    number = int((content or {}).get("revision", 0))
    revision = await variants.revision_of(desk, str(publication["content"]), number)
    channel = connected(desk, account) if account else "没有这个账号。"
    if content is None or revision is None or isinstance(channel, str):
        raise Conflict(channel if isinstance(channel, str) else "稿件的这一版已不在。")
    package = variants.package_of(content, revision)
    if not is_approved(content, package):
        raise Conflict("稿件有了改动，要先审签。审签后再重新发送。")
    return _Sheet(channel, package, revision, variants.override_of(content, str(publication["account"])))


async def _variant(desk: Desk, sheet: _Sheet, publication: Document, renditions: Mapping[str, str]) -> Variant:
    """What would be sent with these renditions, original → what is sent, in place of its pictures."""
    return await variants.variant_of(
        desk,
        sheet.revision,
        override=sheet.override,
        package=sheet.package,
        link=publication.get("link"),
        renditions=renditions,
    )


async def _smaller(actor: Actor, desk: Desk, drawing: Drawing, publication: Document, sheet: _Sheet) -> Renditions:
    """Every picture that stands in the way, made smaller; Invalid where something else is in the way too."""
    before: Renditions = list(publication.get("renditions") or ())
    variant = await _variant(desk, sheet, publication, recorded(publication))
    wrong = {one.picture for one in _blocking(sheet.channel.prepare(variant))} | {publication["picture"]}
    made: Renditions = []
    for place, picture in enumerate(variant.pictures, 1):
        original = original_of(publication, picture.sha256)
        if picture.sha256 in wrong and all(one["of"] != original for one in made):
            facts = await _rendition(actor, desk, drawing, sheet.channel.capabilities, original, picture)
            made.append({"of": original, "place": place, **facts})
    if not made:
        raise Conflict("稿件里已没有这张图。请重新发送。")
    anew = {one["of"] for one in made}
    whole = [*(one for one in before if one["of"] not in anew), *made]
    await _check(desk, publication, sheet, whole)
    return whole


def _blocking(prepared: Prepared) -> list[Any]:
    return [problem for problem in prepared.problems if problem.severity == "block"]


async def _check(desk: Desk, publication: Document, sheet: _Sheet, made: Renditions) -> None:
    sent = recorded({"renditions": made})
    left = _blocking(sheet.channel.prepare(await _variant(desk, sheet, publication, sent)))
    if left:
        raise Conflict(f"压缩图片还不够：{left[0].message}。请先修改稿件。")


async def _rendition(
    actor: Actor, desk: Desk, drawing: Drawing, able: Capabilities, original: str, sent: Picture
) -> Document:
    """One picture below what the channel declares, kept as a file of its own that names its original."""
    row, content = await desk.store.get("media", original), await desk.files.get(original)
    if row is None or content is None:
        raise NotFound("原图的文件不见了。请在稿件里重新上传。")
    pixels = able.limits.get("picture_pixels")
    drawn = await drawing.fit(content, str(row["type"]), _most(able, sent), pixels.value if pixels else 0)
    kept = await _keep(actor, desk, drawn, row)
    facts = {"type": drawn.type, "width": drawn.width, "height": drawn.height, "size": len(drawn.content)}
    return {"sha256": kept, **facts, "was": int(row.get("size", 0)), "name": str(row.get("name", ""))}


def _most(able: Capabilities, sent: Picture) -> int:
    """Below the declared limit; where the platform refused what is below it, at half of what was sent."""
    declared = able.limits.get("picture_bytes")
    most = declared.value if declared else LARGEST_PICTURE
    fits = sent.size < most and (not able.picture_types or sent.type in able.picture_types)
    return sent.size // 2 if fits else most


async def _keep(actor: Actor, desk: Desk, drawn: Drawn, original: Document) -> str:
    sha256, now = await desk.files.put(drawn.content), desk.clock.now()
    document = {
        "_id": sha256, "type": drawn.type, "width": drawn.width, "height": drawn.height, "sizes": {},
        "size": len(drawn.content), "name": original.get("name", ""), "by": actor.id, "at": now,
        "rendition_of": original["_id"],
    }  # fmt: skip
    detail = {"of": original["_id"], "size": len(drawn.content)}
    row = audit(desk.ids.new(), actor, "media.rendition", sha256, now, detail=detail)
    await desk.store.insert_new("media", [born(document, row)])
    return sha256


# ---- a person's press


async def mend(actor: Actor, desk: Desk, drawing: Drawing, publication_id: str) -> Document:
    """压缩并重发: the same publication, due now under a new key, with smaller pictures; what waited for its address
    and was held for that goes on too. Conflict where it was not refused for a picture, or may be public already."""
    require(actor, "publication.release")
    found = await desk.store.get(TABLE, publication_id)
    if found is None:
        raise NotFound("没有找到这条发布。")
    if not may_be_mended(found):
        raise Conflict("只有因为图片被拒绝、确定没有公开的，才能压缩后重发。")
    sheet = await _sheet(desk, found)
    renditions = await _ready(actor, desk, drawing, found, sheet)
    after = await _released(actor, desk, found, renditions)
    await _release_hanging(actor, desk, publication_id)
    return after


async def _ready(actor: Actor, desk: Desk, drawing: Drawing, found: Document, sheet: _Sheet) -> Renditions:
    """What the worker has made, as long as it is of this very content; else made now."""
    offer = found.get("offer") or {}
    if offer.get("renditions") and offer.get("package") == sheet.package:
        return list(offer["renditions"])
    return await _smaller(actor, desk, drawing, found, sheet)


async def _released(actor: Actor, desk: Desk, found: Document, renditions: Renditions) -> Document:
    """A new key: the refusal was certain and what is sent is not the same. What the old key staged goes with it."""
    now = desk.clock.now()
    mended = [*(found.get("mended") or ()), _press(actor, found, renditions, now)]
    anew = {"pinned": None, "staged": None, "key": desk.ids.new(), "renditions": renditions, "mended": mended}
    fields = {**released(now, now), **anew}
    told = [f"{one['of']} → {one['sha256']}" for one in renditions]
    same = {"picture": found["picture"], "key": found["key"]}
    decision = Decision("mend", fields)
    after = await ledger.move(desk, actor, TABLE, found, decision, where=same, detail={"renditions": told})
    if after is None:
        raise Conflict(CHANGED)
    return after


def _press(actor: Actor, found: Document, renditions: Renditions, now: datetime) -> Document:
    """For the course: who pressed when, what that answered, and from how much to how much each picture went."""
    attempts = found.get("attempts") or ()
    sizes = [{name: one[name] for name in ("place", "was", "size")} for one in renditions]
    answered = {"reason": found.get("reason"), "refused_at": found.get("changed_at")}
    prepared = not attempts or attempts[-1].get("ended_at") != found.get("changed_at")
    return {"by": actor.id, "at": now, **answered, "prepared": prepared, "sizes": sizes}


async def _release_hanging(actor: Actor, desk: Desk, publication_id: str) -> None:
    """Those that were held because this one had no address: each by its own move, and none that a person held."""
    now = desk.clock.now()
    where = {"waits_for": publication_id, "state": "held", "held_for": "address"}
    for row in await desk.store.find(TABLE, where, limit=50):
        decision = Decision("release", {**released(now, now), "pinned": None})
        await ledger.move(desk, actor, TABLE, row, decision, detail={"with": publication_id})
