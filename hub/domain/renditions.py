"""缩小的图: which pictures of a publication go out as smaller renditions, and when that may be offered; pure.

What was approved is the content with the original picture. A rendition is the same picture with fewer bytes, made by
the program and recorded as original → rendition beside the publication: no edit, and so no other approval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.moves import Document, State

Json = Mapping[str, Any]
DOUBTFUL = (None, "unknown", "pending")


def recorded(publication: Document) -> dict[str, str]:
    """Original → rendition, by content address, as this publication is to go out."""
    return {str(one["of"]): str(one["sha256"]) for one in publication.get("renditions") or ()}


def original_of(publication: Document, sha256: str) -> str:
    """The approved picture behind what was sent: a rendition may be refused too."""
    found = (original for original, sent in recorded(publication).items() if sent == sha256)
    return next(found, sha256)


def replaced(blocks: Sequence[Json], renditions: Mapping[str, str]) -> list[dict[str, Any]]:
    """The blocks with every picture that has a rendition shown as that one."""
    return [_shown(block, renditions) for block in blocks]


def _shown(block: Json, renditions: Mapping[str, str]) -> dict[str, Any]:
    if block.get("kind") == "images":
        return {**block, "items": [_small(item, renditions) for item in block.get("items", ())]}
    return _small(block, renditions) if block.get("kind") == "img" else dict(block)


def _small(shown: Json, renditions: Mapping[str, str]) -> dict[str, Any]:
    media = str(shown.get("media", ""))
    return {**shown, "media": renditions.get(media, media)}


def may_be_mended(publication: Document) -> bool:
    """Refused because of a picture, and certain of every attempt: what may be public already is never sent changed."""
    if publication.get("state") != State.REFUSED or not publication.get("picture"):
        return False
    return not any(_in_doubt(attempt) for attempt in publication.get("attempts", ()))


def _in_doubt(attempt: Json) -> bool:
    outcome = (attempt.get("settled") or attempt).get("outcome")
    return outcome in DOUBTFUL
