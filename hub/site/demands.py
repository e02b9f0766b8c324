"""诉求: takes a demand and gives its code, finds it again by that code, and takes what is added and how it is rated.

Words are sealed before they are written, as letters are; what is shown here the hub has pushed, masked. A demand is on
no list, and its code stands in no address and no log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.case import CITIZEN_WORDS, KINDS, RATINGS
from hub.domain.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound, TooMany
from hub.domain.query_code import read as read_code
from hub.site.codes import Visit, proofs_of
from hub.site.items import PUBLIC
from hub.site.limits import LIMITS
from hub.site.routes import Site
from hub.site.shelf import body_of
from hub.store.base import Document

MOST_TEXT = 1_000
MOST_REASON = 200
LETTER_KINDS = {name: KINDS[name] for name in ("inquiry", "help", "complaint", "suggestion", "praise", "report")}
WAIT = "查询次数太多，请过几分钟再试；急事请打网站下方的电话。"
STAGES = ("受理", "办理", "答复", "评价")
_STAGE = {"new": 0, "accepted": 1, "assigned": 1, "in_hand": 1, "waiting_citizen": 1, "reopened": 1, "declined": 2,
          "answered": 2, "closed": 2}  # fmt: skip


# ---- asking


def plain_of(values: Mapping[str, str]) -> str:
    """What goes into the box: only what was filled in."""
    names = ("title", "text", "district", "place", "author", "contact", "kind", "via")
    kept = {name: values[name] for name in names if values.get(name)}
    return json.dumps({**kept, "agreed": True}, ensure_ascii=False)


async def take_demand(site: Site, values: Mapping[str, str], key: str, row: str) -> str:
    """Keep a demand that was found in order, durably, and give its code. `key` is the form's own, `row` its name."""
    plain, word = plain_of(values), values.get("word", "")
    code = site.codes.code_for(key, plain, word)
    await site.codes.keep(code, row, proofs_of(values.get("contact", ""), word))
    await site.inbox.drop("demand", row, plain)
    return code


# ---- looking up


async def look_up(site: Site, address: str, code: str, proof: str) -> Visit:
    """The visit that this code (and proof) opens. A wrong code and a wrong proof are counted; nothing tells them apart
    from absent ones but the sentence that a person needs."""
    await site.windows.admit("lookup", address)
    await _refuse_guessers(site, address)
    plain = read_code(code)
    if plain is None:
        raise Invalid("查询码不对。", (FieldError("query_code", "查询码共 13 位，请照提交时给您的再核对一遍。"),))
    row = await site.codes.find(plain)
    if row is None:
        await site.windows.note("wrong", address)
        await site.windows.note("wrongs")
        raise Invalid("没有查到。", (FieldError("query_code", "没有查到这个查询码，请再核对一遍。"),))
    proved = await _proved(site, row, proof)
    found = site.codes.visit(site.codes.admit(row["demand"], proved=proved))
    if found is None:
        raise Conflict("现在查不了，请再试一次。")
    return found


async def _refuse_guessers(site: Site, address: str) -> None:
    """Who looked for what is not there a few times waits; while the whole site is being guessed at, after one."""
    wrong = await site.windows.seen("wrong", address)
    guessed = await site.windows.seen("wrongs") >= LIMITS["wrongs"].times
    if wrong >= LIMITS["wrong"].times or (guessed and wrong):
        raise TooMany(WAIT, 60)


async def _proved(site: Site, row: Document, proof: str) -> bool:
    """Whether the writer is proved; no proof is none. Invalid for a wrong one, TooMany after a few."""
    if not proof.strip():
        return False
    if await site.windows.seen("proof", subject=row["demand"]) >= LIMITS["proof"].times:
        raise TooMany(LIMITS["proof"].sentence, 600)
    if not site.codes.proves(row, proof):
        await site.windows.note("proof", subject=row["demand"])
        raise Invalid("没有核对上。", (FieldError("proof", "与提交时留的不一致。不填也能看进度和答复。"),))
    return True


async def prove(site: Site, visit: Visit, proof: str) -> str:
    """The cookie of the same visit, proved."""
    row = await site.codes.row_of(visit.demand)
    if row is None:
        raise NotFound("没有这件诉求。")
    if not proof.strip():
        raise Invalid("请填写。", (FieldError("proof", "请填手机号后四位，或您自定的口令。"),))
    await _proved(site, row, proof)
    return site.codes.admit(visit.demand, proved=True)


# ---- what is shown


@dataclass(frozen=True)
class Progress:
    """A demand as its writer may read it. `stage`: which of STAGES it is in; `own` is empty for who proved nothing.

    `rateable`: the key of the answer that may be rated now, or empty.
    """

    number: str
    title: str
    said: str
    facts: list[str]
    stage: int
    due: str
    wanted: str
    answers: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    own: Mapping[str, Any]
    rateable: str
    may_reopen: bool
    may_prove: bool


