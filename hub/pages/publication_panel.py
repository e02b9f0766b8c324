"""一条发布: the side of the publications page: its course, its evidence, and what this person may do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sanic import Request

from hub.clock import local
from hub.desk import naming, overview, publishing
from hub.desk.evidence import beside
from hub.desk.quieting import quiet_periods
from hub.desk.quotas import left_today
from hub.domain.moves import step_for
from hub.domain.rights import may
from hub.pages.board import CHANNELS
from hub.pages.concerns import concerns_of
from hub.pages.course import course_of
from hub.pages.proof import evidence_of
from hub.pages.publication_words import mend_words, named, silence_of
from hub.pages.routes import desk_of
from hub.pages.shell import actor_of
from hub.store.base import Document


async def panel_of(request: Request, id: str, accounts: dict[str, Document]) -> dict[str, Any]:
    desk, actor = desk_of(request), actor_of(request)
    row = await publishing.publication(actor, desk, id)
    line = await overview.line_of(actor, desk, str(row["content"]))
    seen = next((each for each in line.all() if each["_id"] == id), None) if line else None
    row["seen"] = seen["seen"] if seen else row["state"]
    known = await beside(actor, desk, row)
    names = await naming.names_of(actor, desk, sorted({*_people(row), *known.told}))
    account, acts = accounts.get(row["account"], {}), _acts(request, row)
    now, lefts = desk.clock.now(), await left_today(actor, desk, [str(row["account"])])
    return {
        "row": row,
        "account": named(row, accounts),
        "sign": CHANNELS.get(row["channel"], ("发", row["channel"])),
        "course": course_of(row, names, now, known),
        "concerns": concerns_of(actor, row),
        "evidence": evidence_of(row, lefts.get(row["account"], []), now, known),
        "pictures": sorted(row.get("renditions") or (), key=lambda one: int(one["place"])),
        "home": _web((account.get("settings") or {}).get("page_url")),
        "link": _web(row.get("url")),
        "mend": mend_words(row) if may(actor, "publication.release") else "",
        "acts": acts - {"resolve"},
        "resolve": "resolve" in acts,
        "operations": _stuck(row) if may(actor, "publication.resolve") else [],
        "at": f"{local(row['at']):%Y-%m-%dT%H:%M}",
        "reason": row.get("reason") or "",
        "quiet": await _quiet(request, row, now),
        "urgent": (row.get("urgent") or {}).get("reason") or "",
    }  # fmt: skip


async def _quiet(request: Request, row: Document, now: datetime) -> str:
    """What keeps it in, until when, and what its late rule does then."""
    silence = silence_of(row, await quiet_periods(actor_of(request), desk_of(request)), now)
    if silence is None:
        return ""
    return f"{silence.words}；超过时限的按“{publishing.LATE_WORDS.get(str(row.get('late')), '')}”处理。"


def _people(row: Document) -> set[str]:
    sayings = [(each.get("resolve") or {}).get("by") for each in (row, *row["operations"])]
    presses = [each["by"] for each in row.get("mended") or ()]
    found = {row.get("by"), *presses, *sayings, *(each["by"] for each in row["operations"])}
    return {str(each) for each in found if each}


def _stuck(row: Document) -> list[str]:
    return [str(each["_id"]) for each in row["operations"] if each["state"] in ("refused", "unknown")]


def _web(address: object) -> str:
    """An address that may stand behind a link; empty for anything else a platform may have said."""
    said = str(address or "")
    return said if said.startswith(("https://", "http://")) else ""


def _acts(request: Request, row: Document) -> frozenset[str]:
    """What this person may do with this publication as it stands."""
    actor, state = actor_of(request), str(row["state"])
    asked = {
        "move": ("content.schedule", "move"),
        "cancel": ("content.schedule", "cancel"),
        "hold": ("publication.hold", "hold"),
        "release": ("publication.release", "release"),
        "resolve": ("publication.resolve", "say_not_published"),
        "urge": ("quiet.write", "urge"),
    }
    acts = {name for name, (right, event) in asked.items() if may(actor, right) and step_for(state, event)}
    if row.get("urgent"):
        acts.discard("urge")
    if state in ("published", "unknown", "sending", "pending") and may(actor, "content.withdraw"):
        acts.add("withdraw")
    if state == "published" and may(actor, "content.correct"):
        acts.add("correct")
    return frozenset(acts)
