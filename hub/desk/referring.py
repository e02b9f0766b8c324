"""可以参考、相近工单、此前: what helps with one case, found beside it by bounded questions; nothing is changed.

Of a confidential case nothing is looked for, and none is ever found. Of an earlier answer only the office's own words
are offered: no citizen's words, and no name that the answer greeted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub import wording
from hub.desk.casing import TABLE
from hub.desk.desk import Desk
from hub.domain.canned import quotable
from hub.domain.case import BAD, OPEN, require_sight
from hub.domain.likeness import LEAST, likeness
from hub.domain.people import Actor
from hub.domain.rights import may, require
from hub.domain.services import find_services
from hub.masking import mask_text
from hub.store.base import Document
from hub.store.search import asked_of, terms_of

TERMS, EACH = 4, 24  # words of a title that are looked up, and rows of each question
ANSWERS, SERVICES, SIMILAR = 3, 2, 5  # shown
DONE = ("answered", "closed")
PAST = 20  # earlier cases of one person that are looked at
SERVICE_FIELDS = ("name", "aliases", "department", "phone", "needs", "where", "hours", "link", "public")
CASE_FIELDS = ("title", "number", "state", "people", "topic", "district", "issue", "department", "rated", "round",
               "answered_at", "confidential")  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """One thing to look at or to quote. `key` names it to `quoted`; `note` is 服务, or how the answer was rated."""

    key: str
    title: str
    note: str
    href: str
    text: str


@dataclass(frozen=True)
class Beside:
    """What stands beside one case: references, open cases like it with per cent, the person's other cases."""

    references: list[Reference]
    similar: list[Document]
    before: list[Document]


async def beside(actor: Actor, desk: Desk, case_id: str, words: Sequence[Document] = ()) -> Beside:
    """Everything beside one case, for who may see it; `words` are what its citizens said, masked."""
    require(actor, "case.read")
    case = require_sight(actor, await desk.store.get(TABLE, case_id))
    if case["confidential"]:
        return Beside([], [], [])
    services = await _services(actor, desk)
    found = [_of_service(row) for row in _fitting(case, words, services)]
    like = await _like(desk, case)
    found += await _answers(desk, [row for row in like if row["state"] in DONE])
    return Beside(found, [row for row in like if row["state"] in OPEN][:SIMILAR], await _before(desk, case))


# ---- 服务事项


async def _services(actor: Actor, desk: Desk) -> list[Document]:
    """The directory, as far as it is public; a few hundred short rows at most."""
    if not may(actor, "service.read"):
        return []
    rows = await desk.store.find("services", {}, sort=[("_id", 1)], limit=500, fields=SERVICE_FIELDS)
    return [row for row in rows if row.get("public", True)]


def _fitting(case: Document, words: Sequence[Document], services: Sequence[Document]) -> list[Mapping[str, Any]]:
    """By everyday names, in the title first, then in what was said."""
    said = [str(case["title"]), *(str(row.get("text") or "") for row in words[:3])]
    found = {row["_id"]: row for text in said for row in find_services(text, services, SERVICES)}
    return list(found.values())[:SERVICES]


def _of_service(row: Mapping[str, Any]) -> Reference:
    parts = [("需要：", "needs"), ("地点：", "where"), ("时间：", "hours"), ("电话：", "phone"), ("网上办理：", "link")]
    said = [f"{label}{str(row[name]).rstrip('。')}。" for label, name in parts if row.get(name)]
    text = f"{row['name']}。" + "".join(said)
    return Reference(f"service:{row['_id']}", str(row["name"]), "服务", f"/services/{row['_id']}", text)


# ---- earlier answers


