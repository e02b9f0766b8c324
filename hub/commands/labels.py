"""Labelled rows for `train` and `evaluate`, and how their report is printed; figures live in nlp.evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hub.commands.rows import Row, Rows, needs_words, quoted, read_rows
from hub.domain.errors import Misconfigured
from nlp.copies import marks_of
from nlp.evaluation import Figures, Report, report
from nlp.normal import normalise
from nlp.reading import KINDS
from nlp.sentiment import Model, Scorer
from nlp.training import LABELS, Labelled, profile_of

_NAMES = {"neg": "负面", "neu": "中性", "pos": "正面", "rest": "其余"}


def read_labels(name: str, kind: str | None) -> tuple[Rows, list[Labelled]]:
    """The labelled texts of a file; a row without a kind takes `kind`, else it is a comment."""
    found = read_rows(name, _look)
    if not found.rows:
        found.name_bad()
        raise Misconfigured('文件里没有一行可用的标注。每行应有 text 和 label（neg、neu 或 pos）。')
    plain = kind or "comment"
    return found, [Labelled(row["text"], row["label"], row.get("kind") or plain, office=True) for row in found.rows]


def _look(row: Row) -> str | None:
    label, kind = row.get("label"), row.get("kind")
    if label in (None, ""):
        return "缺少 label"
    if label not in LABELS:
        return f"label 应为 {'、'.join(LABELS)} 之一，不是{quoted(label)}"
    if kind not in (None, "", *KINDS):
        return f"kind 应为 {'、'.join(KINDS)} 之一，不是{quoted(kind)}"
    return needs_words(row)


@dataclass(frozen=True)
class Once:
    """Labelled texts, each once: of the same words the first counts. `again`: how many came again, `other`: how many of
    those with another label."""

    labels: list[Labelled]
    again: int
    other: int


def once(labels: Sequence[Labelled]) -> Once:
    """A text that is learnt and measured at once would measure too well."""
    known: dict[str, Labelled] = {}
    other = sum(
        known.setdefault(marks_of(normalise(label.text))[0], label).label != label.label for label in labels
    )
    return Once(list(known.values()), len(labels) - len(known), other)


def measure(model: Model, rows: list[Labelled]) -> Report:
    """What a model answers to labelled rows, each by the profile of its kind, beside their labels."""
    scorers: dict[str, Scorer] = model.scorers()
    plain = [replace(row, text=normalise(row.text)) for row in rows]
    return report(
        [row.label for row in plain],
        [scorers[profile_of(row.kind)].judge(row.text, with_reasons=False) for row in plain],
    )


def as_plain(report: Report) -> dict[str, Any]:
    """The report as JSON can hold it."""
    return asdict(report)


def as_lines(report: Report) -> list[str]:
    """The report as people read it."""
    lines = [
        _line("负面对正面（中性不计）", report.against_positive),
        _line("负面对其余", report.against_rest),
        _line("三类", report.labels),
        f"拿不准的占 {report.unsure:.1%}",
        "校准：分数段、条数、平均分数、实际负面占比",
    ]
    for band in report.calibration:
        lines.append(f"  {band.low:.1f}–{band.high:.1f}  {band.texts:>6}  {band.said:.3f}  {band.true:.3f}")
    return lines


def _line(name: str, figures: Figures) -> str:
    recalls = "，".join(f"{_NAMES[label]}查全 {value:.3f}" for label, value in figures.recall.items())
    return f"{name}：{figures.texts} 条，准确率 {figures.accuracy:.3f}，宏 F1 {figures.macro_f1:.3f}，{recalls}"
