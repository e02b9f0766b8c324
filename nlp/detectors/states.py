"""States (监测状态): the version of a saved state, and how those of earlier versions are brought to it."""

from __future__ import annotations

import json
import zlib
from typing import Any

from nlp.detectors.rhythm import Rhythm

VERSION = 3


def pack(state: dict[str, Any]) -> bytes:
    """A state as it is saved."""
    text = json.dumps({"version": VERSION, **state}, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 3)


def unpack(body: bytes) -> dict[str, Any]:
    """A saved state of this version, or an older one made like it. ValueError where it is of another version."""
    found: dict[str, Any] = json.loads(zlib.decompress(body))
    version = found.get("version")
    if version == 1:
        found, version = _from_first(found), 2
    if version == 2:
        found, version = _from_second(found), VERSION
    if version != VERSION:
        raise ValueError(f"监测状态的版本是 {version}，这一版只认 {VERSION}。请从留言重新监测。")
    return found


def _from_first(found: dict[str, Any]) -> dict[str, Any]:
    """The first version knew no volume, no areas and no wordings: they are learned anew, its issues go on."""
    told = sorted((row["alerted_at"], row["number"]) for row in found["clusters"] if row["alerted_at"] is not None)
    clusters = [_cluster_from_first(row) for row in found["clusters"]]
    return {**found, "version": 2, "clusters": clusters, "volume": {}, "areas": [], "told": told, "gone": []}


def _cluster_from_first(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in ("title", "title_likeness")}
    lines = [(row["name"], row["title"])] if row["title"] else []
    return {**kept, "lines": lines, "heads": [], "area": None, "events": [[*event, []] for event in row["events"]]}


def _from_second(found: dict[str, Any]) -> dict[str, Any]:
    """The second version knew no rhythm (it is learned anew), in its beginning one level, and counted lone holders."""
    clusters = [_cluster_from_second(row) for row in found["clusters"]]
    volume = {"channels": found["volume"], "rhythm": Rhythm().state()}
    return {**found, "version": 3, "clusters": clusters, "volume": volume}


def _cluster_from_second(row: dict[str, Any]) -> dict[str, Any]:
    told = "yellow" if row["alerted_at"] is not None else None
    holders = {term: count for term, count in row["holders"].items() if count > 1}
    return {"told": told, **row, "holders": holders, "shown": row["level"] is not None, "fresh": 0}
