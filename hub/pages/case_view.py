"""A case in words for its page: clock, strip of days, thread, deliveries; pure, asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from hub import wording
from hub.clock import SHANGHAI, local
from hub.domain import extension
from hub.domain.answer import OUT, WAYS
from hub.domain.case import KINDS, MOVES, RATINGS, STATES, clock
from hub.domain.moves import attempt_words
from hub.domain.working_time import Calendar
from hub.store.base import Document

MOST_DAYS = 12
DAY_START, DAY_END = time(9), time(17, 30)
DELIVERY_WORDS: Mapping[str, tuple[str, str]] = {
    # state of a delivery -> its word, its tone
    "scheduled": ("等待送出", "quiet"),
    "staging": ("正在送", "quiet"),
    "sending": ("正在送", "quiet"),
    "pending": ("平台处理中", "quiet"),
    "published": ("已送达", "ok"),
    "held": ("已停，等人决定", "warn"),
    "unknown": ("待核对", "warn"),
    "refused": ("没能送到", "danger"),
    "cancelled": ("已取消", "quiet"),
}
STEP_WORDS: Mapping[str, str] = {
    "open": "开工单",
    "joined": "并入另一件工单",
    "sort": "改为",
    "named": "指定审核人员",
    "file": "改主题",
    "send": "送出答复",
    "delivered": "答复有了结果",
    "said": "群众补充",
    "rated": "群众评价",
}


def span(left: timedelta) -> str:
    """“1 时 20 分” of working time; days are those of the office."""
    minutes = int(abs(left).total_seconds() // 60)
    days, rest = divmod(minutes, 7 * 60)
    hours, rest = divmod(rest, 60)
    parts = [(days, "天"), (hours, "时"), (rest, "分")]
    said = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(said) or "不到 1 分"


def clock_of(case: Document, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """How the clock reads: state, words for the list, the large figure, until when."""
    found = clock(case, now, calendar)
    words = {
        "running": f"剩 {span(found.left)}",
        "low": f"剩 {span(found.left)}",
        "overdue": f"超 {span(found.left)}",
        "stopped": "已停，等群众补充",
        "done": STATES[case["state"]],
    }[found.state]
    until = f"应于 {wording.moment(case['due_at'])} 前" if case.get("due_at") else ""
    return {"state": found.state, "words": words, "left": span(found.left), "until": until, "days": case["days"]}


# ---- the strip: the very hours that the clock counts


def strip(case: Document, now: datetime, calendar: Calendar) -> list[dict[str, Any]]:
    """One entry a day from the start to the due time: its label, whether it is off, and its stretches from 0 to 100."""
    start, due = case["started_at"], case.get("due_at")
    if due is None or case["state"] not in STATES:
        return []
    first, last = local(start).date(), max(local(due).date(), min(local(now).date(), local(due).date()))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)][-MOST_DAYS:]
    return [_day(day, start, due, now, calendar) for day in days]


def _day(day: Any, start: datetime, due: datetime, now: datetime, calendar: Calendar) -> dict[str, Any]:
    pieces: list[tuple[float, float, str]] = []
    for begin, end in calendar.stretches(day):
        for left, right, state in _cut(begin, end, start, min(now, due), due):
            pieces.append((_place(left), _place(right) - _place(left), state))
    here = _place(now) if local(now).date() == day and 0 <= _place(now) <= 100 else None
    label = f"{day.day} {'周' + '一二三四五六日'[day.weekday()] if calendar.works(day) else '休'}"
    return {"label": label, "off": not calendar.works(day), "pieces": pieces, "now": here}


def _cut(
    begin: datetime, end: datetime, start: datetime, passed: datetime, due: datetime
) -> list[tuple[datetime, datetime, str]]:
    """A stretch taken apart: before the start, used, left, after the due time."""
    edges = [(begin, start, "out"), (start, passed, "used"), (max(start, passed), due, "left"), (due, end, "out")]
    found = [(max(begin, one), min(end, two), state) for one, two, state in edges]
    return [(one, two, state) for one, two, state in found if one < two]


def _place(moment: datetime) -> float:
    """Where in the office's day a moment stands, 0 at nine and 100 at half past five."""
    at = local(moment)
    whole = datetime.combine(at.date(), DAY_END, SHANGHAI) - datetime.combine(at.date(), DAY_START, SHANGHAI)
    return round((at - datetime.combine(at.date(), DAY_START, SHANGHAI)) / whole * 100, 2)


# ---- the thread


def thread(case: Document, words: Sequence[Document], answers: Sequence[Document]) -> list[dict[str, Any]]:
    """What was said and done, in order: citizens' words, answers that left, notes, steps."""
    rows: list[dict[str, Any]] = [{"kind": "word", "at": row["at"], "row": row} for row in words]
    rows += [{"kind": "answer", "at": row["sent_at"], "row": row} for row in answers if row["state"] in OUT]
    for step in case["history"]:
        if step["act"] == "note":
            rows.append({"kind": "note", "at": step["at"], "row": step})
        elif step["act"] != "said":
            rows.append({"kind": "step", "at": step["at"], "row": step, "words": step_words(step)})
    return sorted(rows, key=lambda row: row["at"])


