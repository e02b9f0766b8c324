"""相近: how like two cases are, in per cent, from titles, topic, place and issue; pure. Whom to merge a person decides.

Words count most: the share of either title's terms that the other holds as well. Topic and district say that two
titles in other words may be about one thing; one issue of the detector says that they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

Document = Mapping[str, Any]

WORDS, TOPIC, DISTRICT = 0.55, 0.30, 0.15
SAME_ISSUE = 0.80  # at least: the detector found them to be one matter
LEAST = 40  # per cent; below it nothing is offered
USUAL = frozenset({"我们", "你们", "怎么", "什么", "没有", "不能", "可以", "一直", "已经", "还是", "请问", "问题"})


def likeness(one: Document, other: Document, terms: Collection[str], others: Collection[str]) -> int:
    """0 to 100; `terms` and `others` are the terms of the two titles."""
    share = _share(set(terms) - USUAL, set(others) - USUAL)
    score = WORDS * share + TOPIC * _same(one, other, "topic") + DISTRICT * _same(one, other, "district")
    if _same(one, other, "issue"):
        score = SAME_ISSUE + (1 - SAME_ISSUE) * score
    return round(100 * score)


def _share(terms: set[str], others: set[str]) -> float:
    """The mean of both shares, so that a short title inside a long one is like it, but not the same."""
    both = len(terms & others)
    return (both / len(terms) + both / len(others)) / 2 if terms and others else 0.0


def _same(one: Document, other: Document, name: str) -> bool:
    return bool(one.get(name)) and one.get(name) == other.get(name)
