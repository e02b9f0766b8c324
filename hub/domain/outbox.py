"""发件箱: what must follow a change, written inside the changed document in the same write; desk carries it out.

A row is a dict with `id` (unique for ever), `kind` (audit, event, notice) and the fields of that kind. A change and its
rows are one write, so neither exists without the other; moving the rows on is repeatable because of their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.domain.people import Actor

Row = dict[str, Any]


def audit(
    id: str,
    actor: Actor,
    act: str,
    subject: str,
    at: datetime,
    *,
    result: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> Row:
    """审计: who did what to which document. `detail` holds ids, field names and hashes, never citizens' words."""
    return {
        "id": id,
        "kind": "audit",
        "actor": actor.id,
        "address": actor.address,
        "act": act,
        "subject": subject,
        "at": at,
        "result": result,
        "detail": dict(detail or {}),
    }


def event(id: str, name: str, subject: str, at: datetime, *, detail: Mapping[str, Any] | None = None) -> Row:
    """实时事件: wakes open pages, which then read what they may see; `detail` is safe for every role."""
    return {"id": id, "kind": "event", "name": name, "subject": subject, "at": at, "detail": dict(detail or {})}


def notice(
    id: str, matter: str, subject: str, at: datetime, *, people: list[str], text: str, link: str, key: str
) -> Row:
    """通知: one matter to some people (ids, or `duty` for whoever is on duty); one per person and `key`, ever."""
    return {
        "id": id,
        "kind": "notice",
        "matter": matter,
        "subject": subject,
        "at": at,
        "people": people,
        "text": text,
        "link": link,
        "key": key,
    }


def noted(update: Mapping[str, Any], *rows: Row) -> dict[str, Any]:
    """The update with these rows put into the document's outbox.

    `$push` takes one value per field, so rows go in as a parcel. `outbox_open` lets the carrier find the document,
    `outbox_count` lets it empty the box only if nothing came in meanwhile.
    """
    result: dict[str, Any] = {operator: dict(fields) for operator, fields in update.items()}
    if not rows:
        return result
    result.setdefault("$push", {})["outbox"] = {"rows": list(rows)}
    result.setdefault("$set", {})["outbox_open"] = True
    result.setdefault("$inc", {})["outbox_count"] = 1
    return result


def born(document: Mapping[str, Any], *rows: Row) -> dict[str, Any]:
    """A new document with these rows in its outbox from the first write on."""
    if not rows:
        return dict(document)
    return {**document, "outbox": [{"rows": list(rows)}], "outbox_open": True, "outbox_count": 1}
