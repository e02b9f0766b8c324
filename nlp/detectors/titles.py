"""Titles (标题): the line of a cluster that names its matter and place in the fewest words; nothing is written anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from nlp.detectors.matters import matters

LONGEST = 30  # characters
_TRIED = 3  # lines that hold most are cut and compared
_MARKS = re.compile(r"[，。！？；!?;,\s]+")
_TOPIC = re.compile(r"#[^#]{1,60}#|【[^】]{1,60}】|\[[^\]]{1,12}\]")


def title_of(lines: Sequence[str], carriers: Sequence[str]) -> str:
    """The line that holds most of the carriers (the first ones count more), the shorter one on a tie, then the older.

    A long line is cut to the clauses around its carriers.
    """
    carriers = tuple(carriers)
    best = sorted(lines, key=lambda line: -_held(line, carriers))[:_TRIED]
    found = [_clauses(line, carriers) for line in best] or [""]
    return min(found, key=lambda line: (-_held(line, carriers), len(line)))


def _held(line: str, carriers: Sequence[str]) -> float:
    return sum(1.0 / (2 + place) for place, term in enumerate(carriers) if _holds(line, term))


def _holds(line: str, term: str) -> bool:
    if term in line:
        return True
    matter = matters().get(term)
    return matter is not None and matter.pattern.search(line) is not None


@lru_cache(maxsize=5_000)
def _clauses(line: str, carriers: tuple[str, ...]) -> str:
    """The run of clauses within LONGEST characters that holds most; a lone long clause is cut with a mark."""
    if len(line) <= LONGEST:
        return line
    plain = _TOPIC.sub(lambda topic: topic.group(0) if topic.start() == 0 and topic.end() == len(line) else " ", line)
    plain = plain.strip() or line
    short = [run for run in _runs(plain) if len(run) >= 4]
    if not short:
        return plain[: LONGEST - 1] + "…"
    return min(short, key=lambda run: (-_held(run, carriers), len(run)))


def _runs(plain: str) -> Iterator[str]:
    """Every run of clauses within LONGEST characters; of a line without end, in time that grows with its length."""
    ends = [0, *(mark.end() for mark in _MARKS.finditer(plain)), len(plain)]
    for first, start in enumerate(ends):
        for end in ends[first + 1 : first + 1 + LONGEST]:
            run = _MARKS.sub("，", plain[start:end]).strip("，")
            if len(run) > LONGEST:
                break
            if start < end:
                yield run
