"""校对: run the checks over a text; one that fails or is slow becomes a finding, never silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from hub.checks.finding import ACKNOWLEDGE, SEVERITIES, Check, Context, Finding
from hub.checks.kinds import CHECKS, NAMES

UNCHECKED = "unchecked"
MOST_PER_CHECK = 500
SLOWEST = 1.0  # seconds that one check may take on one text
LONGEST = 400_000  # signs

Elapsed = Callable[[], float]  # a monotonic clock in seconds


def unchecked(message: str, field: str = "body") -> Finding:
    """What could not be checked: a named person must look at it."""
    return Finding(UNCHECKED, ACKNOWLEDGE, 0, 0, "", message, field=field)


def _one(name: str, check: Check, text: str, context: Context, elapsed: Elapsed | None) -> list[Finding]:
    """One check's findings; it is stopped between two findings once its time is over."""
    findings: list[Finding] = []
    start = elapsed() if elapsed else 0.0
    for finding in check(text, context):
        findings.append(finding)
        late = elapsed is not None and elapsed() - start > SLOWEST
        if late or len(findings) >= MOST_PER_CHECK:
            findings.append(unchecked(f"“{NAMES[name]}”的提示太多或太慢，后面的没有查完。请先改好前面的再查。"))
            break
    return findings


def run(
    text: str,
    context: Context,
    *,
    field: str = "body",
    checks: Mapping[str, Check] = CHECKS,
    elapsed: Elapsed | None = None,
) -> list[Finding]:
    """All findings of one text, in its order, the gravest first at one place. `elapsed` bounds each check's time."""
    findings: list[Finding] = []
    if len(text) > LONGEST:
        findings.append(unchecked(f"文字超过 {LONGEST} 字，后面的没有检查。请分成几篇。", field))
        text = text[:LONGEST]
    for name, check in checks.items():
        findings.extend(_one(name, check, text, context, elapsed))
    placed = [finding if finding.field != "body" else replace(finding, field=field) for finding in findings]
    return sorted(placed, key=lambda each: (each.start, SEVERITIES.index(each.severity), each.end, each.rule))
