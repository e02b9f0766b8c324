"""Runs found in many texts at once are those that a set would find in each; no text is read otherwise in company."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.features import grams
from nlp.joined import Joined
from nlp.normal import normalise
from nlp.reading import Asked, Reader
from nlp.runs import Runs
from nlp.sentiment import load_model
from nlp.training import own_corpus

SIGNS = "水电停了\x00\x01 a🎉\U0010ffff"
texts = st.lists(st.text(SIGNS, max_size=12), max_size=8)
vocabularies = st.lists(st.text(SIGNS, min_size=1, max_size=3), unique=True, max_size=60)


def found(runs: Runs, some: list[str]) -> list[list[str]]:
    """The runs of each text, in the order in which they were given back."""
    owners, numbers = runs.find(Joined(some))
    each: list[list[str]] = [[] for _ in some]
    for owner, number in zip(owners.tolist(), numbers.tolist(), strict=True):
        each[owner].append(runs.vocabulary[number])
    return each


@given(vocabularies, texts)
def test_each_text_holds_the_runs_that_a_set_finds_once_each_in_the_vocabularys_order(
    vocabulary: list[str], some: list[str]
) -> None:
    runs = Runs(vocabulary)
    for text, own in zip(some, found(runs, some), strict=True):
        assert own == [run for run in vocabulary if run in grams(text)]


def test_half_a_surrogate_is_one_more_sign() -> None:
    assert found(Runs(["\ud800水", "水"]), ["\ud800水"]) == [["\ud800水", "水"]]


def test_a_full_table_of_runs_that_want_one_place_finds_every_one() -> None:
    vocabulary = [chr(code) for code in range(1, 40_000)]
    owners, numbers = Runs(vocabulary).find(Joined(["".join(vocabulary)]))
    assert np.array_equal(numbers, np.arange(len(vocabulary))) and not owners.any()


@pytest.mark.parametrize("profile", ["comment", "post"])
def test_a_texts_score_and_reasons_are_the_same_in_any_company(profile: str) -> None:
    judge = load_model().scorers()[profile]
    plains = [normalise(row.text) for row in own_corpus()[::20]] + ["", "。", "水" * 3000]
    alone = [judge.judge(plain) for plain in plains]
    assert judge.judge_many(plains) == alone
    assert judge.judge_many(plains[::-1]) == alone[::-1]
    assert all(len(one.why) <= 5 for one in alone) and any(one.why for one in alone)


def test_an_empty_batch_reads_nothing() -> None:
    assert Reader().read_many([]) == []


def test_what_is_read_of_a_text_does_not_hang_on_the_texts_beside_it() -> None:
    reader = Reader()
    some = own_corpus()[::40]
    asked = [Asked(row.text, row.kind, "临江区" if number % 3 else None) for number, row in enumerate(some)]
    asked += [Asked("停水三天了"), Asked("#话题# 通知", "weather")]
    alone = [reader.read(one.text, one.kind, district=one.district) for one in asked]
    assert reader.read_many(asked) == alone
