"""Explaining (说明): an issue's numbers as plain Chinese sentences; how they came about lives in clusters."""

from __future__ import annotations

from dataclasses import replace

from nlp.contract import IssueChange
from nlp.detectors.judging import Judgement
from nlp.detectors.rise import Surprise
from nlp.detectors.settings import ClusterSettings, Grade

_TERMS = 4
_NAMES = {"orange": "橙色", "red": "红色"}


def explain(change: IssueChange, judgement: Judgement, settings: ClusterSettings) -> IssueChange:
    """The change with its explanation."""
    days = settings.window_days
    parts = [f"{days:g} 天内有 {change.voices} 人说同一件事，{_expected(change.usual)}"]
    if judgement.area:
        said = f"{judgement.area}最近 {judgement.hours:g} 小时有 {judgement.voices} 人说到这件事"
        parts.append(f"{said}，{_expected(judgement.usual)}")
    elif judgement.hours < days * 24 and judgement.voices > 1:
        parts.append(f"其中最近 {judgement.hours:g} 小时 {judgement.voices} 人，{_expected(judgement.usual)}")
    parts.append(f"{change.negative} 人不满")
    parts += [_grade(grade) for grade in settings.grades if grade.level == change.level]
    if len(change.channels) > 1:
        parts.append(f"来自 {len(change.channels)} 个渠道")
    if change.districts:
        parts.append("涉及" + "、".join(change.districts[:3]))
    if judgement.pair:
        parts.append("多数人同时说到“" + "”和“".join(judgement.pair.terms) + "”")
    elif change.terms:
        parts.append("说到最多的是“" + "”“".join(change.terms[:_TERMS]) + "”，但没有同时说到的两样")
    if change.copies:
        parts.append(f"另有同文 {change.copies} 条，只算传播，不算人数")
    parts.append(_chance(change.chance))
    return replace(change, explanation="；".join(parts) + "。")


def _grade(grade: Grade) -> str:
    """Why it stands so high, by the rule's own numbers."""
    spread, quick = "来自两个以上渠道或区县", f"一天内 {grade.quick} 人以上"
    marks = f"{spread}或{quick}" if grade.either else f"{spread}，{quick}"
    return f"{_NAMES[grade.level]}预警：{grade.voices} 人以上、{grade.unhappy * 10:g} 成以上不满、{marks}"


def explain_rise(change: IssueChange, found: Surprise, settings: ClusterSettings) -> IssueChange:
    """The change of a topic that rose in its district, with its explanation."""
    district, topic = change.terms
    where = "（其中一个渠道）" if found.channel else ""
    parts = [f"{_hours(found.hours)}内{district}“{topic}”{where}{found.people} 人（平时{_people(found.usual)}）"]
    parts.append(f"{found.unhappy} 人不满")
    if len(change.channels) > 1:
        parts.append(f"来自 {len(change.channels)} 个渠道")
    if change.voices > found.people:
        parts.append(f"这一阵共 {change.voices} 人，其中 {change.negative} 人不满")
    parts.append("说的多半不是一件事，没有共同的词，请点开看")
    if change.level == "yellow":
        least = 2 * settings.least_voices
        parts.append(f"黄色预警：{least} 人以上、一半以上不满、碰巧的可能低于{_percent(settings.chance)}")
    parts.append(_chance(change.chance, "两周里所有区域和类别中，碰巧这样多的可能"))
    return replace(change, explanation="；".join(parts) + "。")


def _hours(hours: float) -> str:
    return f"{hours / 24:g} 天" if hours > 24 else f"{hours:g} 小时"


def _percent(share: float) -> str:
    return f"百分之{share * 100:g}"


def merged(change: IssueChange, title: str, into: str) -> IssueChange:
    """The last word on a cluster whose voices went over to another."""
    return replace(change, into=into, explanation=f"与“{title}”说的是同一件事，已并入，人数和留言都算在那里。")


def _expected(usual: float) -> str:
    """What this matter had before, and what so many texts bring by chance."""
    return "照平时和碰巧算" + _people(usual)


def _people(usual: float) -> str:
    return f"约 {usual:.1f} 人" if usual >= 0.1 else "不到 0.1 人"


def _chance(chance: float, said: str = "同时看着的所有话题里，碰巧冒出这样一件的可能") -> str:
    """The chance is that of any such issue arising by itself among all that is watched."""
    if chance < 0.0001:
        return said + "不到万分之一"
    if chance < 0.01:
        return said + f"约为万分之{max(1, round(chance * 10_000))}"
    return said + f"约为百分之{max(1, min(100, round(chance * 100)))}"