async def progress(site: Site, visit: Visit) -> Progress:
    """What the hub has pushed of this demand, with the answers that lie here already."""
    item = await site.shelf.read("demand_status", visit.demand)
    body = body_of(item) if item is not None and item["state"] == PUBLIC else {}
    row = await site.codes.row_of(visit.demand) or {}
    answers = await _answers(site, visit, body)
    open_to_rate = [each["id"] for each in answers[-1:] if each.get("rated") is None]
    state = str(body.get("state") or "")
    ahead = state == "in_hand" and _ahead(answers, body)
    stage = 2 if ahead or (answers and state not in ("reopened", "in_hand")) else _STAGE.get(state, 0)
    return Progress(
        number=str(body.get("number") or ""), title=str(body.get("title") or "您的诉求"),
        said=CITIZEN_WORDS["answered"] if ahead else str(body.get("said") or "已送达，等工作人员接收"),
        facts=[str(body[name]) for name in ("district", "kind", "office") if body.get(name)],
        stage=4 if stage == 2 and answers and not open_to_rate else stage, due=str(body.get("due") or ""),
        wanted=str(body.get("wanted") or ""), answers=answers, steps=list(body.get("steps") or ()),
        own=(body.get("own") or {}) if visit.proved else {}, rateable=open_to_rate[0] if open_to_rate else "",
        may_reopen=state in ("answered", "closed", "declined"), may_prove=bool(row.get("proofs")) and not visit.proved,
    )  # fmt: skip


def _ahead(answers: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> bool:
    """Whether an answer lies here that the progress does not know of yet: other citizens are still waiting for it."""
    known = {each["id"] for each in body.get("answers") or ()}
    return any(each["id"] not in known for each in answers)


async def _answers(site: Site, visit: Visit, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Answers by their key, the oldest first: those brought to this demand, and those told beside its progress."""
    found = {str(each["id"]): dict(each) for each in body.get("answers") or ()}
    for item in await site.shelf.answers(visit.demand):
        brought = {"id": item["id"], "at": item["published_at"].isoformat(), "text": body_of(item)["text"]}
        found.setdefault(item["id"], brought)
    for key, each in found.items():
        row = await site.store.get("ratings", key)
        if row is not None:
            each["rated"] = row["level"]
    return sorted(found.values(), key=lambda each: str(each["at"]))


# ---- what is said after


def require_proof(visit: Visit) -> None:
    """Posting needs what its writer left."""
    if not visit.proved:
        raise NotAllowed("补充和评价须先核对手机号后四位，或您自定的口令。")


async def add_message(site: Site, visit: Visit, text: str, key: str, *, unsolved: bool) -> None:
    """补充, or 还没解决 with what is still wrong; sent twice it is one."""
    require_proof(visit)
    if not 2 <= len(text) <= MOST_TEXT:
        raise Invalid("请写明情况。", (FieldError("text", f"请写 2 到 {MOST_TEXT} 字。"),))
    await site.windows.admit("message", subject=visit.demand)
    plain = json.dumps({"text": text, **({"unsolved": True} if unsolved else {})}, ensure_ascii=False)
    await site.inbox.drop("message", key, plain, visit.demand)


async def rate(site: Site, visit: Visit, answer: str, level: int, reason: str) -> None:
    """One of five levels for one answer, once: whoever comes second is told so."""
    require_proof(visit)
    if level not in RATINGS:
        raise Invalid("请选一项。", (FieldError("level", "请从五项里选一项。"),))
    if len(reason) > MOST_REASON:
        raise Invalid("原因太长。", (FieldError("reason", f"请写在 {MOST_REASON} 字以内。"),))
    shown = await _answers(site, visit, await _pushed(site, visit))
    if answer not in [each["id"] for each in shown]:
        raise NotFound("没有这条答复。")
    if await site.store.get("ratings", answer) is not None:
        raise Conflict("这条答复已经评价过了。")
    plain = json.dumps({"answer": answer, "level": level, "reason": reason}, ensure_ascii=False)
    first = await site.inbox.drop("rating", f"rating-{answer}", plain, visit.demand)
    row = {"_id": answer, "demand": visit.demand, "level": level, "at": site.clock.now()}
    kept = await site.store.insert_new("ratings", [row])
    if not first and not kept.new:
        raise Conflict("这条答复已经评价过了。")


async def _pushed(site: Site, visit: Visit) -> Mapping[str, Any]:
    item = await site.shelf.read("demand_status", visit.demand)
    return body_of(item) if item is not None and item["state"] == PUBLIC else {}
