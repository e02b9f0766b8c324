"""工单: a demand to be answered; its kinds, states and moves as data, its clock, who may see it; storing is the desk's.

What the citizen reads of a state (CITIZEN_WORDS) is said here too, so that office and citizen never read two truths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.clock import local
from hub.domain import working_time
from hub.domain.errors import Conflict, FieldError, Invalid, NotFound
from hub.domain.people import Actor
from hub.domain.working_time import Calendar

Document = Mapping[str, Any]

KINDS: Mapping[str, str] = {
    "inquiry": "咨询",
    "help": "求助",
    "complaint": "投诉",
    "suggestion": "建议",
    "praise": "表扬",
    "report": "举报",
    "petition": "信访",
}
CONFIDENTIAL = frozenset({"report", "petition"})  # seen by named handlers alone, never merged, never public
USUAL = "help"  # what a demand is until somebody has read it

STATES: Mapping[str, str] = {
    "new": "待受理",
    "accepted": "已受理",
    "declined": "不予受理",
    "assigned": "已派办",
    "objected": "有异议",
    "in_hand": "办理中",
    "waiting_citizen": "等群众补充",
    "answered": "已答复",
    "closed": "已办结",
    "reopened": "重新办理",
    "merged": "已归并",
}
CITIZEN_WORDS: Mapping[str, str] = {
    "new": "已收到",
    "accepted": "已受理",
    "assigned": "已受理",
    "objected": "已受理",  # whose it is, is the office's own question
    "in_hand": "办理中",
    "reopened": "办理中",
    "waiting_citizen": "待您补充",
    "answered": "已答复",
    "closed": "已答复",
    "declined": "已答复",
    "merged": "已受理",
}
RATED = "已评价"

RATINGS: Mapping[int, str] = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
BAD = 2  # this level and the one below it are called back
LONGEST_REMARK = 500
MOST_STEPS = 400  # steps and notes of one case

OPEN = ("new", "accepted", "assigned", "objected", "in_hand", "waiting_citizen", "reopened")
TODO = ("new", "accepted", "assigned", "objected", "reopened")  # waits for somebody to take it
ENDS = ("closed", "declined", "merged")
MERGEABLE = frozenset({"new", "accepted", "assigned", "objected", "in_hand", "reopened"})


@dataclass(frozen=True)
class Move:
    """One legal move: from any of these states, by this act, to that state.

    `remark`: a sentence must go with it; `told`: the citizen reads that sentence; `right`: what the actor needs.
    """

    act: str
    name: str
    before: frozenset[str]
    after: str
    right: str
    remark: bool = False
    told: bool = False


_BEGUN = frozenset({"accepted", "assigned", "objected", "in_hand", "reopened"})
_HAND = frozenset({"in_hand"})
MOVES: Mapping[str, Move] = {
    move.act: move
    for move in (
        Move("accept", "受理", frozenset({"new"}), "accepted", "case.accept"),
        Move("decline", "不予受理", frozenset({"new", "accepted"}), "declined", "case.accept", remark=True, told=True),
        Move("assign", "派办", _BEGUN, "assigned", "case.accept"),
        Move("object", "提出异议", frozenset({"assigned"}), "objected", "case.handle", remark=True),
        Move("take", "接办", _BEGUN, "in_hand", "case.handle"),
        Move("extend", "申请延期", _HAND, "in_hand", "case.handle", remark=True, told=True),
        Move("extended", "准予延期", _HAND, "in_hand", "case.extend"),
        Move("unextended", "不予延期", _HAND, "in_hand", "case.extend", remark=True),
        Move("wait", "请群众补充", _HAND, "waiting_citizen", "case.handle", remark=True, told=True),
        Move("resume", "继续办理", frozenset({"waiting_citizen"}), "in_hand", "case.handle"),
        Move("answered", "答复送达", frozenset({"in_hand", "waiting_citizen"}), "answered", "delivery.send"),
        Move("close", "办结", frozenset({"answered"}), "closed", "case.close"),
        Move("reopen", "重新办理", frozenset({"answered", "closed", "declined"}), "reopened", "case.close", True),
        Move("merge", "归并", MERGEABLE, "merged", "case.open"),
    )
}


def decide(act: str, case: Document, remark: str = "") -> Move:
    """The move, if it is legal now; Conflict where somebody was faster, Invalid where the sentence is missing."""
    move = MOVES[act]
    if case["state"] not in move.before:
        raise Conflict(f"这件工单现在是“{STATES[case['state']]}”，不能“{move.name}”。请刷新后再看。")
    if case.get("leaving") and act in ("merge", "assign", "take", "wait", "decline", "extend", "extended"):
        raise Conflict("这件工单的答复正在送出，等有了结果再操作。")
    if len(remark) > LONGEST_REMARK:
        raise Invalid("说明太长。", (FieldError("remark", f"请写在 {LONGEST_REMARK} 字以内。"),))
    if move.remark and len(remark.strip()) < 4:
        whom = "群众会看到这句话。" if move.told else "写明依据或原因。"
        raise Invalid(f"“{move.name}”须写一句说明。", (FieldError("remark", f"请写一句说明，{whom}"),))
    if len(case.get("history", ())) >= MOST_STEPS:
        raise Conflict("这件工单的记录已满。请办结后另开一件。")
    return move


def open_moves(case: Document) -> list[Move]:
    """What a person may do with a case as it stands, in the order of the work."""
    return [move for move in MOVES.values() if case["state"] in move.before and move.act != "answered"]


# ---- who sees it


def is_confidential(kind: str) -> bool:
    """举报 and 信访."""
    return kind in CONFIDENTIAL


def sees(actor: Actor, case: Document) -> bool:
    """Whether this person may know of the case at all; rights come on top."""
    return not case.get("confidential") or actor.id in case.get("handlers", ())


def require_sight(actor: Actor, case: dict[str, Any] | None) -> dict[str, Any]:
    """The case, or NotFound: one that is not the actor's to see is told apart from none nowhere."""
    if case is None or not sees(actor, case):
        raise NotFound("没有这件工单，可能地址不完整。")
    return case


