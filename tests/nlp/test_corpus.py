"""Own texts: their mixture, that none repeats another and, where public sets are at hand, none is taken from them."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from nlp.copies import NEAR, Copies, distance, marks_of
from nlp.lexicon_table import CLASSES, civic_lexicon
from nlp.normal import letters, normalise
from nlp.topics import civic_topics
from nlp.training import LABELS, own_corpus

CORPUS = own_corpus()
RUN = 8
MARKS = {"life", "gathering", "deadline", "vulnerable"}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (files("nlp") / "corpus" / name).read_text(encoding="utf-8").splitlines()]


URGENCY = rows("urgency.jsonl")


def shingles(text: str, size: int = 4) -> set[str]:
    return {text[at : at + size] for at in range(len(text) - size + 1)}


def near_copies(texts: list[str]) -> int:
    """How many of them share over half of their runs with an earlier one."""
    holders: dict[str, list[int]] = {}
    sizes: list[int] = []
    near = 0
    for text in texts:
        mine = shingles(letters(normalise(text)))
        shared = Counter(other for run in mine for other in holders.get(run, ()))
        near += any(count / (len(mine) + sizes[other] - count) > 0.5 for other, count in shared.items())
        for run in mine:
            holders.setdefault(run, []).append(len(sizes))
        sizes.append(len(mine))
    return near


def test_the_mixture_is_the_one_that_was_found_to_teach() -> None:
    labels = Counter(row.label for row in CORPUS)
    assert len(CORPUS) >= 700 and set(labels) == set(LABELS)
    assert 0.40 < labels["neg"] / len(CORPUS) < 0.50
    assert 0.22 < labels["neu"] / len(CORPUS) < 0.35
    assert 0.45 < sum(row.kind == "comment" for row in CORPUS) / len(CORPUS) < 0.65


def test_fewer_than_one_in_fifty_texts_is_nearly_another() -> None:
    assert near_copies([row.text for row in CORPUS]) / len(CORPUS) < 0.02


def test_texts_on_urgency_are_nearly_copies_neither_of_each_other_nor_of_civic_ones() -> None:
    civic = [row.text for row in CORPUS]
    texts = [row["text"] for row in URGENCY]
    assert near_copies(texts) / len(texts) < 0.005
    assert near_copies([*civic, *texts]) - near_copies(civic) <= len(texts) * 0.005


def test_over_half_of_the_texts_on_urgency_bear_no_mark_and_each_mark_has_its_share() -> None:
    counts = Counter(mark for row in URGENCY for mark in row["urgent"])
    assert set(counts) == MARKS and min(counts.values()) >= 80
    assert sum(not row["urgent"] for row in URGENCY) / len(URGENCY) > 0.5
    assert len({row["situation"] for row in URGENCY}) >= 120


def test_a_civic_text_bears_known_marks_none_or_says_that_it_is_doubtful() -> None:
    marked = [row["urgent"] for row in rows("civic.jsonl") if "urgent" in row]
    assert all(marks is None or (marks and set(marks) <= MARKS) for marks in marked)


def test_no_text_is_an_exact_copy_of_another() -> None:
    memory = Copies()
    for row in CORPUS:
        key, mark = marks_of(normalise(row.text))
        assert memory.original(key, 0) is None, row.text
        memory.keep(key, mark, row.text)
    assert distance(0, (1 << 64) - 1) > NEAR


def test_the_lexicon_fills_every_class() -> None:
    counts = Counter(CLASSES[number] for number in civic_lexicon().classes.values())
    assert sum(counts.values()) >= 700
    assert set(counts) == set(CLASSES)


def test_topics_have_one_name_each_and_are_found_by_it() -> None:
    tree = civic_topics().tree
    assert len({topic.name for topic in tree.topics}) == len(tree.topics)
    assert len(tree.leaves) >= 60
    routes = {topic.name: civic_topics().route("".join(topic.names[:3])) for topic in tree.leaves}
    found = sum(route is not None and route.topic == name for name, route in routes.items())
    assert found / len(tree.leaves) > 0.9


@pytest.mark.skipif(not os.environ.get("HUB_BENCH_DATA"), reason="HUB_BENCH_DATA names no folder of public sets")
def test_no_own_text_stands_in_a_public_set() -> None:
    folder = Path(os.environ["HUB_BENCH_DATA"])
    whole: set[str] = set()
    runs: set[str] = set()
    for file in sorted(folder.rglob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            for line in stream:
                row = json.loads(line)
                for value in (row.get(name) for name in ("text", "letter", "reply", "title")):
                    if value:
                        plain = letters(normalise(value))
                        whole.add(plain)
                        runs |= shingles(plain, RUN)
    own = [letters(normalise(text)) for text in [*(row.text for row in CORPUS), *(row["text"] for row in URGENCY)]]
    same = [text for text in own if len(text) >= RUN and text in whole]
    shared = {text: sorted(shingles(text, RUN) & runs) for text in own}
    for text, found in shared.items():
        if found:
            print(text, found)
    assert same == []
    assert sum(bool(found) for found in shared.values()) / len(own) < 0.15
