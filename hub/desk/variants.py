"""渠道版本: one revision as one account's channel is to see it, from the store; rendering lives in channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from channels.contract import Picture, Variant
from hub.desk.desk import Desk
from hub.domain.content import draft_of, files_of, package_hash
from hub.domain.renditions import replaced
from hub.store.base import Document

Json = Mapping[str, Any]


def package_of(content: Document, revision: Document) -> str:
    """The hash over everything that would go out of this content as it stands now."""
    return package_hash(str(revision["hash"]), content.get("variants", {}), files_of(draft_of(revision)))


def override_of(content: Document, account: str) -> Document | None:
    """The text written by hand for this account, if there is one."""
    override = content.get("variants", {}).get(account, {}).get("override")
    return dict(override) if override else None


async def revision_of(desk: Desk, content: str, number: int) -> Document | None:
    """One immutable revision."""
    return await desk.store.get("revisions", f"{content}:{number}")


async def variant_of(
    desk: Desk,
    revision: Document,
    *,
    override: Json | None,
    package: str,
    link: str | None,
    facts: Json | None = None,
    renditions: Mapping[str, str] | None = None,
) -> Variant:
    """One revision for one account, with what is known of its pictures; a picture that has a rendition here (original
    → rendition) goes out as that one, under the same package: the approval is the original's."""
    blocks = replaced(revision.get("blocks", ()), renditions or {})
    if override and override.get("blocks"):
        override = {**override, "blocks": replaced(override["blocks"], renditions or {})}
    pictures = await _pictures(desk, (override or {}).get("blocks") or blocks)
    meta = dict(revision.get("meta", {}))
    column = await desk.store.get("columns", str(revision.get("column", ""))) or {}
    known = {
        "kind": revision.get("kind", ""),
        "column": revision.get("column", ""),
        "column_name": column.get("name", ""),
        "author": meta.get("author_name", ""),
        "files": list(revision.get("files", ())),
    }
    return Variant(
        content_id=str(revision["content"]),
        revision=int(revision["number"]),
        hash=package,
        title=str(revision["title"]),
        digest=str(revision.get("digest", "")),
        blocks=blocks,
        pictures=pictures,
        meta={**meta, **known, **(facts or {})},
        link=link,
        override=override,
    )


def _shown(blocks: Sequence[Json]) -> Iterator[Json]:
    for block in blocks:
        if block.get("kind") == "img":
            yield block
        elif block.get("kind") == "images":
            yield from block.get("items", ())


async def missing_pictures(desk: Desk, blocks: Sequence[Json]) -> list[str]:
    """The pictures of these blocks that cannot be sent any more, by place and name, each once."""
    shown = [str(each["media"]) for each in _shown(blocks)]
    known = {each.sha256: each for each in await _pictures(desk, blocks)}
    found: dict[str, str] = {}
    for place, sha256 in enumerate(shown, 1):
        if sha256 not in known or not await desk.files.has(sha256):
            found.setdefault(sha256, known[sha256].named(place) if sha256 in known else f"第 {place} 张图")
    return list(found.values())


async def _pictures(desk: Desk, blocks: Sequence[Json]) -> list[Picture]:
    shown = list(_shown(blocks))
    names = sorted({str(each["media"]) for each in shown})
    rows = await desk.store.find("media", {"_id": {"$in": names}}, limit=200) if names else []
    media = {row["_id"]: row for row in rows}
    return [_picture(media[each["media"]], each) for each in shown if each["media"] in media]


def _picture(media: Document, shown: Json) -> Picture:
    return Picture(
        sha256=str(media["_id"]),
        type=str(media.get("type", "")),
        width=int(media.get("width", 0)),
        height=int(media.get("height", 0)),
        size=int(media.get("size", 0)),
        alt=str(shown.get("alt", "")),
        caption=str(shown.get("caption", "")),
        source=str(shown.get("source", "")),
        name=str(media.get("name", "")),
    )
