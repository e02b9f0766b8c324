"""预警: an issue that reached a level which tells people; states and moves as data. How it is found lives in nlp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.errors import Conflict, Invalid

LEVELS = ("watch", "yellow", "orange", "red")
LEVEL_NAMES = {"watch": "观察", "yellow": "黄色", "orange": "橙色", "red": "红色"}
STATE_NAMES = {
    "new": "未认领",
    "acknowledged": "已认领",
    "assessed": "已研判",
    "responding": "处置中",
    "closed": "已办结",
    "false_alarm": "误报",
}
ENDS = ("closed", "false_alarm")
# What an issue and its alerts came from: a cluster of words about one matter, a watch word, a topic of a district of
# which more people speak than usual. The last two hold many matters: a reply may be in several of them and belongs to
# none, so their rows are kept beside, and they are neither merged nor answered as one.
SOURCE_NAMES = {"cluster": "苗头", "word": "关注词", "cell": "区域与类别"}
LOOSE = ("word", "cell")


@dataclass(frozen=True)
class Move:
    """One legal move: from any of these states, by this act, to that state; `remark`: a sentence must go with it."""

    act: str
    name: str
    before: frozenset[str]
    after: str
    remark: bool = False


MOVES: Mapping[str, Move] = {
    move.act: move
    for move in (
        Move("acknowledge", "认领", frozenset({"new"}), "acknowledged"),
        Move("assess", "研判", frozenset({"acknowledged"}), "assessed", remark=True),
        Move("respond", "开始处置", frozenset({"acknowledged", "assessed"}), "responding"),
        Move("close", "办结", frozenset({"assessed", "responding"}), "closed", remark=True),
        Move("false-alarm", "标为误报", frozenset({"new", "acknowledged", "assessed"}), "false_alarm", remark=True),
    )
}


def decide(act: str, state: str, remark: str) -> Move:
    """The move, if it is legal now; Conflict where somebody was faster, Invalid where the sentence is missing."""
    move = MOVES[act]
    if state not in move.before:
        raise Conflict(f"这条预警现在是“{STATE_NAMES[state]}”，不能再“{move.name}”。请刷新后再看。")
    if move.remark and len(remark.strip()) < 2:
        raise Invalid(f"“{move.name}”须写一句说明，如依据或去向。")
    return move


def open_moves(state: str) -> list[Move]:
    """What may be done with an alert in this state, in the order of the office's work."""
    return [move for move in MOVES.values() if state in move.before]
