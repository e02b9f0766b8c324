"""公开内容: what may become of one item on a PUT or DELETE, as pure decisions; the shelf carries them out.

The rules and their order are those of docs/channels/site.md. A decision is either a Refusal or the change to be made
against exactly the item that was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.site.bodies import Checked

Item = dict[str, Any]
PUBLIC, WITHDRAWN = "public", "withdrawn"
KEYS_KEPT = 200
PAGES: Mapping[str, str] = {"article": "/articles/", "column": "/columns/", "card": "/app/cards/"}


@dataclass(frozen=True)
class Put:
    """One PUT: `request` is the sha256 of the whole request body, which the key stands for."""

    kind: str
    id: str
    version: int
    key: str
    request: str
    correction: str = ""


@dataclass(frozen=True)
class Refusal:
    """Nothing was changed, and why."""

    status: int
    code: str
    detail: str
    version: int | None = None


@dataclass(frozen=True)
class Change:
    """What to write; `born` for an item that is not there yet. Empty `set`: nothing, the item stands as it is."""

    status: int
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    born: bool = False


Decision = Refusal | Change


def name_of(kind: str, id: str) -> str:
    return f"{kind}:{id}"


def decide_put(item: Item | None, put: Put, checked: Checked, now: datetime) -> Decision:
    """What this PUT does to the item as it stands."""
    if item is None:
        return Change(201, _newest(put, checked, now, ()) | {"published_at": now, "corrections": []}, born=True)
    known = next((each for each in item["keys"] if put.key and each["key"] == put.key), None)
    if known is not None:
        return Change(200) if known["request"] == put.request else Refusal(422, "key_reused", _KEY_REUSED)
    version = int(item["version"])
    if put.version < version:
        return Refusal(409, "older_version", f"网站上已是第 {version} 版，这一版较旧，没有改动。", version)
    if item["state"] == WITHDRAWN and put.correction:
        return Refusal(409, "withdrawn", "这一项已撤下，不能更正；要让它重新公开，请重新发布。", version)
    if item["state"] == WITHDRAWN and put.version == version:
        return Refusal(409, "withdrawn", f"第 {version} 版已撤下；要重新发布，请用更高的版本号。", version)
    if put.version == version:
        return _same_version(item, put, checked)
    return Change(200, _newer(item, put, checked, now), ("withdrawn_at", "note"))


_KEY_REUSED = "这个幂等键已用于另一份内容，没有改动。"


def _same_version(item: Item, put: Put, checked: Checked) -> Decision:
    # A file is its bytes, and its id is their hash: another name for the same bytes is no other file.
    if item["hash"] != checked.hash and put.kind != "file":
        return Refusal(409, "other_body", f"第 {put.version} 版已在网站上，内容与这一份不同。", put.version)
    return Change(200, {"keys": _with_key(item["keys"], put)}) if put.key else Change(200)


def _newer(item: Item, put: Put, checked: Checked, now: datetime) -> dict[str, Any]:
    changed = _newest(put, checked, now, item["keys"])
    if put.correction:
        changed["corrections"] = [*item["corrections"], {"at": now, "note": put.correction}]
    return changed


def _newest(put: Put, checked: Checked, now: datetime, keys: Any) -> dict[str, Any]:
    """The fields that a new version brings; `published_at` is not among them."""
    return {
        "version": put.version,
        "state": PUBLIC,
        "hash": checked.hash,
        "body": checked.text,
        "card": checked.card,
        "column": checked.card.get("column", ""),
        "terms": list(checked.terms),
        "text": checked.plain,
        "pinned_until": checked.pinned_until,
        "updated_at": now,
        "keys": _with_key(keys, put),
    }


def _with_key(keys: Any, put: Put) -> list[dict[str, Any]]:
    if not put.key:
        return list(keys)
    return [*keys, {"key": put.key, "version": put.version, "request": put.request}][-KEYS_KEPT:]


def decide_withdrawal(item: Item | None, version: int, note: str, now: datetime) -> Decision:
    """What a DELETE by a caller who saw this version does.

    A caller may have seen more than stands here, when a PUT of theirs is still on its way: the item then takes their
    version, so that the late PUT finds it withdrawn.
    """
    if item is None:
        return Refusal(404, "not_found", "网站上没有这一项。")
    if version < item["version"]:
        return Refusal(409, "older_version", f"网站上已是第 {item['version']} 版，没有撤下。", int(item["version"]))
    if item["state"] == WITHDRAWN:
        return Change(200, {"version": version}) if version > item["version"] else Change(200)
    gone = {"state": WITHDRAWN, "withdrawn_at": now, "note": note, "updated_at": now, "version": version}
    return Change(200, gone | {"terms": [], "text": "", "pinned_until": None})


def page_of(item: Item, base_url: str) -> str | None:
    """The public address of the item's page; None for kinds without one."""
    return f"{base_url}{PAGES[item['kind']]}{item['id']}" if item["kind"] in PAGES else None