async def _answers(desk: Desk, found: Sequence[Document]) -> list[Reference]:
    """Answers of the closed cases most like it, well rated before unrated; what was rated badly is no example."""
    good = [row for row in found if (row.get("rated") or BAD + 1) > BAD]
    best = sorted(good, key=lambda row: (row["like"] // 10, row.get("rated") or 0), reverse=True)[:ANSWERS]
    return [each for row in best if (each := await _of_answer(desk, row)) is not None]


async def _of_answer(desk: Desk, row: Document) -> Reference | None:
    answer = await desk.store.get("answers", f"{row['_id']}:{row['round']}")
    if answer is None or answer["state"] not in ("delivered", "partly"):
        return None
    at = wording.short_day(row["answered_at"]) if row.get("answered_at") else ""
    title = " ".join(part for part in (str(row.get("department") or "") or str(row["number"]), at, "答复") if part)
    text = mask_text(quotable(str(answer["text"])))
    return Reference(f"answer:{row['_id']}", title, _rated(row), f"/cases/{row['_id']}", text)


def _rated(row: Document) -> str:
    words = {5: "非常满意", 4: "满意", 3: "基本满意"}
    return words.get(int(row.get("rated") or 0), "未评价")


async def quoted(actor: Actor, desk: Desk, case_id: str, key: str) -> str:
    """The text behind a reference, read anew; empty where it may not be quoted (any more)."""
    require(actor, "case.handle")
    require_sight(actor, await desk.store.get(TABLE, case_id))
    kind, _, id = key.partition(":")
    row = await desk.store.get({"service": "services", "answer": TABLE}.get(kind, TABLE), id)
    if row is None:
        return ""
    if kind == "service":
        return _of_service(row).text if row.get("public", True) else ""
    fits = not row["confidential"] and row["state"] in DONE
    found = await _of_answer(desk, row) if fits else None
    return found.text if found else ""


# ---- cases like it


async def _like(desk: Desk, case: Document) -> list[Document]:
    """Cases with their `like`, the likest first: candidates by issue, place and topic, and words; then compared.

    Each question walks one index and stops after a few rows, so states are told apart only here: asked for in the
    question they would make the store sort a whole archive.
    """
    terms = terms_of(str(case["title"]))
    asked: list[Mapping[str, Any]] = [{"issue": case["issue"]}] if case.get("issue") else []
    asked += [{"topic": case["topic"], "district": case.get("district")}] if case.get("topic") else []
    asked += [{"confidential": False, "terms": term} for term in _telling(terms)]
    found: dict[str, Document] = {}
    for where in asked:
        rows = await desk.store.find(TABLE, where, sort=[("changed_at", -1)], limit=EACH, fields=CASE_FIELDS)
        found |= {row["_id"]: row for row in rows if not row["confidential"] and row["_id"] != case["_id"]}
    rated = [{**row, "like": likeness(case, row, terms, terms_of(str(row["title"])))} for row in found.values()]
    return sorted((row for row in rated if row["like"] >= LEAST), key=lambda row: (-row["like"], row["_id"]))


def _telling(terms: Sequence[str]) -> list[str]:
    """A few words of a title, spread over it: its beginning is often only a place."""
    pairs = asked_of(" ".join(terms)) or list(terms)
    step = max(1, len(pairs) // TERMS)
    return pairs[::step][:TERMS]


# ---- 此前


async def _before(desk: Desk, case: Document) -> list[Document]:
    """The other cases of whoever this one came from, the newest first; several people have no one past."""
    first = await desk.store.find("replies", {"case": case["_id"]}, sort=[("at", 1)], limit=1, fields=("author_key",))
    if not first or not first[0].get("author_key"):
        return []
    where = {"author_key": first[0]["author_key"]}
    rows = await desk.store.find("replies", where, sort=[("at", -1)], limit=PAST, fields=("case",))
    ids = [id for id in dict.fromkeys(str(row.get("case") or "") for row in rows) if id and id != case["_id"]]
    if not ids:
        return []
    cases = await desk.store.find(TABLE, {"_id": {"$in": ids}}, limit=PAST, fields=CASE_FIELDS)
    return sorted((row for row in cases if not row["confidential"]), key=lambda row: row["number"], reverse=True)