def handler_term(person: str) -> str:
    """The word under which a person's own confidential cases are found; no text contains it."""
    return f"handler:{person}"


def require_hand(actor: Actor, case: Document) -> None:
    """Conflict unless this person has the case in hand: two people never answer one citizen."""
    if case.get("owner") == actor.id:
        return
    who, at = case.get("owner_name"), case.get("taken_at")
    if who and case["state"] in ("in_hand", "waiting_citizen"):
        since = f"{local(at):%H:%M} 起" if at else ""
        raise Conflict(f"{who}{since}正在回复这件工单。您可以写内部备注；要由您来答，请先接办。")
    raise Conflict("还没有人接办这件工单。请先接办，再写答复。")


# ---- its clock


@dataclass(frozen=True)
class Terms:
    """The office's figures for a first answer, in working days."""

    usual: int = 5
    complaint: int = 7
    again: int = 5

    def days(self, kind: str, *, again: bool = False) -> int:
        """For this kind of demand; `again`: it was reopened."""
        if again:
            return self.again
        return self.complaint if kind == "complaint" else self.usual


def due(start: datetime, days: int, calendar: Calendar) -> datetime:
    """Until when the first answer must be out."""
    return working_time.after(start, working_time.working_days(days, calendar), calendar)


def stopped(case: Document, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """The clock stands while the citizen is asked: what was left is kept."""
    left = working_time.between(now, case["due_at"], calendar) if case.get("due_at") else timedelta()
    return {"left_seconds": int(left.total_seconds()), "stopped_at": now, "due_at": None}


def resumed(case: Document, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """The clock goes on with what was left; what was overdue stays so."""
    left = timedelta(seconds=int(case.get("left_seconds") or 0))
    at = working_time.after(now, left, calendar) if left > timedelta() else now + left
    return {"left_seconds": None, "stopped_at": None, "due_at": at}


@dataclass(frozen=True)
class Clock:
    """How a clock stands: state (running, low, overdue, stopped, done), working time left, share used."""

    state: str
    left: timedelta
    share: float


def clock(case: Document, now: datetime, calendar: Calendar) -> Clock:
    """The case's clock at this moment."""
    if case["state"] not in OPEN:
        return Clock("done", timedelta(), 1.0)
    if case.get("stopped_at"):
        return Clock("stopped", timedelta(seconds=int(case.get("left_seconds") or 0)), 0.0)
    left = working_time.between(now, case["due_at"], calendar)
    whole = working_time.between(case["started_at"], case["due_at"], calendar)
    share = 1.0 if whole <= timedelta() else min(max(1 - left / whole, 0.0), 1.0)
    if now >= case["due_at"]:
        return Clock("overdue", left, 1.0)
    return Clock("low" if share >= 0.75 else "running", left, share)


def in_time(case: Document, now: datetime) -> bool:
    """按期: whether an answer that arrives now keeps this case's time; a clock that stands runs out for nobody."""
    return bool(case.get("stopped_at")) or now < case["due_at"]


# ---- what the citizen reads


_TOLD = {"accept": "已受理", "take": "正在办理", "reopen": "重新办理", "answered": "已答复"}


def citizen_word(case: Document, *, rated: bool = False) -> str:
    """The one word a citizen reads over their demand."""
    return RATED if rated and case["state"] in ("answered", "closed") else CITIZEN_WORDS[case["state"]]


def citizen_steps(case: Document) -> list[dict[str, Any]]:
    """What was done, in the citizen's words: no name of staff, no note, no remark that was not written for them."""
    steps: list[dict[str, Any]] = []
    for entry in case.get("history", ()):
        step = _citizen_step(entry)
        if step is not None and (not steps or steps[-1]["title"] != step["title"] or step["text"]):
            steps.append(step)
    return steps


def _citizen_step(entry: Document) -> dict[str, Any] | None:
    act, said = entry["act"], str(entry.get("remark") or "")
    if act == "assign":
        whom = f"已派给{entry['department']}" if entry.get("department") else "已派办"
        return {"at": entry["at"], "title": whom, "text": ""}
    if act == "extended":
        return {"at": entry["at"], "title": f"延长办理时限，到 {_day(entry['until'])}前答复", "text": said}
    if act in ("decline", "wait"):
        return {"at": entry["at"], "title": "不予受理" if act == "decline" else "请您补充", "text": said}
    return {"at": entry["at"], "title": _TOLD[act], "text": ""} if act in _TOLD else None


def _day(at: datetime) -> str:
    return f"{local(at).month} 月 {local(at).day} 日"


def note_words(entries: Sequence[Document]) -> list[Document]:
    """The internal notes among the steps, the oldest first."""
    return [entry for entry in entries if entry["act"] == "note"]
