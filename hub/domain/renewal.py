"""重新训练的规则: when a newly trained model is kept, how far its figures can be trusted, where the threshold stands.

Figures are counts on labels that no model in the comparison has learnt from. Training itself lives in nlp.renewal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHIPPED = "shipped"  # the name of the model that comes with the product
LEAST_LABELS = 20  # below this nothing is held back that would say anything
MOST_LABELS = 20_000  # the newest; more would hold a worker for an hour
LEAST_FOR_STEPS = 300  # labels below which a moved threshold would follow a handful of texts
STEPS = (0.3, 0.4, 0.5, 0.6, 0.7)
MIDDLE = 0.5
RECALL_MAY_FALL = 0.02


@dataclass(frozen=True)
class Held:
    """A model on held-back labels at one threshold: of `texts`, `negative` are; so many were missed, so many others
    called negative."""

    texts: int
    negative: int
    missed: int
    false_alarms: int

    @property
    def others(self) -> int:
        return self.texts - self.negative

    @property
    def recall(self) -> float:
        """Of the negative ones, the share that was found."""
        return 1.0 - self.missed / self.negative if self.negative else 0.0

    @property
    def right(self) -> int:
        return self.texts - self.missed - self.false_alarms

    @property
    def macro_f1(self) -> float:
        """The mean of two F1: negative, and the rest."""
        wrong = self.missed + self.false_alarms
        parts = [self.negative - self.missed, self.others - self.false_alarms]
        return sum(2 * part / (2 * part + wrong) if part else 0.0 for part in parts) / 2


@dataclass(frozen=True)
class Verdict:
    """Whether the new model is kept, and why in words."""

    keep: bool
    why: str


def at_threshold(found: Mapping[str, Any], threshold: float) -> Held:
    """The measured figures at this threshold; at the middle where it was not measured."""
    steps = {step["threshold"]: step for step in found["steps"]}
    step = steps.get(threshold) or steps[MIDDLE]
    return Held(found["texts"], found["negative"], step["missed"], step["false_alarms"])


def verdict(before: Held, after: Held) -> Verdict:
    """留用还是不用: the new one must be better, and may not buy that with missed complaints.

    A tie keeps the old one, since a change costs every comparison with last month's figures. A missed complaint costs
    more than a false one, so a model that finds fewer of them is refused however much quieter it is.
    """
    if not after.negative or not after.others:
        return Verdict(False, "留出来检验的标注里只有一种（都是负面，或没有负面），量不出好坏。请两种都标一些。")
    if after.recall < before.recall - RECALL_MAY_FALL:
        return Verdict(False, "新的一版漏掉的负面更多。漏掉诉求比误报更要紧，所以没有换。")
    if after.macro_f1 <= before.macro_f1:
        same = math.isclose(after.macro_f1, before.macro_f1)
        return Verdict(False, f"新的一版{'和现在的一样好' if same else '不如现在的'}，所以没有换。")
    return Verdict(True, "新的一版判得更准，漏掉的负面也没有变多，已经启用。")


def likely(part: int, whole: int) -> tuple[float, float]:
    """The span in which the true share lies nineteen times of twenty (Wilson): wide where little was counted."""
    if not whole:
        return 0.0, 1.0
    share, z = part / whole, 1.96
    scale = 1.0 + z * z / whole
    middle = (share + z * z / (2 * whole)) / scale
    half = z * math.sqrt(share * (1.0 - share) / whole + z * z / (4 * whole * whole)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def threshold_for(wanted: float, labels: int) -> float:
    """The threshold that a model may have: the one wanted where it was measured on enough, else the middle."""
    return wanted if labels >= LEAST_FOR_STEPS and wanted in STEPS else MIDDLE
