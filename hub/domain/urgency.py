"""紧急: the four kinds and 不紧急, when a mark may be set, and what it makes of a reply; hints are read by nlp.urgency.

A mark is what a person says. A hint is what the reading takes for possible: it never rings, and a mark ends it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub import wording
from hub.domain.errors import Conflict, FieldError, Invalid
from hub.domain.people import Actor
from hub.domain.renewal import Verdict
from hub.domain.reply import UNOPENED

LIFE, NONE = "life", "none"
KINDS: Mapping[str, str] = {
    LIFE: "危及人身", "gathering": "聚集", "deadline": "期限将至", "vulnerable": "困难群体"
}  # fmt: skip
WORDS: Mapping[str, str] = {**KINDS, NONE: "不紧急"}
MARKED, HINTED = "marked", "hinted"  # `urgent` of a reply; absent or None: neither
MATTER = "urgency.life"
HINTS = "urgency_hints"  # the policy that shows what the reading takes for possible
# What reads on the first day, and what it was measured to do (docs/benchmarks.md, Urgency).
SHIPPED = (
    "用的是随附的一版：长的来信按险情词表读，只认危及人身和聚集；短的留言由自带语料训练的模型读，四类都认。"
    "在编写时没看过的 1,052 封真实来信上，危及人身的 18 封认出 9 封，提示的 50 封里说对 10 封。"
    "本单位标满 20 条“危及人身”后，可请系统管理员运行 python -m hub urgency train：用标注训练一版，比随附的好才换上。"
)


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


@dataclass(frozen=True)
class Agreement:
    """提示与标注: of the replies that people marked, by kind how many there are and how many the reading took for the
    same; of those that the reading took for anything, how many there are and how many people called the same."""

    marked: Mapping[str, int]
    found: Mapping[str, int]
    hinted: int
    right: int


def agreement(said: Iterable[tuple[str, str]]) -> Agreement:
    """Of pairs (what a person said, what the reading took it for or nothing)."""
    pairs = list(said)
    marked = Counter(person for person, _ in pairs)
    found = Counter(person for person, reading in pairs if person == reading)
    hinted = [person == reading for person, reading in pairs if reading]
    return Agreement(
        {kind: marked[kind] for kind in WORDS}, {kind: found[kind] for kind in KINDS}, len(hinted), sum(hinted)
    )


LEAST_LIFE = 20  # marks of danger to life below which a share says nothing


def enough_marks(life: int) -> str:
    """Why there are too few marks to train on; nothing where there are enough."""
    if life >= LEAST_LIFE:
        return ""
    return f"标了“危及人身”的只有 {life} 条，至少 {LEAST_LIFE} 条才量得出好坏。请在留言页接着标。"


def said_in_all(figures: Mapping[str, Any]) -> float:
    """How many hints there would have been on all replies of the time: unmarked ones were tried in part only."""
    (said, _), (tried, wrong) = figures["said"], figures["none"]
    return float(said - wrong + wrong * max(1.0, figures["unmarked"] / max(1, tried)))


def worth_showing(figures: Mapping[str, Any], shipped: Mapping[str, Any] | None = None) -> Verdict:
    """用还是不用: of the dangers to life at least half found, of what is said at least one in four right, on replies
    that the reader had not seen (docs/decisions.md); and where the shipped one can do that on the same replies, not
    fewer of the dangers than that."""
    (life, found), (_, right) = figures[LIFE], figures["said"]
    if shipped is not None and worth_showing(shipped).keep and shipped[LIFE][1] > found:
        other = f"随附的一版认出 {shipped[LIFE][1]} 条"
        return Verdict(False, f"危及人身的 {life} 条认出 {found} 条，{other}，所以没有启用。")
    if found * 2 < life:
        return Verdict(False, f"危及人身的 {life} 条只认出 {found} 条，不到一半，所以没有启用。")
    if right * 4 < said_in_all(figures):
        wrong = f"提示的约 {said_in_all(figures):.0f} 条里只说对 {right} 条，不到四分之一"
        return Verdict(False, f"{wrong}，所以没有启用。")
    return Verdict(True, "危及人身的认得出一半以上，提示的四条里至少对一条，可以启用。")


def figure_words(figures: Mapping[str, Any]) -> list[str]:
    """The counts as people read them."""
    there = [(words, *figures[kind]) for kind, words in KINDS.items() if figures[kind][0]]
    said, right = figures["said"]
    quiet, wrong = figures["none"]
    return [
        *(f"{words}：{marked} 条，认出 {found} 条" for words, marked, found in there),
        f"提示 {said} 条，说对 {right} 条；没有标紧急的看了 {quiet} 条，提示了 {wrong} 条",
    ]
