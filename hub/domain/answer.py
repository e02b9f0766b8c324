"""答复: what is said back; its states and moves, one approval by another person for one text, and how it may travel.

The approval is bound to the digest of the text. An edit voids it. Each citizen of a case gets one delivery of it, kept
in the ledger of publications (moves.py); which way it goes next after a certain refusal is decided here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.errors import Conflict, FieldError, Invalid, NotAllowed
from hub.domain.people import Actor, Role
from hub.domain.personal import BANK_CARD, ID_CARD, MOBILE, NAMES, PLATE, find_personal

Document = Mapping[str, Any]

STATES: Mapping[str, str] = {
    "draft": "草稿",
    "in_review": "送审中",
    "approved": "已通过",
    "delivering": "送达中",
    "delivered": "已送达",
    "partly": "部分送达",
    "failed": "未能送达",
}
OUT = frozenset({"delivering", "delivered", "partly", "failed"})  # it has left, or is leaving
LONGEST, LONGEST_SHORT, SHORTEST = 2_000, 140, 10
SHORT_ON = frozenset({"weibo"})  # where the short form is said instead of the whole
_NEVER = {MOBILE, ID_CARD, BANK_CARD, PLATE}  # an answer stands on a page behind a code, perhaps before many people


@dataclass(frozen=True)
class Move:
    """One legal move of an answer: in `state`, on `event`, to `to`; `act` is the right it needs."""

    state: str
    event: str
    to: str
    act: str


MOVES = (
    Move("draft", "edit", "draft", "case.handle"),
    Move("in_review", "edit", "draft", "case.handle"),
    Move("approved", "edit", "draft", "case.handle"),
    Move("draft", "submit", "in_review", "case.handle"),
    Move("in_review", "approve", "approved", "answer.review"),
    Move("in_review", "return", "draft", "answer.review"),
    Move("approved", "return", "draft", "answer.review"),
    Move("approved", "send", "delivering", "answer.send"),
    Move("delivering", "deliver", "delivered", "delivery.send"),
    Move("delivering", "deliver_partly", "partly", "delivery.send"),
    Move("delivering", "fail", "failed", "delivery.send"),
    Move("partly", "send_again", "delivering", "answer.send"),
    Move("failed", "send_again", "delivering", "answer.send"),
)
_TABLE = {(move.state, move.event): move for move in MOVES}


def move(answer: Document, event: str) -> Move:
    """The move this event makes. Raises Conflict where there is none: somebody was faster."""
    found = _TABLE.get((str(answer["state"]), event))
    if found is None:
        raise Conflict(f"这条答复现在是“{STATES[answer['state']]}”，不能这样操作。请刷新后再看。")
    return found


# ---- the text


def digest(text: str, short: str = "") -> str:
    """What an approval is given to: exactly these words, on whatever channel they are said."""
    canonical = json.dumps({"short": short, "text": text}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def check_text(text: str, short: str) -> tuple[str, str]:
    """The two forms in clean shape; Invalid names what to change."""
    text, short = text.strip(), " ".join(short.split())
    errors = []
    if not SHORTEST <= len(text) <= LONGEST:
        errors.append(FieldError("text", f"答复请写 {SHORTEST} 到 {LONGEST} 字。"))
    if len(short) > LONGEST_SHORT:
        errors.append(FieldError("short", f"短答复请写在 {LONGEST_SHORT} 字以内。"))
    for name, said in (("text", text), ("short", short)):
        kinds = list(dict.fromkeys(NAMES[found.kind] for found in find_personal(said) if found.kind in _NEVER))
        if kinds:
            errors.append(FieldError(name, f"里面有{'、'.join(kinds)}。答复会让多人看到，请删去，或改写成办公电话。"))
    if errors:
        raise Invalid("答复有几处要改。", tuple(errors))
    return text, short


def words_for(answer: Document, channel: str) -> str:
    """What is said on this channel."""
    return str(answer.get("short") or answer["text"]) if channel in SHORT_ON else str(answer["text"])


def writers_of(answer: Document) -> frozenset[str]:
    """Everyone whose words are in it."""
    return frozenset({str(answer["by"]), *answer.get("writers", ())})


# ---- the approval


def require_reviewer(actor: Actor, answer: Document) -> None:
    """NotAllowed unless this is a reviewer who wrote nothing of it: a rule across people, above every right."""
    if actor.kind != "person" or Role.REVIEWER not in actor.roles:
        raise NotAllowed("答复只能由审核人员本人登录后审，程序和令牌不能审。")
    if actor.id in writers_of(answer):
        raise NotAllowed("这条答复有您写过的内容，请由另一位审核人员审。")


def decide_review(actor: Actor, answer: Document, verdict: str, seen: str, remark: str) -> Move:
    """通过 or 退回 of exactly the text with this digest; Conflict where it has changed since it was read."""
    if verdict not in ("pass", "return"):
        raise Invalid("审核结果只有通过和退回。", (FieldError("verdict", "pass 或 return。"),))
    if verdict == "return" and len(remark.strip()) < 2:
        raise Invalid("退回请写明要改什么。", (FieldError("remark", "请写明要改什么，写的人才知道怎么改。"),))
    require_reviewer(actor, answer)
    if answer["hash"] != seen:
        raise Conflict("您看的版本之后，答复又改过了。请看新的文字，再作决定。")
    return move(answer, "approve" if verdict == "pass" else "return")


def may_leave(answer: Document) -> bool:
    """Whether exactly these words were approved by somebody who wrote none of them: asked before each call."""
    approved = answer.get("approval") or {}
    whole = digest(str(answer["text"]), str(answer.get("short") or ""))
    return approved.get("hash") == whole == answer["hash"] and approved.get("by") not in (None, *writers_of(answer))


# ---- the ways of a delivery

WAYS: Mapping[str, str] = {
    "used": "群众所用的渠道",
    "chosen": "群众另选的渠道",
    "sms": "短信",
    "code": "查询码页面",
}


@dataclass(frozen=True)
class Way:
    """One way to a citizen: by which account, or why it cannot be gone."""

    name: str
    account: str = ""
    why_not: str = ""


def ways(used: Way, chosen: Way | None, code: Way) -> tuple[Way, ...]:
    """All four in their order; what cannot be gone stands in it with its reason."""
    return (
        used,
        chosen or Way("chosen", why_not="群众没有另选渠道"),
        Way("sms", why_not="还没有接入短信"),
        code,
    )


def next_way(all_ways: Sequence[Way], since: int) -> tuple[int | None, list[tuple[str, str]]]:
    """(place of the first way from `since` on that can be gone or None, (name, reason) of those passed over)."""
    passed: list[tuple[str, str]] = []
    for place in range(since, len(all_ways)):
        if all_ways[place].account:
            return place, passed
        passed.append((all_ways[place].name, all_ways[place].why_not))
    return None, passed


def summed(counts: Mapping[str, int]) -> str:
    """Where an answer stands, from its deliveries counted by state: the event of its move, or empty while some run."""
    total = sum(counts.values())
    arrived = counts.get("published", 0)
    if arrived + counts.get("refused", 0) + counts.get("cancelled", 0) < total or not total:
        return ""
    return "deliver" if arrived == total else "deliver_partly" if arrived else "fail"