def step_words(step: Document) -> str:
    """One step as a colleague reads it."""
    act = str(step["act"])
    name = MOVES[act].name if act in MOVES else STEP_WORDS.get(act, act)
    if act == "sort":
        return f"{step['name']} 把类别改为{step['remark']}"
    if act == "assign":
        whom = "、".join(str(step[key]) for key in ("department", "to") if step.get(key))
        return f"{step['name']} 派办{'：' + whom if whom else ''}"
    if act == "ask":
        return f"{step['name']} 问了{step['to']}一声"
    if act == "open":
        return f"{'收到' if step['name'] == '系统' else step['name'] + ' 开工单'}，开始计时。自动回执不算答复。"
    if act in ("extend", "extended"):
        return f"{step['name']} {name}到 {wording.moment(step['until'])}：{step['remark']}"
    if act == "rated":
        return f"群众评价：{RATINGS[step['level']]}" + (f"（{step['remark']}）" if step.get("remark") else "")
    return f"{step['name']} {name}" + (f"：{step['remark']}" if step.get("remark") else "")


def stages(case: Document, now: datetime) -> list[dict[str, str]]:
    """受理, 派办, 办理, 答复, 评价: what is done when, where it stands and with whom, and by when the next is due."""
    at = {act: _last(case, act) for act in ("accept", "assign", "take", "answered", "rated")}
    given = case.get("department") or case.get("owner_name") or ""
    names = (("accept", "受理"), ("assign", f"派{given}" if given else "派办"), ("take", "办理"), ("answered", "答复"),
             ("rated", "评价"))  # fmt: skip
    rows = [{"key": act, "name": name, "at": _short(at[act]), "state": "done" if at[act] else "later"}
            for act, name in names]  # fmt: skip
    waiting = next((row for row in rows if row["key"] == _STANDS.get(case["state"])), None)
    if waiting is not None:
        waiting |= {"state": "now", "at": str(case.get("owner_name") or "") or "现在"}
    answered = next(row for row in rows if row["key"] == "answered")
    if answered["state"] == "later" and case.get("due_at"):
        answered["at"] = f"{_near_day(case['due_at'], now)} 前"
    return [row for row in rows if row["key"] != "assign" or at["assign"]]


_STANDS: Mapping[str, str] = {
    # state of a case -> the stage that is under way
    "new": "accept", "accepted": "take", "assigned": "take", "objected": "assign", "reopened": "take",
    "in_hand": "take", "waiting_citizen": "take", "answered": "rated",
}  # fmt: skip


def _near_day(at: datetime, now: datetime) -> str:
    return f"今天 {wording.hour(at)}" if local(at).date() == local(now).date() else wording.short_moment(at)


def _short(at: datetime | None) -> str:
    return wording.short_moment(at) if at else ""


def _last(case: Document, act: str) -> datetime | None:
    found = [step["at"] for step in case["history"] if step["act"] == act]
    return found[-1] if found else None


# ---- what stands beside it


def most(count: int, ceiling: int) -> str:
    """“1,286”, or “999+” where it was counted no further."""
    return f"{ceiling - 1}+" if count >= ceiling else wording.number(count)


def reach(case: Document, channels: Mapping[str, tuple[str, str]]) -> str:
    """“将送达 6 人：应用 3、微信 2、微博 1”; by channel only where it was counted so."""
    people, by = int(case["people"]), case.get("reach") or {}
    said = "、".join(f"{channels[name][1]} {by[name]}" for name in sorted(by, key=lambda name: -by[name]))
    return f"将送达 {wording.number(people)} 人" + (f"：{said}" if sum(by.values()) == people else "")


def before(cases: Sequence[Document]) -> str:
    """“2 件，均已办结，评价满意”; empty where there is none."""
    if not cases:
        return ""
    still = sum(row["state"] not in ("answered", "closed", "declined", "merged") for row in cases)
    done = "均已办结" if not still else f"{still} 件还在办"
    rated = next((RATINGS[row["rated"]] for row in cases if row.get("rated")), "")
    return f"{len(cases)} 件，{done}" + (f"，评价{rated}" if rated else "")


def untils(case: Document, most_days: int, calendar: Calendar) -> list[tuple[str, str]]:
    """The days to which a time may be put off, for a choice."""
    found = extension.choices(case, most_days, calendar)
    return [
        (local(at).date().isoformat(), f"{wording.day(at)} {wording.weekday(at)}，第 {days} 个工作日")
        for days, at in found
    ]


# ---- deliveries


def delivery_of(row: Document, channels: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """One citizen's delivery: how and when it arrived, with every attempt and every way that was passed over."""
    word, tone = DELIVERY_WORDS[row["state"]]
    at = row.get("published_at")
    way = row["ways"][row["way"]]["name"] if row.get("way") is not None else ""
    by_hand = (row.get("resolve") or {}).get("outcome") == "delivered"
    passed = [f"{WAYS[each['way']]}：{each['reason']}" for each in row.get("passed") or ()]
    return {
        "id": row["_id"],
        "author": row.get("author") or "未留名",
        "channel": channels[row["channel"]],
        "word": "已人工告知" if by_hand and row["state"] == "published" else word,
        "tone": tone,
        "state": row["state"],
        "at": wording.short_moment(at) if at else "",
        "way": WAYS.get(way, ""),
        "attempts": [attempt_words(each) for each in row.get("attempts") or ()],
        "passed": passed,
        "reason": row.get("reason") or "",
        "reply": row["reply"],
    }


def counted(counts: Mapping[str, int]) -> str:
    """“送达 5 人，待核对 1 人”."""
    order = ("published", "unknown", "held", "refused", "pending", "sending", "staging", "scheduled")
    said = [f"{DELIVERY_WORDS[state][0]} {counts[state]} 人" for state in order if counts.get(state)]
    return "，".join(said)


def kind_options() -> list[tuple[str, str]]:
    return list(KINDS.items())
