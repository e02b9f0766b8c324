"""主题模型留用的规则: figures of routing out of counts, and when a newly trained topic model is kept.

Counts are of labels that nothing in the comparison has learnt from. Training itself lives in nlp.topic_training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.domain.renewal import Verdict

NAMES = "names"  # routing by the tree's names alone, with no model
LEAST_LABELS = 40  # below this a first level or two would be all that is held back
MOST_LABELS = 5_000  # the newest; each costs a hundredth of a second in training


@dataclass(frozen=True)
class Share:
    """One first level: so many texts people filed there, so many were routed there, so many both."""

    name: str
    there: int
    routed: int
    right: int

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.there + self.routed) if self.right else 0.0


@dataclass(frozen=True)
class Routed:
    """What was routed: of `texts`, by first level."""

    texts: int
    shares: tuple[Share, ...]

    @property
    def right(self) -> int:
        return sum(share.right for share in self.shares)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the first levels that people used: a rare one counts as much as a common one."""
        used = [share.f1 for share in self.shares if share.there]
        return sum(used) / len(used) if used else 0.0

    @property
    def used(self) -> int:
        return sum(share.there > 0 for share in self.shares)


def routed_of(found: Mapping[str, Any]) -> Routed:
    """The figures of one measured side."""
    shares = (Share(row["name"], row["there"], row["routed"], row["right"]) for row in found["branches"])
    return Routed(found["texts"], tuple(shares))


def topic_verdict(before: Routed, after: Routed) -> Verdict:
    """留用还是不用: more must be routed rightly, and not at the cost of the rare first levels."""
    if after.used < 2:
        return Verdict(False, "留出来检验的标注都在一个大类里，量不出好坏。请几个大类都改一些。")
    if after.right <= before.right:
        same = after.right == before.right
        return Verdict(False, f"新的一版{'和现在的一样准' if same else '不如现在的'}，所以没有换。")
    if after.macro_f1 < before.macro_f1:
        return Verdict(False, "新的一版只在常见的大类上更准，少见的大类分错的多了，所以没有换。")
    return Verdict(True, "新的一版分得更准，已经启用。")
