"""Parting labels, trying a model without those held back, and measuring it on nothing it has learnt."""

from __future__ import annotations

import pytest

from nlp.reading import Reader
from nlp.renewal import Trial, is_held_back, parted, trained, try_out
from nlp.sentiment import read_model
from nlp.training import Labelled, own_corpus

OWN = own_corpus()[::12]
STEPS = (0.3, 0.5, 0.7)
LABELS = [
    Labelled(f"{number}号泊位{words}", label, "comment", office=True)
    for number in range(80)
    for words, label in (("的灯又趴窝了", "neg"), ("的灯真灵光", "pos"))
]


def test_the_same_words_are_never_learnt_and_measured() -> None:
    twice = [*LABELS, *(Labelled(f"{row.text}！！", row.label, row.kind, office=True) for row in LABELS)]
    learnt, held = parted(twice)
    assert {row.text.rstrip("！") for row in learnt} & {row.text.rstrip("！") for row in held} == set()
    assert len(learnt) + len(held) == len(LABELS)


def test_of_the_same_words_the_newest_label_counts() -> None:
    learnt, held = parted([Labelled("趴窝", "neg"), Labelled("趴窝。", "pos")])
    assert [row.label for row in (*learnt, *held)] == ["neg"]


def test_about_a_fifth_is_held_back_and_always_the_same() -> None:
    held = [row for row in LABELS if is_held_back(row.text)]
    assert 0.1 < len(held) / len(LABELS) < 0.3
    assert held == [row for row in LABELS if is_held_back(row.text)]


@pytest.fixture(scope="module")
def trial() -> Trial:
    return try_out(LABELS, None, STEPS, OWN)


def test_the_figures_of_before_and_after_are_of_the_same_texts(trial: Trial) -> None:
    _, held = parted(LABELS)
    assert trial.before["texts"] == trial.after["texts"] == len(held)
    assert trial.before["negative"] == trial.after["negative"] == sum(row.label == "neg" for row in held)
    wrong = {name: sum(found["steps"][1][kind] for kind in ("missed", "false_alarms"))
             for name, found in (("before", trial.before), ("after", trial.after))}  # fmt: skip
    assert wrong["after"] < wrong["before"]


def test_a_higher_threshold_never_misses_less_nor_calls_more(trial: Trial) -> None:
    for found in (trial.before, trial.after):
        missed = [step["missed"] for step in found["steps"]]
        called = [step["false_alarms"] for step in found["steps"]]
        assert missed == sorted(missed)
        assert called == sorted(called, reverse=True)


def test_a_later_renewal_measures_the_tried_model_as_it_was_measured_before(trial: Trial) -> None:
    again = try_out(LABELS, trial.tried, STEPS, OWN)
    assert again.before == trial.after
    assert again.tried == trial.tried


def test_the_counts_name_profile_and_label(trial: Trial) -> None:
    assert trial.labels == {"comment_neg": 80, "comment_pos": 80}
    assert sum(trial.own_texts.values()) == len(OWN)


def test_a_reader_decides_at_the_threshold_that_it_was_given_and_says_so() -> None:
    model = read_model(trained(LABELS, OWN))
    text = "七号泊位的灯又趴窝了"
    chance = Reader(model=model).read(text, kind="comment").sentiment.negative
    strict = Reader(model=model, threshold=chance + 0.01, name="m-1").read(text, kind="comment")
    loose = Reader(model=model, threshold=chance - 0.01, name="m-1").read(text, kind="comment")
    assert (strict.sentiment.label == "neg", loose.sentiment.label == "neg") == (False, True)
    assert not strict.sentiment.sure and not loose.sentiment.sure
    assert (strict.model, strict.threshold) == ("m-1", chance + 0.01)
