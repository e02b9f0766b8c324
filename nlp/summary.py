"""Summary (摘要): the sentence of a long text that says most of its matter, in its own words; nothing made up.

A sentence is worth the terms it holds and the demand it makes. What is too long for a glance is left out at its marks,
and … stands where something was left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONG = 120  # characters up to which a text is read whole and needs no summary
SHOWN = 60  # characters of a summary
ELLIPSIS = "…"
_LOOKED_AT = 120  # sentences: far more than a citizen writes
_DEMAND = re.compile(
    "请(?![人假客教问得])|请问|希望|要求|求[你您大]|恳|盼|能不能|能否|可否|怎么办|什么时候|何时|为什么|尽快|解决|帮"
)
_MANNERS = re.compile("尊敬|您好|你好|谢谢|感谢|此致|敬礼|我是|本人|打扰|百忙")
_ASKED, _POLITE = 2.0, -1.0
_SENTENCE = re.compile(r"[^。！？!?；;]+[。！？!?；;]*")
_CLAUSE = re.compile(r"[^，,、：:。！？!?；; ]+")


def summary_of(plain: str, terms: Sequence[str]) -> str:
    """摘要: one sentence of a normalised text of more than LONG characters, at most SHOWN long; else empty."""
    if len(plain) <= LONG:
        return ""
    sentences = [found.strip() for found in _SENTENCE.findall(plain)[:_LOOKED_AT]]
    best = max(sentences, key=lambda sentence: _worth(sentence, terms), default="")
    return best if len(best) <= SHOWN else _cut(best, terms)


def _worth(piece: str, terms: Sequence[str]) -> float:
    """The terms a piece holds, the strongest counting most, and whether it asks for something."""
    held = sum(1.0 / (1 + place * 0.2) for place, term in enumerate(terms) if term in piece)
    return held + (_ASKED if _DEMAND.search(piece) else 0.0) + (_POLITE if _MANNERS.search(piece) else 0.0)


def _cut(sentence: str, terms: Sequence[str]) -> str:
    """The clauses worth most that have room together, in their order."""
    clauses = [(found.start(), found.end()) for found in _CLAUSE.finditer(sentence)]
    ranked = sorted(range(len(clauses)), key=lambda at: -_worth(sentence[slice(*clauses[at])], terms))
    kept: list[int] = []
    for at in ranked:
        if len(_joined(sentence, clauses, sorted([*kept, at]))) <= SHOWN:
            kept.append(at)
        if len(kept) == SHOWN // 4:
            break
    return _joined(sentence, clauses, sorted(kept)) if kept else sentence[: SHOWN - 1] + ELLIPSIS


def _joined(sentence: str, clauses: Sequence[tuple[int, int]], kept: Sequence[int]) -> str:
    """The kept clauses; neighbours keep the mark between them, … stands for what is missing."""
    words = ELLIPSIS if kept[0] else ""
    for place, at in enumerate(kept):
        start, end = clauses[at]
        if place:
            before = kept[place - 1]
            words += sentence[clauses[before][1] : start] if before == at - 1 else ELLIPSIS
        words += sentence[start:end]
    return words + (ELLIPSIS if kept[-1] < len(clauses) - 1 else "")
