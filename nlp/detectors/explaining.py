"""Explaining (说明): an issue's numbers as plain Chinese sentences; how they came about lives in clusters."""

from __future__ import annotations

from dataclasses import replace

from nlp.contract import IssueChange
from nlp.detectors.settings import ClusterSettings

_TERMS = 4


def explain(change: IssueChange, settings: ClusterSettings) -> IssueChange:
    """The change with its explanation."""
    parts = [
        f"{settings.window_days:g} 天内有 {change.voices} 人说同一件事，平时约 {change.usual:.1f} 人",
        f"其中 {change.negative} 人不满",
    ]
    if len(change.channels) > 1:
        parts.append(f"来自 {len(change.channels)} 个渠道")
    if change.districts:
        parts.append("涉及" + "、".join(change.districts[:3]))
    if change.terms:
        parts.append("说到最多的是“" + "”“".join(change.terms[:_TERMS]) + "”")
    if change.copies:
        parts.append(f"另有同文 {change.copies} 条，只算传播，不算人数")
    parts.append(_chance(change.chance))
    return replace(change, explanation="；".join(parts) + "。")


def _chance(chance: float) -> str:
    if chance < 0.0001:
        return "碰巧这么多人说的可能不到万分之一"
    if chance < 0.01:
        return f"碰巧这么多人说的可能约为万分之{max(1, round(chance * 10_000))}"
    return f"碰巧这么多人说的可能约为百分之{max(1, min(100, round(chance * 100)))}"
