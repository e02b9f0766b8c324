"""审校: who may approve what, where a content stands, what an edit voids; pure decisions over review documents.

An approval holds for one hash in one round (送审一次为一轮): a review counts while both are the content's own. The
author and whoever wrote any revision or variant gives none; one person gives one level; levels come in order. Proofs,
保密审查, deputies (`for`) and paper (`via`) have their place in the record; only approvals decide here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.errors import Conflict, Invalid, NotAllowed
from hub.domain.people import Actor, Role

Json = Mapping[str, Any]

DEFAULT_LEVELS = 2
LEVELS = {1: "初审", 2: "复审", 3: "终审"}
VERDICTS = {"pass": "通过", "return": "退回"}
KINDS = {"approval": "审批", "proof": "校对", "secrecy": "保密审查"}
LONGEST_REMARK = 500


def level_name(level: int, levels: int) -> str:
    """What the office calls this level: with two levels the last one is 终审 already."""
    return "终审" if level == levels else LEVELS[level]


@dataclass(frozen=True)
class Pass:
    """One approval in force."""

    level: int
    by: str
    at: datetime
    behalf: str | None = None


@dataclass(frozen=True)
class Standing:
    """Where a content stands: approvals in force, the next level (None: all given), ids of what is void by now."""

    levels: int
    passed: tuple[Pass, ...]
    next_level: int | None
    voided: tuple[str, ...]
    returned: bool = False

    @property
    def complete(self) -> bool:
        """Whether every level has approved exactly this package and nobody has returned it."""
        return self.next_level is None and not self.returned


def _counts(review: Json, content: Json) -> bool:
    same = review["hash"] == content["hash"] and review.get("round") == content.get("round")
    return same and not review.get("void", False)


def standing(reviews: Sequence[Json], content: Json, levels: int) -> Standing:
    """The approvals that hold for the content's hash in its present round, counted in order from level 1."""
    held = [review for review in reviews if review.get("kind", "approval") == "approval" and _counts(review, content)]
    by_level = {review["level"]: review for review in held if review["verdict"] == "pass"}
    passed: list[Pass] = []
    for level in range(1, levels + 1):
        if (review := by_level.get(level)) is None:
            break
        passed.append(Pass(level, review["by"], review["at"], review.get("for")))
    voided = tuple(review["_id"] for review in reviews if not _counts(review, content))
    next_level = len(passed) + 1 if len(passed) < levels else None
    return Standing(levels, tuple(passed), next_level, voided, any(review["verdict"] == "return" for review in held))


def writers_of(content: Json) -> frozenset[str]:
    """Everyone whose words are in it: the author and who saved any revision or variant."""
    return frozenset({content["author"], *content.get("writers", ())})


def _identities(each: Pass) -> frozenset[str]:
    return frozenset({each.by, each.behalf} - {None})  # type: ignore[arg-type]


def require_reviewer(actor: Actor, content: Json, now: Standing, level: int) -> None:
    """Raise NotAllowed, with the reason, unless this person may give this level on this content.

    Rules across people, which no right can grant away: 三审三校 asks for different persons than the writers.
    """
    if actor.kind != "person" or Role.REVIEWER not in actor.roles:
        raise NotAllowed("审批只能由审核人员本人登录后做，程序和令牌不能审批。")
    if actor.id in writers_of(content):
        raise NotAllowed("这篇稿件有您写过或改过的内容，请由其他人审批。")
    if level not in actor.levels:
        raise NotAllowed(f"您没有{level_name(level, now.levels)}的权限。需要时请联系安全管理员。")
    if any(actor.id in _identities(each) for each in now.passed):
        raise NotAllowed("您已经审过前面一级，一人只能审一级，请由其他人审批。")


def decide_level(content: Json, now: Standing, level: int, seen: str, round_seen: int | None = None) -> None:
    """Raise Conflict unless the package that was looked at is the one under review and this level is next."""
    if content["hash"] != seen or (round_seen is not None and round_seen != content.get("round")):
        raise Conflict("您看的版本之后，稿件又改过了。请看新的差异，再作决定。")
    if content["state"] != "in_review":
        raise Conflict("这篇稿件现在不在送审中，可能已有人退回或审完。请刷新后再看。")
    if now.next_level is None or level < now.next_level:
        raise Conflict("这一级已有人审过。")
    if level > now.next_level:
        raise Conflict(f"请先等{level_name(now.next_level, now.levels)}完成，再作{level_name(level, now.levels)}。")


def check_review(kind: str, level: int, verdict: str, remark: str, levels: int) -> str:
    """The remark, trimmed. Raises Invalid where the review cannot be taken."""
    if kind not in KINDS:
        raise Invalid("审校种类只有审批、校对和保密审查。")
    if kind != "approval":
        raise Invalid(f"{KINDS[kind]}还没有开通，目前请用审批。")
    if verdict not in VERDICTS:
        raise Invalid("审批结果只有通过和退回。")
    if not 1 <= level <= levels:
        raise Invalid(f"这个栏目审 {levels} 级，没有第 {level} 级。")
    remark = remark.strip()
    if len(remark) > LONGEST_REMARK:
        raise Invalid(f"审批意见请控制在 {LONGEST_REMARK} 字以内。")
    if verdict == "return" and not remark:
        raise Invalid("退回请写明要改什么，作者才知道怎么改。")
    return remark


def review_id(content: str, round: int, level: int, verdict: str, by: str) -> str:
    """The name of a review: one approval per level and round, ever; a return is its giver's own."""
    place = f"{content}:{round}:approval:{level}"
    return place if verdict == "pass" else f"{place}:return:{by}"
