"""状态表: the states of publications and operations, the legal moves, their Chinese words; decisions are elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Document = Mapping[str, Any]


class State(StrEnum):
    """Where a publication stands; `published` stays true for a corrected one, `removed` is a withdrawn one."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    STAGING = "staging"
    SENDING = "sending"
    PENDING = "pending"
    PUBLISHED = "published"
    REMOVED = "removed"
    HELD = "held"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


STATE_WORDS: Mapping[str, str] = {
    "scheduled": "已排定",
    "waiting": "等网址",
    "staging": "发送中",
    "sending": "发送中",
    "pending": "发送中",
    "published": "已发布",
    "removed": "已移除",
    "held": "已暂停",
    "refused": "平台拒绝",
    "unknown": "待核对",
    "cancelled": "已取消",
}

PERSON, PROGRAM = "person", "program"


@dataclass(frozen=True)
class Step:
    """One legal move: from a state, by an event, to a state, and who may bring it about."""

    state: State
    event: str
    then: State
    who: str
    words: str


_S = State
MOVES: Sequence[Step] = (
    Step(_S.SCHEDULED, "claim", _S.STAGING, PROGRAM, "到点取出"),
    Step(_S.SCHEDULED, "move", _S.SCHEDULED, PERSON, "改时间"),
    Step(_S.SCHEDULED, "urge", _S.SCHEDULED, PERSON, "标为紧急"),
    Step(_S.SCHEDULED, "hold", _S.HELD, PERSON, "暂停"),
    Step(_S.SCHEDULED, "cancel", _S.CANCELLED, PERSON, "取消"),
    Step(_S.WAITING, "address", _S.SCHEDULED, PROGRAM, "拿到网站地址"),
    Step(_S.WAITING, "fall_back", _S.SCHEDULED, PROGRAM, "改用备用地址"),
    Step(_S.WAITING, "no_address", _S.HELD, PROGRAM, "网站没有发出"),
    Step(_S.WAITING, "move", _S.SCHEDULED, PERSON, "改时间"),
    Step(_S.WAITING, "hold", _S.HELD, PERSON, "暂停"),
    Step(_S.WAITING, "cancel", _S.CANCELLED, PERSON, "取消"),
    Step(_S.STAGING, "not_yet", _S.SCHEDULED, PROGRAM, "条件未到，放回"),
    Step(_S.STAGING, "unapproved", _S.HELD, PROGRAM, "到点仍没有终审通过"),
    Step(_S.STAGING, "changed", _S.HELD, PROGRAM, "结果查清前稿件有改动"),
    Step(_S.STAGING, "withdrawn", _S.CANCELLED, PROGRAM, "已有撤稿，不再发出"),
    Step(_S.STAGING, "await", _S.WAITING, PROGRAM, "等网站地址"),
    Step(_S.STAGING, "intend", _S.SENDING, PROGRAM, "写下发送意图"),
    Step(_S.STAGING, "put_off", _S.SCHEDULED, PROGRAM, "暂时不行，稍后再试"),
    Step(_S.STAGING, "refuse", _S.REFUSED, PROGRAM, "不能发出"),
    Step(_S.STAGING, "too_late", _S.HELD, PROGRAM, "过了时限"),
    Step(_S.STAGING, "lapse", _S.SCHEDULED, PROGRAM, "准备中断，重来"),
    Step(_S.STAGING, "hold", _S.HELD, PERSON, "暂停"),
    Step(_S.STAGING, "cancel", _S.CANCELLED, PERSON, "取消"),
    Step(_S.SENDING, "accept", _S.PUBLISHED, PROGRAM, "平台确认公开"),
    Step(_S.SENDING, "take", _S.PENDING, PROGRAM, "平台已收，等结果"),
    Step(_S.SENDING, "put_off", _S.SCHEDULED, PROGRAM, "确定没发出，稍后再试"),
    Step(_S.SENDING, "refuse", _S.REFUSED, PROGRAM, "平台拒绝"),
    Step(_S.SENDING, "too_late", _S.HELD, PROGRAM, "确定没发出，过了时限"),
    Step(_S.SENDING, "call_off", _S.SCHEDULED, PROGRAM, "发送前见到暂停或改动，没有发出"),
    Step(_S.SENDING, "lose", _S.UNKNOWN, PROGRAM, "不知是否发出"),
    Step(_S.SENDING, "lapse", _S.UNKNOWN, PROGRAM, "发送中断，不知是否发出"),
    Step(_S.PENDING, "wait", _S.PENDING, PROGRAM, "平台仍在处理"),
    Step(_S.PENDING, "accept", _S.PUBLISHED, PROGRAM, "平台确认公开"),
    Step(_S.PENDING, "refuse", _S.REFUSED, PROGRAM, "平台未通过"),
    Step(_S.PENDING, "lose", _S.UNKNOWN, PROGRAM, "久无结果"),
    Step(_S.UNKNOWN, "find", _S.PUBLISHED, PROGRAM, "在平台上找到"),
    Step(_S.UNKNOWN, "accept", _S.PUBLISHED, PROGRAM, "迟到的确认"),
    Step(_S.UNKNOWN, "miss", _S.UNKNOWN, PROGRAM, "没有找到"),
    Step(_S.UNKNOWN, "miss_again", _S.SCHEDULED, PROGRAM, "可信平台两次查无，同一编号再发"),
    Step(_S.UNKNOWN, "say_published", _S.PUBLISHED, PERSON, "人工认定已公开"),
    Step(_S.UNKNOWN, "say_not_published", _S.HELD, PERSON, "人工认定未公开"),
    Step(_S.HELD, "release", _S.SCHEDULED, PERSON, "恢复"),
    Step(_S.HELD, "cancel", _S.CANCELLED, PERSON, "取消"),
    Step(_S.HELD, "withdrawn", _S.CANCELLED, PROGRAM, "没有发出就已撤稿"),
    Step(_S.REFUSED, "withdrawn", _S.CANCELLED, PROGRAM, "没有发出就已撤稿"),
    Step(_S.REFUSED, "release", _S.SCHEDULED, PERSON, "改好后再发"),
    Step(_S.REFUSED, "mend", _S.SCHEDULED, PERSON, "图片压缩后再发"),
    Step(_S.REFUSED, "cancel", _S.CANCELLED, PERSON, "取消"),
    Step(_S.REFUSED, "say_published", _S.PUBLISHED, PERSON, "人工在平台上做完（更正、撤稿）"),
    Step(_S.PUBLISHED, "remove", _S.REMOVED, PROGRAM, "已撤稿"),
)
_TABLE: Mapping[tuple[str, str], Step] = {(step.state.value, step.event): step for step in MOVES}

