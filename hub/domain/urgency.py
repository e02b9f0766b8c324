"""紧急: the four kinds and 不紧急, when a mark may be set, and what it makes of a reply; hints are read by nlp.urgency.

A mark is what a person says. A hint is what the reading takes for possible: it never rings, and a mark ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub import wording
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.people import Actor
from hub.domain.reply import UNOPENED

LIFE, NONE = "life", "none"
KINDS: Mapping[str, str] = {
    LIFE: "危及人身", "gathering": "聚集", "deadline": "期限将至", "vulnerable": "困难群体"
}  # fmt: skip
WORDS: Mapping[str, str] = {**KINDS, NONE: "不紧急"}
MARKED, HINTED = "marked", "hinted"  # `urgent` of a reply; absent or None: neither
MATTER = "urgency.life"


def number_of(reply: Mapping[str, Any]) -> int:
    """How often this reply was marked; a page names it, so that nobody overwrites what they have not seen."""
    mark = reply.get("urgency") or {}
    return int(mark.get("number", 0))


def check_mark(reply: Mapping[str, Any], kind: str, seen: int) -> None:
    """Raise unless this mark may be set by somebody who saw the mark with this number."""
    if kind not in WORDS:
        raise Invalid("没有这一类紧急。", (FieldError("kind", f"请选一类：{'、'.join(WORDS.values())}。"),))
    if reply.get("confidential"):
        raise Conflict("举报、信访不在留言里标紧急，请在它的工单里办。")
    if reply["state"] == UNOPENED:
        raise Conflict("这条来信还打不开，看不到原话，不能标。请先修好密钥。")
    if number_of(reply) != seen:
        raise Conflict("这条刚被别人标过，请看过再定。")


def marked(kind: str, by: Actor, at: datetime, seen: int) -> dict[str, Any]:
    """What to set on the reply. 不紧急 is a mark as well: it takes a hint away, and it teaches."""
    return {
        "urgency": {"kind": kind, "by": by.id, "at": at, "number": seen + 1},
        "urgent": MARKED if kind in KINDS else None,
    }


def bell_text(reply: Mapping[str, Any], by: Actor) -> str:
    """For those on duty; it holds none of the citizen's words."""
    where = reply.get("district") or "未写明区县"
    return (
        f"{by.name}把一条留言标为紧急：危及人身（{where}，{wording.moment(reply['at'])}）。"
        "请马上看原话；要救人的，先联系 110、119 或 120。"
    )