OPEN_STATES = ("scheduled", "waiting", "staging", "sending", "pending", "held", "unknown")
CALLABLE_OFF = ("scheduled", "waiting", "staging")  # a person may still stop it: certainly nothing is public
PERHAPS_PUBLIC = ("sending", "pending", "unknown", "published")


def step_for(state: str, event: str) -> Step | None:
    """The legal move, or None where there is none."""
    return _TABLE.get((state, event))


OUTCOME_WORDS: Mapping[str, str] = {
    "accepted": "平台确认已公开",
    "refused": "平台没有接受，确定没有公开",
    "pending": "平台已收下，等结果",
    "unknown": "没有得到明确结果",
    "not_called": "发送前见到暂停或改动，没有发出",
}


def attempt_words(attempt: Document) -> str:
    """One attempt as a person understands it."""
    said = OUTCOME_WORDS.get(str(attempt.get("outcome", "")), "正在进行")
    reason = f"：{attempt['reason']}" if attempt.get("reason") else ""
    words = f"第 {attempt['number']} 次，{said}{reason}"
    settled = attempt.get("settled")
    if settled:
        words += f"；后来：{OUTCOME_WORDS.get(str(settled.get('outcome')), '已处理')}"
    return words


def describe() -> str:
    """The table of moves as Markdown, for the documents."""
    head = "| 状态 state | 事件 event | 之后 then | 谁 who | 说明 |\n|---|---|---|---|---|"
    rows = [
        f"| {s.state.value} {STATE_WORDS[s.state]} | {s.event} | {s.then.value} | {s.who} | {s.words} |" for s in MOVES
    ]
    return "\n".join([head, *rows]) + "\n"
